import { lines, port, type Texts } from './harness';

const H = 'arch/arm64/include/asm/kvm_host.h';
const NEW = 'arch/arm64/own/vcpu.c';
const USERS = 'arch/arm64/kvm/regs.c';
const types = (...context: string[]) => [
  'struct user_regs {',
  '\tu64 x[31];',
  '\tu64 pc;',
  '};',
  ...context,
  'struct kvm_vcpu {',
  '\tstruct context ctxt;',
  '};',
];
const base: Texts = {
  [H]: lines(
    ...types(
      'struct all_regs {',
      '\tstruct user_regs regs;',
      '\tu64 spsr;',
      '};',
      'struct context {',
      '\tstruct all_regs gp;',
      '};',
    ),
    '#define regs_of(v) (&(v)->ctxt.gp)',
  ),
  [USERS]: lines(
    ...['a', 'b', 'c', 'd'].map(
      (n) => `u64 ${n}(struct kvm_vcpu *vcpu)\n{\n\treturn vcpu->ctxt.gp.regs.pc + KEY_${n};\n}`,
    ),
  ),
};
const target: Texts = {
  [H]: lines(...types('struct context {', '\tstruct user_regs regs;', '};'), '#define regs_of(v) (&(v)->ctxt.regs)'),
  [USERS]: base[USERS]!.replaceAll('gp.regs.', 'regs.'),
};
const own = (...body: string[]) =>
  lines('void own_save(struct kvm_vcpu *vcpu)', '{', ...body.map((l) => `\t${l}`), '}');
const ported = async (to: Texts, ...body: string[]) => {
  const { files, patches } = await port(base, { [NEW]: own(...body) }, to);
  return { text: files[NEW]!, message: patches[0]!.files[0]!.message };
};

describe("an accessor that gives a part of what the base's gave", () => {
  test('gives what was reached behind it', async () => {
    const { text, message } = await ported(target, 'own_keep(&regs_of(vcpu)->regs, regs_of(vcpu)->regs.pc);');
    expect(text).toBe(own('own_keep(regs_of(vcpu), regs_of(vcpu)->pc);'));
    expect(message).toBeNull();
  });

  test('is said where the field behind it is gone, or the whole is handed on', async () => {
    const gone = await ported(target, 'own_keep(regs_of(vcpu)->spsr);');
    expect(gone.text).toBe(own('own_keep(regs_of(vcpu)->spsr);'));
    expect(gone.message).toContain("uses 'regs_of()', for 'spsr', which gives 'struct user_regs'");
    const whole = await ported(target, 'own_keep(regs_of(vcpu));');
    expect(whole.text).toBe(own('own_keep(regs_of(vcpu));'));
    expect(whole.message).toContain(
      "uses 'regs_of()', which gives 'struct user_regs' instead of 'struct all_regs' now",
    );
  });

  test('is known by its fields where the operand is not', async () => {
    const call = 'own_keep(&regs_of(own_vcpu())->regs);';
    const { text } = await ported(target, call);
    expect(text).toBe(own('own_keep(regs_of(own_vcpu()));'));
    const twice = lines('struct other {', '\tstruct context ctxt;', '};');
    const two = await port({ ...base, [USERS]: twice + base[USERS]! }, { [NEW]: own(call) }, target);
    expect(two.files[NEW]).toBe(own(call));
    expect(two.patches[0]!.files[0]!.message).toContain("uses 'regs_of()', which gives another field now");
  });

  test('changes nothing where it gives the same', async () => {
    const call = 'own_keep(&regs_of(vcpu)->regs);';
    const moved = { ...target, [H]: base[H]!.replace('\tstruct context ctxt;', '\tint id;\n\tstruct context ctxt;') };
    expect(await ported(moved, call)).toEqual({ text: own(call), message: null });
  });
});
