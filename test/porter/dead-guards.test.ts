import { lines, port } from './harness';

const C = 'arch/arm64/kvm/fault.c';
const K = 'arch/arm64/kvm/Kconfig';
const kconfig = lines('config KVM', '\tbool "KVM"');
const withOption = kconfig + lines('config OLD', '\tbool "old"');

const base = lines(
  'static int enter(struct vcpu *vcpu)',
  '{',
  '\tint ret;',
  '',
  '\tsave_host(vcpu);',
  '\tload_guest(vcpu, 1);',
  '\tdebug_guest(vcpu);',
  '\tret = arm_timer(vcpu);',
  '\tvgic_restore(vcpu);',
  '\treturn ret;',
  '}',
);
/** The set replaces two calls by one, under an option that only `options` can define, and adds a third for itself. */
const patched = base
  .replace('\tload_guest', '#ifndef CONFIG_OLD\n\tload_guest')
  .replace('\tdebug_guest(vcpu);\n', '\tdebug_guest(vcpu);\n#else\n\tload_guest(vcpu, 2);\n#endif\n')
  .replace('\tvgic_restore(vcpu);\n', '\tvgic_restore(vcpu);\n\town_work(vcpu);\n');

const run = async (there: string, options = kconfig) => {
  const { hunks, files } = await port({ [C]: base, [K]: options }, { [C]: patched }, { [C]: there, [K]: options });
  const hunk = hunks.find((h) => h.path === C)!;
  return { hunk, edits: hunk.edits.map((e) => e.outcome), text: files[C]! };
};

test('lines that upstream took apart are held each where it is, and the one that calls the same bears the replacement', async () => {
  const there = base
    .replace('\tload_guest(vcpu, 1);\n', '')
    .replace('\tsave_host(vcpu);\n', '\tload_guest(vcpu, 1);\n\tfresh(vcpu);\n\tsave_host(vcpu);\n');
  const { hunk, text } = await run(there);
  expect(hunk.outcome).toBe('rewritten');
  expect(text).toContain('#ifndef CONFIG_OLD\n\tload_guest(vcpu, 1);\n#else\n\tload_guest(vcpu, 2);\n#endif\n\tfresh');
  expect(text).toContain('#ifndef CONFIG_OLD\n\tdebug_guest(vcpu);\n#endif\n');
  expect(hunk.confidence).toBeLessThan(0.9);
  expect((await run(there, withOption)).hunk.outcome).toBe('conflict');
});

test('what upstream wrote anew between the same neighbours is held', async () => {
  const there = base.replace('\tload_guest(vcpu, 1);\n\tdebug_guest(vcpu);\n', '\tswitch_all(vcpu->guest);\n');
  const { edits, text } = await run(there);
  expect(edits).toEqual(['relocated', 'merged']);
  expect(text).toContain('#ifndef CONFIG_OLD\n\tswitch_all(vcpu->guest);\n#else\n\tload_guest(vcpu, 2);\n#endif\n');
  expect((await run(there, withOption)).edits[0]).toBe('conflict');
});

test('with nothing left to hold it is left out, and the other edits of the hunk speak for it', async () => {
  const there = base.replace('\tload_guest(vcpu, 1);\n\tdebug_guest(vcpu);\n', '');
  const { hunk, edits, text } = await run(there);
  expect(edits).toEqual(['obsolete', 'merged']);
  expect(hunk.outcome).toBe('merged');
  expect(hunk.message).toContain('no effect in the set itself');
  expect(text).toBe(there.replace('\tvgic_restore(vcpu);\n', '\tvgic_restore(vcpu);\n\town_work(vcpu);\n'));
  const live = await run(there, withOption);
  expect([live.hunk.outcome, live.edits[0]]).toEqual(['conflict', 'conflict']);
});

test('half of a statement is not held', async () => {
  const there = base
    .replace(
      '\tload_guest(vcpu, 1);\n\tdebug_guest(vcpu);\n',
      '\tif (vcpu->guest) {\n\t\tswitch_all(vcpu->guest);\n\t\tfresh(vcpu);\n',
    )
    .replace('\tvgic_restore(vcpu);\n', '\t}\n\tvgic_restore(vcpu);\n');
  const { text } = await run(there);
  expect(text).not.toContain('CONFIG_OLD');
});
