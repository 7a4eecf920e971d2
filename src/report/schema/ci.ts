import { z } from 'zod';
import { PortSummary } from './apply';
import { CheckRow } from './check';
import { Kernel, Outcome } from './common';

/** One hunk, at one place, that is not as in the port made by hand. */
export const CiCase = z.object({
  hunk: z.string().nullable().describe('Null: the golden has something there that comes from no hunk of the set.'),
  file: z.string().describe('The file of the set that the hunk is about.'),
  path: z
    .string()
    .nullable()
    .describe('Where port and golden differ; null when only the outcome is not as it should be.'),
  now: z.union([Outcome, z.literal('nothing')]).describe("The port's outcome."),
  shouldBe: z
    .enum(['placed', 'obsolete', 'already-upstream', 'absent'])
    .describe("The golden's. 'absent': a file that the port has and the golden has not."),
  lines: z
    .object({ port: z.int().min(0), golden: z.int().min(0) })
    .nullable()
    .describe('Lines that only the port has there, and lines that only the golden has.'),
  difference: z
    .string()
    .nullable()
    .describe('Digest of these lines: another one means that the port gives something else.'),
});
export type CiCase = z.infer<typeof CiCase>;

export const CiRow = z.object({
  set: z.string(),
  to: z.string().describe('The target as the user named it.'),
  target: Kernel.nullable().describe('Null when it could not be ported to.'),
  error: z.object({ message: z.string(), hints: z.array(z.string()) }).nullable(),
  summary: PortSummary.nullable(),
  checks: z.array(CheckRow.omit({ findings: true }).extend({ findings: z.int().min(0) })),
  treeId: z.string().nullable().describe('Of the port.'),
  golden: z
    .object({ treeId: z.string(), equal: z.boolean(), cases: z.array(CiCase) })
    .nullable()
    .describe('The port made by hand; null when there is none.'),
  expected: z.boolean().describe('As the golden, or exactly as listed under failing.'),
  problems: z.array(z.string()).describe('What is not as expected, one sentence each.'),
  seconds: z.number().min(0),
});
export type CiRow = z.infer<typeof CiRow>;

/** What `kport ci --json` prints. */
export const CiSchema = z
  .object({
    schemaVersion: z.literal(1),
    rows: z.array(CiRow),
    jobs: z.int().min(1).describe('Rows at a time.'),
    seconds: z.number().min(0).describe('Wall time of the whole run.'),
  })
  .describe('kport ci --json: sets ported to many targets, checked and held against ports made by hand.');
export type CiReport = z.infer<typeof CiSchema>;
