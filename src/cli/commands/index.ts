import type { Command } from '../command';
import { applyCommand } from './apply';
import { diffPortsCommand } from './diff-ports';
import { importCommand } from './import';
import { matrixCommand } from './matrix';
import { reportCommand } from './report';
import { setsCommand } from './sets';

/** All commands, in the order of the help. */
export const commands = [
  importCommand,
  setsCommand,
  applyCommand,
  matrixCommand,
  diffPortsCommand,
  reportCommand,
] as unknown as Command<unknown>[];
