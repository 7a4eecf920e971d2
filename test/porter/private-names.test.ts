import { lines, port } from './harness';

const [TABLE, SMMU, HEADER] = ['arch/arm64/kvm/io-table.c', 'arch/arm64/kvm/smmu.c', 'arch/arm64/kvm/smmu.h'];
const struct = lines('struct smmu_domain {', '\tint vmid;', '};');
const others = lines('#define SMMU_PAGES 4', '', 'static inline int smmu_bits(void)', '{', '\treturn 4;', '}');
const table = (...more: string[]) => lines('int unmap(void *cookie)', '{', '\tflush(cookie);', ...more, '}');
const rest = lines('int probe(void)', '{', '\treturn 0;', '}');
const base = {
  [TABLE]: `#include "smmu.h"\n${table()}`,
  [SMMU]: `#include "smmu.h"\n${rest}`,
  [HEADER]: struct + others,
};
const before = { [TABLE]: table(), [SMMU]: struct + others + rest };

const run = async (target: Record<string, string>, ...more: string[]) => {
  const set = { ...base, [TABLE]: `#include "smmu.h"\n${table('#ifdef CONFIG_SET', ...more, '#endif')}` };
  const { hunks } = await port(base, set, target, HEADER in target ? [] : [HEADER]);
  return { message: hunks[0]!.message, confidence: hunks[0]!.confidence };
};
const keeps = (name: string) => `uses '${name}', which '${SMMU}' keeps to itself in the target`;

test.each([
  ['a struct that is reached into', ['\tstruct smmu_domain *d = cookie;', '\tclear(d->vmid);'], 'struct smmu_domain'],
  ['a struct of which there is one', ['\tstruct smmu_domain d;', '\tclear(&d);'], 'struct smmu_domain'],
  ['the size of a struct', ['\tclear(cookie, sizeof(struct smmu_domain));'], 'struct smmu_domain'],
  ['a macro', ['\tclear(SMMU_PAGES);'], 'SMMU_PAGES'],
  ['a function', ['\tclear(smmu_bits());'], 'smmu_bits'],
])('%s that another source file keeps to itself is doubted', async (_, code, name) => {
  expect(await run(before, ...code)).toEqual({ message: keeps(name), confidence: 0.75 });
});

test('a struct that is pointed to is known by its name', async () => {
  expect((await run(before, '\tstruct smmu_domain *d = cookie;', '\tclear(d);')).message).toBeNull();
});

test('nothing is said while a header has it, or the file itself', async () => {
  const code = ['\tstruct smmu_domain *d = cookie;', '\tclear(d->vmid, SMMU_PAGES, smmu_bits());'];
  expect((await run(base, ...code)).message).toBeNull();
  const inFile = { ...before, [TABLE]: struct + others + table() };
  expect((await run(inFile, ...code)).message).toBeNull();
});
