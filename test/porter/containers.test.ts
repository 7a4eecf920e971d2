import { lines, port } from './harness';

const C = 'virt/kvm/arm/arm.c';
const H = 'arch/arm64/include/asm/kvm_host.h';
const K = 'include/linux/kernel.h';
const kernel = lines('#define container_of(p, t, m)\t((t *)((char *)(p) - offsetof(t, m)))');

const header = (...arch: string[]) =>
  lines(
    ...['struct kvm_vmid {', '\tu64 vmid_gen;', '\tu32 vmid;', '};', ''],
    ...['struct kvm_mmu {', '\tstruct kvm_vmid vmid;', '\tpgd_t *pgd;', '};', ''],
    ...['struct kvm_arch {', ...arch, '};', '', 'struct kvm {', '\tstruct kvm_arch arch;', '};', ''],
    ...['struct kvm_vcpu {', '\tstruct kvm *kvm;', '\tstruct kvm_mmu *hw_mmu;', '};'],
  );
const flat = header('\tu64 vmid_gen;', '\tu32 vmid;', '\tu32 own_vmid;', '\tu64 vttbr;', '\tpgd_t *pgd;');
const part = header('\tstruct kvm_vmid vmid;', '\tu32 own_vmid;', '\tu64 vttbr;', '\tpgd_t *pgd;');
const pointed = header('\tstruct kvm_mmu mmu;', '\tu32 own_vmid;', '\tu64 vttbr;');

interface Shape {
  head: string;
  name: string;
  pass: string;
  /** What the number is kept in. */
  at: string;
  old: string;
  local?: string[];
  root?: string[];
}

const was: Shape = {
  head: 'static void update_vttbr(struct kvm *kvm)',
  name: 'update_vttbr',
  pass: 'vcpu->kvm',
  at: 'kvm->arch.',
  old: 'need_new_gen(kvm)',
  local: ['\tphys_addr_t table;', ''],
  root: [
    '',
    '\ttable = virt_to_phys(kvm->arch.pgd);',
    '\tkvm->arch.vttbr = table | (u64)kvm->arch.vmid << VTTBR_VMID_SHIFT;',
  ],
};
const is: Shape = {
  head: 'static void update_vmid(struct kvm_vmid *vmid)',
  name: 'update_vmid',
  pass: '&vcpu->kvm->arch.vmid',
  at: 'vmid->',
  old: 'need_new_gen(vmid)',
};

const numbers = (s: Shape) => [
  '\tif (!kvm_next_vmid) {',
  '\t\tatomic64_inc(&kvm_vmid_gen);',
  '\t\tforce_vm_exit(cpu_all_mask);',
  '\t\tkvm_next_vmid = 1;',
  '\t}',
  '',
  `\t${s.at}vmid = kvm_next_vmid++;`,
  '\tkvm_next_vmid &= (1 << kvm_vmid_bits) - 1;',
  ...(s.root ?? []),
];
const text = (s: Shape, body = numbers(s), local = s.local ?? [], rest: string[] = []) =>
  lines(
    ...['#include <linux/kernel.h>', '#include <asm/kvm_host.h>', ''],
    ...[s.head, '{', ...local, '\tspin_lock(&kvm_vmid_lock);', ''],
    ...[`\tif (!${s.old})`, '\t\tgoto done;', '', ...body, ''],
    ...['\tsmp_wmb();', `\t${s.at}vmid_gen = atomic64_read(&kvm_vmid_gen);`],
    ...['done:', '\tspin_unlock(&kvm_vmid_lock);', '}', ''],
    ...['int vcpu_run(struct kvm_vcpu *vcpu)', '{', `\t${s.name}(${s.pass});`, '\treturn enter(vcpu);', '}', ...rest],
  );
const guarded = (own: string, s: Shape) => ['#ifdef CONFIG_SET', own, '#else', ...numbers(s), '#endif'];
const set = text(was, guarded('\tkvm->arch.vmid = kvm->arch.own_vmid;', was), [
  '#ifndef CONFIG_SET',
  ...was.local!.slice(0, 1),
  '#endif',
  '',
]);

const ported = (target: string, head: string) =>
  port({ [C]: text(was), [H]: flat, [K]: kernel }, { [C]: set }, { [C]: target, [H]: head });

