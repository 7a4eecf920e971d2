import { inputError, KportError, usageError } from '../../core/errors';
import type { PortReport } from '../../core/report';
import { forDisplay } from '../../core/text';
import { formatVersion } from '../../core/version';
import { readFile } from '../../io/files';
import { GitRepo } from '../../io/git';
import { openTree, type KernelTree } from '../../io/tree';
import { loadSet, type PatchSet } from '../../patch-set/patch-set';
import { isReview, type CheckResult } from '../../verify/check';
import { openContext } from '../../verify/context';
import { runAllChecks, type BuildRequest, type CheckDocument } from '../../verify/run-checks';
import { findBase } from '../../result/base';
import { loadPort, storeChecks } from '../../result/store';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';

export const checkCommand = defineCommand({
  command: 'check',
  describe: 'check a ported tree: text, guards, compiler, boot',
  builder: (y) =>
    y
      .option('set', { type: 'string', requiresArg: true, describe: 'patch set (default: that of the port)' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        describe: 'git repository of the target kernel (default: .)',
      })
      .option('branch', {
        type: 'string',
        requiresArg: true,
        describe: 'ported tree: any revision (default: the last port)',
      })
      .option('to', { type: 'string', requiresArg: true, describe: 'kernel that the port stands on' })
      .option('base', { type: 'string', requiresArg: true, describe: "the same as '--to'" })
      .option('base-tree', { type: 'string', requiresArg: true, describe: 'kernel that the set was made for' })
      .option('compile', {
        type: 'boolean',
        default: true,
        describe: 'build the touched folders, the option on and off',
      })
      .option('boot', { type: 'boolean', default: false, describe: 'build an Image, boot it in QEMU and run a guest' })
      .option('sparse', { type: 'boolean', default: true, describe: 'ask sparse, where it is installed' })
      .option('each', { type: 'boolean', default: false, describe: 'build after every patch of the series' })
      .option('cross-compile', {
        type: 'string',
        requiresArg: true,
        describe: 'prefix of the cross tools (default: aarch64-linux-gnu-)',
      })
      .option('jobs', { alias: 'j', type: 'number', requiresArg: true, describe: 'jobs of make (default: 2)' })
      .option('config', { type: 'string', requiresArg: true, describe: 'file of CONFIG_… lines to build with' })
      .option('keep', { type: 'string', requiresArg: true, describe: 'folder to build in, which stays' })
      .option('option', {
        type: 'string',
        requiresArg: true,
        describe: "CONFIG_… that switches the set (default: the set's own)",
      }),
  async run(args, ui) {
    if (args.to !== undefined && args.base !== undefined && args.to !== args.base) {
      throw usageError("'--to' and '--base' name different kernels", 'they mean the same: give one');
    }
    const dir = args.tree ?? '.';
    const repo = await GitRepo.open(dir);
    const stored = repo && (await loadPort(repo, args.branch ?? null));
    const branch = args.branch ?? stored?.result?.branch ?? null;
    if (branch === null) {
      throw inputError(
        'no port to check',
        "give '--branch REVISION --to VERSION --set NAME', or run 'kport apply' first",
      );
    }
    const to = args.to ?? args.base ?? stored?.target.commit ?? stored?.target.name;
    if (to === undefined)
      throw usageError(`no port of '${branch}' is on record`, "name its kernel with '--to VERSION'");
    const ported = await openTree(dir, branch);
    const target = await openTree(dir, to);
    const name = args.set ?? stored?.set;
    const set =
      name === undefined
        ? null
        : await loadSet(
            stored && args.patches === undefined ? stored.patchesDir : patchesDirToRead(args.patches),
            name,
          );
    const report = stored && (set === null || stored.set === set.name) ? stored : null;
    const build = args.compile
      ? {
          prefix: args.crossCompile ?? null,
          jobs: args.jobs ?? 2,
          config: args.config === undefined ? '' : readFile(args.config),
          keep: args.keep ?? null,
          boot: args.boot,
          sparse: args.sparse,
          each: args.each ? await commitsBetween(dir, target, ported) : null,
        }
      : null;
    const document = await check(ui, {
      set,
      report,
      target,
      ported,
      branch,
      dir,
      baseTree: args.baseTree,
      option: args.option,
      build,
    });
    // 'kport mail' tells its readers what was checked, and refuses a port that was not.
    const treeId = await repo?.resolve(`${branch}^{tree}`);
    if (repo && stored && treeId && !args.dryRun) await storeChecks(repo, branch, treeId, document.checks);
    if (args.json) ui.json(document);
    else show(document, ui);
    return document.checks.some((c) => c.result === 'fail') ? Exit.Left : Exit.Done;
  },
});

