import { leftOpen } from '../../src/verify/checks/el2-objects';
import { readSymbols } from '../../src/verify/checks/link';

const PARTS = ['a.nvhe.o', 'b.nvhe.o'];
const parts = readSymbols(
  [
    'a.nvhe.o:0000000000000000 T run_guest',
    'a.nvhe.o:                 U save_regs',
    'a.nvhe.o:                 U pool_start',
    'a.nvhe.o:                 U lost_vm',
    'b.nvhe.o:0000000000000010 T save_regs',
    'b.nvhe.o:                 U run_guest',
    'b.nvhe.o:                 w hook',
    'b.nvhe.o:                 U enter',
  ].join('\n'),
  PARTS,
);

describe('the parts of an nVHE object that was not made', () => {
  test('leave open what none of them has', () => {
    expect([...leftOpen(parts, [])].sort()).toEqual(['enter', 'lost_vm', 'pool_start']);
  });

  test('leave out what a source that did not compile defines, but not what it declares', () => {
    const ported = 'extern char pool_start[];\nvoid enter(void);\n\nint lost_vm(int vmid)\n{\n\treturn vmid;\n}\n';
    expect([...leftOpen(parts, [{ path: 'lost.c', ported }])].sort()).toEqual(['enter', 'pool_start']);
    const perCpu = 'DEFINE_PER_CPU(struct kvm_context, lost_vm);\nDECLARE_PER_CPU(u64, enter);\n';
    expect([...leftOpen(parts, [{ path: 'lost.c', ported: perCpu }])].sort()).toEqual(['enter', 'pool_start']);
    const asm = 'SYM_FUNC_START(enter)\n\tret\nSYM_FUNC_END(enter)\n';
    expect([...leftOpen(parts, [{ path: 'enter.S', ported: asm }])].sort()).toEqual(['lost_vm', 'pool_start']);
  });
});
