import { usageError } from '../core/errors';
import type { Candidate, HunkReport } from '../core/outcome';
import type { PortReport } from '../core/report';
import { splitLines, type ByteString } from '../core/text';
import type { Edit } from '../porter/lift';
import { lineIn } from '../porter/resolutions';
import { definitionAround, type PorterFile } from '../porter/view';
import type { LiftedFile } from './lifted';

/** Lines above and below a place that is in no definition. */
const AROUND = 20;

/** An edit that is not placed, where it would go: the lines (0-based, end exclusive) of the ported file that it is about. */
export interface OpenEdit {
  id: string;
  edit: Edit;
  from: number;
  to: number;
}

/** The part of a ported file that a person works on. */
export interface Sheet {
  file: PorterFile;
  from: number;
  to: number;
  edits: OpenEdit[];
}

/** The edits of a hunk that are left: those without a place, else those that have nothing to do any more. */
export function openEdits(hunk: HunkReport): HunkReport['edits'] {
  const conflicts = hunk.edits.filter((e) => e.outcome === 'conflict');
  return conflicts.length ? conflicts : hunk.edits.filter((e) => e.outcome === 'obsolete');
}

/** The target file that a hunk is resolved in: as the user says, by its candidates, or where its file is now. */
export function fileToEdit(
  hunk: HunkReport,
  report: PortReport,
  file: string | null,
  has: (path: ByteString) => boolean,
): ByteString {
  const candidates = openEdits(hunk).flatMap((e) => e.candidates.map((c) => c.path));
  const known = report.files.find((f) => f.patch === hunk.patch && f.path === hunk.path)?.targetPaths ?? [];
  const path = file ?? [...candidates, ...known, hunk.path].find(has);
  if (path !== undefined && has(path)) return path;
  throw usageError(
    file === null ? `nothing is known of where hunk ${hunk.id} belongs` : `the ported tree has no '${file}'`,
    `name the file of ${report.target.version} that it belongs to: '--file PATH'`,
  );
}

/**
 * Finds the part of the ported file that a hunk is about.
 *
 * @param original the file before the patch, which candidates are places of
 */
export function sheetOf(hunk: HunkReport, lifted: LiftedFile, file: PorterFile, original: ByteString | null): Sheet {
  const old = original === null ? null : splitLines(original);
  const here = (line: number) => (old === null ? line - 1 : lineIn(old, file.lines, line - 1));
  const named = file.outer.find((d) => d.name === hunk.source.definition) ?? null;
  const edits: OpenEdit[] = [];
  let points = false;
  for (const report of openEdits(hunk)) {
    const edit = [...lifted.edits].find(([, id]) => id === report.id)?.[0];
    if (!edit) continue;
    const candidate = report.candidates.find((c) => c.path === file.path);
    // Of a candidate that is a mere point, what is left of the lines around the edit knows more.
    const near = candidate?.parts?.length ? null : besideNeighbours(edit, lifted.lines, file, named);
    points ||= candidate !== undefined || near !== null;
    const nowhere = { from: named?.startLine ?? 0, to: named?.startLine ?? 0 };
    const range = near !== null ? { from: near, to: near } : candidate ? rangeOf(candidate, here) : nowhere;
    edits.push({ id: report.id, edit, ...range });
  }
  edits.sort((a, b) => a.from - b.from || a.edit.segments[0]!.order - b.edit.segments[0]!.order);
  for (let i = 1; i < edits.length; i++) {
    // Two that are about the same lines: they are shown with the first.
    const before = edits[i - 1]!;
    if (edits[i]!.from < before.to)
      Object.assign(edits[i]!, { from: before.to, to: Math.max(before.to, edits[i]!.to) });
  }
  if (!points && !named) return { file, from: 0, to: file.lines.length, edits };
  let [from, to] = [file.lines.length, 0];
  for (const e of edits) {
    const isNamed = !points || named?.startLine === e.from;
    const d = definitionAround(file, e.from) ?? (isNamed ? named : null);
    from = Math.min(from, d ? d.startLine : Math.max(0, e.from - AROUND));
    to = Math.max(to, e.to, d ? d.endLine + 1 : Math.min(file.lines.length, e.to + AROUND));
  }
  return { file, from, to, edits };
}

/** Lines above and below an edit that are looked for in the file that it goes to. */
const NEIGHBOURS = 12;

/**
 * The line (0-based) of a file that an edit would stand before if it stayed beside the nearest line that it has beside it
 * in the base; null when the file has none of those, or each several times. Lines that say nothing are no neighbours.
 */
