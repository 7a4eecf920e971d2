import type { ByteString } from '../core/text';

/** Token kinds below 32; a punctuator's kind is its character code. */
export const WORD = 1;
export const NUMBER = 2;
export const STRING = 3;
export const CHARACTER = 4;

/** A run of tokens in flat arrays: a file of 10 MB has millions of them. */
export class Tokens {
  count = 0;
  kind: Uint8Array;
  start: Int32Array;
  end: Int32Array;
  /** Number of the word in {@link Words}; -1 for anything else. */
  word: Int32Array;

  constructor(capacity: number) {
    this.kind = new Uint8Array(capacity);
    this.start = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
    this.word = new Int32Array(capacity);
  }

  push(kind: number, start: number, end: number, word: number): void {
    const at = this.count;
    if (at === this.kind.length) this.grow();
    this.kind[at] = kind;
    this.start[at] = start;
    this.end[at] = end;
    this.word[at] = word;
    this.count = at + 1;
  }

  private grow(): void {
    const capacity = this.kind.length * 2 + 64;
    const kind = new Uint8Array(capacity);
    kind.set(this.kind);
    this.kind = kind;
    for (const field of ['start', 'end', 'word'] as const) {
      const larger = new Int32Array(capacity);
      larger.set(this[field]);
      this[field] = larger;
    }
  }
}

/** The distinct identifiers of one text, numbered in order of appearance. */
export class Words {
  private table = new Int32Array(1024);
  private mask = 1023;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly hashes: number[] = [];
  private readonly names: string[] = [];

  constructor(
    private readonly text: ByteString,
    private readonly bytes: Uint8Array,
  ) {}

  get count(): number {
    return this.starts.length;
  }

  name(word: number): string {
    return (this.names[word] ??= this.text.slice(this.starts[word], this.ends[word]));
  }

  /** The number of the word at `start`..`end`, whose hash the lexer has. */
  intern(start: number, end: number, hash: number): number {
    const { bytes, starts, ends, hashes } = this;
    const length = end - start;
    for (let slot = hash & this.mask; ; slot = (slot + 1) & this.mask) {
      const known = this.table[slot]! - 1;
      if (known < 0) return this.add(slot, start, end, hash);
      if (hashes[known] !== hash) continue;
      const first = starts[known]!;
      if (ends[known]! - first !== length) continue;
      let i = 0;
      while (i < length && bytes[first + i] === bytes[start + i]) i++;
      if (i === length) return known;
    }
  }

  private add(slot: number, start: number, end: number, hash: number): number {
    const word = this.starts.length;
    this.starts.push(start);
    this.ends.push(end);
    this.hashes.push(hash);
    this.table[slot] = word + 1;
    if (word * 2 > this.mask) this.rehash();
    return word;
  }

  private rehash(): void {
    this.mask = this.mask * 2 + 1;
    this.table = new Int32Array(this.mask + 1);
    for (let word = 0; word < this.hashes.length; word++) {
      let slot = this.hashes[word]! & this.mask;
      while (this.table[slot] !== 0) slot = (slot + 1) & this.mask;
      this.table[slot] = word + 1;
    }
  }
}

/** A preprocessor line, continuation lines included; `end` is exclusive and before the line end. */
export interface Directive {
  /** `if`, `ifdef`, `define`, `include` …; empty for a lone `#`. */
  keyword: string;
  start: number;
  end: number;
  /** Where what follows the keyword begins. */
  argument: number;
  /** How many code tokens stand before it. */
  token: number;
}

const SPACE = 1;
const LETTER = 2;
const DIGIT = 4;
const CLASS = new Uint8Array(256);
for (const c of ' \t\n\r\f\v\\') CLASS[c.charCodeAt(0)] = SPACE;
for (let c = 0; c < 128; c++) {
  if (/[A-Za-z_$]/.test(String.fromCharCode(c))) CLASS[c] = LETTER;
  else if (/\d/.test(String.fromCharCode(c))) CLASS[c] = DIGIT;
}

const [LF, DQ, HASH, SQ, STAR, SLASH, BACKSLASH] = [10, 34, 35, 39, 42, 47, 92];

