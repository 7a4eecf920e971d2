import path from 'node:path';
import { apply } from '../apply';
import { inputError, internalError } from '../core/errors';
import { isLeft, PLACED, type HunkReport } from '../core/outcome';
import type { PortReport } from '../core/report';
import { forDisplay, splitLines, type ByteString } from '../core/text';
import { cacheDirectory, DiskCache } from '../io/cache';
import { now } from '../io/clock';
import type { GitRepo } from '../io/git';
import { Scratch } from '../io/scratch';
import { openTree, type KernelTree } from '../io/tree';
import { indexKernel, scopeOfSet } from '../kernel-index';
import { loadSet, touchedPaths, type PatchSet } from '../patch-set/patch-set';
import { conditionsAt } from '../porter/guards';
import { changeBetween, definitionOfChange, occurrences, type Resolution } from '../porter/resolutions';
import { definitionAround, definitionAt, View, type PorterFile } from '../porter/view';
import { findBase } from '../result/base';
import { identityOf } from '../result/commits';
import { loadRecord, loadRecords, saveRecord } from '../result/resolutions';
import { forgetPort, storePort } from '../result/store';
import { liftSet, type LiftedFile } from './lifted';
import { assertAsMade, openPort, stopped, type OpenPort } from './port';
import { chosenText, fileToEdit, isMarked, markedText, openEdits, sheetOf, type Sheet } from './sheet';

/** How the text of a resolution comes about: in an editor or from a file (`edit`), or from a candidate. */
export type Answer = { choose: number } | { edit: (name: string, text: ByteString) => Promise<ByteString> };

export interface ResolveRequest {
  port: OpenPort;
  hunk: HunkReport;
  /** File of the ported tree to edit; null for the best known. */
  file: string | null;
  progress: (stage: string) => void;
}

/** What a person is shown of a hunk, with all that is needed to read the answer. */
export interface OpenHunk extends ResolveRequest {
  sheet: Sheet;
  lifted: LiftedFile;
  original: ByteString | null;
  text: ByteString;
}

/** Looks up the part of the ported tree that a hunk is about. Throws when the hunk is not left, or has no edits. */
export async function openHunk(request: ResolveRequest, choose: number | null): Promise<OpenHunk> {
  const { port, hunk, progress } = request;
  const { report } = port;
  assertAsMade(port);
  if (PLACED.has(hunk.outcome)) {
    throw inputError(
      `hunk ${hunk.id} is placed (${hunk.outcome}, ${hunk.strategy})`,
      hunk.strategy.startsWith('resolution')
        ? `to resolve it anew, first run 'kport continue --forget ${hunk.id}'`
        : `run 'kport why ${hunk.id}'`,
    );
  }
  const edits = openEdits(hunk);
  if (edits.some((e) => e.id === undefined)) {
    throw inputError('the port was made by an older kport', "run 'kport apply' again");
  }
  if (edits.length === 0) {
    throw inputError(
      `hunk ${hunk.id} cannot be resolved by an edit: ${forDisplay(hunk.message ?? hunk.outcome)}`,
      `run 'kport skip ${hunk.id} -m REASON' to leave it out`,
    );
  }
  const set = await loadSet(report.patchesDir, report.set);
  progress('reading the target');
  const target = await openTree(port.dir, report.target.commit);
  const base = await findBase(set, target, port.dir, port.request?.baseTree ?? null);
  const { before, after } = await statesOf(port, set, hunk.patch);
  const repos = [target, base, before, after].map((t) => t.repo).filter((r): r is GitRepo => r !== null);
  try {
    const candidate = choose === null ? null : (edits[0]!.candidates[choose - 1] ?? null);
    const chosen = fileToEdit(hunk, report, request.file ?? candidate?.path ?? null, (p) => after.has(p));
    const lifted = await Scratch.use(repos, (scratch) => liftSet(set, base, scratch, (p) => p === hunk.patch));
    const own = lifted.find((l) => edits.every((e) => [...l.edits.values()].includes(e.id)));
    if (!own) throw inputError(`patch set '${report.set}' has no hunk ${hunk.id} any more`, "run 'kport apply' again");
    const index = await indexKernel(target, {
      scope: scopeOfSet(touchedPaths(set)),
      cache: new DiskCache(cacheDirectory()),
    });
    const view = new View(index);
    const text = await after.read(chosen);
    if (text === null) throw inputError(`'${chosen}' cannot be read: the repository lacks its content`);
    view.set(chosen, { text, mode: after.entry(chosen)!.mode });
    const file = (await view.file(chosen))!;
    const original = await before.read(chosen);
    const sheet = sheetOf(hunk, own, file, original);
    const names = { target: report.target.name, base: report.base.version, set: report.set };
    return { ...request, sheet, lifted: own, original, text: markedText(sheet, own.lines, names, hunk.message ?? '') };
  } finally {
    for (const r of repos) r.close();
  }
}

