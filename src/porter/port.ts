import type { Candidate, EditReport, Evidence, FileReport, HunkReport, Location, Outcome } from '../core/outcome';
import { hunkHeader, pathOf, type FileChange, type Hunk, type Patch } from '../core/patch';
import { isBinary, splitLines, type ByteString } from '../core/text';
import { namesAdded } from './adapt';
import { sayOtherCounts } from './arity';
import { sayOtherWays } from './arms';
import { settleStack } from './asm-values';
import { applyLineEdits, lineEdit, overlap, type LineEdit } from './compose';
import { renamed, renameIn } from './collisions';
import type { PortContext } from './context';
import type { FileHeir } from './heirs';
import { bringIncludes, withMovedHeaders } from './includes';
import { holdNames } from './known-names';
import { liftEdits, type Edit, type Segment } from './lift';
import { passParametersOn } from './links';
import { lineOf, renumbered } from './numbering';
import { scopeOf } from './place';
import { ofFinding, weighUpstream } from './sure-upstream';
import { intoTwin, withUpstreamChanges } from './moved-definitions';
import { portEdit, type EditResult } from './port-edit';
import { settleDeadGuards } from './dead-guards';
import { sayNewPlaces } from './everywhere';
import { constantConditions, settleGoneOptions } from './gone-options';
import { isInert } from './inert';
import { sayPartners } from './partners';
import { keepInComments } from './comments';
import { noticeDeclared } from './declared-twice';
import { noticeDoubled } from './doubled';
import { leaveOutUnusedHelpers, sayLostDefinitions } from './lost-definitions';
import { noticeParts } from './made-in-part';
import { renameOwnLocals } from './locals';
import { sayLostCallers } from './reach';
import { sayRedeclared } from './redeclared';
import { sayOtherValues } from './reaching';
import { remainder, type Reject } from './rejects';
import { editIds, type Resolved } from './resolutions';
import { settleDeclarations } from './settle';
import { standTogether } from './together';
import { upstreamTwin, withoutAbsorbed } from './twins';
import { sayOtherCalls } from './unwrapped-calls';
import { coveredBy, leaveOutUsed, sayNewCallers, sayUncoveredUses } from './uses';
import { keepEmptiedWork } from './emptied-calls';
import { definitionAround, type PorterFile } from './view';

/** What became of one patch. */
export interface PortedPatch {
  patch: Patch;
  hunks: HunkReport[];
  files: FileReport[];
  rejects: Reject[];
  /** What became of each edit, for those who ask why. */
  traces: EditTrace[];
}

/** An edit with what became of it, and the file that it was understood in. */
export interface EditTrace extends EditResult {
  /** The file as the patch found it: the base, with the set's earlier patches. */
  base: PorterFile;
}

/** Ports one patch: lays what it places over `context.target` and says what became of each hunk and file. */
export async function portPatch(patch: Patch, context: PortContext): Promise<PortedPatch> {
  const ported: PortedPatch = { patch, hunks: [], files: [], rejects: [], traces: [] };
  const results = new Map<FileChange, PortedChange>();
  const before = new Map(context.target.changes());
  for (;;) {
    context.placed.length = 0;
    for (const change of inOrder(patch.changes)) results.set(change, await portChange(patch, change, context));
    if (!context.resolutions || (await context.resolutions.settle(context.target, context.heirs, before))) break;
    context.target.restore(before);
  }
  sayUncoveredUses(context.placed, context);
  await sayOtherCounts(context.placed, context);
  sayNewCallers(context.placed, context);
  sayOtherCalls(context.placed, coveredBy(context.placed), context);
  await sayLostCallers(context.placed, context);
  sayLostDefinitions(
    [...results.values()].flatMap((c) => c.traces ?? []),
    context,
  );
  sayNewPlaces(context.placed);
  sayOtherWays(context.placed);
  for (const change of patch.changes) {
    const last = results.get(change)!;
    const result = last.again?.() ?? last;
    ported.hunks.push(...result.hunks);
    ported.files.push(result.file);
    if (result.reject) ported.rejects.push(result.reject);
    ported.traces.push(...(result.traces ?? []));
  }
  await sayRedeclared(ported.files, context);
  return ported;
}

/**
 * The changes of a patch in an order in which they can be made one by one: a diff states them all at once. Copies first,
 * while their sources are as they were; then each path is left before another file comes there.
 */
