import { stripComments } from '../core/text';
import { assigned, similarity, type LineMatch } from './align';
import type { Edit, Segment } from './lift';
import type { Unit } from './units';
import type { PorterFile } from './view';

/** A scope of the base beside the one of the target that it became, with their units aligned. */
export interface Pairing {
  base: PorterFile;
  target: PorterFile;
  baseUnits: readonly Unit[];
  targetUnits: readonly Unit[];
  /** For each base unit its match among the target units. */
  match: readonly (LineMatch | null)[];
  /** 0-based line range of the scope in the target, inclusive; a site stays inside. */
  range: { first: number; last: number };
}

/**
 * How sure a site is.
 *
 * - `exact`: both neighbours (or all replaced lines) are found unchanged, and nothing came between them
 * - `anchored`: the line that the segment belongs to is found unchanged; around it something changed
 * - `shrunk`: one neighbour is unchanged, and upstream removed the other: what came behind it is next to the first now
 * - `order`: both neighbours are found, upstream put something between them
 * - `changed`: the line that it belongs to is found, but changed
 * - `beside`: one neighbour is unchanged, another line stands where the other was
 * - `wide`: both neighbours are gone; the next ones on both sides are found
 * - `one-sided`: only something on one side is found
 * - `block`: it is an end of a block that is found by what is in it
 */
export type Precision =
  'exact' | 'anchored' | 'shrunk' | 'order' | 'changed' | 'beside' | 'wide' | 'one-sided' | 'block';

/** Where a segment goes. */
export interface Site {
  /** 0-based target line before which the added lines go. */
  at: number;
  /** Target lines from `at` on that the added lines replace; 0 for an insertion. */
  remove: number;
  precision: Precision;
  /** One sentence: what was found. */
  why: string;
  /** True for an end of a guard that goes around a whole body or block: which lines are in it does not matter. */
  whole?: boolean;
  /** For a guard that grew over statements of upstream's: the lines from which on it did, `end` exclusive. */
  grownFrom?: { at: number; end: number };
}

/** No site, with the reason. */
export interface NoSite {
  at: null;
  why: string;
}

const text = (unit: Unit, file: PorterFile) => (file.lines[unit.first] ?? '').trim().slice(0, 60);

/** Finds the place of a segment among the units of a scope; `free` when its neighbours may come in any order. */
export function siteOf(segment: Segment, p: Pairing, wraps: Edit['wraps'] = null, free = false): Site | NoSite {
  const site = siteAmongUnits(segment, p, wraps, free);
  if (site.at === null || site.remove > 0 || segment.removed.length === 0) return site;
  return withRemovedTrivia(segment, site, p);
}

