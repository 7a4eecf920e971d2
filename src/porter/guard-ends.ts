import type { Evidence } from '../core/outcome';
import { stripComments, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { Edit, Segment } from './lift';
import { isTrivial, scopeOf, type Placed } from './place';
import type { PorterFile } from './view';

/** A guard around base lines, which adds nothing between its two ends. */
export interface GuardEnds {
  edit: Edit;
  open: Segment;
  close: Segment;
  /** The definition that it lies in; null at file level. */
  scope: Definition | null;
}

const DIRECTIVE = /^\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b/;

/** The two ends of a guard; null when the edit is none, or changes more than a comment beside it. */
export function guardEnds(edit: Edit, base: PorterFile): GuardEnds | null {
  if (!edit.wraps || edit.guard === null || !edit.balanced) return null;
  const rest = edit.segments.filter((s) => !isTrivial(s, edit));
  const [open, close] = rest as [Segment, Segment];
  if (rest.length !== 2) return null;
  if (rest.some((s) => s.removed.some((l) => stripComments(l).trim() !== ''))) return null;
  const scope = scopeOf(base, close);
  return scopeOf(base, { ...open, anchor: 'next' }) === scope ? { edit, open, close, scope } : null;
}

/**
 * What the two ends add, with the set's own branch rewritten, and `last` at its end. A guard without such a branch gets one.
 * Null when the branch cannot be rewritten, or has conditionals of its own.
 */
export function inPayload(
  { open, close }: GuardEnds,
  rewrite: (lines: readonly ByteString[]) => ByteString[] | null,
  last: ByteString | null,
): { open: ByteString[]; close: ByteString[] } | null {
  const kinds = (lines: readonly ByteString[]) => lines.flatMap((l) => DIRECTIVE.exec(l)?.[1] ?? []).join(' ');
  const [above, below] = [kinds(open.added), kinds(close.added)];
  const tail = last === null ? [] : [last];
  const cut = (lines: readonly ByteString[], from: number, to: number) => {
    const read = rewrite(lines.slice(from, to));
    return read && [...lines.slice(0, from), ...read, ...tail, ...lines.slice(to)];
  };
  const at = (lines: readonly ByteString[], from = 0) => lines.findIndex((l, i) => i >= from && DIRECTIVE.test(l));
  if (/^if(n?def)?$/.test(above) && below === 'else endif') {
    const added = cut(
      close.added,
      at(close.added) + 1,
      close.added.findLastIndex((l) => DIRECTIVE.test(l)),
    );
    return added && { open: open.added, close: added };
  }
  if (/^if(n?def)? else$/.test(above) && below === 'endif') {
    const first = at(open.added);
    const added = cut(open.added, first + 1, at(open.added, first + 1));
    return added && { open: added, close: close.added };
  }
  if (!/^if(n?def)?$/.test(above) || below !== 'endif') return null;
  return { open: open.added, close: tail.length ? ['#else\n', ...tail, ...close.added] : close.added };
}

/** A placement of the two ends around target lines `at` to before `end`; lines of comment above `at` that give way are `gone`. */
export function withEnds(
  { open, close }: GuardEnds,
  added: { open: ByteString[]; close: ByteString[] },
  file: PorterFile,
  where: { at: number; end: number; why: string; gone?: number },
  said: { confidence: number; definition: string; evidence: Evidence[] },
): Placed {
  const { at, end, why, gone = 0 } = where;
  const site = { precision: 'block' as const, why };
  return {
    placed: true,
    file,
    segments: [
      { segment: open, added: added.open, site: { ...site, at: at - gone, remove: gone } },
      { segment: close, added: added.close, site: { ...site, at: end, remove: 0 } },
    ],
    strategy: 'structure',
    rewritten: true,
    ...said,
  };
}
