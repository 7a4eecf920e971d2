import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { tokenLines, type TokenLine } from '../porter/align';
import { sameNamed, sameNature, type Heirs } from '../porter/heirs';
import { scopeOf, type ScopePair } from '../porter/place';
import type { EditTrace } from '../porter/port';
import type { PorterFile } from '../porter/view';
import type { Way } from './releases';

/** Where a definition of the base is at a stop. */
export interface Stood {
  file: PorterFile;
  definition: Definition;
}

/** Finds files and definitions of the base at every stop of the way: under their own names, else under their heirs'. */
export class Follower {
  private readonly found = new Map<string, Promise<Stood | null>>();

  constructor(
    readonly way: Way,
    private readonly heirs: Heirs,
  ) {}

  /** Paths at which a base file may be on the way, its own first. */
  paths(path: ByteString): ByteString[] {
    return [...new Set([path, ...this.heirs.files(path).map((h) => h.path)])];
  }

  /** The files at a stop that a base file may be, best first. */
  async files(stop: number, path: ByteString): Promise<PorterFile[]> {
    const files: PorterFile[] = [];
    for (const p of this.paths(path)) {
      const file = await this.way.at(stop).view.file(p);
      if (file) files.push(file);
    }
    return files;
  }

  /** A definition of a base file at a stop; null when it is at none of the places where it might be. */
  definition(stop: number, base: PorterFile, definition: Definition): Promise<Stood | null> {
    const key = `${stop} ${base.path} ${definition.kind} ${definition.name} ${definition.start}`;
    let found = this.found.get(key);
    if (!found) {
      found = this.find(stop, base, definition);
      this.found.set(key, found);
    }
    return found;
  }

  private async find(stop: number, base: PorterFile, definition: Definition): Promise<Stood | null> {
    const twins = base.outer.filter((d) => d.name === definition.name && sameNature(d, definition));
    const heirs = await this.heirs.definitions(base.path, definition);
    const { view } = this.way.at(stop);
    const paths = new Set([...this.paths(base.path), ...heirs.map((h) => h.path)]);
    for (const path of paths) {
      const file = await view.file(path);
      const there = file && sameNamed(file, definition, twins);
      if (there) return { file, definition: there };
    }
    for (const heir of heirs) {
      for (const path of new Set([heir.path, ...paths])) {
        const file = await view.file(path);
        const there = file?.outer.find((d) => d.name === heir.definition.name && sameNature(d, heir.definition));
        if (file && there) return { file, definition: there };
      }
    }
    return null;
  }

  /** The definitions that an edit changes from inside. */
  scopes(trace: EditTrace): Definition[] {
    const scopes = trace.edit.segments.map((s) => scopeOf(trace.base, s)).filter((d): d is Definition => d !== null);
    return [...new Set(scopes)];
  }

  /** Each file at a stop that may hold the edit, with its scopes in it. */
  async places(stop: number, trace: EditTrace): Promise<{ file: PorterFile; pairs: Map<Definition, ScopePair> }[]> {
    const scopes = this.scopes(trace);
    if (scopes.length === 0) {
      return (await this.files(stop, trace.base.path)).map((file) => ({ file, pairs: new Map() }));
    }
    const byFile = new Map<PorterFile, Map<Definition, ScopePair>>();
    for (const scope of scopes) {
      const stood = await this.definition(stop, trace.base, scope);
      if (!stood) return [];
      const pairs = byFile.get(stood.file) ?? new Map<Definition, ScopePair>();
      pairs.set(scope, { base: scope, target: stood.definition, confidence: 1, evidence: [] });
      byFile.set(stood.file, pairs);
    }
    return [...byFile].map(([file, pairs]) => ({ file, pairs }));
  }
}

const lines = new WeakMap<PorterFile, TokenLine[]>();

/** The lines of a file as tokens, worked out once. */
export function tokensOf(file: PorterFile): readonly TokenLine[] {
  let known = lines.get(file);
  if (!known) {
    known = tokenLines(file.lines);
    lines.set(file, known);
  }
  return known;
}

/** The tokens of the lines of a definition; of the whole file without one. */
export function keysOf(file: PorterFile, definition: Definition | null): Set<string> {
  const all = tokensOf(file);
  const part = definition ? all.slice(definition.startLine, definition.endLine + 1) : all;
  return new Set(part.map((l) => l.key));
}
