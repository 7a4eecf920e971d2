import { esc } from '../html/page';

/** What a plot is made of: enough for bars, axes and words, so that a page and a PDF library can both draw it. */
export type Shape =
  | { kind: 'rect'; x: number; y: number; width: number; height: number; fill: string }
  | { kind: 'line'; x1: number; y1: number; x2: number; y2: number; stroke: string; dash: boolean }
  | { kind: 'text'; x: number; y: number; size: number; anchor: 'start' | 'middle' | 'end'; text: string };

export interface Drawing {
  width: number;
  height: number;
  title: string;
  /** The plot in words, for those who cannot see it. */
  description: string;
  shapes: Shape[];
}

/** The drawing as SVG. Colours of words and axes are the page's own. */
export function toSvg(d: Drawing): string {
  const n = (x: number) => String(Math.round(x * 100) / 100);
  const shapes = d.shapes.map((s) => {
    if (s.kind === 'rect') {
      return `<rect x="${n(s.x)}" y="${n(s.y)}" width="${n(s.width)}" height="${n(s.height)}" fill="${s.fill}"/>`;
    }
    if (s.kind === 'line') {
      const dash = s.dash ? ' stroke-dasharray="4 3"' : '';
      return `<line x1="${n(s.x1)}" y1="${n(s.y1)}" x2="${n(s.x2)}" y2="${n(s.y2)}" stroke="currentColor"${dash}/>`;
    }
    return `<text x="${n(s.x)}" y="${n(s.y)}" style="font:${s.size}px system-ui,sans-serif" fill="currentColor" text-anchor="${s.anchor}">${esc(s.text)}</text>`;
  });
  return `<svg viewBox="0 0 ${d.width} ${d.height}" width="${d.width}" height="${d.height}" role="img" aria-label="${esc(`${d.title}. ${d.description}`)}">
${shapes.join('\n')}
</svg>`;
}
