import { z } from 'zod';
import { OUTCOMES } from '../../core/outcome';

/**
 * The JSON that kport prints, as zod says it: the files under `schemas/` are made from these, and the tests hold real
 * output against them. Objects are open: a later kport may add fields, it takes none away.
 */
export const Outcome = z.enum(OUTCOMES);

export const Kernel = z
  .object({
    name: z.string().describe('What the user called it: a revision or a folder.'),
    version: z.string().describe("Read from the tree's Makefile, for example v5.10.18."),
    commit: z.string().nullable().describe('Null for a plain folder.'),
  })
  .describe('A kernel.');

export const Location = z.object({
  path: z.string(),
  definition: z.string().nullable().describe('Enclosing definition; null at file level.'),
  line: z
    .int()
    .min(0)
    .describe(
      '1-based. Of a place in the target: a line of it as it was before the port; of a file of the set, its own.',
    ),
});

export const Candidate = Location.extend({
  parts: z
    .array(z.object({ line: z.int().min(1), remove: z.int().min(0) }))
    .nullable()
    .describe('Lines at which the parts of the edit would stand; null when only the point is known.'),
}).describe('A place where an edit that is not placed would go if somebody said so.');

export const Evidence = z.object({
  kind: z.string().describe('Short and stable, for machines.'),
  text: z.string().describe('One sentence for people.'),
});

export const Cause = z
  .object({
    release: z.string().nullable(),
    commit: z.string().nullable(),
    text: z.string(),
  })
  .describe('The upstream change that broke a hunk.');

export const Role = z.enum(['corevisor', 'hostvisor', 'build', 'docs']);

export const Confidence = z.number().min(0).max(1);

export const ByOutcome = z.record(Outcome, z.int().min(0)).describe('Hunks by outcome; every outcome is listed.');
