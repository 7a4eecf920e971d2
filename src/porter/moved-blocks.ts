import { stripComments, tokens, type ByteString } from '../core/text';
import type { Statement } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import { statementsIn } from './blocks';
import type { PortContext } from './context';
import { guardEnds, inPayload, withEnds, type GuardEnds } from './guard-ends';
import { conditionChange, conditionsAt } from './guards';
import type { DefinitionHeir } from './heirs';
import type { Edit } from './lift';
import { localsOf } from './locals';
import type { Placed } from './place';
import type { PorterFile } from './view';
import { indented } from './wraps';

/** At most this sure: the block says the same in another way. */
const SAID_ANEW = 0.75;

/** The block of an `if`: what it asks, and its own statements. */
interface Branch {
  asks: string;
  open: number;
  statements: Statement[];
}

interface Side {
  file: PorterFile;
  fn: Definition;
}

/** A branch of the target that does what the one of the base did, and the lines that the guard holds there. */
interface Found extends Side {
  at: number;
  end: number;
  why: string;
  /** The set's own branch, read for this place; null when it cannot be. */
  read: (lines: readonly ByteString[]) => ByteString[] | null;
  confidence: number;
}

/**
 * A guard around what an `if` does, where upstream does the same under the same condition, but leaves in another way:
 *
 * - the block moved to a caller, and `return V;` became what that does with an answer: `R = V; goto out;`;
 * - the block only says which case it is, `R = K; goto M;`, and behind `M` stands `if (R == K)` with what it did.
 *
 * The condition must stand once in each of the two functions, and all else must be the same. Null for anything else.
 */
