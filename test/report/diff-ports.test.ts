import { openTree } from '../../src/io/tree';
import { GitRepo } from '../../src/io/git';
import { Scratch } from '../../src/io/scratch';
import { loadSet } from '../../src/patch-set/patch-set';
import { rolesOf } from '../../src/porter/roles';
import { diffPorts } from '../../src/report/diff-ports/diff-ports';
import { firstSide, isTrivial, normal, placesOf } from '../../src/report/diff-ports/lines';
import { folderSide, overlaySide, parsePort, reportInFolder, revisionSide } from '../../src/report/diff-ports/sides';
import { DiffPortsSchema } from '../../src/report/schema/diff-ports';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tinyKernels, type TinyKernels } from './kernels';

let kernels: TinyKernels;
let repo: GitRepo;
beforeAll(async () => {
  kernels = await tinyKernels();
  await kernels.port('v4.19', 'kport/tiny');
  repo = (await GitRepo.open(kernels.repo))!;
});
afterAll(() => {
  repo.close();
  kernels.remove();
});

const side = (tip: string, base = 'v4.19') => revisionSide(repo, parsePort(tip), base);

async function compare(a: Awaited<ReturnType<typeof side>>, b: Awaited<ReturnType<typeof side>>) {
  const set = await loadSet(kernels.patches, 'tiny');
  const base = await openTree(kernels.repo, 'v4.18');
  return Scratch.use([repo], (scratch) => diffPorts(set, base, a, b, scratch, rolesOf(set.patches, base.paths())));
}

describe('diff-ports', () => {
  it('finds nothing between a port and itself', async () => {
    const report = await compare(await side('kport/tiny'), await side('kport/tiny'));
    expect(report.byVerdict).toMatchObject({ same: 4, elsewhere: 0, partly: 0, absent: 0, 'only-a': 0 });
    expect(report.agreement).toMatchObject({ extra: 0, precision: 1, conflictRegions: 0 });
    expect(report.agreement.added.hit).toBe(report.agreement.added.carried);
  });

  it("tells a person's port and kport's apart, hunk by hunk", async () => {
    const report = await compare(await side('kport/tiny'), await side('hand-4.19'));
    expect(DiffPortsSchema.parse(report)).toEqual(report);
    const verdicts = report.hunks.map((h) => [h.path, h.verdict]);
    expect(verdicts).toEqual([
      ['Kconfig', 'same'],
      ['kvm/fault.c', 'only-a'],
      ['kvm/run.c', 'same'],
      ['kvm/run.c', 'elsewhere'],
    ]);
    expect(report.lines.filter((l) => l.verdict === 'misplaced')).toMatchObject([
      {
        line: 'core_forget(v->id);',
        place: { path: 'kvm/run.c', definition: 'prepare' },
        found: { path: 'kvm/run.c', definition: 'stop_vcpu' },
      },
    ]);
  });

  it('calls a line absent when the first port lacks it', async () => {
    const report = await compare(await side('hand-4.19'), await side('kport/tiny'));
    expect(report.hunks.find((h) => h.path === 'kvm/fault.c')!.verdict).toBe('absent');
    expect(report.agreement.added.missing).toBeGreaterThan(0);
  });

  it('reads a folder of patches, and a folder of files laid over the base', async () => {
    const out = path.join(kernels.dir, 'out');
    await kernels.port('v4.19', null, { out, dryRun: false });
    const target = await openTree(kernels.repo, 'v4.19');
    const fromFolder = await Scratch.use([repo], (s) => folderSide(target, parsePort(out), reportInFolder(out)!, s));
    expect((await compare(fromFolder, await side('kport/tiny'))).byVerdict.same).toBe(4);

    const files = path.join(kernels.dir, 'files', 'kvm');
    mkdirSync(files, { recursive: true });
    writeFileSync(path.join(files, 'run.c'), kernels.git('show', 'hand-4.19:kvm/run.c'));
    const laid = await overlaySide(repo, parsePort(path.dirname(files)), 'v4.19');
    const report = await compare(laid, await side('hand-4.19'));
    expect(report.hunks.filter((h) => h.path === 'kvm/run.c').map((h) => h.verdict)).toEqual(['same', 'same']);
  });

  it('counts conflict regions and says which missing lines stand in one', async () => {
    const files = path.join(kernels.dir, 'conflict', 'kvm');
    mkdirSync(files, { recursive: true });
    const text = kernels.git('show', 'hand-4.19:kvm/run.c');
    const line = '\tret = core_enter_guest(v->id);\n';
    const marked = text.replace(line, `<<<<<<< ours\n\tret = x;\n=======\n${line}>>>>>>> theirs\n`);
    writeFileSync(path.join(files, 'run.c'), marked);
    const laid = await overlaySide(repo, parsePort(path.dirname(files)), 'v4.19');
    const report = await compare(laid, await side('hand-4.19'));
    expect(report.agreement.conflictRegions).toBe(1);
    expect(report.agreement.added.disputed).toBe(1);
  });
});

describe('the place of a line', () => {
  it('is the definition around it; an #if goes with the next, an #include with none', async () => {
    const text =
      '#include <a.h>\n\nint f(void)\n{\n#ifdef A\n\tx();\n#endif\n}\n\n#ifdef B\nstruct s {\n\tint a;\n};\n#endif\n#include <b.h>\n';
    expect(await placesOf('x.c', text)).toEqual([
      ...['', '', 'f', 'f', 'f', 'f', 'f', 'f', 'f'],
      ...['struct s', 'struct s', 'struct s', 'struct s', 'struct s', ''],
    ]);
  });

  it('is none for an #if around includes, and the outermost block in a linker script', async () => {
    const text = 'int a;\n#ifdef A\n#include <a.h>\n#endif\n#ifdef B\nint b;\n#endif\n';
    expect(await placesOf('x.c', text)).toEqual(['a', '', '', 'a', 'b', 'b', 'b']);
    const script = '#define X 1\nSECTIONS\n{\n\tstart = .;\n#ifdef A\n\tend = .;\n#endif\n}\nlast = .;\n';
    expect(await placesOf('x.lds.S', script)).toEqual(['X', ...Array<string>(7).fill('SECTIONS'), 'last']);
  });

  it('leaves out lines that tell nothing', () => {
    expect(['}', 'return 0;', '/* a', '#endif', '* a'].every((l) => isTrivial('x.c', l))).toBe(true);
    expect(['x = 1;', '#ifdef A'].some((l) => isTrivial('x.c', l))).toBe(false);
    expect(isTrivial('Makefile', '# a')).toBe(true);
    expect(normal('\ta  =\tb;\r\n')).toBe('a = b;');
  });

  it('reads a conflict region as its first side', () => {
    const text = 'a\n<<<<<<< x\nb\n||||||| base\nc\n=======\nd\n>>>>>>> y\ne\n';
    expect(firstSide(text)).toEqual({ text: 'a\nb\ne\n', left: ['c\n', 'd\n'], regions: 1 });
  });

  it('takes BASE..TIP apart, and leaves paths alone', () => {
    expect(parsePort('v5.4..hand')).toMatchObject({ base: 'v5.4', tip: 'hand' });
    expect(parsePort('../out')).toMatchObject({ base: null, tip: '../out' });
    expect(parsePort('v5.4.55..hand')).toMatchObject({ base: 'v5.4.55', tip: 'hand' });
  });
});
