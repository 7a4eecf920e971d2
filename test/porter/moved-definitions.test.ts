import { lines, port } from './harness';

const C = 'drivers/iommu/smmu.c';
const H = 'drivers/iommu/smmu.h';
const struct = (...members: string[]) => lines('struct smmu_device {', ...members.map((m) => `\t${m};`), '};');
const code = lines('static int probe(struct smmu_device *smmu)', '{', '\treturn smmu->id;', '}');
const base = { [C]: struct('int id', 'void *base', 'int irq') + '\n' + code };
const set = {
  [C]: lines('#include "smmu.h"', '') + code,
  [H]:
    lines('#ifndef SMMU_H', '#define SMMU_H', '') +
    struct('int id', 'void *base', 'int irq', 'int index') +
    lines('', '#endif'),
};

test('a definition that the set moved has what upstream changed in it', async () => {
  const { files } = await port(base, set, {
    [C]: struct('int id', 'u32 features', 'void *base', 'int irq') + '\n' + code,
  });
  expect(files[H]).toContain(struct('int id', 'u32 features', 'void *base', 'int irq', 'int index'));
});

test("a definition that upstream moved, too, gets the set's changes where it is", async () => {
  const T = 'drivers/iommu/arm/smmu.h';
  const { files } = await port(base, set, {
    [C]: lines('#include "arm/smmu.h"', '') + code,
    [T]:
      lines('#ifndef _SMMU_H', '#define _SMMU_H', '') + struct('int id', 'void *base', 'int irq') + lines('', '#endif'),
  });
  expect(files[T]).toContain(struct('int id', 'void *base', 'int irq', 'int index'));
  expect(files[H]).toBeUndefined();
});
