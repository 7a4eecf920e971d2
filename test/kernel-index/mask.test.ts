import { parseC } from '../../src/io/parser';
import { maskC } from '../../src/kernel-index/mask';

const attributes = new Set(['__local_attribute']);

/** Masks and checks what must always hold; gives whether the grammar takes the result. */
function parses(text: string): boolean {
  const masked = maskC(text, attributes);
  expect(masked.length).toBe(text.length);
  const newlines = (s: string) => [...s].flatMap((c, i) => (c === '\n' ? [i] : []));
  expect(newlines(masked)).toEqual(newlines(text));
  return !parseC(masked).rootNode.hasError;
}

test.each([
  ['attributes', 'static int __local_attribute __printf(1, 2) f(char __user *p) __acquires(x) { return 0; }'],
  ['an attribute call nobody lists', 'int f(void) __OWN(x, y);\nint g(void) __OWN(x) { return 1; }'],
  ['a macro that defines a function', 'SYSCALL_DEFINE2(read, int, fd, char __user *, buf)\n{\n\treturn 0;\n}'],
  ['macros without a semicolon', 'EXPORT_SYMBOL(f)\nint a;\nPAGE(A, b) TESTPAGE(A, b)\nint c;'],
  ['a macro with an initialiser', 'static DEFINE_PER_CPU(struct x, y) = { .a = 1 };'],
  ['iterators', 'void f(void) { list_for_each(a, b) { g(); } for_each_x(i)\n\tg(); }'],
  ['do_each, while_each', 'void f(void) { do_each_thread(g, p) { h(); } while_each_thread(g, p); }'],
  ['types as arguments', 'int f(void) { return container_of(p, struct x, m)->a + min_t(unsigned int, 1, 2); }'],
  ['operators and gaps as arguments', 'void f(void) { OP(a, b, |); OP(a, ); }'],
  ['asm', 'void f(void) { asm volatile(ALT("a", "b") : "=r" (x) : : "memory"); register u64 y asm("x0") = 1; }'],
  ['case ranges, computed goto', 'void f(int x) { switch (x) { case 1 ... 5: break; } goto *jump[x]; }'],
  ['bits without a name', 'struct s { unsigned :3; DECLARE_BITMAP(map, 64); int a __packed; };'],
  ['typeof, offsetof', 'typeof(x) y; void f(void) { typeof(*p) q = offsetof(struct a, b.c[1]); }'],
  ['enumerators by macro', 'enum e { LIST(MAKE) };\nenum g {\n\tA_LIST\n\tLAST,\n};'],
  ['a guard that splits a header', '#ifdef A\nint f(int a)\n#else\nint f(void)\n#endif\n{\n\treturn 0;\n}'],
  [
    'a guard that splits a statement',
    'int f(void)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t\tg();\n\t}\n}',
  ],
  [
    'the assembler half of a header',
    '#ifdef __ASSEMBLY__\n\t.macro m, a\n\tmov \\a, #1\n\t.endm\n#else\nint a;\n#endif\n',
  ],
  ['defines in a body', 'void f(void)\n{\n#define X(a, b...) { a, ##b\n\tg();\n#undef X\n}'],
  ['comments with quotes', "int a; /* don't */ // it's\nint b;"],
])('takes %s', (_, text) => {
  expect(parses(text)).toBe(true);
});

test('keeps what is plain C as it is, but for tabs', () => {
  const text = 'struct a { int b; };\nint f(struct a *x)\n{\n\treturn x->b;\n}\n';
  expect(maskC(text)).toBe(text.replace(/\t/g, ' '));
});

describe('is total and linear', () => {
  const limit = (text: string) => {
    // Processor time: the machine may have other things to do.
    const begun = process.cpuUsage();
    expect(maskC(text).length).toBe(text.length);
    return process.cpuUsage(begun).user / 1000;
  };

  test('random bytes', () => {
    let seed = 1;
    const next = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
    const bytes = Array.from({ length: 300_000 }, () => String.fromCharCode(next() & 255)).join('');
    expect(limit(bytes)).toBeLessThan(3000);
    const marks = '(){}[]#*/\\"\'\n,;:=.&ab_ ';
    const soup = Array.from({ length: 1_000_000 }, () => marks[next() % marks.length]).join('');
    expect(limit(soup)).toBeLessThan(5000);
  });

  test.each([
    ['open parentheses', '('.repeat(500_000)],
    ['open braces', '{'.repeat(500_000)],
    ['calls in calls', `int x = ${'f('.repeat(300_000)}`],
    ['calls in calls in a body', `void x(void) { ${'f(struct a, '.repeat(200_000)}`],
    ['attribute calls', '__aligned('.repeat(200_000)],
    ['open conditionals', '#if 0\n'.repeat(200_000)],
    ['conditionals in conditionals', `${'#if A\nint a;\n'.repeat(50_000)}${'#else\nint b;\n#endif\n'.repeat(50_000)}`],
    ['a long line', `int a[] = { ${'1, f(x), '.repeat(120_000)} };`],
    ['an open comment', `/*${'a'.repeat(1_000_000)}`],
    ['strings', '"'.repeat(1_000_001)],
    ['stray closers', ')]}'.repeat(300_000)],
    ['backslashes', '\\\n'.repeat(300_000)],
    ['a long directive', `#define X ${'a \\\n'.repeat(300_000)}`],
  ])('%s', (_, text) => {
    expect(limit(text)).toBeLessThan(5000);
  });
});
