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

test('a function is no macro that makes a name of what it is handed', async () => {
  const CALL = 'arch/arm64/kvm/hyp.S';
  const rules = `- release: v5.10
  kind: rename
  says: renamed
  from: { paths: [${CALL}], pattern: call_el2, symbol: call_el2 }
  to: { paths: [${H}], pattern: call_numbered, symbol: call_numbered }
  note: by number`;
  const asm = lines('ENTRY(call_el2)', '\thvc\t#0', '\tret', 'ENDPROC(call_el2)');
  const own = lines('#include <asm/reg.h>', 'u64 own_call(u64 nr)', '{', '\treturn call_el2((void *)nr);', '}');
  const ported = (macro: string[]) =>
    port({ [CALL]: asm, [H]: '#define EL2 2\n' }, { [N]: own }, { [H]: lines(...macro) }, [CALL], {
      rules,
      generate: false,
    });
  const pasted = await ported(['#define NUMBER(f) NR_##f', '#define call_numbered(f) hvc(NUMBER(f))']);
  expect(pasted.files[N]).toBe(own);
  expect(pasted.patches[0]!.files[0]!.message).toContain("'call_numbered', a macro that takes names");
  const plain = await ported(['#define NUMBER(f) ((u64)(f))', '#define call_numbered(f) hvc(NUMBER(f))']);
  expect(plain.files[N]).toContain('\treturn call_numbered((void *)nr);\n');
});
