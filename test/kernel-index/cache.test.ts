import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DiskCache } from '../../src/io/cache';
import { openTree } from '../../src/io/tree';
import { decodeIndex, encodeIndex } from '../../src/kernel-index/file-code';
import { indexFile } from '../../src/kernel-index/index-file';
import { indexKernel, scopeOfSet, WHOLE_TREE, type KernelIndex } from '../../src/kernel-index';

const temporary = () => mkdtempSync(path.join(tmpdir(), 'kport-test-'));
const packs = (dir: string) => readdirSync(dir).filter((n) => n.endsWith('.pack'));

function kernelFolder(files: Record<string, string>): string {
  const dir = temporary();
  for (const [name, text] of Object.entries({ Makefile: 'VERSION = 5\nPATCHLEVEL = 10\n', ...files })) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text, 'latin1');
  }
  return dir;
}

const FILES = {
  'a.c': 'int f(void)\n{\n\treturn g();\n}\n',
  'include/linux/a.h': '#define __own __attribute__((x))\nint __own g(void);\n',
};

async function index(dir: string, cache: DiskCache | null): Promise<KernelIndex> {
  return indexKernel(await openTree(dir, null), { scope: { ...WHOLE_TREE, whole: false }, cache });
}

describe('the cache', () => {
  test('keeps texts from run to run', () => {
    const dir = temporary();
    const first = new DiskCache(dir);
    first.put('a/b', 'text \u00e9\n');
    expect(first.get('a/b')).toBe('text \u00e9\n');
    expect(new DiskCache(dir).get('a/b')).toBeNull();
    first.flush();
    expect(new DiskCache(dir).get('a/b')).toBe('text \u00e9\n');
    expect(first.get('a/b')).toBe('text \u00e9\n');
    expect(first.get('a/c')).toBeNull();
  });

  test('two runs at once do not meet, and what a killed one left is not looked at', () => {
    const dir = temporary();
    const [one, two] = [new DiskCache(dir), new DiskCache(dir)];
    one.put('x', '1');
    two.put('y', '2');
    one.flush();
    two.flush();
    writeFileSync(path.join(dir, 'killed.pack.tmp'), 'kport-pack-1 9');
    const third = new DiskCache(dir);
    expect([third.get('x'), third.get('y'), third.damaged]).toEqual(['1', '2', 0]);
  });

  test.each([
    ['cut short', (b: Buffer) => b.subarray(0, b.length - 3)],
    [
      'with a changed byte',
      (b: Buffer) => Buffer.concat([b.subarray(0, b.length - 2), Buffer.from('#'), b.subarray(b.length - 1)]),
    ],
    ['with another head', (b: Buffer) => Buffer.concat([Buffer.from('nonsense'), b.subarray(8)])],
    ['empty', () => Buffer.alloc(0)],
  ])('a pack %s is not trusted', (_, damage) => {
    const dir = temporary();
    const first = new DiskCache(dir);
    first.put('x', 'content');
    first.flush();
    const [pack] = packs(dir);
    writeFileSync(path.join(dir, pack!), damage(readFileSync(path.join(dir, pack!))));
    const second = new DiskCache(dir);
    expect(second.get('x')).toBeNull();
    expect(second.damaged).toBe(1);
  });

  test('many packs become one', () => {
    const dir = temporary();
    for (let i = 0; i < 30; i++) {
      const cache = new DiskCache(dir);
      cache.put(`k${i}`, `${i}`);
      cache.flush();
    }
    expect(packs(dir).length).toBeLessThan(30);
    const last = new DiskCache(dir);
    expect(Array.from({ length: 30 }, (_, i) => last.get(`k${i}`))).toEqual(
      Array.from({ length: 30 }, (_, i) => `${i}`),
    );
  });

  test('a folder that cannot be written is no error', () => {
    const file = path.join(temporary(), 'file');
    writeFileSync(file, '');
    const cache = new DiskCache(path.join(file, 'below'));
    cache.put('x', '1');
    expect(() => cache.flush()).not.toThrow();
  });
});

