import path from 'node:path';
import { inputError } from '../core/errors';
import type { PortReport } from '../core/report';
import { readFileIfAny } from '../io/files';
import { GitRepo } from '../io/git';
import { isFolder, openTree, type KernelTree } from '../io/tree';
import type { PatchSet } from '../patch-set/patch-set';

/**
 * The report that `kport apply` stored for a branch, or for the last port when `branch` is null; null when there is none.
 */
export async function storedPort(dir: string, branch: string | null): Promise<PortReport | null> {
  const repo = await GitRepo.open(dir);
  if (!repo) return null;
  const common = (await repo.output(['rev-parse', '--git-common-dir'])).trim();
  const ports = path.join(path.resolve(repo.dir, common), 'kport', 'ports');
  const name = branch ?? readFileIfAny(path.join(ports, 'last'))?.trim();
  const text = name ? readFileIfAny(path.join(ports, name, 'port.json')) : null;
  return text ? (JSON.parse(Buffer.from(text, 'latin1').toString('utf8')) as PortReport) : null;
}

/** The kernel that a set was made for: a folder, a revision, or what the set itself names; null when it is not at hand. */
export async function baseOfSet(set: PatchSet, dir: string, baseTree: string | null): Promise<KernelTree | null> {
  const { commit, version } = set.manifest.base;
  if (baseTree !== null) {
    return isFolder(baseTree)
      ? openTree(baseTree, commitOf(await GitRepo.open(baseTree), commit) ?? null)
      : openTree(dir, baseTree);
  }
  const repo = await GitRepo.open(dir);
  if (!repo) return null;
  for (const revision of [commit, version]) {
    if (revision && (await repo.commit(revision))) return openTree(dir, revision);
  }
  return null;
}

function commitOf(repo: GitRepo | null, commit: string | null): string | null {
  if (repo && commit === null)
    throw inputError("the set does not name its base's commit", "give '--base-tree' a folder or a revision");
  return repo ? commit : null;
}
