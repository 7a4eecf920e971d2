import { DiskCache, cacheDirectory } from '../io/cache';
import { openTree, type KernelTree } from '../io/tree';
import {
  indexKernel,
  scopeOfSet,
  WHOLE_TREE,
  type IndexKernelOptions,
  type KernelIndex,
  type Scope,
} from '../kernel-index';
import { listSets, loadSet, touchedPaths } from '../patch-set/patch-set';
import { patchesDirToRead } from './patches-dir';
import type { Ui } from './ui';

/** What `index` and `map` look at: what a set touches, or the whole tree. */
export type ScopeName = 'set' | 'tree';

/** The scope of a set; KVM alone when the set is not there. */
export async function scopeNamed(
  name: ScopeName,
  set: string | undefined,
  patches: string | undefined,
): Promise<Scope> {
  if (name === 'tree') return WHOLE_TREE;
  const dir = patchesDirToRead(patches);
  if (set === undefined) {
    const touched: string[] = [];
    for (const known of listSets(dir)) touched.push(...touchedPaths(await loadSet(dir, known)));
    return scopeOfSet(touched);
  }
  return scopeOfSet(touchedPaths(await loadSet(dir, set)));
}

/** Opens and indexes one kernel, with the cache unless told otherwise. */
export async function indexOf(
  dir: string,
  revision: string | null,
  scope: Scope,
  ui: Ui,
  options: { cache: boolean } & Pick<IndexKernelOptions, 'grammar' | 'countRaw' | 'onFile'> = { cache: true },
): Promise<KernelIndex> {
  const tree: KernelTree = await openTree(dir, revision);
  return indexKernel(tree, {
    scope,
    ...options,
    cache: options.cache ? new DiskCache(cacheDirectory()) : null,
    onProgress: (done, total) => ui.progress(`indexing ${tree.name}: ${done} of ${total} files`),
  });
}
