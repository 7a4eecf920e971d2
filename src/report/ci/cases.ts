import { createHash } from 'node:crypto';
import type { HunkReport } from '../../core/outcome';
import { pathOf } from '../../core/patch';
import { PLACED } from '../../core/outcome';
import type { PortReport } from '../../core/report';
import type { ByteString } from '../../core/text';
import { hunksOf, type PatchSet } from '../../patch-set/patch-set';
import type { CiCase } from '../schema/ci';
import type { NoPlace } from './golden';

/** A range in which the port's file is not the golden's. */
export interface Difference {
  path: ByteString;
  /** The port's lines, and the golden's. */
  port: ByteString[];
  golden: ByteString[];
  /** Lines around it, of both. */
  around: ByteString[];
  /** 1-based line of the port at which it is. */
  line: number;
  /** Which of the two has the file at all. */
  only: 'port' | 'golden' | null;
}

/** What decides which hunk a difference is about. */
interface Candidate {
  id: string;
  path: ByteString;
  words: Set<string>;
  lines: Set<string>;
  report: HunkReport;
}

/** Lines that say nothing about the hunk that they come from. */
const EMPTY_WORDS = new Set(['ifdef', 'ifndef', 'endif', 'else', 'if', 'return', 'int', 'void', 'static', 'struct']);
const wordsOf = (lines: readonly ByteString[]) =>
  new Set(lines.flatMap((l) => l.match(/[A-Za-z_]\w{2,}/g) ?? []).filter((w) => !EMPTY_WORDS.has(w)));
const spaced = (line: ByteString) => line.trim().replace(/\s+/g, ' ');

/**
 * What is not as it should be, hunk by hunk: each difference between port and golden is given to the hunk whose words it
 * has; a hunk whose outcome contradicts the golden is a case without a difference. Pure.
 */
