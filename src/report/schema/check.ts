import { z } from 'zod';
import type { CheckDocument } from '../../verify/run-checks';

export const CheckRow = z.object({
  name: z.string(),
  result: z.enum(['pass', 'fail', 'skipped']).describe('Skipped is never passed: the reason says why.'),
  reason: z.string(),
  findings: z.array(
    z.object({
      path: z.string(),
      line: z.int().nullable().describe('1-based line of the ported file.'),
      hunk: z.string().nullable(),
      definition: z.string().nullable(),
      text: z.string(),
      kind: z.string().describe('Short and stable; what ends in review is for a person to read and fails nothing.'),
      evidence: z.string().optional(),
      workItem: z
        .object({ id: z.string(), title: z.string() })
        .nullable()
        .optional()
        .describe('The piece of work that a compile error belongs to; null when none is known.'),
    }),
  ),
  figures: z.record(z.string(), z.unknown()).optional(),
});

/** What `kport check --json` prints. */
export const CheckSchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string().nullable(),
    target: z.object({ name: z.string(), version: z.string() }),
    branch: z.string(),
    checks: z.array(CheckRow),
    timing: z.record(z.string(), z.number()),
  })
  .describe('kport check --json: the checks that ran on a ported tree, and those that did not.');
export type CheckReport = z.infer<typeof CheckSchema>;

/** The document of the checks must satisfy the schema: a field that is renamed there fails to compile here. */
type Holds<T extends U, U> = T;
export type CheckReportHolds = Holds<CheckDocument, CheckReport>;