/** The trees before and after a patch of the ported set: a patch that left nothing made no commit. */
async function statesOf(
  port: OpenPort,
  set: PatchSet,
  patch: string,
): Promise<{ before: KernelTree; after: KernelTree }> {
  const { commits, patches } = port.report.result!;
  const order = set.patches.map((p) => p.file);
  const at = order.indexOf(patch);
  const last = (until: number) => commits.filter((_, i) => order.indexOf((patches ?? [])[i] ?? '') <= until).pop();
  const start = port.report.target.commit!;
  const [before, after] = [at > 0 ? (last(at - 1) ?? start) : start, last(at) ?? start];
  return { before: await openTree(port.dir, before), after: await openTree(port.dir, after) };
}

/**
 * Asks a person how a hunk is to be made, and keeps the answer. Throws `stopped` when there is none, and then nothing is
 * kept.
 */
export async function resolve(open: OpenHunk, answer: Answer): Promise<Resolution> {
  const { hunk, sheet } = open;
  const name = forDisplay(path.posix.basename(sheet.file.path));
  const given =
    'choose' in answer ? chosenText(sheet, hunk, answer.choose, open.original) : await answer.edit(name, open.text);
  const again = `run 'kport continue ${hunk.id}' again, or 'kport skip ${hunk.id} -m REASON' to leave it out`;
  if (given === open.text) throw stopped(`hunk ${hunk.id} was not resolved: nothing was changed`, again);
  if (isMarked(given)) throw stopped(`hunk ${hunk.id} was not resolved: conflict markers are left`, again);
  const region = splitLines(given);
  const { lines } = sheet.file;
  // Editors end the last line; a file that does not end so stays as it is, and nothing else may run into what follows.
  const last = region.length - 1;
  const ended = sheet.to < lines.length || lines[lines.length - 1]?.endsWith('\n') !== false;
  if (last >= 0) region[last] = ended ? region[last]!.replace(/\n?$/, '\n') : region[last]!.replace(/\n$/, '');
  const resolution = await resolutionOf(open, [...lines.slice(0, sheet.from), ...region, ...lines.slice(sheet.to)]);
  if (!resolution) {
    throw stopped(`hunk ${hunk.id} was not resolved: '${forDisplay(sheet.file.path)}' would stay as it is`, again);
  }
  const record = await loadRecord(open.port.repo, resolution.set, hunk.id);
  // One for each target: what was said of another kernel holds there.
  const others = record.resolutions.filter((r) => r.target.commit !== resolution.target.commit);
  await saveRecord(open.port.repo, { ...record, resolutions: [...others, resolution], skipped: null });
  return resolution;
}

/** Unchanged lines that belong to a resolution above and below the change, at least. */
const CONTEXT = 3;
/** Lines above and below a change at file level that it is merged by. */
const AROUND = 20;

async function resolutionOf(open: OpenHunk, whole: ByteString[]): Promise<Resolution | null> {
  const { hunk, sheet, port } = open;
  const { file } = sheet;
  const { lines } = file;
  const change = changeBetween(lines, whole);
  if (change.removed === 0 && change.added === 0) return null;
  let [from, to] = [0, lines.length];
  for (let context = CONTEXT; ; context++) {
    from = Math.max(0, change.at - context);
    to = Math.min(lines.length, change.at + change.removed + context);
    if (occurrences(lines, lines.slice(from, to)).length === 1) break;
    if (from === 0 && to === lines.length) throw internalError(`'${file.path}' is not found in itself`);
  }
  const definition = definitionOfChange(file, change.at, change.removed);
  const [first, end] = definition === null ? nearby(lines, change) : spanOf(file, change);
  const who = await identityOf(port.repo);
  const { target } = port.report;
  return {
    schemaVersion: 1,
    ...{ set: port.report.set, hunk: hunk.id, patch: hunk.patch, edits: sheet.edits.map((e) => e.id) },
    ...{ path: file.path, definition, conditions: conditionsAt(file.index, change.at) },
    before: lines.slice(from, to).join(''),
    after: whole.slice(from, to + change.added - change.removed).join(''),
    around: { text: lines.slice(first, end).join(''), line: change.at - first },
    target: { name: target.name, version: target.version, commit: target.commit },
    by: who ? `${who.name} <${who.email}>` : '',
    at: timestamp(),
  };
}

function nearby(lines: readonly ByteString[], change: { at: number; removed: number }): [number, number] {
  return [Math.max(0, change.at - AROUND), Math.min(lines.length, change.at + change.removed + AROUND)];
}

function spanOf(file: PorterFile, change: { at: number; removed: number }): [number, number] {
  const d = (change.removed > 0 ? definitionAt(file, change.at) : definitionAround(file, change.at))!;
  return [d.startLine, d.endLine + 1];
}

