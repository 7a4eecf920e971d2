import type { Patch } from '../core/patch';
import { pathOf } from '../core/patch';
import type { ByteString } from '../core/text';
import type { TreeEntry } from '../io/git';
import type { Scratch } from '../io/scratch';
import type { KernelTree } from '../io/tree';
import { includeCandidates } from '../kernel-index/scope';
import { touchedPaths, type PatchSet } from '../patch-set/patch-set';
import { assertNoSymlink } from '../patch-set/safety';

/** Files as one patch of the set leaves them in the base; null for a deleted one. */
export type FilesAfter = ReadonlyMap<ByteString, { text: ByteString; mode: string } | null>;

/**
 * Applies the patches of a set to its base, one after the other, with git itself (renames, modes, binaries and all).
 * Gives each patch with the files that it changed. Throws an input error when the base is not the one that the set was
 * made for. Files that cannot be read are left out; their changes stand in the patch for the porter to report.
 */
export async function* baseAfterEachPatch(
  set: PatchSet,
  base: KernelTree,
  scratch: Scratch,
  only: ((path: ByteString) => boolean) | null,
): AsyncGenerator<{ patch: Patch; files: FilesAfter }> {
  for (const patch of set.patches) {
    for (const change of patch.changes) {
      assertNoSymlink(patch.file, pathOf(change), (dir) => base.entry(dir)?.mode ?? null);
    }
  }
  const entries: [ByteString, TreeEntry][] = [];
  const unreadable: ByteString[] = [];
  for (const path of [...touchedPaths(set)].sort()) {
    const entry = base.entry(path);
    if (!entry) continue;
    const text = await base.read(path);
    if (text === null) unreadable.push(path);
    else entries.push([path, base.repo ? entry : { mode: entry.mode, oid: await scratch.writeBlob(text) }]);
  }
  let tree = await scratch.writeTree(entries);
  for (const patch of set.patches) {
    const next = await scratch.applyPatch(tree, patch.diff, patch.file, unreadable);
    const files = new Map<ByteString, { text: ByteString; mode: string } | null>();
    for (const row of await scratch.changedFiles(tree, next)) {
      const text = row.oid === null ? null : await scratch.repo.readBlob(row.oid);
      files.set(row.path, text === null ? null : { text, mode: row.mode });
    }
    tree = next;
    const changes = only ? patch.changes.filter((c) => only(pathOf(c))) : patch.changes;
    yield { patch: { ...patch, changes }, files };
  }
}

/** The headers that files of a set include, wherever those may be: what they define is what the set's code speaks of. */
export function includedBy(steps: Iterable<FilesAfter>): Set<ByteString> {
  const headers = new Set<ByteString>();
  for (const files of steps) {
    for (const [path, file] of files) {
      if (file === null || !/\.[chS]$/.test(path)) continue;
      for (const [, open, name] of file.text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm))
        for (const header of includeCandidates(path, name!, open === '<')) headers.add(header);
    }
  }
  return headers;
}
