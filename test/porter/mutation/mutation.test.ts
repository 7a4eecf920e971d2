import { writeFileSync } from 'node:fs';
import { Scratch } from '../../../src/io/scratch';
import { MUTATIONS, makeCase, portCase, runCase, type Judged } from './cases';
import { readMaterial, textsOf, type Material } from './source';
import { SURE, tableOf } from './table';

// KPORT_MUTATION_SEED=7 KPORT_MUTATION_CASES=200 npx jest test/porter/mutation; KPORT_MUTATION_JSON=FILE keeps the verdicts.
const SEED = Number(process.env.KPORT_MUTATION_SEED ?? 4);
const CASES = Number(process.env.KPORT_MUTATION_CASES ?? Object.keys(MUTATIONS).length * 33);

let material: Material;
beforeAll(async () => {
  material = await Scratch.use([], readMaterial);
});

describe('a kernel changed at random', () => {
  it('is the same kernel for the same seed', () => {
    const texts = (seed: number) => {
      const { situation } = makeCase(material, seed, 14);
      return [textsOf(situation.base), textsOf(situation.target)];
    };
    expect(texts(7)).toEqual(texts(7));
    expect(texts(7)).not.toEqual(texts(8));
  });

  it('would show an edit in a wrong definition', async () => {
    const shift = Object.keys(MUTATIONS).indexOf('shift');
    const { situation, patch, judge } = await portCase(material, 1, shift);
    const starts = new Map<number, string>();
    let line = 0;
    for (const block of situation.file) {
      if (block.kind === 'function') starts.set(line + block.lines.length - 1, block.name);
      line += block.lines.length;
    }
    const inside = patch.traces.filter((t) => t.placements[0]?.definition && t.edit.segments[0]!.removed.length === 0);
    expect(inside.length).toBeGreaterThan(0);
    for (const trace of inside) {
      expect(judge.judge(trace)).toBe('right');
      const [placed] = trace.placements;
      const [at] = [...starts].find(([, name]) => name !== placed!.definition)!;
      for (const s of placed!.segments) s.site = { ...s.site, at };
      expect(judge.judge(trace)).toBe('wrong');
    }
  }, 60_000);

  it('never gets an edit into a wrong definition with confidence >= 0.9', async () => {
    const judged: Judged[] = [];
    for (let n = 0; n < CASES; n++) judged.push(...(await runCase(material, SEED, n)));
    process.stdout.write(`seed ${SEED}, ${CASES} cases, ${judged.length} edits\n${tableOf(judged)}\n`);
    if (process.env.KPORT_MUTATION_JSON)
      writeFileSync(process.env.KPORT_MUTATION_JSON, JSON.stringify({ seed: SEED, cases: CASES, judged }));
    const sure = judged.filter((j) => j.confidence >= SURE);
    expect(sure.length).toBeGreaterThan(judged.length / 2);
    expect(sure.filter((j) => j.verdict === 'wrong' || j.verdict === 'denied')).toEqual([]);
  }, 900_000);
});
