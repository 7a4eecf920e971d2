import { z } from 'zod';
import { PortSummary } from './apply';
import { Cause, Kernel, Role } from './common';

/** What git's own merge of the set leaves open, counted in the same run. */
export const GitMerge = z.object({
  regions: z.int().min(0).describe('Regions between conflict markers, over all files.'),
  files: z.int().min(0).describe('Files with a conflict of any kind.'),
  paths: z.array(z.string()),
});
export type GitMerge = z.infer<typeof GitMerge>;

export const MatrixTarget = z.object({
  to: z.string().describe('The target as the user named it.'),
  target: Kernel.nullable().describe('Null when it could not be opened.'),
  error: z.object({ message: z.string(), hints: z.array(z.string()) }).nullable(),
  summary: PortSummary.nullable(),
  git: GitMerge.nullable(),
  gitSkipped: z.string().nullable().describe("Why git's merge was not counted."),
  seconds: z.number().min(0),
  peakMegabytes: z.number().min(0).describe('Of the process that ported this target, without the git processes.'),
  cached: z.boolean().describe('Taken from an earlier run of the same set, target and kport.'),
});
export type MatrixTarget = z.infer<typeof MatrixTarget>;

export const MatrixFile = z.object({
  path: z.string(),
  role: Role,
  hunks: z.int().min(0),
  placed: z
    .array(z.int().min(0).nullable())
    .describe('Hunks placed, by target, in the order of targets; null where the target failed.'),
  breaks: z
    .object({
      at: z.string().describe('The first target, by kernel version, in which a hunk is not placed.'),
      after: z.string().nullable().describe('The last target before it in which all were placed.'),
      hunk: z.string().nullable(),
      causedBy: Cause.nullable().describe('The upstream change, when it is known.'),
      message: z.string().nullable().describe('What stopped the first hunk.'),
    })
    .nullable(),
});
export type MatrixFile = z.infer<typeof MatrixFile>;

export const MatrixSchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string(),
    base: z.object({ version: z.string(), commit: z.string().nullable() }),
    targets: z.array(MatrixTarget).describe('By kernel version; targets that failed last.'),
    files: z.array(MatrixFile),
    jobs: z.int().min(1).describe('Targets ported at a time.'),
    seconds: z.number().min(0).describe('Wall time of the whole run.'),
  })
  .describe('kport matrix --json: one patch set, many targets.');
export type MatrixReport = z.infer<typeof MatrixSchema>;
