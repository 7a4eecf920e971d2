import { PLACED, type HunkReport } from '../../core/outcome';
import type { PortReport } from '../../core/report';
import { compareVersions, parseVersion } from '../../core/version';
import { causeText } from '../port/cause';
import type { MatrixFile, MatrixReport, MatrixTarget } from '../schema/matrix';

/** One target with its port, when there is one. */
export interface MatrixColumn {
  row: MatrixTarget;
  port: PortReport | null;
}

/** Puts the columns in order and looks where each file first breaks. Pure. */
export function matrixOf(
  set: { name: string; base: { version: string; commit: string | null } },
  columns: readonly MatrixColumn[],
  run: { jobs: number; seconds: number },
): MatrixReport {
  const ordered = [...columns].sort(byVersion);
  return {
    schemaVersion: 1,
    set: set.name,
    base: set.base,
    targets: ordered.map((c) => c.row),
    files: filesOf(ordered),
    ...run,
  };
}

function byVersion(a: MatrixColumn, b: MatrixColumn): number {
  const [va, vb] = [a, b].map((c) => (c.row.target ? parseVersion(c.row.target.version) : null));
  if (va && vb) return compareVersions(va, vb);
  return Number(!va) - Number(!vb);
}

function filesOf(columns: readonly MatrixColumn[]): MatrixFile[] {
  const paths = new Map<string, MatrixFile>();
  for (const { port } of columns) {
    for (const f of port?.files ?? []) {
      // A new file that goes where it should needs no row.
      const carried = f.status === 'added' || f.hunks === 0;
      if (carried && f.outcome !== 'conflict') continue;
      if (!paths.has(f.path)) paths.set(f.path, { path: f.path, role: f.role, hunks: 0, placed: [], breaks: null });
    }
  }
  const files = [...paths.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const file of files) {
    let after: string | null = null;
    for (const { row, port } of columns) {
      if (!port) {
        file.placed.push(null);
        continue;
      }
      const hunks = port.hunks.filter((h) => h.path === file.path);
      file.hunks = Math.max(file.hunks, hunks.length);
      file.placed.push(hunks.filter((h) => PLACED.has(h.outcome)).length);
      const whole = port.files.find((f) => f.path === file.path && f.outcome === 'conflict');
      const broken = firstBroken(hunks);
      if (!broken && !whole) {
        after = row.to;
        continue;
      }
      file.breaks ??= {
        at: row.to,
        after,
        hunk: broken?.id ?? null,
        causedBy: broken?.causedBy ?? null,
        message: broken?.message ?? whole?.message ?? null,
      };
    }
  }
  return files;
}

/** The first hunk that is not placed; one whose upstream change is known says more. */
function firstBroken(hunks: readonly HunkReport[]): HunkReport | null {
  const broken = hunks.filter((h) => !PLACED.has(h.outcome));
  return broken.find((h) => h.causedBy !== null) ?? broken[0] ?? null;
}

/** One phrase for why a file breaks. */
export function reasonOf(breaks: NonNullable<MatrixFile['breaks']>): string {
  const { causedBy } = breaks;
  if (causedBy) return causeText(causedBy);
  return breaks.message ?? 'not placed';
}
