import { stripComments, type ByteString } from '../core/text';
import { isDeclaration } from './blocks';
import { scopeOf } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/** At most this sure: half of what the set does together is not there. */
const HALF = 0.75;

/**
 * Edits that only make sense together: what pushes and what pops, and all that works with a local of the set's. Where one of
 * them found no place, the others are named with it, and none is sure.
 */
export function sayPartners(results: readonly EditResult[], base: PorterFile): void {
  const pairs = base.index.language === 'asm' ? byStack(results, base) : byLocal(results, base);
  for (const { partners, what } of pairs) {
    const lost = partners.filter((r) => r.outcome === 'conflict');
    if (lost.length === 0) continue;
    const hunks = [...new Set(lost.flatMap((r) => r.edit.hunks.map((h) => h.id)))].join(', ');
    const text = `${what} is the work of hunk ${hunks}, too, which found no place for it`;
    for (const p of partners.flatMap((r) => r.placements)) {
      p.confidence = Math.min(p.confidence, HALF);
      if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
    }
  }
}

interface Partners {
  partners: EditResult[];
  what: string;
}

/** Edits of one file that move the stack pointer by the same amount, up and down. */
function byStack(results: readonly EditResult[], base: PorterFile): Partners[] {
  const open: { result: EditResult; by: number }[] = [];
  const pairs: Partners[] = [];
  for (const result of results) {
    const by = stackMove(result, base);
    if (by === 0) continue;
    const other = open.findIndex((o) => o.by === -by);
    if (other < 0) open.push({ result, by });
    else pairs.push({ partners: [open.splice(other, 1)[0]!.result, result], what: 'the stack pointer' });
  }
  return pairs;
}

/** By how many bytes an edit moves the stack pointer more than the code that it takes out. */
function stackMove({ edit }: EditResult, base: PorterFile): number {
  if (edit.guard === null) {
    const moved = edit.segments.map((s) => stackPointer(s.added) - stackPointer(s.removed));
    return moved.reduce((a, b) => a + b, 0);
  }
  const added = edit.branches.map((b) => stackPointer(b.added)).find((n) => n !== 0) ?? 0;
  const wrapped = edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : [];
  return added - stackPointer(wrapped);
}

function stackPointer(lines: readonly ByteString[]): number {
  let by = 0;
  for (const line of lines) {
    const code = stripComments(line);
    const [, before, after, word, moved] =
      /\[sp,\s*#(-?\d+)\]!|\[sp\],\s*#(-?\d+)|^\s*(add|sub)\s+sp,\s*sp,\s*#(\d+)/.exec(code) ?? [];
    by += Number(before ?? after ?? 0) + (word === 'sub' ? -1 : 1) * Number(moved ?? 0);
  }
  return by;
}

/** Edits of one function that work with a local which the set adds. */
function byLocal(results: readonly EditResult[], base: PorterFile): Partners[] {
  return results.flatMap((result) => {
    const scope = scopeOf(base, result.edit.segments[0]!);
    if (scope?.kind !== 'function') return [];
    const home = base.text.slice(scope.start, scope.end);
    return localsOf(added(result)).flatMap((name) => {
      const word = new RegExp(`\\b${name}\\b`);
      if (word.test(stripComments(home))) return [];
      const users = results.filter(
        (r) => scopeOf(base, r.edit.segments[0]!) === scope && added(r).some((l) => word.test(stripComments(l))),
      );
      return users.length > 1 ? [{ partners: users, what: `'${name}'` }] : [];
    });
  });
}

const added = ({ edit }: EditResult) => edit.segments.flatMap((s) => s.added);

/** The names of one level of blocks: what is declared deeper belongs to its own edit. */
function localsOf(lines: readonly ByteString[]): string[] {
  const depth = Math.min(...lines.filter((l) => /^\t+\S/.test(l)).map((l) => /^\t+/.exec(l)![0].length));
  return lines.flatMap((line) => {
    if (!isDeclaration(line) || /^\t*/.exec(line)![0].length > depth) return [];
    const head = stripComments(line).split(/[=[;]/)[0]!;
    const name = /([A-Za-z_]\w*)\s*$/.exec(head)?.[1];
    return name ? [name] : [];
  });
}
