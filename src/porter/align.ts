import { tokens, type ByteString } from '../core/text';

/** Where a base line is in the target. */
export interface LineMatch {
  /** 0-based line of the target piece. */
  to: number;
  /** 1: the same tokens (renames counted as same). Below 1: the share of tokens in common. */
  similarity: number;
}

/** A line as its tokens; no tokens for blank and comment lines. */
export interface TokenLine {
  key: string;
  tokens: readonly string[];
  /** How much a match of this line says: a lone brace next to nothing, a line with names much. */
  weight: number;
}

/** Lines below this likeness are not the same line. */
const ALIKE = 0.6;
/** A long line may change more and still be known again. */
const ALIKE_LONG = 0.45;
const LONG = 12;
/** Cells of the table beyond which a piece is first cut at its unique lines. */
const TABLE_LIMIT = 250_000;

/** Tokens of lines, comments left out (also those over several lines); `rename` says how base words read in the target. */
export function tokenLines(
  lines: readonly ByteString[],
  rename: (word: string) => string = (w) => w,
  operand: Operand = () => null,
): TokenLine[] {
  let inComment = false;
  return lines.map((line) => {
    let text = line;
    if (inComment) {
      const end = text.indexOf('*/');
      if (end < 0) return EMPTY;
      text = text.slice(end + 2);
      inComment = false;
    }
    const opened = text.lastIndexOf('/*');
    if (opened >= 0 && text.indexOf('*/', opened) < 0) inComment = true;
    const words = respelt(tokens(text), operand).flatMap((t) =>
      /^[A-Za-z_]/.test(t) ? rename(t).split(' ').filter(Boolean) : [t],
    );
    return words.length === 0 ? EMPTY : { key: words.join(' '), tokens: words, weight: weightOf(words) };
  });
}

/** How operand `index` of a macro is spelt in the target; null when it stays. */
export type Operand = (macro: string, index: number, operand: string) => string | null;

/** Tokens of a line with the operands of calls as the target spells them. */
export function respelt(line: readonly string[], operand: Operand): string[] {
  const out = [...line];
  const calls: { name: string; index: number }[] = [];
  line.forEach((t, i) => {
    if (t === '(') calls.push({ name: /^[A-Za-z_]/.test(line[i - 1] ?? '') ? line[i - 1]! : '', index: 0 });
    else if (t === ')') calls.pop();
    else if (t === ',' && calls.length) calls[calls.length - 1]!.index++;
    else if (calls.length && /^[,(]$/.test(line[i - 1] ?? '') && /^[,)]$/.test(line[i + 1] ?? '')) {
      const { name, index } = calls[calls.length - 1]!;
      if (name) out[i] = operand(name, index, t) ?? t;
    }
  });
  return out;
}

const EMPTY: TokenLine = { key: '', tokens: [], weight: 0 };

function weightOf(words: readonly string[]): number {
  const names = words.filter((w) => /^\w/.test(w)).length;
  return names === 0 ? 0.15 : Math.min(1, 0.3 + 0.2 * names);
}

/** Share of tokens in common, as multisets (Dice). */
export function similarity(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const count = new Map<string, number>();
  for (const t of a) count.set(t, (count.get(t) ?? 0) + 1);
  let common = 0;
  for (const t of b) {
    const n = count.get(t) ?? 0;
    if (n > 0) {
      common++;
      count.set(t, n - 1);
    }
  }
  return (2 * common) / (a.length + b.length);
}

/** In assembly another instruction is another thing, whatever its operands; so is what is written to another system register. */
export function sameInstruction(a: readonly string[], b: readonly string[]): boolean {
  return a[0] === b[0] && (a[0] !== 'msr' || a[1] === b[1]);
}

const NO_CALLEE = new Set(['if', 'for', 'while', 'switch', 'return', 'sizeof', 'defined', 'typeof', 'else', 'do']);

/**
 * True when a line that changed still does the same thing: assigns the same variable, calls the same function, and speaks
 * of the same constants, where both lines do. `a == FP` and `a == SYS` are as alike as two lines can be, and another thing.
 */
