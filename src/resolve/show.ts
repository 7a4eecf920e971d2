import { hunkHeader, hunkText, pathOf, type Hunk } from '../core/patch';
import { KportError } from '../core/errors';
import { forDisplay } from '../core/text';
import { GitRepo } from '../io/git';
import { Scratch } from '../io/scratch';
import type { KernelTree } from '../io/tree';
import { hunksOf, type PatchSet } from '../patch-set/patch-set';
import type { Edit } from '../porter/lift';
import { rolesOf } from '../porter/roles';
import type { ShowReport } from '../report/schema/show';
import { findBase } from '../result/base';
import { optionOf } from '../result/report';
import { liftSet, type LiftedFile } from './lifted';

/** A set as the porter reads it. */
export interface ShownSet {
  report: ShowReport;
  /** Edits of each hunk, with the lines of the base that they are about; empty when the base is not at hand. */
  edits: ReadonlyMap<Hunk, { id: string; edit: Edit }[]>;
}

/**
 * What a set does, hunk by hunk. Its edits are known where its base is: in the first of `trees` that has it.
 *
 * @param hunk id of the one hunk to show; null for all of files that the base has
 */
export async function showSet(set: PatchSet, trees: readonly string[], hunk: string | null): Promise<ShownSet> {
  let noEdits = `${set.manifest.base.version}, the kernel that it was made for, is not at hand`;
  let read: { base: KernelTree; lifted: LiftedFile[] } | null = null;
  for (const dir of trees) {
    try {
      read = await liftIn(set, dir);
      break;
    } catch (error) {
      // A repository without the base, or with another kernel of that version: the set is shown all the same.
      if (!(error instanceof KportError) || error.kind !== 'input') throw error;
      noEdits = error.message;
    }
  }
  const edits = new Map<Hunk, { id: string; edit: Edit }[]>();
  for (const { edits: own } of read?.lifted ?? []) {
    for (const [edit, id] of own) {
      for (const h of edit.hunks) edits.set(h, [...(edits.get(h) ?? []), { id, edit }]);
    }
  }
  const role = read ? rolesOf(set.patches, read.base.paths()) : null;
  const report: ShowReport = {
    schemaVersion: 1,
    set: set.name,
    base: set.manifest.base,
    option: optionOf(set),
    noEdits: read ? null : noEdits,
    patches: set.patches.map((p) => ({
      file: p.file,
      subject: forDisplay(p.subject),
      author: p.author && forDisplay(`${p.author.name} <${p.author.email}>`),
    })),
    files: set.patches.flatMap((p) =>
      p.changes.map((c) => ({
        ...{ patch: p.file, path: forDisplay(pathOf(c)), oldPath: c.oldPath && forDisplay(c.oldPath) },
        ...{ status: c.binary !== null ? 'binary' : c.status, role: role?.(pathOf(c)) ?? null },
        hunks: c.hunks.map((h) => h.id),
      })),
    ),
    unreadable: set.manifest.unreadable.map((u) => forDisplay(u.path)),
    hunks: [...hunksOf(set)]
      .filter((h) => (hunk === null ? h.change.status !== 'added' : h.hunk.id === hunk))
      .map(({ patch, hunk: h }) => ({
        ...{ id: h.id, patch: patch.file, path: forDisplay(h.path), header: forDisplay(hunkHeader(h)) },
        added: h.lines.filter((l) => l[0] === '+').length,
        removed: h.lines.filter((l) => l[0] === '-').length,
        edits:
          edits.get(h)?.map(({ id, edit }) => ({
            ...{ id, kind: edit.kind, guard: edit.guard && forDisplay(edit.guard) },
            hunks: edit.hunks.map((x) => x.id),
          })) ?? null,
        ...(hunk === null ? {} : { text: forDisplay(hunkText(h)) }),
      })),
  };
  return { report, edits };
}

async function liftIn(set: PatchSet, dir: string): Promise<{ base: KernelTree; lifted: LiftedFile[] }> {
  const base = await findBase(set, null, dir, dir);
  const repos = [base.repo].filter((r): r is GitRepo => r !== null);
  try {
    return { base, lifted: await Scratch.use(repos, (scratch) => liftSet(set, base, scratch)) };
  } finally {
    for (const r of repos) r.close();
  }
}
