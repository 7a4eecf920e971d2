import type { BenchGroup, BenchReport, Configuration } from '../schema/bench';
import type { Drawing, Shape } from './drawing';

const NAMES: Record<Configuration, string> = { native: 'native', kvm: 'KVM', retrofitted: 'retrofitted KVM' };
const FILLS: Record<Configuration, string> = { native: '#8a8f98', kvm: '#2a78d6', retrofitted: '#c2570c' };
const INK = '#333333';
const [WIDTH, HEIGHT] = [680, 300];
const [TOP, RIGHT, BOTTOM, LEFT] = [48, 12, 40, 44];
/** More in one plot cannot be told apart. */
const IN_ONE = 6;

/** Plots of all groups that may be plotted: by kernel, kind and baseline, cost relative to the baseline. Pure. */
export function plotsOf(report: BenchReport): Drawing[] {
  const plots = new Map<string, BenchGroup[]>();
  for (const g of report.groups) {
    if (!g.plotted) continue;
    const key = [g.kernel, g.kind === 'micro' ? 0 : 1, g.baseline, g.sample].join('\0');
    plots.set(key, [...(plots.get(key) ?? []), g]);
  }
  return [...plots.values()].flatMap((groups) => {
    const parts: BenchGroup[][] = [];
    for (let i = 0; i < groups.length; i += IN_ONE) parts.push(groups.slice(i, i + IN_ONE));
    return parts.map(plot);
  });
}

/** Bars for each benchmark: the mean, with a whisker of one deviation up and down. */
function plot(groups: readonly BenchGroup[]): Drawing {
  const { kernel, kind, baseline, sample } = groups[0]!;
  const used = (['native', 'kvm', 'retrofitted'] as const).filter((c) =>
    groups.some((g) => g.series.some((s) => s.configuration === c)),
  );
  const highest = Math.max(...groups.flatMap((g) => g.series.map((s) => s.normalised!.mean + s.normalised!.deviation)));
  const step = stepFor(highest);
  const top = Math.ceil((highest * 1.05) / step) * step;
  const y = (v: number) => HEIGHT - BOTTOM - (v / top) * (HEIGHT - TOP - BOTTOM);
  const shapes: Shape[] = [];
  const text = (x: number, at: number, words: string, anchor: 'start' | 'middle' | 'end', size = 11) =>
    shapes.push({ kind: 'text', x, y: at, size, anchor, text: words });
  const title = `${kind === 'micro' ? 'Micro-benchmarks' : 'Applications'} on ${kernel}, cost relative to ${NAMES[baseline!]} (lower is better)`;
  text(LEFT, 14, `${sample ? 'SAMPLE, NOT MEASURED: ' : ''}${title}`, 'start', 12);
  let x = LEFT;
  for (const c of used) {
    shapes.push({ kind: 'rect', x, y: 24, width: 11, height: 11, fill: FILLS[c] });
    text(x + 16, 34, NAMES[c], 'start');
    x += 34 + NAMES[c].length * 6.5;
  }
  for (let v = 0; v <= top + step / 2; v += step) {
    shapes.push({ kind: 'line', x1: LEFT - 4, y1: y(v), x2: LEFT, y2: y(v), stroke: INK, dash: false });
    text(LEFT - 7, y(v) + 4, trim(v), 'end', 10);
  }
  shapes.push({ kind: 'line', x1: LEFT, y1: TOP, x2: LEFT, y2: y(0), stroke: INK, dash: false });
  shapes.push({ kind: 'line', x1: LEFT, y1: y(0), x2: WIDTH - RIGHT, y2: y(0), stroke: INK, dash: false });
  const slot = (WIDTH - LEFT - RIGHT) / groups.length;
  const bar = Math.min(34, (slot * 0.8) / used.length);
  groups.forEach((g, i) => {
    const middle = LEFT + slot * (i + 0.5);
    const from = middle - (bar * used.length) / 2;
    text(middle, HEIGHT - BOTTOM + 16, g.benchmark, 'middle');
    text(middle, HEIGHT - BOTTOM + 30, `n = ${Math.min(...g.series.map((s) => s.values.length))}`, 'middle', 9);
    used.forEach((c, k) => {
      const s = g.series.find((one) => one.configuration === c)?.normalised;
      if (!s) return;
      const left = from + k * bar;
      const centre = left + bar / 2;
      shapes.push({
        kind: 'rect',
        x: left + 1,
        y: y(s.mean),
        width: bar - 2,
        height: y(0) - y(s.mean),
        fill: FILLS[c],
      });
      const [up, down] = [y(s.mean + s.deviation), y(Math.max(0, s.mean - s.deviation))];
      shapes.push({ kind: 'line', x1: centre, y1: up, x2: centre, y2: down, stroke: INK, dash: false });
      for (const end of [up, down]) {
        shapes.push({ kind: 'line', x1: centre - 4, y1: end, x2: centre + 4, y2: end, stroke: INK, dash: false });
      }
      text(centre, up - 4, s.mean.toFixed(2), 'middle', 9);
    });
  });
  // The baseline goes over the bars: it is what they are read against.
  shapes.push({ kind: 'line', x1: LEFT, y1: y(1), x2: WIDTH - RIGHT, y2: y(1), stroke: INK, dash: true });
  const words = groups.map(
    (g) =>
      `${g.benchmark}: ${g.series.map((s) => `${NAMES[s.configuration]} ${s.normalised!.mean.toFixed(2)}`).join(', ')}`,
  );
  return {
    width: WIDTH,
    height: HEIGHT,
    title: `${sample ? 'Sample: ' : ''}${title}`,
    description: words.join('; '),
    shapes,
  };
}

/** A step of 1, 2 or 5 times a power of ten that gives about five of them. */
function stepFor(highest: number): number {
  const rough = highest / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
}

function trim(v: number): string {
  return String(Math.round(v * 1000) / 1000);
}
