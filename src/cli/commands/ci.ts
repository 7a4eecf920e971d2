import path from 'node:path';
import { inputError, usageError } from '../../core/errors';
import { assertWritable } from '../../io/files';
import { GitRepo } from '../../io/git';
import { machine } from '../../io/machine';
import { inParallel, jobsFor } from '../../report/matrix/run';
import { failingList, problemsOf, updateFailing } from '../../report/ci/failing';
import type { CiReport, CiRow } from '../../report/schema/ci';
import { loadSet } from '../../patch-set/patch-set';
import type { CiRequest, CiResult } from '../ci-worker';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { FIXTURE_COMPILE, fixtureKernels } from '../fixture-kernels';
import { BUNDLED_PATCHES, patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';
import { inWorker, settle, type WorkerAnswer } from '../worker';
import { tableOf } from './apply';

const WORKER = path.join(__dirname, '../ci-worker.js');
const FIXTURES = path.join(__dirname, '../../../fixtures');

/** Fixture kernels are small: a process can do some of them. For real ones each row has its own, for the memory. */
const ROWS_PER_PROCESS = 4;

/** What kport itself is held against: its bundled sets, each to every later fixture kernel. */
const TAGS = ['v4.19', 'v4.20', ...Array.from({ length: 12 }, (_, i) => `v5.${i}`)];
const BUNDLED = [
  { set: 'corevisor-4.18', to: TAGS },
  { set: 'corevisor-5.4', to: TAGS.slice(TAGS.indexOf('v5.5')) },
];

export const ciCommand = defineCommand({
  command: 'ci',
  describe: 'port sets to many kernels, check them, and hold them against ports made by hand',
  builder: (y) =>
    y
      .option('set', { type: 'string', requiresArg: true, describe: 'patch set (default: the bundled sets)' })
      .option('to', { type: 'string', array: true, requiresArg: true, describe: 'targets, separated by commas' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        describe: 'kernel repository (default: the bundled fixture kernels)',
      })
      .option('base-tree', { type: 'string', requiresArg: true, describe: 'where the base kernel is' })
      .option('golden', {
        type: 'string',
        requiresArg: true,
        describe: 'folder of ports made by hand: TARGET/SET.patch',
      })
      .option('failing', { type: 'string', requiresArg: true, describe: 'folder of what is known to fail' })
      .option('update-failing', { type: 'boolean', default: false, describe: 'write that folder anew' })
      .option('compile', { type: 'boolean', default: false, describe: 'compile the ports, too' })
      .option('jobs', { alias: 'j', type: 'number', requiresArg: true, describe: 'ports at a time' })
      .example('$0 ci', 'the bundled sets on the fixture kernels')
      .example('$0 ci --set mine --tree ~/linux --to v5.10,v5.15 --golden ports', 'one of your own'),
  async run(args, ui) {
    const started = performance.now();
    if (args.jobs !== undefined && !(Number.isInteger(args.jobs) && args.jobs > 0)) {
      throw usageError(`'--jobs' takes a number from 1, not '${args.jobs}'`);
    }
    const named = (args.to ?? []).flatMap((t) => t.split(',')).filter(Boolean);
    const own = args.set !== undefined || args.tree !== undefined || args.patches !== undefined;
    if (own && (args.set === undefined || named.length === 0)) {
      throw usageError('which set, and which kernels?', "give '--set NAME --to V,V,…'");
    }
    const golden = args.golden ?? (own ? null : path.join(FIXTURES, 'golden'));
    const failing = args.failing ?? (own ? null : path.join(FIXTURES, 'failing'));
    if (args.updateFailing) {
      if (failing === null) throw usageError("'--update-failing' needs a folder", "give '--failing DIR'");
      if (!args.dryRun) assertWritable(failing);
    }
    const patchesDir = own ? patchesDirToRead(args.patches) : BUNDLED_PATCHES;
    const wanted = own
      ? [{ set: args.set!, to: named }]
      : BUNDLED.map((b) => ({ set: b.set, to: b.to.filter((t) => named.length === 0 || named.includes(t)) }));
    const tree = args.tree ?? (await fixtureKernels());
    const requests = wanted.flatMap(({ set, to }) =>
      [...new Set(to)].map((target): CiRequest => ({
        ...{ set, patchesDir, tree, to: target, baseTree: args.baseTree ?? null, golden },
        compile: args.compile && args.tree === undefined ? { script: FIXTURE_COMPILE } : args.compile,
      })),
    );
    await assertThere(tree, requests);
    const jobs = args.jobs ?? jobsFor(requests.length, machine());
    const perProcess = args.tree === undefined ? Math.min(ROWS_PER_PROCESS, Math.ceil(requests.length / jobs)) : 1;
    const rows = (
      await inParallel(batches(requests, perProcess), jobs, async (batch) => {
        ui.progress(`porting ${batch.map((r) => `${r.set} to ${r.to}`).join(', ')}`);
        return rowsOf(batch, failing);
      })
    ).flat();
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const report: CiReport = { schemaVersion: 1, rows, jobs, seconds };
    if (args.json) ui.json(report);
    else show(report, failing, ui);
    if (args.updateFailing && !args.dryRun) {
      const { written, unexplained } = updateFailing(failing!, rows);
      ui.say(`wrote ${written} lists to '${failing}'`);
      if (unexplained) ui.say(`next: give the ${unexplained} cases that are 'unexplained' a reason there`);
      return rows.some((r) => r.error) ? Exit.Left : Exit.Done;
    }
    return rows.every((r) => r.expected) ? Exit.Done : Exit.Left;
  },
});

/** A typing error must be said before the long work, and must not look like a port that fails. */
async function assertThere(tree: string, requests: readonly CiRequest[]): Promise<void> {
  const repo = await GitRepo.open(tree);
  if (!repo) throw inputError(`'${tree}' is no git repository`, 'kport ci needs one repository that has all targets');
  try {
    for (const { to } of requests) {
      if ((await repo.commit(to)) === null) {
        throw inputError(`unknown revision '${to}' in '${tree}'`, `run 'git -C ${tree} tag'`);
      }
    }
  } finally {
    repo.close();
  }
  if (requests.length === 0) throw usageError('no row to run', "'--to' names no target of the bundled sets");
  for (const set of new Set(requests.map((r) => r.set))) await loadSet(requests[0]!.patchesDir, set);
}

function batches<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

async function rowsOf(batch: readonly CiRequest[], failing: string | null): Promise<CiRow[]> {
  const what = `the port of '${batch[0]!.set}' to '${batch.map((r) => r.to).join("', '")}'`;
  const answers = await settle(() => inWorker<WorkerAnswer<CiResult>[]>(WORKER, batch, what));
  return batch.map((request, i) => {
    const said = 'error' in answers ? answers : answers.done[i]!;
    const row =
      'error' in said
        ? {
            ...{
              set: request.set,
              to: request.to,
              target: null,
              summary: null,
              checks: [],
              treeId: null,
              golden: null,
            },
            ...{ seconds: 0, error: { message: said.error.message, hints: said.error.hints } },
          }
        : { ...said.done, error: null };
    const problems = problemsOf(row, failingList(failing, request.to, request.set));
    return { ...row, expected: problems.length === 0, problems };
  });
}

function show(report: CiReport, failing: string | null, ui: Ui): void {
  const head = ['set', 'target', 'hunks', 'outcomes', 'checks', 'golden', 'differs', 'expected', 'seconds'];
  const rows = report.rows.map((r) => {
    const yes = (b: boolean) => (b ? 'yes' : 'no');
    if (!r.summary) return [r.set, r.to, '-', 'failed', '-', '-', '-', yes(r.expected), '-'];
    const outcomes = Object.entries(r.summary.byOutcome).filter(([, n]) => n > 0);
    const failed = r.checks.filter((c) => c.result === 'fail').length;
    return [
      ...[r.set, r.to, String(r.summary.hunks)],
      outcomes.map(([o, n]) => `${n} ${o}`).join(', '),
      failed ? `${failed} fail` : 'pass',
      r.golden ? yes(r.golden.equal) : '-',
      r.golden ? String(r.golden.cases.length) : '-',
      yes(r.expected),
      r.seconds.toFixed(1),
    ];
  });
  ui.out(tableOf(head, rows, ui));
  let listed = false;
  for (const r of report.rows.filter((x) => !x.expected)) {
    ui.say(`\n${r.set} on ${r.to}:`);
    for (const p of r.problems) ui.say(`  ${p}`);
    listed ||= r.golden !== null;
  }
  const equal = report.rows.filter((r) => r.golden?.equal).length;
  const expected = report.rows.filter((r) => r.expected).length;
  ui.say(
    `\n${report.rows.length} rows: ${equal} equal to their golden, ${expected} as expected; ` +
      `${report.seconds.toFixed(1)} s, ${report.jobs} at a time`,
  );
  if (listed && failing !== null) {
    const command = failing.startsWith(FIXTURES) ? 'npm run ci:fixtures --' : 'kport ci … ';
    ui.say(`next: when that is what it should be, run '${command} --update-failing'`);
  }
}
