import { OUTCOMES, PLACED, type HunkReport, type Outcome } from '../core/outcome';
import { stripComments } from '../core/text';
import { internalError } from '../core/errors';
import type { PortReport } from '../core/report';
import { hunksOf, type PatchSet } from '../patch-set/patch-set';
import type { PortedPatch } from '../porter/port';
import { rejectText } from '../porter/rejects';

/** The part of a report that is known when all patches are ported, the accounting done. */
export function summarize(
  set: PatchSet,
  ported: readonly PortedPatch[],
  isOurs: (path: string) => boolean,
): Pick<PortReport, 'summary' | 'files' | 'hunks' | 'rejects'> {
  const hunks = ported.flatMap((p) => p.hunks);
  const files = [
    ...ported.flatMap((p) => p.files),
    ...set.manifest.unreadable.map((u) => ({
      patch: set.manifest.patches[0]!.file,
      path: u.path,
      targetPaths: [],
      role: 'hostvisor' as const,
      status: u.status,
      outcome: 'unreadable' as const,
      message: `the set's source lacks its content (blob ${u.blob.slice(0, 12)})`,
      hunks: 0,
      evidence: [],
    })),
  ];
  account(set, hunks, isOurs);
  const byOutcome = Object.fromEntries(OUTCOMES.map((o) => [o, 0])) as Record<Outcome, number>;
  for (const h of hunks) byOutcome[h.outcome]++;
  const count = (status: string) => files.filter((f) => f.status === status && f.outcome !== 'unreadable').length;
  return {
    summary: {
      hunks: hunks.length,
      placed: hunks.filter((h) => PLACED.has(h.outcome)).length,
      byOutcome,
      files: {
        modified: count('modified') + count('renamed') + count('copied'),
        added: count('added'),
        deleted: count('deleted'),
        binary: count('binary'),
        unreadable: files.filter((f) => f.outcome === 'unreadable').length,
      },
    },
    files,
    hunks,
    rejects: ported.flatMap((p) =>
      p.rejects.map((r) => ({
        file: `${ported.length > 1 ? `${p.patch.file.slice(0, 4)}-` : ''}${r.path.replace(/\//g, '__')}.rej`,
        path: r.path,
        text: rejectText(r),
      })),
    ),
  };
}

/** Every hunk of the set in a file that existed must be reported exactly once. That it is not is our bug. */
function account(set: PatchSet, reported: readonly HunkReport[], isOurs: (path: string) => boolean): void {
  const left = new Map<string, number>();
  const key = (patch: string, id: string) => `${patch} ${id}`;
  for (const { patch, change, hunk } of hunksOf(set)) {
    if (change.status === 'added' || !isOurs(hunk.path)) continue;
    left.set(key(patch.file, hunk.id), (left.get(key(patch.file, hunk.id)) ?? 0) + 1);
  }
  for (const h of reported) {
    const n = left.get(key(h.patch, h.id)) ?? 0;
    if (n === 0) throw internalError(`hunk ${h.id} of '${h.path}' is reported, but not in the set, or twice`);
    left.set(key(h.patch, h.id), n - 1);
  }
  for (const [id, n] of left) if (n) throw internalError(`hunk ${id} was lost`);
}

/** The option that most of the set's guards ask for, of those that its own Kconfig changes define; null when none. */
export function optionOf(set: PatchSet): string | null {
  const defined = new Set<string>();
  const asked = new Map<string, number>();
  for (const { hunk } of hunksOf(set)) {
    for (const line of hunk.lines) {
      if (line[0] !== '+') continue;
      const config = /^\+\s*(?:menu)?config\s+(\w+)/.exec(line);
      if (config) defined.add(`CONFIG_${config[1]}`);
      if (!/^\+\s*#\s*(if|elif)/.test(line)) continue;
      for (const [name] of stripComments(line).matchAll(/\bCONFIG_\w+/g)) asked.set(name, (asked.get(name) ?? 0) + 1);
    }
  }
  const own = [...asked].filter(([name]) => defined.has(name)).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return own[0]?.[0] ?? [...defined].sort()[0] ?? null;
}
