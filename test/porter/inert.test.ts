import { isLeft } from '../../src/core/outcome';
import { lines, port } from './harness';

const C = 'arch/arm64/kvm/fault.c';
const K = 'arch/arm64/kvm/Kconfig';
const base = lines('static int fault(void)', '{', '\tone();', '\ttwo();', '\treturn 0;', '}');
const kconfig = lines('config KVM', '\tbool "KVM"');

const inert = async (patched: string, options = kconfig) => {
  const { hunks } = await port({ [C]: base, [K]: kconfig }, { [C]: patched, [K]: options }, {});
  return hunks.filter((h) => h.path === C).map((h) => h.inert);
};

test('a guard of an option that nobody defines', async () => {
  const patched = base.replace('\tone();\n', '#ifndef CONFIG_OLD\n\tone();\n#else\n\tnew();\n#endif\n');
  expect(await inert(patched)).toEqual([true]);
  expect(await inert(patched, kconfig + lines('config OLD', '\tbool "old"'))).toEqual([false]);
  expect(await inert(patched.replace('ifndef', 'ifdef'))).toEqual([false]);
});

test('code that is never compiled, comments and white space', async () => {
  expect(await inert(base.replace('\ttwo();\n', '\ttwo();\n#if 0\n\tthree();\n#endif\n'))).toEqual([true]);
  expect(await inert(base.replace('\ttwo();\n', '\t/* the second */\n\n\ttwo();\n'))).toEqual([true]);
  expect(await inert(base.replace('\ttwo();\n', '\ttwo();\n\tthree();\n'))).toEqual([false]);
});

test('an option that the target defines makes dead code alive', async () => {
  const patched = base.replace('\tone();\n', '#ifndef CONFIG_OLD\n\tone();\n#else\n\tnew();\n#endif\n');
  const at = (options: string) => port({ [C]: base, [K]: kconfig }, { [C]: patched }, { [C]: base, [K]: options });
  expect((await at(kconfig)).hunks.map((h) => h.inert)).toEqual([true]);
  expect((await at(kconfig + lines('config OLD', '\tbool "old"'))).hunks.map((h) => h.inert)).toEqual([false]);
});

test('without a place it is reported, and nobody has to decide about it', async () => {
  const guarded = (name: string) => base.replace('\tone();\n', `#ifndef ${name}\n\tone();\n#else\n\tnew();\n#endif\n`);
  const options = kconfig + lines('config OLD', '\tbool "old"');
  const there = lines('static int fault(void)', '{', '\treturn handler(3);', '}');
  for (const [name, left] of [
    ['CONFIG_GONE', false],
    ['CONFIG_OLD', true],
  ] as const) {
    const { hunks } = await port({ [C]: base, [K]: options }, { [C]: guarded(name) }, { [C]: there, [K]: kconfig });
    expect(hunks.map((h) => [['conflict', 'obsolete'].includes(h.outcome), isLeft(h)])).toEqual([[true, left]]);
  }
});

test('trees without a single option are parts of trees, and say nothing of what is missing', async () => {
  const patched = base.replace('\tone();\n', '#ifndef CONFIG_OLD\n\tone();\n#else\n\tnew();\n#endif\n');
  const { hunks } = await port({ [C]: base }, { [C]: patched }, {});
  expect(hunks.map((h) => h.inert)).toEqual([false]);
});
