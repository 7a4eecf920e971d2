import { createHash } from 'node:crypto';
import type { ByteString } from '../core/text';
import type { DiskCache } from '../io/cache';
import { breathe } from '../io/parser';
import type { KernelTree } from '../io/tree';
import { argumentOf } from './conditionals';
import type { Directive } from './lexer';
import { sorted } from './lines';
import { ATTRIBUTE, ATTRIBUTE_CALL, classOf } from './words';

/**
 * Every kernel defines attribute words of its own (`__hyp_text`, `__efiapi`): macros without parameters whose text is
 * empty or made of attributes only. The grammar knows none of them, so they are harvested from the headers.
 */

/** Words that are empty in some configuration, but are types, values or language. */
const NEVER = new Set(
  (
    'inline const static extern volatile register restrict bool signed unsigned asm typeof auto true false NULL ' +
    'STATIC INIT int long char void __inline __iter_div_u64_rem'
  ).split(' '),
);
/** Include guards, options and feature switches are empty as well. */
const SWITCH =
  /(_H_*$|^_+[A-Z0-9_]+_+$|^CONFIG_|^HAVE_|^ARCH_|^__HAVE|^__ARCH|^__need|_H_INCLUDED|^__ASM|^_?_?[A-Z0-9_]+$)/;

/** A `#define` without parameters: its name and text. */
export interface PlainMacro {
  name: string;
  body: string;
}

/** The macros of a text that could be attribute words: few lines are looked at twice. */
export function plainMacros(text: ByteString): PlainMacro[] {
  const found: PlainMacro[] = [];
  const define = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?![\w(])((?:[^\n\\]|\\\r?\n|\\.)*)/gm;
  for (let m = define.exec(text); m; m = define.exec(text)) {
    const end = m.index + m[0].length;
    const start = end - m[2]!.length;
    const directive: Directive = { keyword: 'define', start, end, argument: start, token: 0 };
    // Attributes are words, calls and strings: whatever holds more is none of them.
    if (m[2]!.length > 400) continue;
    const body = argumentOf(text, directive);
    if (/^[\w\s()",.#*/-]*$/.test(body) && !/^["\d(]/.test(body)) found.push({ name: m[1]!, body });
  }
  return found;
}

/** Those of the macros that are attribute words in every definition that they have. */
export function attributeWords(macros: Iterable<PlainMacro>): string[] {
  const bodies = new Map<string, Set<string>>();
  for (const { name, body } of macros) {
    if (NEVER.has(name) || name.length < 4) continue;
    const known = bodies.get(name);
    if (known) known.add(body);
    else bodies.set(name, new Set([body]));
  }
  const words = new Set<string>();
  const isAttribute = (w: string) => words.has(w) || (classOf(w, null) & ATTRIBUTE) !== 0;
  // A word may be made of words that are found later; four rounds are more than any kernel needs.
  for (let round = 0; round < 4; round++) {
    for (const [name, texts] of bodies) {
      if (words.has(name) || SWITCH.test(name)) continue;
      const full = [...texts].filter((t) => t !== '');
      if (full.length === 0 && !/^_*[a-z]\w*$/.test(name)) continue;
      if (full.every((t) => isAttributeText(t, isAttribute))) words.add(name);
    }
  }
  return sorted(words);
}

/** True for a text of attribute words and calls, storage words in between allowed. */
function isAttributeText(text: string, isAttribute: (word: string) => boolean): boolean {
  let rest = text;
  let any = false;
  while (rest !== '') {
    const word = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (!word) return false;
    rest = rest.slice(word.length).trimStart();
    if (classOf(word, null) & ATTRIBUTE_CALL && rest.startsWith('(')) {
      const end = closing(rest);
      if (end < 0) return false;
      rest = rest.slice(end + 1).trimStart();
      any = true;
    } else if (isAttribute(word)) any = true;
    else if (!/^(static|const|extern|inline)$/.test(word)) return false;
  }
  return any;
}

function closing(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return -1;
}

/** The attribute words of a kernel, and a hash that names the set. */
export interface Attributes {
  words: ReadonlySet<string>;
  hash: string;
}

/** A set of attribute words with its name. */
export function attributesOf(words: Iterable<string>): Attributes {
  const list = sorted(words);
  return { words: new Set(list), hash: createHash('sha1').update(list.join(' ')).digest('hex').slice(0, 16) };
}

const FOLDERS = /^(include\/(linux|asm-generic|kvm|trace|uapi\/linux)|arch\/(arm|arm64)\/include)\/.*\.h$/;

/** Harvests a tree. The headers that count are the same for every scope, so that scopes share the cache. */
export async function harvestAttributes(tree: KernelTree, cache: DiskCache | null): Promise<Attributes> {
  const headers = [...tree.paths()].filter((p) => FOLDERS.test(p));
  const hash = createHash('sha1').update('2\0');
  for (const p of headers) hash.update(`${tree.entry(p)?.oid}\0`);
  const key = `attributes/of-${hash.digest('hex')}`;
  const known = cache?.get(key);
  if (known !== null && known !== undefined) return remember(attributesOf(known.split(' ')), cache);
  const macros: PlainMacro[] = [];
  for (let at = 0; at < headers.length; at += 64) {
    const texts = await Promise.all(headers.slice(at, at + 64).map((p) => tree.read(p)));
    for (const text of texts) if (text !== null) for (const m of plainMacros(text)) macros.push(m);
    await breathe();
  }
  const words = attributeWords(macros);
  cache?.put(key, words.join(' '));
  return remember(attributesOf(words), cache);
}

/** Keeps a set under its hash: entries of the cache name the set they were made with. */
function remember(attributes: Attributes, cache: DiskCache | null): Attributes {
  const key = `attributes/${attributes.hash}`;
  if (cache && cache.get(key) === null) cache.put(key, [...attributes.words].join(' '));
  return attributes;
}
