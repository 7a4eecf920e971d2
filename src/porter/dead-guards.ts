import { stripComments, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { statementsIn } from './blocks';
import type { PortContext } from './context';
import { isTrivial, scopeOf, type Placed } from './place';
import type { EditResult } from './port-edit';
import { callingTheSame, type Pairing, type Site } from './site';
import type { PorterFile } from './view';

/**
 * Guards that change nothing in the set's own kernel nor, therefore, in the target: see `inert.ts`.
 *
 * What such a guard must hold is no question of effect, only of where a reader looks for it: the statement that does now what
 * the guard took out, or what stands between its neighbours. Where upstream has nothing of that left, the guard has nothing
 * left to stand around, and to leave it out loses nothing. All else stays without a place.
 */
export async function settleDeadGuards(
  results: readonly EditResult[],
  base: PorterFile,
  context: PortContext,
): Promise<void> {
  for (const result of results) {
    const { edit, failure } = result;
    if (!result.inert || result.outcome !== 'conflict' || !failure || !edit.wraps || !edit.balanced) continue;
    if (result.resolved || failure.evidence.some((e) => e.kind === 'left-out')) continue;
    const scope = scopeOf(base, edit.segments[0]!);
    const heirs = scope ? await context.heirs.definitions(base.path, scope) : [];
    const pairings: Pairing[] = [];
    for (const heir of heirs) {
      const file = await context.target.file(heir.path);
      if (file) pairings.push(context.aligner.definitions(base, scope!, file, heir.definition));
    }
    const placed = heirs
      .map((heir, i) => (pairings[i] ? placeOf(result, pairings[i], heir.definition) : null))
      .find((p) => p !== null);
    if (placed) {
      Object.assign(result, {
        placements: [placed],
        outcome: placed.rewritten ? 'rewritten' : 'relocated',
        failure: null,
      });
    } else if (scope ? pairings.every((p) => isGone(result, p)) : await isGoneFromFiles(result, base, context)) {
      const reason = `${failure.reason}; the guard has no effect in the set itself, and nothing is left to put it around`;
      Object.assign(result, { outcome: 'obsolete', failure: { ...failure, reason } });
    }
  }
}

/** The place of a guard without effect is a matter of taste: sure to do no harm, not to be where one would put it. */
const NO_HARM = 0.75;

/** Around the statement that does the work now, around all that stands between the neighbours, or in pieces; else null. */
function placeOf({ edit, failure }: EditResult, p: Pairing, heir: Definition): Placed | null {
  const parts = edit.segments.filter((s) => !isTrivial(s, edit));
  const [open, close] = parts;
  if (!open || !close || parts.length !== 2 || parts.some((s) => s.removed.length)) return null;
  const line = failure!.candidate ? failure!.candidate.line - 1 : -1;
  const instead = failure!.evidence.find((e) => e.kind === 'done-instead');
  const apart = instead ? [] : runsOf(edit.wraps!, p);
  const one = instead ? statementAt(p.target, heir, line) : between(edit.wraps!, p);
  const runs = apart.length || !one ? apart : [one];
  if (!runs.length || runs.some((r) => !areStatements(p.target, heir, r))) return null;
  const bearer = runs.length === 1 ? 0 : bearerOf(close.added, runs, p.target);
  if (bearer === null) return null;
  const why = instead
    ? `it holds what does the work now (${instead.text})`
    : `it holds ${apart.length ? 'its lines, where each is now' : 'what stands between its neighbours now'}`;
  const site = (at: number): Site => ({ at, remove: 0, precision: 'beside', why });
  return {
    placed: true,
    file: p.target,
    segments: runs.flatMap((run, i) => [
      { segment: open, site: site(run.at), added: open.added },
      { segment: close, site: site(run.end), added: i === bearer ? close.added : close.added.slice(-1) },
    ]),
    strategy: 'structure',
    confidence: NO_HARM,
    evidence: runs.map((run) => ({
      kind: 'dead-guard',
      text: `${p.target.path}:${run.at + 1}: the guard has no effect in the set itself: ${why}`,
    })),
    definition: heir.name,
    rewritten: runs.length > 1,
  };
}

interface Range {
  at: number;
  /** Exclusive. */
  end: number;
}

function statementAt(file: PorterFile, fn: Definition, line: number): Range | null {
  const s = statementsIn(file, fn).find(
    (x) => x.kind !== 'compound' && x.startLine <= line && line <= x.endLine && x.header === null,
  );
  return s ? { at: s.startLine, end: s.endLine + 1 } : null;
}

/** What stands between the lines beside the wrapped ones, if both are there unchanged, in this order. */
function between(wraps: { first: number; last: number }, p: Pairing): Range | null {
  const above = p.baseUnits.findLastIndex((u) => u.last < wraps.first);
  const below = p.baseUnits.findIndex((u) => u.first > wraps.last);
  const [top, bottom] = [p.match[above], p.match[below]];
  if (top?.similarity !== 1 || bottom?.similarity !== 1) return null;
  // A brace or a `return` stands in many places.
  if (p.baseUnits[above]!.weight < TELLING || p.baseUnits[below]!.weight < TELLING) return null;
  const held = p.targetUnits.slice(top.to + 1, bottom.to);
  const [first, last] = [held[0], held[held.length - 1]];
  if (!first || !last || held.length > below - above - 1) return null;
  return { at: first.first, end: last.last + 1 };
}

const TELLING = 0.7;

/** Where the wrapped lines stand, when upstream took them apart: every one is there, or a call of the same, in the same order. */
function runsOf(wraps: { first: number; last: number }, p: Pairing): Range[] {
  const runs: Range[] = [];
  let before = -1;
  for (const [i, u] of p.baseUnits.entries()) {
    if (u.first < wraps.first || u.last > wraps.last) continue;
    const [same, ...more] = callingTheSame(p, i);
    const m = p.match[i];
    const k = m ? m.to : same !== undefined && !more.length ? same : p.targetUnits.findIndex((t) => t.key === u.key);
    const to = p.targetUnits[k];
    if (!to || (m && m.similarity < 1) || k <= before || u.weight < TELLING) return [];
    if (k === before + 1 && runs.length) runs[runs.length - 1]!.end = to.last + 1;
    else runs.push({ at: to.first, end: to.last + 1 });
    before = k;
  }
  return runs;
}

/** The run that calls what the guard puts in its place; null when none does, or several. */
function bearerOf(added: readonly ByteString[], runs: readonly Range[], file: PorterFile): number | null {
  const calls = (lines: readonly ByteString[]) =>
    [...lines.join('').matchAll(/\b([A-Za-z_]\w*)\s*\(/g)].map((m) => m[1]!);
  const ours = new Set(calls(added));
  const found = runs.flatMap((r, i) => (calls(file.lines.slice(r.at, r.end)).some((c) => ours.has(c)) ? [i] : []));
  return found.length === 1 ? found[0]! : null;
}

/** True for a run of whole statements of one block: a guard around them opens and closes in the same place of the grammar. */
function areStatements(file: PorterFile, fn: Definition, { at, end }: Range): boolean {
  const all = statementsIn(file, fn);
  const inside = all.map((s, i) => ({ s, i })).filter(({ s }) => s.startLine >= at && s.endLine < end);
  const held = new Set(inside.map(({ i }) => i));
  const outer = inside.filter(({ s }) => !held.has(s.parent));
  const [first] = outer;
  if (!first || outer.some(({ s }) => s.parent !== first.s.parent || s.kind === 'case' || s.kind === 'label'))
    return false;
  const around = all[first.s.parent];
  if (
    around &&
    around.kind !== 'compound' &&
    !around.bodies.some((b) => b.braced && b.startLine < at && b.endLine >= end)
  )
    return false;
  for (let line = at; line < end; line++) {
    const code = stripComments(file.lines[line]!).trim();
    if (code.startsWith('#')) return false;
    if (code !== '' && !outer.some(({ s }) => s.startLine <= line && line <= s.endLine)) return false;
  }
  // What shares a line with it would be held in part.
  return !all.some(
    (s, i) =>
      !held.has(i) &&
      ((s.endLine >= at && s.startLine < at && s.endLine < end) || (s.startLine < end && s.startLine >= at)),
  );
}

/** True when none of the lines that tell what is wrapped has a counterpart in what became of their function. */
function isGone({ edit }: EditResult, p: Pairing): boolean {
  const wrapped = p.baseUnits.flatMap((u, i) =>
    u.first >= edit.wraps!.first && u.last <= edit.wraps!.last && u.weight >= TELLING ? [i] : [],
  );
  const keys = new Set(p.targetUnits.map((u) => u.key));
  return (
    wrapped.length > 0 &&
    wrapped.every((i) => !p.match[i] && !keys.has(p.baseUnits[i]!.key) && !callingTheSame(p, i).length)
  );
}

/** The same of definitions at file level: no heir has one, whole. */
async function isGoneFromFiles({ edit }: EditResult, base: PorterFile, context: PortContext): Promise<boolean> {
  const { first, last } = edit.wraps!;
  const held = base.outer.filter((d) => d.startLine >= first && d.endLine <= last);
  if (held.length === 0) return false;
  for (const d of held) if ((await context.heirs.definitions(base.path, d)).length) return false;
  return true;
}
