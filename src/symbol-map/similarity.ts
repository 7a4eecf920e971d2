import type { KernelIndex } from '../kernel-index/index';
import type { Definition } from '../kernel-index/types';

/**
 * How alike two bodies are, by the names that they mention: a rare name in common says much, `vcpu` or `i` little.
 */
export class Similarity {
  private readonly weights = new Map<string, number>();
  private readonly total: number;

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
  ) {
    // In a handful of files every name is rare.
    this.total = Math.max(20_000, base.stats.definitions + target.stats.definitions);
  }

  /** How much a name says: the logarithm of how rare it is in both kernels together. */
  weight(name: string): number {
    let weight = this.weights.get(name);
    if (weight === undefined) {
      const count = this.base.mentions(name).length + this.target.mentions(name).length;
      weight = Math.log(this.total / (count + 1));
      this.weights.set(name, weight);
    }
    return weight;
  }

  /** 0 to 1: the weight that two definitions share. `renamed` maps names of the base that have another name now. */
  of(a: Definition, b: Definition, renamed?: (name: string) => string): number {
    const [na, nb] = [mentions(a), mentions(b)];
    if (na.length === 0 && nb.length === 0) return 0;
    const inB = new Set(nb);
    let shared = 0;
    let all = 0;
    for (const name of na) {
      const weight = this.weight(name);
      if (inB.has(name) || (renamed && inB.has(renamed(name)))) shared += weight;
      else all += weight;
    }
    const inA = new Set(renamed ? na.flatMap((n) => [n, renamed(n)]) : na);
    for (const name of nb) if (!inA.has(name)) all += this.weight(name);
    return shared / (shared + all);
  }

  /** How much there is to compare: the weight of all names of a definition. */
  substance(d: Definition): number {
    return mentions(d).reduce((sum, name) => sum + this.weight(name), 0);
  }
}

function mentions(d: Definition): string[] {
  return d.calls.concat(d.uses);
}

/** 0 to 1: words in common of two names, order kept (`kvm_vcpu_get_hsr`, `kvm_vcpu_get_esr`: 0.86). */
export function nameSimilarity(a: string, b: string): number {
  const parts = (s: string) => s.toLowerCase().split(/_+/).filter(Boolean);
  const [pa, pb] = [parts(a), parts(b)];
  if (pa.length === 0 || pb.length === 0) return 0;
  const rows: number[][] = [new Array<number>(pb.length + 1).fill(0)];
  pa.forEach((x, i) => {
    const row = [0];
    pb.forEach((y, j) => row.push(Math.max(rows[i]![j]! + partSimilarity(x, y), rows[i]![j + 1]!, row[j]!)));
    rows.push(row);
  });
  return (2 * rows[pa.length]![pb.length]!) / (pa.length + pb.length);
}

/** 1 for the same, less for words that share most letters in order. */
function partSimilarity(a: string, b: string): number {
  if (a === b) return 1;
  let row = new Array<number>(b.length + 1).fill(0);
  for (const x of a) {
    const next = [0];
    for (let j = 0; j < b.length; j++) next.push(x === b[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    row = next;
  }
  const ratio = (2 * row[b.length]!) / (a.length + b.length);
  return ratio > 0.5 ? ratio * 0.8 : 0;
}
