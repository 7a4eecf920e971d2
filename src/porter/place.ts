import type { Candidate, Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { alignLines, sameInstruction, sameSense, type Operand } from './align';
import {
  bodyLines,
  isDeclaration,
  liftGuard,
  splitsStatement,
  wholeBlock,
  wholeBodySite,
  type WholeBlock,
} from './blocks';
import { conditionChange, conditionsAt } from './guards';
import type { KeepsCallee } from './callees';
import { addsEntries, outOfBlocks } from './kconfig-blocks';
import type { Edit, Segment } from './lift';
import { renamedRegisters, withRegisters } from './asm-habits';
import { mergeLines, withTwins } from './merge-lines';
import {
  asAssignment,
  canGrow,
  changedLines,
  fillRange,
  growGuard,
  indented,
  renamedCalls,
  shiftOf,
  wrappedCodeIsGone,
  wrappedRange,
} from './wraps';
import { otherCallee } from './same-callee';
import { setApart } from './spacing';
import { siteOf, type Pairing, type Precision, type Site } from './site';
import { lineUnits, type Unit } from './units';
import { definitionAround, definitionAt, type PorterFile } from './view';

/** A segment with the place that was found for it. */
export interface PlacedSegment {
  segment: Segment;
  site: Site;
  /** What is added here; the segment's own lines unless the target needs others. */
  added: ByteString[];
}

/** What the search for an edit's place in one target file gave. */
export type Placement = Placed | NotPlaced | Nothing;

/** The code that the edit is about is gone from the target. */
export interface Nothing {
  placed: false;
  obsolete: true;
  reason: string;
  evidence: Evidence[];
  candidate: null;
}

export interface Placed {
  placed: true;
  file: PorterFile;
  segments: PlacedSegment[];
  /** `structure` (definitions and lines followed), `lines` (whole-file alignment), or both agreeing: `structure+lines`. */
  strategy: string;
  confidence: number;
  evidence: Evidence[];
  /** The target definition; null at file level. */
  definition: string | null;
  /** True when what is added is not word for word what the set adds. */
  rewritten: boolean;
}

export interface NotPlaced {
  placed: false;
  obsolete?: false;
  /** One sentence. */
  reason: string;
  evidence: Evidence[];
  /** A macro that it would define twice. */
  double?: string;
  /** True when it has a place, and only goes where another edit goes: see `together.ts`. */
  follows?: boolean;
  /** Where it would go if somebody said so: the best there is, or null. */
  candidate: { path: ByteString; line: number; definition: string | null; parts?: Candidate['parts'] } | null;
  /** Other such places. */
  others?: NonNullable<NotPlaced['candidate']>[];
}

/** Below this a placement is a conflict with a candidate. */
export const PLACE_AT = 0.5;

/** What each precision is worth alone; see `docs/porter.md` for how these were measured. */
const WORTH: Record<Precision, number> = {
  exact: 0.97,
  anchored: 0.92,
  shrunk: 0.85,
  order: 0.4,
  changed: 0.75,
  beside: 0.6,
  wide: 0.4,
  'one-sided': 0.3,
  block: 0.8,
};

/** The same for things that may stand in any order. */
const WORTH_ORDER_FREE: Partial<Record<Precision, number>> = {
  order: 0.9,
  beside: 0.85,
  wide: 0.65,
  'one-sided': 0.55,
};

/** How base words read in the target. */
export type Rename = (word: string) => string;

/** A definition of the base and the one that it became. */
export interface ScopePair {
  base: Definition;
  target: Definition;
  confidence: number;
  evidence: Evidence[];
}

const LISTS = new Set(['kbuild', 'lds', 'text']);

/** Lines and items that are remembered, in all: to align again what a wide set asked for long ago costs less than to keep it. */
const MOST_UNITS = 1_000_000;

const unitsOf = (p: Pairing) => p.baseUnits.length + p.targetUnits.length;

/** Aligns pieces of two files; remembers what it aligned. */
export class Aligner {
  private readonly known = new Map<string, Pairing>();
  private units = 0;
  constructor(
    readonly rename: Rename,
    private readonly operand: Operand = () => null,
    /** See `callees.ts`. */
    readonly keeps: KeepsCallee = () => false,
  ) {}

  /** The lines of two definitions. */
  definitions(base: PorterFile, from: Definition, target: PorterFile, to: Definition): Pairing {
    return this.remember(`d ${base.path}:${from.start} ${target.path}:${to.start}`, base, target, () => {
      const parameters = renamedParameters(base, from, target, to);
      const rename = (w: string) => (w === from.name ? to.name : (parameters.get(w) ?? this.rename(w)));
      return {
        base,
        target,
        baseUnits: lineUnits(base, from.startLine, from.endLine, rename, this.operand),
        targetUnits: lineUnits(target, to.startLine, to.endLine),
        range: { first: to.startLine, last: to.endLine },
      };
    });
  }

  /** What stands at file level in two files. */
  items(base: PorterFile, target: PorterFile): Pairing {
    // Lists: their entries are lines, and all have the same name.
    if (LISTS.has(base.index.language)) return this.lines(base, target);
    return this.remember(`i ${base.path} ${target.path}`, base, target, () => ({
      base,
      target,
      baseUnits: base.items.map((u) => renameUnit(u, this.rename)),
      targetUnits: target.items,
      range: { first: 0, last: target.lines.length - 1 },
    }));
  }

  /** All lines of two files. */
  lines(base: PorterFile, target: PorterFile): Pairing {
    return this.remember(`l ${base.path} ${target.path}`, base, target, () => ({
      base,
      target,
      baseUnits: lineUnits(base, 0, base.lines.length - 1, this.rename, this.operand),
      targetUnits: lineUnits(target, 0, target.lines.length - 1),
      range: { first: 0, last: target.lines.length - 1 },
    }));
  }

  private remember(key: string, base: PorterFile, target: PorterFile, make: () => Omit<Pairing, 'match'>): Pairing {
    const known = this.known.get(key);
    // A file that was changed since is another object; its old alignment is worth nothing.
    if (known && known.base === base && known.target === target) return known;
    const pairing = make();
    const sense = base.index.language === 'asm' ? sameInstruction : sameSense;
    const made = { ...pairing, match: alignLines(pairing.baseUnits, pairing.targetUnits, sense) };
    if (known) this.drop(key, known);
    this.known.set(key, made);
    this.units += unitsOf(made);
    for (const [oldest, pairing] of this.known) {
      if (this.units <= MOST_UNITS || oldest === key) break;
      this.drop(oldest, pairing);
    }
    return made;
  }

  private drop(key: string, pairing: Pairing): void {
    this.known.delete(key);
    this.units -= unitsOf(pairing);
  }
}

/**
 * Parameters that have another name in the target, by their place in the list: neither function speaks of the other's name,
 * and none of the names is one of a field as well.
 */
function renamedParameters(
  base: PorterFile,
  from: Definition,
  target: PorterFile,
  to: Definition,
): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>();
  const [ours, theirs] = [from.signature?.parameters ?? [], to.signature?.parameters ?? []];
  if (from.kind !== 'function' || to.kind !== 'function') return renamed;
  const has = (file: PorterFile, d: Definition, name: string, before = '') =>
    new RegExp(`${before}\\b${name}\\b`).test(stripComments(file.text.slice(d.start, d.end)));
  for (const [i, { name }] of ours.entries()) {
    const now = theirs[i]?.name ?? '';
    if (name === now) continue;
    const known = name === '' || now === '' || has(base, from, now) || has(base, from, name, '(?:->|\\.)\\s*');
    // Reached through the new one, or still there, it is not what is called otherwise now; then nothing behind it is known.
    if (known || has(target, to, name, '(?<![.>\\w])') || has(target, to, name, `\\b${now}\\s*->\\s*`)) break;
    renamed.set(name, now);
  }
  return renamed;
}

