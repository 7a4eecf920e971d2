import { stripComments, tokens, type ByteString } from '../core/text';
import { scopeOf } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/**
 * Half of a change is another change. Edits that only make sense together are placed together, or none of them is:
 *
 * - a line that one of them deletes and the other one adds: it was moved
 * - what a hunk does to one definition without a guard; each guard is a switch of its own
 * - the users of a local or label that the set brings into a function
 * - those that open and close a block between them
 *
 * An edit without effect in the set itself takes nobody with it.
 */
export function standTogether(results: readonly EditResult[], base: PorterFile): void {
  const brought = new Map<EditResult, ReadonlySet<string>>(results.map((r) => [r, namesBrought(r)]));
  const scopes = new Map(results.map((r) => [r, scopeOf(base, r.edit.segments[0]!)]));
  const linkOf = (failed: EditResult, placed: EditResult): string | null => {
    const sameHunk = placed.edit.hunks.some((h) => failed.edit.hunks.includes(h));
    const moved = movedLine(failed, placed) ?? movedLine(placed, failed);
    if (moved !== null && sameHunk) return `the set moves '${moved}', and one end of that`;
    const scope = scopes.get(placed);
    if (!scope || scopes.get(failed) !== scope) return null;
    const what = `what the set does to '${scope.name}' with it`;
    if (sameHunk && !failed.edit.guard && !placed.edit.guard) return what;
    if (sameHunk && depthOf(failed) !== 0 && depthOf(placed) !== 0) return `the other end of a block`;
    const own = results.filter((r) => scopes.get(r) === scope).flatMap((r) => [...brought.get(r)!]);
    const shared = own.find((name) => uses(failed, name) && uses(placed, name));
    return shared === undefined ? null : `'${shared}' is the set's own in '${scope.name}': another use of it`;
  };
  for (let again = true; again;) {
    again = false;
    for (const failed of results) {
      if (failed.outcome !== 'conflict' || failed.inert) continue;
      for (const placed of results) {
        // What upstream has made itself stays made.
        if (placed.placements.length === 0 || placed.inert || placed.outcome === 'already-upstream') continue;
        const link = linkOf(failed, placed);
        if (link === null) continue;
        takeBack(placed, `${link} found no place`);
        again = true;
      }
    }
  }
}

function takeBack(result: EditResult, reason: string): void {
  const [first] = result.placements;
  const { file, segments, definition } = first!;
  result.failure = {
    placed: false,
    reason,
    follows: true,
    evidence: first!.evidence,
    candidate: {
      ...{ path: file.path, line: segments[0]!.site.at + 1, definition },
      parts: segments.map((s) => ({ line: s.site.at + 1, remove: s.site.remove })),
    },
  };
  result.placements = [];
  result.outcome = 'conflict';
}

const squeeze = (line: ByteString) => tokens(stripComments(line)).join(' ');
const removedBy = ({ edit }: EditResult) => edit.segments.flatMap((s) => s.removed.map(squeeze));
const addedBy = ({ edit }: EditResult) => edit.segments.flatMap((s) => s.added.map(squeeze));

/** A statement that the one edit takes out and does not put back, and that the other one puts in. */
function movedLine(from: EditResult, to: EditResult): string | null {
  const back = new Set(addedBy(from));
  const there = new Set(addedBy(to));
  const had = new Set(removedBy(to));
  return removedBy(from).find((l) => TELLING.test(l) && !back.has(l) && there.has(l) && !had.has(l)) ?? null;
}

/** A call or an assignment: other lines stand in many places. */
const TELLING = /^\w.*[(=].*;$/;

const DECLARED =
  /^\s*(?:(?:const|static|unsigned|struct|union|enum)\s+)*[A-Za-z_]\w*[\s*]+([A-Za-z_]\w*)\s*(?:=[^=][^;]*)?;/;
const LABEL = /^([A-Za-z_]\w*):\s*$/;

/** Locals and labels that an edit adds. */
function namesBrought({ edit }: EditResult): Set<string> {
  const names = new Set<string>();
  for (const s of edit.segments) {
    const gone = new Set(s.removed.flatMap((l) => DECLARED.exec(l)?.[1] ?? []));
    for (const line of s.added) {
      if (/^\s*(return|goto|else|typedef|extern)\b/.test(line)) continue;
      const name = DECLARED.exec(stripComments(line))?.[1] ?? LABEL.exec(line)?.[1];
      if (name !== undefined && !gone.has(name)) names.add(name);
    }
  }
  return names;
}

function uses({ edit }: EditResult, name: string): boolean {
  return edit.segments.some((s) => new RegExp(`(?<![.>\\w])${name}\\b`).test(stripComments(s.added.join(''))));
}

/** How many blocks an edit opens more than it closes. */
function depthOf({ edit }: EditResult): number {
  const count = (lines: readonly ByteString[]) => {
    const text = stripComments(lines.join(''));
    return (text.match(/\{/g)?.length ?? 0) - (text.match(/\}/g)?.length ?? 0);
  };
  return edit.segments.reduce((sum, s) => sum + count(s.added) - count(s.removed), 0);
}
