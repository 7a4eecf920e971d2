import { createHash } from 'node:crypto';
import type { PortReport } from '../../core/report';
import type { ByteString } from '../../core/text';
import { hunksOf } from '../../patch-set/patch-set';
import type { Finding } from '../check';
import type { CheckContext } from '../context';
import type { Diagnostic } from '../diagnostics';
import { definitionAt } from '../scan';

/** The hunk behind a diagnostic, and how one knows. */
export interface Culprit {
  hunk: string | null;
  by: string | null;
}

/**
 * The hunk that a diagnostic comes from: one without a place that defines what is missing; else the one that wrote the line;
 * else one without a place that would have kept the compiler from it; else one in the same definition that names what the
 * error is about; else one that names it in the same file or anywhere.
 */
export async function culprit(
  ctx: CheckContext,
  d: Diagnostic,
  definition: string | null,
  all: readonly Diagnostic[],
): Promise<Culprit> {
  const left = d.name === null ? null : definesIt(ctx, d.name);
  if (left !== null) return { hunk: left, by: 'the hunk defines it, and has no place' };
  if (d.path !== null && d.line !== null) {
    const own = ctx.hunkAt(d.path, d.line - 1);
    if (own) return { hunk: own, by: 'the hunk wrote the line' };
    const kept = await keptInBuild(ctx, d.path);
    if (kept) return kept;
    const guarded = d.name === null || definition === null ? null : guardsIt(ctx, d.path, d.name, definition);
    if (guarded !== null) return { hunk: guarded, by: 'the hunk guards it at home, and has no place' };
    const { expanded } = d;
    if (expanded) {
      const twin = all.find((o) => o !== d && o.path === expanded.path && o.line === expanded.line);
      const behind = twin && (await culprit(ctx, { ...twin, expanded: null }, null, all));
      if (behind?.hunk) return { hunk: behind.hunk, by: `${expanded.path}:${expanded.line} expands it: ${behind.by}` };
      const hunk = ctx.hunkAt(expanded.path, expanded.line - 1);
      if (hunk !== null) return { hunk, by: 'the hunk wrote the line that expands it' };
    }
    const text = (await ctx.portedText(d.path))?.split('\n') ?? [];
    const spans = await ctx.spans(d.path);
    const near = [...ctx.addedLines(d.path)]
      .filter((i) => definition !== null && definitionAt(spans, i) === definition)
      .sort((a, b) => Math.abs(a - d.line! + 1) - Math.abs(b - d.line! + 1));
    const naming = near.find((i) => d.name !== null && word(d.name).test(text[i] ?? ''));
    if (naming !== undefined)
      return { hunk: ctx.hunkAt(d.path, naming), by: 'the hunk names it in the same definition' };
    if (d.name !== null) {
      const inFile = [...ctx.addedLines(d.path)].find((i) => word(d.name!).test(text[i] ?? ''));
      if (inFile !== undefined) return { hunk: ctx.hunkAt(d.path, inFile), by: 'the hunk names it in the same file' };
    }
    if (d.name === null && near.length && Math.abs(near[0]! - d.line + 1) < 60) {
      return { hunk: ctx.hunkAt(d.path, near[0]!), by: 'the nearest hunk in the same definition' };
    }
  }
  if (d.path !== null && d.line === null) {
    const writers = new Set([...ctx.addedLines(d.path)].map((i) => ctx.hunkAt(d.path!, i)).filter((h) => h !== null));
    if (writers.size === 1) return { hunk: [...writers][0]!, by: 'the hunk wrote all that is new in the file' };
  }
  if (d.name !== null && ctx.set) {
    const naming = hunksNaming(ctx, d.name);
    if (naming[0]) return { hunk: naming[0], by: 'the hunk names it' };
  }
  for (const f of d.from) {
    const hunk = ctx.hunkAt(f.path, f.line - 1);
    if (hunk) return { hunk, by: 'the hunk includes the file' };
  }
  if (d.path !== null && d.line !== null) {
    const nearest = [...ctx.addedLines(d.path)].sort(
      (a, b) => Math.abs(a - d.line! + 1) - Math.abs(b - d.line! + 1),
    )[0];
    if (nearest !== undefined) return { hunk: ctx.hunkAt(d.path, nearest), by: 'the nearest hunk in the file' };
  }
  return { hunk: null, by: null };
}

