import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import { scopeOf } from './place';
import type { PlacedEdit } from './uses';

/** Code that somebody does not come to any more is at most this sure. */
const LOST = 0.75;

/** So many calls may lie between a caller and the function: upstream puts helpers and workers between them. */
const STEPS = 3;

/**
 * What a set adds to a function is done for all who call it. Where a caller of the base is still there, and does not come to
 * the function any more by whatever way, the set's work is not done for it: that is said, it belongs somewhere else, too.
 */
export async function sayLostCallers(edits: readonly PlacedEdit[], context: PortContext): Promise<void> {
  for (const { result, base } of edits) {
    const { edit } = result;
    const scope = edit.wraps === null ? scopeOf(base, edit.segments[0]!) : null;
    if (scope?.kind !== 'function' || edit.segments.some((s) => s.removed.some((l) => l.trim() !== ''))) continue;
    const homes = result.placements.flatMap((p) => p.definition ?? []);
    if (homes.length === 0) continue;
    const lost: string[] = [];
    for (const { file, definition } of callersOf(scope, base.path, context)) {
      const heirs = await context.heirs.definitions(file.path, definition);
      const reaches = heirs.some((h) => homes.some((home) => comesTo(h.definition, home, context)));
      if (heirs.length && !reaches) lost.push(`'${definition.name}'`);
    }
    if (lost.length === 0) continue;
    const names = [...new Set(lost)].slice(0, 3).join(', ');
    const text = `${names} called '${scope.name}' in the base and does not come to '${homes[0]!}' in the target: nothing does there what it adds`;
    for (const p of result.placements) {
      p.confidence = Math.min(p.confidence, LOST);
      if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
    }
  }
}

/** The functions of the base that call one; a static one has its callers in its own file. */
function callersOf(of: Definition, path: string, context: PortContext) {
  const own = of.signature?.annotations.includes('static') && path.endsWith('.c');
  return context.base.kernel
    .mentions(of.name)
    .filter(
      ({ file, definition: d }) =>
        d.kind === 'function' && d.name !== of.name && d.calls.includes(of.name) && (!own || file.path === path),
    );
}

/** True when a function of the target gets to another one, by calls or by what it hands on. */
function comesTo(from: Definition, name: string, context: PortContext): boolean {
  const seen = new Set<string>([from.name]);
  let at: Definition[] = [from];
  for (let step = 0; step <= STEPS && at.length; step++) {
    if (at.some((d) => d.name === name || d.calls.includes(name) || d.uses.includes(name))) return true;
    const next = at.flatMap((d) => [...d.calls, ...d.uses]).filter((n) => !seen.has(n));
    for (const n of next) seen.add(n);
    at = [...new Set(next)].flatMap((n) =>
      context.target.kernel
        .definitions(n)
        .flatMap(({ definition: d }) => (d.kind === 'function' || d.kind === 'macro' ? [d] : [])),
    );
  }
  return false;
}
