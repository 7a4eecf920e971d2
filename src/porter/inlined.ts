import { stripComments, tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { argumentsAt } from './adapt';
import type { PortContext } from './context';
import type { DefinitionHeir } from './heirs';

/** Where the work of a helper that is gone is done now: a line of the function that called it, from 0. */
export interface DoneBy {
  by: string;
  path: ByteString;
  line: number;
  user: string;
}

/** What a call does, as far as it can be told without the names of a function's own: the callee, and what it is always given. */
interface Act {
  callee: string;
  operands: string[];
}

const CALL = /(?<![\w.>])([A-Za-z_]\w*)\s*\(/g;
const KEYWORD = /^(if|for|while|switch|return|sizeof|typeof|do|else)$/;

/**
 * A helper that a guard takes out, and that is gone, was not always useless: upstream may do its work in the caller, or call
 * another one for it. So it is when every call that the helper made, with the register, constant or global that it named, is
 * made by an heir of the caller itself, or by a function which that calls and the caller did not call before.
 */
export async function doneInstead(
  helper: string,
  scope: Definition,
  heirs: readonly DefinitionHeir[],
  context: PortContext,
): Promise<DoneBy | null> {
  for (const { file, definition: d } of context.base.kernel.definitions(helper)) {
    if (d.kind !== 'function' || !d.body) continue;
    const own = new Set(d.signature?.parameters.map((p) => p.name));
    const acts = actsIn(stripComments(file.text.slice(d.body.start, d.body.end)), own);
    // A call that names nothing could be any.
    if (acts.length === 0 || acts.some((a) => a.operands.length === 0)) continue;
    for (const heir of heirs) {
      const target = await context.target.file(heir.path);
      const { definition: h } = heir;
      if (!target || !h.body) continue;
      const body = blanked(target.text.slice(h.body.start, h.body.end));
      const lineOf = (offset: number) => target.text.slice(0, h.body!.start + offset).split('\n').length - 1;
      const at = performs(body, acts);
      if (at !== null) return { by: h.name, path: heir.path, line: lineOf(at), user: h.name };
      for (const m of body.matchAll(CALL)) {
        const name = m[1]!;
        if (scope.calls.includes(name)) continue;
        const does = context.target.kernel.definitions(name).some(({ file: f, definition: x }) => {
          return (
            x.kind === 'function' && x.body && performs(blanked(f.text.slice(x.body.start, x.body.end)), acts) !== null
          );
        });
        if (does) return { by: name, path: heir.path, line: lineOf(m.index), user: h.name };
      }
    }
  }
  return null;
}

/**
 * Where a call that left a function is made now: in a function that an heir calls and that the old one did not call. Null
 * when there is no such place, or more than one.
 */
export async function calledBelow(
  callee: string,
  scope: Definition,
  heirs: readonly DefinitionHeir[],
  context: PortContext,
): Promise<DoneBy | null> {
  const found: DoneBy[] = [];
  for (const heir of heirs) {
    const made = heir.definition.calls.filter((name) => name !== callee && !scope.calls.includes(name));
    for (const name of new Set(made)) {
      for (const { file, definition: d } of context.target.kernel.definitions(name)) {
        if (file.path !== heir.path || d.kind !== 'function' || !d.body || !d.calls.includes(callee)) continue;
        const body = blanked(file.text.slice(d.body.start, d.body.end));
        for (const m of body.matchAll(new RegExp(`\\b${callee}\\s*\\(`, 'g'))) {
          const line = file.text.slice(0, d.body.start + m.index).split('\n').length - 1;
          found.push({ by: callee, path: heir.path, line, user: d.name });
        }
      }
    }
  }
  return found.length === 1 ? found[0]! : null;
}

/** The calls of a text, with the operands that are names of their own: no parameters, no fields. */
function actsIn(text: ByteString, own: ReadonlySet<string>): Act[] {
  return [...text.matchAll(CALL)].flatMap((m) => {
    if (KEYWORD.test(m[1]!)) return [];
    const list = argumentsAt(text, m.index + m[0].length - 1)?.list ?? [];
    const operands = list.flatMap((a) => (/^\s*[A-Za-z_]\w*\s*$/.test(a) && !own.has(a.trim()) ? [a.trim()] : []));
    return [{ callee: m[1]!, operands }];
  });
}

/** Where a text begins to do all of some acts; null when it does not. */
function performs(text: ByteString, acts: readonly Act[]): number | null {
  const places = acts.map(({ callee, operands }) => {
    for (const m of text.matchAll(new RegExp(`\\b${callee}\\s*\\(`, 'g'))) {
      const list = argumentsAt(text, m.index + m[0].length - 1)?.list.map((a) => tokens(a).join(' ')) ?? [];
      if (operands.every((o) => list.includes(o))) return m.index;
    }
    return null;
  });
  return places.every((p) => p !== null) ? Math.min(...places) : null;
}

/** Without comments, every offset where it was. */
function blanked(text: ByteString): ByteString {
  return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, (c) => c.replace(/[^\n]/g, ' '));
}