/** True when includes are all that a segment adds. */
function bringsIncludes(segment: Segment): boolean {
  const code = segment.added.map((l) => stripComments(l).trim()).filter((l) => l !== '');
  return (
    code.some((l) => INCLUDE.test(l)) && code.every((l) => INCLUDE.test(l) || /^#\s*(if|ifdef|ifndef|endif)\b/.test(l))
  );
}

const INCLUDE = /^#\s*include\b/;

function isInclude(p: Pairing, unit: number): boolean {
  return INCLUDE.test((p.target.lines[p.targetUnits[unit]?.first ?? -1] ?? '').trim());
}

/** Comments and blank lines that a segment removes are looked for near its site, word for word. */
function withRemovedTrivia(segment: Segment, site: Site, p: Pairing): Site | NoSite {
  const wanted = segment.removed.map((l) => l.trim()).join('\n');
  // Blank lines go where they stand right beside the place; others are others.
  if (wanted.trim() === '') {
    for (const at of [site.at - segment.removed.length, site.at]) {
      const there = p.target.lines.slice(Math.max(at, p.range.first), at + segment.removed.length);
      if (there.length === segment.removed.length && there.every((l) => l.trim() === ''))
        return { ...site, at, remove: segment.removed.length };
    }
    return { ...site, precision: segment.added.length === 0 ? 'exact' : site.precision };
  }
  for (let distance = 0; distance <= NEAR; distance++) {
    for (const at of [site.at - distance, site.at + distance]) {
      if (at < p.range.first || at + segment.removed.length > p.range.last + 1) continue;
      const there = p.target.lines.slice(at, at + segment.removed.length).map((l) => l.trim());
      if (there.join('\n') === wanted) return { ...site, at, remove: segment.removed.length };
    }
  }
  // Upstream changed or dropped the comment: there is nothing left to replace, and no code depends on it.
  if (segment.added.every((l) => stripComments(l).trim() === ''))
    return { at: null, why: 'the comment that it changes is gone' };
  return { at: null, why: 'the comment that it replaces is gone' };
}

/** How far from its site, in lines, a comment may have moved. */
const NEAR = 12;

function siteAmongUnits(segment: Segment, p: Pairing, wraps: Edit['wraps'], free: boolean): Site | NoSite {
  const end = segment.at + segment.removed.length;
  // Neighbours: the last unit that ends before the segment, the first that begins behind it.
  let previous = -1;
  while (previous + 1 < p.baseUnits.length && p.baseUnits[previous + 1]!.last < segment.at) previous++;
  let next = previous + 1;
  while (next < p.baseUnits.length && p.baseUnits[next]!.first < end) next++;
  if (segment.anchor === 'lines' && next > previous + 1) return siteOfLines(segment, p, previous + 1, next);

  const before = previous >= 0 ? p.match[previous]! : null;
  const after = next < p.baseUnits.length ? p.match[next]! : null;
  const atStart = previous < 0;
  const atEnd = next >= p.baseUnits.length;
  const beforeTo = atStart ? -1 : (before?.to ?? null);
  const afterTo = atEnd ? p.targetUnits.length : (after?.to ?? null);
  const beforeSame = atStart || before?.similarity === 1;
  const afterSame = atEnd || after?.similarity === 1;
  const adjacent = beforeTo !== null && afterTo !== null && afterTo === beforeTo + 1;
  const gap = { previous, next, beforeTo, afterTo };

  if (adjacent && beforeSame && afterSame) {
    return { ...lineOf(segment, p, gap, segment.anchor), precision: 'exact', why: 'both neighbours are unchanged' };
  }
  // A guard belongs to what it wraps: to the first (last) wrapped line that is still there.
  if (segment.anchor === 'next' && wraps) {
    const held = nearest(p, next, 1, (u) => u.first <= wraps.last);
    if (held !== null) {
      const found = p.match[held]!;
      const precision = held === next ? (found.similarity === 1 ? 'anchored' : 'changed') : 'changed';
      const why =
        held === next
          ? `the first wrapped line '${text(p.baseUnits[next]!, p.base)}' is ${precision === 'anchored' ? 'unchanged' : 'found, changed'}`
          : 'the first wrapped lines are gone, the next one is found';
      const site = lineOf(segment, p, { ...gap, next: held, afterTo: found.to }, 'next');
      return { ...(held === next ? site : withoutBlanks(site, p, 1)), precision, why };
    }
    const instead = next < p.baseUnits.length ? standIn(p, next) : null;
    if (instead !== null) {
      const site = lineOf(segment, p, { ...gap, afterTo: instead }, 'next');
      return { ...site, precision: 'changed', why: 'another line stands where the first wrapped line was' };
    }
    return {
      at: null,
      why: `the first wrapped line '${p.baseUnits[next] ? text(p.baseUnits[next]!, p.base) : ''}' is gone`,
    };
  }
  if (segment.anchor === 'previous' && wraps) {
    const held = nearest(p, previous, -1, (u) => u.last >= wraps.first);
    if (held !== null) {
      const found = p.match[held]!;
      const precision = held === previous ? (found.similarity === 1 ? 'anchored' : 'changed') : 'changed';
      const why =
        held === previous
          ? `the last wrapped line '${text(p.baseUnits[previous]!, p.base)}' is ${precision === 'anchored' ? 'unchanged' : 'found, changed'}`
          : 'the last wrapped lines are gone, the one before is found';
      const site = lineOf(segment, p, { ...gap, previous: held, beforeTo: found.to }, 'previous');
      return { ...(held === previous ? site : withoutBlanks(site, p, -1)), precision, why };
    }
    const instead = previous >= 0 ? standIn(p, previous) : null;
    if (instead !== null) {
      const site = lineOf(segment, p, { ...gap, beforeTo: instead }, 'previous');
      return { ...site, precision: 'changed', why: 'another line stands where the last wrapped line was' };
    }
    return {
      at: null,
      why: `the last wrapped line '${p.baseUnits[previous] ? text(p.baseUnits[previous]!, p.base) : ''}' is gone`,
    };
  }
  if (adjacent)
    return {
      ...lineOf(segment, p, gap, beforeSame ? 'between' : 'next'),
      precision: 'anchored',
      why: 'both neighbours are found side by side, one of them changed',
    };
  if (beforeTo !== null && afterTo !== null) {
    // Behind what upstream put there: its lines stay together with those that they followed.
    if (free && !belongsBelow(segment, p.base)) {
      let behind = afterTo - 1;
      // What is no include of upstream's does not come between those of the set and the others.
      if (bringsIncludes(segment) && isInclude(p, beforeTo))
        for (behind = beforeTo; behind + 1 < afterTo && isInclude(p, behind + 1);) behind++;
      const last = { previous, next, beforeTo: behind, afterTo: behind + 1 };
      const at = lineOf(segment, p, last, 'previous');
      return { ...at, precision: 'order', why: 'it goes behind what upstream put at the same place' };
    }
    const side = belongsBelow(segment, p.base) && afterSame ? 'next' : beforeSame ? 'previous' : 'next';
    return {
      ...lineOf(segment, p, gap, side),
      precision: 'order',
      why: 'upstream put something between the two neighbours',
    };
  }
  // One neighbour is gone, or both: look further on the side where it was.
  const above = nearest(p, previous, -1, () => true);
  const below = nearest(p, next, 1, () => true);
  const aboveTo = above === null ? -1 : p.match[above]!.to;
  const belowTo = below === null ? p.targetUnits.length : p.match[below]!.to;
  const touching = belowTo === aboveTo + 1;
  if (beforeTo !== null && !atStart && before!.similarity === 1) {
    const site = lineOf(segment, p, gap, 'previous');
    if (touching)
      return { ...site, precision: 'shrunk', why: 'the neighbour above is unchanged, upstream removed the one below' };
    return {
      ...site,
      precision: 'beside',
      why: 'the neighbour above is unchanged, the one below became something else',
    };
  }
  if (afterTo !== null && !atEnd && after!.similarity === 1) {
    const site = lineOf(segment, p, gap, 'next');
    if (touching)
      return { ...site, precision: 'shrunk', why: 'the neighbour below is unchanged, upstream removed the one above' };
    return {
      ...site,
      precision: 'beside',
      why: 'the neighbour below is unchanged, the one above became something else',
    };
  }
  if (above !== null && below !== null && p.match[above]!.similarity === 1) {
    return {
      ...lineOf(segment, p, { previous: above, next: below, beforeTo: aboveTo, afterTo: belowTo }, 'previous'),
      precision: touching ? 'shrunk' : 'wide',
      why: touching
        ? 'upstream removed the neighbours; what stood around them stands side by side'
        : 'both neighbours are gone; the lines around them are found',
    };
  }
  if (above !== null || below !== null) {
    const wide = {
      previous: above ?? -1,
      next: below ?? p.baseUnits.length,
      beforeTo: above === null ? null : aboveTo,
      afterTo: below === null ? null : belowTo,
    };
    return {
      ...lineOf(segment, p, wide, above !== null ? 'previous' : 'next'),
      precision: 'one-sided',
      why: 'the neighbours are gone, only something on one side is found',
    };
  }
  return { at: null, why: 'neither neighbour is found' };
}

/** True when a blank line parts the segment from what is above it, and none from what is below. */
function belongsBelow(segment: Segment, base: PorterFile): boolean {
  const blank = (line: string | undefined) => line === undefined || line.trim() === '';
  const above = segment.added[0]?.trim() === '' || blank(base.lines[segment.at - 1]);
  const below = segment.added[segment.added.length - 1]?.trim() === '' || blank(base.lines[segment.at]);
  return above && !below;
}

/** The first matched unit from `from` on in a direction, as long as `within` holds. */
function nearest(p: Pairing, from: number, step: 1 | -1, within: (unit: Unit) => boolean): number | null {
  for (let i = from; i >= 0 && i < p.baseUnits.length && within(p.baseUnits[i]!); i += step) {
    if (p.match[i]) return i;
  }
  return null;
}

interface Gap {
  previous: number;
  next: number;
  beforeTo: number | null;
  afterTo: number | null;
}

/**
 * The exact line inside a gap. Comments and blank lines are no units, so several lines may fit: those that stood between
 * the neighbour and the segment in the base stay between them, where the target has the same.
 */
function lineOf(segment: Segment, p: Pairing, gap: Gap, side: Segment['anchor']): { at: number; remove: 0 } {
  const { base, target } = p;
  const low = gap.beforeTo === null || gap.beforeTo < 0 ? p.range.first : p.targetUnits[gap.beforeTo]!.last + 1;
  const high =
    gap.afterTo === null || gap.afterTo >= p.targetUnits.length ? p.range.last + 1 : p.targetUnits[gap.afterTo]!.first;
  const end = segment.at + segment.removed.length;
  const fromBelow = side === 'next' && gap.afterTo !== null;
  if (fromBelow || gap.beforeTo === null) {
    // Walk up from the unit below over the trivia that belonged to it.
    const first = gap.next < p.baseUnits.length ? p.baseUnits[gap.next]!.first : p.base.lines.length;
    let at = high;
    const wasAboveComment = first > end;
    for (let b = first - 1; b >= end && at > low; b--) {
      if (base.lines[b] !== target.lines[at - 1]) break;
      at--;
    }
    // The comment above the unit changed: it still belongs to what it comments on.
    if (wasAboveComment && at === high) {
      while (at > low && isComment(target.lines[at - 1]!)) at--;
    }
    return { at, remove: 0 };
  }
  const last = gap.previous >= 0 ? p.baseUnits[gap.previous]!.last : -1;
  let at = low;
  for (let b = last + 1; b < segment.at && at < high; b++) {
    if (base.lines[b] !== target.lines[at]) break;
    at++;
  }
  // A comment that the target has between the segment's two neighbours and that the base did not have goes with what
  // follows it; a blank line is a fine place to stop.
  return { at, remove: 0 };
}

/** Blank lines that parted a wrapped line from one that is gone are no part of what is wrapped now. */
function withoutBlanks(site: { at: number; remove: 0 }, p: Pairing, inward: 1 | -1): { at: number; remove: 0 } {
  let { at } = site;
  const rim = () => p.target.lines[inward === 1 ? at : at - 1];
  while (at > p.range.first && at <= p.range.last && rim()?.trim() === '') at += inward;
  return { at, remove: 0 };
}

function isComment(line: string): boolean {
  return /^\s*(\/\*|\*|\/\/)|\*\/\s*$/.test(line);
}

/** A segment that replaces lines: every one of them must be found, in order, with nothing in between. */
function siteOfLines(segment: Segment, p: Pairing, from: number, to: number): Site | NoSite {
  const matches: LineMatch[] = [];
  for (let i = from; i < to; i++) {
    const m = p.match[i];
    if (!m) return { at: null, why: `the line '${text(p.baseUnits[i]!, p.base)}' is gone` };
    matches.push(m);
  }
  const first = matches[0];
  const last = matches[matches.length - 1];
  if (!first || !last) return { at: null, why: 'the replaced lines carry no code' };
  if (last.to - first.to !== matches.length - 1)
    return { at: null, why: 'upstream put something between the replaced lines' };
  const top = p.targetUnits[first.to]!.first;
  const bottom = p.targetUnits[last.to]!.last;
  const changed = matches.some((m) => m.similarity < 1);
  // Trivia at the segment's rim goes with it where the target has the same.
  let at = top;
  let corrected = false;
  const goesOn = (b: number, t: number) => {
    const [was, is] = [p.base.lines[b]!, p.target.lines[t]!];
    if (was === is) return true;
    if (!isComment(was) || !isComment(is) || similarity(wordsOf(was), wordsOf(is)) < STAND_IN) return false;
    corrected = true;
    return true;
  };
  for (let b = p.baseUnits[from]!.first - 1; b >= segment.at && at > p.range.first && goesOn(b, at - 1); b--) at--;
  let end = bottom + 1;
  const rim = segment.at + segment.removed.length;
  for (let b = p.baseUnits[to - 1]!.last + 1; b < rim && end <= p.range.last && goesOn(b, end); b++) end++;
  if (changed) return { at, remove: end - at, precision: 'changed', why: 'the replaced lines are found, but changed' };
  return corrected
    ? { at, remove: end - at, precision: 'anchored', why: 'the replaced code is found unchanged, its comment changed' }
    : { at, remove: end - at, precision: 'exact', why: 'the replaced lines are found unchanged' };
}

const wordsOf = (line: string) => line.match(/\w+/g) ?? [];

/** A line of the same shape at the very place of one that is gone, between the same neighbours; null when there is none. */
export function standIn(p: Pairing, i: number): number | null {
  const before = i === 0 ? -1 : p.match[i - 1]?.to;
  const after = i + 1 === p.match.length ? p.targetUnits.length : p.match[i + 1]?.to;
  if (before === undefined || after === undefined || after !== before + 2) return saysTheSame(p, i);
  // In assembly another instruction is another thing.
  if (p.base.index.language === 'asm') return null;
  if (assigned(p.baseUnits[i]!.tokens) !== assigned(p.targetUnits[before + 1]!.tokens)) return null;
  const alike = similarity(p.baseUnits[i]!.tokens, p.targetUnits[before + 1]!.tokens);
  return alike >= STAND_IN ? before + 1 : saysTheSame(p, i);
}

const CONSTANT = /^\w*[A-Z]\w*[A-Z]{2}\w*$/;
const words = new WeakMap<PorterFile, ReadonlySet<string>>();

/**
 * The one new line of the target, where the line that is gone was, that speaks of all the constants of it which the target's
 * file still has, two or more: `writel(ENABLE, base(x) + CONTROL)` became `x_write(x, CONTROL, ENABLE)`.
 */
function saysTheSame(p: Pairing, i: number): number | null {
  const found = sayingTheSame(p, i);
  return found.length === 1 ? found[0]! : null;
}

/** All such lines. */
export function sayingTheSame(p: Pairing, i: number): number[] {
  const unit = p.baseUnits[i]!;
  if (p.match[i] || p.base.index.language !== 'c' || unit.tokens[0] === '#') return [];
  let known = words.get(p.target);
  if (!known) words.set(p.target, (known = new Set(p.target.text.match(/[A-Za-z_]\w*/g))));
  const constants = new Set(
    unit.tokens.filter((w, k) => CONSTANT.test(w) && unit.tokens[k + 1] !== '(' && known.has(w)),
  );
  if (constants.size < 2) return [];
  const taken = new Set(p.match.flatMap((m) => (m ? [m.to] : [])));
  const low = Math.max(-1, ...p.match.slice(0, i).flatMap((m) => (m ? [m.to] : [])));
  const high = Math.min(p.targetUnits.length, ...p.match.slice(i + 1).flatMap((m) => (m ? [m.to] : [])));
  return p.targetUnits.flatMap((u, k) => {
    if (k <= low || k >= high || taken.has(k) || assigned(u.tokens) !== assigned(unit.tokens)) return [];
    const there = new Set(u.tokens.filter((w) => CONSTANT.test(w)));
    return [...constants].every((c) => there.has(c)) ? [k] : [];
  });
}

/** The lines of the target that are nothing but a call, with other arguments, of what a line that is gone calls. */
export function callingTheSame(p: Pairing, i: number): number[] {
  const callee = calledAlone(p.baseUnits[i]!.tokens);
  if (callee === null || p.match[i]) return [];
  if (p.baseUnits.filter((u) => calledAlone(u.tokens) === callee).length > 1) return [];
  return p.targetUnits.flatMap((u, k) => (calledAlone(u.tokens) === callee ? [k] : []));
}

/** What a line calls that is a whole statement and does nothing else. */
function calledAlone(words: readonly string[]): string | null {
  const [callee, open] = words;
  const whole = words[words.length - 1] === ';' && words[words.length - 2] === ')';
  return whole && open === '(' && /^[A-Za-z_]\w*$/.test(callee!) ? callee! : null;
}

/** Lines less alike than this do not stand in for one another. */
const STAND_IN = 0.5;
