import type { FileReport, HunkReport } from '../../core/outcome';
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
}

/** Everything that a page about a port shows. Pure data. */
export interface PortView {
  report: PortReport;
  hunks: HunkView[];
  files: FileReport[];
}

/** Context lines around a change, as git has them. */
const CONTEXT = 3;
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
  return {
    report,
    files: report.files,
    hunks: report.hunks.map((h) => {
      const hunk = hunks.get(`${h.patch} ${h.id}`);
      return { report: h, source: hunk ? sourceLines(hunk) : [], ported: hunk ? portedLines(h, hunk, changed) : [] };
    }),
  };
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
