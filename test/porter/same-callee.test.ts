import { lines, port } from './harness';

const C = 'drivers/iommu/bind.c';
const H = 'drivers/iommu/ids.h';
const fn = (...body: string[]) => lines('int bind(struct dev *dev)', '{', ...body.map((l) => `\t${l}`), '}');
const call = (callee: string, last: string, more = 'GFP_KERNEL') => [
  'int max = limit(dev);',
  '',
  `dev->id = ${callee}(dev, 1,`,
  `\t\t${last}, ${more});`,
  'return dev->id;',
];
const declared = (name: string) => lines(`int ${name}(struct dev *dev, int min, int max, int flags);`);

describe('an argument that the set changes', () => {
  const base = { [C]: fn(...call('alloc_id', 'max - 1')), [H]: declared('alloc_id') + declared('other_alloc') };
  const set = { [C]: fn(...call('alloc_id', 'max')) };

  test.each(['GFP_KERNEL', 'dev'])('is a conflict where upstream calls another function: %s', async (more) => {
    const upstream = { [C]: fn(...call('other_alloc', 'max - 1', more)) };
    const { files, hunks } = await port(base, set, upstream);
    expect(hunks[0]).toMatchObject({ outcome: 'conflict' });
    expect(hunks[0]!.message).toContain("it changes an argument of 'alloc_id', and upstream calls 'other_alloc' there");
    expect(hunks[0]!.edits[0]!.candidates).toHaveLength(1);
    expect(files[C]).toBe(upstream[C]);
  });

  test('goes where upstream changed another argument of the same call', async () => {
    const { files } = await port(base, set, { [C]: fn(...call('alloc_id', 'max - 1', 'dev')) });
    expect(files[C]).toBe(fn(...call('alloc_id', 'max', 'dev')));
  });

  test('goes where upstream put another call around an argument', async () => {
    const text = (last: string) => fn(...call('alloc_id', last, 'dev->name, dev->parent, dev'));
    const upstream = { [C]: text('once(room + max - 1)') };
    const { files } = await port({ ...base, [C]: text('(room + max - 1)') }, { [C]: text('(room + max)') }, upstream);
    expect(files[C]).toBe(text('once(room + max)'));
  });

  test('goes where the function has another name by now', async () => {
    const upstream = {
      [C]: fn(...call('pasid_alloc', 'max - 1')),
      [H]: declared('pasid_alloc') + declared('other_alloc'),
    };
    const { files } = await port(base, set, upstream);
    expect(files[C]).toBe(fn(...call('pasid_alloc', 'max')));
  });

  test('is none where what changes is no argument', async () => {
    const own = { [C]: fn(...call('alloc_id', 'max - 1')).replace('return dev->id;', 'return dev->id - 1;') };
    const upstream = { [C]: fn(...call('other_alloc', 'max - 1')) };
    const { files } = await port(base, own, upstream);
    expect(files[C]).toContain('\treturn dev->id - 1;\n');
  });
});
