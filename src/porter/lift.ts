import type { Hunk } from '../core/patch';
import { chomp, stripComments, type ByteString } from '../core/text';
import type { Language } from '../kernel-index/types';

/** What an edit does, once understood. Facts of a real set: guards around existing code are half of all hunks. */
export type EditKind =
  | 'guard-wrap'
  | 'guarded-replace'
  | 'guarded-insert'
  | 'insert'
  | 'add-definition'
  | 'add-member'
  | 'add-case'
  | 'add-include'
  | 'add-prototype'
  | 'add-macro'
  | 'list-entry'
  | 'substitute'
  | 'delete'
  | 'whitespace';

/** How a segment hangs on the code around it. */
export type Anchor =
  /** Opens a guard: belongs to the first line that it wraps. */
  | 'next'
  /** Closes a guard, or goes on after what was wrapped: belongs to the last line that it wraps. */
  | 'previous'
  /** Stands between two neighbours. */
  | 'between'
  /** Takes the place of lines. */
  | 'lines';

/** One contiguous piece of an edit: `removed` base lines at `at` give way to `added` lines. */
export interface Segment {
  /** 0-based base line before which it stands; the first removed line when there is one. */
  at: number;
  removed: ByteString[];
  added: ByteString[];
  anchor: Anchor;
  hunk: Hunk;
  /** Order within the file: segments at one place keep it. */
  order: number;
}

/**
 * What a patch means by a piece of change: one balanced guard region with everything that it adds, or one run of changed
 * lines. A guard that opens in one hunk and closes in another is one edit of both.
 */
export interface Edit {
  kind: EditKind;
  /** The condition of the guard that the edit adds, as written; null when it adds none. */
  guard: string | null;
  segments: Segment[];
  hunks: Hunk[];
  /** Base lines (0-based, inclusive) that a guard wraps; null when it wraps none. */
  wraps: { first: number; last: number } | null;
  /** For a guard: what it adds in each of its branches, with the directive that begins the branch. */
  branches: { directive: ByteString; added: ByteString[] }[];
  /** False when an added `#if` has no added `#endif` (or the reverse). */
  balanced: boolean;
}

interface Mark {
  sign: ' ' | '+' | '-';
  text: ByteString;
  /** Base line of a context or removed line; for an added one the base line that follows. */
  at: number;
  hunk: Hunk | null;
}

const DIRECTIVE = /^\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b\s*([^]*)$/;
const MAKE_DIRECTIVE = /^\s*(ifdef|ifndef|ifeq|ifneq|else|endif)\b\s*([^]*)$/;

interface Region {
  first: number;
  last: number;
  /** Index of the marks that open, divide and close it. */
  cuts: number[];
  condition: string;
  balanced: boolean;
}

/**
 * Lifts the hunks of one file to edits. `base` is the file that the hunks apply to, at their stated lines.
 *
 * Every changed line of every hunk ends up in exactly one segment of exactly one edit.
 */
export function liftEdits(base: readonly ByteString[], hunks: readonly Hunk[], language: Language): Edit[] {
  const marks = replay(base, hunks);
  const regions = addedGuards(marks, language);
  const owner = new Int32Array(marks.length).fill(-1);
  const groups: { marks: number[]; region: Region | null }[] = [];
  for (const region of regions) {
    const group = { marks: [] as number[], region };
    for (let i = region.first; i <= region.last; i++) {
      if (marks[i]!.sign !== ' ') {
        owner[i] = groups.length;
        group.marks.push(i);
      }
    }
    // What is removed right beside a guard is what the guard replaces; a blank line added there is its spacing.
    for (const [step, from] of [[-1, region.first - 1] as const, [1, region.last + 1] as const]) {
      for (let i = from; marks[i] && isBeside(marks[i]!) && owner[i]! < 0; i += step) {
        owner[i] = groups.length;
        group.marks.push(i);
      }
    }
    // A comment of the set's own directly above its guard speaks of what is in it.
    let top = region.first;
    while (isOwnComment(marks, top - 1) && owner[top - 1]! < 0) top--;
    for (let i = top; i < region.first; i++) {
      if (owner[i]! >= 0) continue;
      owner[i] = groups.length;
      group.marks.push(i);
    }
    group.marks.sort((a, b) => a - b);
    groups.push(group);
  }
  for (let i = 0; i < marks.length; i++) {
    if (marks[i]!.sign === ' ' || owner[i]! >= 0) continue;
    const group = { marks: [] as number[], region: null };
    for (; i < marks.length && marks[i]!.sign !== ' ' && owner[i]! < 0; i++) {
      owner[i] = groups.length;
      group.marks.push(i);
    }
    i--;
    groups.push(group);
  }
  return groups
    .map((g) => makeEdit(marks, g.marks, g.region, language))
    .sort((a, b) => a.segments[0]!.order - b.segments[0]!.order);
}

function isOwnComment(marks: readonly Mark[], i: number): boolean {
  const mark = marks[i];
  return mark?.sign === '+' && /^\s*(\/\*|\*(\s|\/|$)|\/\/)|\*\/\s*$/.test(mark.text);
}

function isBeside(mark: Mark): boolean {
  return mark.sign === '-' || (mark.sign === '+' && mark.text.trim() === '');
}

