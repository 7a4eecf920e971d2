import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { allFailing, UNEXPLAINED } from '../src/report/ci/failing';
import { goldenDiff } from '../src/report/ci/golden';
import { CiSchema } from '../src/report/schema/ci';
import { hunksOf, loadSet } from '../src/patch-set/patch-set';
import { Sandbox } from './support/sandbox';

const ROOT = path.join(__dirname, '..');
const GOLDEN = path.join(ROOT, 'fixtures/golden');
const FAILING = path.join(ROOT, 'fixtures/failing');
const json = <T>(file: string) => JSON.parse(readFileSync(file, 'utf8')) as T;

const box = new Sandbox();
afterAll(() => box.remove());

/** The rows of the table of trees in the goldens' README. */
const rows = [
  ...readFileSync(path.join(GOLDEN, 'README.md'), 'utf8').matchAll(/^\| (\S+) \| (v\S+) \| `([0-9a-f]{40})` \|$/gm),
].map(([, set, target, tree]) => ({ set: set!, target: target!, tree: tree! }));

describe('the goldens', () => {
  it('give the trees that their README names, for 14 and 7 targets', () => {
    box.run('bash', [path.join(ROOT, 'fixtures/kernels/make.sh'), box.path('kernels')], { ok: [0] });
    const repo = box.open('kernels');
    expect(rows.filter((r) => r.set === 'corevisor-4.18')).toHaveLength(14);
    expect(rows.filter((r) => r.set === 'corevisor-5.4')).toHaveLength(7);
    const env = { GIT_INDEX_FILE: box.path('index') };
    for (const { set, target, tree } of rows) {
      const git = (args: string[], input?: string) =>
        box.run('git', ['-C', repo.dir, ...args], { env, ok: [0], ...(input === undefined ? {} : { input }) });
      git(['read-tree', target]);
      git(['apply', '--cached', '--whitespace=nowarn', '-'], goldenDiff(GOLDEN, target, set)!);
      expect({ set, target, tree: git(['write-tree']).stdout.trim() }).toEqual({ set, target, tree });
    }
  });

  it('leave out no hunk that the set has not', async () => {
    const noPlace = json<Record<string, { hunk: string }[]>>(path.join(GOLDEN, 'no-place.json'));
    for (const [name, entries] of Object.entries(noPlace)) {
      const ids = new Set([...hunksOf(await loadSet(path.join(ROOT, 'patches'), name))].map((h) => h.hunk.id));
      expect(entries.filter((e) => !ids.has(e.hunk))).toEqual([]);
    }
  });
});

describe('the list of what is known to fail', () => {
  it('has a reason in words for each case, and no reason without a case', () => {
    const reasons = existsSync(path.join(FAILING, 'reasons.json'))
      ? json<Record<string, string>>(path.join(FAILING, 'reasons.json'))
      : {};
    const used = new Set(allFailing(FAILING).flatMap((l) => [...l.checks, ...l.cases].map((c) => c.reason)));
    expect(used.has(UNEXPLAINED)).toBe(false);
    expect([...used].sort()).toEqual(Object.keys(reasons).sort());
    for (const text of Object.values(reasons)) expect(text).toMatch(/^[A-Z].*\.$/);
  });

  it('has a golden for each list', () => {
    for (const l of allFailing(FAILING))
      expect(rows).toContainEqual(expect.objectContaining({ set: l.set, target: l.target }));
  });
});

describe('kport ci on the fixture kernels', () => {
  // A case that starts to pass is a reason to look, too: `npm run ci:fixtures -- --update-failing`, then read the diff.
  it('gives the goldens, or exactly what is listed as failing', () => {
    const done = box.kport(['ci', '--json']);
    expect(done.stderr).toBe('');
    const report = CiSchema.parse(JSON.parse(done.stdout));
    expect(report.rows.map((r) => `${r.set} ${r.to}`)).toEqual(rows.map((r) => `${r.set} ${r.target}`));
    expect(report.rows.filter((r) => !r.expected).map((r) => ({ set: r.set, to: r.to, problems: r.problems }))).toEqual(
      [],
    );
    for (const r of report.rows) {
      const tree = rows.find((x) => x.set === r.set && x.target === r.to)!.tree;
      expect(r.golden).toMatchObject({ treeId: tree, equal: r.treeId === tree });
    }
    expect(done.status).toBe(0);
  }, 600_000);
});
