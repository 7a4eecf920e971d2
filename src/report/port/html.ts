import { OUTCOMES, PLACED, type FileReport, type HunkReport, type Role } from '../../core/outcome';
import { forDisplay } from '../../core/text';
import { asset, esc, page, table } from '../html/page';
import type { CheckReport } from '../schema/check';
import { reasonsOf } from './cause';
import { diffTable, kindOf } from './diff-table';
import { definitionFlows, fileFlows, flowPicture } from './flow';
import type { HunkView, PortView } from './view';

export interface PortPageOptions {
  check: CheckReport | null;
}

/** A port as one page for its reviewer. Pure but for the style and the script that come with kport. */
export function portPage(view: PortView, options: PortPageOptions): string {
  const { report } = view;
  const title = `${report.set}: ${report.base.version} to ${report.target.version}`;
  const key = `kport:${report.set}:${report.base.version}:${report.result?.treeId ?? report.target.version}`;
  return page({
    title,
    style: `${asset('style.css')}\n${asset('port.css')}`,
    script: scriptOf(asset('port-script.html')),
    body: `<a class="skip" href="#hunks">To the hunks</a>
<header>
<h1>${esc(title)}</h1>
<p class="dim">Target <code>${esc(report.target.name)}</code>${where(view)}${report.option ? `, option <code>${esc(report.option)}</code>` : ''}.</p>
</header>
<main data-key="${esc(key)}">
${summary(view)}
${openPoints(view)}
${workItems(view)}
${checks(options.check)}
${flows(view)}
${files(view)}
${hunks(view)}
</main>
${help()}`,
  });
}

/** The script lies in an HTML file so that editors and prettier know it. */
function scriptOf(html: string): string {
  return /<script>([^]*)<\/script>/.exec(html)![1]!.trim();
}

function where(view: PortView): string {
  const { result } = view.report;
  if (!result) return '';
  const place = result.branch ?? result.out;
  return `${place ? `, port <code>${esc(place)}</code>` : ''}, tree <code>${esc(result.treeId.slice(0, 12))}</code>`;
}

const tone = (o: FileReport['outcome']) =>
  o === 'mixed' ? 'warn' : o === 'conflict' || o === 'unreadable' ? 'bad' : PLACED.has(o) ? 'good' : 'warn';

function badge(outcome: FileReport['outcome']): string {
  return `<span class="badge ${tone(outcome)}">${outcome}</span>`;
}

const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

const percent = (n: number, of: number) => (of ? `${((100 * n) / of).toFixed(1)} %` : '-');

function summary(view: PortView): string {
  const { summary: s, hunks: all } = view.report;
  const used = OUTCOMES.filter((o) => s.byOutcome[o]);
  const roles: Role[] = ['hostvisor', 'corevisor', 'build', 'docs'];
  const rows = used.map((o) => [
    badge(o),
    String(s.byOutcome[o]),
    percent(s.byOutcome[o], s.hunks),
    ...roles.map((r) => String(all.filter((h) => h.outcome === o && h.role === r).length)),
  ]);
  const fileCounts = Object.entries(s.files).filter(([, n]) => n);
  const bar = used
    .map((o) => `<span class="${tone(o)}" style="flex-grow:${s.byOutcome[o]}" title="${o}: ${s.byOutcome[o]}"></span>`)
    .join('');
  const inert = all.filter((h) => h.inert).length;
  return `<section aria-labelledby="summary"><h2 id="summary">Summary</h2>
<p><strong>${s.placed} of ${s.hunks} hunks placed</strong> (${percent(s.placed, s.hunks)});
files: ${fileCounts.map(([what, n]) => `${n} ${esc(what)}`).join(', ')}${inert ? `; ${inert} hunks have no effect in the set itself` : ''}.
<span id="progress" role="status"></span></p>
<div class="bar" aria-hidden="true">${bar}</div>
${table(['outcome', 'hunks', 'share', ...roles], rows, { caption: 'Hunks by outcome and role', numeric: (i) => i > 0 })}
</section>`;
}

