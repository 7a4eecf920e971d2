import { PLACED, type Evidence, type HunkReport } from '../core/outcome';
import { sameNature } from '../porter/heirs';
import { Aligner, type Placed } from '../porter/place';
import type { EditTrace, PortedPatch } from '../porter/port';
import { definitionAround, type PorterFile } from '../porter/view';
import { tracesByHunk } from './explain';

/** The same set, ported from its base to a release on the way. */
export interface Step {
  /** The release's tag. */
  name: string;
  patches: readonly PortedPatch[];
}

/** A place that another way disagrees with is never surer than this. */
const DISPUTED = 0.89;

/** What a step says of a place in the target. */
type Verdict = { agrees: true } | { agrees: false; text: string };

/**
 * Holds the port against the ports to the releases on the way. For each hunk: where it stopped being placed, and whether
 * its place in the last release before the target leads to the place that the direct port found. A place that it does not
 * lead to stays where it is, but loses confidence, and it is said. Gives what to note about the whole.
 */
export function crossCheck(direct: readonly PortedPatch[], steps: readonly Step[]): string[] {
  if (steps.length === 0) return ['stepwise: the repository has no release between the two kernels'];
  // Between two releases, names are as they are: what was renamed matches by the rest of its line.
  const aligner = new Aligner((w) => w);
  let [agree, differ, unknown] = [0, 0, 0];
  direct.forEach((patch, p) => {
    const traces = tracesByHunk(patch);
    const onTheWay = steps.map((s) => {
      const hunks = new Map(s.patches[p]?.hunks.map((h) => [h.id, h]) ?? []);
      return {
        name: s.name,
        hunks,
        traces: s.patches[p] ? tracesByHunk(s.patches[p]) : new Map<string, EditTrace[]>(),
      };
    });
    for (const hunk of patch.hunks) {
      hunk.evidence.push(trail(hunk, onTheWay));
      if (!PLACED.has(hunk.outcome)) continue;
      const verdicts: Verdict[] = [];
      (traces.get(hunk.id) ?? []).forEach((trace, i) => {
        if (trace.placements.length === 0) return;
        const last = [...onTheWay].reverse().find((s) => s.traces.get(hunk.id)?.[i]?.placements.length);
        if (!last) return;
        const verdict = judge(trace, last.traces.get(hunk.id)![i]!, last.name, aligner);
        verdicts.push(verdict);
        const edit = hunk.edits[i];
        if (!verdict.agrees && edit) edit.confidence = Math.min(edit.confidence, DISPUTED);
      });
      const disputed = verdicts.filter((v) => !v.agrees);
      for (const v of disputed) hunk.evidence.push({ kind: 'stepwise-differs', text: v.text });
      if (disputed.length) hunk.confidence = Math.min(hunk.confidence, DISPUTED);
      if (disputed.length) differ++;
      else if (verdicts.length) agree++;
      else unknown++;
    }
  });
  return [
    `stepwise, by ${steps.map((s) => s.name).join(', ')}: ${agree} of ${agree + differ} places are the same both ways` +
      (unknown ? `; ${unknown} hunks have no place on the way` : ''),
  ];
}

/** In which releases a hunk was placed. */
function trail(hunk: HunkReport, steps: readonly { name: string; hunks: ReadonlyMap<string, HunkReport> }[]): Evidence {
  const placed = steps.map((s) => PLACED.has(s.hunks.get(hunk.id)?.outcome ?? 'conflict'));
  const last = placed.lastIndexOf(true);
  const names = steps.map((s) => s.name);
  if (PLACED.has(hunk.outcome)) {
    const missing = names.filter((_, i) => !placed[i]);
    const text = missing.length
      ? `not placed in ${missing.join(', ')}, but in the target`
      : 'placed in every release on the way';
    return { kind: 'stepwise', text };
  }
  if (last < 0) return { kind: 'stepwise', text: `not placed from ${names[0]} on` };
  const next = names[last + 1] ?? 'the target';
  return { kind: 'stepwise', text: `placed up to ${names[last]}, not from ${next} on` };
}

/** Follows the place of an edit in an earlier release to the target, and compares it with the one found directly. */
function judge(direct: EditTrace, before: EditTrace, name: string, aligner: Aligner): Verdict {
  let last: Verdict = { agrees: true };
  for (const to of direct.placements) {
    const tried = before.placements.map((from) => compare(from, to, name, aligner));
    // One place that was split leads to all its heirs; of several each leads to its own.
    const agreed = tried.find((v) => v.agrees);
    if (!agreed) return tried[0] ?? last;
    last = agreed;
  }
  return last;
}

function compare(from: Placed, to: Placed, name: string, aligner: Aligner): Verdict {
  for (const [i, segment] of to.segments.entries()) {
    const was = from.segments[i]?.site;
    if (!was) continue;
    const led = follow(from.file, was.at, to.file, segment.site.at, aligner);
    if (led === null) continue;
    const text = `by way of ${name} it would be in ${led}, not at ${to.file.path}:${segment.site.at + 1}`;
    return { agrees: false, text };
  }
  return { agrees: true };
}

/** Null when a gap of one file leads to a gap of the other; else where it leads, in words. */
function follow(from: PorterFile, at: number, to: PorterFile, there: number, aligner: Aligner): string | null {
  const [a, b] = [definitionAround(from, at), definitionAround(to, there)];
  // The same definition under its name elsewhere in the file, while the one found was there before, too.
  const own = a && to.outer.find((d) => d.name === a.name && sameNature(d, a));
  const stranger = b && a && b.name !== a.name && from.outer.some((d) => d.name === b.name && sameNature(d, b));
  if (own && stranger) return `'${own.name}' (${to.path})`;
  const p =
    a && b && sameNature(a, b)
      ? aligner.definitions(from, a, to, b)
      : a || b
        ? aligner.lines(from, to)
        : aligner.items(from, to);
  let low = -1;
  let high = Infinity;
  p.baseUnits.forEach((unit, i) => {
    const match = p.match[i];
    if (!match || match.similarity < 1) return;
    const unitThere = p.targetUnits[match.to]!;
    if (unit.last < at) low = Math.max(low, unitThere.last);
    else if (unit.first >= at) high = Math.min(high, unitThere.first);
  });
  if (there > low && there <= high) return null;
  const lines = `lines ${low + 2} to ${high === Infinity ? to.lines.length : high + 1} of ${to.path}`;
  return b ? `${lines} ('${b.name}')` : lines;
}
