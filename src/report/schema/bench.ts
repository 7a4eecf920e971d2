import { z } from 'zod';

export const CONFIGURATIONS = ['native', 'kvm', 'retrofitted'] as const;
export type Configuration = (typeof CONFIGURATIONS)[number];

export const Series = z.object({
  configuration: z.enum(CONFIGURATIONS),
  values: z.array(z.number().positive()),
  mean: z.number().positive(),
  deviation: z.number().min(0).describe('Standard deviation of the repetitions; 0 for one.'),
  normalised: z
    .object({ mean: z.number().positive(), deviation: z.number().min(0) })
    .nullable()
    .describe('Cost relative to the baseline, which is 1: more is slower, whatever the unit.'),
});
export type Series = z.infer<typeof Series>;

export const BenchGroup = z.object({
  benchmark: z.string(),
  kind: z.enum(['micro', 'application']),
  kernel: z.string(),
  machines: z.array(z.string()),
  unit: z.string(),
  better: z.enum(['lower', 'higher']),
  baseline: z.enum(CONFIGURATIONS).nullable(),
  series: z.array(Series),
  sample: z.boolean().describe('Made up to show how a report looks; no measurement.'),
  marks: z.array(z.string()).describe('Why it is not plotted, or what to keep in mind.'),
  plotted: z.boolean(),
});
export type BenchGroup = z.infer<typeof BenchGroup>;

export const BenchSchema = z
  .object({
    schemaVersion: z.literal(1),
    groups: z.array(BenchGroup),
    published: z.array(
      z.object({
        benchmark: z.string(),
        configuration: z.string(),
        kernel: z.string(),
        value: z.number(),
        unit: z.string(),
        source: z.string().min(1),
      }),
    ),
    refused: z.array(z.object({ file: z.string(), line: z.int().nullable(), reason: z.string() })),
  })
  .describe('kport bench import --json: measurements, grouped and checked.');
export type BenchReport = z.infer<typeof BenchSchema>;
