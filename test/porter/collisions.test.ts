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
});
