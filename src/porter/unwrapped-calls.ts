import { splitLines, stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { Statement } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import { statementsIn } from './blocks';
import type { PortContext } from './context';
import { guardEnds, withEnds, type GuardEnds } from './guard-ends';
import { conditionChange, conditionsAt } from './guards';
import type { Edit } from './lift';
import { usesOf } from './mentions';
import { scopeOf, type Placed } from './place';
import type { PlacedEdit } from './uses';
import type { PorterFile } from './view';

/** At most this sure: several functions make the call now. */
const UNWRAPPED = 0.75;

/** A call as a statement: `f(…);`, or `m(f, …);` where something else makes it. */
interface Made {
  by: string | null;
  callee: string;
}

/**
 * A guard around all that a small function does, one call, takes that call out of the kernel: the function is the only one
 * that makes it. Upstream has no such function any more, and its callers make the call themselves: so the guard goes around
 * each of them. The bare body of an `if` takes the `if` with it.
 *
 * Null unless every use of the callee in the target is such a statement. Where something else makes the call (`m(f, …)`), the
 * one that answers it is let be: it names `f` otherwise.
 */
export async function unwrappedCalls(
  edit: Edit,
  base: PorterFile,
  wrapper: Definition,
  context: PortContext,
): Promise<Placed[] | null> {
  const ends = guardEnds(edit, base);
  const own = ends?.scope === wrapper ? onlyCall(edit, base, wrapper, context) : null;
  if (!ends || !own || !isAlone(own, base, wrapper, context)) return null;
  const { kernel } = context.target;
  const where = conditionsAt(base.index, edit.wraps!.first);
  const found: Placed[] = [];
  const seen = new Set<string>();
  for (const { path, line, user } of usesOf(own.callee, kernel)) {
    const file = await context.target.file(path);
    const fn = file?.outer.find((d) => d.kind === 'function' && d.name === user && holds(d, line));
    if (!file || !fn) return null;
    const statements = statementsIn(file, fn);
    const call = statements.find((s) => s.kind === 'expression' && spans(s, line));
    if (!call || !makes(file, call, own)) {
      // What answers the call names it without the one that makes it.
      if (own.by !== null && !makesCall(own, textAt(file, line))) continue;
      return null;
    }
    const held = whole(file, statements, call);
    if (!held || conditionChange(where, conditionsAt(file.index, held.startLine)).length) return null;
    const key = `${path}:${held.startLine}`;
    if (!seen.has(key)) found.push(placeAt(ends, { file, fn, held }, wrapper.name, own));
    seen.add(key);
  }
  return found.length ? found : null;
}

/** The one call that a small function makes and a guard takes out; null when there is none. */
function onlyCall(edit: Edit, base: PorterFile, wrapper: Definition, context: PortContext): Made | null {
  if (edit.kind !== 'guard-wrap' || wrapper.kind !== 'function') return null;
  const [only, ...more] = statementsIn(base, wrapper);
  const own = only && more.length === 0 ? madeBy(base, only, context.base.kernel) : null;
  if (!own || only!.startLine < edit.wraps!.first || only!.endLine > edit.wraps!.last) return null;
  if (!isFunction(own.callee, context.base.kernel) || !isFunction(own.callee, context.target.kernel)) return null;
  return own;
}

/** Every line of the base's functions that names a callee is the wrapper's. */
const isAlone = (own: Made, base: PorterFile, wrapper: Definition, context: PortContext) =>
  usesOf(own.callee, context.base.kernel).every((u) => u.path === base.path && u.user === wrapper.name);

/** A line that hands a callee to what makes the call, or makes it itself. */
function makesCall({ by, callee }: Made, text: ByteString): boolean {
  return new RegExp(by === null ? `\\b${callee}\\s*\\(` : `\\b${by}\\s*\\(\\s*${callee}\\b`).test(text);
}

/** Where a kernel makes a call; not as ported, but as upstream has it. */
const callersOf = (own: Made, kernel: KernelIndex) =>
  usesOf(own.callee, kernel).filter(({ path, line }) => {
    const lines = splitLines(kernel.file(path)?.text ?? '');
    return makesCall(own, stripComments(lines.slice(line, line + 1).join('')));
  });

/**
 * A guard around all that a small function does, one call that nothing else makes, takes that call out of the kernel. Where
 * upstream keeps the function, and makes the call in others, too, those still make it: they are named.
 *
 * @param covered true for a line of the target that a guard of the set holds
 */
export function sayOtherCalls(
  edits: readonly PlacedEdit[],
  covered: (path: ByteString, line: number) => boolean,
  context: PortContext,
): void {
  for (const { result, base } of edits) {
    const wrapper = scopeOf(base, result.edit.segments[0]!);
    const own = wrapper && result.placements.length ? onlyCall(result.edit, base, wrapper, context) : null;
    if (!wrapper || !own) continue;
    // What answers the call may name it for reasons of its own, or for another architecture.
    const others = callersOf(own, context.base.kernel).filter((u) => u.path !== base.path || u.user !== wrapper.name);
    if (others.length) continue;
    const open = callersOf(own, context.target.kernel).filter((u) => !covered(u.path, u.line));
    const users = new Set(open.map((u) => `'${u.user}'`));
    if (users.size === 0) continue;
    const named = [...users].slice(0, MOST_NAMED).join(', ');
    const text = `it guards out all calls of '${own.callee}' that the base makes; ${named} of the target makes it, too, outside of any guard`;
    for (const p of result.placements) p.confidence = Math.min(p.confidence, UNWRAPPED);
    result.placements[0]!.evidence.push({ kind: 'doubt', text });
  }
}

/** So many functions are named. */
const MOST_NAMED = 3;

const spans = (s: Statement, line: number) => s.startLine <= line && s.endLine >= line;

const holds = (d: Definition, line: number) => d.startLine <= line && line <= d.endLine;

const textAt = (file: PorterFile, line: number) => stripComments(file.lines.slice(line - 1, line + 2).join(''));

function isFunction(name: string, kernel: KernelIndex): boolean {
  return kernel.definitions(name).some(({ definition: d }) => d.kind === 'function' || d.kind === 'prototype');
}

/** The words of a statement that is a call and nothing else; null for any other. */
function callWords(file: PorterFile, s: Statement): string[] | null {
  const words = tokens(stripComments(file.text.slice(s.start, s.end)));
  const isCall = /^[A-Za-z_]\w*$/.test(words[0] ?? '') && words[1] === '(' && words.slice(-2).join('') === ');';
  return s.kind === 'expression' && isCall ? words : null;
}

/** What a statement calls: what it hands over first, when that is a function. */
function madeBy(file: PorterFile, s: Statement, kernel: KernelIndex): Made | null {
  const words = callWords(file, s);
  if (!words) return null;
  const handed = /^[,)]$/.test(words[3] ?? '') && isFunction(words[2]!, kernel);
  return handed ? { by: words[0]!, callee: words[2]! } : { by: null, callee: words[0]! };
}