function timestamp(): string {
  return new Date(now() * 1000).toISOString();
}

/**
 * Makes a port again, with all that was resolved; its branch is replaced.
 *
 * @param force replaces a branch that somebody has committed to
 */
export async function portAgain(port: OpenPort, progress: (stage: string) => void, force = false): Promise<OpenPort> {
  assertAsMade(port);
  const { report, repo, dir, branch } = port;
  const known = port.request;
  const name = known?.to ?? report.target.name;
  // A branch may have moved since: the port stays on the kernel that it was made for.
  const to = (await repo.commit(name)) === report.target.commit ? name : report.target.commit;
  await apply({
    ...{ set: report.set, patchesDir: report.patchesDir, tree: dir, to, branch },
    ...{ baseTree: known?.baseTree ?? null, out: known?.out ?? null, force },
    ...{
      only: known?.only ?? [],
      markers: known?.markers ?? false,
      chronicle: known?.chronicle ?? true,
      reference: known?.reference ?? null,
      generate: known?.generate ?? true,
      repair: known?.repair ?? null,
      dryRun: false,
      progress,
    },
  });
  return (await openPort(dir, branch))!;
}

/** Leaves a hunk out on purpose, in this port and in those to come in which it has no place. */
export async function skip(port: OpenPort, hunk: HunkReport, reason: string): Promise<PortReport> {
  if (PLACED.has(hunk.outcome)) {
    throw inputError(
      `hunk ${hunk.id} is placed (${hunk.outcome}): there is nothing to skip`,
      `run 'kport why ${hunk.id}'`,
    );
  }
  const { repo, report } = port;
  const who = await identityOf(repo);
  const record = await loadRecord(repo, report.set, hunk.id);
  const { name, version, commit } = report.target;
  const by = who ? `${who.name} <${who.email}>` : '';
  const edits = hunk.edits.filter((e) => !PLACED.has(e.outcome)).map((e) => e.id);
  const skipped = { reason, target: { name, version, commit }, by, at: timestamp(), edits };
  await saveRecord(repo, { ...record, skipped });
  return markIn(port, hunk.id, reason);
}

/** Forgets that a hunk is skipped. */
export async function unskip(port: OpenPort, id: string): Promise<PortReport> {
  const { repo, report } = port;
  const record = await loadRecord(repo, report.set, id);
  if (!record.skipped) throw inputError(`hunk ${id} is not skipped`, "run 'kport status' to see what is");
  await saveRecord(repo, { ...record, skipped: null });
  return markIn(port, id, null);
}

/** Forgets how a hunk was resolved, whichever target that was for. */
export async function forgetResolutions(port: OpenPort, id: string): Promise<void> {
  const { repo, report } = port;
  assertAsMade(port);
  // An edit can reach over several hunks: what one of them was resolved with is the others' resolution, too.
  const edits = new Set(report.hunks.filter((h) => h.id === id).flatMap((h) => h.edits.map((e) => e.id)));
  const records = (await loadRecords(repo, report.set)).filter(
    (r) => r.resolutions.length > 0 && (r.hunk === id || r.resolutions.some((x) => x.edits.some((e) => edits.has(e)))),
  );
  if (records.length === 0) {
    throw inputError(`no resolution of hunk ${id} is known`, "run 'kport status' to see those that are");
  }
  for (const record of records) await saveRecord(repo, { ...record, resolutions: [] });
}

/** A skip changes what is left, not what was made: the report is told, and the branch stays. */
async function markIn(port: OpenPort, id: string, reason: string | null): Promise<PortReport> {
  const hunks = port.report.hunks.map((h) => (h.id === id && !PLACED.has(h.outcome) ? { ...h, skipped: reason } : h));
  const report = { ...port.report, hunks };
  await storePort(port.repo, port.branch, report);
  return report;
}

/** Takes back the port that was made: its branch, and what is kept of it. What was resolved stays. */
export async function abort(port: OpenPort): Promise<void> {
  const { repo, branch, tip } = port;
  if (port.state !== 'gone') {
    assertAsMade(port);
    const worktrees = await repo.output(['worktree', 'list', '--porcelain']);
    if (worktrees.includes(`\nbranch refs/heads/${branch}\n`)) {
      throw inputError(`branch '${branch}' is checked out`, `run 'git -C ${port.dir} switch' to another branch first`);
    }
    // With the old value, so that a branch that moves this very moment is not lost.
    await repo.run(['update-ref', '-d', `refs/heads/${branch}`, tip!]);
  }
  await forgetPort(repo, branch);
}

/** How many hunks a person still has to look at. */
export function countLeft(report: PortReport): number {
  return report.hunks.filter(isLeft).length;
}
