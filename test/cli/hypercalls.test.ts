import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HypercallsSchema } from '../../src/report/schema/hypercalls';
import { Sandbox, type Repo } from '../support/sandbox';

const ROOT = path.join(__dirname, '../..');
const PATCHES = path.join(ROOT, 'patches');
const GOLDEN = path.join(ROOT, 'fixtures/golden');
const CC = 'aarch64-linux-gnu-gcc';

const box = new Sandbox();
let kernels: Repo;
beforeAll(() => {
  box.run('bash', [path.join(ROOT, 'fixtures/kernels/make.sh'), box.path('kernels')], { ok: [0] });
  kernels = box.open('kernels');
});
afterAll(() => box.remove());

const hypercalls = (...args: string[]) =>
  box.kport(['hypercalls', '--tree', kernels.dir, ...(args.includes('faulty') ? [] : ['--patches', PATCHES]), ...args]);
const documentOf = (text: string) => {
  const json = JSON.parse(text) as unknown;
  const parsed = HypercallsSchema.parse(json);
  // Equal, so no field of the report is unknown to the schema.
  expect(parsed).toEqual(json);
  return parsed;
};

let trees = 0;

/** A worktree of a fixture kernel with a bundled set: ported by hand, or on its base as it is. */
function withSet(set: string, version: string): string {
  const dir = box.path(`tree-${trees++}`);
  kernels.git(['worktree', 'add', '-q', '--detach', dir, version]);
  const golden = path.join(GOLDEN, version, `${set}.patch`);
  const patches = existsSync(golden)
    ? [golden]
    : readdirSync(path.join(PATCHES, set))
        .filter((f) => f.endsWith('.patch'))
        .sort()
        .map((f) => path.join(PATCHES, set, f));
  box.git(dir, ['apply', '--whitespace=nowarn', ...patches]);
  return dir;
}

