import type { Definition } from '../kernel-index/types';
import type { LineMatch } from './align';
import { stripComments, tokens } from '../core/text';
import { conditionalBetween } from './guards';
import { bodyWithDeclarations, grownGuard, isDeclaration, statementsIn } from './blocks';
import type { Edit, Segment } from './lift';
import { isTrivial, pairingOf, scopeOf, type Aligner, type Nothing, type PlacedSegment, type ScopePair } from './place';
import { callingTheSame, sayingTheSame, standIn, type Pairing, type Site } from './site';
import type { Unit } from './units';
import type { PorterFile } from './view';

/** True when the statements around a guard are known in both kernels: then {@link growGuard} judges it. */
export function canGrow(
  base: PorterFile,
  scope: Definition | null,
  target: PorterFile,
  pair: ScopePair | undefined,
): boolean {
  if (!scope || !pair || base.index.language !== 'c') return false;
  return statementsIn(base, scope).length > 0 && statementsIn(target, pair.target).length > 0;
}

/** Moves the ends of a guard to the ends of statements; null when there is nothing to judge. */
export function growGuard(
  edit: Edit,
  base: PorterFile,
  target: PorterFile,
  placed: PlacedSegment[],
  pairs: ReadonlyMap<Definition, ScopePair>,
  aligner: Aligner,
): { grew: boolean; why?: undefined } | { why: string } | null {
  const scope = scopeOf(base, edit.segments[0]!);
  const pair = scope ? pairs.get(scope) : undefined;
  if (!edit.wraps || !pair || placed.length < 2 || !canGrow(base, scope, target, pair)) return null;
  const [first, last] = [placed[0]!, placed[placed.length - 1]!];
  const p = aligner.definitions(base, scope!, target, pair.target);
  const theirs = new Set<number>();
  p.match.forEach((m, i) => {
    const unit = p.baseUnits[i]!;
    const wrapped = unit.first >= edit.wraps!.first && unit.last <= edit.wraps!.last;
    if (m && !wrapped) theirs.add(p.targetUnits[m.to]!.first);
  });
  const range = { at: first.site.at + first.site.remove, end: last.site.at };
  const grown = grownGuard(edit, base, scope!, target, pair.target, range, (line) => theirs.has(line));
  if (!grown || 'why' in grown) return grown;
  if (!grown.grew) return grown;
  // Lines that the guard replaces at its rim stand where they stand.
  if (first.site.remove || last.site.remove) return { why: 'the guard would hold only a part of a statement' };
  const body = edit.kind === 'guard-wrap' ? bodyWithDeclarations(target, pair.target, grown) : null;
  first.site = { ...first.site, at: body?.at ?? grown.at, grownFrom: range };
  last.site = { ...last.site, at: body?.end ?? grown.end };
  return grown;
}

/**
 * The wrapped code is not in the target any more. A guard that only took it out has nothing left to do; one that put
 * something in its place still puts it there.
 */
export function wrappedCodeIsGone(
  edit: Edit,
  base: PorterFile,
  target: PorterFile,
  pairs: ReadonlyMap<Definition, ScopePair>,
  aligner: Aligner,
): Nothing | null {
  if (!edit.wraps || edit.kind !== 'guard-wrap') return null;
  const p = pairingOf(edit, base, target, pairs, aligner);
  if (!p) return null;
  const wrapped = p.baseUnits
    .map((u, i) => ({ u, i }))
    .filter(({ u }) => u.first >= edit.wraps!.first && u.last <= edit.wraps!.last);
  if (
    wrapped.length === 0 ||
    wrapped.some(({ u, i }) => p.match[i] && (u.weight >= 0.7 || u.first === edit.wraps!.first)) ||
    wrapped.some(({ i }) => sayingTheSame(p, i).length > 0 || callingTheSame(p, i).length > 0)
  )
    return null;
  // Moved inside the file? Then it is not gone, and the guard should have moved with it.
  const everywhere = new Set(aligner.lines(base, target).targetUnits.map((u) => u.key));
  const telling = wrapped.filter(({ u }) => u.weight >= 0.9);
  if (telling.length === 0 || telling.some(({ u }) => everywhere.has(u.key))) return null;
  const first = (base.lines[wrapped[0]!.u.first] ?? '').trim().slice(0, 60);
  const reason = `the code that it guards out ('${first}'${wrapped.length > 1 ? ` and ${wrapped.length - 1} lines more` : ''}) is gone from the target`;
  return {
    placed: false,
    obsolete: true,
    reason,
    evidence: [{ kind: 'wrapped-code-gone', text: reason }],
    candidate: null,
  };
}

