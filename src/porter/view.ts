import { splitLines, type ByteString } from '../core/text';
import type { KernelTree } from '../io/tree';
import { indexFile } from '../kernel-index/index-file';
import type { KernelIndex } from '../kernel-index/index';
import type { Definition, SourceFile } from '../kernel-index/types';
import { fileItems, type Unit } from './units';

/** A file as the porter looks at it: its lines and its definitions, computed once per content. */
export interface PorterFile extends SourceFile {
  lines: ByteString[];
  mode: string;
  /** Definitions that lie in no other, in order. */
  outer: Definition[];
  /** What stands at file level, in order. */
  items: Unit[];
  /** Words that its kernel uses as attributes: the parser must know them. */
  attributes: ReadonlySet<string>;
}

/** So many files are kept cut up though nobody holds them. */
const RECENT = 800;

/** A tree with changes laid over it: the base with the set's first patches, the target with what was ported so far. */
export class View {
  private readonly overlay = new Map<ByteString, { text: ByteString; mode: string } | null>();
  private parents: Set<ByteString> | null = null;
  private folders: Map<ByteString, ByteString[]> | null = null;
  /** What somebody still holds, and what was asked for last: of a wide set half the kernel is looked at once. */
  private readonly files = new Map<ByteString, WeakRef<PorterFile> | null>();
  private readonly recent = new Map<ByteString, PorterFile>();

  constructor(readonly kernel: KernelIndex) {}

  get tree(): KernelTree {
    return this.kernel.tree;
  }

  has(path: ByteString): boolean {
    const laid = this.overlay.get(path);
    return laid === undefined ? this.tree.has(path) : laid !== null;
  }

