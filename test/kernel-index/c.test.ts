import { indexFile } from '../../src/kernel-index/index-file';
import type { Definition } from '../../src/kernel-index/types';

const index = (text: string, path = 'a.c') => indexFile(path, text, { attributes: new Set(['__local']) });

async function only(text: string, kind: string): Promise<Definition> {
  const found = (await index(text)).definitions.filter((d) => d.kind === kind);
  expect(found).toHaveLength(1);
  return found[0]!;
}

test('a function reaches from its attributes to its brace', async () => {
  const text =
    '/* about f */\nasmlinkage static __local unsigned long *\nf(struct a *x, int (*g)(int), ...)\n{\n\treturn h(x->b);\n}\nint c;\n';
  const f = await only(text, 'function');
  expect(text.slice(f.start, f.end)).toBe(text.slice(text.indexOf('asmlinkage'), text.indexOf('\nint c')));
  expect([f.startLine, f.endLine]).toEqual([1, 5]);
  expect(text.slice(f.body!.start, f.body!.end)).toBe('{\n\treturn h(x->b);\n}');
  expect(f.signature).toEqual({
    returns: 'unsigned long *',
    parameters: [
      { type: 'struct a *', name: 'x' },
      { type: 'int (*)(int)', name: 'g' },
    ],
    variadic: true,
    annotations: ['asmlinkage', 'static', '__local'],
  });
  expect(f.calls).toEqual(['h']);
  expect(f.uses).toEqual(['__local', 'a', 'asmlinkage', 'b', 'g', 'x']);
  expect(f.broken).toBe(false);
});

test('structs have their fields, those of nameless ones inside included', async () => {
  const text =
    'struct a {\n\tint b, *c;\n\tunion {\n\t\tu8 d;\n\t\tstruct e { int f; } g;\n\t};\n\tvoid (*h)(int);\n\tDECLARE_BITMAP(i, 8);\n\tstruct k l[4];\n} __packed;\n';
  const all = (await index(text)).definitions;
  expect(all.map((d) => `${d.kind} ${d.name}`)).toEqual(['struct a', 'struct e']);
  expect(all[0]!.members.map((m) => [m.name, m.type, m.line])).toEqual([
    ['b', 'int', 1],
    ['c', 'int', 1],
    ['d', 'u8', 3],
    ['g', 'struct e', 4],
    ['g.f', 'int', 4],
    ['h', 'void (*)(int)', 6],
    ['i', 'DECLARE_BITMAP', 7],
    ['l', 'struct k[4]', 8],
  ]);
  expect(text.slice(all[0]!.start, all[0]!.end)).toBe(text.trim());
});

test('enums, typedefs, variables, prototypes, macros', async () => {
  const text = [
    'enum e { A = 1, B };',
    'typedef struct { int x; } t;',
    'typedef int (*callback)(void);',
    'static const struct ops ops = { .f = f };',
    'extern int a, b[2];',
    'void __init f(int x);',
    'static DEFINE_PER_CPU(unsigned long, counter);',
    'DEFINE_MUTEX(lock);',
    '#define MAX(a, b) ((a) > (b) ? (a) : (b))',
    '#define LIMIT  (1 << SHIFT)',
    'enum { C, D };',
    'struct forward;',
  ].join('\n');
  const all = (await index(text)).definitions;
  expect(all.map((d) => `${d.kind} ${d.name}`)).toEqual([
    'enum e',
    'typedef t',
    'typedef callback',
    'variable ops',
    'variable a',
    'variable b',
    'prototype f',
    'variable counter',
    'variable lock',
    'macro MAX',
    'macro LIMIT',
    'enum ',
  ]);
  const named = (name: string) => all.find((d) => d.name === name)!;
  expect(named('e').members.map((m) => m.name)).toEqual(['A', 'B']);
  expect(named('t').members.map((m) => m.name)).toEqual(['x']);
  expect(named('ops').signature).toMatchObject({ returns: 'const struct ops', annotations: ['static'] });
  expect(named('ops').uses).toEqual(['f']);
  expect(named('f').signature).toMatchObject({ returns: 'void', annotations: ['__init'] });
  expect(named('MAX').signature!.parameters.map((p) => p.name)).toEqual(['a', 'b']);
  expect(named('LIMIT').signature).toBeNull();
  expect(named('LIMIT').uses).toEqual(['SHIFT']);
  expect(text.slice(named('LIMIT').body!.start, named('LIMIT').body!.end)).toBe('(1 << SHIFT)');
});

