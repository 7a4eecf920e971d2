import { tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { definitionAround, type PorterFile } from './view';

/** What a declaration declares; a function with a body is none. */
export type DeclaredKind = 'object' | 'extern' | 'prototype' | 'typedef' | 'tag' | 'forward';

/** One name that a statement declares. */
export interface Declared {
  name: string;
  kind: DeclaredKind;
  /** Its type and all that belongs to it, qualifiers and attributes left out. */
  meaning: string;
  /** The same word for word. */
  text: string;
  /** The words of the whole statement, which may declare other names, too. */
  statement: string;
  /** 0-based lines of the whole statement. */
  first: number;
  last: number;
}

/** The block, struct or file that a line lies in, with what is declared directly in it. */
export interface DeclaringScope {
  kind: 'file' | 'members' | 'block';
  definition: Definition | null;
  declared: Declared[];
}

/**
 * Comments, strings and directives as blanks, so that only code has brackets; every character keeps its place. What is not
 * code any more says nothing of what is declared, the texts that are compared are those of the file.
 */
export function masked(text: ByteString): ByteString {
  return text.replace(
    /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*/gm,
    (m) => m.replace(/[^\n]/g, ' '),
  );
}

/**
 * What is declared in the scope into which a line would be put; null where nothing can be: in the values of an array, an
 * enum, the arguments of a call, and where the braces of a definition do not come out even.
 */
export function scopeAt(file: PorterFile, line: number): DeclaringScope | null {
  const definition = definitionAround(file, line);
  if (definition === null) return { kind: 'file', definition, declared: fileScope(file) };
  if (definition.broken || !['function', 'struct', 'union'].includes(definition.kind)) return null;
  const text = file.text.slice(definition.start, definition.end);
  const code = masked(text);
  let at = 0;
  for (let n = definition.startLine; n < line && at >= 0; n++) at = code.indexOf('\n', at) + 1 || -1;
  if (at < 0) return null;
  const open: number[] = [];
  for (let i = 0; i < at; i++) {
    if ('{(['.includes(code[i]!)) open.push(i);
    else if ('})]'.includes(code[i]!)) open.pop();
  }
  const from = open[open.length - 1];
  if (from === undefined || code[from] !== '{') return null;
  const head = code.slice(Math.max(code.lastIndexOf(';', from), code.lastIndexOf('}', from), -1) + 1, from).trim();
  const isTag = /\b(?:struct|union)\b[^()=]*$/.test(head);
  const isBlock = open.length === 1 ? definition.kind === 'function' : /(?:\)|\belse|\bdo|[{:])$|^$/.test(head);
  if (!isTag && !isBlock) return null;
  let depth = 0;
  let end = at;
  for (; end < code.length && depth >= 0; end++) depth += code[end] === '{' ? 1 : code[end] === '}' ? -1 : 0;
  if (depth >= 0) return null;
  const declared = declarationsOf(text, code, from + 1, end - 1, definition.startLine);
  return { kind: isTag ? 'members' : 'block', definition, declared };
}

const files = new WeakMap<PorterFile, Declared[]>();

function fileScope(file: PorterFile): Declared[] {
  let found = files.get(file);
  if (!found) {
    let code = masked(file.text);
    for (const d of file.outer) {
      if (d.kind !== 'function') continue;
      const blank = code.slice(d.start, d.end - 1).replace(/[^\n]/g, ' ');
      code = `${code.slice(0, d.start)}${blank};${code.slice(d.end)}`;
    }
    files.set(file, (found = declarationsOf(file.text, code, 0, code.length, 0)));
  }
  return found;
}

/** What some lines declare that stand by themselves; null when they begin or end inside of something. */
export function declaredBy(lines: readonly ByteString[]): Declared[] | null {
  const text = lines.join('');
  const code = masked(text);
  let depth = 0;
  for (const c of code) {
    depth += '{(['.includes(c) ? 1 : '})]'.includes(c) ? -1 : 0;
    if (depth < 0) return null;
  }
  return depth === 0 ? declarationsOf(text, code, 0, code.length, 0) : null;
}

/** The declarations between two offsets of a text, those of inner blocks left out. */
function declarationsOf(text: ByteString, code: ByteString, from: number, to: number, line: number): Declared[] {
  const found: Declared[] = [];
  const lineAt = (offset: number) => line + (text.slice(0, offset).match(/\n/g)?.length ?? 0);
  let depth = 0;
  let start = from;
  let isBody = false;
  for (let i = from; i < to; i++) {
    const c = code[i]!;
    if ('{(['.includes(c)) {
      if (c === '{' && depth === 0) {
        const head = code.slice(start, i);
        isBody = !/=\s*$|^[^()=]*\b(?:struct|union|enum)\b[^()=]*$/.test(head);
      }
      depth++;
    } else if ('})]'.includes(c)) depth--;
    const ends = depth === 0 && (c === ';' || (c === '}' && isBody));
    if (!ends) continue;
    if (c === ';') {
      const first = start + (code.slice(start, i).search(/\S/) + 1 || 1) - 1;
      const [a, b] = [lineAt(first), lineAt(i)];
      // Directives in the middle of a statement leave several statements.
      const whole = text.slice(first, i);
      if (!/^[ \t]*#/m.test(whole)) {
        const words = tokens(whole);
        for (const d of parsed(words)) found.push({ ...d, statement: words.join(' '), first: a, last: b });
      }
    }
    start = i + 1;
    isBody = false;
  }
  return found;
}

const NOT_TYPES = new Set(
  'return goto else case break continue if for while do switch default sizeof asm __asm__ typeof'.split(' '),
);
const QUALIFIERS = new Set(
  'const static volatile inline register restrict noinline asmlinkage extern __inline __always_inline'.split(' '),
);
/** Words by which the kernel says where a thing lies or how it may be used, and that are no types. */
const ATTRIBUTE =
  /^(?:__attribute__|__(?:read_mostly|ro_after_init|(?:net_|mem)?(?:init|exit)(?:data|const)?|init_memblock|ref|refdata|must_check|(?:maybe_|always_)?unused|used|cold|weak|visible|pure|iomem|user|rcu|percpu|force|randomize_layout|packed|aligned|section|printf|latent_entropy)|_*cacheline_aligned(?:_in_smp)?|____cacheline_\w+)$/;

function withoutAttributes(words: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    if (!ATTRIBUTE.test(words[i]!)) {
      out.push(words[i]!);
      continue;
    }
    if (words[i + 1] !== '(') continue;
    for (let depth = 0; i + 1 < words.length;) {
      i++;
      depth += words[i] === '(' ? 1 : words[i] === ')' ? -1 : 0;
      if (depth === 0) break;
    }
  }
  return out;
}

