import { stripComments, type ByteString } from '../core/text';
import type { Placed } from './place';

/** A place in words. */
export function sayPlace(p: Placed): string {
  return `${p.file.path}:${p.segments[0]!.site.at + 1}${p.definition === null ? '' : ` ('${p.definition}')`}`;
}

/**
 * Whether two versions of an edit went to one place: `same` to the gap, `near` in the same definitions, `elsewhere` when
 * one went to a file or definition to which the other did not.
 */
export function samePlace(own: readonly Placed[], other: readonly Placed[]): 'same' | 'near' | 'elsewhere' {
  const home = (a: Placed, b: Placed) => a.file.path === b.file.path && a.definition === b.definition;
  if (other.some((b) => !own.some((a) => home(a, b)))) return 'elsewhere';
  const gap = (a: Placed, b: Placed) => {
    const [x, y] = [spanOf(a), spanOf(b)];
    return home(a, b) && blank(a, x.from, y.from) && blank(a, x.to, y.to);
  };
  return other.every((b) => own.some((a) => gap(a, b))) ? 'same' : 'near';
}

/** True when nothing but blank lines and comments lies between two gaps of a file. */
function blank(p: Placed, a: number, b: number): boolean {
  return stripComments(p.file.lines.slice(Math.min(a, b), Math.max(a, b)).join('')).trim() === '';
}

/** The target lines from the first part of an edit to its last. */
function spanOf(p: Placed): { from: number; to: number } {
  return {
    from: Math.min(...p.segments.map((s) => s.site.at)),
    to: Math.max(...p.segments.map((s) => s.site.at + s.site.remove)),
  };
}

/** Where an edit would stand inside of another, hold it, or cross it; null when all stand clear of each other. */
export function crossing(own: readonly Placed[], others: readonly Placed[]): ByteString | null {
  for (const p of own) {
    for (const o of others) {
      if (o.file.path !== p.file.path || o.segments.length === 0) continue;
      const [a, b] = [spanOf(p), spanOf(o)];
      if (a.from < b.to && b.from < a.to) return sayPlace(o);
      if (
        (a.from === a.to && a.from > b.from && a.from < b.to) ||
        (b.from === b.to && b.from > a.from && b.from < a.to)
      )
        return sayPlace(o);
    }
  }
  return null;
}
