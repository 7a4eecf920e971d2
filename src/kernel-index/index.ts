import type { ByteString } from '../core/text';
import type { DiskCache } from '../io/cache';
import { breathe } from '../io/parser';
import type { KernelTree } from '../io/tree';
import { harvestAttributes, type Attributes } from './attributes';
import { FileCache } from './file-cache';
import { indexFile } from './index-file';
import { languageOf } from './language';
import { includeCandidates, scopeOf, type Scope } from './scope';
import type { Definition, DefinitionKind, Member, SourceFile } from './types';

export interface IndexKernelOptions {
  /** Which files; a function stands for these files and nothing else. */
  scope: Scope | ((path: ByteString) => boolean);
  /** Null: compute everything, keep nothing. */
  cache: DiskCache | null;
  /** Ask the grammar for a second opinion on every definition: for reports. Default: no, nothing is looked up by it. */
  grammar?: boolean;
  /** Count what the pre-pass repairs, at the price of a second parse. Such a run does not read the cache. */
  countRaw?: boolean;
  onProgress?(done: number, total: number): void;
  /** Every file that was indexed or read from the cache, in turn: of a whole tree they are not kept. */
  onFile?(file: SourceFile): void;
}

/** What a run did. */
export interface IndexStats {
  files: number;
  bytes: number;
  definitions: number;
  /** Files that came from the cache, and files that were indexed now. */
  cached: number;
  indexed: number;
  /** Entries of the cache that could not be trusted and were made anew. */
  damaged: number;
  milliseconds: number;
}

/** A definition and the file it is in. */
export interface Found {
  file: SourceFile;
  definition: Definition;
}

/** Everything known about one kernel, or the part of it that a scope names. */
export class KernelIndex {
  private readonly byPath = new Map<ByteString, SourceFile>();
  private everything: Found[] | null = null;
  private names: Map<string, Found[]> | null = null;
  private memberNames: Map<string, (Found & { member: Member })[]> | null = null;
  private mentioned: Map<string, Found[]> | null = null;
  private readonly inFiles = new Map<string, ByteString[]>();
  readonly stats: IndexStats = {
    files: 0,
    bytes: 0,
    definitions: 0,
    cached: 0,
    indexed: 0,
    damaged: 0,
    milliseconds: 0,
  };

  constructor(
    readonly tree: KernelTree,
    readonly attributes: Attributes,
    private readonly cache: FileCache | null,
  ) {}

  /** A file of the scope (or one that was loaded); null for any other. */
  file(path: ByteString): SourceFile | null {
    return this.byPath.get(path) ?? null;
  }

