import { loadChronicle, mapSymbols, type SymbolMap } from '../../src/symbol-map';
import { parseRows } from '../../src/symbol-map/chronicle/rows';
import { respelt } from '../../src/symbol-map/operands';
import { kernel } from './kernels';

const OLD = 'virt/kvm/arm/run.c';
const NEW = 'arch/arm64/kvm/run.c';

const body = (reader: string, extra = '') =>
  `\tunsigned long a = ${reader}(vcpu);\n\n\tif (is_abort(a) && has_syndrome(vcpu))\n\t\treturn inject_abort(vcpu, a${extra});\n` +
  '\ttrace_exit(vcpu, a);\n\tupdate_state(&vcpu->state);\n\treturn finish_run(vcpu);\n';

async function maps(before: Record<string, string>, after: Record<string, string>, rules = ''): Promise<SymbolMap> {
  const [base, target] = [await kernel('4.18', before), await kernel('5.10', after)];
  return mapSymbols(base, target, { rules: parseRows(rules, '.kport/rules.yaml', true) });
}

const brief = (map: SymbolMap, name: string, path?: string) => {
  const entry = map.lookup(null, name, path)!;
  return [entry.status, ...entry.to.map((t) => `${t.kind} ${t.name} ${t.path}`)];
};

test('same, and gone', async () => {
  const map = await maps(
    { 'a.c': 'int stays(int a)\n{\n\treturn a;\n}\nint goes(void)\n{\n\treturn very_own(1);\n}\n' },
    { 'a.c': 'int stays(int a)\n{\n\treturn a + 1;\n}\n' },
  );
  expect(brief(map, 'stays')).toEqual(['same', 'function stays a.c']);
  expect(map.lookup('function', 'stays')!.confidence).toBeGreaterThan(0.95);
  expect(brief(map, 'goes')).toEqual(['removed']);
  expect(map.lookup(null, 'never_was')).toBeNull();
});

test('a file that moved takes its functions along, static ones too', async () => {
  const text = `static int helper(struct vcpu *vcpu)\n{\n${body('get_hsr')}}\n\nint run(struct vcpu *vcpu)\n{\n\treturn helper(vcpu);\n}\n`;
  const map = await maps(
    { [OLD]: text, 'other.c': 'static int helper(void)\n{\n\treturn 0;\n}\n' },
    { [NEW]: text, 'other.c': 'static int helper(void)\n{\n\treturn 0;\n}\n' },
  );
  expect(map.files(OLD).map((h) => h.path)).toEqual([NEW]);
  expect(brief(map, 'run')).toEqual(['moved', `function run ${NEW}`]);
  expect(brief(map, 'helper', OLD)).toEqual(['moved', `function helper ${NEW}`]);
  expect(brief(map, 'helper', 'other.c')).toEqual(['same', 'function helper other.c']);
});

test('a rename is seen in the code that uses it', async () => {
  const users = (reader: string) =>
    `int one(struct vcpu *vcpu)\n{\n${body(reader)}}\nint two(struct vcpu *vcpu)\n{\n\treturn ${reader}(vcpu) >> 4;\n}\n`;
  const map = await maps(
    { 'u.c': users('get_hsr'), 'a.h': 'static inline u32 get_hsr(struct vcpu *v)\n{\n\treturn v->fault.hsr;\n}\n' },
    { 'u.c': users('get_esr'), 'a.h': 'static inline u32 get_esr(struct vcpu *v)\n{\n\treturn v->fault.esr;\n}\n' },
  );
  const entry = map.lookup('function', 'get_hsr')!;
  expect(brief(map, 'get_hsr')).toEqual(['renamed', 'function get_esr a.h']);
  expect(entry.confidence).toBeGreaterThan(0.8);
  expect(entry.evidence.map((e) => e.kind)).toContain('substituted');
});

test('a rename without users is seen in the body', async () => {
  const map = await maps(
    { 'a.c': `int run_old_way(struct vcpu *vcpu)\n{\n${body('get_hsr')}}\n` },
    { 'a.c': `int run_vcpu(struct vcpu *vcpu)\n{\n${body('get_hsr', ', 1')}}\n` },
  );
  expect(brief(map, 'run_old_way')).toEqual(['renamed', 'function run_vcpu a.c']);
});

