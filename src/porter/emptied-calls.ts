import { stripComments, tokens, type ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index';
import type { PortContext } from './context';
import type { Pairing } from './site';
import type { Placed, PlacedSegment } from './place';
import type { EditResult } from './port-edit';

/** Code of upstream that the set's authors never saw is guarded: at most this sure. */
const KEPT = 0.75;

/**
 * A guard around the whole body of a function makes it do nothing, and upstream put a call of it where the base did the work
 * itself: with the option on that work would be lost without a word. It is done as in the base there, under the guard.
 *
 * The new caller is the heir of what it stands for: it is new, the other is gone, and all that call the one called the
 * other. What the base did at the very place of the call is known from the lines around it, which are the same. Where one of
 * this does not hold, the caller is left as it is, and said (`uses.ts`).
 */
export async function keepEmptiedWork(results: readonly EditResult[], context: PortContext): Promise<void> {
  for (const result of results) {
    const option =
      result.edit.kind === 'guard-wrap' ? /^ifndef\s+(\w+)$/.exec(result.edit.guard ?? '')?.[1] : undefined;
    if (option === undefined) continue;
    for (const p of [...result.placements]) {
      if (p.definition === null || p.segments.length !== 2 || !p.segments.every((s) => s.site.whole)) continue;
      for (const user of newCallers(p.definition, context)) {
        if (isEdited(user.definition.name, results, context)) continue;
        const made: Placed[] = [];
        for (const was of forerunners(user.definition.name, context)) {
          const kept = await keptWork(p.definition, was, user, option, result, context);
          if (kept) made.push(kept);
        }
        if (made.length === 1) result.placements.push(made[0]!);
      }
    }
  }
}

/** True for a placement that {@link keepEmptiedWork} made. */
export const keepsWork = (p: Placed) => p.evidence.some((e) => e.kind === 'work-kept');

/** Functions of the target that call a function which nothing of their name called in the base. */
export function newCallers(name: string, context: PortContext): Found[] {
  const called = ({ definition: d }: Found) => d.kind === 'function' && d.calls.includes(name);
  return context.target.kernel
    .mentions(name)
    .filter((f) => called(f) && f.definition.name !== name)
    .filter((f) => !context.base.kernel.definitions(f.definition.name).some(called));
}

function isEdited(name: string, results: readonly EditResult[], context: PortContext): boolean {
  return [...results, ...context.placed.map((e) => e.result)].some((r) =>
    r.placements.some((p) => p.definition === name && !p.segments.every((s) => s.site.whole)),
  );
}

async function keptWork(
  emptied: string,
  was: Found,
  user: Found,
  option: string,
  holder: EditResult,
  context: PortContext,
): Promise<Placed | null> {
  const [base, target] = [await context.base.file(was.file.path), await context.target.file(user.file.path)];
  const [from, to] = [base, target].map((f, i) =>
    f?.outer.find((d) => d.kind === 'function' && d.name === [was, user][i]!.definition.name),
  );
  if (!base || !target || !from || !to) return null;
  const p = context.aligner.definitions(base, from, target, to);
  const calls = [...p.targetUnits.keys()].filter((i) => p.targetUnits[i]!.tokens.includes(emptied));
  const at = calls[0];
  const unit = at === undefined ? undefined : p.targetUnits[at]!;
  const line = unit && target.lines[unit.first]!;
  if (p.match.filter((m) => m).length * 2 < p.targetUnits.length) return null;
  if (calls.length !== 1 || unit?.first !== unit?.last || !/^\s*\w+\s*\([^;{}]*\);\s*$/.test(stripComments(line!)))
    return null;
  const work = workAt(p, at!, /^\s*/.exec(line!)![0]);
  if (!work || strange(work, to, target.text, context.target.kernel)) return null;
  const why = `with the option on '${emptied}' does nothing: '${to.name}' does what '${from.name}' did`;
  const part = (where: number, added: ByteString[], order: number): PlacedSegment => ({
    segment: { at: 0, removed: [], added, anchor: 'between', hunk: holder.edit.hunks[0]!, order },
    site: { at: where, remove: 0, precision: 'anchored', why },
    added,
  });
  return {
    placed: true,
    file: target,
    segments: [
      part(unit!.first, [`#ifdef ${option}\n`, ...work, '#else\n'], -2),
      part(unit!.first + 1, ['#endif\n'], -1),
    ],
    strategy: 'structure',
    confidence: Math.min(KEPT, ...holder.placements.map((x) => x.confidence)),
    evidence: [{ kind: 'work-kept', text: why }],
    definition: to.name,
    rewritten: true,
  };
}

/** Functions that are gone from the target and that all callers of a new one called in the base. */
function forerunners(name: string, context: PortContext): Found[] {
  if (context.base.kernel.definitions(name).length) return [];
  const callers = context.target.kernel.mentions(name).filter((f) => f.definition.name !== name);
  if (callers.length === 0 || callers.some((f) => !f.definition.calls.includes(name))) return [];
  const before = callers.map((f) =>
    context.base.kernel.definitions(f.definition.name).flatMap((b) => b.definition.calls),
  );
  const gone = new Set(
    before[0]!.filter((n) => !context.target.kernel.definitions(n).length && before.every((list) => list.includes(n))),
  );
  return [...gone].flatMap((n) => context.base.kernel.definitions(n).filter((f) => f.definition.kind === 'function'));
}

/** What the base did where the target makes a call, in the target's words; null when that is not known. */
function workAt(p: Pairing, call: number, indent: string): ByteString[] | null {
  const baseOf = (to: number) => p.match.findIndex((m) => m?.to === to);
  const [above, below] = [baseOf(call - 1), baseOf(call + 1)];
  if (baseOf(call) >= 0 || above < 0) return null;
  const between = below > above ? p.baseUnits.slice(above + 1, below) : [];
  const rest = restOf(p.baseUnits[above]!.tokens, p.targetUnits[call - 1]!.tokens);
  if (rest !== null) return between.length ? null : [`${indent}${rest}\n`];
  if (between.length === 0 || p.match[above]!.similarity < 1 || p.match[below]?.similarity !== 1) return null;
  const lines = p.base.lines.slice(between[0]!.first, between[between.length - 1]!.last + 1);
  return isWhole(lines.join('')) ? lines : null;
}

/** `X = f(Y) + C;` of the base and `X = f(Y);` of the target: `X += C;` is what is left to do. Null for anything else. */
function restOf(was: readonly string[], is: readonly string[]): string | null {
  const [op, constant] = [was[was.length - 3], was[was.length - 2]];
  const at = is.indexOf('=');
  if (was.length !== is.length + 2 || at < 1 || was.indexOf('=') !== at || !/^[-+|&^]$/.test(op ?? '')) return null;
  if (!/^(?:\d\w*|[A-Z][A-Z0-9_]+)$/.test(constant ?? '')) return null;
  const [left, value] = [is.slice(0, at), is.slice(at + 1, -1)];
  if (left.join() !== was.slice(0, at).join() || !/^\w+(?:\([^()]*\))?$/.test(value.join(''))) return null;
  // Only what the kernels spell in two ways may differ: the operand of a call.
  const before = was.slice(at + 1, -3);
  if (before[0] !== value[0] || (value.length === 1 && before.length !== 1)) return null;
  return `${left.join('')} ${op}= ${constant};`;
}

/** True for statements that are complete, without a jump or a label of the function around them. */
function isWhole(text: ByteString): boolean {
  const words = tokens(stripComments(text));
  const count = (w: string) => words.filter((t) => t === w).length;
  if (words.some((w) => ['#', 'return', 'goto', 'break', 'continue', 'case', ':'].includes(w))) return false;
  return (
    words[0] !== 'else' &&
    count('{') === count('}') &&
    count('(') === count(')') &&
    /[;}]\s*$/.test(stripComments(text))
  );
}

/** True when lines speak of what the target does not have. */
function strange(
  lines: readonly ByteString[],
  to: Found['definition'],
  text: ByteString,
  kernel: KernelIndex,
): boolean {
  const there = new Set(tokens(text.slice(to.start, to.end)));
  return tokens(stripComments(lines.join(''))).some(
    (w) =>
      /^[A-Za-z_]\w*$/.test(w) &&
      !['if', 'else', 'for', 'while', 'do', 'sizeof'].includes(w) &&
      !there.has(w) &&
      kernel.definitions(w).length === 0 &&
      kernel.members(w).length === 0,
  );
}
