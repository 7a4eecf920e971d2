import { lines, port } from './harness';

const C = 'arch/arm64/kvm/fault.c';

/** A function with the given body, indented by one tab where a line has none. */
const fn = (...body: string[]) =>
  lines('static int handle_fault(struct kvm_vcpu *vcpu, u64 addr)', '{', ...body.map((l) => (l ? `\t${l}` : '')), '}');

const only = async (base: string, patched: string, target: string) => {
  const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: target });
  return { text: files[C]!, outcomes: hunks.map((h) => h.outcome), hunks };
};

describe('a guard around all statements of a block', () => {
  const block = (guard: boolean, huge: string[], small: string[]) =>
    fn(
      'int ret;',
      '',
      'if (hugetlb) {',
      ...(guard ? ['#ifndef CONFIG_SET'] : []).map((l) => l),
      ...huge,
      ...(guard ? ['#else', '\tset_result(vcpu, addr, 2);', '#endif'] : []),
      '} else {',
      ...(guard ? ['#ifndef CONFIG_SET'] : []),
      ...small,
      ...(guard ? ['#else', '\tset_result(vcpu, addr, 3);', '#endif'] : []),
      '}',
      'return ret;',
    ).replace(/\t#/g, '#');
  const huge = [
    '\tpmd_t new_pmd = pfn_pmd(pfn);',
    '\tnew_pmd = pmd_mkhuge(new_pmd);',
    '\tret = set_pmd_huge(vcpu, addr, &new_pmd);',
  ];
  const small = ['\tpte_t new_pte = pfn_pte(pfn);', '', '\tret = set_pte(vcpu, addr, &new_pte);'];

  test('is found by its statements when upstream rewrote most of them and added a branch', async () => {
    const upstream = fn(
      'int ret;',
      '',
      'if (size == PUD_SIZE) {',
      '\tpud_t new_pud = kvm_pfn_pud(pfn);',
      '\tnew_pud = kvm_pud_mkhuge(new_pud);',
      '\tret = set_pud_huge(vcpu, addr, &new_pud);',
      '} else if (size == PMD_SIZE) {',
      '\tpmd_t new_pmd = kvm_pfn_pmd(pfn);',
      '',
      '\tnew_pmd = kvm_pmd_mkhuge(new_pmd);',
      '\tret = set_pmd_huge(vcpu, addr, &new_pmd);',
      '} else {',
      '\tpte_t new_pte = kvm_pfn_pte(pfn);',
      '\tret = set_pte(vcpu, addr, &new_pte);',
      '}',
      'return ret;',
    );
    const { text, outcomes } = await only(block(false, huge, small), block(true, huge, small), upstream);
    expect(outcomes).not.toContain('conflict');
    expect(text).toContain('} else if (size == PMD_SIZE) {\n#ifndef CONFIG_SET\n\t\tpmd_t new_pmd');
    expect(text).toContain(
      '&new_pmd);\n#else\n\t\tset_result(vcpu, addr, 2);\n#endif\n\t} else {\n#ifndef CONFIG_SET\n\t\tpte_t',
    );
    expect(text).toContain('&new_pte);\n#else\n\t\tset_result(vcpu, addr, 3);\n#endif\n\t}\n\treturn ret;');
  });

  test('is a conflict when two blocks have its statements', async () => {
    const upstream = fn(
      'int ret;',
      '',
      'if (one) {',
      '\tret = set_pmd_huge(vcpu, addr, &new_pmd);',
      '} else if (two) {',
      '\tret = set_pmd_huge(vcpu, addr, &new_pmd);',
      '} else {',
      '\tother(vcpu);',
      '}',
      'return ret;',
    );
    const { outcomes } = await only(block(false, huge, small), block(true, huge, small), upstream);
    expect(outcomes).toContain('conflict');
  });
});

test('a guard grows with the statement that it wraps', async () => {
  const base = fn('if (vcpu->arch.flags & DIRTY)', '\tvcpu->arch.flags &= ~(ENABLED | HOST);', '', 'return 0;');
  const patched = base.replace('\tif (vcpu', '#ifndef CONFIG_SET\n\tif (vcpu').replace('HOST);\n', 'HOST);\n#endif\n');
  const upstream = base.replace(
    'if (vcpu->arch.flags & DIRTY)',
    'if (!system_supports(FP) ||\n\t    vcpu->arch.flags & DIRTY)',
  );
  const { text, outcomes } = await only(base, patched, upstream);
  expect(outcomes).toEqual(['merged']);
  expect(text).toContain('{\n#ifndef CONFIG_SET\n\tif (!system_supports(FP) ||\n');
  expect(text).toContain('HOST);\n#endif\n');
});

test('a blank line that the set takes away is nothing to fail for', async () => {
  const base = fn('prepare(vcpu);', '', 'restore_state(&vcpu->arch.fp_regs);', '', 'finish(vcpu);', 'return 0;');
  const patched = base
    .replace('\n\n\trestore', '\n#ifndef CONFIG_SET\n\trestore')
    .replace('fp_regs);\n\n', 'fp_regs);\n#else\n\trestore_state(&vcpu->arch.shadow);\n#endif\n');
  const upstream = base.replace(
    '\trestore_state(&vcpu->arch.fp_regs);\n',
    '\tif (sve) {\n\t\tload(vcpu);\n\t} else {\n\t\trestore_state(&vcpu->arch.fp_regs);\n\t}\n',
  );
  const { text, outcomes } = await only(base, patched, upstream);
  expect(outcomes).toEqual(['merged']);
  expect(text).toContain('} else {\n#ifndef CONFIG_SET\n\t\trestore_state(&vcpu->arch.fp_regs);\n#else\n');
});

test('setting other bits of the variable that upstream sets bits of, too', async () => {
  const base = fn('u64 hcr = vcpu->arch.hcr;', '', 'write_reg(hcr, hcr_el2);', 'return 0;');
  const patched = base.replace(
    'arch.hcr;\n',
    'arch.hcr;\n#ifdef CONFIG_SET\n\thcr |= HCR_SET_FLAGS;\n\thcr &= ~HCR_TGE;\n#endif\n',
  );
  const upstream = (bits: string) => base.replace('\n\n', `\n\n\tif (has_erratum())\n\t\thcr |= ${bits};\n\n`);
  const { text, outcomes } = await only(base, patched, upstream('HCR_TVM'));
  expect(outcomes).toEqual(['merged']);
  expect(text).toContain('arch.hcr;\n#ifdef CONFIG_SET\n\thcr |= HCR_SET_FLAGS;');
  expect((await only(base, patched, upstream('HCR_TGE'))).outcomes).toEqual(['conflict']);
});

test('a call that upstream gave another name, with the same arguments', async () => {
  const base = lines('static int probe(void)', '{', '\treturn 0;', '}', '', 'module_platform_driver(arm_smmu_driver);');
  const patched = base.replace(
    'module_platform_driver(arm_smmu_driver);\n',
    '#ifndef CONFIG_SET\nmodule_platform_driver(arm_smmu_driver);\n#endif\n',
  );
  const { text, hunks } = await only(base, patched, base.replace('module_', 'builtin_'));
  expect(hunks[0]!.outcome).toBe('merged');
  expect(hunks[0]!.confidence).toBeLessThan(0.8);
  expect(text).toContain('#ifndef CONFIG_SET\nbuiltin_platform_driver(arm_smmu_driver);\n#endif\n');
});

describe('the range of a guard', () => {
  const base = fn('prepare(vcpu);', 'write_reg(vcpu->arch.vttbr, vttbr_el2);', 'isb();', 'return 0;');
  const patched = base
    .replace('\twrite_reg', '#ifdef CONFIG_SET\n\tset_vttbr(vcpu);\n#else\n\twrite_reg')
    .replace('vttbr_el2);\n', 'vttbr_el2);\n#endif\n');

  test('is all between the unchanged neighbours when the lines in it changed', async () => {
    const upstream = base.replace(
      '\twrite_reg(vcpu->arch.vttbr, vttbr_el2);\n',
      '\twrite_reg(vcpu->arch.vtcr, vtcr_el2);\n\twrite_reg(get_vttbr(vcpu), vttbr_el2);\n',
    );
    const { text, hunks } = await only(base, patched, upstream);
    expect(text).toContain(
      '#else\n\twrite_reg(vcpu->arch.vtcr, vtcr_el2);\n\twrite_reg(get_vttbr(vcpu), vttbr_el2);\n#endif\n\tisb();',
    );
    expect(hunks[0]!.confidence).toBeLessThan(0.9);
  });

  test('does not take in what upstream put beside it and what is no such call', async () => {
    const upstream = base.replace('\tisb();\n', '\ttrace(vcpu);\n\tisb();\n');
    const { text } = await only(base, patched, upstream);
    expect(text).toContain('vttbr_el2);\n#endif\n\ttrace(vcpu);\n\tisb();');
  });
});

test('what the set adds is indented as the code around it', async () => {
  const base = fn('if (late) {', '\tif (guest) {', '\t\tret = enter(vcpu);', '\t}', '}', 'return 0;');
  const patched = base
    .replace('\t\t\tret', '#ifndef CONFIG_SET\n\t\t\tret')
    .replace('enter(vcpu);\n', 'enter(vcpu);\n#else\n\t\t\tret = enter_set(vcpu);\n#endif\n');
  const upstream = fn('if (guest) {', '\tret = enter(vcpu);', '}', 'return 0;');
  const { text } = await only(base, patched, upstream);
  expect(text).toContain('#else\n\t\tret = enter_set(vcpu);\n#endif\n');
});

describe('code beside code of upstream', () => {
  const base = fn('int err;', '', 'err = init_one(vcpu);', 'return 0;');
  const patched = base.replace('(vcpu);\n', '(vcpu);\n\tif (vhe)\n\t\treturn err;\n');

  test('stays with the value that it reads', async () => {
    const upstream = base.replace('(vcpu);\n', '(vcpu);\n\terr = init_sve(vcpu);\n\tif (err)\n\t\treturn err;\n');
    const { text, outcomes } = await only(base, patched, upstream);
    expect(outcomes).toEqual(['merged']);
    expect(text).toContain('init_one(vcpu);\n\tif (vhe)\n\t\treturn err;\n\terr = init_sve(vcpu);');
  });

  test('is a conflict when it writes what upstream goes on to read', async () => {
    const writes = base.replace('(vcpu);\n', '(vcpu);\n\terr = init_set(vcpu);\n');
    const upstream = base.replace('(vcpu);\n', '(vcpu);\n\tif (err)\n\t\treturn err;\n');
    expect((await only(base, writes, upstream)).outcomes).toEqual(['conflict']);
  });
});

describe('a guard around static functions that only guarded code uses', () => {
  const helper = (name: string, body = 'return addr;') =>
    lines(`static u64 ${name}(struct kvm *kvm, u64 addr)`, '{', `\t${body}`, '}');
  const user = (name: string, callee: string) =>
    lines(`int ${name}(struct kvm *kvm, u64 addr)`, '{', `\treturn ${callee}(kvm, addr) ? 0 : 1;`, '}');
  const guarded = (code: string) => `#ifndef CONFIG_SET\n${code}#endif\n`;
  const base = [helper('set_huge'), helper('is_exec'), user('kvm_age', 'plain')].join('\n');
  const patched = [guarded([helper('set_huge'), helper('is_exec')].join('\n')), user('kvm_age', 'plain')].join('\n');

  test('leaves out those that upstream uses outside by now, and what these use', async () => {
    const upstream = [
      helper('set_huge'),
      helper('get_leaf'),
      helper('is_exec', 'return get_leaf(kvm, addr);'),
      user('kvm_age', 'is_exec'),
    ].join('\n');
    const { text, hunks } = await only(base, patched, upstream);
    expect(text).toBe(
      [
        guarded(helper('set_huge')),
        helper('get_leaf'),
        helper('is_exec', 'return get_leaf(kvm, addr);'),
        user('kvm_age', 'is_exec'),
      ].join('\n'),
    );
    expect(new Set(hunks.map((h) => h.outcome))).toEqual(new Set(['rewritten']));
    expect(hunks[0]!.confidence).toBeLessThan(0.9);
    expect(hunks[0]!.evidence.map((e) => e.text).join()).toContain("'is_exec' is used by 'kvm_age' now");
  });

  test('stays as it is when all users are guarded, too', async () => {
    const upstream = [helper('set_huge'), helper('get_leaf'), helper('is_exec'), user('kvm_age', 'plain')].join('\n');
    const { text } = await only(base, patched, upstream);
    expect(text.startsWith('#ifndef CONFIG_SET\nstatic u64 set_huge')).toBe(true);
    expect(text).toContain('}\n#endif\n\nint kvm_age');
  });

  test('has nothing left to do when all of them are used', async () => {
    const upstream = [
      helper('set_huge'),
      helper('is_exec'),
      user('kvm_age', 'is_exec'),
      user('kvm_set', 'set_huge'),
    ].join('\n');
    const { text, hunks } = await only(base, patched, upstream);
    expect(text).toBe(upstream);
    expect(new Set(hunks.map((h) => h.outcome))).toEqual(new Set(['obsolete']));
  });
});

describe('a guard that puts something in the place of a body', () => {
  const guarded = (...body: string[]) =>
    fn('#ifndef CONFIG_SET', ...body, '#else', 'write_sysreg(own_vttbr(vcpu), vttbr_el2);', '#endif').replace(
      /\t#/g,
      '#',
    );

  test('goes around what it was put in place of, not around what upstream put beside it', async () => {
    const upstream = fn(
      'write_sysreg(0, vttbr_el2);',
      '',
      'if (has_erratum(vcpu)) {',
      '\tisb();',
      '\trestore_tcr(vcpu);',
      '}',
    );
    const body = 'write_sysreg(0, vttbr_el2);';
    const { text, outcomes } = await only(fn(body), guarded(body), upstream);
    expect(outcomes).not.toContain('conflict');
    expect(text).toContain(
      '{\n#ifndef CONFIG_SET\n\twrite_sysreg(0, vttbr_el2);\n#else\n\twrite_sysreg(own_vttbr(vcpu), vttbr_el2);\n#endif\n',
    );
  });

  test('takes it along when it uses what the guard takes away, and is less sure', async () => {
    const body = ['u64 vttbr = get_vttbr(vcpu);', 'write_sysreg(vttbr, vttbr_el2);'];
    const upstream = fn(...body, 'trace_vttbr(vcpu, vttbr);');
    const { text, hunks } = await only(fn(...body), guarded(...body), upstream);
    expect(text).toContain('\ttrace_vttbr(vcpu, vttbr);\n#else\n');
    expect(hunks[0]!.confidence).toBeLessThan(0.9);
  });
});

test('a guard may not hold only the beginning of another conditional: its #else would be that one’s', async () => {
  const base = fn('one(vcpu);', '', 'two(vcpu, addr);', 'three(vcpu);', 'four(addr);', '', 'five(addr, vcpu);');
  const set = base
    .replace('\ttwo', '#ifndef CONFIG_SET\n\ttwo')
    .replace('four(addr);\n', 'four(addr);\n#else\n\tours(vcpu);\n#endif\n');
  const opened = base.replace('\tthree', '#ifdef __KVM_NVHE_HYPERVISOR__\n\tthree');
  const whole = opened.replace('three(vcpu);\n', 'three(vcpu);\n#endif\n');
  const torn = opened.replace('\n\tfive(addr, vcpu);\n', '\n\tfive(addr, vcpu);\n#endif\n');
  expect((await only(base, set, whole)).outcomes).not.toContain('conflict');
  const { hunks } = await only(base, set, torn);
  expect(hunks.map((h) => [h.outcome, h.message])).toEqual([['conflict', expect.stringContaining('only a part of')]]);
});

test('a declaration that upstream took apart from its value is assigned in the set’s branch, too', async () => {
  const base = fn(
    'u64 offset = this_cpu(vcpu) - symbol(vcpu);',
    '',
    'BUG_ON(!ready(vcpu));',
    'call_init(vcpu, offset);',
  );
  const set = base
    .replace('\tu64 offset', '#ifndef CONFIG_SET\n\tu64 offset')
    .replace('symbol(vcpu);\n', 'symbol(vcpu);\n#else\n\tu64 offset = 0;\n#endif\n');
  const apart = fn(
    'unsigned long offset;',
    '',
    'offset = this_cpu(vcpu) - symbol(vcpu);',
    '',
    'BUG_ON(!ready(vcpu));',
    'call_init(vcpu, offset);',
  );
  const { text, outcomes } = await only(base, set, apart);
  expect(outcomes).not.toContain('conflict');
  expect(text).toContain('symbol(vcpu);\n#else\n\toffset = 0;\n#endif\n');
  const together = await only(base, set, base.replace('u64 offset', 'unsigned long offset'));
  expect(together.text).toContain('#else\n\tu64 offset = 0;\n#endif\n');
});
