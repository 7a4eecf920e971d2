import { CONFIGURATIONS, type BenchGroup, type BenchReport, type Configuration, type Series } from '../schema/bench';
import { UNITS } from './known';
import type { Measurement, Read } from './read';

/** Fewer repetitions say nothing about spread. */
export const ENOUGH = 3;
/** A deviation of more than this share of the mean is worth a word. */
const NOISY = 0.1;

/** Puts measurements of the same thing together, and says of each group whether it may be plotted. Pure. */
export function benchReport(reads: readonly Read[]): BenchReport {
  const groups = new Map<string, Measurement[]>();
  for (const m of reads.flatMap((r) => r.measurements)) {
    const key = [m.kind === 'micro' ? 0 : 1, m.benchmark, m.kernel].join('\0');
    groups.set(key, [...(groups.get(key) ?? []), m]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    schemaVersion: 1,
    groups: sorted.map(([, list]) => groupOf(list)),
    published: reads.flatMap((r) => r.published),
    refused: reads.flatMap((r) => r.refused),
  };
}

function groupOf(list: readonly Measurement[]): BenchGroup {
  const { benchmark, kind, kernel, unit } = list[0]!;
  const machines = [...new Set(list.map((m) => m.machine))].sort();
  const units = [...new Set(list.map((m) => m.unit))].sort();
  const marks: string[] = [];
  // Reasons against a plot come first; what follows `plotted` are remarks on one.
  if (units.length > 1) marks.push(`mixed units: ${units.join(', ')}`);
  if (machines.length > 1) marks.push(`mixed machines: ${machines.join(', ')}`);
  if (new Set(list.map((m) => m.sample)).size > 1) marks.push('sample data and measurements are mixed');
  const of = (c: Configuration) => list.filter((m) => m.configuration === c).map((m) => m.value);
  const baseline = CONFIGURATIONS.slice(0, 2).find((c) => of(c).length > 0) ?? null;
  if (baseline === null) marks.push('neither native nor KVM was measured: nothing to compare with');
  const present = CONFIGURATIONS.filter((c) => of(c).length > 0);
  if (present.length < 2) marks.push(`only ${present[0]} was measured`);
  for (const c of present) {
    if (of(c).length === 1) marks.push(`${c}: one repetition, so nothing is known of its spread`);
    else if (of(c).length < ENOUGH) marks.push(`${c}: ${of(c).length} repetitions, ${ENOUGH} are the least`);
  }
  const plotted = marks.length === 0;
  const better = UNITS[unit]!;
  const comparable = units.length === 1 && machines.length === 1 && baseline !== null;
  const series = present.map((c) => seriesOf(c, of(c), comparable ? mean(of(baseline)) : null, better));
  for (const s of series) {
    if (s.deviation > NOISY * s.mean) {
      marks.push(`${s.configuration}: noisy, deviation ${((100 * s.deviation) / s.mean).toFixed(0)} % of the mean`);
    }
  }
  return {
    ...{ benchmark, kind, kernel, machines, unit: units.join(', '), better, baseline, series },
    ...{ sample: list.some((m) => m.sample), marks, plotted },
  };
}

function seriesOf(configuration: Configuration, values: number[], base: number | null, better: string): Series {
  const cost = (v: number) => (better === 'lower' ? v / base! : base! / v);
  const relative = values.map((v) => (base === null ? NaN : cost(v)));
  return {
    ...{ configuration, values, mean: mean(values), deviation: deviation(values) },
    normalised: base === null ? null : { mean: mean(relative), deviation: deviation(relative) },
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Of a sample: divided by one less than there are values. */
export function deviation(values: readonly number[]): number {
  // Equal values have none; their sum, divided again, need not be their mean to the last bit.
  if (values.every((v) => v === values[0])) return 0;
  const m = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / (values.length - 1));
}
