import { lines, port, type Texts } from './harness';

const H = 'arch/arm64/include/asm/kvm_arm.h';
const S = 'arch/arm64/kvm/hyp-init.S';
const C = 'arch/arm64/kvm/hyp/s2.c';
const header = (...l: string[]) => lines('#define VTCR_SHIFT 6', '#define VTCR_SH0 (3 << 12)', ...l);
const was = header(
  '#define VTCR_LVL1 (1 << VTCR_SHIFT)',
  '#define VTCR_T0SZ_40B 24',
  '#define VTCR_FLAGS (VTCR_SH0 | VTCR_LVL1)',
);
const setup = 'static void setup(void)\n{\n\twrite_vtcr(VTCR_FLAGS | VTCR_T0SZ_40B);\n}\n';
const asm = (...own: string[]) => lines('do_init:', '\tmov x4, x0', '\tmsr tcr_el2, x4', ...own, '\tisb', '\teret');
const base: Texts = { [H]: was, [C]: setup, [S]: asm() };
const own = (value: string) => ['#ifdef CONFIG_SET', `\tldr x5, =${value}`, '\tmsr vtcr_el2, x5', '#endif'];
const patched = { [S]: asm(...own('(VTCR_FLAGS | VTCR_T0SZ_40B)')) };
const upstream = (...l: string[]): Texts => ({
  [H]: header(...l),
  [C]: setup.replace('VTCR_FLAGS | VTCR_T0SZ_40B', 'VTCR_FLAGS | VTCR_T0SZ(bits)'),
  [S]: asm().replace('do_init:\n', 'do_init:\n\tmov x3, x1\n'),
});

describe('constants of upstream in what the set adds', () => {
  test('keep their number where a macro takes an operand now, and where bits left another one', async () => {
    const now = upstream('#define VTCR_T0SZ(bits) (64 - (bits))', '#define VTCR_FLAGS VTCR_SH0');
    const { files, hunks } = await port(base, patched, now);
    expect(files[S]).toContain(lines(...own('(VTCR_FLAGS | (1 << VTCR_SHIFT) | VTCR_T0SZ(40))')));
    expect(hunks[0]).toMatchObject({ outcome: 'rewritten', confidence: 0.75 });
    expect(hunks[0]!.evidence.filter((e) => e.kind === 'constant-kept')).toHaveLength(2);
  });

  test('do not get back what upstream dropped and still has', async () => {
    const now = upstream(
      '#define VTCR_LVL1 (1 << VTCR_SHIFT)',
      '#define VTCR_T0SZ_40B 24',
      '#define VTCR_FLAGS VTCR_SH0',
    );
    const { files } = await port(base, patched, now);
    expect(files[S]).toContain(lines(...own('(VTCR_FLAGS | VTCR_T0SZ_40B)')));
  });

  test('stay, and are doubted, where the number would be another, or the assembler cannot read it', async () => {
    for (const t0sz of ['#define VTCR_T0SZ(bits) (50 - (bits))', '#define VTCR_T0SZ(bits) (64UL - (bits))']) {
      const now = upstream(t0sz, '#define VTCR_FLAGS (VTCR_SH0 | (1 << VTCR_SHIFT))');
      const { files, hunks } = await port(base, patched, now);
      expect(files[S]).toContain(lines(...own('(VTCR_FLAGS | VTCR_T0SZ_40B)')));
      expect(hunks[0]!.message).toContain('VTCR_T0SZ_40B');
    }
  });
});
