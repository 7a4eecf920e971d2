import { lines, port } from './harness';

const C = 'arch/arm64/kvm/map.c';
const fn = (...body: string[]) =>
  lines(
    'static int map_page(struct ops *ops, u64 addr)',
    '{',
    ...body.map((l) => (l.startsWith('#') ? l : `\t${l}`)),
    '}',
  );
const set = ['#ifdef CONFIG_SET', 'struct smmu_cfg cfg = ops->domain;', 'el2_map(cfg.bank, addr, ops->cfg);', '#endif'];
const base = fn('int ret;', '', 'ret = do_map(ops, addr);', 'flush(addr);', 'return ret;');
const patched = fn('int ret;', '', 'ret = do_map(ops, addr);', ...set, 'flush(addr);', 'return ret;');

describe('a local of the set that upstream declares by now, too', () => {
  test('is called by its struct in all that the set adds; fields keep their names', async () => {
    const upstream = fn(
      'struct io_cfg *cfg = &ops->io;',
      'int ret;',
      '',
      'ret = do_map(ops, addr);',
      'flush(addr);',
      'return ret;',
    );
    const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
    expect(files[C]).toContain(
      '\tstruct smmu_cfg smmu_cfg = ops->domain;\n\tel2_map(smmu_cfg.bank, addr, ops->cfg);\n',
    );
    expect(hunks[0]!.outcome).toBe('rewritten');
    expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('local-renamed');
  });

  test('stays where it was in the base already', async () => {
    const own = base.replace('\tint ret;\n', '\tint ret, other;\n');
    const { files } = await port({ [C]: base }, { [C]: patched }, { [C]: own });
    expect(files[C]).toContain('\tstruct smmu_cfg cfg = ops->domain;\n');
  });
});