export function sameSense(a: readonly string[], b: readonly string[]): boolean {
  const assigned = (t: readonly string[]) => {
    const at = t.indexOf('=');
    return at > 0
      ? t
          .slice(0, at)
          .filter((w) => /^[A-Za-z_]/.test(w))
          .pop()
      : undefined;
  };
  const callee = (t: readonly string[]) =>
    t.find((w, i) => t[i + 1] === '(' && /^[A-Za-z_]/.test(w) && !NO_CALLEE.has(w));
  const constants = (t: readonly string[]) => new Set(t.filter((w) => /^[A-Z][A-Z0-9_]{2,}$/.test(w)));
  const differ = (x: string | undefined, y: string | undefined) => x !== undefined && y !== undefined && x !== y;
  if (differ(assigned(a), assigned(b))) return false;
  const [fa, fb] = [callee(a), callee(b)];
  if (differ(fa, fb)) {
    // f(x, …) → f_ret(x, …), kvm_f(x, …): a variant of the function with the same first argument.
    const [long, short] = fa!.length > fb!.length ? [fa!, fb!] : [fb!, fa!];
    const variant = long.startsWith(short) || long.endsWith(`_${short}`);
    if (!variant || a[a.indexOf(fa!) + 2] !== b[b.indexOf(fb!) + 2]) return false;
  }
  const [ca, cb] = [constants(a), constants(b)];
  return ca.size === 0 || cb.size === 0 || [...ca].some((c) => cb.has(c));
}

/**
 * Aligns two pieces of code line by line, in order: the heaviest monotone matching, where a line may match one that
 * changed in part. Lines without tokens match nothing. Large pieces are first cut at lines that occur once on both sides
 * (patience).
 */
export function alignLines(
  a: readonly TokenLine[],
  b: readonly TokenLine[],
  same: (a: readonly string[], b: readonly string[]) => boolean = sameSense,
): (LineMatch | null)[] {
  const result: (LineMatch | null)[] = new Array<LineMatch | null>(a.length).fill(null);
  let names: [Set<string>, Set<string>] | null = null;
  const pairs: Pairs = {
    known: new Map(),
    allowed: (x, y) => {
      if (same(x, y)) return true;
      names ??= [new Set(a.flatMap((l) => l.tokens)), new Set(b.flatMap((l) => l.tokens))];
      return isRenamedCall(x, y, names[0], names[1]);
    },
  };
  align(a, 0, a.length, b, 0, b.length, result, pairs);
  return result;
}

/** How alike two lines are, remembered; lines of another sense are not alike at all. */
interface Pairs {
  known: Map<string, number>;
  allowed: (a: readonly string[], b: readonly string[]) => boolean;
}

/** True when two lines differ in the name of one function alone, which took the other's place: neither side has both. */
function isRenamedCall(
  a: readonly string[],
  b: readonly string[],
  inA: ReadonlySet<string>,
  inB: ReadonlySet<string>,
): boolean {
  if (a.length !== b.length) return false;
  const differ = [...a.keys()].filter((i) => a[i] !== b[i]);
  if (differ.length !== 1) return false;
  const at = differ[0]!;
  const telling = a.filter((w, i) => i !== at && /^[A-Za-z_]\w{3}/.test(w)).length > 0;
  return telling && a[at + 1] === '(' && /^\w/.test(a[at]!) && !inB.has(a[at]!) && !inA.has(b[at]!);
}

function align(
  a: readonly TokenLine[],
  a0: number,
  a1: number,
  b: readonly TokenLine[],
  b0: number,
  b1: number,
  result: (LineMatch | null)[],
  pairs: Pairs,
): void {
  const same = (i: number, j: number) => a[i]!.key !== '' && a[i]!.key === b[j]!.key;
  // A common head and tail need no table. Only from the first or last line on: a head found after a skip could be a twin.
  while (a0 < a1 && b0 < b1 && (same(a0, b0) || (a[a0]!.key === '' && b[b0]!.key === ''))) {
    if (a[a0]!.key !== '') result[a0] = { to: b0, similarity: 1 };
    a0++;
    b0++;
  }
  while (a1 > a0 && b1 > b0 && (same(a1 - 1, b1 - 1) || (a[a1 - 1]!.key === '' && b[b1 - 1]!.key === ''))) {
    a1--;
    b1--;
    if (a[a1]!.key !== '') result[a1] = { to: b1, similarity: 1 };
  }
  if (a0 >= a1 || b0 >= b1) return;
  if ((a1 - a0) * (b1 - b0) > TABLE_LIMIT) {
    const cuts = uniqueCommon(a, a0, a1, b, b0, b1);
    if (cuts.length > 0) {
      let [i0, j0] = [a0, b0];
      for (const [i, j] of cuts) {
        align(a, i0, i, b, j0, j, result, pairs);
        result[i] = { to: j, similarity: 1 };
        [i0, j0] = [i + 1, j + 1];
      }
      align(a, i0, a1, b, j0, b1, result, pairs);
      return;
    }
  }
  fillTable(a, a0, a1, b, b0, b1, result, pairs);
}

