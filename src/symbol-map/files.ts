import type { Evidence } from '../core/outcome';
import { splitLines, type ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index/index';
import type { Definition, SourceFile } from '../kernel-index/types';
import type { FileHeir } from './types';

/** Files that took over less than this share of the definitions are not named. */
const MIN_SHARE = 0.08;

/** Where files went: by where the majority of their definitions went, and by their lines. */
export class FileMap {
  private readonly known = new Map<ByteString, FileHeir[]>();
  private newLines: NewLines | null = null;

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
  ) {}

  /** The heirs of a file, best first; empty when nothing took anything over. */
  heirs(path: ByteString): FileHeir[] {
    let heirs = this.known.get(path);
    if (!heirs) {
      heirs = this.find(path);
      this.known.set(path, heirs);
    }
    return heirs;
  }

  /** 0 to 1: how likely a definition of one path is now in the other one, by the paths alone. */
  kinship(path: ByteString, other: ByteString): number {
    if (path === other) return 1;
    const heir = this.heirs(path).find((h) => h.path === other);
    return heir ? 0.5 + heir.share / 2 : likeness(path, other);
  }

  /** True when {@link kinship} is one half or more. Most paths of a kernel are not, and this is cheap to know. */
  isNear(path: ByteString, other: ByteString): boolean {
    return path === other || this.heirs(path).some((h) => h.path === other) || areTwins(path, other);
  }

  private find(path: ByteString): FileHeir[] {
    const stays = this.target.tree.has(path);
    const file = this.base.file(path);
    const shares = file ? this.definitionShares(file) : new Map<ByteString, number>();
    const heirs: FileHeir[] = [];
    for (const [to, share] of shares) {
      if (to === path || share < MIN_SHARE) continue;
      // A file that stays gives to another one only what it no longer has, and only to one that is new or near.
      if (stays && share < 0.15) continue;
      const text = `${percent(share)} of its definitions are in '${to}' now`;
      heirs.push({
        path: to,
        share,
        confidence: Math.min(0.98, 0.5 + share * 0.6),
        evidence: [evidence('definitions', text)],
      });
    }
    if (!stays && file) this.addSimilar(file, heirs);
    heirs.sort((a, b) => b.share - a.share || (a.path < b.path ? -1 : 1));
    if (stays) {
      heirs.unshift({
        path,
        share: shares.get(path) ?? 1,
        confidence: 0.99,
        evidence: [evidence('same-path', 'the file is still there')],
      });
    } else {
      // git's own rule of thumb: one clear heir is a rename, several are a split.
      heirs.forEach((h) => (h.confidence = Math.round(h.confidence * 100) / 100));
    }
    return heirs;
  }

  /** For each file of the target, the share of a file's definitions that it has now; by size, macros counting less. */
  private definitionShares(file: SourceFile): Map<ByteString, number> {
    const shares = new Map<ByteString, number>();
    let all = 0;
    for (const definition of file.index.definitions) {
      if (definition.name === '' || definition.kind === 'prototype' || definition.kind === 'object-rule') continue;
      const size = weightOf(definition);
      all += size;
      const same = this.target.definitions(definition.name).filter((t) => t.definition.kind === definition.kind);
      const here = same.filter((t) => t.file.path === file.path);
      const heirs = here.length ? here : this.unclaimed(same, definition);
      for (const t of heirs) shares.set(t.file.path, (shares.get(t.file.path) ?? 0) + size / heirs.length);
    }
    // Macros of an own name that happen to exist elsewhere: a file with hardly any match has no heir by definitions.
    for (const [to, share] of shares) shares.set(to, all > 0 ? share / all : 0);
    return shares;
  }

  /** Definitions of the target that were not in their file in the base: only those can have come from elsewhere. */
  private unclaimed(found: readonly Found[], definition: Definition): Found[] {
    const { name, kind } = definition;
    const fresh: Found[] = [];
    for (const t of found) {
      if (this.base.defines(t.file.path, name, kind)) continue;
      fresh.push(t);
      if (fresh.length > 4) return [];
    }
    return fresh;
  }

  /** Files that are new and share lines: for texts without definitions, and where definitions say little. */
  private addSimilar(file: SourceFile, heirs: FileHeir[]): void {
    const lines = lineBag(file.text);
    if (lines.count < 5) return;
    const suffix = suffixOf(file.path);
    const shared = this.fresh().sharedWith(lines.bag);
    for (const [candidate, count] of shared) {
      const name = candidate.path;
      if (suffixOf(name) !== suffix) continue;
      const known = heirs.find((h) => h.path === name);
      const share = count / lines.count;
      const similarity = count / Math.max(lines.count, candidate.count);
      if (share < 0.3 || (similarity < 0.15 && share < 0.6)) continue;
      const said = evidence('content', `${percent(share)} of its lines are in '${name}' now`);
      if (known) {
        known.evidence.push(said);
        known.share = Math.max(known.share, share);
        known.confidence = Math.max(known.confidence, Math.min(0.98, 0.5 + share * 0.5));
      } else {
        heirs.push({ path: name, share, confidence: Math.min(0.95, 0.35 + share * 0.6), evidence: [said] });
      }
    }
  }

  private fresh(): NewLines {
    this.newLines ??= new NewLines(this.target.files().filter((file) => !this.base.tree.has(file.path)));
    return this.newLines;
  }
}

