import { toSvg } from '../bench/drawing';
import { asset, esc, page } from '../html/page';
import type { Block } from './blocks';

/** The document as a page for printing. */
export function documentPage(title: string, blocks: readonly Block[]): string {
  return page({ title, style: asset('document.css'), body: `<main>\n${blocks.map(blockHtml).join('\n')}\n</main>` });
}

function blockHtml(b: Block): string {
  switch (b.kind) {
    case 'heading':
      return `<h${b.level}>${esc(b.text)}</h${b.level}>`;
    case 'paragraph':
      return b.strong ? `<p class="strong">${esc(b.text)}</p>` : `<p>${esc(b.text)}</p>`;
    case 'list':
      return `<ul>${b.items.map((i) => `<li>${esc(i)}</li>`).join('\n')}</ul>`;
    case 'drawing':
      return `<figure>${toSvg(b.drawing)}</figure>`;
    case 'table': {
      const total = b.widths.reduce((x, y) => x + y, 0);
      const cell = (tag: string) => (text: string, i: number) =>
        `<${tag}${b.right?.includes(i) ? ' class="n"' : ''}>${esc(text)}</${tag}>`;
      const head = b.head.some(Boolean) ? `<thead><tr>${b.head.map(cell('th')).join('')}</tr></thead>` : '';
      return `<table><colgroup>${b.widths.map((w) => `<col style="width:${((100 * w) / total).toFixed(1)}%">`).join('')}</colgroup>${head}
<tbody>${b.rows.map((r) => `<tr>${r.map(cell('td')).join('')}</tr>`).join('\n')}</tbody></table>`;
    }
  }
}
