import type { Conditional, Definition, DefinitionKind, FileIndex, Language, Member, Signature } from './types';

/**
 * How the cache writes a file's index: a list of numbers, and every word once. Most of an index are names that many
 * definitions mention: so they are one string each when it is read back, and nothing is read faster than a list of
 * numbers. Reading is all that a run with a warm cache does.
 */
class Writer {
  readonly numbers: number[] = [];
  private readonly words = new Map<string, number>();
  private readonly guardLists = new Map<string, number>();

  word(word: string): void {
    let number = this.words.get(word);
    if (number === undefined) this.words.set(word, (number = this.words.size));
    this.numbers.push(number);
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.numbers.push(items.length);
    for (const item of items) write(item);
  }

  wordList(words: readonly string[]): void {
    this.numbers.push(words.length);
    for (let i = 0; i < words.length; i++) this.word(words[i]!);
  }

  index(index: FileIndex): void {
    const { numbers } = this;
    const { parse, trouble } = index;
    this.word(index.language);
    this.wordList(trouble === null ? [] : [trouble]);
    this.list(parse ? [parse] : [], (p) => numbers.push(p.items, p.bad, p.badRaw ?? -1));
    this.list(index.includes, ({ path, system, line }) => {
      this.word(path);
      numbers.push(system ? 1 : 0, line);
    });
    this.list(index.conditionals, ({ branches, endLine }) => {
      numbers.push(endLine);
      this.list(branches, ({ line, condition }) => {
        numbers.push(line);
        this.word(condition);
      });
    });
    this.list(index.definitions, (d) => this.definition(d));
  }

  private definition(d: Definition): void {
    const { numbers } = this;
    this.word(d.kind);
    this.word(d.name);
    numbers.push(d.start, d.end, d.startLine, d.endLine, d.body?.start ?? -1, d.body?.end ?? -1, d.broken ? 1 : 0);
    this.guards(d.guards);
    this.list(d.signature ? [d.signature] : [], (s) => {
      this.word(s.returns);
      numbers.push(s.variadic ? 1 : 0);
      this.list(s.parameters, ({ type, name }) => {
        this.word(type);
        this.word(name);
      });
      this.wordList(s.annotations);
    });
    this.list(d.members, ({ name, type, line }) => {
      this.word(name);
      this.word(type);
      numbers.push(line);
    });
    this.wordList(d.calls);
    this.wordList(d.uses);
  }

  /** The number of the list; a list that was not there before follows its number. */
  private guards(guards: readonly string[]): void {
    const key = guards.join('\0');
    const known = this.guardLists.get(key);
    this.numbers.push(known ?? this.guardLists.size);
    if (known !== undefined) return;
    this.guardLists.set(key, this.guardLists.size);
    this.wordList(guards);
  }

  /** No word holds a NUL: a text that does is not indexed. */
  toString(): string {
    return `${JSON.stringify(this.numbers)}\n${[...this.words.keys()].join('\0')}`;
  }
}

/** The list of every definition that has none of something: most have no members, and half mention nothing. */
const NOTHING: never[] = [];
Object.freeze(NOTHING);

/** Undoes {@link Writer}. Throws for a text that is none of its own. */
class Reader {
  private readonly numbers: number[];
  private readonly words: string[];
  private readonly guardLists: string[][] = [];
  private readonly readWord = () => this.word();
  private at = 0;

  constructor(text: string, pool: WordPool) {
    const end = text.indexOf('\n');
    this.numbers = JSON.parse(text.slice(0, end)) as number[];
    this.words = text.slice(end + 1).split('\0');
    for (let i = 0; i < this.words.length; i++) this.words[i] = pool.get(this.words[i]!);
  }

  index(): FileIndex {
    const language = this.word() as Language;
    const trouble = this.wordList()[0] ?? null;
    const [parse] = this.list(() => ({ items: this.number(), bad: this.number(), badRaw: this.orNull() }));
    const includes = this.list(() => ({ path: this.word(), system: this.number() === 1, line: this.number() }));
    const conditionals = this.list((): Conditional => {
      const endLine = this.number();
      return { branches: this.list(() => ({ line: this.number(), condition: this.word() })), endLine };
    });
    const definitions = this.list(() => this.definition());
    if (this.at !== this.numbers.length) throw new RangeError('numbers are left over');
    return { language, definitions, includes, conditionals, parse: parse ?? null, trouble };
  }

  private definition(): Definition {
    const kind = this.word() as DefinitionKind;
    const name = this.word();
    const [start, end, startLine, endLine] = [this.number(), this.number(), this.number(), this.number()];
    const [bodyStart, bodyEnd, broken] = [this.number(), this.number(), this.number() === 1];
    const body = bodyStart < 0 ? null : { start: bodyStart, end: bodyEnd };
    const guards = this.guards();
    const signature = this.number() ? this.signature() : null;
    const members = this.list((): Member => ({ name: this.word(), type: this.word(), line: this.number() }));
    const [calls, uses] = [this.wordList(), this.wordList()];
    return { kind, name, start, end, startLine, endLine, body, guards, signature, members, calls, uses, broken };
  }

  private signature(): Signature {
    const returns = this.word();
    const variadic = this.number() === 1;
    const parameters = this.list(() => ({ type: this.word(), name: this.word() }));
    return { returns, parameters, variadic, annotations: this.wordList() };
  }

  private guards(): string[] {
    const number = this.number();
    return (this.guardLists[number] ??= this.wordList());
  }

  private number(): number {
    const number = this.numbers[this.at++];
    if (number === undefined) throw new RangeError('too few numbers');
    return number;
  }

  private orNull(): number | null {
    const number = this.number();
    return number < 0 ? null : number;
  }

  private word(): string {
    const word = this.words[this.number()];
    if (word === undefined) throw new RangeError('too few words');
    return word;
  }

  private list<T>(read: () => T): T[] {
    const count = this.number();
    if (count > this.numbers.length) throw new RangeError('too few numbers');
    if (count === 0) return NOTHING;
    // As long as it will be: a list that grows has room for seventeen, and most have fewer.
    const items = new Array<T>(count);
    for (let i = 0; i < count; i++) items[i] = read();
    return items;
  }

  private wordList(): string[] {
    return this.list(this.readWord);
  }
}

/** The text of an index. */
export function encodeIndex(index: FileIndex): string {
  const writer = new Writer();
  writer.index(index);
  return writer.toString();
}

/** Words that many files have, one string each: most words of a kernel stand in a dozen of its files. */
export class WordPool {
  private readonly words = new Map<string, string>();

  get(word: string): string {
    const known = this.words.get(word);
    if (known !== undefined) return known;
    // A piece of a string keeps the whole string alive, and a longer one is such a piece.
    const own = word.length < PIECE ? word : Buffer.from(word, 'utf16le').toString('utf16le');
    this.words.set(own, own);
    return own;
  }
}

/** Shorter strings are copied by the engine itself. */
const PIECE = 13;

/** Undoes {@link encodeIndex}; null for a text that is none of its own: of another program version, for one. */
export function decodeIndex(text: string, pool = new WordPool()): FileIndex | null {
  try {
    return new Reader(text, pool).index();
  } catch {
    return null;
  }
}
