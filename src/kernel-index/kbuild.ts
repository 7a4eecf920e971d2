import { splitLines, type ByteString } from '../core/text';
import type { Definition, FileIndex } from './types';

const ASSIGNMENT = /^[ ]*(?:export\s+|override\s+)?([\w./$(){}%-]+)[ \t]*(\+=|:=|::=|\?=|=)[ \t]*(.*)$/;

/** Everything that the index knows about a Makefile or Kbuild file: one `object-rule` per assignment. */
export function indexKbuild(text: ByteString): FileIndex {
  const definitions: Definition[] = [];
  const includes: FileIndex['includes'] = [];
  const guards: string[] = [];
  const lines = splitLines(text);
  let offset = 0;
  for (let at = 0; at < lines.length;) {
    const [start, startLine] = [offset, at];
    let logical = '';
    const pieces: string[] = [];
    for (;;) {
      const raw = lines[at++]!;
      offset += raw.length;
      const piece = raw.replace(/\r?\n$/, '');
      pieces.push(piece);
      if (!piece.endsWith('\\') || at >= lines.length) break;
    }
    logical = pieces.map((p) => p.replace(/\\$/, '')).join(' ');
    const condition = /^\s*(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)$/.exec(logical);
    if (condition) guards.push(`${condition[1]!} ${condition[2]!.trim()}`);
    else if (/^\s*else\b/.test(logical)) guards.push(`!(${guards.pop() ?? ''})`);
    else if (/^\s*endif\b/.test(logical)) guards.pop();
    else if (/^\s*-?include\s/.test(logical)) {
      includes.push({ path: logical.trim().replace(/^-?include\s+/, ''), system: false, line: startLine });
    } else {
      const m = logical.startsWith('\t') ? null : ASSIGNMENT.exec(logical);
      if (!m) continue;
      const members = pieces.flatMap((piece, i) => {
        const value = i === 0 ? piece.replace(/^[^=]*=/, '') : piece;
        return wordsOf(value.replace(/\\$/, '')).map((name) => ({ name, type: '', line: startLine + i }));
      });
      definitions.push({
        kind: 'object-rule',
        name: m[1]!,
        start,
        end: start + pieces.join('\n').length,
        startLine,
        endLine: at - 1,
        body: null,
        guards: [...guards],
        signature: null,
        members,
        calls: [],
        uses: [...new Set(`${m[1]} ${members.map((w) => w.name).join(' ')}`.match(/CONFIG_\w+/g) ?? [])].sort(),
        broken: false,
      });
    }
  }
  return {
    language: 'kbuild',
    definitions,
    includes,
    conditionals: [],
    parse: { items: 0, bad: 0, badRaw: null },
    trouble: null,
  };
}

/** Words of a value: `$(…)` counts as one, comments do not count. */
function wordsOf(value: string): string[] {
  return value.replace(/(^|\s)#.*$/, '').match(/(?:\$\([^()]*(?:\([^()]*\)[^()]*)*\)|[^\s])+/g) ?? [];
}
