import { lines, port } from './harness';

const HYP = 'arch/arm64/kvm/hyp/Makefile';

test('an entry under a condition, in a list that upstream made one of several lines', async () => {
  const base = lines(
    'KVM=../kvm',
    '',
    'obj-$(CONFIG_KVM_HOST) += timer.o',
    'obj-$(CONFIG_KVM_HOST) += switch.o',
    'obj-$(CONFIG_KVM_HOST) += tlb.o',
  );
  const patched = base.replace(
    'obj-$(CONFIG_KVM_HOST) += switch.o\n',
    'ifeq ($(CONFIG_SET), y)\nobj-$(CONFIG_KVM_HOST) += simple.o\nelse\nobj-$(CONFIG_KVM_HOST) += switch.o\nendif\n',
  );
  const upstream = lines('obj-$(CONFIG_KVM) += hyp.o', '', 'hyp-y := timer.o switch.o \\', '\t tlb.o', '', '# end');
  const { files, hunks } = await port({ [HYP]: base }, { [HYP]: patched }, { [HYP]: upstream });
  expect(hunks[0]!.outcome).toBe('rewritten');
  expect(files[HYP]).toBe(
    lines(
      'obj-$(CONFIG_KVM) += hyp.o',
      '',
      'hyp-y := timer.o \\',
      '\t tlb.o',
      'ifeq ($(CONFIG_SET), y)',
      'hyp-y += simple.o',
      'else',
      'hyp-y += switch.o',
      'endif',
      '',
      '# end',
    ),
  );
});

test('an entry goes with its siblings to another file, with the paths of that file', async () => {
  const [from, to] = ['arch/arm64/Makefile', 'arch/arm64/Kbuild'];
  const base = lines(
    'core-y += arch/arm64/kernel/ arch/arm64/mm/',
    'core-$(CONFIG_KVM) += arch/arm64/kvm/',
    'libs-y := arch/arm64/lib/',
  );
  const patched = base.replace('kvm/\n', 'kvm/\ncore-$(CONFIG_SET) += arch/arm64/corevisor/\n');
  const { files, hunks } = await port(
    { [from]: base },
    { [from]: patched },
    {
      [from]: lines('core-y += arch/arm64/', 'libs-y := arch/arm64/lib/'),
      [to]: lines('obj-y += kernel/ mm/', 'obj-$(CONFIG_KVM) += kvm/'),
    },
  );
  expect(hunks[0]!.outcome).toBe('rewritten');
  expect(files[to]).toBe(lines('obj-y += kernel/ mm/', 'obj-$(CONFIG_KVM) += kvm/', 'obj-$(CONFIG_SET) += corevisor/'));
});

test('an entry goes behind the sibling that it stands behind, not to the end of the list', async () => {
  const [from, to] = ['arch/arm64/Makefile', 'arch/arm64/Kbuild'];
  const base = lines(
    'core-y += arch/arm64/kernel/ arch/arm64/mm/',
    'core-$(CONFIG_KVM) += arch/arm64/kvm/',
    'core-$(CONFIG_CRYPTO) += arch/arm64/crypto/',
    'libs-y := arch/arm64/lib/',
  );
  const after = (sibling: string) =>
    base.replace(`${sibling}/\n`, `${sibling}/\ncore-$(CONFIG_SET) += arch/arm64/corevisor/\n`);
  const kbuild = ['obj-y += kernel/ mm/', 'obj-$(CONFIG_KVM) += kvm/', 'obj-$(CONFIG_CRYPTO) += crypto/'];
  const upstream = { [from]: lines('core-y += arch/arm64/', 'libs-y := arch/arm64/lib/'), [to]: lines(...kbuild) };
  const own = 'obj-$(CONFIG_SET) += corevisor/';
  const behindKvm = await port({ [from]: base }, { [from]: after('kvm') }, upstream);
  expect(behindKvm.files[to]).toBe(lines(...kbuild.slice(0, 2), own, ...kbuild.slice(2)));
  const behindCrypto = await port({ [from]: base }, { [from]: after('crypto') }, upstream);
  expect(behindCrypto.files[to]).toBe(lines(...kbuild, own));
});

test('an entry of a list that got another name', async () => {
  const base = lines('obj-y := timer.o switch.o', 'obj-y += ../entry.o', '', 'hyp := $(obj-y)', 'obj-y := kvm.o');
  const patched = base.replace('entry.o\n', 'entry.o\nobj-$(CONFIG_SET) += probe.o\n');
  const upstream = base.replace(
    'obj-y := timer.o switch.o\nobj-y +=',
    'hyp-obj-y := timer.o switch.o host.o\nhyp-obj-y +=',
  );
  const { files } = await port({ [HYP]: base }, { [HYP]: patched }, { [HYP]: upstream });
  expect(files[HYP]).toContain('hyp-obj-y += ../entry.o\nhyp-obj-$(CONFIG_SET) += probe.o\n');
});

test('a comment between entries that are one list of several lines now goes in front of it', async () => {
  const entries = ['timer.o', 'switch.o', 'tlb.o'].map((o) => `obj-$(CONFIG_KVM_HOST) += ${o}`);
  const base = lines('KVM=../kvm', '', ...entries);
  const patched = lines('KVM=../kvm', '', entries[0]!, '#ifdef CONFIG_SET', entries[1]!, '#endif', entries[2]!);
  const upstream = ['obj-$(CONFIG_KVM) += hyp.o', '', 'hyp-y := timer.o \\', '\t switch.o \\', '\t tlb.o'];
  const { files, hunks } = await port({ [HYP]: base }, { [HYP]: patched }, { [HYP]: lines(...upstream) });
  expect(files[HYP]).toBe(lines(...upstream.slice(0, 2), '#ifdef CONFIG_SET', '#endif', ...upstream.slice(2)));
  expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
});

test('a comment stays where it is while its entries have lines of their own', async () => {
  const entries = ['timer.o', 'switch.o', 'tlb.o'].map((o) => `obj-$(CONFIG_KVM_HOST) += ${o}`);
  const patched = lines(entries[0]!, '# of the set', ...entries.slice(1));
  const upstream = lines('KVM=../kvm', ...entries, 'obj-$(CONFIG_KVM_HOST) += debug.o');
  const { files } = await port({ [HYP]: lines(...entries) }, { [HYP]: patched }, { [HYP]: upstream });
  expect(files[HYP]).toContain(`${entries[0]!}\n# of the set\n${entries[1]!}\n`);
});
