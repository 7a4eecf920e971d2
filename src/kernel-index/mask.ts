import type { ByteString } from '../core/text';
import {
  AMPERSAND,
  ASTERISK,
  BRACE_CLOSE,
  BRACE_OPEN,
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  COMMA,
  CText,
  DOT,
  EQUALS,
  PAREN_CLOSE,
  PAREN_OPEN,
  SEMICOLON,
} from './c-text';
import { isTagBody, itemsOf, type Item } from './items';
import { CHARACTER, NUMBER, WORD } from './lexer';
import { ASM, ASM_QUALIFIER, KEYWORD, memberOf, OPAQUE_CALL, TAG, TYPE, VALUE_CALL } from './words';

/**
 * C as the grammar can take it: same length, same lines, with comments, preprocessor lines, attribute words and macro
 * tricks blanked or replaced by something of the same shape. For finding structure only: every text that is compared or
 * written comes from the original, at the same offsets. Total and linear: any bytes will do.
 */
export function maskC(text: ByteString, attributes?: ReadonlySet<string>): ByteString {
  const c = new CText(text, { attributes: attributes ?? null });
  return mask(c, itemsOf(c));
}

/** {@link maskC} for a text that is cut up already. */
export function mask(c: CText, items: readonly Item[]): ByteString {
  return new Masker(c).run(items);
}

/** What the code between two braces is. */
const [BODY, FIELDS, ENUMERATORS, VALUES] = [0, 1, 2, 3];
const EACH = /for_each|foreach|_each_/;

class Masker {
  private readonly hidden: Uint8Array;
  private readonly puts: { at: number; text: string }[] = [];

  constructor(private readonly c: CText) {
    this.hidden = new Uint8Array(c.live.length);
  }

  run(items: readonly Item[]): ByteString {
    for (const item of items) {
      if (item.macro) this.macro(item, item.macro.close);
      else this.trailer(item);
    }
    this.blocks();
    return this.emit();
  }

  /** Macros at file level: a call vanishes, a definition keeps its shape under another name. */
  private macro(item: Item, close: number): void {
    if (item.kind === 'macro-call') this.hide(item.first, item.last);
    else this.replace(item.first, close, item.kind === 'macro-function' ? 'int x()' : 'int x');
  }

  /** Words behind a parameter list that no list knows are attributes: `int f(void) __LOCAL(x);` */
  private trailer(item: Item): void {
    const { c } = this;
    const end = item.open ?? item.last;
    for (let i = item.first; i < end; i++) {
      const k = c.kind(i);
      if (k === EQUALS || k === BRACE_OPEN) return;
      if (k === WORD && c.kind(i - 1) === PAREN_CLOSE && i > item.first && !(c.bits(i) & KEYWORD)) {
        const open = c.kind(i + 1) === PAREN_OPEN ? i + 1 : -1;
        const close = open > 0 && c.match[open]! > 0 && c.match[open]! < end ? c.match[open]! : i;
        // `typeof(x) y;` has its declarator there.
        if (!(c.bits(c.match[i - 1]! - 1) & OPAQUE_CALL)) this.hide(i, close);
        i = close;
      } else if (c.match[i]! > i) i = c.match[i]!;
    }
  }

  /** Everything inside braces, in one pass over the tokens. */
  private blocks(): void {
    const { c } = this;
    const count = c.live.length;
    const inside: number[] = [];
    for (let i = 0; i < count; i++) {
      const k = c.kind(i);
      if (k === BRACE_OPEN) inside.push(this.blockKind(i, inside.length ? inside[inside.length - 1]! : -1));
      else if (k === BRACE_CLOSE) inside.pop();
      else if (this.hidden[i]) continue;
      else if (k === DOT) this.ellipsis(i);
      else if (k === AMPERSAND) this.labelAddress(i);
      else if (k === NUMBER) this.number(i);
      else if (k === COLON && inside[inside.length - 1] === FIELDS) this.namelessBits(i);
      else if (k === WORD) i = this.word(i, inside.length ? inside[inside.length - 1]! : -1);
    }
  }

  private blockKind(open: number, around: number): number {
    const { c } = this;
    const before = c.kind(open - 1);
    if (isTagBody(c, open)) {
      const tag = c.bits(open - 1) & TAG ? open - 1 : open - 2;
      return c.at(tag) === 'enum' ? ENUMERATORS : FIELDS;
    }
    if (before === EQUALS || before === COMMA || before === BRACKET_CLOSE) return VALUES;
    if (before === BRACE_OPEN && around === VALUES) return VALUES;
    if (before === PAREN_CLOSE) {
      const opener = c.match[open - 1]!;
      // `(struct x) { … }` is a value, `if (…) {` a block.
      if (opener >= 0 && (!c.isWord(opener - 1) || c.at(opener - 1) === 'return')) return VALUES;
    }
    return BODY;
  }

