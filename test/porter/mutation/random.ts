/** Mulberry32: small, and the same on every machine. */
export class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Between 0 (inclusive) and 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from `low` to `high`, both inclusive. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)]!;
  }

  /** Null for an empty list. */
  pickOrNone<T>(from: readonly T[]): T | null {
    return from.length ? this.pick(from) : null;
  }

  shuffled<T>(from: readonly T[]): T[] {
    const list = [...from];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }
}

const WORDS = 'amber birch cedar delta ember fjord grove heron inlet jetty knoll larch maple north otter'.split(' ');

/** A name that no kernel has. */
export function freshName(random: Random): string {
  return `${random.pick(WORDS)}_${random.pick(WORDS)}_${random.int(100, 999)}`;
}

/** A statement that has nothing to do with anything. */
export function freshStatement(random: Random, indent: string): string {
  return `${indent}${freshName(random)}(${random.int(0, 99)});\n`;
}

/** A function that has nothing to do with anything, behind a blank line. */
export function freshFunction(random: Random): string[] {
  const body = Array.from({ length: random.int(1, 5) }, () => freshStatement(random, '\t'));
  return ['\n', `static void ${freshName(random)}(int ${random.pick(WORDS)})\n`, '{\n', ...body, '}\n'];
}
