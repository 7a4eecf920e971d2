import { createHash } from 'node:crypto';
import type { ByteString } from './text';

/** What a patch does to a file as a whole. */
export type ChangeStatus = 'added' | 'deleted' | 'modified' | 'renamed' | 'copied';

/** One `@@` block. Line numbers are 1-based, as in the block's header. */
export interface Hunk {
  /** Stable across runs: hash of path and content, not of position. See {@link hunkId}. */
  id: string;
  /** The path that the hunk is about: the new one, or the old one of a deleted file. */
  path: string;
  oldStart: number;
  oldCount: number;
  newStart: number;
  newCount: number;
  /** What stands behind the second `@@`. */
  section: ByteString;
  /** Body lines: marker (` `, `+` or `-`), content, line end. A line that ends the file without one lacks it here too. */
  lines: ByteString[];
}

/** What one patch does to one file. */
export interface FileChange {
  status: ChangeStatus;
  /** Null for a new file. */
  oldPath: string | null;
  /** Null for a deleted file. */
  newPath: string | null;
  /** Octal, as git writes it; null when the patch does not say. */
  oldMode: string | null;
  newMode: string | null;
  /** Blob ids of the `index` line, often abbreviated; null when the patch has none. */
  oldBlob: string | null;
  newBlob: string | null;
  hunks: Hunk[];
  /** A `GIT binary patch` or a bare "Binary files differ", kept as it is; null for text. */
  binary: ByteString | null;
}

/** Who wrote a patch, as bytes. */
export interface Author {
  name: ByteString;
  email: ByteString;
  /** RFC 2822 or git's raw form; kept as the source has it. */
  date: string;
}

/** One patch of a set: what becomes one commit. */
export interface Patch {
  /** Where it is stored, relative to the set. */
  file: string;
  /** Null when the source was a bare diff: then nobody may be invented. */
  author: Author | null;
  subject: ByteString;
  /** The message after the subject, without the `---` part. */
  body: ByteString;
  /** The diff as it stands in the source: what `git apply` is given. */
  diff: ByteString;
  changes: FileChange[];
}

/** The path that names a change: the new one, else the old one. */
export function pathOf(change: FileChange): string {
  const path = change.newPath ?? change.oldPath;
  if (path === null) throw new Error('a change without a path');
  return path;
}

/** The text that a hunk expects, and the text that it leaves. */
export function hunkSides(hunk: Hunk): { old: ByteString[]; new: ByteString[] } {
  const side = (marks: string) => hunk.lines.filter((l) => marks.includes(l[0]!)).map((l) => l.slice(1));
  return { old: side(' -'), new: side(' +') };
}

/** `@@ -a,b +c,d @@ section` */
export function hunkHeader(h: Hunk): ByteString {
  const range = (start: number, count: number) => (count === 1 ? `${start}` : `${start},${count}`);
  return `@@ -${range(h.oldStart, h.oldCount)} +${range(h.newStart, h.newCount)} @@${h.section ? ` ${h.section}` : ''}`;
}

/** A hunk as patch text, `\ No newline at end of file` included. */
export function hunkText(h: Hunk): ByteString {
  const body = h.lines.map((l) => (l.endsWith('\n') ? l : `${l}\n\\ No newline at end of file\n`));
  return `${hunkHeader(h)}\n${body.join('')}`;
}

/**
 * Twelve hex digits over path and body. A set may repeat a hunk word for word, so `nth` (0 for the first) tells twins
 * apart; position never enters.
 */
export function hunkId(path: string, lines: readonly ByteString[], nth: number): string {
  const hash = createHash('sha256').update(`${path}\0${nth}\0`);
  for (const line of lines) hash.update(line, 'latin1').update('\0');
  return hash.digest('hex').slice(0, 12);
}