  /**
   * Why no file can be made at a path where there is none: a folder is there, or a file or symlink stands where a folder
   * on the way should be. Null when one can. Git itself would make the file and drop what is in the way.
   */
  obstacle(path: ByteString): string | null {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      const folder = path.slice(0, at);
      if (this.has(folder))
        return `'${folder}' is a ${this.mode(folder) === '120000' ? 'symlink' : 'file'} in the target`;
    }
    const laid = [...this.overlay].some(([p, file]) => file !== null && p.startsWith(`${path}/`));
    if (!laid && !this.ancestors().has(path)) return null;
    // The overlay may have emptied it.
    const inside = (p: ByteString) => p.startsWith(`${path}/`) && this.has(p);
    return laid || [...this.tree.paths()].some(inside) ? `'${path}' is a folder in the target` : null;
  }

  /** Every folder of the tree itself that has a file in it or below it. */
  private ancestors(): ReadonlySet<ByteString> {
    if (this.parents) return this.parents;
    this.parents = new Set();
    for (const path of this.tree.paths()) {
      for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
        const folder = path.slice(0, at);
        if (this.parents.has(folder)) break;
        this.parents.add(folder);
      }
    }
    return this.parents;
  }

  /** The mode of a file; null when it is not there. */
  mode(path: ByteString): string | null {
    const laid = this.overlay.get(path);
    return laid === undefined ? (this.tree.entry(path)?.mode ?? null) : (laid?.mode ?? null);
  }

  /** Files that lie in a folder of the tree itself, not below it. */
  inFolder(folder: ByteString): readonly ByteString[] {
    if (!this.folders) {
      this.folders = new Map();
      for (const path of this.tree.paths()) {
        const own = path.slice(0, path.lastIndexOf('/') + 1);
        const list = this.folders.get(own);
        if (list) list.push(path);
        else this.folders.set(own, [path]);
      }
    }
    return this.folders.get(folder) ?? [];
  }

  /** Null when the file is not there or cannot be read. */
  async text(path: ByteString): Promise<ByteString | null> {
    const laid = this.overlay.get(path);
    return laid === undefined ? this.tree.read(path) : (laid?.text ?? null);
  }

  async file(path: ByteString): Promise<PorterFile | null> {
    const known = this.atHand(path);
    const file = known === undefined ? await this.read(path) : known;
    if (known === undefined) this.files.set(path, file && new WeakRef(file));
    if (file) {
      this.recent.delete(path);
      this.recent.set(path, file);
      for (const oldest of this.recent.keys()) {
        if (this.recent.size <= RECENT) break;
        // What is laid over the tree would be indexed anew, and have other definitions.
        if (!this.overlay.has(oldest)) this.recent.delete(oldest);
      }
    }
    return file;
  }

  /** Undefined for a file that has to be cut up. */
  private atHand(path: ByteString): PorterFile | null | undefined {
    const known = this.files.get(path);
    return known ? known.deref() : known;
  }

  /** The outermost definitions of a file, in order: for whoever needs nothing else of many files. */
  async outer(path: ByteString): Promise<readonly Definition[]> {
    const known = this.atHand(path);
    if (known !== undefined || this.overlay.has(path)) return (await this.file(path))?.outer ?? [];
    const source = await this.kernel.load(path);
    return source ? outermost(source) : [];
  }

  private async read(path: ByteString): Promise<PorterFile | null> {
    const mode = this.mode(path) ?? '100644';
    if (!this.overlay.has(path)) {
      const source = await this.kernel.load(path);
      return source && porterFile(source, mode, this.kernel.attributes.words);
    }
    const text = await this.text(path);
    if (text === null) return null;
    const index = await indexFile(path, text, { attributes: this.kernel.attributes.words, grammar: false });
    return porterFile({ path, text, index }, mode, this.kernel.attributes.words);
  }

  /** Lays a file over the tree; null deletes it. */
  set(path: ByteString, file: { text: ByteString; mode: string } | null): void {
    this.overlay.set(path, file);
    this.forget(path);
  }

  /** Takes back what was laid over the tree since {@link changes} gave `overlay`. */
  restore(overlay: ReadonlyMap<ByteString, { text: ByteString; mode: string } | null>): void {
    for (const path of this.overlay.keys()) this.forget(path);
    this.overlay.clear();
    for (const [path, file] of overlay) this.overlay.set(path, file);
  }

  private forget(path: ByteString): void {
    this.files.delete(path);
    this.recent.delete(path);
  }

  /** What was laid over the tree. */
  changes(): ReadonlyMap<ByteString, { text: ByteString; mode: string } | null> {
    return this.overlay;
  }
}

function porterFile({ path, text, index }: SourceFile, mode: string, attributes: ReadonlySet<string>): PorterFile {
  const lines = splitLines(text);
  const outer = outermost({ index });
  const file: PorterFile = { path, text, index, lines, mode, outer, items: [], attributes };
  file.items = fileItems(file);
  return file;
}

function outermost({ index }: Pick<SourceFile, 'index'>): Definition[] {
  const outer: Definition[] = [];
  for (const d of index.definitions) {
    const last = outer[outer.length - 1];
    if (!last || d.start >= last.end) outer.push(d);
  }
  return outer;
}

/** The outermost definition in which a line lies (0-based); null at file level. */
export function definitionAt(file: PorterFile, line: number): Definition | null {
  return definitionOf(file.outer, line);
}

/** The same of a file's outermost definitions alone. */
export function definitionOf(outer: readonly Definition[], line: number): Definition | null {
  let [lo, hi] = [0, outer.length - 1];
  while (lo <= hi) {
    const mid = (lo + hi) >> 1;
    const d = outer[mid]!;
    if (line < d.startLine) hi = mid - 1;
    else if (line > d.endLine) lo = mid + 1;
    else return d;
  }
  return null;
}

/** The outermost definition that holds the gap before a line: both neighbours lie in it. */
export function definitionAround(file: PorterFile, gap: number): Definition | null {
  const d = definitionAt(file, gap);
  return d && d.startLine < gap ? d : null;
}
