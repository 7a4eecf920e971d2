import { breathe, parseC } from '../io/parser';
import type { ByteString } from '../core/text';
import { assemblyDefinitions, isAssembly } from './asm';
import { ASTERISK, BRACE_OPEN, CText, EQUALS, HIDDEN_ATTRIBUTE, PAREN_OPEN } from './c-text';
import {
  declaratorsOf,
  enumeratorsOf,
  fieldsOf,
  functionDeclarator,
  parametersOf,
  textOf,
  type NestedTag,
} from './declarations';
import { isTagBody, itemsOf, type Item } from './items';
import { byName, Lines } from './lines';
import { compact, wordsIn, type Compact } from './mask';
import { conditionalsOf, Guards, includesOf, macrosOf } from './preprocessor';
import type { Definition, DefinitionKind, FileIndex, Member, Signature } from './types';
import { definerOf, KEYWORD, STORAGE, TAG } from './words';

export interface IndexOptions {
  /** Attribute words of the kernel, besides the built-in ones. */
  attributes?: ReadonlySet<string>;
  /**
   * Ask the grammar for a second opinion (default). Definitions come from tokens and are the same without it; it takes
   * half of the time.
   */
  grammar?: boolean;
  /** Parse the raw text, too, to count what the pre-pass repairs. */
  countRaw?: boolean;
}

/** A declaration with more names than anybody writes. */
const MANY = 64;

/** A file that is larger is indexed by text alone: the parser takes twelve times its size in memory. */
const MAX_PARSED = 4_000_000;

/** Everything that the index knows about a C file. Never throws for what is in it. */
export async function indexC(text: ByteString, options: IndexOptions = {}): Promise<FileIndex> {
  const lines = new Lines(text);
  const c = new CText(text, { attributes: options.attributes });
  const { lexer, groups } = c;
  const guards = new Guards(groups);
  const assembler = (from: number, to: number) => assemblyDefinitions(text, from, to, lexer.directives, lines, guards);
  const macros = macrosOf(lexer, groups, lines, guards);
  const common = {
    includes: includesOf(text, lexer.directives, lines),
    conditionals: conditionalsOf(groups, lines),
  };
  if (c.assembly.length === 0 && isAssembly(text)) {
    const definitions = inOrder(macros.concat(assembler(0, text.length)));
    return { language: 'asm', definitions, ...common, parse: NOT_PARSED, trouble: null };
  }

  const items = itemsOf(c);
  let found = new Extractor(c, lines, guards).run(items);
  if (c.dropped) {
    // What the branches hold that could not stand beside the first one.
    const other = new CText(text, { attributes: options.attributes, keep: 'last' });
    const more = new Extractor(other, lines, guards).run(itemsOf(other));
    const known = new Ranges(found);
    found = found.concat(more.filter((m) => !known.touches(m.start, m.end)));
  }
  const tooLarge = text.length > MAX_PARSED;
  let parse: FileIndex['parse'] = tooLarge ? NOT_PARSED : null;
  if (options.grammar !== false && !tooLarge) {
    parse = await check(compact(c, items), found, options.countRaw ? text : null);
  }
  const definitions = inOrder(macros.concat(found, ...c.assembly.map((part) => assembler(part.start, part.end))));
  const trouble = tooLarge ? `larger than ${MAX_PARSED} bytes: indexed by text alone` : null;
  return { language: 'c', definitions, ...common, parse, trouble };
}

const NOT_PARSED: FileIndex['parse'] = { items: 0, bad: 0, badRaw: null };

/** In order of start; the outer one first. */
function inOrder(definitions: Definition[]): Definition[] {
  return definitions.sort(
    (a, b) => a.start - b.start || b.end - a.end || byName(a.kind, b.kind) || byName(a.name, b.name),
  );
}

/** Parses the masked text; marks definitions that hold an error, or that the grammar does not see as functions. */
async function check(masked: Compact, found: Definition[], raw: ByteString | null): Promise<FileIndex['parse']> {
  const tree = parseC(masked.text);
  const { rootNode } = tree;
  const items = rootNode.namedChildCount;
  let bad = 0;
  if (rootNode.hasError) {
    const broken = rootNode.namedChildren.filter((node) => node.hasError);
    bad = broken.length;
    const ranges = new Ranges(
      broken.map((node) => ({ start: masked.startOf(node.startIndex), end: masked.endOf(node.endIndex) })),
    );
    for (const d of found) if (ranges.touches(d.start, d.end)) d.broken = true;
  }
  const ends = new Set<number>();
  const cursor = tree.walk();
  if (cursor.gotoFirstChild()) {
    do if (cursor.nodeType === 'function_definition') ends.add(masked.endOf(cursor.endIndex));
    while (cursor.gotoNextSibling());
  }
  for (const d of found) if (d.kind === 'function' && d.body && !ends.has(d.end)) d.broken = true;
  await breathe();
  if (raw === null) return { items, bad, badRaw: null };
  const badRaw = parseC(raw).rootNode.namedChildren.filter((n) => n.hasError).length;
  await breathe();
  return { items, bad, badRaw };
}

