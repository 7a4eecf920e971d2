import { lines, port } from './harness';

const C = 'arch/arm64/kvm/mmu.c';
const kernel = (type: string, name: string) =>
  lines(
    `static ${type}${name};`,
    '',
    'int mmu_init(void)',
    '{',
    '\tint err;',
    '',
    `\t${name} = alloc_table(PGD_ORDER);`,
    `\tif (!${name})`,
    '\t\treturn -ENOMEM;',
    '',
    `\terr = map_idmap(${name}, IDMAP_START, IDMAP_END);`,
    '\treturn err;',
    '}',
    '',
    'void mmu_free(void)',
    '{',
    `\tif (${name}) {`,
    `\t\tunmap_range(${name}, IDMAP_START, IDMAP_END);`,
    `\t\tfree_table(${name}, PGD_ORDER);`,
    '\t}',
    `\t${name} = NULL;`,
    '}',
  );
const set = kernel('pgd_t *', 'hyp_pgd').replace(
  '\treturn err;\n',
  '#ifdef CONFIG_SET\n\tset_root(hyp_pgd);\n#endif\n\treturn err;\n',
);
const ported = async (target: string) => {
  const { files, hunks } = await port({ [C]: kernel('pgd_t *', 'hyp_pgd') }, { [C]: set }, { [C]: target });
  return { text: files[C]!, message: hunks[0]!.message };
};

test('a variable that only changed its name has that name in what the set adds', async () => {
  const { text } = await ported(kernel('pgd_t *', 'hyp_root'));
  expect(text).toContain('set_root(hyp_root);');
});

test('one that became another thing has not, and that is said', async () => {
  const { text, message } = await ported(kernel('struct pgtable *', 'hyp_root'));
  expect(text).toContain('set_root(hyp_pgd);');
  expect(message).toContain("'hyp_root' is a 'struct pgtable *'");
});
