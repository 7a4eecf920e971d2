import type { Drawing } from '../bench/drawing';

/** What a document is made of: little enough that a browser and a PDF library can both set it. */
export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; text: string }
  | { kind: 'paragraph'; text: string; strong?: boolean }
  | { kind: 'list'; items: string[] }
  | {
      kind: 'table';
      head: string[];
      rows: string[][];
      /** Shares of the width, one for each column. */
      widths: number[];
      /** Columns that are set flush right. */
      right?: number[];
    }
  | { kind: 'drawing'; drawing: Drawing };