interface Request {
  set: PatchSet | null;
  report: PortReport | null;
  target: KernelTree;
  ported: KernelTree;
  branch: string;
  dir: string;
  baseTree: string | undefined;
  option: string | undefined;
  /** Null with `--no-compile`. */
  build: BuildRequest | null;
}

async function check(ui: Ui, request: Request): Promise<CheckDocument> {
  const { set, target, ported, report } = request;
  const option = request.option && (request.option.startsWith('CONFIG_') ? request.option : `CONFIG_${request.option}`);
  const base = set ? await baseIfAny(set, target, request) : null;
  ui.progress('reading the trees');
  const ctx = await openContext({ set, base, target, ported, report, option: option ?? null });
  const { results, timing } = await runAllChecks(ctx, request.build, (name) => ui.progress(`check: ${name}`));
  return {
    schemaVersion: 1,
    set: set?.name ?? null,
    target: { name: target.name, version: formatVersion(target.version) },
    branch: request.branch,
    checks: results,
    timing,
  };
}

/** The set's base kernel. Without it much cannot be checked, which the checks say themselves. */
async function baseIfAny(set: PatchSet, target: KernelTree, request: Request): Promise<KernelTree | null> {
  try {
    return await findBase(set, target, request.dir, request.baseTree ?? null);
  } catch (error) {
    if (error instanceof KportError && error.kind === 'input' && request.baseTree === undefined) return null;
    throw error;
  }
}

/** The trees after each commit of the series, first to last. */
async function commitsBetween(dir: string, target: KernelTree, ported: KernelTree): Promise<KernelTree[]> {
  if (!ported.repo || !target.commit || !ported.commit) throw inputError("'--each' needs a branch in a git repository");
  const list = await ported.repo.output(['rev-list', '--reverse', `${target.commit}..${ported.commit}`]);
  return Promise.all(
    list
      .split('\n')
      .filter(Boolean)
      .map((commit) => openTree(dir, commit)),
  );
}

/** Findings of one kind that are shown; the JSON has all. */
const SHOWN = 12;

function show(document: CheckDocument, ui: Ui): void {
  const paint = { pass: ui.colors.green, fail: ui.colors.red, skipped: ui.colors.yellow };
  for (const c of document.checks) {
    ui.out(`${paint[c.result](c.result.padEnd(7))} ${c.name.padEnd(14)} ${c.reason}\n`);
    const shown = new Map<string, number>();
    for (const f of c.findings) {
      const count = (shown.get(f.kind) ?? 0) + 1;
      shown.set(f.kind, count);
      if (count <= SHOWN) ui.out(`${line(f, isReview(f) ? 'look' : 'finding')}\n`);
    }
    for (const [kind, count] of shown) {
      if (count > SHOWN) ui.out(`        and ${count - SHOWN} more of [${kind}]: '--json' has all\n`);
    }
  }
  const count = (r: CheckResult['result']) => document.checks.filter((c) => c.result === r).length;
  ui.say(
    `${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped: ${document.branch} on ${document.target.version}`,
  );
}

function line(f: CheckResult['findings'][number], word: string): string {
  const where = `${forDisplay(f.path)}${f.line === null ? '' : `:${f.line}`}`;
  const from = [f.definition && `in ${f.definition}`, f.hunk && `hunk ${f.hunk}`].filter(Boolean).join(', ');
  const work = f.workItem
    ? `: ${f.workItem.id}, ${forDisplay(f.workItem.title)}`
    : f.workItem === null
      ? ': no work item'
      : '';
  return `        ${word}: ${where}: ${forDisplay(f.text)} [${f.kind}]${from ? ` (${from})` : ''}${work}`;
}
