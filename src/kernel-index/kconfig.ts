import { splitLines, type ByteString } from '../core/text';
import { sorted } from './lines';
import type { Definition, FileIndex } from './types';

const ENTRY = /^\s*(config|menuconfig)\s+(\w+)\s*(?:#.*)?$/;
const OTHER = /^\s*(choice|endchoice|menu|endmenu|if|endif|source|comment|mainmenu)\b(.*)$/;

/** Everything that the index knows about a Kconfig file: one definition per entry, `if` blocks as guards. */
export function indexKconfig(text: ByteString): FileIndex {
  const definitions: Definition[] = [];
  const includes: FileIndex['includes'] = [];
  const guards: string[] = [];
  let entry: Definition | null = null;
  /** Indentation of a help text; null outside one, -1 until its first line is seen. */
  let help: number | null = null;
  let offset = 0;
  let last = { offset: 0, line: 0 };
  const close = () => {
    if (entry) [entry.end, entry.endLine] = [last.offset, last.line];
    entry = null;
    help = null;
  };
  splitLines(text).forEach((raw, number) => {
    const line = raw.replace(/\r?\n$/, '');
    const start = offset;
    offset += raw.length;
    if (line.trim() === '') return;
    const indent = line.replace(/\t/g, '        ').search(/\S/);
    if (help !== null) {
      if (help < 0) help = indent;
      if (indent >= help && indent > 0) {
        last = { offset: start + line.length, line: number };
        return;
      }
      help = null;
    }
    const m = ENTRY.exec(line);
    const other = OTHER.exec(line);
    if (m || other) close();
    if (m) {
      entry = newEntry(m[2]!, start, number, [...guards]);
      definitions.push(entry);
    } else if (other) {
      if (other[1] === 'if') guards.push(other[2]!.replace(/#.*/, '').trim());
      else if (other[1] === 'endif') guards.pop();
      else if (other[1] === 'source')
        includes.push({ path: other[2]!.trim().replace(/^"|"$/g, ''), system: false, line: number });
      return;
    } else if (entry) {
      if (/^\s*(help|---help---)\s*$/.test(line)) help = -1;
      else if (!line.trim().startsWith('#')) mention(entry, line);
    }
    if (!/^#/.test(line)) last = { offset: start + line.length, line: number };
  });
  close();
  for (const d of definitions) d.uses = sorted(d.uses);
  return {
    language: 'kconfig',
    definitions,
    includes,
    conditionals: [],
    parse: { items: 0, bad: 0, badRaw: null },
    trouble: null,
  };
}

/** The symbols that a line of an entry depends on, selects or takes a default from. */
function mention(entry: Definition, line: string): void {
  const m =
    /^\s*(depends on|select|imply|default|visible if|range|bool|tristate|def_bool|def_tristate|int|hex|string|prompt)\b(.*)$/.exec(
      line,
    );
  if (!m) return;
  const words =
    m[2]!
      .replace(/"[^"]*"/g, ' ')
      .replace(/#.*/, '')
      .match(/[A-Z_][A-Z0-9_]*\b/g) ?? [];
  entry.uses.push(...words);
}

function newEntry(name: string, start: number, line: number, guards: string[]): Definition {
  return {
    kind: 'config',
    name,
    start,
    end: start,
    startLine: line,
    endLine: line,
    body: null,
    guards,
    signature: null,
    members: [],
    calls: [],
    uses: [],
    broken: false,
  };
}
