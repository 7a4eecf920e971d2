import type { ByteString } from '../../core/text';
import type { Hunk } from '../../core/patch';
import { hunksOf } from '../../patch-set/patch-set';
import { alignLines, tokenLines } from '../../porter/align';
import type { CheckContext } from '../context';
import { definitionAt, identifiers, isKbuild, maskComments, plainLines, scanFile } from '../scan';

/** Why a line of the set may read otherwise, or be nowhere, in a tree that somebody ported by hand. */
export interface Excuse {
  /** Added line of a hunk, with its sign. */
  line: string;
  why: 'moved' | 'reads-otherwise' | 'stands-elsewhere' | 'place-gone' | 'uses-gone';
  /** Where the port has what took its place. */
  at: { path: ByteString; line: number } | null;
}

/** A line of the port's own this many lines off, blank ones not counted, is still in the same place. */
const NEAR = 3;

/** A line that the port added and no line of the set is like. */
interface OwnLine {
  path: ByteString;
  line: number;
  words: ReadonlySet<string>;
  /** Of the words, those that the line defines or declares. */
  defines: ReadonlySet<string>;
}

/**
 * A port that no report tells of may well have other words than the set, and rightly: then what it wrote by itself stands
 * in the same place, or speaks of the same new names in another place; or the definition that a line was written for is
 * gone from the target. A line that is merely lost has none of these excuses.
 */
export class Adaptations {
  private readonly own: OwnLine[] = [];
  private readonly baseWords = new Set<string>();
  private readonly addedAt = new Map<string, { path: ByteString; line: number }>();
  private readonly portWords = new Set<string>();
  private readonly defined = new Set<string>();

  private constructor(
    private readonly ctx: CheckContext,
    private readonly hunksOfLine: ReadonlyMap<string, ReadonlySet<string>>,
  ) {}

  /** @param hunksOfLine each line that the set adds, blanks squeezed out, with its hunks */
  static of(ctx: CheckContext, hunksOfLine: ReadonlyMap<string, ReadonlySet<string>>): Adaptations {
    const result = new Adaptations(ctx, hunksOfLine);
    for (const { hunk } of ctx.set ? hunksOf(ctx.set) : []) {
      const added = hunk.lines.filter((l) => l[0] === '+').map((l) => l.slice(1));
      if (/\.[chS]$/.test(hunk.path)) for (const d of definedNames(added.join(''))) result.defined.add(d);
    }
    for (const f of ctx.setFiles.values())
      for (const w of identifiers(maskComments(f.base ?? ''))) result.baseWords.add(w);
    for (const f of ctx.portFiles.values()) {
      if (f.ported === null) continue;
      const lines = plainLines(f.ported);
      const code = maskComments(f.ported).split('\n');
      const isSets = ctx.sourcesOf(f.path).length > 0;
      for (const w of identifiers(maskComments(f.ported))) result.portWords.add(w);
      for (const line of ctx.addedLines(f.path)) {
        const key = squeeze(lines[line] ?? '');
        if (key === '') continue;
        if (!result.addedAt.has(key)) result.addedAt.set(key, { path: f.path, line });
        if (isSets && hunksOfLine.has(key)) continue;
        const [words, defines] = [identifiers(code[line] ?? ''), definedNames(`${code[line] ?? ''}\n`)];
        result.own.push({ path: f.path, line, words: new Set(words), defines: new Set(defines) });
      }
    }
    return result;
  }

