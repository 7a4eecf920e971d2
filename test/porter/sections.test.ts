import { lines, port, type Texts } from './harness';

const HYP = 'arch/arm64/include/asm/kvm_hyp.h';
const LDS = 'arch/arm64/kernel/vmlinux.lds.S';
const MAKE = 'arch/arm64/kvm/hyp/nvhe/Makefile';
const NEW = 'arch/arm64/kvm/el2_calls.c';
const header = (...more: string[]) =>
  lines('#ifndef __ARM64_KVM_HYP_H__', '#define __ARM64_KVM_HYP_H__', ...more, '#endif');
const base: Texts = {
  [HYP]: header('#define __hyp_text __section(.hyp.text) notrace'),
  [LDS]: lines('SECTIONS', '{', '\t*(.hyp.text)', '}'),
  'include/linux/compiler_types.h': lines('#define notrace __attribute__((__no_instrument_function__))'),
};
const added = (path: string) => ({ [path]: lines('int __hyp_text el2_call(int n)', '{', '\treturn n;', '}') });

describe('an attribute word for a section that the target has no name for', () => {
  test('is written out while the linker script still collects the section', async () => {
    const { files, patches } = await port(base, added(NEW), { [HYP]: header() });
    expect(files[NEW]).toContain('int __attribute__((__section__(".hyp.text"))) notrace el2_call(int n)');
    expect(patches[0]!.files[0]!.evidence.map((e) => e.kind)).toContain('attribute-written-out');
  });

  test("takes the section's name as the target's own macro does", async () => {
    const attributes = 'include/linux/compiler_attributes.h';
    const macro = (text: string) => ({ [attributes]: lines(`#define __section(section) ${text}`) });
    const old = macro('__attribute__((__section__(#section)))');
    const now = macro('__attribute__((__section__(section)))');
    const kvm = { [HYP]: header('#include <linux/compiler_attributes.h>') };
    const strings = await port({ ...base, ...old }, added(NEW), { ...kvm, ...now });
    expect(strings.files[NEW]).toContain('int __section(".hyp.text") notrace el2_call');
    const words = await port({ ...base, ...old }, added(NEW), kvm);
    expect(words.files[NEW]).toContain('int __section(.hyp.text) notrace el2_call');
  });

  test('is dropped where a folder has a linker script of its own, and where nothing collects it', async () => {
    const nvhe = 'arch/arm64/kvm/hyp/nvhe/el2_calls.c';
    const own = { [MAKE]: lines('$(call if_changed, $(OBJCOPY) --prefix-symbols=__kvm_nvhe_ $@)') };
    const inside = await port(base, added(nvhe), { [HYP]: header(), ...own });
    expect(inside.files[nvhe]).toContain('int el2_call(int n)');
    const nowhere = await port(base, added(NEW), { [HYP]: header(), [LDS]: lines('SECTIONS', '{', '}') });
    expect(nowhere.files[NEW]).toContain('int el2_call(int n)');
  });
});
