import type { ByteString } from '../core/text';
import { tokenLines } from './align';
import type { Placed } from './place';
import type { EditResult } from './port-edit';
import type { PlacedEdit } from './uses';
import { definitionAt, type PorterFile } from './view';

/** A new place of what the set changes everywhere is left as upstream has it: the others are at most this sure. */
const OWED = 0.75;

/**
 * What a set takes out wherever its base has it, two times or more, it would take out of code that upstream has put in since,
 * too. Such code is not changed, for nothing says how; it is said.
 */
export function sayNewPlaces(edits: readonly PlacedEdit[]): void {
  const groups = new Map<string, PlacedEdit[]>();
  for (const e of edits) {
    const line = lineTakenOut(e);
    if (line === null) continue;
    const key = `${e.base.path}\0${line}`;
    groups.set(key, [...(groups.get(key) ?? []), e]);
  }
  for (const [key, group] of groups) {
    const line = key.slice(key.indexOf('\0') + 1);
    const { base } = group[0]!;
    if (group.length < 2 || linesWith(line, base).length !== group.length) continue;
    const files = new Map(group.flatMap(({ result }) => result.placements.map((p) => [p.file.path, p.file] as const)));
    for (const file of files.values()) {
      const held = edits.flatMap(({ result }) => result.placements.filter((p) => p.file.path === file.path));
      const left = linesWith(line, file).filter((at) => !held.some((p) => holds(p, at)));
      if (left.length === 0) continue;
      const where = left.map((at) => `${at + 1} (${definitionAt(file, at)?.name ?? 'outside of definitions'})`);
      const said = base.lines[linesWith(line, base)[0]!]!.trim().replace(/\s+/g, ' ');
      const text = `the set takes out '${said}' wherever its base has it, ${group.length} times; left in ${file.path}: ${where.slice(0, 3).join(', ')}`;
      for (const { result } of group) doubt(result, file.path, text);
    }
  }
}

function doubt(result: EditResult, path: ByteString, text: string): void {
  for (const p of result.placements) {
    if (p.file.path !== path) continue;
    p.confidence = Math.min(p.confidence, OWED);
    p.evidence.push({ kind: 'doubt', text });
  }
}

/** The one line of code that an edit takes out, always or under its guard; null when it takes out none, or more. */
function lineTakenOut({ result: { edit }, base }: PlacedEdit): string | null {
  const gone = edit.wraps
    ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1)
    : edit.segments.flatMap((s) => s.removed);
  const code = tokenLines(gone).filter((l) => l.key !== '');
  return code.length === 1 && code[0]!.weight >= TELLING ? code[0]!.key : null;
}

const TELLING = 0.9;

function linesWith(key: string, file: PorterFile): number[] {
  return tokenLines(file.lines).flatMap((l, at) => (l.key === key ? [at] : []));
}

function holds(p: Placed, line: number): boolean {
  const [first, last] = [p.segments[0]!.site, p.segments[p.segments.length - 1]!.site];
  return line >= first.at && line < Math.max(last.at + last.remove, first.at + first.remove);
}
