/** Text in the kernel's style: tabs are eight columns, lines end at eighty. */
const WIDTH = 80;

/** How wide a text is. */
export function columns(text: string): number {
  let n = 0;
  for (const c of text) n = c === '\t' ? n + 8 - (n % 8) : n + 1;
  return n;
}

/** Tabs, then blanks, up to a column. */
export function upTo(column: number): string {
  return '\t'.repeat(Math.floor(column / 8)) + ' '.repeat(column % 8);
}

/** `head(a, b)tail`, broken behind commas and aligned with the open parenthesis when it gets too long. */
export function wrapped(head: string, items: readonly string[], tail: string): string {
  const whole = `${head}(${items.join(', ')})${tail}`;
  if (columns(whole) <= WIDTH || items.length === 0) return whole;
  const column = columns(head) + 1;
  // Where the parenthesis stands too far right, nothing is gained by aligning with it.
  const widest = Math.max(...items.map((i) => i.length)) + 2;
  const indent = column + widest > 100 ? `${/^\t*/.exec(head)![0]}\t\t` : upTo(column);
  const lines: string[] = [];
  let line = `${head}(`;
  if (!indent.startsWith(upTo(column))) {
    lines.push(line);
    line = indent;
  }
  let fresh = true;
  items.forEach((item, i) => {
    const piece = item + (i < items.length - 1 ? ',' : `)${tail}`);
    if (fresh) line += piece;
    else if (columns(`${line} ${piece}`) <= WIDTH) line += ` ${piece}`;
    else {
      lines.push(line);
      line = indent + piece;
    }
    fresh = false;
  });
  return [...lines, line].join('\n');
}

/** `#define NAME<tabs>value` with the values in one column. */
export function defines(rows: readonly { name: string; value: string }[]): string[] {
  const widest = Math.max(0, ...rows.map((r) => `#define ${r.name}`.length));
  const stop = Math.floor(widest / 8) * 8 + 8;
  return rows.map(({ name, value }) => {
    const head = `#define ${name}`;
    return head + '\t'.repeat(Math.ceil((stop - head.length) / 8)) + value;
  });
}

/** A macro of several lines, its backslashes in one column. */
export function macroLines(lines: readonly string[]): string[] {
  return lines.map((line, i) => {
    if (i === lines.length - 1) return line;
    const tabs = Math.ceil((72 - columns(line)) / 8);
    return `${line}${tabs > 0 ? '\t'.repeat(tabs) : ' '}\\`;
  });
}

/** A comment of one paragraph, in the kernel's block style. */
export function comment(text: string, indent = ''): string[] {
  if (columns(`${indent}/* ${text} */`) <= WIDTH) return [`${indent}/* ${text} */`];
  return block([text], indent);
}

/** A block comment of several paragraphs. */
export function block(paragraphs: readonly string[], indent = ''): string[] {
  const lines = [`${indent}/*`];
  paragraphs.forEach((text, i) => {
    if (i > 0) lines.push(`${indent} *`);
    let line = `${indent} *`;
    for (const word of text.split(/\s+/)) {
      if (columns(`${line} ${word}`) > WIDTH) {
        lines.push(line);
        line = `${indent} *`;
      }
      line += ` ${word}`;
    }
    lines.push(line);
  });
  return [...lines, `${indent} */`];
}
