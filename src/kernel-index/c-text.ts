import type { ByteString } from '../core/text';
import { groupsOf, type Group } from './conditionals';
import { attributeWords, plainMacro } from './attribute-words';
import { Lexer, WORD, type Directive, type Tokens } from './lexer';
import { ATTRIBUTE, ATTRIBUTE_CALL, classOf } from './words';

/** Why a token is not code for the grammar. */
export const LIVE = 0;
/** An attribute-like word or call. */
export const HIDDEN_ATTRIBUTE = 1;
/** In a branch that was left out. */
export const DROPPED = 2;

export const [PAREN_OPEN, PAREN_CLOSE, COMMA, DOT, COLON, SEMICOLON, EQUALS] = [40, 41, 44, 46, 58, 59, 61];
export const [BRACKET_OPEN, BRACKET_CLOSE, BRACE_OPEN, BRACE_CLOSE, AMPERSAND, ASTERISK] = [91, 93, 123, 125, 38, 42];

/** An attribute's arguments never run on: so an unclosed one cannot make the pass quadratic. */
const ATTRIBUTE_TOKENS = 200;

export interface CTextOptions {
  /** Attribute words of the kernel, besides the built-in ones. */
  attributes?: ReadonlySet<string> | null;
  /** Which branch of a conditional stays when only one can: the first with code in it, or the last. */
  keep?: 'first' | 'last';
}

/**
 * C, cut into tokens, with conditionals resolved to what can be parsed at once and attribute words set aside. `live`
 * numbers the tokens that remain; `match` pairs their brackets (by number in `live`; -1 for a bracket without partner).
 */
export class CText {
  readonly lexer: Lexer;
  readonly tokens: Tokens;
  readonly groups: Group[];
  /** {@link LIVE}, {@link HIDDEN_ATTRIBUTE} or {@link DROPPED}, per token. */
  readonly role: Uint8Array;
  /** What each word means, by its number: the bits of `words.ts`. */
  readonly classes: Uint16Array;
  readonly live: Int32Array;
  readonly match: Int32Array;
  /** Text for the assembler inside a C header: offsets. */
  readonly assembly: { start: number; end: number }[] = [];
  /** True when a branch was left out (other than for the assembler): a second look may find more. */
  dropped = false;

  constructor(
    readonly text: ByteString,
    private readonly options: CTextOptions = {},
  ) {
    this.lexer = new Lexer(text);
    this.tokens = this.lexer.code();
    this.groups = groupsOf(text, this.lexer.directives);
    this.role = new Uint8Array(this.tokens.count);
    const { words } = this.lexer;
    this.classes = new Uint16Array(words.count);
    const extra = withOwn(options.attributes ?? null, text, this.lexer.directives);
    for (let w = 0; w < words.count; w++) this.classes[w] = classOf(words.name(w), extra);
    this.resolveConditionals();
    this.setAttributesAside();
    this.live = this.collect();
    this.match = this.pairBrackets();
  }

  /** Kind of live token `i`; 0 beyond either end. */
  kind(i: number): number {
    return i >= 0 && i < this.live.length ? this.tokens.kind[this.live[i]!]! : 0;
  }

  /** Bits of live token `i`; 0 for anything but a word. */
  bits(i: number): number {
    if (i < 0 || i >= this.live.length) return 0;
    const word = this.tokens.word[this.live[i]!]!;
    return word < 0 ? 0 : this.classes[word]!;
  }

  start(i: number): number {
    return this.tokens.start[this.live[i]!]!;
  }

  end(i: number): number {
    return this.tokens.end[this.live[i]!]!;
  }

  /** The text of live token `i`. */
  at(i: number): string {
    const t = this.live[i]!;
    const word = this.tokens.word[t]!;
    return word >= 0 ? this.lexer.words.name(word) : this.text.slice(this.tokens.start[t], this.tokens.end[t]);
  }

  isWord(i: number): boolean {
    return this.kind(i) === WORD;
  }

  /** True when a line ends between live tokens `i` and `i + 1`, or nothing follows. */
  lineEndsAfter(i: number): boolean {
    if (i + 1 >= this.live.length) return true;
    const { bytes } = this.lexer;
    for (let at = this.end(i), to = this.start(i + 1); at < to; at++) if (bytes[at] === 10) return true;
    return false;
  }

