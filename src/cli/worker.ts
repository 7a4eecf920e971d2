import { internalError, KportError, messageOf, type ErrorKind } from '../core/errors';
import { fromDisplay } from '../core/text';
import { firstLine } from '../io/git';
import { run } from '../io/process';

/** What a piece of work came to, as a worker prints it: one JSON document. */
export type WorkerAnswer<T> = { done: T } | { error: { kind: string; message: string; hints: string[] } };

/**
 * Runs a worker script in a process of its own: its memory goes with it, and its failure stays with it. `what` names the
 * work for the message when the process dies.
 */
export async function inWorker<T>(script: string, input: unknown, what: string): Promise<T> {
  const done = await run(process.execPath, [script], { input: fromDisplay(JSON.stringify(input)) });
  let said: WorkerAnswer<T>;
  try {
    said = JSON.parse(done.stdout.toString('utf8')) as WorkerAnswer<T>;
  } catch {
    throw internalError(`${what} ended with exit code ${done.code}: ${firstLine(done.stderr)}`);
  }
  return unwrap(said);
}

/** The result of a piece of work, or its error thrown again. */
export function unwrap<T>(said: WorkerAnswer<T>): T {
  if ('error' in said) throw new KportError(said.error.kind as ErrorKind, said.error.message, said.error.hints);
  return said.done;
}

/** Does a piece of work; an error becomes a value. */
export async function settle<T>(work: () => Promise<T>): Promise<WorkerAnswer<T>> {
  try {
    return { done: await work() };
  } catch (error) {
    const known = error instanceof KportError;
    const kind = known ? error.kind : 'internal';
    return { error: { kind, message: messageOf(error), hints: known ? [...error.hints] : [] } };
  }
}

/** The worker's side: reads the request, does the work, prints the answer. */
export async function answer<I, T>(work: (input: I) => Promise<T>): Promise<void> {
  let input = '';
  for await (const chunk of process.stdin) input += chunk;
  process.stdout.write(JSON.stringify(await settle(() => work(JSON.parse(input) as I))));
}
