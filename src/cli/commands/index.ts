import type { Command } from '../command';
import { applyCommand } from './apply';
import { importCommand } from './import';
import { matrixCommand } from './matrix';
import { setsCommand } from './sets';

/** All commands, in the order of the help. */
export const commands = [importCommand, setsCommand, applyCommand, matrixCommand] as unknown as Command<unknown>[];
