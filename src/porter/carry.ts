import type { Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import { formatVersion } from '../core/version';
import type { Found, KernelIndex } from '../kernel-index/index';
import type { SymbolMap } from '../symbol-map';
import { localsOf } from './locals';

/** Definitions of the base that are written beside the code that needs them, and what they are called there. */
export interface Carried {
  /** What the code calls it: its own name, or another one where the target has that name for something else. */
  name: string;
  /** Dependencies first. */
  lines: ByteString[];
  evidence: Evidence;
}

/** More than this is no helper of the set's any more, but upstream's mechanism. */
const MOST_DEFINITIONS = 16;
const MOST_LINES = 120;

interface Closure {
  names: Map<string, string>;
  texts: ByteString[][];
  open: Set<string>;
}

/**
 * What the set's own code uses and upstream removed, or made something else of, is carried along as the base has it, with
 * all that it depends on: a constant only counts as the same when its text is, a callable when it takes as many arguments.
 * Where a field, type or variable is gone, nothing is carried: then the base's meaning cannot be had.
 */
export class Carrier {
  private readonly meanings = new Map<string, boolean>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
    private readonly map: SymbolMap,
    private readonly own: ReadonlySet<string>,
  ) {}

  /**
   * @param functions may functions be carried; macros always may
   * @param written what is written for attribute words that the target does not have
   * @returns null when it cannot be carried
   */
  carry(name: string, functions: boolean, written: ReadonlyMap<string, string>): Carried | null {
    const closure: Closure = { names: new Map(), texts: [], open: new Set() };
    if (!this.need(name, closure, functions, written)) return null;
    const lines = closure.texts.flat();
    if (closure.texts.length > MOST_DEFINITIONS || lines.length > MOST_LINES) return null;
    const others = [...closure.names.keys()].filter((n) => n !== name);
    const along = others.length ? `, with ${others.map((n) => `'${n}'`).join(', ')}` : '';
    const text = `'${name}' of ${formatVersion(this.base.tree.version)} is carried along${along}: the target has none that means the same`;
    return { name: closure.names.get(name)!, lines, evidence: { kind: 'definition-carried', text } };
  }

  /** Adds a definition of the base, and what it needs, to a closure. */
  private need(name: string, to: Closure, functions: boolean, written: ReadonlyMap<string, string>): boolean {
    if (to.names.has(name) || to.open.has(name)) return true;
    const variants = this.variants(name);
    if (!variants || to.names.size >= MOST_DEFINITIONS) return false;
    to.open.add(name);
    const isFunction = variants[0]!.definition.kind === 'function';
    if (isFunction && !functions) return false;
    const texts = variants.map(({ file, definition: d }) => file.text.slice(d.start, d.end));
    const now = this.target.definitions(name).length
      ? `${name}_${formatVersion(this.base.tree.version).replace(/\W/g, '_')}`
      : name;
    for (const text of texts) if (!this.needWords(name, text, to, functions, written)) return false;
    to.names.set(name, now);
    const lines: ByteString[] = [];
    variants.forEach(({ definition: d }, i) => {
      const condition = conditionOf(d.guards)!;
      if (condition !== '') lines.push(`#if ${condition}\n`);
      const said = texts[i]!.replace(/[A-Za-z_]\w*/g, (w) => to.names.get(w) ?? this.attribute(w, written));
      const static_ = isFunction && !d.signature?.annotations.includes('static') ? 'static ' : '';
      lines.push(...(static_ + said.replace(/\n*$/, '\n')).split(/(?<=\n)/).filter(Boolean));
      if (condition !== '') lines.push('#endif\n');
    });
    if (isFunction) lines.push('\n');
    to.texts.push(lines);
    return true;
  }

  private attribute(word: string, written: ReadonlyMap<string, string>): string {
    const gone = this.base.attributes.words.has(word) && !this.target.attributes.words.has(word);
    return gone ? (written.get(word) ?? '') : word;
  }

  private needWords(
    name: string,
    text: ByteString,
    to: Closure,
    functions: boolean,
    written: ReadonlyMap<string, string>,
  ): boolean {
    const words = tokens(stripComments(text));
    const { base, target } = this;
    const of = base.definitions(name).find((f) => f.file.text.slice(f.definition.start, f.definition.end) === text);
    const locals = of ? localsOf(of.definition, text) : new Set<string>();
    return words.every((w, i) => {
      if (!/^[A-Za-z_]/.test(w) || w === name || this.own.has(w)) return true;
      if (/^(->|\.)$/.test(words[i - 1] ?? '')) return !base.members(w).length || target.members(w).length > 0;
      if (locals.has(w)) return true;
      if (!base.definitions(w).length) return !base.members(w).length || target.members(w).length > 0;
      if (base.attributes.words.has(w)) return true;
      return this.means(w) || this.need(w, to, functions, written);
    });
  }

  /** True when a name means the same in both kernels. */
  private means(name: string): boolean {
    const known = this.meanings.get(name);
    if (known !== undefined) return known;
    // A name that leads back to itself does not make the difference.
    this.meanings.set(name, true);
    const same = this.compare(this.base.definitions(name), this.target.definitions(name));
    this.meanings.set(name, same);
    return same;
  }

  private compare(was: readonly Found[], is: readonly Found[]): boolean {
    if (is.length === 0) return false;
    const constant = ({ definition: d }: Found) => d.kind === 'macro' && !d.signature;
    if (was.some(constant) || is.some(constant)) {
      const texts = (list: readonly Found[]) =>
        [...new Set(list.map(({ file, definition: d }) => tokens(file.text.slice(d.start, d.end)).join(' ')))].sort();
      const [a, b] = [texts(was), texts(is)];
      if (a.join('\n') !== b.join('\n')) return false;
      const words = new Set(a.flatMap((t) => t.split(' ')).filter((w) => /^[A-Za-z_]/.test(w)));
      return [...words].every((w) => !this.base.definitions(w).length || this.means(w));
    }
    const callable = was.find((f) => f.definition.signature);
    if (!callable) return true;
    const takes = callable.definition.signature!.parameters.length;
    return is.some((f) => f.definition.signature?.parameters.length === takes);
  }

  /** The definitions of one file under a name: one, or one for each choice of an option. Null when they are no such thing. */
  private variants(name: string): Found[] | null {
    const all = this.base.definitions(name).filter((f) => f.definition.kind !== 'prototype');
    const said = this.map.lookup(null, name)?.from.path;
    const home = all.some((f) => f.file.path === said) ? said : all[0]?.file.path;
    const found = all.filter((f) => f.file.path === home);
    const [first] = found;
    if (!first || found.some((f) => f.definition.kind !== first.definition.kind)) return null;
    if (first.definition.kind !== 'macro' && first.definition.kind !== 'function') return null;
    if (first.definition.kind === 'function' && (found.length > 1 || !first.definition.body)) return null;
    return found.every((f) => conditionOf(f.definition.guards) !== null) ? found : null;
  }
}