/**
 * What a guard wraps must still be there, all of it, and nothing but it.
 *
 * Lines that upstream added inside are wrapped, too, and said so. Lines that changed lower the confidence; a line that
 * became a call of something else, or that is gone, lowers it more.
 */
export function wrappedRange(
  edit: Edit,
  base: PorterFile,
  target: PorterFile,
  placed: readonly PlacedSegment[],
  pairs: ReadonlyMap<Definition, ScopePair>,
  aligner: Aligner,
): { ok: true; factor: number; why: string } | { ok: false; why: string } {
  if (!edit.wraps || edit.segments.length < 2) return { ok: true, factor: 1, why: '' };
  const scope = scopeOf(base, edit.segments[0]!);
  const pair = scope ? pairs.get(scope) : undefined;
  const p = pair ? aligner.definitions(base, scope!, target, pair.target) : aligner.items(base, target);
  const first = placed[0]!.site.at;
  const last = placed[placed.length - 1]!.site.at;
  if (last <= first) return { ok: false, why: 'the guard would wrap nothing' };
  const torn = conditionalBetween(target.index, first, last);
  if (torn !== null) return { ok: false, why: `the guard would hold only a part of what '#if ${torn}' begins or ends` };
  let [missing, moved, changed, other, total, swallowed] = [0, 0, 0, 0, 0, 0];
  const inside = new Set<number>();
  const core = placed[0]!.site.grownFrom;
  p.targetUnits.forEach((u, i) => {
    if (u.first >= first && u.last < last) inside.add(i);
  });
  const matched = new Set(p.match.flatMap((m) => (m ? [m.to] : [])));
  /** Upstream moved a line that the guard does not hold to where all of its kind lie inside. */
  const movedIn = (unit: Unit) => {
    const twins = p.targetUnits.flatMap((u, i) => (u.key === unit.key && !matched.has(i) ? [i] : []));
    return twins.length > 0 && twins.every((i) => inside.has(i));
  };
  p.baseUnits.forEach((unit, i) => {
    if (unit.first < edit.wraps!.first || unit.last > edit.wraps!.last) {
      const to = p.match[i]?.to;
      // What it grew over was looked at when it grew.
      const line = to === undefined ? -1 : p.targetUnits[to]!.first;
      const grown = core !== undefined && (line < core.at || line >= core.end);
      if (unit.weight >= 0.7 && !grown && (to !== undefined ? inside.has(to) : movedIn(unit))) swallowed++;
      return;
    }
    total++;
    const m = p.match[i];
    const instead = m ? null : standIn(p, i);
    if (instead !== null && inside.delete(instead)) changed++;
    else if (!m) {
      missing++;
      // Word for word elsewhere in the scope: upstream moved it out of what was wrapped.
      if (unit.weight >= 0.7 && p.targetUnits.some((u, k) => u.key === unit.key && !inside.has(k))) moved++;
    } else if (!inside.delete(m.to)) other++;
    else if (m.similarity < 1 || (!pair && reads(p.base, unit) !== reads(p.target, p.targetUnits[m.to]!))) changed++;
  });
  if (swallowed) return { ok: false, why: `${swallowed} lines that it does not wrap would lie inside the guard` };
  // Around a whole block the lines have been looked at already: some of their twins stand in other blocks.
  const whole = placed.every((s) => s.site.whole || isTrivial(s.segment, edit));
  if (moved && !whole) return { ok: false, why: `${moved} of the ${total} wrapped lines moved away from the others` };
  if (other && !whole) return { ok: false, why: `${other} of the ${total} wrapped lines would lie outside the guard` };
  const extra = inside.size;
  const words = [
    extra ? `${extra} lines of upstream's are inside now` : '',
    changed ? `${changed} of ${total} wrapped lines changed` : '',
    missing ? `${missing} of ${total} wrapped lines are gone` : '',
  ].filter(Boolean);
  // Whether what upstream added to a body is to go with it, the body does not say.
  if (whole)
    return {
      ok: true,
      factor: extra ? 0.92 : 1,
      why: words.length ? `whole body: ${words.join(', ')}` : 'whole body, unchanged',
    };
  // With both of its ends unchanged, or what they touch, the range is known, whatever upstream made of the middle.
  const ends = [p.baseUnits.findIndex((u) => u.first >= edit.wraps!.first), lastWrapped(p, edit.wraps)];
  const firm = (i: number) => p.match[i]?.similarity === 1 && p.baseUnits[i]!.weight >= 0.7;
  const next = ends.map((i, end) => firm(i) || bordered(p, i + (end ? 1 : -1), end ? 1 : -1, first, last));
  const held = total > 2 && next.every(Boolean);
  const same = missing && pair ? standsFor(edit, p, scope!, pair.target, { first, last }) : null;
  if (same) return { ok: true, factor: REWRITTEN, why: `${same}: ${words.join(', ')}` };
  if (missing * 2 > total && !(held && pair)) return { ok: false, why: words.join(', ') };
  // What a register was loaded with may be loaded elsewhere; the instruction that uses it is what counts.
  const lost = base.index.language === 'asm' ? 0.85 : 0.75;
  if (held && pair && missing) return { ok: true, factor: 0.72, why: words.join(', ') };
  const factor = (missing ? lost : 1) * (changed ? 0.85 : 1) * (extra ? 0.92 : 1);
  return { ok: true, factor, why: words.length ? words.join(', ') : 'all wrapped lines are unchanged' };
}