/** Hunks that add a line with the name, those that define it first. */
function hunksNaming(ctx: CheckContext, name: string): string[] {
  const defining = new RegExp(
    `#\\s*define\\s+${escape(name)}\\b|\\b${escape(name)}\\s*\\([^;]*$|[\\s*]${escape(name)}\\s*[;=\\[]|(struct|enum|union)\\s+${escape(name)}\\b`,
  );
  const scored: { id: string; score: number }[] = [];
  for (const { hunk } of hunksOf(ctx.set!)) {
    const lines = hunk.lines.filter((l) => l[0] !== ' ' && word(name).test(l));
    if (lines.length) scored.push({ id: hunk.id, score: lines.some((l) => defining.test(l)) ? 2 : 1 });
  }
  return scored.sort((a, b) => b.score - a.score).map((s) => s.id);
}

function word(name: string): RegExp {
  return new RegExp(`(^|[^\\w])${escape(name)}($|[^\\w])`);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Hunks of the set that have no place, with their lines. */
function leftHunks(ctx: CheckContext) {
  if (!ctx.set) return [];
  return [...hunksOf(ctx.set)].filter(({ hunk }) => ctx.hunkReports.get(hunk.id)?.outcome === 'conflict');
}

/** The hunk without a place that defines a name, when nothing else of the set does. */
function definesIt(ctx: CheckContext, name: string): string | null {
  const defines = (lines: readonly string[]) => lines.some((l) => l[0] === '+' && defining(name).test(l.slice(1)));
  const left = leftHunks(ctx).find(({ hunk }) => defines(hunk.lines));
  if (!left) return null;
  const placed = [...hunksOf(ctx.set!)].some(
    ({ hunk }) =>
      ctx.hunkReports.get(hunk.id)?.outcome !== 'conflict' && defines(hunk.lines) && !isComment(hunk.lines, name),
  );
  return placed ? null : left.hunk.id;
}

/** True when every definition of a name among added lines stands in a comment. */
function isComment(lines: readonly string[], name: string): boolean {
  const text = lines.flatMap((l) => (l[0] === '-' ? [] : [l.slice(1)])).join('\n');
  return !defining(name).test(text.replace(/\/\*[^]*?\*\//g, ' '));
}

/** A line that defines a name: a macro, a type, a function. */
function defining(name: string): RegExp {
  const n = escape(name);
  return new RegExp(
    `^\\s*#\\s*define\\s+${n}\\b|^(?:struct|enum|union)\\s+${n}\\s*\\{|^\\w[\\w\\s*]*\\b${n}\\s*\\([^;]*$`,
    'm',
  );
}

/**
 * A source of upstream's that the set takes out of the build at home, by a hunk of a Makefile that has no place: it is
 * compiled with the option on, and meets what the set made for another source.
 */
async function keptInBuild(ctx: CheckContext, path: ByteString): Promise<Culprit | null> {
  const from = new Set(ctx.report?.hunks.flatMap((h) => (h.target.some((t) => t.path === path) ? [h.path] : [])));
  for (const { hunk } of leftHunks(ctx)) {
    if (!/(^|\/)(Makefile|Kbuild)$/.test(hunk.path)) continue;
    const folder = hunk.path.slice(0, hunk.path.lastIndexOf('/') + 1);
    const file = ctx.setFiles.get(hunk.path);
    if (!file?.base || file.patched === null) continue;
    for (const source of [...from, path]) {
      if (!source.startsWith(folder) || !source.endsWith('.c')) continue;
      const object = source.slice(folder.length).replace(/\.c$/, '.o');
      if (!takenOut(file.patched, object, ctx.options[0])) continue;
      return { hunk: hunk.id, by: `the set takes '${object}' out of the build at home, and the hunk has no place` };
    }
  }
  return Promise.resolve(null);
}

/** True when a Makefile builds an object only without an option. */
function takenOut(makefile: ByteString, object: string, option: string | undefined): boolean {
  if (option === undefined) return false;
  const stack: ('on' | 'off' | 'any')[] = [];
  let [off, on] = [false, false];
  const other = { on: 'off', off: 'on', any: 'any' } as const;
  for (const line of makefile.split('\n')) {
    const opens = /^\s*(ifdef|ifndef|ifeq|ifneq)\b(.*)$/.exec(line);
    if (opens) {
      const asks = new RegExp(`\\b${escape(option)}\\b`).test(opens[2]!);
      const empty = /,\s*\)|""/.test(opens[2]!);
      const holds = opens[1] === 'ifdef' || (opens[1] === 'ifeq') !== empty;
      stack.push(!asks ? 'any' : opens[1] !== 'ifndef' && holds ? 'on' : 'off');
    } else if (/^\s*else\b/.test(line)) stack.push(other[stack.pop() ?? 'any']);
    else if (/^\s*endif\b/.test(line)) stack.pop();
    else if (new RegExp(`(^|[\\s/])${escape(object)}(?=\\s|$)`).test(line)) {
      if (stack.includes('off')) off = true;
      else on = true;
    }
  }
  return off && !on;
}

/** A hunk without a place around code of the same function, or of its file, that says the name at home. */
function guardsIt(ctx: CheckContext, path: ByteString, name: string, inside: string): string | null {
  for (const { hunk } of leftHunks(ctx)) {
    const said = ctx.hunkReports.get(hunk.id)!;
    const about = said.source.definition === inside || said.header.includes(inside);
    const here =
      said.edits.some((e) => e.candidates.some((c) => c.path === path)) ||
      ctx.sourcesOf(path).some((f) => f.path === hunk.path);
    const context = hunk.lines.some((l) => l[0] !== '+' && word(name).test(l.slice(1)));
    if (about && here && context) return hunk.id;
  }
  return null;
}

/** The words of the line that a macro with an error in it was expanded for: what is wrong is what was handed over there. */
export async function expandedWords(ctx: CheckContext, { expanded }: Diagnostic): Promise<ReadonlySet<string>> {
  const text = expanded && (await ctx.portedText(expanded.path));
  return new Set(text?.split('\n')[expanded!.line - 1]?.match(/[A-Za-z_]\w*/g));
}

/**
 * The piece of work that an error belongs to: the work item of its hunk; else one that is about the definition by name; else
 * what the port said itself of the code that it left as it was. Null when none of them speaks of it.
 *
 * @param words those of the line that expands the macro in which the error is: see {@link expandedWords}
 * @param definition in which the error is: what is in a type that is there twice is there twice, too
 */
export function workItemOf(
  report: PortReport,
  hunk: string | null,
  d: Diagnostic,
  all: readonly Diagnostic[],
  words: ReadonlySet<string> = new Set(),
  definition: string | null = null,
): NonNullable<Finding['workItem']> | null {
  const items = report.workItems ?? [];
  const short = (i: { id: string; title: string }) => ({ id: i.id, title: i.title });
  const own = items.find((i) => hunk !== null && i.hunks.includes(hunk));
  if (own) return short(own);
  const { expanded } = d;
  const twin = expanded && all.find((o) => o !== d && o.path === expanded.path && o.line === expanded.line);
  const name = d.name ?? twin?.name ?? null;
  // What the port left as it was, in its own words: they name what is in the way.
  const said = [
    ...report.hunks.filter((h) => h.id === hunk || h.target.some((t) => t.path === d.path)).map((h) => h.message),
    ...report.files.filter((f) => f.targetPaths.includes(d.path ?? '')).map((f) => f.message),
    ...report.hunks.map((h) => h.message),
  ].flatMap((m) => m?.split('; ') ?? []);
  // Of a macro the message names what is inside; the port speaks of the two that do not fit on the line that expands it.
  const expanding = expanded
    ? [
        ...report.files.filter((f) => f.targetPaths.includes(expanded.path)).map((f) => f.message),
        ...report.hunks.filter((h) => h.target.some((t) => t.path === expanded.path)).map((h) => h.message),
      ].flatMap((m) => m?.split('; ') ?? [])
    : [];
  const onLine = (m: string) => new Set([...m.matchAll(/'(\w+)'/g)].map((q) => q[1]!).filter((q) => words.has(q))).size;
  const doubt =
    (name === null ? undefined : said.find((m) => m.includes(`'${name}'`))) ??
    expanding.find((m) => onLine(m) >= 2) ??
    (definition === null ? undefined : said.find((m) => m.startsWith(`defines '${definition}', `)));
  const about = items.find((i) => name !== null && i.definitions.some((x) => x.definition === name));
  if (about) return short(about);
  if (doubt === undefined) return null;
  return { id: `s${createHash('sha256').update(doubt).digest('hex').slice(0, 8)}`, title: doubt };
}
