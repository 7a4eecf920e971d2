import { splitMessage } from '../../src/series/history';
import { encodeAddress } from '../../src/series/mails';
import { listedFor, readMaintainers } from '../../src/series/maintainers';
import { prefixOfSubjects } from '../../src/series/messages';
import { parseAddress } from '../../src/series/recipients';
import { globToRegExp } from '../../src/series/series-file';
import { prefixFromTable, topicOf } from '../../src/series/topics';
import { wrap } from '../../src/series/words';

test('paragraphs are wrapped, lists and quotes keep their lines', () => {
  const long = `${'word '.repeat(30)}end`;
  expect(
    Math.max(
      ...wrap(long)
        .split('\n')
        .map((l) => l.length),
    ),
  ).toBeLessThanOrEqual(75);
  expect(wrap(`  indented ${long}`)).toBe(`  indented ${long}`);
  expect(wrap(`- one ${long}\n- two`)).toMatch(/^- one [^]*\n {2}word[^]*\n- two$/);
  expect(wrap('https://example.org/'.padEnd(100, 'x'))).toHaveLength(100);
});

test('a message is subject, body and trailers', () => {
  expect(splitMessage('Fix\nit\n\nBecause.\n\nMore: not a trailer block\nof lines.\n')).toEqual({
    ...{ subject: 'Fix it', body: 'Because.\n\nMore: not a trailer block\nof lines.', trailers: [] },
  });
  expect(splitMessage('Fix\n\nBecause.\n\nSigned-off-by: A <a@b>\n[c: changed]\nSigned-off-by: C <c@d>\n')).toEqual({
    ...{
      subject: 'Fix',
      body: 'Because.',
      trailers: ['Signed-off-by: A <a@b>', '[c: changed]', 'Signed-off-by: C <c@d>'],
    },
  });
  expect(splitMessage('Fix\n\nSigned-off-by: A <a@b>\n')).toMatchObject({
    body: '',
    trailers: ['Signed-off-by: A <a@b>'],
  });
});

test('the prefix is the longest on which a log agrees', () => {
  expect(prefixOfSubjects(['KVM: arm64: A', 'KVM: arm64: B', 'KVM: arm64: vgic: C', 'KVM: D'])).toBe('KVM: arm64: ');
  expect(prefixOfSubjects(['iommu/arm-smmu: A', 'iommu/arm-smmu: B', 'iommu: C'])).toBe('iommu/arm-smmu: ');
  expect(prefixOfSubjects(['v4.18', 'v4.19', 'v5.4'])).toBeNull();
  expect(prefixOfSubjects(['Merge tag x: y', 'KVM: A'])).toBeNull();
});

test('the table knows the prefixes of repositories without a log', () => {
  expect(prefixFromTable('arch/arm64/kvm/mmu.c')).toBe('KVM: arm64: ');
  expect(prefixFromTable('virt/kvm/arm/arm.c')).toBe('KVM: arm/arm64: ');
  expect(prefixFromTable('drivers/iommu/arm/arm-smmu/arm-smmu.c')).toBe('iommu/arm-smmu: ');
  expect(prefixFromTable('arch/riscv/mm/init.c')).toBe('riscv: ');
  expect(prefixFromTable('drivers/tty/serial/amba-pl011.c')).toBe('serial: amba-pl011: ');
  expect(prefixFromTable('fs/ext4/inode.c')).toBe('fs: ');
});

