import type { ByteString } from '../core/text';
import { parseC, breathe, type SyntaxNode, type Tree } from '../io/parser';
import { indexFile } from '../kernel-index/index-file';
import { maskC } from '../kernel-index/mask';
import type { Definition, FileIndex } from '../kernel-index/types';
import type { PatchedFile } from './source';
import type { Place } from './types';

/** A file of the set, indexed. */
export interface Source extends PatchedFile {
  index: FileIndex;
  /** The text with comments and strings blanked, same length. */
  code: ByteString;
}

/** A definition and the file it stands in. */
export interface Found {
  source: Source;
  definition: Definition;
}

/** Everything that the extraction looks at, by name. */
export class Sources {
  readonly files: Source[] = [];
  private readonly byName = new Map<string, Found[]>();
  private readonly trees = new Map<Source, Tree>();

  private constructor() {}

  /** Indexes files; those that are neither C nor assembly are left out. */
  static async of(files: readonly PatchedFile[]): Promise<Sources> {
    const sources = new Sources();
    for (const file of files) await sources.add(file);
    return sources;
  }

  async add(file: PatchedFile): Promise<void> {
    if (!/\.[chS]$/.test(file.path) || this.files.some((f) => f.path === file.path)) return;
    const index = await indexFile(file.path, file.text);
    const source: Source = { ...file, index, code: blank(file.text) };
    this.files.push(source);
    for (const definition of index.definitions) {
      const known = this.byName.get(definition.name);
      if (known) known.push({ source, definition });
      else this.byName.set(definition.name, [{ source, definition }]);
    }
  }

  /** C files and headers, in path order. */
  get c(): Source[] {
    return this.files.filter((f) => /\.[ch]$/.test(f.path));
  }

  named(name: string): readonly Found[] {
    return this.byName.get(name) ?? [];
  }

  /** The syntax tree of a file's masked text. Offsets are those of the file. */
  tree(source: Source): SyntaxNode {
    let tree = this.trees.get(source);
    if (!tree) {
      tree = parseC(maskC(source.text));
      this.trees.set(source, tree);
    }
    return tree.rootNode;
  }

  /** Lets go of the syntax trees. */
  async release(): Promise<void> {
    this.trees.clear();
    await breathe();
  }

  /** True when the set wrote the line (0-based). */
  static wrote(source: Source, line: number): boolean {
    return source.added[line] === true;
  }
}

/** Comments, strings and character constants become blanks; line ends stay. */
export function blank(text: ByteString): ByteString {
  return text.replace(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (m) =>
    m.replace(/[^\n]/g, ' '),
  );
}

/** A call in a text: `name(args…)`. Offsets are those of the text; `args` are the trimmed pieces between the commas. */
export interface Call {
  name: string;
  start: number;
  end: number;
  args: { start: number; end: number }[];
}

/** Every call of one of the names in a blanked text. */
export function callsOf(code: ByteString, names: ReadonlySet<string>): Call[] {
  const calls: Call[] = [];
  for (const m of code.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
    if (!names.has(m[1]!)) continue;
    const call = callAt(code, m.index, m[1]!);
    if (call) calls.push(call);
  }
  return calls;
}

/** The call whose name begins at `start`; null when its parenthesis never closes. */
export function callAt(code: ByteString, start: number, name: string): Call | null {
  const open = code.indexOf('(', start + name.length);
  const args: Call['args'] = [];
  let from = open + 1;
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    const c = code[i]!;
    if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ')' || c === ']' || c === '}') depth--;
    if (depth === 0 || (depth === 1 && c === ',')) {
      const piece = trimmed(code, from, i);
      if (depth > 0 || args.length > 0 || piece.end > piece.start) args.push(piece);
      from = i + 1;
    }
    if (depth === 0) return { name, start, end: i + 1, args };
  }
  return null;
}

function trimmed(code: ByteString, start: number, end: number): { start: number; end: number } {
  // Line ends behind a backslash are blanks of a macro.
  const isBlank = (i: number) => /\s/.test(code[i]!) || (code[i] === '\\' && code[i + 1] === '\n');
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return { start, end };
}

/** An expression without the parentheses and casts around it. */
export function bare(expression: string): string {
  let text = expression.trim();
  for (;;) {
    const before = text;
    if (text.startsWith('(')) {
      const end = closing(text, 0);
      if (end === text.length - 1) text = text.slice(1, -1).trim();
      else if (end > 0 && isType(text.slice(1, end)) && /^[\w(&*]/.test(text.slice(end + 1).trim())) {
        text = text.slice(end + 1).trim();
      }
    }
    if (text === before) return text;
  }
}

/** Index of the parenthesis that closes the one at `at`. */
export function closing(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return -1;
}

/** Words and stars, as in a cast; a single unknown word counts as a type, since a value has no reason to stand alone. */
export function isType(text: string): boolean {
  return /^\s*(?:(?:const|volatile|unsigned|signed|struct|union|enum)\s+)*[A-Za-z_]\w*(?:\s+(?:long|int|char|short))*[\s*]*$/.test(
    text,
  );
}

/** One blank between tokens where there was white space. */
export function oneLine(text: string): string {
  return text
    .replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, ' ')
    .replace(/\\\n/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The place of an offset. */
export function placeOf(source: { path: string; text: string }, offset: number): Place {
  return { path: source.path, line: source.text.slice(0, offset).split('\n').length };
}

/** The innermost function (or else macro) around an offset. */
export function enclosing(source: Source, offset: number): Definition | null {
  let best: Definition | null = null;
  for (const d of source.index.definitions) {
    if (d.start > offset) break;
    if (d.end > offset && (d.kind === 'function' || d.kind === 'macro' || d.kind === 'variable')) best = d;
  }
  return best;
}

/** Line (1-based) of a definition's name: prototypes and attributes may stand above it. */
export function nameLine(found: Found): Place {
  const { source, definition } = found;
  const end = definition.body?.start ?? definition.end;
  const at = source.code.slice(definition.start, end).search(new RegExp(`\\b${definition.name}\\b`));
  return placeOf(source, definition.start + Math.max(0, at));
}
