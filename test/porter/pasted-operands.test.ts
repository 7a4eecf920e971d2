import { lines, port } from './harness';

const H = 'arch/arm64/include/asm/reg.h';
const C = 'arch/arm64/kvm/regs.c';
const accessors = lines(
  '#define write_elx(v,r,nvh,vh)\t\\',
  '\temit(__stringify(r##nvh), __stringify(r##vh), v)',
  '#define write_el1(v,r)\twrite_elx(v, r, _EL1, _EL12)',
);
const base = lines('#include <asm/reg.h>', '', 'void other(void);');
const set = (...body: string[]) =>
  lines('#include <asm/reg.h>', 'void restore(struct ctxt *ctxt, u64 sctlr)', '{', ...body, '}');
const was = accessors + lines('#define sctlr_EL12\tsys_reg(3, 5, 1, 0, 0)', '#define far_EL12\tsys_reg(3, 5, 6, 0, 0)');
const N = 'arch/arm64/sekvm/restore.c';

test('what a macro pastes its operand to says how the operand is spelt', async () => {
  const is =
    accessors + lines('#define SYS_SCTLR_EL12\tsys_reg(3, 5, 1, 0, 0)', '#define SYS_FAR_EL12\tsys_reg(3, 5, 7, 0, 0)');
  const body = ['\twrite_el1(ctxt->sctlr, sctlr);', '\twrite_el1(sctlr, sctlr);', '\twrite_el1(ctxt->far, far);'];
  const { files } = await port({ [C]: base, [H]: was }, { [N]: set(...body) }, { [C]: base, [H]: is });
  expect(files[N]).toContain('\twrite_el1(ctxt->sctlr, SYS_SCTLR);\n');
  // The value is no operand that is pasted, and a macro of another text is another register.
  expect(files[N]).toContain('\twrite_el1(sctlr, SYS_SCTLR);\n');
  expect(files[N]).toContain('\twrite_el1(ctxt->far, far);\n');
});

test('an operand of which the old name is still there stays', async () => {
  const is = was + lines('#define SYS_SCTLR_EL12\tsys_reg(3, 5, 1, 0, 0)');
  const { files } = await port({ [C]: base, [H]: was }, { [N]: set('\twrite_el1(1, sctlr);') }, { [C]: base, [H]: is });
  expect(files[N]).toContain('\twrite_el1(1, sctlr);\n');
});
