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
    let users: Set<string> | null = null;
    const usersOf = () => (users ??= new Set(this.base.mentions(d.name).map((u) => u.file.path)));
    for (const t of this.target.definitions(d.name)) {
      if (!mayBecome(d.kind, t.definition.kind)) continue;
      const local = isLocal(t.definition, t.file.path);
      const near = this.files.isNear(file.path, t.file.path);
      // A file that used it may have made its own: `kvm_set_pmd()` went from a header into the one file that calls it.
      const byUser = local && !isLocal(d, file.path) && this.usedIn(usersOf(), t.file.path);
      // Before anything is compared: a name like `probe` has hundreds of definitions, all of them another driver's.
      if (!near && !byUser && this.isAnothersStill(of, t)) continue;
      const kinship = Math.max(byUser ? 0.5 : 0, this.files.kinship(file.path, t.file.path));
      const similarity = this.bodyFit(of, t);
      // A static function of an unrelated file has the name by chance, unless it also looks the same.
      const stranger = kinship < 0.5 && (isLocal(d, file.path) || local);
      if (stranger && similarity < 0.4) continue;
      if (this.isLikerAnothers(of, t, kinship, similarity)) continue;
      const sameKind = d.kind === t.definition.kind ? 1 : kindRank(d.kind) === kindRank(t.definition.kind) ? 0.6 : 0.2;
      const sameGuards = d.guards.join('&') === t.definition.guards.join('&') ? 1 : 0;
      const fit = 0.4 * kinship + 0.3 * similarity + 0.22 * sameKind + 0.08 * sameGuards;
      found.push({ ...t, kinship, similarity, fit });
    }
    return found.sort((a, b) => b.fit - a.fit || order(a, b));
  }

  /** True when a file, or one that it took over, mentions the name in the base: one of `users`. */
  private usedIn(users: ReadonlySet<string>, path: string): boolean {
    if (users.has(path)) return true;
    for (const u of users) if (this.files.heirs(u).some((h) => h.path === path)) return true;
    return false;
  }

  /**
   * True when the base has another one of that name and kind in the stranger's own file, or in one that is near to it: two
   * drivers have many names in common. Then it is not where ours went.
   */
  private isAnothersStill(of: Found, t: Found): boolean {
    const { name, kind } = t.definition;
    if (this.base.defines(t.file.path, name, kind)) return true;
    return this.base
      .definitions(name)
      .some(
        (f) =>
          f.definition.kind === kind && f.file.path !== of.file.path && this.files.isNear(f.file.path, t.file.path),
      );
  }

  /** True when both are their files' own and look otherwise, while one in a nearer file of the base is the same. */
  private isLikerAnothers(of: Found, t: Found, kinship: number, similarity: number): boolean {
    if (similarity >= 0.5 || !isLocal(of.definition, of.file.path) || !isLocal(t.definition, t.file.path)) return false;
    return this.base
      .definitions(t.definition.name)
      .some(
        (f) =>
          f.definition.kind === t.definition.kind &&
          f.file.path !== of.file.path &&
          isLocal(f.definition, f.file.path) &&
          this.files.isNear(f.file.path, t.file.path) &&
          this.files.kinship(f.file.path, t.file.path) > kinship &&
          this.bodyFit(f, t) > 0.8,
      );
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
