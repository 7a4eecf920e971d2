import { lines, port } from './harness';

const C = 'arch/arm64/kvm/run.c';
const fn = (...body: string[]) => lines('static void run(void)', '{', ...body.map((b) => `\t${b}`), '}');
const base = fn('start_first();', 'clear_bank_one();', 'clear_bank_two();', 'clear_bank_three();', 'finish_last();');
const without = fn('start_first();', 'finish_last();');

/** What is said of the one hunk of a set that makes `patched` of the base. */
async function said(patched: string, upstream: string) {
  const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: upstream });
  const [{ outcome, strategy, confidence, target, evidence }] = hunks as [(typeof hunks)[0]];
  return { outcome, strategy, confidence, target, text: evidence[0]?.text, file: files[C] };
}

describe('what upstream did itself', () => {
  test('a deletion: says what is gone, and since when', async () => {
    const upstream = fn('start_anew();', 'finish_last();');
    expect(await said(without, upstream)).toMatchObject({
      ...{ outcome: 'already-upstream', strategy: 'upstream', confidence: 0.9, target: [], file: upstream },
      text: `none of the 3 telling lines that it deletes is in '${C}'`,
    });
  });

  test('a deletion of one line may have had another reason', async () => {
    const patched = base.replace('\tclear_bank_one();\n', '');
    const upstream = patched.replace('start_first', 'start_anew');
    expect(await said(patched, upstream)).toMatchObject({ outcome: 'already-upstream', confidence: 0.8 });
  });

  test('no deletion, while one of the lines is there', async () => {
    const upstream = fn('start_anew();', 'clear_bank_two();', 'finish_last();');
    expect((await said(without, upstream)).outcome).not.toBe('already-upstream');
  });

  test('a substitution: says where it is', async () => {
    const patched = base.replace('clear_bank_two()', 'clear_bank_of(HOST)');
    const upstream = fn('start_anew();', 'clear_bank_of(HOST);', 'clear_bank_three();', 'end_anew();');
    expect(await said(patched, upstream)).toMatchObject({
      ...{ outcome: 'already-upstream', strategy: 'upstream', confidence: 0.92, file: upstream },
      target: [{ path: C, definition: 'run', line: 4 }],
      text: `'run' (${C}) has the lines that it puts there, which the base has not`,
    });
  });
});

describe('definitions that the set moved to a file of its own', () => {
  const [D, H] = ['drivers/iommu/smmu.c', 'drivers/iommu/smmu.h'];
  const top = lines('#include <linux/of.h>', '', 'int first;', '', 'int second;', '', 'int third;', '');
  const one = lines('struct smmu_device {', '\tint id;', '\tvoid *base;', '};');
  const two = lines('struct smmu_domain {', '\tint vmid;', '};');
  const code = lines('static int probe(struct smmu_device *smmu)', '{', '\treturn smmu->id;', '}');
  const header = (name: string, ...text: string[]) =>
    `#ifndef ${name}\n#define ${name}\n\n${text.join('\n')}\n#endif\n`;
  const three = lines('struct smmu_stream {', '\tint id;', '};');
  const set = {
    [D]: `#include "smmu.h"\n${top}${code}`,
    [H]: header('SMMU_H', one.replace('};', '\tint index;\n};'), two, three),
  };
  const moved = async (driver: string, ...inHeader: string[]) =>
    (
      await port({ [D]: `${top}${one}\n${two}\n${three}\n${code}` }, set, {
        [D]: `#include "smmu.h"\n${top}${driver}`,
        [H]: header('_SMMU_H', ...inHeader),
      })
    ).hunks;
  const last = (hunks: Awaited<ReturnType<typeof moved>>) => hunks[hunks.length - 1]!;
  const said = (hunks: Awaited<ReturnType<typeof moved>>) => hunks.flatMap((h) => h.evidence.map((e) => e.text));

  test('and upstream as well: where they are', async () => {
    const hunks = await moved(code, one, two, three);
    expect(last(hunks)).toMatchObject({ outcome: 'already-upstream', confidence: 0.92 });
    expect(last(hunks).target).toEqual([{ path: H, definition: 'smmu_device', line: 4 }]);
    expect(said(hunks)).toContain(
      `upstream moved 'smmu_device', 'smmu_domain', 'smmu_stream' out of '${D}' as well, to '${H}'`,
    );
  });

  test('and upstream as well, but for one that is gone: another driver had one of that name before', async () => {
    const other = 'drivers/iommu/other.c';
    const was = { [D]: `${top}${one}\n${two}\n${three}\n${code}`, [other]: three };
    const upstream = { [D]: `#include "smmu.h"\n${top}${code}`, [H]: header('_SMMU_H', one, two) };
    const { hunks } = await port(was, set, upstream);
    expect(last(hunks).outcome).toBe('already-upstream');
    expect(last(hunks).target.map((t) => t.path)).toEqual([H]);
    expect(said(hunks)).toContain("upstream has no 'smmu_stream' there any more");
    expect(said(hunks).join()).not.toContain(other);
  });

  test('and upstream but for one: that is said, and less sure', async () => {
    const hunks = await moved(`${three}\n${code}`, one, two);
    expect(last(hunks)).toMatchObject({ outcome: 'already-upstream', confidence: 0.75 });
    expect(said(hunks)).toContain(`upstream has 'smmu_stream' where the base had them, and they are left there`);
  });
});
