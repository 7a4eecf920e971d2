import { stripComments, tokens, type ByteString } from '../core/text';
import type { Evidence } from '../core/outcome';
import type { Found, KernelIndex } from '../kernel-index';
import type { SymbolMap } from '../symbol-map';
import type { View } from './view';

/** How a macro of the base is called in the target: what each of its operands is made of. */
export interface MacroChange {
  /** What it is called there. */
  name: string;
  /** How many operands it has in the base. */
  arity: number;
  /** For each operand of the target's: which one of the base's, and what is written before it. */
  takes: { from: number; prefix: '' | '&' }[];
  /** Operands of the base's that the target's has in its text: the call must say the same. */
  fixed: ReadonlyMap<number, string>;
}

/** A rename must be this sure before it is written into somebody's code. */
const SURE = 0.8;

/**
 * Macros that upstream gave other operands and whose text still says the same: `m(sym)` that took `&sym`, and takes the
 * pointer now; `each(kind, x)` that became `each_kind(x)`. Token by token the two texts must be one, each operand of the
 * base's standing for one thing of the target's; then a call is written as the target takes it, and expands to what it did.
 */
export class MacroTexts {
  private readonly known = new Map<string, MacroChange | null>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
    private readonly map: SymbolMap,
  ) {}

  /** How calls of a macro change; null when they do not, or when the texts say something else. */
  change(name: string): MacroChange | null {
    let change = this.known.get(name);
    if (change === undefined) {
      change = this.find(name);
      this.known.set(name, change);
    }
    return change;
  }

  private find(name: string): MacroChange | null {
    const was = onlyMacro(this.base.definitions(name));
    if (!was) return null;
    const entry = this.target.definitions(name).length ? null : this.map.lookup(null, name);
    const heir = entry?.status === 'renamed' && entry.confidence >= SURE ? entry.to[0]?.name : undefined;
    const now = entry ? heir : name;
    const is = now === undefined ? null : onlyMacro(this.target.definitions(now));
    if (!is) return null;
    const change = unify(now!, parametersOf(was), textOf(was), parametersOf(is), textOf(is));
    const plain = change?.takes.every((t, i) => t.from === i && t.prefix === '') && change.fixed.size === 0;
    return change && !plain ? change : null;
  }
}

/** The macro with operands of a name, when there is one and nothing else. */
function onlyMacro(found: readonly Found[]): Found | null {
  const [first] = found;
  return found.length === 1 && first!.definition.kind === 'macro' && first!.definition.signature?.variadic === false
    ? first!
    : null;
}

const parametersOf = (f: Found) => f.definition.signature!.parameters.map((p) => p.name);

function textOf({ file, definition: d }: Found): string[] {
  return d.body ? tokens(file.text.slice(d.body.start, d.body.end).replace(/\\\r?\n/g, ' ')) : [];
}

/** Parentheses around a lone operand say nothing, nor do those around its address. */
function bare(words: readonly string[], parameters: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    // A call's parentheses are its own.
    const call = /^\w/.test(words[i - 1] ?? '');
    const length = words[i + 1] === '&' ? 4 : 3;
    const lone =
      words[i] === '(' && parameters.includes(words[i + length - 2] ?? '') && words[i + length - 1] === ')' && !call;
    out.push(...(lone ? words.slice(i + 1, i + length - 1) : [words[i]!]));
    if (lone) i += length - 1;
  }
  return out;
}

function unify(
  name: string,
  mine: readonly string[],
  was: readonly string[],
  theirs: readonly string[],
  is: readonly string[],
): MacroChange | null {
  const [a, b] = [bare(was, mine), bare(is, theirs)];
  const binding = new Map<number, { to: string; prefix: '' | '&' }>();
  const isWord = (w: string | undefined) => w !== undefined && /^\w/.test(w);
  if (a.includes('#') || a.includes('##') || b.includes('#') || b.includes('##')) return null;
  let [i, k] = [0, 0];
  while (i < a.length && k < b.length) {
    let prefix: '' | '&' = '';
    if (a[i] === '&' && mine.includes(a[i + 1] ?? '') && theirs.includes(b[k]!) && !isWord(a[i - 1])) {
      prefix = '&';
      i++;
    }
    const from = mine.indexOf(a[i]!);
    if (from >= 0) {
      const bound = binding.get(from);
      if (bound ? bound.to !== b[k] || bound.prefix !== prefix : !isWord(b[k])) return null;
      binding.set(from, { to: b[k]!, prefix });
    } else if (a[i] !== b[k]) return null;
    i++;
    k++;
  }
  if (i < a.length || k < b.length || binding.size !== mine.length) return null;
  const takes = theirs.flatMap((p) => {
    const all = [...binding].filter(([, { to }]) => to === p);
    return all.length === 1 ? [{ from: all[0]![0], prefix: all[0]![1].prefix }] : [];
  });
  if (takes.length !== theirs.length) return null;
  const fixed = new Map([...binding].filter(([, { to }]) => !theirs.includes(to)).map(([from, { to }]) => [from, to]));
  return { name, arity: mine.length, takes, fixed };
}

/** A call of a macro as the target takes it; null when it hands over something that the target's macro does not do. */
export function calledAs(
  change: MacroChange,
  args: readonly ByteString[],
  arrays: ReadonlySet<string>,
): ByteString[] | null {
  if (args.length !== change.arity) return null;
  for (const [from, text] of change.fixed) if (args[from]!.trim() !== text) return null;
  const plain = (text: string) => /^\w+$/.test(text);
  return change.takes.map(({ from, prefix }) => {
    const text = args[from]!.trim();
    // An array is its own address.
    return prefix === '' || arrays.has(text) ? text : plain(text) ? prefix + text : `${prefix}(${text})`;
  });
}

/** What is said of a call that was rewritten. */
export function changeEvidence(name: string, change: MacroChange, before: string, after: string): Evidence {
  const text = `'${name}(${before})' is '${change.name}(${after})' in the target: the two say the same`;
  return { kind: 'macro-followed', text };
}

/** Arrays that files of a set declare for others: `extern char start[];`. */
export async function arraysDeclared(patched: View, paths: Iterable<ByteString>): Promise<string[]> {
  const names: string[] = [];
  for (const path of paths) {
    const text = /\.[ch]$/.test(path) ? stripComments((await patched.text(path)) ?? '') : '';
    for (const [, name] of text.matchAll(/^[ \t]*extern\s[\w \t*]*?\b(\w+)[ \t]*\[/gm)) names.push(name!);
  }
  return names;
}
