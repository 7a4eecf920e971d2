import { hunkText, type Hunk } from '../core/patch';
import type { ByteString } from '../core/text';
import type { Segment } from './lift';

/** What was not placed of one hunk, with the reason. */
export interface RejectedHunk {
  hunk: Hunk;
  reason: string;
}

/** What was not placed of one file. */
export interface Reject {
  path: ByteString;
  hunks: RejectedHunk[];
}

/** Lines of context that a reject has, as git's patches. */
const CONTEXT = 3;

/**
 * A hunk with those of its segments alone that were not placed: what a person still has to do, and nothing that is done.
 */
export function remainder(base: readonly ByteString[], hunk: Hunk, segments: readonly Segment[]): Hunk {
  const sorted = [...segments].sort((a, b) => a.order - b.order);
  const last = sorted[sorted.length - 1]!;
  const start = Math.max(0, sorted[0]!.at - CONTEXT);
  const end = Math.min(base.length, last.at + last.removed.length + CONTEXT);
  const lines: ByteString[] = [];
  let at = start;
  for (const s of sorted) {
    for (; at < s.at; at++) lines.push(` ${base[at]}`);
    lines.push(...s.removed.map((l) => `-${l}`), ...s.added.map((l) => `+${l}`));
    at = s.at + s.removed.length;
  }
  for (; at < end; at++) lines.push(` ${base[at]}`);
  const count = (marks: string) => lines.filter((l) => marks.includes(l[0]!)).length;
  const [oldCount, newCount] = [count(' -'), count(' +')];
  return {
    ...hunk,
    oldStart: oldCount ? start + 1 : start,
    oldCount,
    newStart: newCount ? start + 1 : start,
    newCount,
    lines,
  };
}

/** A reject as a patch file: the hunks as the set has them, each under the reason why it was not placed. */
export function rejectText(reject: Reject): ByteString {
  const hunks = reject.hunks.map(
    ({ hunk, reason }) => `# ${hunk.id}: ${reason.replace(/\s+/g, ' ')}\n${hunkText(hunk)}`,
  );
  return `--- a/${reject.path}\n+++ b/${reject.path}\n${hunks.join('')}`;
}
