import path from 'node:path';
import { z } from 'zod';
import { inputError, messageOf } from '../core/errors';
import { PLACED } from '../core/outcome';
import type { PortReport } from '../core/report';
import { forDisplay, fromDisplay } from '../core/text';
import { removeFolder } from '../io/export';
import { exists, listFolder, readFile, writeFile } from '../io/files';
import type { GitRepo } from '../io/git';
import type { Resolution } from '../porter/resolutions';

const Target = z.object({ name: z.string(), version: z.string(), commit: z.string().nullable() });

const ResolutionSchema = z.object({
  schemaVersion: z.literal(1),
  set: z.string(),
  hunk: z.string(),
  patch: z.string(),
  edits: z.array(z.string()).min(1),
  path: z.string(),
  definition: z.string().nullable(),
  conditions: z.array(z.string()),
  before: z.string().min(1),
  after: z.string(),
  around: z.object({ text: z.string(), line: z.int().min(0) }),
  target: Target,
  by: z.string(),
  at: z.string(),
});

/** What people said of one hunk of a set: how it was resolved, for each target that it was resolved on, or that it is skipped. */
const HunkRecordSchema = z.object({
  schemaVersion: z.literal(1),
  set: z.string(),
  hunk: z.string(),
  resolutions: z.array(ResolutionSchema),
  skipped: z
    .object({
      reason: z.string(),
      target: Target,
      by: z.string(),
      at: z.string(),
      /** The edits that had no place then; records of an older kport do not say. */
      edits: z.array(z.string()).optional(),
    })
    .nullable(),
});
export type HunkRecord = z.infer<typeof HunkRecordSchema>;

/** The record holds what the porter uses: a field that is renamed there fails to compile here. */
type Holds<T extends U, U> = T;
export type RecordHolds = Holds<z.infer<typeof ResolutionSchema>, Resolution>;

/** Where the resolutions of a set are kept: beside the objects of the target's repository, for all its work trees. */
async function recordsDir(repo: GitRepo, set: string): Promise<string> {
  const common = (await repo.output(['rev-parse', '--git-common-dir'])).trim();
  return path.join(path.resolve(repo.dir, common), 'kport', 'resolutions', set);
}

/** Everything that people said of the hunks of a set, by hunk. Throws for a file that is damaged: none may be lost unseen. */
export async function loadRecords(repo: GitRepo, set: string): Promise<HunkRecord[]> {
  const dir = await recordsDir(repo, set);
  if (!exists(dir)) return [];
  const names = listFolder(dir).filter((name) => name.endsWith('.json'));
  return names.map((name) => readRecord(path.join(dir, name)));
}

function readRecord(file: string): HunkRecord {
  let why: string;
  try {
    const parsed = HunkRecordSchema.safeParse(JSON.parse(forDisplay(readFile(file))));
    if (parsed.success) return parsed.data;
    why = `${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}`;
  } catch (error) {
    why = messageOf(error);
  }
  throw inputError(`'${file}' holds no resolution: ${why}`, `mend it, or remove it: 'rm ${file}'`);
}

/** The record of one hunk; an empty one when there is none. */
export async function loadRecord(repo: GitRepo, set: string, hunk: string): Promise<HunkRecord> {
  const file = path.join(await recordsDir(repo, set), `${hunk}.json`);
  return exists(file) ? readRecord(file) : { schemaVersion: 1, set, hunk, resolutions: [], skipped: null };
}

/** Keeps a record; one that says nothing goes. */
export async function saveRecord(repo: GitRepo, record: HunkRecord): Promise<string> {
  const file = path.join(await recordsDir(repo, record.set), `${record.hunk}.json`);
  if (record.resolutions.length === 0 && record.skipped === null) removeFolder(file);
  else writeFile(file, fromDisplay(`${JSON.stringify(record, null, 2)}\n`));
  return file;
}

/** Marks the hunks that a person leaves out. One that has a place in this target is no such hunk. */
export function markSkipped(report: Pick<PortReport, 'hunks' | 'rejects'>, records: readonly HunkRecord[]): void {
  const skipped = new Map(records.flatMap((r) => (r.skipped ? [[r.hunk, r.skipped] as const] : [])));
  for (const hunk of report.hunks) {
    const skip = skipped.get(hunk.id);
    if (skip && !PLACED.has(hunk.outcome)) hunk.skipped = skip.reason;
  }
}
