import {
  ASTERISK,
  BRACE_OPEN,
  BRACKET_OPEN,
  COLON,
  COMMA,
  DOT,
  EQUALS,
  PAREN_CLOSE,
  PAREN_OPEN,
  SEMICOLON,
  type CText,
} from './c-text';
import { isTagBody } from './items';
import type { Lines } from './lines';
import { wordsIn } from './mask';
import type { Member, Parameter } from './types';
import { KEYWORD, memberOf, STORAGE, TAG, TYPE } from './words';

/** A declared name: where it stands and, for a function, its parameter list. Live token numbers. */
export interface Declarator {
  name: number;
  parameters: { open: number; close: number } | null;
}

/** The number of the next comma or of `to`, brackets skipped. */
function nextComma(c: CText, from: number, to: number): number {
  let i = from;
  while (i < to && c.kind(i) !== COMMA) i = c.match[i]! > i ? c.match[i]! + 1 : i + 1;
  return Math.min(i, to);
}

/** Live tokens `from` to `to` (exclusive) as normalised text, without token `but`; attribute words are kept. */
export function textOf(c: CText, from: number, to: number, but = -1): string {
  if (from >= to) return '';
  const { tokens, text } = c;
  const words: string[] = [];
  const last = c.live[to - 1]!;
  const skip = but < 0 ? -1 : c.live[but]!;
  let onlyWords = true;
  for (let t = c.live[from]!; t <= last; t++) {
    if (t === skip || c.role[t] === 2) continue;
    const word = tokens.word[t]!;
    if (word < 0) onlyWords = false;
    words.push(word < 0 ? text.slice(tokens.start[t], tokens.end[t]) : c.lexer.words.name(word));
  }
  const joined = words.join(' ');
  if (onlyWords) return joined;
  return joined
    .replace(/ ?([()[\],]) ?/g, '$1')
    .replace(/\*(?=[\w(])/g, '* ')
    .replace(/(\w)\(\*/g, '$1 (*');
}

/**
 * The function declarator in tokens `from` to `to` (exclusive): the first `name(…)` with a type before it, looked for
 * inside parentheses, too (a function that returns a pointer to a function). Null when there is none.
 */
export function functionDeclarator(c: CText, from: number, to: number): Declarator | null {
  let fallback: Declarator | null = null;
  let typed = false;
  for (let i = from; i < to; i++) {
    const k = c.kind(i);
    if (k === EQUALS || k === BRACE_OPEN) break;
    if (k === PAREN_OPEN) {
      const close = c.match[i]!;
      if (close < 0) break;
      const before = i - 1;
      if (before >= from && c.isWord(before) && !(c.bits(before) & KEYWORD)) {
        const found = { name: before, parameters: { open: i, close } };
        // In `int (*f)(int)` the word before is a type; there a declarator follows in parentheses.
        const pointer = c.kind(i + 1) === ASTERISK && c.kind(close + 1) === PAREN_OPEN;
        if (pointer) {
          const inner = functionDeclarator(c, i + 1, close);
          return inner && inner.name > i + 1 ? inner : null;
        }
        const hasType = typed && !(before - 1 >= from && c.bits(before - 1) & TAG);
        if (hasType && before > from) return found;
        fallback ??= found;
      } else if (typed && c.kind(i + 1) === ASTERISK) {
        return functionDeclarator(c, i + 1, close);
      }
      i = close;
    } else if (c.isWord(i)) {
      // The word right before the parenthesis is the name, not the type.
      if (!(c.bits(i) & STORAGE) && !(c.kind(i + 1) === PAREN_OPEN)) typed = true;
    } else if (k === ASTERISK) {
      typed = true;
    }
  }
  return fallback;
}

/** Parameters between two parentheses. */
export function parametersOf(c: CText, open: number, close: number): { parameters: Parameter[]; variadic: boolean } {
  const parameters: Parameter[] = [];
  let variadic = false;
  for (let from = open + 1; from < close;) {
    const to = nextComma(c, from, close);
    if (c.kind(from) === DOT) variadic = true;
    else if (to > from && !(to === from + 1 && close === to && open + 1 === from && c.at(from) === 'void')) {
      const name = declaredName(c, from, to, true);
      parameters.push({ type: textOf(c, from, to, name), name: name < 0 ? '' : c.at(name) });
    }
    from = to + 1;
  }
  return { parameters, variadic };
}

/**
 * The word that a declarator in `from`..`to` (exclusive) names, or -1. With `typeFirst` the range holds the type, too,
 * so that a single word is a type without a name.
 */
export function declaredName(c: CText, from: number, to: number, typeFirst: boolean): number {
  let types = 0;
  let name = -1;
  for (let i = from; i < to; i++) {
    const k = c.kind(i);
    if (k === EQUALS || k === COLON) break;
    if (k === PAREN_OPEN) {
      const close = c.match[i]!;
      if (close < 0) break;
      // `int (*name[4])(void)`, `void (name)(int)`
      if (name < 0 || (c.kind(i + 1) === ASTERISK && c.kind(close + 1) === PAREN_OPEN)) {
        const inner = declaredName(c, i + 1, Math.min(close, to), false);
        if (inner >= 0 && (c.kind(i + 1) === ASTERISK || c.kind(close + 1) === PAREN_OPEN)) return inner;
      }
      i = close;
    } else if (k === BRACKET_OPEN || k === BRACE_OPEN) {
      if (c.match[i]! < 0) break;
      if (k === BRACE_OPEN) types++;
      i = c.match[i]!;
    } else if (c.isWord(i)) {
      const bits = c.bits(i);
      if (bits & TAG) {
        types++;
        if (c.isWord(i + 1)) i++;
      } else if (bits & KEYWORD) {
        if (bits & TYPE && !/^(const|volatile)$/.test(c.at(i))) types++;
      } else {
        if (name >= 0) types++;
        name = i;
      }
    }
  }
  return typeFirst && types === 0 && !(name > from && c.kind(name - 1) === ASTERISK) ? -1 : name;
}

/** The declarators of `type a, *b[2], c = 3;`: the tokens of the type, and the names. */
export function declaratorsOf(c: CText, from: number, to: number): number[] {
  const names: number[] = [];
  for (let at = from; at < to;) {
    const comma = nextComma(c, at, to);
    const name = declaredName(c, at, comma, at === from);
    if (name >= 0) names.push(name);
    at = comma + 1;
  }
  return names;
}

/** A struct, union or enum inside another one. */
export interface NestedTag {
  /** The `struct`, `union` or `enum` word. */
  tag: number;
  open: number;
}

/** Fields between two braces; those of a nameless struct inside count as fields of the outer one. */
export function fieldsOf(c: CText, open: number, lines: Lines, nested: NestedTag[], depth = 0): Member[] {
  const close = c.match[open]!;
  const fields: Member[] = [];
  let from = open + 1;
  for (let i = from; i < close; i++) {
    if (c.kind(i) === SEMICOLON) {
      fields.push(...fieldsIn(c, from, i, lines, nested, depth));
      from = i + 1;
    } else if (c.match[i]! > i) i = c.match[i]!;
  }
  return fields;
}

function fieldsIn(c: CText, from: number, to: number, lines: Lines, nested: NestedTag[], depth: number): Member[] {
  const field = (name: number, type: string): Member => ({
    name: c.at(name),
    type,
    line: lines.at(c.start(name)),
  });
  for (let i = from; i < to; i++) {
    if (c.kind(i) === PAREN_OPEN || c.kind(i) === EQUALS) break;
    if (c.kind(i) !== BRACE_OPEN || !isTagBody(c, i)) continue;
    const tag = c.bits(i - 1) & TAG ? i - 1 : i - 2;
    const close = c.match[i]!;
    if (close < 0 || depth > 20) return [];
    nested.push({ tag, open: i });
    const names = declaratorsOf(c, close + 1, to).filter((n) => n > close);
    const plain = names.length ? names : c.isWord(close + 1) ? [close + 1] : [];
    const type = `${c.at(tag)}${c.isWord(tag + 1) && tag + 1 < i ? ` ${c.at(tag + 1)}` : ''}`;
    if (c.at(tag) === 'enum') return plain.map((n) => field(n, type));
    const own = fieldsOf(c, i, lines, nested, depth + 1);
    if (plain.length === 0) return tag + 1 < i ? [] : own;
    return plain.flatMap((n) => [field(n, type), ...own.map((m) => ({ ...m, name: `${c.at(n)}.${m.name}` }))]);
  }
  if (c.isWord(from) && c.kind(from + 1) === PAREN_OPEN && c.match[from + 1] === to - 1 && !(c.bits(from) & KEYWORD)) {
    const name = memberOf(c.at(from), wordsIn(c, from + 2, to - 2));
    return name === null ? [] : [{ name, type: c.at(from), line: lines.at(c.start(from)) }];
  }
  const names = declaratorsOf(c, from, to);
  const type = (name: number) => textOf(c, from, nextComma(c, from, to), names[0] === name ? name : names[0]!);
  return names.map((n) => field(n, type(n)));
}

/** Enumerators between two braces. */
export function enumeratorsOf(c: CText, open: number, lines: Lines): Member[] {
  const close = c.match[open]!;
  const found: Member[] = [];
  for (let from = open + 1; from < close;) {
    const to = nextComma(c, from, close);
    if (to > from && c.isWord(from) && c.kind(from + 1) !== PAREN_OPEN) {
      found.push({ name: c.at(from), type: '', line: lines.at(c.start(from)) });
    }
    from = to + 1;
  }
  return found;
}

/** True when `close` ends a parenthesis that a word precedes. */
export function endsCall(c: CText, close: number): boolean {
  return c.kind(close) === PAREN_CLOSE && c.match[close]! > 0 && c.isWord(c.match[close]! - 1);
}
