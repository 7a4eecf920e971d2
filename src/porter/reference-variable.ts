import { stripComments, tokens, type ByteString } from '../core/text';
import { declaredIn } from './locals';
import type { Lifted } from './reference-match';

/** An edit with the lines that it guards out. */
export interface Wrapping {
  edit: Lifted;
  wrapped: readonly ByteString[];
}

/** What is known of the words of the set and of the kernel that it goes to. */
export interface Words {
  /** Reads a word of the set's base as the target does. */
  rename: (word: string) => string;
  /** True for a word that the base defines, as a symbol or as a field, and the target does not. */
  isGone: (word: string) => boolean;
}

/**
 * Upstream may make one statement of what a definition did with a local variable in several: the edits that guard these
 * out are then one edit in a set that was made for the later kernel. Gives those of `mine` that `their` stands for: all
 * that guard out a line with the variable that `their` guards out the declaration of, in the same definition, by the same
 * condition. None when a line of theirs would be guarded out no more: each has no word that `their` does not guard
 * out, or has one that is gone from the target, so that the line cannot be there.
 */
export function sameVariable(mine: readonly Wrapping[], their: Wrapping, { rename, isGone }: Words): Wrapping[] {
  const { scope, edit } = their.edit;
  if (scope === null || edit.guard === null) return [];
  const words = new Set(tokens(code(their.wrapped)));
  for (const variable of declaredIn(their.wrapped.join(''))) {
    const group = mine.filter((m) => m.edit.scope === scope && tokens(code(m.wrapped)).includes(variable));
    if (!group.some((m) => declaredIn(m.wrapped.join('')).has(variable))) continue;
    if (group.some((m) => m.edit.edit.guard !== edit.guard || m.edit.edit.branches.length > 1)) continue;
    const lines = group.flatMap((m) => code(m.wrapped).split('\n'));
    const isServed = (line: ByteString) => {
      const own = line.match(/[A-Za-z_]\w*/g) ?? [];
      return own.every((w) => words.has(rename(w))) || own.some(isGone);
    };
    if (lines.every(isServed)) return group;
  }
  return [];
}

function code(lines: readonly ByteString[]): ByteString {
  return stripComments(lines.join(''));
}
