import { lines, port } from './harness';

const H = 'arch/arm64/include/asm/step.h';
const C = 'arch/arm64/kvm/hyp/switch.c';

const step = [
  'static inline void step_over(struct vcpu *vcpu)',
  '{',
  '\tvcpu->pc += 4;',
  '\tvcpu->flags &= ~STEPPED;',
  '}',
];
const header = lines('#define STEPPED\t1', '', ...step);
const set = header.replace('{\n', '{\n#ifndef CONFIG_SET\n').replace('\n}\n', '\n#endif\n}\n');
const fn = (name: string, work: string[]) => [
  `static void ${name}(struct vcpu *vcpu)`,
  '{',
  '\tstruct regs *regs = regs_of(vcpu);',
  '',
  '\tregs->state = read_sysreg(spsr);',
  ...work,
  '\twrite_sysreg(regs->pc, elr);',
  '}',
  '',
];
const handle = (name: string) => ['int handle(struct vcpu *vcpu)', '{', `\t${name}(vcpu);`, '\treturn 1;', '}'];
const code = (name: string, work: string[], rest: string[] = []) =>
  lines('#include <asm/step.h>', '', ...fn(name, work), ...handle(name), ...rest);
const guarded = (on: string[], off: string[]) => ['#ifdef CONFIG_SET', ...on, '#else', ...off, '#endif'];

const added = ['\tregs->pc = read_sysreg(elr) + 4;'];
const plain = ['\tregs->pc = read_sysreg(elr);'];
const call = ['\tstep_over(vcpu);'];
const block = ['\tif (is_narrow(vcpu))', '\t\tregs->pc += 2;', '\telse', '\t\tregs->pc += 4;'];
const helper = ['', 'static bool is_narrow(struct vcpu *vcpu)', '{', '\treturn vcpu->narrow;', '}'];

const ported = async (before: string, after: string) =>
  port({ [H]: header, [C]: before }, { [H]: set }, { [H]: header.replace('pc += 4;', 'pc += 4UL;'), [C]: after });

describe('a call of what the set makes empty, where the base did the work itself', () => {
  test('keeps what an assignment had more', async () => {
    const { files, hunks } = await ported(code('skip', added), code('__skip', [...plain, ...call]));
    expect(files[C]).toBe(code('__skip', [...plain, ...guarded(['\tregs->pc += 4;'], call)]));
    const [hunk] = hunks;
    expect(hunk!.confidence).toBeLessThanOrEqual(0.75);
    expect(hunk!.evidence.map((e) => e.kind)).toContain('work-kept');
    expect(hunk!.message).toBeNull();
  });

  test('keeps whole statements', async () => {
    const { files } = await ported(
      code('skip', [...plain, ...block], helper),
      code('__skip', [...plain, ...call], helper),
    );
    expect(files[C]).toContain(lines(...plain, ...guarded(block, call)));
  });

  test.each([
    ['the function that did it is still there', code('__skip', [...plain, ...call], ['', ...fn('skip', added)])],
    [
      'somebody else calls the new one',
      code('__skip', [...plain, ...call], ['', ...handle('__skip').with(0, 'int other(struct vcpu *vcpu)')]),
    ],
    ['it is called twice', code('__skip', [...plain, ...call, ...call])],
    ['its value counts', code('__skip', [...plain, '\tregs->left = step_over(vcpu);'])],
    ['the assignment is another one', code('__skip', ['\tregs->pc = read_far(elr);', ...call])],
    ['upstream did something else there, too', code('__skip', [...plain, '\tregs->pc |= 1;', ...call])],
  ])('is left as it is, and said, when %s', async (_, after) => {
    const { files, hunks } = await ported(code('skip', added), after);
    expect(files[C]).toBe(after);
    expect(hunks[0]!.message).toContain("under the guard 'step_over' does nothing, but '__skip'");
  });

  test('is left as it is when the old statements speak of what is gone, or leave the function', async () => {
    for (const was of [['\told_way(regs);'], ['\tif (is_narrow(vcpu))', '\t\treturn;']]) {
      const after = code('__skip', [...plain, ...call], was[0]!.includes('old') ? [] : helper);
      const { files } = await ported(code('skip', [...plain, ...was], helper), after);
      expect(files[C]).toBe(after);
    }
  });
});
