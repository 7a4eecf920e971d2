import type { Candidate, EditReport, Evidence, FileReport, HunkReport, Location, Outcome, Role } from '../core/outcome';
import { hunkHeader, pathOf, type FileChange, type Hunk, type Patch } from '../core/patch';
import { isBinary, splitLines, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { applyLineEdits, lineEdit, overlap, type LineEdit } from './compose';
import type { DefinitionHeir, FileHeir, Heirs } from './heirs';
import { liftEdits, type Edit } from './lift';
import type { Adapter } from './adapt';
import type { CodeSearch } from './code-search';
import { Aligner, placeEdit, PLACE_AT, scopeOf, unchanged, type NotPlaced, type Placed, type ScopePair } from './place';
import { stripComments } from '../core/text';
import { remainder, type Reject } from './rejects';
import { editIds, type Resolutions, type Resolved } from './resolutions';
import { definitionAround, type PorterFile, type View } from './view';

/** What the porter works with; one for a whole set. */
export interface PortContext {
  /** The base with the patches so far; moves on with each patch. */
  base: View;
  /** The base with this patch, too. */
  patched: View;
  /** The target with what was ported so far; the porter lays its results over it. */
  target: View;
  heirs: Heirs;
  aligner: Aligner;
  code: CodeSearch;
  adapter: Adapter;
  roleOf: (path: ByteString) => Role;
  /** Put conflict markers where a hunk that is not placed would go. */
  markers: { target: string; set: string } | null;
  /** What people resolved before; null for none. */
  resolutions: Resolutions | null;
}

/** What became of one patch. */
export interface PortedPatch {
  patch: Patch;
  hunks: HunkReport[];
  files: FileReport[];
  rejects: Reject[];
}

/** Ports one patch: lays what it places over `context.target` and says what became of each hunk and file. */
export async function portPatch(patch: Patch, context: PortContext): Promise<PortedPatch> {
  const ported: PortedPatch = { patch, hunks: [], files: [], rejects: [] };
  const results = new Map<FileChange, PortedChange>();
  const before = new Map(context.target.changes());
  for (;;) {
    for (const change of inOrder(patch.changes)) results.set(change, await portChange(patch, change, context));
    if (!context.resolutions || (await context.resolutions.settle(context.target, context.heirs, before))) break;
    context.target.restore(before);
  }
  for (const change of patch.changes) {
    const last = results.get(change)!;
    const result = last.again?.() ?? last;
    ported.hunks.push(...result.hunks);
    ported.files.push(result.file);
    if (result.reject) ported.rejects.push(result.reject);
  }
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
  for (const change of changes) visit(change);
  return [...ordered];
}

interface PortedChange {
  hunks: HunkReport[];
  file: FileReport;
  reject: Reject | null;
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
  const taken = context.target.has(path) ? `the target has a file '${path}' of its own` : context.target.obstacle(path);
  if (taken !== null) {
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
  const adapted = code ? context.adapter.adapt(splitLines(text), path) : null;
  context.target.set(path, { text: adapted?.evidence.length ? adapted.lines.join('') : text, mode });
  const outcome: Outcome = adapted?.evidence.length ? 'rewritten' : path === source ? 'applied' : 'relocated';
  return {
    hunks: [],
    file: fileReport(patch, change, context, {
      outcome,
      targetPaths: [path],
      evidence: [...evidence, ...(adapted?.evidence ?? [])],
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

/** What became of one edit. */
interface EditResult {
  edit: Edit;
  /** One for each place that it went to; several when its definition was split. */
  placements: Placed[];
  outcome: Outcome;
  failure: NotPlaced | null;
  id?: string;
  /** A person made it; then it has no placement of the porter's. */
  resolved?: Resolved;
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
  const results: EditResult[] = [];
  for (const [edit, id] of editIds(edits)) {
    const resolved = context.resolutions?.claim(id);
    if (resolved) results.push({ edit, id, resolved, placements: [], outcome: 'rewritten', failure: null });
    else results.push(noteMisfit({ ...(await portEdit(edit, base, fileHeirs, context)), id }, context));
  }
  demoteOverlaps(results);

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
          ...results.flatMap((r) => [...r.placements.map((p) => p.file.path), ...pathsOf(r.resolved)]),
        ]),
      ],
      evidence: fileHeirs[0]?.evidence ?? [],
    }),
    reject: rejected.length
      ? { path: pathOf(change), hunks: rejected.map((hunk) => leftOf(hunk, unplaced, base.lines)) }
      : null,
  };
}

