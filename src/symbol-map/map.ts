import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index/index';
import { Claims, type IgnoredRow } from './claims';
import type { ChronicleRow } from './chronicle/rows';
import { Fields, type FoundMember } from './fields';
import { FileMap } from './files';
import { isLocal, kindRank } from './kinds';
import { Operands } from './operands';
import { Pairs, type Namesake } from './pairs';
import { Renames, type Candidate } from './renames';
import { annotationChange, signatureChanges } from './signatures';
import { Similarity } from './similarity';
import { Substitutions, type Substitute } from './substitutions';
import type { FileHeir, MapEntry, MapStatus, SignatureChange, SymbolKind, SymbolRef } from './types';

/** Below this a candidate is named as evidence only. */
const RENAME_LINE = 0.45;

/** Below this a candidate is not worth a try. */
const MENTIONED = 0.15;

/** Answers where the symbols of one kernel are in another one. Everything is worked out when it is asked for. */
export class SymbolMap {
  private readonly fileMap: FileMap;
  private readonly similarity: Similarity;
  private readonly pairs: Pairs;
  private readonly substitutions: Substitutions;
  private readonly renames: Renames;
  private readonly operands: Operands;
  private readonly fields: Fields;
  private readonly known = new Map<object, MapEntry>();

  private readonly claims: Claims;

  constructor(
    readonly base: KernelIndex,
    readonly target: KernelIndex,
    rows: readonly ChronicleRow[] = [],
  ) {
    this.claims = new Claims(base, target, rows);
    this.fileMap = new FileMap(base, target);
    this.similarity = new Similarity(base, target);
    this.pairs = new Pairs(base, target, this.fileMap, this.similarity);
    this.substitutions = new Substitutions(base, this.pairs);
    this.renames = new Renames(base, target, this.fileMap, this.similarity, this.substitutions);
    this.operands = new Operands(base, this.pairs, this.substitutions);
    this.fields = new Fields(target, this.pairs, this.substitutions, (of) => this.heirOf(of));
    this.fields.useBase(base);
  }

  /** Where a file's definitions went, best first; empty for a file that nothing took over. */
  files(path: ByteString): FileHeir[] {
    return this.claims.refineFiles(path, this.fileMap.heirs(path));
  }

  /**
   * Where a symbol went; null when the base does not have it. A field is `struct.field`, or just `field` when that is
   * clear. Of several definitions the one at `path` is meant, else the one that is no mere declaration.
   */
  lookup(kind: SymbolKind | null, name: string, path?: ByteString): MapEntry | null {
    if (kind !== 'field' && kind !== 'enumerator') {
      const found = this.best(
        this.base.definitions(name).filter((f) => kind === null || f.definition.kind === kind),
        path,
      );
      if (found) return this.entry(found);
      if (kind !== null) return null;
    }
    const [struct, field] = splitField(name);
    const members = this.base
      .members(lastPart(field))
      .filter(
        (m) =>
          (struct === null || m.definition.name === struct) &&
          (m.member.name === field || lastPart(m.member.name) === field),
      )
      .filter((m) => kind === null || (kind === 'enumerator') === (m.definition.kind === 'enum'));
    const member = (path !== undefined && members.find((m) => m.file.path === path)) || members[0];
    return member ? this.memberEntry(member) : null;
  }

  /** The entry of one definition of the base. */
  entry(of: Found): MapEntry {
    let entry = this.known.get(of.definition);
    if (!entry) {
      const inferred = this.find(of);
      entry = this.withChanges(of, inferred, this.claims.refine(inferred));
      this.known.set(of.definition, entry);
    }
    return entry;
  }

  /** Changes were worked out for what was inferred: an heir that a row names instead has others. */
  private withChanges(of: Found, inferred: MapEntry, entry: MapEntry): MapEntry {
    const [was, is] = [inferred.to[0], entry.to[0]];
    if (!is || (was && was.name === is.name && was.path === is.path && was.kind === is.kind)) return entry;
    const heir = this.target.definitions(is.name).find((t) => t.file.path === is.path && t.definition.kind === is.kind);
    return heir ? { ...entry, changes: this.changesTo(of, heir) } : entry;
  }

