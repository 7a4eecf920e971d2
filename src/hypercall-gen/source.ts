import { inputError } from '../core/errors';
import { hunkHeader, pathOf, type Hunk } from '../core/patch';
import { chomp, isBinary, splitLines, type ByteString } from '../core/text';
import type { PatchSet } from '../patch-set/patch-set';

/** A file that a set touches, as the set leaves it. */
export interface PatchedFile {
  path: ByteString;
  text: ByteString;
  /** For each line: whether the set wrote it. */
  added: boolean[];
  /** False when there was no base to patch: then only the lines that the hunks show are there, at their places. */
  complete: boolean;
  /** True for a file that the base does not have. */
  isNew: boolean;
}

/** Gives the text of a file of the base tree; null when it has none. */
export type ReadBase = (path: ByteString) => Promise<ByteString | null>;

interface Line {
  /** Null for a line that no hunk shows. */
  text: ByteString | null;
  added: boolean;
}

/**
 * Every text file that a set touches, patched, with the lines that the set wrote. Without a base tree the modified files
 * are rebuilt from the context of their hunks, with empty lines for what is not shown, so that line numbers stay true.
 */
export async function patchedFiles(set: PatchSet, readBase: ReadBase | null): Promise<PatchedFile[]> {
  const files = new Map<ByteString, { lines: Line[]; complete: boolean; isNew: boolean }>();
  for (const patch of set.patches) {
    for (const change of patch.changes) {
      const path = pathOf(change);
      if (change.status === 'deleted') {
        files.delete(path);
        continue;
      }
      if (change.binary !== null) continue;
      const old = change.oldPath;
      let file = old === null ? undefined : files.get(old);
      if (!file) {
        const base = old === null ? '' : readBase ? await readBase(old) : null;
        if (base !== null && isBinary(base)) continue;
        file = {
          lines: splitLines(base ?? '').map((text) => ({ text, added: false })),
          complete: base !== null,
          isNew: old === null,
        };
      }
      if (change.status === 'renamed') files.delete(old!);
      const lines = file.lines.slice();
      let shift = 0;
      for (const hunk of change.hunks) {
        const start = Math.max(0, hunk.oldStart - (hunk.oldCount === 0 ? 0 : 1)) + shift;
        replace(lines, start, hunk, file.complete, `${patch.file}: ${path}`);
        shift += hunk.newCount - hunk.oldCount;
      }
      files.set(path, { ...file, lines });
    }
  }
  return [...files]
    .map(([path, { lines, complete, isNew }]) => ({
      path,
      text: (complete ? lines : closeComments(lines)).map((l) => l.text ?? '\n').join(''),
      added: lines.map((l) => l.added),
      complete,
      isNew,
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A comment that is cut by the edge of a hunk must not swallow the next hunk: it is closed in the gap. */
function closeComments(lines: readonly Line[]): Line[] {
  const out = lines.map((l) => ({ ...l }));
  for (let from = 0; from < out.length;) {
    if (out[from]!.text === null) {
      from++;
      continue;
    }
    let to = from;
    while (to < out.length && out[to]!.text !== null) to++;
    const shown = out
      .slice(from, to)
      .map((l) => l.text!)
      .join('');
    const [opens, closes] = [shown.indexOf('/*'), shown.indexOf('*/')];
    if (closes >= 0 && (opens < 0 || closes < opens) && from > 0) out[from - 1]!.text = '/*\n';
    if (shown.lastIndexOf('/*') > shown.lastIndexOf('*/') && to < out.length) out[to]!.text = '*/\n';
    from = to + 1;
  }
  return out;
}

/** Puts a hunk's new side in the place of its old one. */
function replace(lines: Line[], start: number, hunk: Hunk, complete: boolean, where: string): void {
  while (lines.length < start + hunk.oldCount && !complete) lines.push({ text: null, added: false });
  const fresh: Line[] = [];
  let at = start;
  for (const line of hunk.lines) {
    const [mark, text] = [line[0], line.slice(1)];
    if (mark === '+') {
      fresh.push({ text, added: true });
      continue;
    }
    const known = lines[at]?.text;
    if (complete ? known === undefined || chomp(known!) !== chomp(text) : false) {
      throw inputError(
        `'${where}': the hunk '${hunkHeader(hunk)}' does not fit the base tree`,
        "give the kernel that the set was written for with '--base-tree DIR', or none to read the patches alone",
      );
    }
    if (mark === ' ') fresh.push({ text, added: lines[at]?.added ?? false });
    at++;
  }
  lines.splice(start, hunk.oldCount, ...fresh);
}
