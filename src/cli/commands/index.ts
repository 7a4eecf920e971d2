import type { Command } from '../command';
import { applyCommand } from './apply';
import { importCommand } from './import';
import { chronicleCommand } from './chronicle';
import { indexCommand } from './kernel-index';
import { mapCommand } from './map';
import { setsCommand } from './sets';

/** All commands, in the order of the help. */
export const commands = [
  importCommand,
  setsCommand,
  applyCommand,
  indexCommand,
  mapCommand,
  chronicleCommand,
] as unknown as Command<unknown>[];