export async function movedBlock(
  edit: Edit,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<Placed | null> {
  const ends = guardEnds(edit, base);
  if (ends?.scope?.kind !== 'function') return null;
  const from: Side = { file: base, fn: ends.scope };
  const { first, last } = edit.wraps!;
  const around = branchesIn(from).filter((b) => b.statements.some((s) => s.startLine >= first && s.endLine <= last));
  const [own] = around;
  if (around.length !== 1 || !own || branchesIn(from).filter((b) => b.asks === own.asks).length !== 1) return null;
  const held = own.statements.filter((s) => s.startLine >= first && s.endLine <= last);
  const left = own.statements.filter((s) => !held.includes(s));
  if (own.statements.slice(0, held.length).some((s, i) => s !== held[i])) return null;
  const rename = (w: string) => context.heirs.rename(w);
  const found: Found[] = [];
  const heirs = heirsOf.get(from.fn) ?? [];
  for (const heir of left.length === 1 ? heirs : []) {
    const file = await context.target.file(heir.path);
    if (!file || heir.definition.kind !== 'function') continue;
    const anew = namesCase(own, held, left[0]!, from, { file, fn: heir.definition }, rename);
    if (anew) found.push({ ...anew, confidence: heir.confidence });
  }
  const value = /^return\s+([^;]+?)\s*;$/.exec(textOf(base, held[held.length - 1]!))?.[1];
  for (const { was, is, confidence } of left.length === 0 && value !== undefined
    ? answering(from.fn.name, value, heirs, context)
    : []) {
    for (const caller of await callersOf(was, is, context)) {
      const moved = inCaller(own, held, value!, from, caller, is, rename);
      if (moved) found.push({ ...moved, confidence });
    }
  }
  const [one] = found;
  if (found.length !== 1 || !one) return null;
  if (conditionChange(conditionsAt(base.index, first), conditionsAt(one.file.index, one.at)).length) return null;
  return placed(ends, one, own, from);
}

function placed(ends: GuardEnds, one: Found, own: Branch, from: Side): Placed | null {
  const depth = (l: ByteString) => /^\t*/.exec(l)![0].length;
  const shift = depth(one.file.lines[one.at]!) - depth(from.file.lines[own.statements[0]!.startLine]!);
  const added = inPayload(
    ends,
    (lines) => {
      const read = one.read(lines);
      return read && indented(read, shift);
    },
    null,
  );
  if (!added) return null;
  // A comment that the set says anew gives way where upstream still has it.
  const words = (lines: readonly ByteString[]) => lines.map((l) => l.trim()).filter(Boolean);
  const was = words(ends.open.removed);
  const above = one.file.lines.slice(Math.max(0, one.at - was.length), one.at);
  const gone = was.length && words(above).join('\n') === was.join('\n') ? was.length : 0;
  const text = `${one.file.path}:${one.at + 1}: ${one.why}`;
  return withEnds(
    ends,
    added,
    one.file,
    { at: one.at, end: one.end, why: one.why, gone },
    {
      confidence: Math.min(SAID_ANEW, one.confidence),
      definition: one.fn.name,
      evidence: [{ kind: 'block-followed', text }],
    },
  );
}

const textOf = (file: PorterFile, s: { start: number; end: number }) =>
  stripComments(file.text.slice(s.start, s.end)).trim();

const spelt = (text: ByteString) => tokens(text).join(' ');

/** Every `if` of a function that has one block with braces. */
function branchesIn({ file, fn }: Side): Branch[] {
  const all = statementsIn(file, fn);
  return all.flatMap((s, i): Branch[] => {
    const [body] = s.bodies;
    if (s.kind !== 'if' || s.bodies.length !== 1 || !body?.braced) return [];
    const asks = /^if\s*\(([^{]*)\)\s*\{/.exec(textOf(file, s))?.[1];
    const statements = all.filter((x) => x.parent === i);
    return asks === undefined ? [] : [{ asks: spelt(asks), open: body.startLine, statements }];
  });
}

/**
 * The functions by whose answer a caller gets to know of `return value;`: what the function became, or, when it is gone, the
 * callers that handed its answer on.
 */
function answering(
  name: string,
  value: string,
  heirs: readonly DefinitionHeir[],
  context: PortContext,
): { was: string; is: string; confidence: number }[] {
  if (heirs.length) return heirs.map((h) => ({ was: name, is: h.definition.name, confidence: h.confidence }));
  return context.base.kernel.mentions(name).flatMap(({ file, definition: d }) => {
    if (d.kind !== 'function' || !d.calls.includes(name)) return [];
    const code = spelt(stripComments(file.text.slice(d.body?.start ?? d.start, d.end)));
    const call = `${name} \\( [^;{}]*\\) ;`;
    const handed = new RegExp(`\\b(?:return ${call}|(\\w+) = ${call} if \\( \\1 \\) (?:\\{ )?return \\1 ;)`).exec(code);
    // What the check lets by is not handed on.
    const isPassed = handed && (handed[1] === undefined || /^-? ?(?:[1-9]\d*|E[A-Z]+)$/.test(value));
    return isPassed ? [{ was: d.name, is: context.heirs.rename(d.name), confidence: SAID_ANEW }] : [];
  });
}

/** Functions of the target that call another one, and that called what this was in the base. */
async function callersOf(was: string, is: string, context: PortContext): Promise<Side[]> {
  const before = new Set(
    context.base.kernel
      .mentions(was)
      .map(({ definition: d }) => (d.calls.includes(was) ? context.heirs.rename(d.name) : '')),
  );
  const found: Side[] = [];
  for (const { file, definition: d } of context.target.kernel.mentions(is)) {
    if (d.kind !== 'function' || !d.calls.includes(is) || !before.has(d.name)) continue;
    const own = await context.target.file(file.path);
    const fn = own?.outer.find((x) => x.kind === 'function' && x.name === d.name);
    if (own && fn) found.push({ file: own, fn });
  }
  return found;
}

type Anew = Omit<Found, 'confidence'>;

const asked = (own: Branch, to: Side, rename: (w: string) => string) => {
  const asks = own.asks.split(' ').map(rename).join(' ');
  const there = branchesIn(to).filter((b) => b.asks === asks);
  return there.length === 1 ? there[0]! : null;
};

/** The block in a caller, which does with its answer what it does with that of the function. */
function inCaller(
  own: Branch,
  held: readonly Statement[],
  value: string,
  from: Side,
  to: Side,
  callee: string,
  rename: (w: string) => string,
): Anew | null {
  const there = asked(own, to, rename);
  const does = held.slice(0, -1);
  if (!there || does.length === 0) return null;
  const tail = answered(callee, to);
  if (!tail) return null;
  const expected = [
    ...does.map((s) => spelt(textOf(from.file, s)).split(' ').map(rename).join(' ')),
    ...tail.of(value),
  ];
  const says = there.statements.map((s) => spelt(textOf(to.file, s)));
  if (expected.length !== says.length || expected.some((e, i) => e !== says[i])) return null;
  const names = localsOf(from.fn, from.file.text.slice(from.fn.start, from.fn.end));
  const known = new Set(does.flatMap((s) => tokens(textOf(from.file, s))));
  const read = (lines: readonly ByteString[]) => {
    const code = stripComments(lines.join('')).trim();
    if (tokens(code).some((w) => names.has(w) && !known.has(w)) || /\b(?:goto|break|continue)\b/.test(code))
      return null;
    // Behind the block stands what the caller does, no more what the function did.
    if (!/(?:^|[\s;}])(?:BUG\s*\(\s*\)|panic\s*\([^;]*\)|return\b[^;]*)\s*;$/.test(code)) return null;
    if ((code.match(/\breturn\b/g) ?? []).length > (/\breturn\b[^;]*;$/.test(code) ? 1 : 0)) return null;
    return lines.flatMap((l) => {
      const left = /^(\s*)return\s+([^;]+?)\s*;\s*$/.exec(l);
      return left ? tail.lines(left[2]!).map((t) => `${left[1]!}${t}\n`) : [l];
    });
  };
  const why = `under the same condition '${to.fn.name}' does the same, and goes on as with an answer of '${callee}'`;
  return { ...to, at: there.statements[0]!.startLine, end: there.statements[says.length - 1]!.endLine + 1, why, read };
}

/** What a function does with the answer of a call that it makes once: `return f(…);` or `R = f(…); goto L;`. */
function answered(
  callee: string,
  { file, fn }: Side,
): { of: (value: string) => string[]; lines: (value: string) => string[] } | null {
  const all = statementsIn(file, fn);
  const calls = all.filter((s) => s.bodies.length === 0 && new RegExp(`\\b${callee}\\s*\\(`).test(textOf(file, s)));
  const [call] = calls;
  if (calls.length !== 1 || !call) return null;
  const made = new RegExp(`^(?:return|(\\w+)\\s*=)\\s*${callee}\\s*\\([^;{}]*\\)\\s*;$`).exec(textOf(file, call));
  if (!made) return null;
  const into = made[1];
  const next = all.filter((s) => s.parent === call.parent && s.start >= call.end).sort((a, b) => a.start - b.start)[0];
  const leaves = next && /^(?:goto|return)\s+\w+\s*;$/.exec(textOf(file, next))?.[0];
  if (into !== undefined && leaves === undefined) return null;
  const lines = (value: string) => (into === undefined ? [`return ${value};`] : [`${into} = ${value};`, leaves!]);
  return { lines, of: (value) => lines(value).map(spelt) };
}

/** The block that only names the case, and goes to where the case is dealt with as the block did before. */
function namesCase(
  own: Branch,
  held: readonly Statement[],
  left: Statement,
  from: Side,
  to: Side,
  rename: (w: string) => string,
): Anew | null {
  const there = asked(own, to, rename);
  const leaves = /^goto\s+(\w+)\s*;$/.exec(textOf(from.file, left))?.[1];
  const [says, goes, ...more] = there?.statements ?? [];
  if (!there || leaves === undefined || !says || !goes || more.length) return null;
  const named = /^(\w+)\s*=\s*(-?\s*\w+)\s*;$/.exec(textOf(to.file, says));
  const label = /^goto\s+(\w+)\s*;$/.exec(textOf(to.file, goes))?.[1];
  if (!named || label === undefined || label === leaves) return null;
  const [, into, value] = named as unknown as [string, string, string];
  const did = held.map((s) => spelt(textOf(from.file, s)).split(' ').map(rename).join(' ')).join(' ');
  const code = spelt(stripComments(to.file.text.slice(to.fn.start, to.fn.end)));
  const behind = `${label} : if ( ${into} == ${spelt(value)} ) { ${did} } ${leaves} :`;
  if (!` ${code} `.includes(` ${behind} `)) return null;
  const read = (lines: readonly ByteString[]) => {
    const text = stripComments(lines.join(''));
    const set = [...text.matchAll(new RegExp(`\\b${into}\\s*=(?!=)\\s*([^;]*);`, 'g'))].map((m) => spelt(m[1]!));
    const isOther = set.length === 1 && /^(?:- )?\w+$/.test(set[0]!) && set[0] !== spelt(value);
    return isOther && !/\b(?:goto|break|continue)\b/.test(text) ? [...lines] : null;
  };
  const why = `the block says '${into} = ${value}', and '${label}' does for that what it did; the set says another value`;
  return { ...to, at: says.startLine, end: says.endLine + 1, why, read };
}

/**
 * What leaves a function, and would mean another thing in one that its code went to: a jump that the guarded code made and
 * does not make there, or one of the set's own that the guarded code did not make. Null when there is none.
 */
export function strangeJump(edit: Edit, base: PorterFile, p: Placed): string | null {
  const jumps = (lines: readonly ByteString[]) =>
    [...stripComments(lines.join('')).matchAll(/\b(?:return|goto|break|continue)\b[^;]*;/g)].map((m) => spelt(m[0]));
  const at = p.segments.map((s) => s.site.at);
  const there = jumps(p.file.lines.slice(Math.min(...at), Math.max(...at)));
  const made = jumps(base.lines.slice(edit.wraps!.first, edit.wraps!.last + 1));
  const own = jumps(p.segments.flatMap((s) => s.segment.added));
  return made.find((j) => !there.includes(j)) ?? own.find((j) => !made.includes(j)) ?? null;
}