function pathsOf(resolved: Resolved | undefined): ByteString[] {
  return resolved?.target.map((t) => t.path) ?? [];
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

async function portEdit(
  edit: Edit,
  base: PorterFile,
  fileHeirs: readonly FileHeir[],
  context: PortContext,
): Promise<EditResult> {
  const scopes = new Set<Definition>();
  for (const segment of edit.segments) {
    const scope = scopeOf(base, segment);
    if (scope) scopes.add(scope);
  }
  const heirsOf = new Map<Definition, DefinitionHeir[]>();
  for (const scope of scopes) heirsOf.set(scope, await context.heirs.definitions(base.path, scope));
  const gone = [...scopes].find((s) => heirsOf.get(s)!.length === 0);
  const same = await context.target.file(base.path);
  if (same?.text === base.text) {
    // Nothing to find: also what could not be followed, a lone #endif say, has its place.
    const placed = unchanged(edit, base, same);
    adaptPayload(placed, base, heirsOf, context);
    return { edit, placements: [placed], outcome: outcomeOf(edit, base, [placed]), failure: null };
  }
  const failed = (failure: NotPlaced): EditResult => ({ edit, placements: [], outcome: 'conflict', failure });
  if (gone) {
    const code = edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : [];
    const moved = scopes.size === 1 && code.length ? await context.code.find(code) : null;
    if (moved) {
      const text = `'${gone.name}' is gone; ${Math.round(moved.share * 100)} % of the wrapped code is in '${moved.definition.name}' now`;
      heirsOf.set(gone, [
        {
          path: moved.file.path,
          definition: moved.definition,
          confidence: 0.8 * moved.share,
          evidence: [{ kind: 'code-moved', text }],
        },
      ]);
    } else if (edit.kind === 'guard-wrap' && context.code.anywhere(code) === false) {
      const reason = `${gone.kind} '${gone.name}' is gone from the target, and with it the code that it guards out`;
      return {
        edit,
        placements: [],
        outcome: 'obsolete',
        failure: { placed: false, reason, evidence: [], candidate: null },
      };
    }
  }
  if (gone && heirsOf.get(gone)!.length === 0) {
    const reason = `${gone.kind} '${gone.name}' is gone from the target, and nothing is known to have taken its place`;
    return failed({ placed: false, reason, evidence: [], candidate: null });
  }
  const paths = new Set(
    scopes.size ? [...heirsOf.values()].flatMap((list) => list.map((h) => h.path)) : fileHeirs.map((h) => h.path),
  );
  if (paths.size === 0) {
    return failed({ placed: false, reason: `'${base.path}' is gone from the target`, evidence: [], candidate: null });
  }
  if (!edit.balanced) {
    return failed({ placed: false, reason: 'it opens a guard that it does not close', evidence: [], candidate: null });
  }
  const deleted = await alreadyDeleted(edit, paths, context);
  if (deleted) return { edit, placements: [], outcome: 'already-upstream', failure: null };
  const placed: Placed[] = [];
  let failure: NotPlaced | null = null;
  let obsolete: NotPlaced | null = null;
  for (const path of paths) {
    const target = await context.target.file(path);
    if (!target) continue;
    const pairs = new Map<Definition, ScopePair>();
    for (const scope of scopes) {
      const heir = heirsOf.get(scope)!.find((h) => h.path === path);
      if (heir)
        pairs.set(scope, {
          base: scope,
          target: heir.definition,
          confidence: heir.confidence,
          evidence: heir.evidence,
        });
    }
    const attempt = placeEdit(edit, base, target, pairs, context.aligner);
    if (!attempt.placed && attempt.obsolete) {
      const code = base.lines.slice(edit.wraps!.first, edit.wraps!.last + 1);
      if (context.code.anywhere(code)) {
        failure = {
          ...attempt,
          obsolete: false,
          reason: 'the code that it guards out moved to another place of the target',
        };
      } else obsolete = { ...attempt, obsolete: false };
    } else if (attempt.placed && attempt.confidence >= PLACE_AT) placed.push(attempt);
    else failure = withCandidates(failure, notPlaced(attempt));
  }
  // What upstream moved to a file of its own has other users there: to delete it is not what the set did here.
  const stray = edit.kind === 'delete' ? placed.findIndex((p) => p.file.path !== fileHeirs[0]?.path) : -1;
  if (stray >= 0) {
    const path = placed[stray]!.file.path;
    placed.splice(0);
    failure = { placed: false, reason: `upstream moved what it deletes to '${path}'`, evidence: [], candidate: null };
  }
  if (placed.length === 0 && obsolete && !failure)
    return { edit, placements: [], outcome: 'obsolete', failure: obsolete };
  if (placed.length === 0)
    return failed(failure ?? { placed: false, reason: 'no place found', evidence: [], candidate: null });
  // Guards and replacements of code follow it to every place where it went; what is new goes to one, the best.
  if (placed.length > 1 && !(edit.wraps && scopes.size)) {
    placed.sort((a, b) => b.confidence - a.confidence);
    placed.length = 1;
  }
  for (const p of placed) adaptPayload(p, base, heirsOf, context);
  if (placed.every((p) => isThere(p, base)))
    return { edit, placements: placed, outcome: 'already-upstream', failure: null };
  return { edit, placements: placed, outcome: outcomeOf(edit, base, placed), failure: null };
}

/** A placement that is not sure enough is none, but it is a candidate. */
function notPlaced(attempt: Placed | NotPlaced): NotPlaced {
  if (!attempt.placed) return attempt;
  return {
    placed: false,
    reason: `the place is too uncertain: ${attempt.evidence.map((e) => e.text).join('; ')}`,
    evidence: attempt.evidence,
    candidate: {
      path: attempt.file.path,
      line: attempt.segments[0]!.site.at + 1,
      definition: attempt.definition,
      parts: attempt.segments.map((s) => ({ line: s.site.at + 1, remove: s.site.remove })),
    },
  };
}

/** The first failure that has a candidate speaks for the edit; those of other files are candidates, too. */
function withCandidates(first: NotPlaced | null, next: NotPlaced): NotPlaced {
  if (!first?.candidate) return first && !next.candidate ? first : next;
  return next.candidate ? { ...first, others: [...(first.others ?? []), next.candidate] } : first;
}

/** A payload that mentions what the target does not have is not sure any more. */
const DOUBTFUL = 0.75;

/** Rewrites what an edit adds for the target; what cannot be rewritten lowers the confidence and is said. */
function adaptPayload(
  placed: Placed,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): void {
  if (placed.strategy === 'unchanged' && context.base.tree.commit === context.target.tree.commit) return;
  for (const s of placed.segments) {
    const scope = scopeOf(base, s.segment);
    const heir = scope && heirsOf.get(scope)?.find((h) => h.path === placed.file.path);
    const around =
      scope?.kind === 'function' && heir
        ? {
            base: base.text.slice(scope.start, scope.end),
            target: placed.file.text.slice(heir.definition.start, heir.definition.end),
          }
        : null;
    const adapted = context.adapter.adapt(s.added, placed.file.path, around);
    if (adapted.evidence.length) {
      s.added = adapted.lines;
      placed.rewritten = true;
      placed.evidence.push(...adapted.evidence);
      placed.confidence = Math.min(placed.confidence, 0.9);
    }
    const spelling = respell(s.added, base, placed.file);
    if (spelling) {
      s.added = spelling.lines;
      placed.rewritten = true;
      placed.evidence.push({ kind: 'spelling', text: spelling.why });
    }
    adapted.doubts.push(...strangeMacros(s.added, base, placed.file));
    for (const doubt of adapted.doubts) placed.evidence.push({ kind: 'doubt', text: doubt });
    if (adapted.doubts.length) placed.confidence = Math.min(placed.confidence, DOUBTFUL);
  }
}

/** `---help---` became `help`, which every Kconfig takes; kernels that dropped the old word stop at it. */
function respell(added: readonly ByteString[], base: PorterFile, target: PorterFile) {
  if (base.index.language !== 'kconfig' || target.text.includes('---help---')) return null;
  const lines = added.map((l) => l.replace(/^(\s*)---help---/, '$1help'));
  return lines.some((l, i) => l !== added[i])
    ? { lines, why: "the target's Kconfig says 'help', not '---help---'" }
    : null;
}

/** Assembler macros that the base's file uses and the target's does not any more (ENTRY, ENDPROC …). */
function strangeMacros(added: readonly ByteString[], base: PorterFile, target: PorterFile): string[] {
  if (base.index.language !== 'asm') return [];
  const names = new Set([...stripComments(added.join('')).matchAll(/\b([A-Z][A-Z_]{3,})\s*\(/g)].map((m) => m[1]!));
  const uses = (file: PorterFile, name: string) => new RegExp(`\\b${name}\\s*\\(`).test(file.text);
  return [...names]
    .filter((n) => uses(base, n) && !uses(target, n))
    .map((n) => `uses '${n}()', which the target's file does not use any more`);
}

/** True when an edit only deletes, and not one telling line of what it deletes is left in any heir of the file. */
async function alreadyDeleted(edit: Edit, paths: ReadonlySet<ByteString>, context: PortContext): Promise<boolean> {
  if (edit.kind !== 'delete') return false;
  const squeeze = (l: ByteString) => stripComments(l).replace(/\s+/g, ' ').trim();
  const gone = edit.segments
    .flatMap((s) => s.removed)
    .map(squeeze)
    .filter((l) => /\w{4}/.test(l));
  if (gone.length === 0) return false;
  for (const path of paths) {
    const lines = new Set((await context.target.file(path))?.lines.map(squeeze));
    if (gone.some((l) => lines.has(l))) return false;
  }
  return true;
}

/**
 * True when the target has the very lines that the edit adds, at the place where they would go, and the base has them not:
 * a twin of the lines above is no answer.
 */
function isThere(p: Placed, base: PorterFile): boolean {
  return p.segments.every(({ segment, site }) => {
    const added = segment.added.map((l) => l.trim()).filter(Boolean);
    if (added.length === 0 || site.remove > 0) return false;
    const same = (lines: readonly ByteString[], from: number) =>
      lines
        .slice(Math.max(0, from), from + segment.added.length)
        .map((l) => l.trim())
        .filter(Boolean)
        .join('\n') === added.join('\n');
    const around = (lines: readonly ByteString[], at: number) =>
      same(lines, at) || same(lines, at - segment.added.length);
    return around(p.file.lines, site.at) && !around(base.lines, segment.at);
  });
}

function outcomeOf(edit: Edit, base: PorterFile, placements: readonly Placed[]): Outcome {
  const [first] = placements;
  const scope = scopeOf(base, edit.segments[0]!);
  if (placements.some((p) => p.rewritten)) return 'rewritten';
  if (placements.some((p) => p.file.path !== base.path)) return 'relocated';
  if (scope && first!.definition !== null && first!.definition !== scope.name) return 'relocated';
  return contextMatches(base, first!) ? 'applied' : 'merged';
}

/** True when the three lines around every segment are word for word those of the base: `patch` would take it without fuzz. */
function contextMatches(base: PorterFile, placed: Placed): boolean {
  return placed.segments.every(({ segment, site }) => {
    const above = base.lines.slice(Math.max(0, segment.at - 3), segment.at).join('');
    const below = base.lines
      .slice(segment.at + segment.removed.length, segment.at + segment.removed.length + 3)
      .join('');
    const { lines } = placed.file;
    return (
      lines.slice(Math.max(0, site.at - 3), site.at).join('') === above &&
      lines.slice(site.at + site.remove, site.at + site.remove + 3).join('') === below
    );
  });
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
}

/** How sure it is that code which is nowhere in the target file is gone. */
const OBSOLETE = 0.8;

function confidenceOf(r: EditResult): number {
  if (r.resolved) return r.resolved.confidence;
  if (r.outcome === 'obsolete') return OBSOLETE;
  return r.placements.length ? Math.min(...r.placements.map((p) => p.confidence)) : 0;
}

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
    target: locations(r, hunk),
    candidates: candidatesOf(r),
  }));
  // An edit that has nothing to do any more does not speak for the hunk when another one has.
  const active = own.some((r) => r.outcome !== 'obsolete') ? own.filter((r) => r.outcome !== 'obsolete') : own;
  const worst = [...active].sort(
    (a, b) => RANK.indexOf(b.outcome) - RANK.indexOf(a.outcome) || confidenceOf(a) - confidenceOf(b),
  )[0]!;
  return hunkReport(patch, change, hunk, context, {
    edits,
    outcome: worst.outcome,
    strategy: strategyOf(worst),
    confidence: Math.min(...own.map(confidenceOf)),
    source: {
      path: change.oldPath!,
      definition: definitionAround(base, hunk.oldStart + 2)?.name ?? null,
      line: hunk.oldStart,
    },
    target: own.flatMap((r) => locations(r, hunk)),
    evidence: dedupe(
      own.flatMap((r) => [
        ...(r.failure?.evidence ?? []),
        ...r.placements.flatMap((p) => p.evidence),
        ...(r.resolved?.evidence ?? []),
      ]),
    ),
    message: own.find((r) => r.failure)?.failure?.reason ?? doubtsOf(own),
  });
}

/** What a reviewer should look at, in one sentence; null when there is nothing. */
function doubtsOf(results: readonly EditResult[]): string | null {
  const doubts = results.flatMap((r) => r.placements.flatMap((p) => p.evidence.filter((e) => e.kind === 'doubt')));
  return doubts.length ? [...new Set(doubts.map((d) => d.text))].join('; ') : null;
}

function strategyOf(r: EditResult): string {
  return r.resolved?.strategy ?? r.placements[0]?.strategy ?? 'none';
}

function candidatesOf(r: EditResult): Candidate[] {
  const candidate = r.failure?.candidate;
  const others = r.failure?.others;
  return candidate ? [candidate, ...(others ?? [])].map((c) => ({ ...c, parts: c.parts ?? null })) : [];
}

function locations(r: EditResult, hunk: Hunk): Location[] {
  if (r.resolved) return r.resolved.target;
  const at = r.placements.flatMap((p) =>
    p.segments
      .filter((s) => s.segment.hunk === hunk)
      .slice(0, 1)
      .map((s) => ({ path: p.file.path, definition: p.definition, line: s.site.at + 1 })),
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
