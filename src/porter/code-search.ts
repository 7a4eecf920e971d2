import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { tokenLines } from './align';
import { definitionAt, type PorterFile, type View } from './view';

/** Where some lines are in the target. */
export interface FoundCode {
  file: PorterFile;
  definition: Definition;
}

/** A line says where it comes from when it has this weight: three names or more. */
const TELLING = 0.9;
/** … and that it is nowhere with two. */
const SAYING = 0.7;

/** Finds code that left its definition: upstream inlined it, or gave it to another function. */
export class CodeSearch {
  private lines: Map<string, { path: ByteString; line: number }[]> | null = null;

  constructor(
    private readonly target: View,
    /** What the target's index has beside the set's surroundings (headers of the whole kernel) is not searched. */
    private readonly inScope: (path: ByteString) => boolean,
  ) {}

  /** True when any telling line is somewhere in the searched files; null when the lines tell nothing. */
  anywhere(code: readonly ByteString[]): boolean | null {
    const telling = tokenLines(code).filter(
      (l) => l.weight >= SAYING && !/^(return|break|goto|continue|else)\b/.test(l.key),
    );
    if (telling.length === 0) return null;
    const lines = this.index();
    return telling.some((l) => (lines.get(l.key)?.length ?? 0) > 0);
  }

  /**
   * The definition that has all the telling lines. Of several a caller of the old definition is meant, and then one in the
   * old one's file; null when there is none, or still more than one.
   */
  async find(
    code: readonly ByteString[],
    prefer: { callers: ReadonlySet<string>; path: ByteString; rename?: (word: string) => string },
  ): Promise<FoundCode | null> {
    const telling = tokenLines(code, prefer.rename).filter((l) => l.weight >= TELLING);
    if (telling.length === 0) return null;
    const votes = new Map<string, { path: ByteString; line: number; n: number }>();
    for (const l of telling) {
      const seen = new Set<string>();
      for (const place of this.index().get(l.key) ?? []) {
        const file = await this.target.file(place.path);
        const d = file && definitionAt(file, place.line);
        const key = d ? `${place.path}:${d.start}` : '';
        if (!d || seen.has(key)) continue;
        seen.add(key);
        const vote = votes.get(key) ?? { ...place, n: 0 };
        vote.n++;
        votes.set(key, vote);
      }
    }
    const found: (FoundCode & { rank: number })[] = [];
    for (const vote of votes.values()) {
      if (vote.n < telling.length) continue;
      const file = (await this.target.file(vote.path))!;
      const definition = definitionAt(file, vote.line)!;
      const rank = (prefer.callers.has(definition.name) ? 2 : 0) + (vote.path === prefer.path ? 1 : 0);
      found.push({ file, definition, rank });
    }
    const best = Math.max(...found.map((f) => f.rank));
    const top = found.filter((f) => f.rank === best);
    return top.length === 1 ? top[0]! : null;
  }

  private index(): Map<string, { path: ByteString; line: number }[]> {
    if (this.lines) return this.lines;
    this.lines = new Map();
    for (const file of this.target.kernel.files()) {
      if (!/\.[chS]$/.test(file.path) || !this.inScope(file.path)) continue;
      tokenLines(file.text.split('\n')).forEach((l, line) => {
        if (l.weight < SAYING) return;
        const places = this.lines!.get(l.key);
        if (places) places.push({ path: file.path, line });
        else this.lines!.set(l.key, [{ path: file.path, line }]);
      });
    }
    return this.lines;
  }
}
