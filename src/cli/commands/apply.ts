import path from 'node:path';
import Table from 'cli-table3';
import { apply } from '../../apply';
import { usageError } from '../../core/errors';
import { isFileLeft, isLeft, OUTCOMES, PLACED } from '../../core/outcome';
import type { PortReport } from '../../core/report';
import { forDisplay } from '../../core/text';
import { isGitRepository } from '../../io/tree';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { fixtureKernels } from '../fixture-kernels';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';
import { portArguments } from '../work';

/** The set that is ported when none is named: the bundled one. */
const DEFAULT_SET = 'corevisor-4.18';

export const applyCommand = defineCommand({
  command: 'apply',
  describe: 'port a patch set to another kernel',
  builder: (y) =>
    y
      .option('to', { type: 'string', requiresArg: true, describe: 'target kernel: any revision of --tree' })
      .option('set', { type: 'string', requiresArg: true, default: DEFAULT_SET, describe: 'patch set' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        describe: 'kernel repository or folder (default: the bundled fixture kernels)',
      })
      .option('base-tree', {
        type: 'string',
        requiresArg: true,
        describe: 'where the base kernel is, when not in --tree',
      })
      .option('reference', {
        type: 'string',
        requiresArg: true,
        describe: 'a set of the same family, made for another kernel: another source, and a witness',
      })
      .option('branch', { type: 'string', requiresArg: true, describe: 'branch to make (default: kport/SET-TO)' })
      .option('out', { type: 'string', requiresArg: true, describe: 'folder of patches to make' })
      .option('only', {
        type: 'string',
        array: true,
        requiresArg: true,
        default: [] as string[],
        describe: 'port these files or folders alone',
      })
      .option('chronicle', { type: 'boolean', default: true, describe: 'use the known upstream changes' })
      .option('generate', {
        type: 'boolean',
        default: true,
        describe: 'generate what cannot be carried because the target calls EL2 in another way',
      })
      .option('conflicts', {
        choices: ['reject', 'markers'] as const,
        default: 'reject' as const,
        describe: 'what is left of hunks that are not placed',
      })
      .option('stepwise', {
        type: 'boolean',
        default: false,
        describe: 'port to the releases on the way, too, and compare',
      })
      .option('repair', {
        type: 'boolean',
        default: false,
        describe: 'compile the port, and rewrite what the compiler does not take where the symbol map knows better',
      })
      .option('cross-compile', {
        type: 'string',
        requiresArg: true,
        describe: 'prefix of the cross tools for --repair (default: aarch64-linux-gnu-)',
      })
      .option('jobs', {
        alias: 'j',
        type: 'number',
        requiresArg: true,
        describe: 'jobs of make for --repair (default: 2)',
      })
      .option('resolutions', {
        type: 'boolean',
        default: true,
        describe: 'use what was resolved and skipped before',
      })
      .option('force', {
        alias: 'f',
        type: 'boolean',
        default: false,
        describe: 'replace a branch or folder that is there',
      })
      .example('$0 apply --to v5.10', 'the bundled set on the bundled kernels')
      .example('$0 apply --set sekvm-4.18 --tree ~/linux --to v5.10 --branch sekvm-5.10', 'a real one'),
  async run(args, ui) {
    const tree = args.tree ?? (await fixtureKernels());
    const repository = await isGitRepository(tree);
    if (args.to === undefined && repository) {
      throw usageError('which kernel is the target?', "give '--to REVISION', for example '--to v5.10'");
    }
    const { branch, out } = args;
    const report = await apply({
      set: args.set,
      patchesDir: patchesDirToRead(args.patches),
      tree,
      to: args.to ?? null,
      baseTree: args.baseTree ?? null,
      reference: args.reference ?? null,
      branch: branch ?? (repository && out === undefined ? `kport/${args.set}-${plain(args.to!)}` : null),
      out:
        out ??
        (repository || branch !== undefined ? null : `${args.set}-${args.to ?? path.basename(path.resolve(tree))}`),
      force: args.force,
      only: args.only,
      markers: args.conflicts === 'markers',
      stepwise: args.stepwise,
      chronicle: args.chronicle,
      generate: args.generate,
      resolutions: args.resolutions ? 'use' : 'ignore',
      repair: args.repair ? { crossCompile: args.crossCompile ?? null, jobs: args.jobs ?? 2 } : null,
      dryRun: args.dryRun,
      progress: (stage) => ui.progress(stage),
    });
    if (args.json) ui.json(report);
    else show(report, args.tree ?? null, ui);
    const left = report.hunks.some(isLeft) || report.files.some((f) => isFileLeft(f, report.hunks));
    return left ? Exit.Left : Exit.Done;
  },
});

