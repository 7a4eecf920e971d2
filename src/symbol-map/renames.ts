import type { Evidence } from '../core/outcome';
import { stripComments } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index/index';
import type { Definition } from '../kernel-index/types';
import type { FileMap } from './files';
import { isLocal, kindRank, mayBecome } from './kinds';
import { nameSimilarity, type Similarity } from './similarity';
import type { Substitutions } from './substitutions';

/** Something that may have taken the place of a definition whose name is gone. */
export interface Candidate extends Found {
  /** 0 to 1. */
  score: number;
  /** True when the base has that name, too: then two things became one. */
  existed: boolean;
  evidence: Evidence[];
}

/** Rare names say where a body went; names that many mention would only cost time. */
const RARE = 40;

/** Looks for what took the place of a definition. */
export class Renames {
  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
    private readonly files: FileMap,
    private readonly similarity: Similarity,
    private readonly substitutions: Substitutions,
  ) {}

  /** Candidates, best first. */
  candidates(of: Found): Candidate[] {
    const usage = this.substitutions.of(of.definition.name);
    const total = usage.substitutes.reduce((sum, s) => sum + s.support, 0) + usage.kept * 0.5 + usage.lost * 0.3;
    const found: Candidate[] = [];
    for (const t of this.options(of)) {
      const used = usage.substitutes.find((s) => s.name === t.definition.name);
      found.push(this.judge(of, t, used?.support ?? 0, total, used?.seenIn ?? []));
    }
    found.sort(
      (a, b) => b.score - a.score || (a.file.path < b.file.path ? -1 : 1) || a.definition.start - b.definition.start,
    );
    return found;
  }

  /** Definitions worth a look: substitutes, what shares rare names, and what is new in the heirs of the file. */
  private options(of: Found): Found[] {
    const { definition: d } = of;
    const options = new Map<Definition, Found>();
    const take = (t: Found) => {
      if (t.definition.name !== d.name && t.definition.name !== '' && mayBecome(d.kind, t.definition.kind))
        options.set(t.definition, t);
    };
    for (const s of this.substitutions.of(d.name).substitutes.slice(0, 5))
      this.target.definitions(s.name).forEach(take);
    const isNew = (t: Found) => this.base.definitions(t.definition.name).length === 0 || this.isAnother(of, t);
    for (const name of d.calls.concat(d.uses)) {
      const users = this.target.mentions(name);
      if (users.length <= RARE) for (const t of users) if (isNew(t)) take(t);
    }
    for (const heir of this.files.heirs(of.file.path)) {
      for (const definition of this.target.file(heir.path)?.index.definitions ?? []) {
        const t = { file: this.target.file(heir.path)!, definition };
        if (kindRank(definition.kind) <= kindRank(d.kind) && isNew(t)) take(t);
      }
    }
    return [...options.values()];
  }

  /**
   * True for a function whose name the base has, too, but fewer of them, and none that is as much like it: when a file
   * is split, `f` and `f_other` may become the `f` of two files.
   */
  private isAnother(of: Found, t: Found): boolean {
    const { kind, name } = t.definition;
    if (kind !== 'function' || of.definition.kind !== 'function') return false;
    const functions = (index: KernelIndex) => index.definitions(name).filter((f) => f.definition.kind === 'function');
    const before = functions(this.base);
    if (before.length === 0 || functions(this.target).length <= before.length) return false;
    const alike = this.similarity.of(of.definition, t.definition);
    return before.every((f) => f !== of && this.similarity.of(f.definition, t.definition) < alike);
  }

  private judge(of: Found, t: Found, support: number, total: number, seenIn: readonly string[]): Candidate {
    const [d, e] = [of.definition, t.definition];
    const evidence: Evidence[] = [];
    const say = (kind: string, text: string) => evidence.push({ kind, text });
    const existed = this.base.definitions(e.name).length > 0 && !this.isAnother(of, t);
    const hints: number[] = [];

    if (support > 0) {
      const ratio = total > 0 ? support / total : 0;
      hints.push(0.92 * Math.min(1, support / 1.8) * Math.min(1, ratio * 1.25));
      say(
        'substituted',
        `stands in its place in ${seenIn.slice(0, 4).map(quoted).join(', ')}${seenIn.length > 4 ? ` and ${seenIn.length - 4} more` : ''}`,
      );
    }
    const similarity = this.similarity.of(d, e);
    const substance = Math.min(this.similarity.substance(d), this.similarity.substance(e));
    if (similarity > 0.3) {
      hints.push(0.92 * similarity ** 1.25 * Math.min(1, substance / 60));
      if (similarity > 0.4) say('body', `its body is ${Math.round(similarity * 100)} % alike`);
    }
    if (sameText(of, t)) {
      hints.push(e.kind === 'macro' && substance < 10 ? 0.35 : 0.8);
      say('same-text', 'its text is the same');
    }
    const alike = nameSimilarity(d.name, e.name);
    if (alike > 0.45) hints.push(0.55 * (alike - 0.4));
    const kinship = this.files.kinship(of.file.path, t.file.path);
    if (kinship > 0.5) hints.push(0.15 * kinship);
    // What a file keeps for itself takes the place of what it kept for itself.
    if (kinship > 0.5 && isVariable(d) && isVariable(e) && isLocal(d, of.file.path) && isLocal(e, t.file.path))
      hints.push(0.08);
    const neighbours = this.neighboursKept(of, t);
    if (neighbours > 0) {
      hints.push(0.18 * neighbours);
      say('neighbours', neighbours === 2 ? 'stands between the same neighbours' : 'stands beside the same neighbour');
    }
    if (sameSignature(d, e)) {
      hints.push(0.12);
      say('signature', 'has the same signature');
    }
    if (d.kind !== e.kind) hints.push(kindRank(e.kind) > kindRank(d.kind) ? -0.25 : -0.05);
    if (existed) hints.push(-0.3);
    const score = combine(hints);
    return { ...t, score, existed, evidence };
  }

  /** How many of the two definitions around it are around the candidate, too. */
  private neighboursKept(of: Found, t: Found): number {
    const [before, after] = neighbours(of);
    const [b, a] = neighbours(t);
    return (before !== null && before === b ? 1 : 0) + (after !== null && after === a ? 1 : 0);
  }
}

