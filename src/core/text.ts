/**
 * Kernel files and author names are bytes, not all of them UTF-8. Inside kport a text is a "byte string": one UTF-16
 * unit per byte (latin1), so that an index is a byte offset and any byte sequence survives reading and writing.
 */
export type ByteString = string;

/** The byte string of a buffer. */
export function fromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The buffer of a byte string. */
export function toBytes(text: ByteString): Buffer {
  return Buffer.from(text, 'latin1');
}

/** A byte string as people read it: decoded as UTF-8 where it is UTF-8, byte by byte where it is not. */
export function forDisplay(text: ByteString): string {
  const utf8 = toBytes(text).toString('utf8');
  return utf8.includes('\uFFFD') ? text : utf8;
}

/** The byte string of a JavaScript string, encoded as UTF-8. */
export function fromDisplay(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Lines with their line ends kept; the last one may lack it. `splitLines('')` is `[]`. */
export function splitLines(text: ByteString): ByteString[] {
  const lines: ByteString[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end + 1;
    lines.push(text.slice(at, next));
    at = next;
  }
  return lines;
}

/** A line without its line end (`\n` or `\r\n`). */
export function chomp(line: ByteString): ByteString {
  return line.replace(/\r?\n$/, '');
}

/** Offsets at which the lines of a text begin; one more entry holds the length of the text. */
export function lineStarts(text: ByteString): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  if (starts[starts.length - 1] !== text.length) starts.push(text.length);
  return starts;
}

/** A NUL in the first 8,000 bytes means binary, as git decides it. */
export function isBinary(text: ByteString): boolean {
  const nul = text.indexOf('\0');
  return nul >= 0 && nul < 8000;
}

const TOKEN =
  /[A-Za-z_]\w*|\d\w*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|->|\+\+|--|<<=|>>=|[-+*/%&|^=!<>]=|&&|\|\||<<|>>|##|\.\.\.|[^\s\w]/g;

/** The C tokens of one piece of text, comments left out. Good enough for assembly and Kconfig, too. */
export function tokens(text: ByteString): string[] {
  return (text.includes('/') ? stripComments(text) : text).match(TOKEN) ?? [];
}

/** Text with C comments replaced by a blank; an unclosed `/*`, or the tail of one, is cut as well. */
export function stripComments(text: ByteString): ByteString {
  return text.replace(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*/g, ' ');
}