  /** One word with what belongs to it; gives the last token that is dealt with. */
  private word(i: number, inside: number): number {
    const { c } = this;
    const bits = c.bits(i);
    if (bits & ASM) return this.assembly(i);
    if (bits & KEYWORD && !(bits & OPAQUE_CALL)) {
      if (c.kind(i + 1) === ASTERISK && c.at(i) === 'goto') return this.computedGoto(i);
      return i;
    }
    if (c.kind(i + 1) !== PAREN_OPEN) return this.bareWord(i, inside);
    const close = c.match[i + 1]!;
    if (close < 0) return i;
    if (bits & OPAQUE_CALL) return this.replace(i, close, 'int');
    if (bits & VALUE_CALL) return this.replace(i, close, '0');
    if (inside < 0) return i;
    const next = c.kind(close + 1);
    if (inside === FIELDS && this.isStatementStart(i)) {
      if (next === SEMICOLON) return this.member(i, close);
      if ((next === WORD || next === BRACE_CLOSE) && c.lineEndsAfter(close)) return this.hide(i, close);
    }
    if (inside === VALUES && this.isBareEntry(i, close)) return this.hide(i, close);
    if (inside === ENUMERATORS && (this.isEntryStart(i) || this.hidden[i - 1])) {
      return this.replace(i, close, next === COMMA || next === EQUALS || next === BRACE_CLOSE ? 'x' : 'x,');
    }
    if (inside === BODY) {
      const done = this.statementMacro(i, close, next);
      if (done !== null) return done;
    }
    this.typeArguments(i + 1, close);
    return i;
  }

  private isStatementStart(i: number): boolean {
    const before = this.c.kind(i - 1);
    return before === SEMICOLON || before === BRACE_OPEN || before === BRACE_CLOSE || this.hidden[i - 1] === 1;
  }

  private isEntryStart(i: number): boolean {
    const before = this.c.kind(i - 1);
    return before === BRACE_OPEN || before === COMMA;
  }

  /** A macro without arguments that stands for list entries or fields. */
  private bareWord(i: number, inside: number): number {
    const { c } = this;
    const next = c.kind(i + 1);
    if (inside === VALUES && this.isEntryStart(i) && isEntry(next) && c.lineEndsAfter(i)) return this.hide(i, i);
    if (inside === ENUMERATORS && next === WORD && this.isEntryStart(i)) return this.replace(i, i, 'x,');
    if (inside === FIELDS && next === BRACE_CLOSE && this.isStatementStart(i)) return this.hide(i, i);
    return i;
  }

  /** `list_for_each(…) {`, `MACRO(…)` without a semicolon, `do_each_thread … while_each_thread`. */
  private statementMacro(i: number, close: number, next: number): number | null {
    const { c } = this;
    const before = c.kind(i - 1);
    const word = before === WORD ? c.at(i - 1) : '';
    const start = this.isStatementStart(i) || before === COLON || word === 'else' || word === 'do';
    if (word === 'static' && (next === SEMICOLON || next === EQUALS)) return this.replace(i, close, 'int x');
    if (!start && before !== PAREN_CLOSE) return null;
    const name = c.at(i);
    if ((next === SEMICOLON || next === EQUALS) && /^(DEFINE|DECLARE)_/.test(name))
      return this.replace(i, close, 'int x');
    if (name.startsWith('do_each_') && next === BRACE_OPEN) return this.replace(i, close, 'do');
    if (name.startsWith('while_each_') && before === BRACE_CLOSE) return this.loop(i, close);
    if (next === BRACE_OPEN) return this.loop(i, close);
    if (EACH.test(name) && next !== SEMICOLON && next !== BRACE_CLOSE && (start || c.lineEndsAfter(close))) {
      return next === WORD || next === PAREN_OPEN || next === ASTERISK || next > 42
        ? this.loopUnlessValue(i, close)
        : null;
    }
    // A macro that brings its own semicolon, or an iterator of an unknown name: either way the next line stands alone.
    if (start && next === WORD && c.lineEndsAfter(close) && c.at(close + 1) !== 'else') return this.loop(i, close);
    if (start && next === BRACE_CLOSE && before !== COLON && c.lineEndsAfter(close)) return this.hide(i, close);
    return null;
  }

