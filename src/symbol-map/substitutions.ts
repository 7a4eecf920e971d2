import { tokens } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index/index';
import type { Definition } from '../kernel-index/types';
import { replacedTokens, type Replacement } from './align';
import type { Pairs } from './pairs';
import { nameSimilarity } from './similarity';

/** A name that stands where another one stood, in definitions that exist in both kernels. */
export interface Substitute {
  name: string;
  /** How clear it is, summed over the definitions: 1 for each where exactly this token was replaced. */
  support: number;
  /** Names of the definitions where it was seen. */
  seenIn: string[];
}

/** What became of the uses of a name. */
export interface Usage {
  /** Best first. */
  substitutes: Substitute[];
  /** Definitions that still mention the name, and those from which it vanished without a substitute. */
  kept: number;
  lost: number;
  /** Fields that are reached without it now: `gp_regs.regs` → `regs`, with how often. */
  elided: Map<string, number>;
}

/** More users say nothing new. */
const MAX_USERS = 60;
const WORD = /^[A-Za-z_]\w*$/;

/** Learns from code that exists in both kernels which name replaced which. */
export class Substitutions {
  private readonly cut = new Map<Definition, string[]>();
  private readonly differences = new Map<Definition, Replacement[] | null>();
  private readonly known = new Map<string, Usage>();

  constructor(
    private readonly base: KernelIndex,
    private readonly pairs: Pairs,
  ) {}

  /** How uses of a name changed. With `asField`, only behind `.` and `->`. */
  of(name: string, asField = false): Usage {
    const key = asField ? `.${name}` : name;
    let usage = this.known.get(key);
    if (!usage) {
      usage = this.find(name, asField);
      this.known.set(key, usage);
    }
    return usage;
  }

  /** What was replaced in a definition that has a partner; null when it has none or changed too much. */
  between(of: Found): Replacement[] | null {
    let found = this.differences.get(of.definition);
    if (found === undefined) {
      const partner = this.pairs.partner(of);
      const long = of.definition.end - of.definition.start > 60_000;
      found = partner && !long ? replacedTokens(this.tokens(of), this.tokens(partner)) : null;
      this.differences.set(of.definition, found);
    }
    return found;
  }

  /** The tokens of a definition. */
  tokens(of: Found): string[] {
    let found = this.cut.get(of.definition);
    if (!found) {
      if (this.cut.size > 20_000) this.cut.clear();
      found = tokens(of.file.text.slice(of.definition.start, of.definition.end));
      this.cut.set(of.definition, found);
    }
    return found;
  }

  private find(name: string, asField: boolean): Usage {
    const tally = new Map<string, Substitute>();
    let [kept, lost] = [0, 0];
    const elided = new Map<string, number>();
    const users = this.base.mentions(name).filter((u) => u.definition.name !== name);
    for (const user of users.slice(0, MAX_USERS)) {
      const partner = this.pairs.partner(user);
      if (!partner) continue;
      const differences = this.between(user);
      if (differences === null) continue;
      let best: { name: string; weight: number } | null = null;
      let touched = false;
      for (const [i, r] of differences.entries()) {
        if (!this.holds(user, r, name, asField)) continue;
        touched = true;
        if (asField) {
          const next = this.elidedBefore(user, r, name);
          if (next !== null) elided.set(next, (elided.get(next) ?? 0) + 1);
        }
        const read = asField ? null : readInstead(r, differences[i + 1], name);
        if (read !== null && (!best || best.weight < 0.8)) best = { name: read, weight: 0.8 };
        for (const option of pairUp(r, name)) {
          if (asField && !followsAccess(this.tokens(partner), option.name, r)) continue;
          if (!best || option.weight > best.weight) best = option;
        }
      }
      if (best) {
        const entry = tally.get(best.name) ?? { name: best.name, support: 0, seenIn: [] };
        entry.support += best.weight;
        entry.seenIn.push(user.definition.name);
        tally.set(best.name, entry);
      } else if (touched) lost++;
      else kept++;
    }
    const substitutes = [...tally.values()].sort((a, b) => b.support - a.support || (a.name < b.name ? -1 : 1));
    return { substitutes, kept, lost, elided };
  }

  /** The field that follows in `a->name.field` when nothing but `name.` went. */
  private elidedBefore(user: Found, r: Replacement, name: string): string | null {
    const all = this.tokens(user);
    const after = all[r.fromAt + r.from.length] ?? '';
    if (r.to.length > 0 || r.from.length !== 2) return null;
    if (r.from[0] === name && isAccess(r.from[1])) return WORD.test(after) ? after : null;
    // The same, cut one token earlier: `.name` went and `.field` stays.
    return isAccess(r.from[0]) && r.from[1] === name && isAccess(after) ? (all[r.fromAt + 3] ?? null) : null;
  }

  private holds(user: Found, r: Replacement, name: string, asField: boolean): boolean {
    const at = r.from.indexOf(name);
    if (at < 0) return false;
    if (!asField) return true;
    const all = this.tokens(user);
    return r.from.some((t, i) => t === name && isAccess(all[r.fromAt + i - 1]));
  }
}

function isAccess(token: string | undefined): boolean {
  return token === '.' || token === '->';
}

function followsAccess(all: readonly string[], name: string, r: Replacement): boolean {
  return r.to.some((t, i) => t === name && isAccess(all[r.toAt + i - 1]));
}

/** The field of `x->field` where `name(x)` stood: cut in two, for `x` is in both. */
function readInstead(r: Replacement, next: Replacement | undefined, name: string): string | null {
  const [last, call] = [r.from[r.from.length - 1], r.from[r.from.length - 2]];
  if (last !== '(' || call !== name || r.to.some((t) => WORD.test(t))) return null;
  if (!next || next.from[0] !== ')' || !isAccess(next.to[0])) return null;
  const [, field] = next.to;
  return field !== undefined && WORD.test(field) ? field : null;
}

/** The names that may stand for `name` in a replacement, with how clear that is. */
function pairUp(r: Replacement, name: string): { name: string; weight: number }[] {
  const [inFrom, inTo] = [new Set(r.from), new Set(r.to)];
  if (inTo.has(name)) return [];
  if (r.from.length === r.to.length) {
    const at = r.from.indexOf(name);
    const other = r.to[at]!;
    if (WORD.test(other) && !inFrom.has(other)) return [{ name: other, weight: r.from.length === 1 ? 1 : 0.8 }];
  }
  const gone = [...inFrom].filter((t) => WORD.test(t) && !inTo.has(t));
  const come = [...inTo].filter((t) => WORD.test(t) && !inFrom.has(t));
  if (come.length === 0) return [];
  if (gone.length === 1 && come.length === 1) return [{ name: come[0]!, weight: 0.7 }];
  // A stretch where much changed: only a name that looks like the old one, or the first of a call for the first.
  return come
    .map((c) => ({ name: c, weight: 0.5 * nameSimilarity(name, c) + (gone[0] === name && come[0] === c ? 0.15 : 0) }))
    .filter((c) => c.weight >= 0.15)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, 2);
}
