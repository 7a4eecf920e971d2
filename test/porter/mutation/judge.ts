import type { EditTrace } from '../../../src/porter/port';
import type { Placed } from '../../../src/porter/place';
import type { Segment } from '../../../src/porter/lift';
import { isCode, type Block, type Kernel, type Line } from './source';

/**
 * What became of an edit, held against the truth.
 *
 * - `right`: placed where it belongs
 * - `beside`: in the right definition, but not among the same statements
 * - `wrong`: in another definition, or placed although its own is gone
 * - `denied`: said to be obsolete or made upstream, though what it is about is there
 * - `left`: a conflict, though there is a place
 * - `rightly left`: not placed, and there is no place
 */
export const VERDICTS = ['right', 'beside', 'wrong', 'denied', 'left', 'rightly left'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A line in a file that has the line's own block. */
interface Row extends Line {
  block: Block;
  /** Blocks of one name in two files are two. */
  where: string;
}

const rowsOf = (path: string, blocks: readonly Block[]): Row[] =>
  blocks.flatMap((block, i) =>
    block.lines.map((l) => ({ ...l, block, where: `${path}#${block.kind === null ? '' : i}` })),
  );

/** Judges the edits of one case. */
export class Judge {
  private readonly base: Row[];
  private readonly target: Map<string, Row[]>;
  /** For each id of a line of code the rows of the target that are it. */
  private readonly now = new Map<string, { path: string; at: number; row: Row }[]>();

  constructor(path: string, base: Kernel, target: Kernel) {
    this.base = rowsOf(path, base.get(path)!);
    this.target = new Map([...target].map(([p, blocks]) => [p, rowsOf(p, blocks)]));
    for (const [p, rows] of this.target)
      rows.forEach((row, at) => {
        if (row.id === null || !isCode(row.text)) return;
        this.now.set(row.id, [...(this.now.get(row.id) ?? []), { path: p, at, row }]);
      });
  }

  judge(trace: EditTrace): Verdict {
    const { edit, placements, outcome } = trace;
    const there = edit.segments.some((s) => this.homes(s, edit.wraps).size > 0);
    if (placements.length === 0) {
      if (outcome === 'conflict') return there ? 'left' : 'rightly left';
      const about = this.about(edit.wraps, edit.segments);
      const alive = about.length ? about.some((id) => this.now.has(id)) : there;
      return alive ? 'denied' : 'rightly left';
    }
    for (const p of placements) for (const s of p.segments) if (!this.inHome(p, s, edit.wraps)) return 'wrong';
    if (edit.wraps) return this.wrapsTheSame(trace) ? 'right' : 'beside';
    return placements.every((p) => p.segments.every((s) => this.amongTheSame(p, s))) ? 'right' : 'beside';
  }

  /** Ids of the lines that an edit is about: wrapped or removed ones. */
  private about(wraps: { first: number; last: number } | null, segments: readonly Segment[]): string[] {
    const rows = wraps ? this.base.slice(wraps.first, wraps.last + 1) : [];
    for (const s of segments) rows.push(...this.base.slice(s.at, s.at + s.removed.length));
    return codeIds(rows);
  }

  /** The definition of the base that a segment is in; null at file level. */
  private scope(s: Segment): Row | null {
    const [above, first] = [this.base[s.at - 1], this.base[s.at]];
    if (!first || first.block.kind === null) return null;
    return s.removed.length || above?.block === first.block ? first : null;
  }

  /** Where the segment may go: the definitions that hold what it is about, or else its neighbours, or else the rest. */
  private homes(s: Segment, wraps: { first: number; last: number } | null): Set<string> {
    const scope = this.scope(s);
    const places = (ids: readonly string[]) =>
      new Set(ids.flatMap((id) => (this.now.get(id) ?? []).map((n) => n.row.where)));
    if (!scope) {
      const files = new Set(codeIds(this.base).flatMap((id) => (this.now.get(id) ?? []).map((n) => n.path)));
      return new Set([...files].map((f) => `${f}#`));
    }
    const own = codeIds(this.base.filter((r) => r.block === scope.block));
    // Lines that are replaced may be those of several definitions.
    const replaced = this.about(null, [s]);
    const about = replaced.length ? replaced : this.about(wraps, [s]).filter((id) => own.includes(id));
    const found = places(about);
    if (found.size) return found;
    const at = this.base[s.at]!;
    const near = [...own].filter((id) =>
      [this.codeAt(s.at - 1, -1), this.codeAt(s.at + s.removed.length, 1)].includes(id),
    );
    const beside = places(near);
    return beside.size || !at ? beside : places(own);
  }

  private codeAt(from: number, step: 1 | -1): string | null {
    for (let i = from; this.base[i]; i += step)
      if (this.base[i]!.id !== null && isCode(this.base[i]!.text)) return this.base[i]!.id;
    return null;
  }

  private rows(p: Placed): Row[] {
    const rows = this.target.get(p.file.path)!;
    if (rows.map((r) => r.text).join('') !== p.file.text)
      throw new Error(`'${p.file.path}' was ported in another state`);
    return rows;
  }

  private inHome(p: Placed, s: Placed['segments'][number], wraps: { first: number; last: number } | null): boolean {
    const rows = this.rows(p);
    const { at, remove } = s.site;
    if (remove > 0 && codeIds(rows.slice(at, at + remove)).length) {
      const homes = this.homes(s.segment, wraps);
      const atFileLevel = [...homes].every((h) => h.endsWith('#'));
      return rows.slice(at, at + remove).every((r) => !isCode(r.text) || atFileLevel || homes.has(r.where));
    }
    const inside =
      rows[at - 1] && rows[at] && rows[at - 1]!.where === rows[at]!.where ? rows[at]!.where : `${p.file.path}#`;
    return this.homes(s.segment, wraps).has(inside);
  }

  /**
   * A guard wraps what it wrapped, as far as that is still there, and removed lines are the same lines. What went to a
   * function of its own that is called from inside is wrapped with the call.
   */
  private wrapsTheSame({ edit, placements }: EditTrace): boolean {
    const got = new Set<string>();
    const inside: Row[] = [];
    for (const p of placements) {
      const rows = this.rows(p);
      const sites = p.segments.map((s) => s.site);
      const [first, last] = [sites[0]!, sites[sites.length - 1]!];
      inside.push(...rows.slice(first.at, last.at + last.remove));
    }
    for (const id of codeIds(inside)) got.add(id);
    const called = (b: Block) => inside.some((r) => new RegExp(`\\b${b.name}\\(`).test(r.text));
    const wanted = this.about(edit.wraps, edit.segments).filter((id) =>
      this.now.get(id)?.some((n) => got.has(id) || !called(n.row.block)),
    );
    return got.size === wanted.length && wanted.every((id) => got.has(id));
  }

  private amongTheSame(p: Placed, { segment, site }: Placed['segments'][number]): boolean {
    const rows = this.rows(p);
    const removed = codeIds(this.base.slice(segment.at, segment.at + segment.removed.length));
    const takes = codeIds(rows.slice(site.at, site.at + site.remove));
    if (removed.length || takes.length) return removed.join() === takes.join();
    const scope = this.scope(segment);
    // Order means nothing among members and at file level.
    if (!scope || scope.block.kind !== 'function') return true;
    if (segment.added.every((l) => !isCode(l) || /^\s*#|^\s*(struct|u\d+|int|bool|unsigned|phys_addr_t)\b/.test(l)))
      return true;
    const where = rows[site.at]!.where;
    const order = new Map(this.base.map((r, i) => [r.id, i]));
    const own = rows.flatMap((r, i) => {
      const was = r.id !== null && isCode(r.text) ? order.get(r.id) : undefined;
      return r.where === where && was !== undefined ? [{ i, was }] : [];
    });
    // As few lines as possible are on another side of it than they were.
    const crossed = (at: number) => own.filter((o) => o.i < at !== o.was < segment.at).length;
    const least = Math.min(...rows.flatMap((r, i) => (r.where === where ? [crossed(i)] : [])));
    if (crossed(site.at) === least) return true;
    const neighbours = [this.codeAt(segment.at - 1, -1), this.codeAt(segment.at, 1)];
    const beside = [own.findLast((o) => o.i < site.at), own.find((o) => o.i >= site.at)];
    return beside.some((o) => o !== undefined && neighbours.includes(rows[o.i]!.id));
  }
}

function codeIds(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((r) => (r.id !== null && isCode(r.text) ? [r.id] : [])))];
}
