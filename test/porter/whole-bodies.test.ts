import { lines, port } from './harness';

const C = 'drivers/iommu/smmu.c';
const KEEP = lines(
  'static void reset(struct smmu *smmu)',
  '{',
  '\twritel(GR0_sENABLE, smmu->base + GR0_sCONTROL);',
  '}',
  '',
);
const fn = (...body: string[]) =>
  KEEP +
  lines('static int shutdown(struct device *dev)', '{', ...body.map((l) => (/^(#|$)/.test(l) ? l : `\t${l}`)), '}');
const local = 'struct smmu *smmu = dev_get_drvdata(dev);';
const off = 'writel(sCR0_CLIENTPD, GR0_BASE(smmu) + GR0_sCR0);';
const check = ['if (!smmu)', '\treturn -ENODEV;', ''];
const base = fn(local, '', ...check, off, 'return 0;');
const patched = fn(local, '', ...check, '#ifndef CONFIG_SET', off, '#endif', 'return 0;');
const run = (upstream: string) => port({ [C]: base }, { [C]: patched }, { [C]: upstream });

describe('a guard around a statement that is all that is left of a function', () => {
  test('takes the condition that has nothing left to decide, and the local that nothing uses', async () => {
    const { files, hunks } = await run(fn(local, '', 'if (smmu)', `\t${off}`));
    expect(files[C]).toBe(fn('#ifndef CONFIG_SET', local, '', 'if (smmu)', `\t${off}`, '#endif'));
    expect(hunks[0]!.outcome).toBe('merged');
    expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
  });

  test('finds the statement by its constants where it is another call now', async () => {
    const now = 'smmu_write(smmu, GR0_sCR0, sCR0_CLIENTPD);';
    const { files } = await run(fn(local, '', 'if (smmu)', `\t${now}`));
    expect(files[C]).toBe(fn('#ifndef CONFIG_SET', local, '', 'if (smmu)', `\t${now}`, '#endif'));
  });

  test('leaves a local that is set by more than a look', async () => {
    const { files } = await run(fn('struct smmu *smmu = start(dev);', '', 'if (smmu)', `\t${off}`));
    expect(files[C]).toBe(
      fn('struct smmu *smmu = start(dev);', '', '#ifndef CONFIG_SET', 'if (smmu)', `\t${off}`, '#endif'),
    );
  });

  test.each([
    ['asks with an effect', ['if (take(smmu))', `\t${off}`]],
    ['decides about more', ['if (smmu) {', `\t${off}`, '\tnote(smmu);', '}']],
  ])('holds no condition that %s', async (_, body) => {
    const { files } = await run(fn(local, '', ...body));
    expect(files[C]).not.toMatch(/#ifndef CONFIG_SET\n\tif/);
    expect(files[C]).not.toMatch(/#ifndef CONFIG_SET\n\tstruct/);
  });

  test('is not obsolete, but a conflict, where two calls speak of the constants', async () => {
    const now = ['smmu_write(smmu, GR0_sCR0, sCR0_CLIENTPD);', 'smmu_sync(smmu, GR0_sCR0, sCR0_CLIENTPD, 1);'];
    const { hunks } = await run(fn(local, '', 'if (smmu) {', ...now.map((l) => `\t${l}`), '}'));
    expect(hunks[0]!.outcome).toBe('conflict');
  });
});
