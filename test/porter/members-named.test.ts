import { lines, port, type Texts } from './harness';

const H = 'arch/arm64/include/asm/kvm_host.h';
const C = 'arch/arm64/kvm/vmid.c';
const structs = (members: string[], mmu: string[]) =>
  lines(
    'struct kvm_vmid {',
    '\tu64 gen;',
    '\tu32 vmid;',
    '};',
    ...(mmu.length ? ['struct kvm_s2_mmu {', ...mmu.map((m) => `\t${m}`), '};'] : []),
    'struct kvm_arch {',
    ...members.map((m) => `\t${m}`),
    '\tu32 max_vcpus;',
    '};',
    'struct kvm {',
    '\tstruct kvm_arch arch;',
    '};',
  );
const fn = (...own: string[]) =>
  lines(
    'static void update(struct kvm_vmid *vmid)',
    '{',
    '\tlock(vmid);',
    ...own,
    '\tvmid->gen = next_generation();',
    '}',
  );
const user = (path: string) => lines('', 'u64 first(struct kvm *kvm)', '{', `\treturn kvm->arch.${path}.gen + 1;`, '}');
const own = (path: string) => [
  '#ifdef CONFIG_SET',
  `\tset_vmid(container_of(vmid, struct kvm, arch.${path}));`,
  '#endif',
];

describe('a member that container_of() names', () => {
  const base: Texts = { [H]: structs(['struct kvm_vmid vmid;'], []), [C]: fn() + user('vmid') };
  const patched = { [C]: fn(...own('vmid')) + user('vmid') };

  test('is followed into the struct that it moved to', async () => {
    const upstream = {
      [H]: structs(['struct kvm_s2_mmu mmu;'], ['struct kvm_vmid vmid;', 'u64 pgd;']),
      [C]: fn() + user('mmu.vmid'),
    };
    const { files } = await port(base, patched, upstream);
    expect(files[C]).toContain(lines(...own('mmu.vmid')));
  });

  test('stays where it is', async () => {
    const upstream = { [C]: fn().replace('lock(vmid);', 'lock(vmid, 1);') + user('vmid') };
    const { files } = await port(base, patched, upstream);
    expect(files[C]).toContain(lines(...own('vmid')));
  });
});

describe('a function whose whole body the set guards out', () => {
  const skip = (...body: string[]) => lines('void skip(struct vcpu *vcpu)', '{', ...body, '}', '');
  const body = ['\tif (!vcpu->wide)', '\t\tvcpu->pc += 4;', '\telse', '\t\tskip_wide(vcpu);'];
  const caller = lines('void handle(struct vcpu *vcpu)', '{', '\tskip(vcpu);', '}', '');
  const fresh = lines('void handle_at_el2(struct vcpu *vcpu)', '{', '\tload(vcpu);', '\tskip(vcpu);', '}', '');
  const base = { [C]: skip(...body) + caller };
  const patched = { [C]: skip('#ifndef CONFIG_SET', ...body, '#endif') + caller };

  test('has its new callers of upstream said', async () => {
    const { hunks } = await port(base, patched, { [C]: skip(...body) + caller + fresh });
    expect(hunks[0]!.message).toContain("'handle_at_el2'");
    expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
  });

  test('says nothing of those that the base has', async () => {
    const { hunks } = await port(base, patched, { [C]: skip(...body) + lines('int x;', '') + caller });
    expect(hunks[0]!.message).toBeNull();
  });
});
