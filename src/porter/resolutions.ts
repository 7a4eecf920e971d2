import { createHash } from 'node:crypto';
import { diff3Merge, diffIndices } from 'node-diff3';
import type { Evidence, Location } from '../core/outcome';
import { splitLines, stripComments, type ByteString } from '../core/text';
import type { Heirs } from './heirs';
import { conditionChange, conditionsAt } from './guards';
import type { Edit } from './lift';
import { definitionAround, definitionAt, type PorterFile, type View } from './view';

/** How a person made edits that kport could not place: text that gave way to text, in the ported file. */
export interface Resolution {
  schemaVersion: 1;
  set: string;
  /** The hunk that was resolved. Its id is a hash of its text: another text is another hunk. */
  hunk: string;
  patch: string;
  /** The edits that it makes (see {@link editIds}). */
  edits: string[];
  /** File of the kernel that it was made on. */
  path: ByteString;
  /** The definition that it changes from inside; null at file level. */
  definition: string | null;
  /** The `#if` conditions around it. */
  conditions: string[];
  /** What was there, with unchanged lines around it, and what is there now. */
  before: ByteString;
  after: ByteString;
  /**
   * The whole definition (at file level the lines around), to merge with what upstream makes of it; `line` (0-based) is
   * where the change begins.
   */
  around: { text: ByteString; line: number };
  target: { name: string; version: string; commit: string | null };
  by: ByteString;
  /** ISO 8601. */
  at: string;
}

/** How sure a resolution is whose text was merged with upstream's changes to the same definition. */
const MERGED = 0.8;

/** What a resolution gave for the edits that it makes; filled in when the whole patch is ported. */
export interface Resolved {
  strategy: string;
  confidence: number;
  target: Location[];
  evidence: Evidence[];
}

/**
 * The id of each edit of a file: a hash of its hunks and of what it changes, so that it outlives everything but a change
 * of the hunk itself.
 */
export function editIds(edits: readonly Edit[]): Map<Edit, string> {
  const twins = new Map<string, number>();
  const ids = new Map<Edit, string>();
  for (const edit of edits) {
    const hash = createHash('sha256').update(edit.hunks.map((h) => h.id).join(' '));
    for (const s of edit.segments) {
      hash.update('\0-\0').update(s.removed.join('\0'), 'latin1').update('\0+\0').update(s.added.join('\0'), 'latin1');
    }
    const content = hash.digest('hex').slice(0, 12);
    const nth = twins.get(content) ?? 0;
    twins.set(content, nth + 1);
    ids.set(edit, nth ? `${content}-${nth}` : content);
  }
  return ids;
}