test('a split file has two functions of a name: one of them was called otherwise', async () => {
  const traps = (name: string, calls: string[]) =>
    `void ${name}(struct vcpu *vcpu)\n{\n${calls.map((c) => `\t${c}(vcpu);\n`).join('')}}\n`;
  const [common, bare] = [
    ['write_hcr', 'has_extension', 'save_serror', 'activate_host', 'choose_vectors'],
    ['write_cptr', 'set_trap_bits', 'sync_speculation', 'restore_sctlr', 'drop_tcr'],
  ];
  const before = { 'hyp/switch.c': traps('activate', common) + traps('activate_bare', bare) };
  const host = { 'hyp/host/switch.c': traps('activate', [...common, 'write_cpacr']) };
  const split = await maps(before, { ...host, 'hyp/bare/switch.c': traps('activate', [...bare, 'write_mdcr']) });
  expect(brief(split, 'activate_bare')).toEqual(['renamed', 'function activate hyp/bare/switch.c']);
  // The other one is the same function, only elsewhere.
  const copied = await maps(before, { ...host, 'hyp/bare/switch.c': traps('activate', common) });
  expect(copied.lookup(null, 'activate_bare')!.status).toBe('removed');
});

test('what one of two like drivers gave up is not what the other one still has', async () => {
  const driver = (name: string, options: string) =>
    `static int ${name}_probe(struct device *dev)\n{\n\treturn add_${name}(dev, read_${name}(dev));\n}\n` +
    `static void ${name}_remove(struct device *dev)\n{\n\tdrop_${name}(dev);\n\tfree_${name}(dev);\n}\n` +
    `static int common_reset(struct device *dev)\n{\n\treturn write_reset(dev);\n}\n${options}`;
  const options = (flag: string) => `static struct option options[] = {\n\t{ ${flag}, "x" },\n\t{ 0, NULL },\n};\n`;
  const flag = (name: string) => `#define ${name} (1 << 0)\n`;
  const map = await maps(
    { 'a.c': flag('OPT_A') + driver('a', options('OPT_A')), 'b.c': flag('OPT_B') + driver('b', options('OPT_B')) },
    { 'a/a.c': driver('a', ''), 'b/b.c': flag('OPT_B') + driver('b', options('OPT_B')) },
  );
  expect(brief(map, 'options', 'a.c')).toEqual(['removed']);
  expect(brief(map, 'options', 'b.c')).toEqual(['moved', 'variable options b/b.c']);
  expect(brief(map, 'OPT_A')).toEqual(['removed']);
});

test('signatures: an argument dropped, added, moved, of another type', async () => {
  const map = await maps(
    {
      'a.h':
        'int f(struct vcpu *vcpu, struct run *run, int a);\nint g(struct kvm *kvm);\nvoid h(int a, long b);\n#define m(a) a\n',
    },
    {
      'a.h':
        'int f(struct vcpu *vcpu, int a);\nint g(struct mmu *mmu, int level);\nvoid h(long b, int a);\n#define m(a, b) a\n',
    },
  );
  expect(map.lookup(null, 'f')).toMatchObject({
    status: 'resigned',
    changes: [{ kind: 'argument-dropped', index: 1, name: 'run', type: 'struct run *' }],
  });
  expect(map.lookup(null, 'g')!.changes).toMatchObject([
    { kind: 'argument-changed', index: 0, to: 0 },
    { kind: 'argument-added', to: 1, name: 'level' },
  ]);
  expect(map.lookup(null, 'h')!.changes).toMatchObject([{ kind: 'argument-moved', index: 1, to: 0, name: 'b' }]);
  expect(map.lookup(null, 'm')!.changes).toEqual([{ kind: 'argument-added', to: 1, name: 'b', type: '' }]);
});

test('one file becomes two, and a function in both', async () => {
  const flush = (type: string) =>
    `void flush(struct ${type} *x)\n{\n\tswitch_to(x);\n\tinvalidate_all(x->vmid);\n\tbarrier_all();\n}\n`;
  const rest = (name: string) => `int ${name}(void)\n{\n\treturn set_traps_${name}(1);\n}\n`;
  const map = await maps(
    { 'hyp/tlb.c': flush('kvm') + rest('only_nvhe') + rest('only_vhe') },
    { 'hyp/nvhe/tlb.c': flush('mmu') + rest('only_nvhe'), 'hyp/vhe/tlb.c': flush('mmu') + rest('only_vhe') },
  );
  expect(
    map
      .files('hyp/tlb.c')
      .map((h) => h.path)
      .sort(),
  ).toEqual(['hyp/nvhe/tlb.c', 'hyp/vhe/tlb.c']);
  const entry = map.lookup('function', 'flush')!;
  expect(entry.status).toBe('split');
  expect(entry.to.map((t) => t.path).sort()).toEqual(['hyp/nvhe/tlb.c', 'hyp/vhe/tlb.c']);
  expect(entry.changes).toMatchObject([{ kind: 'argument-changed', index: 0, to: 0 }]);
});

