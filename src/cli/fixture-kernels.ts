import { createHash } from 'node:crypto';
import path from 'node:path';
import { inputError } from '../core/errors';
import { cacheDirectory } from '../io/cache';
import { exists, readFile } from '../io/files';
import { firstLine } from '../io/git';
import { run } from '../io/process';

/** The fixture kernels that come with kport. */
const SOURCE = path.join(__dirname, '../../fixtures/kernels');

/** The repository of the bundled fixture kernels; made on first use, and again when they change. */
export async function fixtureKernels(): Promise<string> {
  const make = path.join(SOURCE, 'make.sh');
  if (!exists(make)) throw inputError('this kport comes without fixture kernels', "give a kernel with '--tree DIR'");
  const version = createHash('sha256')
    .update(readFile(make), 'latin1')
    .update(readFile(path.join(SOURCE, 'series/series')), 'latin1')
    .digest('hex')
    .slice(0, 12);
  const dir = path.join(cacheDirectory(), `fixture-kernels-${version}`);
  if (exists(path.join(dir, '.git')) || exists(path.join(dir, 'HEAD'))) return dir;
  const made = await run('bash', [make, dir], { timeoutMs: 120_000 });
  if (made.code !== 0) throw inputError(`the fixture kernels cannot be made: ${firstLine(made.stderr)}`);
  return dir;
}
