import { addAlias } from '../../src/hypercall-gen/entries';
import { withoutObjects } from '../../src/porter/el2-lists';
import { lines } from './harness';

describe('objects that leave a list', () => {
  const without = (...text: string[]) => withoutObjects(lines(...text), new Set(['a.o', 'c.o']));

  test('leave others as they are, and no list without any', () => {
    expect(without('obj-y := a.o b.o c.o', 'obj-y += c.o', '# obj-y += a.o', 'ccflags-y := -Da.o')).toBe(
      lines('obj-y := b.o', '# obj-y += a.o', 'ccflags-y := -Da.o'),
    );
  });

  test('leave a list over several lines one', () => {
    expect(without('obj-$(CONFIG_X) += a.o \\', '\tb.o c.o \\', '\td.o', 'obj-y += x/a.o sub/')).toBe(
      lines('obj-$(CONFIG_X) += \\', '\tb.o \\', '\td.o', 'obj-y += x/a.o sub/'),
    );
  });
});

test('aliases of one kind stand together', () => {
  const add = (text: string, name: string) => addAlias(text, 'ALIAS', [name], 'CONFIG_X', 'Ours')!;
  const once = add('ALIAS(one);\n', 'two');
  expect(add(once, 'three')).toBe(once.replace('ALIAS(two);\n', 'ALIAS(two);\nALIAS(three);\n'));
  expect(add(once, 'two')).toBe(once);
});