test('fields: of another type, behind another struct, with another name', async () => {
  const users = (f: string) =>
    `void u(struct arch *a)\n{\n\tprepare(a);\n\tuse(a->${f});\n\tfinish(a);\n}\nint v(struct arch *x)\n{\n\treturn x->${f} + 1;\n}\n`;
  const map = await maps(
    { 'a.h': 'struct arch {\n\tu32 vmid;\n\tint *last;\n\tint old_name;\n\tint end;\n};\n', 'u.c': users('old_name') },
    {
      'a.h':
        'struct mmu {\n\tint *last;\n};\nstruct arch {\n\tstruct vmid vmid;\n\tstruct mmu mmu;\n\tint new_name;\n\tint end;\n};\n',
      'u.c': users('new_name'),
    },
  );
  expect(map.lookup('field', 'arch.vmid')).toMatchObject({
    status: 'resigned',
    changes: [{ kind: 'type-changed', from: 'u32', into: 'struct vmid' }],
  });
  expect(map.lookup('field', 'last')).toMatchObject({
    status: 'moved',
    to: [{ kind: 'field', name: 'mmu.last', path: 'a.h' }],
    changes: [{ kind: 'path-changed', from: 'last', into: 'mmu.last' }],
  });
  expect(map.lookup('field', 'arch.old_name')).toMatchObject({ status: 'renamed', to: [{ name: 'arch.new_name' }] });
  expect(map.lookup('field', 'arch.end')!.status).toBe('same');
});

test('a macro that became an enumerator, and the other way round', async () => {
  const map = await maps(
    { 'a.h': '#define FIRST 0\nenum { SECOND };\n' },
    { 'a.h': 'enum { FIRST };\n#define SECOND 0\n' },
  );
  expect(brief(map, 'FIRST')).toEqual(['moved', 'enumerator FIRST a.h']);
  expect(brief(map, 'SECOND')).toEqual(['moved', 'macro SECOND a.h']);
});

test('a macro that its only user made a function of its own', async () => {
  const user = 'int fault(struct vcpu *vcpu)\n{\n\tset_entry(vcpu->table, 1);\n\treturn 0;\n}\n';
  const own = 'static inline void set_entry(u64 *p, u64 v)\n{\n\twrite_once(p, v);\n}\n';
  const map = await maps(
    { 'a.h': '#define set_entry(p, v) raw_set(p, v)\n', 'mmu.c': user },
    { 'a.h': '', 'mmu.c': own + user },
  );
  expect(brief(map, 'set_entry')).toEqual(['moved', 'function set_entry mmu.c']);
});

test('operands that are spelt by a rule', async () => {
  const save = (a: string, b: string) =>
    `void save(struct c *c)\n{\n\tc->a = read_el2(${a});\n\tc->b = read_el2(${b});\n}\n`;
  const map = await maps(
    { 'a.h': '#define read_el2(r) read_sysreg(r##_EL2)\n', 'a.c': save('elr', 'spsr') },
    { 'a.h': '#define read_el2(r) read_sysreg_s(r##_EL2)\n', 'a.c': save('SYS_ELR', 'SYS_SPSR') },
  );
  expect(map.lookup('macro', 'read_el2')).toMatchObject({
    status: 'resigned',
    changes: [{ kind: 'operand-spelling', index: 0, rule: { prefix: 'SYS_', upper: true, undone: false } }],
  });
});

test('operands that are spelt by a rule on the way to an older kernel', async () => {
  const save = (...operands: string[]) =>
    `void save(struct c *c)\n{\n${operands.map((o) => `\tc->of_${o.slice(-2).toLowerCase()} = read_el2(${o});\n`).join('')}}\n`;
  const old = { 'a.h': '#define read_el2(r) read_sysreg(r##_EL2)\n', 'a.c': save('elr', 'spsr') };
  const now = { 'a.h': '#define read_el2(r) read_sysreg_s(r##_EL2)\n', 'a.c': save('SYS_ELR', 'SYS_SPSR') };
  const rule = { prefix: 'SYS_', upper: true, undone: true };
  expect((await maps(now, old)).lookup('macro', 'read_el2')).toMatchObject({
    changes: [{ kind: 'operand-spelling', index: 0, rule }],
  });
  expect(respelt('SYS_FAR', rule)).toBe('far');
  expect(respelt('SYS_Far', rule)).toBeNull();
  expect(respelt('far', rule)).toBeNull();
  expect(respelt('far', { ...rule, undone: false })).toBe('SYS_FAR');
  expect(respelt('SYS_FAR', { ...rule, undone: false })).toBeNull();
  // One that keeps a prefix, or two that lose different ones, follow no rule.
  const mixed = { ...now, 'a.c': save('SYS_ELR', 'REG_SPSR') };
  expect((await maps(mixed, old)).lookup('macro', 'read_el2')?.changes).toEqual([]);
});

