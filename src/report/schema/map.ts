import { z } from 'zod';
import { Confidence, Evidence } from './common';

const Symbol = z.object({
  kind: z.string().describe('function, macro, struct, field …'),
  name: z.string().describe("A field is 'struct.field'."),
  path: z.string(),
});

const Parameter = z.object({ name: z.string(), type: z.string() });
const at = z.int().min(0).describe('0-based.');

const Change = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('argument-dropped'), index: at, ...Parameter.shape }),
    z.object({ kind: z.literal('argument-added'), to: at, ...Parameter.shape }),
    z.object({ kind: z.literal('argument-moved'), index: at, to: at, ...Parameter.shape }),
    z.object({ kind: z.literal('argument-changed'), index: at, to: at, from: Parameter, into: Parameter }),
    z.object({ kind: z.literal('returns-changed'), from: z.string(), into: z.string() }),
    z.object({ kind: z.literal('annotations-changed'), gone: z.array(z.string()), added: z.array(z.string()) }),
    z.object({ kind: z.literal('became-callable'), parameters: z.array(z.string()) }),
    z.object({ kind: z.literal('became-plain') }),
    z.object({
      kind: z.literal('operand-spelling'),
      index: at,
      pairs: z.array(z.object({ from: z.string(), into: z.string(), seen: z.int() })),
      rule: z.object({ prefix: z.string(), upper: z.boolean(), undone: z.boolean() }).nullable(),
    }),
    z.object({ kind: z.literal('type-changed'), from: z.string(), into: z.string() }).describe('Of a field.'),
    z.object({ kind: z.literal('path-changed'), from: z.string(), into: z.string() }).describe('Of a field.'),
  ])
  .describe('What callers and users have to change.');

export const MapEntry = z
  .object({
    from: Symbol,
    status: z.enum(['same', 'moved', 'renamed', 'resigned', 'split', 'merged', 'removed']),
    to: z.array(Symbol).describe('Best first; empty for removed.'),
    confidence: Confidence,
    evidence: z.array(Evidence),
    changes: z.array(Change),
  })
  .describe('Where a symbol went.');

const common = { schemaVersion: z.literal(1), from: z.string(), to: z.string() };
const ignoredRows = z
  .array(z.object({ id: z.string(), reason: z.string() }))
  .describe('Rows of the chronicle, and rules, that do not hold in the two kernels.');

/** What `kport map --json` prints: of a symbol, of a file, or of all that a set uses. */
export const MapSchema = z.union([
  z.object({
    ...common,
    entry: MapEntry,
    chain: z
      .array(z.object({ from: z.string(), to: z.string(), entry: MapEntry.nullable() }))
      .describe('The releases between which something became of it.'),
    ignoredRows,
  }),
  z.object({
    ...common,
    path: z.string(),
    heirs: z
      .array(z.object({ path: z.string(), confidence: Confidence, share: Confidence, evidence: z.array(Evidence) }))
      .describe('Best first; empty when nothing took the file over.'),
  }),
  z.object({ ...common, set: z.string(), entries: z.array(MapEntry), ignoredRows }),
]);
