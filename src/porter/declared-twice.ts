import type { Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import { declaredBy, scopeAt, type Declared, type DeclaringScope } from './declarations';
import { excludes } from './doubled';
import { conditionsAt } from './guards';
import { localsOf } from './locals';
import { scopeOf, type Placed, type PlacedSegment } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/** How sure it is that a declaration is the set's: word for word, or but for qualifiers and attributes. */
const SURE = { same: 0.92, alike: 0.85 };
/** A local of that type and name may be upstream's for a use of its own. */
const LOCAL = 0.75;
/** An object that upstream declares farther below than this, in lines, is not seen by what the set adds. */
const NEAR = 12;

/**
 * What an edit adds may be declared in the target by now: a member in the struct, an object, type or prototype in the file, a
 * local in the block, where the base has no such name. When the two differ in qualifiers, attributes and white space only,
 * upstream has the set's line, and it goes; what is left of the edit stays. Otherwise members and names of files are a
 * conflict: there is never a second declaration. Locals of another type are renamed later, see `locals.ts`.
 */
export function noticeDeclared(results: readonly EditResult[], base: PorterFile): void {
  if (base.index.language !== 'c') return;
  for (const r of results) {
    if (r.resolved || r.made || r.twin || r.outcome === 'already-upstream' || r.edit.wraps) continue;
    for (const p of r.placements) {
      const found = p.segments.map((s) => ({ s, twice: declaredTwice(r, p, s, results, base) }));
      const clash = found.flatMap((f) => f.twice).find((t) => !t.isSame || r.edit.guard !== null);
      if (clash) {
        if (clash.scope.kind !== 'block') conflict(r, p, clash);
        continue;
      }
      const early = found.flatMap(({ s, twice }) => twice.filter((t) => isUsedAbove(t, s)));
      if (early[0]) {
        conflict(r, p, early[0], 'uses');
        continue;
      }
      for (const { s, twice } of found) drop(p, s, twice);
      const gone = found.flatMap((f) => f.twice);
      if (gone.length) settle(r, p, gone, results, base);
      if (r.placements.length === 0) break;
    }
  }
}

interface Twice {
  own: Declared;
  there: Declared;
  isSame: boolean;
  scope: DeclaringScope;
}

/** What a piece of an edit declares that is declared in its scope already. */
function declaredTwice(
  r: EditResult,
  p: Placed,
  s: PlacedSegment,
  results: readonly EditResult[],
  base: PorterFile,
): Twice[] {
  if (p.file.index.language !== 'c') return [];
  const own = declaredBy(s.added) ?? [];
  const scope = own.length ? scopeAt(p.file, s.site.at) : null;
  if (!scope) return [];
  const before = namesBefore(scope, s, base);
  if (before === null) return [];
  const here = conditionsAt(p.file.index, s.site.at);
  const conditions = r.edit.guard === null ? here : [...here, r.edit.guard];
  const twice = own.flatMap((d) => {
    const found = scope.declared.filter((t) => t.name === d.name && t.kind === d.kind && !isTaken(t, p, results));
    const seen = found.flatMap((t) => {
      const theirs = conditionsAt(p.file.index, t.first);
      return excludes(theirs, conditions) ? [] : [{ t, isAlways: theirs.every((c) => conditions.includes(c)) }];
    });
    const same = seen.find(({ t, isAlways }) => isAlways && t.meaning === d.meaning);
    const there = same ?? seen[0];
    if (!there || before.has(d.name)) return [];
    const isBelow = scope.kind === 'file' && there.t.first > s.site.at + NEAR;
    const isSame = same !== undefined && s.site.remove === 0 && !isBelow;
    // Which file is built with the option of the set, and meets its prototype, is asked elsewhere: see `redeclared.ts`.
    if (d.kind === 'prototype' && r.edit.guard !== null) return [];
    // To say a prototype or the name of a struct again does no harm, and below it may be needed.
    if (!isSame && (d.kind === 'forward' || (d.kind === 'prototype' && (isBelow || !there.isAlways)))) return [];
    return [{ own: d, there: there.t, isSame, scope }];
  });
  // A line goes as a whole, or not at all.
  const rest = own.filter((d) => !twice.some((t) => t.own === d && t.isSame));
  return twice.map((t) => {
    const { first, last, statement } = t.own;
    const isAlone = tokens(s.added.slice(first, last + 1).join('')).join(' ') === `${statement} ;`;
    return { ...t, isSame: t.isSame && isAlone && !rest.some((d) => d.first <= last && first <= d.last) };
  });
}

/** The names that the scope declares in the base, as far as they could be declared again there; null when it is another scope. */
function namesBefore(scope: DeclaringScope, s: PlacedSegment, base: PorterFile): Set<string> | null {
  const was = scopeAt(base, s.segment.at);
  if (was?.kind !== scope.kind) return null;
  const { definition } = was;
  if (scope.kind === 'block' && definition)
    return localsOf(definition, base.text.slice(definition.start, definition.end));
  return new Set(was.declared.map((d) => d.name));
}

/** True for a declaration that an edit of the set takes away or writes anew. */
function isTaken(there: Declared, p: Placed, results: readonly EditResult[]): boolean {
  return results.some(
    (r) =>
      r.outcome !== 'already-upstream' &&
      r.placements.some(
        (o) =>
          o.file.path === p.file.path &&
          o.segments.some((s) => s.site.at <= there.last && there.first < s.site.at + s.site.remove),
      ),
  );
}

function where(t: Twice, p: Placed): string {
  return t.scope.definition === null ? `'${p.file.path}'` : `'${t.scope.definition.name}'`;
}

/** What else a piece adds uses the name, and would stand above upstream's declaration of it. */
function isUsedAbove({ own, there, scope }: Twice, { added, site }: PlacedSegment): boolean {
  const rest = added.filter((_, i) => i < own.first || i > own.last).join('');
  return scope.kind === 'block' && there.first >= site.at && tokens(stripComments(rest)).includes(own.name);
}

function conflict(r: EditResult, p: Placed, t: Twice, what: 'declares' | 'uses' = 'declares'): void {
  const line = t.there.first + 1;
  const reason =
    what === 'declares'
      ? `it declares '${t.own.name}', which ${where(t, p)} has at line ${line} already`
      : `it uses '${t.own.name}', which ${where(t, p)} declares at line ${line} by now, below its place`;
  const evidence: Evidence[] = [{ kind: 'already-there', text: reason }];
  const candidate = { path: p.file.path, definition: p.definition, line: t.there.first + 1 };
  r.placements = [];
  r.outcome = 'conflict';
  r.failure = { placed: false, reason, evidence, candidate };
}

/** Takes declarations out of what a piece adds, each with the comment above it. */
function drop(p: Placed, s: PlacedSegment, twice: readonly Twice[]): void {
  if (twice.length === 0) return;
  const gone = new Set<number>();
  const isComment = (line: ByteString | undefined) => line !== undefined && /^\s*(?:\/[*/]|\*)/.test(line);
  for (const { own } of twice) {
    for (let i = own.first; i <= own.last; i++) gone.add(i);
    for (let i = own.first - 1; isComment(s.added[i]); i--) gone.add(i);
  }
  s.added = s.added.filter((_, i) => !gone.has(i));
  p.rewritten = true;
}

/** Says what became of declarations that are upstream's; an edit with no code left is upstream's, too. */
function settle(
  r: EditResult,
  p: Placed,
  twice: readonly Twice[],
  results: readonly EditResult[],
  base: PorterFile,
): void {
  const [{ there }] = twice as [Twice, ...Twice[]];
  const evidence = twice.map((t) => ({
    kind: 'already-there',
    text: `${where(t, p)} declares '${t.own.name}' at line ${t.there.first + 1} already, which the base does not`,
  }));
  const shared = twice.filter((t) => t.scope.kind === 'block').map((t) => t.own.name);
  const scope = scopeOf(base, r.edit.segments[0]!);
  const beside = results.filter((o) => o !== r && scopeOf(base, o.edit.segments[0]!) === scope);
  const uses = (o: EditResult, name: string) =>
    tokens(stripComments(o.edit.segments.flatMap((s) => s.added).join(''))).includes(name);
  const isKnown = (name: string) => beside.some((o) => o.outcome === 'already-upstream' && uses(o, name));
  const unknown = shared.filter((name) => !isKnown(name));
  for (const name of unknown) {
    const text = `the local '${name}' is upstream's by now, and may be used for something else`;
    for (const user of beside.filter((o) => uses(o, name)).flatMap((o) => o.placements)) {
      user.confidence = Math.min(user.confidence, LOCAL);
      user.evidence.push({ kind: 'doubt', text });
    }
  }
  const surest = twice.every((t) => t.own.text === t.there.text) ? SURE.same : SURE.alike;
  const confidence = unknown.length ? LOCAL : surest;
  const isEmpty = p.segments.every((s) => s.site.remove === 0 && stripComments(s.added.join('')).trim() === '');
  if (!isEmpty) {
    p.confidence = Math.min(p.confidence, SURE.alike, confidence);
    p.evidence.push(...evidence);
    return;
  }
  if (r.placements.length > 1) {
    r.placements = r.placements.filter((o) => o !== p);
    return;
  }
  const target = [{ path: p.file.path, definition: p.definition, line: there.first + 1 }];
  r.placements = [];
  r.outcome = 'already-upstream';
  r.there = { strategy: 'upstream', confidence, target, evidence };
}
