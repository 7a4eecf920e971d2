import { simplify, strip } from '../../src/verify/guards';

const off = new Map([['CONFIG_X', false]]);
const on = new Map([['CONFIG_X', true]]);
const kept = (path: string, text: string, decided = off) => strip(path, text, decided).kept.map((l) => l.text);

test.each([
  ['defined(CONFIG_X)', false],
  ['!defined(CONFIG_X)', true],
  ['defined(CONFIG_X) || defined(CONFIG_Y)', 'defined(CONFIG_Y)'],
  ['!defined(CONFIG_X) && defined(CONFIG_Y)', 'defined(CONFIG_Y)'],
  ['defined(CONFIG_X) && defined(CONFIG_Y)', false],
  ['IS_ENABLED(CONFIG_X)', false],
  ['defined CONFIG_X', false],
  ['defined(CONFIG_Y) && PAGE_SHIFT > 12', 'as-is'],
  ['(defined(CONFIG_X) || A > 2) && !defined(B)', '(A > 2) && !defined(B)'.replace('(A > 2)', 'A > 2')],
])('with the option off, %s is %s', (condition, value) => {
  expect(simplify(condition, off)).toBe(value);
});

test('lines keep their places, and the other branch goes', () => {
  const text = 'a\n#ifdef CONFIG_X\nb\n#else\nc\n#endif\nd\n';
  expect(strip('x.c', text, off).kept).toEqual([
    { text: 'a', line: 0 },
    { text: 'c', line: 4 },
    { text: 'd', line: 6 },
  ]);
  expect(kept('x.c', text, on)).toEqual(['a', 'b', 'd']);
  expect(strip('x.c', text, on).out.map((l) => l.text)).toEqual(['c']);
});

test('conditionals that ask for other things stay', () => {
  const text = '#ifdef CONFIG_Y\na\n#if defined(CONFIG_X)\nb\n#endif\n#endif\n';
  expect(kept('x.h', text)).toEqual(['#ifdef CONFIG_Y', 'a', '#endif']);
});

test('a chain loses the part that is decided', () => {
  const text = '#if defined(CONFIG_X)\na\n#elif defined(CONFIG_Y)\nb\n#else\nc\n#endif\n';
  expect(kept('x.S', text)).toEqual(['#if defined(CONFIG_Y)', 'b', '#else', 'c', '#endif']);
  expect(kept('x.S', text, on)).toEqual(['a']);
});

test('Kbuild: ifeq, and lists by the option', () => {
  const text = 'obj-y += a.o\nifeq ($(CONFIG_X), y)\nobj-y += b.o\nelse\nobj-y += c.o\nendif\nobj-$(CONFIG_X) += d.o\n';
  expect(kept('arch/Makefile', text)).toEqual(['obj-y += a.o', 'obj-y += c.o']);
  expect(kept('arch/Makefile', text, on)).toEqual(['obj-y += a.o', 'obj-y += b.o', 'obj-y += d.o']);
});

test('directives in comments are none, and missing ends are told', () => {
  expect(strip('x.c', '/*\n#ifdef CONFIG_X\n*/\na\n', off).unbalanced).toEqual([]);
  expect(strip('x.c', '#ifdef CONFIG_Y\na\n', off).unbalanced).toEqual([0]);
  expect(strip('x.c', 'a\n#endif\n', off).unbalanced).toEqual([1]);
});
