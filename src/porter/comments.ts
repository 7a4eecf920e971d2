import type { ByteString } from '../core/text';
import type { Placed } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/**
 * What stands inside a comment of the base has no place in code, and code none inside a comment: lines of comments are
 * no anchors, so that only this tells.
 */
export function keepInComments(results: readonly EditResult[], base: PorterFile): void {
  for (const r of results) {
    for (const p of r.placements) intoComment(p, base);
    const astray = r.outcome === 'already-upstream' ? undefined : r.placements.find((p) => isAstray(p, base));
    if (!astray) continue;
    const { file, segments, definition, evidence } = astray;
    const candidate = { path: file.path, line: segments[0]!.site.at + 1, definition };
    const was = insideComment(base.lines, segments[0]!.segment.at);
    const reason = was
      ? 'it belongs into a comment, which the target does not have there'
      : 'it would stand inside a comment of the target';
    r.failure = { placed: false, reason, evidence, candidate };
    r.placements = [];
    r.outcome = 'conflict';
  }
}

/** Lines around a place in which its comment is looked for. */
const NEAR = 40;

/** What stands between two lines of a comment stands between the same two lines of the target, if these are there once. */
function intoComment({ file, segments }: Placed, base: PorterFile): void {
  const [s] = segments as [Placed['segments'][number]];
  if (segments.length !== 1 || s.segment.removed.length || s.site.remove) return;
  if (!insideComment(base.lines, s.segment.at) || insideComment(file.lines, s.site.at)) return;
  const [above, below] = [base.lines[s.segment.at - 1]?.trim(), base.lines[s.segment.at]?.trim()];
  const found: number[] = [];
  for (let i = Math.max(1, s.site.at - NEAR); i < Math.min(file.lines.length, s.site.at + NEAR); i++) {
    if (file.lines[i - 1]!.trim() !== above || file.lines[i]!.trim() !== below) continue;
    if (insideComment(file.lines, i)) found.push(i);
  }
  if (found.length === 1) s.site = { ...s.site, at: found[0]! };
}

function isAstray({ file, segments }: Placed, base: PorterFile): boolean {
  return segments.some(
    ({ segment, site, added }) =>
      added.some((l) => l.trim() !== '') &&
      insideComment(base.lines, segment.at) !== insideComment(file.lines, site.at),
  );
}

/** True when the line before which something is put lies behind a comment's beginning and before its end. */
function insideComment(lines: readonly ByteString[], at: number): boolean {
  for (let i = at - 1; i >= 0; i--) {
    const line = lines[i]!;
    const [open, close] = [line.lastIndexOf('/*'), line.lastIndexOf('*/')];
    if (open < 0 && close < 0) continue;
    return open > close;
  }
  return false;
}