/** The names that the words of a statement declare; none when it is no declaration. */
function parsed(all: readonly string[]): Omit<Declared, 'statement' | 'first' | 'last'>[] {
  const words = withoutAttributes(all);
  if (words.length < 2 || NOT_TYPES.has(words[0]!)) return [];
  const isExtern = words[0] === 'extern';
  const isTypedef = words[0] === 'typedef';
  const parts: string[][] = [[]];
  let depth = 0;
  for (const w of words) {
    if (/^[[({]$/.test(w)) depth++;
    if (/^[\])}]$/.test(w)) depth--;
    if (w === ',' && depth === 0) parts.push([]);
    else parts[parts.length - 1]!.push(w);
  }
  const text = all.join(' ');
  const meant = (list: readonly string[]) =>
    list
      .filter((w) => !QUALIFIERS.has(w))
      .join(' ')
      .replace(/\[ \]/g, '[ 0 ]');
  const plain = words.filter((w) => !QUALIFIERS.has(w) && w !== 'typedef');
  const tag = /^(?:struct|union|enum)$/.test(plain[0] ?? '') ? plain[1] : undefined;
  if (!isTypedef && tag !== undefined && /^[A-Za-z_]/.test(tag)) {
    if (plain.length === 2) return [{ name: tag, kind: 'forward', meaning: plain.join(' '), text }];
    if (plain[2] === '{' && plain[plain.length - 1] === '}')
      return [{ name: tag, kind: 'tag', meaning: meant(plain), text }];
  }
  const [first, ...rest] = parts as [string[], ...string[][]];
  const own = declarator(first);
  if (own === null || own.at === 0 || !isType(first.slice(0, own.from))) return [];
  const kind = own.isFunction && !isTypedef ? 'prototype' : isTypedef ? 'typedef' : isExtern ? 'extern' : 'object';
  const type = first.slice(0, own.from);
  const found = [{ name: own.name, kind, meaning: meant(first), text: parts.length === 1 ? text : first.join(' ') }];
  for (const part of rest) {
    const other = declarator(part);
    if (other === null || other.from !== 0) return [];
    const whole = [...type, ...part];
    found.push({ name: other.name, kind, meaning: meant(whole), text: whole.join(' ') });
  }
  return found as Omit<Declared, 'statement' | 'first' | 'last'>[];
}

/** Where the name stands that a declarator declares, and where the type in front of its pointers ends. */
function declarator(words: readonly string[]): { name: string; at: number; from: number; isFunction: boolean } | null {
  const cut = words.findIndex((w) => w === '=' || w === ':');
  const head = cut < 0 ? [...words] : words.slice(0, cut);
  const body = head.lastIndexOf('}');
  let at = head.findIndex((w, i) => i > body && w === '(');
  let isFunction = false;
  if (at >= 0 && head[at + 1] === '*') {
    // A pointer to a function.
    for (at++; head[at] === '*' || QUALIFIERS.has(head[at] ?? '');) at++;
  } else if (at >= 0) {
    isFunction = true;
    at--;
  } else {
    const array = head.findIndex((w, i) => i > body && w === '[');
    at = (array < 0 ? head.length : array) - 1;
  }
  const name = head[at];
  if (name === undefined || !/^[A-Za-z_]\w*$/.test(name)) return null;
  let from = at;
  while (from > 0 && /^[*(]$|^const$/.test(head[from - 1]!)) from--;
  return { name, at, from, isFunction };
}

/** Words in front of a declarator that can be a type: names, and what a struct without a name has in it. */
function isType(words: readonly string[]): boolean {
  const open = words.indexOf('{');
  const names = open < 0 ? words : words.slice(0, open);
  if (open >= 0 && words[words.length - 1] !== '}') return false;
  return names.length > 0 && names.every((w) => /^[A-Za-z_]\w*$/.test(w) && !NOT_TYPES.has(w));
}
