import { lines, port } from './harness';

const S = 'arch/arm64/kvm/hyp/entry.S';
const enter = (...body: string[]) =>
  lines(
    'ENTRY(__guest_enter)',
    '\tstp\tx19, x20, [x1]',
    ...body.map((l) => `\t${l}`),
    '\tret',
    'ENDPROC(__guest_enter)',
  );
const base = enter('add\tx18, x0, #8', 'ldp\tx0, x1, [x18]');
const guarded = (...code: string[]) =>
  base.replace(
    '\tadd\tx18, x0, #8\n',
    `#ifndef CONFIG_SET\n\tadd\tx18, x0, #8\n#else\n${code.map((l) => `\t${l}\n`).join('')}#endif\n`,
  );
const place = async (patched: string, target: string) => {
  const { files, hunks } = await port({ [S]: base }, { [S]: patched }, { [S]: target });
  return { text: files[S]!, hunks };
};

describe('assembly that takes a value from the code above it', () => {
  test('has no place behind a new line of upstream that overwrites the register', async () => {
    const upstream = enter(
      'mrs\tx1, isr_el1',
      'cbz\tx1, 1f',
      'mov\tx0, #0',
      'ret',
      '1:',
      'add\tx18, x0, #8',
      'ldp\tx0, x1, [x18]',
    );
    const { text, hunks } = await place(guarded('str\tx1, [sp, #-16]!', 'mov\tx18, x2'), upstream);
    expect(text).toBe(upstream);
    expect(hunks.map((h) => h.outcome)).toEqual(['conflict']);
    expect(hunks[0]!.message).toContain("it reads x1, which upstream's new 'mrs\tx1, isr_el1' above it overwrites");
  });

  test('has one when upstream only reads it, or when the code sets it itself', async () => {
    const reading = enter('str\tx1, [x2]', 'cbz\tx1, 1f', '1:', 'add\tx18, x0, #8', 'ldp\tx0, x1, [x18]');
    const read = await place(guarded('str\tx1, [sp, #-16]!'), reading);
    expect(read.hunks.map((h) => h.outcome)).not.toContain('conflict');
    const writing = enter('mrs\tx1, isr_el1', 'cbz\tx1, 1f', '1:', 'add\tx18, x0, #8', 'ldp\tx0, x1, [x18]');
    const own = await place(guarded('mrs\tx1, tpidr_el2', 'str\tx1, [sp, #-16]!'), writing);
    expect(own.hunks.map((h) => h.outcome)).not.toContain('conflict');
  });
});