  /** The files at hand, by path. */
  files(): SourceFile[] {
    return [...this.byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Every definition of that name, by path. */
  definitions(name: string): readonly Found[] {
    if (!this.names) {
      this.names = new Map();
      for (const found of this.all()) push(this.names, found.definition.name, found);
      trim(this.names);
    }
    return this.names.get(name) ?? [];
  }

  /** True when a file at hand has a definition of that name and kind. */
  defines(path: ByteString, name: string, kind: DefinitionKind): boolean {
    const found = this.definitions(name);
    for (let i = firstOf(found, path); i < found.length && found[i]!.file.path === path; i++)
      if (found[i]!.definition.kind === kind) return true;
    return false;
  }

  /** Every field and enumerator of that name. A field of a nested struct is found by its last part. */
  members(name: string): readonly (Found & { member: Member })[] {
    if (!this.memberNames) {
      this.memberNames = new Map();
      for (const found of this.all()) for (const [key, member] of membersOf(found)) push(this.memberNames, key, member);
      trim(this.memberNames);
    }
    return this.memberNames.get(name) ?? [];
  }

  /** Every definition that calls or uses a name. */
  mentions(name: string): readonly Found[] {
    if (!this.mentioned) {
      this.mentioned = new Map();
      for (const found of this.all()) {
        for (const call of found.definition.calls) push(this.mentioned, call, found);
        for (const use of found.definition.uses) push(this.mentioned, use, found);
      }
      trim(this.mentioned);
    }
    return this.mentioned.get(name) ?? [];
  }

  /** Every definition with its file: one object each, however many lists it is in. */
  private all(): readonly Found[] {
    this.everything ??= this.files().flatMap(foundIn);
    return this.everything;
  }

  /** Paths of files that define a name. Of a whole tree, this is known for files that are not at hand. */
  pathsDefining(name: string): readonly ByteString[] {
    return this.inFiles.get(name) ?? [...new Set(this.definitions(name).map((d) => d.file.path))];
  }

  /** A file of the tree, in the scope or not; null when the tree has none of that name. */
  async load(path: ByteString): Promise<SourceFile | null> {
    const known = this.byPath.get(path);
    if (known) return known;
    const file = await this.index(path, await this.tree.read(path), { grammar: false, countRaw: false });
    if (file) this.keep(file);
    return file;
  }

  /** @internal Indexes one text, by the cache when it has it. */
  async index(
    path: ByteString,
    text: ByteString | null,
    { grammar, countRaw }: { grammar: boolean; countRaw: boolean },
  ): Promise<SourceFile | null> {
    if (text === null) return null;
    const language = languageOf(path);
    const oid = language === 'text' ? null : (this.tree.entry(path)?.oid ?? null);
    let index = oid !== null && !countRaw ? (this.cache?.get(oid, language, text, grammar) ?? null) : null;
    if (index) this.stats.cached++;
    else {
      index = await indexFile(path, text, { attributes: this.attributes.words, grammar, countRaw });
      if (oid !== null && !countRaw) this.cache?.put(oid, language, index);
      this.stats.indexed++;
    }
    this.stats.files++;
    this.stats.bytes += text.length;
    this.stats.definitions += index.definitions.length;
    return { path, text: this.cache?.sameText(index, text) ?? text, index };
  }

  /** @internal */
  keep(file: SourceFile): void {
    this.byPath.set(file.path, file);
    this.everything = null;
    if (!this.names && !this.memberNames && !this.mentioned) return;
    // A file that was loaded later takes its place in the lists: to make them anew would cost more than the file.
    for (const found of foundIn(file)) {
      const { name, calls, uses } = found.definition;
      if (this.names) insert(this.names, name, found);
      if (this.memberNames) for (const [key, member] of membersOf(found)) insert(this.memberNames, key, member);
      if (this.mentioned) for (const mention of [...calls, ...uses]) insert(this.mentioned, mention, found);
    }
  }

  /** @internal Remembers names only: what a whole tree keeps. */
  keepNames(file: SourceFile): void {
    for (const name of new Set(file.index.definitions.map((d) => d.name))) {
      // A piece of a string keeps the whole string alive: here, the text of the file. So it is copied.
      const known = this.inFiles.get(name);
      if (known) known.push(file.path);
      else this.inFiles.set(Buffer.from(name, 'latin1').toString('latin1'), [file.path]);
    }
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** Gives back what lists have room for: one of two that grew takes eighteen. */
function trim<T>(map: Map<string, T[]>): void {
  for (const [key, list] of map) if (list.length > 1) map.set(key, list.slice());
}

/** Adds to a list that is in order of paths, behind what the same file has in it. */
function insert<T extends Found>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (!list) {
    map.set(key, [value]);
    return;
  }
  let at = list.length;
  while (at > 0 && list[at - 1]!.file.path > value.file.path) at--;
  list.splice(at, 0, value);
}

/** Where what a file has begins in a list that is in order of paths: of some names, hundreds of files have one. */
function firstOf(found: readonly Found[], path: ByteString): number {
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (found[middle]!.file.path < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

function foundIn(file: SourceFile): Found[] {
  return file.index.definitions.map((definition) => ({ file, definition }));
}

/** The fields and enumerators of a definition, by the last part of their names. */
function membersOf({ file, definition }: Found): [string, Found & { member: Member }][] {
  if (definition.kind === 'object-rule') return [];
  return definition.members.map((member) => [
    member.name.slice(member.name.lastIndexOf('.') + 1),
    { file, definition, member },
  ]);
}

/** Texts are asked for this far ahead, so that git is not waited for. */
const AHEAD = 256;

/** Builds the index of a kernel. */
export async function indexKernel(tree: KernelTree, options: IndexKernelOptions): Promise<KernelIndex> {
  const begun = Date.now();
  const scope = typeof options.scope === 'function' ? scopeOf(options.scope) : options.scope;
  const { cache } = options;
  const asked = { grammar: options.grammar ?? false, countRaw: options.countRaw ?? false };
  const damagedBefore = cache?.damaged ?? 0;
  const attributes = await harvestAttributes(tree, cache);
  const kernel = new KernelIndex(tree, attributes, cache && new FileCache(cache, attributes));

  const queue: ByteString[] = [];
  const queued = new Set<ByteString>();
  const want = (path: ByteString) => {
    if (queued.has(path)) return;
    queued.add(path);
    const entry = tree.entry(path);
    if (entry && entry.mode.startsWith('100')) queue.push(path);
  };
  const has = scope.of(tree.paths());
  for (const path of tree.paths()) if (has(path)) want(path);

  const reading: Promise<ByteString | null>[] = [];
  for (let at = 0; at < queue.length; at++) {
    // Asked for in batches: a request each would cost git and us a turn each.
    if (reading.length < Math.min(queue.length, at + AHEAD / 2)) {
      while (reading.length < Math.min(queue.length, at + AHEAD)) reading.push(tree.read(queue[reading.length]!));
    }
    const path = queue[at]!;
    const text = await reading[at]!;
    reading[at] = DONE;
    const file = await kernel.index(path, text, asked);
    if (!file) continue;
    options.onFile?.(file);
    if (scope.whole) kernel.keepNames(file);
    else kernel.keep(file);
    if (scope.closure) {
      for (const include of file.index.includes) {
        const found = includeCandidates(path, include.path, include.system).find((p) => tree.has(p));
        if (found !== undefined) want(found);
      }
    }
    if (at % 64 === 0) options.onProgress?.(at, queue.length);
    // git waits when its pipe is full, and the pipe is emptied when the event loop turns.
    if (at % 4 === 0) await breathe();
  }
  options.onProgress?.(queue.length, queue.length);
  cache?.flush();
  kernel.stats.damaged = (cache?.damaged ?? 0) - damagedBefore;
  kernel.stats.milliseconds = Date.now() - begun;
  return kernel;
}

/** A kernel of which files are indexed one by one, when they are asked for; `attributes` may be those of a near kernel. */
export function lazyIndex(tree: KernelTree, attributes: Attributes, cache: DiskCache | null): KernelIndex {
  return new KernelIndex(tree, attributes, cache && new FileCache(cache, attributes));
}

const DONE: Promise<null> = Promise.resolve(null);

export type { Scope } from './scope';
export { scopeOf, scopeOfSet, WHOLE_TREE } from './scope';
export type { Definition, DefinitionKind, FileIndex, Member, Signature, SourceFile } from './types';
