import { stripComments, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';

const USE = /^\s*([A-Z][A-Z_0-9]{3,})\(\s*(\w+)/gm;

/**
 * Macros of assembly that upstream replaced by others: `ENTRY(x)` is `SYM_FUNC_START(x)` now. The symbols that both kernels
 * have say so, each with the macros around it; a macro that the target still uses is left alone.
 */
export class AsmMacros {
  private renamed: Map<string, string> | null = null;

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
  ) {}

  /** What a macro is now; null when it stays. */
  now(macro: string): string | null {
    this.renamed ??= learn(usesIn(this.base), usesIn(this.target));
    return this.renamed.get(macro) ?? null;
  }
}

/** For each symbol the macros that are given it, in order. */
function usesIn(kernel: KernelIndex): Map<string, string[]> {
  const uses = new Map<string, string[]>();
  for (const file of kernel.files()) {
    if (!file.path.endsWith('.S') || file.path.endsWith('.lds.S')) continue;
    for (const [, macro, symbol] of stripComments(file.text).matchAll(USE)) {
      const list = uses.get(symbol!);
      if (list) list.push(macro!);
      else uses.set(symbol!, [macro!]);
    }
  }
  return uses;
}

/** Symbols that must agree on a new name before it is believed. */
const ENOUGH = 2;

function learn(base: Map<string, string[]>, target: Map<string, string[]>): Map<string, string> {
  const votes = new Map<string, Map<string, number>>();
  const used = new Set([...target.values()].flat());
  for (const [symbol, macros] of base) {
    const now = target.get(symbol);
    if (now?.length !== macros.length) continue;
    macros.forEach((macro, i) => {
      if (macro === now[i]) return;
      const counts = votes.get(macro) ?? new Map<string, number>();
      counts.set(now[i]!, (counts.get(now[i]!) ?? 0) + 1);
      votes.set(macro, counts);
    });
  }
  const renamed = new Map<string, string>();
  for (const [macro, counts] of votes) {
    const [best] = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const total = [...counts.values()].reduce((a, b) => a + b, 0);
    if (best && best[1] >= ENOUGH && best[1] * 2 > total && !used.has(macro)) renamed.set(macro, best[0]);
  }
  return renamed;
}

/** Lines with their macros as the target has them, and what was changed. */
export function readMacros(
  lines: readonly ByteString[],
  macros: AsmMacros,
): { lines: ByteString[]; renamed: Map<string, string> } {
  const renamed = new Map<string, string>();
  const read = lines.map((l) =>
    l.replace(/^(\s*)([A-Z][A-Z_0-9]{3,})(?=\()/, (whole, gap: string, macro: string) => {
      const now = macros.now(macro);
      if (now === null) return whole;
      renamed.set(macro, now);
      return gap + now;
    }),
  );
  return { lines: read, renamed };
}