function besideNeighbours(
  edit: Edit,
  base: readonly ByteString[],
  file: PorterFile,
  definition: { startLine: number; endLine: number } | null,
): number | null {
  const [first, end] = definition ? [definition.startLine, definition.endLine + 1] : [0, file.lines.length];
  const places = new Map<ByteString, number[]>();
  for (let i = first; i < end; i++) {
    const key = file.lines[i]!.trim();
    places.set(key, [...(places.get(key) ?? []), i]);
  }
  const once = (line: ByteString | undefined) => {
    if (line === undefined || !/\w{2}.*\w{2}/.test(line) || /^\s*(\/?\*|#\s*(if|else|endif|elif))/.test(line))
      return null;
    const found = places.get(line.trim());
    return found?.length === 1 ? found[0]! : null;
  };
  const { old } = sidesOf(edit, base);
  const from = edit.segments[0]!.at;
  for (let n = 1; n <= NEIGHBOURS; n++) {
    const above = once(base[from - n]);
    if (above !== null) return above + 1;
    const below = once(base[from + old.length - 1 + n]);
    if (below !== null) return below;
  }
  return null;
}

function rangeOf(candidate: Candidate, here: (line: number) => number): { from: number; to: number } {
  const { parts } = candidate;
  if (!parts?.length) return { from: here(candidate.line), to: here(candidate.line) };
  const last = parts[parts.length - 1]!;
  const from = here(parts[0]!.line);
  return { from, to: Math.max(from, here(last.line + last.remove)) };
}

/** What an edit makes of which lines of the base, wrapped lines included. */
export function sidesOf(edit: Edit, base: readonly ByteString[]): { old: ByteString[]; fresh: ByteString[] } {
  const first = edit.segments[0]!;
  const last = edit.segments[edit.segments.length - 1]!;
  const fresh: ByteString[] = [];
  let at = first.at;
  for (const s of edit.segments) {
    fresh.push(...base.slice(at, s.at), ...s.added);
    at = s.at + s.removed.length;
  }
  return { old: base.slice(first.at, last.at + last.removed.length), fresh };
}

/** The sheet as a person gets it: conflict markers with target, base and set. */
export function markedText(
  sheet: Sheet,
  base: readonly ByteString[],
  names: { target: string; base: string; set: string },
  reason: string,
): ByteString {
  const { lines } = sheet.file;
  const out: ByteString[] = [];
  let at = sheet.from;
  for (const e of sheet.edits) {
    out.push(...lines.slice(at, e.from));
    const { old, fresh } = sidesOf(e.edit, base);
    out.push(
      `<<<<<<< ${names.target} (target)\n`,
      ...lines.slice(e.from, e.to),
      `||||||| ${names.base} (base)\n`,
      ...old,
      '=======\n',
      ...fresh,
      `>>>>>>> ${names.set} ${e.edit.hunks.map((h) => h.id).join(' ')}: ${reason.replace(/\s+/g, ' ')}\n`,
    );
    at = Math.max(at, e.to);
  }
  out.push(...lines.slice(at, sheet.to));
  return out.map((l, i) => (l.endsWith('\n') || i === out.length - 1 ? l : `${l}\n`)).join('');
}

/** True when a text still has the marks of {@link markedText}; a bare `=======` may be a headline. */
export function isMarked(text: ByteString): boolean {
  return /^(<{7}|\|{7}|>{7}) /m.test(text);
}

/** The sheet with each edit at its candidate number `n` (from 1), word for word as the set has it. */
export function chosenText(sheet: Sheet, hunk: HunkReport, n: number, original: ByteString | null): ByteString {
  const { lines } = sheet.file;
  const old = original === null ? lines : splitLines(original);
  const changes: { at: number; remove: number; added: readonly ByteString[]; order: number }[] = [];
  for (const { id, edit } of sheet.edits) {
    const candidate = hunk.edits.find((e) => e.id === id)!.candidates[n - 1];
    if (candidate?.path !== sheet.file.path)
      throw usageError(`hunk ${hunk.id} has no candidate ${n}`, `run 'kport why ${hunk.id}' to see what it has`);
    const [only] = edit.segments;
    const isPoint = edit.segments.length === 1 && only!.removed.length === 0;
    const parts = candidate.parts ?? (isPoint ? [{ line: candidate.line, remove: 0 }] : null);
    if (parts?.length !== edit.segments.length) {
      throw usageError(
        `of candidate ${n} only one line is known, and the edit has ${edit.segments.length} parts or replaces lines`,
        `run 'kport continue ${hunk.id}' to make it in your editor`,
      );
    }
    edit.segments.forEach((segment, i) => {
      const at = lineIn(old, lines, parts[i]!.line - 1);
      const end = lineIn(old, lines, parts[i]!.line - 1 + parts[i]!.remove);
      changes.push({ at, remove: end - at, added: segment.added, order: segment.order });
    });
  }
  const out: ByteString[] = [];
  let at = sheet.from;
  for (const c of changes.sort((a, b) => a.at - b.at || a.order - b.order)) {
    if (c.at < at)
      throw usageError(
        `the parts of hunk ${hunk.id} would overlap at candidate ${n}`,
        `run 'kport continue ${hunk.id}'`,
      );
    out.push(...lines.slice(at, c.at), ...c.added);
    at = c.at + c.remove;
  }
  return [...out, ...lines.slice(at, sheet.to)].join('');
}
