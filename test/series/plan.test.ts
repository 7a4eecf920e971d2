import { GitRepo } from '../../src/io/git';
import { readChange, fileWith, type Change } from '../../src/series/change';
import { readNeeds, type Needs } from '../../src/series/needs';
import { isMet, planSeries } from '../../src/series/plan';
import { BASE, SET, smallKernel, type Files, type TestRepo } from './small-kernel';

const OPTIONS = { maxPatches: 15, maxLines: 4000, roles: new Map() };
let repo: TestRepo;
afterEach(() => repo.remove());

async function read(base: Files = BASE, set: Files = SET): Promise<{ change: Change; needs: Needs }> {
  repo = smallKernel(base, set);
  const git = (await GitRepo.open(repo.dir))!;
  const change = await readChange(git, (await git.commit('v5.4'))!, (await git.commit('ported'))!);
  git.close();
  return { change, needs: readNeeds(change) };
}

const find = (change: Change, path: string, text: string) =>
  change.units.find((u) => u.path === path && u.hunk?.lines.join('').includes(text))!;

test('a change is cut into one unit per hunk and per new file', async () => {
  const { change } = await read();
  expect(change.units.filter((u) => u.path === 'arch/arm64/kvm/arm.c')).toHaveLength(2);
  expect(change.units.filter((u) => u.kind === 'new').map((u) => u.path)).toEqual([
    'arch/arm64/configs/guarded_defconfig',
    'arch/arm64/guard/Makefile',
    'arch/arm64/guard/boot.c',
    'arch/arm64/guard/pagetable.c',
    'arch/arm64/include/asm/guard_core.h',
  ]);
  expect(new Set(change.units.map((u) => u.id)).size).toBe(change.units.length);
});

test('a file with some of its hunks is the base with just those', async () => {
  const { change } = await read();
  const file = change.files.find((f) => f.path === 'arch/arm64/kvm/arm.c')!;
  const half = fileWith(file, new Set([file.units[0]!])).get(file.path)!;
  expect('content' in half && half.content).toContain('guard_core.h');
  expect('content' in half && half.content).not.toContain('guard_boot');
  expect(fileWith(file, new Set())).toEqual(new Map());
  expect(fileWith(file, new Set(file.units)).get(file.path)).toEqual({ mode: '100644', oid: file.newOid });
});

test('every unit is in exactly one patch, and nothing is used before it is there', async () => {
  const { change, needs } = await read();
  const plan = planSeries(change, needs, OPTIONS);
  const all = plan.flatMap((p) => p.units);
  expect(all).toHaveLength(change.units.length);
  expect(new Set(all).size).toBe(change.units.length);
  const at = new Map(plan.flatMap((p, i) => p.units.map((u) => [u, i] as const)));
  for (const need of needs.needs) expect([need.name, isMet(need, (u) => at.get(u)!)]).toEqual([need.name, true]);
});