  private loopUnlessValue(i: number, close: number): number | null {
    const next = this.c.kind(close + 1);
    const value = next === PAREN_CLOSE || next === COMMA || next === DOT || next === EQUALS || next === BRACKET_OPEN;
    return value ? null : this.loop(i, close);
  }

  /** `while (1)` in the place of a macro's name and arguments. */
  private loop(i: number, close: number): number {
    return this.replace(i, close, this.c.end(i) - this.c.start(i) >= 5 ? 'while(1)' : 'if(1)');
  }

  /** `DECLARE_BITMAP(x, N);` among the fields of a struct. */
  private member(i: number, close: number): number {
    const { c } = this;
    const name = memberOf(c.at(i), wordsIn(c, i + 2, close - 1));
    if (name === null) return this.hide(i, close + 1);
    const fits = `int ${name}`.length <= c.end(i + 1) - c.start(i);
    return this.replace(i, close, fits ? `int ${name}` : 'int x');
  }

  /** An entry of an initialiser that is a macro with its own comma. */
  private isBareEntry(i: number, close: number): boolean {
    const { c } = this;
    if (!this.isEntryStart(i) && !this.hidden[i - 1]) return false;
    return isEntry(c.kind(close + 1)) && c.lineEndsAfter(close);
  }

  /** `container_of(p, struct x, member)`: a type as argument becomes a word. */
  private typeArguments(open: number, close: number): void {
    const { c } = this;
    for (let from = open + 1; from < close;) {
      let to = from;
      while (to < close && c.kind(to) !== COMMA) to = c.match[to]! > to ? c.match[to]! + 1 : to + 1;
      if (to > close) to = close;
      if (to === from && c.kind(from - 1) === COMMA) {
        this.hide(from - 1, from - 1);
      } else if (this.isOddArgument(from, to)) {
        this.replace(from, to - 1, 'T');
      } else if (c.bits(from) & TYPE) {
        if (this.isType(from, to)) this.replace(from, to - 1, 'T');
      } else if (c.isWord(from) && c.kind(to - 1) === ASTERISK) {
        let star = to - 1;
        while (star > from && c.kind(star) === ASTERISK) this.hidden[star--] = 1;
      }
      from = to + 1;
    }
    if (c.kind(close - 1) === COMMA) this.hide(close - 1, close - 1);
  }

  /** An operator as argument, or a whole statement. */
  private isOddArgument(from: number, to: number): boolean {
    const { c } = this;
    const last = c.kind(to - 1);
    if (last === SEMICOLON) return true;
    if (to - from > 2 || c.kind(from) <= CHARACTER || c.kind(from) === PAREN_OPEN || c.kind(from) === BRACE_OPEN)
      return false;
    return last > CHARACTER && c.match[to - 1]! < 0 && last !== ASTERISK && last !== DOT;
  }

  /** `struct x *`, `unsigned long`, `const u8 [4]`: nothing but a type from `from` to `to` (exclusive). */
  private isType(from: number, to: number): boolean {
    const { c } = this;
    let words = 0;
    for (let i = from; i < to; i++) {
      const k = c.kind(i);
      if (k === WORD) {
        if (c.bits(i) & TYPE) {
          if (c.bits(i) & TAG) words--;
        } else if (++words > 1) return false;
      } else if (k === BRACKET_OPEN && c.match[i]! > i && c.match[i]! < to) {
        i = c.match[i]!;
      } else if (k === PAREN_OPEN && c.kind(i + 1) === ASTERISK && c.match[i]! > i && c.match[i]! < to) {
        i = c.match[i]!;
      } else if (k === PAREN_OPEN && c.kind(i - 1) === PAREN_CLOSE && c.match[i]! > i && c.match[i]! < to) {
        i = c.match[i]!;
      } else if (k !== ASTERISK) return false;
    }
    return true;
  }

  /** `asm volatile ("…" : …)` becomes a call; after a declarator it vanishes. */
  private assembly(i: number): number {
    const { c } = this;
    let open = i + 1;
    while (c.bits(open) & ASM_QUALIFIER) open++;
    if (c.kind(open) !== PAREN_OPEN || c.match[open]! < 0) return i;
    const close = c.match[open]!;
    const before = c.kind(i - 1);
    const statement =
      before === 0 || before === SEMICOLON || before === BRACE_OPEN || before === BRACE_CLOSE || before === COLON;
    const body = before === PAREN_CLOSE || (before === WORD && /^(else|do)$/.test(c.at(i - 1)));
    if (statement || (body && c.kind(close + 1) === SEMICOLON && !this.isDeclarator(i)))
      return this.replace(i, close, 'a()');
    return this.hide(i, close);
  }

