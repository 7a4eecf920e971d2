import type { Found, KernelIndex } from '../kernel-index/index';
import type { FileMap } from './files';
import { isLocal, kindRank, mayBecome } from './kinds';
import type { Similarity } from './similarity';

/** A definition of the target that has the name of one of the base, and how well it fits. */
export interface Namesake extends Found {
  /** 0 to 1, by path. */
  kinship: number;
  /** 0 to 1, by body. */
  similarity: number;
  /** 0 to 1, all together. */
  fit: number;
}

/** Pairs definitions of the two kernels that have the same name. */
export class Pairs {
  private readonly known = new Map<Found['definition'], Namesake[]>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
    private readonly files: FileMap,
    private readonly similarity: Similarity,
  ) {}

  /** The definitions of the same name that may be the same thing, best first. */
  namesakes(of: Found): readonly Namesake[] {
    let found = this.known.get(of.definition);
    if (!found) {
      found = this.find(of);
      this.known.set(of.definition, found);
    }
    return found;
  }

  /** The one definition that is the same thing by name; null when there is none, or when it is not clear which. */
  partner(of: Found): Namesake | null {
    const [best] = this.namesakes(of);
    return best && best.fit >= 0.35 ? best : null;
  }

  private find(of: Found): Namesake[] {
    const { definition: d, file } = of;
    const found: Namesake[] = [];
    for (const t of this.target.definitions(d.name)) {
      if (!mayBecome(d.kind, t.definition.kind)) continue;
      const local = isLocal(t.definition, t.file.path);
      // A file that used it may have made its own: `kvm_set_pmd()` went from a header into the one file that calls it.
      const byUser = local && !isLocal(d, file.path) && this.usedIn(d.name, t.file.path);
      const kinship = Math.max(byUser ? 0.5 : 0, this.files.kinship(file.path, t.file.path));
      const similarity = this.bodyFit(of, t);
      // A static function of an unrelated file has the name by chance, unless it also looks the same.
      const stranger = kinship < 0.5 && (isLocal(d, file.path) || local);
      if (stranger && similarity < 0.4) continue;
      if (this.isAnothers(of, t, kinship, similarity)) continue;
      if (kinship < 0.5 && this.wasThere(t) && !(similarity > 0.8 && !this.base.tree.has(t.file.path))) continue;
      const sameKind = d.kind === t.definition.kind ? 1 : kindRank(d.kind) === kindRank(t.definition.kind) ? 0.6 : 0.2;
      const sameGuards = d.guards.join('&') === t.definition.guards.join('&') ? 1 : 0;
      const fit = 0.4 * kinship + 0.3 * similarity + 0.22 * sameKind + 0.08 * sameGuards;
      found.push({ ...t, kinship, similarity, fit });
    }
    return found.sort((a, b) => b.fit - a.fit || order(a, b));
  }

  /** True when a file, or one that it took over, mentions the name in the base. */
  private usedIn(name: string, path: string): boolean {
    const users = new Set(this.base.mentions(name).map((u) => u.file.path));
    return [...users].some((u) => u === path || this.files.heirs(u).some((h) => h.path === path));
  }

  /** True when the very definition was in that file of the base already: then it is not where another one went. */
  private wasThere(t: Found): boolean {
    const before = this.base.file(t.file.path);
    return before?.index.definitions.some((d) => d.name === t.definition.name && d.kind === t.definition.kind) ?? false;
  }

  /**
   * True when the base has another one of that name and kind in a file that is nearer, and ours is a stranger or, both
   * being files' own, looks otherwise while that one is the same: two drivers have many names in common.
   */
  private isAnothers(of: Found, t: Found, kinship: number, similarity: number): boolean {
    const own = isLocal(of.definition, of.file.path) && isLocal(t.definition, t.file.path);
    if (kinship >= 0.5 && !(own && similarity < 0.5)) return false;
    return this.base.definitions(t.definition.name).some((f) => {
      if (f.file.path === of.file.path || f.definition.kind !== t.definition.kind) return false;
      const nearness = this.files.kinship(f.file.path, t.file.path);
      if (kinship < 0.5) return nearness >= 0.5;
      return nearness > kinship && isLocal(f.definition, f.file.path) && this.bodyFit(f, t) > 0.8;
    });
  }

  private bodyFit(a: Found, b: Found): number {
    const textA = a.file.text.slice(a.definition.start, a.definition.end);
    const textB = b.file.text.slice(b.definition.start, b.definition.end);
    if (textA === textB) return 1;
    return this.similarity.of(a.definition, b.definition);
  }
}

function order(a: Found, b: Found): number {
  return a.file.path === b.file.path ? a.definition.start - b.definition.start : a.file.path < b.file.path ? -1 : 1;
}