test('files go to topics by path and by what they are', () => {
  const topic = (path: string, isNew = false, corevisor = false) =>
    topicOf({ path, isNew, corevisor, library: false }).key;
  expect(topic('arch/arm64/kvm/Kconfig')).toBe('build');
  expect(topic('include/uapi/linux/kvm.h')).toBe('uapi');
  expect(topic('arch/arm64/kvm/handle_exit.c')).toBe('host-vcpu');
  expect(topic('virt/kvm/arm/mmu.c')).toBe('host-mmu');
  expect(topic('arch/arm64/kvm/arm.c')).toBe('host-init');
  expect(topic('arch/arm64/kvm/hyp/nvhe/switch.c')).toBe('el2-entry');
  expect(topic('drivers/vfio/vfio.c')).toBe('vfio');
  expect(topic('arch/arm64/core/pagetable.c', true, true)).toBe('corevisor-memory');
  expect(topic('arch/arm64/core/smmu.c', true, true)).toBe('corevisor-smmu');
  expect(topic('Documentation/virt/x.rst', true)).toBe('docs');
  expect(topic('drivers/of/fdt.c')).toBe('other');
});

test('names that are not ASCII are encoded for headers', () => {
  expect(encodeAddress('Plain Name <a@b>')).toBe('Plain Name <a@b>');
  expect(encodeAddress('Zoë <a@b>')).toBe('=?UTF-8?q?Zo=C3=AB?= <a@b>');
  const long = encodeAddress(`${'ü'.repeat(30)} <a@b>`);
  for (const word of long.split(' ').slice(0, -1)) expect(word.length).toBeLessThanOrEqual(75);
});

test('addresses are checked, and names with commas quoted', () => {
  expect(parseAddress('user@host', '--to')).toEqual({ address: 'user@host', email: 'user@host' });
  expect(parseAddress('Last, First <User@Host.org>', '--to')).toEqual({
    ...{ address: '"Last, First" <User@Host.org>', email: 'user@host.org' },
  });
  for (const bad of ['alice', 'a b@c', 'x <y>', '', '@c', 'a@']) {
    expect(() => parseAddress(bad, '--to')).toThrow(/--to: .* is no mail address/);
  }
});

test('patterns match names, folders and trees', () => {
  expect(globToRegExp('a/*.c').test('a/b.c')).toBe(true);
  expect(globToRegExp('a/*.c').test('a/b/c.c')).toBe(false);
  expect(globToRegExp('a/**').test('a/b/c.c')).toBe(true);
  expect(globToRegExp('**/x.c').test('x.c')).toBe(true);
  expect(globToRegExp('a+b/?.c').test('a+b/x.c')).toBe(true);
});

test('MAINTAINERS: depth of patterns, exclusions, expressions, keywords, closed lists', () => {
  const text = [
    ...['TREE', 'M:\tA <a@x.org>', 'F:\tdrivers/a/', 'X:\tdrivers/a/not/', ''],
    ...['FLAT', 'M:\tB <b@x.org>', 'F:\tdrivers/*', ''],
    ...['FOLDER WITHOUT A SLASH', 'R:\tC <c@x.org>', 'F:\tkernel/bpf', ''],
    ...['NAMES', 'L:\topen@x.org', 'L:\tclosed@x.org (subscribers-only)', 'N:\t[^a-z]tegra', ''],
    ...['WORDS', 'M:\tD <d@x.org>', 'K:\t\\b(?i:clang|llvm)\\b', ''],
  ].join('\n');
  const sections = readMaintainers(text, (p) => p === 'kernel/bpf');
  const who = (paths: string[], lines: string[] = []) => listedFor(sections, paths, lines).map((l) => l.address);
  expect(who(['drivers/a/b/c.c'])).toEqual(['A <a@x.org>']);
  expect(who(['drivers/a/not/c.c'])).toEqual([]);
  expect(who(['drivers/x.c'])).toEqual(['B <b@x.org>']);
  expect(who(['kernel/bpf/core.c'])).toEqual(['C <c@x.org>']);
  expect(who(['arch/arm/mach-tegra/x.c'])).toEqual(['open@x.org']);
  expect(who(['fs/x.c'], ['+ built with Clang'])).toEqual(['D <d@x.org>']);
  expect(listedFor(sections, ['drivers/a/b.c'], [])[0]).toMatchObject({ section: 'TREE', by: 'F: drivers/a/' });
});
