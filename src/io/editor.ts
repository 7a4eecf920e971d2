import path from 'node:path';
import { KportError } from '../core/errors';
import type { ByteString } from '../core/text';
import { readFile, withScratch, writeFile } from './files';
import type { GitRepo } from './git';
import { runOnTerminal } from './process';

/**
 * Lets the user change a text in the editor that git would take. The file is called `name`, so that the editor knows what
 * it is. Throws when the editor fails: then nothing was said.
 */
export function edit(repo: GitRepo, name: string, text: ByteString): Promise<ByteString> {
  return withScratch(async (dir) => {
    const editor = (await repo.output(['var', 'GIT_EDITOR'])).trim();
    const file = path.join(dir, name);
    writeFile(file, text);
    // As git runs it: the setting is a piece of shell.
    const code = await runOnTerminal('sh', ['-c', `${editor} "$@"`, editor, file]);
    if (code !== 0) throw new KportError('stopped', `the editor '${editor}' failed (exit code ${code})`);
    return readFile(file);
  });
}
