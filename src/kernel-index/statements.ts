import type { ByteString } from '../core/text';
import { parseC, type SyntaxNode } from '../io/parser';
import { CText } from './c-text';
import { itemsOf } from './items';
import { Lines } from './lines';
import { mask } from './mask';
import type { Definition } from './types';

export type StatementKind =
  | 'if'
  | 'for'
  | 'while'
  | 'do'
  | 'switch'
  | 'case'
  | 'label'
  | 'compound'
  | 'expression'
  | 'declaration'
  | 'return'
  | 'goto'
  | 'break'
  | 'continue'
  | 'error';

/** Lines are those of the file, 0-based and inclusive. */
export interface LineRange {
  startLine: number;
  endLine: number;
}

/** One statement of a body. Comments belong to no statement. */
export interface Statement extends LineRange {
  /** An iterator macro is a `while`; what the grammar cannot take is an `error`. */
  kind: StatementKind;
  /** Offsets in the file, `end` exclusive. */
  start: number;
  end: number;
  /** 0 for the statements of the body itself. */
  depth: number;
  /** The statement around it, as an index into the list; -1 for none. */
  parent: number;
  /** From the keyword to the closing parenthesis (or the colon, or `do`); null for a simple statement. */
  header: LineRange | null;
  /** What it controls: the body of a loop or `switch`, both arms of an `if`. */
  bodies: (LineRange & { braced: boolean })[];
  /** True when something that it controls has no braces: nothing may come between the two. */
  braceless: boolean;
}

const KINDS: Record<string, StatementKind> = {
  if_statement: 'if',
  for_statement: 'for',
  while_statement: 'while',
  do_statement: 'do',
  switch_statement: 'switch',
  case_statement: 'case',
  labeled_statement: 'label',
  compound_statement: 'compound',
  expression_statement: 'expression',
  declaration: 'declaration',
  type_definition: 'declaration',
  struct_specifier: 'declaration',
  enum_specifier: 'declaration',
  return_statement: 'return',
  goto_statement: 'goto',
  break_statement: 'break',
  continue_statement: 'continue',
  ERROR: 'error',
};

/**
 * The statements of a function's body, outer ones before inner ones, in order. Code in a branch of a conditional that
 * cannot stand beside the first branch is read in a second parse and follows at the end. Empty for a definition without
 * body. The parser's memory is freed when the event loop turns: see `breathe`.
 */
export function statementsOf(
  text: ByteString,
  definition: Pick<Definition, 'start' | 'end' | 'startLine' | 'body'>,
  attributes?: ReadonlySet<string>,
): Statement[] {
  if (!definition.body) return [];
  const part = text.slice(definition.start, definition.end);
  const lines = new Lines(part);
  const base = { offset: definition.start, line: definition.startLine };
  const first = new CText(part, { attributes });
  const statements = walk(first, lines, base);
  if (first.dropped) {
    const known = new Set(statements.map((s) => s.start));
    for (const s of walk(new CText(part, { attributes, keep: 'last' }), lines, base)) {
      if (known.has(s.start)) continue;
      const parent = enclosing(statements, s);
      statements.push({ ...s, parent, depth: parent < 0 ? 0 : statements[parent]!.depth + 1 });
    }
  }
  return statements;
}

/** The innermost statement that holds another one; -1 for none. */
function enclosing(statements: readonly Statement[], inner: Statement): number {
  let best = -1;
  statements.forEach((s, i) => {
    const holds = s.start <= inner.start && inner.end <= s.end && (s.start < inner.start || inner.end < s.end);
    if (holds && (best < 0 || s.depth >= statements[best]!.depth)) best = i;
  });
  return best;
}

function walk(c: CText, lines: Lines, base: { offset: number; line: number }): Statement[] {
  const found: Statement[] = [];
  const rangeOf = (from: number, to: number): LineRange => ({
    startLine: base.line + lines.at(from),
    endLine: base.line + lines.at(Math.max(from, to - 1)),
  });
  const root = parseC(mask(c, itemsOf(c))).rootNode;
  const fn = root.namedChildren.find((n) => n.type === 'function_definition') ?? root;
  const body = fn.childForFieldName('body');
  if (!body) return [];
  // A stack of our own: bodies nest as deep as a text likes.
  const todo: { node: SyntaxNode; depth: number; parent: number }[] = [];
  const queue = (nodes: readonly SyntaxNode[], depth: number, parent: number) => {
    for (let i = nodes.length - 1; i >= 0; i--) todo.push({ node: nodes[i]!, depth, parent });
  };
  queue(body.namedChildren, 0, -1);
  while (todo.length) {
    const { node, depth, parent } = todo.pop()!;
    const kind = KINDS[node.type];
    if (kind === undefined) continue;
    const { header, bodies, inside } = partsOf(node, kind);
    found.push({
      kind,
      start: base.offset + node.startIndex,
      end: base.offset + node.endIndex,
      ...rangeOf(node.startIndex, node.endIndex),
      depth,
      parent,
      header: header && rangeOf(header[0], header[1]),
      bodies: bodies.map((b) => ({ ...rangeOf(b.startIndex, b.endIndex), braced: b.type === 'compound_statement' })),
      // `else if` needs no braces.
      braceless: bodies.some((b, i) => b.type !== 'compound_statement' && !(i === 1 && b.type === 'if_statement')),
    });
    queue(inside, depth + 1, found.length - 1);
  }
  return found;
}

/** Header, controlled statements, and the statements one level below. */
function partsOf(
  node: SyntaxNode,
  kind: StatementKind,
): { header: [number, number] | null; bodies: SyntaxNode[]; inside: SyntaxNode[] } {
  const flat = (bodies: SyntaxNode[]) =>
    bodies.flatMap((b) => (b.type === 'compound_statement' ? b.namedChildren : [b]));
  const controls = (bodies: (SyntaxNode | null)[], headerEnd: number) => {
    const real = bodies.filter((b): b is SyntaxNode => b !== null);
    return { header: [node.startIndex, headerEnd] as [number, number], bodies: real, inside: flat(real) };
  };
  switch (kind) {
    case 'if': {
      const otherwise = node.childForFieldName('alternative')?.namedChildren ?? [];
      const condition = node.childForFieldName('condition');
      return controls(
        [node.childForFieldName('consequence'), otherwise[otherwise.length - 1] ?? null],
        condition?.endIndex ?? node.endIndex,
      );
    }
    case 'for':
    case 'while':
    case 'switch': {
      const body = node.childForFieldName('body');
      const before = body?.previousSibling;
      return controls([body], before?.endIndex ?? node.endIndex);
    }
    case 'do':
      return controls([node.childForFieldName('body')], node.startIndex + 2);
    case 'case': {
      const statements = node.namedChildren.filter((n) => KINDS[n.type] !== undefined);
      const colon = node.children.find((n) => n.type === ':');
      return { header: [node.startIndex, colon?.endIndex ?? node.endIndex], bodies: [], inside: statements };
    }
    case 'label': {
      const colon = node.children.find((n) => n.type === ':');
      const inside = node.namedChildren.filter((n) => KINDS[n.type] !== undefined);
      return { header: [node.startIndex, colon?.endIndex ?? node.endIndex], bodies: [], inside };
    }
    case 'compound':
      return { header: null, bodies: [], inside: node.namedChildren };
    default:
      return { header: null, bodies: [], inside: [] };
  }
}
