import { diffArrays, diffWordsWithSpace } from 'diff';
import { esc } from '../html/page';
import type { ShownLine } from './view';

/** One row: a line of the source hunk beside a line of the ported one. */
export interface Row {
  left: ShownLine | null;
  right: ShownLine | null;
}

/** Longer lines are not compared word by word: nobody reads the marks, and the comparison is quadratic. */
const LONGEST = 400;

/** Share of a line that has to be common before marks on the rest help. */
const ALIKE = 0.3;

const key = (l: ShownLine) => `${l.mark}${l.text.trim().replace(/\s+/g, ' ')}`;

/** Puts lines that are the same beside each other, and those between them in pairs as far as their marks agree. */
export function rowsOf(left: readonly ShownLine[], right: readonly ShownLine[]): Row[] {
  const rows: Row[] = [];
  const head = (list: readonly ShownLine[]) => list.filter((l) => l.mark !== '@');
  const parts = diffArrays(head(left).map(key), head(right).map(key));
  const [ls, rs] = [queue(left), queue(right)];
  let waiting: ShownLine[] = [];
  const flush = () => {
    for (const l of waiting) rows.push({ left: l, right: null });
    waiting = [];
  };
  for (const part of parts) {
    for (let i = 0; i < part.value.length; i++) {
      if (part.removed) waiting.push(...ls.take());
      else if (part.added) {
        for (const r of rs.take()) {
          const at = r.mark === '@' ? -1 : waiting.findIndex((l) => l.mark === r.mark);
          if (at < 0) rows.push({ left: null, right: r });
          else {
            for (const l of waiting.splice(0, at)) rows.push({ left: l, right: null });
            rows.push({ left: waiting.shift()!, right: r });
          }
        }
      } else {
        flush();
        const [l, r] = [ls.take(), rs.take()];
        for (const extra of r.slice(0, -1)) rows.push({ left: null, right: extra });
        rows.push({ left: l[l.length - 1]!, right: r[r.length - 1]! });
      }
    }
    if (part.added) flush();
  }
  flush();
  for (const r of rs.rest()) rows.push({ left: null, right: r });
  return rows;
}

/** Takes a line together with the `@` lines in front of it. */
function queue(lines: readonly ShownLine[]) {
  let at = 0;
  return {
    take(): ShownLine[] {
      const from = at;
      while (lines[at]?.mark === '@') at++;
      return lines.slice(from, ++at);
    },
    rest: () => lines.slice(at),
  };
}

/** The two cells of a row as HTML, with the words marked in which they differ. */
export function cells(row: Row): [string, string] {
  const { left, right } = row;
  if (!left || !right || left.mark === '@' || right.mark === '@') return [plain(left), plain(right)];
  if (left.text === right.text || left.text.length > LONGEST || right.text.length > LONGEST) {
    return [plain(left), plain(right)];
  }
  const words = diffWordsWithSpace(left.text, right.text);
  const common = words.filter((w) => !w.added && !w.removed).reduce((n, w) => n + w.value.trim().length, 0);
  if (common < ALIKE * Math.max(left.text.trim().length, right.text.trim().length)) return [plain(left), plain(right)];
  const side = (skip: 'added' | 'removed', tag: string) =>
    words
      .filter((w) => !w[skip])
      .map((w) => (w.added || w.removed ? `<${tag}>${esc(w.value)}</${tag}>` : esc(w.value)))
      .join('');
  return [`${left.mark}${side('added', 'del')}`, `${right.mark}${side('removed', 'ins')}`];
}

function plain(line: ShownLine | null): string {
  return line ? `${line.mark}${line.mark === '@' ? ' ' : ''}${esc(line.text)}` : '';
}

/** True when both sides say the same but for white space. */
export function isSame(row: Row): boolean {
  return row.left !== null && row.right !== null && key(row.left) === key(row.right);
}
