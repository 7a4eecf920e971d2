import type { ByteString } from '../core/text';

/** What the set's dispatcher does for a number that names a function of EL2: calls it, on a condition. */
export interface BootCall {
  /** When it may be called; null when always. */
  condition: string | null;
  start: number;
  end: number;
}

/** Finds `if (…) return ((fn)nr)(…);` in the text of the dispatcher, its comments and strings blanked. */
export function bootCall(code: ByteString, number: string): BootCall | null {
  const call = new RegExp(
    `([ \\t]*if[ \\t]*\\(([^;{}]*)\\)\\s*)?[ \\t]*return\\s+\\(\\s*\\([^()]+\\)\\s*${number}\\s*\\)\\s*\\([^;{}]*\\)\\s*;[ \\t]*\\n`,
  ).exec(code);
  if (!call) return null;
  return { condition: call[2]?.trim() ?? null, start: call.index, end: call.index + call[0].length };
}
