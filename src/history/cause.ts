import type { HunkReport, Outcome } from '../core/outcome';
import { tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { sameSense, similarity } from '../porter/align';
import { sameNamed, sameNature, type Heirs } from '../porter/heirs';
import { Aligner, placeEdit, PLACE_AT } from '../porter/place';
import type { EditTrace } from '../porter/port';
import type { PorterFile } from '../porter/view';
import { anchorsOf, guardedLines, type AnchorLine } from './anchors';
import { type Follower, keysOf } from './follow';
import type { Way } from './releases';
import { rewriteOf } from './rewrite';

/** What happened to the thing that a hunk hangs on. */
export type CauseKind =
  'definition-gone' | 'file-gone' | 'lines-gone' | 'changed' | 'taken' | 'moved' | 'renamed' | 'context' | 'there';

/** The upstream change behind a hunk's end, as far as the trees tell it. */
export interface Finding {
  kind: CauseKind;
  /** The stop of the way that is the first to show it. */
  stop: number;
  /** One sentence. */
  text: string;
  /** The base file, and the base definition that it is about. */
  path: ByteString;
  definition: string | null;
  /** Symbols that it is about: the definition, words of lines that went. */
  names: string[];
  trace: EditTrace | null;
  /** The stop at which the definition itself left, when that is a later one. */
  left?: number;
  /** What was there before and is not since, told by the texts of `paths`; null when texts cannot tell. */
  probe: { paths: ByteString[]; holds: (texts: ByteString[]) => boolean | Promise<boolean> } | null;
}

/** Finds for each hunk the release that changed what it hangs on, in the trees of the releases alone. */
export class Causes {
  private readonly aligners = new WeakMap<PorterFile, Aligner>();

  constructor(
    private readonly way: Way,
    private readonly follower: Follower,
    private readonly heirs: Heirs,
  ) {}

  /** Null when nothing is known to have happened. */
  async of(hunk: HunkReport, traces: readonly EditTrace[]): Promise<Finding | null> {
    if (hunk.outcome === 'applied' || this.way.last === 0) return null;
    if (traces.length === 0) return this.ofFile(hunk);
    const trace = traces.find((t) => t.outcome === hunk.outcome) ?? traces[0]!;
    const ways: Partial<Record<Outcome, (t: EditTrace) => Promise<Finding | null>>> = {
      conflict: (t) => this.conflict(t),
      obsolete: (t) => this.obsolete(t),
      relocated: (t) => this.relocated(t),
      rewritten: (t) => this.rewritten(t),
      merged: (t) => this.merged(t),
      'already-upstream': (t) => this.there(t),
    };
    return (await ways[hunk.outcome]?.(trace)) ?? null;
  }

  /** Files that are carried as a whole hang on every byte. */
  private async ofFile(hunk: HunkReport): Promise<Finding | null> {
    const { path } = hunk.source;
    const was = this.way.at(0).tree.entry(path)?.oid;
    const stop = await this.way.lost(async (s) => this.way.at(s).tree.entry(path)?.oid === was);
    if (stop === null) return null;
    const what = this.way.at(stop).tree.has(path) ? 'changed' : 'left the kernel';
    const text = `'${path}' ${what} ${this.way.when(stop)}`;
    const before = await this.way.at(0).view.text(path);
    const probe = { paths: [path], holds: (texts: ByteString[]) => texts[0] === before };
    return { kind: 'file-gone', stop, text, path, definition: null, names: [], trace: null, probe };
  }

  private async conflict(trace: EditTrace): Promise<Finding | null> {
    // Another function does the work of the code that it guards out: since that code left.
    const instead = trace.failure?.evidence.some((e) => e.kind === 'done-instead');
    const left = instead ? await this.guardedLeft(trace) : null;
    if (left) return left;
    const stop = await this.way.lost((s) => this.isPlaced(s, trace));
    if (stop === null) return (await this.merged(trace)) ?? (await this.linesLeft(trace)) ?? this.atTheLatest(trace);
    const finding = await this.explain(trace, stop);
    if (finding.kind === 'definition-gone') return finding;
    // Its lines went first, the definition itself later: both are worth knowing.
    for (const scope of this.follower.scopes(trace)) {
      const left = await this.leaves(trace, scope);
      if (left === null || left <= stop) continue;
      return { ...finding, left, text: `${finding.text}; '${scope.name}' itself left ${this.way.when(left)}` };
    }
    return finding;
  }

  /** Its place is there, and something else forbids it: the trees of the releases do not say since when. */
  private atTheLatest(trace: EditTrace): Finding {
    const scope = this.follower.scopes(trace)[0]?.name ?? null;
    const text = `${this.way.when(this.way.last)} at the latest: ${trace.failure?.reason ?? 'it has no place'}`;
    const path = trace.base.path;
    return { kind: 'lines-gone', stop: this.way.last, text, path, definition: scope, names: [], trace, probe: null };
  }

  /** The lines are somewhere, and the edit has a place there; but they left the file that the base's file is now. */
  private async linesLeft(trace: EditTrace): Promise<Finding | null> {
    const needed = anchorsOf(trace).filter((a) => a.needed);
    const stop = await this.way.lost(async (s) => {
      const [file] = await this.follower.files(s, trace.base.path);
      return file !== undefined && needed.every((a) => keysOf(file, null).has(a.key));
    });
    return stop === null ? null : this.explain(trace, stop);
  }

  /** The stop at which a definition is gone for good; null when the target has it. */
  private leaves(trace: EditTrace, scope: Definition): Promise<number | null> {
    return this.way.lost(async (s) => (await this.follower.definition(s, trace.base, scope)) !== null);
  }

  /** True when the edit has a place at a stop, by the same rules as in the target. */
  private async isPlaced(stop: number, trace: EditTrace): Promise<boolean> {
    for (const { file, pairs } of await this.follower.places(stop, trace)) {
      const attempt = placeEdit(trace.edit, trace.base, file, pairs, this.alignerFor(file));
      if (attempt.placed && attempt.confidence >= PLACE_AT) return true;
    }
    return false;
  }

  /** On the way a word may read as in the base or as in the target: as in the base where the file knows it. */
  private alignerFor(file: PorterFile): Aligner {
    let aligner = this.aligners.get(file);
    if (!aligner) {
      const words = new Set(file.text.match(/[A-Za-z_]\w*/g));
      aligner = new Aligner((w) => (words.has(w) ? w : this.heirs.rename(w)));
      this.aligners.set(file, aligner);
    }
    return aligner;
  }

  /** What the stop has done to the edit's anchors that the one before it had not. */
  private async explain(trace: EditTrace, stop: number): Promise<Finding> {
    const { base } = trace;
    const when = this.way.when(stop);
    const files = await this.follower.files(stop, base.path);
    const scopes = this.follower.scopes(trace);
    const about = { stop, path: base.path, definition: scopes[0]?.name ?? null, names: [], trace, probe: null };
    // A guard around whole definitions hangs on these.
    for (const scope of scopes.length ? scopes : wrappedDefinitions(trace)) {
      const before = await this.follower.definition(stop - 1, base, scope);
      const now = await this.follower.definition(stop, base, scope);
      if (!now && (before || scopes.length)) return this.definitionGone(trace, scope, stop);
      if (now && before && now.definition.name !== before.definition.name) {
        const gone = await this.definitionGone(trace, scope, stop);
        const text = `'${before.definition.name}' became '${now.definition.name}' in ${now.file.path} ${when}`;
        return { ...gone, kind: 'renamed', text };
      }
    }
    if (scopes.length === 0 && files.length === 0) {
      const probe = { paths: [base.path], holds: (texts: ByteString[]) => texts.length > 0 };
      return { ...about, kind: 'file-gone', text: `'${base.path}' left the kernel ${when}`, probe };
    }
    const taken = await this.taken(trace, stop);
    if (taken) return { ...about, ...taken };
    const gone = await this.goneLines(trace, stop);
    if (gone) return { ...about, ...gone };
    const reason = await this.reasonAt(stop, trace);
    const place = await this.placeOf(trace, stop);
    return {
      ...about,
      kind: 'changed',
      text: `${place} changed ${when}${reason ? `: ${reason.replace(/^[^\s:]+:\d+: /, '')}` : ''}`,
    };
  }

  private async definitionGone(trace: EditTrace, scope: Definition, stop: number): Promise<Finding> {
    const { base } = trace;
    const before = await this.follower.definition(stop - 1, base, scope);
    const path = before?.file.path ?? base.path;
    return {
      kind: 'definition-gone',
      stop,
      text: `'${scope.name}' left ${path} ${this.way.when(stop)}`,
      path: base.path,
      definition: scope.name,
      names: [scope.name],
      trace,
      probe: { paths: [path], holds: defines(scope) },
    };
  }

  /** A macro of the edit that upstream has gained, with another text. */
  private async taken(
    trace: EditTrace,
    stop: number,
  ): Promise<Pick<Finding, 'kind' | 'text' | 'names' | 'probe'> | null> {
    const added = trace.edit.segments.flatMap((s) => s.added);
    const names = added.flatMap((l) => /^\s*#\s*define\s+(\w+)/.exec(l)?.[1] ?? []);
    for (const name of names) {
      const defined = async (s: number) =>
        (await this.follower.files(s, trace.base.path)).find((f) =>
          f.index.definitions.some((d) => d.kind === 'macro' && d.name === name),
        );
      const file = await defined(stop);
      if (!file || (await defined(stop - 1))) continue;
      const word = new RegExp(`#\\s*define\\s+${name}\\b`);
      return {
        kind: 'taken',
        text: `upstream gave ${file.path} a '${name}' of its own ${this.way.when(stop)}`,
        names: [name],
        probe: { paths: [file.path], holds: (texts) => !texts.some((t) => word.test(t)) },
      };
    }
    return null;
  }

  /** Lines that the edit hangs on and that were there at the stop before. */
  private async goneLines(
    trace: EditTrace,
    stop: number,
  ): Promise<Pick<Finding, 'kind' | 'text' | 'names' | 'probe'> | null> {
    const [before, now] = [await this.keysAt(stop - 1, trace), await this.keysAt(stop, trace)];
    const fresh = [...now].filter((k) => !before.has(k)).map((k) => k.split(' '));
    const gone: (AnchorLine & { was: string })[] = [];
    for (const a of anchorsOf(trace)) {
      // Changed by an earlier release already: what it had become by then is what may go now.
      const was = before.has(a.key) ? a.key : now.has(a.key) ? null : likest(a.key, before);
      if (was !== null && !now.has(was)) gone.push({ ...a, was });
    }
    const jump = (a: AnchorLine) => Number(/^(return|break|goto|continue|else)\b/.test(a.key));
    gone.sort((a, b) => Number(b.needed) - Number(a.needed) || jump(a) - jump(b));
    const [first] = gone;
    if (!first) return null;
    const words = first.was.split(' ');
    const changed = fresh.some((k) => similarity(words, k) >= ALIKE && sameSense(words, k));
    const more = gone.length > 1 ? ` and ${gone.length - 1} more ${gone.length > 2 ? 'lines' : 'line'} with it` : '';
    const place = await this.placeOf(trace, stop - 1);
    const text = changed
      ? `the line '${first.text}' of ${place} was changed ${first.was === first.key ? '' : 'again '}${this.way.when(stop)}${more && `,${more}`}`
      : `the line '${first.text}'${first.was === first.key ? '' : ', changed before,'} left ${place} ${this.way.when(stop)}${more && `,${more}`}`;
    const paths = (await this.follower.places(stop - 1, trace)).map((p) => p.file.path);
    return {
      kind: 'lines-gone',
      text,
      // Of a whole block that went, the first line says what it was.
      names: wordsIn(gone.length > BLOCK ? [first] : gone),
      probe: { paths, holds: (texts) => texts.some((t) => hasLine(t, first.was)) },
    };
  }

  private async keysAt(stop: number, trace: EditTrace): Promise<Set<string>> {
    const keys = new Set<string>();
    for (const { file, pairs } of await this.follower.places(stop, trace)) {
      const definitions = pairs.size ? [...pairs.values()].map((p) => p.target) : [null];
      for (const d of definitions) for (const k of keysOf(file, d)) keys.add(k);
    }
    return keys;
  }

  /** `'user_mem_abort' (virt/kvm/arm/mmu.c)`, by the names that they have at a stop. */
  private async placeOf(trace: EditTrace, stop: number): Promise<string> {
    const [place] = await this.follower.places(stop, trace);
    const path = place?.file.path ?? trace.base.path;
    const [pair] = place?.pairs.values() ?? [];
    return pair ? `'${pair.target.name}' (${path})` : path;
  }

  private async reasonAt(stop: number, trace: EditTrace): Promise<string | null> {
    for (const { file, pairs } of await this.follower.places(stop, trace)) {
      const attempt = placeEdit(trace.edit, trace.base, file, pairs, this.alignerFor(file));
      if (!attempt.placed) return attempt.reason;
      return attempt.evidence.find((e) => e.kind === 'wrapped-range')?.text ?? attempt.evidence[0]?.text ?? null;
    }
    return null;
  }

  /** The release that took the last of what a guard takes out. */
  private async obsolete(trace: EditTrace): Promise<Finding | null> {
    return (await this.freed(trace)) ?? (await this.guardedLeft(trace)) ?? this.conflict(trace);
  }

  /** The release that took the last line of what a guard takes out, or what held it; null when neither is gone. */
  private async guardedLeft(trace: EditTrace): Promise<Finding | null> {
    const guarded = guardedLines(trace);
    const [scope] = this.follower.scopes(trace);
    const inFiles = async (stop: number) => {
      const files = await this.follower.files(stop, trace.base.path);
      const stood = scope && (await this.follower.definition(stop, trace.base, scope));
      return guarded.some((g) => [...files, ...(stood ? [stood.file] : [])].some((f) => keysOf(f, null).has(g.key)));
    };
    const stop = guarded.length ? await this.way.lost(inFiles) : null;
    const left = scope ? await this.leaves(trace, scope) : null;
    if (stop === null) {
      return scope && left !== null ? this.definitionGone(trace, scope, left) : null;
    }
    if (scope && left === stop) {
      const gone = await this.definitionGone(trace, scope, stop);
      return { ...gone, text: `${gone.text}, and with it the code that is guarded out` };
    }
    const place = await this.placeOf(trace, stop - 1);
    const first = guarded[0]!;
    const later = scope && left !== null && left > stop ? `; '${scope.name}' itself left ${this.way.when(left)}` : '';
    return {
      kind: 'lines-gone',
      stop,
      text: `the code that is guarded out ('${first.text}') left ${place} ${this.way.when(stop)}${later}`,
      path: trace.base.path,
      definition: scope?.name ?? null,
      names: wordsIn(guarded),
      trace,
      probe: {
        paths: this.follower.paths(trace.base.path),
        holds: (texts) => guarded.some((g) => texts.some((t) => hasLine(t, g.key))),
      },
    };
  }

  /** What a guard held is all used elsewhere: the last of the lines that do so came when? */
  private async freed(trace: EditTrace): Promise<Finding | null> {
    const path = trace.base.path;
    let last: Finding | null = null;
    for (const { user, text } of trace.freed ?? []) {
      const key = tokens(text).join(' ');
      const stop = await this.way.lost(async (s) =>
        (await this.follower.files(s, path)).every((file) => !keysOf(file, null).has(key)),
      );
      if (stop === null || (last && last.stop >= stop)) continue;
      last = {
        kind: 'changed',
        stop,
        text: `the line '${text}' came to '${user}' ${this.way.when(stop)}, where the set guards nothing`,
        ...{ path, definition: user, names: [user], trace },
        probe: {
          paths: this.follower.paths(path),
          holds: (texts) => !texts.some((t) => hasLine(t, key)),
        },
      };
    }
    return last;
  }

  private async relocated(trace: EditTrace): Promise<Finding | null> {
    const { base } = trace;
    const [scope] = this.follower.scopes(trace);
    const placed = trace.placements[0];
    if (!placed) return null;
    const to = placed.file.path;
    const about = { path: base.path, definition: scope?.name ?? null, names: scope ? [scope.name] : [], trace };
    const probe = { paths: [base.path], holds: (texts: ByteString[]) => texts.length > 0 };
    if (to !== base.path && !this.way.at(this.way.last).tree.has(base.path)) {
      const stop = await this.way.lost(async (s) => this.way.at(s).tree.has(base.path));
      if (stop === null) return null;
      const [now] = await this.follower.files(stop, base.path);
      const later = now && !this.way.at(stop).tree.has(to);
      const into = later ? `${now.path}, and later to ${to}` : to;
      return { ...about, kind: 'moved', stop, text: `${base.path} moved to ${into} ${this.way.when(stop)}`, probe };
    }
    if (!scope) return this.merged(trace);
    const twins = base.outer.filter((d) => d.name === scope.name && sameNature(d, scope));
    const stop = await this.way.lost(async (s) => {
      const file = await this.way.at(s).view.file(base.path);
      return file !== null && sameNamed(file, scope, twins) !== null;
    });
    const into = placed.definition;
    if (stop === null) {
      if (into === scope.name || into === null) return this.merged(trace);
      const keys = anchorsOf(trace).filter((a) => a.needed);
      const lost = await this.way.lost(async (s) => {
        const stood = await this.follower.definition(s, base, scope);
        const there = stood && keysOf(stood.file, stood.definition);
        return there !== null && keys.some((k) => there.has(k.key));
      });
      if (lost === null) return null;
      const text = `code of '${scope.name}' (${base.path}) is in '${into}' (${to}) since ${this.way.at(lost).name}`;
      return { ...about, kind: 'moved', stop: lost, text, probe: null };
    }
    const name = into !== null && into !== scope.name ? ` as '${into}'` : '';
    const text =
      to === base.path
        ? `'${scope.name}' became '${into ?? scope.name}' in ${to} ${this.way.when(stop)}`
        : `'${scope.name}' left ${base.path} ${this.way.when(stop)}; it is in ${to}${name} now`;
    return { ...about, kind: 'moved', stop, text, probe: { paths: [base.path], holds: defines(scope) } };
  }

  private async rewritten(trace: EditTrace): Promise<Finding | null> {
    const given = await this.nameGiven(trace);
    if (given) return given;
    const rewrite = await rewriteOf(trace, this.way, this.follower);
    if (rewrite) {
      const { stop, name, text } = rewrite;
      const [scope] = this.follower.scopes(trace);
      const about = { path: trace.base.path, definition: scope?.name ?? null, names: [name], trace };
      return { ...about, kind: 'renamed', stop, text, probe: rewrite.probe };
    }
    const needed = anchorsOf(trace).filter((a) => a.needed);
    const stop = await this.way.lost(async (s) => {
      const keys = await this.keysAt(s, trace);
      return needed.every((a) => keys.has(a.key));
    });
    if (stop === null)
      return trace.placements.some((p) => p.file.path !== trace.base.path) ? this.relocated(trace) : this.merged(trace);
    return this.explain(trace, stop);
  }

  /** Upstream gave a name of the set's to something of its own. */
  private async nameGiven(trace: EditTrace): Promise<Finding | null> {
    const said = trace.placements.flatMap((p) => p.evidence).find((e) => e.kind === 'own-renamed');
    const [, name, path] = /a '(\w+)' of its own in '([^']+)'/.exec(said?.text ?? '') ?? [];
    if (name === undefined || path === undefined) return null;
    const word = new RegExp(`\\b${name}\\b`);
    const holds = (texts: readonly ByteString[]) => !texts.some((t) => word.test(t));
    const stop = await this.way.lost(async (s) => holds(await this.way.texts(s, [path])));
    if (stop === null) return null;
    const text = `upstream gave ${path} a '${name}' of its own ${this.way.when(stop)}`;
    return { path, definition: null, names: [name], trace, kind: 'taken', stop, text, probe: { paths: [path], holds } };
  }

  /** Whether the three lines around every segment are somewhere, word for word, is all that it takes. */
  private async merged(trace: EditTrace): Promise<Finding | null> {
    const { lines } = trace.base;
    const around = trace.edit.segments.map((s) =>
      lines.slice(Math.max(0, s.at - 3), s.at + s.removed.length + 3).join(''),
    );
    const paths = this.follower.paths(trace.base.path);
    const holds = (texts: readonly ByteString[]) => around.every((a) => texts.some((t) => t.includes(a)));
    const stop = await this.way.lost(async (s) => holds(await this.way.texts(s, paths)));
    if (stop === null) return null;
    const [scope] = this.follower.scopes(trace);
    const place = await this.placeOf(trace, stop);
    const text = `the lines around it in ${place} changed ${this.way.when(stop)}`;
    const about = { path: trace.base.path, definition: scope?.name ?? null, names: [], trace };
    return { ...about, kind: 'context', stop, text, probe: { paths, holds } };
  }

  /** The release that brought (or took) what the set brings (or takes). */
  private async there(trace: EditTrace): Promise<Finding | null> {
    const deletes = trace.edit.kind === 'delete';
    const own = trace.edit.segments.flatMap((s) => (deletes ? s.removed : s.added));
    const keys = own.map((l) => tokens(l).join(' ')).filter((k) => k.length > 3);
    const holds = (texts: readonly ByteString[]) =>
      deletes
        ? keys.some((k) => texts.some((t) => hasLine(t, k)))
        : !keys.every((k) => texts.some((t) => hasLine(t, k)));
    const paths = this.follower.paths(trace.base.path);
    const stop = keys.length ? await this.way.lost(async (s) => holds(await this.way.texts(s, paths))) : null;
    if (stop === null) return deletes || trace.there ? this.partsThere(trace) : null;
    const text = `upstream ${deletes ? 'dropped' : 'has'} the same lines ${deletes ? '' : 'since '}${deletes ? this.way.when(stop) : this.way.at(stop).name}`;
    const about = { path: trace.base.path, definition: null, names: [], trace };
    return { ...about, kind: 'there', stop, text, probe: { paths, holds } };
  }

  /** Upstream took out of the file itself what the set takes out of it, and has some of the lines elsewhere. */
  private async partsThere(trace: EditTrace): Promise<Finding | null> {
    const keys = trace.edit.segments
      .flatMap((s) => s.removed.map((l) => tokens(l).join(' ')))
      .filter((k) => k.length > 3);
    const all = async (stop: number) => {
      const files = await this.follower.files(stop, trace.base.path);
      return keys.every((k) => files.some((f) => hasLine(f.text, k)));
    };
    const stop = keys.length ? await this.way.lost(all) : null;
    if (stop === null) return null;
    const text = `upstream dropped some of the same lines ${this.way.when(stop)}`;
    return { path: trace.base.path, definition: null, names: [], trace, kind: 'there', stop, text, probe: null };
  }
}