/** The lines of the files that only the target has, by line: a file that went is held against those that share some. */
class NewLines {
  private readonly files: { path: ByteString; count: number }[] = [];
  /** Of each line the numbers of the files that have it, and behind each how often. */
  private readonly places = new Map<string, number[]>();

  constructor(files: readonly SourceFile[]) {
    for (const { path, text } of files) {
      const { bag, count } = lineBag(text);
      const number = this.files.push({ path, count }) - 1;
      for (const [line, times] of bag) {
        const list = this.places.get(line);
        if (list) list.push(number, times);
        else this.places.set(line, [number, times]);
      }
    }
  }

  /** The files that share lines, by path, with how many. */
  sharedWith(bag: ReadonlyMap<string, number>): [{ path: ByteString; count: number }, number][] {
    const shared = new Map<number, number>();
    for (const [line, times] of bag) {
      const list = this.places.get(line) ?? [];
      for (let i = 0; i < list.length; i += 2)
        shared.set(list[i]!, (shared.get(list[i]!) ?? 0) + Math.min(times, list[i + 1]!));
    }
    return [...shared].sort((a, b) => a[0] - b[0]).map(([number, count]) => [this.files[number]!, count]);
  }
}

/** 0 to 0.5: how alike two paths are. */
function likeness(path: ByteString, other: ByteString): number {
  const [a, b] = [path.split('/'), other.split('/')];
  const sameName = stem(a[a.length - 1]!) === stem(b[b.length - 1]!);
  let common = 0;
  while (common < a.length - 1 && common < b.length - 1 && a[common] === b[common]) common++;
  return (sameName ? 0.3 : 0) + (0.2 * common) / Math.max(a.length - 1, b.length - 1);
}

/** True for `a/x.c` and `a/x.h`: paths as alike as two can be. */
function areTwins(path: ByteString, other: ByteString): boolean {
  const slash = path.lastIndexOf('/');
  if (slash < 0 || other.lastIndexOf('/') !== slash || !other.startsWith(path.slice(0, slash + 1))) return false;
  return stem(path.slice(slash + 1)) === stem(other.slice(slash + 1));
}

function suffixOf(path: ByteString): string {
  return /\.[^./]*$/.exec(path)?.[0] ?? '';
}

/** The lines of a text that say something, with how often they occur. */
function lineBag(text: ByteString): { bag: Map<string, number>; count: number } {
  const bag = new Map<string, number>();
  let count = 0;
  for (const raw of splitLines(text)) {
    const line = raw.trim();
    if (line.length < 4 || /^(\/?\*+\/?|#endif|#else|return 0;|break;)/.test(line)) continue;
    bag.set(line, (bag.get(line) ?? 0) + 1);
    count++;
  }
  return { bag, count };
}

function weightOf(d: Definition): number {
  const lines = d.endLine - d.startLine + 1;
  return d.kind === 'macro' || d.kind === 'variable' ? 1 : 1 + Math.sqrt(lines);
}

function stem(name: string): string {
  return name.replace(/\.[^.]*$/, '');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function evidence(kind: string, text: string): Evidence {
  return { kind, text };
}
