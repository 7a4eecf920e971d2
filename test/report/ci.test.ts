import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { ciRow, type CiResult } from '../../src/cli/ci-worker';
import { allFailing, failingList, problemsOf, UNEXPLAINED, updateFailing } from '../../src/report/ci/failing';
import { CiRow, CiSchema } from '../../src/report/schema/ci';
import { Sandbox } from '../support/sandbox';
import { tinyKernels, type TinyKernels } from './kernels';

interface Workflow {
  jobs: { port: { steps: { run?: string }[] } };
}

let kernels: TinyKernels;
let golden: string;
let port: string;

const write = (file: string, text: string) => {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
};
const row = (to: string, dir: string | null = golden) =>
  ciRow({
    ...{ set: 'tiny', patchesDir: kernels.patches, tree: kernels.repo, to, baseTree: null },
    ...{ golden: dir, compile: false },
  });
const judged = (result: CiResult, failing: string) => {
  const whole = { ...result, error: null };
  const problems = problemsOf(whole, failingList(failing, result.to, result.set));
  return { ...whole, expected: problems.length === 0, problems };
};

beforeAll(async () => {
  kernels = await tinyKernels();
  golden = path.join(kernels.dir, 'golden');
  await kernels.port('v4.19', 'ported');
  port = kernels.git('diff', '--full-index', 'v4.19', 'ported');
});
afterAll(() => kernels.remove());

