import { asset, esc, page, table } from '../html/page';
import { CONFIGURATIONS, type BenchGroup, type BenchReport, type Series } from '../schema/bench';
import { toSvg } from './drawing';
import { plotsOf } from './plot';

const SAMPLE = 'Sample data: made up to show how this report looks. Nothing here was measured.';

/** Measurements as one page. */
export function benchPage(report: BenchReport): string {
  return page({
    title: 'Measurements',
    style: asset('style.css'),
    body: `<main><h1>Measurements</h1>\n${benchSection(report)}</main>`,
  });
}

/** Plots, tables and what was refused, as a part of a page. */
export function benchSection(report: BenchReport): string {
  const sample = report.groups.some((g) => g.sample) ? `<p class="warn"><strong>${SAMPLE}</strong></p>` : '';
  const plots = plotsOf(report).map(
    (d) => `<div class="scroll" tabindex="0" role="group" aria-label="${esc(d.title)}">${toSvg(d)}</div>`,
  );
  const { head, rows } = benchRows(report);
  const refused = report.refused.length
    ? `<h2>Refused</h2>\n<ul>${report.refused.map((r) => `<li>${esc(placeOf(r))}: ${esc(r.reason)}</li>`).join('\n')}</ul>`
    : '';
  const published = report.published.length
    ? `<h2>Published numbers</h2>\n${table(
        ['benchmark', 'configuration', 'kernel', 'value', 'source'],
        report.published.map((p) =>
          [p.benchmark, p.configuration, p.kernel, `${p.value} ${p.unit}`, p.source].map(esc),
        ),
        { caption: 'As their authors published them; not plotted beside measurements of another machine' },
      )}`
    : '';
  return `${sample}
${plots.length ? plots.join('\n') : '<p>Nothing can be plotted.</p>'}
${table(
  head,
  rows.map((r) => r.map(esc)),
  { caption: 'Mean and standard deviation; cost is relative to the baseline', numeric: (i) => i > 2 && i < 7 },
)}
${published}
${refused}`;
}

/** One row for each series, as text. */
export function benchRows(report: BenchReport): { head: string[]; rows: string[][] } {
  const rows = report.groups.flatMap((g) =>
    g.series.map((s) => [
      g.benchmark,
      g.kernel,
      s.configuration,
      String(s.values.length),
      `${number(s.mean)} ${g.unit}`,
      s.values.length > 1 ? number(s.deviation) : 'unknown',
      costOf(s),
      remarksOn(g, s).join('; '),
    ]),
  );
  return { head: ['benchmark', 'kernel', 'configuration', 'n', 'mean', 'deviation', 'cost', 'remarks'], rows };
}

/** What is to be said of a row: of its group, and of itself; what is said of another configuration stands there. */
function remarksOn(g: BenchGroup, { configuration }: Series): string[] {
  const others = CONFIGURATIONS.filter((c) => c !== configuration);
  const marks = g.marks.filter((m) => !others.some((c) => m.startsWith(`${c}: `)));
  return [...(g.plotted ? [] : ['not plotted']), ...(g.sample ? ['sample'] : []), ...marks];
}

export function placeOf(r: { file: string; line: number | null }): string {
  return r.line === null ? r.file : `${r.file}:${r.line}`;
}

function costOf(s: Series): string {
  if (!s.normalised) return '-';
  const spread = s.values.length > 1 ? s.normalised.deviation.toFixed(3) : '?';
  return `${s.normalised.mean.toFixed(3)} ± ${spread}`;
}

function number(v: number): string {
  return v >= 100 ? v.toFixed(0) : v.toPrecision(3);
}
