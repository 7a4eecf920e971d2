import { z } from 'zod';
import type { PortReport } from '../../core/report';
import { ByOutcome, Candidate, Cause, Confidence, Evidence, Kernel, Location, Outcome, Role } from './common';

export const PortSummary = z.object({
  hunks: z.int().min(0).describe('Hunks in files that the base has; the sum over byOutcome.'),
  placed: z.int().min(0),
  byOutcome: ByOutcome,
  files: z.object({
    modified: z.int().min(0),
    added: z.int().min(0),
    deleted: z.int().min(0),
    binary: z.int().min(0),
    unreadable: z.int().min(0),
  }),
});

export const PortedFile = z.object({
  patch: z.string(),
  path: z.string(),
  targetPaths: z.array(z.string()),
  role: Role,
  status: z.string(),
  outcome: z.union([Outcome, z.enum(['unreadable', 'mixed'])]),
  message: z.string().nullable(),
  hunks: z.int().min(0),
  evidence: z.array(Evidence),
});

export const PortedHunk = z.object({
  id: z.string().regex(/^[0-9a-f]{12}$/),
  patch: z.string(),
  path: z.string(),
  header: z.string(),
  role: Role,
  edits: z.array(
    z.object({
      id: z.string().describe('Stable across runs: hash of what the edit changes. A resolution belongs to it.'),
      kind: z.string(),
      outcome: Outcome,
      strategy: z.string(),
      confidence: Confidence,
      target: z.array(Location),
      candidates: z.array(Candidate).describe('Of an edit that is not placed, best first.'),
    }),
  ),
  outcome: Outcome,
  strategy: z.string(),
  confidence: Confidence,
  source: Location,
  target: z.array(Location),
  evidence: z.array(Evidence),
  causedBy: Cause.nullable(),
  message: z.string().nullable(),
  inert: z.boolean(),
  skipped: z.string().nullable().describe('Why a person leaves it out on purpose; null when nobody does.'),
});

export const WorkItem = z
  .object({
    id: z.string().regex(/^w[0-9a-f]{8}$/),
    title: z.string(),
    release: z.string().nullable(),
    cause: Cause.nullable(),
    hunks: z.array(z.string()).describe('Ids of hunks.'),
    definitions: z.array(z.object({ path: z.string(), definition: z.string() })),
    heirs: z.array(z.object({ path: z.string(), definition: z.string().nullable(), why: z.string() })),
    draft: z
      .object({ path: z.string(), line: z.int().min(1), text: z.string() })
      .nullable()
      .describe('A draft: never written to the tree.'),
  })
  .describe('Hunks that are left for one reason upstream.');

const ErrorCounts = z
  .object({ on: z.int().min(0).nullable(), off: z.int().min(0).nullable() })
  .describe('Errors of the compiler with the option on and off; null for a configuration that cannot be built.');

export const Repair = z
  .object({
    before: ErrorCounts,
    after: ErrorCounts,
    tried: z.int().min(0).describe('Alternatives that were compiled.'),
    changes: z.array(
      z.object({
        hunk: z.string().nullable(),
        path: z.string(),
        line: z.int().min(1).describe('Of the port before it was repaired.'),
        from: z.string(),
        to: z.string(),
        option: z.enum(['on', 'off']),
        diagnostic: z.string(),
        evidence: Evidence,
      }),
    ),
  })
  .describe('What --repair did.');

export const Correction = z
  .object({
    path: z.string(),
    line: z.int().min(1).nullable().describe('Where it was made; null when it does not fit.'),
    hunks: z.array(z.string()).describe('Whose lines it changed.'),
    by: z.string(),
    at: z.string(),
    message: z.string().nullable().describe('Why it does not fit; null when it does.'),
  })
  .describe('A place of a ported file that a person corrected on this kernel.');

/** What `kport apply --json` prints and what is stored with a port. */
export const ApplySchema = z
  .object({
    schemaVersion: z.literal(1),
    set: z.string(),
    patchesDir: z.string(),
    option: z.string().nullable(),
    base: Kernel,
    target: Kernel,
    reference: z
      .object({ name: z.string(), version: z.string().describe('The version of its base.') })
      .nullable()
      .optional()
      .describe('The second set that was asked; null for none.'),
    result: z
      .object({
        tree: z.string(),
        branch: z.string().nullable(),
        out: z.string().nullable(),
        commits: z.array(z.string()),
        patches: z.array(z.string()).describe('The patch of the set that each commit is.'),
        treeId: z.string(),
      })
      .nullable()
      .describe('Null for a dry run.'),
    summary: PortSummary,
    files: z.array(PortedFile),
    hunks: z.array(PortedHunk),
    workItems: z.array(WorkItem).optional(),
    rejects: z.array(z.object({ file: z.string(), path: z.string(), text: z.string() })),
    repair: Repair.optional(),
    corrections: z.array(Correction).optional(),
    notes: z.array(z.string()),
    timing: z.record(z.string(), z.number()),
  })
  .describe('kport apply --json: one patch set on one target, hunk by hunk.');

/** The core's own type must satisfy the schema: a field that is renamed there fails to compile here. */
type Holds<T extends U, U> = T;
export type ApplyReportHolds = Holds<PortReport, z.infer<typeof ApplySchema>>;
