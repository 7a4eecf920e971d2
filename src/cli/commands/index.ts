import type { Command } from '../command';
import { applyCommand } from './apply';
import { checkCommand } from './check';
import { hypercallsCommand } from './hypercalls';
import { importCommand } from './import';
import { mailCommand } from './mail';
import { setsCommand } from './sets';

/** All commands, in the order of the help. */
export const commands = [
  importCommand,
  setsCommand,
  applyCommand,
  checkCommand,
  hypercallsCommand,
  mailCommand,
] as unknown as Command<unknown>[];