function openPoints(view: PortView): string {
  const all = view.hunks.filter((h) => !PLACED.has(h.report.outcome));
  const left = all.filter((h) => !itemOf(h, view));
  const files = view.files.filter(
    (f) => f.outcome === 'unreadable' || (f.outcome === 'conflict' && !all.some((h) => h.report.path === f.path)),
  );
  if (all.length + files.length === 0) {
    return '<section aria-labelledby="open"><h2 id="open">Open points</h2><p>None: every hunk and file is placed.</p></section>';
  }
  const grouped = all.length - left.length;
  const rest = grouped
    ? `<p>${counted(grouped, 'hunk')} of what is left ${grouped === 1 ? 'is' : 'are'} in the <a href="#work">work items</a> below.</p>`
    : '';
  if (left.length + files.length === 0) {
    return `<section aria-labelledby="open"><h2 id="open">Open points</h2>
${rest}<p>Nothing besides.</p></section>`;
  }
  const byReason = new Map<string, HunkView[]>();
  for (const h of left) {
    const { cause, message } = reasonsOf(h.report);
    const reason = cause ?? message ?? h.report.outcome;
    byReason.set(reason, [...(byReason.get(reason) ?? []), h]);
  }
  const items = [...byReason].map(([reason, list]) => {
    const links = list
      .map((h) => `<a href="#${anchor(h)}"><code>${esc(forDisplay(h.report.path))}:${h.report.source.line}</code></a>`)
      .join(', ');
    return `<li>${esc(forDisplay(reason))}: ${links}</li>`;
  });
  items.push(
    ...files.map(
      (f) => `<li>${badge(f.outcome)} <code>${esc(forDisplay(f.path))}</code>: ${esc(f.message ?? '')}</li>`,
    ),
  );
  return `<section aria-labelledby="open"><h2 id="open">Open points</h2>
${rest}<details open><summary>${grouped ? 'Besides' : 'Left'}: ${counted(left.length, 'hunk')} and ${counted(files.length, 'file')}, for ${counted(items.length, 'reason')}</summary>
<ul>${items.join('\n')}</ul></details></section>`;
}

/** The work item that holds a hunk, when one does. */
const itemOf = (h: HunkView, view: PortView) =>
  h.report.outcome === 'conflict' ? view.report.workItems?.find((i) => i.hunks.includes(h.report.id)) : undefined;

/** The conflicts by mechanism: one item is one piece of work. Reports of earlier versions have none. */
function workItems(view: PortView): string {
  const items = view.report.workItems ?? [];
  if (items.length === 0) return '';
  const byId = new Map(view.hunks.map((h) => [h.report.id, h]));
  const list = items.map((item) => {
    const links = item.hunks.flatMap((id) => {
      const h = byId.get(id);
      return h
        ? [`<a href="#${anchor(h)}"><code>${esc(forDisplay(h.report.path))}:${h.report.source.line}</code></a>`]
        : [];
    });
    const heirs = item.heirs.map(
      (h) =>
        `<li><code>${esc(forDisplay(h.path))}${h.definition ? `: ${esc(h.definition)}` : ''}</code>, ${esc(forDisplay(h.why))}</li>`,
    );
    const draft = item.draft
      ? `<details><summary>Draft for <code>${esc(forDisplay(item.draft.path))}:${item.draft.line}</code>, not in the tree</summary>
<div class="scroll" tabindex="0" role="group" aria-label="draft ${item.id}"><pre class="draft">${draftLines(item.draft.text)}</pre></div></details>`
      : '';
    return `<li id="${item.id}" tabindex="-1"><strong>${esc(item.release ?? 'release unknown')}</strong>: ${esc(forDisplay(item.title))}: ${links.join(', ')}
${heirs.length ? `<p class="dim">What has the work now:</p><ul>${heirs.join('\n')}</ul>` : ''}${draft}</li>`;
  });
  return `<section aria-labelledby="work"><h2 id="work">Work items</h2>
<p>The conflicts by what upstream did: each item is solved once.</p>
<ol>${list.join('\n')}</ol></section>`;
}

/** A draft as a diff: what it adds and takes away coloured, as in the hunks. */
function draftLines(text: string): string {
  const kind = (line: string) => (line.startsWith('# draft') ? ' class="at"' : kindOf(line[0]));
  return forDisplay(text)
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `<span${kind(line)}>${esc(line)}</span>`)
    .join('\n');
}

function checks(check: CheckReport | null): string {
  if (!check) {
    return `<section aria-labelledby="checks"><h2 id="checks">Checks</h2>
<p class="dim">No result of <code>kport check</code> was given: nothing here says that the ported kernel builds.</p></section>`;
  }
  const kind = { pass: 'good', fail: 'bad', skipped: 'warn' } as const;
  const rows = check.checks.map((c) => [
    word(c.name),
    `<span class="badge ${kind[c.result]}">${c.result}</span>`,
    String(c.findings.length),
    esc(c.reason ?? ''),
  ]);
  return `<section aria-labelledby="checks"><h2 id="checks">Checks</h2>
${table(['check', 'result', 'findings', 'reason'], rows, { caption: 'Checks on the ported tree', numeric: (i) => i === 2 })}
${check.checks.map(findings).join('\n')}</section>`;
}

