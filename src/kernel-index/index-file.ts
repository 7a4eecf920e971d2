import { isBinary, type ByteString } from '../core/text';
import { indexAsm } from './asm';
import { indexC, type IndexOptions } from './c';
import { indexKbuild } from './kbuild';
import { indexKconfig } from './kconfig';
import { languageOf } from './language';
import { indexLds } from './lds';
import type { FileIndex, Language } from './types';

/** A file that is larger is not looked into. */
const MAX_INDEXED = 64_000_000;

/**
 * The index of one file, by its name and text. Never throws for what is in the file: what cannot be indexed says so in
 * `trouble`.
 */
export async function indexFile(path: ByteString, text: ByteString, options: IndexOptions = {}): Promise<FileIndex> {
  const language = languageOf(path);
  if (isBinary(text)) return nothing(language, 'binary: not indexed');
  if (text.length > MAX_INDEXED) return nothing(language, `larger than ${MAX_INDEXED} bytes: not indexed`);
  switch (language) {
    case 'c':
      return indexC(text, options);
    case 'asm':
      return indexAsm(text);
    case 'kconfig':
      return indexKconfig(text);
    case 'kbuild':
      return indexKbuild(text);
    case 'lds':
      return indexLds(text);
    case 'text':
      return nothing('text', null);
  }
}

function nothing(language: Language, trouble: string | null): FileIndex {
  return {
    language,
    definitions: [],
    includes: [],
    conditionals: [],
    parse: { items: 0, bad: 0, badRaw: null },
    trouble,
  };
}