function inOrder(changes: readonly FileChange[]): FileChange[] {
  const leaves = new Map<ByteString, FileChange>();
  for (const c of changes) {
    if ((c.status === 'renamed' || c.status === 'deleted') && c.oldPath !== null) leaves.set(c.oldPath, c);
  }
  const ordered = new Set<FileChange>(changes.filter((c) => c.status === 'copied'));
  const under = new Set<FileChange>();
  const visit = (change: FileChange) => {
    if (ordered.has(change) || under.has(change)) return;
    under.add(change);
    const before = change.newPath === null ? undefined : leaves.get(change.newPath);
    if (before) visit(before);
    ordered.add(change);
  };
  // New files before the changes that may include them.
  const isHeader = (c: FileChange) => c.status === 'added' && c.newPath!.endsWith('.h');
  for (const change of changes) if (isHeader(change)) visit(change);
  // Lists of objects last: what has a twin upstream is not built twice.
  const isList = (c: FileChange) => /(?:^|\/)(?:Makefile|Kbuild)$/.test(c.newPath!);
  for (const change of changes) if (change.status === 'added' && !isList(change)) visit(change);
  for (const change of changes) if (change.status === 'added') visit(change);
  for (const change of changes) visit(change);
  return [...ordered];
}

interface PortedChange {
  hunks: HunkReport[];
  file: FileReport;
  reject: Reject | null;
  traces?: EditTrace[];
  /** Says it again, when the resolutions of the patch are made. */
  again?: () => PortedChange;
}

async function portChange(patch: Patch, change: FileChange, context: PortContext): Promise<PortedChange> {
  const whole = change.binary !== null || change.newMode === '120000' || change.oldMode === '120000';
  if (change.status === 'added') return carryNewFile(patch, change, context);
  if (change.status === 'deleted' || whole) return carryWhole(patch, change, context);
  return portHunks(patch, change, context);
}

function fileReport(patch: Patch, change: FileChange, context: PortContext, rest: Partial<FileReport>): FileReport {
  return {
    patch: patch.file,
    path: pathOf(change),
    targetPaths: [],
    role: context.roleOf(pathOf(change)),
    status: change.binary !== null ? 'binary' : change.status,
    outcome: 'conflict',
    message: null,
    hunks: change.hunks.length,
    evidence: [],
    ...rest,
  };
}

