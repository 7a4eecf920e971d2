import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { DefinitionKind } from '../kernel-index/types';

/** What can be looked up: a definition, or a part of one. A field's name is `struct.field`. */
export type SymbolKind = DefinitionKind | 'field' | 'enumerator';

/** A symbol of one of the two kernels. */
export interface SymbolRef {
  kind: SymbolKind;
  name: string;
  path: ByteString;
}

/**
 * - `same`: there, with the same signature
 * - `moved`: the same, in another file (or, for a field, reached through another struct)
 * - `resigned`: there, with other parameters or another type; `changes` says which
 * - `renamed`: another name took its place
 * - `split`: several definitions took its place
 * - `merged`: something that existed before took its place
 * - `removed`: nothing did
 */
export type MapStatus = 'same' | 'moved' | 'renamed' | 'resigned' | 'split' | 'merged' | 'removed';

/** Parameter positions are 0-based; `index` counts in the base, `to` in the target. */
export type SignatureChange =
  | { kind: 'argument-dropped'; index: number; name: string; type: string }
  | { kind: 'argument-added'; to: number; name: string; type: string }
  | { kind: 'argument-moved'; index: number; to: number; name: string; type: string }
  | {
      kind: 'argument-changed';
      index: number;
      to: number;
      from: { name: string; type: string };
      into: { name: string; type: string };
    }
  | { kind: 'returns-changed'; from: string; into: string }
  | { kind: 'annotations-changed'; gone: string[]; added: string[] }
  | { kind: 'became-callable'; parameters: string[] }
  | { kind: 'became-plain' }
  /** Operand `index` of a macro is spelt differently now: `read_sysreg_el2(elr)` → `read_sysreg_el2(SYS_ELR)`. */
  | {
      kind: 'operand-spelling';
      index: number;
      pairs: { from: string; into: string; seen: number }[];
      rule: SpellingRule | null;
    };

/** A spelling that all pairs follow: letters made upper case, with a prefix in front; or the way back. */
export interface SpellingRule {
  prefix: string;
  upper: boolean;
  /** The prefix goes and letters become lower case, as on the way to an older kernel. */
  undone: boolean;
}

/** What became of a field. */
export type FieldChange =
  | { kind: 'type-changed'; from: string; into: string }
  /** Reached through other fields now: `vttbr` → `mmu.vttbr`. */
  | { kind: 'path-changed'; from: string; into: string };

/** Where a symbol of the base went. */
export interface MapEntry {
  from: SymbolRef;
  status: MapStatus;
  /** Best first; empty for `removed`. */
  to: SymbolRef[];
  /** 0 to 1: how sure status and best target are. */
  confidence: number;
  evidence: Evidence[];
  changes: (SignatureChange | FieldChange)[];
}

/** A file that took over definitions of a file of the base. */
export interface FileHeir {
  path: ByteString;
  /** 0 to 1. */
  confidence: number;
  /** Share of the file's definitions (or lines) that went there, 0 to 1. */
  share: number;
  evidence: Evidence[];
}
