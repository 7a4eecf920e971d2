import type { ByteString } from '../../core/text';
import type { Place, Tally } from '../schema/diff-ports';

/** A telling line that a tree adds or removes, and where. */
export interface PlacedLine {
  line: ByteString;
  place: Place;
  /** The hunk of the set that it stands in; null for a line of a port. */
  hunk: string | null;
}

/** A line of the set that the reference carried, and what the other port did with it. */
export interface Row {
  origin: PlacedLine;
  /** Where the reference has it: taken to be right. */
  place: Place;
  verdict: 'hit' | 'misplaced' | 'missing';
  /** Where the other port has it. */
  found: Place | null;
  /** Missing, but in a conflict region of the right file. */
  disputed: boolean;
}

/** A line that the set adds more often is common: it tells its place only by file and definition. */
const COMMON = 3;

const same = (a: Place, b: Place) => a.path === b.path && a.definition === b.definition;
const fileName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function likeness(a: Place, b: Place): number {
  return (
    (same(a, b) ? 4 : 0) + (a.definition === b.definition ? 2 : 0) + (fileName(a.path) === fileName(b.path) ? 1 : 0)
  );
}

function byLine(lines: readonly PlacedLine[]): Map<ByteString, PlacedLine[]> {
  const map = new Map<ByteString, PlacedLine[]>();
  for (const l of lines) {
    const list = map.get(l.line);
    if (list) list.push(l);
    else map.set(l.line, [l]);
  }
  return map;
}

/**
 * The lines of the set that the reference has, too, each with its place there. Where the reference has more of a line than
 * the set, the places most like the set's own are taken.
 */
export function carried(
  source: readonly PlacedLine[],
  reference: readonly PlacedLine[],
): { origin: PlacedLine; place: Place }[] {
  const bySource = byLine(source);
  const pairs: { origin: PlacedLine; place: Place }[] = [];
  for (const [line, found] of byLine(reference)) {
    const origins = bySource.get(line) ?? [];
    const pool = found.map((f) => f.place);
    let left = [...origins];
    for (const level of [7, 3, 2, 1, 0]) {
      if (level === 0 && origins.length > COMMON) break;
      for (const origin of [...left]) {
        const at = pool.findIndex((p) => likeness(p, origin.place) >= level);
        if (at < 0) continue;
        pairs.push({ origin, place: pool[at]! });
        pool.splice(at, 1);
        left = left.filter((o) => o !== origin);
      }
    }
  }
  return pairs;
}

/** What the other port did with each carried line, and which of its lines are left over. */
export function compare(
  truth: readonly { origin: PlacedLine; place: Place }[],
  source: readonly PlacedLine[],
  candidate: readonly PlacedLine[],
  isDisputed: (path: string, line: ByteString) => boolean,
): { rows: Row[]; left: Map<ByteString, PlacedLine[]> } {
  const count = new Map<ByteString, number>();
  for (const { line } of source) count.set(line, (count.get(line) ?? 0) + 1);
  const have = byLine(candidate);
  const rows: Row[] = [];
  const later: (typeof truth)[number][] = [];
  for (const pair of truth) {
    const list = have.get(pair.origin.line) ?? [];
    const at = list.findIndex((l) => same(l.place, pair.place));
    if (at < 0) {
      later.push(pair);
      continue;
    }
    list.splice(at, 1);
    rows.push({ ...pair, verdict: 'hit', found: pair.place, disputed: false });
  }
  for (const pair of later) {
    const { line } = pair.origin;
    const list = have.get(line) ?? [];
    // A common line is misplaced only within the right file: elsewhere it is another one of its kind.
    const common = (count.get(line) ?? 0) > COMMON;
    let at = list.findIndex((l) => l.place.path === pair.place.path);
    if (at < 0 && !common && list.length) at = 0;
    if (at < 0) {
      rows.push({ ...pair, verdict: 'missing', found: null, disputed: isDisputed(pair.place.path, line) });
    } else {
      const [spot] = list.splice(at, 1);
      rows.push({ ...pair, verdict: 'misplaced', found: spot!.place, disputed: false });
    }
  }
  return { rows, left: have };
}

/** Counts of rows. */
export function tally(rows: readonly Row[]): Tally {
  const of = (verdict: Row['verdict']) => rows.filter((r) => r.verdict === verdict).length;
  return {
    carried: rows.length,
    hit: of('hit'),
    misplaced: of('misplaced'),
    missing: of('missing'),
    disputed: rows.filter((r) => r.disputed).length,
  };
}

/** How many lines of `a` are not in `b`, wherever they stand. */
export function extraLines(a: readonly PlacedLine[], b: readonly PlacedLine[]): number {
  const known = new Map<ByteString, number>();
  for (const { line } of b) known.set(line, (known.get(line) ?? 0) + 1);
  let extra = 0;
  for (const { line } of a) {
    const n = known.get(line) ?? 0;
    if (n > 0) known.set(line, n - 1);
    else extra++;
  }
  return extra;
}
