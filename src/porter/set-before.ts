import { tokenLines, assigned } from './align';
import type { PortContext } from './context';
import { scopeOf } from './place';
import type { EditResult } from './port-edit';
import { definitionAt, type PorterFile } from './view';

/** Less than what is found unchanged: the line is, what it works on is not. */
const OTHER_VALUE = 0.85;

/**
 * A line that an edit replaces may be found unchanged while all around it changed: where both lines beside it did, and so
 * did the statement above that sets a variable it works on, the change may mean another thing there.
 */
export function sayOtherValues(results: readonly EditResult[], base: PorterFile, context: PortContext): void {
  if (base.index.language !== 'c') return;
  for (const r of results) {
    const scope = scopeOf(base, r.edit.segments[0]!);
    if (scope?.kind !== 'function' || r.edit.guard !== null || r.outcome === 'already-upstream') continue;
    for (const p of r.placements) {
      const [s] = p.segments;
      const heir = definitionAt(p.file, s!.site.at);
      if (p.segments.length !== 1 || s!.segment.removed.length === 0 || heir?.kind !== 'function') continue;
      const { baseUnits, match } = context.aligner.definitions(base, scope, p.file, heir);
      const { at, removed } = s!.segment;
      const above = baseUnits.findLastIndex((u) => u.last < at);
      const below = baseUnits.findIndex((u) => u.first >= at + removed.length);
      const isChanged = (i: number) => i >= 0 && match[i]?.similarity !== 1;
      if (!isChanged(above) || !isChanged(below)) continue;
      const names = new Set(tokenLines(s!.added).flatMap((l) => l.tokens.filter((t) => /^[A-Za-z_]\w*$/.test(t))));
      const other = [...names].find((name) =>
        isChanged(baseUnits.findLastIndex((u, i) => i <= above && assigned(u.tokens) === name)),
      );
      if (other === undefined) continue;
      p.confidence = Math.min(p.confidence, OTHER_VALUE);
      const text = `'${other}' is set in another way above it in the target, and both lines beside it changed`;
      p.evidence.push({ kind: 'doubt', text });
    }
  }
}
