import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import { keepsWork, newCallers } from './emptied-calls';
import { usesOf } from './mentions';
import { scopeOf, type Placed, type PlacedSegment } from './place';
import type { EditResult } from './port-edit';
import { definitionAt, type PorterFile } from './view';

/** An edit that was placed, with the file of the base that it was lifted from. */
export interface PlacedEdit {
  result: EditResult;
  base: PorterFile;
}

/** A line outside of the set's guards that uses what one of them holds, and its function. */
export interface User {
  user: string;
  text: ByteString;
}

/**
 * A guard around definitions of one file, static ones, says that nothing is left that uses them: the set guards their users,
 * too. Those that upstream uses elsewhere by now must be there; the guard leaves them out, and what they use themselves.
 * With all of them left out the guard has nothing to do.
 */
export function leaveOutUsed(results: readonly EditResult[], base: PorterFile): void {
  const ranges = results.flatMap((r) =>
    r.edit.wraps ? r.placements.map((p) => ({ path: p.file.path, ...rangeOf(p) })) : [],
  );
  const baseRanges = results.flatMap((r) => (r.edit.wraps ? [r.edit.wraps] : []));
  const inBase = (line: number) => baseRanges.some((r) => line >= r.first && line <= r.last);
  // A user that the set guards, and whose guard found no place, will be guarded.
  const open = results.flatMap((r) => (r.outcome === 'conflict' && r.edit.wraps ? [r.edit.wraps] : []));
  const isOpen = (line: number) => open.some((r) => line >= r.first && line <= r.last);
  for (const result of results) {
    const { edit } = result;
    if (!edit.wraps || edit.segments.length !== 2 || scopeOf(base, edit.segments[0]!) !== null) continue;
    for (const p of [...result.placements]) {
      if (p.segments.length !== 2 || p.file.index.language !== 'c') continue;
      const { first, last } = rangeOf(p);
      const held = p.file.outer.filter((d) => d.startLine >= first && d.endLine < last);
      const covered = (line: number) => ranges.some((r) => r.path === p.file.path && line >= r.first && line < r.last);
      const out = new Map<Definition, User>();
      for (let grows = true; grows;) {
        grows = false;
        const free = (line: number) =>
          !covered(line) || [...out.keys()].some((d) => line >= d.startLine && line <= d.endLine);
        for (const d of held) {
          if (out.has(d) || d.kind !== 'function' || !d.signature?.annotations.includes('static')) continue;
          if (usersIn(base, d.name, (line) => !inBase(line) || isOpen(line)).length) continue;
          const [user] = usersIn(p.file, d.name, free);
          if (user === undefined) continue;
          out.set(d, user);
          grows = true;
        }
      }
      if (out.size) leaveOut(result, p, held, out);
    }
  }
}

/** Draws the guard of a placement around what it still holds. */
function leaveOut(
  result: EditResult,
  p: Placed,
  held: readonly Definition[],
  out: ReadonlyMap<Definition, User>,
): void {
  const [open, close] = p.segments as [PlacedSegment, PlacedSegment];
  const said = [...out].map(([d, { user }]) => `'${d.name}' is used by '${user}' now`).join(', ');
  const evidence = { kind: 'guard-narrowed', text: `${said}: the guard leaves it out` };
  if (held.every((d) => out.has(d))) {
    result.placements = result.placements.filter((other) => other !== p);
    if (result.placements.length) return;
    result.outcome = 'obsolete';
    result.failure = {
      placed: false,
      reason: `${said}: the guard has nothing left to do`,
      evidence: [...out].map(([d, { user, text }]) => ({
        kind: 'used-unguarded',
        text: `'${user}' uses '${d.name}' where the set guards nothing: '${text}'`,
      })),
      candidate: null,
    };
    result.freed = [...out.values()];
    return;
  }
  const runs: Definition[][] = [];
  held.forEach((d, i) => {
    if (out.has(d)) return;
    if (i > 0 && !out.has(held[i - 1]!)) runs[runs.length - 1]!.push(d);
    else runs.push([d]);
  });
  const lead = (d: Definition) => p.file.items.find((i) => i.first === d.startLine)?.lead ?? d.startLine;
  p.segments = runs.flatMap((run) => {
    const [first, last] = [run[0]!, run[run.length - 1]!];
    const from = first === held[0] ? open.site.at : lead(first);
    const to = last === held[held.length - 1] ? close.site.at : last.endLine + 1;
    const why = 'the guard holds what only guarded code uses';
    return [
      { ...open, site: { ...open.site, at: from, remove: from === open.site.at ? open.site.remove : 0, why } },
      { ...close, site: { ...close.site, at: to, remove: to === close.site.at ? close.site.remove : 0, why } },
    ];
  });
  p.confidence = Math.min(p.confidence, USED);
  p.rewritten = true;
  p.evidence.push(evidence);
  result.outcome = 'rewritten';
}