  /** Excuses for those of a hunk's lost lines that have one. */
  excuses(path: ByteString, hunk: Hunk, lost: readonly string[]): Excuse[] {
    const found: Excuse[] = [];
    const left: string[] = [];
    const elsewhere = this.elsewhere(path, lost);
    for (const line of lost) {
      const key = squeeze(line.slice(1));
      // A line that many hunks have says nothing by being somewhere else.
      const moved = this.hunksOfLine.get(key)?.size === 1 ? this.addedAt.get(key) : undefined;
      const inPlace = moved ? null : this.inPlace(path, hunk, line);
      if (moved && moved.path !== path) found.push({ line, why: 'moved', at: moved });
      else if (inPlace) found.push({ line, why: 'reads-otherwise', at: inPlace });
      else if (elsewhere) found.push({ line, why: 'stands-elsewhere', at: elsewhere });
      else left.push(line);
    }
    const unexcused: string[] = [];
    for (const line of left) {
      if (this.placeGone(path, hunk, line)) found.push({ line, why: 'place-gone', at: null });
      else if (this.usesGone(path, line)) found.push({ line, why: 'uses-gone', at: null });
      else unexcused.push(line);
    }
    // The guards of what is excused go with it.
    const isGuard = (l: string) => /^\+\s*#\s*(if|else|endif)/.test(l);
    const why = found.find((e) => !isGuard(e.line));
    if (why && unexcused.every(isGuard)) for (const line of unexcused) found.push({ ...why, line });
    return found;
  }

  /** A line of the port's own between the neighbours of the lost one. */
  private inPlace(path: ByteString, hunk: Hunk, line: string): { path: ByteString; line: number } | null {
    const source = this.ctx.setFiles.get(path);
    const ported = this.ctx.portFiles.get(path)?.ported;
    if (!source || source.patched === null || ported === null || ported === undefined) return null;
    const at = source.origin.findIndex((o) => o.hunk === hunk.id && o.text === line.slice(1));
    if (at < 0) return null;
    const matches = this.aligned(path, source.patched, ported);
    const own = this.own.filter((o) => o.path === path);
    let [before, after] = [at, at];
    const exact = (i: number) => {
      const m = matches[i];
      return m && !own.some((o) => o.line === m.to) ? m.to : null;
    };
    while (before >= 0 && exact(before) === null) before--;
    while (after < matches.length && exact(after) === null) after++;
    const from = before < 0 ? -1 : exact(before)!;
    const to = after >= matches.length ? Infinity : exact(after)!;
    const lines = plainLines(ported);
    const step = (at: number, by: 1 | -1) => {
      for (let left = NEAR; left > 0 && at >= 0 && at < lines.length;) if (lines[(at += by)]?.trim()) left--;
      return at;
    };
    const [first, last] = [step(from, -1), to === Infinity ? to : step(to, 1)];
    return own.find((o) => first <= o.line && o.line <= last) ?? null;
  }

  private readonly alignments = new Map<ByteString, ReturnType<typeof alignLines>>();
  private aligned(path: ByteString, patched: ByteString, ported: ByteString): ReturnType<typeof alignLines> {
    let known = this.alignments.get(path);
    if (!known) {
      known = alignLines(tokenLines(plainLines(patched)), tokenLines(plainLines(ported)));
      this.alignments.set(path, known);
    }
    return known;
  }

  /** Lines of the port's own that speak of all new names of the lost ones: a hook that stands somewhere else now. */
  private elsewhere(path: ByteString, lost: readonly string[]): { path: ByteString; line: number } | null {
    // A name that is defined in the lost lines and is nowhere else went with them.
    const names = [...new Set(lost.flatMap((l) => this.newNames(path, l)))];
    const gone = new Set(definedNames(lost.map((l) => l.slice(1)).join('')).filter((n) => !this.portWords.has(n)));
    const wanted = names.filter((n) => !gone.has(n));
    if (wanted.length === 0) return null;
    // A call is not made up for by a prototype, nor the other way round; a build rule by nothing but a build rule.
    const speaking = wanted.map((n) => {
      const defined = lost.some((l) => definedNames(l.slice(1)).includes(n));
      return this.own.find(
        (o) =>
          o.words.has(n) && isKbuild(o.path) === isKbuild(path) && (isKbuild(path) || o.defines.has(n) === defined),
      );
    });
    return speaking.every((o) => o !== undefined) ? speaking[0]! : null;
  }

  /** Names that the set brings. An option is in every guard, so it says something in build files alone. */
  private newNames(path: ByteString, line: string): string[] {
    const names = identifiers(maskComments(line.slice(1))).filter((w) => !this.baseWords.has(w));
    return isKbuild(path) ? names : names.filter((w) => this.defined.has(w));
  }

