import type { Patch } from '../core/patch';
import type { ByteString } from '../core/text';
import { runGit, type GitRepo } from '../io/git';
import type { NewCommit, NewFile } from '../io/scratch';
import type { KernelTree } from '../io/tree';

/** Name, address and date in git's raw form (`<seconds> <zone>`) or RFC 2822. */
export interface Identity {
  name: ByteString;
  email: ByteString;
  date: string;
}

/**
 * The user as git knows them, in a repository or, for null, outside of any; null when they never told git. What git
 * would make up from the machine's name is nobody.
 */
export async function identityOf(repo: GitRepo | null): Promise<Identity | null> {
  const done = await runGit(repo?.dir ?? '.', ['-c', 'user.useConfigOnly=true', 'var', 'GIT_COMMITTER_IDENT']);
  const m = /^(.*) <(.*)> (\d+ [-+]\d+)\n?$/.exec(done.stdout.toString('latin1'));
  return m ? { name: m[1]!, email: m[2]!, date: m[3]! } : null;
}

/**
 * The commits of a ported set: one for each source patch that changes something in the target.
 *
 * Two runs give the same ids: a patch is committed at its author's date, one without author at the date of the target's
 * commit. The author stays; the committer is the user.
 */
export function commitsOf(
  patches: readonly Patch[],
  trees: readonly ReadonlyMap<ByteString, { text: ByteString; mode: string } | null>[],
  user: Identity,
  targetDate: string,
): { patch: Patch; commit: NewCommit }[] {
  const commits: { patch: Patch; commit: NewCommit }[] = [];
  let before: ReadonlyMap<ByteString, { text: ByteString; mode: string } | null> = new Map();
  patches.forEach((patch, i) => {
    const after = trees[i]!;
    const files = new Map<ByteString, NewFile | null>();
    for (const [path, file] of after) {
      const was = before.get(path);
      if (was !== undefined && was?.text === file?.text && was?.mode === file?.mode) continue;
      files.set(path, file && { mode: file.mode, content: file.text });
    }
    before = after;
    if (files.size === 0) return;
    const author = patch.author ?? { ...user, date: targetDate };
    const message = `${patch.subject}\n${patch.body ? `\n${patch.body}\n` : ''}`;
    commits.push({ patch, commit: { author, committer: { ...user, date: author.date }, message, files } });
  });
  return commits;
}

/** The committer date of a tree's commit, in raw form; the epoch of a plain folder, which has none. */
export async function dateOf(tree: KernelTree): Promise<string> {
  if (!tree.repo || !tree.commit) return '0 +0000';
  // Not `git show`: it reads the trees, which a partial copy may lack.
  const commit = await tree.repo.output(['cat-file', 'commit', tree.commit]);
  return /^committer .*> (\d+ [-+]\d+)$/m.exec(commit)?.[1] ?? '0 +0000';
}
