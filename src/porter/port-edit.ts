import type { Evidence, Outcome } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { Found } from '../kernel-index/index';
import type { Definition } from '../kernel-index/types';
import { valueLine } from './asm-values';
import { statementsIn } from './blocks';
import { joinCall } from './checked-calls';
import type { FoundCode } from './code-search';
import type { PortContext } from './context';
import { conditionChange, conditionsAt } from './guards';
import type { Made } from './era-parts';
import type { DefinitionHeir, FileHeir } from './heirs';
import { calledBelow, doneInstead } from './inlined';
import { placeInLists } from './kbuild-lists';
import type { Edit } from './lift';
import { usesOf, type Use } from './mentions';
import { movedBlock, strangeJump } from './moved-blocks';
import { adaptPayload } from './payload';
import {
  placeEdit,
  PLACE_AT,
  scopeOf,
  unchanged,
  type NotPlaced,
  type Nothing,
  type Placed,
  type Placement,
  type ScopePair,
} from './place';
import type { Resolved } from './resolutions';
import { rangeLength } from './range-lengths';
import { withoutDoubledBlanks } from './spacing';
import { returnedCall } from './returned-calls';
import { unwrappedCalls } from './unwrapped-calls';
import type { User } from './uses';
import type { PorterFile } from './view';

/** What became of one edit. */
export interface EditResult {
  edit: Edit;
  /** One for each place that it went to; several when its definition was split. */
  placements: Placed[];
  outcome: Outcome;
  failure: NotPlaced | null;
  id?: string;
  /** It changes nothing in the set itself: see `inert.ts`. */
  inert?: boolean;
  /** A person made it; then it has no placement of the porter's. */
  resolved?: Resolved;
  /** Another edit's placements hold what this one adds; then it has none of its own. */
  twin?: { of: EditResult; evidence: Evidence[] };
  /** Generated code stands for it. */
  made?: Made;
  /** Lines for which a guard had to leave out all that it held: see `leaveOutUsed`. */
  freed?: User[];
  /** Upstream made the same change itself; then it has no placement, and this says where and how one knows. */
  there?: Made;
  /** How sure it is that upstream made the same change, where its lines tell. */
  sure?: number;
}

