import type { Patch } from '../core/patch';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { PortContext } from './context';

/** Registers that the architecture leaves to software (Arm ARM, "software thread ID"): what is in them is agreed upon. */
const SOFTWARE = /^tpidr(ro)?_el[0-3]$/i;
/** Macros are looked into so deep. */
const DEPTH = 4;

/** The software registers that the set itself goes by. */
export function registersOf(patches: readonly Patch[]): ReadonlySet<string> {
  const added = patches.flatMap((p) => p.changes.flatMap((c) => c.hunks.flatMap((h) => h.lines)));
  const code = stripComments(added.flatMap((l) => (l[0] === '+' ? [l.slice(1)] : [])).join(''));
  return new Set(tokens(code).filter((w) => SOFTWARE.test(w)));
}

/**
 * A software register that code of the target goes by, and the set as well: the set may have another use for it than
 * upstream, and then the code finds something else in it. Null for none.
 */
export function contestedRegister(code: ByteString, { target, registers }: PortContext): string | null {
  return [...registersIn(code, target.kernel)].find((r) => registers.has(r)) ?? null;
}

function registersIn(code: ByteString, kernel: KernelIndex): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  let words = tokens(code);
  for (let depth = 0; depth <= DEPTH && words.length; depth++) {
    const next: string[] = [];
    for (const word of words) {
      if (SOFTWARE.test(word)) found.add(word);
      if (seen.has(word)) continue;
      seen.add(word);
      for (const f of kernel.definitions(word)) {
        if (f.definition.kind === 'macro' || f.definition.kind === 'function') next.push(...tokens(textOf(f)));
      }
    }
    words = next;
  }
  return found;
}

function textOf(f: ReturnType<KernelIndex['definitions']>[number]): ByteString {
  return f.file.text.slice(f.definition.start, f.definition.end);
}