describe('an indexed kernel', () => {
  test('is the same from the cache, with or without damage', async () => {
    const dir = kernelFolder(FILES);
    const cacheDir = temporary();
    const cold = await index(dir, new DiskCache(cacheDir));
    const warm = await index(dir, new DiskCache(cacheDir));
    expect(cold.stats.cached).toBe(0);
    expect(warm.stats).toMatchObject({ cached: 3, indexed: 0 });
    expect(warm.files().map((f) => f.index)).toEqual(cold.files().map((f) => f.index));
    for (const p of packs(cacheDir)) writeFileSync(path.join(cacheDir, p), 'kport-pack-1 nothing');
    const again = await index(dir, new DiskCache(cacheDir));
    expect(again.stats).toMatchObject({ cached: 0, indexed: 3 });
    expect(again.stats.damaged).toBeGreaterThan(0);
    expect(again.files().map((f) => f.index)).toEqual(cold.files().map((f) => f.index));
  });

  test('a word that becomes an attribute spoils the files that have it, and no others', async () => {
    const cacheDir = temporary();
    await index(kernelFolder(FILES), new DiskCache(cacheDir));
    const header = '#define __own __attribute__((x))\n#define __late __cold\nint __own g(void);\n';
    const next = kernelFolder({
      ...FILES,
      'include/linux/a.h': header,
      'b.c': 'int __late h(void)\n{\n\treturn 0;\n}\n',
    });
    const second = await index(next, new DiskCache(cacheDir));
    // Makefile and a.c are as they were.
    expect(second.stats).toMatchObject({ cached: 2, indexed: 2 });
    expect(second.definitions('h')[0]!.definition.signature!.annotations).toEqual(['__late']);
  });

  test('what two kernels of a run have in common is held once, unless an attribute word tells them apart', async () => {
    const files = { ...FILES, 'b.c': 'int __late h(void)\n{\n\treturn 0;\n}\n' };
    const cacheDir = temporary();
    const cache = new DiskCache(cacheDir);
    const first = await index(kernelFolder(files), cache);
    const header = '#define __late __cold\n';
    const second = await index(kernelFolder({ ...files, 'include/linux/b.h': header }), cache);
    const same = (path: string) => second.file(path)!.index === first.file(path)!.index;
    expect([same('a.c'), same('include/linux/a.h'), same('b.c')]).toEqual([true, true, false]);
    expect(second.stats).toMatchObject({ cached: 3, indexed: 2 });
    // The later run has the words of the second kernel, and only what is on disk.
    const third = await index(kernelFolder({ ...files, 'include/linux/b.h': header }), new DiskCache(cacheDir));
    expect(third.stats).toMatchObject({ cached: 5, indexed: 0 });
    expect(third.files().map((f) => f.index)).toEqual(second.files().map((f) => f.index));
  });

  test('knows who defines, has and mentions a name', async () => {
    const kernel = await index(kernelFolder({ ...FILES, 'b.h': 'struct s {\n\tint only;\n};\n' }), null);
    expect(kernel.definitions('g').map((d) => d.file.path)).toEqual(['include/linux/a.h']);
    expect(kernel.mentions('g').map((d) => d.definition.name)).toEqual(['f']);
    expect(kernel.members('only').map((m) => m.definition.name)).toEqual(['s']);
    expect(kernel.file('nowhere')).toBeNull();
    expect(await kernel.load('nowhere')).toBeNull();
  });

  test('follows includes from what a set touches', async () => {
    const dir = kernelFolder({
      'virt/kvm/a.c': '#include <linux/kvm_own.h>\n#include "near.h"\n',
      'virt/kvm/near.h': 'int near;\n',
      'include/linux/kvm_own.h': '#include <asm/deep.h>\n',
      'arch/arm64/include/asm/deep.h': 'int deep;\n',
      'drivers/net/other.c': 'int other;\n',
    });
    const kernel = await indexKernel(await openTree(dir, null), { scope: scopeOfSet(['virt/kvm/a.c']), cache: null });
    expect(kernel.files().map((f) => f.path)).toEqual([
      'arch/arm64/include/asm/deep.h',
      'include/linux/kvm_own.h',
      'virt/kvm/a.c',
      'virt/kvm/near.h',
    ]);
    expect((await kernel.load('drivers/net/other.c'))!.index.definitions[0]!.name).toBe('other');
  });

  test('of a whole tree keeps names, and loads files when asked', async () => {
    const tree = await openTree(kernelFolder(FILES), null);
    const kernel = await indexKernel(tree, { scope: WHOLE_TREE, cache: null });
    expect(kernel.files()).toEqual([]);
    expect(kernel.pathsDefining('f')).toEqual(['a.c']);
    expect((await kernel.load('a.c'))!.index.definitions).toHaveLength(1);
  });

  test('names what it could not read: a binary named .c, random bytes, a loop of links', async () => {
    const dir = kernelFolder({
      'binary.c': '\x7fELF\0\0\0int f(void) { }',
      'noise.c': Array.from({ length: 50_000 }, (_, i) => String.fromCharCode(1 + ((i * 7919) % 255))).join(''),
      'deep.c': `void f(void) ${'{'.repeat(100_000)}${'}'.repeat(100_000)}\nint after;\n`,
    });
    symlinkSync('.', path.join(dir, 'loop'));
    const kernel = await index(dir, null);
    expect(kernel.file('binary.c')!.index.trouble).toBe('binary: not indexed');
    expect(kernel.file('noise.c')).not.toBeNull();
    expect(kernel.definitions('after')).toHaveLength(1);
    expect(kernel.file('loop')).toBeNull();
  });
});

