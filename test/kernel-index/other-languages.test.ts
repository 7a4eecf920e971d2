import { indexFile } from '../../src/kernel-index/index-file';

const names = async (path: string, text: string) =>
  (await indexFile(path, text)).definitions.map((d) => [d.kind, d.name, text.slice(d.start, d.end)]);

test('assembly: symbols of both styles, labels, macros', async () => {
  const text = [
    '#define SIZE 16',
    '\t.macro save, reg',
    '\tstr\t\\reg, [sp]',
    '\t.endm',
    'ENTRY(old_one)',
    'again:',
    '\tbl\thelper',
    '1:\tret',
    'ENDPROC(old_one)',
    'SYM_FUNC_START(new_one)',
    '\tret // SYM_FUNC_END(new_one)',
    'SYM_FUNC_END(new_one)',
  ].join('\n');
  expect(await names('a.S', text)).toEqual([
    ['macro', 'SIZE', '#define SIZE 16'],
    ['asm-macro', 'save', '\t.macro save, reg\n\tstr\t\\reg, [sp]\n\t.endm'],
    ['asm-symbol', 'old_one', 'ENTRY(old_one)\nagain:\n\tbl\thelper\n1:\tret\nENDPROC(old_one)'],
    ['asm-symbol', 'again', 'again:\n\tbl\thelper\n1:\tret'],
    ['asm-symbol', 'new_one', 'SYM_FUNC_START(new_one)\n\tret // SYM_FUNC_END(new_one)\nSYM_FUNC_END(new_one)'],
  ]);
  const { definitions } = await indexFile('a.S', text);
  expect(definitions.find((d) => d.name === 'old_one')!.calls).toEqual(['helper']);
});

test('Kconfig: entries with what they depend on, help texts stepped over', async () => {
  const text = [
    'if VIRTUALIZATION',
    'config KVM',
    '\tbool "Support"',
    '\tdepends on HAVE_KVM && !ARM64_16K',
    '\tselect MMU_NOTIFIER',
    '\t---help---',
    '\t  config NOT_ONE',
    '',
    '\t  select NOTHING',
    '',
    'menuconfig B',
    '\tint "B"',
    'endif',
    '',
  ].join('\n');
  const { definitions } = await indexFile('arch/arm64/kvm/Kconfig', text);
  expect(definitions.map((d) => [d.name, d.guards, d.uses, d.startLine, d.endLine])).toEqual([
    ['KVM', ['VIRTUALIZATION'], ['ARM64_16K', 'HAVE_KVM', 'MMU_NOTIFIER'], 1, 8],
    ['B', ['VIRTUALIZATION'], [], 10, 11],
  ]);
});

test('Kbuild: assignments with their words, continuation lines and conditions', async () => {
  const text =
    'ccflags-y += -I$(src) -D A # why\nifeq ($(CONFIG_X),y)\nkvm-y := a.o \\\n\tb.o\nendif\nobj-$(CONFIG_KVM) += kvm.o hyp/\nall: x\n\techo y=z\n';
  const { definitions } = await indexFile('arch/arm64/kvm/Makefile', text);
  expect(definitions.map((d) => [d.name, d.members.map((m) => `${m.name}:${m.line}`), d.guards])).toEqual([
    ['ccflags-y', ['-I$(src):0', '-D:0', 'A:0'], []],
    ['kvm-y', ['a.o:2', 'b.o:3'], ['ifeq ($(CONFIG_X),y)']],
    ['obj-$(CONFIG_KVM)', ['kvm.o:5', 'hyp/:5'], []],
  ]);
});

test('linker scripts: sections, symbols, macros', async () => {
  const text =
    '#define HYP_TEXT *(.hyp.text)\nSECTIONS\n{\n\t.text : {\n\t\tHYP_TEXT\n\t}\n\t/* .no : { } */\n\t_end = .;\n\t.data : AT(ADDR(x)) { *(.data) }\n}\n';
  expect((await names('arch/arm64/kernel/vmlinux.lds.S', text)).map((d) => d.slice(0, 2))).toEqual([
    ['macro', 'HYP_TEXT'],
    ['section', '.text'],
    ['variable', '_end'],
    ['section', '.data'],
  ]);
});
