import { tokens, type ByteString } from '../../core/text';
import { Scratch, type LineChange } from '../../io/scratch';
import { judge, skipped, type Check, type Finding } from '../check';
import { decide, type CheckContext } from '../context';
import { strip, type KeptLine } from '../guards';
import { deadOptions } from './kconfig';
import { codeOnly, definitionAt, isKbuild, isKconfig, scanFile } from '../scan';

/** A change that stays when the option is off. */
interface Line {
  key: string;
  words: string[];
  text: string;
  /** 0-based line of the changed file, or of the file before for a line that goes. */
  line: number;
}

/** Lines this alike are the same edit with another upstream's words in it. */
const ALIKE = 0.5;

/** Hunks whose words may be another kernel's: the report says so, or does not say that they are the set's own. */
const ADAPTED: ReadonlySet<string> = new Set(['rewritten', 'generated', 'conflict']);

/** Hunks whose lines need not be in the port, or not as they are. */
const EXCUSED: ReadonlySet<string> = new Set(['conflict', 'obsolete', 'already-upstream', 'rewritten', 'generated']);

/**
 * With the option off, the port changes the target exactly as the set changes its base: the unguarded edits and nothing
 * else, file by file. The stripped texts are compared, so where a line stands does not matter, and an edit whose words
 * were adapted counts when its hunk is known to be rewritten.
 */
export const guardOff: Check = {
  name: 'guard-off',
  async run(ctx) {
    if (ctx.setFiles.size === 0) return skipped('guard-off', ctx.noSet ?? 'the set changes no text file');
    if (ctx.options.length === 0) return skipped('guard-off', 'the set has no option of its own');
    const off = decide([...ctx.options, ...(await deadOptions(ctx))], false);
    const setEdits = await changes(
      [...ctx.setFiles.values()]
        .filter((f) => f.base !== null && f.patched !== null)
        .map((f) => ({ path: f.path, before: f.base!, after: f.patched! })),
      off,
    );
    const portEdits = await changes(
      [...ctx.portFiles.values()]
        .filter((f) => f.target !== null && f.ported !== null)
        .map((f) => ({ path: f.path, before: f.target!, after: f.ported! })),
      off,
    );
    const findings: Finding[] = [];
    let [same, adapted, edits] = [0, 0, 0];
    // One pool for the whole set: a file may have been split or moved.
    const excused = (p: ByteString, sign: 'added' | 'removed', line: Line) => {
      const hunk = hunkOf(ctx, p, sign, line);
      return hunk !== null && EXCUSED.has(ctx.hunkReports.get(hunk)?.outcome ?? '');
    };
    const flat = (sign: 'added' | 'removed'): Pooled[] =>
      [...setEdits]
        .flatMap(([path, e]) => e[sign].map((line) => ({ path, line })))
        // Of lines of the same words those that the port must have are taken first.
        .sort((a, b) => Number(excused(a.path, sign, a.line)) - Number(excused(b.path, sign, b.line)));
    const pool = { added: flat('added'), removed: flat('removed') };
    const movedBySet = [...setEdits].flatMap(([path, e]) => e.moved.map((line) => ({ path, line })));
    const movedByPort = [...portEdits].flatMap(([path, e]) => e.moved.map((line) => ({ path, line })));
    const left: { path: ByteString; sign: 'added' | 'removed'; line: Line }[] = [];
    for (const [path, edit] of portEdits) {
      for (const sign of ['added', 'removed'] as const) {
        for (const line of edit[sign]) {
          edits++;
          if (takeExact(pool[sign], line, path, ctx)) same++;
          // The set does it, too, and has the same line elsewhere: at home the two cancelled each other out.
          else if (sign === 'added' && takeExact(movedBySet, line, path, ctx)) same++;
          else left.push({ path, sign, line });
        }
      }
    }
    for (const { path, sign, line } of left) {
      const like = takeAlike(pool[sign], line);
      const hunk = sign === 'added' ? ctx.hunkAt(path, line.line) : null;
      if (like) {
        adapted++;
        // Its words are others, so the hunk is known by the line of the set that it is like.
        const from = hunkOf(ctx, like.path, sign, like.line) ?? hunk;
        const outcome = from === null ? undefined : ctx.hunkReports.get(from)?.outcome;
        if (outcome === undefined || ADAPTED.has(outcome) || sign === 'removed') continue;
        // The report says that the words are the set's own, and they are not.
        findings.push({
          ...(await place(ctx, path, sign, line)),
          hunk: from,
          kind: 'unguarded-changed',
          text: `reads '${line.text.trim()}' where the set has '${like.line.text.trim()}', and the report says '${outcome}'`,
        });
        continue;
      }
      if (sign === 'removed' && (await wentAlong(ctx, path, line))) {
        adapted++;
        continue;
      }
      if (sign === 'added' && isHabit(ctx, hunk, line)) {
        adapted++;
        continue;
      }
      // What an adaptation needs may want a header, and that changes nothing that runs.
      const header = sign === 'added' && isHeader(ctx, path, line.text);
      findings.push({
        ...(await place(ctx, path, sign, line)),
        hunk,
        kind: header ? 'unguarded-include-review' : sign === 'added' ? 'unguarded-added' : 'unguarded-removed',
        text: `with the option off, the port ${sign === 'added' ? 'adds' : 'takes out'} '${line.text.trim().slice(0, 70)}', which the set does not`,
      });
    }
    for (const sign of ['added', 'removed'] as const) {
      for (const rest of pool[sign]) {
        if (sign === 'added' && takeExact(movedByPort, rest.line, rest.path, ctx)) continue;
        const hunk = hunkOf(ctx, rest.path, sign, rest.line);
        if (excused(rest.path, sign, rest.line)) continue;
        if (sign === 'removed' && (await goneUpstream(ctx, rest.path, rest.line))) continue;
        if (sign === 'added' && (await alreadyThere(ctx, rest.path, rest.line))) continue;
        const unmoved = sign === 'removed' && (await staysOnce(ctx, rest.path, rest.line));
        // A directive left over asks for options that are not the set's: dead guards, or guards joined with others.
        const directive =
          /^\s*#/.test(rest.line.text) &&
          /\.[chS]$/.test(rest.path) &&
          !/^\s*#\s*(define|include|undef)/.test(rest.line.text);
        findings.push({
          path: rest.path,
          line: null,
          hunk,
          definition: null,
          kind: directive
            ? 'directive-review'
            : unmoved
              ? 'unmoved-review'
              : sign === 'added'
                ? 'unguarded-missing'
                : 'unguarded-kept',
          text: unmoved
            ? `the set moves '${rest.line.text.trim().slice(0, 70)}' to '${unmoved}', the port leaves it where it is`
            : `with the option off, the set ${sign === 'added' ? 'adds' : 'takes out'} '${rest.line.text.trim().slice(0, 70)}', and the port does not`,
        });
      }
    }
    return judge(
      'guard-off',
      findings,
      `${ctx.options.join(', ')} off: ${edits} changed lines in existing files, ${same} as in the set, ${adapted} adapted`,
      { edits, same, adapted },
    );
  },
};

