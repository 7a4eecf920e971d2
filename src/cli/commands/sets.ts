import { listSets, loadSet } from '../../patch-set/patch-set';
import { defineCommand } from '../command';
import { Exit } from '../exit';
import { patchesDirToRead } from '../patches-dir';
import { summarize } from './import';

export const setsCommand = defineCommand({
  command: 'sets',
  describe: 'list the patch sets',
  builder: (y) => y,
  async run(args, ui) {
    const dir = patchesDirToRead(args.patches);
    const sets = await Promise.all(listSets(dir).map((name) => loadSet(dir, name)));
    const rows = sets.map((set) => ({ name: set.name, base: set.manifest.base, ...summarize(set) }));
    if (args.json) ui.json({ schemaVersion: 1, patches: dir, sets: rows });
    else if (rows.length === 0) ui.say(`no patch sets in '${dir}'\nhint: run 'kport import NAME SOURCE'`);
    else {
      for (const r of rows) {
        const files = Object.values(r.files).reduce((a, b) => a + b, 0);
        ui.out(
          `${r.name}\t${r.base.version}\t${r.patches} patches\t${files} files\t${r.hunks.modified} hunks in existing files\n`,
        );
      }
    }
    return Exit.Done;
  },
});
