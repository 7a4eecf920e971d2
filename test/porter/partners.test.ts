import { lines, port } from './harness';

const S = 'arch/arm64/kvm/hyp/entry.S';
const C = 'arch/arm64/kvm/mmu.c';

describe('a push and a pop', () => {
  const base = lines(
    'ENTRY(enter)',
    '\tsave_regs x1',
    '\tadd\tx18, x0, #8',
    '\tldp\tx0, x1, [x18]',
    '\teret',
    'ENDPROC(enter)',
    '',
    'ENTRY(leave)',
    '\tsave_regs x3',
    '\tget_ctxt x2, x3',
    '\trestore_regs x2',
    '\tret',
    'ENDPROC(leave)',
  );
  const set = base
    .replace('\tadd\tx18', '#ifndef CONFIG_SET\n\tadd\tx18')
    .replace('#8\n', '#8\n#else\n\tstr\tx1, [sp, #-16]!\n\tmov\tx18, x0\n#endif\n')
    .replace('\tget_ctxt x2, x3\n', '#ifndef CONFIG_SET\n\tget_ctxt x2, x3\n#else\n\tldr\tx2, [sp], #16\n#endif\n');
  const pop = async (target: string) => {
    const { hunks } = await port({ [S]: base }, { [S]: set }, { [S]: target });
    const edits = hunks.flatMap((h) => h.edits.map((e) => ({ ...e, message: h.message })));
    return edits[1]!;
  };

  test('are both there, or the one says that it misses the other', async () => {
    expect((await pop(base.replace('eret', 'eret\n\tsb'))).confidence).toBeGreaterThanOrEqual(0.9);
    const alone = await pop(base.replace('\tadd\tx18', '\tmrs\tx1, isr_el1\n\tcbz\tx1, 1f\n1:\n\tadd\tx18'));
    expect(alone.outcome).not.toBe('conflict');
    expect(alone.confidence).toBeLessThan(0.9);
    expect(alone.message).toContain('x1');
  });
});

describe('what works with a local of the set', () => {
  const base = lines(
    'static int map_range(u64 start, u64 end)',
    '{',
    '\tu64 addr;',
    '',
    '\tfor (addr = start; addr < end; addr += PAGE_SIZE) {',
    '\t\tint err = map_one(addr, addr + PAGE_SIZE);',
    '',
    '\t\tif (err)',
    '\t\t\treturn err;',
    '\t}',
    '\tflush_range(start, end);',
    '\treturn 0;',
    '}',
  );
  const set = base
    .replace('\tu64 addr;\n', '\tu64 addr;\n#ifdef CONFIG_SET\n\tu64 size = block_size(start);\n#endif\n')
    .replace(
      '\tflush_range(start, end);\n',
      '#ifdef CONFIG_SET\n\taccount(size);\n#endif\n\tflush_range(start, end);\n',
    )
    .replace(
      '\t\tint err = map_one(addr, addr + PAGE_SIZE);\n',
      '#ifndef CONFIG_SET\n\t\tint err = map_one(addr, addr + PAGE_SIZE);\n#else\n\t\tint err = map_one(addr, addr + size);\n#endif\n',
    );
  const outcomes = async (target: string) => {
    const { hunks } = await port({ [C]: base }, { [C]: set }, { [C]: target });
    return hunks.flatMap((h) => h.edits).map((e) => [e.outcome === 'conflict', e.confidence >= 0.9]);
  };

  test('is there only when all of it found a place', async () => {
    expect(await outcomes(base.replace('return 0', 'return 1'))).toEqual(Array(3).fill([false, true]));
    const rewritten = base.replace(/\t\tint err[^]*?return err;\n/, '\t\tthe_mapper->step(the_mapper, addr, 1);\n');
    expect(await outcomes(rewritten)).toEqual(Array(3).fill([true, false]));
  });
});
