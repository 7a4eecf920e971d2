import type { ArgumentsCamelCase, Argv, CommandModule } from 'yargs';
import type { Exit } from './exit';
import type { Ui } from './ui';

/** Options that every command has. */
export interface CommonOptions {
  json: boolean;
  patches: string | undefined;
  dryRun: boolean;
  debug: boolean;
  quiet: boolean;
}

/** A command: how it is called and what it does. It gives its exit code; it never exits. */
export interface Command<T> {
  command: string;
  describe: string;
  builder: (y: Argv<CommonOptions>) => Argv<T>;
  run: (args: ArgumentsCamelCase<T>, ui: Ui) => Promise<Exit>;
}

/** For type inference. */
export function defineCommand<T>(command: Command<T>): Command<T> {
  return command;
}

export type AnyCommand = Command<never>;
export type YargsModule = CommandModule<CommonOptions, never>;
