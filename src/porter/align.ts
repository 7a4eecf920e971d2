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
  operand: Operand = asItIs,
): TokenLine[] {
  return codeOf(lines).map((text) =>
    text === null ? EMPTY : renamed(operand === asItIs ? tokenLine(text) : spelt(tokenLine(text), operand), rename),
  );
}

/** Lines without the comment that an earlier one opened; null for what lies in such a comment as a whole. */
export function codeOf(lines: readonly ByteString[]): (ByteString | null)[] {
  let inComment = false;
  return lines.map((line) => {
    let text = line;
    if (inComment) {
      const end = text.indexOf('*/');
      if (end < 0) return null;
      text = text.slice(end + 2);
      inComment = false;
    }
    const opened = text.lastIndexOf('/*');
    if (opened >= 0 && text.indexOf('*/', opened) < 0) inComment = true;
    return text;
  });
}

/** How operand `index` of a macro is spelt in the target; null when it stays. */
export type Operand = (macro: string, index: number, operand: string) => string | null;

const asItIs: Operand = () => null;

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

function spelt(line: TokenLine, operand: Operand): TokenLine {
  if (!line.tokens.includes('(')) return line;
  const words = respelt(line.tokens, operand);
  return words.every((w, i) => w === line.tokens[i]) ? line : lineOf(words);
}

/** Lines that were cut up before: the same files are aligned again after every patch, and most of their lines stay. */
const cut = new Map<ByteString, TokenLine>();
const CUT_LINES = 100_000;

function tokenLine(text: ByteString): TokenLine {
  let line = cut.get(text);
  if (!line) {
    line = lineOf(tokens(text));
    if (cut.size >= CUT_LINES) cut.clear();
    cut.set(text, line);
  }
  return line;
}

function lineOf(words: readonly string[]): TokenLine {
  return words.length === 0 ? EMPTY : { key: words.join(' '), tokens: words, weight: weightOf(words) };
}

function renamed(line: TokenLine, rename: (word: string) => string): TokenLine {
  let words: string[] | null = null;
  line.tokens.forEach((t, i) => {
    const reads = isWord(t) ? rename(t) : t;
    if (words === null && reads === t) return;
    words ??= line.tokens.slice(0, i);
    if (reads === t) words.push(t);
    else words.push(...reads.split(' ').filter(Boolean));
  });
  return words === null ? line : lineOf(words);
}

function isWord(token: string): boolean {
  const c = token.charCodeAt(0);
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95;
}

const EMPTY: TokenLine = { key: '', tokens: [], weight: 0 };

/** How much a line of these tokens says. */
export function weightOf(words: readonly string[]): number {
  let names = 0;
  for (let i = 0; i < words.length; i++) if (isName(words[i]!.charCodeAt(0))) names++;
  return names === 0 ? 0.15 : Math.min(1, 0.3 + 0.2 * names);
}

/** True for the first letter of a word or number. */
function isName(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || (c >= 48 && c <= 57);
}

/** Share of tokens in common, as multisets (Dice). */
export function similarity(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0;
  const numbers = new Map<string, number>();
  return (2 * inCommon(bagOf(a, numbers), bagOf(b, numbers))) / (a.length + b.length);
}

/** In assembly another instruction is another thing, whatever its operands; so is what is written to another system register. */
export function sameInstruction(a: readonly string[], b: readonly string[]): boolean {
  return a[0] === b[0] && (a[0] !== 'msr' || a[1] === b[1]);
}

const NO_CALLEE = new Set(['if', 'for', 'while', 'switch', 'return', 'sizeof', 'defined', 'typeof', 'else', 'do']);

/** The variable (or the last name of the place) that a line assigns; undefined when it assigns none. */
export function assigned(t: readonly string[]): string | undefined {
  const at = t.indexOf('=');
  return at > 0
    ? t
        .slice(0, at)
        .filter((w) => /^[A-Za-z_]/.test(w))
        .pop()
    : undefined;
}

/**
 * True when a line that changed still does the same thing: assigns the same variable, calls the same function, and speaks
 * of the same constants, where both lines do. `a == FP` and `a == SYS` are as alike as two lines can be, and another thing.
 */
export function sameSense(a: readonly string[], b: readonly string[]): boolean {
  const callee = (t: readonly string[]) =>
    t.find((w, i) => t[i + 1] === '(' && /^[A-Za-z_]/.test(w) && !NO_CALLEE.has(w));
  const constants = (t: readonly string[]) =>
    new Set(t.filter((w) => /^[A-Z]\w*$/.test(w) && w.replace(/[^A-Z]/g, '').length >= 3));
  const differ = (x: string | undefined, y: string | undefined) => x !== undefined && y !== undefined && x !== y;
  if (differ(assigned(a), assigned(b))) return false;
  const [fa, fb] = [callee(a), callee(b)];
  if (differ(fa, fb)) {
    // f(x, …) → f_ret(x, …), kvm_f(x, …): a variant of the function with the same first argument.
    const [long, short] = fa!.length > fb!.length ? [fa!, fb!] : [fb!, fa!];
    const variant = long.startsWith(short) || long.endsWith(`_${short}`);
    if (!variant || a[a.indexOf(fa!) + 2] !== b[b.indexOf(fb!) + 2]) return false;
  }
  if (isSetter(a, b)) return true;
  // The same call on other things throughout (`kvm_call_hyp(f)`, `kvm_call_hyp(g)`) is another call.
  if (fa !== undefined && fa === fb && !argumentsMeet(a, b, fa)) return false;
  const [ca, cb] = [constants(a), constants(b)];
  return ca.size === 0 || cb.size === 0 || [...ca].some((c) => cb.has(c));
}

