import { inputError } from '../../core/errors';
import { chomp, forDisplay } from '../../core/text';
import { hunksOf, loadSet } from '../../patch-set/patch-set';
import type { ShowReport } from '../../report/schema/show';
import { showSet, type ShownSet } from '../../resolve/show';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { fixtureKernels } from '../fixture-kernels';
import { patchesDirToRead } from '../patches-dir';
import type { Ui } from '../ui';

export const showCommand = defineCommand({
  command: 'show <name> [hunk]',
  describe: 'show a patch set: files, hunks, and what each edit does',
  builder: (y) =>
    y
      .positional('name', { type: 'string', demandOption: true, describe: 'patch set' })
      .positional('hunk', { type: 'string', describe: 'the beginning of the id of one hunk' })
      .option('tree', {
        type: 'string',
        requiresArg: true,
        describe:
          'kernel that the set was made for, or a repository that has it (default: here, else the bundled kernels)',
      })
      .example('$0 show sekvm-4.18 --tree ~/linux', 'the set, its base being a tag there'),
  async run(args, ui) {
    const set = await loadSet(patchesDirToRead(args.patches), args.name);
    let hunk: string | null = null;
    if (args.hunk !== undefined) {
      const wanted = args.hunk.toLowerCase();
      const ids = new Set([...hunksOf(set)].map((h) => h.hunk.id).filter((id) => id.startsWith(wanted)));
      if (ids.size > 1)
        throw inputError(`'${args.hunk}' means ${ids.size} hunks: ${[...ids].join(', ')}`, 'give more of the id');
      if (ids.size === 0)
        throw inputError(`patch set '${set.name}' has no hunk '${args.hunk}'`, `run 'kport show ${set.name}'`);
      hunk = [...ids][0]!;
    }
    ui.progress('reading the base');
    const shown = await showSet(set, args.tree === undefined ? ['.', await fixtureKernels()] : [args.tree], hunk);
    if (args.json) ui.json(shown.report);
    else if (hunk === null) showWhole(shown.report, ui);
    else showHunk(shown, hunk, ui);
    return Exit.Done;
  },
});

function kindsOf(edits: ShowReport['hunks'][number]['edits']): string {
  return edits
    ? edits.map((e) => e.kind + (e.hunks.length > 1 ? ` (over ${e.hunks.length} hunks)` : '')).join(', ')
    : '';
}

function showWhole(report: ShowReport, ui: Ui): void {
  const c = ui.colors;
  ui.out(
    `${report.set}: ${report.patches.length} ${report.patches.length === 1 ? 'patch' : 'patches'} on ${report.base.version}`,
  );
  ui.out(`${report.option === null ? '' : `, switched by ${report.option}`}\n`);
  for (const patch of report.patches) {
    ui.out(`\n${c.bold(patch.file)}: ${patch.subject}${patch.author === null ? '' : ` (${patch.author})`}\n`);
    for (const file of report.files.filter((f) => f.patch === patch.file)) {
      const from = file.oldPath !== null && file.oldPath !== file.path ? ` from ${file.oldPath}` : '';
      ui.out(`  ${file.path}\t${file.status}${from}${file.role === null ? '' : `\t${file.role}`}\n`);
      for (const h of report.hunks.filter((x) => x.patch === patch.file && file.hunks.includes(x.id))) {
        ui.out(`    ${c.yellow(h.id)} ${h.header.replace(/ @@.*/, ' @@')} +${h.added} -${h.removed}`);
        ui.out(`${h.edits === null ? '' : `\t${kindsOf(h.edits)}`}\n`);
      }
    }
  }
  for (const path of report.unreadable) ui.out(`  ${path}\t${c.yellow('unreadable')}\n`);
  if (report.noEdits !== null) sayWithout(report.noEdits, ui);
  ui.say(`next: kport show ${report.set} HUNK, or kport apply --set ${report.set} --tree DIR --to VERSION`);
}

function sayWithout(why: string, ui: Ui): void {
  ui.say(`note: the hunks are shown without their edits: ${why}`);
  ui.say("hint: give the kernel with '--tree DIR'");
}

function showHunk({ report, edits }: ShownSet, id: string, ui: Ui): void {
  const c = ui.colors;
  for (const h of report.hunks) {
    ui.out(`${c.yellow(h.id)} ${h.patch}: ${h.path}\n`);
    for (const line of (h.text ?? '').split(/(?<=\n)/)) {
      const paint = line.startsWith('+') ? c.green : line.startsWith('-') ? c.red : (s: string) => s;
      ui.out(paint(line));
    }
  }
  for (const [hunk, own] of edits) {
    if (hunk.id !== id) continue;
    own.forEach(({ edit, id: editId }, i) => {
      ui.out(`\nedit ${i + 1}: ${c.bold(edit.kind)} ${editId}\n`);
      if (edit.guard !== null) ui.out(`  guard: ${forDisplay(edit.guard)}\n`);
      if (edit.wraps) ui.out(`  wraps: lines ${edit.wraps.first + 1} to ${edit.wraps.last + 1} of the base\n`);
      const others = edit.hunks.filter((x) => x.id !== id);
      if (others.length) ui.out(`  with: ${others.map((x) => x.id).join(', ')}\n`);
      for (const s of edit.segments) {
        const at = s.removed.length ? `replaces line ${s.at + 1}` : `before line ${s.at + 1}`;
        ui.out(`  ${at} (${s.anchor})\n`);
        for (const l of s.removed) ui.out(`    -${forDisplay(chomp(l))}\n`);
        for (const l of s.added) ui.out(`    +${forDisplay(chomp(l))}\n`);
      }
    });
  }
  if (report.noEdits !== null) sayWithout(report.noEdits, ui);
}
