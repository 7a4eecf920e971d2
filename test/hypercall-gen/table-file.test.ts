import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KportError } from '../../src/core/errors';
import { formatTable, parseTable, tableJsonSchema } from '../../src/hypercall-gen/table-file';
import { dispatchOf, handlerOf, stubOf } from '../../src/hypercall-gen/types';
import { extracted, patched } from './kestrel';

const SCHEMA = path.join(__dirname, '../../schemas/hypercalls.schema.json');

describe('the table as a file', () => {
  it.each(['t.json', 't.yaml'])('is read back as it was written: %s', async (file) => {
    const { table } = await extracted(patched());
    const { $schema, ...back } = parseTable(formatTable(table, file), file);
    void $schema;
    expect(back).toEqual(table);
  });

  it('takes a new hypercall with six fields', async () => {
    const { table } = await extracted(patched());
    const document = JSON.parse(formatTable(table, 't.json')) as { hypercalls: unknown[] };
    document.hypercalls.push({
      name: 'KESTREL_HVC_VM_STATS',
      number: 14,
      stub: 'kestrel_vm_stats',
      args: [{ name: 'vmid', type: 'u32' }],
      returns: 'u64',
      handler: 'kestrel_do_stats',
    });
    const call = parseTable(JSON.stringify(document), 't.json').hypercalls[6]!;
    expect(stubOf(call)).toMatchObject({ style: 'function', passes: ['vmid'] });
    expect(handlerOf(call)).toMatchObject({ parameters: [{ name: 'vmid', type: 'u32' }], returns: 'u64' });
    expect(dispatchOf(call)).toMatchObject({
      by: 'generated',
      registers: [{ register: 1, cast: 'u32' }],
      result: 'handler',
    });
  });

  it.each([
    ['a field of the wrong type', '"number": 8', '"number": "eight"', /hypercalls\.0 \(KESTREL_HVC_INSTALL\)\.number/],
    ['a name that is no C', '"stub": "kestrel_vm_map"', '"stub": "kestrel vm map"', /\.stub: must be a C identifier/],
    [
      'two entries of one name',
      '"name": "KESTREL_HVC_RUN"',
      '"name": "KESTREL_HVC_INSTALL"',
      /stands in the table twice/,
    ],
    ['no JSON', '"set":', '"set"', /'t\.json' is not JSON/],
  ])('says where %s is', async (_, from, to, message) => {
    const { table } = await extracted(patched());
    const text = formatTable(table, 't.json').replace(from, to);
    expect(() => parseTable(text, 't.json')).toThrow(message);
    expect(() => parseTable(text, 't.json')).toThrow(KportError);
  });

  it('names the line of broken YAML', () => {
    expect(() => parseTable('set: a\nb: [1,', 't.yaml')).toThrow(/'t\.yaml' line \d is not YAML/);
  });

  it('has its schema in schemas/', () => {
    // After a change of types.ts: write tableJsonSchema() there.
    expect(JSON.parse(readFileSync(SCHEMA, 'utf8'))).toEqual(JSON.parse(tableJsonSchema()));
  });
});
