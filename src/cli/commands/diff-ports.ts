import { inputError, usageError } from '../../core/errors';
import type { PortReport } from '../../core/report';
import { forDisplay } from '../../core/text';
import { GitRepo } from '../../io/git';
import { Scratch } from '../../io/scratch';
import { isFolder, openTree } from '../../io/tree';
import { loadSet } from '../../patch-set/patch-set';
import { rolesOf } from '../../porter/roles';
import { diffPorts } from '../../report/diff-ports/diff-ports';
import {
  folderSide,
  overlaySide,
  parsePort,
  reportInFolder,
  revisionSide,
  type PortSide,
  type PortSpec,
} from '../../report/diff-ports/sides';
import { HUNK_VERDICTS, type DiffPortsReport, type Tally } from '../../report/schema/diff-ports';
import { findBase } from '../../result/base';
import { loadPort } from '../../result/store';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';
import { tableOf } from './apply';

export const diffPortsCommand = defineCommand({
  command: 'diff-ports <a> <b>',
  describe: 'compare two ports of one set, place by place; the second is the reference',
  builder: (y) =>
    y
      .positional('a', {
        type: 'string',
        demandOption: true,
        describe:
          "port to look at: branch, BASE..REVISION, folder of patches, or BASE..FOLDER whose files replace BASE's",
      })
      .positional('b', { type: 'string', demandOption: true, describe: 'reference, named in the same ways' })
      .option('set', { type: 'string', requiresArg: true, describe: 'patch set (default: that of the port)' })
      .option('tree', { type: 'string', requiresArg: true, describe: 'repository of both (default: that of the port)' })
      .option('base-tree', { type: 'string', requiresArg: true, describe: "where the set's base kernel is" })
      .option('per-file', { type: 'boolean', default: false, describe: 'counts by file, too' })
      .option('show', {
        choices: ['hit', 'misplaced', 'missing'] as const,
        array: true,
        requiresArg: true,
        default: [] as ('hit' | 'misplaced' | 'missing')[],
        describe: 'list these lines',
      })
      .option('exit-code', { type: 'boolean', default: false, describe: 'exit with 1 when the ports differ' })
      .example('$0 diff-ports kport/sekvm-v5.4 v5.4.55..hand-port --tree ~/linux', "kport's port and a person's"),
  async run(args, ui) {
    const specs = [parsePort(args.a), parsePort(args.b)];
    const known = await Promise.all(specs.map((s) => reportOf(s, args.tree ?? null)));
    const treeDir = args.tree ?? known.find((r) => r?.result)?.result?.tree;
    if (treeDir === undefined) {
      throw usageError('which repository has the ports?', "give '--tree DIR', or name a folder that kport made");
    }
    const setName = args.set ?? known.find((r) => r)?.set;
    if (setName === undefined) throw usageError('which patch set?', "give '--set NAME'; see 'kport sets'");
    const repo = await GitRepo.open(treeDir);
    if (!repo)
      throw inputError(`'${treeDir}' is no git repository`, 'ports are compared in the repository of their kernels');
    const set = await loadSet(args.patches ?? known.find((r) => r)?.patchesDir ?? patchesDirToRead(undefined), setName);
    ui.progress('reading the ports');
    const first = known[0]?.target.commit ?? specs[0]!.base ?? specs[1]!.base ?? 'HEAD';
    const setBase = await findBase(set, await openTree(treeDir, first), treeDir, args.baseTree ?? null);
    const repos = [repo, setBase.repo].filter((r): r is GitRepo => r !== null);
    try {
      const report = await Scratch.use(repos, async (scratch) => {
        const sides: PortSide[] = [];
        for (const [i, spec] of specs.entries()) sides.push(await sideOf(spec, known[i] ?? null, repo, scratch));
        ui.progress('comparing');
        const roleOf = rolesOf(set.patches, setBase.paths());
        return diffPorts(set, setBase, sides[0]!, sides[1]!, scratch, roleOf);
      });
      if (args.json) ui.json(report);
      else show(report, { perFile: args.perFile, lines: args.show }, ui);
      const differs = report.hunks.some((h) => !['same', 'neither', 'silent'].includes(h.verdict));
      return args.exitCode && differs ? Exit.Left : Exit.Done;
    } finally {
      for (const r of repos) r.close();
    }
  },
});