/** The condition of guards that only speak of options, as `#if` takes it; null for others. */
function conditionOf(guards: readonly string[]): string | null {
  const said: string[] = [];
  for (const guard of guards) {
    const plain = guard.replace(
      /\bdefined\s*\(\s*(\w+)\s*\)|\bdefined\s+(\w+)/g,
      (_, a?: string, b?: string) => a ?? b!,
    );
    if (!/^[\s!()&|]*(CONFIG_\w+[\s!()&|]*)+$/.test(plain)) {
      if (/^!\s*__ASSEMBLY__$/.test(plain)) continue;
      return null;
    }
    said.push(plain.replace(/\bCONFIG_\w+/g, 'defined($&)'));
  }
  return said.map((s) => (said.length > 1 && /\|\|/.test(s) ? `(${s})` : s)).join(' && ');
}

/**
 * Writes carried definitions into the lines that use them: before the item of the file level that comes first, and the
 * name that they have there for the name that they had.
 */
export function withCarried(lines: readonly ByteString[], name: string, carried: Carried): ByteString[] {
  const word = new RegExp(`(?<![.>\\w])${name}\\b`, 'g');
  const bare = lines
    .join('')
    .replace(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"/g, (t) => t.replace(/[^\n]/g, ' '));
  const code = bare.split(/(?<=\n)/);
  let depth = 0;
  let gap = 0;
  for (let i = 0; i < code.length; i++) {
    const above = code[i - 1]?.trim() ?? '';
    const free = i === 0 || lines[i - 1]!.trim() === '' || (above.startsWith('#') && !above.endsWith('\\'));
    if (depth === 0 && free) gap = i;
    if (new RegExp(word.source).test(code[i]!)) break;
    for (const c of code[i]!)
      if (c === '{') depth++;
      else if (c === '}') depth--;
  }
  const said = carried.name === name ? lines : lines.map((l) => l.replace(word, carried.name));
  const apart = said[gap]?.startsWith('#') || carried.lines.at(-1) === '\n' ? [] : ['\n'];
  return [...said.slice(0, gap), ...carried.lines, ...apart, ...said.slice(gap)];
}
