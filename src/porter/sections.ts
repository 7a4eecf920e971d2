import type { ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index/index';
import type { View } from './view';

const SECTION = /(?:__attribute__\s*\(\(\s*)?_*section_*\s*\(\s*"?(\.[\w.]+)"?\s*\)(?:\s*\)\s*\))?/;

/**
 * Attribute words of the base that place code in a section and that the target has no more. As long as the target's linker
 * script collects the section, what they meant is written out; to drop them would move the code to where others run.
 */
export class Sections {
  private readonly known = new Map<string, Promise<ReadonlyMap<string, string>>>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: View,
  ) {}

  /** What to write for such words in a file of the target; those that are not named may be dropped there. */
  written(path: ByteString): Promise<ReadonlyMap<string, string>> {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    let words = this.known.get(folder);
    if (!words) this.known.set(folder, (words = this.find(path)));
    return words;
  }

  private async find(path: ByteString): Promise<ReadonlyMap<string, string>> {
    const written = new Map<string, string>();
    // The objects of such a folder are placed by a linker script of its own.
    if ((await namespaceOf(path, this.target)) !== null) return written;
    for (const word of this.base.attributes.words) {
      if (this.target.kernel.attributes.words.has(word) || this.target.kernel.definitions(word).length) continue;
      const [found] = this.base.definitions(word).filter((f) => f.definition.kind === 'macro');
      if (!found) continue;
      const text = found.file.text.slice(found.definition.start, found.definition.end).replace(/\\\n/g, ' ');
      const meaning = text.slice(text.search(new RegExp(`\\b${word}\\b`)) + word.length).trim();
      const section = SECTION.exec(meaning)?.[1];
      if (section === undefined || !(await this.collects(section, found.file.path))) continue;
      const rest = meaning.replace(SECTION, ' ').match(/\b[A-Za-z_]\w*\b/g) ?? [];
      const known = rest.filter((w) => this.target.kernel.attributes.words.has(w));
      written.set(word, [this.spelt(section), ...known].join(' '));
    }
    return written;
  }

  /** As the target's own `__section()` takes it: it made a string of its operand up to 5.9. */
  private spelt(section: string): string {
    const [own] = this.target.kernel.definitions('__section');
    if (!own) return `__attribute__((__section__("${section}")))`;
    const text = own.file.text.slice(own.definition.start, own.definition.end);
    return /\(\s*#/.test(text) ? `__section(${section})` : `__section("${section}")`;
  }

  private async collects(section: string, definedIn: ByteString): Promise<boolean> {
    const arch = /^arch\/\w+\//.exec(definedIn)?.[0] ?? 'arch/';
    for (const path of this.target.tree.paths()) {
      if (!/(^|\/)vmlinux\.lds\.[Sh]$/.test(path) || !(path.startsWith(arch) || path.startsWith('include/'))) continue;
      const text = await this.target.text(path);
      if (text?.includes(`*(${section})`)) return true;
    }
    return false;
  }
}

/** The prefix that the Makefile of a folder gives all its symbols; null when it gives none. */
export async function namespaceOf(path: ByteString, view: View): Promise<string | null> {
  const makefile = await view.text(`${path.slice(0, path.lastIndexOf('/') + 1)}Makefile`);
  return /--prefix-symbols=(\w+)/.exec(makefile ?? '')?.[1] ?? null;
}
