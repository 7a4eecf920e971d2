import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { openTree, type KernelTree } from '../../src/io/tree';
import { loadSet, type PatchSet } from '../../src/patch-set/patch-set';
import { goldenDiff } from '../../src/report/ci/golden';
import { isReview, type Check, type Finding } from '../../src/verify/check';
import { accounting } from '../../src/verify/checks/accounting';
import { kbuild } from '../../src/verify/checks/kbuild';
import { openContext } from '../../src/verify/context';
import { runChecks, SOURCE_CHECKS } from '../../src/verify/run-checks';
import { Sandbox } from '../support/sandbox';

const ROOT = path.join(__dirname, '../..');
const GOLDEN = path.join(ROOT, 'fixtures/golden');
const rows = readdirSync(GOLDEN)
  .filter((target) => target.startsWith('v'))
  .flatMap((target) =>
    ['corevisor-4.18', 'corevisor-5.4']
      .filter((set) => existsSync(path.join(GOLDEN, target, `${set}.patch`)))
      .map((set) => ({ set, target })),
  );

const box = new Sandbox();
let dir = '';
const sets = new Map<string, PatchSet>();
beforeAll(async () => {
  box.run('bash', [path.join(ROOT, 'fixtures/kernels/make.sh'), box.path('kernels')], { ok: [0] });
  dir = box.open('kernels').dir;
  for (const name of ['corevisor-4.18', 'corevisor-5.4'])
    sets.set(name, await loadSet(path.join(ROOT, 'patches'), name));
});
afterAll(() => box.remove());

/** The tree that a port made by hand leads to. */
async function golden(set: string, target: string): Promise<KernelTree> {
  const env = { GIT_INDEX_FILE: box.path('index') };
  const git = (args: string[], input?: string) =>
    box.run('git', ['-C', dir, ...args], { env, ok: [0], ...(input === undefined ? {} : { input }) }).stdout.trim();
  git(['read-tree', target]);
  git(['apply', '--cached', '--whitespace=nowarn', '-'], goldenDiff(GOLDEN, target, set)!);
  const commit = git(['commit-tree', '-p', target, '-m', 'golden', git(['write-tree'])]);
  return openTree(dir, commit);
}

async function findings(
  set: string,
  target: string,
  ported: KernelTree,
  checks: readonly Check[] = SOURCE_CHECKS,
): Promise<Finding[]> {
  const ctx = await openContext({
    set: sets.get(set)!,
    base: await openTree(dir, set.replace('corevisor-', 'v')),
    target: await openTree(dir, target),
    ported,
    report: null,
    option: null,
  });
  const { results } = await runChecks(ctx, checks);
  for (const r of results) expect(r.reason).not.toMatch(/the check itself broke/);
  return results.flatMap((r) => r.findings);
}

test('there are 21', () => expect(rows).toHaveLength(21));

test.each(rows)(
  'no check finds anything in $set ported to $target by hand',
  async ({ set, target }) => {
    const found = await findings(set, target, await golden(set, target));
    expect(found.filter((f) => !isReview(f))).toEqual([]);
  },
  60_000,
);

// The other side of it: what may read otherwise in a port by hand must still be missed when it is not there at all.
test('a file of a port by hand is missed when it is left as the target has it', async () => {
  const [set, target] = ['corevisor-4.18', 'v5.6'];
  const whole = await golden(set, target);
  const before = await openTree(dir, target);
  const excused = 'virt/kvm/arm/mmio.c';
  const all = [...whole.paths()].filter((p) => before.has(p) && before.entry(p)!.oid !== whole.entry(p)!.oid);
  expect(all.length).toBeGreaterThan(30);
  // Every fourth: each takes seconds.
  const changed = all.filter((_, i) => i % 4 === all.indexOf(excused) % 4);
  const reviewed: string[] = [];
  const silent: string[] = [];
  for (const left of changed) {
    const without: KernelTree = {
      ...{ name: whole.name, version: whole.version, commit: whole.commit, repo: whole.repo },
      paths: () => whole.paths(),
      has: (p) => whole.has(p),
      entry: (p) => (p === left ? before.entry(p) : whole.entry(p)),
      read: (p) => (p === left ? before.read(p) : whole.read(p)),
    };
    const found = await findings(set, target, without, [accounting, kbuild]);
    if (found.some((f) => !isReview(f))) continue;
    (found.some((f) => f.path === left) ? reviewed : silent).push(left);
  }
  expect(silent).toEqual([]);
  // Its function is another one in this kernel, which is a reason not to be there.
  expect(reviewed).toEqual([excused]);
}, 240_000);
