import { stripComments, tokens, type ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index';
import type { Definition, DefinitionKind } from '../kernel-index/types';

const KINDS: ReadonlySet<DefinitionKind> = new Set(['struct', 'union', 'enum', 'macro', 'typedef', 'function']);
const TAGGED: ReadonlySet<DefinitionKind> = new Set(['struct', 'union', 'enum']);

/** So many files are named. */
const MOST_KEEPERS = 2;

/**
 * What a header had in the base, a source file of the target may keep to itself, as on the way to a kernel from before that
 * header: the name is there, and other files do not know it. A struct that is only pointed to needs no more than its name.
 *
 * @param path the file of the target that the code goes to
 * @returns a sentence for each such name
 */
export function keptElsewhere(
  text: ByteString,
  path: ByteString,
  base: KernelIndex,
  target: KernelIndex,
  isOwn: (name: string) => boolean,
): string[] {
  const code = stripComments(text);
  const words = new Set(tokens(code).filter((w) => /^[A-Za-z_]\w{2,}$/.test(w)));
  const defining = (kernel: KernelIndex, word: string) =>
    kernel.definitions(word).filter((f) => KINDS.has(f.definition.kind) && f.definition.body !== null);
  const isHeader = (f: Found) => f.file.path.endsWith('.h');
  return [...words].flatMap((word) => {
    if (isOwn(word) || !defining(base, word).some(isHeader)) return [];
    const all = target.definitions(word);
    const there = defining(target, word);
    const [keeper] = there;
    if (!keeper || all.some((f) => isHeader(f) || f.file.path === path)) return [];
    const { kind } = keeper.definition;
    if (kind === 'function' ? !isStatic(keeper.definition) : !usesInside(code, word, kind)) return [];
    const name = TAGGED.has(kind) ? `${kind} ${word}` : word;
    const keepers = [...new Set(there.map((f) => `'${f.file.path}'`))].slice(0, MOST_KEEPERS);
    const keep = keepers.length === 1 ? 'keeps to itself' : 'keep to themselves';
    return [`uses '${name}', which ${keepers.join(' and ')} ${keep} in the target`];
  });
}

const isStatic = (d: Definition) => d.signature?.annotations.includes('static') ?? false;

/** True where code needs to know what is in a struct: it reaches into it, has one itself, or asks how large it is. */
function usesInside(code: ByteString, name: string, kind: DefinitionKind): boolean {
  if (!TAGGED.has(kind)) return true;
  const tag = `\\b${kind}\\s+${name}\\b`;
  if (
    new RegExp(
      `sizeof\\s*\\(\\s*${tag}\\s*\\)|\\b(?:container_of|offsetof)\\s*\\([^;]*${tag}|${tag}\\s+\\w+\\s*[;=\\[]`,
    ).test(code)
  )
    return true;
  const pointers = [...code.matchAll(new RegExp(`${tag}\\s*\\*\\s*(?:const\\s+)?(\\w+)`, 'g'))].map((m) => m[1]!);
  return pointers.some((p) => new RegExp(`\\b${p}\\s*->`).test(code));
}
