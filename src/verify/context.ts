import { pathOf, type FileChange } from '../core/patch';
import { inputError } from '../core/errors';
import type { HunkReport } from '../core/outcome';
import type { PortReport } from '../core/report';
import { isBinary, splitLines, type ByteString } from '../core/text';
import type { LineChange } from '../io/scratch';
import { Scratch } from '../io/scratch';
import type { KernelTree } from '../io/tree';
import { hunksOf, type PatchSet } from '../patch-set/patch-set';
import type { Decided } from './guards';
import { alignLines, tokenLines } from '../porter/align';
import { plainLines, scanFile, type Span } from './scan';

/** A line of a patched file and the hunk that put it there (null: the base has it). */
export interface OriginLine {
  text: ByteString;
  hunk: string | null;
}

/** A file of the source set: before and after. */
export interface SetFile {
  path: ByteString;
  basePath: ByteString | null;
  /** Null for a new file. */
  base: ByteString | null;
  /** Null for a deleted file. */
  patched: ByteString | null;
  /** Each line of the patched file with the hunk that added it. */
  origin: OriginLine[];
  /** 0-based base lines that the set takes out, by hunk. */
  removed: { line: number; hunk: string }[];
}

/** A file that the port changed: before and after. */
export interface PortFile {
  path: ByteString;
  /** Null for a new file. */
  target: ByteString | null;
  /** Null for a deleted file. */
  ported: ByteString | null;
  /** Where they differ; empty for new and deleted files. */
  changes: LineChange[];
}

/** Where a check can look. */
export interface CheckContext {
  set: PatchSet | null;
  /** The options that switch the set, `CONFIG_…`; the first is the one to build with. */
  options: string[];
  report: PortReport | null;
  /** Null when the set's base kernel is not at hand. */
  base: KernelTree | null;
  target: KernelTree;
  ported: KernelTree;
  /** Empty without base or set. */
  setFiles: Map<ByteString, SetFile>;
  portFiles: Map<ByteString, PortFile>;
  /** Why there are no `setFiles`; null when there are. */
  noSet: string | null;
  /** The text of a ported file; null when there is none. Cached. */
  portedText(path: ByteString): Promise<ByteString | null>;
  targetText(path: ByteString): Promise<ByteString | null>;
  /** Definitions of a ported file. Cached. */
  spans(path: ByteString): Promise<Span[]>;
  /** The hunk that a 0-based line of a ported file comes from; null when it is the target's. */
  hunkAt(path: ByteString, line: number): string | null;
  /** 0-based lines of a ported file that the port added. */
  addedLines(path: ByteString): ReadonlySet<number>;
  /** The set's file that a ported file carries, by report, else by path. */
  sourcesOf(path: ByteString): SetFile[];
  hunkReports: Map<string, HunkReport>;
}

export interface ContextRequest {
  set: PatchSet | null;
  base: KernelTree | null;
  target: KernelTree;
  ported: KernelTree;
  report: PortReport | null;
  /** Given by the user; else found in the report or in the set. */
  option: string | null;
}

/** Reads both sides of the set and of the port, and finds out which hunk every added line comes from. */
export async function openContext(request: ContextRequest): Promise<CheckContext> {
  const { set, base, target, ported, report } = request;
  let setFiles = new Map<ByteString, SetFile>();
  let noSet: string | null = set ? null : 'no patch set was named';
  if (set && !base) noSet = `the base kernel of '${set.name}' (${set.manifest.base.version}) is not at hand`;
  if (set && base) setFiles = await replaySet(set, base);
  const portFiles = await changedFiles(target, ported);
  const hunkReports = new Map((report?.hunks ?? []).map((h) => [h.id, h]));
  const options = request.option
    ? [request.option, ...ownOptions(set).filter((o) => o !== request.option)]
    : [...new Set([...(report?.option ? [report.option] : []), ...ownOptions(set)])];
  const texts = { ported: new Map<ByteString, ByteString | null>(), target: new Map<ByteString, ByteString | null>() };
  const spanCache = new Map<ByteString, Span[]>();
  const read = async (side: 'ported' | 'target', path: ByteString) => {
    if (!texts[side].has(path)) texts[side].set(path, await (side === 'ported' ? ported : target).read(path));
    return texts[side].get(path)!;
  };
  const sourcesOf = sourceFinder(setFiles, report);
  const attribution = new Map<ByteString, { added: Set<number>; hunks: Map<number, string> }>();
  const attributed = (path: ByteString) => {
    let known = attribution.get(path);
    const file = portFiles.get(path);
    if (!known) {
      known = file ? attribute(file, sourcesOf(path), hunkReports) : { added: new Set(), hunks: new Map() };
      attribution.set(path, known);
    }
    return known;
  };
  return {
    ...{ set, options, report, base, target, ported, setFiles, portFiles, noSet, sourcesOf, hunkReports },
    portedText: (path) => read('ported', path),
    targetText: (path) => read('target', path),
    async spans(path) {
      if (!spanCache.has(path)) spanCache.set(path, scanFile(path, (await read('ported', path)) ?? ''));
      return spanCache.get(path)!;
    },
    hunkAt: (path, line) => attributed(path).hunks.get(line) ?? null,
    addedLines: (path) => attributed(path).added,
  };
}