/** A new file goes where its folder went. */
async function carryNewFile(patch: Patch, change: FileChange, context: PortContext): Promise<PortedChange> {
  const source = change.newPath!;
  const text = await context.patched.text(source);
  const mode = context.patched.mode(source);
  if (text === null || mode === null) {
    const message = 'its content cannot be read';
    return { hunks: [], file: fileReport(patch, change, context, { outcome: 'unreadable', message }), reject: null };
  }
  const { path, evidence } = folderHeir(source, context);
  const there = await context.target.text(path);
  if (there === text) {
    return {
      hunks: [],
      file: fileReport(patch, change, context, { outcome: 'already-upstream', targetPaths: [path], evidence }),
      reject: null,
    };
  }
  const twin = await upstreamTwin(source, context);
  if (twin) {
    context.twins.set(source, twin.path);
    context.refused.add(source);
  }
  const own = await context.patched.file(source);
  const into = twin && !twin.whole && own ? await intoTwin(own, twin.path, context) : null;
  if (own && (into || twin?.whole)) {
    context.absorbed.add(source);
    for (const d of own.outer) context.folded.add(`${d.kind} ${d.name}`);
    const { kernel } = context.base;
    const rest = patch.changes.flatMap((c) => (c.newPath === null || c.newPath === source ? [] : [c.newPath]));
    const others = await namesAdded(context.base, context.patched, rest);
    const names = own.index.definitions.flatMap((d) => [d.name, ...d.members.map((m) => m.name)]);
    const isTheirs = (n: string) =>
      !others.has(n) && (kernel.definitions(n).length > 0 || kernel.members(n).length > 0);
    context.adapter.disown(names.filter(isTheirs));
  }
  if (twin?.whole) {
    const message = `upstream has all that it defines in '${twin.path}'`;
    const report = fileReport(patch, change, context, {
      outcome: 'already-upstream',
      targetPaths: [twin.path],
      message,
      evidence,
    });
    return { hunks: [], file: report, reject: null };
  }
  if (into) {
    context.target.set(twin!.path, { text: into.text, mode: context.target.mode(twin!.path) ?? mode });
    const rest = {
      outcome: 'rewritten' as const,
      targetPaths: [twin!.path],
      evidence: [...evidence, ...into.evidence],
    };
    return { hunks: [], file: fileReport(patch, change, context, rest), reject: null };
  }
  const taken = twin
    ? twin.named
      ? `upstream has all that it defines in '${twin.path}', in other words`
      : `upstream has most of what it defines in '${twin.path}'`
    : context.target.has(path)
      ? `the target has a file '${path}' of its own`
      : context.target.obstacle(path);
  if (taken !== null) {
    context.refused.add(source);
    const message = taken;
    return {
      hunks: [],
      file: fileReport(patch, change, context, { outcome: 'conflict', message, evidence }),
      reject: { path: source, hunks: change.hunks.map((hunk) => ({ hunk, reason: message })) },
    };
  }
  // The set's own files speak of the kernel, too.
  const sameKernel = context.base.tree.commit !== null && context.base.tree.commit === context.target.tree.commit;
  const code = /\.[chS]$/.test(source) && mode !== '120000' && !isBinary(text) && !sameKernel;
  const merged = code && own ? await withUpstreamChanges(own, context) : null;
  const built = own?.index.language === 'kbuild' ? withoutAbsorbed(own.lines, source, context) : null;
  const called = renamed(merged?.text ?? text, source, code ? context.collisions : new Map());
  const object = context.parts?.placesAllOf(source) ?? null;
  const written = object ? new Map<string, string>() : await context.sections.written(path);
  const adapted = code
    ? await context.adapter.adaptAll(splitLines(called.text), path, { written, carries: 'functions' }, context)
    : null;
  if (adapted) {
    if (object && adapted.evidence.some((e) => e.kind === 'attribute-dropped')) adapted.evidence.push(object);
    adapted.doubts.push(...adapted.blockers, ...(merged?.doubts ?? []));
    adapted.doubts.push(...(await constantConditions(adapted.lines, context)).map((c) => c.text));
    adapted.evidence.push(...(merged?.evidence ?? []), ...called.evidence);
  }
  context.target.set(path, {
    text: (built ?? (adapted?.evidence.length ? adapted : null))?.lines.join('') ?? text,
    mode,
  });
  const laid = adapted && own && path.endsWith('.c') ? await context.target.file(path) : null;
  const complete = laid && withMovedHeaders(laid, own!, context);
  if (complete) {
    context.target.set(path, { text: complete.text, mode });
    adapted!.evidence.push(...complete.evidence);
  }
  const outcome: Outcome = adapted?.evidence.length || built ? 'rewritten' : path === source ? 'applied' : 'relocated';
  return {
    hunks: [],
    file: fileReport(patch, change, context, {
      outcome,
      targetPaths: [path],
      evidence: [...evidence, ...(adapted?.evidence ?? []), ...(built?.evidence ?? [])],
      message: adapted?.doubts.length ? adapted.doubts.join('; ') : null,
    }),
    reject: null,
  };
}

/** Where a folder of the base went: by where most of its files are now; itself when the target still has it. */
function folderHeir(path: ByteString, context: PortContext): { path: ByteString; evidence: Evidence[] } {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  if (folder === '' || context.target.inFolder(folder).length > 0) return { path, evidence: [] };
  const votes = new Map<string, number>();
  const siblings = context.base.inFolder(folder);
  for (const sibling of siblings) {
    const heir = context.heirs.files(sibling)[0]?.path;
    if (heir) {
      const to = heir.slice(0, heir.lastIndexOf('/') + 1);
      votes.set(to, (votes.get(to) ?? 0) + 1);
    }
  }
  const [best] = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (!best || best[1] * 2 <= siblings.length) return { path, evidence: [] };
  const text = `${best[1]} of ${siblings.length} files of '${folder}' are in '${best[0]}' now`;
  return { path: best[0] + path.slice(folder.length), evidence: [{ kind: 'folder-moved', text }] };
}

