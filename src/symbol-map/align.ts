import { tokens, type ByteString } from '../core/text';

/** A stretch of tokens that was replaced: one side may be empty. */
export interface Replacement {
  from: string[];
  to: string[];
  /** Where the stretch begins in either text, in tokens. */
  fromAt: number;
  toAt: number;
}

/** More differences than this, and two bodies have nothing to say about each other. */
const MAX_EDITS = 700;

/**
 * What was replaced between two texts, token by token (Myers' greedy algorithm); null when they differ too much.
 * Comments do not count.
 */
export function replacements(from: ByteString, to: ByteString): Replacement[] | null {
  return replacedTokens(tokens(from), tokens(to));
}

/** {@link replacements} for texts that are cut up already. */
export function replacedTokens(a: readonly string[], b: readonly string[]): Replacement[] | null {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  const [n, m] = [endA - start, endB - start];
  if (n === 0 && m === 0) return [];
  if (n === 0 || m === 0) return [{ from: a.slice(start, endA), to: b.slice(start, endB), fromAt: start, toAt: start }];
  const steps = greedy(a, b, start, n, m);
  if (!steps) return null;
  const found: Replacement[] = [];
  let [x, y] = [0, 0];
  const add = (toX: number, toY: number) => {
    if (toX === x && toY === y) return;
    found.push({
      from: a.slice(start + x, start + toX),
      to: b.slice(start + y, start + toY),
      fromAt: start + x,
      toAt: start + y,
    });
  };
  for (const [atX, atY, length] of steps) {
    add(atX, atY);
    [x, y] = [atX + length, atY + length];
  }
  add(n, m);
  return found;
}

/** The runs of equal tokens of a shortest edit script, in order; null when it is too long. */
function greedy(
  a: readonly string[],
  b: readonly string[],
  start: number,
  n: number,
  m: number,
): [number, number, number][] | null {
  const limit = Math.min(n + m, MAX_EDITS);
  const size = 2 * limit + 3;
  const offset = limit + 1;
  const v = new Int32Array(size);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= limit; d++) {
    trace.push(v.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      let x =
        k === -d || (k !== d && v[offset + k - 1]! < v[offset + k + 1]!) ? v[offset + k + 1]! : v[offset + k - 1]! + 1;
      let y = x - k;
      while (x < n && y < m && a[start + x] === b[start + y]) [x, y] = [x + 1, y + 1];
      v[offset + k] = x;
      if (x >= n && y >= m) return backtrack(trace, d, n, m);
    }
  }
  return null;
}

function backtrack(trace: Int32Array[], edits: number, n: number, m: number): [number, number, number][] {
  const runs: [number, number, number][] = [];
  let [x, y] = [n, m];
  for (let d = edits; d > 0; d--) {
    const v = trace[d]!;
    const at = (k: number) => v[k + d + 1]!;
    const k = x - y;
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const previousK = down ? k + 1 : k - 1;
    const previousX = at(previousK);
    const previousY = previousX - previousK;
    const [fromX, fromY] = down ? [previousX, previousY + 1] : [previousX + 1, previousY];
    if (x > fromX) runs.push([fromX, fromY, x - fromX]);
    [x, y] = [previousX, previousY];
  }
  if (x > 0) runs.push([0, 0, x]);
  return runs.reverse();
}
