import type { KernelIndex } from '../kernel-index';
import type { Diagnostic } from '../verify/diagnostics';
import type { Alternative, Place, Sight } from './alternatives';
import { saying } from './names';

/** The struct and the field of gcc's complaint. */
const COMPLAINT = /'(?:const )?(?:struct |union )?(\w+)[^']*' has no member named '(\w+)'/;

/** What may be read instead of a field that a struct does not have. */
export function fieldAlternatives(d: Diagnostic, place: Place, { map, base, target }: Sight): Alternative[] {
  const [, struct, field] = COMPLAINT.exec(d.text) ?? [];
  if (struct === undefined || field === undefined) return [];
  const found: Alternative[] = [];
  const put = (to: string, why: string, from = field) => {
    const path = from.split('.').join('\\s*(?:\\.|->)\\s*');
    const line = place.text.replace(
      new RegExp(`(\\.|->)(\\s*)${path}\\b`, 'g'),
      (_, op: string, gap: string) => op + gap + to,
    );
    found.push(
      saying(place, line, `.${from} -> .${to}`, { kind: 'repaired', text: `the field '${from}' is '${to}': ${why}` }),
    );
  };
  /** As a whole, a field is another one only if it has the type; to a pointer or a copy, any other compiles as well. */
  const isWhole = (to: string) => {
    const [was, is] = [typeOf(base, struct, field), typeOf(target, struct, to)];
    return was === undefined || is === undefined || was === is || !/\b(struct|union)\b/.test(was + is);
  };
  const call = (to: string, why: string) => {
    const line = place.text.replace(
      new RegExp(`((?:\\w+(?:\\[[^\\]]*\\])?(?:\\.|->))*\\w+(?:\\[[^\\]]*\\])?)->${field}\\b`, 'g'),
      (_, of: string) => `${to}(${of})`,
    );
    const text = `the field '${field}' is read by '${to}()': ${why}`;
    found.push(saying(place, line, `->${field} -> ${to}()`, { kind: 'repaired', text }));
  };
  const entry = map.lookup('field', `${struct}.${field}`);
  const why = entry?.evidence[0]?.text ?? 'the symbol map';
  const path = entry?.changes.find((c) => c.kind === 'path-changed');
  if (path?.kind === 'path-changed') {
    const from = path.from.includes('.') ? path.from : field;
    if (from !== field || isWhole(path.into)) put(path.into, why, from);
    if (path.into.includes('.')) put(path.into.replace(/\.([^.]*)$/, '->$1'), why, from);
  }
  for (const to of entry?.to ?? []) {
    const name = to.name.slice(to.name.lastIndexOf('.') + 1);
    if (to.kind === 'function' || to.kind === 'macro' || to.kind === 'prototype') call(to.name, why);
    else if (name !== field && isWhole(name)) put(name, why);
  }
  // In a struct that the struct has inside, or points to.
  for (const of of target.definitions(struct)) {
    for (const through of of.definition.members) {
      const type = /\b(?:struct|union) (\w+)/.exec(through.type)?.[1];
      if (type === undefined) continue;
      const has = target.definitions(type).some((t) => t.definition.members.some((m) => m.name === field));
      const op = through.type.includes('*') ? '->' : '.';
      if (has) put(`${through.name}${op}${field}`, `'${struct}' reaches it through '${through.name}'`);
    }
  }
  return found;
}

function typeOf(index: KernelIndex, struct: string, field: string): string | undefined {
  const members = index.definitions(struct).flatMap((t) => t.definition.members);
  return members.find((m) => m.name === field)?.type.replace(/\s+/g, ' ');
}
