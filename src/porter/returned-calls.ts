import { stripComments, tokens, type ByteString } from '../core/text';
import type { Statement } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import { statementsIn } from './blocks';
import type { PortContext } from './context';
import { guardEnds, inPayload, withEnds } from './guard-ends';
import { conditionChange, conditionsAt } from './guards';
import type { DefinitionHeir } from './heirs';
import type { Edit } from './lift';
import { localsOf } from './locals';
import type { Placed } from './place';
import type { PorterFile } from './view';

/** At most this sure: the function ends in another way now. */
const RETURNED = 0.75;

/** `E = f(…); if (E) goto out;`, as two statements of a body, and nothing but a `return` behind them. */
interface LastCall {
  into: string;
  name: string;
  args: string;
  /** Where a failure goes: `goto out` or `return E`. */
  leaves: string;
}

/**
 * The last thing that a function did was a call with a check of its answer, and the set guards both. Upstream returns the
 * answer now: `return f(…);`. That is the same call, so the guard goes around it, and the set's code in the other branch
 * leaves as upstream does: where it went to the label that a failure of `f` went to, it returns the error; at its end it
 * returns 0, which is what `f` says where the base went on.
 *
 * Null unless the call is made once, with the same operands, as the last statement of the body, and all jumps of the set's
 * code are such.
 */
export async function returnedCall(
  edit: Edit,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<Placed | null> {
  const ends = guardEnds(edit, base);
  if (ends?.scope?.kind !== 'function') return null;
  const { scope } = ends;
  const own = lastCall(base, scope, edit.wraps!);
  if (!own) return null;
  const found: Placed[] = [];
  for (const heir of heirsOf.get(scope) ?? []) {
    const target = await context.target.file(heir.path);
    if (!target || heir.definition.kind !== 'function') continue;
    const at = returnOf(own, target, heir.definition, (w) => context.heirs.rename(w));
    if (!at) continue;
    if (conditionChange(conditionsAt(base.index, ends.open.at), conditionsAt(target.index, at.startLine)).length)
      continue;
    const has = localsOf(heir.definition, target.text.slice(heir.definition.start, heir.definition.end));
    const leave = (lines: readonly ByteString[]) => leaving(lines, own, has.has(own.into));
    const added = inPayload(ends, leave, '\treturn 0;\n');
    if (!added) continue;
    const why = `what '${own.name}' says is returned here; in the base a failure of it was '${own.leaves};'`;
    found.push(
      withEnds(
        ends,
        added,
        target,
        { at: at.startLine, end: at.endLine + 1, why },
        {
          confidence: Math.min(heir.confidence, RETURNED),
          definition: heir.definition.name,
          evidence: [...heir.evidence, { kind: 'call-returned', text: `${target.path}:${at.startLine + 1}: ${why}` }],
        },
      ),
    );
  }
  return found.length === 1 ? found[0]! : null;
}

const textOf = (file: PorterFile, s: { start: number; end: number }) =>
  stripComments(file.text.slice(s.start, s.end)).trim();

const spelt = (text: ByteString) => tokens(text).join(' ');

/** The call that a guard holds, with its check, as the last thing before the function returns. */
function lastCall(base: PorterFile, scope: Definition, wraps: { first: number; last: number }): LastCall | null {
  const top = statementsIn(base, scope).filter((s) => s.depth === 0);
  const inside = (s: Statement) => s.startLine >= wraps.first && s.endLine <= wraps.last;
  const [call, check, ...more] = top.filter(inside);
  if (!call || !check || more.length || top[top.indexOf(check) + 1]?.kind !== 'return') return null;
  const made = /^(\w+)\s*=\s*(\w+)\s*\(([^;{}]*)\)\s*;$/.exec(textOf(base, call));
  const left = /^if\s*\(\s*(\w+)\s*\)\s*\{?\s*(goto\s+\w+|return\s+\w+)\s*;\s*\}?$/.exec(textOf(base, check));
  if (!made || left?.[1] !== made[1]) return null;
  return { into: made[1]!, name: made[2]!, args: made[3]!, leaves: left![2]!.replace(/\s+/g, ' ') };
}

/** The last statement of a function, when it returns what that call says, and nothing else of the function makes the call. */
function returnOf(own: LastCall, file: PorterFile, fn: Definition, rename: (word: string) => string): Statement | null {
  const all = statementsIn(file, fn);
  const last = all.filter((s) => s.depth === 0).pop();
  if (last?.kind !== 'return') return null;
  const now = /^return\s+(\w+)\s*\(([^;{}]*)\)\s*;$/.exec(textOf(file, last));
  const name = rename(own.name);
  if (now?.[1] !== name || spelt(now[2]!) !== tokens(own.args).map(rename).join(' ')) return null;
  const calls = stripComments(file.text.slice(fn.start, fn.end)).match(new RegExp(`\\b${name}\\s*\\(`, 'g')) ?? [];
  return calls.length === 1 ? last : null;
}

/** The set's code with its failures returned; null when it leaves in a way that is not known. */
function leaving(lines: readonly ByteString[], own: LastCall, hasError: boolean): ByteString[] | null {
  const code = stripComments(lines.join(''));
  const jumps = code.match(/\b(?:goto|return|break|continue)\b/g) ?? [];
  if (jumps.length && !hasError) return null;
  const failure = new RegExp(
    `\\bif\\s*\\(\\s*(?:unlikely\\s*\\(\\s*)?${own.into}\\s*(?:<\\s*0|!=\\s*0)?\\s*\\)?\\s*\\)\\s*\\{?\\s*${own.leaves.replace(' ', '\\s+')}\\s*;`,
    'g',
  );
  if ((code.match(failure) ?? []).length !== jumps.length) return null;
  return lines.map((l) => l.replace(new RegExp(`\\b${own.leaves.replace(' ', '\\s+')}\\s*;`), `return ${own.into};`));
}
