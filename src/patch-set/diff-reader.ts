import { parsePatch } from 'diff';
import parseDiff from 'parse-diff';
import { inputError } from '../core/errors';
import { hunkId, type ChangeStatus, type FileChange, type Hunk } from '../core/patch';
import { chomp, splitLines, type ByteString } from '../core/text';
import { quotePath, unquotePath } from '../io/git';

/**
 * Reads the diff part of a patch: all that `git diff` and `git format-patch` write, and plain unified diffs.
 *
 * One reader that counts lines cuts the text into files and hunks; parse-diff, and where parse-diff is known to stumble
 * (CRLF, a missing final newline, quoted names) jsdiff, must then find the same hunks in each section. No reader
 * that was tried reads everything, and each is silent about what it drops; two that agree are not wrong together.
 *
 * Throws an input error, with `name` and the line, for a truncated or garbled diff and for a combined one.
 */
export function readDiff(text: ByteString, name: string): FileChange[] {
  return readForGit(text, name).changes;
}

/**
 * Reads a diff, and gives it as `git apply -p1` takes it: as it stands, or, when its names are not what git expects (no
 * prefix, svn), with headers of our own.
 */
export function readForGit(text: ByteString, name: string): { changes: FileChange[]; diff: ByteString } {
  const changes: FileChange[] = [];
  const seen = new Map<string, number>();
  const sections = cutSections(splitLines(text), name);
  for (const section of sections) {
    const change = readSection(section, name);
    for (const hunk of change.hunks) {
      hunk.path = (change.newPath ?? change.oldPath)!;
      const key = `${hunk.path}\0${hunk.lines.join('\0')}`;
      const nth = seen.get(key) ?? 0;
      seen.set(key, nth + 1);
      hunk.id = hunkId(hunk.path, hunk.lines, nth);
    }
    crossCheck(change, section, name);
    changes.push(change);
  }
  const plain = sections.every((section, i) => isP1(section, changes[i]!));
  const diff = plain ? text : sections.map((section, i) => sectionForGit(section, changes[i]!)).join('');
  return { changes, diff };
}

