import { stripComments, type ByteString } from '../core/text';
import type { Pairing } from './site';

/** Instructions of arm64 that give no register a value by their first operand. */
const WRITES_NOTHING =
  /^(?:st[rpux]\w*|cmp|cmn|tst|ccmp|ccmn|c?bn?z|tbn?z|b|bl|br|blr|b\.\w+|ret|eret|msr|dsb|dmb|isb|sb|hvc|smc|svc|tlbi|ic|dc|nop|prfm)$/;
const REGISTER = /\b(?:[xw](\d{1,2})|lr)\b/g;

/** What a line of assembly does with registers. */
export interface Instruction {
  reads: string[];
  writes: string[];
}

/** Registers that a line of arm64 assembly reads and writes; null for what is no instruction. A macro's are not known. */
export function instruction(line: ByteString): Instruction | null {
  const code = stripComments(line)
    .replace(/^\s*\w+:/, '')
    .trim();
  const [, name, rest] = /^([a-z][\w.]*)\s+(.*)$/.exec(code) ?? [];
  if (name === undefined || name.startsWith('.') || name.includes('_')) return null;
  const operands = rest!
    .split(/,(?![^[]*\])/)
    .map((o) => [...o.matchAll(REGISTER)].map((m) => (m[1] ? `x${m[1]}` : 'x30')));
  const results = WRITES_NOTHING.test(name) ? 0 : /^ldn?p\w*$|^ldxp$/.test(name) ? 2 : 1;
  // The address of a load is read, also where the register is named first.
  const isPlain = (o: string[], i: number) => i < results && o.length === 1;
  return {
    reads: operands.flatMap((o, i) => (isPlain(o, i) && name !== 'movk' ? [] : o)),
    writes: operands.flatMap((o, i) => (isPlain(o, i) ? o : [])),
  };
}

/** Registers whose value code takes from the code above it. */
export function registersNeeded(added: readonly ByteString[]): ReadonlySet<string> {
  const needs = new Set<string>();
  const set = new Set<string>();
  for (const line of added) {
    if (/^\s*#\s*(else|elif)\b/.test(line)) set.clear();
    const i = instruction(line);
    for (const r of i?.reads ?? []) if (!set.has(r)) needs.add(r);
    for (const r of i?.writes ?? []) set.add(r);
  }
  return needs;
}

/**
 * Registers whose value added code takes from the code above it, and that upstream's own new lines there overwrite: the code
 * would find another value in them than at home. `x1` of `mrs x1, isr_el1`, put in front of code that stores x1.
 *
 * @param at line of the target before which the code goes
 */
export function overwritten(
  added: readonly ByteString[],
  p: Pairing,
  at: number,
): { register: string; by: ByteString }[] {
  const needs = registersNeeded(added);
  const known = new Set(p.match.flatMap((m) => (m ? [m.to] : [])));
  const last = new Map<string, { isNew: boolean; line: ByteString }>();
  p.targetUnits.forEach((unit, i) => {
    if (unit.first >= at) return;
    const line = p.target.lines[unit.first]!;
    for (const r of instruction(line)?.writes ?? []) last.set(r, { isNew: !known.has(i), line: line.trim() });
  });
  return [...needs].flatMap((register) => {
    const by = last.get(register);
    return by?.isNew ? [{ register, by: by.line }] : [];
  });
}