/** A revision as a part of a branch's name: `HEAD~3` and `v5.4^{commit}` are none. */
function plain(revision: string): string {
  return revision.replace(/[^A-Za-z0-9._-]+|\.(?=\.|$)|\.lock$/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'target';
}

function show(report: PortReport, named: string | null, ui: Ui): void {
  const { summary } = report;
  const c = ui.colors;
  ui.out(`${report.set}: ${report.base.version} -> ${report.target.version} (${report.target.name})\n\n`);
  const rows = OUTCOMES.filter((o) => summary.byOutcome[o]).map((o) => [o, String(summary.byOutcome[o])]);
  ui.out(`${tableOf(['outcome', 'hunks'], rows, ui)}\n`);
  const { files } = summary;
  const parts = Object.entries(files)
    .filter(([, n]) => n)
    .map(([what, n]) => `${n} ${what}`);
  ui.out(`${summary.placed} of ${summary.hunks} hunks placed; files: ${parts.join(', ')}\n`);
  const left = report.hunks.filter((h) => !PLACED.has(h.outcome));
  if (left.length) {
    ui.out(`\nnot placed:\n`);
    // What has no effect in the set itself is nobody's worry: it comes last.
    for (const h of [...left].sort((a, b) => Number(a.inert) - Number(b.inert)))
      ui.out(
        `  ${c.yellow(h.id)} ${forDisplay(h.path)}:${h.source.line}: ${h.skipped ? `skipped: ${h.skipped}` : (h.message ?? h.outcome)}${h.inert ? ' (without effect in the set itself)' : ''}\n`,
      );
  }
  showWork(report, ui);
  for (const f of report.files.filter((x) => x.outcome === 'unreadable' || isFileLeft(x, report.hunks))) {
    ui.out(`  ${c.yellow(f.outcome)} ${forDisplay(f.path)}: ${f.message ?? ''}\n`);
  }
  for (const note of report.notes) ui.say(`note: ${note}`);
  if (!report.result) {
    ui.say('dry run: nothing written');
    return;
  }
  const { branch, out, tree } = report.result;
  if (branch !== null) {
    ui.say(`\nbranch '${branch}' in '${tree}', tree ${report.result.treeId.slice(0, 12)}`);
    // The port that was made last needs no name.
    const there = portArguments(named, null);
    if (!report.hunks.some(isLeft)) ui.say(`next: git -C ${tree} diff ${report.target.name} ${branch}`);
    else ui.say(`next: kport status${there} shows what is left, kport continue${there} resolves it`);
  }
  if (out !== null)
    ui.say(
      `\nwrote '${out}': the series, port.json${report.rejects.length ? ' and rejects/' : ''}\nnext: git am ${out}/*.patch`,
    );
}

/** Work items that are named one by one; the report has all. */
const SHOWN_ITEMS = 8;

function showWork(report: PortReport, ui: Ui): void {
  const items = report.workItems ?? [];
  if (items.length === 0) return;
  ui.out(`\n${items.length} work ${items.length === 1 ? 'item' : 'items'}:\n`);
  for (const item of items.slice(0, SHOWN_ITEMS)) {
    const hunks = `${item.hunks.length} ${item.hunks.length === 1 ? 'hunk' : 'hunks'}`;
    const [heir] = item.heirs;
    const to = heir ? `; see ${heir.definition ? `'${heir.definition}' in ` : ''}${forDisplay(heir.path)}` : '';
    ui.out(`  ${ui.colors.yellow(item.id)} ${item.release ?? '?'}: ${hunks}: ${forDisplay(item.title)}${to}\n`);
  }
  if (items.length > SHOWN_ITEMS) ui.out(`  and ${items.length - SHOWN_ITEMS} more: see the report\n`);
}

/** A table: drawn on a terminal, tab-separated when piped. */
export function tableOf(head: string[], rows: string[][], ui: Ui): string {
  if (ui.width === null) return [head, ...rows].map((r) => `${r.join('\t')}\n`).join('');
  const table = new Table({
    head,
    style: { head: [], border: [] },
    colAligns: head.map((_, i) => (i ? 'right' : 'left')),
  });
  table.push(...rows);
  return `${table.toString()}\n`;
}
