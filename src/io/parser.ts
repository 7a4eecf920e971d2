import Parser from 'tree-sitter';
import C from 'tree-sitter-c';
import { KportError } from '../core/errors';
import type { ByteString } from '../core/text';

export type { SyntaxNode, Tree, TreeCursor } from 'tree-sitter';

let parser: Parser | null = null;

/**
 * Parses C. Offsets of the tree are byte offsets of the text (see `ByteString`).
 *
 * The binding frees trees only when the event loop turns: a caller that parses many files must `await` {@link breathe}
 * after each, or memory grows by twelve times the source.
 */
export function parseC(text: ByteString): Parser.Tree {
  if (!parser) {
    try {
      parser = new Parser();
      parser.setLanguage(C as unknown as Parser.Language);
    } catch (cause) {
      throw new KportError(
        'internal',
        'tree-sitter and tree-sitter-c do not fit together',
        ["run 'npm ci' to get the pair that does: tree-sitter 0.22.4 with tree-sitter-c 0.23.6"],
        { cause },
      );
    }
  }
  return parser.parse(text, undefined, { bufferSize: Math.max(32768, text.length * 2 + 2) });
}

/** Lets the event loop turn once, so that native trees can be freed. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