function isQualifier(word: string): boolean {
  return word === 'const' || word === 'volatile';
}

/** Answers whether a range touches one of many. */
class Ranges {
  private readonly starts: number[];
  /** The furthest end of all ranges up to this one. */
  private readonly ends: number[] = [];

  constructor(ranges: readonly { start: number; end: number }[]) {
    const ordered = ranges.map((r) => [r.start, r.end] as const).sort((a, b) => a[0] - b[0]);
    this.starts = ordered.map((r) => r[0]);
    let end = 0;
    for (const r of ordered) this.ends.push((end = Math.max(end, r[1])));
  }

  touches(start: number, end: number): boolean {
    let [low, high] = [-1, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle]! < end) low = middle;
      else high = middle - 1;
    }
    return low >= 0 && this.ends[low]! > start;
  }
}

/** Makes definitions of items. */
class Extractor {
  private readonly found: Definition[] = [];
  /** Tokens with a preprocessor line right before them: no definition reaches back over one. */
  private readonly afterDirective = new Set<number>();
  /** Marks the words that were seen for a definition, to list each once: call = 2n, use = 2n + 1 for definition n. */
  private readonly seen: Int32Array;
  private serial = 0;

  constructor(
    private readonly c: CText,
    private readonly lines: Lines,
    private readonly guards: Guards,
  ) {
    for (const d of c.lexer.directives) this.afterDirective.add(d.token);
    this.seen = new Int32Array(c.classes.length);
  }

  run(items: readonly Item[]): Definition[] {
    for (const item of items) {
      if (item.macro) this.macroItem(item, item.macro.name, item.macro.close);
      else if (item.kind === 'function') this.functionItem(item, item.open!);
      else this.declaration(item);
    }
    return this.found;
  }

  private functionItem(item: Item, open: number): void {
    const { c } = this;
    const declarator = functionDeclarator(c, item.first, open);
    if (!declarator) return;
    const closed = c.match[open]! > open;
    this.add('function', declarator.name, item.first, item.last, {
      body: { start: c.start(open), end: c.end(item.last) },
      signature: this.signature(item.first, declarator.name, declarator.parameters!),
      broken: !closed,
    });
  }

  /** `SYSCALL_DEFINE3(…) { … }`, `DEFINE_PER_CPU(…) = …;`, `DEFINE_MUTEX(…);` */
  private macroItem(item: Item, name: number, close: number): void {
    const { c } = this;
    const macro = c.at(name);
    const words = wordsIn(c, name + 2, close - 1);
    const isStatic = c.at(item.first) === 'static';
    const body = item.open === null ? null : { start: c.start(item.open), end: c.end(item.last) };
    let definer = definerOf(macro, words);
    if (!definer && words.length && (body || item.kind === 'macro-variable' || isStatic)) {
      definer = { kind: body ? 'function' : 'variable', name: words[0]! };
    }
    if (!definer || definer.kind === 'none') return;
    const signature: Signature = {
      returns: '',
      parameters: [],
      variadic: false,
      annotations: [...this.annotations(item.first, name), macro],
    };
    this.add(definer.kind, name, item.first, item.last, { body, signature }, definer.name);
  }

