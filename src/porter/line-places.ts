import { tokens, type ByteString } from '../core/text';
import type { SourceFile } from '../kernel-index/types';
import { codeOf, weightOf } from './align';

/** A line of a file, 0-based. */
export interface LinePlace {
  path: ByteString;
  line: number;
}

/** Numbers in a row, as many as come. */
class Numbers {
  private room = new Uint32Array(1024);
  length = 0;

  push(number: number): void {
    if (this.length === this.room.length) {
      const larger = new Uint32Array(this.room.length * 2);
      larger.set(this.room);
      this.room = larger;
    }
    this.room[this.length++] = number;
  }

  at(index: number): number {
    return this.room[index]!;
  }
}

/**
 * Where the lines of many files are, by their tokens. The scope of a set that touches much of a kernel has ten million
 * lines: so no key is kept, but for each line a few numbers, and a line that is found is read again to be sure.
 */
export class LinePlaces {
  private readonly files: SourceFile[] = [];
  private readonly hashes = new Numbers();
  private readonly fileNumbers = new Numbers();
  private readonly lineNumbers = new Numbers();
  private readonly offsets = new Numbers();
  /** For each slot the last line of it, and for each line the one before it in its slot; from 1, so that 0 is none. */
  private slots = new Uint32Array(1);
  private before = new Uint32Array(0);

  /** @param least lines that weigh less are left out */
  constructor(private readonly least: number) {}

  add(file: SourceFile): void {
    const number = this.files.push(file) - 1;
    const lines = file.text.split('\n');
    let offset = 0;
    codeOf(lines).forEach((code, line) => {
      const length = lines[line]!.length;
      const words = code === null ? [] : tokens(code);
      if (words.length > 0 && weightOf(words) >= this.least) {
        this.hashes.push(hashOf(words));
        this.fileNumbers.push(number);
        this.lineNumbers.push(line);
        // What an earlier line's comment ends in is read again from behind that.
        this.offsets.push(offset + length - code!.length);
      }
      offset += length + 1;
    });
  }

  /** To be called when all files are there. */
  close(): void {
    const count = this.hashes.length;
    this.slots = new Uint32Array(2 ** Math.ceil(Math.log2(count + 1)));
    this.before = new Uint32Array(count);
    // From the end, so that a slot begins with its first line.
    for (let i = count - 1; i >= 0; i--) {
      const slot = this.hashes.at(i) & (this.slots.length - 1);
      this.before[i] = this.slots[slot]!;
      this.slots[slot] = i + 1;
    }
  }

  /** The places of a line, by file in the order in which they were added. */
  *of(key: string): Generator<LinePlace> {
    const hash = hashOf([key]);
    for (let i = this.slots[hash & (this.slots.length - 1)]!; i > 0; i = this.before[i - 1]!) {
      if (this.hashes.at(i - 1) !== hash) continue;
      const { path, text } = this.files[this.fileNumbers.at(i - 1)]!;
      const start = this.offsets.at(i - 1);
      const end = text.indexOf('\n', start);
      if (keyOf(text.slice(start, end < 0 ? text.length : end)) === key)
        yield { path, line: this.lineNumbers.at(i - 1) };
    }
  }
}

function keyOf(line: ByteString): string {
  return tokens(line).join(' ');
}

/** FNV-1a of the words with a blank between them. */
function hashOf(words: readonly string[]): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < words.length; n++) {
    const word = words[n]!;
    if (n > 0) hash = Math.imul(hash ^ 0x20, 0x01000193);
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
