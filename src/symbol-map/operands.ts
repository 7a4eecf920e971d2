import type { Found, KernelIndex } from '../kernel-index/index';
import type { Pairs } from './pairs';
import type { Substitutions } from './substitutions';
import type { SignatureChange, SpellingRule } from './types';

const WORD = /^[A-Za-z_]\w*$/;
const MAX_USERS = 80;

/**
 * Macros that paste their operands (`read_sysreg_el2(elr)`) have no signature that would show it when the operands are
 * spelt differently. The calls show it: those in code that exists in both kernels are compared, operand by operand.
 */
export class Operands {
  constructor(
    private readonly base: KernelIndex,
    private readonly pairs: Pairs,
    private readonly substitutions: Substitutions,
  ) {}

  /** Operands that are consistently spelt differently. */
  changes(name: string, newName = name): SignatureChange[] {
    const seen = new Map<number, Map<string, { from: string; into: string; seen: number }>>();
    const kept = new Map<number, number>();
    for (const user of this.base.mentions(name).slice(0, MAX_USERS)) {
      if (!user.definition.calls.includes(name)) continue;
      const partner = this.pairs.partner(user);
      if (!partner) continue;
      const [before, after] = [this.calls(user, name), this.calls(partner, newName)];
      for (const [call, index, other] of alike(before, after)) {
        const operand = call[index]!;
        if (!WORD.test(operand) || !WORD.test(other) || this.isVariable(user, operand)) continue;
        if (operand === other) {
          kept.set(index, (kept.get(index) ?? 0) + 1);
          continue;
        }
        const pairs = seen.get(index) ?? new Map<string, { from: string; into: string; seen: number }>();
        const pair = pairs.get(operand) ?? { from: operand, into: other, seen: 0 };
        if (pair.into === other) pair.seen++;
        pairs.set(operand, pair);
        seen.set(index, pairs);
      }
    }
    const changes: SignatureChange[] = [];
    for (const [index, pairs] of [...seen].sort((a, b) => a[0] - b[0])) {
      const list = [...pairs.values()].sort((a, b) => (a.from < b.from ? -1 : 1));
      const rule = ruleOf(list);
      // Callers rename their variables for reasons of their own: only a rule that several operands follow is the macro's.
      const total = list.reduce((n, p) => n + p.seen, 0);
      const share = total / (total + (kept.get(index) ?? 0));
      if (rule && list.length >= 2 && share > 0.5) {
        changes.push({ kind: 'operand-spelling', index, pairs: list, rule });
      }
    }
    return changes;
  }

  /** True for a name that the code declares, assigns or reaches through: not one that a macro pastes. */
  private isVariable(of: Found, name: string): boolean {
    if (of.definition.signature?.parameters.some((p) => p.name === name)) return true;
    const tokens = this.substitutions.tokens(of);
    return tokens.some((t, i) => {
      if (t !== name) return false;
      const [before, after] = [tokens[i - 1] ?? '', tokens[i + 1] ?? ''];
      if (/^(=|\+=|->|\.|\[|;)$/.test(after) || /^(\*|&|->|\.|!)$/.test(before)) return true;
      return WORD.test(before) && before !== 'return';
    });
  }

  /** The operands of every call of a name in a definition, each as text without blanks. */
  private calls(of: Found, name: string): string[][] {
    const tokens = this.substitutions.tokens(of);
    const found: string[][] = [];
    for (let i = 0; i < tokens.length - 1; i++) {
      if (tokens[i] !== name || tokens[i + 1] !== '(') continue;
      const operands: string[] = [''];
      let depth = 0;
      let j = i + 1;
      for (; j < tokens.length; j++) {
        const t = tokens[j]!;
        if (t === '(' || t === '[' || t === '{') depth++;
        if (t === ')' || t === ']' || t === '}') depth--;
        if (depth === 0) break;
        if (depth === 1 && t === ',') operands.push('');
        else if (!(depth === 1 && t === '(' && operands.length === 1 && operands[0] === '' && j === i + 1))
          operands[operands.length - 1] += t;
      }
      found.push(operands);
    }
    return found;
  }
}

/**
 * Operands of calls before and after that stand for one another: by order where a definition makes as many calls as it did,
 * else where all other operands of a call are the same in both.
 */
function* alike(before: string[][], after: string[][]): Generator<[call: string[], index: number, other: string]> {
  if (before.length === after.length) {
    for (const [i, call] of before.entries())
      for (const [index, other] of after[i]!.entries()) if (index < call.length) yield [call, index, other];
    return;
  }
  for (const call of before) {
    for (let index = 0; index < call.length && call.length > 1; index++) {
      const rest = (c: string[]) => c.filter((_, i) => i !== index).join(',');
      const others = new Set(
        after.filter((c) => c.length === call.length && rest(c) === rest(call)).map((c) => c[index]!),
      );
      const [other] = others;
      if (others.size === 1) yield [call, index, other!];
    }
  }
}

/** An operand as a rule spells it; null for one that the rule says nothing about. */
export function respelt(operand: string, { prefix, upper, undone }: SpellingRule): string | null {
  if (operand.startsWith(prefix) !== undone || operand === prefix) return null;
  const bare = undone ? operand.slice(prefix.length) : operand;
  if (undone && upper && bare !== bare.toUpperCase()) return null;
  const spelt = upper ? (undone ? bare.toLowerCase() : bare.toUpperCase()) : bare;
  return undone ? spelt : prefix + spelt;
}

/** The rule that all pairs follow, if there is one. */
function ruleOf(pairs: readonly { from: string; into: string }[]): SpellingRule | null {
  const back = pairs.map(({ from, into }) => ({ from: into, into: from }));
  return added(pairs, false) ?? added(back, true);
}

/** The rule by which all of them got a prefix. */
function added(pairs: readonly { from: string; into: string }[], undone: boolean): SpellingRule | null {
  for (const upper of [false, true]) {
    const prefixes = new Set(
      pairs.map(({ from, into }) => {
        const spelt = upper ? from.toUpperCase() : from;
        return into.endsWith(spelt) ? into.slice(0, into.length - spelt.length) : null;
      }),
    );
    const [prefix] = prefixes;
    if (prefixes.size === 1 && prefix !== null && prefix !== undefined && prefix !== '')
      return { prefix, upper, undone };
  }
  return null;
}