  private declaration(item: Item): void {
    const { c } = this;
    const { first } = item;
    // The semicolon is no part of what is declared.
    const to = c.kind(item.last) === 59 ? item.last : item.last + 1;
    const isTypedef = c.at(first) === 'typedef';
    const tag = this.tagIn(first, to);
    let fields: Member[] = [];
    let nameless = false;
    if (tag) {
      fields = this.tagged(tag, item, isTypedef);
      nameless = !this.isNamed(tag);
    }
    const body = tag && { start: c.start(tag.open), end: c.end(c.match[tag.open]!) };
    if (isTypedef) {
      const shape = nameless ? { members: fields, body } : {};
      for (const name of this.declared(first + 1, to, tag)) this.add('typedef', name, first, item.last, shape);
      return;
    }
    const declarator = tag ? null : functionDeclarator(c, first, to);
    const assigned = this.find(first, to, EQUALS);
    if (declarator && (assigned < 0 || declarator.name > assigned) && this.isPrototype(declarator, to)) {
      const signature = this.signature(first, declarator.name, declarator.parameters!);
      this.add('prototype', declarator.name, first, item.last, { signature });
      return;
    }
    const names = this.declared(first, to, tag).sort((a, b) => a - b);
    const start = this.afterStorage(tag ? this.tagStart(tag) : first);
    const annotations = names.length ? this.annotations(first, names[0]!) : [];
    // Noise can declare thousands of names at once: what is the same for all is worked out once.
    const mentions = names.length > MANY ? this.mentions(this.startToken(first), c.live[item.last]!, '') : undefined;
    for (const name of names) {
      const returns = this.typeOf(start, names[0]!, name);
      this.add('variable', name, first, item.last, {
        signature: { returns, parameters: [], variadic: false, annotations },
        ...(mentions && { mentions }),
      });
    }
  }

  /** The type of one of the names that a declaration from `start` on declares: `int *a, **b` says `int *` and `int **`. */
  private typeOf(start: number, firstName: number, name: number): string {
    const { c } = this;
    const isStar = (i: number) => c.kind(i) === ASTERISK;
    if (name === firstName) return textOf(c, start, Math.max(name, start + 1));
    let end = firstName;
    while (end > start + 1 && isStar(end - 1)) end--;
    let stars = name;
    while (stars > firstName && isStar(stars - 1)) stars--;
    return `${textOf(c, start, Math.max(end, start + 1))} ${textOf(c, stars, name)}`.trim();
  }

  /** `int f(int);`, not `int (*f)(int);` */
  private isPrototype(
    declarator: { name: number; parameters: { open: number; close: number } | null },
    to: number,
  ): boolean {
    const { c } = this;
    if (!declarator.parameters || declarator.parameters.close >= to) return false;
    return !(
      c.kind(declarator.name - 1) === 42 &&
      c.kind(declarator.name - 2) === PAREN_OPEN &&
      c.kind(declarator.name + 1) !== PAREN_OPEN
    );
  }

  private declared(from: number, to: number, tag: NestedTag | null): number[] {
    const { c } = this;
    const start = tag ? c.match[tag.open]! + 1 : from;
    if (start >= to) return [];
    if (!tag) {
      // `struct x;` declares nothing.
      if (c.bits(from) & TAG && from + 2 >= to) return [];
      const end = this.find(from, to, EQUALS);
      return declaratorsOf(c, this.afterStorage(from), to).filter((n) => end < 0 || n < end || c.kind(end) === EQUALS);
    }
    // The tag itself is the type, so a single word is a name.
    return declaratorsOf(c, start - 1, to)
      .filter((n) => n >= start)
      .concat(this.firstAfter(start, to))
      .filter((n, i, all) => all.indexOf(n) === i);
  }

  private firstAfter(start: number, to: number): number[] {
    const { c } = this;
    return start < to && c.isWord(start) && !(c.bits(start) & KEYWORD) && c.kind(start + 1) !== PAREN_OPEN
      ? [start]
      : [];
  }

  private afterStorage(from: number): number {
    const { c } = this;
    let i = from;
    while (c.bits(i) & STORAGE && !isQualifier(c.at(i))) i++;
    return i;
  }

  private find(from: number, to: number, kind: number): number {
    const { c } = this;
    for (let i = from; i < to; i++) {
      if (c.kind(i) === kind) return i;
      if (c.match[i]! > i) i = c.match[i]!;
    }
    return -1;
  }

  private tagIn(from: number, to: number): NestedTag | null {
    const { c } = this;
    for (let i = from; i < to; i++) {
      const k = c.kind(i);
      if (k === EQUALS || k === PAREN_OPEN) return null;
      if (k === BRACE_OPEN) {
        if (!isTagBody(c, i) || c.match[i]! < 0) return null;
        return { tag: c.bits(i - 1) & TAG ? i - 1 : i - 2, open: i };
      }
    }
    return null;
  }

  private isNamed(tag: NestedTag): boolean {
    return tag.open - tag.tag > 1;
  }

  private tagStart(tag: NestedTag): number {
    return tag.tag;
  }