/** Independent hints add up (noisy or); a negative one takes its share away. */
function combine(hints: readonly number[]): number {
  let doubt = 1;
  let keep = 1;
  for (const h of hints) {
    if (h >= 0) doubt *= 1 - h;
    else keep *= 1 + h;
  }
  return (1 - doubt) * keep;
}

function isVariable(d: Definition): boolean {
  return d.kind === 'variable';
}

function quoted(name: string): string {
  return `'${name}'`;
}

const positions = new WeakMap<object, Map<Definition, number>>();

/** Names of the definitions before and after one, in its file. */
function neighbours(of: Found): [string | null, string | null] {
  const all = of.file.index.definitions;
  let map = positions.get(of.file.index);
  if (!map) {
    map = new Map(all.map((d, i) => [d, i]));
    positions.set(of.file.index, map);
  }
  const at = map.get(of.definition) ?? -1;
  return [all[at - 1]?.name || null, all[at + 1]?.name || null];
}

/** True for the same text but for the name itself. */
function sameText(a: Found, b: Found): boolean {
  const text = (f: Found) => {
    const body = f.definition.body ?? f.definition;
    return stripComments(f.file.text.slice(body.start, body.end)).replace(/\s+/g, ' ').trim();
  };
  const [ta, tb] = [text(a), text(b)];
  return ta !== '' && ta === tb && a.definition.kind === b.definition.kind && a.definition.body !== null;
}

function sameSignature(a: Definition, b: Definition): boolean {
  if (!a.signature || !b.signature) return false;
  const shape = (d: Definition) => `${d.signature!.returns}(${d.signature!.parameters.map((p) => p.type).join(',')})`;
  return a.signature.parameters.length > 0 && shape(a) === shape(b);
}