/** Deletions, binaries and symlinks: all or nothing, against the very content that the patch expects. */
async function carryWhole(patch: Patch, change: FileChange, context: PortContext): Promise<PortedChange> {
  const from = change.oldPath!;
  const heir = context.heirs.files(from)[0];
  const [was, becomes] = [
    await context.base.text(from),
    change.newPath === null ? null : await context.patched.text(change.newPath),
  ];
  const there = heir ? await context.target.text(heir.path) : null;
  const finish = (outcome: Outcome, message: string | null, placedAt: ByteString[] = []): PortedChange => ({
    hunks: change.hunks.map((hunk) =>
      hunkReport(patch, change, hunk, context, {
        outcome,
        strategy: 'whole-file',
        confidence: outcome === 'conflict' ? 0 : 1,
        target: placedAt.map((path) => ({ path, definition: null, line: 1 })),
        message,
      }),
    ),
    file: fileReport(patch, change, context, {
      outcome,
      message,
      targetPaths: placedAt,
      evidence: heir?.evidence ?? [],
    }),
    reject:
      outcome === 'conflict'
        ? { path: pathOf(change), hunks: change.hunks.map((hunk) => ({ hunk, reason: message! })) }
        : null,
  });
  if (change.newPath === null) {
    if (!heir || there === null) return finish('already-upstream', 'the target does not have the file any more');
    if (there !== was)
      return finish('conflict', `'${heir.path}' is another file in the target than the one that the set deletes`);
    context.target.set(heir.path, null);
    return finish(heir.path === from ? 'applied' : 'relocated', null, [heir.path]);
  }
  if (becomes === null) return finish('conflict', 'its content cannot be read');
  if (!heir) return finish('conflict', `the target has no '${from}'`);
  if (there === becomes) return finish('already-upstream', null, [heir.path]);
  if (there !== was) return finish('conflict', `'${heir.path}' is another file in the target`);
  const to = heir.path === from ? change.newPath : heir.path;
  if (to !== heir.path) {
    const taken = context.target.has(to) ? `the target has a file '${to}' of its own` : context.target.obstacle(to);
    if (taken !== null) return finish('conflict', taken);
  }
  if (to !== heir.path && change.status === 'renamed') context.target.set(heir.path, null);
  context.target.set(to, { text: becomes, mode: context.patched.mode(change.newPath) ?? '100644' });
  return finish(heir.path === from ? 'applied' : 'relocated', null, [to]);
}