test('operands of calls that upstream made more of', async () => {
  const load = (...calls: [string, string][]) =>
    `void load(struct c *c)\n{\n${calls.map(([a, b]) => `\twrite_el1(c->regs[${a}], ${b});\n`).join('')}}\n`;
  const map = await maps(
    { 'a.h': '#define write_el1(v, r) write_sysreg(v, r##_EL1)\n', 'a.c': load(['FAR', 'far'], ['TCR', 'tcr']) },
    {
      'a.h': '#define write_el1(v, r) write_sysreg_s(v, r##_EL1)\n',
      'a.c': load(['FAR', 'SYS_FAR'], ['TCR', 'SYS_TCR'], ['TCR', 'SYS_TCR'], ['ESR', 'SYS_ESR']),
    },
  );
  expect(map.lookup('macro', 'write_el1')).toMatchObject({
    changes: [{ kind: 'operand-spelling', index: 1, rule: { prefix: 'SYS_', upper: true, undone: false } }],
  });
});

test('a rule of the user wins, one that does not hold is named', async () => {
  const row = (to: string) =>
    `- says: renamed\n  from: { paths: [a.c], symbol: f }\n  to: { paths: [a.c], symbol: ${to} }\n  note: own\n`;
  const files: [Record<string, string>, Record<string, string>] = [
    { 'a.c': 'int f(void);\n' },
    { 'a.c': 'int g(void);\nint h(void);\n' },
  ];
  const map = await maps(...files, row('h'));
  expect(map.lookup(null, 'f')).toMatchObject({ status: 'renamed', confidence: 1, to: [{ name: 'h' }] });
  const wrong = await maps(...files, row('nowhere'));
  wrong.lookup(null, 'f');
  expect(wrong.ignoredRows()).toEqual([{ id: '.kport/rules.yaml#1', reason: "'nowhere' is not in the target" }]);
});

test('what a rule names has its own changes, not those of what was inferred', async () => {
  const rule =
    '- {says: renamed, from: {paths: [a.h], symbol: TABLE_SIZE}, to: {paths: [a.h], symbol: size_of}, note: x}\n';
  const before = { 'a.h': '#define TABLE_SIZE (1 << (PHYS_SHIFT - DIR_SHIFT))\n' };
  const after = { 'a.h': '#define size_of(vm) bytes_in(phys_shift(vm), levels(vm))\n' };
  const map = await maps(before, after, rule);
  expect(map.lookup(null, 'TABLE_SIZE')).toMatchObject({
    status: 'renamed',
    to: [{ name: 'size_of' }],
    changes: [{ kind: 'became-callable', parameters: ['vm'] }],
  });
  expect(map.ignoredRows()).toEqual([]);
});

test('the chronicle reads, and bad rows are refused by name', () => {
  expect(loadChronicle().rows.length).toBeGreaterThan(150);
  expect(() => parseRows('- says: nothing\n  note: x\n', 'a.yaml', true)).toThrow(/'a.yaml' has a bad row 1/);
  expect(() => parseRows('- [', 'a.yaml', true)).toThrow(/is no YAML/);
});

test('a prototype goes where its function went', async () => {
  const text = (name: string) => `void ${name}(struct vcpu *vcpu)\n{\n${body('get_hsr')}}\n`;
  const map = await maps(
    { 'a.c': text('vcpu_free'), 'include/a.h': 'void vcpu_free(struct vcpu *vcpu);\nint other(void);\n' },
    { 'a.c': text('vcpu_put_away'), 'include/a.h': 'int other(void);\nvoid vcpu_put_away(struct vcpu *vcpu);\n' },
  );
  expect(brief(map, 'vcpu_free', 'include/a.h')).toEqual(['renamed', 'prototype vcpu_put_away include/a.h']);
});

