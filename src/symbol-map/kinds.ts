import type { Definition, DefinitionKind } from '../kernel-index/types';

/** Kinds that may stand for each other: an inline function becomes a macro, a struct gets a typedef. */
export type Family = 'code' | 'type' | 'asm' | 'config' | 'build' | 'section';

const FAMILIES: Record<DefinitionKind, Family> = {
  function: 'code',
  prototype: 'code',
  macro: 'code',
  variable: 'code',
  struct: 'type',
  union: 'type',
  enum: 'type',
  typedef: 'type',
  'asm-symbol': 'asm',
  'asm-macro': 'asm',
  config: 'config',
  'object-rule': 'build',
  section: 'section',
};

export function familyOf(kind: DefinitionKind): Family {
  return FAMILIES[kind];
}

/** True when a definition of one kind may have become one of the other. */
export function mayBecome(from: DefinitionKind, to: DefinitionKind): boolean {
  const [a, b] = [familyOf(from), familyOf(to)];
  // An assembly function may become C, and is declared there in any case.
  return (
    a === b || (a === 'asm' && (to === 'function' || to === 'variable')) || (from === 'function' && to === 'asm-symbol')
  );
}

/** The definition itself comes before what merely declares it. */
export function kindRank(kind: DefinitionKind): number {
  return kind === 'prototype' ? 2 : kind === 'variable' ? 1 : 0;
}

/** True for a name that only its file can see. */
export function isLocal(d: Definition, path: string): boolean {
  return (
    path.endsWith('.c') &&
    (d.kind === 'function' || d.kind === 'variable') &&
    (d.signature?.annotations.includes('static') ?? false)
  );
}
