import { isDeadWeight, isFileLeft } from '../core/outcome';
import { forDisplay } from '../core/text';
import type { StatusReport } from '../report/schema/status';
import { loadRecords } from '../result/resolutions';
import { leftOf, type OpenPort } from './port';
import { openEdits } from './sheet';

/**
 * Where a port stands: what is left, what people said, and what to do next.
 *
 * @param where the arguments with which the user names the port, each with a blank before it
 */
export async function statusOf(port: OpenPort, where: string): Promise<StatusReport> {
  const { report, repo, branch, state, dir } = port;
  const records = await loadRecords(repo, report.set);
  const left = leftOf(report);
  const resolved = report.hunks.filter((h) => h.edits.some((e) => e.strategy.startsWith('resolution')));
  const used = new Set(
    resolved
      .flatMap((h) => h.edits)
      .filter((e) => e.strategy.startsWith('resolution'))
      .map((e) => e.id),
  );
  return {
    schemaVersion: 1,
    ...{ set: report.set, base: report.base, target: report.target, tree: dir, branch, state, summary: report.summary },
    left: left.map((h) => ({
      ...{ id: h.id, path: forDisplay(h.path), line: h.source.line, outcome: h.outcome },
      ...{ message: h.message && forDisplay(h.message), causedBy: h.causedBy },
      candidates: openEdits(h).flatMap((e) => e.candidates ?? []),
    })),
    files: report.files
      .filter((f) => f.outcome === 'unreadable' || isFileLeft(f, report.hunks))
      .map((f) => ({ path: forDisplay(f.path), outcome: f.outcome, message: f.message })),
    resolved: resolved.map((h) => {
      const made = h.edits.filter((e) => e.strategy.startsWith('resolution'));
      // Edits that were resolved together have one place.
      const target = made
        .flatMap((e) => e.target)
        .filter((t, i, all) => all.findIndex((x) => x.path === t.path && x.line === t.line) === i);
      const { strategy, confidence } = made.find((e) => e.confidence < 1) ?? made[0]!;
      return { id: h.id, path: forDisplay(h.path), strategy, confidence, target };
    }),
    skipped: report.hunks
      .filter((h) => h.skipped || isDeadWeight(h))
      .map((h) => ({
        ...{ id: h.id, path: forDisplay(h.path), outcome: h.outcome },
        reason: h.skipped ?? 'it has no effect in the set itself',
      })),
    resolutions: records.flatMap((r) =>
      r.resolutions.map((x) => ({
        ...{ hunk: r.hunk, path: forDisplay(x.path), definition: x.definition, target: x.target },
        ...{ by: forDisplay(x.by), at: x.at, used: x.edits.some((e) => used.has(e)) },
      })),
    ),
    corrected: report.corrections ?? [],
    workItems: (report.workItems ?? [])
      .map((w) => ({ id: w.id, title: w.title, hunks: w.hunks.filter((id) => left.some((h) => h.id === id)) }))
      .filter((w) => w.hunks.length > 0),
    next: nextOf(port, left, where),
  };
}

/** The commands to go on with, the likeliest first. */
function nextOf(port: OpenPort, left: ReturnType<typeof leftOf>, where: string): string[] {
  if (port.state !== 'as-made') {
    return port.state === 'gone'
      ? ['kport apply', `kport abort${where}`]
      : [`kport amend${where}`, `kport check${where}`, `kport mail${where}`];
  }
  const conflict = left.find((h) => h.outcome === 'conflict');
  if (conflict) return [`kport why${where} ${conflict.id}`, `kport continue${where}`];
  if (left[0]) return [`kport why${where} ${left[0].id}`, `kport skip${where} ${left[0].id} -m REASON`];
  return [`kport check${where}`, `kport mail${where}`];
}