/** Base and patched file in one sequence. */
function replay(base: readonly ByteString[], hunks: readonly Hunk[]): Mark[] {
  const marks: Mark[] = [];
  let at = 0;
  for (const hunk of [...hunks].sort((a, b) => a.oldStart - b.oldStart || a.newStart - b.newStart)) {
    const start = hunk.oldCount === 0 ? hunk.oldStart : hunk.oldStart - 1;
    for (; at < start; at++) marks.push({ sign: ' ', text: base[at]!, at, hunk: null });
    for (const line of hunk.lines) {
      const sign = line[0] as Mark['sign'];
      marks.push({ sign, text: line.slice(1), at, hunk });
      if (sign !== '+') at++;
    }
  }
  for (; at < base.length; at++) marks.push({ sign: ' ', text: base[at]!, at, hunk: null });
  return marks;
}

/** Outermost conditionals that the patch adds, found in the patched file; those that it adds only half of, too. */
function addedGuards(marks: readonly Mark[], language: Language): Region[] {
  const pattern =
    language === 'kbuild' ? MAKE_DIRECTIVE : language === 'kconfig' || language === 'text' ? null : DIRECTIVE;
  if (!pattern) return [];
  const regions: Region[] = [];
  const stack: { open: number; cuts: number[]; condition: string }[] = [];
  marks.forEach((mark, i) => {
    if (mark.sign === '-') return;
    const m = pattern.exec(chomp(mark.text));
    if (!m) return;
    const word = m[1]!;
    if (word.startsWith('if')) {
      stack.push({ open: i, cuts: [i], condition: `${word} ${stripComments(m[2]!).trim()}` });
    } else if (word === 'endif') {
      const top = stack.pop();
      if (!top) return;
      const added = [...top.cuts, i].filter((c) => marks[c]!.sign === '+').length;
      if (added === 0) return;
      const ends = Number(marks[top.open]!.sign === '+') + Number(mark.sign === '+');
      // An `#else` or `#elif` added to a conditional that was there is a plain insertion.
      if (ends === 0) return;
      regions.push({
        first: top.open,
        last: i,
        cuts: [...top.cuts, i],
        condition: top.condition,
        balanced: ends === 2,
      });
    } else if (stack.length) stack[stack.length - 1]!.cuts.push(i);
  });
  const outermost: Region[] = [];
  for (const region of regions.sort((a, b) => a.first - b.first || b.last - a.last)) {
    if (outermost.length && region.last <= outermost[outermost.length - 1]!.last) continue;
    outermost.push(region);
  }
  return outermost;
}

function makeEdit(marks: readonly Mark[], members: readonly number[], region: Region | null, language: Language): Edit {
  const context: Mark[] = [];
  if (region) {
    for (let i = region.first; i <= region.last; i++) if (marks[i]!.sign === ' ') context.push(marks[i]!);
  }
  const wrapped = context.filter((m) => m.text.trim() !== '');
  const segments: Segment[] = [];
  let last = -2;
  for (const i of members) {
    const mark = marks[i]!;
    let segment = segments[segments.length - 1];
    if (!segment || i !== last + 1 || segment.hunk !== mark.hunk) {
      segment = { at: mark.at, removed: [], added: [], anchor: 'between', hunk: mark.hunk!, order: i };
      segments.push(segment);
    }
    (mark.sign === '+' ? segment.added : segment.removed).push(mark.text);
    last = i;
  }
  segments.forEach((s, i) => {
    if (s.removed.some((l) => stripComments(l).trim() !== '')) s.anchor = 'lines';
    else if (!region || wrapped.length === 0) s.anchor = 'between';
    else if (i === 0 && wrapped[0]!.at >= s.at) s.anchor = 'next';
    else if (i === segments.length - 1 || !wrapped.some((w) => w.at >= s.at)) s.anchor = 'previous';
    else s.anchor = 'between';
  });
  return {
    kind: kindOf(segments, region, wrapped.length > 0, language),
    guard: region ? region.condition : null,
    segments,
    hunks: [...new Set(segments.map((s) => s.hunk))],
    wraps: wrapped.length ? { first: wrapped[0]!.at, last: wrapped[wrapped.length - 1]!.at } : null,
    branches: region ? branchesOf(marks, region) : [],
    balanced: region?.balanced ?? true,
  };
}

function branchesOf(marks: readonly Mark[], region: Region): Edit['branches'] {
  return region.cuts.slice(0, -1).map((cut, i) => ({
    directive: marks[cut]!.text,
    added: marks
      .slice(cut + 1, region.cuts[i + 1])
      .filter((m) => m.sign === '+')
      .map((m) => m.text),
  }));
}

/** The kind by what is added and removed; where it stands refines it later (see `scope.ts`). */
function kindOf(segments: readonly Segment[], region: Region | null, wraps: boolean, language: Language): EditKind {
  const code = (lines: ByteString[]) =>
    lines.map((l) => stripComments(l).trim()).filter((l) => l !== '' && !/^\*/.test(l));
  const squeezed = (lines: ByteString[]) => code(lines).join(' ').replace(/\s+/g, '');
  const added = segments.flatMap((s) => s.added);
  const removed = segments.flatMap((s) => s.removed);
  const payload = code(added).filter((l) => !(language === 'kbuild' ? MAKE_DIRECTIVE : DIRECTIVE).test(l));
  if (region && wraps) return payload.length || code(removed).length ? 'guarded-replace' : 'guard-wrap';
  if (region && code(removed).length) return 'guarded-replace';
  if (squeezed(added) === squeezed(removed)) return 'whitespace';
  if (code(removed).length) return payload.length ? 'substitute' : 'delete';
  if (language === 'kconfig' || language === 'kbuild' || language === 'lds') return 'list-entry';
  if (payload.length === 0) return region ? 'guarded-insert' : 'whitespace';
  if (payload.every((l) => /^#\s*include\b/.test(l))) return 'add-include';
  return region ? 'guarded-insert' : 'insert';
}
