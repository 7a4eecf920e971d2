import type { HunkReport } from '../core/outcome';
import type { DiskCache } from '../io/cache';
import type { KernelTree } from '../io/tree';
import type { KernelIndex } from '../kernel-index';
import type { Heirs } from '../porter/heirs';
import type { EditTrace, PortedPatch } from '../porter/port';
import type { ChronicleRow } from '../symbol-map';
import { causeOf, Witnesses } from './chronicle';
import { Causes, type Finding } from './cause';
import { CommitSearch } from './commits';
import { Follower } from './follow';
import { Way } from './releases';

export interface HistoryInput {
  base: KernelIndex;
  target: KernelIndex;
  /** The releases between them that the repository has, oldest first. */
  between: readonly KernelTree[];
  heirs: Heirs;
  /** Known upstream changes. */
  rows: readonly ChronicleRow[];
  cache: DiskCache | null;
}

/** What the releases between base and target tell about a port. */
export interface History {
  way: Way;
  follower: Follower;
  witnesses: Witnesses;
  /** For each hunk that something happened to, what it was. */
  findings: Map<HunkReport, { finding: Finding; row: ChronicleRow | null }>;
  notes: string[];
}

/** Says of each ported hunk that is not simply applied which upstream change was the cause; fills in `causedBy`. */
export async function explainPort(ported: readonly PortedPatch[], input: HistoryInput): Promise<History> {
  const way = new Way(input.base, input.between, input.target, input.cache);
  const follower = new Follower(way, input.heirs);
  const causes = new Causes(way, follower, input.heirs);
  const witnesses = new Witnesses(way, input.rows);
  const commits = new CommitSearch(way, input.target.tree.repo);
  const history: History = { way, follower, witnesses, findings: new Map(), notes: [] };
  for (const patch of ported) {
    const traces = tracesByHunk(patch);
    for (const hunk of patch.hunks) {
      const finding = await causes.of(hunk, traces.get(hunk.id) ?? []);
      if (finding) history.findings.set(hunk, { finding, row: await witnesses.of(finding) });
    }
  }
  await commits.prepare([...history.findings.values()].map((f) => f.finding));
  for (const [hunk, { finding, row }] of history.findings) {
    hunk.causedBy = causeOf(finding, way, row, await commits.of(finding));
  }
  if (commits.cutShort) history.notes.push('the search for upstream commits took too long: some are not named');
  input.cache?.flush();
  return history;
}

/** The edits of each hunk of a patch, by the hunk's id. */
export function tracesByHunk(patch: PortedPatch): Map<string, EditTrace[]> {
  const byHunk = new Map<string, EditTrace[]>();
  for (const trace of patch.traces) {
    for (const hunk of trace.edit.hunks) byHunk.set(hunk.id, [...(byHunk.get(hunk.id) ?? []), trace]);
  }
  return byHunk;
}
