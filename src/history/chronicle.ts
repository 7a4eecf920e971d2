import type { Cause } from '../core/outcome';
import { compareVersions, parseVersion } from '../core/version';
import type { ChronicleRow } from '../symbol-map';
import type { Finding } from './cause';
import { numberOf, type Way } from './releases';

/** Rows of the chronicle as witnesses: one that is about a finding, and that holds in the two trees, is named. */
export class Witnesses {
  private readonly checked = new Map<string, Promise<boolean>>();

  constructor(
    private readonly way: Way,
    private readonly rows: readonly ChronicleRow[],
  ) {}

  /** The row that tells most about a finding; null when none that is about it holds. */
  async of(finding: Finding): Promise<ChronicleRow | null> {
    for (const about of [bySymbol, byFile, byWord]) {
      for (const row of this.rows) {
        if (this.inStep(row, finding.stop) && about(row, finding) && (await this.holds(row, finding.stop))) return row;
      }
    }
    return null;
  }

  /** Rows of the step before a stop that hold in its trees and about which `about` says yes. */
  async all(stop: number, about: (row: ChronicleRow) => boolean): Promise<ChronicleRow[]> {
    const found: ChronicleRow[] = [];
    for (const row of this.rows) {
      if (this.inStep(row, stop) && about(row) && (await this.holds(row, stop))) found.push(row);
    }
    return found;
  }

  /** The change came after the stop before, and no later than this one. */
  private inStep(row: ChronicleRow, stop: number): boolean {
    const release = row.release ? parseVersion(row.release) : null;
    if (!release) return false;
    const [before, now] = [numberOf(this.way.at(stop - 1)), numberOf(this.way.at(stop))];
    return compareVersions(release, before) > 0 && compareVersions(release, { ...now, extra: '' }) <= 0;
  }

  private holds(row: ChronicleRow, stop: number): Promise<boolean> {
    const key = `${stop} ${row.id}`;
    let known = this.checked.get(key);
    if (!known) {
      known = this.check(row, stop);
      this.checked.set(key, known);
    }
    return known;
  }

  /** What it says was there was, what it says came is there, and what it says went without an heir is gone. */
  private async check(row: ChronicleRow, stop: number): Promise<boolean> {
    const { from, to } = row;
    if (from && !(await this.has(stop - 1, from))) return false;
    if (to) return (await this.has(stop, to)) && (from !== undefined || !(await this.has(stop - 1, to)));
    return from !== undefined && !(await this.has(stop, from));
  }

  private async has(stop: number, side: NonNullable<ChronicleRow['from']>): Promise<boolean> {
    const pattern = side.pattern === undefined ? null : new RegExp(side.pattern, 'm');
    for (const path of side.paths) {
      if (!this.way.at(stop).tree.has(path)) continue;
      if (!pattern || pattern.test((await this.way.at(stop).view.text(path)) ?? '')) return true;
    }
    return false;
  }
}

const last = (symbol: string) => symbol.slice(symbol.lastIndexOf('.') + 1);

function bySymbol(row: ChronicleRow, finding: Finding): boolean {
  const { symbol } = row.from ?? {};
  if (finding.kind === 'lines-gone') return symbol !== undefined && symbol === finding.definition;
  return [symbol, row.alias].some((s) => s !== undefined && finding.names.includes(last(s)));
}

function byFile(row: ChronicleRow, finding: Finding): boolean {
  if (!['moved', 'file-gone', 'definition-gone'].includes(finding.kind) || !row.from) return false;
  return row.from.pattern === undefined && row.says !== 'context' && row.from.paths.includes(finding.path);
}

/** A line that went speaks of what the row is about. */
function byWord(row: ChronicleRow, finding: Finding): boolean {
  if (finding.kind !== 'lines-gone') return false;
  return [row.from?.symbol, row.alias].some((s) => s !== undefined && finding.names.includes(last(s)));
}

/** A finding as the report has it, with what its witness adds. */
export function causeOf(finding: Finding, way: Way, row: ChronicleRow | null, commit: string | null): Cause {
  // The release is said once, unless the trees know it less exactly than the chronicle.
  const when = row?.release && !finding.text.split(/[\s,;:()]+/).includes(row.release) ? `, ${row.release}` : '';
  return {
    release: row?.release ?? way.at(finding.stop).name,
    commit: commit ?? row?.commit ?? null,
    text: row ? `${finding.text} (chronicle${when}: ${row.note})` : finding.text,
  };
}
