import type { ByteString } from '../core/text';

/** The kernel's own limit, with tabs of eight. */
const COLUMNS = 80;
const TAB = 8;

/**
 * A statement that got too long for one line, as two: broken behind the last comma of its outermost call that leaves room,
 * the rest below what is behind the parenthesis. One that cannot be broken so stays.
 */
export function wrapLong(line: ByteString): ByteString[] {
  const body = line.replace(/\r?\n$/, '');
  const end = line.slice(body.length);
  if (width(body) <= COLUMNS || !/;$/.test(body) || /\/[*/]|\\$|^\s*#/.test(body)) return [line];
  const open = body.indexOf('(');
  let depth = 0;
  let at = -1;
  for (let i = Math.max(open, 0); i < body.length; i++) {
    const c = body[i]!;
    if (c === '"' || c === "'") {
      for (i++; i < body.length && body[i] !== c; i++) if (body[i] === '\\') i++;
      continue;
    }
    if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ')' || c === ']' || c === '}') depth--;
    else if (c === ',' && depth === 1 && body[i + 1] === ' ' && width(body.slice(0, i + 1)) <= COLUMNS) at = i + 1;
  }
  if (open < 0 || at < 0 || depth !== 0) return [line];
  const column = width(body.slice(0, open + 1));
  const indent = '\t'.repeat(Math.floor(column / TAB)) + ' '.repeat(column % TAB);
  const rest = indent + body.slice(at).trimStart();
  return width(rest) > COLUMNS ? [line] : [body.slice(0, at) + (end || '\n'), rest + end];
}

function width(text: ByteString): number {
  let column = 0;
  for (const c of text) column = c === '\t' ? column + TAB - (column % TAB) : column + 1;
  return column;
}