/**
 * True when the line beside the wrapped ones is unchanged and stands there once, the guard's end touches it, and between it
 * and the next wrapped line that is still there upstream put nothing.
 */
function bordered(p: Pairing, beside: number, outward: 1 | -1, first: number, last: number): boolean {
  const [unit, m] = [p.baseUnits[beside], p.match[beside]];
  if (!unit || m?.similarity !== 1) return false;
  const only = (units: readonly Unit[]) => units.filter((u) => u.key === unit.key).length === 1;
  if (unit.weight < 0.7 && (unit.weight < 0.5 || !only(p.baseUnits) || !only(p.targetUnits))) return false;
  const inner = p.targetUnits[m.to - outward];
  let held = beside - outward;
  while (p.baseUnits[held] && !p.match[held]) held -= outward;
  return p.match[held]?.to === m.to - outward && !!inner && inner.first >= first && inner.last < last;
}

/** A statement that upstream wrote anew. */
const REWRITTEN = 0.72;

/**
 * A guard that wraps one statement, whose lines are gone: between the same neighbours, unchanged and with nothing else in
 * between, stands one statement of the same kind, which makes the same calls and sets the same variables. Gives one sentence.
 */
function standsFor(
  edit: Edit,
  p: Pairing,
  from: Definition,
  to: Definition,
  range: { first: number; last: number },
): string | null {
  const wraps = edit.wraps!;
  const units = [p.baseUnits.findIndex((u) => u.first >= wraps.first), lastWrapped(p, wraps)] as const;
  const [above, below] = [p.match[units[0] - 1], p.match[units[1] + 1]];
  if (above?.similarity !== 1 || below?.similarity !== 1) return null;
  const [top, bottom] = [p.targetUnits[above.to]!, p.targetUnits[below.to]!];
  const inside = p.targetUnits.filter((u) => u.first > top.last && u.last < bottom.first);
  if (inside.some((u) => u.first < range.first || u.last >= range.last)) return null;
  const one = (file: PorterFile, fn: Definition, first: number, last: number) => {
    const held = statementsIn(file, fn).filter((s) => s.startLine >= first && s.endLine <= last);
    const [outer] = held;
    if (!outer || held.some((s) => s.start < outer.start || s.end > outer.end)) return null;
    const text = stripComments(file.text.slice(outer.start, outer.end));
    const called = [...text.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)].map((m) => m[1]!).filter((w) => !KEYWORDS.has(w));
    const set = [...text.matchAll(/(?<![.>\w])(\w+)\s*=(?!=)/g)].map((m) => m[1]!);
    return { kind: outer.kind, called: [...new Set(called)].sort().join(), set: [...new Set(set)].sort() };
  };
  const was = one(p.base, from, wraps.first, wraps.last);
  const is = one(p.target, to, range.first, range.last - 1);
  if (!was || !is || was.called === '' || was.kind !== is.kind || was.called !== is.called) return null;
  // A variable may have given way to another, as long as neither function has both.
  const words = (file: PorterFile, fn: Definition) => new Set(tokens(file.text.slice(fn.start, fn.end)));
  const [theirs, ours] = [words(p.target, to), words(p.base, from)];
  const [gone, fresh] = [was.set.filter((w) => !is.set.includes(w)), is.set.filter((w) => !was.set.includes(w))];
  if (gone.length !== fresh.length || gone.some((w) => theirs.has(w)) || fresh.some((w) => ours.has(w))) return null;
  return `one statement between the same neighbours, which calls '${was.called}' as the wrapped one does`;
}

