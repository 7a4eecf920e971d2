import type { HunkReport } from '../../src/core/outcome';
import { GitRepo } from '../../src/io/git';
import { Scratch } from '../../src/io/scratch';
import { loadSet } from '../../src/patch-set/patch-set';
import { parsePort, revisionSide } from '../../src/report/diff-ports/sides';
import { definitionFlows, fileFlows, flowPicture } from '../../src/report/port/flow';
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
    for (const item of items) expect(html).toContain(`<li id="${item.id}"><strong>v4.20</strong>`);
    expect(html).toContain('not in the tree</summary>');
  });

  it('are left out for a report that has none', () => {
    const report = { ...view.report };
    delete report.workItems;
    expect(portPage({ ...view, report }, options)).not.toContain('Work items');
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
