import path from 'node:path';
import { readFile } from '../../io/files';

/** Text as it may stand between tags and in quoted attributes. */
export function esc(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A data file that lies beside this code. */
export function asset(name: string): string {
  return Buffer.from(readFile(path.join(__dirname, name)), 'latin1').toString('utf8');
}

export interface Page {
  title: string;
  body: string;
  /** Text of a script to run when all is there; none by default. */
  script?: string;
  style: string;
}

/**
 * One page that needs nothing else: no network, no other file. The policy in its head makes the browser hold it to that,
 * whatever a path or a message in a report may contain.
 */
export function page({ title, body, style, script = '' }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<title>${esc(title)}</title>
<link rel="icon" href="data:,">
<style>
${style}
</style>
</head>
<body>
${body}
${script ? `<script>\n${script}\n</script>\n` : ''}</body>
</html>
`;
}

/** Rows of a table; cells are HTML already. `numeric` names the columns that are set flush right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: { caption?: string; numeric?: (column: number) => boolean } = {},
): string {
  const cell = (tag: string, html: string, i: number) =>
    `<${tag}${tag === 'th' ? ' scope="col"' : ''}${options.numeric?.(i) ? ' class="n"' : ''}>${html}</${tag}>`;
  const row = (cells: readonly string[]) =>
    `<tr>${cells.map((c, i) => (i === 0 ? `<th scope="row">${c}</th>` : cell('td', c, i))).join('')}</tr>`;
  return `<div class="scroll" tabindex="0" role="group"${options.caption ? ` aria-label="${esc(options.caption)}"` : ' aria-label="table"'}>
<table>${options.caption ? `<caption>${esc(options.caption)}</caption>` : ''}
<thead><tr>${head.map((h, i) => cell('th', h, i)).join('')}</tr></thead>
<tbody>
${rows.map(row).join('\n')}
</tbody></table></div>`;
}
