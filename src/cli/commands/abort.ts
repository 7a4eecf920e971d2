import { abort } from '../../resolve/resolve';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { portOf, portOptions } from '../work';

export const abortCommand = defineCommand({
  command: 'abort',
  describe: 'remove the branch that a port made; what was resolved is remembered',
  builder: (y) => portOptions(y),
  async run(args, ui) {
    const port = await portOf(args);
    try {
      if (!args.dryRun) await abort(port);
      const { branch, dir, made } = port;
      if (args.json) ui.json({ schemaVersion: 1, tree: dir, branch, commit: made, removed: !args.dryRun });
      else ui.say(`${args.dryRun ? 'would remove' : 'removed'} branch '${branch}' (was ${made.slice(0, 12)})`);
      return Exit.Done;
    } finally {
      port.repo.close();
    }
  },
});
