import { diff3Merge } from 'node-diff3';
import type { ByteString } from '../core/text';

const PIECE = /\s+|[A-Za-z_0-9]+|[^\sA-Za-z_0-9]/g;

/**
 * Merges what the set and what upstream made of the same base lines, token by token. Null when both changed the same
 * tokens, or when lines were added or removed on one side.
 */
export function mergeLines(
  base: readonly ByteString[],
  set: readonly ByteString[],
  target: readonly ByteString[],
): ByteString[] | null {
  if (base.length !== set.length || base.length !== target.length) return null;
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
