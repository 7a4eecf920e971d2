import { rmSync, symlinkSync } from 'node:fs';
import { openTree } from '../../src/io/tree';
import { kernelRepo, littleKernel, makefile } from '../support/kernel';
import { listing, Sandbox } from '../support/sandbox';

let box: Sandbox;
beforeEach(() => (box = new Sandbox()));
afterEach(() => box.remove());

const ODD = [
  'with blank',
  'qu"o\\te',
  '\xc3\xbcmlaut',
  'l\xe4tin1',
  'tab\tnewline\n',
  '-dash',
  'a/-/b',
  '.hidden',
  '[x]*?',
];

describe('a revision', () => {
  test('is read without a checkout', async () => {
    const repo = kernelRepo(box, 'linux', 'v4.18', { link: { link: 'Makefile' } });
    repo.commit('5.4\n', { Makefile: makefile('v5.4'), 'new.c': 'int x;\n' });
    repo.tag('v5.4');
    const before = listing(repo.dir);
    const tree = await openTree(repo.dir, 'v4.18');
    expect(tree.version).toEqual({ version: 4, patchlevel: 18, sublevel: 0, extra: '' });
    expect(tree.commit).toBe(repo.git(['rev-parse', 'v4.18']).trim());
    expect(tree.has('new.c')).toBe(false);
    expect(await tree.read('new.c')).toBeNull();
    expect(await tree.read('scripts/run.sh')).toBe('#!/bin/sh\necho run\n');
    expect(tree.entry('scripts/run.sh')!.mode).toBe('100755');
    expect([tree.entry('link')!.mode, await tree.read('link')]).toEqual(['120000', 'Makefile']);
    expect([...tree.paths()].length).toBe(
      repo.git(['ls-tree', '-r', '--name-only', 'v4.18']).trim().split('\n').length,
    );
    expect(listing(repo.dir)).toEqual(before);
    tree.repo!.close();
  });

  test('a bare repository, a linked work tree and an annotated tag do as well', async () => {
    const repo = kernelRepo(box, 'linux');
    repo.git(['tag', '-a', '-m', 'x', 'annotated']);
    repo.git(['worktree', 'add', '-q', '--detach', box.path('linked')]);
    box.git(box.dir, ['clone', '-q', '--bare', 'linux', 'bare.git']);
    for (const dir of ['linux', 'linked', 'bare.git', 'linux/.git']) {
      const tree = await openTree(box.path(dir), 'annotated');
      expect(tree.commit).toBe(repo.git(['rev-parse', 'HEAD']).trim());
      expect(await tree.read('Kconfig')).toContain('mainmenu');
      tree.repo!.close();
    }
  });

  test('odd file names, in any bytes', async () => {
    const repo = kernelRepo(box, 'linux', 'v4.18', Object.fromEntries(ODD.map((n) => [n, `content of ${n}`])));
    const tree = await openTree(repo.dir, 'HEAD');
    for (const name of ODD) expect(await tree.read(name)).toBe(`content of ${name}`);
    tree.repo!.close();
  });

  test('a missing blob reads as null, and the next ones are there', async () => {
    const repo = kernelRepo(box, 'linux');
    const oid = repo.git(['rev-parse', 'HEAD:Kconfig']).trim();
    rmSync(`${repo.dir}/.git/objects/${oid.slice(0, 2)}/${oid.slice(2)}`);
    const tree = await openTree(repo.dir, 'HEAD');
    const read = await Promise.all(
      ['Kconfig', 'Documentation/kvm.txt', 'Kconfig', 'scripts/run.sh'].map((p) => tree.read(p)),
    );
    expect(read.map((t) => t && t.length)).toEqual([null, 38, null, 19]);
    expect(tree.has('Kconfig')).toBe(true);
    tree.repo!.close();
  });

  test('many reads at once, small and large', async () => {
    const big = 'x'.repeat(3_000_000);
    const repo = kernelRepo(box, 'linux', 'v4.18', { big, empty: '' });
    const tree = await openTree(repo.dir, 'HEAD');
    const names = Array.from({ length: 60 }, (_, i) => ['big', 'empty', 'Kconfig'][i % 3]!);
    const sizes = (await Promise.all(names.map((n) => tree.read(n)))).map((t) => t!.length);
    expect(sizes).toEqual(names.map((n) => ({ big: 3_000_000, empty: 0 })[n] ?? 50));
    tree.repo!.close();
  });

  test('a submodule has no content', async () => {
    const repo = kernelRepo(box, 'linux');
    repo.git(['update-index', '--add', '--cacheinfo', `160000,${repo.git(['rev-parse', 'HEAD']).trim()},sub`]);
    repo.git(['commit', '-q', '-m', 'sub']);
    const tree = await openTree(repo.dir, 'HEAD');
    expect([tree.has('sub'), await tree.read('sub')]).toEqual([true, null]);
    tree.repo!.close();
  });
});