const KEYWORDS = new Set(['if', 'for', 'while', 'switch', 'return', 'sizeof', 'do', 'likely', 'unlikely']);

function lastWrapped(p: Pairing, wraps: { last: number }): number {
  let i = p.baseUnits.length - 1;
  while (i >= 0 && p.baseUnits[i]!.last > wraps.last) i--;
  return i;
}

/** What an item says: two of one name may say different things. */
function reads(file: PorterFile, unit: Unit): string {
  return tokens(file.lines.slice(unit.first, unit.last + 1).join('')).join(' ');
}

/** What upstream made of the lines that an edit wraps or replaces: their text in both kernels, where it changed. */
export function changedLines(edit: Edit, p: Pairing): { from: string; to: string }[] {
  const first = edit.wraps?.first ?? edit.segments[0]!.at;
  const last = edit.wraps?.last ?? first + edit.segments[0]!.removed.length - 1;
  return p.baseUnits.flatMap((unit, i) => {
    if (unit.first < first || unit.last > last || unit.first !== unit.last) return [];
    const m = p.match[i];
    const to = m ? (m.similarity < 1 ? m.to : null) : standIn(p, i);
    if (to === null || p.targetUnits[to]!.first !== p.targetUnits[to]!.last) return [];
    return [{ from: p.base.lines[unit.first]!, to: p.target.lines[p.targetUnits[to]!.first]! }];
  });
}

