import { lineStarts, type ByteString } from '../core/text';

/** Finds the 0-based line of an offset. */
export class Lines {
  readonly starts: number[];

  constructor(readonly text: ByteString) {
    this.starts = lineStarts(text);
  }

  at(offset: number): number {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    // The last entry of `starts` is the end of the text, not a line of its own.
    return low === this.starts.length - 1 && low > 0 && this.starts[low] === this.text.length ? low - 1 : low;
  }
}

/** Sorted, each once. */
export function sorted(names: Iterable<string>): string[] {
  return [...new Set(names)].sort(byName);
}

/** The same order on every machine. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