describe('a folder', () => {
  test('is read as git would have it: modes, links, ids', async () => {
    const repo = kernelRepo(box, 'linux', 'v4.18', {
      link: { link: 'nowhere' },
      empty: '',
      ...Object.fromEntries(ODD.map((n) => [n, n])),
    });
    const dir = box.write('plain', {
      ...littleKernel('v4.18'),
      link: { link: 'nowhere' },
      empty: '',
      ...Object.fromEntries(ODD.map((n) => [n, n])),
    });
    const [folder, revision] = [await openTree(dir, null), await openTree(repo.dir, 'HEAD')];
    expect([...folder.paths()].sort()).toEqual([...revision.paths()].sort());
    for (const p of revision.paths()) {
      expect([p, folder.entry(p)]).toEqual([p, revision.entry(p)]);
      expect(await folder.read(p)).toBe(await revision.read(p));
    }
    revision.repo!.close();
  });

  test('symlinks that lead in circles trap nobody', async () => {
    const dir = box.write('plain', { ...littleKernel('v4.18'), 'a/x.c': 'x\n' });
    symlinkSync('..', `${dir}/a/up`);
    symlinkSync('.', `${dir}/a/self`);
    symlinkSync('ring2', `${dir}/ring1`);
    symlinkSync('ring1', `${dir}/ring2`);
    const tree = await openTree(dir, null);
    expect([...tree.paths()].filter((p) => p.startsWith('a/'))).toEqual(['a/self', 'a/up', 'a/x.c']);
    expect([await tree.read('a/up'), await tree.read('ring1'), await tree.read('a/up/Makefile')]).toEqual([
      '..',
      'ring2',
      null,
    ]);
  });

  test('inside somebody else’s repository is a folder', async () => {
    box.repo('outer').commit('x\n', { 'y.c': 'x\n' });
    const dir = box.write('outer/kernel', littleKernel('v5.4'));
    const tree = await openTree(dir, null);
    expect([tree.repo, tree.commit, tree.version.version]).toEqual([null, null, 5]);
  });
});

describe('the version', () => {
  test.each([
    ['v4.18', '', 'v4.18'],
    ['v4.18.3', '', 'v4.18.3'],
    ['v5.10-rc3', '', 'v5.10-rc3'],
    ['v5.10.7-rc1', '', 'v5.10.7-rc1'],
  ])('%s', async (version) => {
    const { formatVersion } = await import('../../src/core/version');
    const dir = box.write('plain', { Makefile: makefile(version) });
    expect(formatVersion((await openTree(dir, null)).version)).toBe(version);
    expect((await openTree(dir, version)).name).toContain('plain');
    await expect(openTree(dir, 'v3.0')).rejects.toThrow(`is ${version}, not 'v3.0'`);
  });

  test.each(['', 'all:\n', 'VERSION = x\nPATCHLEVEL = 1\n', 'VERSION = 5\n'])('none in %j', async (text) => {
    const dir = box.write('plain', { Makefile: text });
    await expect(openTree(dir, null)).rejects.toThrow('its Makefile states no VERSION and PATCHLEVEL');
  });
});
