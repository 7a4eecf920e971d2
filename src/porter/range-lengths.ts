import { stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { Parameter } from '../kernel-index/types';
import { argumentsAt } from './adapt';
import { statementsIn } from './blocks';
import type { PortContext } from './context';
import { guardEnds, inPayload, withEnds } from './guard-ends';
import { conditionChange, conditionsAt } from './guards';
import type { DefinitionHeir } from './heirs';
import type { Edit } from './lift';
import type { Placed } from './place';
import type { PorterFile } from './view';

/** At most this sure: what the callee takes is another thing now. */
const RANGE = 0.75;

/** How parameters that say how long a range is are called. */
const LENGTH = /size|len|length|count|bytes|^nr_|^n?pages$/;

/** A call that is a statement of its own: `f(…);` or `E = f(…);`. */
interface Call {
  into: string;
  name: string;
  args: string[];
  /** Where each argument begins in the text. */
  starts: number[];
}

/**
 * A function took the start and the end of a range, and upstream gives it the start and the length: `f(s, s + X)` became
 * `f(s, X)` in the very call that an edit changes. Where the set hands over another end under its guard, `s + Y`, that is
 * the length `Y` in the target.
 *
 * Null unless the set changes that one argument alone, the call is made once in each function, to the same start, the
 * callee's parameter for the end is gone, and the new one that takes what was added to the start is called like a length.
 */
export async function rangeLength(
  edit: Edit,
  base: PorterFile,
  heirsOf: ReadonlyMap<PorterFile['outer'][number], DefinitionHeir[]>,
  context: PortContext,
): Promise<Placed | null> {
  const ends = guardEnds(edit, base);
  if (ends?.scope?.kind !== 'function') return null;
  const { first, last } = edit.wraps!;
  const statement = statementsIn(base, ends.scope).find(
    (s) => s.kind === 'expression' && s.startLine <= first && s.endLine >= last && s.endLine > s.startLine,
  );
  const branches = edit.branches.filter((b) => stripComments(b.added.join('')).trim() !== '');
  if (!statement || branches.length !== 1 || (first === statement.startLine && last === statement.endLine)) return null;
  const above = base.lines.slice(statement.startLine, first);
  const below = base.lines.slice(last + 1, statement.endLine + 1);
  const was = readCall(base.lines.slice(statement.startLine, statement.endLine + 1).join(''));
  const own = readCall([...above, ...branches[0]!.added, ...below].join(''));
  const change = was && own && changedEnd(was, own);
  if (!change || callsIn(base, ends.scope, was.name) !== 1) return null;
  const rename = (text: string) =>
    tokens(text)
      .map((w) => context.heirs.rename(w))
      .join(' ');
  const name = rename(was.name);
  const [before, after] = [takes(was.name, context.base.kernel), takes(name, context.target.kernel)];
  if (before?.length !== was.args.length || !after) return null;
  const has = (list: readonly Parameter[], parameter: string) => list.findIndex((p) => p.name === parameter);
  const [start, end] = [before[change.start]!.name, before[change.end]!.name];
  const to = has(after, start);
  if (start === '' || end === '' || to < 0 || has(after, end) >= 0) return null;
  const found: Placed[] = [];
  for (const heir of heirsOf.get(ends.scope) ?? []) {
    const file = await context.target.file(heir.path);
    if (!file || heir.definition.kind !== 'function' || callsIn(file, heir.definition, name) !== 1) continue;
    for (const s of statementsIn(file, heir.definition)) {
      const whole = file.lines.slice(s.startLine, s.endLine + 1).join('');
      const now = s.kind === 'expression' ? readCall(whole) : null;
      if (now?.name !== name || now.args.length !== after.length || now.into !== rename(was.into)) continue;
      if (now.args[to] !== rename(was.args[change.start]!)) continue;
      const at = after.findIndex(
        (p, i) => LENGTH.test(p.name) && has(before, p.name) < 0 && now.args[i] === rename(change.was),
      );
      if (at < 0) continue;
      if (conditionChange(conditionsAt(base.index, first), conditionsAt(file.index, s.startLine)).length) continue;
      const line = lineWith(whole, now, at, change.now);
      const added = line && inPayload(ends, () => [line.text], null);
      if (!added) continue;
      const why = `'${name}' takes the length '${after[at]!.name}' in place of '${end}': '${change.was}' and '${change.now}' are added to '${was.args[change.start]!}' in the base`;
      const where = { at: s.startLine + line.nth, end: s.startLine + line.nth + 1, why };
      const text = `${file.path}:${where.at + 1}: ${why}`;
      found.push(
        withEnds(ends, added, file, where, {
          confidence: Math.min(heir.confidence, RANGE),
          definition: heir.definition.name,
          evidence: [...heir.evidence, { kind: 'range-length', text: text }],
        }),
      );
    }
  }
  return found.length === 1 ? found[0]! : null;
}

/** The call of a statement, its arguments squeezed; null for any other statement, and for one with directives in it. */
function readCall(text: ByteString): Call | null {
  const m = /^\s*(?:([\w.>[\]-]+)\s*=\s*)?(\w+)\s*\(/.exec(text);
  const args = m && !/^\s*#/m.test(text) && !/\/[*/]/.test(text) ? argumentsAt(text, m[0].length - 1) : null;
  if (!args || text.slice(args.end + 1).trim() !== ';') return null;
  const starts: number[] = [];
  let at = m![0].length;
  for (const arg of args.list) {
    starts.push(at + (arg.length - arg.trimStart().length));
    at += arg.length + 1;
  }
  return { into: m![1] ?? '', name: m![2]!, args: args.list.map((a) => tokens(a).join(' ')), starts };
}

/** The one argument that differs, when both times it is another argument with something added to it; else null. */
function changedEnd(was: Call, own: Call): { start: number; end: number; was: string; now: string } | null {
  if (was.name !== own.name || was.into !== own.into || was.args.length !== own.args.length) return null;
  const differ = was.args.flatMap((a, i) => (a === own.args[i] ? [] : [i]));
  const [end] = differ;
  if (end === undefined || differ.length !== 1) return null;
  const start = was.args.findIndex((a, i) => i !== end && was.args[end]!.startsWith(`${a} + `));
  if (start < 0 || !own.args[end]!.startsWith(`${was.args[start]!} + `)) return null;
  const rest = (text: string) => text.slice(was.args[start]!.length + 3);
  const [added, now] = [rest(was.args[end]!), rest(own.args[end]!)];
  // `s + X - Y` is no length plus the start, as long as nobody computes it.
  return [added, now].every((t) => /^[\w.>-]+$/.test(t.replaceAll(' ', ''))) ? { start, end, was: added, now } : null;
}

/** The parameters of a function of which all that declare it say the same; null for macros, and where they differ. */
function takes(name: string, kernel: KernelIndex): Parameter[] | null {
  const all = kernel.definitions(name).map((f) => f.definition);
  const lists = all.flatMap((d) => (d.kind === 'function' || d.kind === 'prototype' ? (d.signature ?? []) : []));
  if (lists.length === 0 || lists.length !== all.length || lists.some((s) => s.variadic)) return null;
  const said = lists.filter((s) => s.parameters.every((p) => p.name !== ''));
  const spelt = new Set(said.map((s) => s.parameters.map((p) => `${p.type} ${p.name}`).join(', ')));
  return spelt.size === 1 ? said[0]!.parameters : null;
}

function callsIn(file: PorterFile, fn: { start: number; end: number }, name: string): number {
  const text = stripComments(file.text.slice(fn.start, fn.end));
  return text.match(new RegExp(`\\b${name}\\s*\\(`, 'g'))?.length ?? 0;
}

/** The line of a statement that holds an argument, with another one in its place; null when it is more than one line. */
function lineWith(text: ByteString, call: Call, index: number, now: string): { nth: number; text: ByteString } | null {
  const from = call.starts[index]!;
  const old = argumentsAt(text, text.indexOf('('))!.list[index]!.trim();
  if (old.includes('\n')) return null;
  const nth = text.slice(0, from).split('\n').length - 1;
  const lines = (text.slice(0, from) + now + text.slice(from + old.length)).split(/(?<=\n)/);
  return { nth, text: lines[nth]! };
}