/** An instruction that upstream puts behind one of those that the hunk adds, everywhere in the file: the report says so. */
function isHabit(ctx: CheckContext, hunk: string | null, line: Line): boolean {
  const evidence = hunk === null ? [] : (ctx.hunkReports.get(hunk)?.evidence ?? []);
  return evidence.some(
    (e) => e.kind === 'instruction-followed' && e.text.includes(`puts '${line.text.trim()}' behind`),
  );
}

/** `moved`: added lines that are also taken out elsewhere in the same file, and so are in neither list. */
type Edits = Map<ByteString, { added: Line[]; removed: Line[]; moved: Line[] }>;

/** What is left of the changes between two texts when the options are decided. */
async function changes(
  files: { path: ByteString; before: ByteString; after: ByteString }[],
  decided: ReadonlyMap<string, boolean>,
): Promise<Edits> {
  const pairs = files.map((f) => ({
    before: entries(f.path, strip(f.path, codeOnly(f.path, f.before), decided).kept),
    after: entries(f.path, strip(f.path, codeOnly(f.path, f.after), decided).kept),
  }));
  let diffs: LineChange[][] = [];
  const text = (kept: KeptLine[]) => kept.map((k) => `${k.text}\n`).join('');
  await Scratch.use([], async (scratch) => {
    diffs = await scratch.diffFiles(
      pairs.map((p) => ({ a: text(p.before), b: text(p.after) })),
      'histogram',
    );
  });
  const result: Edits = new Map();
  files.forEach((f, i) => {
    const edit = { added: [] as Line[], removed: [] as Line[], moved: [] as Line[] };
    const put = (to: Line[], kept: KeptLine[], from: number, count: number) => {
      for (const k of kept.slice(from, from + count)) {
        const words = tokens(k.text);
        if (words.length) to.push({ key: words.join(' '), words, text: k.text, line: k.line });
      }
    };
    for (const c of diffs[i]!) {
      put(edit.removed, pairs[i]!.before, c.oldStart, c.oldCount);
      put(edit.added, pairs[i]!.after, c.newStart, c.newCount);
    }
    // A line that moved within the file is no change: git's diff may pair twins otherwise in base and target.
    for (const line of [...edit.added]) {
      const twin = edit.removed.findIndex((r) => r.key === line.key);
      if (twin < 0) continue;
      edit.removed.splice(twin, 1);
      edit.moved.push(...edit.added.splice(edit.added.indexOf(line), 1));
    }
    result.set(f.path, edit);
  });
  return result;
}

