import { usageError } from '../../core/errors';
import { fromDisplay } from '../../core/text';
import { edit } from '../../io/editor';
import { readFile } from '../../io/files';
import { amendCommitted, amendFile, fileOfPort, forgetCorrections } from '../../resolve/amend';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { portOf, portOptions } from '../work';
import { showStatus } from './status';

export const amendCommand = defineCommand({
  command: 'amend [file]',
  describe: 'keep corrections of a port: of one file, or what was committed on its branch',
  builder: (y) =>
    portOptions(y)
      .positional('file', { type: 'string', describe: 'file of the ported tree (default: all that was committed)' })
      .option('take', { type: 'string', requiresArg: true, describe: 'read what the editor would leave from a file' })
      .option('forget', { type: 'string', requiresArg: true, describe: 'drop the corrections of this file' })
      .option('rev', {
        type: 'string',
        requiresArg: true,
        describe: 'where you committed on top of the port (default: on its branch)',
      })
      .conflicts('forget', ['take', 'rev'])
      .conflicts('rev', ['take'])
      .example('$0 amend --tree ~/linux', 'what you committed on the branch that kport made')
      .example('$0 amend arch/arm64/kvm/mmu.c --tree ~/linux', 'one file, in your editor'),
  async run(args, ui) {
    const port = await portOf(args);
    const progress = (stage: string) => ui.progress(stage);
    let again = port;
    try {
      if (args.forget !== undefined && args.file !== undefined)
        throw usageError("give either a file, or '--forget FILE'");
      if (args.rev !== undefined && args.file !== undefined) throw usageError("give either a file, or '--rev REV'");
      if (args.take !== undefined && args.file === undefined)
        throw usageError("'--take' needs the file that it is for");
      if (args.dryRun) {
        if (args.file !== undefined) ui.bytes(await fileOfPort(port, fromDisplay(args.file)));
        ui.say('dry run: nothing written');
        return Exit.Done;
      }
      const { take } = args;
      if (args.forget !== undefined) again = await forgetCorrections(port, fromDisplay(args.forget), progress);
      else if (args.file === undefined) again = await amendCommitted(port, args.rev ?? null, progress);
      else {
        const asked = async (name: string, text: string) =>
          take === undefined ? edit(port.repo, name, text) : readFile(take);
        again = await amendFile(port, fromDisplay(args.file), asked, progress);
      }
      return await showStatus(again, args, ui);
    } finally {
      port.repo.close();
      if (again !== port) again.repo.close();
    }
  },
});
