import { usageError } from '../../core/errors';
import { hunkNamed } from '../../resolve/port';
import { skip, unskip } from '../../resolve/resolve';
import { defineCommand } from '../command';
import { portArguments, portOf, portOptions } from '../work';
import { showStatus } from './status';

export const skipCommand = defineCommand({
  command: 'skip [hunk]',
  describe: 'leave a hunk out on purpose',
  builder: (y) =>
    portOptions(y)
      .positional('hunk', { type: 'string', describe: 'the beginning of its id' })
      .option('reason', {
        alias: 'm',
        type: 'string',
        requiresArg: true,
        describe: 'why, for those who read the report',
      })
      .option('forget', { type: 'string', requiresArg: true, describe: 'do not leave this hunk out any more' })
      .conflicts('forget', 'reason')
      .example("$0 skip 5ad0 -m 'upstream does it now'", 'not ported, and not left either'),
  async run(args, ui) {
    const port = await portOf(args);
    try {
      const hint = `run 'kport status${portArguments(args.tree ?? null, args.branch ?? null)}'`;
      if (args.hunk === undefined && args.forget === undefined) throw usageError('which hunk?', hint);
      if (args.hunk !== undefined && args.forget !== undefined)
        throw usageError("give either a hunk, or '--forget HUNK'");
      const hunk = hunkNamed(port.report.hunks, (args.hunk ?? args.forget)!, hint);
      if (args.dryRun) {
        ui.say('dry run: nothing written');
        return await showStatus(port, args, ui);
      }
      const report =
        args.forget === undefined
          ? await skip(port, hunk, args.reason ?? 'no reason given')
          : await unskip(port, hunk.id);
      return await showStatus({ ...port, report }, args, ui);
    } finally {
      port.repo.close();
    }
  },
});