const CALL = /([A-Za-z_]\w*)\s*\(/;

/**
 * What stands between two neighbours that are unchanged is what a guard wrapped there: where the lines at its rim changed,
 * the guard takes all of it. So it does, when it puts something in their place, with a new call of what it wraps.
 *
 * Gives one sentence when the ends moved.
 */
export function fillRange(edit: Edit, placed: readonly PlacedSegment[], p: Pairing): string | null {
  const ends = placed.filter((x) => !isTrivial(x.segment, edit));
  const [first, last] = [ends[0], ends[ends.length - 1]];
  if (!edit.wraps || !first || !last || first === last || ends.some((x) => x.site.whole || x.site.remove)) return null;
  const from = p.baseUnits.findIndex((u) => u.first >= edit.wraps!.first);
  const to = lastWrapped(p, edit.wraps);
  const [above, below] = [p.match[from - 1], p.match[to + 1]];
  if (!above || !below || above.similarity < 1 || below.similarity < 1) return null;
  const code = (file: PorterFile, u: { first: number; last: number }) => file.lines.slice(u.first, u.last + 1).join('');
  const calls = new Set(p.baseUnits.slice(from, to + 1).flatMap((u) => CALL.exec(code(p.base, u))?.[1] ?? []));
  const region = p.targetUnits.slice(above.to + 1, below.to);
  const declares = isDeclaration(code(p.base, p.baseUnits[from]!));
  while (!declares && region[0] && isDeclaration(code(p.target, region[0]))) region.shift();
  const limit = Math.max(3, to - from + 1);
  const takes = (rim: readonly { first: number; last: number }[], end: LineMatch | null | undefined) =>
    rim.length > 0 &&
    rim.length <= limit &&
    (!end ||
      end.similarity < 1 ||
      (edit.kind === 'guarded-replace' && rim.some((u) => calls.has(CALL.exec(code(p.target, u))?.[1] ?? ''))));
  const top = region.filter((u) => u.last < first.site.at);
  const bottom = region.filter((u) => u.first >= last.site.at);
  let moved = false;
  if (takes(top, p.match[from])) {
    first.site = { ...first.site, at: top[0]!.first };
    moved = true;
  }
  if (takes(bottom, p.match[to])) {
    last.site = { ...last.site, at: bottom[bottom.length - 1]!.last + 1 };
    moved = true;
  }
  return moved ? 'the guard takes all that stands between its unchanged neighbours' : null;
}

/** Functions that upstream calls under another name in the lines of an edit: old name to new. */
export function renamedCalls(changes: readonly { from: string; to: string }[]): Map<string, string> {
  const renamed = new Map<string, string>();
  for (const { from, to } of changes) {
    const [a, b] = [tokens(from), tokens(to)];
    const differ = [...a.keys()].filter((i) => a[i] !== b[i]);
    if (a.length === b.length && differ.length === 1 && a[differ[0]! + 1] === '(')
      renamed.set(a[differ[0]!]!, b[differ[0]!]!);
  }
  return renamed;
}

const WITH_VALUE = /^(\s*)(?:[A-Za-z_]\w*[\s*]+)+([A-Za-z_]\w*)\s*(=(?!=)[^]*)$/;

/**
 * Upstream took a declaration and its value apart, and of the lines of an edit kept the assignment: where the set declares
 * the variable again, with another value, it assigns it, too.
 */
export function asAssignment(line: string, changes: readonly { from: string; to: string }[]): string {
  const [, gap, name, value] = WITH_VALUE.exec(line) ?? [];
  if (name === undefined) return line;
  const apart = changes.some(
    ({ from, to }) => WITH_VALUE.exec(from)?.[2] === name && to.trim().startsWith(`${name} =`),
  );
  return apart ? `${gap!}${name} ${value!}` : line;
}

/** By how many tabs the code around a segment stands deeper (or less deep) than in the base. */
export function shiftOf(edit: Edit, segment: Segment, p: Pairing, site: Site): number {
  const near = p.baseUnits
    .map((u, i) => ({ u, m: p.match[i] }))
    .filter(({ u, m }) => m && (edit.wraps ? u.first >= edit.wraps.first && u.last <= edit.wraps.last : true))
    .sort((a, b) => Math.abs(a.u.first - segment.at) - Math.abs(b.u.first - segment.at));
  if (near.length === 0) return 0;
  const depth = (line: string) => /^\t*(?=\S)/.exec(line)?.[0].length ?? -1;
  // What upstream put between the place and a neighbour says where that one stands, and not where this does.
  const [above, below] = [
    p.targetUnits.findLastIndex((t) => t.last < site.at),
    p.targetUnits.findIndex((t) => t.first >= site.at + site.remove),
  ];
  const neighbours = [near.find((n) => n.u.first >= segment.at), near.find((n) => n.u.last < segment.at)];
  // A line that is replaced says itself how deep it stands.
  const beside =
    edit.wraps || site.remove ? undefined : neighbours.find((n) => n && (n.m!.to === above || n.m!.to === below));
  const { u, m } = beside ?? near[0]!;
  const [was, is] = [depth(p.base.lines[u.first]!), depth(p.target.lines[p.targetUnits[m!.to]!.first]!)];
  return was < 0 || is < 0 ? 0 : is - was;
}

/** Lines indented by so many tabs more; directives, labels and lines without indentation stay. */
export function indented(lines: readonly string[], shift: number): string[] {
  if (shift === 0) return [...lines];
  return lines.map((l) => {
    if (!/^\t/.test(l) || /^\s*#/.test(l)) return l;
    if (shift > 0) return '\t'.repeat(shift) + l;
    return l.replace(new RegExp(`^\\t{1,${-shift}}(?=\\t)`), '');
  });
}
