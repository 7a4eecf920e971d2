import { tokens } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index';

/**
 * A macro that pastes its operand to a suffix takes part of another macro's name: `read(r)` that makes `r_EL12` of it takes
 * what is in front of `_EL12`. Where upstream gave those macros other names, the one with the same text says the operand.
 */
export class PastedOperands {
  private readonly suffixes = new Map<string, string[]>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
  ) {}

  /** How the operand of a macro is spelt in the target; null when nothing says so. */
  find(macro: string, index: number, operand: string): string | null {
    for (const suffix of this.suffixesOf(macro, index)) {
      const pasted = `${operand}${suffix}`;
      const was = macros(this.base.definitions(pasted));
      if (was.length !== 1 || this.target.definitions(pasted).length) continue;
      const text = textOf(was[0]!);
      const word = text.find((w) => /^[A-Za-z_]/.test(w));
      if (word === undefined) continue;
      const said = text.join(' ');
      const now = macros(this.target.mentions(word)).filter(
        (f) => f.definition.name.endsWith(suffix) && textOf(f).join(' ') === said,
      );
      const names = new Set(now.map((f) => f.definition.name));
      const [name] = names;
      if (names.size === 1 && name!.length > suffix.length) return name!.slice(0, -suffix.length);
    }
    return null;
  }

  /** What an operand of a macro is pasted to in both kernels. */
  private suffixesOf(macro: string, index: number): string[] {
    const key = `${macro} ${index}`;
    let known = this.suffixes.get(key);
    if (!known) {
      const there = new Set(pastes(macro, index, this.target));
      known = pastes(macro, index, this.base).filter((s) => there.has(s));
      this.suffixes.set(key, known);
    }
    return known;
  }
}

/** What an operand is pasted to, by the macro itself or by the one that it hands it to. */
function pastes(macro: string, index: number, kernel: KernelIndex): string[] {
  const [outer, ...more] = macros(kernel.definitions(macro));
  const own = outer?.definition.signature?.parameters[index]?.name;
  if (!outer || more.length || own === undefined) return [];
  const text = textOf(outer);
  const found = pairsIn(text).flatMap(([a, b]) => (a === own ? [b] : []));
  for (const [i, name] of text.entries()) {
    const inner = text[i + 1] === '(' ? macros(kernel.definitions(name)) : [];
    if (inner.length !== 1) continue;
    const args = splitArguments(text.slice(i + 2));
    const takes = inner[0]!.definition.signature?.parameters.map((p) => p.name) ?? [];
    for (const [a, b] of pairsIn(textOf(inner[0]!))) {
      const suffix = args[takes.indexOf(b)];
      if (takes.includes(a) && args[takes.indexOf(a)] === own && suffix !== undefined) found.push(suffix);
    }
  }
  return found.filter((s) => /^\w+$/.test(s));
}

/**
 * True for a macro that makes part of a name of an operand, or a string, by itself or by another macro: it takes names, and
 * no expression.
 */
export function takesNames(macro: string, kernel: KernelIndex, index: number | null = null, depth = 0): boolean {
  return macros(kernel.definitions(macro)).some((found) => {
    const parameters = found.definition.signature?.parameters.map((p) => p.name) ?? [];
    const own = new Set(index === null ? parameters : parameters.slice(index, index + 1));
    const text = textOf(found);
    return text.some((w, i) => {
      if (own.has(w)) return text[i - 1] === '##' || text[i + 1] === '##' || text[i - 1] === '#';
      if (text[i + 1] !== '(' || w === macro || depth >= DEEPEST) return false;
      const at = splitArguments(text.slice(i + 2)).findIndex((a) => own.has(a));
      return at >= 0 && takesNames(w, kernel, at, depth + 1);
    });
  });
}

/** So many macros hand an operand to each other. */
const DEEPEST = 6;

/** The two sides of each `a##b`. */
function pairsIn(text: readonly string[]): [string, string][] {
  return text.flatMap((w, i): [string, string][] => (w === '##' ? [[text[i - 1] ?? '', text[i + 1] ?? '']] : []));
}

/** The arguments of a call, from behind its parenthesis. */
function splitArguments(words: readonly string[]): string[] {
  const args = [''];
  let depth = 0;
  for (const w of words) {
    if (w === ')' && depth-- === 0) return args;
    if (w === '(') depth++;
    if (w === ',' && depth === 0) args.push('');
    else args[args.length - 1] += w;
  }
  return [];
}

const macros = (found: readonly Found[]) => found.filter((f) => f.definition.kind === 'macro');

function textOf({ file, definition: d }: Found): string[] {
  return d.body ? tokens(file.text.slice(d.body.start, d.body.end).replace(/\\\r?\n/g, ' ')) : [];
}
