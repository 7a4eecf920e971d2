import type { ByteString } from '../core/text';
import { Lexer, type Directive } from './lexer';
import { groupsOf } from './conditionals';
import { Lines, sorted } from './lines';
import { conditionalsOf, Guards, includesOf, macrosOf } from './preprocessor';
import type { Definition, FileIndex } from './types';

const ASSEMBLER_WORDS = ['.macro', '.endm', '.altmacro', '.section', '.irp'];

/** True for a header that only the assembler can read: it has assembler macros and nothing of C. */
export function isAssembly(text: ByteString): boolean {
  // Most texts have none of these words: cheap to tell.
  if (!ASSEMBLER_WORDS.some((word) => text.includes(word))) return false;
  if (!/^[ \t]*\.(macro|endm|altmacro|section|irp)\b/m.test(text)) return false;
  return !/^[ \t]*(static|extern|typedef|struct)\b/m.test(text) && !/^\}/m.test(text);
}

/** Everything that the index knows about an assembly file. */
export function indexAsm(text: ByteString): FileIndex {
  const lines = new Lines(text);
  const lexer = new Lexer(text);
  lexer.code();
  const groups = groupsOf(text, lexer.directives);
  const guards = new Guards(groups);
  const definitions = [
    ...macrosOf(lexer, groups, lines, guards),
    ...assemblyDefinitions(text, 0, text.length, lexer.directives, lines, guards),
  ];
  return {
    language: 'asm',
    definitions: definitions.sort((a, b) => a.start - b.start || b.end - a.end),
    includes: includesOf(text, lexer.directives, lines),
    conditionals: conditionalsOf(groups, lines),
    parse: { items: 0, bad: 0, badRaw: null },
    trouble: null,
  };
}