async function portHunks(patch: Patch, change: FileChange, context: PortContext): Promise<PortedChange> {
  const from = change.oldPath!;
  const base = await context.base.file(from);
  if (change.hunks.length === 0) return moveAlone(patch, change, context);
  if (!base || isBinary(base.text)) {
    const message = `the base's '${from}' cannot be read as text`;
    return wholeConflict(patch, change, context, message);
  }
  const fileHeirs = context.heirs.files(from);
  const lost = fileHeirs.find((h) => context.target.has(h.path));
  if (lost && (await context.target.text(lost.path)) === null) {
    return wholeConflict(
      patch,
      change,
      context,
      `the target's '${lost.path}' cannot be read: the repository lacks its content`,
    );
  }
  const edits = liftEdits(base.lines, change.hunks, base.index.language);
  // Edits inside definitions first: where they go says where new definitions belong.
  const ids = editIds(edits);
  const called = new Map(edits.map((edit) => [edit, renameIn(edit, from, context.collisions)]));
  const inside = (edit: Edit) => scopeOf(base, edit.segments[0]!) !== null;
  const made = new Map<Edit, EditResult>();
  const heirFile = fileHeirs[0] ? await context.target.file(fileHeirs[0].path) : null;
  const verdicts = await context.parts?.verdicts(edits, base, heirFile, context);
  for (const [edit, id] of [...ids].sort(([a], [b]) => Number(inside(b)) - Number(inside(a)))) {
    const resolved = context.resolutions?.claim(id);
    if (resolved) made.set(edit, { edit, id, resolved, placements: [], outcome: 'rewritten', failure: null });
    else if (verdicts?.has(edit)) made.set(edit, noteMisfit({ ...verdicts.get(edit)!, id }, context));
    else
      made.set(
        edit,
        leaveOut(noteMisfit({ ...(await portEdit(edit, base, fileHeirs, context)), id }, context), context),
      );
  }
  const results = edits.map((e) => made.get(e)!);
  for (const r of results) sayRenamed(r, called.get(r.edit)!);
  await context.reference?.consult(results, base, change, fileHeirs, context);
  noticeDoubled(results, base, (word) => context.heirs.rename(word));
  noticeDeclared(results, base);
  noticeParts(results, base, (word) => context.heirs.rename(word));
  if (base.index.language !== 'kbuild' && base.index.language !== 'kconfig') keepInComments(results, base);
  for (const r of results) r.inert = await isInert(r.edit, base, (name) => context.options.isUndefined(name));
  await settleDeadGuards(results, base, context);
  settleDeclarations(results, base);
  settleStack(results, base);
  leaveOutUsed(results, base);
  sayPartners(results, base);
  await passParametersOn(results, base, context);
  await keepEmptiedWork(results, context);
  renameOwnLocals(
    results.flatMap((r) => (r.outcome === 'already-upstream' ? [] : r.placements)),
    base,
  );
  for (const r of results) if (isPlaced(r.outcome) && r.placements.some((p) => p.rewritten)) r.outcome = 'rewritten';
  const own = patch.changes.flatMap((c) => (c.status === 'added' && c.newPath!.endsWith('.h') ? [c.newPath!] : []));
  await bringIncludes(results, base, own, context);
  demoteOverlaps(results);
  await settleGoneOptions(results, context);
  if (base.index.language === 'c') {
    do {
      standTogether(results, base);
      leaveOutUnusedHelpers(results, base);
    } while (await holdNames(results, base, context));
  }
  sayOtherValues(results, base, (word) => context.heirs.rename(word));
  await weighUpstream(results, base, context);
  for (const result of results) if (result.placements.length) context.placed.push({ result, base });

  const byTarget = new Map<ByteString, { file: PorterFile; edits: LineEdit[] }>();
  for (const r of results) {
    if (r.outcome === 'already-upstream') continue;
    for (const p of r.placements) {
      const entry = byTarget.get(p.file.path) ?? { file: p.file, edits: [] };
      for (const s of p.segments) entry.edits.push(lineEdit(s));
      byTarget.set(p.file.path, entry);
    }
  }
  if (context.markers) addMarkers(results, byTarget, base, context);
  const heir = fileHeirs[0]?.path ?? null;
  let copy: ByteString | null = null;
  for (const [path, entry] of byTarget) {
    const text = applyLineEdits(entry.file.lines, entry.edits, base.lines);
    // A copy is edited, what it is copied from is not.
    if (change.status === 'copied' && path === heir) copy = text;
    else context.target.set(path, { text, mode: entry.file.mode });
  }
  const moved = await moveAndMode(change, heir, copy, context);

  const again = () => reportChange(patch, change, results, base, [...byTarget.keys()], moved, fileHeirs, context);
  return { ...again(), again };
}

function reportChange(
  patch: Patch,
  change: FileChange,
  results: readonly EditResult[],
  base: PorterFile,
  changed: readonly ByteString[],
  moved: string | null,
  fileHeirs: readonly FileHeir[],
  context: PortContext,
): PortedChange {
  const hunks = change.hunks.map((hunk) => reportOf(patch, change, hunk, results, base, context));
  const unplaced = results.filter((r) => r.outcome === 'conflict');
  const rejected = change.hunks.filter((h) => unplaced.some((r) => r.edit.hunks.includes(h)));
  const outcomes = new Set(hunks.map((h) => h.outcome));
  const outcome: FileReport['outcome'] = moved
    ? 'conflict'
    : outcomes.size === 1
      ? [...outcomes][0]!
      : outcomes.size
        ? 'mixed'
        : 'applied';
  return {
    hunks,
    file: fileReport(patch, change, context, {
      outcome,
      message: moved,
      targetPaths: [
        ...new Set([
          ...changed,
          ...results.flatMap((r) => [...r.placements.map((p) => p.file.path), ...pathsOf(r.resolved ?? r.made)]),
        ]),
      ],
      evidence: fileHeirs[0]?.evidence ?? [],
    }),
    reject: rejected.length
      ? { path: pathOf(change), hunks: rejected.map((hunk) => leftOf(hunk, unplaced, base.lines)) }
      : null,
    traces: results.map((r) => ({ ...r, base })),
  };
}

/** Says of an edit that names of the set in it are others now. */
function sayRenamed(result: EditResult, evidence: readonly Evidence[]): void {
  if (evidence.length === 0) return;
  for (const p of result.placements) {
    p.rewritten = true;
    p.confidence = Math.min(p.confidence, RENAMED);
    p.evidence.push(...evidence);
  }
  if (isPlaced(result.outcome)) result.outcome = 'rewritten';
}

