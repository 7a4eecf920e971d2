import path from 'node:path';
import yargs, { type Argv } from 'yargs';
import { KportError, usageError } from '../core/errors';
import { forgetCallersRepository } from '../io/git';
import type { Command, CommonOptions } from './command';
import { commands } from './commands';
import { Exit } from './exit';
import { explain, makeUi } from './ui';

const EPILOGUE = `Exit codes: 0 done and clean; 1 done, but something is left or a check failed; 2 usage or bad input;
3 stopped for you ('kport continue'); 255 a bug of kport.`;

/** Runs a command line. Sets the exit code; returns when all is done. */
export async function main(argv: readonly string[]): Promise<void> {
  if (!process.stdout.listeners('error').includes(closedPipe)) process.stdout.on('error', closedPipe);
  forgetCallersRepository();
  let exit = Exit.Done;
  let debug = argv.includes('--debug') || argv.includes('-d');
  try {
    const moved = changeFolder(argv);
    let parser = yargs([...moved])
      .scriptName('kport')
      .usage('$0 <command>\n\nPort an out-of-tree kernel patch set to another Linux version.')
      .option('json', { type: 'boolean', default: false, describe: 'one JSON document on standard output' })
      .option('patches', {
        type: 'string',
        describe: 'folder of the patch sets (default: patches/)',
        requiresArg: true,
      })
      .option('dry-run', { alias: 'n', type: 'boolean', default: false, describe: 'write nothing' })
      .option('color', { choices: ['auto', 'always', 'never'] as const, default: 'auto' as const })
      .option('progress', { type: 'boolean', default: true, describe: 'show progress on a terminal' })
      .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'say nothing but errors' })
      .option('debug', { alias: 'd', type: 'boolean', default: false, describe: 'stack traces' })
      .option('C', { type: 'string', requiresArg: true, describe: 'run as if started in this folder' })
      .strict()
      .demandCommand(1, "which command? run 'kport --help'")
      .recommendCommands()
      .epilogue(EPILOGUE)
      .wrap(Math.min(100, process.stdout.columns ?? 100))
      .help()
      .alias('help', 'h')
      .version(version())
      .completion('completion', 'print a script for shell completion')
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? usageError(message.split('\n').pop()!, "run 'kport --help', or 'kport COMMAND --help'");
      });
    let lists: readonly string[] = [];
    for (const command of commands) {
      parser = parser.command({
        command: command.command,
        describe: command.describe,
        builder: (y: Argv) => {
          const built = command.builder(y as Argv<CommonOptions>);
          lists = (built as unknown as { getOptions(): { array: string[] } }).getOptions().array;
          return built;
        },
        handler: async (args: Record<string, unknown>) => {
          debug = Boolean(args.debug);
          refuseSlips(args, lists);
          const ui = makeUi({
            color: args.color as 'auto' | 'always' | 'never',
            quiet: Boolean(args.quiet),
            progress: Boolean(args.progress),
          });
          exit = await (command as unknown as Command<unknown>).run(args as never, ui);
        },
      }) as typeof parser;
    }
    await parser.parseAsync();
  } catch (error) {
    process.stderr.write(`${explain(error, debug)}\n`);
    exit = exitFor(error);
  }
  process.exitCode = exit;
}

/** yargs makes a list of an option that is given twice, and takes '' for a value; both are slips. */
function refuseSlips(args: Record<string, unknown>, lists: readonly string[]): void {
  for (const [name, value] of Object.entries(args)) {
    // yargs has 'suppress-cc' as 'suppressCc', too.
    const dashed = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
    if (Array.isArray(value) && name !== '_' && !lists.includes(name) && !lists.includes(dashed)) {
      throw usageError(`'--${name}' is given twice`, 'give it once');
    }
    if (value === '') throw usageError(`'${name}' is empty`, "run 'kport COMMAND --help'");
  }
}

/** `kport … | head` is not an error. */
function closedPipe(e: NodeJS.ErrnoException): void {
  if (e.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw e;
}

function exitFor(error: unknown): Exit {
  if (!(error instanceof KportError)) {
    // yargs throws its own class for what it does not understand.
    return error instanceof Error && error.name === 'YError' ? Exit.Usage : Exit.Internal;
  }
  return { usage: Exit.Usage, input: Exit.Usage, stopped: Exit.Stopped, internal: Exit.Internal }[error.kind];
}

/** `-C DIR`, repeatable, each relative to the one before, as git has it. */
function changeFolder(argv: readonly string[]): string[] {
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--') return [...rest, ...argv.slice(i)];
    if (argv[i] !== '-C') {
      rest.push(argv[i]!);
      continue;
    }
    const dir = argv[++i];
    if (dir === undefined) throw usageError("'-C' needs a folder");
    try {
      process.chdir(dir);
    } catch {
      throw usageError(`cannot change to '${dir}'`);
    }
  }
  return rest;
}

function version(): string {
  const file = path.join(__dirname, '../../package.json');
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return (require(file) as { version: string }).version;
}
