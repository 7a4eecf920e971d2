import { indexFile } from '../../src/kernel-index/index-file';
import { statementsOf } from '../../src/kernel-index/statements';

/** `kind:first-last`, indented by depth, `!` for a brace-less body. */
async function shape(body: string): Promise<string[]> {
  const text = `int before;\n\nstatic int f(void)\n{\n${body}\n}\n`;
  const { definitions } = await indexFile('a.c', text);
  const f = definitions.find((d) => d.name === 'f')!;
  return statementsOf(text, f).map(
    (s) =>
      `${'  '.repeat(s.depth)}${s.kind}${s.braceless ? '!' : ''}:${s.startLine}-${s.endLine}` +
      (s.header ? ` (${s.header.startLine}-${s.header.endLine})` : ''),
  );
}

test('loops, branches and what they control', async () => {
  const body = [
    'int a;',
    'if (x &&',
    '    y)',
    '\tg();',
    'else {',
    '\th();',
    '}',
    'for (;;) {',
    '\tbreak;',
    '}',
    'return 0;',
  ];
  expect(await shape(body.join('\n'))).toEqual([
    'declaration:4-4',
    'if!:5-10 (5-6)',
    '  expression:7-7',
    '  expression:9-9',
    'for:11-13 (11-11)',
    '  break:12-12',
    'return:14-14',
  ]);
});

test('switch, case, labels, iterator macros, asm', async () => {
  const body = [
    'switch (x) {',
    'case 1 ... 3:',
    '\tg();',
    '\tbreak;',
    'default:',
    '\tgoto out;',
    '}',
    'kvm_for_each_vcpu(i, vcpu, kvm)',
    '\tasm volatile("nop"',
    '\t\t::: "memory");',
    'out:',
    '\treturn 1;',
  ];
  expect(await shape(body.join('\n'))).toEqual([
    'switch:4-10 (4-4)',
    '  case:5-7 (5-5)',
    '    expression:6-6',
    '    break:7-7',
    '  case:8-9 (8-8)',
    '    goto:9-9',
    'while!:11-13 (11-11)',
    '  expression:12-13',
    'label:14-15 (14-14)',
    '  return:15-15',
  ]);
});

test('both branches of a conditional that splits statements', async () => {
  const body = ['#ifdef A', 'if (a)', '\tg();', 'else {', '#else', 'while (b) {', '#endif', '\th();', '}'];
  const found = await shape(body.join('\n'));
  expect(found).toContain('if!:5-12 (5-5)');
  expect(found.some((s) => s.trim().startsWith('while:9'))).toBe(true);
});

test('else if needs no braces', async () => {
  expect((await shape('if (a) {\n} else if (b) {\n} else {\n}'))[0]).toBe('if:4-7 (4-4)');
});
