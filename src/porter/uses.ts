import type { ByteString } from '../core/text';
import type { PortContext } from './context';
import type { Placed } from './place';
import type { EditResult } from './port-edit';
import { scopeOf } from './place';
import type { PorterFile } from './view';

/** An edit that was placed, with the file of the base that it was lifted from. */
export interface PlacedEdit {
  result: EditResult;
  base: PorterFile;
}

/** A definition that only some configurations have cannot be this sure while others use it. */
const USED = 0.75;

/**
 * A guard around a definition takes it from every user that stands outside of such guards. In the base the set guarded the
 * users, too; what upstream added or moved since is said, and makes the edit less sure.
 */
export function sayUncoveredUses(edits: readonly PlacedEdit[], context: PortContext): void {
  const ranges = new Map<ByteString, { first: number; last: number }[]>();
  for (const { result } of edits) {
    for (const p of result.edit.wraps ? result.placements : []) {
      const list = ranges.get(p.file.path) ?? [];
      list.push(rangeOf(p));
      ranges.set(p.file.path, list);
    }
  }
  const covered = (path: ByteString, line: number) =>
    (ranges.get(path) ?? []).some((r) => line >= r.first && line < r.last);
  for (const { result, base } of edits) {
    if (!result.edit.wraps || scopeOf(base, result.edit.segments[0]!) !== null) continue;
    for (const p of result.placements) {
      const added = p.segments.flatMap((s) => s.added).join('');
      const { first, last } = rangeOf(p);
      for (const d of p.file.outer) {
        if (d.startLine < first || d.endLine >= last || (d.kind !== 'function' && d.kind !== 'macro')) continue;
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

function rangeOf(p: Placed): { first: number; last: number } {
  const [first, last] = [p.segments[0]!.site, p.segments[p.segments.length - 1]!.site];
  return { first: first.at, last: Math.max(last.at, first.at + first.remove) };
}

/** Functions of the target that mention a name on a line which no guard of the set holds. */
function usersOf(name: string, covered: (path: ByteString, line: number) => boolean, context: PortContext): string[] {
  const word = new RegExp(`\\b${name}\\b`);
  const users: string[] = [];
  for (const { file, definition: d } of context.target.kernel.mentions(name)) {
    if (d.kind !== 'function' || d.name === name) continue;
    const text = file.text.slice(d.body?.start ?? d.start, d.end);
    const from = d.startLine + (file.text.slice(d.start, d.body?.start ?? d.start).match(/\n/g)?.length ?? 0);
    if (text.split('\n').some((l, i) => word.test(l) && !covered(file.path, from + i))) users.push(`'${d.name}'`);
  }
  return users;
}