describe('a parameter that became a part of what it was', () => {
  test('is what contains that part, when all callers hand that over', async () => {
    const { files, hunks } = await ported(text(is), part);
    const own = '\tvmid->vmid = container_of(vmid, struct kvm, arch.vmid)->arch.own_vmid;';
    expect(files[C]).toBe(text(is, guarded(own, is)));
    expect(hunks.flatMap((h) => h.edits.map((e) => [e.kind, e.outcome]))).toEqual(
      expect.arrayContaining([
        ['guard-wrap', 'obsolete'],
        ['guarded-replace', 'rewritten'],
      ]),
    );
    expect(Math.max(...hunks.map((h) => h.confidence))).toBeLessThan(0.9);
  });

  const through = { ...is, pass: '&vcpu->hw_mmu->vmid' };
  const setup = (value: string) => [
    '',
    'void vcpu_init(struct kvm_vcpu *vcpu)',
    '{',
    `\tvcpu->hw_mmu = ${value};`,
    '}',
  ];
  const first = setup('&vcpu->kvm->arch.mmu');

  test('also by way of a pointer that is set once', async () => {
    const { files } = await ported(text(through, numbers(is), [], first), pointed);
    expect(files[C]).toContain(' = container_of(vmid, struct kvm, arch.mmu.vmid)->arch.own_vmid;\n');
  });

  test.each([
    [
      'the pointer is set twice',
      text(through, numbers(is), [], [...first, ...setup('other').with(1, 'void again(struct kvm_vcpu *vcpu)')]),
      pointed,
    ],
    ['the pointer is set to something else', text(through, numbers(is), [], setup('&all_of_them')), pointed],
    [
      'its address is given away',
      text(
        through,
        numbers(is),
        [],
        [...first, '', 'void swap(struct kvm_vcpu *vcpu)', '{', '\texchange(&vcpu->hw_mmu);', '}'],
      ),
      pointed,
    ],
    [
      'one caller hands over another',
      text(is, numbers(is), [], ['', 'void other(struct kvm_vcpu *vcpu)', '{', '\tupdate_vmid(&spare);', '}']),
      part,
    ],
    [
      'somebody has its address',
      text(is, numbers(is), [], ['', 'void other(struct ops *ops)', '{', '\tops->update = update_vmid;', '}']),
      part,
    ],
    [
      'it is reached by a pointer in between',
      text(is),
      part.replace('\tstruct kvm_vmid vmid;\n\tu32 own', '\tstruct kvm_vmid *vmid;\n\tu32 own'),
    ],
  ])('is said to be missing when %s', async (_, target, head) => {
    const { files, hunks } = await ported(target, head);
    expect(files[C]).not.toContain('container_of(');
    const said = hunks.flatMap((h) => [h.message, ...h.evidence.map((e) => e.text)]).join('\n');
    expect(said).toContain("uses the local 'kvm'");
  });
});

describe('a guard around the declaration of a local', () => {
  const outcome = async (target: string) => {
    const { hunks } = await ported(target, part);
    return hunks.flatMap((h) => h.edits).find((e) => e.kind === 'guard-wrap')!.outcome;
  };

  test('has nothing left to do when upstream took the local away', async () => {
    expect(await outcome(text(is))).toBe('obsolete');
  });

  test('is left to a person when a new local of that type may be the same', async () => {
    const body = [...numbers(is), '', '\troot = virt_to_phys(vmid->pgd);'];
    expect(await outcome(text(is, body, ['\tu32 left;', '\tphys_addr_t root;', '']))).not.toBe('obsolete');
  });
});

describe('a guard of which the last lines are gone', () => {
  test('ends where the next line that stays begins', async () => {
    const { files } = await ported(text(is), part);
    expect(files[C]).toContain(lines('\tkvm_next_vmid &= (1 << kvm_vmid_bits) - 1;', '#endif', '', '\tsmp_wmb();'));
  });

  test('is left to a person when upstream put others there', async () => {
    const body = [...numbers(is), '\tannounce_number(vmid);', '\tif (is_protected(vmid))', '\t\tprotect_again(vmid);'];
    const { hunks } = await ported(text(is, body), part);
    const edit = hunks.flatMap((h) => h.edits).find((e) => e.kind === 'guarded-replace')!;
    expect(edit.outcome).toBe('conflict');
  });
});
