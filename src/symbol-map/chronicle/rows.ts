import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { inputError, internalError, messageOf } from '../../core/errors';
import { forDisplay, type ByteString } from '../../core/text';
import { exists, listFolder, readFile } from '../../io/files';

const release = z.string().regex(/^v\d+\.\d+$/, 'a release is written v5.10');
const regex = z.string().min(1).refine(isRegex, 'no regular expression');

const side = z.strictObject({
  /** Files of which one holds the pattern (or, without a pattern, exists). */
  paths: z.array(z.string().min(1)).min(1),
  pattern: regex.optional(),
  /** A definition's name, or `struct.field`. */
  symbol: z.string().min(1).optional(),
});

/**
 * One upstream change. `says` is what the symbol map may take from it; `added` says that `to` came from nowhere, which
 * the map never needs to be told and is measured by, and `context` says nothing about a symbol and only explains.
 */
const rowSchema = z
  .strictObject({
    /** The first known release that has `to`. */
    release: release.optional(),
    /** The last known release that has `from`. */
    until: release.optional(),
    kind: z.string().optional(),
    says: z.enum(['same', 'moved', 'renamed', 'resigned', 'split', 'merged', 'removed', 'added', 'context']),
    from: side.optional(),
    to: side.optional(),
    /** Symbols (or files) that are right answers as well. */
    also: z.array(z.string()).optional(),
    /** What `from` was called in older releases. */
    alias: z.string().optional(),
    /** Full commit id, when known. */
    commit: z
      .string()
      .regex(/^[0-9a-f]{12,40}$/)
      .optional(),
    note: z.string(),
  })
  .refine((row) => row.from !== undefined || row.to !== undefined, 'a row needs from or to')
  .refine(
    (row) => row.says === 'context' || row.says === 'added' || row.from,
    'only added and context rows go without from',
  )
  .refine((row) => row.says !== 'added' || row.to, 'an added row needs to');

const upstreamRow = rowSchema.refine((row) => row.release && row.until, 'an upstream change needs release and until');

export type ChronicleRow = z.infer<typeof rowSchema> & {
  /** File and number, for messages: `v5.9.yaml#3`. */
  id: string;
  /** True for a rule of the user's own. */
  own: boolean;
};

/** The known upstream changes, in order. */
export interface Chronicle {
  rows: ChronicleRow[];
}

/** The chronicle that comes with kport. */
export function loadChronicle(dir = __dirname): Chronicle {
  const files = listFolder(dir).filter((name) => name.endsWith('.yaml'));
  // A copy of kport that was built or packed without them would port worse, and say nothing.
  if (files.length === 0) throw internalError(`'${dir}' has no chronicle: this copy of kport is not complete`);
  return { rows: files.flatMap((name) => parseRows(readFile(path.join(dir, name)), name, false)) };
}

/** Rules of the user's own: every `.kport/*.yaml` of a repository. None when there is no such folder. */
export function loadRules(repository: string): ChronicleRow[] {
  const dir = path.join(repository, '.kport');
  if (!exists(dir)) return [];
  return listFolder(dir)
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => parseRows(readFile(path.join(dir, name)), `.kport/${name}`, true));
}

/** Reads rows; throws an input error that names the row and what is wrong with it. */
export function parseRows(text: ByteString, file: string, own: boolean): ChronicleRow[] {
  let data: unknown;
  try {
    data = parse(forDisplay(text));
  } catch (cause) {
    throw inputError(`'${file}' is no YAML: ${messageOf(cause).split('\n')[0]}`);
  }
  const read = z.array(own ? rowSchema : upstreamRow).safeParse(data ?? []);
  if (!read.success) {
    const issue = read.error.issues[0]!;
    const [row, ...rest] = issue.path;
    throw inputError(
      `'${file}' has a bad row ${Number(row) + 1}${rest.length ? ` at '${rest.join('.')}'` : ''}: ${issue.message}`,
      'the format is described in docs/symbols.md',
    );
  }
  return read.data.map((row, i) => ({ ...row, id: `${file}#${i + 1}`, own }));
}

function isRegex(text: string): boolean {
  try {
    new RegExp(text, 'm');
    return true;
  } catch {
    return false;
  }
}
