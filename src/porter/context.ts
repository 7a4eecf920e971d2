import type { Role } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Adapter } from './adapt';
import type { CodeSearch } from './code-search';
import type { Collisions } from './collisions';
import type { EraParts } from './era-parts';
import type { GoneOptions } from './gone-options';
import type { Heirs } from './heirs';
import type { Options } from './inert';
import type { Aligner } from './place';
import type { Reference } from './reference';
import type { Resolutions } from './resolutions';
import type { Sections } from './sections';
import type { PlacedEdit } from './uses';
import type { View } from './view';

/** What the porter works with; one for a whole set. */
export interface PortContext {
  /** The base with the patches so far; moves on with each patch. */
  base: View;
  /** The base with this patch, too. */
  patched: View;
  /** The target with what was ported so far; the porter lays its results over it. */
  target: View;
  heirs: Heirs;
  aligner: Aligner;
  code: CodeSearch;
  adapter: Adapter;
  sections: Sections;
  /** Edits of the patch at hand that have a place. */
  placed: PlacedEdit[];
  /** New files of the set that found no place. */
  refused: Set<ByteString>;
  /** New files of the set that upstream has by now: where. */
  twins: Map<ByteString, ByteString>;
  /** Those of them of which nothing is left to add. */
  absorbed: Set<ByteString>;
  /** Names of definitions that the set moved and that are upstream's business now: see `moved-definitions.ts`. */
  folded: Set<string>;
  /** Names of the set that upstream took for something else: see `collisions.ts`. */
  collisions: Collisions;
  /** The options that the patched base or the target defines. */
  options: Options;
  /** Those of the base that upstream took out. */
  gone: GoneOptions;
  /** Registers for software's own use that the set goes by: see `software-registers.ts`. */
  registers: ReadonlySet<string>;
  /** How many edits inside definitions went from a file of the base to one file of the target; `from\0to`. */
  votes: Map<string, number>;
  roleOf: (path: ByteString) => Role;
  /** Put conflict markers where a hunk that is not placed would go. */
  markers: { target: string; set: string } | null;
  /** What people resolved before; null for none. */
  resolutions: Resolutions | null;
  /** A second set of the family, another source and a witness; null for none. */
  reference: Reference | null;
  /** What is generated because the target calls EL2 in another way; null for nothing. */
  parts: EraParts | null;
}
