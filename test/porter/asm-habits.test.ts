import { renamedRegisters } from '../../src/porter/asm-habits';
import { lines, port } from './harness';

const S = 'arch/arm64/kvm/hyp/hyp-entry.S';
const base = lines(
  'el1_sync:',
  '\tmrs\tx0, esr_el2',
  '\tcbnz\tx0, el1_trap',
  '\tmov\tx0, xzr',
  '\teret',
  '',
  'el1_trap:',
  '\tadd\tx18, x0, #8',
  '\tldp\tx0, x1, [x18]',
  '\tcbz\tx0, 1f',
  '\teret',
  '1:\tb\tel1_sync',
);
const ported = async (patched: string, target: string) => {
  const { files, hunks } = await port({ [S]: base }, { [S]: patched }, { [S]: target });
  return { text: files[S]!, hunk: hunks[0]! };
};

describe('what upstream puts behind an instruction everywhere', () => {
  const set = base.replace('\tmov\tx0, xzr\n', '\tcbnz\tx0, 2f\n\tmov\tx0, #1\n\teret\n2:\n\tmov\tx0, xzr\n');

  test('stands behind the set’s, too', async () => {
    const { text, hunk } = await ported(set, base.replaceAll('\teret\n', '\teret\n\tsb\n'));
    expect(text).toContain('\tmov\tx0, #1\n\teret\n\tsb\n2:\n');
    expect([hunk.outcome, hunk.confidence]).toEqual(['rewritten', 0.9]);
    expect(hunk.evidence.map((e) => e.kind)).toContain('instruction-followed');
  });

  test('does not when upstream leaves it out at a place', async () => {
    const { text } = await ported(set, base.replace('\teret\n', '\teret\n\tsb\n'));
    expect(text).toContain('\tmov\tx0, #1\n\teret\n2:\n');
  });
});

test('the set keeps its value in the register in which upstream keeps it now', async () => {
  const set = base.replace(
    '\tadd\tx18, x0, #8\n',
    '#ifndef CONFIG_SET\n\tadd\tx18, x0, #8\n#else\n\tmov\tx18, x0\n#endif\n',
  );
  const { text, hunk } = await ported(set, base.replaceAll('x18', 'x29'));
  expect(text).toContain('\tadd\tx29, x0, #8\n#else\n\tmov\tx29, x0\n#endif\n');
  expect(hunk.outcome).toBe('rewritten');
});

test('registers are not followed where the lines contradict each other, or differ in more', () => {
  const line = (from: string, to: string) => ({ from, to });
  expect(renamedRegisters([line('\tadd x18, x0, #8', '\tadd x29, x0, #8')])).toEqual(new Map([['18', '29']]));
  expect(renamedRegisters([line('\tmov x18, x0', '\tmov x29, x0'), line('\tmov x1, x18', '\tmov x1, x20')])).toEqual(
    new Map(),
  );
  expect(renamedRegisters([line('\tadd x18, x0, #8', '\tadd x29, x0, #16')])).toEqual(new Map());
});

test('a macro that a header has by now is no second time defined', async () => {
  const H = 'arch/arm64/include/asm/kvm_asm.h';
  const macro = lines('.macro save_all', '\tstp\tx0, x1, [sp, #-16]!', '.endm');
  const set = base.replace('el1_sync:', `#ifdef CONFIG_SET\n${macro}#endif\n\nel1_sync:`);
  const outcome = async (header: string) => {
    const texts = { [S]: base, [H]: lines('#define VCPU 8') };
    const { hunks } = await port(texts, { [S]: set }, { [S]: base.replace('#8', '#16'), [H]: header });
    return [hunks[0]!.outcome, hunks[0]!.message];
  };
  expect((await outcome(lines('#define VCPU 16')))[0]).not.toBe('conflict');
  expect(await outcome(lines('#define VCPU 16') + macro)).toEqual([
    'conflict',
    expect.stringContaining("the macro 'save_all'"),
  ]);
});