/** True when the names in a section's header, less their first component, are those of the change. */
function isP1(section: Section, change: FileChange): boolean {
  return section.header.every((line) => {
    const m = /^(?:---|\+\+\+) ([^"\t\r\n]*)|^diff --git ([^" ]*) ([^" ]*)\r?\n$/.exec(line);
    const names = m ? [m[1], m[2], m[3]].filter((n) => n !== undefined && n !== '' && n !== '/dev/null') : [];
    return names.every(
      (n) => [change.oldPath, change.newPath].includes(n!.replace(/^[^/]*\//, '')) && n!.includes('/'),
    );
  });
}

/** A section under a header that `git apply -p1` reads as we did. */
function sectionForGit(section: Section, change: FileChange): ByteString {
  const named = (prefix: string, p: ByteString | null) =>
    p === null ? '/dev/null' : `${quotePath(prefix + p)}${p.includes(' ') ? '\t' : ''}`;
  const [old, fresh] = [change.oldPath ?? change.newPath!, change.newPath ?? change.oldPath!];
  const header = section.header.map((line) => {
    if (line.startsWith('diff --git ')) return `diff --git ${quotePath(`a/${old}`)} ${quotePath(`b/${fresh}`)}\n`;
    if (line.startsWith('--- ')) return `--- ${named('a/', change.oldPath)}\n`;
    if (line.startsWith('+++ ')) return `+++ ${named('b/', change.newPath)}\n`;
    return line;
  });
  return [...header, ...(section.binary ?? []), ...section.hunks.flatMap((h) => h.lines)].join('');
}

/** The lines of one file's part of a diff. */
interface Section {
  /** 1-based line of the patch at which it begins. */
  at: number;
  header: ByteString[];
  hunks: { at: number; lines: ByteString[] }[];
  binary: ByteString[] | null;
  /** The name on svn's (and quilt's) `Index:` line; null when there is none. */
  index: ByteString | null;
}

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(?: (.*))?/;

function cutSections(lines: ByteString[], name: string): Section[] {
  const sections: Section[] = [];
  let current: Section | null = null;
  const begin = (at: number): Section => {
    const section: Section = { at: at + 1, header: [], hunks: [], binary: null, index: null };
    sections.push(section);
    return section;
  };
  for (let i = 0; i < lines.length;) {
    const line = lines[i]!;
    if (/^diff --(cc|combined) /.test(line)) {
      throw inputError(
        `'${name}' line ${i + 1} is a combined diff, which cannot be applied`,
        'export merges with git format-patch or git diff A B',
      );
    }
    if (line.startsWith('diff --git ')) {
      current = begin(i);
      current.header.push(line);
      i++;
    } else if (line.startsWith('--- ') && lines[i + 1]?.startsWith('+++ ') && HUNK.test(lines[i + 2] ?? '')) {
      // In a git section these belong to its header; otherwise (GNU diff, quilt, svn) they begin a section.
      if (!current || current.hunks.length || current.header.some((l) => l.startsWith('--- '))) {
        current = begin(i);
        const before = lines.slice(Math.max(0, i - 2), i).map((l) => /^Index: (.*)/.exec(chomp(l))?.[1]);
        current.index = before.find((l) => l !== undefined) ?? null;
      }
      current.header.push(line, lines[i + 1]!);
      i += 2;
    } else if (current && HUNK.test(line)) {
      const end = hunkEnd(lines, i, name);
      current.hunks.push({ at: i + 1, lines: lines.slice(i, end) });
      i = end;
    } else if (current && line.startsWith('@@ ')) {
      throw inputError(`'${name}' line ${i + 1}: garbled hunk header '${chomp(line).slice(0, 60)}'`);
    } else if (current && /^(GIT binary patch|Binary files .* differ)/.test(line)) {
      let end = i + 1;
      while (end < lines.length && !lines[end]!.startsWith('diff --git ') && !/^-- \r?\n?$/.test(lines[end]!)) end++;
      current.binary = lines.slice(i, end);
      i = end;
    } else {
      if (current && current.hunks.length === 0 && EXTENDED.test(line)) current.header.push(line);
      i++;
    }
  }
  return sections;
}

const EXTENDED =
  /^(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to|similarity index|dissimilarity index|index) /;

/** The line after a hunk's last, by counting. */
function hunkEnd(lines: ByteString[], start: number, name: string): number {
  const m = HUNK.exec(lines[start]!)!;
  let old = Number(m[2] ?? 1);
  let fresh = Number(m[4] ?? 1);
  let i = start + 1;
  while (old > 0 || fresh > 0) {
    const mark = lines[i]?.[0];
    // Mailers eat the blank of an empty context line.
    if (mark === ' ' || mark === '\n' || mark === '\r') {
      old--;
      fresh--;
    } else if (mark === '-') old--;
    else if (mark === '+') fresh--;
    else if (mark !== '\\') {
      const what = i >= lines.length ? 'the patch ends' : `'${chomp(lines[i]!).slice(0, 40)}' stands`;
      throw inputError(
        `'${name}' is truncated or damaged: ${what} at line ${i + 1} inside the hunk that begins at line ${start + 1}`,
        'get the patch again; mail clients that wrap lines or drop blanks damage patches',
      );
    }
    if (old < 0 || fresh < 0) {
      throw inputError(
        `'${name}' is damaged: the hunk at line ${start + 1} has other line counts than its header says`,
      );
    }
    i++;
  }
  while (lines[i]?.startsWith('\\')) i++;
  // A hunk with more lines than announced: every reader that was tried drops the rest without a word.
  const more = lines[i];
  if (more !== undefined && /^[ +-]/.test(more) && !/^--\s*$/.test(more) && !isFileHeader(lines, i)) {
    throw inputError(
      `'${name}' is damaged: the hunk at line ${start + 1} goes on at line ${i + 1} with more lines than its header says`,
      'get the patch again; patches that were edited by hand need their counts mended (rediff, recountdiff)',
    );
  }
  return i;
}

function isFileHeader(lines: readonly ByteString[], i: number): boolean {
  return Boolean(lines[i]?.startsWith('--- ') && lines[i + 1]?.startsWith('+++ '));
}

function readSection(section: Section, name: string): FileChange {
  const value = (prefix: string) => {
    const line = section.header.find((l) => l.startsWith(prefix));
    return line === undefined ? null : chomp(line).slice(prefix.length);
  };
  const side = (prefix: '--- ' | '+++ ') => {
    const raw = value(prefix);
    if (raw === null) return undefined;
    // GNU diff puts a tab and a time stamp behind the name.
    const file = raw.startsWith('"') ? unquotePath(raw) : raw.replace(/\t.*$/, '');
    return file === '/dev/null' ? null : file;
  };
  const absolute = [side('--- '), side('+++ ')].find((p) => p?.startsWith('/'));
  if (absolute) {
    throw inputError(
      `'${name}' names '${absolute}', an absolute path: refused`,
      'a patch may only name files inside the kernel tree',
    );
  }
  let oldPath = side('--- ');
  let newPath = side('+++ ');
  const git = value('diff --git ');
  const named = git === null ? null : namesOfGitHeader(git);
  for (const [i, p] of [oldPath, newPath].entries()) {
    if (named && typeof p === 'string' && p !== named[i]) {
      throw inputError(
        `'${name}' line ${section.at}: a change of '${named[i]}' by one header, of '${p}' by another`,
        "export the change again with 'git format-patch' or 'git diff'",
      );
    }
  }
  const strips = havePrefixes(named ?? [oldPath, newPath]);
  const fromSvn = section.index !== null && section.index === oldPath && section.index === newPath;
  const strip = (p: string | null | undefined) => (strips && typeof p === 'string' ? p.slice(2) : p);
  [oldPath, newPath] = [strip(oldPath), strip(newPath)];
  if (named) {
    oldPath ??= oldPath === undefined ? strip(named[0]) : null;
    newPath ??= newPath === undefined ? strip(named[1]) : null;
  }
  const from = value('rename from ') ?? value('copy from ');
  const to = value('rename to ') ?? value('copy to ');
  if (from !== null) oldPath = unquotePath(from);
  if (to !== null) newPath = unquotePath(to);
  const index = /^([0-9a-f]+)\.\.([0-9a-f]+)(?: (\d+))?$/.exec(value('index ') ?? '');
  const added = value('new file mode ');
  const deleted = value('deleted file mode ');
  if (added !== null) oldPath = null;
  if (deleted !== null) newPath = null;
  // A diff made by GNU diff -N tells new and deleted files only by an empty side.
  const only = section.hunks.length === 1 ? HUNK.exec(section.hunks[0]!.lines[0]!)! : null;
  if (!git && only && oldPath && newPath) {
    if (only[1] === '0' && only[2] === '0') oldPath = null;
    else if (only[3] === '0' && only[4] === '0') newPath = null;
  }
  if (oldPath == null && newPath == null) {
    throw inputError(`'${name}' line ${section.at}: a change without a file name`);
  }
  // GNU diff of two folders: `--- linux.orig/x` and `+++ linux/x` name one file; -p1 is what everybody applies them with.
  if (!git && !strips && !fromSvn) {
    const cut = (p: string | null | undefined) =>
      typeof p === 'string' && p.includes('/') ? p.slice(p.indexOf('/') + 1) : p;
    if (!oldPath || !newPath || cut(oldPath) === cut(newPath)) [oldPath, newPath] = [cut(oldPath), cut(newPath)];
  }
  let status: ChangeStatus = 'modified';
  if (oldPath == null) status = 'added';
  else if (newPath == null) status = 'deleted';
  else if (value('copy from ') !== null) status = 'copied';
  else if (oldPath !== newPath) status = 'renamed';
  return {
    status,
    oldPath: oldPath ?? null,
    newPath: newPath ?? null,
    oldMode: value('old mode ') ?? deleted ?? index?.[3] ?? null,
    newMode: value('new mode ') ?? added ?? index?.[3] ?? null,
    oldBlob: index?.[1] ?? null,
    newBlob: index?.[2] ?? null,
    hunks: section.hunks.map((h) => readHunk(h.lines)),
    binary: section.binary && section.binary.join(''),
  };
}

/** True when two names have the prefixes that git gives them: `a/` and `b/`, or those of `diff.mnemonicPrefix`. */
function havePrefixes([old, fresh]: readonly (string | null | undefined)[]): boolean {
  const has = (p: string | null | undefined, prefix: string) => p == null || p.startsWith(prefix);
  if (has(old, 'a/') && has(fresh, 'b/')) return true;
  if (!old || !fresh || !/^[iwco12]\//.test(old) || !/^[iwco12]\//.test(fresh)) return false;
  return old[0] !== fresh[0] && old.slice(2) === fresh.slice(2);
}

/** The two names of `diff --git a/x b/x`; with blanks in them they can only be told apart when they are the same. */
function namesOfGitHeader(rest: ByteString): [string, string] | null {
  const quoted = /^("(?:\\.|[^"\\])*"|\S+) ("(?:\\.|[^"\\])*"|\S+)$/.exec(rest);
  if (quoted) return [unquotePath(quoted[1]!), unquotePath(quoted[2]!)];
  const half = (rest.length - 1) / 2;
  const [a, b] = [rest.slice(0, half), rest.slice(half + 1)];
  return a.slice(2) === b.slice(2) || a === b ? [a, b] : null;
}

function readHunk(lines: ByteString[]): Hunk {
  const m = HUNK.exec(lines[0]!)!;
  const body: ByteString[] = [];
  for (const line of lines.slice(1)) {
    if (line.startsWith('\\')) body[body.length - 1] = chomp(body[body.length - 1]!);
    else if (line[0] === '\n' || line[0] === '\r') body.push(` ${line}`);
    else body.push(line);
  }
  return {
    id: '',
    path: '',
    oldStart: Number(m[1]),
    oldCount: Number(m[2] ?? 1),
    newStart: Number(m[3]),
    newCount: Number(m[4] ?? 1),
    section: chomp(m[5] ?? ''),
    lines: body,
  };
}

/** Reads the section again with a library; see {@link readDiff}. */
function crossCheck(change: FileChange, section: Section, name: string): void {
  if (change.hunks.length === 0) return;
  const ours = change.hunks.map((h) => [count(h.lines, '+'), count(h.lines, '-')].join('/')).join(' ');
  const body = section.hunks.flatMap((h) => h.lines).join('');
  const text = `--- a/file\n+++ b/file\n${body}`;
  const byParseDiff = parseDiff(text)
    .flatMap((f) => f.chunks)
    .map(
      (c) => `${c.changes.filter((x) => x.type === 'add').length}/${c.changes.filter((x) => x.type === 'del').length}`,
    );
  if (byParseDiff.join(' ') === ours) return;
  let byJsdiff: string[] = [];
  try {
    byJsdiff = parsePatch(text)
      .flatMap((f) => f.hunks)
      .map((h) => `${count(h.lines, '+')}/${count(h.lines, '-')}`);
  } catch {
    // Below.
  }
  if (byJsdiff.join(' ') !== ours) {
    throw inputError(
      `'${name}' line ${section.at}: the hunks of '${change.newPath ?? change.oldPath}' are read in two ways`,
      "export the change again with 'git format-patch' or 'git diff'",
    );
  }
}

function count(lines: readonly string[], mark: string): number {
  return lines.filter((l) => l[0] === mark).length;
}
