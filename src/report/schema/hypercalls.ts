import { z } from 'zod';
import { FINDING_KINDS, TableSchema } from '../../hypercall-gen/types';

const Line = z.int().min(1).describe('Of the patched file, from 1.');

const Finding = z
  .object({
    kind: z.enum(FINDING_KINDS),
    severity: z
      .enum(['error', 'warning', 'info'])
      .describe('error: the call does not work; warning: it works by luck; info: worth knowing.'),
    hypercall: z.string().nullable().describe('Name of the number; null when it is about none.'),
    message: z.string().describe('One sentence.'),
    path: z.string().nullable(),
    line: Line.nullable(),
    related: z.array(z.object({ path: z.string(), line: Line })).describe('The other ends of a mismatch.'),
  })
  .describe('Something that does not fit together.');

/** What `kport hypercalls --json` prints. */
export const HypercallsSchema = z.object({
  schemaVersion: z.literal(1),
  set: z.string(),
  base: z.string(),
  target: z.object({ name: z.string(), version: z.string() }).nullable().describe('Null when no kernel is at hand.'),
  era: z
    .object({ kind: z.enum(['function-pointer', 'nvhe-object', 'smccc']), evidence: z.array(z.string()) })
    .nullable()
    .describe('How the target calls EL2, by what its files have.'),
  table: z
    .string()
    .nullable()
    .describe('File that the table came from, or went to; null when it was read from the set.'),
  interface: TableSchema.shape.interface,
  hypercalls: TableSchema.shape.hypercalls,
  asmCalls: TableSchema.shape.asmCalls,
  findings: z.array(Finding),
  differences: z
    .array(
      z.object({
        hypercall: z.string().nullable(),
        what: z.string(),
        a: z.string().nullable(),
        b: z.string().nullable(),
      }),
    )
    .optional()
    .describe("With '--diff': this set's (a) and the other's (b)."),
  generated: z
    .object({
      files: z.array(
        z.object({
          path: z.string(),
          kind: z.enum(['new', 'changed']),
          what: z.enum(['header', 'stubs', 'dispatcher', 'build', 'glue', 'aliases']),
        }),
      ),
      glue: z
        .object({
          how: z
            .enum(['generated', 'ported', 'none'])
            .describe(
              "generated: KVM's own dispatcher calls it; ported: the set's assembly does; none: nobody does yet.",
            ),
          dispatcher: z.string().describe('Name of the generated dispatcher.'),
          into: z.string().nullable().describe('File of the target that the call was put into.'),
          ofSet: z.array(z.object({ path: z.string(), line: Line })).describe("The set's own calls of its dispatcher."),
        })
        .describe("The way from the host's hvc into the dispatcher."),
      notes: z.array(z.string()).describe('What was adapted, and what is left to do by hand.'),
    })
    .optional()
    .describe("With '--emit'."),
  notes: z.array(z.string()),
});
