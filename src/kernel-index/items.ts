import {
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_OPEN,
  EQUALS,
  PAREN_CLOSE,
  PAREN_OPEN,
  SEMICOLON,
  type CText,
} from './c-text';
import { STRING } from './lexer';
import { KEYWORD, STORAGE, TAG } from './words';

/**
 * One thing at file level, by live token numbers (`last` inclusive).
 *
 * - `function`: anything with a body
 * - `declaration`: everything else that ends with a semicolon
 * - `macro-function`: `MACRO(…) { … }`
 * - `macro-variable`: `MACRO(…) = …;`
 * - `macro-call`: `MACRO(…)` with or without a semicolon
 */
export interface Item {
  kind: 'function' | 'declaration' | 'macro-function' | 'macro-variable' | 'macro-call';
  first: number;
  last: number;
  /** The opening brace of a body. */
  open: number | null;
  /** Name and closing parenthesis of the macro. */
  macro: { name: number; close: number } | null;
}

/** Cuts a text into its items. Total: a brace that never closes makes the rest one item. */
export function itemsOf(c: CText): Item[] {
  const items: Item[] = [];
  const count = c.live.length;
  let i = 0;
  while (i < count) {
    const k = c.kind(i);
    if (k === SEMICOLON || k === BRACE_CLOSE) {
      i++;
      continue;
    }
    if (isExternC(c, i)) {
      i += 3;
      continue;
    }
    const item = macroItem(c, i) ?? plainItem(c, i);
    items.push(item);
    i = item.last + 1;
  }
  return items;
}

function isExternC(c: CText, i: number): boolean {
  return c.kind(i + 1) === STRING && c.kind(i + 2) === BRACE_OPEN && c.at(i) === 'extern';
}

/** Where a bracket closes; the bracket itself when it never does. */
function closeOf(c: CText, open: number): number {
  return c.match[open]! > open ? c.match[open]! : open;
}

/** An item that begins with `MACRO(…)`, after `static` and the like. */
function macroItem(c: CText, first: number): Item | null {
  let name = first;
  while (c.isWord(name) && c.bits(name) & STORAGE) name++;
  if (!c.isWord(name) || c.bits(name) & KEYWORD || c.kind(name + 1) !== PAREN_OPEN) return null;
  const close = c.match[name + 1]!;
  if (close < 0) return null;
  const next = c.kind(close + 1);
  const macro = { name, close };
  if (next === BRACE_OPEN) {
    const open = close + 1;
    return { kind: 'macro-function', first, last: endOfBody(c, open), open, macro };
  }
  if (next === SEMICOLON) return { kind: 'macro-call', first, last: close + 1, open: null, macro };
  if (next === EQUALS) return { ...plainItem(c, first, close + 1), kind: 'macro-variable', macro };
  // Several of them on one line: PAGEFLAG(a) TESTPAGEFLAG(b)
  const another = name === first && c.isWord(close + 1) && c.kind(close + 2) === PAREN_OPEN && isUpper(c.at(name));
  if (another && isUpper(c.at(close + 1))) return { kind: 'macro-call', first, last: close, open: null, macro };
  if (c.lineEndsAfter(close) && next !== PAREN_OPEN)
    return { kind: 'macro-call', first, last: close, open: null, macro };
  return null;
}

/** Where a body ends: with its brace, or with the text. */
function endOfBody(c: CText, open: number): number {
  const close = c.match[open]!;
  return close > open ? close : c.live.length - 1;
}

function plainItem(c: CText, first: number, from = first): Item {
  const count = c.live.length;
  let assigned = false;
  for (let j = from; j < count; j++) {
    const k = c.kind(j);
    if (k === SEMICOLON) return { kind: 'declaration', first, last: j, open: null, macro: null };
    if (k === PAREN_OPEN || k === BRACKET_OPEN) j = closeOf(c, j);
    else if (k === EQUALS) assigned = true;
    else if (k === BRACE_CLOSE)
      return { kind: 'declaration', first, last: Math.max(first, j - 1), open: null, macro: null };
    else if (k === BRACE_OPEN) {
      if (!assigned && !isTagBody(c, j))
        return { kind: 'function', first, last: endOfBody(c, j), open: j, macro: null };
      if (c.match[j]! < 0) break;
      j = c.match[j]!;
    }
  }
  return { kind: 'declaration', first, last: count - 1, open: null, macro: null };
}

/** True for the brace of `struct x {`, `union {`, `enum x {`. */
export function isTagBody(c: CText, open: number): boolean {
  if (c.bits(open - 1) & TAG) return true;
  return c.isWord(open - 1) && (c.bits(open - 2) & TAG) !== 0 && c.kind(open - 1) !== PAREN_CLOSE;
}

function isUpper(word: string): boolean {
  return /^[A-Z_0-9]+$/.test(word);
}
