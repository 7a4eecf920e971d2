import type { Definition, DefinitionKind, FileIndex, Language, Member, Signature } from './types';

/**
 * How the cache writes a file's index: JSON, with a row per definition instead of an object, names joined by blanks, and
 * signatures and guards in lists of their own. It is half as long and is read twice as fast, and reading is all that a
 * run with a warm cache does.
 */
type Row = [
  kind: DefinitionKind,
  name: string,
  span: [start: number, end: number, startLine: number, endLine: number, bodyStart?: number, bodyEnd?: number],
  calls: string,
  uses: string,
  broken: 0 | 1,
  /** Numbers into the lists of the entry, from 1 on; 0 for none. Left out at the end of a row when all are 0. */
  guards?: number,
  signature?: number,
  members?: (string | number)[],
];

interface Entry {
  language: Language;
  rows: Row[];
  guards: string[][];
  signatures: Signature[];
  includes: FileIndex['includes'];
  conditionals: FileIndex['conditionals'];
  parse: FileIndex['parse'];
  trouble: string | null;
}

/** The text of an index. */
export function encodeIndex(index: FileIndex): string {
  const entry: Entry = {
    language: index.language,
    rows: [],
    guards: [],
    signatures: [],
    includes: index.includes,
    conditionals: index.conditionals,
    parse: index.parse,
    trouble: index.trouble,
  };
  const guardNumbers = new Map<string, number>();
  for (const d of index.definitions) {
    let guards = 0;
    if (d.guards.length) {
      const key = d.guards.join('\0');
      guards = guardNumbers.get(key) ?? entry.guards.push(d.guards);
      guardNumbers.set(key, guards);
    }
    const signature = d.signature ? entry.signatures.push(d.signature) : 0;
    const span: Row[2] = [d.start, d.end, d.startLine, d.endLine];
    if (d.body) span.push(d.body.start, d.body.end);
    const row: Row = [d.kind, d.name, span, d.calls.join(' '), d.uses.join(' '), d.broken ? 1 : 0];
    if (guards || signature || d.members.length) row.push(guards, signature);
    if (d.members.length) row.push(d.members.flatMap((m) => [m.name, m.type, m.line]));
    entry.rows.push(row);
  }
  return JSON.stringify(entry);
}

/** Undoes {@link encodeIndex}; null for a text that is none of its own: of another program version, for one. */
export function decodeIndex(text: string): FileIndex | null {
  try {
    const entry = JSON.parse(text) as Entry;
    const { language, includes, conditionals, parse, trouble } = entry;
    if (![includes, conditionals, entry.rows].every((l) => Array.isArray(l)) || typeof language !== 'string')
      return null;
    return {
      language,
      definitions: entry.rows.map((row) => definitionOf(row, entry)),
      includes,
      conditionals,
      parse,
      trouble,
    };
  } catch {
    return null;
  }
}

function definitionOf(row: Row, entry: Entry): Definition {
  const [kind, name, span, calls, uses, broken, guards, signature, members] = row;
  return {
    kind,
    name,
    start: span[0],
    end: span[1],
    startLine: span[2],
    endLine: span[3],
    body: span.length === 6 ? { start: span[4]!, end: span[5]! } : null,
    guards: guards ? entry.guards[guards - 1]! : [],
    signature: signature ? entry.signatures[signature - 1]! : null,
    members: members ? membersOf(members) : [],
    calls: calls === '' ? [] : calls.split(' '),
    uses: uses === '' ? [] : uses.split(' '),
    broken: broken === 1,
  };
}

function membersOf(flat: readonly (string | number)[]): Member[] {
  const found: Member[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    found.push({ name: flat[i] as string, type: flat[i + 1] as string, line: flat[i + 2] as number });
  }
  return found;
}
