import { lines, port } from './harness';

const H = 'arch/arm64/include/asm/kvm_arm.h';
const C = 'arch/arm64/kvm/switch.c';
const NEW = 'arch/arm64/kvm/el2.c';
const header = (...middle: string[]) => lines('#define HCR_RW 1', '#define HCR_VM 2', ...middle, '#define TCR_SHIFT 3');
const own = (text: string) => ['#ifdef CONFIG_SET', `#define HOST_FLAGS ${text}`, '#endif'];
const user = (name: string) => lines('void el2_init(void)', '{', `\twrite_hcr(${name});`, '}');
const base = { [H]: header(), [C]: lines('int a;', '', 'int b;', '', 'int c;') };
const patched = {
  [H]: header(...own('(HCR_RW | HCR_VM)')),
  [C]: base[C]!.replace('int b;', 'int b;\n#ifdef CONFIG_SET\nint flags = HOST_FLAGS;\n#endif'),
  [NEW]: user('HOST_FLAGS'),
};

describe('a name of the set that upstream took for something else', () => {
  test('is another one in all that the set has', async () => {
    const { files, hunks, patches } = await port(base, patched, { [H]: header('#define HOST_FLAGS (HCR_RW)') });
    expect(files[H]).toContain('#define HOST_FLAGS (HCR_RW)\n');
    expect(files[H]).toContain('#ifdef CONFIG_SET\n#define SET_HOST_FLAGS (HCR_RW | HCR_VM)\n#endif\n');
    expect(files[C]).toContain('int flags = SET_HOST_FLAGS;');
    expect(files[NEW]).toBe(user('SET_HOST_FLAGS'));
    expect(hunks.map((h) => h.outcome)).toEqual(['rewritten', 'rewritten']);
    expect(Math.max(...hunks.map((h) => h.confidence))).toBeLessThan(0.9);
    expect(patches[0]!.files.find((f) => f.path === NEW)!.evidence.map((e) => e.kind)).toContain('own-renamed');
  });

  test('stays when upstream means the same, or has it for itself', async () => {
    const same = await port(base, patched, { [H]: header('#define HOST_FLAGS (HCR_RW | HCR_VM)') });
    expect(same.files[NEW]).toBe(user('HOST_FLAGS'));
    const theirs = await port(base, patched, { 'drivers/net/some.c': lines('#define HOST_FLAGS 7') });
    expect(theirs.files[NEW]).toBe(user('HOST_FLAGS'));
  });

  test('is another one in the file alone that made the macro for itself', async () => {
    const [E, F] = ['arch/arm64/kvm/hyp-entry.S', 'arch/arm64/kvm/entry.S'];
    const save = (...body: string[]) => lines('.macro save_regs', ...body, '.endm', '');
    const entry = (...own: string[]) =>
      lines('#include <asm/kvm_arm.h>', '', ...own, 'el1_sync:', '\tmrs\tx1, esr_el2', '\tret');
    const mine = ['#ifdef CONFIG_SET', ...save('\tstp\tx0, x1, [sp]').split('\n').slice(0, -2), '#endif', ''];
    const other = (...own: string[]) => save('\tstp\tx0, x1, [x3]') + lines('enter:', '\tsave_regs', ...own, '\tret');
    const texts = { [H]: header(), [E]: entry(), [F]: other() };
    const set = { [E]: entry(...mine), [F]: other('#ifdef CONFIG_SET', '\tsave_regs', '#endif') };
    const to = (text: string) => ({
      [H]: lines('#ifdef __ASSEMBLY__', ...save(text).split('\n').slice(0, -2), '#endif') + header(),
      [F]: other().slice(save('\tstp\tx0, x1, [x3]').length),
    });
    const { files } = await port(texts, set, to('\tstp\tx0, x1, [x3]'));
    expect(files[E]).toContain('.macro set_save_regs\n');
    expect(files[F]).toContain('#ifdef CONFIG_SET\n\tsave_regs\n#endif\n');
    const alike = await port(texts, set, to('\tstp\tx0, x1, [sp]'));
    // Both mean the same, but an assembler takes the macro only once.
    expect(alike.files[E]).toBe(texts[E]);
    expect(alike.hunks.find((h) => h.path === E)!.message).toBe(
      `it defines the macro 'save_regs', which '${H}' has, too`,
    );
    expect(alike.files[F]).toContain('#ifdef CONFIG_SET\n\tsave_regs\n#endif\n');
  });
});
