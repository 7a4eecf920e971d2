import type { Command } from '../command';
import { applyCommand } from './apply';
import { benchCommand } from './bench';
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
  benchCommand,
] as unknown as Command<unknown>[];
