import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { SymbolMap } from '../symbol-map';
import type { CheckContext } from '../verify/context';
import type { Diagnostic } from '../verify/diagnostics';
import { argumentAlternatives } from './arguments';
import type { Drafts, LineEdit } from './drafts';
import { fieldAlternatives } from './fields';
import { headerAlternatives, missingIncludes } from './includes';
import { localAlternatives, nameAlternatives } from './names';

/** Where alternatives are looked for. */
export interface Sight {
  ctx: CheckContext;
  map: SymbolMap;
  base: KernelIndex;
  target: KernelIndex;
  drafts: Drafts;
}

/** Another way to say what the compiler does not take. */
export interface Alternative {
  /** The same for all places that are to be said in this way. */
  key: string;
  edits: LineEdit[];
  evidence: Evidence;
  /** True when more errors may come to light by it: a header that is missing hides what follows. */
  unhides: boolean;
}

/** An alternative, and the hunk whose line it is for. */
export interface Offer extends Alternative {
  hunk: string | null;
}

/** A line of the port that a diagnostic is about. */
export interface Place {
  path: ByteString;
  at: number;
  /** The line as it is now. */
  text: ByteString;
  option: 'on' | 'off';
}

/** Alternatives that are tried for one cause. */
export const TRIED = 6;

/** What the diagnostic may be mended with, best first. Only lines that the port itself wrote are ever changed. */
export async function alternativesFor(d: Diagnostic, option: 'on' | 'off', sight: Sight): Promise<Offer[]> {
  if (d.path === null || d.line === null || d.name === null) return [];
  const at = await sight.drafts.lineOf(d.path, d.line);
  if (at === null || !sight.ctx.addedLines(d.path).has(at)) return [];
  const place: Place = { path: d.path, at, text: (await sight.drafts.lines(d.path))![at]!, option };
  const found: Alternative[] = [];
  const name = d.name;
  if (/No such file/.test(d.text)) found.push(...(await headerAlternatives(name, place, sight)));
  else if (/undeclared|implicit declaration|unknown type name/.test(d.text)) {
    found.push(...nameAlternatives(name, place, sight));
    found.push(...localAlternatives(name, place, sight));
    found.push(...(await missingIncludes(name, place, sight)));
  } else if (/type defaults to 'int'/.test(d.text)) found.push(...(await missingIncludes(name, place, sight)));
  else if (/incomplete|undefined type|storage size/.test(d.text)) {
    // The storage of a variable says its name, its type stands on the line.
    const type = /storage size/.test(d.text) ? /\b(?:struct|union)\s+(\w+)/.exec(place.text)?.[1] : name;
    if (type !== undefined) found.push(...(await missingIncludes(type, place, sight)));
  } else if (/no member named/.test(d.text)) found.push(...fieldAlternatives(d, place, sight));
  else if (/too (few|many) arguments/.test(d.text)) found.push(...(await argumentAlternatives(name, place, sight)));
  const seen = new Set<string>();
  return found
    .filter((a) => a.edits.length > 0 && !seen.has(a.key) && seen.add(a.key))
    .slice(0, TRIED)
    .map((a) => ({ ...a, hunk: sight.ctx.hunkAt(place.path, place.at) }));
}
