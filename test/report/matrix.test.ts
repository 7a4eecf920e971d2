import { inputError } from '../../src/core/errors';
import { portTarget } from '../../src/cli/matrix-worker';
import { matrixPage } from '../../src/report/matrix/html';
import { jobsFor, runMatrix, type MatrixRequest, type PortedTarget } from '../../src/report/matrix/run';
import { matrixOf, reasonOf } from '../../src/report/matrix/table';
import { MatrixSchema } from '../../src/report/schema/matrix';
import { tinyKernels, type TinyKernels } from './kernels';

let kernels: TinyKernels;
beforeAll(async () => {
  kernels = await tinyKernels();
});
afterAll(() => kernels.remove());

const portOne = (to: string) =>
  portTarget(
    {
      ...{ set: 'tiny', patchesDir: kernels.patches, tree: kernels.repo, to, baseTree: null, branch: null, out: null },
      ...{ force: false, only: [], markers: false, chronicle: true, dryRun: true },
    },
    true,
  );

function request(targets: string[], over: Partial<MatrixRequest> = {}): MatrixRequest {
  const kept = new Map<string, PortedTarget>();
  return {
    ...{ targets, jobs: 1, keyOf: async (to: string) => to, portOne, progress: () => undefined },
    cache: { get: (k) => kept.get(k) ?? null, put: (k, v) => void kept.set(k, v) },
    ...over,
  };
}

const SET = { name: 'tiny', base: { version: 'v4.18', commit: null } };

describe('the matrix', () => {
  it('says per file where it first breaks, by version and not by the order asked for', async () => {
    const report = matrixOf(SET, await runMatrix(request(['v4.20', 'v4.19'])), { jobs: 1, seconds: 1 });
    expect(MatrixSchema.parse(report)).toEqual(report);
    expect(report.targets.map((t) => [t.to, t.summary!.placed, t.summary!.hunks])).toEqual([
      ['v4.19', 4, 4],
      ['v4.20', expect.any(Number), 4],
    ]);
    const fault = report.files.find((f) => f.path === 'kvm/fault.c')!;
    expect(fault.placed).toEqual([1, 0]);
    expect(fault.breaks).toMatchObject({ at: 'v4.20', after: 'v4.19' });
    expect(reasonOf(fault.breaks!)).toContain('handle_fault');
    expect(report.files.find((f) => f.path === 'Kconfig')!.breaks).toBeNull();
  });

  it("counts the conflicts of git's own merge beside it", async () => {
    const [clean, hard] = await runMatrix(request(['v4.19', 'v4.20']));
    expect(clean!.row.git).toEqual({ regions: 0, files: 0, paths: [] });
    expect(hard!.row.git).toMatchObject({ files: 2, paths: ['kvm/fault.c', 'kvm/run.c'] });
    expect(hard!.row.git!.regions).toBeGreaterThanOrEqual(2);
  });

  it('goes on when one target fails, and puts that one last', async () => {
    const failing = request(['v9.9', 'v4.19'], {
      keyOf: async (to) => {
        if (to === 'v9.9') throw inputError("unknown revision 'v9.9'", "run 'git tag'");
        return to;
      },
    });
    const report = matrixOf(SET, await runMatrix(failing), { jobs: 2, seconds: 1 });
    expect(report.targets.map((t) => [t.to, t.error?.message ?? null])).toEqual([
      ['v4.19', null],
      ['v9.9', "unknown revision 'v9.9'"],
    ]);
    expect(MatrixSchema.safeParse(report).success).toBe(true);
  });

  it('takes finished targets from an earlier run', async () => {
    let ported = 0;
    const counted = request(['v4.19'], { portOne: (to) => (ported++, portOne(to)) });
    await runMatrix(counted);
    const [again] = await runMatrix(counted);
    expect(ported).toBe(1);
    expect(again!.row.cached).toBe(true);
  });

  it('runs no more at a time than memory and processors allow', () => {
    expect(jobsFor(14, { cpus: 8, freeMegabytes: 4600 })).toBe(3);
    expect(jobsFor(14, { cpus: 2, freeMegabytes: 64000 })).toBe(2);
    expect(jobsFor(14, { cpus: 8, freeMegabytes: 100 })).toBe(1);
  });

  it('makes a page that escapes what it is given and asks the network for nothing', async () => {
    const report = matrixOf(SET, await runMatrix(request(['v4.20'])), { jobs: 1, seconds: 1 });
    report.files[0]!.path = '<script>alert(1)</script>.c';
    const html = matrixPage(report);
    expect(html).not.toContain('<script>alert');
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
  });
});
