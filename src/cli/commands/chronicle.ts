import { inputError, usageError } from '../../core/errors';
import { GitRepo } from '../../io/git';
import { loadChronicle, loadRules, verifyChronicle } from '../../symbol-map';
import { defineCommand } from '../command';
import { Exit } from '../exit';

export const chronicleCommand = defineCommand({
  command: 'chronicle <action>',
  describe: 'check the known upstream changes against a repository',
  builder: (y) =>
    y
      .positional('action', { choices: ['verify'] as const, demandOption: true, describe: 'verify: check every row' })
      .option('tree', { type: 'string', requiresArg: true, describe: 'kernel repository with release tags' })
      .example('$0 chronicle verify --tree ~/linux', ''),
  async run(args, ui) {
    if (args.tree === undefined)
      throw usageError('which repository?', "give '--tree REPO', a kernel repository with tags");
    const repo = await GitRepo.open(args.tree);
    if (!repo)
      throw inputError(`no git repository in '${args.tree}'`, 'rows are checked against tags: give a repository');
    const chronicle = loadChronicle();
    const checks = await verifyChronicle(repo, { rows: [...chronicle.rows, ...loadRules(args.tree)] });
    repo.close();
    const count = (result: string) => checks.filter((c) => c.result === result).length;
    const summary = {
      rows: checks.length,
      holds: count('holds'),
      fails: count('fails'),
      unchecked: count('unchecked'),
    };
    if (args.json) ui.json({ schemaVersion: 1, summary, rows: checks });
    else {
      for (const c of checks) {
        if (c.result !== 'holds') ui.out(`${c.result}\t${c.id}\t${c.note}\t${c.reason}\n`);
      }
      ui.say(
        `${summary.rows} rows: ${summary.holds} hold, ${summary.fails} fail, ${summary.unchecked} cannot be checked here`,
      );
    }
    return summary.fails ? Exit.Left : Exit.Done;
  },
});