/** Findings as a list; a check that found nothing has none. */
function findings(check: CheckReport['checks'][number]): string {
  if (check.findings.length === 0) return '';
  const items = check.findings.map((f) => {
    const place = `${forDisplay(f.path)}${f.line === null ? '' : `:${f.line}`}${f.definition ? ` in ${f.definition}` : ''}`;
    return `<li><code>${esc(place)}</code>: ${esc(forDisplay(f.text))}</li>`;
  });
  return `<details><summary>${esc(check.name)}: ${items.length} findings</summary><ul>${items.join('\n')}</ul></details>`;
}

function flows(view: PortView): string {
  const byFile = fileFlows(view.report.hunks);
  const byDefinition = definitionFlows(view.report.hunks);
  const stay = byFile.filter((f) => f.to === f.from).length;
  const figure = (title: string, description: string, list: ReturnType<typeof fileFlows>) => `<figure>
<figcaption>${esc(title)}: ${esc(description)}</figcaption>
<div class="scroll" tabindex="0" role="group" aria-label="${esc(title)}">${flowPicture(list, title, description)}</div>
</figure>`;
  return `<section aria-labelledby="flow"><h2 id="flow">Where code went</h2>
<details open><summary>Files</summary>
${figure('Files from base to target', `${stay} keep their path, ${new Set(byFile.filter((f) => f.to !== null && f.to !== f.from).map((f) => f.from)).size} have hunks elsewhere; the wider a band, the more hunks`, byFile)}
</details>
${
  byDefinition.length
    ? `<details><summary>Definitions that are elsewhere now, or gone</summary>
${figure('Definitions from base to target', `${byDefinition.length} ways`, byDefinition)}
</details>`
    : ''
}</section>`;
}

function files(view: PortView): string {
  const rows = view.files.map((f) => {
    const targets = f.targetPaths.filter((t) => t !== f.path).map((t) => `<code>${esc(forDisplay(t))}</code>`);
    const name = `<code>${esc(forDisplay(f.path))}</code>`;
    const linked = view.hunks.some((h) => h.report.path === f.path)
      ? `<a href="#${fileAnchor(f.path)}">${name}</a>`
      : name;
    return [
      linked,
      badge(f.outcome),
      word(f.status),
      word(f.role),
      f.hunks ? String(f.hunks) : '',
      targets.join('<br>') || '',
      esc(f.message ?? ''),
    ];
  });
  return `<section aria-labelledby="files"><h2 id="files">Files</h2>
<details><summary>All ${rows.length} files of the set</summary>
${table(['file', 'outcome', 'change', 'role', 'hunks', 'is now', 'message'], rows, { caption: 'Outcomes by file', numeric: (i) => i === 4 })}
</details></section>`;
}

/** A word that no narrow column may cut. */
const word = (text: string) => `<span class="word">${esc(text)}</span>`;

const anchor = (h: HunkView) => `h-${h.report.patch.replace(/\W+/g, '_')}-${h.report.id}`;
const fileAnchor = (path: string) => `f-${path.replace(/[^\w.-]/g, (c) => `_${c.charCodeAt(0).toString(16)}`)}`;

function hunks(view: PortView): string {
  const byPath = new Map<string, HunkView[]>();
  for (const h of view.hunks) byPath.set(h.report.path, [...(byPath.get(h.report.path) ?? []), h]);
  const outcomes = OUTCOMES.filter((o) => view.hunks.some((h) => h.report.outcome === o));
  const roles = [...new Set(view.hunks.map((h) => h.report.role))].sort();
  const severalPatches = new Set(view.hunks.map((h) => h.report.patch)).size > 1;
  const sections = [...byPath].map(
    ([path, list]) => `<section class="file" aria-labelledby="${fileAnchor(path)}">
<h3 id="${fileAnchor(path)}"><code>${esc(forDisplay(path))}</code></h3>
${list.map((h) => hunk(h, severalPatches, itemOf(h, view))).join('\n')}
</section>`,
  );
  return `<section aria-labelledby="hunks"><h2 id="hunks" tabindex="-1">Hunks</h2>
<form id="filters" aria-label="Filters">
${select('role', 'Role', roles)}
${select('outcome', 'Outcome', outcomes, [['left', 'left for a person']])}
<label>Confidence at most <input type="range" name="confidence" min="0" max="1" step="0.05" value="1"> <output name="shown">1.00</output></label>
<label>Text <input type="search" name="text" placeholder="path, code or reason"></label>
<label class="tick"><input type="checkbox" name="unreviewed"> Not reviewed</label>
<button type="reset">All</button>
<button type="button" id="toggle-all">Open all shown</button>
</form>
<p><span id="count" role="status">${view.hunks.length} hunks</span> <span class="dim">Press <kbd>?</kbd> for keys.</span></p>
<p id="storage" class="warn" hidden>This browser does not keep ticks: they are lost on reload.</p>
${sections.join('\n')}
</section>`;
}

