import type { HunkReport } from '../../core/outcome';
import { PLACED } from '../../core/outcome';
import { forDisplay } from '../../core/text';
import { esc } from '../html/page';

/** Hunks that went from one place to another. */
export interface Flow {
  from: string;
  /** Null: not placed. */
  to: string | null;
  hunks: number;
}

/** Where the hunks of each file went. */
export function fileFlows(hunks: readonly HunkReport[]): Flow[] {
  return count(
    hunks.flatMap((h) => {
      const paths = [...new Set(h.target.map((t) => t.path))];
      if (!PLACED.has(h.outcome)) return [[h.path, null]] as [string, string | null][];
      return (paths.length ? paths : [h.path]).map((p): [string, string | null] => [h.path, p]);
    }),
  );
}

/** Where the hunks of definitions went that are elsewhere now, or called otherwise, or gone. */
export function definitionFlows(hunks: readonly HunkReport[]): Flow[] {
  return count(
    hunks.flatMap((h) => {
      const { path, definition } = h.source;
      if (definition === null) return [];
      const from = `${path}: ${definition}`;
      if (!PLACED.has(h.outcome)) return [[from, null]] as [string, string | null][];
      const targets = h.target.filter((t) => t.definition !== null && `${t.path}: ${t.definition}` !== from);
      return [...new Set(targets.map((t) => `${t.path}: ${t.definition}`))].map((to): [string, string | null] => [
        from,
        to,
      ]);
    }),
  );
}

function count(pairs: readonly [string, string | null][]): Flow[] {
  const flows = new Map<string, Flow>();
  for (const [from, to] of pairs) {
    const flow = flows.get(`${from}\0${to}`);
    if (flow) flow.hunks++;
    else flows.set(`${from}\0${to}`, { from, to, hunks: 1 });
  }
  return [...flows.values()].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : byTarget(a, b)));
}

function byTarget(a: Flow, b: Flow): number {
  if (a.to === null || b.to === null) return Number(a.to === null) - Number(b.to === null);
  return a.to < b.to ? -1 : 1;
}

const ROW = 17;
const WIDTH = 1120;
const [LEFT, RIGHT] = [450, 670];
const NOWHERE = '(not placed)';

/** The flows as a picture: base on the left, target on the right, a band for the hunks between them. */
export function flowPicture(flows: readonly Flow[], title: string, description: string): string {
  const lefts = [...new Set(flows.map((f) => f.from))];
  const rights = [...new Set(flows.filter((f) => f.to !== null).map((f) => f.to!))];
  const lost = flows.some((f) => f.to === null);
  const y = (i: number) => 24 + i * ROW;
  const height = y(Math.max(lefts.length, rights.length + (lost ? 2 : 0)));
  const rightY = (to: string | null) => (to === null ? y(rights.length + 1) : y(rights.indexOf(to)));
  const label = (text: string, x: number, at: number, anchor: string, kind = '') =>
    `<text x="${x}" y="${at + 4}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${esc(short(forDisplay(text)))}</text>`;
  const bands = flows.map((f) => {
    const [a, b] = [y(lefts.indexOf(f.from)), rightY(f.to)];
    const middle = (LEFT + RIGHT) / 2;
    const kind = f.to === null ? 'lost' : f.to === f.from ? 'stays' : 'moves';
    const width = Math.min(12, 1 + f.hunks);
    const words = `${f.hunks} ${f.hunks === 1 ? 'hunk' : 'hunks'}: ${forDisplay(f.from)} to ${forDisplay(f.to ?? NOWHERE)}`;
    return `<path class="${kind}" d="M${LEFT} ${a}C${middle} ${a} ${middle} ${b} ${RIGHT} ${b}" stroke-width="${width}"><title>${esc(words)}</title></path>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${esc(`${title}. ${description}`)}">
${bands.join('\n')}
${lefts.map((l, i) => label(l, LEFT - 8, y(i), 'end')).join('\n')}
${rights.map((r, i) => label(r, RIGHT + 8, y(i), 'start')).join('\n')}
${lost ? label(NOWHERE, RIGHT + 8, rightY(null), 'start', 'lost') : ''}
</svg>`;
}

/** The end of a path says most. */
function short(text: string): string {
  return text.length > 62 ? `…${text.slice(-61)}` : text;
}
