/**
 * What went wrong, as data. The library throws it; only the command line turns it into `error:`/`hint:` lines and an
 * exit code (jj's habit: errors carry data, the CLI adds the words around them).
 *
 * - `usage`: the command's own words are off (exit 2)
 * - `input`: what the command was pointed at is missing or unusable (exit 2)
 * - `stopped`: a person has to act, then `kport continue` (exit 3)
 * - `internal`: our bug (exit 255)
 */
export type ErrorKind = 'usage' | 'input' | 'stopped' | 'internal';

export class KportError extends Error {
  constructor(
    readonly kind: ErrorKind,
    /** One line in git's style: no capital, no full stop, the subject quoted. */
    message: string,
    /** What to do next; each one line, a command where there is one. */
    readonly hints: readonly string[] = [],
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'KportError';
  }
}

/** Bad input: `inputError("no such revision: 'v9.9'", "run 'git tag' …")`. */
export function inputError(message: string, ...hints: string[]): KportError {
  return new KportError('input', message, hints);
}

/** Bad usage of a command. */
export function usageError(message: string, ...hints: string[]): KportError {
  return new KportError('usage', message, hints);
}

/** A broken invariant of ours: never the user's fault. */
export function internalError(message: string): KportError {
  return new KportError('internal', message, [
    "this is a bug in kport; run again with '--debug' and report what it prints",
  ]);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
