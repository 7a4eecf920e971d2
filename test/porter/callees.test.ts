import { lines, port } from './harness';

const C = 'arch/arm64/kvm/skip.c';
const H = 'arch/arm64/include/asm/kvm_skip.h';
const fn = (call: string[]) => lines('void skip_one(struct vcpu *vcpu)', '{', ...call, '\twrite_back(vcpu);', '}');
const body = (call: string, own = '') => [
  `\tread_in(vcpu${own});`,
  `\t${call}(vcpu, is_wide(vcpu));`,
  `\tnote(vcpu${own});`,
];
const NARROW = 'void skip_narrow(struct vcpu *vcpu, bool wide);';
const base = { [C]: fn(body('skip_narrow')), [H]: lines(NARROW, 'void skip_any(struct vcpu *vcpu, bool wide);') };
const guarded = (mine: string, theirs: string) => [
  '#ifndef CONFIG_SET',
  ...body(theirs),
  '#else',
  ...body(mine, '->own'),
  '#endif',
];
const patched = { [C]: fn(guarded('skip_narrow', 'skip_narrow')) };
const call = (name: string, callee: string) =>
  lines(`static inline void ${name}(struct vcpu *vcpu, bool wide)`, '{', `\t${callee}(vcpu, wide);`, '}');
const run = async (header: string) => {
  const { files, hunks } = await port(base, patched, { [C]: fn(body('skip_any')), [H]: header });
  return { text: files[C]!, messages: hunks.flatMap((h) => h.message ?? []).join() };
};

describe('another callee in the code that an edit replaces', () => {
  const said = "it calls 'skip_narrow' as the base does, where upstream calls 'skip_any' now";

  test('is not what the set calls where the old one is as it was', async () => {
    const { text, messages } = await run(lines(NARROW) + call('skip_any', 'skip_all'));
    expect(text).toBe(fn(guarded('skip_narrow', 'skip_any')));
    expect(messages).toContain(said);
  });

  test('is not where the new one calls the old one, whatever that takes', async () => {
    const { text } = await run(
      lines('void skip_narrow(struct vcpu *vcpu, int wide);') + call('skip_any', 'skip_narrow'),
    );
    expect(text).toBe(fn(guarded('skip_narrow', 'skip_any')));
  });

  test('is where the old one is gone', async () => {
    const { text, messages } = await run(call('skip_any', 'skip_all'));
    expect(text).toBe(fn(guarded('skip_any', 'skip_any')));
    expect(messages).not.toContain(said);
  });

  test('is where the old one takes other parameters', async () => {
    const { text } = await run(lines('void skip_narrow(struct regs *regs);') + call('skip_any', 'skip_all'));
    expect(text).toBe(fn(guarded('skip_any', 'skip_any')));
  });
});