function makes(file: PorterFile, s: Statement, own: Made): boolean {
  const words = callWords(file, s);
  return own.by === null ? words?.[0] === own.callee : words?.[0] === own.by && words[2] === own.callee;
}

/** The lines that a guard has to hold: a statement of its own lines, or the plain `if` that it is the bare body of. */
function whole(file: PorterFile, statements: readonly Statement[], call: Statement): Statement | null {
  const around = statements[call.parent];
  const body = around?.bodies.find((b) => b.startLine <= call.startLine && b.endLine >= call.endLine);
  const bare = around && body && !body.braced;
  if (bare) {
    const asked = stripComments(file.text.slice(around.start, call.start));
    const plain = /^if\s*\([\w\s!&|>.<=-]*\)\s*$/.test(asked) && !/[^=!<>]=[^=]|\+\+|--/.test(asked);
    if (around.kind !== 'if' || around.bodies.length !== 1 || !plain) return null;
    const outer = statements[around.parent]?.bodies.find(
      (b) => b.startLine <= around.startLine && b.endLine >= around.endLine,
    );
    if (outer && !outer.braced) return null;
  }
  const held = bare ? around : call;
  const lines: ByteString = file.lines.slice(held.startLine, held.endLine + 1).join('');
  return lines.trim() === file.text.slice(held.start, held.end).trim() ? held : null;
}

function placeAt(
  ends: GuardEnds,
  { file, fn, held }: { file: PorterFile; fn: Definition; held: Statement },
  wrapper: string,
  { callee }: Made,
): Placed {
  const why = `'${wrapper}', which only called '${callee}', is gone: '${fn.name}' calls it itself`;
  return withEnds(
    ends,
    { open: ends.open.added, close: ends.close.added },
    file,
    { at: held.startLine, end: held.endLine + 1, why },
    {
      confidence: UNWRAPPED,
      definition: fn.name,
      evidence: [{ kind: 'call-unwrapped', text: `${file.path}:${held.startLine + 1}: ${why}` }],
    },
  );
}
