import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { tokenLines } from './align';
import { LinePlaces, type LinePlace } from './line-places';
import { definitionOf, type PorterFile, type View } from './view';

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
  private lines: LinePlaces | null = null;

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
    return telling.some((l) => !lines.of(l.key).next().done);
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
    // The rest of the lines need not be looked for where one of them is not.
    const perLine = telling.map((l) => byPath(this.index().of(l.key)));
    perLine.sort((a, b) => a.size - b.size);
    const found: (Vote & { rank: number })[] = [];
    for (const path of perLine[0]!.keys()) {
      if (!perLine.every((places) => places.has(path))) continue;
      const votes = new Map<Definition, Vote>();
      const outer = await this.target.outer(path);
      for (const places of perLine) {
        const definitions = new Set(places.get(path)!.map((line) => definitionOf(outer, line)));
        for (const definition of definitions) {
          if (!definition) continue;
          const vote = votes.get(definition) ?? { path, definition, n: 0 };
          vote.n++;
          votes.set(definition, vote);
        }
      }
      for (const vote of votes.values()) {
        if (vote.n < telling.length) continue;
        const rank = (prefer.callers.has(vote.definition.name) ? 2 : 0) + (path === prefer.path ? 1 : 0);
        found.push({ ...vote, rank });
      }
    }
    const best = Math.max(...found.map((f) => f.rank));
    const [top, another] = found.filter((f) => f.rank === best);
    if (!top || another) return null;
    const file = await this.target.file(top.path);
    return file && { file, definition: top.definition };
  }

  private index(): LinePlaces {
    if (this.lines) return this.lines;
    this.lines = new LinePlaces(SAYING);
    for (const file of this.target.kernel.files()) {
      if (/\.[chS]$/.test(file.path) && this.inScope(file.path)) this.lines.add(file);
    }
    this.lines.close();
    return this.lines;
  }
}

interface Vote {
  path: ByteString;
  definition: Definition;
  /** How many of the telling lines it has. */
  n: number;
}

function byPath(places: Iterable<LinePlace>): Map<ByteString, number[]> {
  const found = new Map<ByteString, number[]>();
  for (const { path, line } of places) {
    const lines = found.get(path);
    if (lines) lines.push(line);
    else found.set(path, [line]);
  }
  return found;
}
