import { diff3Merge } from 'node-diff3';
import { tokens, type ByteString } from '../core/text';

const PIECE = /\s+|[A-Za-z_0-9]+|[^\sA-Za-z_0-9]/g;

/**
 * Merges what the set and what upstream made of the same base lines, token by token. Null when both changed the same
 * tokens. Where the set put lines around the old ones, which it kept, upstream's form of those takes their place.
 */
export function mergeLines(
  base: readonly ByteString[],
  set: readonly ByteString[],
  target: readonly ByteString[],
): ByteString[] | null {
  if (base.length !== target.length) return null;
  if (base.length !== set.length) {
    const pairs = base.map((l, i) => ({ from: l, to: target[i]! }));
    const { lines, used } = withTwins(set, pairs);
    const changed = pairs.filter((p) => sense(p.from) !== sense(p.to));
    return changed.every((p) => used.has(p)) ? lines : null;
  }
  const merged: ByteString[] = [];
  for (let i = 0; i < base.length; i++) {
    const pieces = [set[i]!, base[i]!, target[i]!].map((l): string[] => l.match(PIECE) ?? []);
    const regions = diff3Merge(pieces[0]!, pieces[1]!, pieces[2]!, { excludeFalseConflicts: true });
    let line = '';
    for (const region of regions) {
      if (!region.ok) return null;
      line += region.ok.join('');
    }
    merged.push(line);
  }
  return merged;
}

const sense = (line: ByteString) => tokens(line).join(' ');

/**
 * Lines in which those that are word for word a line of the base read as upstream has that line now; they keep their own
 * indentation. A set often copies what it replaces, and changes a part of it.
 */
export function withTwins<P extends { from: ByteString; to: ByteString }>(
  lines: readonly ByteString[],
  pairs: readonly P[],
): { lines: ByteString[]; used: Set<P> } {
  const used = new Set<P>();
  const read = lines.map((line) => {
    const key = sense(line);
    const pair = pairs.find((p) => key !== '' && sense(p.from) === key && sense(p.to) !== key);
    if (!pair) return line;
    used.add(pair);
    return /^\s*/.exec(line)![0] + pair.to.trimStart();
  });
  return { lines: read, used };
}
