import rules from './mask-words.json';

/** Bits that say what a word means to the masker. */
export const KEYWORD = 1;
export const ATTRIBUTE = 2;
export const ATTRIBUTE_CALL = 4;
/** Begins a type: `struct`, `unsigned`, `const` … */
export const TYPE = 8;
export const STORAGE = 16;
export const ASM = 32;
export const ASM_QUALIFIER = 64;
/** `typeof(x)`: stands for a type. */
export const OPAQUE_CALL = 128;
/** `offsetof(a, b)`: stands for a value, takes what no function takes. */
export const VALUE_CALL = 256;
/** `struct`, `union`, `enum`. */
export const TAG = 512;

const CLASSES = new Map<string, number>();
const put = (words: readonly string[], bits: number) => {
  for (const w of words) CLASSES.set(w, (CLASSES.get(w) ?? 0) | bits);
};
put(rules.attributes, ATTRIBUTE);
put(rules.attributeCalls, ATTRIBUTE_CALL);
put(rules.keywords, KEYWORD);
put(rules.types, KEYWORD | TYPE);
put(rules.storage, KEYWORD | STORAGE);
put(rules.asm, ASM | KEYWORD);
put(rules.asmQualifiers, ASM_QUALIFIER);
put(rules.opaqueCalls, OPAQUE_CALL | KEYWORD);
put(rules.valueCalls, VALUE_CALL);
put(['struct', 'union', 'enum'], TAG);

/** What a word means; `extra` are attribute words of the kernel at hand. */
export function classOf(word: string, extra: ReadonlySet<string> | null): number {
  const known = CLASSES.get(word);
  if (known !== undefined) return known;
  return extra !== null && extra.has(word) ? ATTRIBUTE : 0;
}

/** Words of the language that name nothing: they are neither called nor used. */
export function isReserved(word: string): boolean {
  return ((CLASSES.get(word) ?? 0) & (KEYWORD | TYPE | STORAGE)) !== 0;
}

/** What a macro call at file level defines. */
export interface Definer {
  kind: 'function' | 'variable' | 'prototype' | 'none';
  name: string;
}

const DEFINERS = rules.definers.map((d) => ({ ...d, match: new RegExp(d.match) }));
const MEMBERS = rules.memberCalls.map((d) => ({ ...d, match: new RegExp(d.match) }));

/** What `MACRO(arguments)` at file level defines, by the rules; null when no rule knows the macro. */
export function definerOf(macro: string, words: readonly string[]): Definer | null {
  const rule = DEFINERS.find((d) => d.match.test(macro));
  if (!rule || words.length === 0) return null;
  return { kind: rule.kind as Definer['kind'], name: fill(rule.name, macro, words) };
}

/** The field that `MACRO(arguments);` in a struct declares; null when it declares none. */
export function memberOf(macro: string, words: readonly string[]): string | null {
  const rule = MEMBERS.find((d) => d.match.test(macro));
  return rule && words.length ? fill(rule.name, macro, words) : null;
}

/** `$1` is the first word, `$L` the last, `$E` the event's own name (`DEFINE_EVENT(class, name)` has it second). */
function fill(pattern: string, macro: string, words: readonly string[]): string {
  const event = macro.startsWith('DEFINE_EVENT') ? (words[1] ?? words[0]!) : words[0]!;
  return pattern
    .replace('$E', event)
    .replace('$1', words[0]!)
    .replace('$L', words[words.length - 1]!);
}
