import { pathOf, type Patch } from '../core/patch';
import { stripComments, type ByteString } from '../core/text';

/** A name that a set uses, and the file where it does so first. */
export interface UsedName {
  name: string;
  path: ByteString;
}

/** Every identifier in the lines that a set adds, sorted; comments, strings and includes do not count. */
export function namesUsed(set: { patches: readonly Patch[] }): UsedName[] {
  const found = new Map<string, ByteString>();
  for (const patch of set.patches) {
    for (const change of patch.changes) {
      const path = pathOf(change);
      if (!/\.[chS]$/.test(path)) continue;
      const added = change.hunks.flatMap((h) => h.lines.filter((l) => l.startsWith('+')).map((l) => l.slice(1)));
      const code = stripComments(added.filter((l) => !/^\s*#\s*include/.test(l)).join(''))
        .replace(/"(?:\\.|[^"\\\n])*"/g, ' ')
        .match(/[A-Za-z_]\w*/g);
      for (const name of code ?? []) if (!found.has(name)) found.set(name, path);
    }
  }
  return [...found].map(([name, path]) => ({ name, path })).sort((a, b) => (a.name < b.name ? -1 : 1));
}
