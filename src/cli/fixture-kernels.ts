import { createHash } from 'node:crypto';
import path from 'node:path';
import { inputError } from '../core/errors';
import { cacheDirectory } from '../io/cache';
import { exists, listFolder, readFile } from '../io/files';
import { firstLine } from '../io/git';
import { run } from '../io/process';
import { isFolder } from '../io/tree';

/** The fixture kernels that come with kport. */
const SOURCE = path.join(__dirname, '../../fixtures/kernels');

/** Compiles a revision of the fixture kernels, which have no build of their own. */
export const FIXTURE_COMPILE = path.join(SOURCE, 'compile.sh');

/** The repository of the bundled fixture kernels; made on first use, and again when they change. */
export async function fixtureKernels(): Promise<string> {
  const make = path.join(SOURCE, 'make.sh');
  if (!exists(make)) throw inputError('this kport comes without fixture kernels', "give a kernel with '--tree DIR'");
  const dir = path.join(cacheDirectory(), `fixture-kernels-${digestOf(SOURCE)}`);
  if (exists(path.join(dir, '.git')) || exists(path.join(dir, 'HEAD'))) return dir;
  const made = await run('bash', [make, dir], { timeoutMs: 120_000 });
  if (made.code !== 0) throw inputError(`the fixture kernels cannot be made: ${firstLine(made.stderr)}`);
  return dir;
}

/** Of every file below a folder, by name and content. */
function digestOf(folder: string): string {
  const hash = createHash('sha256');
  const visit = (dir: string, prefix: string) => {
    for (const name of listFolder(dir)) {
      const file = path.join(dir, name);
      if (isFolder(file)) visit(file, `${prefix}${name}/`);
      else hash.update(`${prefix}${name}\0`).update(readFile(file), 'latin1').update('\0');
    }
  };
  visit(folder, '');
  return hash.digest('hex').slice(0, 12);
}
