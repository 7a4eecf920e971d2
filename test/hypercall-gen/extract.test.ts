import path from 'node:path';
import { extractHypercalls } from '../../src/hypercall-gen/extract';
import { checkTable } from '../../src/hypercall-gen/findings';
import { listSets, loadSet } from '../../src/patch-set/patch-set';
import { dispatchOf, stubOf } from '../../src/hypercall-gen/types';
import { ARM, base, edit, ENTRY, entryIfChain, entryTable, extracted, HEADER, HOST, patched, placeIn } from './kestrel';

const byName = async (tree = patched(), withBase = true) => {
  const { table, findings } = await extracted(tree, base(), withBase);
  return { table, findings, of: new Map(table.hypercalls.map((h) => [h.name.replace('KESTREL_HVC_', ''), h])) };
};

describe('extraction', () => {
  it('reads numbers, whatever way they are written', async () => {
    const { table } = await byName();
    expect(table.hypercalls.map((h) => [h.name, h.number])).toEqual([
      ['KESTREL_HVC_INSTALL', 8],
      ['KESTREL_HVC_RUN', 9],
      ['KESTREL_HVC_VM_CREATE', 10],
      ['KESTREL_HVC_VM_MAP', 11],
      ['KESTREL_HVC_VM_LOOKUP', 12],
      ['KESTREL_HVC_VM_DESTROY', 13],
    ]);
    expect(table.interface.option).toBe('CONFIG_KESTREL');
    expect(table.interface.header).toBe(HEADER);
    expect(table.interface.primitive).toBe('kestrel_call');
    expect(table.interface.folder).toBe('arch/arm64/kestrel');
    expect(table.hypercalls[2]!.group).toBe('virtual machines');
  });

  it('reads enumerators as numbers', async () => {
    const tree = patched();
    const text = tree.get(HEADER)!;
    tree.set(
      HEADER,
      text.replace(
        /#define KESTREL_HVC_INSTALL[^]*DESTROY 13\n/,
        `enum kestrel_calls {
	KESTREL_HVC_INSTALL = 8,
	KESTREL_HVC_RUN,
	KESTREL_HVC_VM_CREATE,
	KESTREL_HVC_VM_MAP,
	KESTREL_HVC_VM_LOOKUP,
	KESTREL_HVC_VM_DESTROY,
	KESTREL_HVC_MAX
};
`,
      ),
    );
    const { table } = await byName(tree);
    expect(table.hypercalls.map((h) => h.number)).toEqual([8, 9, 10, 11, 12, 13]);
    expect(table.interface.option).toBe('CONFIG_KESTREL');
  });

  it('tells stubs from direct calls', async () => {
    const { of } = await byName();
    expect([...of.values()].map((h) => h.stub)).toEqual([
      null,
      null,
      'kestrel_vm_create',
      'kestrel_vm_map',
      'kestrel_vm_lookup',
      'kestrel_vm_destroy',
    ]);
    expect(of.get('RUN')!.callSites).toEqual([
      {
        path: ARM,
        line: Number(placeIn(patched(), ARM, 'kestrel_call(').split(':')[1]),
        function: 'run_once',
        passes: ['vcpu->kvm->arch.vmid', 'vcpu->vcpu_id'],
        usesResult: true,
      },
    ]);
    // A callback that ignores its parameter only makes the call: no stub that anybody could call with arguments.
    expect(of.get('INSTALL')!.callSites.map((s) => s.function)).toEqual(['kestrel_install_cpu']);
  });

  it('reads what is passed, its types and what comes back', async () => {
    const { of } = await byName();
    expect(of.get('VM_MAP')).toMatchObject({
      args: [
        { name: 'vmid', type: 'u32' },
        { name: 'ipa', type: 'u64' },
        { name: 'pa', type: 'phys_addr_t' },
        { name: 'size', type: 'u64' },
      ],
      returns: 'int',
    });
    // The stub takes its parameter apart; what is passed has the type that the handler gives it.
    expect(stubOf(of.get('VM_DESTROY')!)).toMatchObject({
      parameters: [{ name: 'vcpu', type: 'struct kvm_vcpu *' }],
      passes: ['vcpu->kvm->arch.vmid'],
    });
    expect(of.get('VM_DESTROY')!.args).toEqual([{ name: 'vmid', type: 'u32' }]);
    expect(of.get('RUN')).toMatchObject({
      args: [
        { name: 'vmid', type: 'u32' },
        { name: 'vcpu_id', type: 'int' },
      ],
      returns: 'int',
    });
  });

  it.each([
    ['switch', null],
    ['if-chain', entryIfChain],
    ['table', entryTable],
  ] as const)('reads a dispatcher that is a %s', async (style, entry) => {
    const tree = patched();
    if (entry) tree.set(ENTRY, entry());
    const { table, of, findings } = await byName(tree);
    expect(findings).toEqual([]);
    expect(table.interface.dispatcher).toMatchObject({ name: 'kestrel_host_call', style });
    expect(table.interface.dispatcher!.calledFrom).toEqual([
      { path: 'arch/arm64/kvm/hyp/hyp-entry.S', line: 11, how: 'assembly' },
    ]);
    expect([...of.values()].map((h) => h.handler)).toEqual([
      'kestrel_do_install',
      'kestrel_do_run',
      'kestrel_do_create',
      'kestrel_do_map',
      'kestrel_do_lookup',
      'kestrel_do_destroy',
    ]);
    expect(dispatchOf(of.get('RUN')!)).toMatchObject({
      by: style,
      registers: [
        { register: 1, cast: 'u32' },
        { register: 2, cast: 'int' },
      ],
      result: 'handler',
    });
    expect(dispatchOf(of.get('VM_DESTROY')!)!.result).toBe('none');
    expect(dispatchOf(of.get('VM_MAP')!)!.registers.map((r) => r.register)).toEqual([1, 2, 3, 4]);
  });

  it('keeps what the dispatcher does for every call, and for none of its own', async () => {
    const { table } = await byName();
    expect(table.interface.dispatcher).toMatchObject({
      frame: { name: 'host', type: 'struct kestrel_regs *', registers: 31 },
      preamble: ['kestrel_note_regs((u64)host);'],
      unknown: ['kestrel_panic(nr);'],
      declarations: ['void kestrel_note_regs(u64 where);', 'void kestrel_panic(u64 nr);'],
    });
  });

  it('follows inline stubs, macros and a wrapper that executes hvc itself', async () => {
    const tree = patched();
    edit(tree, HOST, 'phys_addr_t kestrel_vm_lookup', 'static inline phys_addr_t kestrel_vm_lookup');
    edit(
      tree,
      HOST,
      `void kestrel_vm_destroy(struct kvm_vcpu *vcpu)
{
	kestrel_call(KESTREL_HVC_VM_DESTROY, vcpu->kvm->arch.vmid);
}
`,
      `#define kestrel_vm_destroy(vmid) \\
	kestrel_call(KESTREL_HVC_VM_DESTROY, vmid)
`,
    );
    edit(
      tree,
      HOST,
      'int kestrel_vm_create',
      `u64 kestrel_raw(u64 nr, u64 a, u64 b)
{
	register u64 x0 asm("x0") = nr;
	register u64 x1 asm("x1") = a;
	register u64 x2 asm("x2") = b;

	asm volatile("hvc #0" : "+r" (x0) : "r" (x1), "r" (x2) : "memory");
	return x0;
}

int kestrel_vm_create`,
    );
    edit(
      tree,
      HOST,
      'kestrel_call(KESTREL_HVC_VM_CREATE, pages, flags)',
      'kestrel_raw(KESTREL_HVC_VM_CREATE, pages, flags)',
    );
    const { of } = await byName(tree);
    expect(of.get('VM_LOOKUP')!.stubDetail!.style).toBe('static-inline');
    expect(of.get('VM_DESTROY')!).toMatchObject({ stub: 'kestrel_vm_destroy', stubDetail: { style: 'macro' } });
    expect(of.get('VM_CREATE')!).toMatchObject({
      stub: 'kestrel_vm_create',
      args: [{ name: 'pages' }, { name: 'flags' }],
    });
  });

  it('keeps what a stub makes of the answer, and drops zeros that only fill a wrapper up', async () => {
    const tree = patched();
    edit(
      tree,
      HOST,
      'int kestrel_vm_create(u32 pages, unsigned long flags)\n{\n	return kestrel_call(KESTREL_HVC_VM_CREATE, pages, flags);',
      `u64 kestrel_three(u64 nr, u64 a, u64 b, u64 c)
{
	return __kvm_call_hyp((void *)nr, a, b, c);
}

int kestrel_vm_create(u32 pages, unsigned long flags)
{
	u64 made;

	made = kestrel_three(KESTREL_HVC_VM_CREATE, (u64)pages, flags, 0);
	return made ? 0 : -ENOMEM;`,
    );
    edit(
      tree,
      HOST,
      'return kestrel_call((void *)KESTREL_HVC_VM_MAP, vmid, ipa,\n			    pa, size);',
      'return kestrel_call(KESTREL_HVC_VM_MAP, vmid, ipa, pa, size) ? -EINVAL : 0;',
    );
    const { of } = await byName(tree);
    expect(of.get('VM_CREATE')).toMatchObject({
      stub: 'kestrel_vm_create',
      stubDetail: { passes: ['(u64)pages', 'flags'], answer: 'ret ? 0 : -ENOMEM' },
      args: [
        { name: 'pages', type: 'u32' },
        { name: 'flags', type: 'unsigned long' },
      ],
    });
    expect(stubOf(of.get('VM_MAP')!)!.answer).toBe('ret ? -EINVAL : 0');
  });

  it('reads a dispatcher that gets the registers as arguments, and macros that it calls', async () => {
    const tree = patched();
    tree.set(
      ENTRY,
      `#define KESTREL_OK 0

u64 __hyp_text kestrel_host_call(u64 nr, u64 a, u64 b, u64 c, u64 d)
{
	switch (nr) {
	case KESTREL_HVC_INSTALL:
		write_sysreg(a, some_el2);
		return KESTREL_OK;
	case KESTREL_HVC_RUN:
		return kestrel_do_run(a, b);
	case KESTREL_HVC_VM_CREATE:
		return kestrel_do_create(a, b);
	case KESTREL_HVC_VM_MAP:
		return kestrel_do_map(a, b, c, d);
	case KESTREL_HVC_VM_LOOKUP:
		return kestrel_do_lookup(a, b);
	case KESTREL_HVC_VM_DESTROY:
		kestrel_do_destroy(a);
		return KESTREL_OK;
	default:
		break;
	}

	if (booting)
		return boot_call(nr, a);
	return -1;
}
`,
    );
    const { table, of } = await byName(tree);
    expect(table.interface.dispatcher).toMatchObject({
      frame: null,
      numberName: 'nr',
      rest: { path: ENTRY, line: Number(placeIn(tree, ENTRY, 'if (booting)').split(':')[1]) },
    });
    expect(of.get('INSTALL')).toMatchObject({
      handler: 'write_sysreg',
      handlerDetail: { macro: true },
      dispatch: { registers: [{ register: 1 }, { register: null, value: 'some_el2' }], result: 'constant', value: '0' },
    });
    expect(of.get('VM_MAP')!.dispatch!.registers.map((r) => r.register)).toEqual([1, 2, 3, 4]);
  });

  it('inlines what a stub keeps in a local', async () => {
    const tree = patched();
    edit(
      tree,
      HOST,
      `	return kestrel_call(KESTREL_HVC_VM_LOOKUP, vmid, ipa);
`,
      `	u64 page = ipa & PAGE_MASK;

	return kestrel_call(KESTREL_HVC_VM_LOOKUP, vmid, page);
`,
    );
    const { of } = await byName(tree);
    expect(stubOf(of.get('VM_LOOKUP')!)!.passes).toEqual(['vmid', 'ipa & PAGE_MASK']);
  });

  it('lists numbers that only assembly uses apart', async () => {
    const tree = patched();
    edit(tree, HEADER, '/* virtual machines */', '#define KESTREL_HVC_VECTORS 20\n/* virtual machines */');
    edit(tree, 'arch/arm64/kvm/hyp/hyp-entry.S', '1:\n', '	cmp	x0, #KESTREL_HVC_VECTORS\n1:\n');
    const { table } = await byName(tree);
    expect(table.asmCalls).toMatchObject([{ name: 'KESTREL_HVC_VECTORS', number: 20 }]);
    expect(table.hypercalls).toHaveLength(6);
  });

  it('reads the patches alone when there is no base', async () => {
    const withBase = await extracted(patched());
    const without = await extracted(patched(), base(), false);
    expect(without.notes.join()).toMatch(/without the base tree/);
    expect(without.table.hypercalls.map((h) => [h.name, h.number, h.stub, h.args])).toEqual(
      withBase.table.hypercalls.map((h) => [h.name, h.number, h.stub, h.args]),
    );
    expect(without.table.hypercalls[1]!.callSites[0]).toMatchObject({
      path: ARM,
      line: withBase.table.hypercalls[1]!.callSites[0]!.line,
    });
  });

  it('refuses a base that the set was not made for', async () => {
    const other = base();
    edit(other, ARM, 'preempt_disable', 'local_irq_disable');
    const files = await import('../../src/hypercall-gen/source');
    const { setOf } = await import('./kestrel');
    await expect(files.patchedFiles(setOf(base(), patched()), async (p) => other.get(p) ?? null)).rejects.toThrow(
      /does not fit the base tree/,
    );
  });
});