/** The first line (0-based) in which two texts differ, and how many lines give way to how many. */
export function changeBetween(
  before: readonly ByteString[],
  after: readonly ByteString[],
): { at: number; removed: number; added: number } {
  const shorter = Math.min(before.length, after.length);
  let at = 0;
  while (at < shorter && before[at] === after[at]) at++;
  let tail = 0;
  while (tail < shorter - at && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { at, removed: before.length - at - tail, added: after.length - at - tail };
}

/** The definition that a change of a file is inside of; null at file level. */
export function definitionOfChange(file: PorterFile, at: number, removed: number): string | null {
  const d = removed > 0 ? definitionAt(file, at) : definitionAround(file, at);
  return d && (removed === 0 || d.endLine >= at + removed - 1) ? d.name : null;
}

/** Lines (0-based) at which some lines stand in others. */
export function occurrences(lines: readonly ByteString[], wanted: readonly ByteString[]): number[] {
  const found: number[] = [];
  if (wanted.length === 0) return found;
  for (let at = 0; at + wanted.length <= lines.length; at++) {
    if (lines[at] === wanted[0] && wanted.every((w, i) => lines[at + i] === w)) found.push(at);
  }
  return found;
}

/** A resolution at its place in a file. */
interface Fit {
  path: ByteString;
  lines: ByteString[];
  strategy: 'resolution' | 'resolution-merged';
  /** 0-based line of the first change, in the file as it was. */
  at: number;
  definition: string | null;
}

/** The resolutions of a set, as the porter uses them: for the edits of one patch after the other. */
export class Resolutions {
  /** For each edit the resolutions to try, best first: one may have been made for each of several targets. */
  private readonly byEdit = new Map<string, Resolution[]>();
  /** Resolutions of the patch that is being ported, with what they claimed. */
  private claimed = new Map<Resolution, { edits: Set<string>; resolved: Resolved[] }>();
  private readonly misfits = new Map<Resolution, string>();
  /** Those that did not fit before code was generated, with what they claimed and why they did not fit. */
  private waiting = new Map<Resolution, { resolved: Resolved[]; why: string }>();

  /**
   * @param target the kernel that is ported to: what was resolved on it comes first, then what was resolved last
   * @param skipped edits that a person left out on this very kernel, with the reason
   */
  constructor(
    list: readonly Resolution[],
    target: string | null,
    private readonly skipped: ReadonlyMap<string, string> = new Map(),
    /** Code is generated behind each patch: a resolution may stand on that. */
    private readonly isGenerated = false,
  ) {
    const home = (r: Resolution) => (target !== null && r.target.commit === target ? '1' : '0');
    const key = (r: Resolution) => `${home(r)} ${r.at}`;
    for (const r of [...list].sort((a, b) => order(key(b), key(a)))) {
      for (const edit of r.edits) this.byEdit.set(edit, [...(this.byEdit.get(edit) ?? []), r]);
    }
  }

  /** Takes an edit out of the porter's hands when a person made it; null when nobody did, or it did not fit here. */
  claim(edit: string): Resolved | null {
    const r = this.byEdit.get(edit)?.find((x) => !this.misfits.has(x));
    if (!r) return null;
    const claimed = this.claimed.get(r) ?? { edits: new Set(), resolved: [] };
    this.claimed.set(r, claimed);
    claimed.edits.add(edit);
    const resolved: Resolved = { strategy: 'resolution', confidence: 1, target: [], evidence: [] };
    claimed.resolved.push(resolved);
    return resolved;
  }

  /** Why a person left an edit out on this kernel; null when nobody did. It has no place then, whatever the porter knows. */
  leftOut(edit: string): string | null {
    const reason = this.skipped.get(edit);
    return reason === undefined ? null : `left out on purpose: ${reason}`;
  }

  /** Why the resolution of an edit is not used, in one sentence; null when there is none or when it is. */
  misfit(edit: string): string | null {
    const r = this.byEdit.get(edit)?.[0];
    const why = r && this.misfits.get(r);
    return why ? `the resolution made at ${r.target.version} does not fit: ${why}` : null;
  }

  /**
   * Makes the claimed resolutions in the target, over what was placed of the patch. False when one does not fit: then
   * nothing of the patch counts, and it is to be ported again; the edits in question are the porter's then.
   *
   * @param before the target before the patch, to which the locations of a report belong
   */
  async settle(target: View, heirs: Heirs, before: ReturnType<View['changes']>): Promise<boolean> {
    const claimed = this.claimed;
    this.claimed = new Map();
    this.waiting = new Map();
    // The first one made comes first: later ones may stand on it.
    const todo = new Set([...claimed.keys()].sort((a, b) => order(`${a.at} ${a.hunk}`, `${b.at} ${b.hunk}`)));
    const reasons = new Map<Resolution, string>();
    for (const r of todo) {
      if (r.edits.every((e) => claimed.get(r)!.edits.has(e))) continue;
      this.misfits.set(r, 'the set makes other edits now');
      todo.delete(r);
    }
    if (todo.size < claimed.size) return false;
    // Word for word as long as one fits, for one may stand on another; merged only then.
    for (let how: 'exact' | 'merged' | null = 'exact'; how && todo.size;) {
      let fitted = false;
      for (const r of todo) {
        const fit: Fit | string = await (how === 'exact' ? exactFit(r, target, heirs) : mergedFit(r, target, heirs));
        if (typeof fit === 'string') {
          reasons.set(r, fit);
          continue;
        }
        await this.make(r, fit, claimed.get(r)!.resolved, target, before);
        todo.delete(r);
        fitted = true;
        if (how === 'merged') break;
      }
      how = fitted ? 'exact' : how === 'exact' ? 'merged' : null;
    }
    for (const r of [...todo]) {
      const why = reasons.get(r) ?? 'its place was not found';
      if (this.isGenerated && r.target.commit === target.tree.commit) {
        // Said for now as it will be; the line is known when the code is there.
        const { resolved } = claimed.get(r)!;
        for (const one of resolved) this.say(one, r, { ...r, strategy: 'resolution' }, 0);
        this.waiting.set(r, { resolved, why });
        todo.delete(r);
      } else this.misfits.set(r, why);
    }
    return todo.size === 0;
  }

  /**
   * Makes, word for word, the resolutions that stand on code that was generated behind a patch. False when one does not fit
   * then either: the patch is to be ported again, as after {@link settle}.
   */
  async settleGenerated(target: View, heirs: Heirs, before: ReturnType<View['changes']>): Promise<boolean> {
    const { waiting } = this;
    this.waiting = new Map();
    let fits = true;
    for (const [r, { resolved, why }] of waiting) {
      const fit = await exactFit(r, target, heirs);
      if (typeof fit !== 'string') await this.make(r, fit, resolved, target, before);
      else {
        this.misfits.set(r, why);
        fits = false;
      }
    }
    return fits;
  }

  private async make(
    r: Resolution,
    fit: Fit,
    resolved: readonly Resolved[],
    target: View,
    before: ReturnType<View['changes']>,
  ): Promise<void> {
    const was = (await target.text(fit.path))!;
    const laid = before.get(fit.path);
    const original = laid === undefined ? await target.tree.read(fit.path) : (laid?.text ?? null);
    const line = original === null ? fit.at : lineIn(splitLines(was), splitLines(original), fit.at);
    target.set(fit.path, { text: fit.lines.join(''), mode: target.mode(fit.path) ?? '100644' });
    for (const one of resolved) this.say(one, r, fit, line);
  }

  private say(one: Resolved, r: Resolution, fit: Pick<Fit, 'path' | 'definition' | 'strategy'>, line: number): void {
    const how = fit.strategy === 'resolution' ? 'the lines are the same' : "merged with upstream's changes";
    one.strategy = fit.strategy;
    one.confidence = fit.strategy === 'resolution' ? 1 : MERGED;
    const at = { path: fit.path, definition: fit.definition, line: line + 1 };
    // The same object, so that a report that has it already learns of its line.
    one.target = one.target[0] ? [Object.assign(one.target[0], at)] : [at];
    one.evidence = [{ kind: 'resolution', text: `resolved by a person at ${r.target.version}; ${how}` }];
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where a gap of one text is in another: it stays below the line that it is below. */
export function lineIn(from: readonly ByteString[], to: readonly ByteString[], gap: number): number {
  let shift = 0;
  for (const { buffer1, buffer2 } of diffIndices([...from], [...to])) {
    const [at, count] = buffer1;
    const [other, others] = buffer2;
    if (at >= gap) break;
    if (at + count > gap) return Math.min(other + gap - at, other + others);
    shift = other + others - (at + count);
  }
  return gap + shift;
}

/** The heirs of a resolution's file that the target has. */
function paths(r: Resolution, target: View, heirs: Heirs): ByteString[] {
  if (target.has(r.path)) return [r.path];
  return heirs
    .files(r.path)
    .map((h) => h.path)
    .filter((p) => target.has(p));
}

function isNamed(r: Resolution, name: string | null, heirs: Heirs): boolean {
  return name === r.definition || (name !== null && r.definition !== null && name === heirs.rename(r.definition));
}

/** The place where the text before is, word for word and once; else the reason. */
async function exactFit(r: Resolution, target: View, heirs: Heirs): Promise<Fit | string> {
  const [before, after] = [splitLines(r.before), splitLines(r.after)];
  const change = changeBetween(before, after);
  const found: { file: PorterFile; at: number }[] = [];
  const candidates = paths(r, target, heirs);
  for (const path of candidates) {
    const file = await target.file(path);
    if (file) for (const at of occurrences(file.lines, before)) found.push({ file, at });
  }
  if (candidates.length === 0) return `the target has no '${r.path}'`;
  if (found.length === 0) return `'${candidates[0]}' has not the lines any more`;
  if (found.length > 1) return `'${found[0]!.file.path}' has the lines ${found.length} times`;
  const { file, at } = found[0]!;
  const definition = definitionOfChange(file, at + change.at, change.removed);
  if (!isNamed(r, definition, heirs)) {
    return `the lines are ${definition === null ? 'at file level' : `in '${definition}'`} now`;
  }
  const conditions = conditionChange(r.conditions, conditionsAt(file.index, at + change.at));
  if (conditions.length) return `the lines are ${conditions.join(', ')}`;
  const lines = [...file.lines.slice(0, at), ...after, ...file.lines.slice(at + before.length)];
  return { path: file.path, lines, strategy: 'resolution', at: at + change.at, definition };
}

/** The definition (the whole file, at file level) with what the person and what upstream changed; else the reason. */
async function mergedFit(r: Resolution, target: View, heirs: Heirs): Promise<Fit | string> {
  const old = splitLines(r.around.text);
  const after = splitLines(r.after);
  const { at, removed, added } = changeBetween(splitLines(r.before), after);
  const change = { at: r.around.line, removed };
  const theirs = [...old.slice(0, change.at), ...after.slice(at, at + added), ...old.slice(change.at + removed)];
  let why = `the target has no '${r.path}'`;
  for (const path of paths(r, target, heirs)) {
    const file = await target.file(path);
    if (!file) continue;
    const named = r.definition === null ? [] : file.outer.filter((d) => isNamed(r, d.name, heirs));
    if (r.definition !== null && named.length !== 1) {
      why = `'${path}' has ${named.length ? 'several' : 'no'} '${r.definition}'`;
      continue;
    }
    const [first, end] = named[0] ? [named[0].startLine, named[0].endLine + 1] : [0, file.lines.length];
    const here = file.lines.slice(first, end);
    const merged: ByteString[] = [];
    const regions = diff3Merge(here, old, theirs, { excludeFalseConflicts: true });
    why = `upstream changed the same lines of '${r.definition ?? path}'`;
    if (regions.some((x) => !x.ok) || !neighboursStay(old, here, change)) continue;
    for (const region of regions) merged.push(...region.ok!);
    const made = changeBetween(here, merged);
    if (made.removed === 0 && made.added === 0) {
      why = `'${r.definition ?? path}' has the change already`;
      continue;
    }
    const conditions = conditionChange(r.conditions, conditionsAt(file.index, first + made.at));
    if (conditions.length) {
      why = `the place is ${conditions.join(', ')}`;
      continue;
    }
    const lines = [...file.lines.slice(0, first), ...merged, ...file.lines.slice(end)];
    return { path, lines, strategy: 'resolution-merged', at: first + made.at, definition: named[0]?.name ?? null };
  }
  return why;
}

/** True when the nearest lines above and below a change that say something are still there: a lone brace is no anchor. */
function neighboursStay(
  old: readonly ByteString[],
  here: readonly ByteString[],
  change: { at: number; removed: number },
): boolean {
  const kept = old.map(() => true);
  for (const { buffer1 } of diffIndices([...old], [...here])) kept.fill(false, buffer1[0], buffer1[0] + buffer1[1]);
  const telling = (line: ByteString) => /\w{2}/.test(stripComments(line));
  let above = change.at - 1;
  while (above >= 0 && !telling(old[above]!)) above--;
  let below = change.at + change.removed;
  while (below < old.length && !telling(old[below]!)) below++;
  if (above < 0 && below >= old.length) return false;
  return (above < 0 || kept[above]!) && (below >= old.length || kept[below]!);
}