describe('what the cache keeps of a file', () => {
  const rich: Record<string, string> = {
    'a.c': [
      '#include <linux/a.h>',
      '#ifdef CONFIG_X',
      'struct s { int a; union { long b[2]; } u; };',
      'static inline int f(struct s *s, ...)',
      '{',
      '\treturn g(s->a) + MAX;',
      '}',
      '#else',
      '#define f(s, ...) 0',
      'int v = 1, *w;',
      '#endif',
      '',
    ].join('\n'),
    'e.h': 'enum e { A, B = 2 };\ntypedef int (*cb)(void);\nint f(void) {\n',
    'b.S': 'ENTRY(go)\n\tbl f\nEND(go)\n.macro save, a\n.endm\n',
    Kconfig: 'config X\n\tbool "x"\n\tselect Y if Z\n',
    'Makefile.x': 'obj-$(CONFIG_X) += a.o b.o\n',
    'x.lds.S': 'SECTIONS\n{\n\t.text : { *(.text) }\n}\n',
  };

  test.each(Object.entries(rich))('%s is read as it was written', async (name, text) => {
    for (const grammar of [true, false]) {
      const made = await indexFile(name, text, { grammar });
      expect(made.definitions.length).toBeGreaterThan(0);
      expect(decodeIndex(encodeIndex(made))).toEqual(made);
    }
  });

  test.each(['', 'x', 'null', '[]', '[]\n', '{"language":"c"}\nc', '[0,0,0,0,0,1]\nc', '[0,0,0,0,0,0,0]\nc'])(
    'a text that is none of its own is no entry: %j',
    (text) => expect(decodeIndex(text)).toBeNull(),
  );

  test('an entry that lacks a number, a word, or has one too many is none', async () => {
    const text = encodeIndex(await indexFile('a.c', rich['a.c']!, { grammar: false }));
    const [numbers, words] = [JSON.parse(text.split('\n')[0]!) as number[], text.split('\n')[1]!];
    const entry = (list: number[], named = words) => decodeIndex(`${JSON.stringify(list)}\n${named}`);
    expect(entry(numbers)).not.toBeNull();
    for (let length = 0; length < numbers.length; length++) expect(entry(numbers.slice(0, length))).toBeNull();
    expect(entry([...numbers, 0])).toBeNull();
    expect(entry(numbers, words.slice(0, words.lastIndexOf('\0')))).toBeNull();
  });

  test('an entry without the grammar’s opinion does not answer who asks for that', async () => {
    const dir = kernelFolder(FILES);
    const cache = temporary();
    const run = async (grammar: boolean) =>
      indexKernel(await openTree(dir, null), {
        scope: { ...WHOLE_TREE, whole: false },
        cache: new DiskCache(cache),
        grammar,
      });
    const parsed = (k: KernelIndex) => k.file('a.c')!.index.parse;
    expect(parsed(await run(false))).toBeNull();
    expect(parsed(await run(true))).toMatchObject({ items: 1, bad: 0 });
    const third = await run(false);
    expect([parsed(third)!.items, third.stats.indexed]).toEqual([1, 0]);
  });

  test('a file that is loaded later takes its place among the names', async () => {
    const dir = kernelFolder({ ...FILES, 'b.c': 'int f(void)\n{\n\treturn g();\n}\n', 'c.c': 'int f(void);\n' });
    const kernel = await indexKernel(await openTree(dir, null), {
      scope: (p) => p !== 'b.c',
      cache: null,
    });
    const paths = () => [kernel.definitions('f'), kernel.mentions('g')].map((l) => l.map((d) => d.file.path));
    expect(paths()).toEqual([['a.c', 'c.c'], ['a.c']]);
    await kernel.load('b.c');
    expect(paths()).toEqual([
      ['a.c', 'b.c', 'c.c'],
      ['a.c', 'b.c'],
    ]);
  });
});
