import { lines, port } from './harness';

const C = 'virt/kvm/arm/mmu.c';
const fn = (head: string, ...body: string[]) =>
  lines(head, '{', ...body.map((l) => (/^#/.test(l) ? l : `\t${l}`)), '}', '');

/** A mapper from start to end, and what goes through a range with it. */
const base = (...args: string[]) =>
  fn(
    'static int map_range(struct pgd *pgd, unsigned long start, unsigned long end, unsigned long pfn)',
    'return walk(pgd, start, end, pfn);',
  ) +
  fn(
    'int map_all(struct pgd *pgd, unsigned long from, unsigned long to)',
    'unsigned long addr;',
    'int err;',
    '',
    'for (addr = from; addr < to; addr += PAGE_SIZE) {',
    '\terr = map_range(pgd,',
    ...args,
    '\t\t\tto_pfn(addr));',
    '\tif (err)',
    '\t\treturn err;',
    '}',
    'return 0;',
  );
const ENDS = ['\t\t\taddr, addr + PAGE_SIZE,'];
const OWN = ['#ifdef CONFIG_SET', '\t\t\taddr, addr + step_size,', '#else', ...ENDS, '#endif'];

/** The same with a mapper from start over a length. */
const target = (call: string[], second = 'unsigned long size') =>
  fn(`static int map_range(unsigned long start, ${second}, unsigned long phys)`, 'return walk(the_pgd, start, phys);') +
  fn(
    'int map_all(struct pgd *pgd, unsigned long from, unsigned long to)',
    'unsigned long addr;',
    'int err;',
    '',
    'for (addr = from; addr < to; addr += PAGE_SIZE) {',
    ...call,
    '\tif (err)',
    '\t\treturn err;',
    '}',
    'return 0;',
  );
const LENGTH = ['\terr = map_range(addr, PAGE_SIZE, to_phys(addr));'];

const ported = (own: string[], upstream: string) =>
  port({ [C]: base(...ENDS) }, { [C]: base(...own) }, { [C]: upstream });

describe('a set hands over another end of a range', () => {
  test('upstream takes the length by now: it is handed over', async () => {
    const { files, hunks } = await ported(OWN, target(LENGTH));
    const now = ['\terr = map_range(addr, step_size, to_phys(addr));'];
    expect(files[C]).toBe(target(['#ifdef CONFIG_SET', ...now, '#else', ...LENGTH, '#endif']));
    expect(hunks[0]).toMatchObject({ outcome: 'rewritten', confidence: 0.75 });
    expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('range-length');
  });

  test('of a call over several lines only the line with the length gets the guard', async () => {
    const { files } = await ported(OWN, target(['\terr = map_range(addr, PAGE_SIZE,', '\t\t\tto_phys(addr));']));
    expect(files[C]).toContain(
      lines(
        '#ifdef CONFIG_SET',
        '\t\terr = map_range(addr, step_size,',
        '#else',
        '\t\terr = map_range(addr, PAGE_SIZE,',
        '#endif',
        '\t\t\t\tto_phys(addr));',
      ),
    );
  });

  test.each([
    [
      'the set changes another argument, too',
      [...OWN.slice(0, 1), '\t\t\tfrom, from + step_size,', ...OWN.slice(2)],
      LENGTH,
      undefined,
    ],
    [
      'its end is no more than something added to the start',
      [...OWN.slice(0, 1), '\t\t\taddr, next_of(addr),', ...OWN.slice(2)],
      LENGTH,
      undefined,
    ],
    ['upstream starts elsewhere', OWN, ['\terr = map_range(from, PAGE_SIZE, to_phys(addr));'], undefined],
    ['upstream hands over another length', OWN, ['\terr = map_range(addr, PMD_SIZE, to_phys(addr));'], undefined],
    ['upstream calls it twice', OWN, [...LENGTH, ...LENGTH], undefined],
    ['what upstream hands over is no length', OWN, LENGTH, 'unsigned long flags'],
  ])('stays a conflict where %s', async (_, own, call, second) => {
    const { files, hunks } = await ported(own, target(call, second));
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[C]).not.toContain('CONFIG_SET');
  });
});
