import { lines, port } from './harness';

const H = 'include/linux/each.h';
const C = 'arch/arm64/kvm/mem.c';
const base = lines(
  '#include <linux/each.h>',
  '',
  'int other;',
  '',
  'void init(void)',
  '{',
  '\tstart();',
  '\tfinish();',
  '}',
);
const withCall = (...call: string[]) =>
  base.replace('\tfinish();\n', lines('#ifdef CONFIG_SET', ...call, '#endif') + '\tfinish();\n');
const upstream = `int fresh;\n${base}`;
const U = 'arch/arm64/kvm/users.c';
/** Functions that say a thing: so it is known what took the place of what. */
const users = (...said: string[]) =>
  lines(
    '#include <linux/each.h>',
    '',
    ...['one', 'two', 'three'].flatMap((name) => [
      `void ${name}(int n)`,
      '{',
      `\t${name}_first(n);`,
      ...said,
      `\t${name}_last(n);`,
      '}',
      '',
    ]),
  );
const ported = async (was: string, is: string, call: string[], said: [string[], string[]] = [[], []]) =>
  port(
    { [C]: base, [H]: was, [U]: users(...said[0]) },
    { [C]: withCall(...call), [U]: users(...said[0]) + 'int set;\n' },
    { [C]: upstream, [H]: is, [U]: users(...said[1]) },
  );

const pair = (head: string, value: string) =>
  lines(`#define ${head}\t\t\\`, '\t({\t\t\t\\', `\t\tvoid *val = ${value};\t\\`, '\t\tval;\t\\', '\t})');

describe('a macro whose operands changed', () => {
  test('gets the address that its text took before', async () => {
    const { files, hunks } = await ported(pair('sym_ref(sym)', '&sym'), pair('sym_ref(ptr)', '(ptr)'), [
      '\tuse(sym_ref(other), sym_ref(all[1].x));',
    ]);
    expect(files[C]).toContain('\tuse(sym_ref(&other), sym_ref(&(all[1].x)));\n');
    expect(hunks[0]!.outcome).toBe('rewritten');
  });

  test('takes an array of the set as it is', async () => {
    const declared = lines('extern char pages[];', 'extern char *page;');
    const { files } = await port(
      { [C]: base, [H]: pair('sym_ref(sym)', '&sym'), [U]: users() },
      { [C]: withCall('\tuse(sym_ref(pages), sym_ref(page));'), [U]: declared + users() },
      { [C]: upstream, [H]: pair('sym_ref(ptr)', '(ptr)'), [U]: users() },
    );
    expect(files[C]).toContain('\tuse(sym_ref(pages), sym_ref(&page));\n');
  });

  test('is left as it is when its text does something else', async () => {
    const { files } = await ported(pair('sym_ref(sym)', '&sym'), pair('sym_ref(ptr)', 'twice(ptr)'), [
      '\tuse(sym_ref(other));',
    ]);
    expect(files[C]).toContain('\tuse(sym_ref(other));\n');
  });

  const each = (head: string, kind: string) =>
    lines(`#define ${head}\t\\`, `\tfor (x = all.${kind}.first; x < all.${kind}.first + all.${kind}.count; x++)`);
  const was =
    each('for_each_area(kind, x)', 'kind') + each('for_each_other(kind, x)', 'kind').replace(/first/g, 'start');
  const is = each('for_each_mem_area(x)', 'memory');
  const seen: [string[], string[]] = [
    ['\tfor_each_area(memory, x)', '\t\tcount(x);'],
    ['\tfor_each_mem_area(x)', '\t\tcount(x);'],
  ];

  test('loses the operand that its text has now', async () => {
    const { files } = await ported(was, is, ['\tfor_each_area(memory, x)', '\t\tuse(x);'], seen);
    expect(files[C]).toContain('\tfor_each_mem_area(x)\n');
  });

  test('is not renamed when the call says another thing than its text', async () => {
    const { files, hunks } = await ported(was, is, ['\tfor_each_area(reserved, x)', '\t\tuse(x);'], seen);
    expect(files[C]).not.toContain('for_each_mem_area(');
    expect(hunks[0]!.message).toContain("'for_each_area'");
  });
});

test('a value that is a call of a parameter now, in a function that lost the parameter', async () => {
  const fn = (head: string, ...rest: string[]) => lines(head, '{', ...rest, '}', '');
  const types = lines('#include <linux/each.h>', '', 'struct kvm_mmu {', '\tstruct kvm *kvm;', '};', '');
  const used = ['\tstart(size);', '\tfinish(size);'];
  const from = types + fn('static void use(struct kvm *kvm, long size)', ...used);
  const to = types + fn('static void use(struct kvm_mmu *mmu, long size)', ...used);
  const guarded = lines('#ifdef CONFIG_SET', '\tif (size == PHYS_SIZE)', '\t\tclear(size);', '#endif');
  const set = from.replace('\tfinish(size);\n', `\tfinish(size);\n${guarded}`);
  const vm = (value: string) =>
    '#include <linux/each.h>\n\n' +
    ['one', 'two', 'three']
      .map((n) => fn(`int ${n}(struct kvm *kvm)`, `\t${n}_first(kvm);`, `\treturn ${n}_test(kvm, ${value});`))
      .join('');
  const { files } = await port(
    { [C]: from, [U]: vm('PHYS_SIZE'), [H]: '#define PHYS_SIZE\t(1UL << 40)\n' },
    { [C]: set, [U]: vm('PHYS_SIZE') + 'int set;\n' },
    { [C]: to, [U]: vm('phys_size(kvm)'), [H]: '#define phys_size(kvm)\t(1UL << shift(kvm))\n' },
  );
  expect(files[C]).toContain('\tif (size == phys_size(mmu->kvm))\n');
});
