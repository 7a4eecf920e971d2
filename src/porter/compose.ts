import type { ByteString } from '../core/text';
import type { PlacedSegment } from './place';

/** A change to a target file: lines `at` … `at + remove` give way to `added`. */
export interface LineEdit {
  at: number;
  remove: number;
  added: ByteString[];
  /** Order of the source file: what comes to one gap keeps it. */
  order: number;
}

/** The line edit of a placed segment. */
export function lineEdit(placed: PlacedSegment): LineEdit {
  return { at: placed.site.at, remove: placed.site.remove, added: placed.added, order: placed.segment.order };
}

/** True when two edits cannot both be made: they replace the same line, or one inserts inside what the other replaces. */
export function overlap(a: LineEdit, b: LineEdit): boolean {
  const [x, y] = a.at <= b.at ? [a, b] : [b, a];
  return x.remove > 0 && y.at < x.at + x.remove && (y.remove > 0 || y.at > x.at);
}

/**
 * Makes the edits in a text. They must not overlap. Where the base has LF and the target CR LF (or the reverse), added
 * lines get the target's line end; else they keep theirs. Only the last line of a file can lack its end.
 */
export function applyLineEdits(
  lines: readonly ByteString[],
  edits: readonly LineEdit[],
  base: readonly ByteString[],
): ByteString {
  const eol = lineEnd(lines);
  const converted = eol !== lineEnd(base);
  const out: ByteString[] = [];
  const push = (line: ByteString) => {
    if (out.length && !out[out.length - 1]!.endsWith('\n')) out[out.length - 1] += eol;
    out.push(line);
  };
  let at = 0;
  // At one gap insertions come before the replacement that begins there, in source order.
  const sorted = [...edits].sort((a, b) => a.at - b.at || a.order - b.order);
  for (const edit of sorted) {
    for (; at < edit.at; at++) push(lines[at]!);
    for (const line of edit.added) push(converted ? line.replace(/\r?\n$/, eol) : line);
    at = Math.max(at, edit.at + edit.remove);
  }
  for (; at < lines.length; at++) push(lines[at]!);
  return out.join('');
}

function lineEnd(lines: readonly ByteString[]): '\r\n' | '\n' {
  return lines.filter((l) => l.endsWith('\r\n')).length * 2 > lines.length ? '\r\n' : '\n';
}
