import { lines, port } from './harness';

const C = 'drivers/iommu/smmu.c';
const H = 'arch/arm64/include/asm/kvm_arm.h';
const own = ['#ifdef CONFIG_SET', 'static atomic_t set_count = ATOMIC_INIT(0);', '#endif'];
const head = ['static bool disable_bypass;', 'module_param(disable_bypass, bool, 0);'];
const tail = ['static int to_domain(int domain)', '{', '\treturn domain + 1;', '}'];
const count = 'static atomic_t context_count = ATOMIC_INIT(0);';

describe('blank lines around what the set adds at file level', () => {
  test('part it from upstream where the neighbour that it stood with is gone', async () => {
    const base = lines(...head, '', count, '', ...tail);
    const patched = lines(...head, '', count, ...own, '', ...tail);
    const { files } = await port({ [C]: base }, { [C]: patched }, { [C]: lines(...head, '', ...tail) });
    expect(files[C]).toBe(lines(...head, '', ...own, '', ...tail));
  });

  test('are not added where it stood with what is still there', async () => {
    const base = lines(...head, count, '', ...tail);
    const patched = lines(...head, count, ...own, '', ...tail);
    const { files } = await port({ [C]: base }, { [C]: patched }, { [C]: lines(...head, '', ...tail) });
    expect(files[C]).toBe(lines(...head, ...own, '', ...tail));
  });

  test("stay away where it takes the place of a line of upstream's", async () => {
    const flags = ['#define HCR_GUEST (HCR_VM)', '#define HCR_VHE (HCR_E2H)', ''];
    const tcr = ['/* TCR */', '#define TCR_RES1 (1)', '#define TCR_MASK (2)'];
    const guard = [
      '#ifdef CONFIG_SET',
      '#define HCR_HOST (HCR_VM | HCR_RW)',
      '#else',
      '#define HCR_HOST HCR_RW',
      '#endif',
    ];
    const { files, hunks } = await port(
      { [H]: lines(...flags, ...tcr) },
      { [H]: lines(...flags, ...guard, '', ...tcr) },
      { [H]: lines(flags[0]!, '#define HCR_HOST HCR_RW', ...flags.slice(1), ...tcr) },
    );
    expect(hunks[0]!.outcome).toBe('rewritten');
    expect(files[H]).toBe(lines(flags[0]!, ...guard, ...flags.slice(1), ...tcr));
  });
});

test('an insertion stands as deep as what is beside it, and not as a line behind what upstream put between', async () => {
  const C = 'arch/arm64/kvm/init.c';
  const init = (own: string[], ...rest: string[]) =>
    lines(
      'int init(void)',
      '{',
      '\tint err = first();',
      '',
      '\tif (!early())',
      '\t\treturn err;',
      '',
      ...own,
      ...rest,
      '}',
    );
  const own = ['#ifdef CONFIG_OWN', '\tif (late)', '\t\treturn err;', '#endif', ''];
  const now = ['\terr = vectors();', '\tif (!err)', '\t\terr = common_parts();', '\treturn err;'];
  const was = ['\terr = common_parts();', '\treturn err;'];
  const { files } = await port({ [C]: init([], ...was) }, { [C]: init(own, ...was) }, { [C]: init([], ...now) });
  expect(files[C]).toContain('\tif (late)\n\t\treturn err;\n#endif\n');
  expect(files[C]).not.toContain('\t\tif (late)');
});