describe('kport hypercalls --json', () => {
  it('is as its schema says, with the code and the differences', () => {
    const done = hypercalls(
      ...['--set', 'corevisor-4.18', '--to', 'v5.10', '--diff', 'corevisor-5.4'],
      ...['--emit', 'made', '--json'],
    );
    expect(done.status).toBe(0);
    const report = documentOf(done.stdout);
    expect(report.hypercalls.map((h) => h.number)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(report.hypercalls.filter((h) => h.stub !== null)).toHaveLength(7);
    expect(report.hypercalls.filter((h) => h.callSites.length > 0)).toHaveLength(3);
    expect(report.era!.kind).toBe('smccc');
    expect(report.findings).toEqual([]);
    expect(report.differences!.length).toBeGreaterThan(0);
    for (const f of report.generated!.files.filter((f) => f.kind === 'new'))
      expect(existsSync(box.path('made', f.path))).toBe(true);
    expect(existsSync(box.path('made/entries.patch'))).toBe(true);
  });

  it('is without what was not asked for', () => {
    const report = documentOf(hypercalls('--set', 'corevisor-5.4', '--json').stdout);
    expect(report).not.toHaveProperty('generated');
    expect(report).not.toHaveProperty('differences');
    expect(report.era!.kind).toBe('function-pointer');
  });

  it('does not take a report with another finding or era for one of its own', () => {
    const report = documentOf(hypercalls('--set', 'corevisor-5.4', '--json').stdout);
    const finding = { severity: 'error', hypercall: null, message: 'm', path: null, line: null, related: [] };
    for (const broken of [
      { ...report, schemaVersion: 2 },
      { ...report, era: { kind: 'telepathy', evidence: [] } },
      { ...report, findings: [{ ...finding, kind: 'bad-luck' }] },
    ])
      expect(HypercallsSchema.safeParse(broken).success).toBe(false);
  });
});

describe('a copy of a bundled set with a fault of each kind', () => {
  const VIRT = 'arch/arm64/include/asm/virt.h';
  const EL1 = 'arch/arm64/corevisor/el1.c';
  const TRAP = 'arch/arm64/corevisor/trap.c';

  /** What is done, what has to be found, and the text at which it has to be found. */
  const FAULTS: { kind: string; path: string; from: string; to: string; at?: [path: string, text: string] }[] = [
    {
      kind: 'duplicate-number',
      path: VIRT,
      from: '#define HVC_TLB_FLUSH\t\t10',
      to: '#define HVC_TLB_FLUSH\t\t9',
    },
    { kind: 'stub-range', path: VIRT, from: '#define HVC_SEAL\t\t4', to: '#define HVC_SEAL\t\t2' },
    {
      kind: 'smccc-number',
      path: VIRT,
      from: '#define HVC_TIMER_SET_CNTVOFF\t11',
      to: '#define HVC_TIMER_SET_CNTVOFF\t0xc6000001',
    },
    {
      kind: 'no-caller',
      path: EL1,
      from: 'if (corevisor_call(HVC_CLEAR_VM, kvm->arch.cv_vmid, 0))',
      to: 'if (!kvm->arch.cv_vmid)',
      at: [VIRT, '#define HVC_CLEAR_VM'],
    },
    {
      kind: 'not-dispatched',
      path: TRAP,
      from: '\tcase HVC_REGISTER_VCPU:\n\t\treturn cv_do_register_vcpu(a, kern_hyp_va((struct kvm_vcpu *)b));\n',
      to: '',
      at: ['arch/arm64/corevisor/vcpu.c', 'u64 __hyp_text cv_do_register_vcpu('],
    },
    {
      kind: 'dispatched-twice',
      path: TRAP,
      from: '\tcase HVC_SMMU_ATTACH:\n',
      to: '\tcase HVC_SEAL:\n\t\treturn CV_EDENIED;\n\tcase HVC_SMMU_ATTACH:\n',
      at: [TRAP, '\tcase HVC_SEAL:\n\t\treturn CV_EDENIED;'],
    },
    {
      kind: 'unknown-number',
      path: TRAP,
      from: '\tdefault:\n\t\tbreak;\n',
      to: '\tcase HVC_RESUME_VM:\n\t\treturn CV_OK;\n\tdefault:\n\t\tbreak;\n',
      at: [TRAP, '\tcase HVC_RESUME_VM:'],
    },
    {
      kind: 'argument-count',
      path: EL1,
      from: '(u64)kvm->arch.cv_vmid,\n\t\t\t     load, size)',
      to: '(u64)kvm->arch.cv_vmid,\n\t\t\t     load + size)',
      at: [EL1, 'int cv_set_boot_info('],
    },
    {
      kind: 'argument-type',
      path: 'arch/arm64/corevisor/smmu.c',
      from: 'cv_do_smmu_free(u32 smmu, u32 bank)',
      to: 'cv_do_smmu_free(u32 smmu, u16 bank)',
      at: [EL1, 'void cv_smmu_free('],
    },
    {
      kind: 'too-many-arguments',
      path: EL1,
      from: '(u64)smmu, (u64)bank,\n\t\t\t\t (u64)vmid)',
      to: '(u64)smmu, (u64)bank,\n\t\t\t\t (u64)vmid, 1, 2, 3, 4, 5)',
      at: [EL1, 'int cv_smmu_attach('],
    },
    {
      kind: 'raw-pointer',
      path: TRAP,
      from: 'kern_hyp_va(kern_hyp_va(vcpu)->kvm)',
      to: 'kern_hyp_va(vcpu->kvm)',
      at: [EL1, 'int cv_vcpu_run('],
    },
    {
      kind: 'lost-result',
      path: TRAP,
      from: '\t\treturn cv_do_register_vm(kern_hyp_va((struct kvm *)a));\n',
      to: '\t\tcv_do_register_vm(kern_hyp_va((struct kvm *)a));\n\t\tbreak;\n',
      at: [EL1, 'u64 vmid = corevisor_call(HVC_REGISTER_VM'],
    },
  ];

  it('has 12 findings, each at its place, and no other', () => {
    const dir = withSet('corevisor-4.18', 'v4.18');
    const texts = new Map<string, string>();
    const read = (p: string) => texts.get(p) ?? readFileSync(path.join(dir, p), 'latin1');
    expect(new Set(FAULTS.map((f) => f.kind)).size).toBe(12);
    for (const fault of FAULTS) {
      const parts = read(fault.path).split(fault.from);
      expect([fault.kind, parts.length]).toEqual([fault.kind, 2]);
      texts.set(fault.path, parts.join(fault.to));
    }
    for (const [p, text] of texts) writeFileSync(path.join(dir, p), text, 'latin1');
    box.git(dir, ['add', '-A']);
    box.git(dir, ['commit', '-q', '-m', 'A copy with faults']);
    const imported = box.kport(['import', 'faulty', '--repo', dir, '--range', 'v4.18..HEAD']);
    expect(imported.status).toBe(0);
    const done = hypercalls('--set', 'faulty', '--to', 'v5.10', '--json');
    expect(done.status).toBe(1);
    const found = documentOf(done.stdout).findings;
    const placeOf = (p: string, text: string) => `${p}:${read(p).slice(0, read(p).indexOf(text)).split('\n').length}`;
    const wanted = FAULTS.map((f) => `${f.kind} ${f.at ? placeOf(...f.at) : placeOf(f.path, f.to)}`);
    expect(found.map((f) => `${f.kind} ${f.path}:${f.line}`).sort()).toEqual(wanted.sort());
  });
});

const hasCompiler = box.run('sh', ['-c', `command -v ${CC}`]).status === 0;
if (!hasCompiler) process.stderr.write(`\n*** SKIPPED: no ${CC} here, so generated code was not compiled ***\n`);

(hasCompiler ? describe : describe.skip)('generated code of the bundled sets, compiled', () => {
  const FLAGS = [
    ...'-ffreestanding -nostdinc -Wall -Werror -O1 -fno-pic -fno-pie -DCONFIG_COREVISOR=1'.split(' '),
    ...['arch/arm64/include', 'arch/arm64/include/uapi', 'include/generated', 'include', 'include/uapi'].flatMap(
      (d) => ['-I', d],
    ),
    ...['-I', 'arch/arm64/kvm', '-I', 'arch/arm64/kvm/hyp/include', '-include', 'include/linux/kconfig.h'],
  ];
  const cases = [
    ...['v4.18', 'v5.8', 'v5.9', 'v5.10', 'v5.11'].map((v) => ['corevisor-4.18', v] as const),
    ...['v5.8', 'v5.9', 'v5.10', 'v5.11'].map((v) => ['corevisor-5.4', v] as const),
  ];

  it.each(cases)('%s on %s, without a warning', (set, version) => {
    const out = `made-${set}-${version}`;
    const done = hypercalls('--set', set, '--to', version, '--emit', out, '--json');
    expect(done.status).toBe(0);
    const made = documentOf(done.stdout).generated!.files.filter((f) => f.kind === 'new');
    expect(made.map((f) => f.what).sort()).toEqual(['dispatcher', 'header', 'stubs']);
    const tree = withSet(set, version);
    for (const f of made) {
      mkdirSync(path.dirname(path.join(tree, f.path)), { recursive: true });
      writeFileSync(path.join(tree, f.path), readFileSync(box.path(out, f.path)));
    }
    for (const f of made.filter((f) => f.path.endsWith('.c'))) {
      const nvhe = f.path.includes('/nvhe/') ? ['-D__KVM_NVHE_HYPERVISOR__'] : [];
      const compiled = box.run(CC, [...FLAGS, ...nvhe, '-c', '-o', box.path('made.o'), f.path], { cwd: tree });
      expect({ file: f.path, status: compiled.status, stderr: compiled.stderr }).toEqual({
        file: f.path,
        status: 0,
        stderr: '',
      });
    }
  });

  it('says so when it does not', () => {
    const tree = withSet('corevisor-5.4', 'v5.4');
    writeFileSync(path.join(tree, 'bad.c'), '#include <asm/corevisor_hypercalls.h>\n');
    expect(box.run(CC, [...FLAGS, '-c', '-o', box.path('made.o'), 'bad.c'], { cwd: tree }).status).not.toBe(0);
  });
});
