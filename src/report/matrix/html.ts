import { forDisplay } from '../../core/text';
import { asset, esc, page } from '../html/page';
import type { MatrixReport } from '../schema/matrix';
import { reasonOf } from './table';

/** The matrix as one page. Pure but for the style sheet that comes with kport. */
export function matrixPage(report: MatrixReport): string {
  const title = `${report.set}: one set, ${report.targets.length} targets`;
  return page({
    title,
    style: asset('style.css'),
    body: `<main>
<h1>${esc(title)}</h1>
<p class="dim">Base ${esc(report.base.version)}. A cell says how many hunks are placed; where the first is left, the row says why.
Git's column is its own merge of the same set, counted in the same run.</p>
<h2>Targets</h2>
${targets(report)}
<h2>Files</h2>
${files(report)}
</main>`,
  });
}

function targets(report: MatrixReport): string {
  const rows = report.targets.map((t) => {
    const s = t.summary;
    if (!s)
      return `<tr><th scope="row">${esc(t.to)}</th><td colspan="8" class="bad">${esc(t.error!.message)}</td></tr>`;
    const left = s.hunks - s.placed;
    const git = t.git ? `${t.git.regions}</td><td class="n">${t.git.files}` : '-</td><td class="n">-';
    return `<tr><th scope="row">${esc(t.to)}</th><td>${esc(t.target!.version)}</td>
<td class="n ${left ? 'warn' : 'good'}">${s.placed} of ${s.hunks}</td><td class="n">${((100 * s.placed) / Math.max(1, s.hunks)).toFixed(1)} %</td>
<td class="n">${left}</td><td class="n">${git}</td><td class="n">${t.seconds.toFixed(1)}</td><td class="n">${t.peakMegabytes}</td></tr>`;
  });
  return scroll(
    'targets',
    ['target', 'kernel', 'placed', 'share', 'left', 'git: regions', 'git: files', 'seconds', 'MB'],
    rows,
  );
}

function files(report: MatrixReport): string {
  const rows = report.files.map((f) => {
    const cells = f.placed.map((n) => {
      if (n === null) return '<td class="n">-</td>';
      const kind = n === f.hunks ? 'good' : n === 0 ? 'bad' : 'warn';
      return `<td class="n ${kind}">${n}/${f.hunks}</td>`;
    });
    const why = f.breaks
      ? `<td>${esc(f.breaks.at)}</td><td>${esc(forDisplay(reasonOf(f.breaks)))}</td>`
      : '<td class="good">nowhere</td><td></td>';
    return `<tr><th scope="row" class="mono">${esc(forDisplay(f.path))}</th>${cells.join('')}${why}</tr>`;
  });
  return scroll('files', ['file', ...report.targets.map((t) => t.to), 'breaks at', 'why'], rows);
}

function scroll(label: string, head: readonly string[], rows: readonly string[]): string {
  return `<div class="scroll" tabindex="0" role="group" aria-label="${esc(label)}"><table>
<thead><tr>${head.map((h) => `<th scope="col">${esc(h)}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>`;
}