  /** The entry of one field or enumerator of the base. */
  memberEntry(of: FoundMember): MapEntry {
    let entry = this.known.get(of.member);
    if (!entry) {
      entry = this.claims.refine(this.fields.entry(of));
      this.known.set(of.member, entry);
    }
    return entry;
  }

  /** What may have taken a definition's place, sure or not, best first: for whoever can try what fits. */
  candidates(name: string, limit = 4): { name: string; score: number; evidence: readonly Evidence[] }[] {
    const of = this.best(this.base.definitions(name), undefined);
    if (!of) return [];
    const found = this.renames.candidates(of).filter((c) => c.score >= MENTIONED);
    return found.slice(0, limit).map((c) => ({ name: c.definition.name, score: c.score, evidence: c.evidence }));
  }

  /** Rows of the chronicle, and rules, that were asked so far and do not hold in these kernels. */
  ignoredRows(): readonly IgnoredRow[] {
    return this.claims.ignored;
  }

  private best(found: readonly Found[], path: ByteString | undefined): Found | null {
    const there = path === undefined ? [] : found.filter((f) => f.file.path === path);
    const list = there.length ? there : found;
    return [...list].sort((a, b) => kindRank(a.definition.kind) - kindRank(b.definition.kind))[0] ?? null;
  }

  /** The definition that a definition of the base is now, for whoever needs its inside. */
  private heirOf(of: Found): Found | null {
    const entry = this.entry(of);
    const to = entry.to[0];
    if (!to) return null;
    const found = this.target
      .definitions(to.name)
      .filter((t) => t.file.path === to.path && t.definition.kind === to.kind);
    return (
      this.pairs.namesakes(of).find((n) => n.file.path === to.path && n.definition.kind === to.kind) ?? found[0] ?? null
    );
  }

  private find(of: Found): MapEntry {
    const from = refOf(of);
    const namesakes = this.pairs.namesakes(of);
    const [best] = namesakes;
    if (best && best.fit >= 0.3) return this.named(of, from, namesakes, best);
    const enumerator = this.asEnumerator(of, from);
    if (enumerator) return enumerator;
    const declared = this.asDeclared(of, from);
    if (declared) return declared;
    const candidates = this.renames.candidates(of);
    const [first, second] = candidates;
    if (first && first.score >= RENAME_LINE) return this.renamed(of, from, first, second);
    const field = best ? null : this.asField(of, from);
    if (field) return field;
    // A namesake that does not fit well is still better than nothing.
    if (best) return { ...this.named(of, from, namesakes, best), confidence: 0.4 };
    const evidence: Evidence[] = [
      { kind: 'absent', text: `no definition of that name${first ? '' : ', and nothing like it'}` },
    ];
    if (first)
      evidence.push({ kind: 'candidate', text: `'${first.definition.name}' is nearest (${first.score.toFixed(2)})` });
    return { from, status: 'removed', to: [], confidence: 0.88 - 0.6 * (first?.score ?? 0), evidence, changes: [] };
  }

  /** A macro that became a value of an enum. */
  private asEnumerator(of: Found, from: SymbolRef): MapEntry | null {
    if (of.definition.kind !== 'macro') return null;
    const found = this.target.members(of.definition.name).filter((m) => m.definition.kind === 'enum');
    if (found.length === 0) return null;
    const best = found.reduce((a, b) => (this.kin(of, b) > this.kin(of, a) ? b : a));
    const to: SymbolRef = { kind: 'enumerator', name: best.member.name, path: best.file.path };
    const evidence: Evidence[] = [{ kind: 'same-name', text: `'${best.file.path}' has an enumerator of that name` }];
    return { from, status: 'moved', to: [to], confidence: found.length === 1 ? 0.95 : 0.8, evidence, changes: [] };
  }