describe('a set for kernels with SMCCC numbers', () => {
  it('reads function numbers, call macros and a table of them', async () => {
    const asm = 'arch/arm64/include/asm/kvm_asm.h';
    const main = 'arch/arm64/kvm/hyp/nvhe/hyp-main.c';
    const before = new Map([
      [asm, '#define __KVM_HOST_SMCCC_FUNC___kvm_vcpu_run 1\n\nextern int __kvm_vcpu_run(struct kvm_vcpu *vcpu);\n'],
      [
        main,
        `static void handle___kvm_vcpu_run(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(struct kvm_vcpu *, vcpu, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __kvm_vcpu_run(kern_hyp_va(vcpu));
}

typedef void (*hcall_t)(struct kvm_cpu_context *);

#define HANDLE_FUNC(x) [__KVM_HOST_SMCCC_FUNC_##x] = (hcall_t)handle_##x

static const hcall_t host_hcall[] = {
	HANDLE_FUNC(__kvm_vcpu_run),
};
`,
      ],
    ]);
    const after = new Map(before);
    edit(
      after,
      asm,
      'run 1\n',
      'run 1\n#define __KVM_HOST_SMCCC_FUNC_kestrel_map 2\n#define __KVM_HOST_SMCCC_FUNC_kestrel_drop 3\n',
    );
    edit(
      after,
      main,
      'typedef',
      `static void handle_kestrel_map(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(struct kvm *, kvm, host_ctxt, 1);
	DECLARE_REG(u64, ipa, host_ctxt, 2);

	cpu_reg(host_ctxt, 1) = kestrel_map(kern_hyp_va(kvm), ipa);
}

static void handle_kestrel_drop(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u32, vmid, host_ctxt, 1);

	kestrel_drop(vmid);
}

typedef`,
    );
    edit(after, main, '(__kvm_vcpu_run),', '(__kvm_vcpu_run),\n	HANDLE_FUNC(kestrel_map),\n	HANDLE_FUNC(kestrel_drop),');
    after.set(
      'arch/arm64/kvm/kestrel.c',
      `int kestrel_host_map(struct kvm *kvm, u64 ipa)
{
	return kvm_call_hyp_nvhe(kestrel_map, kvm, ipa);
}

void kestrel_host_drop(u32 vmid)
{
	kvm_call_hyp_nvhe(kestrel_drop, vmid);
}
`,
    );
    after.set(
      'arch/arm64/kvm/hyp/nvhe/kestrel.c',
      'int kestrel_map(struct kvm *kvm, u64 ipa)\n{\n	return 0;\n}\n\nvoid kestrel_drop(u32 vmid)\n{\n	drop(vmid);\n}\n',
    );
    const { table, findings } = await extracted(after, before);
    expect(findings).toEqual([]);
    expect(table.hypercalls.map((h) => [h.name, h.number, h.stub, h.handler, h.dispatch?.by])).toEqual([
      ['__KVM_HOST_SMCCC_FUNC_kestrel_map', 2, 'kestrel_host_map', 'kestrel_map', 'table'],
      ['__KVM_HOST_SMCCC_FUNC_kestrel_drop', 3, 'kestrel_host_drop', 'kestrel_drop', 'table'],
    ]);
    expect(table.hypercalls[0]!.dispatch).toMatchObject({
      registers: [{ register: 1, conversion: 'kern_hyp_va' }, { register: 2 }],
      result: 'handler',
    });
  });
});

describe('the sets that come with kport', () => {
  const patches = path.join(__dirname, '../../patches');

  it.each(listSets(patches))('%s has no inconsistent call', async (name) => {
    const set = await loadSet(patches, name);
    const { table, findings } = await extractHypercalls(set, null);
    expect(table.hypercalls.length).toBeGreaterThan(5);
    expect(table.interface.dispatcher).not.toBeNull();
    expect(table.hypercalls.filter((h) => h.handler === null || (h.stub === null && h.callSites.length === 0))).toEqual(
      [],
    );
    expect([...findings, ...checkTable(table, null)].filter((f) => f.severity !== 'info')).toEqual([]);
  });
});
