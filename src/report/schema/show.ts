import { z } from 'zod';
import { Role } from './common';

const Edit = z.object({
  id: z.string(),
  kind: z.string(),
  guard: z.string().nullable().describe('The condition of the guard that it adds; null when it adds none.'),
  hunks: z.array(z.string()).describe('More than one when it reaches over several.'),
});

const Hunk = z.object({
  id: z.string(),
  patch: z.string(),
  path: z.string(),
  header: z.string(),
  added: z.int().min(0),
  removed: z.int().min(0),
  edits: z.array(Edit).nullable().describe('Null when the base is not at hand, and for whole files.'),
  text: z.string().optional().describe('With HUNK.'),
});

/** What `kport show NAME [HUNK] --json` prints. */
export const ShowSchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string(),
    base: z.object({ version: z.string(), commit: z.string().nullable() }),
    option: z.string().nullable(),
    noEdits: z.string().nullable().describe('Why the hunks could not be lifted to edits; null when they were.'),
    patches: z.array(z.object({ file: z.string(), subject: z.string(), author: z.string().nullable() })),
    files: z.array(
      z.object({
        patch: z.string(),
        path: z.string(),
        oldPath: z.string().nullable(),
        status: z.string(),
        role: Role.nullable().describe('Null when the base is not at hand.'),
        hunks: z.array(z.string()),
      }),
    ),
    unreadable: z.array(z.string()),
    hunks: z.array(Hunk).describe('With HUNK that one alone; else those of files that the base has.'),
  })
  .describe('kport show --json: a patch set, hunk by hunk.');
export type ShowReport = z.infer<typeof ShowSchema>;
