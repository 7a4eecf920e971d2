import { cells, isSame, rowsOf } from './side-by-side';
import type { HunkView, ShownLine } from './view';

/** A hunk of the set beside what became of it; beside the target's lines, when it is left and they are known. */
export function diffTable(view: HunkView): string {
  const isOpen = view.ported.length === 0 && view.candidate.length > 0;
  const rows = isOpen ? [apart(view.source, view.candidate)] : together(view);
  const right = isOpen
    ? 'target at the best candidate (nothing was put in)'
    : `ported hunk${view.ported.length === 0 ? ' (nothing was put in)' : ''}`;
  return `<div class="scroll" tabindex="0" role="group" aria-label="source and ported hunk"><table class="diff"><thead><tr><th scope="col">source hunk</th><th scope="col">${right}</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table></div>`;
}

/** Source and port, line by line. */
function together(view: HunkView): string[] {
  return rowsOf(view.source, view.ported).map((row) => {
    const [left, right] = cells(row);
    const side = (html: string, mark: string | undefined) => `<td${kindOf(mark)}>${html}</td>`;
    return `<tr${isSame(row) ? ' class="eq"' : ''}>${side(left, row.left?.mark)}${side(right, row.right?.mark)}</tr>`;
  });
}

/** Two texts that need not be alike, each in one piece: where there is one column, one stands below the other. */
function apart(...sides: ShownLine[][]): string {
  const line = (l: ShownLine) => `<div${kindOf(l.mark)}>${cells({ left: l, right: null })[0]}</div>`;
  return `<tr>${sides.map((lines) => `<td>${lines.map(line).join('')}</td>`).join('')}</tr>`;
}

/** The class attribute of a line by its mark. */
export function kindOf(mark: string | undefined): string {
  const kind = { '+': 'p', '-': 'm', '@': 'at' }[mark ?? ''];
  return kind ? ` class="${kind}"` : '';
}
