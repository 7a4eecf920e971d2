import pc from 'picocolors';
import { KportError, messageOf } from '../core/errors';
import { toBytes, type ByteString } from '../core/text';

/** Data goes to stdout, talk to stderr; nothing else in kport writes to either. */
export interface Ui {
  /** Data: one piece of text, as it is. */
  out(text: string): void;
  /** Data that is bytes, not text: mails, patches. */
  bytes(text: ByteString): void;
  /** One JSON document. */
  json(document: unknown): void;
  /** Talk: one line. */
  say(line: string): void;
  /** One line that is replaced by the next; only on a terminal. */
  progress(line: string): void;
  /** Colours of stdout. */
  colors: ReturnType<typeof pc.createColors>;
  /** Columns of stdout; null when it is no terminal, then nothing is cut. */
  width: number | null;
}

export interface UiOptions {
  color: 'auto' | 'always' | 'never';
  quiet: boolean;
  progress: boolean;
}

/** Colours follow the flag, then NO_COLOR, then FORCE_COLOR, then whether the stream is a terminal. */
function wantsColor(choice: UiOptions['color'], stream: NodeJS.WriteStream): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR) return true;
  return Boolean(stream.isTTY) && process.env.TERM !== 'dumb';
}

export function makeUi(options: UiOptions): Ui {
  const live = options.progress && !options.quiet && Boolean(process.stderr.isTTY) && !process.env.CI;
  let shown = false;
  const clear = () => {
    if (shown) process.stderr.write('\r\x1b[K');
    shown = false;
  };
  return {
    out(text) {
      clear();
      process.stdout.write(text);
    },
    bytes(text) {
      clear();
      process.stdout.write(toBytes(text));
    },
    json(document) {
      clear();
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    },
    say(line) {
      clear();
      if (!options.quiet) process.stderr.write(`${line}\n`);
    },
    progress(line) {
      if (!live) return;
      clear();
      process.stderr.write(line.slice(0, (process.stderr.columns ?? 80) - 1));
      shown = true;
    },
    colors: pc.createColors(wantsColor(options.color, process.stdout)),
    width: process.stdout.isTTY ? (process.stdout.columns ?? 80) : null,
  };
}

/** `error: …` and its hints, as git words them; the stack only when asked for. */
export function explain(error: unknown, debug: boolean): string {
  const lines = [`error: ${messageOf(error)}`];
  if (error instanceof KportError) lines.push(...error.hints.map((h) => `hint: ${h}`));
  if (debug && error instanceof Error) lines.push(error.stack ?? '');
  return lines.join('\n');
}
