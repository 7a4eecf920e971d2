import path from 'node:path';
import type { Argv } from 'yargs';
import { inputError } from '../core/errors';
import { openPort, type OpenPort } from '../resolve/port';
import type { CommonOptions } from './command';
import { fixtureKernels } from './fixture-kernels';

/** The options of commands that work on a port that was made. */
export function portOptions<T extends CommonOptions>(y: Argv<T>) {
  return y
    .option('tree', {
      type: 'string',
      requiresArg: true,
      describe: 'repository of the port (default: here, else the bundled kernels)',
    })
    .option('branch', {
      type: 'string',
      requiresArg: true,
      describe: 'branch of the port (default: the last one made)',
    });
}

/** The port that a command is about. Throws an input error when there is none. */
export async function portOf(args: { tree: string | undefined; branch: string | undefined }): Promise<OpenPort> {
  const { tree, branch } = args;
  const port = await openPort(tree ?? '.', branch ?? null);
  if (port) return port;
  // A port of the bundled kernels needs no --tree to be made, so it needs none to go on with.
  const bundled = tree === undefined ? await openPort(await fixtureKernels(), branch ?? null) : null;
  if (bundled) return bundled;
  throw inputError(
    branch === undefined
      ? `no port was made in '${tree ?? '.'}'`
      : `'${branch}' is no port of kport's in '${tree ?? '.'}'`,
    "run 'kport apply --set NAME --tree DIR --to VERSION' first",
  );
}

/** Arguments that name a port again: nothing where the defaults do. */
export function portArguments(tree: string | null, branch: string | null): string {
  const parts = [
    ...(tree === null || path.resolve(tree) === path.resolve('.') ? [] : ['--tree', shellWord(tree)]),
    ...(branch === null ? [] : ['--branch', shellWord(branch)]),
  ];
  return parts.map((p) => ` ${p}`).join('');
}

/** A word as a shell takes it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}
