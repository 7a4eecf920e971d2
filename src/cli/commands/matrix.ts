import { createHash } from 'node:crypto';
import path from 'node:path';
import { inputError, usageError } from '../../core/errors';
import { forDisplay, fromDisplay } from '../../core/text';
import { cacheDirectory } from '../../io/cache';
import { assertWritable, listFolder, readFile, readFileIfAny, writeFile } from '../../io/files';
import { GitRepo } from '../../io/git';
import { machine } from '../../io/machine';
import { loadSet, type PatchSet } from '../../patch-set/patch-set';
import { matrixPage } from '../../report/matrix/html';
import { jobsFor, runMatrix, type PortedTarget, type TargetCache } from '../../report/matrix/run';
import { matrixOf, reasonOf } from '../../report/matrix/table';
import type { MatrixReport } from '../../report/schema/matrix';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { fixtureKernels } from '../fixture-kernels';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';
import { inWorker } from '../worker';
import { tableOf } from './apply';

const WORKER = path.join(__dirname, '../matrix-worker.js');

export const matrixCommand = defineCommand({
  command: 'matrix',
  describe: 'port one set to many kernels and show where each file first breaks',
  builder: (y) =>
    y
      .option('set', { type: 'string', requiresArg: true, default: 'corevisor-4.18', describe: 'patch set' })
      .option('to', { type: 'string', array: true, requiresArg: true, describe: 'targets, separated by commas' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        describe: 'kernel repository (default: the bundled fixture kernels)',
      })
      .option('base-tree', { type: 'string', requiresArg: true, describe: 'where the base kernel is' })
      .option('html', { type: 'string', requiresArg: true, describe: 'write the table as a page, too' })
      .option('jobs', { alias: 'j', type: 'number', requiresArg: true, describe: 'targets at a time' })
      .option('git', { type: 'boolean', default: true, describe: "count git's own merge conflicts" })
      .option('fresh', { type: 'boolean', default: false, describe: 'port again what an earlier run has done' })
      .example('$0 matrix --set sekvm-4.18 --tree ~/linux --to v4.19,v5.4,v5.10', 'three targets'),
  async run(args, ui) {
    const started = performance.now();
    const targets = (args.to ?? []).flatMap((t) => t.split(',')).filter(Boolean);
    if (targets.length === 0) throw usageError('which kernels?', "give '--to V,V,…', for example '--to v4.19,v5.10'");
    if (args.jobs !== undefined && !(Number.isInteger(args.jobs) && args.jobs > 0)) {
      throw usageError(`'--jobs' takes a number from 1, not '${args.jobs}'`);
    }
    if (args.html !== undefined) assertWritable(args.html);
    const patchesDir = patchesDirToRead(args.patches);
    const set = await loadSet(patchesDir, args.set);
    const tree = args.tree ?? (await fixtureKernels());
    const repo = await GitRepo.open(tree);
    if (!repo) throw inputError(`'${tree}' is no git repository`, 'a matrix needs one repository that has all targets');
    const jobs = args.jobs ?? jobsFor(targets.length, machine());
    try {
      const digest = digestOf(set, args.baseTree ?? null, args.git);
      const columns = await runMatrix({
        targets: [...new Set(targets)],
        jobs,
        keyOf: async (to) => {
          const commit = await repo.commit(to);
          if (commit === null) throw inputError(`unknown revision '${to}' in '${tree}'`, `run 'git -C ${tree} tag'`);
          const base = await repo.commit(set.manifest.base.commit ?? set.manifest.base.version);
          return createHash('sha256').update(`${digest} ${commit} ${base}`).digest('hex');
        },
        portOne: (to) =>
          portInWorker({ set: set.name, patchesDir, tree, to, baseTree: args.baseTree ?? null }, args.git),
        cache: args.dryRun || args.fresh ? writeOnly(cacheOf(), args.dryRun) : cacheOf(),
        progress: (line) => ui.progress(line),
      });
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const report = matrixOf({ name: set.name, base: set.manifest.base }, columns, { jobs, seconds });
      if (args.html !== undefined && !args.dryRun) {
        writeFile(args.html, fromDisplay(matrixPage(report)));
        ui.say(`wrote '${args.html}'`);
      }
      if (args.json) ui.json(report);
      else show(report, ui);
      return exitOf(report);
    } finally {
      repo.close();
    }
  },
});

/** One target in a process of its own. */
function portInWorker(
  request: { set: string; patchesDir: string; tree: string; to: string; baseTree: string | null },
  withGit: boolean,
): Promise<PortedTarget> {
  const input = {
    request: {
      ...request,
      branch: null,
      out: null,
      force: false,
      only: [],
      markers: false,
      chronicle: true,
      dryRun: true,
    },
    withGit,
  };
  return inWorker(WORKER, input, `the port to '${request.to}'`);
}

