import path from 'node:path';
import { exists } from '../io/files';

/** The folder of the sets that come with kport. */
export const BUNDLED_PATCHES = path.join(__dirname, '../../patches');

/** Where sets are looked up: the option, else `patches/` here if there is one, else the bundled sets. */
export function patchesDirToRead(option: string | undefined): string {
  if (option !== undefined) return option;
  return exists('patches') ? 'patches' : BUNDLED_PATCHES;
}

/** Where new sets go: the option, else `patches/` here. */
export function patchesDirToWrite(option: string | undefined): string {
  return option ?? 'patches';
}