/** Looks for the place of an edit in every heir of what it edits, and adapts what it adds. */
export async function portEdit(
  edit: Edit,
  base: PorterFile,
  fileHeirs: readonly FileHeir[],
  context: PortContext,
): Promise<EditResult> {
  const scopes = new Set<Definition>();
  for (const segment of edit.segments) {
    const scope = scopeOf(base, segment);
    if (scope) scopes.add(scope);
  }
  const heirsOf = new Map<Definition, DefinitionHeir[]>();
  for (const scope of scopes) heirsOf.set(scope, await context.heirs.definitions(base.path, scope));
  const gone = [...scopes].find((s) => heirsOf.get(s)!.length === 0);
  const same = await context.target.file(base.path);
  if (same?.text === base.text) {
    // Nothing to find: also what could not be followed, a lone #endif say, has its place.
    const placed = unchanged(edit, base, same);
    return finish(edit, base, [placed], heirsOf, context);
  }
  const failed = (failure: NotPlaced): EditResult => ({ edit, placements: [], outcome: 'conflict', failure });
  if (!edit.balanced) {
    return failed({ placed: false, reason: 'it opens a guard that it does not close', evidence: [], candidate: null });
  }
  const listed = base.index.language === 'kbuild' ? await placeInLists(edit, base, context) : null;
  if (listed) return finish(edit, base, [listed], new Map(), context);
  const wrapped = edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : [];
  if (gone) {
    const moved = scopes.size === 1 ? await followCode(edit, base, gone, context) : null;
    if (moved?.placed) return finish(edit, base, [moved], heirOf(gone, moved), context);
    const block = scopes.size === 1 ? await movedBlock(edit, base, heirsOf, context) : null;
    if (block) return finish(edit, base, [block], heirOf(gone, block), context);
    const calls = scopes.size === 1 ? await unwrappedCalls(edit, base, gone, context) : null;
    if (calls) return finish(edit, base, calls, new Map(), context);
    const [because, kind] = [`${gone.kind} '${gone.name}' is gone from the target`, edit.kind];
    if (kind === 'guard-wrap' && context.code.anywhere(wrapped) === false) {
      return (
        calledElsewhere(edit, base, context) ??
        obsoleteBecause(edit, `${because}, and with it the code that it guards out`)
      );
    }
    const reason = moved?.reason ?? `${because}, and nothing is known to have taken its place`;
    return failed({ placed: false, reason, evidence: [], candidate: moved?.candidate ?? null });
  }
  const paths = new Set(
    scopes.size ? [...heirsOf.values()].flatMap((list) => list.map((h) => h.path)) : fileHeirs.map((h) => h.path),
  );
  if (paths.size === 0) {
    return failed({ placed: false, reason: `'${base.path}' is gone from the target`, evidence: [], candidate: null });
  }
  const there = (await movedByBoth(edit, base, paths, context)) ?? (await alreadyDeleted(edit, paths, context));
  if (there) return isUpstreams(edit, there);
  const placed: Placed[] = [];
  let failure: NotPlaced | null = null;
  let obsolete: Nothing | null = null;
  for (const path of paths) {
    const target = await context.target.file(path);
    if (!target) continue;
    const pairs = new Map<Definition, ScopePair>();
    for (const scope of scopes) {
      const heir = heirsOf.get(scope)!.find((h) => h.path === path);
      if (heir)
        pairs.set(scope, {
          base: scope,
          target: heir.definition,
          confidence: heir.confidence,
          evidence: heir.evidence,
        });
    }
    const attempt = sure(placeEdit(edit, base, target, pairs, context.aligner));
    if (attempt.placed) placed.push(attempt);
    else if (attempt.obsolete) obsolete = attempt;
    else failure = withCandidates(failure, attempt);
  }
  // What upstream moved to a file of its own has other users there: to delete it is not what the set did here.
  const stray = edit.kind === 'delete' ? placed.findIndex((p) => p.file.path !== fileHeirs[0]?.path) : -1;
  if (stray >= 0) {
    const path = placed[stray]!.file.path;
    placed.splice(0);
    failure = { placed: false, reason: `upstream moved what it deletes to '${path}'`, evidence: [], candidate: null };
  }
  if (placed.length === 0 && scopes.size === 1) {
    const [scope] = [...scopes] as [Definition];
    const moved = await followCode(edit, base, scope, context);
    if (moved?.placed) return finish(edit, base, [moved], heirOf(scope, moved), context);
  }
  if (placed.length === 0 && failure?.double !== undefined && failure.candidate) {
    const over = overDefinition(edit, base, (await context.target.file(failure.candidate.path))!, failure.double);
    if (over) return finish(edit, base, [over], heirsOf, context);
  }
  const upstream = placed.length === 0 ? await madeUpstream(edit, base, heirsOf, context) : null;
  if (upstream) return isUpstreams(edit, upstream);
  if (placed.length === 0 && edit.kind === 'guard-wrap' && scopes.size === 1) {
    const [scope] = [...scopes] as [Definition];
    const vanished = effectsGone(edit, base, scope, context);
    if (vanished.length && !(await stillComputed(edit, base, scope, heirsOf.get(scope) ?? [], context))) {
      for (const name of vanished) {
        const done = await doneInstead(name, scope, heirsOf.get(scope) ?? [], context);
        if (!done) continue;
        const reason = `'${name}', which it guards out, is gone from the target, but '${done.by}' does its work in '${done.user}' now`;
        const candidate = { path: done.path, line: done.line + 1, definition: done.user };
        return failed({ placed: false, reason, evidence: [{ kind: 'done-instead', text: reason }], candidate });
      }
      const names = vanished.map((n) => `'${n}'`).join(', ');
      const reason = `all that it guards out is done by ${names}, which the target does not have`;
      return calledElsewhere(edit, base, context) ?? obsoleteBecause(edit, reason);
    }
  }
  if (placed.length === 0 && obsolete && !failure) {
    const [scope] = scopes;
    const callee = /^\s*([A-Za-z_]\w*)\s*\([^;]*\)\s*;\s*$/.exec(stripComments(wrapped.join('')))?.[1];
    const below = scope && callee ? await calledBelow(callee, scope, heirsOf.get(scope) ?? [], context) : null;
    if (below) {
      const reason = `'${below.by}', which it guards out, is called by '${below.user}' now`;
      const candidate = { path: below.path, line: below.line + 1, definition: below.user };
      return failed({ placed: false, reason, evidence: [{ kind: 'done-instead', text: reason }], candidate });
    }
    if (scope && (await stillComputed(edit, base, scope, heirsOf.get(scope) ?? [], context))) {
      const reason = 'the code that it guards out is gone, but what it computes is still used there';
      return failed({ placed: false, reason, evidence: obsolete.evidence, candidate: null });
    }
    if (!context.code.anywhere(wrapped)) {
      return calledElsewhere(edit, base, context) ?? obsoleteBecause(edit, obsolete.reason, obsolete.evidence);
    }
    const reason = 'the code that it guards out moved to another place of the target';
    return failed({ placed: false, reason, evidence: obsolete.evidence, candidate: null });
  }
  const joined =
    placed.length === 0
      ? ((await joinCall(edit, base, heirsOf, context)) ??
        (await returnedCall(edit, base, heirsOf, context)) ??
        (await rangeLength(edit, base, heirsOf, context)))
      : null;
  if (joined) return finish(edit, base, [joined], heirsOf, context);
  const value = placed.length === 0 ? await valueLine(edit, base, heirsOf, context) : null;
  if (value) return finish(edit, base, [value], heirsOf, context);
  const followed = placed.length === 0 ? await movedBlock(edit, base, heirsOf, context) : null;
  if (followed) return finish(edit, base, [followed], heirOf([...scopes][0]!, followed), context);
  if (placed.length === 0)
    return failed(failure ?? { placed: false, reason: 'no place found', evidence: [], candidate: null });
  // Guards and replacements of code follow it to every place where it went; what is new goes to one, the best.
  if (placed.length > 1 && !(edit.wraps && scopes.size)) {
    // What is new goes to one file: of several that are as likely, where the set's other edits of the file went.
    const votes = (p: Placed) => context.votes.get(`${base.path}\0${p.file.path}`) ?? 0;
    const close = (a: Placed, b: Placed) => Math.abs(a.confidence - b.confidence) <= AS_LIKELY;
    placed.sort((a, b) => (close(a, b) ? votes(b) - votes(a) : 0) || b.confidence - a.confidence);
    placed.length = 1;
  }
  if (scopes.size && placed.length === 1) {
    const key = `${base.path}\0${placed[0]!.file.path}`;
    context.votes.set(key, (context.votes.get(key) ?? 0) + 1);
  }
  return finish(edit, base, placed, heirsOf, context);
}

