import { z } from 'zod';
import { ApplySchema } from './apply';
import { BenchSchema } from './bench';
import { CheckSchema } from './check';
import { CiSchema } from './ci';
import { DiffPortsSchema } from './diff-ports';
import { HypercallsSchema } from './hypercalls';
import { IndexSchema } from './kernel-index';
import { MapSchema } from './map';
import { MatrixSchema } from './matrix';
import { ShowSchema } from './show';
import { StatusSchema } from './status';
import { WhySchema } from './why';

/** Every report that kport prints as JSON, by the name of its file under `schemas/`. */
export const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  apply: ApplySchema,
  bench: BenchSchema,
  check: CheckSchema,
  ci: CiSchema,
  'diff-ports': DiffPortsSchema,
  'hypercalls-report': HypercallsSchema,
  index: IndexSchema,
  map: MapSchema,
  matrix: MatrixSchema,
  show: ShowSchema,
  status: StatusSchema,
  why: WhySchema,
};

/** One of them as a JSON Schema file. */
export function schemaText(name: string): string {
  // As input: fields that a later kport adds are no violation.
  const schema = z.toJSONSchema(SCHEMAS[name]!, { io: 'input', target: 'draft-2020-12' });
  return `${JSON.stringify({ ...schema, $id: `kport-${name}.schema.json`, title: `kport ${name}` }, null, 2)}\n`;
}
