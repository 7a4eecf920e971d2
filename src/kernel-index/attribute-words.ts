import type { ByteString } from '../core/text';
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
    'int long char void __inline __iter_div_u64_rem'
  ).split(' '),
);
/** Include guards, options and feature switches are empty as well. */
const SWITCH = /(_H_*$|^_+[A-Z0-9_]+_+$|^CONFIG_|^HAVE_|^ARCH_|^__HAVE|^__ARCH|^__need|_H_INCLUDED|^__ASM)/;

/** A `#define` without parameters: its name and text. */
export interface PlainMacro {
  name: string;
  body: string;
}

/** Attributes are words, calls and strings; a text that is longer, or holds anything else, is none of them. */
const MAX_BODY = 400;

/** The macro of a directive, if it could be an attribute word. */
export function plainMacro(text: ByteString, d: Directive): PlainMacro | null {
  if (d.keyword !== 'define' || d.end - d.argument > MAX_BODY) return null;
  const m = /^[ \t]+([A-Za-z_]\w*)(?![\w(])/.exec(text.slice(d.argument, d.end));
  if (!m) return null;
  const start = d.argument + m[0].length;
  // Most macros are numbers: cheap to tell.
  let at = start;
  while (at < d.end && (text[at] === ' ' || text[at] === '\t')) at++;
  if (at < d.end && !/[A-Za-z_/\\]/.test(text[at]!)) return null;
  const body = argumentOf(text, { ...d, argument: start });
  if (!/^[\w\s()",.#*/-]*$/.test(body) || /^["\d(]/.test(body)) return null;
  const name = m[1]!;
  return name.length < 4 || NEVER.has(name) || SWITCH.test(name) ? null : { name, body };
}

/** The macros of a text that could be attribute words. */
export function plainMacros(text: ByteString): PlainMacro[] {
  const found: PlainMacro[] = [];
  const define = /^[ \t]*#[ \t]*define(?=[ \t])(?:[^\n\\]|\\\r?\n|\\.)*/gm;
  for (let m = define.exec(text); m; m = define.exec(text)) {
    const end = m.index + m[0].length;
    const argument = m.index + m[0].indexOf('define') + 6;
    const macro = plainMacro(text, { keyword: 'define', start: m.index, end, argument, token: 0 });
    if (macro) found.push(macro);
  }
  return found;
}

/** Those of the macros that are attribute words in every definition that they have; `known` are such words as well. */
export function attributeWords(macros: Iterable<PlainMacro>, known: ReadonlySet<string> | null = null): string[] {
  const bodies = new Map<string, Set<string>>();
  for (const { name, body } of macros) {
    const others = bodies.get(name);
    if (others) others.add(body);
    else bodies.set(name, new Set([body]));
  }
  if (bodies.size === 0) return [];
  const words = new Set<string>();
  const isAttribute = (w: string) => words.has(w) || known?.has(w) || (classOf(w, null) & ATTRIBUTE) !== 0;
  // A word may be made of words that are found later; four rounds are more than any kernel needs.
  for (let round = 0; round < 4 && bodies.size > 0; round++) {
    for (const [name, texts] of bodies) {
      const full = [...texts].filter((t) => t !== '');
      const named = full.length > 0 || /^_*[a-z]\w*$/.test(name);
      const stranger = named ? firstStranger(full, isAttribute) : '';
      if (stranger === null) words.add(name);
      // What no macro stands for will not become an attribute later.
      if (stranger === null || !bodies.has(stranger)) bodies.delete(name);
    }
  }
  return sorted(words);
}

/** The first word that is no attribute and keeps the texts from being one ('' for what is no word); null for none. */
function firstStranger(texts: readonly string[], isAttribute: (word: string) => boolean): string | null {
  for (const text of texts) {
    const stranger = strangerIn(text, isAttribute);
    if (stranger !== null) return stranger;
  }
  return null;
}

/** Null for a text of attribute words and calls, and of storage words: blanked, those leave a declaration as well. */
function strangerIn(text: string, isAttribute: (word: string) => boolean): string | null {
  let rest = text;
  while (rest !== '') {
    const word = /^[A-Za-z_]\w*/.exec(rest)?.[0];
    if (!word) return '';
    rest = rest.slice(word.length).trimStart();
    if (classOf(word, null) & ATTRIBUTE_CALL && rest.startsWith('(')) {
      const end = closing(rest);
      if (end < 0) return '';
      rest = rest.slice(end + 1).trimStart();
    } else if (!isAttribute(word) && !/^(static|const|extern|inline)$/.test(word)) return word;
  }
  return null;
}

function closing(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  return -1;
}
