import type { Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { Found } from '../kernel-index/index';
import type { PortContext } from './context';
import { localsOf } from './locals';
import { contestedRegister } from './software-registers';
import type { Pairing } from './site';
import type { PorterFile } from './view';

/** Code with what upstream's own lines say instead of a field that is gone. */
export interface Learned {
  lines: ByteString[];
  evidence: Evidence[];
  /** Why the code cannot go there: it stores what upstream's own lines only read. */
  blockers: string[];
}

/** So many functions of the base that mention a field are asked. */
const MOST_USERS = 40;

/** `from` reads as `into`, both as tokens. */
interface Reading {
  from: string[];
  into: string[];
  /** Locals of the function that it was seen in: code without these cannot say it. */
  needs: string[];
  /** True when upstream's line stores there. */
  stores: boolean;
}

const STORE = /^(?:=|[-+*/%&|^]=|<<=|>>=|\+\+|--)$/;
const BEHIND = /^(?:=(?!=)|[-+*/%&|^]=|<<=|>>=|\+\+|--)/;

/**
 * A field that upstream took away has no heir, but the code that used it has: where all functions of the base that say it in
 * the same words as the set's code say the same other thing now, the set's code says that, too.
 */
export async function readAsUpstream(
  lines: readonly ByteString[],
  fields: readonly string[],
  context: PortContext,
): Promise<Learned> {
  const learned: Learned = { lines: [...lines], evidence: [], blockers: [] };
  for (const field of fields) {
    const readings = new Map<string, Set<string>>();
    const stored = new Set<string>();
    const there = new Set(tokens(lines.join('')));
    for (const { from, into, needs, stores } of await readingsOf(field, context)) {
      if (needs.some((name) => !there.has(name))) continue;
      const key = from.join(' ');
      readings.set(key, (readings.get(key) ?? new Set()).add(into.join(' ')));
      if (stores) stored.add(key);
    }
    // The longest first: it says most of what the field was used for.
    for (const [from, into] of [...readings].sort((a, b) => b[0].length - a[0].length)) {
      if (into.size !== 1) continue;
      const pattern = new RegExp(`(?<![\\w.>])${from.split(' ').map(escape).join('\\s*')}(?!\\w)`, 'g');
      const now = spelt([...into][0]!.split(' '));
      const isStored = (line: ByteString, at: number, length: number) =>
        !stored.has(from) && isStoredTo(line, at, at + length);
      if (learned.lines.some((l) => [...l.matchAll(pattern)].some((m) => isStored(l, m.index, m[0].length)))) {
        const what = `it stores into '${spelt(from.split(' '))}', which upstream took away and only reads, as '${now}'`;
        learned.blockers.push(what);
      }
      const read = learned.lines.map((l) =>
        l.replace(pattern, (m, at: number) => (isStored(l, at, m.length) ? m : now)),
      );
      if (read.every((l, i) => l === learned.lines[i])) continue;
      learned.lines = read;
      const said = `'${spelt(from.split(' '))}' is '${now}' in upstream's own code`;
      learned.evidence.push({ kind: 'expression-learned', text: said });
      const register = contestedRegister(now, context);
      if (register !== null) {
        const why = `'${now}' goes by '${register}', which the set goes by, too: what is in it may be the set's`;
        learned.evidence.push({ kind: 'doubt', text: why });
      }
      break;
    }
  }
  return learned;
}

async function readingsOf(field: string, context: PortContext): Promise<Reading[]> {
  const readings: Reading[] = [];
  const users = context.base.kernel.mentions(field).filter((f) => f.definition.kind === 'function');
  for (const user of new Map(users.map((u) => [u.definition, u])).values()) {
    if (readings.length > MOST_USERS) break;
    if (isAsItWas(user, context)) continue;
    const base = await context.base.file(user.file.path);
    const scope = base?.outer.find((d) => d.name === user.definition.name && d.kind === 'function');
    if (!base || !scope) continue;
    for (const heir of await context.heirs.definitions(base.path, scope)) {
      const target = await context.target.file(heir.path);
      if (!target || heir.definition.kind !== 'function') continue;
      const pairing = context.aligner.definitions(base, scope, target, heir.definition);
      const locals = localsOf(heir.definition, target.text.slice(heir.definition.start, heir.definition.end));
      const seen = [...changedIn(pairing, field), ...assignedIn(base, scope, target, heir.definition, field)];
      readings.push(...seen.map((r) => ({ ...r, needs: r.into.filter((w) => locals.has(w)) })));
    }
  }
  return readings;
}

/** True for a function that reads word for word as it did: it has nothing to teach. Most do, and a field has many users. */
function isAsItWas({ file: { path, text }, definition: d }: Found, { base, target }: PortContext): boolean {
  if (base.changes().has(path) || target.changes().has(path)) return false;
  return target.kernel
    .definitions(d.name)
    .some(
      ({ file, definition: t }) =>
        file.path === path && t.kind === d.kind && text.slice(d.start, d.end) === file.text.slice(t.start, t.end),
    );
}

/** What changed in lines that are aligned, around the field. */
function* changedIn(p: Pairing, field: string): Generator<Omit<Reading, 'needs'>> {
  for (const [i, m] of p.match.entries()) {
    if (!m || m.similarity === 1) continue;
    const [a, b] = [p.base.lines[p.baseUnits[i]!.first]!, p.target.lines[p.targetUnits[m.to]!.first]!].map(tokens) as [
      string[],
      string[],
    ];
    if (!a.includes(field) || b.includes(field)) continue;
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
    // An access is one thing: `data->x` does not become something behind `data`.
    while (head > 0 && /^(->|\.)$/.test(a[head] ?? '')) head--;
    const [from, into] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
    const stores = STORE.test(b[b.length - tail] ?? '') || /^(?:\+\+|--)$/.test(b[head - 1] ?? '');
    if (from.includes(field) && isExpression(from) && isExpression(into)) yield { from, into, stores };
  }
}

/** True when what stands between two offsets is stored to, or its address taken. */
function isStoredTo(text: ByteString, from: number, to: number): boolean {
  const [before, behind] = [stripComments(text.slice(0, from)).trimEnd(), stripComments(text.slice(to)).trimStart()];
  if (BEHIND.test(behind) || /(?:\+\+|--)$/.test(before)) return true;
  // `a & b` and `a && b` take no address.
  return /(?:^|[^&\w)\]\s])\s*&$/.test(before) || /\breturn\s*&$/.test(before);
}

