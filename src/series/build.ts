import type { Author } from '../core/patch';
import type { ByteString } from '../core/text';
import { treeWithout } from '../io/mailer';
import type { GitRepo } from '../io/git';
import type { NewCommit, NewFile, Scratch } from '../io/scratch';
import { fileWith, readChange, type Change, type Unit } from './change';
import type { SourceCommit } from './history';
import { trailersOfPieces } from './messages';
import { fill, wrap } from './words';

/** A patch of the series, complete. */
export interface SeriesPatch {
  title: ByteString;
  body: ByteString;
  trailers: ByteString[];
  /** For reviewers, by hand: below `---`. */
  note: ByteString;
  /** What was changed for this kernel; null when there is nothing to say. */
  portNote: ByteString | null;
  author: Author;
  units: Unit[];
  /** The commit of the branch that is kept as it is; null for a piece. */
  kept: SourceCommit | null;
}

export interface MessageOptions {
  user: { name: ByteString; email: ByteString };
  signOff: boolean;
  /** Port notes go below `---` instead of into the message. */
  notesBelow: boolean;
}

/** The whole message of a commit: title, body, trailers, the porter's note in brackets and the sign-off. */
export function messageOf(patch: SeriesPatch, options: MessageOptions): ByteString {
  const block = [...patch.trailers];
  if (patch.portNote !== null && !options.notesBelow) block.push(bracket(options.user.name, patch.portNote));
  const signOff = `Signed-off-by: ${options.user.name} <${options.user.email}>`;
  if (options.signOff && block[block.length - 1] !== signOff) block.push(signOff);
  const body = patch.kept ? patch.body : wrap(patch.body);
  return `${[patch.title, body, block.join('\n')].filter((p) => p !== '').join('\n\n')}\n`;
}

/** `[name: …]`, the form in which those who pass a patch on say what they changed. */
function bracket(name: ByteString, note: ByteString): ByteString {
  const lines = fill(`[${name}: ${note.split('\n')[0]!}`).split('\n');
  const rest = note.split('\n').slice(1);
  return `${[...lines.map((l, i) => (i ? ` ${l}` : l)), ...rest.map((l) => ` ${l}`)].join('\n')}]`;
}

/** A series as commits. */
export interface Built {
  /** What was committed: the same again in another repository gives the same ids. */
  made: NewCommit[];
  commits: string[];
  trees: string[];
  /** The tree that the last one must have. */
  expected: string;
}

/** Makes the commits of a series on `change.base`, in the scratch repository. */
export async function buildCommits(
  scratch: Scratch,
  repo: GitRepo,
  change: Change,
  patches: readonly SeriesPatch[],
  options: MessageOptions,
): Promise<Built> {
  const left = new Set(change.unreadable.map((u) => u.path));
  const has = new Set<Unit>();
  const commits: NewCommit[] = [];
  for (const patch of patches) {
    const files = patch.kept ? await filesOfCommit(repo, patch.kept, left) : filesOfUnits(change, patch.units, has);
    commits.push({
      author: patch.author,
      // The author's date: two runs then give the same ids.
      committer: { ...options.user, date: patch.author.date },
      message: messageOf(patch, options),
      files,
    });
  }
  const ids = await scratch.commit(change.base, commits);
  const trees: string[] = [];
  for (const id of ids) trees.push((await scratch.repo.resolve(`${id}^{tree}`))!);
  return {
    made: commits,
    commits: ids,
    trees,
    expected: await treeWithout(scratch, change.tip, change.base, [...left]),
  };
}

function filesOfUnits(change: Change, units: readonly Unit[], has: Set<Unit>): NewCommit['files'] {
  for (const u of units) has.add(u);
  const files = new Map<ByteString, NewFile | null>();
  for (const file of new Set(units.map((u) => u.file))) {
    for (const [path, content] of fileWith(file, has)) {
      // A moved file leaves a hole, unless another file of the series has come to that place.
      if (
        content === null &&
        change.files.some((f) => f !== file && f.path === path && f.units.some((u) => has.has(u)))
      )
        continue;
      files.set(path, content);
    }
  }
  return files;
}

async function filesOfCommit(
  repo: GitRepo,
  commit: SourceCommit,
  left: ReadonlySet<ByteString>,
): Promise<NewCommit['files']> {
  const rows = await repo.output([
    'diff-tree',
    '-r',
    '-z',
    '--no-commit-id',
    '--no-renames',
    '--no-abbrev',
    commit.parents[0]!,
    commit.oid,
  ]);
  const files = new Map<ByteString, NewFile | null>();
  for (const m of rows.matchAll(/:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) \w\0([^\0]*)\0/g)) {
    if (left.has(m[3]!)) continue;
    files.set(m[3]!, /^0+$/.test(m[2]!) ? null : { mode: m[1]!, oid: m[2]! });
  }
  return files;
}

/** The commits of a branch that is split well already, as patches. */
export async function keptPatches(repo: GitRepo, commits: readonly SourceCommit[]): Promise<SeriesPatch[]> {
  const patches: SeriesPatch[] = [];
  for (const commit of commits) {
    const change = await readChange(repo, commit.parents[0]!, commit.oid);
    patches.push({
      title: commit.subject,
      body: commit.body,
      trailers: commit.trailers,
      note: '',
      portNote: null,
      author: commit.author,
      units: change.units,
      kept: commit,
    });
  }
  return patches;
}

/** Who wrote a piece: the author of the commits that touch its files, the one with most of them where there are several. */
export function authorOfPiece(units: readonly Unit[], commits: readonly SourceCommit[], user: Author): Author {
  const paths = new Set(units.flatMap((u) => [u.path, u.file.change.oldPath ?? u.path]));
  let best: Author | null = null;
  let most = 0;
  for (const commit of commits) {
    const n = commit.paths.filter((p) => paths.has(p)).length;
    if (n > most) [best, most] = [commit.author, n];
  }
  return best ?? commits[0]?.author ?? user;
}

/** Trailers of the commits that a piece was cut out of. */
export function trailersOfPiece(
  units: readonly Unit[],
  commits: readonly SourceCommit[],
): ReturnType<typeof trailersOfPieces> {
  const paths = new Set(units.flatMap((u) => [u.path, u.file.change.oldPath ?? u.path]));
  return trailersOfPieces(commits.filter((c) => c.paths.some((p) => paths.has(p))));
}