  /** A prototype goes where its function went: the function has a body to tell it by. */
  private asDeclared(of: Found, from: SymbolRef): MapEntry | null {
    if (of.definition.kind !== 'prototype') return null;
    const entries = this.base
      .definitions(of.definition.name)
      .filter((f) => f.definition.kind === 'function')
      .map((f) => this.entry(f))
      .filter((e) => e.status === 'renamed' || e.status === 'merged');
    const sure = entries.sort((a, b) => b.confidence - a.confidence)[0];
    if (!sure || entries.some((e) => e.to[0]!.name !== sure.to[0]!.name)) return null;
    const { name } = sure.to[0]!;
    const found = this.target.definitions(name).filter((t) => t.definition.kind === 'prototype');
    const to = (found.length ? found : this.target.definitions(name)).map(refOf);
    if (to.length === 0) return null;
    const evidence: Evidence[] = [{ kind: 'function', text: `the function that it declares is '${name}' now` }];
    return { ...sure, from, to: to.slice(0, 1), evidence: [...evidence, ...sure.evidence] };
  }

  /** A macro with a parameter in whose place a new field is read: `START_LEVEL(d)` → `d->start_level`. */
  private asField(of: Found, from: SymbolRef): MapEntry | null {
    const { definition: d } = of;
    if (d.kind !== 'macro' || !d.signature?.parameters.length) return null;
    const usage = this.substitutions.of(d.name);
    const [best] = usage.substitutes;
    if (!best || best.support < 0.7 || this.base.members(best.name).length > 0) return null;
    const found = this.target.members(best.name).filter((m) => m.definition.kind !== 'enum');
    if (new Set(found.map((m) => m.definition.name)).size !== 1) return null;
    const [m] = found;
    const to: SymbolRef = { kind: 'field', name: `${m!.definition.name}.${m!.member.name}`, path: m!.file.path };
    const text = `the new field '${best.name}' stands in its place in '${best.seenIn[0]}'`;
    const confidence = Math.min(0.75, 0.35 + 0.15 * best.support);
    return { from, status: 'renamed', to: [to], confidence, evidence: [{ kind: 'substituted', text }], changes: [] };
  }

  private kin(of: Found, to: Found): number {
    return this.fileMap.kinship(of.file.path, to.file.path);
  }

  /** The name is there. */
  private named(of: Found, from: SymbolRef, namesakes: readonly Namesake[], best: Namesake): MapEntry {
    const d = of.definition;
    const heirs = this.coHeirs(of, namesakes, best);
    const to = heirs.map(refOf);
    const evidence: Evidence[] = [
      { kind: 'same-name', text: `'${best.file.path}' has a ${best.definition.kind} of that name` },
    ];
    if (best.similarity > 0.3 && d.body)
      evidence.push({ kind: 'body', text: `its body is ${Math.round(best.similarity * 100)} % alike` });
    const changes = this.changesTo(of, best);
    const taken = this.bodyElsewhere(of, best);
    if (taken) {
      evidence.push({ kind: 'body-moved', text: `most of its body is in '${taken.definition.name}' now` });
      return {
        from,
        status: 'split',
        to: [refOf(taken), ...to],
        confidence: 0.6 + 0.3 * taken.score,
        evidence,
        changes,
      };
    }
    const instead = this.usersElsewhere(of, best);
    if (instead) {
      const [first] = this.target.definitions(instead.name);
      const seen = instead.seenIn.slice(0, 4).join("', '");
      evidence.push({ kind: 'substituted', text: `'${instead.name}' stands in its place in '${seen}'` });
      return { from, status: 'split', to: [refOf(first!), ...to], confidence: 0.7, evidence, changes };
    }
    const calling = changes.some((c) => c.kind !== 'annotations-changed');
    let status: MapStatus = calling ? 'resigned' : best.file.path === of.file.path ? 'same' : 'moved';
    if (heirs.length > 1) status = 'split';
    return { from, status, to, confidence: this.sureOfName(of, best, namesakes), evidence, changes };
  }

  /** Definitions that share the inheritance: copies in several new files, none of which was there before. */
  private coHeirs(of: Found, namesakes: readonly Namesake[], best: Namesake): Namesake[] {
    if (best.file.path === of.file.path) return [best];
    const others = namesakes.filter(
      (n) =>
        n !== best &&
        n.definition.kind === best.definition.kind &&
        n.file.path !== best.file.path &&
        n.kinship >= 0.5 &&
        n.fit > 0.5 * best.fit,
    );
    const seen = new Set<ByteString>();
    return [best, ...others].filter((n) => !seen.has(n.file.path) && seen.add(n.file.path));
  }