describe('kport ci', () => {
  it('finds a port equal to its golden', async () => {
    write(path.join(golden, 'v4.19/tiny.patch'), port);
    const result = judged(await row('v4.19'), path.join(kernels.dir, 'none'));
    expect(result.golden).toEqual({ treeId: kernels.git('rev-parse', 'ported^{tree}').trim(), equal: true, cases: [] });
    expect(result.problems).toEqual([]);
    expect(CiRow.parse(result)).toEqual(result);
  });

  it('names the hunk that is elsewhere in the golden, and the file that is not in it', async () => {
    const dir = path.join(kernels.dir, 'other');
    kernels.git('checkout', '-q', 'ported');
    const run = path.join(kernels.repo, 'kvm/run.c');
    const moved = readFileSync(run, 'utf8')
      .replace('\tcore_forget(v->id);\n', '')
      .replace('\tv->ready = 0;\n', '\tcore_forget(v->id);\n\tv->ready = 0;\n');
    writeFileSync(run, moved);
    kernels.git('rm', '-q', 'core/core.c');
    write(path.join(dir, 'v4.19/tiny.patch'), kernels.git('diff', '--full-index', 'v4.19'));
    kernels.git('reset', '-q', '--hard');

    const result = await row('v4.19', dir);
    expect(result.golden).toMatchObject({ equal: false });
    expect(result.golden!.cases).toEqual([
      {
        ...{ hunk: expect.stringMatching(/^[0-9a-f]{12}$/), file: 'core/core.c', path: 'core/core.c', now: 'applied' },
        ...{ shouldBe: 'absent', lines: { port: 4, golden: 0 }, difference: expect.any(String) },
      },
      {
        ...{ hunk: expect.stringMatching(/^[0-9a-f]{12}$/), file: 'kvm/run.c', path: 'kvm/run.c', shouldBe: 'placed' },
        ...{ now: 'applied', lines: { port: 1, golden: 1 }, difference: expect.any(String) },
      },
    ]);
  });

  it('counts a hunk that is left out as right only where the golden says so', async () => {
    const left = (await row('v4.20', null)).summary!.byOutcome;
    expect(left.conflict + left.obsolete).toBeGreaterThan(0);
    const dir = path.join(kernels.dir, 'gone');
    await kernels.port('v4.20', 'ported-v4.20');
    write(path.join(dir, 'v4.20/tiny.patch'), kernels.git('diff', '--full-index', 'v4.20', 'ported-v4.20'));
    const before = (await row('v4.20', dir)).golden!;
    expect(before.equal).toBe(true);
    expect(before.cases).toHaveLength(left.conflict + left.obsolete);
    expect(before.cases.every((c) => c.shouldBe === 'placed' && c.difference === null)).toBe(true);

    const gone = before.cases.map((c) => ({ hunk: c.hunk, from: 'v4.20', outcome: 'obsolete', why: 'gone' }));
    write(path.join(dir, 'no-place.json'), JSON.stringify({ tiny: gone }));
    const after = (await row('v4.20', dir)).golden!;
    // An outcome of 'conflict' is still not the one that the golden has.
    expect(after.cases).toHaveLength(left.conflict);
    expect(after.cases.every((c) => c.shouldBe === 'obsolete' && c.now === 'conflict')).toBe(true);

    write(path.join(dir, 'no-place.json'), '{"tiny": [{"hunk": 3}]}');
    await expect(row('v4.20', dir)).rejects.toThrow(/no-place.json' cannot be read/);
  });
});

describe('the list of what is known to fail', () => {
  let failing: string;
  let result: CiResult;
  beforeAll(async () => {
    failing = path.join(kernels.dir, 'failing');
    result = await row('v4.19', path.join(kernels.dir, 'other'));
  });

  it('makes a known failure expected, and a new one not', () => {
    expect(judged(result, failing).problems).toHaveLength(2);
    expect(updateFailing(failing, [judged(result, failing)])).toEqual({ written: 1, unexplained: 2 });
    expect(judged(result, failing)).toMatchObject({ expected: true, problems: [] });
    const checks = [{ name: 'parse', result: 'fail' as const, reason: '', findings: 1 }];
    expect(judged({ ...result, checks }, failing).problems).toEqual(["check 'parse' fails"]);
  });

  it('fails when a listed case passes, or gives something else', () => {
    const [first, second] = result.golden!.cases;
    const passes = { ...result, golden: { ...result.golden!, cases: [second!] } };
    expect(judged(passes, failing).problems).toEqual([
      `hunk ${first!.hunk} of 'core/core.c': is listed as failing and passes`,
    ]);
    const other = {
      ...result,
      golden: { ...result.golden!, cases: [first!, { ...second!, difference: 'f'.repeat(12) }] },
    };
    expect(judged(other, failing).problems).toEqual([
      `hunk ${second!.hunk} of 'kvm/run.c': gives something else than listed ('applied' then, 'applied' now)`,
    ]);
    const broken = { ...judged(result, failing), summary: null, golden: null, error: { message: 'no', hints: [] } };
    expect(problemsOf(broken, failingList(failing, 'v4.19', 'tiny'))).toEqual(['no']);
  });

  it('keeps reasons when it is written anew, and goes when nothing fails any more', () => {
    const list = failingList(failing, 'v4.19', 'tiny');
    expect(list.cases.map((c) => c.reason)).toEqual([UNEXPLAINED, UNEXPLAINED]);
    write(
      path.join(failing, 'v4.19/tiny.json'),
      JSON.stringify({ ...list, cases: list.cases.map((c) => ({ ...c, reason: `about-${c.file}` })) }),
    );
    const changed = result.golden!.cases.map((c) => ({ ...c, difference: 'e'.repeat(12) }));
    const next = judged({ ...result, golden: { ...result.golden!, cases: changed } }, failing);
    expect(updateFailing(failing, [next])).toEqual({ written: 1, unexplained: 0 });
    expect(allFailing(failing)[0]!.cases.map((c) => c.reason)).toEqual(['about-core/core.c', 'about-kvm/run.c']);
    write(path.join(failing, 'reasons.json'), '{"about-kvm/run.c": "Words."}');
    const clean = judged({ ...result, golden: { ...result.golden!, equal: true, cases: [] } }, failing);
    expect(updateFailing(failing, [clean])).toEqual({ written: 0, unexplained: 0 });
    expect(allFailing(failing)).toEqual([]);
    expect(readFileSync(path.join(failing, 'reasons.json'), 'utf8')).toBe('{}\n');
  });
});

describe('the command', () => {
  const box = new Sandbox();
  afterAll(() => box.remove());
  const ci = (...args: string[]) =>
    box.kport(['ci', '--set', 'tiny', '--patches', kernels.patches, '--tree', kernels.repo, ...args]);

  it('says 0 when all is as expected, else 1, and writes a list when asked to', () => {
    expect(ci('--to', 'v4.19', '--golden', golden).status).toBe(0);
    const other = ['--to', 'v4.19', '--golden', path.join(kernels.dir, 'other')];
    const bad = ci(...other);
    expect(bad.status).toBe(1);
    expect(bad.stdout.split('\n').slice(0, 2)).toEqual([
      'set\ttarget\thunks\toutcomes\tchecks\tgolden\tdiffers\texpected\tseconds',
      expect.stringMatching(/^tiny\tv4\.19\t4\t4 applied\tpass\tno\t2\tno\t/),
    ]);
    expect(bad.stderr).toContain("'kvm/run.c': is 'applied', should be 'placed' as in the golden");
    expect(ci(...other, '--failing', 'known', '--update-failing').status).toBe(0);
    expect(ci(...other, '--failing', 'known').status).toBe(0);
    const json = ci(...other, '--failing', 'known', '--json');
    const document = JSON.parse(json.stdout) as unknown;
    // Equal, so no field of the document is unknown to the schema.
    expect(CiSchema.parse(document)).toEqual(document);
    expect(CiSchema.parse(document).rows).toMatchObject([{ expected: true }]);
  });

  it('calls a hunk that is left without a golden not expected', () => {
    const done = ci('--to', 'v4.19,v4.20');
    expect(done.status).toBe(1);
    expect(done.stderr).toContain('there is no golden that says so');
  });

  it('has all options that the example workflow gives it', () => {
    const workflow = readFileSync(path.join(__dirname, '../../docs/examples/port.yml'), 'utf8');
    const run = (parse(workflow) as Workflow).jobs.port.steps.map((s) => s.run ?? '').join('\n');
    const used = new Set(
      [...run.matchAll(/kport ci((?:\\\n|[^\n])*)/g)].flatMap(([, args]) => args!.match(/--[a-z-]+/g) ?? []),
    );
    expect(used.size).toBeGreaterThan(4);
    const help = box.kport(['ci', '--help']).stdout;
    for (const option of used) expect(help).toContain(`${option} `);
  });

  it('refuses what it cannot do before the long work', () => {
    expect(ci()).toMatchObject({ status: 2, stderr: expect.stringContaining("give '--set NAME --to V,V,…'") });
    expect(ci('--to', 'v9.9')).toMatchObject({ status: 2, stderr: expect.stringContaining("unknown revision 'v9.9'") });
    expect(ci('--to', 'v4.19', '--update-failing')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("give '--failing DIR'"),
    });
  });
});
