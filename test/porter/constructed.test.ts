import { lines, port } from './harness';

const H = 'arch/arm64/include/asm/prot.h';
const C = 'arch/arm64/kvm/mem.c';
const OWN = 'arch/arm64/set/own.c';
const prot = (value: string, ...more: string[]) =>
  lines(
    'typedef struct { u64 bits; } prot_t;',
    '#define prot_bits(x)\t((x).bits)',
    '#define prot_plain(x)\t(x)',
    '#define make_prot(x)\t((prot_t) { (x) } )',
    'void map(u64 addr, prot_t prot);',
    ...more,
    `#define PAGE_EL2\t${value}`,
  );
const mem = lines('#include <asm/prot.h>', '', 'void map(u64 addr, prot_t prot)', '{', '\tset(addr, prot);', '}');
const calls = (call: string) => lines('#include <asm/prot.h>', '', 'void own(u64 addr)', '{', `\t${call};`, '}');

async function said(call: string, is: string, was = 'make_prot(DEFAULT | EL2)'): Promise<string | null> {
  const { patches, files } = await port(
    { [C]: mem, [H]: prot(was) },
    { [C]: mem + 'int set;\n', [OWN]: calls(call) },
    { [C]: `int fresh;\n${mem}`, [H]: is },
  );
  expect(files[OWN]).toBe(calls(call));
  return patches[0]!.files.find((f) => f.path === OWN)!.message;
}
const doubt = (to: string) =>
  `hands 'PAGE_EL2' to '${to}': it was made by 'make_prot', and is a plain number in the target`;

describe('a macro that was a struct and is a number', () => {
  test('is a doubt where it is taken apart, and where the struct is wanted', async () => {
    const flags = prot('(PROT_R | PROT_W)');
    expect(await said('use(addr + prot_bits(PAGE_EL2))', flags)).toBe(doubt('prot_bits'));
    expect(await said('map(addr, PAGE_EL2)', flags)).toBe(doubt('map'));
  });

  test('is one behind another name, and as an enumerator', async () => {
    const renamed = prot('PAGE_HYPER', '#define PAGE_HYPER\t(PAGE_RO << 1)');
    expect(await said('use(prot_bits(PAGE_EL2))', renamed)).toBe(doubt('prot_bits'));
    const flag = prot('(PROT_R)', 'enum flags { PROT_R, PROT_W };');
    expect(await said('use(prot_bits(PAGE_EL2))', flag)).toBe(doubt('prot_bits'));
  });

  test('is none where a number will do', async () => {
    expect(await said('use(prot_plain(PAGE_EL2), PAGE_EL2)', prot('(PROT_R | PROT_W)'))).toBeNull();
  });

  test('is none where it still is a struct, made in whatever way', async () => {
    for (const is of ['make_prot(OTHER)', 'prot_of(KIND_EL2)', '((prot_t) { (DEFAULT | EL2) })', 'default_prot'])
      expect(await said('use(prot_bits(PAGE_EL2))', prot(is))).toBeNull();
  });

  test('is none where it never was one: the set has that from home', async () => {
    expect(await said('use(prot_bits(PAGE_EL2))', prot('(PROT_R | PROT_W)'), '(DEFAULT | EL2)')).toBeNull();
  });
});
