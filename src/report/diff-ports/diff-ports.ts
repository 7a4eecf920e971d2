import type { Role } from '../../core/outcome';
import { hunkHeader } from '../../core/patch';
import { forDisplay, type ByteString } from '../../core/text';
import { formatVersion } from '../../core/version';
import type { Scratch } from '../../io/scratch';
import type { KernelTree } from '../../io/tree';
import { hunksOf, type PatchSet } from '../../patch-set/patch-set';
import { HUNK_VERDICTS, type ComparedHunk, type DiffPortsReport, type HunkVerdict } from '../schema/diff-ports';
import { carried, compare, extraLines, tally, type PlacedLine, type Row } from './agreement';
import { firstSide, isGuard, isTrivial, normal, normalLines, placesOf } from './lines';
import { appliedFiles, type ChangedFiles, type PortSide } from './sides';

/** What one tree adds and removes against its base, telling lines alone. */
interface Change {
  added: PlacedLine[];
  removed: PlacedLine[];
  /** Conflict regions by file, and the lines in their other sides. */
  conflicts: Map<ByteString, number>;
  disputed: Set<string>;
}

/**
 * Compares two ports of a set, `b` being the reference: of the lines that the set adds to files that existed before it,
 * those that `b` carried unchanged are the yardstick, and their place there is taken to be right.
 *
 * Files that the set creates are left out on every side (to copy them is not to port), by path and, should they have
 * moved, by name; so is every file that `b` created.
 */
export async function diffPorts(
  set: PatchSet,
  setBase: KernelTree,
  a: PortSide,
  b: PortSide,
  scratch: Scratch,
  roleOf: (path: ByteString) => Role,
): Promise<DiffPortsReport> {
  const notes: string[] = [];
  const sourceFiles = await appliedFiles(set, setBase, scratch);
  const created = new Set([...sourceFiles.keys()].filter((p) => !setBase.has(p)));
  const names = new Set([...created].map(nameOf));
  for (const p of setBase.paths()) names.delete(nameOf(p));
  const invented = new Set([...b.files.keys()].filter((p) => !b.base.has(p)));
  const keep = (p: ByteString, isNew: boolean) =>
    !created.has(p) && !(isNew && (invented.has(p) || names.has(nameOf(p))));

  const [source, mine, reference] = await changesOf(
    [
      { base: setBase, files: sourceFiles, keep: (p, isNew) => !isNew && !sourceFiles.get(p)?.gone },
      { base: a.base, files: a.files, keep },
      { base: b.base, files: b.files, keep: (p, isNew) => !isNew && keep(p, false) },
    ],
    scratch,
    notes,
  );
  ownHunks(set, source!);
  const isDisputed = (path: string, line: ByteString) => mine!.disputed.has(`${path}\0${line}`);
  const added = compare(carried(source!.added, reference!.added), source!.added, mine!.added, isDisputed);
  const removed = compare(carried(source!.removed, reference!.removed), source!.removed, mine!.removed, isDisputed);
  const extra = extraLines(mine!.added, reference!.added);
  const hunks = hunkVerdicts(set, source!, [added, removed], roleOf);
  const row = (kind: 'added' | 'removed') => (r: Row) => ({
    ...{ kind, line: forDisplay(r.origin.line), hunk: r.origin.hunk },
    ...{ place: r.place, verdict: r.verdict, found: r.found },
  });
  return {
    schemaVersion: 1,
    set: set.name,
    a: described(a),
    b: described(b),
    sourceLines: { added: source!.added.length, removed: source!.removed.length },
    agreement: {
      added: tally(added.rows),
      addedWithoutGuards: tally(added.rows.filter((r) => !isGuard(r.origin.line))),
      removed: tally(removed.rows),
      addedByA: mine!.added.length,
      addedByB: reference!.added.length,
      extra,
      precision: mine!.added.length ? Math.round((1 - extra / mine!.added.length) * 10000) / 10000 : null,
      conflictRegions: [...mine!.conflicts.values()].reduce((x, y) => x + y, 0),
    },
    byVerdict: Object.fromEntries(HUNK_VERDICTS.map((v) => [v, hunks.filter((h) => h.verdict === v).length])) as Record<
      HunkVerdict,
      number
    >,
    hunks,
    files: filesOf(added.rows, removed.rows, mine!.conflicts),
    lines: [...added.rows.map(row('added')), ...removed.rows.map(row('removed'))],
    notes,
  };
}

function nameOf(path: ByteString): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function described(side: PortSide) {
  return { name: side.name, base: { name: side.base.name, version: formatVersion(side.base.version) } };
}

interface Side {
  base: KernelTree;
  files: ChangedFiles;
  keep: (path: ByteString, isNew: boolean) => boolean;
}