export function casesOf(
  set: PatchSet,
  report: PortReport,
  differences: readonly Difference[],
  noPlace: ReadonlyMap<string, NoPlace>,
): CiCase[] {
  const candidates = candidatesOf(set, report);
  const frequency = new Map<string, number>();
  for (const c of candidates) for (const w of c.words) frequency.set(w, (frequency.get(w) ?? 0) + 1);
  const newFiles = newFilesOf(set, report);

  const groups = new Map<string, { hunk: string | null; file: ByteString; parts: Difference[] }>();
  const last = new Map<ByteString, { id: string; path: ByteString } | null>();
  for (const d of differences) {
    let owner = newFiles.get(d.path) ?? ownerOf(d, candidates, frequency);
    // The end of a guard says nothing by itself: it goes with what stands before it.
    const bare = [...d.port, ...d.golden].every((l) => /^\s*(#\s*(else|endif)\b.*)?$/.test(l.trimEnd()));
    if (!owner && bare) owner = last.get(d.path) ?? null;
    last.set(d.path, owner);
    const [hunk, file] = owner ? [owner.id, owner.path] : [null, d.path];
    const key = `${hunk} ${d.path}`;
    if (!groups.has(key)) groups.set(key, { hunk, file, parts: [] });
    groups.get(key)!.parts.push(d);
  }
  const reports = new Map(report.hunks.map((h) => [h.id, h]));
  const cases = [...groups.values()].map(({ hunk, file, parts }): CiCase => {
    const golden = parts.reduce((n, p) => n + p.golden.length, 0);
    const gone = hunk === null ? undefined : noPlace.get(hunk);
    return {
      hunk,
      file,
      path: parts[0]!.path,
      now: hunk === null ? 'nothing' : (reports.get(hunk)?.outcome ?? fileOutcome(report, file)),
      shouldBe: parts.every((p) => p.only === 'port') ? 'absent' : gone && golden === 0 ? gone.outcome : 'placed',
      lines: { port: parts.reduce((n, p) => n + p.port.length, 0), golden },
      difference: digestOf(parts),
    };
  });
  const seen = new Set(cases.map((c) => c.hunk));
  for (const h of report.hunks) {
    if (seen.has(h.id)) continue;
    const gone = noPlace.get(h.id);
    const placed = PLACED.has(h.outcome) && h.outcome !== 'already-upstream';
    // The tree shows what a placed hunk did; one that was left out is right only where the golden says so.
    const right = gone ? placed || h.outcome !== 'conflict' : placed || h.outcome === 'already-upstream';
    if (right) continue;
    const shouldBe = gone?.outcome ?? 'placed';
    cases.push({ hunk: h.id, file: h.path, path: null, now: h.outcome, shouldBe, lines: null, difference: null });
  }
  return cases.sort(
    (a, b) => compare(a.file, b.file) || compare(a.hunk ?? '', b.hunk ?? '') || compare(a.path, b.path),
  );
}

function compare(a: string | null, b: string | null): number {
  const [x, y] = [a ?? '', b ?? ''];
  return x < y ? -1 : Number(x > y);
}

function candidatesOf(set: PatchSet, report: PortReport): Candidate[] {
  const reports = new Map(report.hunks.map((h) => [h.id, h]));
  const candidates: Candidate[] = [];
  for (const { hunk } of hunksOf(set)) {
    const known = reports.get(hunk.id);
    if (!known) continue;
    const changed = hunk.lines.filter((l) => l[0] !== ' ').map((l) => spaced(l.slice(1)));
    candidates.push({
      id: hunk.id,
      path: hunk.path,
      words: wordsOf(hunk.lines.map((l) => l.slice(1))),
      lines: new Set(changed.filter((l) => wordsOf([l]).size > 0 && !l.startsWith('#'))),
      report: known,
    });
  }
  return candidates;
}

/** New files of the set by the path that they have in the target, with the id of their first hunk. */
function newFilesOf(set: PatchSet, report: PortReport): Map<ByteString, { id: string; path: ByteString }> {
  const files = new Map<ByteString, { id: string; path: ByteString }>();
  for (const { change, hunk } of hunksOf(set)) {
    if (change.status !== 'added') continue;
    const path = pathOf(change);
    const targets = report.files.filter((f) => f.path === path).flatMap((f) => f.targetPaths);
    for (const p of [path, ...targets]) if (!files.has(p)) files.set(p, { id: hunk.id, path });
  }
  return files;
}

function fileOutcome(report: PortReport, path: ByteString): CiCase['now'] {
  const found = report.files.find((f) => f.path === path)?.outcome;
  return found === undefined || found === 'unreadable' || found === 'mixed' ? 'nothing' : found;
}

const ENOUGH = 3;

function ownerOf(d: Difference, candidates: readonly Candidate[], frequency: Map<string, number>): Candidate | null {
  const words = wordsOf([...d.port, ...d.golden, ...d.around]);
  const lines = [...d.port, ...d.golden].map(spaced);
  const name = d.path.slice(d.path.lastIndexOf('/') + 1);
  let best: { score: number; candidate: Candidate } | null = null;
  for (const c of candidates) {
    let score = 0;
    for (const w of words) if (c.words.has(w)) score += 1 / frequency.get(w)!;
    score /= Math.sqrt(c.words.size + 1) / 4;
    score += 4 * lines.filter((l) => c.lines.has(l)).length;
    const here = c.report.target.filter((t) => t.path === d.path);
    if (here.some((t) => Math.abs(t.line - d.line) <= 4 + d.port.length)) score += 4;
    const near = here.length > 0 || c.path === d.path || c.path.endsWith(`/${name}`);
    score += near ? 2 : c.report.target.length > 0 ? -4 : 0;
    if (score > (best?.score ?? ENOUGH)) best = { score, candidate: c };
  }
  return best?.candidate ?? null;
}

/** Stable over moves: the lines that differ, without their places. */
function digestOf(parts: readonly Difference[]): string {
  const hash = createHash('sha256');
  for (const p of parts) hash.update(`${p.port.join('')}\0${p.golden.join('')}\0`, 'latin1');
  return hash.digest('hex').slice(0, 12);
}
