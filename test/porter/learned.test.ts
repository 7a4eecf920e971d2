import { lines, port, type Texts } from './harness';

const H = 'arch/arm64/include/asm/kvm_host.h';
const C = 'arch/arm64/kvm/switch.c';
const NEW = 'arch/arm64/kvm/el2_switch.c';
const types = (...fields: string[]) => lines('struct kvm_vcpu {', ...fields.map((f) => `\t${f};`), '};');
const run = (value: string) =>
  lines(
    'void run(struct kvm_vcpu *vcpu)',
    '{',
    '\tstruct ctxt *host;',
    '',
    `\thost = ${value};`,
    '\tenter(host);',
    '}',
  );
const own = (statement: string) => lines('void el2_run(struct kvm_vcpu *vcpu)', '{', `\t${statement}`, '}');

describe('a field that upstream took away', () => {
  const base: Texts = { [H]: types('struct ctxt *host_ctxt', 'u32 quirks'), [C]: run('hyp_va(vcpu->host_ctxt)') };
  const target: Texts = { [H]: types('u32 other'), [C]: run('&this_cpu(&host_data)->ctxt') };

  test("reads as upstream's own code has it", async () => {
    const { files, patches } = await port(base, { [NEW]: own('el2_enter(hyp_va(vcpu->host_ctxt), 1);') }, target);
    expect(files[NEW]).toContain('\tel2_enter(&this_cpu(&host_data)->ctxt, 1);\n');
    const [file] = patches[0]!.files;
    expect(file!.outcome).toBe('rewritten');
    expect(file!.message).toContain(
      "'hyp_va(vcpu->host_ctxt)' is '&this_cpu(&host_data)->ctxt' in upstream's own code",
    );
  });

  test("is never stored to where upstream's own code only reads it", async () => {
    const was = { ...base, [C]: run('hyp_va(vcpu->host_ctxt)').replace('}', '\tclear(vcpu);\n}') };
    const set = (statement: string) => ({
      [C]: was[C]!.replace('\tclear(vcpu);\n', `\tclear(vcpu);\n\t${statement}\n`),
    });
    const upstream = { [H]: types('u32 other'), [C]: run('hyp_va(ctxt_of(vcpu))').replace('}', '\tclear(vcpu);\n}') };
    for (const statement of ['vcpu->host_ctxt = NULL;', 'vcpu->host_ctxt++;', 'give(&vcpu->host_ctxt);']) {
      const { files, hunks } = await port(was, set(statement), upstream);
      expect(hunks[0]).toMatchObject({ outcome: 'conflict' });
      expect(hunks[0]!.message).toContain("it stores into 'vcpu->host_ctxt', which upstream took away and only reads");
      expect(files[C]).toBe(upstream[C]);
    }
    const { files } = await port(was, set('give(1 & vcpu->host_ctxt == 0);'), upstream);
    expect(files[C]).toContain('\tgive(1 & ctxt_of(vcpu) == 0);\n');
  });

  test('is a doubt where upstream goes by a register of software that the set goes by, too', async () => {
    const KVM = 'arch/arm64/include/asm/kvm_asm.h';
    const macro = lines('#define this_cpu(sym) ((void *)(sym) + read_sysreg(tpidr_el2))');
    const message = async (...more: string[]) => {
      const set = own(['el2_enter(hyp_va(vcpu->host_ctxt), 1);', ...more].join('\n\t'));
      const { patches } = await port(base, { [NEW]: set }, { ...target, [KVM]: macro });
      return patches[0]!.files[0]!.message!;
    };
    const goesBy = /goes by 'tpidr_el2', which the set goes by, too/;
    expect(await message('write_sysreg((u64)vcpu, tpidr_el2);')).toMatch(goesBy);
    expect(await message('/* as tpidr_el2 */', 'write_sysreg((u64)vcpu, tpidr_el1);')).not.toMatch(goesBy);
  });

  test('stays, and is said, where upstream says two things', async () => {
    const twice = base[C]! + run('hyp_va(vcpu->host_ctxt)').replace('void run', 'void rerun');
    const now = target[C]! + run('global_ctxt()').replace('void run', 'void rerun');
    const statement = 'el2_enter(hyp_va(vcpu->host_ctxt), 1);';
    const { files, patches } = await port({ ...base, [C]: twice }, { [NEW]: own(statement) }, { ...target, [C]: now });
    expect(files[NEW]).toBe(own(statement));
    expect(patches[0]!.files[0]!.message).toContain("'host_ctxt'");
  });

  test("stays where upstream's words need a local that the code does not have", async () => {
    const now = run('cpu->ctxt').replace(
      '\tstruct ctxt *host;',
      '\tstruct ctxt *host;\n\tstruct data *cpu = this_cpu();',
    );
    const statement = 'el2_enter(hyp_va(vcpu->host_ctxt), 1);';
    const { files } = await port(base, { [NEW]: own(statement) }, { ...target, [C]: now });
    expect(files[NEW]).toBe(own(statement));
  });

  test('is nothing to copy any more when it is a number for a field of the set', async () => {
    const H2 = 'arch/arm64/include/asm/el2.h';
    const { files, patches } = await port(
      base,
      { [H2]: lines('struct el2_vcpu {', '\tu32 el2_quirks;', '};'), [NEW]: own('shadow->el2_quirks = vcpu->quirks;') },
      target,
    );
    expect(files[NEW]).toContain('\tshadow->el2_quirks = 0;\n');
    const file = patches[0]!.files.find((f) => f.path === NEW)!;
    expect(file.message).toContain("copies the field 'quirks', which upstream removed: 0 stands for it");
  });
});

test('a local that was set once is written out where the target still has what it was set to', async () => {
  const set = (...body: string[]) => lines('static void set_off(u64 off)', '{', ...body.map((l) => `\t${l}`), '}');
  const before = ['u32 low = lower_32_bits(off);', 'call_hyp(set_off, low);'];
  const guarded = before.map((l, i) => (i ? `\n#ifndef CONFIG_SET\n\t${l}\n#else\n\tcall_core(OFF, low);\n#endif` : l));
  const patched = set(...guarded)
    .replace(/\t\n#/g, '#')
    .replace(/(#\w+[^\n]*)\n\t\n/g, '$1\n');
  const { files } = await port({ [C]: set(...before) }, { [C]: patched }, { [C]: set('call_hyp(set_off, off);') });
  expect(files[C]).toContain('call_core(OFF, lower_32_bits(off));');
});

test('a field is that of the struct in the header that the file includes', async () => {
  const D = 'drivers/iommu/first.c';
  const dev = (...fields: string[]) => lines('struct dev {', ...fields.map((f) => `\tu32 ${f};`), '};', '');
  const probe = (...body: string[]) => lines('void probe(struct dev *dev)', '{', ...body, '\tfinish(dev);', '}');
  const first = dev('options', 'banks') + probe('\tstart(dev);');
  const added = ['#ifdef CONFIG_SET', '\town_dev.options = dev->options;', '#endif'];
  const { files } = await port(
    { [D]: first, 'drivers/iommu/second.c': dev('options') },
    {
      [D]: first.replace('\tfinish', lines(...added) + '\tfinish'),
      'drivers/iommu/own.h': lines('struct own {', '\tu32 options;', '};'),
    },
    {
      [D]: '#include "first.h"\n\n' + probe('\tstart(dev);'),
      'drivers/iommu/first.h': dev('banks'),
      'drivers/iommu/second.c': '#include "second.h"\n',
      'drivers/iommu/second.h': dev('options'),
    },
  );
  expect(files[D]).toContain('\town_dev.options = 0;\n');
});