function renameUnit(unit: Unit, rename: Rename): Unit {
  const words = unit.tokens.map((t) => t.split(' ').map(rename).join(' '));
  return { ...unit, tokens: words, key: words.join(' ') };
}

/** The definition that a segment changes from inside; null at file level. */
export function scopeOf(file: PorterFile, segment: Segment): Definition | null {
  if (segment.anchor === 'lines') {
    const code = segment.removed.findIndex((l) => stripComments(l).trim() !== '');
    const d = definitionAt(file, segment.at + Math.max(0, code));
    const last = segment.at + segment.removed.length - 1;
    // A definition that goes as a whole is an item of its file; a one-line one that is replaced stays what it is.
    if (!d || d.startLine > segment.at || d.endLine < last) return null;
    const whole = d.startLine === segment.at && d.endLine === last;
    return whole && segment.added.length === 0 ? null : d;
  }
  return definitionAround(file, segment.at);
}

/**
 * Looks for the place of an edit in one target file.
 *
 * @param pairs for each scope of the edit in the base what it became in this target file
 */
export function placeEdit(
  edit: Edit,
  base: PorterFile,
  target: PorterFile,
  pairs: ReadonlyMap<Definition, ScopePair>,
  aligner: Aligner,
): Placement {
  const evidence: Evidence[] = [];
  const placed: PlacedSegment[] = [];
  let confidence = 1;
  let definition: string | null = null;
  let agreed = true;
  let rewritten = false;
  if (base.text === target.text) return unchanged(edit, base, target);
  const gone = wrappedCodeIsGone(edit, base, target, pairs, aligner);
  if (gone) return gone;
  const lines = aligner.lines(base, target);
  const first = scopeOf(base, edit.segments[0]!);
  const home = first ? pairs.get(first) : undefined;
  const block = home
    ? wholeBlock(edit, base, first!, aligner.definitions(base, first!, target, home.target), home.target)
    : null;
  const rest = edit.segments.filter((s) => !isTrivial(s, edit));
  for (const segment of rest) {
    const scope = scopeOf(base, segment);
    const pair = scope ? pairs.get(scope) : undefined;
    if (scope && !pair) {
      return fail(`'${scope.name}' has no counterpart in '${target.path}'`, evidence, null);
    }
    const pairing = pair ? aligner.definitions(base, scope!, target, pair.target) : aligner.items(base, target);
    const free = isOrderFree(edit, scope, base);
    const byBlock = block && blockSite(segment, segment === rest[0], segment === rest[rest.length - 1], block);
    let site =
      byBlock ??
      (pair && wholeBodySite(edit, segment, base, scope!, pairing, pair.target)) ??
      declarationSite(segment, base, scope, pairing, pair?.target ?? null) ??
      siteOf(segment, pairing, edit.wraps, free);
    if (site.at === null) {
      return fail(site.why, evidence, {
        path: target.path,
        line: (pair?.target.startLine ?? 0) + 1,
        definition: pair?.target.name ?? null,
      });
    }
    const candidate = { path: target.path, line: site.at + 1, definition: pair?.target.name ?? null };
    if (pair) {
      definition = pair.target.name;
      confidence = Math.min(confidence, pair.confidence);
    }
    let worth = (free ? WORTH_ORDER_FREE[site.precision] : undefined) ?? WORTH[site.precision];
    // A list of objects has no order, but the wrong end of it may be another list.
    if (base.index.language === 'kbuild' && site.precision === 'one-sided') worth = 0.3;
    if (site.precision === 'order' && !free) worth = orderWorth(segment, base, pairing, site);
    const byLines = siteOf(segment, lines, edit.wraps);
    if (byLines.at !== null && byLines.precision === 'exact') {
      if (sameGap(target, byLines.at, site.at) && byLines.remove === site.remove) {
        worth = site.precision === 'exact' ? 0.99 : Math.max(worth, 0.95);
      } else if (!free) {
        agreed = false;
        return fail(
          `two ways to find the place disagree: line ${site.at + 1} by definition, line ${byLines.at + 1} by text`,
          evidence,
          candidate,
        );
      } else agreed = false;
    } else agreed = false;
    if (base.index.language === 'kconfig' && addsEntries(segment)) {
      const outside = outOfBlocks(segment, base.lines, target.lines, site);
      if (!outside) return fail('the place is in another `if` or `choice`', evidence, candidate);
      if (outside !== site) worth = Math.min(worth, 0.75);
      site = outside;
    }
    const change = conditionChange(conditionsAt(base.index, segment.at), conditionsAt(target.index, site.at));
    if (change.length) return fail(`the place is ${change.join(', ')}`, evidence, candidate);
    if (continues(target, site.at) && !continues(base, segment.at)) {
      return fail('the place would lie behind a line that goes on (\\)', evidence, candidate);
    }
    if (segment.anchor === 'previous' && edit.wraps && /^\s*\w+:\s*$/.test(target.lines[site.at - 1] ?? '')) {
      return fail('the guard would hold a label without its statement', evidence, candidate);
    }
    const double = definedAlready(segment, base, target);
    if (double) return { ...fail(`the target has a '${double}' of its own`, evidence, candidate), double };
    const wrapping = edit.wraps !== null && segment.anchor !== 'lines';
    const split = wrapping && canGrow(base, scope, target, pair) ? null : splitsStatement(segment, base, target, site);
    if (split) {
      const lifted = liftGuard(edit, segment, target, site, pairing);
      if (!lifted) return fail(split, evidence, candidate);
      site = lifted;
      worth = Math.min(worth, 0.75);
    }
    let added = scope || base.index.language !== 'c' ? segment.added : setApart(segment.added, segment, pairing, site);
    const callee = edit.wraps
      ? null
      : otherCallee(segment, base, scope, target, pair?.target ?? null, site, aligner.rename);
    if (callee) return fail(callee, evidence, candidate);
    if (segment.anchor === 'lines' && site.precision === 'changed') {
      // Upstream changed the very lines that the set changes: both changes, or neither.
      const both = mergeLines(segment.removed, segment.added, target.lines.slice(site.at, site.at + site.remove));
      if (!both) return fail('upstream changed the lines that it replaces', evidence, candidate);
      added = both;
      rewritten = true;
      worth = 0.8;
    }
    confidence = Math.min(confidence, worth);
    evidence.push({ kind: `site-${site.precision}`, text: `${target.path}:${site.at + 1}: ${site.why}` });
    placed.push({ segment, site, added });
  }
  for (let i = 1; i < placed.length; i++) {
    const before = placed[i - 1]!.site;
    if (placed[i]!.site.at < before.at + before.remove) {
      return fail('the parts of the edit would come in another order', evidence, null);
    }
  }
  const wrapped = pairingOf(edit, base, target, pairs, aligner);
  const filled = home && wrapped && base.index.language === 'c' ? fillRange(edit, placed, wrapped) : null;
  if (filled) {
    confidence = Math.min(confidence, 0.75);
    evidence.push({ kind: 'guard-filled', text: filled });
  }
  const grown = growGuard(edit, base, target, placed, pairs, aligner);
  if (grown?.why !== undefined) {
    return fail(grown.why, evidence, { path: target.path, line: placed[0]!.site.at + 1, definition });
  }
  if (grown?.grew) {
    confidence = Math.min(confidence, 0.75);
    evidence.push({ kind: 'guard-grown', text: 'the guard holds the whole of the statement that upstream made of it' });
  }
  const changes: { from: string; to: string }[] = [];
  for (const change of edit.wraps && wrapped ? changedLines(edit, wrapped) : []) {
    const [[from, to] = []] = renamedCalls([change]);
    const keeps = from !== undefined && to !== undefined && aligner.keeps(from, to, target.path);
    if (!keeps) changes.push(change);
    else if (placed.some((s) => s.added.some((l) => new RegExp(`\\b${from}\\s*\\(`).test(stripComments(l))))) {
      confidence = Math.min(confidence, 0.75);
      const text = `it calls '${from}' as the base does, where upstream calls '${to}' now`;
      evidence.push({ kind: 'doubt', text });
    }
  }
  const renamed = renamedCalls(changes);
  const registers: ReadonlyMap<string, string> =
    base.index.language === 'asm' ? renamedRegisters(changes) : new Map<string, string>();
  for (const s of placed) {
    const { lines: twins, used } = withTwins(s.added, changes);
    const called = twins.map((l) => l.replace(/\b([A-Za-z_]\w*)(?=\s*\()/g, (name) => renamed.get(name) ?? name));
    // What stands for a line of upstream's has its registers already.
    const read = called.map((l, i) => (l === s.added[i] ? asAssignment(withRegisters(l, registers), changes) : l));
    // What was merged with upstream's line, token by token, stands where that does.
    const isMerged =
      s.segment.anchor === 'lines' && s.site.precision === 'changed' && read.length === s.segment.removed.length;
    const moves = home && wrapped && base.index.language === 'c' && !isMerged;
    s.added = moves ? indented(read, shiftOf(edit, s.segment, wrapped, s.site)) : read;
    if (read.every((l, i) => l === twins[i]) && used.size === 0) continue;
    rewritten = true;
    confidence = Math.min(confidence, 0.75);
    for (const { from, to } of used) {
      const text = `'${from.trim()}' is '${to.trim()}' in the code that it replaces`;
      evidence.push({ kind: 'line-rewritten', text });
    }
    if (registers.size && read.some((l, i) => l !== called[i])) {
      const pairs = [...registers].map(([from, to]) => `x${from} is x${to}`).join(', ');
      evidence.push({ kind: 'register-renamed', text: `${pairs} in the code that it replaces` });
    }
    for (const [from, to] of renamed) {
      if (twins.some((l) => new RegExp(`\\b${from}\\s*\\(`).test(l)))
        evidence.push({ kind: 'renamed', text: `'${from}()' is '${to}()' in the code that it replaces` });
    }
  }
  placeTrivia(edit, placed, base, pairs, aligner, target, evidence);
  const range = wrappedRange(edit, base, target, placed, pairs, aligner);
  if (!range.ok) return fail(range.why, evidence, { path: target.path, line: placed[0]!.site.at + 1, definition });
  confidence *= range.factor;
  if (range.why) evidence.push({ kind: 'wrapped-range', text: range.why });
  for (const pair of pairs.values()) evidence.push(...pair.evidence);
  return {
    placed: true,
    file: target,
    segments: placed,
    strategy: agreed ? 'structure+lines' : 'structure',
    confidence: Math.round(confidence * 100) / 100,
    evidence,
    definition,
    rewritten,
  };
}

/** Upstream did not touch the file: every segment goes where it was. */
export function unchanged(edit: Edit, base: PorterFile, target: PorterFile): Placed {
  const scope = scopeOf(base, edit.segments[0]!);
  return {
    placed: true,
    file: target,
    segments: edit.segments.map((segment) => ({
      segment,
      added: segment.added,
      site: { at: segment.at, remove: segment.removed.length, precision: 'exact', why: 'the file is unchanged' },
    })),
    strategy: 'unchanged',
    confidence: 1,
    evidence: [{ kind: 'file-unchanged', text: `'${target.path}' is the same in both kernels` }],
    definition: scope?.name ?? null,
    rewritten: false,
  };
}

/** The alignment of what an edit is in. */
export function pairingOf(
  edit: Edit,
  base: PorterFile,
  target: PorterFile,
  pairs: ReadonlyMap<Definition, ScopePair>,
  aligner: Aligner,
): Pairing | null {
  const scope = scopeOf(base, edit.segments[0]!);
  const pair = scope ? pairs.get(scope) : undefined;
  if (scope && !pair) return null;
  return pair ? aligner.definitions(base, scope!, target, pair.target) : aligner.items(base, target);
}

/** Blank lines and comments that an edit takes away or adds beside its code: a wish, not a need. */
export function isTrivial(segment: Segment, edit: Edit): boolean {
  const says = (s: Segment) => [...s.removed, ...s.added].some((l) => stripComments(l).trim() !== '');
  return !says(segment) && edit.segments.some(says);
}

/** The ends of a guard that goes around a block as a whole. */
function blockSite(segment: Segment, isFirst: boolean, isLast: boolean, block: WholeBlock): Site | null {
  if (segment.removed.some((l) => l.trim() !== '')) return null;
  const found = { remove: 0, precision: 'block' as const, why: block.why, whole: true };
  if (isFirst && segment.anchor === 'next') return { ...found, at: block.at };
  return isLast && segment.anchor === 'previous' ? { ...found, at: block.end } : null;
}

/** Puts the blank lines and comments of an edit where they were beside its code, and leaves out those that do not fit. */
function placeTrivia(
  edit: Edit,
  placed: PlacedSegment[],
  base: PorterFile,
  pairs: ReadonlyMap<Definition, ScopePair>,
  aligner: Aligner,
  target: PorterFile,
  evidence: Evidence[],
): void {
  for (const segment of edit.segments.filter((s) => isTrivial(s, edit))) {
    const scope = scopeOf(base, segment);
    const pair = scope ? pairs.get(scope) : undefined;
    if (scope && !pair) continue;
    const p = pair ? aligner.definitions(base, scope!, target, pair.target) : aligner.items(base, target);
    const site = siteOf(segment, p, edit.wraps);
    const next = placed.findIndex((x) => x.segment.order > segment.order);
    const [low, high] = [placed[(next < 0 ? placed.length : next) - 1]?.site, placed[next]?.site];
    const fits =
      site.at !== null &&
      site.remove === segment.removed.length &&
      (!low || site.at >= low.at + low.remove) &&
      (!high || site.at + site.remove <= high.at);
    if (!fits)
      evidence.push({ kind: 'trivia-left', text: 'a blank line or comment beside it is as the target has it' });
    else placed.splice(next < 0 ? placed.length : next, 0, { segment, site, added: segment.added });
  }
}

function fail(reason: string, evidence: Evidence[], candidate: NotPlaced['candidate']): NotPlaced {
  return { placed: false, reason, evidence, candidate };
}

/** True when the line above a gap ends in a backslash. */
function continues(file: PorterFile, gap: number): boolean {
  return /\\\r?\n?$/.test(file.lines[gap - 1] ?? '');
}

/** A macro that the segment defines and that the target has gained since the base, with another text. */
function definedAlready(segment: Segment, base: PorterFile, target: PorterFile): string | null {
  const removed = new Set(segment.removed.map((l) => /^\s*#\s*define\s+(\w+)/.exec(l)?.[1]));
  for (const line of segment.added) {
    const name = /^\s*#\s*define\s+(\w+)/.exec(line)?.[1];
    if (!name || removed.has(name)) continue;
    const has = (file: PorterFile) => file.index.definitions.some((d) => d.kind === 'macro' && d.name === name);
    if (!has(target) || has(base)) continue;
    const same = target.lines.some((l) => tokens(l).join(' ') === tokens(line).join(' '));
    if (!same) return name;
  }
  return null;
}

/** Two gaps are one when nothing but blank lines and comments lies between them. */
function sameGap(file: PorterFile, a: number, b: number): boolean {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  if (high - low > 40) return false;
  return stripComments(file.lines.slice(low, high).join('')).trim() === '' || high === low;
}

const ORDER_FREE_SCOPES = new Set(['struct', 'union', 'enum', 'object-rule', 'config']);

/** True when the edit's neighbours may come in any order: members, definitions, includes, list entries. */
function isOrderFree(edit: Edit, scope: Definition | null, base: PorterFile): boolean {
  if (edit.wraps || edit.segments.some((s) => s.anchor === 'lines')) return false;
  if (scope) return ORDER_FREE_SCOPES.has(scope.kind) || (scope.kind === 'function' && addsCases(edit));
  return base.index.language !== 'asm' && base.index.language !== 'lds' && base.index.language !== 'text';
}

/** Case labels that end with a jump are members of their switch. */
function addsCases(edit: Edit): boolean {
  const code = edit.segments
    .flatMap((s) => s.added)
    .map((l) => stripComments(l).trim())
    .filter((l) => l && !l.startsWith('#'));
  return (
    /^case\b/.test(code[0] ?? '') && /^(break|return\b.*|goto\b.*|continue)\s*;$/.test(code[code.length - 1] ?? '')
  );
}

/**
 * How sure it is where statements go beside those that upstream put at the same point.
 *
 * Right behind the line that they followed they find everything as they did in the base. That fails only where both sides
 * assign the same thing, or where upstream's statements prepare what the set's use.
 */
function orderWorth(segment: Segment, base: PorterFile, p: Pairing, site: Site): number {
  const matched = new Set(p.match.filter((m) => m !== null).map((m) => m.to));
  let below = p.targetUnits.findIndex((u) => u.first >= site.at);
  if (below < 0) below = p.targetUnits.length;
  const run = (from: number, step: 1 | -1): string[] => {
    const found: Unit[] = [];
    for (let k = from; k >= 0 && k < p.targetUnits.length && !matched.has(k); k += step) found.push(p.targetUnits[k]!);
    if (step < 0) found.reverse();
    return found.flatMap((u) => p.target.lines.slice(u.first, u.last + 1));
  };
  // What upstream put above the place, and what below.
  const [over, under] = [run(below - 1, -1), run(below, 1)];
  const fresh = [...over, ...under];
  const names = (lines: readonly string[]) =>
    new Set(lines.flatMap((l) => tokens(l)).filter((t) => /^[A-Za-z_]\w*$/.test(t)));
  const clash = (a: ReadonlySet<string>, b: ReadonlySet<string>) => [...a].some((n) => b.has(n));
  const [mine, theirs] = withoutCommuting(segment.added, fresh);
  const above = over.filter((l) => theirs.includes(l));
  const beneath = under.filter((l) => theirs.includes(l));
  // What comes first must not write what the other reads before it writes it itself.
  if (clash(assigned(above), readFirst(mine, names)) || clash(assigned(mine), readFirst(beneath, names))) return 0.45;
  const leaves = fresh.some((l) => /\b(return|goto|break|continue)\b/.test(stripComments(l)));
  const attached = (base.lines[segment.at - 1] ?? '').trim() !== '' && segment.added[0]?.trim() !== '';
  return (leaves ? 0.6 : 0.75) + (attached ? 0.05 : 0);
}

/** Names that lines mention before they assign them: what they take from the code above. */
function readFirst(lines: readonly string[], names: (lines: readonly string[]) => Set<string>): Set<string> {
  const written = new Set<string>();
  const read = new Set<string>();
  for (const line of lines) {
    const m = /^\s*(?:[\w*]+\s+\*?)?([A-Za-z_]\w*)\s*=(?!=)([^]*)$/.exec(stripComments(line));
    for (const name of names([m ? m[2]! : line])) if (!written.has(name)) read.add(name);
    if (m) written.add(m[1]!);
  }
  return read;
}

const BIT_CHANGE = /^\s*([\w.>-]+)\s*(\|=|&=\s*~)\s*\(?([A-Z][A-Z0-9_| ]*)\)?\s*;\s*$/;

/**
 * Two pieces of code without the lines that set or clear bits of one and the same variable on both sides: as long as the
 * bits are others, their order is free.
 */
function withoutCommuting(a: readonly string[], b: readonly string[]): [readonly string[], readonly string[]] {
  const changes = (lines: readonly string[]) =>
    lines.flatMap((line) => {
      const m = BIT_CHANGE.exec(stripComments(line));
      return m ? [{ line, name: m[1]!, bits: m[3]!.split(/[| ]+/) }] : [];
    });
  const [mine, theirs] = [changes(a), changes(b)];
  const same = mine.some((x) => theirs.some((y) => x.name === y.name && x.bits.some((bit) => y.bits.includes(bit))));
  if (same) return [a, b];
  const shared = new Set(mine.map((x) => x.name).filter((name) => theirs.some((y) => y.name === name)));
  const commute = new Set([...mine, ...theirs].filter((x) => shared.has(x.name)).map((x) => x.line));
  return [a.filter((l) => !commute.has(l)), b.filter((l) => !commute.has(l))];
}

/** Names that lines assign, or whose address they hand out. */
function assigned(lines: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const line of lines) {
    const code = stripComments(line);
    for (const [, name] of code.matchAll(/([A-Za-z_]\w*)(?:\[[^\]]*\])?\s*(?:[-+*/|&^]|<<|>>)?=(?!=)/g))
      names.add(name!);
    for (const [, a, b] of code.matchAll(/([A-Za-z_]\w*)\s*(?:\+\+|--)|(?<!&)&\s*([A-Za-z_]\w*)/g))
      names.add((a ?? b)!);
  }
  return names;
}

/**
 * Declarations go among the declarations of the function, in whatever order those are: behind the last one above that is
 * still there, or behind the last of all.
 */
function declarationSite(
  segment: Segment,
  base: PorterFile,
  scope: Definition | null,
  p: Pairing,
  to: Definition | null,
): Site | null {
  if (
    !scope ||
    scope.kind !== 'function' ||
    !scope.body ||
    !to?.body ||
    segment.anchor !== 'between' ||
    segment.removed.length
  )
    return null;
  const code = segment.added.map((l) => stripComments(l).trim()).filter((l) => l && !l.startsWith('#'));
  if (code.length === 0 || !code.every((l) => isDeclaration(l))) return null;
  const exact = siteOf(segment, p);
  if (exact.at !== null && exact.precision === 'exact') return null;
  const from = bodyLines(base, scope);
  const above = p.baseUnits.filter((u) => u.first > from.open && u.last < segment.at);
  if (!above.every((u) => isDeclaration(base.lines[u.first]!) || /^\s*#/.test(base.lines[u.first]!))) return null;
  const into = bodyLines(p.target, to);
  let at = into.open + 1;
  for (const unit of p.targetUnits.filter((u) => u.first > into.open && u.last < into.close)) {
    if (!isDeclaration(p.target.lines[unit.first]!)) break;
    at = unit.last + 1;
  }
  return { at, remove: 0, precision: 'anchored', why: 'declarations go with the declarations of the function' };
}
