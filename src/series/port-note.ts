import type { HunkReport, Outcome } from '../core/outcome';
import { OUTCOMES } from '../core/outcome';
import type { PortReport } from '../core/report';
import { fromDisplay, type ByteString } from '../core/text';
import type { Unit } from './change';
import { count, fill } from './words';

/** Outcomes that a reviewer need not hear about hunk by hunk. */
const QUIET: ReadonlySet<Outcome> = new Set(['applied', 'merged', 'already-upstream']);
const LINES = 12;

/** For each patch the hunks of the set that ended in it. A hunk with several places may be in several patches. */
export function hunksByPatch(report: PortReport, patches: readonly (readonly Unit[])[]): HunkReport[][] {
  const result: HunkReport[][] = patches.map(() => []);
  const byPath = new Map<ByteString, { unit: Unit; index: number }[]>();
  patches.forEach((units, index) => {
    for (const unit of units) byPath.set(unit.path, [...(byPath.get(unit.path) ?? []), { unit, index }]);
  });
  for (const hunk of report.hunks) {
    const mine = new Set<number>();
    for (const target of hunk.target) {
      const candidates = byPath.get(fromDisplay(target.path)) ?? byPath.get(target.path) ?? [];
      let best: { index: number } | null = null;
      let least = Infinity;
      for (const c of candidates) {
        const start = c.unit.hunk?.newStart ?? 1;
        const end = start + Math.max(0, (c.unit.hunk?.newCount ?? 1) - 1);
        const off = target.line < start ? start - target.line : target.line > end ? target.line - end : 0;
        if (off < least) [best, least] = [c, off];
      }
      if (best) mine.add(best.index);
    }
    for (const index of mine) result[index]!.push(hunk);
  }
  return result;
}

/** `12 applied, 3 relocated` */
export function outcomeCounts(hunks: readonly { outcome: Outcome }[]): string {
  return OUTCOMES.map((o) => [hunks.filter((h) => h.outcome === o).length, o] as const)
    .filter(([n]) => n > 0)
    .map(([n, o]) => `${n} ${o}`)
    .join(', ');
}

/**
 * The first line is one long line, the others are filled: what was changed for this kernel in one patch, and which upstream change forced it; null when nothing but places was
 * looked up. Equal reasons are told once.
 */
export function portNote(report: PortReport, hunks: readonly HunkReport[], units: readonly Unit[]): ByteString | null {
  const paths = new Set(units.map((u) => u.path));
  const files = report.files.filter(
    (f) =>
      f.hunks === 0 && f.outcome !== 'applied' && f.targetPaths.some((p) => paths.has(fromDisplay(p)) || paths.has(p)),
  );
  if (hunks.length === 0 && files.length === 0) return null;
  const lines: string[] = [];
  const groups = new Map<string, { n: number; text: string }>();
  for (const h of hunks) {
    if (QUIET.has(h.outcome) && h.causedBy === null) continue;
    const to = h.target[0];
    const cause = h.causedBy;
    const by = cause
      ? `: ${cause.text}${cause.commit ? ` (commit ${cause.commit.slice(0, 12)}${cause.release ? `, ${cause.release}` : ''})` : cause.release ? ` (${cause.release})` : ''}`
      : h.message
        ? `: ${h.message}`
        : '';
    const place =
      h.outcome === 'relocated' && to
        ? `${h.path} -> ${to.path}`
        : `${to?.path ?? h.path}${to?.definition ? `, ${to.definition}` : ''}`;
    const outcome = h.outcome === 'conflict' ? 'left over, not in this patch' : h.outcome;
    const key = `${h.outcome}\0${place}\0${by}`;
    const group = groups.get(key) ?? { n: 0, text: `${outcome}: ${place}%n${by}` };
    group.n++;
    groups.set(key, group);
  }
  for (const g of groups.values()) lines.push(g.text.replace('%n', g.n > 1 ? ` (${g.n} hunks)` : ''));
  for (const f of files) {
    if (f.outcome === 'mixed' || f.message === null) continue;
    lines.push(`${f.outcome}: ${f.targetPaths[0] ?? f.path}: ${f.message}`);
  }
  const head = `ported from ${report.base.version} to ${report.target.version}: ${
    hunks.length ? outcomeCounts(hunks) : count(files.length, 'file')
  }`;
  const shown = lines.slice(0, LINES).map((l) => fill(`- ${l}`, 70, '  '));
  if (lines.length > LINES) shown.push(`- and ${lines.length - LINES} more: 'kport report' has them all`);
  return fromDisplay([head, ...shown].join('\n'));
}

/** Hunks that no patch of the series shows: upstream has them, their target is gone, or they are left over. */
export function unplaced(report: PortReport): { outcome: Outcome; hunks: HunkReport[] }[] {
  return (['already-upstream', 'obsolete', 'conflict'] as const)
    .map((outcome) => ({ outcome, hunks: report.hunks.filter((h) => h.outcome === outcome) }))
    .filter((g) => g.hunks.length > 0);
}