/** The changes of several trees, with one git process for the diffs of all their files. White space does not count. */
async function changesOf(sides: readonly Side[], scratch: Scratch, notes: string[]): Promise<Change[]> {
  const changes: Change[] = [];
  const pairs: { a: ByteString; b: ByteString }[] = [];
  const finish: ((ranges: Awaited<ReturnType<Scratch['diffFiles']>>[number]) => void)[] = [];
  for (const side of sides) {
    const change: Change = { added: [], removed: [], conflicts: new Map(), disputed: new Set() };
    changes.push(change);
    const take = (
      list: PlacedLine[],
      path: ByteString,
      lines: ByteString[],
      places: string[],
      from: number,
      n: number,
    ) => {
      for (let i = from; i < from + n; i++) {
        const line = lines[i]!;
        if (!isTrivial(path, line)) list.push({ line, place: { path, definition: places[i]! }, hunk: null });
      }
    };
    // New files first, then what was deleted, then what was changed: ties between equal lines fall in this order.
    const order = [...side.files].sort(([p, x], [q, y]) => rank(side, p, x) - rank(side, q, y) || (p < q ? -1 : 1));
    for (const [path, file] of order) {
      const isNew = !side.base.has(path);
      if (!side.keep(path, isNew)) continue;
      const old = isNew ? null : await side.base.read(path);
      if ((file.text === null && !file.gone) || (!isNew && old === null)) {
        notes.push(`'${path}' cannot be read and is left out`);
        continue;
      }
      const { text, left, regions } = firstSide(file.text ?? '');
      if (regions) change.conflicts.set(path, regions);
      for (const line of left) change.disputed.add(`${path}\0${normal(line)}`);
      const now = { lines: normalLines(text), places: await placesOf(path, text) };
      if (isNew) {
        take(change.added, path, now.lines, now.places, 0, now.lines.length);
        continue;
      }
      const was = { lines: normalLines(old!), places: await placesOf(path, old!) };
      if (file.gone) {
        take(change.removed, path, was.lines, was.places, 0, was.lines.length);
        continue;
      }
      pairs.push({ a: was.lines.map((l) => `${l}\n`).join(''), b: now.lines.map((l) => `${l}\n`).join('') });
      finish.push((ranges) => {
        for (const r of ranges) {
          take(change.removed, path, was.lines, was.places, r.oldStart, r.oldCount);
          take(change.added, path, now.lines, now.places, r.newStart, r.newCount);
        }
      });
    }
  }
  const ranges = await scratch.diffFiles(pairs, 'histogram');
  ranges.forEach((r, i) => finish[i]!(r));
  return changes;
}

function rank(side: Side, path: ByteString, file: { gone: boolean }): number {
  return file.gone ? 1 : side.base.has(path) ? 2 : 0;
}

/** Says for each line of the set which hunk it stands in. Twins go to hunks in their order. */
function ownHunks(set: PatchSet, source: Change): void {
  for (const [list, mark] of [
    [source.added, '+'],
    [source.removed, '-'],
  ] as const) {
    const owners = new Map<string, string[]>();
    for (const { change, hunk } of hunksOf(set)) {
      for (const line of hunk.lines) {
        if (line[0] !== mark) continue;
        const key = `${(mark === '+' ? change.newPath : change.oldPath) ?? ''}\0${normal(line.slice(1))}`;
        const ids = owners.get(key);
        if (ids) ids.push(hunk.id);
        else owners.set(key, [hunk.id]);
      }
    }
    for (const l of list) l.hunk = owners.get(`${l.place.path}\0${l.line}`)?.shift() ?? null;
  }
}

function hunkVerdicts(
  set: PatchSet,
  source: Change,
  compared: readonly { rows: Row[]; left: Map<ByteString, PlacedLine[]> }[],
  roleOf: (path: ByteString) => Role,
): ComparedHunk[] {
  const rowsOf = new Map<string, Row[]>();
  const rowOf = new Map<PlacedLine, Row>();
  for (const row of compared.flatMap((c) => c.rows)) {
    rowOf.set(row.origin, row);
    if (row.origin.hunk) rowsOf.set(row.origin.hunk, [...(rowsOf.get(row.origin.hunk) ?? []), row]);
  }
  const telling = new Map<string, number>();
  const onlyInA = new Map<string, number>();
  [source.added, source.removed].forEach((list, i) => {
    const left = new Map([...compared[i]!.left].map(([line, spots]) => [line, spots.length]));
    for (const l of list) {
      if (!l.hunk) continue;
      telling.set(l.hunk, (telling.get(l.hunk) ?? 0) + 1);
      const n = left.get(l.line) ?? 0;
      if (rowOf.has(l) || n === 0) continue;
      left.set(l.line, n - 1);
      onlyInA.set(l.hunk, (onlyInA.get(l.hunk) ?? 0) + 1);
    }
  });
  const hunks: ComparedHunk[] = [];
  for (const { change, hunk } of hunksOf(set)) {
    if (change.status === 'added' || change.status === 'deleted') continue;
    const lines = tally(rowsOf.get(hunk.id) ?? []);
    const extra = onlyInA.get(hunk.id) ?? 0;
    hunks.push({
      ...{ id: hunk.id, path: hunk.path, header: forDisplay(hunkHeader(hunk)), role: roleOf(hunk.path) },
      ...{ verdict: verdictOf(lines, extra, telling.get(hunk.id) ?? 0), lines, onlyInA: extra },
    });
  }
  return hunks;
}

function verdictOf(lines: ComparedHunk['lines'], onlyInA: number, telling: number): HunkVerdict {
  if (lines.carried === 0) return onlyInA ? 'only-a' : telling ? 'neither' : 'silent';
  if (lines.misplaced) return 'elsewhere';
  if (lines.missing) return lines.hit ? 'partly' : 'absent';
  return 'same';
}

function filesOf(
  added: readonly Row[],
  removed: readonly Row[],
  conflicts: ReadonlyMap<ByteString, number>,
): DiffPortsReport['files'] {
  const paths = new Set([...added, ...removed].map((r) => r.place.path).concat([...conflicts.keys()]));
  return [...paths].sort().map((path) => ({
    path,
    added: tally(added.filter((r) => r.place.path === path)),
    removed: tally(removed.filter((r) => r.place.path === path)),
    conflictRegions: conflicts.get(path) ?? 0,
  }));
}