function select(
  name: string,
  label: string,
  values: readonly string[],
  more: readonly [string, string][] = [],
): string {
  const options = [['', 'all'] as [string, string], ...more, ...values.map((v): [string, string] => [v, v])];
  return `<label>${label} <select name="${name}">${options
    .map(([v, text]) => `<option value="${esc(v)}">${esc(text)}</option>`)
    .join('')}</select></label>`;
}

const placeOf = (t: HunkReport['target'][number]) =>
  `${forDisplay(t.path)}:${t.line}${t.definition ? ` in ${t.definition}` : ''}`;

function hunk(view: HunkView, withPatch: boolean, item: ReturnType<typeof itemOf>): string {
  const h = view.report;
  const id = anchor(view);
  const confidence = h.confidence.toFixed(2);
  const candidates = PLACED.has(h.outcome) ? [] : h.edits.flatMap((e) => e.candidates.map(placeOf));
  const to = h.target.map(placeOf);
  const { message, cause } = reasonsOf(h);
  const facts = [
    message && `<p class="message">${esc(forDisplay(message))}</p>`,
    cause && `<p><strong>Upstream:</strong> ${esc(forDisplay(cause))}</p>`,
    item && `<p>Work item: <a href="#${item.id}">${esc(forDisplay(titleBeside(item, h)))}</a></p>`,
    to.length &&
      `<p class="dim">To ${[...new Set(to)].map((t) => `<code>${esc(t)}</code>`).join(', ')}, by ${esc(h.strategy)}.</p>`,
    candidates.length &&
      `<p>It might go to ${[...new Set(candidates)].map((t) => `<code>${esc(t)}</code>`).join(' or ')}.</p>`,
    h.inert && '<p class="dim">The set itself gives this hunk no effect.</p>',
    h.edits.length && `<p class="dim">Edits: ${h.edits.map((e) => `${esc(e.kind)} (${e.outcome})`).join(', ')}.</p>`,
    h.evidence.length &&
      `<ul class="evidence">${h.evidence.map((e) => `<li><code>${esc(e.kind)}</code> ${esc(forDisplay(e.text))}</li>`).join('')}</ul>`,
  ].filter(Boolean);
  return `<article class="hunk" id="${id}" data-role="${h.role}" data-outcome="${h.outcome}" data-confidence="${confidence}" aria-label="hunk ${h.id}">
<label class="tick"><input type="checkbox" class="reviewed" aria-label="reviewed ${h.id}"> <span aria-hidden="true">reviewed</span></label>
<details><summary><code>${h.id}</code> ${badge(h.outcome)} <span class="confidence" title="confidence" style="--share:${Math.round(100 * h.confidence)}%">${confidence}</span> <span class="dim">${withPatch ? `${esc(h.patch)} ` : ''}${h.role}</span> <code class="header">${esc(forDisplay(h.header))}</code></summary>
${facts.join('\n')}
${diffTable(view)}
</details></article>`;
}

/** An item that is named after this hunk's own cause need not say it again. */
function titleBeside(item: NonNullable<ReturnType<typeof itemOf>>, h: HunkReport): string {
  if (!h.causedBy?.text.includes(item.title)) return item.title;
  const more = item.hunks.length - 1;
  return more ? `with ${counted(more, 'more hunk')}` : 'this hunk alone';
}

function help(): string {
  const keys = [
    ['j, k', 'next, previous hunk'],
    ['o, Enter', 'open or close it'],
    ['r', 'tick it as reviewed'],
    ['n', 'next one that is not reviewed'],
    ['/', 'to the text filter'],
    ['Escape', 'out of a field, or close this'],
    ['?', 'this list'],
  ];
  return `<dialog id="help" aria-labelledby="help-title"><h2 id="help-title">Keys</h2>
<dl>${keys.map(([k, what]) => `<dt><kbd>${k}</kbd></dt><dd>${what}</dd>`).join('')}</dl>
<form method="dialog"><button>Close</button></form></dialog>`;
}