/** kport's own report of a port, when it made that port. */
async function reportOf(spec: PortSpec, tree: string | null): Promise<PortReport | null> {
  if (isFolder(spec.tip)) return reportInFolder(spec.tip);
  const repo = await GitRepo.open(tree ?? '.');
  try {
    return repo && (await loadPort(repo, spec.tip));
  } finally {
    repo?.close();
  }
}

async function sideOf(spec: PortSpec, report: PortReport | null, repo: GitRepo, scratch: Scratch): Promise<PortSide> {
  const base = spec.base ?? report?.target.commit ?? null;
  if (isFolder(spec.tip)) {
    if (report) {
      const target = base === null ? await openTree(report.result!.tree, null) : await openTree(repo.dir, base);
      return folderSide(target, spec, report, scratch);
    }
    if (base === null) throw baseNeeded(spec);
    return overlaySide(repo, spec, base);
  }
  if ((await repo.commit(spec.tip)) === null) {
    throw inputError(`no such revision or folder: '${spec.tip}'`, `run 'git -C ${repo.dir} branch --all'`);
  }
  if (base === null) throw baseNeeded(spec);
  return revisionSide(repo, spec, base);
}

function baseNeeded(spec: PortSpec) {
  return usageError(
    `what does '${spec.name}' start from?`,
    `name the kernel in front of it, for example 'v5.4..${spec.tip}'`,
  );
}

const WORDS: Record<(typeof HUNK_VERDICTS)[number], string> = {
  same: 'same place',
  elsewhere: 'elsewhere',
  partly: 'partly absent',
  absent: 'absent',
  'only-a': 'only in the first',
  neither: 'in neither',
  silent: 'nothing to compare',
};

function show(report: DiffPortsReport, options: { perFile: boolean; lines: readonly string[] }, ui: Ui): void {
  const { agreement } = report;
  ui.out(`${report.set}: ${report.a.name} against ${report.b.name} (the reference)\n\n`);
  const hunks = HUNK_VERDICTS.filter((v) => report.byVerdict[v]).map((v) => [WORDS[v], String(report.byVerdict[v])]);
  ui.out(`${tableOf(['hunks', ''], hunks, ui)}\n`);
  const row = (name: string, t: Tally) => [
    name,
    ...[t.carried, t.hit, t.misplaced, t.missing, t.disputed].map(String),
    t.carried ? `${((100 * t.hit) / t.carried).toFixed(1)}%` : '-',
  ];
  const head = ['lines', 'carried', 'hit', 'misplaced', 'missing', 'disputed', 'recall'];
  const rows = [
    row('added', agreement.added),
    row('added, without #if', agreement.addedWithoutGuards),
    row('removed', agreement.removed),
  ];
  ui.out(`${tableOf(head, rows, ui)}\n`);
  const precision = agreement.precision === null ? '-' : `${(100 * agreement.precision).toFixed(1)}%`;
  ui.out(
    `the set adds ${report.sourceLines.added} telling lines, the reference ${agreement.addedByB}, the first port ` +
      `${agreement.addedByA}; ${agreement.extra} of these are not in the reference (precision ${precision}); ` +
      `${agreement.conflictRegions} conflict regions\n`,
  );
  if (options.perFile) {
    const cells = (t: Tally) => [t.carried, t.hit, t.misplaced, t.missing].map(String);
    const files = report.files.map((f) => [forDisplay(f.path), ...cells(f.added), ...cells(f.removed)]);
    const names = ['carried', 'hit', 'misplaced', 'missing'];
    ui.out(`\n${tableOf(['file', ...names.map((n) => `+${n}`), ...names.map((n) => `-${n}`)], files, ui)}`);
  }
  for (const h of report.hunks.filter((x) => ['elsewhere', 'partly', 'absent'].includes(x.verdict))) {
    ui.out(`  ${WORDS[h.verdict]}: ${h.id} ${forDisplay(h.path)} ${h.header}\n`);
  }
  for (const l of report.lines.filter((x) => options.lines.includes(x.verdict))) {
    const at = l.found && l.verdict === 'misplaced' ? `  (in ${l.found.path}:${l.found.definition})` : '';
    const sign = l.kind === 'added' ? '+' : '-';
    ui.out(`${l.verdict} ${sign} ${forDisplay(l.place.path)}:${l.place.definition} | ${l.line}${at}\n`);
  }
  for (const note of report.notes) ui.say(`note: ${forDisplay(note)}`);
  ui.say("next: 'kport diff-ports … --show missing' lists lines");
}
