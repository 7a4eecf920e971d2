import { Similarity } from '../../src/symbol-map/similarity';
import { mapSymbols } from '../../src/symbol-map';
import { kernel } from './kernels';

const driver = (n: number, body: string) =>
  `static int probe(struct device_${n} *dev)\n{\n\tsetup_${n}(dev);\n${body}\treturn start_${n}(dev);\n}\n`;
const drivers = (body: string, folder = 'drivers') =>
  Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${folder}/d${n}.c`, driver(n, body)]));

/** The pairs of functions that were compared while `work` was done. */
function compared(work: () => void): string[] {
  const pairs: string[] = [];
  const real = Similarity.prototype.of;
  const spy = jest.spyOn(Similarity.prototype, 'of').mockImplementation(function (this: Similarity, a, b, renamed) {
    pairs.push(`${a.name} ${b.name}`);
    return real.call(this, a, b, renamed);
  });
  work();
  spy.mockRestore();
  return pairs;
}

test('of a name that forty files have, the one of the file itself is compared and no other', async () => {
  const map = mapSymbols(await kernel('5.10', drivers('')), await kernel('6.1', drivers('\tnotify(dev);\n')), {});
  const pairs = compared(() => {
    const entry = map.lookup('function', 'probe', 'drivers/d7.c')!;
    expect([entry.status, entry.to[0]?.path]).toEqual(['same', 'drivers/d7.c']);
  });
  expect(pairs).toEqual(['probe probe']);
});

test('of files that moved together each has the function that was its own', async () => {
  const map = mapSymbols(await kernel('5.10', drivers('')), await kernel('6.1', drivers('', 'drivers/new')), {});
  expect(map.lookup('function', 'probe', 'drivers/d7.c')!.to.map((t) => t.path)).toEqual(['drivers/new/d7.c']);
});

test('a stranger that is new in its file is still compared', async () => {
  const moved = driver(7, '');
  const others = drivers('');
  delete others['drivers/d7.c'];
  const map = mapSymbols(
    await kernel('5.10', { ...drivers(''), 'lib/help.c': 'int help(void)\n{\n\treturn 0;\n}\n' }),
    await kernel('6.1', { ...others, 'lib/help.c': `int help(void)\n{\n\treturn 0;\n}\n${moved}` }),
    {},
  );
  expect(map.lookup('function', 'probe', 'drivers/d7.c')!.to.map((t) => t.path)).toEqual(['lib/help.c']);
});

test.each([
  ['a/x.c', 'a/x.h', true],
  ['a/Makefile', 'a/Makefile.am', true],
  ['a/b/x.c', 'a/x.c', false],
  ['a/x.c', 'a/xy.c', false],
  ['a.d/x', 'a.e/x', false],
  ['x.c', 'x.h', false],
])('%s and %s are near exactly where their kinship says so', async (one, other, near) => {
  const { FileMap } = await import('../../src/symbol-map/files');
  const files = new FileMap(await kernel('5.10', {}), await kernel('6.1', {}));
  expect([files.kinship(one, other) >= 0.5, files.isNear(one, other)]).toEqual([near, near]);
});
