import { lines, port } from './harness';

const C = 'arch/arm64/kvm/abort.c';
const head = (more = '') => `bool is_abort(struct vcpu *vcpu${more})`;
const body = ['{', '\treturn vcpu->esr & 1;', '}', ''];
const caller = (name: string, call: string[]) =>
  lines(`int ${name}(struct vcpu *vcpu)`, '{', ...call, '\t\treturn 1;', '\treturn 0;', '}', '');
const plain = ['\tif (is_abort(vcpu))'];
const guarded = ['#ifdef CONFIG_SET', '\tif (is_abort(vcpu, 0))', '#else', ...plain, '#endif'];
const base = lines(head(), ...body) + caller('handle', plain);
const patched =
  lines('#ifdef CONFIG_SET', head(', u8 fault'), '#else', head(), '#endif', ...body) + caller('handle', guarded);

describe('a guard that gives a function other parameters', () => {
  test('says which caller of upstream calls it as before', async () => {
    const { hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: base + caller('fixup', plain) });
    expect(hunks.map((h) => h.message).join()).toContain(
      "'is_abort' takes 2 arguments, but 'fixup' calls it as upstream does",
    );
  });

  test('says nothing when the set sees to all of them', async () => {
    const { hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: `int other;\n${base}` });
    expect(hunks.map((h) => h.message).join()).not.toContain('calls it as upstream does');
  });
});
