import { lines, port } from './harness';

const S = 'arch/arm64/kvm/hyp/entry.S';
const trap = (name: string, code: string) =>
  lines(`${name}:`, '\tget_vcpu_ptr\tx1, x0', `\tmov\tx0, #${code}`, '\tb\tleave', '');
const base = trap('el1_trap', 'TRAP') + trap('el1_irq', 'IRQ') + lines('leave:', '\teret');
const ours = '#ifndef CONFIG_SET\n\tget_vcpu_ptr\tx1, x0\n#else\n\tmrs\tx1, tpidr_el2\n#endif\n';
const run = async (set: string, there: string) =>
  (await port({ [S]: base }, { [S]: set }, { [S]: there })).hunks.flatMap((h) =>
    h.message?.includes('takes out') ? [h.message] : [],
  );

test('a new place of a line that the set takes out everywhere is said', async () => {
  const set = base.replaceAll('\tget_vcpu_ptr\tx1, x0\n', ours);
  const there = trap('el2_sync', 'ILLEGAL') + base;
  const [message] = await run(set, there);
  expect(message).toContain("'get_vcpu_ptr x1, x0' wherever its base has it, 2 times");
  expect(message).toContain(`${S}: 2 (el2_sync)`);
  expect(await run(set, base.replace('eret', 'eret\n\tsb'))).toEqual([]);
});

test('of a line that the set leaves in one place nothing is owed', async () => {
  const set = base.replace('\tget_vcpu_ptr\tx1, x0\n', ours);
  expect(await run(set, trap('el2_sync', 'ILLEGAL') + base)).toEqual([]);
});
