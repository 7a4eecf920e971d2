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
 * Makes the edits in a text. They must not overlap. Line ends become those of the file; a file that ends without one
 * keeps that unless lines are added behind its last.
 */
export function applyLineEdits(lines: readonly ByteString[], edits: readonly LineEdit[]): ByteString {
  const crlf = lines.filter((l) => l.endsWith('\r\n')).length * 2 > lines.length;
  const out: ByteString[] = [];
  let at = 0;
  // At one gap insertions come before the replacement that begins there, in source order.
  const sorted = [...edits].sort((a, b) => a.at - b.at || a.order - b.order);
  for (const edit of sorted) {
    for (; at < edit.at; at++) out.push(lines[at]!);
    for (const line of edit.added) {
      const text = line.replace(/\r?\n$/, '');
      if (out.length && !out[out.length - 1]!.endsWith('\n')) out[out.length - 1] += crlf ? '\r\n' : '\n';
      out.push(
        line.endsWith('\n') || edit.at < lines.length
          ? `${text}${crlf ? '\r\n' : line.endsWith('\r\n') ? '\r\n' : '\n'}`
          : text,
      );
    }
    at = Math.max(at, edit.at + edit.remove);
  }
  for (; at < lines.length; at++) out.push(lines[at]!);
  return out.join('');
}
