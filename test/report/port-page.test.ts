import type { HunkReport } from '../../src/core/outcome';
import { GitRepo } from '../../src/io/git';
import { Scratch } from '../../src/io/scratch';
import { loadSet } from '../../src/patch-set/patch-set';
import { parsePort, revisionSide } from '../../src/report/diff-ports/sides';
import { definitionFlows, fileFlows, flowPicture } from '../../src/report/port/flow';
import { causeText, reasonsOf } from '../../src/report/port/cause';
import { portPage } from '../../src/report/port/html';
import { cells, isSame, rowsOf } from '../../src/report/port/side-by-side';
import { CheckSchema } from '../../src/report/schema/check';
import { viewOf, type PortView, type ShownLine } from '../../src/report/port/view';
import { tinyKernels, type TinyKernels } from './kernels';

let kernels: TinyKernels;
let view: PortView;
beforeAll(async () => {
  kernels = await tinyKernels();
  const report = await kernels.port('v4.20', 'kport/tiny');
  const repo = (await GitRepo.open(kernels.repo))!;
  const side = await revisionSide(repo, parsePort('kport/tiny'), 'v4.20');
  const set = await loadSet(kernels.patches, 'tiny');
  view = await Scratch.use([repo], (s) => viewOf(report, set, side, s));
  repo.close();
});
afterAll(() => kernels.remove());

const lines = (text: string): ShownLine[] =>
  text.split('\n').map((l) => ({ mark: l[0] as ShownLine['mark'], text: l.slice(1) }));

describe('a hunk beside its port', () => {
  it('puts equal lines side by side, and changed ones with the words marked', () => {
    const rows = rowsOf(lines(' a();\n+b(kvm->x);\n c();'), lines('@f.c:9\n a();\n+b(kvm->mmu.x);\n d();'));
    expect(rows.map((r) => [r.left?.text, r.right?.text])).toEqual([
      [undefined, 'f.c:9'],
      ['a();', 'a();'],
      ['b(kvm->x);', 'b(kvm->mmu.x);'],
      ['c();', 'd();'],
    ]);
    expect(rows.map(isSame)).toEqual([false, true, false, false]);
    expect(cells(rows[2]!)[1]).toContain('<ins>');
  });

  it('keeps every line of both sides, in order', () => {
    const [a, b] = [lines('+1\n+2\n-3\n 4'), lines('@x\n 4\n@y\n+2\n+5\n-3')];
    const rows = rowsOf(a, b);
    expect(rows.flatMap((r) => r.left ?? [])).toEqual(a);
    expect(rows.flatMap((r) => r.right ?? [])).toEqual(b);
  });

  it('shows what was put in, with its context, and nothing of a hunk that is left', () => {
    const kconfig = view.hunks.find((h) => h.report.path === 'Kconfig')!;
    expect(kconfig.ported.filter((l) => l.mark === '+').map((l) => l.text)).toContain('config EL2_CORE');
    const fault = view.hunks.find((h) => h.report.path === 'kvm/fault.c')!;
    expect(fault.ported).toEqual([]);
    expect(fault.source.length).toBeGreaterThan(0);
  });
});

describe('work items', () => {
  const options = { check: null };

  it('link to their hunks, and show the draft as one', () => {
    const items = view.report.workItems!;
    expect(items.length).toBeGreaterThan(0);
    const draft = { path: 'kvm/fault.c', line: 1, text: '# draft, not placed\n+\tfirst();\n' };
    const workItems = items.map((item) => ({ ...item, draft: item.draft ?? draft }));
    const html = portPage({ ...view, report: { ...view.report, workItems } }, options);
    expect(html).toContain('<h2 id="work">Work items</h2>');
    for (const item of items) expect(html).toContain(`<li id="${item.id}" tabindex="-1"><strong>v4.20</strong>`);
    expect(html).toContain('not in the tree</summary>');
  });

  it('hold what no open point says again, and are linked from their hunks', () => {
    const [left] = view.hunks.filter((h) => h.report.outcome === 'conflict');
    const at = `${left!.report.path}:${left!.report.source.line}`;
    const section = (html: string, id: string) =>
      new RegExp(`<section aria-labelledby="${id}">[^]*?</section>`).exec(html)![0];
    const html = portPage(view, options);
    expect(section(html, 'work')).toContain(at);
    expect(section(html, 'open')).not.toContain(at);
    const article = html.slice(html.indexOf(`aria-label="hunk ${left!.report.id}"`));
    expect(article.slice(0, article.indexOf('</article>'))).toContain(`href="#${view.report.workItems![0]!.id}"`);
    const alone = portPage({ ...view, report: { ...view.report, workItems: [] } }, options);
    expect(section(alone, 'open')).toContain(at);
  });

  it('colour the draft as a diff', () => {
    const items = view.report.workItems!.map((item) => ({
      ...item,
      draft: { path: 'kvm/fault.c', line: 1, text: '# draft, not placed\n \ta();\n-\tb(<x>);\n+\tc();\n' },
    }));
    const html = portPage({ ...view, report: { ...view.report, workItems: items } }, options);
    expect(html).toContain(
      '<span class="at"># draft, not placed</span>\n<span> \ta();</span>\n' +
        '<span class="m">-\tb(&#60;x&#62;);</span>\n<span class="p">+\tc();</span></pre>',
    );
  });

  it('are left out for a report that has none', () => {
    const report = { ...view.report };
    delete report.workItems;
    expect(portPage({ ...view, report }, options)).not.toContain('Work items');
  });
});

