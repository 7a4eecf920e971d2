import { stripComments, tokens, type ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index';
import type { Definition } from '../kernel-index/types';
import { argumentsAt } from './adapt';

/** The two kernels that callers are looked for in. */
export interface Kernels {
  base: KernelIndex;
  target: KernelIndex;
}

/** How what a parameter of the base pointed to is reached from one of the target. */
export interface Container {
  /** The parameter of the target. */
  parameter: string;
  /** The struct that the base's parameter pointed to. */
  struct: string;
  /** Where in it lies what the target's parameter points to: `arch.vmid`. */
  path: string;
}

/**
 * A function that took a struct takes a part of it now: every caller hands over `&E->a.b` where it handed over `E`, or
 * reaches that by a pointer that is set once and for all. Then `E` is what contains the new parameter: `container_of()`.
 *
 * Null when one caller hands over something else, when it may be called by its address, and when the declared types do not
 * say that the part lies in the struct itself.
 */
export function containerOf(name: string, from: Definition, to: Definition, kernels: Kernels): Container | null {
  const was = from.signature?.parameters ?? [];
  const is = to.signature?.parameters ?? [];
  const at = was.findIndex((p) => p.name === name);
  const [old, fresh] = [was[at], is[at]];
  if (!old || !fresh || was.length !== is.length || !to.signature?.annotations.includes('static')) return null;
  const [outer, inner] = [structOf(old.type), structOf(fresh.type)];
  if (outer === null || inner === null || outer === inner) return null;
  if (!kernels.target.definitions('container_of').some((f) => f.definition.kind === 'macro')) return null;
  const now = handedOver(to.name, at, kernels.target);
  if (!now || now.length === 0) return null;
  const paths = new Set<string>();
  for (const { caller, argument } of now) {
    const before = handedOver(from.name, at, kernels.base, caller)?.map((h) => h.argument) ?? [];
    if (new Set(before).size !== 1) return null;
    const path = insideOf(argument, before[0]!) ?? insideOf(followed(argument, kernels.target) ?? '', before[0]!);
    if (path === null) return null;
    paths.add(path);
  }
  const [path] = paths;
  if (paths.size !== 1 || memberType(outer, path!, kernels.target) !== `struct ${inner}`) return null;
  return { parameter: fresh.name, struct: outer, path: path! };
}

/** Lines with a parameter that is gone read from the one that took its place; what lies in that needs no detour. */
export function throughContainer(text: ByteString, name: string, c: Container): ByteString {
  const free = `(?<![.>\\w])${name}`;
  const path = c.path.replace(/\./g, '\\.');
  return text
    .replace(new RegExp(`&${free}->${path}(?![.\\w[]|->)`, 'g'), () => c.parameter)
    .replace(new RegExp(`${free}->${path}\\.`, 'g'), () => `${c.parameter}->`)
    .replace(new RegExp(`${free}\\b`, 'g'), () => spelt(c));
}

/** The expression for what contains the parameter. */
export function spelt(c: Container): string {
  return `container_of(${c.parameter}, struct ${c.struct}, ${c.path})`;
}

const structOf = (type: string) => /^(?:const )?struct (\w+) \*$/.exec(type)?.[1] ?? null;

/** What callers hand over; null when a mention of the function is no call, or when its calls cannot be read. */
function handedOver(
  name: string,
  at: number,
  kernel: KernelIndex,
  only?: string,
): { caller: string; argument: string }[] | null {
  const found: { caller: string; argument: string }[] = [];
  for (const { file, definition: d } of kernel.mentions(name)) {
    if (d.kind === 'prototype' || d.name === name) continue;
    if (d.kind !== 'function') return null;
    if (only !== undefined && d.name !== only) continue;
    const body = stripComments(file.text.slice(d.body?.start ?? d.start, d.end));
    for (const m of body.matchAll(new RegExp(`(?<![.>\\w])${name}\\b`, 'g'))) {
      const open = m.index + m[0].length + (/^\s*/.exec(body.slice(m.index + m[0].length))?.[0].length ?? 0);
      const argument = body[open] === '(' ? argumentsAt(body, open)?.list[at] : undefined;
      if (argument === undefined) return null;
      found.push({ caller: d.name, argument: tokens(argument).join('') });
    }
  }
  return found;
}

/** `arch.vmid` of `&vcpu->kvm->arch.vmid`, when `vcpu->kvm` was handed over; null when it is no part of that. */
function insideOf(argument: string, before: string): string | null {
  const start = `&${before}->`;
  const path = argument.startsWith(start) ? argument.slice(start.length) : '';
  return /^\w+(?:\.\w+)*$/.test(path) ? path : null;
}

/**
 * `&E->f->m` as `&X.m`, when the whole kernel sets `f` once, to `&X`, by the same expression: it points to nothing else.
 * Null when it is set more often, or its address is given away.
 */
function followed(argument: string, kernel: KernelIndex): string | null {
  const [, pointer, field, rest] = /^&((?:\w+(?:->|\.))+(\w+))->(\w+(?:\.\w+)*)$/.exec(argument) ?? [];
  if (pointer === undefined) return null;
  const values: { to: string; value: string }[] = [];
  for (const { file, definition: d } of kernel.mentions(field!)) {
    if (d.kind !== 'function' && d.kind !== 'macro') continue;
    const code = stripComments(file.text.slice(d.body?.start ?? d.start, d.end));
    if (new RegExp(`&\\s*[\\w>.\\-]+(?:->|\\.)${field}\\b(?!\\s*(?:->|\\.|\\[))`).test(code)) return null;
    for (const m of code.matchAll(new RegExp(`([\\w>.\\-]*(?:->|\\.)${field})\\s*=(?!=)([^;,]*)`, 'g')))
      values.push({ to: m[1]!, value: tokens(m[2]!).join('') });
  }
  const [only] = values;
  if (values.length !== 1 || only!.to !== pointer || !/^&\w+(?:(?:->|\.)\w+)+$/.test(only!.value)) return null;
  return `${only!.value}.${rest}`;
}

/** The type of a member that lies in a struct by value, and whose way there does, too; null when it does not. */
function memberType(struct: string, path: string, kernel: KernelIndex): string | null {
  let type: string | null = `struct ${struct}`;
  for (const step of path.split('.')) {
    const tag: string | undefined = /^struct (\w+)$/.exec(type)?.[1];
    if (tag === undefined) return null;
    const types: string[] = kernel
      .definitions(tag)
      .flatMap((f: Found) => (f.definition.kind === 'struct' ? f.definition.members : []))
      .filter((m) => m.name === step)
      .map((m) => m.type);
    if (new Set(types).size !== 1) return null;
    type = types[0]!;
  }
  return type;
}
