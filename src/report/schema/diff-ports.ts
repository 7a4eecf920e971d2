import { z } from 'zod';
import { Role } from './common';

export const Tally = z.object({
  carried: z.int().min(0).describe('Lines of the set that the reference has, too.'),
  hit: z.int().min(0).describe('Of these: in the same file and definition in the other port.'),
  misplaced: z.int().min(0).describe('Only elsewhere in the other port.'),
  missing: z.int().min(0).describe('Not in the other port.'),
  disputed: z.int().min(0).describe('Of the missing: in a conflict region of the right file.'),
});
export type Tally = z.infer<typeof Tally>;

export const Place = z.object({ path: z.string(), definition: z.string().describe('Empty at the top of a file.') });
export type Place = z.infer<typeof Place>;

export const HUNK_VERDICTS = ['same', 'elsewhere', 'partly', 'absent', 'only-a', 'neither', 'silent'] as const;
export type HunkVerdict = (typeof HUNK_VERDICTS)[number];

export const ComparedHunk = z.object({
  id: z.string(),
  path: z.string(),
  header: z.string(),
  role: Role,
  verdict: z
    .enum(HUNK_VERDICTS)
    .describe(
      'same: every line that the reference carried is at the same place; elsewhere: at least one is at another; ' +
        'partly: some are absent; absent: all are; only-a: the reference dropped the hunk, the other port has it; ' +
        'neither: nobody has it; silent: it has no line that tells anything.',
    ),
  lines: Tally.describe('Added and removed lines of the hunk together.'),
  onlyInA: z.int().min(0).describe('Lines that the reference dropped or rewrote and the other port has.'),
});
export type ComparedHunk = z.infer<typeof ComparedHunk>;

export const ComparedLine = z.object({
  kind: z.enum(['added', 'removed']),
  line: z.string(),
  hunk: z.string().nullable(),
  place: Place.describe('In the reference.'),
  verdict: z.enum(['hit', 'misplaced', 'missing']),
  found: Place.nullable().describe('Where the other port has it.'),
});
export type ComparedLine = z.infer<typeof ComparedLine>;

const ComparedPort = z.object({
  name: z.string(),
  base: z.object({ name: z.string(), version: z.string() }),
});

export const DiffPortsSchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string(),
    a: ComparedPort,
    b: ComparedPort.describe('The reference: what it carried over is the yardstick.'),
    sourceLines: z.object({ added: z.int().min(0), removed: z.int().min(0) }),
    agreement: z.object({
      added: Tally,
      addedWithoutGuards: Tally,
      removed: Tally,
      addedByA: z.int().min(0),
      addedByB: z.int().min(0),
      extra: z.int().min(0).describe('Lines that A adds and B does not, anywhere.'),
      precision: z.number().nullable().describe('Share of the lines that A adds which are not extra.'),
      conflictRegions: z.int().min(0).describe("Conflict markers left in A's files."),
    }),
    byVerdict: z.record(z.enum(HUNK_VERDICTS), z.int().min(0)),
    hunks: z.array(ComparedHunk),
    files: z.array(z.object({ path: z.string(), added: Tally, removed: Tally, conflictRegions: z.int().min(0) })),
    lines: z.array(ComparedLine),
    notes: z.array(z.string()),
  })
  .describe('kport diff-ports --json: two ports of one set, place by place.');
export type DiffPortsReport = z.infer<typeof DiffPortsSchema>;