/** At most this sure where the set's own names had to change. */
const RENAMED = 0.85;

function pathsOf(resolved: Pick<Resolved, 'target'> | undefined): ByteString[] {
  return resolved?.target.map((t) => t.path) ?? [];
}

/** Takes the place away from an edit that a person left out on this kernel. */
function leaveOut(result: EditResult, context: PortContext): EditResult {
  const reason = context.resolutions?.leftOut(result.id!) ?? null;
  if (reason === null || result.placements.length === 0) return result;
  const failure = { placed: false as const, reason, evidence: [{ kind: 'left-out', text: reason }], candidate: null };
  return { ...result, placements: [], outcome: 'conflict', failure };
}

/** Says of an edit that the porter had to place why the resolution that a person made is not used. */
function noteMisfit(result: EditResult, context: PortContext): EditResult {
  const text = context.resolutions?.misfit(result.id!) ?? null;
  if (text === null) return result;
  const evidence = [{ kind: 'resolution-misfit', text }];
  const { failure, placements } = result;
  for (const p of placements) p.evidence.push(...evidence);
  if (!failure) return result;
  const noted = {
    ...failure,
    reason: `${failure.reason}; ${text}`,
    evidence: [...failure.evidence, ...evidence],
  };
  return { ...result, failure: noted };
}

/** A rename, copy or change of mode without a change of text, of files of any kind. */
async function moveAlone(patch: Patch, change: FileChange, context: PortContext): Promise<PortedChange> {
  const heir = context.heirs.files(change.oldPath!)[0];
  const message = heir
    ? await moveAndMode(change, heir.path, null, context)
    : `'${change.oldPath}' is gone from the target`;
  const renames = change.status === 'renamed' || change.status === 'copied';
  const targetPaths = message === null ? [renames ? change.newPath! : heir!.path] : [];
  const placed: Outcome = renames || heir?.path === change.oldPath ? 'applied' : 'relocated';
  return {
    hunks: [],
    file: fileReport(patch, change, context, {
      outcome: message === null ? placed : 'conflict',
      message,
      targetPaths,
      evidence: heir?.evidence ?? [],
    }),
    reject: null,
  };
}

function wholeConflict(patch: Patch, change: FileChange, context: PortContext, message: string): PortedChange {
  return {
    hunks: change.hunks.map((hunk) => hunkReport(patch, change, hunk, context, { message })),
    file: fileReport(patch, change, context, { message }),
    reject: { path: pathOf(change), hunks: change.hunks.map((hunk) => ({ hunk, reason: message })) },
  };
}

/** The set's own rename and mode change of a file. Gives a message when it cannot be done. */
async function moveAndMode(
  change: FileChange,
  heir: ByteString | null,
  copy: ByteString | null,
  context: PortContext,
): Promise<string | null> {
  const mode = change.newMode !== null && change.newMode !== change.oldMode ? change.newMode : null;
  const renames = change.status === 'renamed' || change.status === 'copied';
  if (!renames && !mode) return null;
  if (heir === null) return renames ? 'the file that the set renames is gone' : null;
  const text = copy ?? (await context.target.text(heir));
  if (text === null) return `'${heir}' cannot be read`;
  const file = { text, mode: mode ?? context.target.mode(heir) ?? '100644' };
  if (!renames) {
    context.target.set(heir, file);
    return null;
  }
  if (heir !== change.oldPath) return `upstream moved '${change.oldPath}' to '${heir}', the set to '${change.newPath}'`;
  if (context.target.has(change.newPath!)) return `the target has a file '${change.newPath}' of its own`;
  const obstacle = context.target.obstacle(change.newPath!);
  if (obstacle !== null) return obstacle;
  if (change.status === 'renamed') context.target.set(heir, null);
  context.target.set(change.newPath!, file);
  return null;
}

