import { z } from 'zod';
import { Candidate, Cause, Confidence, Kernel, Location, Outcome } from './common';
import { Correction, PortSummary } from './apply';

const Left = z.object({
  id: z.string(),
  path: z.string(),
  line: z.int().min(0).describe('In the base.'),
  outcome: Outcome,
  message: z.string().nullable(),
  causedBy: Cause.nullable(),
  candidates: z.array(Candidate),
});

/** What `kport status --json` prints. */
export const StatusSchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string(),
    base: Kernel,
    target: Kernel,
    tree: z.string(),
    branch: z.string(),
    state: z.enum(['as-made', 'changed', 'gone']).describe('Whether the branch is what kport made.'),
    summary: PortSummary,
    left: z.array(Left).describe('What a person has to look at: neither placed nor left out on purpose.'),
    files: z
      .array(z.object({ path: z.string(), outcome: z.string(), message: z.string().nullable() }))
      .describe('Whole files that could not be carried over.'),
    resolved: z
      .array(
        z.object({
          id: z.string(),
          path: z.string(),
          strategy: z.string(),
          confidence: Confidence,
          target: z.array(Location),
        }),
      )
      .describe('Hunks that are placed as a person resolved them.'),
    skipped: z.array(z.object({ id: z.string(), path: z.string(), outcome: Outcome, reason: z.string() })),
    resolutions: z
      .array(
        z.object({
          hunk: z.string(),
          path: z.string(),
          definition: z.string().nullable(),
          target: Kernel,
          by: z.string(),
          at: z.string(),
          used: z.boolean().describe('In this port.'),
        }),
      )
      .describe('All that is remembered of the set.'),
    corrected: z.array(Correction).describe('What a person corrected in this port, used or not.'),
    workItems: z
      .array(z.object({ id: z.string(), title: z.string(), hunks: z.array(z.string()) }))
      .describe('What is left by mechanism: hunks to solve together.'),
    next: z.array(z.string()).describe('Commands to go on with.'),
  })
  .describe('kport status --json: what is left of a port.');
export type StatusReport = z.infer<typeof StatusSchema>;
