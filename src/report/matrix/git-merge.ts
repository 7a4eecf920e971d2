import { internalError } from '../../core/errors';
import type { ByteString } from '../../core/text';
import { firstLine } from '../../io/git';
import type { Scratch } from '../../io/scratch';
import type { KernelTree } from '../../io/tree';
import type { PatchSet } from '../../patch-set/patch-set';
import { baseAfterEachPatch } from '../../porter/source';
import type { GitMerge } from '../schema/matrix';

/**
 * What `git merge` leaves open when the patched base is merged into the target: renames followed, no checkout.
 *
 * Needs base and target as commits. A blob that the repository lacks is taken as the base has it, or left out: the merge
 * would stop at it, though it has nothing to do with the set.
 */
export async function mergeWithGit(
  set: PatchSet,
  base: KernelTree,
  target: KernelTree,
  scratch: Scratch,
): Promise<GitMerge> {
  const missing = await missingBlobs(base, target, scratch);
  const baseRows = rowsOf(base, missing, null);
  const patched = new Map(baseRows);
  for await (const { files } of baseAfterEachPatch(set, base, scratch, null)) {
    for (const [path, file] of files) {
      if (file === null) patched.delete(path);
      else patched.set(path, { mode: file.mode, oid: await scratch.writeBlob(file.text) });
    }
  }
  const root = await commitOf(scratch, await scratch.writeTree(baseRows), null);
  const ours = await commitOf(scratch, await scratch.writeTree(rowsOf(target, missing, baseRows)), root);
  const theirs = await commitOf(scratch, await scratch.writeTree(patched), root);
  const done = await scratch.repo.run(
    [
      '-c',
      'merge.renameLimit=100000',
      'merge-tree',
      '--write-tree',
      '-z',
      '--name-only',
      '--no-messages',
      ours,
      theirs,
    ],
    { ok: [0, 1, 128, 129] },
  );
  if (done.code > 1) throw internalError(`git merge-tree failed: ${firstLine(done.stderr)}`);
  const [tree, ...names] = done.stdout.toString('latin1').split('\0').filter(Boolean);
  const paths = [...new Set(names)].sort();
  const merged = await scratch.repo.listTree(tree!);
  let regions = 0;
  for (const path of paths) {
    const entry = merged.get(path);
    const text = entry ? await scratch.repo.readBlob(entry.oid) : null;
    regions += text?.match(/^<{7} /gm)?.length ?? 0;
  }
  return { regions, files: paths.length, paths };
}

type Rows = Map<ByteString, { mode: string; oid: string }>;

function rowsOf(tree: KernelTree, missing: ReadonlySet<string>, instead: Rows | null): Rows {
  const rows: Rows = new Map();
  for (const path of tree.paths()) {
    const entry = tree.entry(path)!;
    const row = missing.has(entry.oid) ? instead?.get(path) : entry;
    if (row && row.mode !== '160000') rows.set(path, row);
  }
  return rows;
}

/** Blobs of the files in which the two trees differ, as far as the repositories lack them. */
async function missingBlobs(base: KernelTree, target: KernelTree, scratch: Scratch): Promise<Set<string>> {
  const asked = new Set<string>();
  for (const [a, b] of [
    [base, target],
    [target, base],
  ] as const) {
    for (const path of a.paths()) {
      const entry = a.entry(path)!;
      if (entry.oid !== b.entry(path)?.oid) asked.add(entry.oid);
    }
  }
  const answer = await scratch.repo.output(['cat-file', '--batch-check=%(objectname)'], {
    input: [...asked].map((oid) => `${oid}\n`).join(''),
  });
  return new Set([...answer.matchAll(/^([0-9a-f]+) missing$/gm)].map((m) => m[1]!));
}

async function commitOf(scratch: Scratch, tree: string, parent: string | null): Promise<string> {
  const done = await scratch.repo.output(['commit-tree', tree, ...(parent ? ['-p', parent] : []), '-m', 'kport'], {
    env: {
      GIT_AUTHOR_NAME: 'kport',
      GIT_AUTHOR_EMAIL: 'kport@localhost',
      GIT_COMMITTER_NAME: 'kport',
      GIT_COMMITTER_EMAIL: 'kport@localhost',
    },
  });
  return done.trim();
}