/** Edits that would change the same lines cannot both be made: the less sure one becomes a conflict. */
function demoteOverlaps(results: EditResult[]): void {
  const seen: { result: EditResult; path: ByteString; edit: LineEdit }[] = [];
  for (const result of [...results].sort((a, b) => confidenceOf(b) - confidenceOf(a))) {
    const own = result.placements.flatMap((p) =>
      p.segments.map((s) => ({ result, path: p.file.path, edit: lineEdit(s) })),
    );
    const clash = own.find((o) => seen.some((s) => s.path === o.path && overlap(s.edit, o.edit)));
    if (!clash) {
      seen.push(...own);
      continue;
    }
    const candidate = {
      path: clash.path,
      line: clash.edit.at + 1,
      definition: result.placements[0]?.definition ?? null,
    };
    result.failure = {
      placed: false,
      reason: 'another edit of the set changes the same lines there',
      evidence: [],
      candidate,
    };
    result.placements = [];
    result.outcome = 'conflict';
  }
  // What another edit holds is not made when that one is not.
  for (const result of results) {
    if (result.twin?.of.outcome !== 'conflict') continue;
    result.outcome = 'conflict';
    result.failure = result.twin.of.failure;
    delete result.twin;
  }
}

/** How sure it is that code which is nowhere in the target file is gone. */
const OBSOLETE = 0.8;

/** What stands for an edit that the porter did not place itself. */
const insteadOf = (r: EditResult) => r.resolved ?? r.made ?? r.there;

function confidenceOf(r: EditResult): number {
  if (r.outcome === 'already-upstream' && r.sure !== undefined) return r.sure;
  const instead = insteadOf(r);
  if (instead) return instead.confidence;
  if (r.outcome === 'obsolete') return OBSOLETE;
  const placements = placementsOf(r);
  return placements.length ? Math.min(...placements.map((p) => p.confidence)) : 0;
}

/** Where an edit is in the target, also when another one holds it. */
function placementsOf(r: EditResult): EditResult['placements'] {
  return r.twin?.of.placements ?? r.placements;
}

const isPlaced = (outcome: Outcome) => outcome === 'applied' || outcome === 'merged' || outcome === 'relocated';

/** Later wins: a hunk is as far from home as the farthest of its edits. */
const RANK: Outcome[] = [
  'already-upstream',
  'applied',
  'merged',
  'relocated',
  'rewritten',
  'generated',
  'obsolete',
  'conflict',
];

function reportOf(
  patch: Patch,
  change: FileChange,
  hunk: Hunk,
  results: readonly EditResult[],
  base: PorterFile,
  context: PortContext,
): HunkReport {
  const own = results.filter((r) => r.edit.hunks.includes(hunk));
  const edits: EditReport[] = own.map((r) => ({
    id: r.id!,
    kind: r.edit.kind,
    outcome: r.outcome,
    strategy: strategyOf(r),
    confidence: confidenceOf(r),
    target: locations(r, hunk, context),
    candidates: candidatesOf(r),
  }));
  // An edit that has nothing to do any more does not speak for the hunk when another one has.
  const active = own.some((r) => r.outcome !== 'obsolete') ? own.filter((r) => r.outcome !== 'obsolete') : own;
  const worst = [...active].sort(
    (a, b) => RANK.indexOf(b.outcome) - RANK.indexOf(a.outcome) || confidenceOf(a) - confidenceOf(b),
  )[0]!;
  return hunkReport(patch, change, hunk, context, {
    edits,
    inert: own.every((r) => r.inert),
    outcome: worst.outcome,
    strategy: strategyOf(worst),
    confidence: Math.min(...own.map(confidenceOf)),
    source: {
      path: change.oldPath!,
      definition: definitionAround(base, hunk.oldStart + 2)?.name ?? null,
      line: hunk.oldStart,
    },
    target: own.flatMap((r) => locations(r, hunk, context)),
    evidence: dedupe(
      own.flatMap((r) => [
        ...(r.failure?.evidence ?? []),
        ...r.placements.flatMap((p) => renumbered(ofFinding(r, p.evidence), p.file, context.target)),
        ...(insteadOf(r)?.evidence ?? []),
        ...(r.twin?.evidence ?? []),
      ]),
    ),
    message: messageOf(own),
  });
}

/** One sentence, or a few: why work is left, before work that is not there any more, and what is in the tree all the same. */
function messageOf(own: readonly EditResult[]): string | null {
  const failed = own.filter((r) => r.failure);
  const open = failed.filter((r) => r.outcome === 'conflict');
  const first = open.find((r) => !r.failure!.follows) ?? open[0] ?? failed[0];
  const made = own.filter((r) => r.outcome !== 'conflict' && r.outcome !== 'obsolete').length;
  const rest =
    open.length && made
      ? `; ${made} of its ${own.length} edits ${made > 1 ? 'have their places' : 'has its place'}`
      : '';
  return first ? first.failure!.reason + rest : doubtsOf(own);
}

