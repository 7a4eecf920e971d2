import type { ByteString } from '../core/text';

/** Columns of a mail's body and of a subject. */
export const WIDTH = 75;

/**
 * Paragraphs wrapped at {@link WIDTH}. What is indented, quoted or a list keeps its line breaks, and a word that is
 * longer than a line (a path, a link) stays whole.
 */
export function wrap(text: ByteString, width = WIDTH): ByteString {
  return text
    .split(/\n{2,}/)
    .map((paragraph) => {
      const lines = paragraph.split('\n');
      if (lines.every((l) => l.length <= width) || lines.some((l) => /^(\s|>|\||#)/.test(l))) return paragraph;
      if (lines.some((l) => /^[-*] /.test(l))) return lines.map((l) => fill(l, width, '  ')).join('\n');
      return fill(lines.join(' '), width, '');
    })
    .join('\n\n');
}

/** One paragraph filled up to a width; lines after the first begin with `indent`. */
export function fill(text: ByteString, width = WIDTH, indent = ''): ByteString {
  const lines: ByteString[] = [];
  let line = '';
  for (const word of text.trim().split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** `1 hunk`, `2 hunks`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** `a, b and c`. */
export function enumerate(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;
}
