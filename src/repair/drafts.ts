import { splitLines, type ByteString } from '../core/text';

/** What a repair writes in place of one line of a ported file. Empty: the line goes. Several lines: what is added follows. */
export interface LineEdit {
  path: ByteString;
  /** 0-based line of the ported file, as the port left it. */
  at: number;
  to: ByteString;
}

/**
 * Ported files while they are repaired. Each line knows which line of the port it was, whatever was added or taken out
 * above it, so that hunks are found by the port's own line numbers.
 */
export class Drafts {
  private readonly made = new Map<ByteString, ByteString[]>();
  private readonly present = new Map<ByteString, ByteString[]>();

  constructor(private readonly read: (path: ByteString) => Promise<ByteString | null>) {}

  /** Lines of a file as the port left it; null when there is none. */
  async port(path: ByteString): Promise<readonly ByteString[] | null> {
    if (!this.made.has(path)) {
      const text = await this.read(path);
      if (text === null) return null;
      this.made.set(path, splitLines(text));
      this.present.set(path, splitLines(text));
    }
    return this.made.get(path)!;
  }

  /** The present text of each of the port's lines. */
  async lines(path: ByteString): Promise<readonly ByteString[] | null> {
    return (await this.port(path)) && this.present.get(path)!;
  }

  /** Text of a file that was asked for before. */
  text(path: ByteString): ByteString {
    return this.present.get(path)!.join('');
  }

  /** The port's line (0-based) that a line (1-based) of the present text is; null when there is none. */
  async lineOf(path: ByteString, line: number): Promise<number | null> {
    const lines = await this.lines(path);
    if (!lines) return null;
    let count = 0;
    for (const [at, text] of lines.entries()) {
      count += splitLines(text).length;
      if (count >= line) return at;
    }
    return null;
  }

  /** Makes edits of files that were asked for before; gives what takes them back. */
  make(edits: readonly LineEdit[]): LineEdit[] {
    const before = edits.map((e) => ({ ...e, to: this.present.get(e.path)![e.at]! }));
    for (const e of edits) this.present.get(e.path)![e.at] = e.to;
    return before.reverse();
  }

  /** All that differs from the port now. */
  edits(): LineEdit[] {
    return [...this.present].flatMap(([path, lines]) =>
      lines.flatMap((to, at) => (to === this.made.get(path)![at] ? [] : [{ path, at, to }])),
    );
  }
}