/** What a reviewer should look at, in one sentence; null when there is nothing. */
function doubtsOf(results: readonly EditResult[]): string | null {
  const doubts = results.flatMap((r) =>
    r.placements.flatMap((p) => ofFinding(r, p.evidence).filter((e) => e.kind === 'doubt')),
  );
  return doubts.length ? [...new Set(doubts.map((d) => d.text))].join('; ') : null;
}

function strategyOf(r: EditResult): string {
  return insteadOf(r)?.strategy ?? placementsOf(r)[0]?.strategy ?? 'none';
}

function candidatesOf(r: EditResult): Candidate[] {
  const candidate = r.failure?.candidate;
  const others = r.failure?.others;
  return candidate ? [candidate, ...(others ?? [])].map((c) => ({ ...c, parts: c.parts ?? null })) : [];
}

function locations(r: EditResult, hunk: Hunk, context: PortContext): Location[] {
  const instead = insteadOf(r);
  if (instead) return instead.target;
  // Parts that are not the edit's own, but the reference's, belong to all its hunks.
  const isOf = (s: Segment) => s.hunk === hunk || !r.edit.segments.includes(s);
  const at = placementsOf(r).flatMap((p) =>
    p.segments
      .filter((s) => isOf(s.segment))
      .slice(0, 1)
      .map((s) => ({ path: p.file.path, definition: p.definition, line: lineOf(p.file, s, context.target) })),
  );
  return at.length || !r.failure?.candidate ? at : [];
}

function dedupe(evidence: Evidence[]): Evidence[] {
  const seen = new Set<string>();
  return evidence.filter((e) => !seen.has(e.text) && seen.add(e.text));
}

function hunkReport(
  patch: Patch,
  change: FileChange,
  hunk: Hunk,
  context: PortContext,
  rest: Partial<HunkReport>,
): HunkReport {
  return {
    id: hunk.id,
    patch: patch.file,
    path: pathOf(change),
    header: hunkHeader(hunk),
    role: context.roleOf(pathOf(change)),
    edits: [],
    outcome: 'conflict',
    strategy: 'none',
    confidence: 0,
    source: { path: change.oldPath ?? pathOf(change), definition: null, line: hunk.oldStart },
    target: [],
    evidence: [],
    causedBy: null,
    message: null,
    inert: false,
    skipped: null,
    ...rest,
  };
}

function leftOf(hunk: Hunk, unplaced: readonly EditResult[], base: readonly ByteString[]) {
  const own = unplaced.filter((r) => r.edit.hunks.includes(hunk));
  const segments = own.flatMap((r) => r.edit.segments.filter((s) => s.hunk === hunk));
  return { hunk: remainder(base, hunk, segments), reason: own.map((r) => r.failure!.reason).join('; ') };
}

/** Conflict markers at the candidates of edits that are not placed. */
function addMarkers(
  results: readonly EditResult[],
  byTarget: Map<ByteString, { file: PorterFile; edits: LineEdit[] }>,
  base: PorterFile,
  context: PortContext,
): void {
  for (const { edit, failure } of results) {
    const entry = failure?.candidate && byTarget.get(failure.candidate.path);
    if (!failure?.candidate || !entry) continue;
    const first = edit.segments[0]!;
    const last = edit.segments[edit.segments.length - 1]!;
    const old = base.lines.slice(first.at, last.at + last.removed.length);
    const fresh: ByteString[] = [];
    let at = first.at;
    for (const s of edit.segments) {
      fresh.push(...base.lines.slice(at, s.at), ...s.added);
      at = s.at + s.removed.length;
    }
    entry.edits.push({
      at: failure.candidate.line - 1,
      remove: 0,
      added: [
        `<<<<<<< ${context.markers!.target}\n`,
        '||||||| base\n',
        ...old,
        '=======\n',
        ...fresh,
        `>>>>>>> ${context.markers!.set} ${edit.hunks.map((h) => h.id).join(' ')}: ${failure.reason}\n`,
      ].map((l) => (l.endsWith('\n') ? l : `${l}\n`)),
      order: first.order,
    });
  }
}