  /** Drops the branches that cannot stand beside another one, and those for the assembler. */
  private resolveConditionals(): void {
    const { tokens, role, lexer } = this;
    const drops = new Int32Array(tokens.count + 1);
    // The start of the dropped range that ends at a token, to step over it in one go.
    const dropStart = new Int32Array(tokens.count).fill(-1);
    const drop = (from: number, to: number) => {
      if (to <= from) return;
      drops[from]!++;
      drops[to]!--;
      const known = dropStart[to - 1]!;
      dropStart[to - 1] = known < 0 ? from : Math.min(known, from);
    };
    const lastBefore = (from: number, to: number): number => {
      let t = to - 1;
      while (t >= from && dropStart[t]! >= 0) t = dropStart[t]! - 1;
      return t >= from ? tokens.kind[t]! : 0;
    };

    let [brace, paren] = [0, 0];
    let at = 0;
    const advance = (to: number) => {
      for (; at < to; at++) {
        const k = tokens.kind[at]!;
        if (k === BRACE_OPEN) brace++;
        else if (k === BRACE_CLOSE) brace -= brace > 0 ? 1 : 0;
        else if (k === PAREN_OPEN) paren++;
        else if (k === PAREN_CLOSE) paren -= paren > 0 ? 1 : 0;
      }
    };
    const settle = (open: OpenGroup, next: number) => {
      const { group, ranges, depth } = open;
      ranges[ranges.length - 1]!.to = at;
      open.ends.push([brace, paren]);
      const forAssembler = assemblerBranches(group);
      const alive = ranges.map((_, b) => b).filter((b) => !forAssembler.has(b));
      for (const b of forAssembler) {
        drop(ranges[b]!.from, ranges[b]!.to);
        this.assembly.push({ start: group.branches[b]!.start, end: group.branches[b]!.end });
      }
      const dead = alive.filter((b) => group.branches[b]!.condition === '0');
      const full = alive.filter((b) => !dead.includes(b) && ranges[b]!.to > ranges[b]!.from);
      let keep = full;
      if (full.length > 1) {
        const balanced = full.every((b) => open.ends[b]![0] === depth[0] && open.ends[b]![1] === depth[1]);
        const inside = depth[0] > 0 || depth[1] > 0;
        const before = lastBefore(0, ranges[0]!.from);
        const tails = full.map((b) => lastBefore(ranges[b]!.from, ranges[b]!.to));
        const clean =
          balanced && (inside ? cleanInside(before, tails, next, depth[1] > 0) : cleanOutside(before, tails, next));
        if (!clean) keep = [this.options.keep === 'last' ? full[full.length - 1]! : full[0]!];
      }
      for (const b of alive) {
        if (keep.includes(b)) continue;
        if (ranges[b]!.to > ranges[b]!.from) this.dropped = true;
        drop(ranges[b]!.from, ranges[b]!.to);
      }
      [brace, paren] = keep.length ? open.ends[keep[0]!]! : depth;
    };

    const stack: OpenGroup[] = [];
    let nextGroup = 0;
    for (const d of lexer.directives) {
      advance(d.token);
      if (d.keyword === 'if' || d.keyword === 'ifdef' || d.keyword === 'ifndef') {
        stack.push({
          group: this.groups[nextGroup++]!,
          ranges: [{ from: at, to: at }],
          depth: [brace, paren],
          ends: [],
        });
      } else if (stack.length && (d.keyword === 'else' || d.keyword === 'elif')) {
        const open = stack[stack.length - 1]!;
        open.ranges[open.ranges.length - 1]!.to = at;
        open.ends.push([brace, paren]);
        open.ranges.push({ from: at, to: at });
        [brace, paren] = open.depth;
      } else if (stack.length && d.keyword === 'endif') {
        settle(stack.pop()!, at < tokens.count ? tokens.kind[at]! : 0);
      }
    }
    advance(tokens.count);
    while (stack.length) settle(stack.pop()!, 0);
    for (let t = 0, depth = 0; t < tokens.count; t++) {
      depth += drops[t]!;
      if (depth > 0) role[t] = DROPPED;
    }
  }

