import type { PortContext } from '../../src/porter/context';
import { readAsUpstream } from '../../src/porter/learned';
import { View } from '../../src/porter/view';
import { kernel } from '../symbol-map/kernels';

const reads = (name: string, how: string) => `int ${name}(struct s *s)\n{\n\treturn ${how};\n}\n`;

test('of the functions that use a field those are asked that read otherwise now', async () => {
  const before = { 'a.c': reads('stays', 's->old'), 'b.c': reads('changes', 's->old') + reads('stays_too', 's->old') };
  const after = { 'a.c': reads('stays', 's->old'), 'b.c': reads('changes', 's->now') + reads('stays_too', 's->old') };
  const [base, target] = [new View(await kernel('5.10', before)), new View(await kernel('6.1', after))];
  const definitions = jest.fn<Promise<never[]>, [string, { name: string }]>().mockResolvedValue([]);
  const context = { base, target, heirs: { definitions } } as unknown as PortContext;
  await readAsUpstream(['\tuse(s->old);\n'], ['old'], context);
  expect(definitions.mock.calls.map(([, of]) => of.name)).toEqual(['changes']);

  // Where the set has changed a file, what upstream has there does not tell.
  definitions.mockClear();
  base.set('a.c', { text: `${before['a.c']}int more;\n`, mode: '100644' });
  await readAsUpstream(['\tuse(s->old);\n'], ['old'], context);
  expect(definitions.mock.calls.map(([, of]) => of.name)).toEqual(['stays', 'changes']);
});
