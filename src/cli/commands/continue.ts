import { usageError } from '../../core/errors';
import { edit } from '../../io/editor';
import { readFile } from '../../io/files';
import { hunkNamed, leftOf, type OpenPort } from '../../resolve/port';
import { forgetResolutions, openHunk, portAgain, resolve, type Answer } from '../../resolve/resolve';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import type { Ui } from '../ui';
import { portArguments, portOf, portOptions } from '../work';
import { showStatus } from './status';

export const continueCommand = defineCommand({
  command: 'continue [hunk]',
  describe: 'resolve a hunk that is left, in an editor or by a candidate',
  builder: (y) =>
    portOptions(y)
      .positional('hunk', { type: 'string', describe: 'the beginning of its id (default: the next one left)' })
      .option('choose', { type: 'number', requiresArg: true, describe: 'put it at this candidate, without an editor' })
      .option('file', { type: 'string', requiresArg: true, describe: 'file of the target to edit' })
      .option('take', { type: 'string', requiresArg: true, describe: 'read what the editor would leave from a file' })
      .option('forget', { type: 'string', requiresArg: true, describe: 'drop the resolutions of this hunk' })
      .conflicts('choose', ['take', 'file'])
      .conflicts('forget', ['choose', 'take', 'file'])
      .example('$0 continue --tree ~/linux', 'the next hunk, in your editor')
      .example('$0 continue 5ad0 -n > sheet.c', 'what the editor would show; change it, then --take sheet.c'),
  async run(args, ui) {
    const port = await portOf(args);
    const progress = (stage: string) => ui.progress(stage);
    try {
      const here = portArguments(args.tree ?? null, args.branch ?? null);
      if (args.forget !== undefined) {
        if (args.hunk !== undefined) throw usageError("give either a hunk, or '--forget HUNK'");
        const { id } = hunkNamed(port.report.hunks, args.forget, `run 'kport status${here}'`);
        if (args.dryRun) ui.say('dry run: nothing written');
        else await forgetResolutions(port, id);
        return await finish(args.dryRun ? port : await portAgain(port, progress), args, ui);
      }
      const hunk =
        args.hunk === undefined
          ? leftOf(port.report).find((h) => h.outcome === 'conflict')
          : hunkNamed(port.report.hunks, args.hunk, `run 'kport status${here}' to see what is left`);
      if (!hunk) {
        ui.say('no conflict is left');
        return await showStatus(port, args, ui);
      }
      const choose = args.choose ?? null;
      if (choose !== null && !(Number.isInteger(choose) && choose > 0)) {
        throw usageError("'--choose' takes the number of a candidate", `run 'kport why${here} ${hunk.id}' to see them`);
      }
      const open = await openHunk({ port, hunk, file: args.file ?? null, progress }, choose);
      if (args.dryRun) {
        ui.bytes(open.text);
        ui.say('dry run: nothing written');
        return Exit.Done;
      }
      const answer: Answer =
        choose !== null
          ? { choose }
          : {
              edit: async (name, text) => (args.take === undefined ? edit(port.repo, name, text) : readFile(args.take)),
            };
      await resolve(open, answer);
      if (choose !== null)
        ui.say('note: what it adds is as the set has it; names that upstream renamed are not adapted');
      const again = await portAgain(port, progress);
      const now = again.report.hunks.find((h) => h.id === hunk.id && h.patch === hunk.patch);
      ui.say(
        now?.strategy.startsWith('resolution')
          ? `hunk ${hunk.id} is resolved`
          : `hunk ${hunk.id}: ${now?.outcome}: ${now?.message ?? ''}`,
      );
      return await finish(again, args, ui);
    } finally {
      port.repo.close();
    }
  },
});

async function finish(port: OpenPort, args: Parameters<typeof showStatus>[1], ui: Ui): Promise<Exit> {
  try {
    return await showStatus(port, args, ui);
  } finally {
    port.repo.close();
  }
}