test('the option comes when all that it switches on is there, the configuration that sets it after it', async () => {
  const { change, needs } = await read();
  const plan = planSeries(change, needs, OPTIONS);
  const at = (path: string, text: string) => plan.findIndex((p) => p.units.includes(find(change, path, text)));
  const option = at('arch/arm64/Kconfig', 'GUARDED_KVM');
  for (const u of change.units.filter((x) => /guard\/|kvm\/|asm\//.test(x.path))) {
    expect(plan.findIndex((p) => p.units.includes(u))).toBeLessThanOrEqual(option);
  }
  expect(at('arch/arm64/configs/guarded_defconfig', 'GUARDED_KVM')).toBeGreaterThan(option);
  expect(at('arch/arm64/guard/Makefile', 'boot.o')).toBeGreaterThanOrEqual(at('arch/arm64/guard/boot.c', 'guard_boot'));
});

test('a function that changes its parameters changes in one patch with its callers', async () => {
  const { change, needs } = await read();
  const plan = planSeries(change, needs, OPTIONS);
  const units = [
    find(change, 'arch/arm64/include/asm/kvm_host.h', 'toy_attach'),
    find(change, 'drivers/toy/toy.c', 'owner'),
    find(change, 'drivers/toy/user.c', 'toy_attach(1, 2)'),
  ];
  expect(plan.filter((p) => units.some((u) => p.units.includes(u)))).toHaveLength(1);
});

test('a conditional that opens in one hunk and closes in another stays together', async () => {
  const { change, needs } = await read(BASE, {
    ...SET,
    'arch/arm64/kvm/arm.c': BASE['arch/arm64/kvm/arm.c']!.replace(
      'static int more_1;',
      '#ifndef CONFIG_GUARDED_KVM\nstatic int more_1;',
    ).replace('static int more_15;', 'static int more_15;\n#endif'),
  });
  const units = change.units.filter((u) => u.path === 'arch/arm64/kvm/arm.c');
  expect(units).toHaveLength(2);
  expect(needs.together.some((t) => t.units.length === 2 && units.every((u) => t.units.includes(u)))).toBe(true);
});

test('code that moves to a new file is a patch of its own, with what lets the old place see it', async () => {
  const moving = Array.from({ length: 12 }, (_, i) => `#define TOY_REGISTER_${i} (0x100 + ${i})\n`).join('');
  const { change, needs } = await read(
    { ...BASE, 'drivers/toy/toy.c': moving + BASE['drivers/toy/toy.c']! },
    { ...SET, 'drivers/toy/toy.h': moving, 'drivers/toy/toy.c': `#include "toy.h"\n${SET['drivers/toy/toy.c']!}` },
  );
  const plan = planSeries(change, needs, OPTIONS);
  const move = plan.find((p) => p.topic.key === 'moves')!;
  expect(move.units.map((u) => u.path)).toEqual(['drivers/toy/toy.c', 'drivers/toy/toy.h']);
  expect(move.units[0]!.hunk!.lines.join('')).toContain('+#include "toy.h"');
});

test('there are no more patches than allowed', async () => {
  const { change, needs } = await read();
  expect(planSeries(change, needs, { ...OPTIONS, maxPatches: 3 }).length).toBeLessThanOrEqual(3);
});

test('what is too large is cut between files', async () => {
  const big = (n: number) => Array.from({ length: 60 }, (_, i) => `int big${n}_${i};\n`).join('');
  const { change, needs } = await read(BASE, {
    ...SET,
    'arch/arm64/guard/one.c': big(1),
    'arch/arm64/guard/two.c': big(2),
    'arch/arm64/guard/three.c': big(3),
  });
  const plan = planSeries(change, needs, { ...OPTIONS, maxLines: 100 });
  const parts = plan.filter((p) => p.part !== null);
  expect(parts.map((p) => p.part)).toEqual(parts.map((_, i) => i + 1));
  expect(parts.length).toBeGreaterThan(1);
});

test('a file whose content the repository lacks is named and left out', async () => {
  repo = smallKernel();
  const blob = repo.git('rev-parse', 'ported:arch/arm64/guard/boot.c');
  const { rmSync } = await import('node:fs');
  rmSync(`${repo.dir}/.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`, { force: true });
  const git = (await GitRepo.open(repo.dir))!;
  const change = await readChange(git, (await git.commit('v5.4'))!, (await git.commit('ported'))!);
  git.close();
  expect(change.unreadable).toEqual([{ path: 'arch/arm64/guard/boot.c', oid: blob }]);
  expect(change.files.map((f) => f.path)).not.toContain('arch/arm64/guard/boot.c');
});

// The set gives a function one parameter more for everybody, and where its option is off it leaves a call as it was.
const RUN = 'static int toy_run(int toy)\n{\n\treturn toy;\n}\n\nint toy_go(void)\n{\n\treturn toy_run(1);\n}\n';
const RUN_OWNED = (off: string) =>
  RUN.replace('(int toy)', '(int toy, int owner)').replace(
    '\treturn toy_run(1);\n',
    `#ifndef CONFIG_GUARDED_KVM\n\treturn ${off};\n#else\n\treturn toy_run(1, 2);\n#endif\n`,
  );

test.each([
  ['what builds only with the option comes after it', 'toy_run(1)', true],
  ['what builds without it, too, comes before it', 'toy_run(1, 0)', false],
])('%s', async (_, off, late) => {
  const { change, needs } = await read(
    { ...BASE, 'drivers/toy/run.c': RUN },
    { ...SET, 'drivers/toy/run.c': RUN_OWNED(off) },
  );
  const plan = planSeries(change, needs, OPTIONS);
  const at = (path: string, text: string) => plan.findIndex((p) => p.units.includes(find(change, path, text)));
  const option = at('arch/arm64/Kconfig', 'GUARDED_KVM');
  if (late) expect(at('drivers/toy/run.c', 'toy_run')).toBeGreaterThan(option);
  else expect(at('drivers/toy/run.c', 'toy_run')).toBeLessThanOrEqual(option);
  const order = new Map(plan.flatMap((p, i) => p.units.map((u) => [u, i] as const)));
  for (const need of needs.needs) expect([need.name, isMet(need, (u) => order.get(u)!)]).toEqual([need.name, true]);
});

test('what builds only with the option stays before it when something else needs it', async () => {
  const owned = `${RUN_OWNED('toy_run(1)')}\nint toy_owner_of(void)\n{\n\treturn 0;\n}\n`;
  const host = 'arch/arm64/include/asm/kvm_host.h';
  const { change, needs } = await read(
    { ...BASE, 'drivers/toy/run.c': RUN },
    {
      ...SET,
      'drivers/toy/run.c': owned,
      [host]: `${SET[host]!}\nint toy_owner_of(void);\n`,
      'arch/arm64/kvm/arm.c': `${SET['arch/arm64/kvm/arm.c']!}\nint asks(void)\n{\n\treturn toy_owner_of();\n}\n`,
    },
  );
  const plan = planSeries(change, needs, OPTIONS);
  const at = (path: string, text: string) => plan.findIndex((p) => p.units.includes(find(change, path, text)));
  expect(at('drivers/toy/run.c', 'toy_run')).toBeLessThanOrEqual(at('arch/arm64/Kconfig', 'GUARDED_KVM'));
});
