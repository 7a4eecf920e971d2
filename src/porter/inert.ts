import { tokens, type ByteString } from '../core/text';
import type { Edit } from './lift';
import { patchedRegion } from './kbuild-lists';
import type { PorterFile } from './view';

/**
 * True when an edit changes nothing for any configuration of the set's own kernel: white space, comments, `#if 0`, or a
 * guard of an option that no Kconfig file defines.
 *
 * @param undefinedOption says it of an option, `CONFIG_` included
 */
export async function isInert(
  edit: Edit,
  base: PorterFile,
  undefinedOption: (name: string) => Promise<boolean>,
): Promise<boolean> {
  const first = edit.segments[0]!;
  const last = edit.segments[edit.segments.length - 1]!;
  const before = base.lines.slice(first.at, last.at + last.removed.length);
  const after = patchedRegion(edit, base);
  const gone = new Set<string>();
  for (const name of new Set(after.join('').match(/\bCONFIG_\w+/g) ?? [])) {
    if (await undefinedOption(name)) gone.add(name);
  }
  const code = (lines: readonly ByteString[]) => {
    // In a Makefile and in Kconfig a hash begins a comment.
    const plain = /^(kbuild|kconfig)$/.test(base.index.language) ? lines.map((l) => l.replace(/#.*/, '')) : lines;
    return tokens(plain.join('')).join(' ');
  };
  return code(active(after, gone)) === code(before);
}

/** Lines that are compiled when some options are never set; conditions on anything else stay as they are. */
function active(lines: readonly ByteString[], gone: ReadonlySet<string>): ByteString[] {
  const out: ByteString[] = [];
  /** For each open conditional: null when it is not decided, else whether the branch is compiled. */
  const stack: (boolean | null)[] = [];
  for (const line of lines) {
    const m = /^\s*#\s*(ifdef|ifndef|if|else|elif|endif)\b\s*([^]*)$/.exec(line);
    const word = m?.[1];
    if (word?.startsWith('if')) {
      const truth = decide(word, m![2]!.trim(), gone);
      stack.push(truth);
      if (truth !== null) continue;
    } else if (word && stack.length) {
      const top = stack[stack.length - 1]!;
      if (word === 'endif') stack.pop();
      // An `#elif` of a decided conditional is rare enough to leave undecided: then the edit counts as one with effect.
      else if (word === 'else' && top !== null) stack[stack.length - 1] = !top;
      if (top !== null && word !== 'elif') continue;
    }
    if (!stack.includes(false)) out.push(line);
  }
  return out;
}

function decide(word: string, condition: string, gone: ReadonlySet<string>): boolean | null {
  if (word === 'if' && condition === '0') return false;
  const name = /^(?:defined\s*\(?\s*)?(CONFIG_\w+)\s*\)?$/.exec(condition)?.[1];
  if (name === undefined || !gone.has(name)) return null;
  return word === 'ifndef';
}

/** Where Kconfig files are read from. */
export interface KconfigTree {
  paths: () => Iterable<ByteString>;
  read: (path: ByteString) => Promise<ByteString | null>;
}

/** Says of options whether no Kconfig file of some trees defines them: what is dead code at home may come alive in the target. */
export class Options {
  private known: Promise<ReadonlySet<string>> | null = null;
  private readonly trees: readonly KconfigTree[];

  constructor(...trees: readonly KconfigTree[]) {
    this.trees = trees;
  }

  async isUndefined(name: string): Promise<boolean> {
    this.known ??= this.collect();
    const known = await this.known;
    // Trees without a single option are parts of trees: they say nothing of what is missing.
    return known.size > 0 && !known.has(name) && !known.has(name.replace(/_MODULE$/, ''));
  }

  private async collect(): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    for (const tree of this.trees) for (const name of (await optionsDefined(tree)).keys()) names.add(name);
    return names;
  }
}

/** The options that the Kconfig files of a tree define, each with the files that do so. */
export async function optionsDefined(tree: KconfigTree): Promise<Map<string, ByteString[]>> {
  const found = new Map<string, ByteString[]>();
  const files = [...tree.paths()].filter((p) => /(^|\/)Kconfig[\w.-]*$/.test(p));
  const texts = await Promise.all(files.map((p) => tree.read(p)));
  texts.forEach((text, i) => {
    for (const [, name] of (text ?? '').matchAll(/^\s*(?:menu)?config\s+(\w+)/gm)) {
      const option = `CONFIG_${name}`;
      found.set(option, [...(found.get(option) ?? []), files[i]!]);
    }
  });
  return found;
}
