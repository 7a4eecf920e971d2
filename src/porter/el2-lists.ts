import { chomp, splitLines, stripComments, type ByteString } from '../core/text';
import type { PortContext } from './context';
import type { PorterFile } from './view';

/** An object of the set that the target links into its nVHE object, and that a list of the host's names as well. */
export interface ListedTwice {
  makefile: ByteString;
  /** The word of the list: `x.o`. */
  object: string;
  /** Its source in the target. */
  source: ByteString;
}

/** What a source that the host keeps is kept for. */
export interface Kept {
  user: ByteString;
  name: string;
}

/**
 * Which objects the host needs, too: those that define what code of EL1 names, and those that these need. The others are
 * EL2's alone; in the image they would be a second copy, with data of its own that EL2 never sees. Told from the words of
 * all that the port changed; what is only in the nVHE object, and sources for EL2 that nothing builds, count for nothing.
 *
 * @param nvhe the folder of the nVHE object
 * @param macro what names a symbol of the nVHE object from outside
 */
export async function keptByHost(
  listed: readonly ListedTwice[],
  el2: ReadonlySet<ByteString>,
  nvhe: ByteString,
  macro: string | null,
  context: PortContext,
): Promise<Map<ByteString, Kept>> {
  const defines = new Map<ByteString, { names: string[]; words: Set<string> }>();
  for (const { source } of listed) {
    const file = await context.target.file(source);
    if (file) defines.set(source, { names: namesOf(file), words: wordsIn(file.text, null) });
  }
  const users: { path: ByteString; words: Set<string> }[] = [];
  for (const [path, change] of context.target.changes()) {
    if (change === null || path.startsWith(nvhe) || el2.has(path) || !/\.([chS]|lds)$/.test(path)) continue;
    const file = await context.target.file(path);
    if (file) users.push({ path, words: hostWords(file, context.target.tree.has(path), macro) });
  }
  const kept = new Map<ByteString, Kept>();
  for (let user = users.shift(); user; user = users.shift()) {
    for (const [source, { names, words }] of defines) {
      const name = kept.has(source) || source === user.path ? undefined : names.find((n) => user!.words.has(n));
      if (name === undefined) continue;
      kept.set(source, { user: user.path, name });
      users.push({ path: source, words });
    }
  }
  return kept;
}

/** Names that a source gives to others. */
function namesOf(file: PorterFile): string[] {
  return file.index.definitions.flatMap((d) => {
    const words = d.signature?.annotations ?? [];
    const gives = (d.kind === 'function' || d.kind === 'variable') && !words.includes('static');
    return gives && !words.includes('extern') ? [d.name] : [];
  });
}

/** What code of EL1 may name: all words of the kernel's files and of sources; of the set's headers what has a body. */
function hostWords(file: PorterFile, isKernels: boolean, macro: string | null): Set<string> {
  if (isKernels || !file.path.endsWith('.h')) return wordsIn(file.text, macro);
  const bodies = file.index.definitions.filter((d) => d.body && (d.kind === 'function' || d.kind === 'macro'));
  return new Set(bodies.flatMap((d) => [...wordsIn(file.text.slice(d.body!.start, d.body!.end), macro)]));
}

function wordsIn(text: ByteString, macro: string | null): Set<string> {
  const plain = stripComments(text);
  const without = macro === null ? plain : plain.replace(new RegExp(`\\b${macro}\\(\\s*\\w+\\s*\\)`, 'g'), ' ');
  return new Set(without.match(/[A-Za-z_]\w*/g));
}

/** A Makefile without some of its objects: an assignment that has nothing left goes as a whole. */
export function withoutObjects(makefile: ByteString, objects: ReadonlySet<string>): ByteString {
  let open = false;
  const out: ByteString[] = [];
  for (const line of splitLines(makefile)) {
    const isList: boolean = open || /^[\w-]+-(?:y|\$\(\w+\))[ \t]*[:+]?=/.test(line);
    open = isList && /\\\s*$/.test(line);
    if (!isList) {
      out.push(line);
      continue;
    }
    const left = line.replace(/(\s)(\S+\.o)(?=\s|$)/g, (whole, _: string, word: string) =>
      objects.has(word) ? '' : whole,
    );
    // Of a list over several lines each line stays a line of it.
    const isEmpty = left !== line && /^[\w-]+-(?:y|\$\(\w+\))[ \t]*\+=[ \t]*$/.test(chomp(left));
    if (!isEmpty) out.push(left.endsWith('\n') || !line.endsWith('\n') ? left : `${left}\n`);
  }
  return out.join('');
}
