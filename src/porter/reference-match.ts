import type { ByteString } from '../core/text';
import { sameSense, similarity, tokenLines } from './align';
import type { Edit } from './lift';
import { scopeOf } from './place';
import type { PorterFile } from './view';

/** A line says what it is about when it has this weight: two names or more. */
const TELLING = 0.7;
/** Edits with less in common than this are not versions of one. */
const ALIKE = 0.5;

/** What an edit is known by in another set. */
export interface Signature {
  /** `added`: by the lines that it adds; `wrapped`: that it guards out; `removed`: that it takes away. */
  kind: 'added' | 'wrapped' | 'removed';
  /** The telling lines, in the target's words; all lines when none of them tells. */
  keys: ReadonlySet<string>;
  /** All that it adds, blank lines, comments and preprocessor lines apart. */
  all: ReadonlySet<string>;
  /** The same of what it takes away. */
  removed: ReadonlySet<string>;
  /** False when none of its lines tells: then only the definition can. */
  tells: boolean;
  /** The definition that it changes from inside. */
  scope: string | null;
}

export type Lifted = Signature & { edit: Edit };

/** The telling lines of some code; preprocessor lines never are. */
export function telling(lines: readonly ByteString[], rename: (word: string) => string): string[] {
  return code(lines, rename).flatMap((l) => (l.weight >= TELLING ? [l.key] : []));
}

function code(lines: readonly ByteString[], rename: (word: string) => string) {
  return tokenLines(lines, rename).filter((l) => l.key !== '' && !/^# ?(if|else|elif|endif)/.test(l.key));
}

/** What an edit is known by. `rename` reads a base word as the target does. */
export function signatureOf(edit: Edit, base: PorterFile, rename: (word: string) => string): Signature {
  const read = (w: string) => rename(w);
  const scope = scopeOf(base, edit.segments[0]!)?.name ?? null;
  const pieces = [
    ['added', edit.segments.flatMap((s) => s.added)],
    ['wrapped', edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : []],
    ['removed', edit.segments.flatMap((s) => s.removed)],
  ] as const;
  const all = new Set(code(pieces[0][1], read).map((l) => l.key));
  const removed = new Set(code(pieces[2][1], read).map((l) => l.key));
  for (const [kind, lines] of pieces) {
    const own = code(lines, read);
    if (own.length === 0) continue;
    const keys = new Set(own.filter((l) => l.weight >= TELLING).map((l) => l.key));
    const tells = keys.size > 0;
    return {
      kind,
      keys: tells ? keys : new Set(own.map((l) => l.key)),
      all,
      removed,
      tells,
      scope: scope && rename(scope),
    };
  }
  return { kind: 'added', keys: new Set(), all, removed, tells: false, scope };
}

/** Lines that another version of an edit has in no form: neither so nor with other operands. */
export function lost(own: ReadonlySet<string>, other: ReadonlySet<string>): string[] {
  const words = [...other].map((k) => k.split(' '));
  return [...own].filter((k) => {
    const line = k.split(' ');
    return !other.has(k) && !words.some((w) => sameSense(line, w) && similarity(line, w) >= SAME_LINE);
  });
}

/** A line that has this share of its tokens in common with another is a version of it. */
const SAME_LINE = 0.6;

/** Dice of the telling lines; 0 when nothing can be said. */
function likeness(a: Signature, b: Signature): number {
  if (a.kind !== b.kind || a.tells !== b.tells || a.keys.size === 0 || b.keys.size === 0) return 0;
  // Lines that say little, or are but one, are told apart by where they stand.
  if (!a.tells && a.scope !== b.scope) return 0;
  if (a.kind === 'wrapped' && a.keys.size === 1 && a.scope !== b.scope) return 0;
  const shared = [...a.keys].filter((k) => b.keys.has(k)).length;
  return (2 * shared) / (a.keys.size + b.keys.size);
}

/** Pairs of edits that are each other's best match, and without a rival. */
export function matches<A extends Lifted, B extends Lifted>(mine: readonly A[], theirs: readonly B[]): Map<A, B> {
  const best = <X extends Lifted, Y extends Lifted>(x: X, list: readonly Y[]): Y | null => {
    let top: { y: Y; worth: number }[] = [];
    for (const y of list) {
      const alike = likeness(x, y);
      if (alike < ALIKE) continue;
      const worth = alike + (x.scope === y.scope ? SAME_SCOPE : 0);
      if (top.length && worth < top[0]!.worth) continue;
      if (top.length && worth > top[0]!.worth) top = [];
      top.push({ y, worth });
    }
    return top.length === 1 ? top[0]!.y : null;
  };
  const pairs = new Map<A, B>();
  for (const a of mine) {
    const b = best(a, theirs);
    if (b && best(b, mine) === a) pairs.set(a, b);
  }
  return pairs;
}

/** The same lines in the same definition are nearer than in another. */
const SAME_SCOPE = 0.05;