  /** Adds a struct, union or enum and those inside it; gives its members. */
  private tagged(tag: NestedTag, item: Item | null, isTypedef: boolean): Member[] {
    const { c, lines } = this;
    const kind = c.at(tag.tag) as 'struct' | 'union' | 'enum';
    const close = c.match[tag.open]!;
    const nested: NestedTag[] = [];
    const members = kind === 'enum' ? enumeratorsOf(c, tag.open, lines) : fieldsOf(c, tag.open, lines, nested);
    if (!(isTypedef && !this.isNamed(tag))) {
      // A whole item reaches to its semicolon, attributes included; one inside another, or inside a variable, does not.
      const whole = item !== null && tag.tag === item.first && (c.kind(close + 1) === 59 || close === item.last);
      this.add(kind, this.isNamed(tag) ? tag.tag + 1 : -1, tag.tag, whole ? item.last : close, {
        members,
        body: { start: c.start(tag.open), end: c.end(close) },
      });
    }
    for (const inner of nested) {
      if (this.isNamed(inner) || c.at(inner.tag) === 'enum') this.tagged({ ...inner }, null, false);
    }
    return members;
  }

  private signature(first: number, name: number, parameters: { open: number; close: number }): Signature {
    const { c } = this;
    const start = this.afterStorage(first);
    const annotations = this.annotations(first, name);
    let returns = start < name ? textOf(c, start, name) : '';
    if (annotations.length) {
      const words = returns.split(' ');
      for (const word of annotations) {
        const at = words.indexOf(word);
        if (at >= 0) words.splice(at, 1);
      }
      returns = words.join(' ');
    }
    return { returns: returns.trim(), ...parametersOf(c, parameters.open, parameters.close), annotations };
  }

  /** Storage words and attributes between the start of a definition and its name. */
  private annotations(first: number, name: number): string[] {
    const { c } = this;
    const found: string[] = [];
    for (let t = this.startToken(first); t < c.live[name]!; t++) {
      const word = c.tokens.word[t]!;
      if (word < 0) continue;
      const isStorage = (c.classes[word]! & STORAGE) !== 0 && c.role[t] === 0;
      const text = c.lexer.words.name(word);
      if ((isStorage && !isQualifier(text)) || c.role[t] === HIDDEN_ATTRIBUTE) found.push(text);
    }
    return found;
  }

  /** The token at which an item begins: attribute words in front belong to it. */
  private startToken(first: number): number {
    const { c } = this;
    let t = c.live[first]!;
    while (t > 0 && c.role[t - 1] === HIDDEN_ATTRIBUTE && !this.afterDirective.has(t)) t--;
    return t;
  }

  private add(
    kind: DefinitionKind,
    nameToken: number,
    first: number,
    last: number,
    more: {
      body?: Definition['body'];
      signature?: Signature;
      members?: Member[];
      broken?: boolean;
      mentions?: Pick<Definition, 'calls' | 'uses'>;
    },
    name = nameToken < 0 ? '' : this.c.at(nameToken),
  ): void {
    const { c, lines } = this;
    const startToken = this.startToken(first);
    const start = c.tokens.start[startToken]!;
    const end = c.end(last);
    this.found.push({
      kind,
      name,
      start,
      end,
      startLine: lines.at(start),
      endLine: lines.at(Math.max(start, end - 1)),
      body: more.body ?? null,
      guards: this.guards.at(start),
      signature: more.signature ?? null,
      members: more.members ?? [],
      ...(more.mentions ?? this.mentions(startToken, c.live[last]!, name)),
      broken: more.broken ?? false,
    });
  }

  /** What tokens `from` to `to` call and use, left-out branches and attribute words included. */
  private mentions(from: number, to: number, own: string): { calls: string[]; uses: string[] } {
    const { c, seen } = this;
    const { tokens, classes } = c;
    const { words } = c.lexer;
    const calls: string[] = [];
    const uses: string[] = [];
    const stamp = ++this.serial * 2;
    const used: number[] = [];
    for (let t = from; t <= to; t++) {
      const word = tokens.word[t]!;
      if (word < 0 || classes[word]! & KEYWORD) continue;
      if (t < to && tokens.kind[t + 1] === PAREN_OPEN) {
        if (seen[word] === stamp + 1) continue;
        seen[word] = stamp + 1;
        calls.push(words.name(word));
      } else if (seen[word]! < stamp) {
        seen[word] = stamp;
        used.push(word);
      }
    }
    for (const word of used) if (seen[word] === stamp) uses.push(words.name(word));
    const others = (n: string) => n !== own;
    return { calls: calls.filter(others).sort(byName), uses: uses.filter(others).sort(byName) };
  }
}