/** Everything but the target that decides what a port gives: the set's files, and kport's own code. */
function digestOf(set: PatchSet, baseTree: string | null, withGit: boolean): string {
  const hash = createHash('sha256').update(`1 ${baseTree && path.resolve(baseTree)} ${withGit} ${codeDigest()}`);
  for (const name of listFolder(set.dir)) {
    hash.update(`\0${name}\0`).update(readFileIfAny(path.join(set.dir, name)) ?? '', 'latin1');
  }
  return hash.digest('hex');
}

/** kport's version says too little while kport itself is worked on, so its code counts as well. */
function codeDigest(): string {
  const root = path.join(__dirname, '../..');
  const hash = createHash('sha256').update(readFile(path.join(root, '../package.json')), 'latin1');
  const visit = (dir: string) => {
    for (const name of listFolder(dir)) {
      const file = path.join(dir, name);
      const text = /\.(js|json|tsv|yaml)$/.test(name) ? readFileIfAny(file) : null;
      if (text !== null) hash.update(text, 'latin1');
      else if (!name.includes('.')) visit(file);
    }
  };
  visit(root);
  return hash.digest('hex');
}

function cacheOf(): TargetCache {
  const file = (key: string) => path.join(cacheDirectory(), 'matrix', `${key}.json`);
  return {
    get(key) {
      const text = readFileIfAny(file(key));
      try {
        return text === null ? null : (JSON.parse(Buffer.from(text, 'latin1').toString('utf8')) as PortedTarget);
      } catch {
        return null;
      }
    },
    put: (key, value) => writeFile(file(key), fromDisplay(JSON.stringify(value))),
  };
}

function writeOnly(cache: TargetCache, dryRun: boolean): TargetCache {
  return { get: dryRun ? cache.get : () => null, put: dryRun ? () => undefined : cache.put };
}

function exitOf(report: MatrixReport): Exit {
  if (report.targets.every((t) => t.error)) return Exit.Usage;
  const clean = report.targets.every((t) => t.summary && t.summary.placed === t.summary.hunks);
  return clean && report.files.every((f) => !f.breaks) ? Exit.Done : Exit.Left;
}

function show(report: MatrixReport, ui: Ui): void {
  ui.out(`${report.set}: ${report.base.version} -> ${report.targets.length} targets\n\n`);
  const rows = report.targets.map((t) => {
    const s = t.summary;
    if (!s) return [t.to, 'failed', '-', '-', '-', '-', '-', '-'];
    return [
      t.to,
      t.target!.version,
      `${s.placed}/${s.hunks}`,
      String(s.hunks - s.placed),
      t.git ? String(t.git.regions) : '-',
      t.git ? String(t.git.files) : '-',
      `${t.seconds.toFixed(1)}${t.cached ? '*' : ''}`,
      String(t.peakMegabytes),
    ];
  });
  const head = ['target', 'kernel', 'placed', 'left', 'git regions', 'git files', 'seconds', 'MB'];
  ui.out(`${tableOf(head, rows, ui)}\n`);
  ui.out(
    `${tableOf(
      ['file', ...report.targets.map((t) => t.to), 'breaks at'],
      report.files.map((f) => [
        forDisplay(f.path),
        ...f.placed.map((n) => (n === null ? '-' : `${n}/${f.hunks}`)),
        f.breaks?.at ?? '',
      ]),
      ui,
    )}\n`,
  );
  const broken = report.files.filter((f) => f.breaks);
  if (broken.length) ui.out('why each file first breaks:\n');
  for (const f of broken) ui.out(`  ${forDisplay(f.path)} at ${f.breaks!.at}: ${forDisplay(reasonOf(f.breaks!))}\n`);
  for (const t of report.targets) {
    if (t.error) ui.say(`error: ${t.to}: ${t.error.message}`);
    else if (t.gitSkipped) ui.say(`note: ${t.to}: git's merge was not counted: ${t.gitSkipped}`);
  }
  if (report.targets.some((t) => t.cached)) ui.say("note: '*' was taken from an earlier run; '--fresh' ports again");
  const memory = Math.max(...report.targets.map((t) => t.peakMegabytes));
  ui.say(`${report.seconds.toFixed(1)} s in all, ${report.jobs} at a time, at most ${memory} MB each`);
  ui.say(`next: kport apply --set ${report.set} --tree DIR --to VERSION`);
}
