import { stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { Definition } from '../kernel-index/types';
import { argumentsAt } from './adapt';
import type { Kernels } from './containers';

/** Where the target has what a parameter of the base said. */
export interface Stored {
  /** The expression. */
  text: string;
  why: string;
}

/**
 * A parameter that is gone, and that the base's function handed on to another one, which stored it: in `init(v, x)`, that is
 * `v->id = x;`. Where the target's function is given `v`, and each of its callers has made that call for what it hands over,
 * the parameter is `v->id`.
 *
 * Null when the call, what it stores, or the order of the two calls is not told.
 */
export function storedIn(
  name: string,
  from: Definition,
  was: ByteString,
  to: Definition,
  is: ByteString,
  kernels: Kernels,
): Stored | null {
  if (!from.signature?.parameters.some((p) => p.name === name)) return null;
  const found = new Map<string, Stored>();
  for (const init of from.calls) {
    const calls = callsOf(init, was);
    for (const args of calls.length === 1 ? calls : []) {
      const at = args.indexOf(name);
      if (at < 0 || args.lastIndexOf(name) !== at) continue;
      for (const [i, given] of (to.signature?.parameters ?? []).entries()) {
        const into = args.findIndex((a) => a === given.name);
        if (into < 0 || !/^struct \w+ \*$/.test(given.type)) continue;
        const member = storing(init, into, at, given.type, kernels.base);
        if (member === null || storing(init, into, at, given.type, kernels.target) !== member) continue;
        if (changes(member, is) || !everyCaller(to.name, i, init, into, kernels.target)) continue;
        const why = `'${init}' stores it there, and every caller of '${to.name}' has called that`;
        found.set(member, { text: `${given.name}->${member}`, why });
      }
    }
  }
  return found.size === 1 ? [...found.values()][0]! : null;
}

/** The arguments of every call of a function in some code. */
function callsOf(name: string, text: ByteString): string[][] {
  const code = stripComments(text);
  return [...code.matchAll(new RegExp(`(?<![.>\\w])${name}\\s*\\(`, 'g'))].flatMap((m) => {
    const list = argumentsAt(code, m.index + m[0].length - 1)?.list;
    return list ? [list.map((a) => tokens(a).join(''))] : [];
  });
}

const changes = (member: string, text: ByteString) =>
  new RegExp(`(?:->|\\.)${member}\\s*(?:[-+*/|&^%]|<<|>>)?=(?!=)|(?:\\+\\+|--)[\\w>.-]*(?:->|\\.)${member}\\b`).test(
    stripComments(text),
  );

/** The member of one parameter to which a function sets another one, once and for all; null when there is none. */
function storing(init: string, into: number, value: number, type: string, kernel: KernelIndex): string | null {
  const defined = kernel.definitions(init).filter((f) => f.definition.kind === 'function');
  const [one] = defined;
  if (defined.length !== 1 || !one) return null;
  const [p, v] = [into, value].map((i) => one.definition.signature?.parameters[i]);
  if (p?.type !== type || !v) return null;
  const code = stripComments(
    one.file.text.slice(one.definition.body?.start ?? one.definition.start, one.definition.end),
  );
  if (new RegExp(`(?<![.>\\w])(?:${p.name}|${v.name})\\s*(?:[-+*/|&^%]|<<|>>)?=(?!=)`).test(code)) return null;
  const set = [...code.matchAll(new RegExp(`(?<![.>\\w])${p.name}->(\\w+)\\s*=\\s*${v.name}\\s*;`, 'g'))];
  const member = set[0]?.[1];
  const times = [...code.matchAll(new RegExp(`->${member}\\s*(?:[-+*/|&^%]|<<|>>)?=(?!=)`, 'g'))].length;
  return set.length === 1 && times === 1 ? member! : null;
}

/** True when every caller of a function has called another one before, for what it hands over. */
function everyCaller(name: string, given: number, init: string, into: number, kernel: KernelIndex): boolean {
  let callers = 0;
  for (const { file, definition: d } of kernel.mentions(name)) {
    if (d.kind === 'prototype' || d.name === name) continue;
    const text = file.text.slice(d.body?.start ?? d.start, d.end);
    const [own, before] = [callsOf(name, text), callsOf(init, text)];
    const code = stripComments(text);
    const position = (f: string) => code.search(new RegExp(`(?<![.>\\w])${f}\\s*\\(`));
    if (d.kind !== 'function' || own.length !== 1 || before.length !== 1) return false;
    if (own[0]![given] !== before[0]![into] || position(init) > position(name)) return false;
    callers++;
  }
  return callers > 0;
}
