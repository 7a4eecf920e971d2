import { lines, port, type Texts } from './harness';

const MAKE = 'arch/arm64/kvm/hyp/Makefile';
const [FOLDER, THERE] = ['arch/arm64/core', 'arch/arm64/kvm/hyp/setup.c'];
const base: Texts = { [MAKE]: lines('obj-y += switch.o') };
const setup = (bits: number) => lines('int init_tables(void)', '{', `\treturn use_bits(${bits});`, '}');
const list = (...words: string[]) => lines(...words.map((w) => `obj-y += ${w}`));
const set = (made: string): Texts => ({
  ...base,
  [`${FOLDER}/Makefile`]: list('boot.o', 'setup.o', 'setup-late.o'),
  [`${FOLDER}/boot.c`]: lines('int boot(void)', '{', '\treturn 1;', '}'),
  [`${FOLDER}/setup-late.c`]: lines('int late(void)', '{', '\treturn 1;', '}'),
  [`${FOLDER}/setup.c`]: made,
});
const target: Texts = { ...base, [MAKE]: lines('obj-y += switch.o', 'obj-y += setup.o'), [THERE]: setup(40) };

describe('a new file that upstream has under the same name', () => {
  test('in the same words: it is not brought, nor is it in the list of objects', async () => {
    const done = await port(base, set(`/* ours */\n${setup(40)}`), target);
    const file = done.patches[0]!.files.find((f) => f.path === `${FOLDER}/setup.c`)!;
    expect(file).toMatchObject({ outcome: 'already-upstream', targetPaths: [THERE] });
    expect(done.files[`${FOLDER}/setup.c`]).toBeUndefined();
    expect(done.files[`${FOLDER}/Makefile`]).toBe(list('boot.o', 'setup-late.o'));
    const made = done.patches[0]!.files.find((f) => f.path === `${FOLDER}/Makefile`)!;
    expect(made.outcome).toBe('rewritten');
    expect(made.evidence).toContainEqual({ kind: 'object-built', text: `'setup.o' is built from '${THERE}' already` });
  });

  test('in other words: what it says is not upstream, and there is no way to have both', async () => {
    const done = await port(base, set(setup(48)), target);
    const file = done.patches[0]!.files.find((f) => f.path === `${FOLDER}/setup.c`)!;
    expect(file).toMatchObject({
      outcome: 'conflict',
      message: `upstream has all that it defines in '${THERE}', in other words`,
    });
    expect(done.files[`${FOLDER}/Makefile`]).toBe(list('boot.o', 'setup.o', 'setup-late.o'));
  });

  test('several words of a list: the others stay', async () => {
    const own = { ...set(setup(40)), [`${FOLDER}/Makefile`]: lines('core-objs := boot.o setup.o setup-late.o') };
    const done = await port(base, own, target);
    expect(done.files[`${FOLDER}/Makefile`]).toBe(lines('core-objs := boot.o setup-late.o'));
  });

  test('an entry in a list that the kernel has is left to a person', async () => {
    const top = { ...base, [`${FOLDER}/Makefile`]: list('boot.o') };
    const own = { ...set(setup(40)), [`${FOLDER}/Makefile`]: list('boot.o', 'setup.o') };
    const { hunks } = await port(top, own, { ...target, [`${FOLDER}/Makefile`]: list('boot.o') });
    expect(hunks).toHaveLength(1);
    expect(hunks[0]).toMatchObject({ outcome: 'conflict', message: `'setup.o' is built from '${THERE}' already` });
  });
});

describe('fields of a struct that both moved to a header', () => {
  const [C, H] = ['arch/arm64/kvm/smmu.c', 'arch/arm64/kvm/smmu.h'];
  const device = (...members: string[]) => lines('struct smmu_device {', ...members.map((m) => `\t${m};`), '};');
  const domain = lines('struct smmu_domain {', '\tint pages;', '\tint bits;', '};');
  const [was, ours] = [
    device('int regs', 'int id_base', 'int banks'),
    device('int regs', 'int id_base', 'int banks', 'int owner'),
  ];
  const probe = lines('int probe(struct smmu_device *smmu)', '{', '\treturn smmu->regs;', '}');
  const macro = (field: string) => lines('#ifdef CONFIG_SET', `#define VMID(smmu) ((smmu)->${field} + 1)`, '#endif');
  const from = { [C]: was + domain + probe };
  const made = async (field: string, more: Texts = {}) => {
    const own = { [C]: `#include "smmu.h"\n${macro(field)}${probe}`, [H]: ours + domain, ...more };
    const now = { [C]: `#include "smmu.h"\n${probe}`, [H]: device('int regs', 'int banks') + domain };
    const { hunks } = await port(from, own, now);
    return hunks.flatMap((h) => h.evidence.map((e) => e.text)).join('; ');
  };

  test('are upstream’s: one that is gone there is said', async () => {
    expect(await made('id_base')).toContain("mentions 'id_base', which the target does not have");
    expect(await made('owner')).not.toContain('mentions');
  });

  test('are the set’s where a struct of its own has one of the name', async () => {
    const copy = { 'arch/arm64/kvm/core.h': lines('struct core_smmu {', '\tint id_base;', '};') };
    expect(await made('id_base', copy)).not.toContain('mentions');
  });
});
