import { inputError, internalError } from '../core/errors';
import { pathOf, type FileChange, type Hunk } from '../core/patch';
import { splitLines, type ByteString } from '../core/text';
import { blobId } from '../io/blob-id';
import type { GitRepo } from '../io/git';
import type { NewFile } from '../io/scratch';
import { readDiff } from '../patch-set/diff-reader';

/**
 * The smallest thing that the plan may move: one hunk of a file that the base has, or a whole new, deleted, moved or
 * binary file. The series must hold each exactly once.
 */
export interface Unit {
  /** Twelve hex digits. Of a hunk and of a new file: the hunk id. */
  id: string;
  path: ByteString;
  kind: 'hunk' | 'new' | 'deleted' | 'moved' | 'mode' | 'whole';
  file: ChangedFile;
  hunk: Hunk | null;
  added: number;
  removed: number;
}

/** A file before and after, and what happens in between. */
export interface ChangedFile {
  path: ByteString;
  change: FileChange;
  /** Null when the file is not there; also for content that is carried as a whole. */
  before: ByteString | null;
  after: ByteString | null;
  oldMode: string;
  newMode: string;
  oldOid: string | null;
  newOid: string | null;
  units: Unit[];
}

/** What lies between base and tip. */
export interface Change {
  base: string;
  tip: string;
  files: ChangedFile[];
  units: Unit[];
  /** Files whose content the repository lacks: left out, and named. */
  unreadable: { path: ByteString; oid: string }[];
}

const DIFF = ['--full-index', '-M', '--no-color', '--no-ext-diff', '--binary'];
const PLAIN = ['diff.noprefix=false', 'diff.mnemonicPrefix=false', 'diff.suppressBlankEmpty=false'];

/** Reads all that changes from base to tip as files and units. */
export async function readChange(repo: GitRepo, base: string, tip: string): Promise<Change> {
  const entries = await entriesOf(repo, base, tip);
  const unreadable = await unreadableFiles(repo, entries);
  const without = unreadable.map((u) => `:(exclude,top,literal)${u.path}`);
  const config = PLAIN.flatMap((c) => ['-c', c]);
  const diff = await repo.output([...config, 'diff', ...DIFF, base, tip, '--', '.', ...without]);
  const changes = readDiff(diff, `${base.slice(0, 12)}..${tip.slice(0, 12)}`);
  if (changes.length === 0) {
    throw inputError(
      'the series is empty: nothing changes between base and branch',
      "give '--branch B' a branch with the ported set, and '--base V' the revision that it was made on",
    );
  }
  const files: ChangedFile[] = [];
  for (const change of changes) files.push(await readFile(repo, change, entries));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { base, tip, files, units: files.flatMap((f) => f.units), unreadable };
}

async function readFile(repo: GitRepo, change: FileChange, entries: Entries): Promise<ChangedFile> {
  const old = change.oldPath === null ? null : (entries.get(change.oldPath)?.old ?? null);
  const fresh = change.newPath === null ? null : (entries.get(change.newPath)?.fresh ?? null);
  const text = async (id: string | null) => (id === null || change.binary !== null ? null : await repo.readBlob(id));
  const [oldOid, newOid] = [old?.oid ?? null, fresh?.oid ?? null];
  const file: ChangedFile = {
    path: pathOf(change),
    change,
    before: await text(oldOid),
    after: await text(newOid),
    oldMode: old?.mode ?? fresh?.mode ?? '100644',
    newMode: fresh?.mode ?? old?.mode ?? '100644',
    oldOid,
    newOid,
    units: [],
  };
  const unit = (kind: Unit['kind'], hunk: Hunk | null): Unit => {
    const count = (mark: string) => (hunk?.lines ?? []).filter((l) => l[0] === mark).length;
    const id = hunk?.id ?? blobId(`${kind}\0${file.path}\0${newOid ?? oldOid ?? file.newMode}`).slice(0, 12);
    return { id, path: file.path, kind, file, hunk, added: count('+'), removed: count('-') };
  };
  const { status, hunks } = change;
  if (status === 'added') file.units = [unit(change.binary === null ? 'new' : 'whole', hunks[0] ?? null)];
  else if (status === 'deleted') file.units = [unit('deleted', hunks[0] ?? null)];
  else if (change.binary !== null) file.units = [unit('whole', null)];
  else {
    if (change.oldPath !== change.newPath) file.units.push(unit('moved', null));
    else if (file.oldMode !== file.newMode) file.units.push(unit('mode', null));
    file.units.push(...hunks.map((h) => unit('hunk', h)));
    // An old file of a rename keeps its blob when nothing else changes.
    if (hunks.length && applyHunks(file, new Set(file.units)) !== file.after) {
      throw internalError(`the hunks of '${file.path}' do not add up to the file of the branch`);
    }
  }
  return file;
}

