import { PLACED, type HunkReport } from '../core/outcome';
import { chomp, forDisplay, splitLines } from '../core/text';
import { Scratch } from '../io/scratch';
import { loadSet } from '../patch-set/patch-set';
import { lineIn } from '../porter/resolutions';
import { parsePort, revisionSide } from '../report/diff-ports/sides';
import { viewOf, type ShownLine } from '../report/port/view';
import type { WhyReport } from '../report/schema/why';
import type { OpenPort } from './port';
import { openEdits } from './sheet';

/** Lines of the target that are shown above and below a candidate. */
const AROUND = 8;

/** One hunk of a port, its text beside what it became, or beside the places where it could go. */
export async function whyOf(port: OpenPort, hunk: HunkReport): Promise<WhyReport> {
  const { report, repo } = port;
  const set = await loadSet(report.patchesDir, report.set);
  const side = await revisionSide(repo, parsePort(port.made), report.target.commit!);
  try {
    const [shown] = (
      await Scratch.use([repo], (scratch) => viewOf({ ...report, hunks: [hunk], files: [] }, set, side, scratch))
    ).hunks;
    const read = async (path: string) => {
      const [was, now] = [await side.base.read(path), side.files.get(path)];
      const text = now === undefined ? was : now.text;
      return text === null ? null : { was: splitLines(was ?? ''), now: splitLines(text) };
    };
    return {
      ...{ schemaVersion: 1, set: report.set, branch: port.branch, target: report.target.version, hunk },
      source: shown!.source,
      ported: PLACED.has(hunk.outcome) ? shown!.ported : await aroundCandidates(hunk, read),
    };
  } finally {
    side.base.repo?.close();
  }
}

async function aroundCandidates(
  hunk: HunkReport,
  read: (path: string) => Promise<{ was: string[]; now: string[] } | null>,
): Promise<ShownLine[]> {
  const lines: ShownLine[] = [];
  for (const c of openEdits(hunk).flatMap((e) => e.candidates ?? [])) {
    const file = await read(c.path);
    if (!file) continue;
    const at = lineIn(file.was, file.now, c.line - 1);
    const from = Math.max(0, at - AROUND);
    lines.push({ mark: '@', text: `${forDisplay(c.path)}:${from + 1}` });
    for (const l of file.now.slice(from, at + AROUND)) lines.push({ mark: ' ', text: forDisplay(chomp(l)) });
  }
  return lines;
}
