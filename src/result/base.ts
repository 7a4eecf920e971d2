import { inputError } from '../core/errors';
import { compareVersions, formatVersion, parseVersion } from '../core/version';
import { GitRepo } from '../io/git';
import { openTree, type KernelTree } from '../io/tree';
import type { PatchSet } from '../patch-set/patch-set';

/**
 * The kernel that a set was made for: in `--base-tree`, else in the repository of the target by its commit or its tag, else
 * the target itself (null: none) when it is the same version. Throws an input error when it is nowhere.
 */
export async function findBase(
  set: PatchSet,
  target: KernelTree | null,
  treeDir: string,
  baseTree: string | null,
  /** True for the set that is ported: '--base-tree' is about its base, not about that of a reference. */
  isPorted = true,
): Promise<KernelTree> {
  const { version, commit } = set.manifest.base;
  const revisions = [commit, version, version.replace(/^v/, '')].filter((r): r is string => r !== null);
  for (const dir of baseTree === null ? [treeDir] : [baseTree]) {
    const repo = await GitRepo.open(dir);
    if (!repo) {
      if (baseTree !== null) return openTree(dir, null);
      continue;
    }
    for (const revision of revisions) {
      if ((await repo.commit(revision)) !== null) {
        repo.close();
        return openTree(dir, revision);
      }
    }
    repo.close();
    if (baseTree !== null) {
      throw inputError(
        `'${baseTree}' has no ${version}, the base of patch set '${set.name}'`,
        `run 'git -C ${baseTree} fetch --tags'`,
      );
    }
  }
  const wanted = parseVersion(version);
  if (wanted && target && compareVersions(wanted, target.version) === 0) return target;
  throw inputError(
    `the base of patch set '${set.name}', ${version}, is not in '${treeDir}'${target ? ` (which has ${formatVersion(target.version)})` : ''}`,
    ...(isPorted ? [`give its folder or repository with '--base-tree DIR'`] : []),
    `${isPorted ? 'or ' : ''}fetch the tag into the repository: 'git -C ${treeDir} fetch origin tag ${version}'`,
  );
}
