import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ApplySchema } from '../../src/report/schema/apply';
import { SCHEMAS, schemaText } from '../../src/report/schema';
import { tinyKernels } from './kernels';

const DIR = path.join(__dirname, '../../schemas');

describe('the published schemas', () => {
  it('are those of the code (else: npm run schemas)', () => {
    for (const name of Object.keys(SCHEMAS)) {
      expect(readFileSync(path.join(DIR, `${name}.schema.json`), 'utf8')).toBe(schemaText(name));
    }
  });

  it('let a later kport add fields', () => {
    expect(JSON.stringify(JSON.parse(schemaText('apply')))).not.toContain('"additionalProperties":false');
  });

  it('hold for the report of a port, complete and not', async () => {
    const kernels = await tinyKernels();
    try {
      for (const to of ['v4.19', 'v4.20']) {
        const report = JSON.parse(JSON.stringify(await kernels.port(to, `kport/${to}`))) as unknown;
        // Equal, so no field of the report is unknown to the schema.
        expect(ApplySchema.parse(report)).toEqual(report);
      }
      expect(ApplySchema.safeParse({ schemaVersion: 2 }).success).toBe(false);
    } finally {
      kernels.remove();
    }
  });
});