/** Functions of a file that mention a name on a line of which `counts` holds. */
function usersIn(file: PorterFile, name: string, counts: (line: number) => boolean): User[] {
  const word = new RegExp(`\\b${name}\\b`);
  return file.lines.flatMap((text, line) => {
    if (!word.test(text) || !counts(line)) return [];
    const user = definitionAt(file, line);
    return user?.kind === 'function' && user.name !== name && !/^\s*(\*|\/\*|\/\/)/.test(text)
      ? [{ user: user.name, text: text.trim() }]
      : [];
  });
}

/** Tells the lines of the target that a guard of the set holds. */
export function coveredBy(edits: readonly PlacedEdit[]): (path: ByteString, line: number) => boolean {
  const ranges = new Map<ByteString, { first: number; last: number }[]>();
  for (const { result } of edits) {
    for (const p of result.edit.wraps ? result.placements : []) {
      const list = ranges.get(p.file.path) ?? [];
      list.push(...rangesOf(p));
      ranges.set(p.file.path, list);
    }
  }
  return (path, line) => (ranges.get(path) ?? []).some((r) => line >= r.first && line < r.last);
}

/** A definition that only some configurations have cannot be this sure while others use it. */
const USED = 0.75;

/**
 * A guard around a definition takes it from every user that stands outside of such guards. In the base the set guarded the
 * users, too; what upstream added or moved since is said, and makes the edit less sure.
 */
export function sayUncoveredUses(edits: readonly PlacedEdit[], context: PortContext): void {
  const covered = coveredBy(edits);
  for (const { result, base } of edits) {
    if (!result.edit.wraps || scopeOf(base, result.edit.segments[0]!) !== null) continue;
    for (const p of result.placements) {
      const added = p.segments.flatMap((s) => s.added).join('');
      const held = rangesOf(p);
      for (const d of p.file.outer) {
        // A declaration that the set replaces by its own; upstream's has another name by now.
        const replaced = d.kind === 'prototype' && result.edit.kind === 'guarded-replace';
        if (!held.some(({ first, last }) => d.startLine >= first && d.endLine < last)) continue;
        if (!(d.kind === 'function' || d.kind === 'macro' || replaced)) continue;
        // The set has one of its own for the other branch.
        if (new RegExp(`\\b${d.name}\\b`).test(added)) continue;
        const users = usersOf(d.name, covered, context);
        if (users.length === 0) continue;
        p.confidence = Math.min(p.confidence, USED);
        const text = `'${d.name}' is under the guard now, but ${users.slice(0, 3).join(', ')} uses it outside`;
        p.evidence.push({ kind: 'doubt', text });
      }
    }
  }
}

/**
 * A guard around the whole body of a function makes it do nothing: the set knows that of the callers that the base has. One
 * that upstream made since may need what the function did, and is said.
 */
export function sayNewCallers(edits: readonly PlacedEdit[], context: PortContext): void {
  for (const { result } of edits) {
    if (result.edit.kind !== 'guard-wrap') continue;
    for (const p of result.placements) {
      const name = p.definition;
      if (name === null || p.segments.length !== 2 || !p.segments.every((s) => s.site.whole)) continue;
      const kept = new Set(result.placements.filter(keepsWork).map((other) => other.definition));
      const users = newCallers(name, context).flatMap(({ definition: d }) => (kept.has(d.name) ? [] : [`'${d.name}'`]));
      if (users.length === 0) continue;
      p.confidence = Math.min(p.confidence, USED);
      const callers = [...new Set(users)].slice(0, 3).join(', ');
      const text = `under the guard '${name}' does nothing, but ${callers} of the target calls it, and nothing of the base so called did`;
      p.evidence.push({ kind: 'doubt', text });
    }
  }
}

function rangeOf(p: Placed): { first: number; last: number } {
  const [first, last] = [p.segments[0]!.site, p.segments[p.segments.length - 1]!.site];
  return { first: first.at, last: Math.max(last.at, first.at + first.remove) };
}

/** The lines that a placement really holds: what a guard leaves out lies between two pieces of it. */
function rangesOf(p: Placed): { first: number; last: number }[] {
  const found: { first: number; last: number }[] = [];
  let depth = 0;
  let first = 0;
  for (const { added, site } of p.segments) {
    const count = (word: RegExp) => added.filter((l) => word.test(l)).length;
    const before = depth;
    depth += count(/^\s*#\s*if/) - count(/^\s*#\s*endif\b/);
    if (before === 0) first = site.at;
    if (depth === 0 && (before > 0 || site.remove > 0))
      found.push({ first, last: Math.max(site.at, first + site.remove) });
  }
  return depth === 0 && found.length > 1 ? found : [rangeOf(p)];
}

/** Functions of the target that mention a name on a line which no guard of the set holds. */
function usersOf(name: string, covered: (path: ByteString, line: number) => boolean, context: PortContext): string[] {
  const uses = usesOf(name, context.target.kernel).filter((u) => !covered(u.path, u.line));
  return [...new Set(uses.map((u) => `'${u.user}'`))];
}
