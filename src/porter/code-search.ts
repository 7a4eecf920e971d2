import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { tokenLines } from './align';
import { definitionAt, type PorterFile, type View } from './view';

/** Where most of some lines are in the target. */
export interface FoundCode {
  file: PorterFile;
  definition: Definition;
  /** Share of the telling lines that are there, 0 to 1. */
  share: number;
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

  /** The definition that has most of the telling lines; null when none has more than half, or two have as many. */
  async find(code: readonly ByteString[]): Promise<FoundCode | null> {
    const telling = tokenLines(code).filter((l) => l.weight >= TELLING);
    const votes = new Map<string, { path: ByteString; line: number; n: number }>();
    for (const l of telling) {
      const places = this.index().get(l.key) ?? [];
      // A line that is everywhere tells nothing.
      if (places.length > 4) continue;
      for (const place of places) {
        const file = await this.target.file(place.path);
        const d = file && definitionAt(file, place.line);
        if (!d) continue;
        const key = `${place.path}:${d.start}`;
        const vote = votes.get(key) ?? { ...place, n: 0 };
        vote.n++;
        votes.set(key, vote);
      }
    }
    const [best, second] = [...votes.values()].sort((a, b) => b.n - a.n || (a.path < b.path ? -1 : 1));
    if (!best || best.n * 2 <= telling.length || second?.n === best.n) return null;
    const file = (await this.target.file(best.path))!;
    return { file, definition: definitionAt(file, best.line)!, share: best.n / telling.length };
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
