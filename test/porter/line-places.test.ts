import { indexFile } from '../../src/kernel-index/index-file';
import { LinePlaces } from '../../src/porter/line-places';
import { CodeSearch } from '../../src/porter/code-search';
import { View } from '../../src/porter/view';
import { kernel } from '../symbol-map/kernels';

async function places(files: Record<string, string>, least = 0.3): Promise<LinePlaces> {
  const lines = new LinePlaces(least);
  for (const [path, text] of Object.entries(files)) lines.add({ path, text, index: await indexFile(path, text) });
  lines.close();
  return lines;
}

const of = (lines: LinePlaces, key: string) => [...lines.of(key)].map((p) => `${p.path}:${p.line}`);

test('a line is found by its tokens, in every file and in order', async () => {
  const lines = await places({
    'a.c': 'x = f(a);\ny = g( b );\nx  = f( a );\n',
    'b.c': 'one\ntwo /* or not */ three\n\tx = f(a);',
  });
  expect(of(lines, 'x = f ( a ) ;')).toEqual(['a.c:0', 'a.c:2', 'b.c:2']);
  expect(of(lines, 'two three')).toEqual(['b.c:1']);
  expect(of(lines, 'x = f ( c ) ;')).toEqual([]);
});

test('what a comment hides is nowhere, what stands behind it is there', async () => {
  const lines = await places({ 'a.c': 'one();\n/* two();\n three();\n four */ five();\nsix(); /*\n*/ seven();\n' });
  const keys = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'].map((w) => `${w} ( ) ;`);
  expect(keys.map((k) => of(lines, k).join())).toEqual(['a.c:0', '', '', '', 'a.c:3', 'a.c:4', 'a.c:5']);
});

test('lines that say too little are left out', async () => {
  const lines = await places({ 'a.c': 'return 0;\nreturn f(a);\n' }, 0.9);
  expect([of(lines, 'return 0 ;'), of(lines, 'return f ( a ) ;')]).toEqual([[], ['a.c:1']]);
});

test('two lines with one hash are two lines', async () => {
  // Words of which the hash is known to be the same.
  const lines = await places({ 'a.c': 'costarring\nliquid\n' }, 0);
  expect([of(lines, 'costarring'), of(lines, 'liquid')]).toEqual([['a.c:0'], ['a.c:1']]);
});

test('no file has none', async () => {
  expect(of(await places({}), 'x')).toEqual([]);
});

describe('a search for code', () => {
  const common = '\tif (is_ready(dev, now))\n\t\treturn wake_up_all(dev, now);\n';
  const telling = '\tset_mode(dev, MODE_SLOW, now);\n';
  const file = (n: number, more = '') => `int run_${n}(void)\n{\n${common}${more}\treturn 0;\n}\n`;

  test('cuts up the file that has all the lines, and none of those that have some', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`lib/f${n}.c`, file(n, n === 7 ? telling : '')]),
    );
    const view = new View(await kernel('6.1', files));
    const asked = jest.spyOn(view, 'file');
    const code = new CodeSearch(view, () => true);
    const found = await code.find([...common.split('\n'), telling], { callers: new Set(), path: 'lib/f1.c' });
    expect([found?.file.path, found?.definition.name]).toEqual(['lib/f7.c', 'run_7']);
    expect(asked.mock.calls.map(([path]) => path)).toEqual(['lib/f7.c']);
  });

  test('says nothing where two have all the lines, unless one of them called the old definition', async () => {
    const view = new View(await kernel('6.1', { 'lib/a.c': file(1), 'lib/b.c': file(2) }));
    const code = new CodeSearch(view, () => true);
    const find = (callers: string[], path = 'x.c') =>
      code.find(common.split('\n'), { callers: new Set(callers), path });
    expect(await find([])).toBeNull();
    expect((await find(['run_2']))?.definition.name).toBe('run_2');
    expect((await find([], 'lib/a.c'))?.definition.name).toBe('run_1');
    expect(await code.anywhere(common.split('\n'))).toBe(true);
    expect(await code.anywhere(['no_such_function(dev, now);'])).toBe(false);
    expect(await code.anywhere(['}'])).toBeNull();
  });
});
