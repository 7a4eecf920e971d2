import { lines, port } from './harness';

const C = 'arch/arm64/kvm/hyp/switch.c';
const H = 'arch/arm64/include/asm/kvm_arm.h';

const fn = (head: string, ...body: string[]) => lines(head, '{', ...body.map((l) => (l ? `\t${l}` : '')), '}');

describe('a parameter that upstream dropped', () => {
  const head = 'static void activate_vm(struct kvm *kvm)';
  const base = fn(head, 'write_reg(kvm->arch.vtcr, vtcr_el2);', 'isb();', 'flush_all();');
  const patched = base.replace('\tflush_all();\n', '\tflush_all();\n#ifdef CONFIG_SET\n\tset_vttbr(kvm, 1);\n#endif\n');

  test("is what upstream's own lines have in its place", async () => {
    const upstream = base
      .replace('struct kvm *kvm', 'struct kvm_s2_mmu *mmu')
      .replace('write_reg(kvm->', 'write_reg(kern_hyp_va(mmu->kvm)->');
    const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
    expect(files[C]).toContain('\tset_vttbr(kern_hyp_va(mmu->kvm), 1);\n');
    expect(hunks[0]!.outcome).toBe('rewritten');
    expect(hunks[0]!.confidence).toBeLessThan(0.9);
  });

  test('is the one member of its type that a new parameter has', async () => {
    const types = lines('struct kvm_s2_mmu {', '\tint vmid;', '\tstruct kvm *kvm;', '};', '');
    const upstream =
      types +
      base
        .replace('struct kvm *kvm', 'struct kvm_s2_mmu *mmu')
        .replace('\twrite_reg(kvm->arch.vtcr, vtcr_el2);\n', '\tload(mmu);\n');
    const { files } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
    expect(files[C]).toContain('\tset_vttbr(mmu->kvm, 1);\n');
  });

  test("is reached as upstream's own lines reach that member", async () => {
    const types = lines('struct kvm_s2_mmu {', '\tint vmid;', '\tstruct kvm *kvm;', '};', '');
    const upstream = (...read: string[]) =>
      types +
      base
        .replace('struct kvm *kvm', 'struct kvm_s2_mmu *mmu')
        .replace('\twrite_reg(kvm->arch.vtcr, vtcr_el2);\n', read.map((l) => `\t${l}\n`).join(''));
    const ported = async (...read: string[]) =>
      (await port({ [C]: base }, { [C]: patched }, { [C]: upstream(...read) })).files[C]!;
    expect(await ported('load(hyp_va(mmu->kvm)->arch.vtcr, mmu);')).toContain('\tset_vttbr(hyp_va(mmu->kvm), 1);\n');
    // One that is looked at as it is, too, or that is only handed on, needs no way to be reached.
    expect(await ported('load(hyp_va(mmu->kvm)->arch.vtcr, mmu->kvm);')).toContain('\tset_vttbr(mmu->kvm, 1);\n');
    expect(await ported('get_kvm(mmu->kvm);')).toContain('\tset_vttbr(mmu->kvm, 1);\n');
  });

  test('is said when nothing is known of it', async () => {
    const upstream = base
      .replace('struct kvm *kvm', 'int nr')
      .replace('write_reg(kvm->arch.vtcr, vtcr_el2)', 'load(nr, 1)');
    const { hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
    expect(hunks[0]!.message).toContain("'kvm'");
    expect(hunks[0]!.confidence).toBeLessThan(0.9);
  });
});

test('a local that upstream dropped is what it was set to', async () => {
  const base = fn(
    'static void fault(struct domain *domain)',
    'struct cfg *cfg = &domain->cfg;',
    '',
    'read_bank(cfg->bank);',
    'isb();',
    'finish();',
  );
  const patched = base.replace(
    '\tfinish();\n',
    '#ifdef CONFIG_SET\n\tclear_bank(cfg->bank, 1);\n#endif\n\tfinish();\n',
  );
  const upstream = fn(
    'static void fault(struct domain *domain)',
    'int bank = domain->cfg.bank;',
    '',
    'read_any_bank(bank, 0);',
    'isb();',
    'finish();',
  );
  const { files } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
  expect(files[C]).toContain('\tclear_bank(domain->cfg.bank, 1);\n');
});

test('a substitution that upstream made, too', async () => {
  const base = fn(
    'static void deactivate(void)',
    'mdcr = read();',
    'write_reg(HCR_RW, hcr_el2);',
    'write_reg(mdcr, mdcr_el2);',
  );
  const patched = base.replace('HCR_RW', 'HCR_HOST_NVHE_FLAGS');
  const upstream = base.replace('HCR_RW', 'HCR_HOST_NVHE_FLAGS').replace('mdcr = read();', 'mdcr = read_once();');
  const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
  expect(hunks[0]!.outcome).toBe('already-upstream');
  expect(files[C]).toBe(upstream);
});

test('a guard around calls that are gone, and around the local that they used', async () => {
  const base =
    lines('void set_tpidr(u64 value);', '') +
    fn(
      'static void init(void)',
      'u64 tpidr;',
      '',
      'prepare();',
      '',
      'tpidr = offset_of_cpu();',
      'call_hyp(set_tpidr, tpidr);',
      'finish();',
    );
  const patched = base
    .replace('\tu64 tpidr;\n', '#ifndef CONFIG_SET\n\tu64 tpidr;\n#endif\n')
    .replace('\ttpidr =', '#ifndef CONFIG_SET\n\ttpidr =')
    .replace('set_tpidr, tpidr);\n', 'set_tpidr, tpidr);\n#endif\n');
  const gone = fn('static void init(void)', 'prepare_all();', '', 'finish();');
  const ported = await port({ [C]: base }, { [C]: patched }, { [C]: gone });
  expect(ported.hunks.flatMap((h) => h.edits.map((e) => e.outcome))).toEqual(['obsolete', 'obsolete']);
  expect(ported.files[C]).toBe(gone);
  // Done in another way is not gone.
  const other = fn(
    'static void init(void)',
    'u64 tpidr = offset_of_this_cpu(0);',
    '',
    'prepare_with(tpidr);',
    'finish();',
  );
  const left = await port({ [C]: base }, { [C]: patched }, { [C]: other });
  expect(left.hunks.map((h) => h.outcome)).toEqual(['conflict']);
  expect(left.files[C]).toBe(other);
});

test('a new file that upstream has by now, in another folder', async () => {
  const header = lines(
    '#ifndef SMMU_H',
    '#define SMMU_H',
    'struct smmu_device {',
    '\tint id;',
    '\tvoid *base;',
    '};',
    '#endif',
  );
  const theirs = lines(
    '#ifndef _SMMU_H',
    '#define _SMMU_H',
    'struct smmu_device {',
    '\tvoid *base;',
    '\tint id;',
    '\tint more;',
    '};',
    '#endif',
  );
  const base = { 'drivers/iommu/smmu.c': lines('int a;') };
  const { files } = await port(
    base,
    { 'drivers/iommu/smmu.h': header.replace('SMMU_H', '_SMMU_H').replace('SMMU_H', '_SMMU_H') },
    { 'drivers/iommu/arm/smmu.h': theirs },
  );
  expect(files['drivers/iommu/smmu.h']).toBeUndefined();
});

test('definitions go behind those that upstream put at the same place', async () => {
  const base = lines('#define A 1', '', '#define Z 26');
  const patched = base.replace('A 1\n', 'A 1\n#define SET 19\n');
  const { files } = await port({ [H]: base }, { [H]: patched }, { [H]: base.replace('A 1\n', 'A 1\n#define UP 21\n') });
  expect(files[H]).toBe(lines('#define A 1', '#define UP 21', '#define SET 19', '', '#define Z 26'));
});

test('a declaration by a macro beside a prototype is another thing than that', async () => {
  const H = 'arch/arm64/include/asm/kvm_asm.h';
  const set = ['#ifdef CONFIG_OWN', 'extern u64 own_call(u64 nr);', '#endif'];
  const header = (sym: (name: string) => string[], ...own: string[]) =>
    lines('extern u32 first(void);', ...sym('first'), ...own, 'extern void second(u64 off);', ...sym('second'));
  const sym = (name: string) => [`DECLARE_NVHE_SYM(${name});`];
  const none = () => [];
  const { files } = await port({ [H]: header(none) }, { [H]: header(none, ...set) }, { [H]: header(sym) });
  expect(files[H]).toBe(header(sym, ...set));
});

test('a variant that upstream gave a folder of its own', async () => {
  const base = fn('static void switch_to_host_nvhe(struct kvm *kvm)', 'write_reg(0, vttbr_el2);');
  const patched = base.replace('\twrite', '#ifndef CONFIG_SET\n\twrite').replace('el2);\n', 'el2);\n#endif\n');
  const dir = 'arch/arm64/kvm/hyp';
  const { files } = await port(
    { [`${dir}/tlb.c`]: base },
    { [`${dir}/tlb.c`]: patched },
    {
      [`${dir}/nvhe/tlb.c`]: fn(
        'static void switch_to_host(struct tlb_context *cxt)',
        'write_reg(0, vttbr_el2);',
        'isb();',
      ),
      [`${dir}/nvhe/switch.c`]: fn('static void load_host(void)', 'write_reg(0, vttbr_el2);'),
    },
    [`${dir}/tlb.c`],
  );
  expect(files[`${dir}/nvhe/tlb.c`]).toContain('#ifndef CONFIG_SET\n\twrite_reg(0, vttbr_el2);\n');
  expect(files[`${dir}/nvhe/switch.c`]).not.toContain('#ifndef');
});

describe('a field that upstream moved', () => {
  const types = (arch: string) =>
    lines('struct kvm_arch {', `\t${arch}`, '\tint other;', '};', 'struct kvm {', '\tstruct kvm_arch arch;', '};', '');
  const T = 'arch/arm64/include/asm/kvm_host.h';
  const body = fn(
    'static void load(struct kvm *kvm)',
    'prepare(kvm);',
    'use(kvm->arch.vmid);',
    'use_more(kvm->arch.vmid);',
    'finish(kvm);',
  );
  const set = body.replace('\tfinish(kvm);\n', '\tset_vm(kvm->arch.vmid, own->arch.vmid);\n\tfinish(kvm);\n');
  const value = lines('struct kvm_vmid {', '\tu64 vmid_gen;', '\tu32 vmid;', '};', '');

  test('into a struct of its own is reached through it, where the owner is known', async () => {
    const { files } = await port(
      { [T]: types('u32 vmid;'), [C]: body },
      { [C]: set },
      { [T]: value + types('struct kvm_vmid vmid;'), [C]: body.replaceAll('arch.vmid', 'arch.vmid.vmid') },
    );
    expect(files[C]).toContain('\tset_vm(kvm->arch.vmid.vmid, own->arch.vmid);\n');
  });
});

test('macros of assembly are those of the target', async () => {
  const S = 'arch/arm64/kernel/hyp-stub.S';
  const base = lines('ENTRY(one)', '\tret', 'ENDPROC(one)', '', 'ENTRY(two)', '\tnop', '\tret', 'ENDPROC(two)');
  const patched = base + lines('', 'ENTRY(three)', '\thvc #0', 'ENDPROC(three)');
  const upstream = base.replaceAll('ENTRY', 'SYM_FUNC_START').replaceAll('ENDPROC', 'SYM_FUNC_END');
  const { files, hunks } = await port(
    { [S]: base },
    { [S]: patched, 'arch/arm64/kvm/new.S': lines('ENTRY(four)', '\tret', 'ENDPROC(four)') },
    { [S]: upstream },
  );
  expect(files[S]).toContain('SYM_FUNC_START(three)\n\thvc #0\nSYM_FUNC_END(three)\n');
  expect(files['arch/arm64/kvm/new.S']).toContain('SYM_FUNC_START(four)');
  expect(hunks[0]!.outcome).toBe('rewritten');
});

test('a header that the target does not have is not included', async () => {
  const base = lines('#include <linux/kvm.h>', '', 'int a;');
  const K = 'drivers/iommu/pgtable.c';
  const { hunks } = await port(
    { [K]: base, 'drivers/iommu/smmu.h': lines('int smmu;') },
    { [K]: base.replace('kvm.h>\n', 'kvm.h>\n#include "smmu.h"\n') },
    { [K]: base.replace('int a;', 'int a, b;') },
    ['drivers/iommu/smmu.h'],
  );
  expect(hunks[0]!.outcome).toBe('conflict');
});

test('a user of a definition that the guard takes away is said', async () => {
  const base =
    fn('void clean_page(int pfn)', 'flush_all(pfn);') +
    '\n' +
    fn('static void fault(int pfn)', 'prepare(pfn);', 'clean_page(pfn);', 'finish(pfn);');
  const patched = base
    .replace('void clean_page', '#ifndef CONFIG_SET\nvoid clean_page')
    .replace('flush_all(pfn);\n}\n', 'flush_all(pfn);\n}\n#endif\n')
    .replace('\tclean_page(pfn);\n', '#ifndef CONFIG_SET\n\tclean_page(pfn);\n#endif\n');
  const { hunks } = await port(
    { [C]: base },
    { [C]: patched },
    { [C]: base + '\n' + fn('static void age(int pfn)', 'clean_page(pfn);', 'young(pfn);') },
  );
  expect(hunks.map((h) => h.message).join()).toContain("'age' uses it outside");
  expect(Math.max(...hunks.map((h) => h.confidence))).toBeLessThan(0.9);
});

describe('a macro that a file had for itself', () => {
  test('is gone with it, whatever the set has of that name elsewhere', async () => {
    const C = 'arch/arm64/kvm/inject.c';
    const H = 'arch/arm64/include/asm/set.h';
    const code = lines('void inject(u64 *pstate)', '{', '\t*pstate = 5;', '}');
    const own = lines(
      '',
      '#ifdef CONFIG_SET',
      'void inject_el2(u64 *pstate)',
      '{',
      '\t*pstate = FAULT_BITS;',
      '}',
      '#endif',
    );
    const { hunks } = await port(
      { [C]: lines('#define FAULT_BITS 0x3c5', '') + code },
      { [C]: lines('#define FAULT_BITS 0x3c5', '') + code + own, [H]: lines('#define FAULT_BITS 11UL') },
      { [C]: code },
    );
    expect(hunks[0]!.message).toContain("mentions 'FAULT_BITS', which the target does not have");
    expect(hunks[0]!.confidence).toBeLessThan(0.9);
  });
});

test('a macro that upstream made a field is none to call', async () => {
  const H = 'arch/arm64/include/asm/kvm_host.h';
  const user = (name: string, level: string, ...own: string[]) =>
    lines(
      `int ${name}(struct table *data)`,
      '{',
      `\tint at = ${level};`,
      '',
      ...own,
      '\treturn walk(data, at);',
      '}',
      '',
    );
  const users = (level: string, ...own: string[]) =>
    user('map', level, ...own) + user('unmap', level) + user('find', level) + user('split', level);
  const base = lines('struct table {', '\tint levels;', '};', '#define START_LEVEL(d)\t(4 - (d)->levels)');
  const target = lines('struct table {', '\tint start_level;', '};');
  const own = '\tnote(START_LEVEL(data));';
  const rules = `- release: v5.6
  kind: rename
  says: renamed
  from: { paths: [${H}], pattern: START_LEVEL, symbol: START_LEVEL }
  to: { paths: [${H}], pattern: start_level, symbol: table.start_level }
  note: kept per table`;
  const ported = (now: string) =>
    port(
      { [H]: base, [C]: users('START_LEVEL(data)') },
      { [C]: users('START_LEVEL(data)', own) },
      { [H]: target, [C]: users(now) },
      [],
      { rules },
    );
  const shown = await ported('data->start_level');
  expect(shown.files[C]).toContain('\tnote(data->start_level);\n');
  // Where upstream's own lines do not show how the field is reached, the rule alone does not say it.
  const { files, hunks } = await ported('first_level(data)');
  expect(files[C]).not.toMatch(/start_level\(/);
  expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('doubt');
});
