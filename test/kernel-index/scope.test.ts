import { scopeOfSet } from '../../src/kernel-index';

const many = (folder: string, n: number) => Array.from({ length: n }, (_, i) => `${folder}/file-${i}.c`);
const inScope = (touched: string[], paths: string[]) => {
  const has = scopeOfSet(touched).of(paths);
  return (path: string) => has(path);
};

test('the folder of a touched file is taken whole, with what is below it', () => {
  const paths = [...many('drivers/iommu', 900), ...many('drivers/iommu/arm', 90), ...many('drivers/net', 9)];
  const has = inScope(['drivers/iommu/smmu.c'], paths);
  expect(paths.filter(has)).toHaveLength(990);
  expect(has('drivers/iommu/arm/new.c')).toBe(true);
});

test('of a wide folder it is the first on the way that is not wide', () => {
  const [gpu, i915, amd] = ['drivers/gpu/drm', 'drivers/gpu/drm/i915', 'drivers/gpu/drm/amd'];
  const paths = [...many(gpu, 9), ...many(`${i915}/gem`, 600), ...many(`${i915}/gt`, 300), ...many(amd, 2000)];
  const has = inScope([`${i915}/gem/exec.c`], paths);
  expect(has(`${i915}/gt/file-1.c`)).toBe(true);
  expect(has(`${gpu}/file-1.c`)).toBe(false);
  expect(has(`${amd}/file-1.c`)).toBe(false);
});

test('a touched file and its folder are in it however wide', () => {
  const paths = many('drivers/net/wide', 2000);
  const has = inScope(['drivers/net/wide/file-1.c', 'kernel/panic.c'], [...paths, 'kernel/exit.c', 'kernel/panic.c']);
  expect(paths.every(has)).toBe(true);
  expect(has('kernel/panic.c')).toBe(true);
  expect(has('kernel/exit.c')).toBe(false);
});

test('KVM of arm64 is always in it', () => {
  const has = inScope(['kernel/panic.c'], ['kernel/panic.c']);
  expect(has('arch/arm64/kvm/hyp/nvhe/switch.c')).toBe(true);
  expect(has('arch/x86/kvm/x86.c')).toBe(false);
});
