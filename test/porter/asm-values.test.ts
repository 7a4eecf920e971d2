import { lines, port } from './harness';

const S = 'arch/arm64/kvm/hyp/entry.S';
const H = 'arch/arm64/include/asm/kvm_asm.h';
const code = (...body: string[]) => body.map((l) => (/^(#|$|\w+:)/.test(l) ? l : `\t${l}`));
const macro = (head: string, ...body: string[]) => [`.macro ${head}`, ...code(...body), '.endm', ''];
const HEADER = lines(
  '#ifdef __ASSEMBLY__',
  ...macro('per_cpu_address dst, sym, tmp', 'adrp\t\\tmp, \\sym', 'mrs\t\\dst, tpidr_el2', 'add\t\\dst, \\dst, \\tmp'),
  ...macro('get_context reg, tmp', 'per_cpu_address \\reg, host_state, \\tmp', 'add\t\\reg, \\reg, #STATE_CONTEXT'),
  ...macro('save_regs ctxt', 'stp\tx19, x20, [\\ctxt, #SAVED]'),
  ...macro('restore_regs ctxt', 'ldp\tx19, x20, [\\ctxt, #SAVED]'),
  ...macro('restore_stack ctxt, tmp', 'ldr\t\\tmp, [\\ctxt, #STACK]', 'msr\tsp_el0, \\tmp'),
  '#endif',
);
const exit = (...value: string[]) =>
  lines(
    'SYM_FUNC_START(leave_guest)',
    ...code('save_regs\tx1', '', ...value, '', 'restore_regs\tx2', 'ret'),
    'SYM_FUNC_END(leave_guest)',
  );
const VALUE = 'get_context x2, x3';
const guarded = (line: string, ...own: string[]) => ['#ifndef CONFIG_SET', line, '#else', ...own, '#endif'];
const OWN = ['ldr\tx2, [x1, #OWN_CONTEXT]'];
const ported = (target: string[], own = OWN, base = exit(VALUE)) =>
  port(
    { [H]: HEADER, [S]: base },
    { [S]: base.replace(`\t${VALUE}\n`, lines(...code(...guarded(VALUE, ...own)))) },
    { [S]: exit(...target) },
  );
const NOW = 'per_cpu_address x2, hyp_state, x3';

describe('a guard around the line that gives a register its value, which upstream says in other words', () => {
  test('goes around the line whose value comes to the same reader', async () => {
    const { files, hunks } = await ported([NOW, '', 'restore_stack x2, x3']);
    expect(files[S]).toBe(exit(...guarded(NOW, ...OWN), '', 'restore_stack x2, x3'));
    expect(hunks[0]!.confidence).toBe(0.7);
    const text = hunks[0]!.evidence.find((e) => e.kind === 'value-followed')!.text;
    expect(text).toContain(
      `'${NOW}' gives x2 the value now that 'restore_regs x2' reads; 'restore_stack x2, x3' would read`,
    );
  });

  test.each([
    ['upstream gives it the value of something else', ['ldr\tx2, [x1, #CONTEXT]']],
    ['upstream gives it two values', [NOW, 'add\tx2, x2, #8']],
    ['another path joins in between', [NOW, '1:']],
    ['an unknown macro stands in between', [NOW, 'shuffle_regs x2, x3']],
    ['the line gives another register a value as well', ['per_cpu_address x2, hyp_state, x4', 'str\tx4, [x1]']],
    ['what lies between needs its other register', [NOW, 'str\tx3, [x1]']],
  ])('stays a conflict where %s', async (_, target) => {
    const { files, hunks } = await ported(target);
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[S]).toBe(exit(...target));
  });

  describe('and which the set takes from the stack', () => {
    const ENTER = ['SYM_FUNC_START(enter_guest)', '\tmov\tx29, x0', '\teret', 'SYM_FUNC_END(enter_guest)'];
    const PUSHED = ['#ifdef CONFIG_SET', '\tstr\tx1, [sp, #-16]!', '#endif'];
    const both = (put: string[], ...value: string[]) =>
      lines(ENTER[0]!, ENTER[1]!, ...put, ...ENTER.slice(2)) + exit(...value);
    const POP = ['ldr\tx2, [sp], #16'];
    const run = (target: string) =>
      port({ [H]: HEADER, [S]: both([], VALUE) }, { [S]: both(PUSHED, ...guarded(VALUE, ...POP)) }, { [S]: target });

    test('is placed with what puts it there', async () => {
      const { files } = await run(both([], NOW));
      expect(files[S]).toBe(both(PUSHED, ...guarded(NOW, ...POP)));
    });

    test('is not placed without', async () => {
      const target = lines('SYM_FUNC_START(run_guest)', '\tb\tjump_in', 'SYM_FUNC_END(run_guest)') + exit(NOW);
      const { files, hunks } = await run(target);
      expect(files[S]).toBe(target);
      expect(hunks.flatMap((h) => h.edits.map((e) => e.outcome))).toEqual(['conflict', 'conflict']);
    });
  });
});
