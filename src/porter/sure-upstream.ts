import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import { tokenLines } from './align';
import type { PortContext } from './context';
import { code, isTelling, TELLING } from './doubled';
import { scopeOf } from './place';
import type { EditResult } from './port-edit';
import { definitionAt, type PorterFile } from './view';

/** All that an edit adds stands in one definition, and nothing of it did before: that is the same change. */
const ALL_THERE = 0.92;

/** What is said of putting an edit into the target: where upstream has made it, nothing is put there. */
const OF_APPLYING = new Set(['doubt', 'local-renamed', 'own-renamed']);

/**
 * How sure it is that upstream has made the changes that are found made: not how sure their place was. When all lines of
 * an edit are in the definition that it goes to, and those that say something are not in the base's, it is the same
 * change. Braces and blank lines are as sure as the rest of their hunk.
 */
export async function weighUpstream(
  results: readonly EditResult[],
  base: PorterFile,
  context: PortContext,
): Promise<void> {
  const made = results.filter((r) => r.outcome === 'already-upstream' && !r.resolved && !r.made);
  for (const r of made) if (await allThere(r, base, context)) r.sure = ALL_THERE;
  const says = (r: EditResult) => r.edit.segments.some((s) => isTelling([...s.added, ...s.removed]));
  for (const r of made) {
    if (r.sure !== undefined || says(r)) continue;
    const beside = results.filter((o) => o !== r && says(o) && o.edit.hunks.some((h) => r.edit.hunks.includes(h)));
    if (beside.length && beside.every((o) => o.sure !== undefined)) r.sure = ALL_THERE;
  }
}

/** Evidence of how an edit was found that upstream has made; all evidence of any other. */
export function ofFinding(r: EditResult, evidence: readonly Evidence[]): readonly Evidence[] {
  return r.outcome === 'already-upstream' ? evidence.filter((e) => !OF_APPLYING.has(e.kind)) : evidence;
}

async function allThere(r: EditResult, base: PorterFile, context: PortContext): Promise<boolean> {
  const { edit, placements, there } = r;
  const ends = placements.length
    ? placements.map((p) => ({ file: p.file, at: p.segments[0]!.site.at, added: p.segments.flatMap((s) => s.added) }))
    : await Promise.all(
        (there?.target ?? []).map(async ({ path, line }) => ({
          file: await context.target.file(path),
          at: line - 1,
          added: edit.segments.flatMap((s) => s.added),
        })),
      );
  if (ends.length === 0) return false;
  const text = (lines: readonly ByteString[], rename?: (word: string) => string) =>
    ` ${tokenLines(lines, rename)
      .flatMap((l) => l.key || [])
      .join(' ')} `;
  const scope = scopeOf(base, edit.segments[0]!);
  const was = text(scope ? base.lines.slice(scope.startLine, scope.endLine + 1) : base.lines, (w) =>
    context.heirs.rename(w),
  );
  return ends.every(({ file, at, added }) => {
    const wanted = tokenLines(code(added)).filter((l) => l.key !== '');
    const telling = wanted.filter((l) => l.weight >= TELLING);
    if (!file || telling.length === 0) return false;
    const heir = scope && definitionAt(file, at);
    if (scope && !heir) return false;
    const is = text(heir ? file.lines.slice(heir.startLine, heir.endLine + 1) : file.lines);
    const has = (all: string, { key }: { key: string }) => all.includes(` ${key} `);
    return wanted.every((l) => has(is, l)) && !telling.some((l) => has(was, l));
  });
}