/** What is assigned to a variable that each of the two functions assigns once. */
function* assignedIn(
  base: PorterFile,
  was: { start: number; end: number },
  target: PorterFile,
  is: { start: number; end: number },
  field: string,
): Generator<Omit<Reading, 'needs'>> {
  const assignments = (text: ByteString) => {
    const found = new Map<string, string[]>();
    for (const [, name, value] of stripComments(text).matchAll(/(?<![\w.>])([a-z_]\w*)\s*=(?!=)([^;{}]*);/g))
      found.set(name!, [...(found.get(name!) ?? []), value!.trim()]);
    return found;
  };
  const there = assignments(target.text.slice(is.start, is.end));
  for (const [name, values] of assignments(base.text.slice(was.start, was.end))) {
    const now = there.get(name);
    if (values.length !== 1 || now?.length !== 1) continue;
    const [from, into] = [tokens(values[0]!), tokens(now[0]!)];
    if (from.includes(field) && !into.includes(field) && isExpression(from) && isExpression(into))
      yield { from, into, stores: false };
  }
}

function isExpression(words: readonly string[]): boolean {
  if (words.length === 0 || words.length > 24) return false;
  let depth = 0;
  for (const w of words) {
    if (/^[;{}"]/.test(w)) return false;
    if (w === '(') depth++;
    if (w === ')' && --depth < 0) return false;
    if (w === ',' && depth === 0) return false;
  }
  return depth === 0;
}

function spelt(words: readonly string[]): string {
  return words
    .join(' ')
    .replace(/ ?(->|\.|\(|\)|\[|\]) ?/g, '$1')
    .replace(/ ,/g, ',')
    .replace(/(^|[([]|, )([&*!~-]) /g, '$1$2');
}

const escape = (word: string) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A whole number is copied from a field that is gone into one of the set's own: upstream has nothing there any more. */
export function copiesOfNothing(
  lines: readonly ByteString[],
  fields: ReadonlySet<string>,
  own: (name: string) => boolean,
): { lines: ByteString[]; doubts: string[] } {
  const doubts: string[] = [];
  const read = lines.map((line) => {
    const [, head, to, field] =
      /^(\s*\w+(?:(?:->|\.)\w+)*(?:->|\.)(\w+)\s*=\s*)\w+(?:(?:->|\.)\w+)*(?:->|\.)(\w+)\s*;\s*$/.exec(line) ?? [];
    if (head === undefined || !fields.has(field!) || !own(to!)) return line;
    doubts.push(`copies the field '${field}', which upstream removed: 0 stands for it`);
    return `${head}0;\n`;
  });
  return { lines: read, doubts };
}
