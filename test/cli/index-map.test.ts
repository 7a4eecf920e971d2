import { IndexSchema } from '../../src/report/schema/kernel-index';
import { MapSchema } from '../../src/report/schema/map';
import { edited, kernelRepo, littleKernel } from '../support/kernel';
import { Sandbox } from '../support/sandbox';

let box: Sandbox;
beforeAll(() => {
  box = new Sandbox();
  const linux = kernelRepo(box, 'linux', 'v4.18', {
    'arch/arm64/kvm/bad.c': 'int f(void)\n{\n\treturn +;\n}\nint g(void);\n',
    'drivers/elf.c': '\x7fELF\0\0int h(void);\n',
  });
  const { 'arch/arm64/kvm/mmu.c': mmu, ...rest } = littleKernel('v5.4');
  const [old, now] = ['int kvm_arch_exit(struct kvm_vcpu *vcpu, int arg)', 'int kvm_arch_exit(struct kvm_vcpu *vcpu)'];
  linux.git(['rm', '-q', 'arch/arm64/kvm/mmu.c']);
  linux.commit('Linux 5.4\n', {
    ...rest,
    'arch/arm64/kvm/pgtable.c': mmu!,
    'arch/arm64/kvm/arm.c': edited(rest['arch/arm64/kvm/arm.c'], old, now),
  });
  linux.tag('v5.4');
});
afterAll(() => box.remove());

/** Standard output of a command that prints a document. */
function json(...args: string[]): unknown {
  const done = box.kport([...args, '--tree', 'linux', '--json']);
  expect(done).toMatchObject({ status: 0, stderr: '' });
  return JSON.parse(done.stdout);
}

/** Equal after parsing: no field is unknown to the schema. */
function holds<T>(schema: { parse(data: unknown): T }, document: unknown): T {
  const parsed = schema.parse(document);
  expect(parsed).toEqual(document);
  return parsed;
}

describe('kport index --json', () => {
  test('cold, warm, and what the grammar says', () => {
    const cold = holds(IndexSchema, json('index', 'v4.18'));
    const warm = holds(IndexSchema, json('index', 'v4.18'));
    expect(cold.stats).toMatchObject({ cached: 0, damaged: 0 });
    expect(warm.stats).toMatchObject({ files: cold.stats.files, definitions: cold.stats.definitions, damaged: 0 });
    expect(warm.stats.cached).toBeGreaterThan(cold.stats.files / 2);
    const kvm = warm.folders.find((f) => f.folder === 'arch/arm64/kvm')!;
    expect(kvm).toMatchObject({ filesBad: 1, filesBadRaw: null });
    expect(warm.folders).toEqual(cold.folders);
  });

  test('a whole tree names its folders and what it could not read', () => {
    const whole = holds(IndexSchema, json('index', 'v4.18', '--scope', 'tree', '--raw'));
    expect(whole.folders.map((f) => f.folder)).toContain('drivers');
    expect(whole.folders.find((f) => f.folder === 'arch/arm64/kvm')).toMatchObject({ filesBad: 1, filesBadRaw: 1 });
    expect(whole.troubled).toEqual([{ path: 'drivers/elf.c', trouble: 'binary: not indexed' }]);
  });
});

describe('kport map --json', () => {
  const between = ['--from', 'v4.18', '--to', 'v5.4'];

  test('a symbol', () => {
    const map = holds(MapSchema, json('map', 'kvm_arch_exit', ...between));
    expect(map).toMatchObject({
      entry: { status: 'resigned', changes: [{ kind: 'argument-dropped', index: 1, name: 'arg', type: 'int' }] },
    });
    expect(holds(MapSchema, json('map', 'stage2_map', ...between))).toMatchObject({
      entry: { status: 'moved', to: [{ path: 'arch/arm64/kvm/pgtable.c' }] },
    });
  });

  test('a path', () => {
    expect(holds(MapSchema, json('map', 'arch/arm64/kvm/mmu.c', ...between))).toMatchObject({
      heirs: [{ path: 'arch/arm64/kvm/pgtable.c' }],
    });
  });

  test('no such symbol', () => {
    const done = box.kport(['map', 'no_such_thing', '--tree', 'linux', ...between, '--json']);
    expect(done).toMatchObject({ status: 2, stdout: '' });
    expect(done.stderr).toContain("error: no symbol 'no_such_thing' in v4.18\nhint: ");
  });
});
