import { PLACED, type FileReport, type HunkReport } from '../../core/outcome';
import type { Hunk } from '../../core/patch';
import type { PortReport } from '../../core/report';
import { chomp, forDisplay, splitLines, type ByteString } from '../../core/text';
import type { LineChange, Scratch } from '../../io/scratch';
import { hunksOf, type PatchSet } from '../../patch-set/patch-set';
import type { PortSide } from '../diff-ports/sides';

/** A line of a hunk as it is shown: `@` begins a stretch elsewhere. */
export interface ShownLine {
  mark: ' ' | '+' | '-' | '@';
  text: string;
}

/** A hunk with what it was and what became of it. */
export interface HunkView {
  report: HunkReport;
  source: ShownLine[];
  /** The ported change, each place after the other; empty when nothing was put in. */
  ported: ShownLine[];
  /** For a conflict: the target's lines where it would most likely go; empty when no place is known. */
  candidate: ShownLine[];
}

/** Everything that a page about a port shows. Pure data. */
export interface PortView {
  report: PortReport;
  hunks: HunkView[];
  files: FileReport[];
}

/** Context lines around a change, as git has them. */
const CONTEXT = 3;
/** More lines of a candidate's place than this help nobody. */
const WINDOW = 40;
/** How far below its first line an edit may reach, beyond the length of its hunk. */
const SLACK = 40;

/** Looks up what the page shows: the hunks in the set, and what they became in the ported tree. */
export async function viewOf(report: PortReport, set: PatchSet, side: PortSide, scratch: Scratch): Promise<PortView> {
  const paths = [...new Set(report.hunks.flatMap((h) => h.target.map((t) => t.path)))].sort();
  const changed = new Map<ByteString, ChangedFile>();
  const pairs: { path: ByteString; a: ByteString; b: ByteString }[] = [];
  for (const path of paths) {
    const [a, b] = [await side.base.read(path), side.files.get(path)?.text ?? null];
    if (a !== null && b !== null) pairs.push({ path, a, b });
  }
  const ranges = await scratch.diffFiles(pairs, 'histogram');
  pairs.forEach(({ path, a, b }, i) =>
    changed.set(path, { old: splitLines(a), now: splitLines(b), ranges: ranges[i]! }),
  );

  const hunks = new Map<string, Hunk>();
  for (const { patch, hunk } of hunksOf(set)) hunks.set(`${patch.file} ${hunk.id}`, hunk);
  const views: HunkView[] = [];
  for (const h of report.hunks) {
    const hunk = hunks.get(`${h.patch} ${h.id}`);
    const place = h.outcome === 'conflict' ? bestPlace(h, report) : null;
    const text = place && (await side.base.read(place.path));
    views.push({
      report: h,
      source: hunk ? sourceLines(hunk) : [],
      ported: hunk ? portedLines(h, hunk, changed) : [],
      candidate: place && text != null ? linesAt(place, splitLines(text), hunk?.oldCount ?? 1) : [],
    });
  }
  return { report, files: report.files, hunks: views };
}

/**
 * Where a conflict would most likely go: the first candidate of an edit that is left, else where its work item has the
 * draft. A place without a definition in line 1 means no more than the file.
 */
function bestPlace(h: HunkReport, report: PortReport): { path: ByteString; line: number } | null {
  const item = report.workItems?.find((i) => i.hunks.includes(h.id));
  const own = h.edits.filter((e) => !PLACED.has(e.outcome)).flatMap((e) => e.candidates);
  return [...own, ...(item?.draft ? [item.draft] : [])].find((c) => c.line > 1) ?? null;
}

function linesAt({ path, line }: { path: ByteString; line: number }, lines: ByteString[], length: number): ShownLine[] {
  const from = Math.max(0, line - 1 - CONTEXT);
  const to = Math.min(lines.length, line - 1 + Math.min(length, WINDOW) + CONTEXT);
  if (from >= to) return [];
  const head: ShownLine = { mark: '@', text: `${forDisplay(path)}:${from + 1}, as the target has it` };
  return [head, ...lines.slice(from, to).map((l): ShownLine => ({ mark: ' ', text: shown(l) }))];
}

interface ChangedFile {
  old: ByteString[];
  now: ByteString[];
  ranges: LineChange[];
}

const shown = (line: ByteString) => forDisplay(chomp(line));

function sourceLines(hunk: Hunk): ShownLine[] {
  return hunk.lines.map((l) => ({ mark: l[0] as ShownLine['mark'], text: shown(l.slice(1)) }));
}

/** The changed ranges of the target that are this hunk's: below one of its places, and with a line of its own in them. */
function portedLines(report: HunkReport, hunk: Hunk, changed: ReadonlyMap<ByteString, ChangedFile>): ShownLine[] {
  const own = new Set(hunk.lines.filter((l) => l[0] !== ' ').map((l) => l.slice(1).trim()));
  const lines: ShownLine[] = [];
  for (const path of new Set(report.target.map((t) => t.path))) {
    const file = changed.get(path);
    if (!file) continue;
    const starts = report.target.filter((t) => t.path === path).map((t) => t.line - 1);
    const mine = file.ranges.filter((r) =>
      starts.some((at) => {
        const near = Math.abs(r.oldStart - at) <= 1;
        if (near) return true;
        if (r.oldStart < at - 1 || r.oldStart > at + hunk.newCount + SLACK) return false;
        const texts = [
          ...file.old.slice(r.oldStart, r.oldStart + r.oldCount),
          ...file.now.slice(r.newStart, r.newStart + r.newCount),
        ].map((l) => l.trim());
        return texts.some((t) => t !== '' && own.has(t));
      }),
    );
    lines.push(...windows(path, file, mine));
  }
  return lines;
}

/** The ranges with their context; what overlaps is joined. */
function windows(path: ByteString, file: ChangedFile, ranges: readonly LineChange[]): ShownLine[] {
  const lines: ShownLine[] = [];
  let shownTo = -1;
  ranges.forEach((r, i) => {
    const from = Math.max(0, r.oldStart - CONTEXT, shownTo);
    if (from !== shownTo) lines.push({ mark: '@', text: `${forDisplay(path)}:${from + 1}` });
    for (let l = from; l < r.oldStart; l++) lines.push({ mark: ' ', text: shown(file.old[l]!) });
    for (let l = 0; l < r.oldCount; l++) lines.push({ mark: '-', text: shown(file.old[r.oldStart + l]!) });
    for (let l = 0; l < r.newCount; l++) lines.push({ mark: '+', text: shown(file.now[r.newStart + l]!) });
    const end = r.oldStart + r.oldCount;
    const next = ranges[i + 1]?.oldStart ?? file.old.length;
    shownTo = Math.min(end + CONTEXT, next);
    for (let l = end; l < shownTo; l++) lines.push({ mark: ' ', text: shown(file.old[l]!) });
  });
  return lines;
}