/** Lines that occur once on each side, longest increasing run of them. */
function uniqueCommon(
  a: readonly TokenLine[],
  a0: number,
  a1: number,
  b: readonly TokenLine[],
  b0: number,
  b1: number,
): [number, number][] {
  const once = (lines: readonly TokenLine[], from: number, to: number) => {
    const at = new Map<string, number>();
    for (let i = from; i < to; i++) {
      const key = lines[i]!.key;
      if (lines[i]!.weight >= 0.5) at.set(key, at.has(key) ? -1 : i);
    }
    return at;
  };
  const inB = once(b, b0, b1);
  const pairs: [number, number][] = [];
  for (const [key, i] of once(a, a0, a1)) {
    const j = inB.get(key) ?? -1;
    if (i >= 0 && j >= 0) pairs.push([i, j]);
  }
  pairs.sort((x, y) => x[0] - y[0]);
  const tails: number[] = [];
  const back = new Array<number>(pairs.length).fill(-1);
  pairs.forEach(([, j], k) => {
    let lo = 0;
    let hi = tails.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (pairs[tails[mid]!]![1] < j) lo = mid + 1;
      else hi = mid;
    }
    if (lo > 0) back[k] = tails[lo - 1]!;
    tails[lo] = k;
  });
  const run: [number, number][] = [];
  for (let k = tails.length ? tails[tails.length - 1]! : -1; k >= 0; k = back[k]!) run.push(pairs[k]!);
  return run.reverse();
}

function fillTable(
  a: readonly TokenLine[],
  a0: number,
  a1: number,
  b: readonly TokenLine[],
  b0: number,
  b1: number,
  result: (LineMatch | null)[],
  pairs: Pairs,
): void {
  const [n, m] = [a1 - a0, b1 - b0];
  const likeness = (x: TokenLine, y: TokenLine): number => {
    if (x.key === '' || y.key === '') return 0;
    if (x.key === y.key) return 1;
    // The likeness can be no higher than what the lengths allow: most pairs are told apart by that.
    const [lx, ly] = [x.tokens.length, y.tokens.length];
    if ((2 * Math.min(lx, ly)) / (lx + ly) < (lx > LONG ? ALIKE_LONG : ALIKE)) return 0;
    const pair = `${x.key}\0${y.key}`;
    let s = pairs.known.get(pair);
    if (s === undefined) {
      s = similarity(x.tokens, y.tokens);
      if (s < ALIKE && !(s >= ALIKE_LONG && lx > LONG)) s = 0;
      if (s > 0 && !pairs.allowed(x.tokens, y.tokens)) s = 0;
      pairs.known.set(pair, s);
    }
    return s;
  };
  const rows = Array.from({ length: n }, (_, i) => {
    const row = new Float32Array(m);
    const same = new Map<string, number>();
    for (let j = 0; j < m; j++) {
      const key = b[b0 + j]!.key;
      let s = same.get(key);
      if (s === undefined) {
        s = likeness(a[a0 + i]!, b[b0 + j]!);
        same.set(key, s);
      }
      row[j] = s;
    }
    return row;
  });
  const best = new Float64Array((n + 1) * (m + 1));
  const step = new Uint8Array((n + 1) * (m + 1));
  const width = m + 1;
  for (let i = n - 1; i >= 0; i--) {
    const x = a[a0 + i]!;
    for (let j = m - 1; j >= 0; j--) {
      const at = i * width + j;
      let value = best[at + width]!;
      let how = 1;
      if (best[at + 1]! > value) {
        value = best[at + 1]!;
        how = 2;
      }
      const s = rows[i]![j]!;
      if (s > 0) {
        // An exact match is worth more than its likeness, so that a twin does not beat it by a neighbour's share.
        const with_ = best[at + width + 1]! + s * x.weight * (s === 1 ? 1.3 : 1);
        if (with_ > value) {
          value = with_;
          how = 3;
        }
      }
      best[at] = value;
      step[at] = how;
    }
  }
  for (let i = 0, j = 0; i < n && j < m;) {
    const how = step[i * width + j]!;
    if (how === 3) {
      result[a0 + i] = { to: b0 + j, similarity: likeness(a[a0 + i]!, b[b0 + j]!) };
      i++;
      j++;
    } else if (how === 1) i++;
    else j++;
  }
}