test('both sides of a conditional are there, each with its guard', async () => {
  const text =
    '#ifndef _H\n#define _H\n#ifdef CONFIG_A\nint f(void)\n{\n#if B > 1\n\tg();\n#endif\n}\n#else\nstatic inline int f(void) { return 0; }\n#endif\n#endif\n';
  const all = (await index(text, 'a.h')).definitions;
  expect(all.map((d) => [d.name, d.guards])).toEqual([
    ['f', ['CONFIG_A']],
    ['f', ['!CONFIG_A']],
  ]);
});

test('a header that is written twice is found once, a function behind it as well', async () => {
  const text = '#ifdef A\nint f(int a)\n#else\nint f(void)\n#endif\n{\n\treturn 0;\n}\nint g(void) { return 1; }\n';
  const all = (await index(text)).definitions;
  expect(all.map((d) => d.name)).toEqual(['f', 'g']);
});

test('functions by macro get the name that callers use', async () => {
  const all = (
    await index('SYSCALL_DEFINE1(close, int, fd)\n{\n\treturn x(fd);\n}\nTRACE_EVENT(kvm_exit, TP_PROTO(int a));\n')
  ).definitions;
  expect(all.map((d) => `${d.kind} ${d.name}`)).toEqual(['function sys_close', 'function trace_kvm_exit']);
});

test('an error marks the definitions that it touches, no others', async () => {
  const all = (await index('int f(void) { return 1; }\nint g(void) { return ) 1 +; }\nint h(void) { return 2; }\n'))
    .definitions;
  expect(all.map((d) => [d.name, d.broken])).toEqual([
    ['f', false],
    ['g', true],
    ['h', false],
  ]);
});

test('assembler macros of a header', async () => {
  const text =
    '#ifdef __ASSEMBLY__\n\t.macro save, reg:req, n\n\tstr \\reg, [sp]\n\t.endm\n#else\nvoid f(void);\n#endif\n';
  const all = (await index(text, 'a.h')).definitions;
  expect(all.map((d) => [d.kind, d.name, d.guards])).toEqual([
    ['asm-macro', 'save', ['__ASSEMBLY__']],
    ['prototype', 'f', ['!__ASSEMBLY__']],
  ]);
});

test('binary and huge files say so', async () => {
  expect((await index('\0\0int a;')).trouble).toBe('binary: not indexed');
  const huge = await index(`int f(void) { return 1; }\n${'int a;\n'.repeat(1_500_000)}`);
  expect(huge.trouble).toMatch(/by text alone/);
  expect(huge.definitions[0]!.name).toBe('f');
});

test('each name of a declaration has a type of its own', async () => {
  const { definitions } = await index('static const char *a, **b, c = 1;\nstruct s { int x; } d, *e;\n');
  const types = definitions.filter((d) => d.kind === 'variable').map((d) => [d.name, d.signature!.returns]);
  expect(types).toEqual([
    ['a', 'const char *'],
    ['b', 'const char * *'],
    ['c', 'const char'],
    ['d', 'struct s { int x ; }'],
    ['e', 'struct s { int x ; } *'],
  ]);
});

test('a declaration of very many names does not cost their number squared', async () => {
  const names = Array.from({ length: 30_000 }, (_, i) => `v${i}`);
  const begun = process.cpuUsage();
  const { definitions } = await index(`int ${names.join(', ')};\n`);
  expect(definitions.length).toBe(30_000);
  expect(definitions[29_999]!.signature!.returns).toBe('int');
  expect(process.cpuUsage(begun).user / 1000).toBeLessThan(5000);
});
