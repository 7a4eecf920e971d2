import { causeOf, readDiagnostics } from '../../src/verify/diagnostics';

const LOG = `make[1]: Entering directory '/s/build'
  CC      arch/arm64/kvm/mmu.o
In file included from /s/source/include/linux/kvm_host.h:12,
                 from /s/source/arch/arm64/kvm/mmu.c:3:
/s/source/include/linux/mm.h:7:9: error: 'foo' undeclared (first use in this function); did you mean 'fob'?
/s/source/arch/arm64/kvm/../../../virt/kvm/arm/mmu.c:20:5: error: too few arguments to function 'bar'
/s/source/arch/arm64/kvm/a.c:1:10: fatal error: asm/none.h: No such file or directory
/s/source/arch/arm64/kvm/hyp.S: Assembler messages:
/s/source/arch/arm64/kvm/hyp.S:9: Error: unknown mnemonic \`entry' -- \`entry(x)'
arch/arm64/Kconfig:63: syntax error
<stdin>:1335:2: warning: #warning syscall rseq not implemented [-Wcpp]
make[2]: *** No rule to make target 'arch/arm64/none/x.o', needed by 'arch/arm64/none/built-in.a'.
aarch64-linux-gnu-ld: arch/arm64/x.o: in function \`f': x.c:(.text+0x1): undefined reference to \`g'
/s/source/include/linux/mm.h:7:9: error: 'foo' undeclared (first use in this function); did you mean 'fob'?
`;

test('every tool’s words, with the place in the tree and the cause', () => {
  const found = readDiagnostics(LOG, '/s/source', '/s/build').filter((d) => d.severity === 'error');
  expect(found.map((d) => [d.path, d.line, d.cause])).toEqual([
    ['include/linux/mm.h', 7, 'undeclared identifier foo'],
    ['virt/kvm/arm/mmu.c', 20, 'wrong argument count of bar'],
    ['arch/arm64/kvm/a.c', 1, 'no header asm/none.h'],
    ['arch/arm64/kvm/hyp.S', 9, 'unknown instruction entry'],
    ['arch/arm64/Kconfig', 63, 'syntax error'],
    [null, null, 'nothing makes none/x.o'],
    [null, null, 'undefined reference to g'],
  ]);
  expect(found[0]!.from).toEqual([
    { path: 'include/linux/kvm_host.h', line: 12 },
    { path: 'arch/arm64/kvm/mmu.c', line: 3 },
  ]);
});

test.each([
  ["'struct kvm_arch' has no member named 'vttbr'", 'no member vttbr in struct kvm_arch'],
  [
    "implicit declaration of function 'x'; did you mean 'y'? [-Werror=implicit-function-declaration]",
    'undeclared function x',
  ],
  ["conflicting types for 'f'; have 'int(void)'", 'conflicting types for f'],
  ['"A" redefined', 'macro A redefined'],
  ["expected ';' before '}' token", 'syntax'],
])('%s', (text, cause) => {
  expect(causeOf(text).cause).toBe(cause);
});

test('what the assembler says of compiled C is about the file of the object, once, and about no line of it', () => {
  const log = [
    '  CC      arch/arm64/own/regs.o',
    'regs.c: Assembler messages:',
    'regs.c:248: Error: constant expression required',
    '/tmp/ccs0L5Yw.s:250:  Info: macro invoked from here',
    'regs.c:273: Error: constant expression required',
    '/tmp/ccXX.s: Assembler messages:',
    "/tmp/ccXX.s:9: Error: unknown mnemonic `hvcx' -- `hvcx #0'",
    'make[2]: *** [/s/scripts/Makefile.build:265: arch/arm64/own/regs.o] Error 1',
    '/s/arch/arm64/own/entry.S: Assembler messages:',
    '/s/arch/arm64/own/entry.S:12: Error: constant expression required',
    'make[2]: *** [/s/scripts/Makefile.build:349: arch/arm64/own/entry.o] Error 1',
  ].join('\n');
  expect(readDiagnostics(log, '/s', '/o').map((d) => [d.path, d.line, d.text])).toEqual([
    ['arch/arm64/own/regs.c', null, 'constant expression required'],
    ['arch/arm64/own/regs.c', null, "unknown mnemonic `hvcx' -- `hvcx #0'"],
    ['arch/arm64/own/entry.S', 12, 'constant expression required'],
  ]);
});

test('ld names an object and then places in it', () => {
  const log = [
    "aarch64-linux-gnu-ld: arch/arm64/kvm/hyp/entry.o: in function `el2_sync':",
    "(.hyp.text+0x1f0): undefined reference to `unexpected'",
    "/s/source/arch/arm64/kvm/hyp/entry.S:205: undefined reference to `handler'",
    '',
  ].join('\n');
  expect(readDiagnostics(log, '/s/source', '/s/build').map((d) => [d.severity, d.path, d.line, d.cause])).toEqual([
    ['error', null, null, 'undefined reference to unexpected'],
    ['error', 'arch/arm64/kvm/hyp/entry.S', 205, 'undefined reference to handler'],
  ]);
});