/** All options decided alike. */
export function decide(options: readonly string[], value: boolean): Decided {
  // Only the first is switched on: the others of a set may well exclude it.
  return new Map((value ? options.slice(0, 1) : options).map((o) => [o, value]));
}

/**
 * Options that the set adds to Kconfig and that it guards code with, the most used first. An option that no code asks
 * for switches nothing.
 */
export function ownOptions(set: PatchSet | null): string[] {
  if (!set) return [];
  const defined = new Set<string>();
  const uses = new Map<string, number>();
  for (const { hunk } of hunksOf(set)) {
    for (const line of hunk.lines) {
      if (line[0] !== '+') continue;
      const config = /^\+\s*(?:menu)?config\s+(\w+)/.exec(line);
      if (config && /Kconfig/.test(hunk.path)) defined.add(`CONFIG_${config[1]!}`);
      const guard = /^\+\s*(?:#\s*(?:if|ifdef|ifndef|elif)|ifeq|ifneq|ifdef|[\w-]+-\$\()/.test(line);
      for (const name of guard ? (line.match(/CONFIG_\w+/g) ?? []) : []) uses.set(name, (uses.get(name) ?? 0) + 1);
    }
  }
  return [...defined].filter((o) => uses.has(o)).sort((a, b) => uses.get(b)! - uses.get(a)!);
}

/** The set's files before and after, by replaying its hunks on the base; each line knows its hunk. */
async function replaySet(set: PatchSet, base: KernelTree): Promise<Map<ByteString, SetFile>> {
  const files = new Map<ByteString, SetFile>();
  for (const patch of set.patches) {
    for (const change of patch.changes) {
      if (change.binary !== null) continue;
      const from = change.oldPath;
      let file = from === null ? undefined : files.get(from);
      if (!file) {
        const text = from === null ? null : await base.read(from);
        file = {
          path: pathOf(change),
          basePath: from,
          base: text,
          patched: null,
          origin: splitLines(text ?? '').map((t) => ({ text: t, hunk: null })),
          removed: [],
        };
      }
      const next: SetFile = { ...file, path: pathOf(change), origin: replay(file, change, patch.file) };
      if (change.status === 'renamed') files.delete(from!);
      next.patched = change.status === 'deleted' ? null : next.origin.map((l) => l.text).join('');
      files.set(next.path, next);
    }
  }
  return files;
}

function replay(file: SetFile, change: FileChange, patch: string): OriginLine[] {
  const result: OriginLine[] = [];
  // Where each present line stands in the base, for lines that are taken out.
  let at = 0;
  let baseLine = 0;
  const copy = () => {
    const line = file.origin[at++];
    if (!line) throw inputError(`'${patch}' does not fit the base kernel at '${file.path}'`, 'check --base-tree');
    if (line.hunk === null) baseLine++;
    return line;
  };
  for (const hunk of change.hunks) {
    const start = hunk.oldCount === 0 ? hunk.oldStart : hunk.oldStart - 1;
    while (at < start) result.push(copy());
    for (const line of hunk.lines) {
      if (line[0] === '+') result.push({ text: line.slice(1), hunk: hunk.id });
      else {
        const before = baseLine;
        const had = copy();
        if (had.text !== line.slice(1)) {
          throw inputError(
            `'${patch}' does not fit the base kernel: '${file.path}' line ${at} is not what the hunk says`,
            'give the kernel that the set was made for with --base-tree',
          );
        }
        if (line[0] === ' ') result.push(had);
        else if (had.hunk === null) file.removed.push({ line: before, hunk: hunk.id });
      }
    }
  }
  while (at < file.origin.length) result.push(copy());
  return result;
}

/** What the port changed, by blob id, with the differences as git sees them. */
async function changedFiles(target: KernelTree, ported: KernelTree): Promise<Map<ByteString, PortFile>> {
  const files = new Map<ByteString, PortFile>();
  const paths = new Set([...target.paths(), ...ported.paths()]);
  for (const path of paths) {
    const [a, b] = [target.entry(path), ported.entry(path)];
    if (a?.oid === b?.oid) continue;
    const [before, after] = [await target.read(path), await ported.read(path)];
    if ((before === null && after === null) || isBinary(before ?? '') || isBinary(after ?? '')) continue;
    files.set(path, { path, target: before, ported: after, changes: [] });
  }
  const both = [...files.values()].filter((f) => f.target !== null && f.ported !== null);
  await Scratch.use([], async (scratch) => {
    const diffs = await scratch.diffFiles(
      both.map((f) => ({ a: f.target!, b: f.ported! })),
      'histogram',
    );
    both.forEach((f, i) => (f.changes = diffs[i]!));
  });
  return files;
}

function sourceFinder(setFiles: Map<ByteString, SetFile>, report: PortReport | null): (path: ByteString) => SetFile[] {
  const byTarget = new Map<ByteString, Set<ByteString>>();
  const note = (to: ByteString, from: ByteString) => byTarget.set(to, (byTarget.get(to) ?? new Set()).add(from));
  for (const f of report?.files ?? []) for (const to of f.targetPaths) note(to, f.path);
  for (const h of report?.hunks ?? []) for (const t of h.target) note(t.path, h.path);
  return (path) => {
    const sources = [...(byTarget.get(path) ?? [])];
    if (setFiles.has(path) && !sources.includes(path)) sources.push(path);
    return sources.map((s) => setFiles.get(s)).filter((f) => f !== undefined);
  };
}

/** Which added line of a ported file comes from which hunk: by the text of the set's added lines, run by run. */
function attribute(
  file: PortFile,
  sources: readonly SetFile[],
  reports: ReadonlyMap<string, HunkReport>,
): { added: Set<number>; hunks: Map<number, string> } {
  const added = new Set<number>();
  const hunks = new Map<number, string>();
  if (file.ported === null) return { added, hunks };
  const lines = plainLines(file.ported);
  const runs: number[][] = [];
  if (file.target === null) {
    if (lines.length) runs.push(lines.map((_, i) => i));
  } else {
    for (const c of file.changes) {
      runs.push(Array.from({ length: c.newCount }, (_, i) => c.newStart + i));
    }
  }
  for (const run of runs) for (const i of run) added.add(i);
  // First by the file as a whole: a line that says little (`#endif`) is known by what stands around it.
  const aligned = new Map<number, string>();
  for (const source of sources) {
    if (source.patched === null) continue;
    const matches = alignLines(tokenLines(plainLines(source.patched)), tokenLines(lines));
    matches.forEach((m, i) => {
      const hunk = source.origin[i]?.hunk;
      if (m && hunk && added.has(m.to) && !aligned.has(m.to)) aligned.set(m.to, hunk);
    });
  }
  const norm = (t: string) => t.replace(/\s+/g, '');
  const byText = new Map<string, { hunk: string; at: number }[]>();
  let order = 0;
  for (const source of sources) {
    for (const l of source.origin) {
      order++;
      if (l.hunk === null || norm(l.text) === '') continue;
      const key = norm(l.text);
      if (!byText.has(key)) byText.set(key, []);
      byText.get(key)!.push({ hunk: l.hunk, at: order });
    }
  }
  const nearest = (path: ByteString, line: number): { hunk: string; distance: number } | null => {
    let best: { hunk: string; distance: number } | null = null;
    for (const h of reports.values()) {
      for (const t of [...h.target, ...h.edits.flatMap((e) => e.target)]) {
        if (t.path !== path) continue;
        const distance = Math.abs(t.line - 1 - line);
        if (!best || distance < best.distance) best = { hunk: h.id, distance };
      }
    }
    return best;
  };
  let last = 0;
  for (const run of runs) {
    const votes = new Map<string, number>();
    for (const i of run) {
      const all = byText.get(norm(lines[i] ?? '')) ?? [];
      const known = aligned.get(i);
      if (known !== undefined) {
        hunks.set(i, known);
        votes.set(known, (votes.get(known) ?? 0) + 2);
        continue;
      }
      const hit = [...all].sort((a, b) => cost(a.at, last) - cost(b.at, last))[0];
      if (hit) {
        hunks.set(i, hit.hunk);
        votes.set(hit.hunk, (votes.get(hit.hunk) ?? 0) + (all.length === 1 ? 3 : 1));
        if (all.length === 1) last = hit.at;
      }
    }
    const winner =
      [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? (run.length ? nearest(file.path, run[0]!)?.hunk : null);
    let current = winner ?? null;
    for (const i of run) {
      const unique = (byText.get(norm(lines[i] ?? '')) ?? []).length === 1;
      if (unique || aligned.has(i)) current = hunks.get(i)!;
      else if (current !== null) {
        const own = (byText.get(norm(lines[i] ?? '')) ?? []).some((c) => c.hunk === current);
        if (own || !hunks.has(i)) hunks.set(i, current);
      }
    }
  }
  return { added, hunks };
}

/** Going on in order is cheap, going back dear: hunks of a file mostly keep their order. */
function cost(at: number, last: number): number {
  return at >= last ? at - last : (last - at) * 3;
}
