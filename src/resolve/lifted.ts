import { splitLines, type ByteString } from '../core/text';
import type { Scratch } from '../io/scratch';
import type { KernelTree } from '../io/tree';
import { languageOf } from '../kernel-index/language';
import type { PatchSet } from '../patch-set/patch-set';
import { liftEdits, type Edit } from '../porter/lift';
import { editIds } from '../porter/resolutions';
import { baseAfterEachPatch } from '../porter/source';

/** What one patch does to one file that the base has, lifted to edits. */
export interface LiftedFile {
  patch: string;
  /** Path in the base. */
  path: ByteString;
  /** The file before the patch. */
  lines: ByteString[];
  edits: Map<Edit, string>;
}

/** Lifts the hunks of a set in its base, as a port does. Files that the base lacks are left out. */
export async function liftSet(
  set: PatchSet,
  base: KernelTree,
  scratch: Scratch,
  wanted: (patch: string) => boolean = () => true,
): Promise<LiftedFile[]> {
  const lifted: LiftedFile[] = [];
  const laid = new Map<ByteString, ByteString | null>();
  for await (const { patch, files } of baseAfterEachPatch(set, base, scratch, null)) {
    for (const change of wanted(patch.file) ? patch.changes : []) {
      const from = change.oldPath;
      if (change.status === 'added' || from === null || change.binary !== null || change.hunks.length === 0) continue;
      const text = laid.has(from) ? laid.get(from)! : await base.read(from);
      if (text === null) continue;
      const lines = splitLines(text);
      lifted.push({
        patch: patch.file,
        path: from,
        lines,
        edits: editIds(liftEdits(lines, change.hunks, languageOf(from))),
      });
    }
    for (const [path, file] of files) laid.set(path, file?.text ?? null);
  }
  return lifted;
}
