import { lines, port } from './harness';

const [C, H] = ['arch/arm64/kvm/hyp/switch.c', 'arch/arm64/include/asm/kvm_host.h'];
const code = lines('void switch_fp(struct ctxt *host)', '{', '\tstop_traps(host);', '\tflush_all();', '}');
const ours = '\tflush_all();\n#ifdef CONFIG_SET\n\tsave_fp(&host->gp_regs.fp_regs);\n#endif\n';
const header = (...members: string[]) =>
  lines(
    'struct fp_state {',
    '\tint v;',
    '};',
    '',
    'struct kvm_regs {',
    '\tint pc;',
    '\tstruct fp_state fp_regs;',
    '};',
  ) + lines('', 'struct ctxt {', ...members.map((m) => `\t${m};`), '};');
const run = async (was: string[], now: string[]) => {
  const base = { [C]: code, [H]: header(...was) };
  const { files, hunks } = await port(base, { [C]: code.replace('\tflush_all();\n', ours) }, { [H]: header(...now) });
  return { line: /save_fp\((.*)\);/.exec(files[C]!)![1], message: hunks[0]!.message };
};

test('a member of a struct that upstream dissolved is reached from the outer one', async () => {
  const { line, message } = await run(['struct kvm_regs gp_regs'], ['int pc', 'struct fp_state fp_regs']);
  expect([line, message]).toEqual(['&host->fp_regs', null]);
});

test.each([
  ['of another type', ['struct kvm_regs gp_regs'], ['int pc', 'struct fp_words fp_regs']],
  [
    'that the outer struct had before',
    ['struct kvm_regs gp_regs', 'struct fp_state fp_regs'],
    ['struct fp_state fp_regs'],
  ],
  ['of a struct that is not held, but pointed to', ['struct kvm_regs *gp_regs'], ['struct fp_state fp_regs']],
])('a member %s is none of it', async (_, was, now) => {
  const { line, message } = await run(was, now);
  expect(line).toContain('gp_regs.fp_regs');
  expect(message).toContain("mentions the field 'gp_regs'");
});
