import type { Command } from '../command';
import { abortCommand } from './abort';
import { amendCommand } from './amend';
import { applyCommand } from './apply';
import { benchCommand } from './bench';
import { checkCommand } from './check';
import { chronicleCommand } from './chronicle';
import { ciCommand } from './ci';
import { continueCommand } from './continue';
import { diffPortsCommand } from './diff-ports';
import { hypercallsCommand } from './hypercalls';
import { importCommand } from './import';
import { indexCommand } from './kernel-index';
import { mailCommand } from './mail';
import { mapCommand } from './map';
import { matrixCommand } from './matrix';
import { reportCommand } from './report';
import { setsCommand } from './sets';
import { showCommand } from './show';
import { skipCommand } from './skip';
import { statusCommand } from './status';
import { whyCommand } from './why';

/** All commands, in the order of the help. */
export const commands = [
  importCommand,
  setsCommand,
  showCommand,
  indexCommand,
  mapCommand,
  chronicleCommand,
  applyCommand,
  statusCommand,
  whyCommand,
  continueCommand,
  skipCommand,
  amendCommand,
  abortCommand,
  checkCommand,
  hypercallsCommand,
  mailCommand,
  matrixCommand,
  ciCommand,
  diffPortsCommand,
  reportCommand,
  benchCommand,
] as unknown as Command<unknown>[];