/** The text of a file with some of its hunks. */
function applyHunks(file: ChangedFile, has: ReadonlySet<Unit>): ByteString {
  const lines = splitLines(file.before ?? '');
  const out: ByteString[] = [];
  let at = 0;
  for (const unit of file.units) {
    if (!unit.hunk || !has.has(unit)) continue;
    // For an empty old side git names the line before it.
    const start = unit.hunk.oldCount === 0 ? unit.hunk.oldStart : unit.hunk.oldStart - 1;
    out.push(...lines.slice(at, start));
    for (const line of unit.hunk.lines) if (line[0] !== '-') out.push(line.slice(1));
    at = start + unit.hunk.oldCount;
  }
  return [...out, ...lines.slice(at)].join('');
}

/**
 * A file as it stands when the units `has` are in. A map, because a move leaves a hole at the old path. Nothing for a
 * file that none of them touches.
 */
export function fileWith(file: ChangedFile, has: ReadonlySet<Unit>): Map<ByteString, NewFile | null> {
  const result = new Map<ByteString, NewFile | null>();
  const there = file.units.filter((u) => has.has(u));
  if (there.length === 0) return result;
  const whole = there.length === file.units.length;
  const { change } = file;
  if (change.status === 'deleted') result.set(file.path, null);
  else if (whole && file.newOid) result.set(file.path, { mode: file.newMode, oid: file.newOid });
  else if (whole && file.oldOid) result.set(file.path, { mode: file.newMode, oid: file.oldOid });
  else {
    const mode = there.some((u) => u.kind === 'mode' || u.kind === 'moved') ? file.newMode : file.oldMode;
    const content = applyHunks(file, has);
    const moved = file.units[0]!.kind === 'moved';
    // Edits of a moved file may come first: they are then made where the file still is.
    const path = moved && !has.has(file.units[0]!) ? change.oldPath! : file.path;
    result.set(path, { mode, content });
  }
  if (change.status === 'renamed' && has.has(file.units[0]!)) result.set(change.oldPath!, null);
  return result;
}

type Entry = { mode: string; oid: string };
type Entries = Map<ByteString, { old: Entry | null; fresh: Entry | null }>;

/** Modes and blob ids of all that changes; a diff's text has them only for content that changes. */
async function entriesOf(repo: GitRepo, base: string, tip: string): Promise<Entries> {
  const rows = await repo.output(['diff-tree', '-r', '-z', '--no-renames', '--no-abbrev', base, tip]);
  const entries: Entries = new Map();
  for (const m of rows.matchAll(/:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) \w\0([^\0]*)\0/g)) {
    const entry = (mode: string, oid: string) => (/^0+$/.test(oid) ? null : { mode, oid });
    entries.set(m[5]!, { old: entry(m[1]!, m[3]!), fresh: entry(m[2]!, m[4]!) });
  }
  return entries;
}

/** Files that change and whose old or new content the repository does not have. */
async function unreadableFiles(repo: GitRepo, entries: Entries): Promise<Change['unreadable']> {
  const touched = [...entries].flatMap(([path, e]) =>
    [e.old, e.fresh].filter((x) => x !== null && x.mode !== '160000').map((x) => ({ path, oid: x!.oid })),
  );
  if (touched.length === 0) return [];
  const checked = await repo.output(['cat-file', '--batch-check=%(objectname)'], {
    input: [...new Set(touched.map((t) => t.oid))].map((o) => `${o}\n`).join(''),
  });
  const missing = new Set([...checked.matchAll(/^([0-9a-f]+) missing$/gm)].map((m) => m[1]!));
  return touched.filter((t) => missing.has(t.oid));
}