describe('a hunk that is left', () => {
  const candidate = { path: 'kvm/fault.c', line: 5, definition: 'handle_fault', parts: null };
  const withCandidates = async (candidates: (typeof candidate)[]) => {
    const report = structuredClone(view.report);
    delete report.workItems;
    const left = report.hunks.find((h) => h.outcome === 'conflict')!;
    left.edits.forEach((e) => (e.candidates = candidates));
    const repo = (await GitRepo.open(kernels.repo))!;
    const side = await revisionSide(repo, parsePort('kport/tiny'), 'v4.20');
    const set = await loadSet(kernels.patches, 'tiny');
    const made = await Scratch.use([repo], (s) => viewOf(report, set, side, s));
    repo.close();
    return { made, shown: made.hunks.find((h) => h.report.id === left.id)!.candidate };
  };

  it('names its candidates, each once, and shows the lines of the target at the best one', async () => {
    const other = { ...candidate, path: 'kvm/run.c', line: 1, definition: 'a<b' };
    const { made, shown } = await withCandidates([{ ...candidate, line: 1 }, candidate, candidate, other]);
    const html = portPage(made, { check: null });
    expect(html).toContain(
      '<p>It might go to <code>kvm/fault.c:1 in handle_fault</code> or <code>kvm/fault.c:5 in handle_fault</code> ' +
        'or <code>kvm/run.c:1 in a&#60;b</code>.</p>',
    );
    expect(shown[0]).toEqual({ mark: '@', text: 'kvm/fault.c:2, as the target has it' });
    const target = kernels.git('show', 'v4.20:kvm/fault.c').split('\n');
    expect(shown.slice(1, 5).map((l) => l.text)).toEqual(target.slice(1, 5));
    expect(html).toContain('target at the best candidate (nothing was put in)');
  });

  it('shows no lines when no place is known', async () => {
    const { made, shown } = await withCandidates([]);
    expect(shown).toEqual([]);
    const html = portPage(made, { check: null });
    expect(html).not.toContain('It might go to');
    expect(html).toContain('ported hunk (nothing was put in)');
  });
});

describe('a cause', () => {
  it('says its release once, and what the message says not at all', () => {
    const text = "'f' left a.c between v5.8 and v5.10: the line is gone";
    expect(causeText({ release: 'v5.10', commit: null, text })).toBe(text);
    expect(causeText({ release: 'v5.1', commit: 'a'.repeat(40), text })).toBe(`v5.1: ${'a'.repeat(12)}: ${text}`);
    const causedBy = { release: 'v5.10', commit: null, text };
    expect(reasonsOf({ message: 'the line is gone', causedBy })).toEqual({ message: null, cause: text });
    expect(reasonsOf({ message: 'moved', causedBy })).toEqual({ message: 'moved', cause: text });
    expect(reasonsOf({ message: 'moved', causedBy: null })).toEqual({ message: 'moved', cause: null });
  });
});

describe('the flow picture', () => {
  const hunk = (from: string, to: string | null, definition: string | null = null) =>
    ({
      path: from,
      outcome: to === null ? 'conflict' : 'applied',
      source: { path: from, definition, line: 1 },
      target: to === null ? [] : [{ path: to, definition, line: 1 }],
    }) as unknown as HunkReport;

  it('counts hunks by way, what stays and what is lost included', () => {
    const hunks = [hunk('a.c', 'a.c'), hunk('a.c', 'b.c', 'f'), hunk('a.c', 'b.c'), hunk('a.c', null, 'g')];
    expect(fileFlows(hunks)).toEqual([
      { from: 'a.c', to: 'a.c', hunks: 1 },
      { from: 'a.c', to: 'b.c', hunks: 2 },
      { from: 'a.c', to: null, hunks: 1 },
    ]);
    expect(definitionFlows(hunks).map((f) => [f.from, f.to])).toEqual([
      ['a.c: f', 'b.c: f'],
      ['a.c: g', null],
    ]);
    expect(flowPicture(fileFlows(hunks), 'Files', 'x')).toContain('2 hunks: a.c to b.c');
  });
});

describe('the page', () => {
  it('has every hunk once, with what the filters need', () => {
    const html = portPage(view, { check: null });
    expect(html.match(/<article class="hunk"/g)).toHaveLength(view.hunks.length);
    expect(html).toMatch(/data-role="hostvisor" data-outcome="\w+" data-confidence="\d\.\d\d"/);
    expect(new Set([...html.matchAll(/ id="([^"]+)"/g)].map((m) => m[1])).size).toBe(
      [...html.matchAll(/ id="/g)].length,
    );
  });

  it('says that nothing was checked when nothing was', () => {
    expect(portPage(view, { check: null })).toContain('nothing here says that the ported kernel builds');
    const finding = { path: 'a.c', line: 3, hunk: null, definition: 'f', text: 'is <gone>', kind: 'gone' };
    const check = CheckSchema.parse({
      ...{ schemaVersion: 1, set: 'tiny', target: { name: 'v4.20', version: 'v4.20' }, branch: 'x', timing: {} },
      checks: [{ name: 'symbols', result: 'fail', reason: 'x', findings: [finding] }],
    });
    expect(portPage(view, { check })).toContain('is &#60;gone&#62;');
    expect(portPage(view, { check })).toContain('symbols');
  });

  it('escapes what comes from patches and paths', () => {
    const evil = structuredClone(view);
    evil.hunks[0]!.report.message = '</script><script>alert(1)</script>';
    evil.hunks[0]!.report.path = '"><img src=x onerror=alert(1)>';
    evil.hunks[0]!.source.push({ mark: '+', text: '<b onclick="x">' });
    const html = portPage(evil, { check: null });
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<img src=x');
    expect(html).not.toContain('<b onclick');
  });

  it('is the same twice', () => {
    expect(portPage(view, { check: null })).toBe(portPage(structuredClone(view), { check: null }));
  });
});
