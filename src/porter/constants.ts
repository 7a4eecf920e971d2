import type { Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { SymbolMap } from '../symbol-map';

/** A text with its constants as the target can say them. */
export interface Constants {
  text: ByteString;
  evidence: Evidence[];
}

/** Strings and comments are passed over, and so is what a text defines itself. */
const WORD = /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|#[ \t]*\w+[^\n]*|(?<![.>\w])[A-Z][A-Z0-9_]{2,}\b/g;

/**
 * Macros of the base that are numbers keep their value:
 *
 * - one that is gone, and whose heir takes an operand (`T0SZ_40B` → `T0SZ(bits)`), is the heir with the operand that gives the
 *   same number;
 * - one that lost bits, because upstream took macros out of it which are gone altogether, gets these bits beside it, as the
 *   base spelt them. Bits whose macro is still there were dropped on purpose.
 *
 * Each is written only where both kernels give a number; in assembly only what the assembler can read.
 */
export function keepConstants(
  text: ByteString,
  path: ByteString,
  base: KernelIndex,
  target: KernelIndex,
  map: SymbolMap,
  isOwn: (name: string) => boolean,
): Constants {
  const evidence = new Map<string, Evidence>();
  const inAssembly = path.endsWith('.S');
  const fits = (n: Reckoned | null) => n !== null && !(inAssembly && n.suffixed);
  const read = text.replace(WORD, (word: string, offset: number) => {
    if (!/^[A-Z]\w*$/.test(word) || isOwn(word)) return word;
    const was = reckon(word, base);
    if (was === null) return word;
    if (target.definitions(word).length === 0) {
      const heir = map.lookup('macro', word)?.to[0]?.name;
      const operands = [...new Set([...word.matchAll(/\d+/g)].map((m) => m[0]).concat(String(was.value)))];
      const calls = heir === undefined ? [] : operands.map((n) => `${heir}(${n})`);
      const same = calls.filter((c) => fits(reckon(c, target)) && reckon(c, target)!.value === was.value);
      if (same.length !== 1) return word;
      const why = `'${word}' was ${was.value}, which is '${same[0]!}' in the target`;
      evidence.set(word, { kind: 'constant-kept', text: why });
      return same[0]!;
    }
    const now = reckon(word, target);
    const lost = now === null ? 0n : was.value & ~now.value;
    if (lost === 0n || was.value < 0n) return word;
    const gone = operandsOf(word, base).filter((name) => target.definitions(name).length === 0);
    const spelt = new Map<string, bigint>();
    for (const name of gone) {
      const value = reckon(name, base)?.value ?? 0n;
      if (value === 0n || (value & ~lost) !== 0n) continue;
      const [body] = bodiesOf(name, base);
      const there = body === undefined ? null : reckon(body.text, target);
      if (there?.value === value && fits(there)) spelt.set(body!.text, value);
    }
    if ([...spelt.values()].reduce((a, b) => a | b, 0n) !== lost) return word;
    const parts = [...spelt.keys()].map((t) => (/^(\w+|\(.*\))$/.test(t) ? t : `(${t})`));
    if (parts.some((p) => text.includes(p))) return word;
    const why = `'${word}' has no '${gone.join("', '")}' in it any more: written beside it`;
    evidence.set(word, { kind: 'constant-kept', text: why });
    const both = [word, ...parts].join(' | ');
    const [left, right] = [text.slice(0, offset).trimEnd(), text.slice(offset + word.length).trimStart()];
    return /[(|]$/.test(left) && /^[)|]/.test(right) && !right.startsWith('||') ? both : `(${both})`;
  });
  return { text: read, evidence: [...evidence.values()] };
}

interface Reckoned {
  value: bigint;
  /** True when a number in it has a suffix of C's. */
  suffixed: boolean;
}

/** How deep macros may lie in one another. */
const DEPTH = 12;

interface Body {
  parameters: string[] | null;
  text: string;
}

/** What the macros of a name say; those of different conditions that say the same are one. */
function bodiesOf(name: string, kernel: KernelIndex): Body[] {
  let known = bodies.get(kernel);
  if (!known) bodies.set(kernel, (known = new Map<string, Body[]>()));
  let found = known.get(name);
  if (!found) known.set(name, (found = readBodies(name, kernel)));
  return found;
}

const bodies = new WeakMap<KernelIndex, Map<string, Body[]>>();

function readBodies(name: string, kernel: KernelIndex): Body[] {
  const found = new Map<string, Body>();
  for (const { file, definition } of kernel.definitions(name)) {
    if (definition.kind !== 'macro') continue;
    const line = stripComments(file.text.slice(definition.start, definition.end)).replace(/\\\r?\n/g, ' ');
    const m = new RegExp(`^\\s*#\\s*define\\s+${name}(?:\\(([^)]*)\\))?([^]*)$`).exec(line);
    if (!m) continue;
    const text = m[2]!.trim().replace(/\s+/g, ' ');
    const parameters = m[1]?.split(',').map((p) => p.trim()) ?? null;
    found.set(`${m[1] ?? ''}:${text}`, { parameters, text });
  }
  return [...found.values()];
}

/** Macros that a macro is put together of with `|`, at any depth. */
function operandsOf(name: string, kernel: KernelIndex, depth = 0): string[] {
  const bodies = bodiesOf(name, kernel);
  if (depth > DEPTH || bodies.length !== 1 || bodies[0]!.parameters) return [];
  const words = tokens(bodies[0]!.text);
  if (!words.every((w) => /^([A-Za-z_]\w*|[|()])$/.test(w))) return [];
  const names = words.filter((w) => /^[A-Za-z_]/.test(w));
  return names.flatMap((n) => [n, ...operandsOf(n, kernel, depth + 1)]);
}

/** The number that an expression of macros is in a kernel; null when it is none, or not one alone. */
export function reckon(text: string, kernel: KernelIndex, depth = 0): Reckoned | null {
  if (depth > DEPTH) return null;
  const words = tokens(text);
  let at = 0;
  let suffixed = false;
  const take = (w: string) => words[at] === w && (at++, true);
  const macro = (name: string): bigint | null => {
    const bodies = bodiesOf(name, kernel);
    let args: string[] | null = null;
    if (words[at] === '(') {
      args = [''];
      let level = 0;
      for (; at < words.length; at++) {
        const w = words[at]!;
        if (w === ')' && --level === 0) break;
        if (level > 0 && !(w === ',' && level === 1)) args[args.length - 1] += ` ${w}`;
        if (w === ',' && level === 1) args.push('');
        if (w === '(') level++;
      }
      if (!take(')')) return null;
    }
    if (args && /^(UL|ULL|_AC|_UL|_ULL|_BITUL|BIT|BIT_ULL|_BITULL)$/.test(name)) {
      const inner = reckon(args[0]!, kernel, depth + 1)?.value ?? null;
      return inner !== null && name.includes('BIT') ? 1n << inner : inner;
    }
    if (bodies.length !== 1) return null;
    const { parameters, text: body } = bodies[0]!;
    if ((parameters === null) !== (args === null) || parameters?.length !== args?.length) return null;
    const bound = new Map(parameters?.map((p, i) => [p, `(${args![i]!})`]));
    const inner = reckon(
      body.replace(/[A-Za-z_]\w*/g, (w) => bound.get(w) ?? w),
      kernel,
      depth + 1,
    );
    if (inner?.suffixed) suffixed = true;
    return inner?.value ?? null;
  };
  const primary = (): bigint | null => {
    const w = words[at++];
    if (w === undefined) return null;
    if (w === '(') {
      const inner = binary(0);
      return take(')') ? inner : null;
    }
    if (w === '~' || w === '-') {
      const inner = primary();
      return inner === null ? null : w === '~' ? ~inner : -inner;
    }
    const number = /^(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)$/.exec(w);
    if (number) {
      if (number[2]) suffixed = true;
      return /^0\d/.test(number[1]!) ? BigInt(`0o${number[1]!.slice(1)}`) : BigInt(number[1]!);
    }
    return /^[A-Za-z_]\w*$/.test(w) ? macro(w) : null;
  };
  const binary = (level: number): bigint | null => {
    if (level === LEVELS.length) return primary();
    let left = binary(level + 1);
    for (;;) {
      const op = LEVELS[level]!.find((o) => take(o));
      if (op === undefined || left === null) return left;
      const right = binary(level + 1);
      left = right === null ? null : OPERATORS[op]!(left, right);
    }
  };
  const value = binary(0);
  return value === null || at < words.length ? null : { value, suffixed };
}

/** From the loosest to the tightest. */
const LEVELS = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/']];
const OPERATORS: Record<string, (a: bigint, b: bigint) => bigint | null> = {
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '<<': (a, b) => (b >= 0n && b < 128n ? a << b : null),
  '>>': (a, b) => (b >= 0n && b < 128n ? a >> b : null),
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => (b === 0n ? null : a / b),
};
