import { View } from '../../src/porter/view';
import { kernel } from '../symbol-map/kernels';

const body = (n: number) => `int f${n}(void)\n{\n\treturn ${n};\n}\n`;

test('a file that is asked for again after very many others is what it was', async () => {
  const files = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`lib/f${n}.c`, body(n)]));
  const view = new View(await kernel('6.1', files));
  view.set('lib/f1.c', { text: body(4711), mode: '100644' });
  const [plain, laid] = [(await view.file('lib/f0.c'))!, (await view.file('lib/f1.c'))!];
  for (const path of Object.keys(files)) await view.file(path);
  // Who still holds one meets the same one.
  expect(await view.file('lib/f0.c')).toBe(plain);
  expect(await view.file('lib/f1.c')).toBe(laid);
  const { recent } = view as unknown as { recent: Map<string, unknown> };
  expect([recent.size, recent.has('lib/f1.c'), recent.has('lib/f2.c')]).toEqual([800, true, false]);
  expect((await view.file('lib/f2.c'))!.outer.map((d) => d.name)).toEqual(['f2']);
});

test('what is laid over a file is looked at from then on, and what was there when it is taken back', async () => {
  const view = new View(await kernel('6.1', { 'a.c': body(1) }));
  expect((await view.outer('a.c')).map((d) => d.name)).toEqual(['f1']);
  view.set('a.c', { text: body(2), mode: '100644' });
  expect((await view.file('a.c'))!.outer.map((d) => d.name)).toEqual(['f2']);
  expect((await view.outer('a.c')).map((d) => d.name)).toEqual(['f2']);
  view.restore(new Map());
  expect((await view.outer('a.c')).map((d) => d.name)).toEqual(['f1']);
  expect(await view.file('b.c')).toBeNull();
  expect(await view.outer('b.c')).toEqual([]);
});
