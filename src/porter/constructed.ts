import { tokens, type ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index';
import { argumentsAt } from './adapt';

/** How many macros that only stand for another one are read through. */
const DEEP = 4;
const BINARY: ReadonlySet<string> = new Set(['|', '&', '^', '+', '-', '*', '/', '%', '<<', '>>']);

/**
 * Macros whose value was a struct that a constructor made, `PROT` as `make_prot(…)`, and is a plain number in the target.
 * Whatever takes the struct apart, or takes it as an argument, does not take the number: no name is gone, and nobody but
 * the compiler would say so. The number is another thing, too, so that to leave the accessor out would only hide it.
 */
export class Constructed {
  private readonly known = new Map<string, { by: string; type: string } | null>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
  ) {}

  /** One sentence for each such macro that a text hands to something that wants the struct. */
  doubts(text: ByteString, isOwn: (name: string) => boolean): string[] {
    const found = new Set<string>();
    for (const m of text.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
      const callee = m[1]!;
      if (isOwn(callee)) continue;
      const args = argumentsAt(text, m.index + m[0].length - 1)?.list ?? [];
      for (const [i, arg] of args.entries()) {
        const name = arg.trim();
        const was = /^[A-Za-z_]\w*$/.test(name) && !isOwn(name) ? this.lost(name) : null;
        if (was && this.wants(callee, i, args.length, was.type))
          found.add(`hands '${name}' to '${callee}': it was made by '${was.by}', and is a plain number in the target`);
      }
    }
    return [...found];
  }

  /** What made the value of a macro in the base, when it is a number in the target. */
  private lost(name: string) {
    let lost = this.known.get(name);
    if (lost === undefined) {
      const by = this.madeBy(name);
      lost = by && isNumber(this.target, name, DEEP) ? by : null;
      this.known.set(name, lost);
    }
    return lost;
  }

  /** The macro that makes the value of a macro, a struct, and the type of that; null when several or none does. */
  private madeBy(name: string): { by: string; type: string } | null {
    const makers = new Map<string, string>();
    for (const value of values(this.base, name, DEEP) ?? []) {
      const by = value[1] === '(' && isWrapped(value.slice(1)) ? value[0]! : '';
      const types = this.base.definitions(by).map((f) => (f.definition.signature ? literalType(textOf(f)) : null));
      if (types.length === 0) return null;
      // Where types are not checked the constructor is nothing: one of its texts that makes a struct is enough.
      const type = types.find((t) => t !== null);
      if (type == null) return null;
      makers.set(by, type);
    }
    const [only] = makers;
    return makers.size === 1 ? { by: only![0], type: only![1] } : null;
  }

  /** True when a macro takes its operand apart, or a function has a parameter of the type. */
  private wants(callee: string, at: number, count: number, type: string): boolean {
    const found = this.target.definitions(callee);
    return (
      found.length > 0 &&
      found.every((f) => {
        const { kind, signature } = f.definition;
        const parameter = signature?.parameters[at];
        if (!signature || !parameter || signature.parameters.length !== count) return false;
        if (kind === 'macro') return takesApart(textOf(f), parameter.name);
        return (kind === 'function' || kind === 'prototype') && parameter.type.replace(/^const /, '') === type;
      })
    );
  }
}

function textOf({ file, definition: d }: Found): string[] {
  return d.body ? tokens(file.text.slice(d.body.start, d.body.end).replace(/\\\r?\n/g, ' ')) : [];
}

/** True when a piece of text is one pair of parentheses and what is in it. */
function isWrapped(words: readonly string[]): boolean {
  let depth = 0;
  for (const [i, word] of words.entries()) {
    if (word === '(') depth++;
    else if (word === ')' && --depth === 0) return i === words.length - 1;
    if (depth === 0) return false;
  }
  return false;
}

function bare(words: readonly string[]): readonly string[] {
  return words[0] === '(' && isWrapped(words) ? bare(words.slice(1, -1)) : words;
}

/** The texts of a macro without operands, read through names that stand for it; null when it is something else, too. */
function values(kernel: KernelIndex, name: string, deep: number): (readonly string[])[] | null {
  const found = kernel.definitions(name);
  if (found.length === 0 || found.some((f) => f.definition.kind !== 'macro' || f.definition.signature)) return null;
  const all: (readonly string[])[] = [];
  for (const f of found) {
    const value = bare(textOf(f));
    const other = value.length === 1 && deep > 0 && value[0] !== name ? values(kernel, value[0]!, deep - 1) : null;
    all.push(...(other ?? [value]));
  }
  return all;
}

/** `((type) { … })`: a value of a type made on the spot. */
function literalType(words: readonly string[]): string | null {
  const text = bare(words);
  return text[0] === '(' && text[2] === ')' && text[3] === '{' && /^\w+$/.test(text[1]!) ? text[1]! : null;
}

/** `(x).member`, `x->member`. */
function takesApart(words: readonly string[], parameter: string): boolean {
  const [name, access, member, ...rest] = bare(words).filter((w) => w !== '(' && w !== ')');
  return name === parameter && (access === '.' || access === '->') && /^\w+$/.test(member ?? '') && rest.length === 0;
}

/** True when a macro can only be a number: something is computed, or it is an enumerator or a number itself. */
function isNumber(kernel: KernelIndex, name: string, deep: number): boolean {
  const all = values(kernel, name, deep);
  return (
    all !== null &&
    all.every((value) => {
      // A statement, a type or a struct on the spot.
      if (value.length === 0 || value.some((w) => /^[{};?.]$/.test(w))) return false;
      if (value.length > 1) return isComputed(value);
      if (/^\d/.test(value[0]!)) return true;
      const owners = kernel.members(value[0]!);
      return owners.length > 0 && owners.every((m) => m.definition.kind === 'enum');
    })
  );
}

/** True when two things are joined by an operator that takes no structs, outside of all parentheses. */
function isComputed(words: readonly string[]): boolean {
  let depth = 0;
  for (const [i, word] of words.entries()) {
    if (word === '(' || word === '[') depth++;
    else if (word === ')' || word === ']') depth--;
    // Behind a parenthesis a `*`, `&` or `-` may belong to what is cast.
    else if (depth === 0 && i > 0 && BINARY.has(word) && /^\w/.test(words[i - 1]!)) return true;
    else if (depth === 0 && i > 0 && (word === '|' || word === '<<' || word === '>>')) return true;
  }
  return false;
}
