import { usageError } from '../../core/errors';
import { forDisplay } from '../../core/text';
import { importSet } from '../../patch-set/import';
import { hunksOf } from '../../patch-set/patch-set';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { patchesDirToWrite } from '../patches-dir';

export const importCommand = defineCommand({
  command: 'import <name> [source]',
  describe: 'make a patch set from a git range, a folder of patches, an mbox or a diff',
  builder: (y) =>
    y
      .positional('name', { type: 'string', demandOption: true, describe: 'name of the new set' })
      .positional('source', { type: 'string', describe: 'folder of patches, mbox or diff' })
      .option('repo', { type: 'string', requiresArg: true, describe: 'git repository of the range' })
      .option('range', { type: 'string', requiresArg: true, describe: 'BASE..TIP, with --repo' })
      .option('base', {
        type: 'string',
        requiresArg: true,
        describe: 'kernel that the patches are for, for example v4.18',
      })
      .option('force', { alias: 'f', type: 'boolean', default: false, describe: 'replace a set of that name' })
      .example('$0 import sekvm-4.18 --repo linux --range v4.18..sekvm-4.18', 'a range of commits')
      .example('$0 import mine ./outgoing --base v5.4', 'a folder that git format-patch made'),
  async run(args, ui) {
    if (args.source === undefined && args.range === undefined) {
      throw usageError('nothing to import', 'give a folder, an mbox or a diff, or --repo DIR --range A..B');
    }
    if (args.source !== undefined && args.range !== undefined) throw usageError("give either a source or '--range'");
    if (args.range !== undefined && args.repo === undefined) throw usageError("'--range' needs '--repo DIR'");
    const { set, notes } = await importSet({
      name: args.name,
      patchesDir: patchesDirToWrite(args.patches),
      source: args.source ?? null,
      range: args.range ?? null,
      repo: args.repo ?? null,
      base: args.base ?? null,
      force: args.force,
      dryRun: args.dryRun,
    });
    const summary = summarize(set);
    for (const note of notes) ui.say(`note: ${forDisplay(note)}`);
    if (args.json) {
      ui.json({
        schemaVersion: 1,
        set: set.name,
        base: set.manifest.base,
        ...summary,
        unreadable: set.manifest.unreadable,
        notes,
      });
    } else {
      const files = Object.entries(summary.files).filter(([, n]) => n);
      ui.out(
        `${set.name}: ${set.patches.length} ${set.patches.length === 1 ? 'patch' : 'patches'} on ${set.manifest.base.version}; ` +
          `${files.map(([status, n]) => `${n} ${status}`).join(', ')}; ${summary.hunks.modified} hunks in existing files\n`,
      );
      ui.say(args.dryRun ? 'dry run: nothing written' : `next: kport apply --set ${set.name} --tree DIR --to VERSION`);
    }
    return Exit.Done;
  },
});

/** Counts of a set: changes by status, and hunks in existing and in new files. */
export function summarize(set: Parameters<typeof hunksOf>[0]) {
  const files: Record<string, number> = { modified: 0, added: 0, deleted: 0, renamed: 0, copied: 0, binary: 0 };
  for (const change of set.patches.flatMap((p) => p.changes)) {
    files[change.binary === null ? change.status : 'binary']!++;
  }
  const hunks = { modified: 0, added: 0, deleted: 0 };
  for (const { change } of hunksOf(set)) {
    if (change.status === 'added') hunks.added++;
    else if (change.status === 'deleted') hunks.deleted++;
    else hunks.modified++;
  }
  return { patches: set.patches.length, files, hunks };
}