test('a macro that became a field, a field that became a function', async () => {
  const users = (level: string, priv: string) =>
    [1, 2, 3]
      .map(
        (n) =>
          `int use${n}(struct data *d, struct dev *dev)\n{\n\tint lvl = ${level};\n\treturn walk(lvl, ${priv}, ${n});\n}\n`,
      )
      .join('');
  const map = await maps(
    {
      'a.c': `#define START_LVL(d) (MAX - (d)->levels)\nstruct data {\n\tint levels;\n};\nstruct spec {\n\tvoid *iommu_priv;\n};\n${users('START_LVL(d)', 'spec->iommu_priv')}`,
    },
    {
      'a.c': `struct data {\n\tint levels;\n\tint start_level;\n};\nstruct spec {\n};\nvoid *dev_iommu_priv_get(struct dev *dev)\n{\n\treturn dev->own;\n}\n${users('d->start_level', 'dev_iommu_priv_get(dev)')}`,
    },
  );
  expect(brief(map, 'START_LVL')).toEqual(['renamed', 'field data.start_level a.c']);
  expect(brief(map, 'spec.iommu_priv')).toEqual(['renamed', 'function dev_iommu_priv_get a.c']);
});

test('a pointer does not become a number that stands in its place', async () => {
  const use = (x: string) => `int use(struct dev *d)\n{\n\treturn first(d) + pick(${x}, 1);\n}\n`;
  const map = await maps(
    { 'a.c': `struct dev {\n\tvoid *cb_base;\n\tint id;\n};\n${use('d->cb_base')}` },
    { 'a.c': `struct dev {\n\tint id;\n\tint flags;\n\tint numpage;\n};\n${use('d->numpage')}` },
  );
  expect(brief(map, 'dev.cb_base')).toEqual(['removed']);
});

test('a field that went into a new struct of its first word', async () => {
  const map = await maps(
    { 'a.c': 'struct dev {\n\tu32 acme_id_base;\n\tint id;\n};\n' },
    { 'a.c': 'struct dev {\n\tint id;\n};\n', 'impl.c': 'struct acme_dev {\n\tstruct dev dev;\n\tu32 id_base;\n};\n' },
  );
  expect(brief(map, 'dev.acme_id_base')).toEqual(['renamed', 'field acme_dev.id_base impl.c']);
});

test('a name that its users gave up for a new one is split, wherever one of that name is left', async () => {
  const users = (call: string) =>
    [1, 2, 3, 4].map((n) => `void h${n}(struct vcpu *v)\n{\n\ttrace(${n});\n\t${call};\n}\n`).join('');
  const inline = (name: string, text: string) => `static inline void ${name}(struct vcpu *v)\n{\n\t${text};\n}\n`;
  const map = await maps(
    { 'h.c': users('skip_instr(v)'), 'e.h': inline('skip_instr', 'v->pc += 4') },
    {
      'h.c': users('incr_pc(v)'),
      'e.h': inline('incr_pc', 'v->flags |= INCR'),
      'hyp/adjust.h': inline('skip_instr', 'v->pc += 4'),
    },
  );
  expect(brief(map, 'skip_instr')).toEqual(['split', 'function incr_pc e.h', 'function skip_instr hyp/adjust.h']);
});

test('fields: of a struct that stands by itself now, of one that is gone, and beside one that was there', async () => {
  const use = (x: string) => `int use(struct sym *s)\n{\n\treturn first(s) + pick(${x}, 1);\n}\n`;
  const map = await maps(
    {
      'a.c': `struct cfg {\n\tstruct desc {\n\t\tu64 mair;\n\t} cd;\n};\nstruct decode {\n\tu64 rt;\n\tu64 written;\n};\nstruct sym {\n\tint loaded;\n\tint is_static;\n};\n${use('s->loaded')}`,
    },
    {
      'a.c': `struct desc {\n\tu64 mair;\n};\nstruct cfg {\n\tstruct desc cd;\n};\nstruct sym {\n\tint is_static;\n};\n${use('s->is_static')}`,
      'other.h': 'struct device {\n\tu64 rt;\n\tbool written;\n};\n',
    },
  );
  expect(brief(map, 'cfg.cd.mair')).toEqual(['moved', 'field desc.mair a.c']);
  expect(map.lookup(null, 'cfg.cd.mair')!.changes).toEqual([]);
  expect(brief(map, 'decode.rt')).toEqual(['removed']);
  expect(brief(map, 'decode.written')).toEqual(['removed']);
  expect(brief(map, 'sym.loaded')).toEqual(['removed']);
});
