import { readdirSync, writeFileSync } from 'node:fs';
import { apply } from '../../src/apply';
import type { PortReport } from '../../src/core/report';
import { importSet, type ImportRequest } from '../../src/patch-set/import';
import { hunksOf } from '../../src/patch-set/patch-set';
import { randomHistory } from '../support/history';
import { Sandbox, type Repo } from '../support/sandbox';

let box: Sandbox;

beforeEach(() => {
  box = new Sandbox();
  Object.assign(process.env, {
    KPORT_CACHE_DIR: box.path('cache'),
    GIT_COMMITTER_NAME: 'Carl Committer',
    GIT_COMMITTER_EMAIL: 'carl@example.org',
  });
});
afterEach(() => box.remove());

const importing = (name: string, from: Partial<ImportRequest>) =>
  importSet({
    name,
    patchesDir: box.path('patches'),
    source: null,
    range: null,
    repo: null,
    base: null,
    force: false,
    dryRun: false,
    ...from,
  });

function port(repo: Repo, set: string, to = 'v4.18', options: { markers?: boolean } = {}): Promise<PortReport> {
  return apply({
    set,
    patchesDir: box.path('patches'),
    tree: repo.dir,
    to,
    baseTree: null,
    branch: `ported-${set}`,
    out: box.path(`out-${set}`),
    force: true,
    only: [],
    markers: options.markers ?? false,
    chronicle: true,
    dryRun: false,
    progress: () => undefined,
  });
}

/** What must hold of every port, whatever came out. */
async function checkReport(report: PortReport, set: Awaited<ReturnType<typeof importing>>['set'], repo: Repo) {
  const expected = [...hunksOf(set)]
    .filter((h) => h.change.status !== 'added')
    .map((h) => `${h.patch.file} ${h.hunk.id}`);
  expect(report.hunks.map((h) => `${h.patch} ${h.id}`).sort()).toEqual(expected.sort());
  expect(report.summary.hunks).toBe(expected.length);
  expect(Object.values(report.summary.byOutcome).reduce((a, b) => a + b)).toBe(expected.length);
  const marked = repo.git(['grep', '-I', '-l', '-e', '^<<<<<<<', '-e', '^>>>>>>>', report.result!.branch!], {
    ok: [0, 1],
  });
  expect(marked).toBe('');
  expect(repo.tree(report.result!.branch!)).toBe(report.result!.treeId);
}

const problems = (report: PortReport) => [
  ...report.hunks.filter((h) => h.outcome === 'conflict').map((h) => `${h.path} ${h.header}: ${h.message}`),
  ...report.files
    .filter((f) => !['applied'].includes(f.outcome))
    .map((f) => `${f.status} ${f.path}: ${f.outcome} ${f.message}`),
];

function expectSameTree(repo: Repo, branch: string): void {
  expect(repo.git(['diff', '--stat', '-p', '--no-renames', 'set', branch]).slice(0, 3000)).toBe('');
}

const SEEDS = process.env.KPORT_TEST_SEEDS
  ? process.env.KPORT_TEST_SEEDS.split(',').map(Number)
  : Array.from({ length: 5 }, (_, i) => i + 1);

describe('a set applied to its own base gives the patched base, byte for byte', () => {
  test.each(SEEDS)('random history %i', async (seed) => {
    const repo = randomHistory(box, 'linux', seed);
    const { set } = await importing('range', { repo: repo.dir, range: 'v4.18..set' });
    const report = await port(repo, 'range');
    expect(problems(report)).toEqual([]);
    expectSameTree(repo, report.result!.branch!);
    await checkReport(report, set, repo);

    // The other ways in: as mails that also tell of copies, and as one diff. git am is the judge.
    writeFileSync(
      box.path('mbox'),
      repo.git(['format-patch', '--stdout', '--binary', '-M', '-C', '--find-copies-harder', 'v4.18..set']),
      'latin1',
    );
    await importing('mbox', { source: box.path('mbox'), base: 'v4.18' });
    const fromMails = await port(repo, 'mbox');
    expect(problems(fromMails)).toEqual([]);
    expectSameTree(repo, fromMails.result!.branch!);

    const diff = repo.git(['diff', '--binary', '-M', 'v4.18', 'set']);
    if (diff === '') return;
    writeFileSync(box.path('one.diff'), diff, 'latin1');
    await importing('diff', { source: box.path('one.diff'), base: 'v4.18' });
    const fromDiff = await port(repo, 'diff');
    expect(problems(fromDiff)).toEqual([]);
    expectSameTree(repo, fromDiff.result!.branch!);
  });
});

describe('a set applied to another kernel', () => {
  test.each(SEEDS.map((s) => s + 1000))(
    'random history %i: all accounted for, no marker, git am agrees',
    async (seed) => {
      const repo = randomHistory(box, 'linux', seed, true);
      const { set } = await importing('range', { repo: repo.dir, range: 'v4.18..set' });
      const report = await port(repo, 'range', 'v5.4');
      await checkReport(report, set, repo);
      const left = report.hunks.filter((h) => h.outcome === 'conflict').length;
      const rejected = report.rejects.map((r) => r.text.match(/^# [0-9a-f]{12}: /gm)?.length ?? 0);
      const inFiles = report.files.filter((f) => f.status === 'added' && f.outcome === 'conflict').map((f) => f.hunks);
      const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
      expect(sum(rejected)).toBe(left + sum(inFiles));
      expect(new Set(report.rejects.map((r) => r.file)).size).toBe(report.rejects.length);

      const mails = readdirSync(box.path('out-range')).filter((f) => f.endsWith('.patch'));
      repo.git(['checkout', '-q', '-f', '--detach', 'v5.4']);
      repo.git(['clean', '-q', '-fdx']);
      if (mails.length) repo.git(['am', '-q', '--keep-cr', ...mails.map((m) => box.path('out-range', m))]);
      expect(repo.tree('HEAD')).toBe(report.result!.treeId);
    },
  );
});