const START =
  /^\s*(?:ENTRY|WEAK|GLOBAL|LOCAL_ENTRY|SYM_(?:FUNC|CODE|DATA|INNER_LABEL|TYPED)\w*_START\w*|SYM_START|SYM_INNER_LABEL|SYM_ENTRY)\s*\(\s*(\w+)/;
const END = /^\s*(?:END|ENDPROC|ENDPIPROC|ENDDATA|SYM_(?:FUNC|CODE|DATA)\w*_END\w*|SYM_END)\s*\(\s*(\w+)/;
const ONE_LINE = /^\s*(?:SYM_DATA|SYM_DATA_LOCAL|SYM_FUNC_ALIAS\w*|SYM_FUNC_START_ALIAS)\s*\(\s*(\w+)/;
const LABEL = /^\s*([A-Za-z_.$][\w.$]*)\s*:/;
const BRANCH =
  /^\s*(?:\w+:\s*)?(?:bl|b|b\.\w+|cbz|cbnz|tbz|tbnz|beq|bne|blt|bgt|jmp|call|adr|adr_l|ldr_l|adrp)\s+(?:[^,\n]*,\s*)*([A-Za-z_]\w*)\s*(?:\/\/.*)?$/;

/** Symbols, labels and macros between two offsets of a text. Lines of the preprocessor are stepped over. */
export function assemblyDefinitions(
  text: ByteString,
  from: number,
  to: number,
  directives: readonly Directive[],
  lines: Lines,
  guards: Guards,
): Definition[] {
  const found: Definition[] = [];
  /** What is still open: a macro, a symbol, the last label. */
  const open: { macro: Definition | null; symbol: Definition | null; label: Definition | null } = {
    macro: null,
    symbol: null,
    label: null,
  };
  const make = (kind: 'asm-symbol' | 'asm-macro', name: string, start: number, end: number): Definition => {
    const definition: Definition = {
      kind,
      name,
      start,
      end,
      startLine: 0,
      endLine: 0,
      body: null,
      guards: guards.at(start),
      signature: null,
      members: [],
      calls: [],
      uses: [],
      broken: false,
    };
    found.push(definition);
    return definition;
  };
  const close = (key: 'macro' | 'symbol' | 'label', end: number) => {
    const definition = open[key];
    if (definition) definition.end = Math.max(definition.end, end);
    open[key] = null;
  };

  let comment = false;
  let next = directives.findIndex((d) => d.end > from);
  if (next < 0) next = directives.length;
  let contentEnd = from;
  for (let at = from; at < to;) {
    while (next < directives.length && directives[next]!.end <= at) next++;
    const d = directives[next];
    if (d && d.start <= at + leading(text, at) && d.end > at) {
      at = lineEnd(text, d.end, to) + 1;
      continue;
    }
    const end = lineEnd(text, at, to);
    const start = at;
    at = end + 1;
    if (end - start > 4000) continue;
    let line = text.slice(start, end);
    [line, comment] = withoutComment(line, comment);
    if (line.trim() === '') continue;
    const m = /^\s*\.macro\s+([\w.]+)\s*(.*)$/.exec(line);
    if (m) {
      close('label', contentEnd);
      open.macro = make('asm-macro', m[1]!, start, end);
      const parameters = m[2]!.split(/[\s,]+/).filter(Boolean);
      open.macro.signature = {
        returns: '',
        parameters: parameters.map((p) => ({ type: '', name: p.replace(/[:=].*$/, '') })),
        variadic: /:vararg/.test(m[2]!),
        annotations: [],
      };
    } else if (/^\s*\.endm\b/.test(line)) {
      if (open.macro) open.macro.end = end;
      open.macro = null;
    } else if (!open.macro) {
      const symbol = START.exec(line);
      const single = ONE_LINE.exec(line);
      const label = LABEL.exec(line);
      const ended = END.exec(line);
      if (symbol) {
        close('label', contentEnd);
        if (!/INNER_LABEL/.test(line)) {
          close('symbol', contentEnd);
          open.symbol = make('asm-symbol', symbol[1]!, start, end);
        } else open.label = make('asm-symbol', symbol[1]!, start, end);
      } else if (ended) {
        close('label', contentEnd);
        close('symbol', end);
      } else if (single) {
        make('asm-symbol', single[1]!, start, end);
      } else if (label && !/^\.?\d/.test(label[1]!)) {
        close('label', contentEnd);
        open.label = make('asm-symbol', label[1]!, start, end);
      }
    }
    contentEnd = end;
  }
  close('macro', contentEnd);
  close('label', contentEnd);
  close('symbol', contentEnd);
  for (const definition of found) finish(text, definition, lines);
  return found;
}

function finish(text: ByteString, d: Definition, lines: Lines): void {
  d.startLine = lines.at(d.start);
  d.endLine = lines.at(Math.max(d.start, d.end - 1));
  const body = text.slice(d.start, Math.min(d.end, d.start + 200_000));
  const calls = new Set<string>();
  const uses = new Set<string>();
  for (const raw of body.split('\n')) {
    const line = raw.replace(/\/\/.*$/, '');
    const branch = BRANCH.exec(line);
    if (branch) calls.add(branch[1]!);
    for (const word of line.match(/[A-Za-z_]\w+/g) ?? []) uses.add(word);
  }
  calls.delete(d.name);
  uses.delete(d.name);
  for (const call of calls) uses.delete(call);
  d.calls = sorted(calls);
  d.uses = sorted(uses);
}

function leading(text: ByteString, at: number): number {
  let i = at;
  while (text[i] === ' ' || text[i] === '\t') i++;
  return i - at;
}

function lineEnd(text: ByteString, at: number, to: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 || end > to ? to : end;
}

/** A line without its comments; the flag says whether a block comment is open. */
function withoutComment(line: string, open: boolean): [string, boolean] {
  let rest = line;
  let inComment = open;
  let out = '';
  while (rest !== '') {
    if (inComment) {
      const end = rest.indexOf('*/');
      if (end < 0) return [out, true];
      rest = rest.slice(end + 2);
      inComment = false;
    } else {
      const start = rest.indexOf('/*');
      if (start < 0) return [(out + rest).replace(/\/\/.*$/, ''), false];
      out += `${rest.slice(0, start)} `;
      rest = rest.slice(start + 2);
      inComment = true;
    }
  }
  return [out, inComment];
}
