import type { Row } from '../report/port/side-by-side';
import type { ShownLine } from '../report/port/view';
import type { Ui } from './ui';

/** Narrower columns show nothing of a line. */
const NARROWEST = 30;

/** Rows as text in two columns. On a terminal they are cut at its width; elsewhere nothing is. */
export function sideBySide(rows: readonly Row[], ui: Ui): string {
  const left = rows.map((r) => plain(r.left));
  const widest = left.reduce((n, l) => Math.max(n, l.length), 0);
  const width = ui.width === null ? widest : Math.max(NARROWEST, Math.min(widest, Math.floor((ui.width - 3) / 2)));
  const right = ui.width === null ? null : Math.max(NARROWEST, ui.width - 3 - width);
  return rows
    .map((row, i) => {
      const l = fit(left[i]!, width).padEnd(width);
      const r = right === null ? plain(row.right) : fit(plain(row.right), right);
      return `${paint(row.left, l, ui)} | ${paint(row.right, r, ui)}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join('');
}

function plain(line: ShownLine | null): string {
  if (!line) return '';
  return `${line.mark}${line.mark === '@' ? ' ' : ''}${expand(line.text)}`;
}

/** Tabs as the blanks that they stand for, one column on because of the mark. */
function expand(text: string): string {
  let out = '';
  for (const c of text) out += c === '\t' ? ' '.repeat(8 - (out.length % 8)) : c;
  return out;
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}>` : text;
}

function paint(line: ShownLine | null, text: string, ui: Ui): string {
  const c = ui.colors;
  return { '+': c.green, '-': c.red, '@': c.cyan, ' ': (s: string) => s }[line?.mark ?? ' '](text);
}