/** True when two calls of a function have a name among their arguments in common, or one of them has no names there. */
function argumentsMeet(a: readonly string[], b: readonly string[], callee: string): boolean {
  const names = (t: readonly string[]) => t.slice(t.indexOf(callee) + 1).filter((w) => /^[A-Za-z_]/.test(w));
  const [x, y] = [names(a), new Set(names(b))];
  return x.length === 0 || y.size === 0 || x.some((w) => y.has(w));
}

/** `write_sysreg(A, hcr_el2);` and `write_sysreg(B, hcr_el2);`: one statement that sets the same thing, to another value. */
function isSetter(a: readonly string[], b: readonly string[]): boolean {
  if (a[0] !== b[0] || a[1] !== '(' || b[1] !== '(' || a[a.length - 1] !== ';' || b[b.length - 1] !== ';') return false;
  const last = (t: readonly string[]) => t.slice(t.lastIndexOf(',') + 1);
  const [x, y] = [last(a), last(b)];
  return a.includes(',') && x.length === 3 && /^[a-z]/.test(x[0]!) && x.join(' ') === y.join(' ');
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
  const allowed = (x: readonly string[], y: readonly string[]) => {
    if (same(x, y)) return true;
    names ??= [new Set(a.flatMap((l) => l.tokens)), new Set(b.flatMap((l) => l.tokens))];
    return isRenamedCall(x, y, names[0], names[1]);
  };
  align(a, 0, a.length, b, 0, b.length, result, new Likeness(allowed));
  return result;
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

/** How alike lines are: the share of tokens in common, as multisets (Dice). Each line is taken apart once. */
class Likeness {
  private readonly numbers = new Map<string, number>();
  private readonly bags = new Map<string, Int32Array>();
  private readonly known = new Map<string, Map<string, number>>();

  /** `allowed`: lines of another sense are not alike at all. */
  constructor(private readonly allowed: (a: readonly string[], b: readonly string[]) => boolean) {}

  /** 0 for lines that are too different to be one. */
  of(x: TokenLine, y: TokenLine): number {
    if (x.key === '' || y.key === '') return 0;
    if (x.key === y.key) return 1;
    // The likeness can be no higher than what the lengths allow: most pairs are told apart by that.
    const [lx, ly] = [x.tokens.length, y.tokens.length];
    const long = lx > LONG;
    if ((2 * Math.min(lx, ly)) / (lx + ly) < (long ? ALIKE_LONG : ALIKE)) return 0;
    const s = (2 * inCommon(this.bag(x), this.bag(y))) / (lx + ly);
    if (s < ALIKE && !(long && s >= ALIKE_LONG)) return 0;
    let known = this.known.get(x.key);
    if (!known) this.known.set(x.key, (known = new Map<string, number>()));
    let answer = known.get(y.key);
    if (answer === undefined) known.set(y.key, (answer = this.allowed(x.tokens, y.tokens) ? s : 0));
    return answer;
  }

  private bag(line: TokenLine): Int32Array {
    let bag = this.bags.get(line.key);
    if (!bag) {
      bag = bagOf(line.tokens, this.numbers);
      this.bags.set(line.key, bag);
    }
    return bag;
  }
}

/** Tokens as sorted numbers; `numbers` says which token has which. */
function bagOf(words: readonly string[], numbers: Map<string, number>): Int32Array {
  const bag = new Int32Array(words.length);
  words.forEach((t, i) => {
    let number = numbers.get(t);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(t, number);
    }
    bag[i] = number;
  });
  return bag.sort();
}

/** How many numbers two sorted lists share. */
function inCommon(a: Int32Array, b: Int32Array): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) common++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return common;
}

function align(
  a: readonly TokenLine[],
  a0: number,
  a1: number,
  b: readonly TokenLine[],
  b0: number,
  b1: number,
  result: (LineMatch | null)[],
  known: Likeness,
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
        align(a, i0, i, b, j0, j, result, known);
        result[i] = { to: j, similarity: 1 };
        [i0, j0] = [i + 1, j + 1];
      }
      align(a, i0, a1, b, j0, b1, result, known);
      return;
    }
  }
  fillTable(a, a0, a1, b, b0, b1, result, known);
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
  known: Likeness,
): void {
  const [n, m] = [a1 - a0, b1 - b0];
  // Lines that read the same are compared once.
  const columns = new Map<string, number>();
  const distinct: TokenLine[] = [];
  const column = new Int32Array(m);
  for (let j = 0; j < m; j++) {
    const y = b[b0 + j]!;
    let at = columns.get(y.key);
    if (at === undefined) {
      at = distinct.push(y) - 1;
      columns.set(y.key, at);
    }
    column[j] = at;
  }
  const byKey = new Map<string, Float32Array>();
  const rows = Array.from({ length: n }, (_, i) => {
    const x = a[a0 + i]!;
    let row = byKey.get(x.key);
    if (!row) {
      const likeness = distinct.map((y) => known.of(x, y));
      row = new Float32Array(m);
      for (let j = 0; j < m; j++) row[j] = likeness[column[j]!]!;
      byKey.set(x.key, row);
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
      result[a0 + i] = { to: b0 + j, similarity: known.of(a[a0 + i]!, b[b0 + j]!) };
      i++;
      j++;
    } else if (how === 1) i++;
    else j++;
  }
}