/** Cuts C into tokens and preprocessor lines; comments vanish. Total: any bytes give tokens, in one pass. */
export class Lexer {
  readonly bytes: Uint8Array;
  readonly words: Words;
  readonly directives: Directive[] = [];
  /** A header has thousands of macros: new arrays for each would cost more than the tokens. */
  private readonly ofPart = new Tokens(64);

  constructor(readonly text: ByteString) {
    this.bytes = Buffer.from(text, 'latin1');
    this.words = new Words(text, this.bytes);
  }

  /** The code of the whole text; fills {@link directives}. */
  code(): Tokens {
    const { length } = this.bytes;
    return this.run(0, length, true, new Tokens((length >> 2) + 16));
  }

  /** The tokens of a part, `#` being a token like any other: the body of a macro. Good until the next part. */
  part(start: number, end: number): Tokens {
    this.ofPart.count = 0;
    return this.run(start, end, false, this.ofPart);
  }

  private run(start: number, end: number, withDirectives: boolean, out: Tokens): Tokens {
    const { bytes } = this;
    let lineBegins = withDirectives;
    let i = start;
    while (i < end) {
      const c = bytes[i]!;
      const cls = CLASS[c]!;
      if (cls === SPACE) {
        if (c === LF) lineBegins = withDirectives;
        i++;
        continue;
      }
      if (c === SLASH && i + 1 < end) {
        const d = bytes[i + 1]!;
        if (d === STAR || d === SLASH) {
          i = this.skipComment(i, end, d === STAR);
          continue;
        }
      }
      if (c === HASH && lineBegins) {
        i = this.directive(i, end, out.count);
        continue;
      }
      lineBegins = false;
      const from = i;
      if (cls === LETTER) {
        let hash = 0;
        do hash = (Math.imul(hash, 31) + bytes[i++]!) | 0;
        while (i < end && CLASS[bytes[i]!]! >= LETTER);
        // Mixed once more: neighbours like REG_1, REG_2 must not pile up in one place of the table.
        out.push(WORD, from, i, this.words.intern(from, i, hash ^ (hash >>> 15)));
      } else if (cls === DIGIT) {
        do i++;
        while (i < end && (CLASS[bytes[i]!]! >= LETTER || (bytes[i] === 46 && CLASS[bytes[i + 1]!] === DIGIT)));
        out.push(NUMBER, from, i, -1);
      } else if (c === DQ || c === SQ) {
        i = skipQuoted(bytes, i, end);
        out.push(c === DQ ? STRING : CHARACTER, from, i, -1);
      } else {
        i++;
        out.push(c, from, i, -1);
      }
    }
    return out;
  }

  private skipComment(at: number, end: number, block: boolean): number {
    if (block) {
      const close = this.text.indexOf('*/', at + 2);
      return close < 0 ? end : Math.min(end, close + 2);
    }
    const { bytes } = this;
    let i = at;
    while (i < end && (bytes[i] !== LF || bytes[i - 1] === BACKSLASH)) i++;
    return i;
  }

  /** Records the line at `at`; gives its end. Comments may span lines inside it, and lines may be continued. */
  private directive(at: number, end: number, token: number): number {
    const { bytes } = this;
    let i = at + 1;
    while (i < end && (bytes[i] === 32 || bytes[i] === 9)) i++;
    const word = i;
    while (i < end && CLASS[bytes[i]!]! >= LETTER) i++;
    const keyword = this.text.slice(word, i);
    const argument = i;
    while (i < end) {
      const c = bytes[i]!;
      if (c === LF) {
        const last = bytes[i - 1] === 13 ? i - 2 : i - 1;
        if (bytes[last] !== BACKSLASH) break;
        i++;
      } else if (c === SLASH && (bytes[i + 1] === STAR || bytes[i + 1] === SLASH)) {
        i = this.skipComment(i, end, bytes[i + 1] === STAR);
      } else if (c === DQ || c === SQ) {
        i = skipQuoted(bytes, i, end);
      } else {
        i++;
      }
    }
    this.directives.push({ keyword, start: at, end: i, argument, token });
    return i;
  }
}

/** The end of a string or character; one that is not closed ends with its line. */
function skipQuoted(bytes: Uint8Array, at: number, end: number): number {
  const quote = bytes[at];
  let i = at + 1;
  while (i < end) {
    const c = bytes[i]!;
    if (c === quote) return i + 1;
    if (c === LF) return i;
    i += c === BACKSLASH ? 2 : 1;
  }
  return end;
}
