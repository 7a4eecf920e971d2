import type { ByteString } from '../core/text';
import { groupsOf } from './conditionals';
import { Lexer } from './lexer';
import { Lines, sorted } from './lines';
import { conditionalsOf, Guards, includesOf, macrosOf } from './preprocessor';
import type { Definition, FileIndex } from './types';

/** Everything that the index knows about a linker script: output sections, symbols that it sets, macros. */
export function indexLds(text: ByteString): FileIndex {
  const lines = new Lines(text);
  const lexer = new Lexer(text);
  lexer.code();
  const groups = groupsOf(text, lexer.directives);
  const guards = new Guards(groups);
  const code = blankDirectives(text, lexer);
  const definitions = [...macrosOf(lexer, groups, lines, guards), ...sectionsOf(code, lines, guards)];
  return {
    language: 'lds',
    definitions: definitions.sort((a, b) => a.start - b.start || b.end - a.end),
    includes: includesOf(text, lexer.directives, lines),
    conditionals: conditionalsOf(groups, lines),
    parse: { items: 0, bad: 0, badRaw: null },
    trouble: null,
  };
}

function sectionsOf(code: string, lines: Lines, guards: Guards): Definition[] {
  const found: Definition[] = [];
  const add = (kind: 'section' | 'variable', name: string, start: number, end: number) =>
    found.push({
      kind,
      name,
      start,
      end,
      startLine: lines.at(start),
      endLine: lines.at(Math.max(start, end - 1)),
      body: null,
      guards: guards.at(start),
      signature: null,
      members: [],
      calls: [],
      uses: sorted((code.slice(start, end).match(/[A-Za-z_]\w+/g) ?? []).filter((w) => w !== name)),
      broken: false,
    });
  const section = /(^|[\s{}])((?:\.|\/DISCARD\/)[\w.]*)[^\S\n]*(?:\([^()\n]*\)|[\w.+ ()]*?)?[^\S\n]*:/g;
  for (let m = section.exec(code); m; m = section.exec(code)) {
    const start = m.index + m[1]!.length;
    const open = code.indexOf('{', section.lastIndex);
    if (open < 0 || code.slice(section.lastIndex, open).search(/[;}]/) >= 0) continue;
    const end = closing(code, open);
    add('section', m[2]!, start, end);
  }
  const symbol = /^[ \t]*([A-Za-z_]\w*)[ \t]*=[^=;\n][^;\n]*;/gm;
  for (let m = symbol.exec(code); m; m = symbol.exec(code)) {
    const start = m.index + m[0].search(/\S/);
    add('variable', m[1]!, start, m.index + m[0].length);
  }
  return found;
}

/** The end of the block that opens at `open`; the end of the text when it never closes. */
function closing(code: string, open: number): number {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    if (code[i] === '{') depth++;
    else if (code[i] === '}' && --depth === 0) return i + 1;
  }
  return code.length;
}

/** Comments and preprocessor lines blanked, offsets kept. */
function blankDirectives(text: ByteString, lexer: Lexer): string {
  const blank = (s: string) => s.replace(/[^\n]/g, ' ');
  const parts: string[] = [];
  let at = 0;
  for (const d of lexer.directives) {
    parts.push(text.slice(at, d.start), blank(text.slice(d.start, d.end)));
    at = d.end;
  }
  parts.push(text.slice(at));
  return parts.join('').replace(/\/\*[^]*?(?:\*\/|$)/g, blank);
}
