import { lines, port } from './harness';

const C = 'arch/arm64/kvm/mmu.c';
const T = 'arch/arm64/kvm/hyp/tlb.c';
const P = 'arch/arm64/kvm/hyp/pgtable.c';
const H = 'arch/arm64/include/asm/kvm_asm.h';

const header = lines('extern void flush_vmid_ipa(struct kvm *kvm, u64 ipa);', 'extern int call_hyp(void *fn, ...);');
const tlb = lines('void flush_vmid_ipa(struct kvm *kvm, u64 ipa)', '{', '\ttlbi(kvm, ipa);', '}');
const base = lines(
  'static void tlb_flush_ipa(struct kvm *kvm, u64 ipa)',
  '{',
  '\tcall_hyp(flush_vmid_ipa, kvm, ipa);',
  '}',
  '',
  'static void clear_entry(struct kvm *kvm, u64 *entry, u64 ipa)',
  '{',
  '\tWRITE_ONCE(*entry, 0);',
  '\ttlb_flush_ipa(kvm, ipa);',
  '}',
);
const set = base.replace(
  '\tcall_hyp(flush_vmid_ipa, kvm, ipa);\n',
  '#ifndef CONFIG_SET\n\tcall_hyp(flush_vmid_ipa, kvm, ipa);\n#endif\n',
);
const other = lines('static int map_all(struct kvm *kvm)', '{', '\treturn walk(kvm, 0, ~0UL);', '}');

/** What becomes of the guard around the call, when its function is gone from the target's file. */
const guard = async (pgtable: string) => {
  const texts = { [C]: base, [T]: tlb, [H]: header };
  const { hunks } = await port(texts, { [C]: set }, { [C]: other, [T]: tlb, [H]: header, [P]: pgtable });
  return hunks[0]!;
};

test('a call that nobody makes any more needs no guard', async () => {
  const hunk = await guard(lines('int walk(struct kvm *kvm, u64 from, u64 to)', '{', '\treturn 0;', '}'));
  expect(hunk.outcome).toBe('obsolete');
});

test('one that others make in other words does, and they are named', async () => {
  const walker = lines(
    'static int unmap_walker(struct mmu *mmu, u64 addr, u32 level)',
    '{',
    '\tcall_hyp(flush_vmid_ipa, mmu, addr, level);',
    '\treturn 0;',
    '}',
  );
  const hunk = await guard(walker);
  expect(hunk.outcome).toBe('conflict');
  expect(hunk.message).toContain('unmap_walker');
  expect(hunk.edits[0]!.candidates.map((c) => [c.path, c.definition, c.line])).toEqual([[P, 'unmap_walker', 3]]);
});

describe('a guard around a call of a helper that is gone', () => {
  const R = 'arch/arm64/kvm/hyp/run.c';
  const helper = lines('static void turn_on(struct kvm *kvm)', '{', '\twrite_reg(kvm->arch.root, root_el2);', '}', '');
  const run = (...call: string[]) =>
    lines(
      'int run(struct vcpu *vcpu)',
      '{',
      '\tsave_host(vcpu);',
      ...call,
      '\trestore_guest(vcpu);',
      '\treturn 0;',
      '}',
    );
  const call = '\tturn_on(vcpu->kvm);';
  const guardOf = async (target: string) => {
    const before = helper + run(call);
    const after = helper + run('#ifndef CONFIG_SET', call, '#endif');
    return (await port({ [R]: before }, { [R]: after }, { [R]: target })).hunks[0]!;
  };
  const other = (register: string) =>
    lines('static void load_root(struct mmu *mmu)', '{', `\twrite_reg(root_of(mmu), ${register});`, '}', '');

  test('is a conflict, with the place, where another one does its work', async () => {
    const hunk = await guardOf(other('root_el2') + run('\tload_root(vcpu->mmu);'));
    expect(hunk.outcome).toBe('conflict');
    expect(hunk.message).toBe(
      "'turn_on', which it guards out, is gone from the target, but 'load_root' does its work in 'run' now",
    );
    expect(hunk.edits[0]!.candidates.map((c) => [c.path, c.definition, c.line])).toEqual([[R, 'run', 9]]);
  });

  test('also where the caller does it itself', async () => {
    const hunk = await guardOf(run('\twrite_reg(root_of(vcpu->mmu), root_el2);'));
    expect(hunk.edits[0]!.candidates.map((c) => [c.definition, c.line])).toEqual([['run', 4]]);
  });

  test('has nothing left to do where what is called there does something else', async () => {
    expect((await guardOf(other('trap_el2') + run('\tload_root(vcpu->mmu);'))).outcome).toBe('obsolete');
  });
});

describe('a line that upstream only spelt anew', () => {
  const R = 'arch/arm64/kvm/hyp/flush.c';
  const flush = (parameter: string, name: string) =>
    lines(
      `void flush_all(${parameter})`,
      '{',
      '\tstruct context cxt;',
      '',
      `\t${name} = to_hyp(${name});`,
      `\tenter(${name}, &cxt);`,
      '\tdo_flush();',
      '}',
    );
  const before = flush('struct kvm *kvm', 'kvm');
  const guarded = (text: string, line: string) => text.replace(line, `#ifndef CONFIG_SET\n${line}#endif\n`);
  const after = guarded(before, '\tkvm = to_hyp(kvm);\n');

  test('speaks of the parameter by its new name, and is found', async () => {
    const there = flush('struct mmu *mmu, int level', 'mmu');
    const { hunks, files } = await port({ [R]: before }, { [R]: after }, { [R]: there });
    expect(hunks[0]!.outcome).toBe('merged');
    expect(files[R]).toBe(guarded(there, '\tmmu = to_hyp(mmu);\n'));
  });

  test('is another when the function has both names', async () => {
    const both = flush('struct mmu *mmu', 'mmu').replace('\tdo_flush();\n', '\tdo_flush();\n\tlog_kvm(kvm);\n');
    const { hunks } = await port({ [R]: before }, { [R]: after }, { [R]: both });
    expect(hunks[0]!.outcome).toBe('conflict');
  });

  test('passes something else, at another place, and is not gone', async () => {
    const moved = before
      .replace('\tenter(kvm, &cxt);\n', '')
      .replace('\tdo_flush();\n', '\tdo_flush();\n\tenter(root, 3);\n');
    const entered = guarded(before, '\tenter(kvm, &cxt);\n');
    const { hunks } = await port({ [R]: before }, { [R]: entered }, { [R]: moved });
    expect(hunks[0]!.outcome).toBe('conflict');
    const { hunks: none } = await port(
      { [R]: before },
      { [R]: entered },
      { [R]: moved.replace('\tenter(root, 3);\n', '') },
    );
    expect(none[0]!.outcome).toBe('obsolete');
  });

  test('stands in a function that the old one is only a door to now', async () => {
    const inner = lines(
      'static void __flush(struct kvm *kvm)',
      '{',
      '\tprepare(kvm->root);',
      '\tenter(kvm->root, 3);',
      '\tfinish(kvm->root);',
      '}',
    );
    const there =
      inner + lines('', 'void flush_all(struct kvm *kvm)', '{', '\tmask();', '\t__flush(kvm);', '\tunmask();', '}');
    const entered = guarded(before, '\tenter(kvm, &cxt);\n');
    const { hunks } = await port({ [R]: before }, { [R]: entered }, { [R]: there });
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(hunks[0]!.edits[0]!.candidates[0]).toMatchObject({ definition: '__flush', line: 4 });
  });
});