async function finish(
  edit: Edit,
  base: PorterFile,
  placements: Placed[],
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<EditResult> {
  for (const p of placements) {
    const reason = await adaptPayload(p, base, heirsOf, context);
    for (const s of p.segments) s.added = withoutDoubledBlanks(s, p.file, base);
    if (reason === null) continue;
    const candidate = { path: p.file.path, line: p.segments[0]!.site.at + 1, definition: p.definition };
    return {
      edit,
      placements: [],
      outcome: 'conflict',
      failure: { placed: false, reason, evidence: p.evidence, candidate },
    };
  }
  if (!placements.every((p) => isThere(p, base)))
    return { edit, placements, outcome: outcomeOf(edit, base, placements), failure: null };
  for (const p of placements) {
    const text = `'${p.file.path}' has what it makes of line ${p.segments[0]!.site.at + 1} already`;
    p.evidence.push({ kind: 'already-there', text });
  }
  return { edit, placements, outcome: 'already-upstream', failure: null };
}

/** Nothing is left to do: upstream did the same. */
function isUpstreams(edit: Edit, there: Omit<Made, 'strategy'>): EditResult {
  return {
    edit,
    placements: [],
    outcome: 'already-upstream',
    failure: null,
    there: { strategy: 'upstream', ...there },
  };
}

/** How sure it is that what upstream has, or has no more, is the work of the same change. */
const SAME_CHANGE = { definitions: 0.92, lines: 0.9, words: 0.8, some: 0.75 };
/** From so many telling lines on nobody deletes just these for another reason. */
const TELLING = 3;

/** The definition in which a placement lies, as the heir of a scope. */
function heirOf(scope: Definition, placed: Placed): Map<Definition, DefinitionHeir[]> {
  const definition = placed.file.outer.find((d) => d.name === placed.definition && d.kind === scope.kind);
  const heir = definition && { path: placed.file.path, definition, confidence: placed.confidence, evidence: [] };
  return new Map([[scope, heir ? [heir] : []]]);
}

/** Upstream made the same substitution: an heir has the new lines, in a row, where the base had none of them. Else null. */
async function madeUpstream(
  edit: Edit,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<Omit<Made, 'strategy'> | null> {
  if (edit.guard !== null || edit.kind !== 'substitute' || edit.segments.length !== 1) return null;
  const squeeze = (text: ByteString) => tokens(text).join(' ');
  const added = squeeze(edit.segments[0]!.added.join(''));
  if (added.length < 12) return null;
  const found = [];
  for (const [scope, heirs] of heirsOf) {
    if (squeeze(base.text.slice(scope.start, scope.end)).includes(added)) return null;
    for (const heir of heirs) {
      const file = await context.target.file(heir.path);
      const { name, start, end, startLine, endLine } = heir.definition;
      if (!file || !squeeze(file.text.slice(start, end)).includes(added)) continue;
      const own = file.lines.slice(startLine, endLine + 1).map(squeeze);
      const first = own.findIndex((l) => l.length > 3 && added.startsWith(l));
      found.push({ path: heir.path, definition: name, line: startLine + Math.max(0, first) + 1 });
    }
  }
  const texts = found.map(
    (t) => `'${t.definition}' (${t.path}) has the lines that it puts there, which the base has not`,
  );
  const evidence = texts.map((text) => ({ kind: 'already-there', text }));
  return found.length ? { confidence: SAME_CHANGE.words, target: found, evidence } : null;
}

/**
 * Functions that the target does not have any more and that do everything which a guard takes out: every statement in it
 * with an effect mentions one of them. Empty when the guard takes out anything else.
 */
function effectsGone(edit: Edit, base: PorterFile, scope: Definition, context: PortContext): string[] {
  const wraps = edit.wraps!;
  const inside = statementsIn(base, scope).filter((s) => s.startLine >= wraps.first && s.endLine <= wraps.last);
  const effects = inside.filter((s) => s.kind !== 'declaration' && s.kind !== 'compound');
  const vanished = new Set<string>();
  for (const s of effects) {
    const text = stripComments(base.text.slice(s.start, s.end));
    // What goes to a local has its effect where that is used.
    if (s.kind !== 'expression') return [];
    if (/^\w+\s*=[^=]/.test(text) && /^\w+$/.test(text.split('=')[0]!.trim())) continue;
    const lost = tokens(text).filter((w) => isFunction(w, context) && !context.target.kernel.definitions(w).length);
    if (lost.length === 0) return [];
    for (const w of lost) if (!context.target.kernel.mentions(w).length) vanished.add(w);
  }
  return [...vanished];
}

/**
 * A function that nobody in the base uses but the code that a guard takes out, and that the target uses: what the set takes
 * out is done there, in other words. Null when there is none.
 */
function calledElsewhere(edit: Edit, base: PorterFile, context: PortContext): EditResult | null {
  const { first, last } = edit.wraps!;
  const words = new Set(tokens(stripComments(base.lines.slice(first, last + 1).join(''))));
  for (const word of words) {
    if (!isFunction(word, context)) continue;
    const outside = usesOf(word, context.base.kernel).some(
      (u) => u.path !== base.path || u.line < first || u.line > last,
    );
    const uses = outside ? [] : usesOf(word, context.target.kernel);
    const [use, ...others] = uses;
    if (!use) continue;
    const candidateAt = (u: Use) => ({ path: u.path, line: u.line + 1, definition: u.user });
    const users = [...new Set(uses.map((u) => `'${u.user}' (${u.path})`))].join(', ');
    const reason = `'${word}', which it alone guards out in the base, is used by ${users} in the target`;
    const failure = { placed: false as const, reason, evidence: [{ kind: 'used-elsewhere', text: reason }] };
    const candidate = candidateAt(use);
    return {
      edit,
      placements: [],
      outcome: 'conflict',
      failure: { ...failure, candidate, others: others.map(candidateAt) },
    };
  }
  return null;
}

/** True when an heir still works on a local that the wrapped code sets: then it is done, only in another way. */
async function stillComputed(
  edit: Edit,
  base: PorterFile,
  scope: Definition,
  heirs: readonly DefinitionHeir[],
  context: PortContext,
): Promise<boolean> {
  const wraps = edit.wraps!;
  const names = statementsIn(base, scope)
    .filter((s) => s.startLine >= wraps.first && s.endLine <= wraps.last)
    .flatMap((s) => /^(\w+)\s*=[^=]/.exec(stripComments(base.text.slice(s.start, s.end)))?.[1] ?? []);
  for (const heir of heirs) {
    const file = await context.target.file(heir.path);
    const words = new Set(file ? tokens(file.text.slice(heir.definition.start, heir.definition.end)) : []);
    if (names.some((name) => words.has(name))) return true;
  }
  return false;
}

function isFunction(word: string, context: PortContext): boolean {
  return context.base.kernel
    .definitions(word)
    .some(({ definition: d }) => d.kind === 'function' || d.kind === 'prototype' || d.kind === 'asm-symbol');
}

/**
 * The set defines a macro under its guard that upstream has by now: upstream's line goes into the other branch. Where the
 * set has that branch itself, it must say what upstream says.
 */
function overDefinition(edit: Edit, base: PorterFile, target: PorterFile, name: string): Placed | null {
  const [segment] = edit.segments;
  const found = target.index.definitions.filter((d) => d.kind === 'macro' && d.name === name);
  if (edit.guard === null || edit.segments.length !== 1 || !segment || segment.removed.length || found.length !== 1)
    return null;
  const [{ startLine, endLine }] = found as [Definition];
  const theirs = target.lines.slice(startLine, endLine + 1);
  const directives = segment.added.filter((l) => /^\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b/.test(l));
  const last = segment.added.findLastIndex((l) => /^\s*#\s*endif\b/.test(l));
  const defines = (lines: readonly ByteString[]) =>
    new RegExp(`^\\s*#\\s*define\\s+${name}\\b`, 'm').test(lines.join(''));
  let added: ByteString[];
  if (directives.length === 2 && last > 0) {
    added = unspaced([...segment.added.slice(0, last), '#else\n', ...theirs, ...segment.added.slice(last)]);
  } else if (directives.length === 3 && edit.branches.length === 2) {
    const off = edit.branches[1]!.added;
    if (
      !defines(off) ||
      !tokens(off.join(''))
        .join(' ')
        .includes(tokens(theirs.join('')).join(' '))
    )
      return null;
    added = unspaced(segment.added);
  } else return null;
  if (conditionChange(conditionsAt(base.index, segment.at), conditionsAt(target.index, startLine)).length) return null;
  const why = `upstream has a '${name}' of its own by now: it holds without the option`;
  return {
    placed: true,
    file: target,
    segments: [{ segment, added, site: { at: startLine, remove: theirs.length, precision: 'changed', why } }],
    strategy: 'structure',
    confidence: 0.8,
    evidence: [{ kind: 'defined-upstream', text: why }],
    definition: null,
    rewritten: true,
  };
}

/** Without the blank lines at its ends: what takes the place of a line stands between that line's neighbours. */
function unspaced(lines: readonly ByteString[]): ByteString[] {
  const says = (l: ByteString) => l.trim() !== '';
  return lines.slice(lines.findIndex(says), lines.findLastIndex(says) + 1);
}

function obsoleteBecause(edit: Edit, reason: string, evidence: NotPlaced['evidence'] = []): EditResult {
  return { edit, placements: [], outcome: 'obsolete', failure: { placed: false, reason, evidence, candidate: null } };
}

/** A placement that is too uncertain is a candidate. */
function sure(attempt: Placement): Placement {
  if (!attempt.placed || attempt.confidence >= PLACE_AT) return attempt;
  const { file, evidence, segments, definition } = attempt;
  return {
    placed: false,
    reason: `the place is too uncertain: ${evidence.map((e) => e.text).join('; ')}`,
    evidence,
    candidate: {
      ...{ path: file.path, line: segments[0]!.site.at + 1, definition },
      parts: segments.map((s) => ({ line: s.site.at + 1, remove: s.site.remove })),
    },
  };
}

/** Confidences this near to each other say nothing about which is right. */
const AS_LIKELY = 0.1;

/** The first failure that has a candidate speaks for the edit; those of other files are candidates, too. */
function withCandidates(first: NotPlaced | null, next: NotPlaced): NotPlaced {
  if (!first?.candidate) return first && !next.candidate ? first : next;
  return next.candidate ? { ...first, others: [...(first.others ?? []), next.candidate] } : first;
}

/** At most this sure: code that went to another function may mean another thing there. */
const FOLLOWED = 0.75;

/**
 * The code that a guard wraps left its function: upstream inlined it into a caller, or gave it to another function. Every
 * telling line of it must be there; callers come first, then the same file. Null when it is nowhere, or in two places.
 */
async function followCode(
  edit: Edit,
  base: PorterFile,
  scope: Definition,
  context: PortContext,
): Promise<Placed | NotPlaced | null> {
  if (!edit.wraps || scope.kind !== 'function') return null;
  // With the condition that it stands under: a common call is told apart by it.
  const above = base.lines.slice(0, edit.wraps.first).findLastIndex((l) => stripComments(l).trim() !== '');
  const header = /\)\s*\{\s*$/.test(base.lines[above] ?? '') && above > scope.startLine ? above : edit.wraps.first;
  const code = base.lines.slice(header, edit.wraps.last + 1);
  const callers = new Set(
    context.base.kernel
      .mentions(scope.name)
      .flatMap((m) => (m.definition.calls.includes(scope.name) ? [m.definition.name] : [])),
  );
  const found = await context.code.find(code, {
    callers,
    path: context.heirs.files(base.path)[0]?.path ?? base.path,
    rename: (word) => context.heirs.rename(word),
  });
  if (!found || (await hadCode(code, found, context))) return null;
  const text = `the wrapped code of '${scope.name}' is in '${found.definition.name}' now`;
  const pair: ScopePair = {
    base: scope,
    target: found.definition,
    confidence: FOLLOWED,
    evidence: [{ kind: 'code-moved', text }],
  };
  const attempt = sure(placeEdit(edit, base, found.file, new Map([[scope, pair]]), context.aligner));
  const jump = attempt.placed ? strangeJump(edit, base, attempt) : null;
  if (jump !== null && attempt.placed) {
    const reason = `its code is in '${found.definition.name}' now, where '${jump}' is another thing than in '${scope.name}'`;
    const line = attempt.segments[0]!.site.at + 1;
    const candidate = { path: found.file.path, line, definition: found.definition.name };
    return { placed: false, reason, evidence: attempt.evidence, candidate };
  }
  return attempt.placed || !attempt.obsolete ? attempt : null;
}

/** Says so when an edit takes out definitions that the set moved to a file of its own, and that upstream has in its own now. */
async function movedByBoth(
  edit: Edit,
  base: PorterFile,
  paths: ReadonlySet<ByteString>,
  context: PortContext,
): Promise<Omit<Made, 'strategy'> | null> {
  if (edit.guard !== null || context.folded.size === 0) return null;
  // What it puts in their place (the include of the new file) must be there, too.
  const added = edit.segments.flatMap((s) => s.added).map((l) => stripComments(l).trim());
  for (const path of paths) {
    const there = new Set((await context.target.file(path))?.lines.map((l) => stripComments(l).trim()));
    if (added.some((l) => l !== '' && !there.has(l))) return null;
  }
  const taken = (d: Definition) =>
    edit.segments.some((s) => d.startLine >= s.at && d.endLine < s.at + s.removed.length);
  const gone = base.outer.filter(taken);
  if (gone.length === 0 || !gone.every((d) => context.folded.has(`${d.kind} ${d.name}`))) return null;
  // One that another definition holds goes with it.
  const outer = gone.filter((d) => !gone.some((o) => o !== d && o.start <= d.start && d.end <= o.end));
  const twins = new Set(context.twins.values());
  const now = outer.map((d) => {
    const found = context.target.kernel.definitions(d.name).filter((f) => f.definition.kind === d.kind);
    const stays = found.find((f) => paths.has(f.file.path));
    // Another driver may have a definition of the name, and had it in the base already.
    const had = (f: Found) =>
      context.base.kernel
        .definitions(d.name)
        .some((b) => context.heirs.files(b.file.path).some((h) => h.path === f.file.path) && b.file.path !== base.path);
    const come = found.filter((f) => !had(f));
    const there = come.find((f) => twins.has(f.file.path)) ?? (come.length === 1 ? come[0] : undefined);
    return { definition: d.name, found: stays ?? there, stays: stays !== undefined };
  });
  const [left, moved] = [now.filter((n) => n.stays), now.filter((n) => !n.stays && n.found)];
  const byFile = new Map([...moved].reverse().map((n) => [n.found!.file.path, n]));
  const lineOf = (n: (typeof now)[number]) => n.found!.definition.startLine + 1;
  const target = [...byFile].map(([path, n]) => ({ path, definition: n.definition, line: lineOf(n) }));
  const names = (some: typeof now) =>
    some
      .slice(0, 3)
      .map((n) => `'${n.definition}'`)
      .join(', ') + (some.length > 3 ? ` and ${some.length - 3} more` : '');
  const texts = target.map(({ path }) => {
    const there = moved.filter((n) => n.found!.file.path === path);
    return `upstream moved ${names(there)} out of '${base.path}' as well, to '${path}'`;
  });
  const evidence = texts.map((text) => ({ kind: 'already-there', text }));
  const lost = now.filter((n) => !n.stays && !n.found);
  if (lost.length) evidence.push({ kind: 'already-there', text: `upstream has no ${names(lost)} there any more` });
  if (left.length) {
    const text = `upstream has ${names(left)} where the base had them, and they are left there`;
    evidence.push({ kind: 'left-there', text });
  }
  return { confidence: left.length ? SAME_CHANGE.some : SAME_CHANGE.definitions, target, evidence };
}

/** True when the base has the code in the same definition already: then it did not come there from where it is gone. */
async function hadCode(code: readonly ByteString[], found: FoundCode, context: PortContext): Promise<boolean> {
  const { name, kind } = found.definition;
  const namesakes = context.base.kernel.definitions(name).filter((f) => f.definition.kind === kind);
  const there = namesakes.filter((f) => context.heirs.files(f.file.path).some((h) => h.path === found.file.path));
  const squeeze = (l: ByteString) => tokens(stripComments(l)).join(' ');
  const wanted = code.map(squeeze).filter((l) => /\w{4}/.test(l));
  return there.some(({ file, definition: d }) => {
    const lines = new Set(file.text.slice(d.start, d.end).split('\n').map(squeeze));
    return wanted.every((l) => lines.has(l));
  });
}

/** Says so when an edit only deletes, and not one telling line of what it deletes is left in any heir of the file. */
async function alreadyDeleted(
  edit: Edit,
  paths: ReadonlySet<ByteString>,
  context: PortContext,
): Promise<Omit<Made, 'strategy'> | null> {
  if (edit.kind !== 'delete') return null;
  const squeeze = (l: ByteString) => stripComments(l).replace(/\s+/g, ' ').trim();
  // A line of which upstream renamed a word is there.
  const read = (l: ByteString) => l.replace(/[A-Za-z_]\w*/g, (w) => context.heirs.rename(w));
  const gone = edit.segments
    .flatMap((s) => s.removed)
    .map(squeeze)
    .filter((l) => /\w{4}/.test(l));
  if (gone.length === 0) return null;
  for (const path of paths) {
    const lines = new Set((await context.target.file(path))?.lines.map(squeeze));
    if (gone.some((l) => lines.has(l) || lines.has(read(l)))) return null;
  }
  const where = [...paths].map((p) => `'${p}'`).join(' and ');
  const text = `none of the ${gone.length} telling lines that it deletes is in ${where}`;
  const confidence = new Set(gone).size >= TELLING ? SAME_CHANGE.lines : SAME_CHANGE.words;
  return { confidence, target: [], evidence: [{ kind: 'already-gone', text }] };
}

/**
 * True when the target has the very lines that the edit adds, at the place where they would go, and the base has them not:
 * a twin of the lines above is no answer.
 */
function isThere(p: Placed, base: PorterFile): boolean {
  return p.segments.every(({ segment, site }) => {
    const added = segment.added.map((l) => l.trim()).filter(Boolean);
    if (site.remove > 0) {
      const now = p.segments.find((s) => s.segment === segment && s.site === site)!.added;
      if (now.length === 0) return false;
      return (
        now.join('') === p.file.lines.slice(site.at, site.at + site.remove).join('') ||
        hasRims(now, p, segment, site, base)
      );
    }
    if (segment.removed.length === 0 && segment.added.length && added.length === 0) {
      const parted = (lines: readonly ByteString[], at: number) => [at - 1, at].some((i) => lines[i]?.trim() === '');
      return parted(p.file.lines, site.at) && !parted(base.lines, segment.at);
    }
    if (added.length === 0) return false;
    const same = (lines: readonly ByteString[], from: number) =>
      lines
        .slice(Math.max(0, from), from + segment.added.length)
        .map((l) => l.trim())
        .filter(Boolean)
        .join('\n') === added.join('\n');
    const around = (lines: readonly ByteString[], at: number) =>
      same(lines, at) || same(lines, at - segment.added.length);
    return around(p.file.lines, site.at) && !around(base.lines, segment.at);
  });
}

/** True when what is replaced is in the target as it shall be, and around it stands what the edit puts around it. */
function hasRims(
  now: readonly ByteString[],
  { file }: Placed,
  { at, removed }: Edit['segments'][number],
  site: { at: number; remove: number },
  base: PorterFile,
): boolean {
  const trimmed = (lines: readonly ByteString[], from: number, count: number) =>
    from < 0
      ? null
      : lines
          .slice(from, from + count)
          .map((l) => l.trim())
          .join('\n');
  const wanted = trimmed(now, 0, now.length);
  for (let above = 0; above + site.remove < now.length + 1; above++) {
    if (trimmed(file.lines, site.at - above, now.length) !== wanted) continue;
    const [rim, below] = [above, now.length - above - site.remove];
    const had =
      trimmed(base.lines, at - rim, rim) === trimmed(now, 0, rim) &&
      trimmed(base.lines, at + removed.length, below) === trimmed(now, now.length - below, below);
    if (!had) return true;
  }
  return false;
}

function outcomeOf(edit: Edit, base: PorterFile, placements: readonly Placed[]): Outcome {
  const [first] = placements;
  const scope = scopeOf(base, edit.segments[0]!);
  if (placements.some((p) => p.rewritten)) return 'rewritten';
  if (placements.some((p) => p.file.path !== base.path)) return 'relocated';
  if (scope && first!.definition !== null && first!.definition !== scope.name) return 'relocated';
  return contextMatches(base, first!) ? 'applied' : 'merged';
}

/** True when the three lines around every segment are word for word those of the base: `patch` would take it without fuzz. */
function contextMatches(base: PorterFile, placed: Placed): boolean {
  return placed.segments.every(({ segment, site }) => {
    const above = base.lines.slice(Math.max(0, segment.at - 3), segment.at).join('');
    const below = base.lines
      .slice(segment.at + segment.removed.length, segment.at + segment.removed.length + 3)
      .join('');
    const { lines } = placed.file;
    return (
      lines.slice(Math.max(0, site.at - 3), site.at).join('') === above &&
      lines.slice(site.at + site.remove, site.at + site.remove + 3).join('') === below
    );
  });
}