/**
 * Lines as they count: a list of a Makefile is its entries, in whatever lines they stand and by whichever assignment
 * (`hyp-y := a.o b.o`), and Kconfig has two spellings for `help`.
 */
export function entries(path: ByteString, kept: readonly KeptLine[]): KeptLine[] {
  if (isKconfig(path)) return kept.map((k) => (/^\s*---help---\s*$/.test(k.text) ? { ...k, text: '\thelp' } : k));
  if (!isKbuild(path)) return [...kept];
  const result: KeptLine[] = [];
  let list: string | null = null;
  for (const k of kept) {
    const head: RegExpExecArray | null = list === null ? LIST.exec(k.text) : null;
    if (list === null && !head) {
      result.push(k);
      continue;
    }
    const name: string = list ?? head![1]!;
    const words: string = (head ? k.text.slice(head[0].length) : k.text).replace(/\s#.*$/, '');
    for (const entry of words.replace(/\\\s*$/, '').match(/\S+/g) ?? []) {
      result.push({ text: `${name} += ${entry}`, line: k.line });
    }
    list = /\\\s*$/.test(words) ? name : null;
  }
  return result;
}

/** `obj-y +=`, `kvm-$(CONFIG_X) :=`: what Kbuild takes as a list of objects or folders. */
const LIST = /^\s*([a-zA-Z_][\w-]*-(?:y|m|objs|\$\(\w+\)))\s*(?:\+|:|::)?=/;

interface Pooled {
  path: ByteString;
  line: Line;
}

/** The hunk of the set that adds a line, or takes it out. */
function hunkOf(ctx: CheckContext, path: ByteString, sign: 'added' | 'removed', line: Line): string | null {
  const source = ctx.setFiles.get(path);
  if (sign === 'added') return source?.origin[line.line]?.hunk ?? null;
  return source?.removed.find((r) => r.line === line.line)?.hunk ?? null;
}

/** Takes a line of the same words out of the pool, one of the same file if there is one. */
function takeExact(pool: Pooled[], line: Line, path: ByteString, ctx: CheckContext): boolean {
  const sources = new Set(ctx.sourcesOf(path).map((s) => s.path));
  let at = pool.findIndex((p) => p.line.key === line.key && (p.path === path || sources.has(p.path)));
  if (at < 0) at = pool.findIndex((p) => p.line.key === line.key);
  if (at >= 0) pool.splice(at, 1);
  return at >= 0;
}

/** Takes the likest line out of the pool. */
function takeAlike(pool: Pooled[], line: Line): Pooled | null {
  let best = -1;
  let score = ALIKE;
  pool.forEach((p, i) => {
    const s = dice(p.line.words, line.words);
    if (s >= score) [best, score] = [i, s];
  });
  return best < 0 ? null : pool.splice(best, 1)[0]!;
}

function dice(a: readonly string[], b: readonly string[]): number {
  const count = new Map<string, number>();
  for (const t of a) count.set(t, (count.get(t) ?? 0) + 1);
  let common = 0;
  for (const t of b) {
    const n = count.get(t) ?? 0;
    if (n > 0) common++;
    if (n > 0) count.set(t, n - 1);
  }
  return (2 * common) / (a.length + b.length);
}

async function place(ctx: CheckContext, path: ByteString, sign: 'added' | 'removed', line: Line) {
  const definition = sign === 'added' ? definitionAt(await ctx.spans(path), line.line) : null;
  return { path, line: sign === 'added' ? line.line + 1 : null, definition };
}

/** The line that the set takes out is not in the target either, or the definition that it closes or belongs to is not. */
async function goneUpstream(ctx: CheckContext, path: ByteString, line: Line): Promise<boolean> {
  const text = await ctx.portedText(path);
  if (text === null || !text.split('\n').some((l) => tokens(l).join(' ') === line.key)) return true;
  const of = definitionAt(scanFile(path, ctx.setFiles.get(path)?.base ?? ''), line.line);
  return of !== null && !scanFile(path, (await ctx.targetText(path)) ?? '').some((s) => s.name === of);
}

/** The line that the set adds is in the target anyhow: in the file, or, where that is gone, in one of its name. */
async function alreadyThere(ctx: CheckContext, path: ByteString, line: Line): Promise<boolean> {
  const has = (text: ByteString) => text.split('\n').some((l) => tokens(l).join(' ') === line.key);
  const text = await ctx.targetText(path);
  if (text !== null) return has(text);
  const name = path.slice(path.lastIndexOf('/'));
  for (const p of ctx.target.paths()) {
    if (p.endsWith(name) && isNear(p, path) && has((await ctx.targetText(p)) ?? '')) return true;
  }
  return false;
}

/** A file that moved stays in its subsystem: the first two folders are the same. */
function isNear(a: ByteString, b: ByteString): boolean {
  const top = (p: ByteString) => p.split('/').slice(0, 2).join('/');
  return top(a) === top(b);
}

/**
 * The set moves the line to a file of its own, and the port has it once, where the target has it: what is compiled is the
 * same. Gives the file that the set moves it to; null when it does not, or when the port has the line in both.
 */
async function staysOnce(ctx: CheckContext, path: ByteString, line: Line): Promise<ByteString | null> {
  // A line that says little (`#endif`, `}`) is found anywhere.
  if (line.words.filter((w) => /\w{2}/.test(w)).length < 3) return null;
  const count = (text: ByteString | null) =>
    codeOnly(path, text ?? '')
      .split('\n')
      .filter((l) => tokens(l).join(' ') === line.key).length;
  const home = [...ctx.setFiles.values()].find((f) => f.base === null && f.path !== path && count(f.patched) > 0);
  if (!home) return null;
  const sum = async (source: ByteString, side: 'target' | 'ported') => {
    let n = 0;
    for (const p of counterparts(ctx, source))
      n += count(await (side === 'ported' ? ctx.portedText(p) : ctx.targetText(p)));
    return n;
  };
  const stays = (await sum(path, 'target')) > 0 && (await sum(path, 'ported')) === (await sum(path, 'target'));
  return stays && (await sum(home.path, 'ported')) === (await sum(home.path, 'target')) ? home.path : null;
}

/** The files of the port that carry a file of the set. */
function counterparts(ctx: CheckContext, source: ByteString): Set<ByteString> {
  const carry = [...ctx.portFiles.keys()].filter((p) => ctx.sourcesOf(p).some((f) => f.path === source));
  return new Set([source, ...carry]);
}

/** The set moves the definition that the line is in to a file of its own, and there the port has the line. */
async function wentAlong(ctx: CheckContext, path: ByteString, line: Line): Promise<boolean> {
  const of = definitionAt(scanFile(path, (await ctx.targetText(path)) ?? ''), line.line);
  if (of === null) return false;
  const defines = (text: ByteString | null) => scanFile(path, text ?? '').find((s) => s.name === of);
  if (!ctx.sourcesOf(path).some((f) => defines(f.base) && !defines(f.patched))) return false;
  for (const f of ctx.portFiles.values()) {
    const span = f.path === path || f.ported === null ? undefined : defines(f.ported);
    const lines = span && f.ported!.split('\n').slice(span.startLine, span.endLine + 1);
    if (lines?.some((l) => tokens(l).join(' ') === line.key)) return true;
  }
  return false;
}

/** An `#include` of a header that is there. */
function isHeader(ctx: CheckContext, path: ByteString, line: string): boolean {
  const m = /^\s*#\s*include\s+(?:<([^>]+)>|"([^"]+)")/.exec(line);
  if (!m) return false;
  if (m[2] !== undefined) return ctx.ported.has(path.slice(0, path.lastIndexOf('/') + 1) + m[2]);
  const folders = ['include/', 'include/uapi/', 'arch/arm64/include/', 'arch/arm64/include/uapi/'];
  return folders.some((f) => ctx.ported.has(f + m[1]!));
}
