import { tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { Evidence } from '../core/outcome';
import type { SymbolMap } from '../symbol-map';
import { argumentsAt } from './adapt';
import { declaredStruct, memberThrough, readChains } from './chains';

/** Code with what it reaches through accessors as the target's accessors give it. */
export interface Accesses {
  text: ByteString;
  evidence: Evidence[];
  doubts: string[];
}

/** An operand that no code has. */
const OPERAND = '__operand';

/**
 * Accessors whose text is the address of a field (`#define regs_of(v) (&(v)->arch.regs)`) and that give another one now:
 * what is behind them is followed from the operand on, and what the target's accessor gives by itself is left out.
 *
 * @param own names that the set itself defines
 */
export function readAccessors(
  text: ByteString,
  path: ByteString,
  around: ByteString,
  base: KernelIndex,
  target: KernelIndex,
  map: SymbolMap,
  own: (name: string) => boolean,
): Accesses {
  const evidence = new Map<string, Evidence>();
  const doubts = new Set<string>();
  let out = '';
  let at = 0;
  for (const m of text.matchAll(/(&\s*)?\b([A-Za-z_]\w*)\(/g)) {
    const name = m[2]!;
    const [was, is] = own(name) || m.index < at ? [null, null] : [fieldOf(name, base), fieldOf(name, target)];
    if (!was || !is) continue;
    const args = argumentsAt(text, m.index + m[0].length - 1);
    const operand = args?.list.length === 1 ? args.list[0]!.trim() : '';
    const struct =
      declaredStruct(operand, text.slice(0, m.index)) ?? declaredStruct(operand, around) ?? ownerOf(was, path, base);
    if (struct === null) {
      if (was.join('.') !== is.join('.')) doubts.add(`uses '${name}()', which gives another field now`);
      continue;
    }
    const [before, now] = [memberThrough(base, struct, was, path), memberThrough(target, struct, is, path)];
    if (!before || !now || before.type === now.type) continue;
    const call = `${name}(${operand})`;
    const rest = /^(?:\s*(?:->|\.)\s*[A-Za-z_]\w*)+/.exec(text.slice(args!.end + 1))?.[0] ?? '';
    const fields = rest.match(/\w+/g) ?? [];
    const inner = readChains(
      `${OPERAND}->${[...was, ...fields].join('.')}`,
      path,
      `struct ${struct} *${OPERAND};`,
      base,
      target,
      map,
    );
    const prefix = `${OPERAND}->${is.join('.')}`;
    const left =
      inner.text === prefix ? '' : inner.text.startsWith(`${prefix}.`) ? inner.text.slice(prefix.length + 1) : null;
    const isAddress = m[1] !== undefined;
    if (rest === '' || left === null || inner.doubts.length || (left === '' && !isAddress)) {
      const behind = rest === '' ? '' : `, for '${fields.join('.')}'`;
      doubts.add(`uses '${name}()'${behind}, which gives '${now.type}' instead of '${before.type}' now`);
      continue;
    }
    const said = left === '' ? call : `${m[1] ?? ''}${call}->${left}`;
    out += text.slice(at, m.index) + said;
    at = args!.end + 1 + rest.length;
    const what = `'${call}->${fields.join('.')}' is '${left === '' ? `*${call}` : `${call}->${left}`}' now`;
    const why = `'${name}()' gives '${now.type}' instead of '${before.type}'`;
    evidence.set(what, { kind: 'field-respelt', text: `${what}: ${why}` });
  }
  return { text: out + text.slice(at), evidence: [...evidence.values()], doubts: [...doubts] };
}

/** The one struct that has such fields; null when there are several. */
function ownerOf(fields: readonly string[], path: ByteString, kernel: KernelIndex): string | null {
  const all = new Set(kernel.members(fields[0]!).map((m) => m.definition.name));
  const fits = [...all].filter((struct) => memberThrough(kernel, struct, fields, path) !== null);
  return fits.length === 1 ? fits[0]! : null;
}

/** The fields, from its operand on, whose address a macro is; null when it is something else. */
function fieldOf(name: string, kernel: KernelIndex): string[] | null {
  const [found, ...others] = kernel.definitions(name).filter((f) => f.definition.kind !== 'prototype');
  const [parameter, ...more] = found?.definition.signature?.parameters ?? [];
  if (found?.definition.kind !== 'macro' || others.length || !parameter || more.length || !found.definition.body)
    return null;
  const { file, definition: d } = found;
  const said = tokens(file.text.slice(d.body!.start, d.body!.end)).filter((w) => w !== '(' && w !== ')');
  const [address, operand, arrow, ...fields] = said;
  if (address !== '&' || operand !== parameter.name || arrow !== '->') return null;
  return fields.every((w, i) => (i % 2 ? w === '.' : /^[A-Za-z_]\w*$/.test(w))) && fields.length % 2
    ? fields.filter((_, i) => i % 2 === 0)
    : null;
}
