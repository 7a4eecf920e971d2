import type { ByteString } from '../core/text';
import type { Language } from './types';

/** What a file holds, by its name. */
export function languageOf(path: ByteString): Language {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.lds(\.[Sh])?$/.test(name)) return 'lds';
  if (/\.[ch]$/.test(name)) return 'c';
  if (/\.[sS]$/.test(name)) return 'asm';
  if (/^Kconfig(\.|$|-)/.test(name)) return 'kconfig';
  if (/^(Makefile|Kbuild|Platform)(\.|$)/.test(name)) return 'kbuild';
  return 'text';
}
