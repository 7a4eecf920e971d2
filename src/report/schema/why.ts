import { z } from 'zod';
import { PortedHunk } from './apply';

const Lines = z.array(z.object({ mark: z.enum([' ', '+', '-', '@']), text: z.string() }));

/** What `kport why HUNK --json` prints. */
export const WhySchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string(),
    branch: z.string(),
    target: z.string().describe('Version of the target.'),
    hunk: PortedHunk,
    source: Lines.describe('The hunk as the set has it.'),
    ported: Lines.describe(
      "What became of it in the target, or the target's lines around its candidates; '@' begins a place.",
    ),
  })
  .describe('kport why --json: one hunk of a port, and the evidence for its end.');
export type WhyReport = z.infer<typeof WhySchema>;