  /** The line uses a name that the base has and the target does not. */
  private usesGone(path: ByteString, line: string): boolean {
    const target = this.targetWords.get(path);
    return (
      target !== undefined &&
      identifiers(maskComments(line.slice(1))).some(
        (w) => this.baseWords.has(w) && !target.has(w) && !this.portWords.has(w),
      )
    );
  }

  /** The definition that the line was written for is in the base's and not in the target's, or its neighbours are not. */
  private placeGone(path: ByteString, hunk: Hunk, line: string): boolean {
    const source = this.ctx.setFiles.get(path);
    if (!source || source.base === null || source.patched === null) return false;
    const base = scanFile(path, source.base);
    const patched = scanFile(path, source.patched);
    const target = this.targets.get(path) ?? new Set<string>();
    const around = neighbours(hunk, line);
    if (around.length === 2 && around.every((l) => !this.targetLines.get(path)!.has(squeeze(l)))) return true;
    const places = source.origin.flatMap((o, i) => (o.hunk === hunk.id && o.text === line.slice(1) ? [i] : []));
    return (
      places.length > 0 &&
      places.every((i) => {
        const name = definitionAt(patched, i);
        return name !== null && base.some((s) => s.name === name) && !target.has(name);
      })
    );
  }

  private readonly targets = new Map<ByteString, ReadonlySet<string>>();
  private readonly targetWords = new Map<ByteString, ReadonlySet<string>>();
  private readonly targetLines = new Map<ByteString, ReadonlySet<string>>();

  /**
   * Reads what {@link excuses} wants of the target: the names of definitions in the file, or, as they may have moved, in
   * others that the port changed.
   */
  async read(path: ByteString): Promise<void> {
    if (this.targets.has(path)) return;
    const names = new Set<string>();
    const words = new Set<string>();
    const lines = new Set<string>();
    const touched = [...this.ctx.setFiles.keys(), ...this.ctx.portFiles.keys()];
    for (const p of new Set([path, ...touched])) {
      const text = await this.ctx.targetText(p);
      if (text === null) continue;
      for (const s of scanFile(p, text)) names.add(s.name);
      for (const w of identifiers(maskComments(text))) words.add(w);
      for (const l of plainLines(text)) lines.add(squeeze(l));
    }
    this.targetLines.set(path, lines);
    // Other headers may well have a name that is in none of these.
    const doubted = new Set<string>();
    for (const o of this.ctx.setFiles.get(path)?.origin ?? [])
      if (o.hunk !== null)
        for (const w of identifiers(maskComments(o.text))) if (this.baseWords.has(w) && !words.has(w)) doubted.add(w);
    if (doubted.size > 0) {
      for (const p of this.ctx.target.paths()) {
        if (!/^(include|arch\/arm64|virt)\/.*\.[chS]$/.test(p)) continue;
        for (const w of identifiers((await this.ctx.targetText(p)) ?? '')) if (doubted.has(w)) words.add(w);
      }
    }
    this.targetWords.set(path, words);
    this.targets.set(path, names);
  }
}

/** Functions, macros, types and labels that a text defines. */
function definedNames(text: string): string[] {
  const code = maskComments(text);
  return [
    ...code.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)/gm),
    ...code.matchAll(/^(?![ \t#}])[\w \t*]*?[\s*](\w+)[ \t]*\([^;{}]*\)[\w\s()]*[{;]/gm),
    ...code.matchAll(/\b(?:struct|union|enum)\s+(\w+)[^;{}()=]*\{/g),
    ...code.matchAll(/^(?:(?:ENTRY|SYM_\w+)\(\s*)?([A-Za-z_]\w*)[:)]/gm),
  ].map((m) => m[1]!);
}

/** The base's lines above and below an added line of a hunk that say something. */
function neighbours(hunk: Hunk, line: string): string[] {
  const at = hunk.lines.indexOf(line);
  const says = (l: string) => l[0] === ' ' && /\w{2}/.test(l) && !/^ \s*(\*|\/\*|\/\/)/.test(l);
  const above = hunk.lines.slice(0, at).reverse().find(says);
  const below = hunk.lines.slice(at + 1).find(says);
  return [above, below].flatMap((l) => (l === undefined ? [] : [l.slice(1)]));
}

function squeeze(line: string): string {
  return line.replace(/\s+/g, '');
}
