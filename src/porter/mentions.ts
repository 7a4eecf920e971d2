import { stripComments, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';

/** A line of a function that mentions a name. */
export interface Use {
  path: ByteString;
  /** From 0. */
  line: number;
  /** The function. */
  user: string;
}

/** Every line in a function's body, but its own, that mentions a name; comments do not count. */
export function usesOf(name: string, kernel: KernelIndex): Use[] {
  const word = new RegExp(`\\b${name}\\b`);
  return kernel.mentions(name).flatMap(({ file, definition: d }) => {
    if (d.kind !== 'function' || d.name === name) return [];
    const start = d.body?.start ?? d.start;
    const from = d.startLine + (file.text.slice(d.start, start).match(/\n/g)?.length ?? 0);
    // Line by line: the numbers have to stay.
    const body = file.text.slice(start, d.end).replace(/\/\*[^]*?\*\//g, (c) => c.replace(/[^\n]/g, ' '));
    return body
      .split('\n')
      .flatMap((l, i) => (word.test(stripComments(l)) ? [{ path: file.path, line: from + i, user: d.name }] : []));
  });
}