  /** True when the parenthesis before an `asm` belongs to a declaration: `int f(void) asm("g");` */
  private isDeclarator(i: number): boolean {
    const { c } = this;
    const open = c.match[i - 1]!;
    if (c.kind(i - 1) !== PAREN_CLOSE || open < 1) return false;
    return c.isWord(open - 1) && !(c.bits(open - 1) & KEYWORD) && c.isWord(open - 2);
  }

  private computedGoto(i: number): number {
    const { c } = this;
    let end = i;
    while (end + 1 < c.live.length && c.kind(end + 1) !== SEMICOLON && c.kind(end + 1) !== BRACE_CLOSE) end++;
    return this.replace(i, end, 'a()');
  }

  /** `&&label` as a value. */
  private labelAddress(i: number): void {
    const { c } = this;
    if (c.kind(i + 1) !== AMPERSAND || c.end(i) !== c.start(i + 1) || c.kind(i + 2) !== WORD) return;
    const before = c.kind(i - 1);
    if (before === EQUALS || before === COMMA || before === BRACE_OPEN || before === PAREN_OPEN) this.hidden[i] = 1;
  }

  /** `case 1 ... 5`, `[0 ... 3] =`: a sum has the same shape. */
  private ellipsis(i: number): void {
    const { c } = this;
    if (c.kind(i + 1) !== DOT || c.kind(i + 2) !== DOT) return;
    const before = c.kind(i - 1);
    if (c.kind(i + 3) === PAREN_CLOSE || before === COMMA || before === PAREN_OPEN || before === DOT) return;
    if (before === WORD || before === NUMBER || before === PAREN_CLOSE || before > WORD) this.replace(i, i + 2, ' + ');
  }

  /** `1k` as the argument of a macro that pastes it. */
  private number(i: number): void {
    const { c } = this;
    const { bytes } = c.lexer;
    const last = bytes[c.end(i) - 1]! | 32;
    if (last < 97 || last === 117 || last === 108 || last === 102) return;
    if (!/^0[xXbB]|^\d+[eE]/.test(c.at(i))) this.replace(i, i, '0');
  }

  /** `unsigned :3;` */
  private namelessBits(i: number): void {
    const { c } = this;
    const typed = c.bits(i - 1) & TYPE || (c.isWord(i - 1) && this.isStatementStart(i - 1));
    if (typed && c.kind(i + 2) === SEMICOLON) this.hide(i, i + 1);
  }

  private hide(from: number, to: number): number {
    this.hidden.fill(1, from, to + 1);
    return to;
  }

  /** Blanks tokens `from` to `to` and writes `text` over them, if it fits on the line. */
  private replace(from: number, to: number, text: string): number {
    const { c } = this;
    const at = c.start(from);
    const limit = c.end(to);
    this.hide(from, to);
    const over = c.text.slice(at, Math.min(limit, at + text.length));
    if (over.length === text.length && !over.includes('\n')) this.puts.push({ at, text });
    return to;
  }

  private emit(): ByteString {
    const { c, hidden } = this;
    const { bytes } = c.lexer;
    const out = Buffer.alloc(bytes.length, 32);
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) out[at] = 10;
    for (let i = 0; i < c.live.length; i++) {
      if (hidden[i]) continue;
      const end = c.end(i);
      for (let at = c.start(i); at < end; at++) out[at] = bytes[at]!;
    }
    for (const put of this.puts) out.write(put.text, put.at, 'latin1');
    return out.toString('latin1');
  }
}

/** True for what can begin an entry of an initialiser. */
function isEntry(kind: number): boolean {
  return (kind > 0 && kind <= CHARACTER) || kind === BRACE_OPEN || kind === BRACKET_OPEN || kind === DOT;
}

/** The words among live tokens `from` to `to` (inclusive), numbers included, at the outermost level. */
export function wordsIn(c: CText, from: number, to: number): string[] {
  const found: string[] = [];
  for (let i = from; i <= to; i++) {
    if (c.isWord(i) && !(c.bits(i) & KEYWORD)) found.push(c.at(i));
    else if (c.match[i]! > i) i = c.match[i]!;
  }
  return found;
}
