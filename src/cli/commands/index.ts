import type { Command } from '../command';
import { applyCommand } from './apply';
import { benchCommand } from './bench';
import { checkCommand } from './check';
import { chronicleCommand } from './chronicle';
import { ciCommand } from './ci';
import { diffPortsCommand } from './diff-ports';
import { hypercallsCommand } from './hypercalls';
import { importCommand } from './import';
import { indexCommand } from './kernel-index';
import { mailCommand } from './mail';
import { mapCommand } from './map';
import { matrixCommand } from './matrix';
import { reportCommand } from './report';
import { setsCommand } from './sets';

/** All commands, in the order of the help. */
export const commands = [
  importCommand,
  setsCommand,
  indexCommand,
  mapCommand,
  chronicleCommand,
  applyCommand,
  checkCommand,
  hypercallsCommand,
  mailCommand,
  matrixCommand,
  ciCommand,
  diffPortsCommand,
  reportCommand,
  benchCommand,
] as unknown as Command<unknown>[];
