import type { ByteString } from '../core/text';
import type { Found, KernelIndex } from '../kernel-index/index';

/** Says of a function that the base's code calls, and of the one that upstream calls in its place, whether the set keeps its own. */
export type KeepsCallee = (from: string, to: string, path: ByteString) => boolean;

/**
 * Where upstream calls another function of the base in the code that an edit replaces, the set's call of the old one follows only when
 * there is no other way: when the old one is gone, or takes other parameters. One that is as it was means what the set says,
 * and one that the new one calls itself is a part of it: to call the whole would do more.
 */
export function keepsCallee(base: KernelIndex, target: KernelIndex): KeepsCallee {
  const isCode = (f: Found) => f.definition.kind === 'function' || f.definition.kind === 'prototype';
  const takes = (f: Found) => f.definition.signature?.parameters.map((p) => p.type).join(', ');
  return (from, to, path) => {
    const was = base.definitions(from).filter(isCode).map(takes);
    const isSeen = (f: Found) =>
      f.file.path === path || f.file.path.endsWith('.h') || !f.definition.signature?.annotations.includes('static');
    const now = target.definitions(from).filter((f) => isCode(f) && isSeen(f));
    // What the base does not have is what became of it, or a link that upstream put before it.
    if (now.length === 0 || was.length === 0 || base.definitions(to).length === 0) return false;
    const wraps = target
      .definitions(to)
      .some((f) => f.definition.kind === 'function' && f.definition.calls.includes(from));
    return wraps || now.some((f) => was.includes(takes(f)));
  };
}