/** The definitions that lie in a guard as a whole. */
function wrappedDefinitions({ edit, base }: EditTrace): Definition[] {
  const { wraps } = edit;
  if (!wraps) return [];
  return base.outer.filter((d) => d.startLine >= wraps.first && d.endLine <= wraps.last);
}

/** More lines than this are a block. */
const BLOCK = 12;

function wordsIn(lines: readonly AnchorLine[]): string[] {
  return [...new Set(lines.flatMap((l) => tokens(l.text)).filter((t) => /^[A-Za-z_]\w{3,}$/.test(t)))];
}

/** Lines below this likeness are not the same line. */
const ALIKE = 0.6;

/** The key that a line most likely has now; null when none is like it. */
function likest(key: string, keys: ReadonlySet<string>): string | null {
  const words = key.split(' ');
  let best: { key: string; like: number } | null = null;
  for (const other of keys) {
    const there = other.split(' ');
    const like = similarity(words, there);
    if (like >= ALIKE && like > (best?.like ?? 0) && sameSense(words, there)) best = { key: other, like };
  }
  return best?.key ?? null;
}

/** Tells by text whether a line is there: by its tokens, so that white space does not count. */
function hasLine(text: ByteString, key: string): boolean {
  const [word] = key.split(' ');
  return text.split('\n').some((l) => l.includes(word!) && tokens(l).join(' ') === key);
}

/** Tells by text whether a definition is there: its name at the beginning of a line that is no mere use. */
function defines(d: Definition): (texts: ByteString[]) => boolean {
  const name = d.name.replace(/[^\w]/g, '\\$&');
  const pattern =
    d.kind === 'macro'
      ? `^\\s*#\\s*define\\s+${name}\\b`
      : d.kind === 'function'
        ? `^(?![ \\t#*/]|return\\b)[^;=]*\\b${name}\\s*\\([^;]*?\\)[^;{]*\\{`
        : `\\b${name}\\b`;
  const regex = new RegExp(pattern, 'm');
  return (texts) => texts.some((t) => regex.test(t));
}