  private changesTo(of: Found, to: Found): SignatureChange[] {
    const [a, b] = [of.definition, to.definition];
    const callable = (k: string) => k === 'function' || k === 'prototype' || k === 'macro';
    const changes: SignatureChange[] = [];
    if (callable(a.kind) && callable(b.kind)) {
      // A macro's parameters have no types: against a function only their number counts.
      const mixed = (a.kind === 'macro') !== (b.kind === 'macro');
      const sameCount = a.signature?.parameters.length === b.signature?.parameters.length;
      if (!(mixed && sameCount) && !isAlias(of)) changes.push(...signatureChanges(a.signature, b.signature));
      changes.push(...this.operands.changes(a.name, b.name));
      const annotations = annotationChange(a.signature, b.signature);
      if (annotations && !mixed) changes.push(annotations);
    } else if (a.kind === 'variable' && b.kind === 'variable' && a.signature && b.signature) {
      if (a.signature.returns !== b.signature.returns) {
        changes.push({ kind: 'returns-changed', from: a.signature.returns, into: b.signature.returns });
      }
    }
    return changes;
  }

  /** Where the body went when the name stayed behind with another one. */
  private bodyElsewhere(of: Found, best: Namesake): Candidate | null {
    const { definition: d } = of;
    if (d.kind !== 'function' || best.definition.kind !== 'function' || best.similarity > 0.35) return null;
    if (d.endLine - d.startLine < 6) return null;
    const [first] = this.renames.candidates(of);
    if (!first || first.existed || first.definition.kind !== 'function') return null;
    const alike = this.similarity.of(d, first.definition);
    return alike > 0.5 && alike > 2 * best.similarity ? { ...first, score: alike } : null;
  }

  /** The new name that most users have now, when a definition of the old one is elsewhere: it may be another thing. */
  private usersElsewhere(of: Found, best: Namesake): Substitute | null {
    if (best.file.path === of.file.path || of.definition.kind === 'prototype') return null;
    if (isLocal(of.definition, of.file.path)) return null;
    const usage = this.substitutions.of(of.definition.name);
    const [first] = usage.substitutes;
    if (!first || first.support < 3 || first.support < 2 * usage.kept) return null;
    if (this.base.definitions(first.name).length > 0 || this.base.members(first.name).length > 0) return null;
    return this.target.definitions(first.name).length > 0 ? first : null;
  }

  private sureOfName(of: Found, best: Namesake, namesakes: readonly Namesake[]): number {
    if (best.file.path === of.file.path) return best.definition.kind === of.definition.kind ? 0.99 : 0.95;
    const only = namesakes.filter((n) => n.definition.kind === best.definition.kind).length === 1;
    const local = isLocal(of.definition, of.file.path);
    if (only && !local) return 0.96;
    return Math.min(0.95, 0.45 + 0.3 * best.kinship + 0.3 * best.similarity + (only ? 0.1 : 0));
  }

  private renamed(of: Found, from: SymbolRef, first: Candidate, second: Candidate | undefined): MapEntry {
    const rivals = second && second.definition.name !== first.definition.name && second.score > first.score - 0.12;
    const confidence = Math.min(0.95, rivals ? first.score * 0.8 : first.score);
    const to = [first, ...(rivals ? [second] : [])].map(refOf);
    return {
      from,
      status: first.existed ? 'merged' : 'renamed',
      to,
      confidence,
      evidence: first.evidence,
      changes: this.changesTo(of, first),
    };
  }
}

/** `#define pr_warn pr_warning`: called as whatever it stands for. */
function isAlias(of: Found): boolean {
  const { definition: d } = of;
  if (d.kind !== 'macro' || d.signature || !d.body) return false;
  return /^\s*[A-Za-z_]\w*\s*$/.test(of.file.text.slice(d.body.start, d.body.end));
}

function refOf(f: Found): SymbolRef {
  return { kind: f.definition.kind, name: f.definition.name, path: f.file.path };
}

/** `struct.field` → both; a path of fields stays whole. */
function splitField(name: string): [string | null, string] {
  const dot = name.indexOf('.');
  return dot < 0 ? [null, name] : [name.slice(0, dot), name.slice(dot + 1)];
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
