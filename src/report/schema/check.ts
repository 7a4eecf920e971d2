import { z } from 'zod';

export const CheckRow = z.object({
  name: z.string(),
  result: z.enum(['pass', 'fail', 'skipped']),
  reason: z.string().nullish().describe('Why it was skipped or failed.'),
  findings: z.array(z.unknown()).describe('What was found; each a sentence or an object with more fields.'),
});

/** What `kport check --json` prints. */
export const CheckSchema = z
  .object({ schemaVersion: z.literal(1), checks: z.array(CheckRow) })
  .describe('kport check --json: the checks that ran on a ported tree, and those that did not.');
export type CheckReport = z.infer<typeof CheckSchema>;
