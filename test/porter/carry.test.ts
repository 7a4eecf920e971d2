import { lines, port, type Texts } from './harness';

const H = 'arch/arm64/include/asm/kvm_table.h';
const C = 'arch/arm64/kvm/table.c';
const NEW = 'arch/arm64/kvm/el2_table.c';
const user = (call: string) =>
  lines('#include <asm/kvm_table.h>', '', 'u64 el2_index(u64 addr)', '{', `\treturn ${call};`, '}');
const macros = (...more: string[]) =>
  lines(
    '#define TABLE_SHIFT (PHYS_SHIFT - 9)',
    '#define PHYS_SHIFT 40',
    '#define table_index(addr) ((addr) >> TABLE_SHIFT)',
    ...more,
  );

async function carried(base: Texts, added: Texts, target: Texts) {
  const { files, patches } = await port(base, added, target);
  const file = patches[0]!.files.find((f) => f.path === NEW)!;
  return { text: files[NEW]!, evidence: file.evidence.filter((e) => e.kind === 'definition-carried'), file };
}

describe('what upstream removed and the set still needs', () => {
  test('is carried along with what it depends on, under a name of its own where upstream has that name', async () => {
    const { text, evidence, file } = await carried(
      { [H]: macros() },
      { [NEW]: user('table_index(addr)') },
      {
        [H]: lines(
          '#define PHYS_SHIFT 40',
          'static inline u64 table_index(struct kvm *kvm, u64 addr)',
          '{',
          '\treturn addr >> kvm->shift;',
          '}',
        ),
      },
    );
    expect(text).toBe(
      lines(
        '#include <asm/kvm_table.h>',
        '',
        '#define TABLE_SHIFT (PHYS_SHIFT - 9)',
        '#define table_index_v4_18(addr) ((addr) >> TABLE_SHIFT)',
        '',
        'u64 el2_index(u64 addr)',
        '{',
        '\treturn table_index_v4_18(addr);',
        '}',
      ),
    );
    expect(file.outcome).toBe('rewritten');
    expect(evidence.map((e) => e.text).join()).toContain("'table_index' of v4.18 is carried along, with 'TABLE_SHIFT'");
  });

  test('brings a constant along whose value upstream changed', async () => {
    const { text } = await carried(
      { [H]: macros() },
      { [NEW]: user('table_index(addr)') },
      { [H]: lines('#define PHYS_SHIFT 48') },
    );
    expect(text).toContain('#define PHYS_SHIFT_v4_18 40\n');
    expect(text).toContain('#define TABLE_SHIFT (PHYS_SHIFT_v4_18 - 9)\n');
    expect(text).toContain('#define table_index(addr) ((addr) >> TABLE_SHIFT)\n');
  });

  test('brings both sides of a choice between options', async () => {
    const sized = ['#ifdef CONFIG_64K', '#define PAGE_BITS 16', '#else', '#define PAGE_BITS 12', '#endif'];
    const page = '#define page_of(addr) ((addr) >> PAGE_BITS)';
    const { text } = await carried(
      { [H]: macros(...sized, page) },
      { [NEW]: user('page_of(addr)') },
      { [H]: macros() },
    );
    expect(text).toContain('#if defined(CONFIG_64K)\n#define PAGE_BITS 16\n#endif\n');
    expect(text).toContain('#if !defined(CONFIG_64K)\n#define PAGE_BITS 12\n#endif\n');
  });

  test('a function goes into a file of the set, as its own', async () => {
    const reset = lines('u64 reset_table(u64 addr)', '{', '\treturn table_index(addr);', '}');
    const { text } = await carried({ [H]: macros(), [C]: reset }, { [NEW]: user('reset_table(addr)') }, { [C]: '' });
    expect(text).toContain('static u64 reset_table(u64 addr)\n{\n\treturn table_index(addr);\n}\n\nu64 el2_index');
  });

  test('is not when it works on a field or a variable that is gone, and that is said', async () => {
    const reset = lines('u64 reset_table(struct kvm *kvm)', '{', '\treturn kvm->old_table;', '}');
    const types = (field: string) => ({ 'include/linux/kvm_types.h': lines('struct kvm {', `\tu64 ${field};`, '};') });
    const { text, evidence, file } = await carried(
      { [H]: macros(), [C]: reset, ...types('old_table') },
      { [NEW]: user('reset_table(NULL)') },
      { [C]: '', ...types('tables') },
    );
    expect(text).toBe(user('reset_table(NULL)'));
    expect(evidence).toEqual([]);
    expect(file.message).toContain("mentions 'reset_table', which the target does not have");
  });

  test('comes with locals of which fields of that name are gone', async () => {
    const T = 'arch/arm64/kvm/timer.c';
    const field = lines('struct timer {', '\tu64 offset;', '};', '');
    const base =
      field +
      lines(
        'void set_offset(u32 low, u32 high)',
        '{',
        '\tu64 offset = (u64)high << 32 | low;',
        '\twrite(offset);',
        '}',
      );
    const target = lines('void set_offset(u64 value)', '{', '\twrite(value);', '}');
    const own = lines('void el2_offset(u64 a, u64 b)', '{', '\tset_offset((u32)a, (u32)b);', '}');
    const { text } = await carried(
      { [H]: macros(), [T]: base },
      { [NEW]: own, [T]: base + 'int set;\n' },
      { [T]: target },
    );
    expect(text).toContain('static void set_offset_v4_18(u32 low, u32 high)\n');
    expect(text).toContain('\tset_offset_v4_18((u32)a, (u32)b);\n');
  });
});

test('what only a new file of the set includes is known, too', async () => {
  const MEM = 'include/linux/regions.h';
  const own = lines(
    '#include <linux/regions.h>',
    '',
    'void el2_each(struct region *r)',
    '{',
    '\tfor_each_region(memory, r)',
    '\t\tel2_add(r);',
    '}',
  );
  const each = (name: string, kind: string) => `#define ${name} for (r = regions.${kind}; r->size; r++)`;
  const base = { [MEM]: lines('extern struct regions regions;', each('for_each_region(kind, r)', 'kind')) };
  const target = { [MEM]: lines('extern struct regions regions;', each('for_each_memory_region(r)', 'memory')) };
  const { text, file } = await carried(base, { [NEW]: own }, target);
  expect(text).not.toBe(own);
  expect(file.outcome).toBe('rewritten');
});