  private setAttributesAside(): void {
    const { tokens, role, classes } = this;
    for (let t = 0; t < tokens.count; t++) {
      const word = tokens.word[t]!;
      if (word < 0 || role[t] !== LIVE) continue;
      const bits = classes[word]!;
      if ((bits & (ATTRIBUTE | ATTRIBUTE_CALL)) === 0) continue;
      if (bits & ATTRIBUTE) {
        // `long __unused[4];` names a field.
        if (tokens.kind[t + 1] === BRACKET_OPEN && t + 1 < tokens.count) continue;
        role[t] = HIDDEN_ATTRIBUTE;
        continue;
      }
      if (tokens.kind[t + 1] !== PAREN_OPEN || t + 1 >= tokens.count) continue;
      let depth = 0;
      const stop = Math.min(tokens.count, t + ATTRIBUTE_TOKENS);
      for (let e = t + 1; e < stop; e++) {
        const k = tokens.kind[e];
        if (k === PAREN_OPEN) depth++;
        else if (k === SEMICOLON || k === BRACE_OPEN) break;
        else if (k === PAREN_CLOSE && --depth === 0) {
          role.fill(HIDDEN_ATTRIBUTE, t, e + 1);
          t = e;
          break;
        }
      }
    }
  }

  private collect(): Int32Array {
    let count = 0;
    for (let t = 0; t < this.tokens.count; t++) if (this.role[t] === LIVE) count++;
    const live = new Int32Array(count);
    for (let t = 0, i = 0; t < this.tokens.count; t++) if (this.role[t] === LIVE) live[i++] = t;
    return live;
  }

  /** A brace closes everything inside it; a stray round or square bracket closes nothing beyond its block. */
  private pairBrackets(): Int32Array {
    const { live, tokens } = this;
    const match = new Int32Array(live.length).fill(-1);
    const open: number[] = [];
    for (let i = 0; i < live.length; i++) {
      const k = tokens.kind[live[i]!]!;
      if (k === PAREN_OPEN || k === BRACKET_OPEN || k === BRACE_OPEN) {
        open.push(i);
      } else if (k === PAREN_CLOSE || k === BRACKET_CLOSE || k === BRACE_CLOSE) {
        const partner = k === PAREN_CLOSE ? PAREN_OPEN : k === BRACKET_CLOSE ? BRACKET_OPEN : BRACE_OPEN;
        while (open.length) {
          const top = open[open.length - 1]!;
          const kind = tokens.kind[live[top]!]!;
          if (kind !== partner && kind === BRACE_OPEN) break;
          open.pop();
          if (kind === partner) {
            match[top] = i;
            match[i] = top;
            break;
          }
        }
      }
    }
    return match;
  }
}

/** Attribute words of the kernel, and those that the file defines for itself. */
function withOwn(
  words: ReadonlySet<string> | null,
  text: ByteString,
  directives: readonly Directive[],
): ReadonlySet<string> | null {
  const macros = directives.flatMap((d) => plainMacro(text, d) ?? []);
  const own = attributeWords(macros, words);
  return own.length ? new Set([...(words ?? []), ...own]) : words;
}

interface OpenGroup {
  group: Group;
  /** Token ranges of the branches. */
  ranges: { from: number; to: number }[];
  /** Open braces and parentheses before the group, and at the end of each branch. */
  depth: [number, number];
  ends: [number, number][];
}

/** Branches may stand side by side in a body when each begins and ends between statements or list entries. */
function cleanInside(before: number, tails: number[], next: number, inParens: boolean): boolean {
  const between = (k: number) => k === SEMICOLON || k === BRACE_CLOSE || k === BRACE_OPEN || k === COLON || k === COMMA;
  if (inParens) return before === COMMA && tails.every((k) => k === COMMA);
  if (!between(before)) return false;
  return tails.every((k, b) => between(k) || (b === tails.length - 1 && next === BRACE_CLOSE && k !== PAREN_CLOSE));
}

/** … and at file level when each holds whole items. */
function cleanOutside(before: number, tails: number[], next: number): boolean {
  const whole = (k: number) => k === 0 || k === SEMICOLON || k === BRACE_CLOSE || k === PAREN_CLOSE;
  return whole(before) && tails.every((k) => whole(k) && !(k === PAREN_CLOSE && next === BRACE_OPEN));
}

const ASSEMBLER =
  /^(__ASSEMBLY__|__ASSEMBLER__|LINKER_SCRIPT|__DTS__)$|defined\s*\(?\s*(__ASSEMBLY__|__ASSEMBLER__|LINKER_SCRIPT)/;

/** The branches that only the assembler (or the linker) reads. */
function assemblerBranches(group: Group): Set<number> {
  const first = group.branches[0]!.condition;
  const found = new Set<number>();
  const plain = first.replace(/^!/, '');
  if (!ASSEMBLER.test(plain) || plain.includes('!')) return found;
  if (first.startsWith('!')) for (let b = 1; b < group.branches.length; b++) found.add(b);
  else if (!first.includes('||')) found.add(0);
  return found;
}
