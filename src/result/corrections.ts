import { createHash } from 'node:crypto';
import path from 'node:path';
import { diffIndices } from 'node-diff3';
import { z } from 'zod';
import { inputError, messageOf } from '../core/errors';
import { forDisplay, fromDisplay, splitLines, type ByteString } from '../core/text';
import { removeFolder } from '../io/export';
import { exists, listFolder, readFile, writeFile } from '../io/files';
import type { GitRepo } from '../io/git';
import { occurrences } from '../porter/resolutions';

const CorrectionSchema = z.object({
  before: z.string().min(1),
  after: z.string(),
  target: z.object({ name: z.string(), version: z.string(), commit: z.string() }),
  by: z.string(),
  at: z.string(),
});

/**
 * What a person changed in a ported file, whichever hunk wrote it: the lines as the port had them, with unchanged lines
 * around, and as they are to be. It holds on the kernel that it was made on, and nowhere else: the same lines can be right
 * on another one.
 */
export type Correction = z.infer<typeof CorrectionSchema>;

const CorrectedFileSchema = z.object({
  schemaVersion: z.literal(1),
  set: z.string(),
  path: z.string(),
  /** Each one stands on those before it. */
  corrections: z.array(CorrectionSchema),
});

/** The corrections of one ported file. */
export type CorrectedFile = z.infer<typeof CorrectedFileSchema>;

/** Unchanged lines that belong to a correction above and below, at least. */
const CONTEXT = 3;

/** A correction without who made it, when, and where. */
export type LinesCorrected = Pick<Correction, 'before' | 'after'>;

/** What was changed between two states of a file, one after the other; each is found once where it is to be made. */
export function correctionsBetween(from: ByteString, to: ByteString): LinesCorrected[] {
  const made: LinesCorrected[] = [];
  const next = splitLines(to);
  let lines = splitLines(from);
  let shift = 0;
  for (const { buffer1, buffer2 } of diffIndices([...lines], [...next])) {
    const [at, removed] = [buffer1[0] + shift, buffer1[1]];
    const added = next.slice(buffer2[0], buffer2[0] + buffer2[1]);
    let [start, end] = [at, at + removed];
    for (let context = CONTEXT; ; context++) {
      start = Math.max(0, at - context);
      end = Math.min(lines.length, at + removed + context);
      if (occurrences(lines, lines.slice(start, end)).length === 1 || (start === 0 && end === lines.length)) break;
    }
    const after = [...lines.slice(start, at), ...added, ...lines.slice(at + removed, end)];
    made.push({ before: lines.slice(start, end).join(''), after: after.join('') });
    lines = [...lines.slice(0, at), ...added, ...lines.slice(at + removed)];
    shift += added.length - removed;
  }
  return made;
}

/** Makes a correction in a text. Gives the text and the first line (0-based) of it; a sentence when it does not fit. */
export function correct(text: ByteString, correction: LinesCorrected): { text: ByteString; at: number } | string {
  const [lines, before] = [splitLines(text), splitLines(correction.before)];
  const found = occurrences(lines, before);
  if (found.length === 0) return 'the port has other lines there now';
  if (found.length > 1) return `the port has the lines ${found.length} times now`;
  const [at] = found as [number];
  return { text: [...lines.slice(0, at), correction.after, ...lines.slice(at + before.length)].join(''), at };
}

async function correctionsDir(repo: GitRepo, set: string): Promise<string> {
  const common = (await repo.output(['rev-parse', '--git-common-dir'])).trim();
  return path.join(path.resolve(repo.dir, common), 'kport', 'corrections', set);
}

/** A name for a path that is one on every file system. */
function nameOf(file: ByteString): string {
  return `${createHash('sha256').update(file, 'latin1').digest('hex').slice(0, 12)}.json`;
}

/** All that people corrected in ports of a set, by file. Throws for a record that is damaged: none may be lost unseen. */
export async function loadCorrections(repo: GitRepo, set: string): Promise<CorrectedFile[]> {
  const dir = await correctionsDir(repo, set);
  if (!exists(dir)) return [];
  const names = listFolder(dir).filter((name) => name.endsWith('.json'));
  const files = names.map((name) => read(path.join(dir, name)));
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function read(file: string): CorrectedFile {
  let why: string;
  try {
    const parsed = CorrectedFileSchema.safeParse(JSON.parse(forDisplay(readFile(file))));
    if (parsed.success) return parsed.data;
    why = `${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}`;
  } catch (error) {
    why = messageOf(error);
  }
  throw inputError(`'${file}' holds no corrections: ${why}`, `mend it, or remove it: 'rm ${file}'`);
}

/** Keeps the corrections of a file; none at all are forgotten. */
export async function saveCorrections(repo: GitRepo, file: CorrectedFile): Promise<void> {
  const to = path.join(await correctionsDir(repo, file.set), nameOf(file.path));
  if (file.corrections.length === 0) removeFolder(to);
  else writeFile(to, fromDisplay(`${JSON.stringify(file, null, 2)}\n`));
}
