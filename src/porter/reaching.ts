import { stripComments, tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { scopeOf, type Placed, type PlacedSegment } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/** Code that works on another value than at home is at most this sure. */
const OTHER_VALUE = 0.75;

/**
 * The same line can stand in other code. Where upstream changed the lines on both sides of what the set changes, and a
 * variable that the set's code reads is given another value above it, the line is the same and what it works on is not.
 *
 * What the set assigns itself says nothing.
 */
export function sayOtherValues(
  results: readonly EditResult[],
  base: PorterFile,
  rename: (word: string) => string,
): void {
  if (base.index.language !== 'c') return;
  const read = (text: ByteString) => tokens(stripComments(text)).map(rename).join(' ');
  const added = stripComments(results.flatMap((r) => r.edit.segments.flatMap((s) => s.added)).join(''));
  for (const { outcome, placements, edit } of results) {
    if (outcome === 'already-upstream') continue;
    for (const p of placements) {
      for (const s of p.segments) {
        const scope = edit.segments.includes(s.segment) ? scopeOf(base, s.segment) : null;
        const heir = p.file.outer.find((d) => d.kind === 'function' && d.name === p.definition);
        if (scope?.kind !== 'function' || !heir || !isBetweenOthers(s, base, p.file, read)) continue;
        for (const name of namesRead(s.added)) {
          if (assigned(added, name) !== null) continue;
          const was = assigned(above(base, scope, s.segment.at), name);
          const is = assigned(above(p.file, heir, s.site.at), name);
          if (was === null || is === null || read(was) === read(is)) continue;
          say(p, `'${name}' is '${shown(is)}' here in the target, '${shown(was)}' in the base`);
        }
      }
    }
  }
}

/** True when the lines of code above and below a segment both read otherwise in the target. */
function isBetweenOthers(
  { segment, site }: PlacedSegment,
  base: PorterFile,
  target: PorterFile,
  read: (text: ByteString) => string,
): boolean {
  const sides = [
    [codeAt(base, segment.at - 1, -1), codeAt(target, site.at - 1, -1)],
    [codeAt(base, segment.at + segment.removed.length, 1), codeAt(target, site.at + site.remove, 1)],
  ] as const;
  return sides.every(([was, is]) => read(was) !== tokens(stripComments(is)).join(' '));
}

/** The nearest line with code on one side. */
function codeAt(file: PorterFile, from: number, step: number): ByteString {
  for (let i = from; i >= 0 && i < file.lines.length; i += step)
    if (/\w|[{}]/.test(stripComments(file.lines[i]!)) && !/^\s*\*/.test(file.lines[i]!)) return file.lines[i]!;
  return '';
}

function above(file: PorterFile, fn: Definition, line: number): ByteString {
  return stripComments(file.lines.slice(fn.startLine, line).join(''));
}

/** What a name is set to last in a text; null when it is not, or not plainly. */
function assigned(text: ByteString, name: string): string | null {
  const all = [...text.matchAll(new RegExp(`(?<![\\w.>])${name}\\s*=(?!=)\\s*([^;{}]*);`, 'g'))];
  return all.at(-1)?.[1]?.replace(/\s+/g, ' ').trim() ?? null;
}

/** Variables that lines of code mention: no fields, no calls, and nothing in capitals. */
function namesRead(lines: readonly ByteString[]): string[] {
  const code = lines.filter((l) => !/^\s*#/.test(l)).join('');
  const plain = stripComments(code).replace(/"(?:[^"\\\n]|\\.)*"/g, '""');
  return [...new Set([...plain.matchAll(/(?<![\w.>])([a-z_]\w*)\b(?!\s*\()/g)].map((m) => m[1]!))];
}

const shown = (text: string) => (text.length > 50 ? `${text.slice(0, 50)}…` : text);

function say(p: Placed, text: string): void {
  p.confidence = Math.min(p.confidence, OTHER_VALUE);
  if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
}
