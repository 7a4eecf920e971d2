import { ARM, base, edit, ENTRY, HOST, KVM_HOST, patched, VM, type Tree } from '../hypercall-gen/kestrel';
import { port, type Ported, type Texts } from './harness';

const ENTRY_S = 'arch/arm64/kvm/hyp/hyp-entry.S';
const KVM_ASM = 'arch/arm64/include/asm/kvm_asm.h';
const NVHE_MAKEFILE = 'arch/arm64/kvm/hyp/nvhe/Makefile';
const HYP_MAIN = 'arch/arm64/kvm/hyp/nvhe/hyp-main.c';
const IMAGE_VARS = 'arch/arm64/kernel/image-vars.h';
const OWN_MAKEFILE = 'arch/arm64/kestrel/Makefile';
const OWN_HEADER = 'arch/arm64/kestrel/kestrel.h';
const HVC_HEADER = 'arch/arm64/include/asm/kestrel_hvc.h';

/** The base with a test in its entry code that tells the host from a guest, and data that EL2 code uses. */
function kernel(): Tree {
  const tree = base();
  tree.set('arch/arm64/include/asm/sections.h', 'extern char _text[], _end[];\nextern u64 *boot_args;\n');
  edit(tree, ENTRY_S, 'el1_sync:\n', 'el1_sync:\n\tmrs\tx0, vttbr_el2\n\tcbnz\tx0, guest\n');
  edit(tree, KVM_HOST, '\n#endif\n', '\nint kvm_first(void);\nint kvm_last(void);\n\n#endif\n');
  return tree;
}

function set(): Tree {
  const tree = patched();
  for (const [path, text] of kernel()) if (!base().has(path) || path === KVM_HOST) tree.set(path, text);
  const call =
    '#ifdef CONFIG_KESTREL\n#define kestrel_call(nr, ...) __kvm_call_hyp((void *)(nr), ##__VA_ARGS__)\n#endif\n';
  edit(tree, KVM_HOST, 'int kvm_last(void);\n', `${call}int kvm_last(void);\n`);
  edit(
    tree,
    ENTRY_S,
    'el1_sync:\n',
    `el1_sync:
	mrs	x0, vttbr_el2
#ifdef CONFIG_KESTREL
	lsr	x0, x0, #48
#endif
	cbnz	x0, guest
`,
  );
  edit(tree, VM, '#include "kestrel.h"\n', '#include "kestrel.h"\n\nint kestrel_ready __kestrel_data;\n');
  edit(tree, VM, '#include "kestrel.h"\n', '#include "kestrel.h"\n\nint kestrel_depth = 1;\n');
  edit(tree, VM, 'drop(vmid);', 'drop(vmid, boot_args, _text);');
  edit(
    tree,
    OWN_HEADER,
    'struct kestrel_regs {',
    '#define __kestrel_data __section(.kestrel)\nextern int kestrel_depth;\nextern int kestrel_ready;\n\nstruct kestrel_regs {',
  );
  tree.set(
    HOST,
    `${tree.get(HOST)!}
/* Is kestrel_ready set? */
bool kestrel_is_ready(struct kestrel_host *host)
{
	return host->kestrel_ready || kestrel_ready;
}

bool kestrel_was_ready(bool early)
{
	bool kestrel_ready = early;

	return kestrel_ready;
}
`,
  );
  edit(tree, ARM, '#ifdef CONFIG_KESTREL\n\tret', '#ifdef CONFIG_KESTREL\n\tif (kestrel_ready)\n\t\tret');
  tree.set(OWN_MAKEFILE, 'obj-$(CONFIG_KESTREL) += host.o entry.o\nobj-$(CONFIG_KESTREL) += vm.o\n');
  return tree;
}

const NVHE: Texts = {
  'arch/arm64/include/asm/kvm_hyp.h': '/* nothing */\n',
  [KVM_ASM]: '#define kvm_nvhe_sym(sym) __kvm_nvhe_##sym\n',
  [NVHE_MAKEFILE]:
    'hyp-obj-y := switch.o tlb.o\nhyp-obj-y += ../entry.o\n\nobj-y := $(patsubst %.o,%.n.o,$(hyp-obj-y))\n',
  [IMAGE_VARS]: 'KVM_NVHE_ALIAS(panic);\nKVM_NVHE_ALIAS(_text);\n',
};

const SMCCC: Texts = {
  ...NVHE,
  [KVM_ASM]: `${NVHE[KVM_ASM]}#define __KVM_HOST_SMCCC_FUNC___kvm_hyp_init 0\n`,
  [KVM_HOST]: `#ifndef __ARM64_KVM_HOST_H__
#define __ARM64_KVM_HOST_H__

struct kvm_arch {
	u32 vmid;
};

#define kvm_call_hyp_nvhe(f, ...)					\\
	({								\\
		struct arm_smccc_res res;				\\
									\\
		arm_smccc_1_1_hvc(KVM_HOST_SMCCC_FUNC(f),		\\
				  ##__VA_ARGS__, &res);			\\
		res.a1;							\\
	})
#define kvm_call_hyp(f, ...) kvm_call_hyp_nvhe(f, ##__VA_ARGS__)

int kvm_first(void);
int kvm_last(void);

#endif
`,
  [ENTRY_S]: '\t.text\n\nel1_sync:\n\tcmp\tx0, #HVC_STUB_HCALL_NR\n\tb.hs\t1f\n\tbr\tx5\n1:\n\teret\n',
  [HYP_MAIN]: `#include <asm/kvm_asm.h>

static void handle_host_hcall(struct kvm_cpu_context *host_ctxt)
{
	switch (host_ctxt->regs.regs[0]) {
	default:
		host_ctxt->regs.regs[0] = SMCCC_RET_NOT_SUPPORTED;
		return;
	}
}
`,
};

const texts = (tree: Tree): Texts => Object.fromEntries(tree);
const portTo = (target: Texts, tree = set(), generate = true): Promise<Ported> =>
  port(texts(kernel()), texts(tree), target, [], { generate });

/** Outcome of each hunk, and of each new file, by path. */
function outcomes(ported: Ported): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const h of ported.hunks) (found[h.path] ??= []).push(h.outcome);
  for (const f of ported.patches[0]!.files) if (f.status === 'added') found[f.path] = [f.outcome];
  return found;
}

describe('generated parts of a port', () => {
  it('are none when the target calls EL2 as the base does', async () => {
    const done = await portTo({ 'arch/arm64/include/asm/virt.h': '#define HVC_STUB_HCALL_NR 3\n' });
    expect(Object.values(outcomes(done)).flat()).not.toContain('generated');
    expect(done.files[HOST]).toBe(set().get(HOST));
  });

  it('put EL2 code into an object of its own, with its data and what it borrows', async () => {
    const done = await portTo(NVHE);
    expect(done.files[NVHE_MAKEFILE]).toBe(
      NVHE[NVHE_MAKEFILE]!.replace(
        '../entry.o\n',
        '../entry.o\nhyp-obj-$(CONFIG_KESTREL) += ../../../kestrel/entry.o ../../../kestrel/vm.o\n',
      ),
    );
    expect(done.files[IMAGE_VARS]).toMatch(/#ifdef CONFIG_KESTREL\nKVM_NVHE_ALIAS\(boot_args\);\n#endif\n$/);
    expect(done.files[OWN_HEADER]).toContain('extern int kestrel_ready;\nextern int kvm_nvhe_sym(kestrel_ready);\n');
    expect(done.files[OWN_HEADER]).not.toContain('(kestrel_depth)');
    // In a file of the kernel it is for people to say which is meant.
    expect(done.files[ARM]).toContain('if (kestrel_ready)');
    expect(done.hunks.find((h) => h.path === ARM)!.message).toMatch(/'kvm_nvhe_sym\(kestrel_ready\)' may be meant/);
    // The data of EL2, and not a field, a local or a comment that has the name.
    expect(done.files[HOST]).toContain('/* Is kestrel_ready set? */');
    expect(done.files[HOST]).toContain('return host->kestrel_ready || kvm_nvhe_sym(kestrel_ready);');
    expect(done.files[HOST]).toContain('	bool kestrel_ready = early;\n\n	return kestrel_ready;\n');
    expect(done.files[VM]).toContain('\tkestrel_ready = 1;\n');
    // The calls go as they went.
    expect(done.files[HVC_HEADER]).toBeUndefined();
    expect(outcomes(done)).toMatchObject({
      [ENTRY_S]: ['applied'],
      [KVM_HOST]: ['applied'],
      [OWN_MAKEFILE]: ['generated'],
      [HOST]: ['generated'],
      [VM]: ['generated'],
    });
  });

  it('leave with the host what it names, and what that needs; the rest is EL2 alone', async () => {
    const tree = set();
    const file = (name: string, ...body: string[]) => {
      const text = ['#include "kestrel.h"', '', `void __hyp_text ${name}(void)`, '{', ...body, '}', ''].join('\n');
      tree.set(`arch/arm64/kestrel/${name}.c`, text);
    };
    file('alone', '\tnamed();');
    file('named', '\tneeded();');
    file('needed', '\tboot();');
    file('asked', '\tboot();');
    tree.set(HOST, `${tree.get(HOST)!}\n/* not alone() */\nvoid host_named(void)\n{\n\tnamed();\n}\n`);
    tree.set(
      OWN_MAKEFILE,
      'obj-$(CONFIG_KESTREL) += host.o entry.o alone.o\nobj-$(CONFIG_KESTREL) += vm.o\nobj-y += asked.o\nobj-y += needed.o named.o\n',
    );
    const { files, patches } = await portTo(NVHE, tree);
    expect(files[OWN_MAKEFILE]).toBe(
      'obj-$(CONFIG_KESTREL) += host.o entry.o\nobj-$(CONFIG_KESTREL) += vm.o\nobj-y += needed.o named.o\n',
    );
    for (const object of ['alone', 'named', 'needed', 'asked'])
      expect(files[NVHE_MAKEFILE]).toContain(`../../../kestrel/${object}.o`);
    const said = patches[0]!.files.find((f) => f.path === OWN_MAKEFILE)!;
    expect(said.message).toContain(`'named.o' ('${HOST}' names 'named')`);
    expect(said.message).not.toContain('alone.o');
    expect(said.evidence.map((e) => e.text).join('\n')).toContain("has them no more: 'alone.o', 'asked.o'");
  });

  it('leave the section to an object of which all code goes there', async () => {
    const lds = 'arch/arm64/kernel/vmlinux.lds.S';
    const before = { ...texts(kernel()), [lds]: 'SECTIONS\n{\n\t*(.hyp.text)\n}\n' };
    const tree = set();
    tree.set('arch/arm64/kestrel/loose.c', '#include "kestrel.h"\n\nvoid __hyp_text loose(void)\n{\n}\n');
    const rule = '\t$(OBJCOPY) --rename-section=.text=.hyp.text $< $@\n';
    const placed = { ...NVHE, [NVHE_MAKEFILE]: `${NVHE[NVHE_MAKEFILE]!}\n$(obj)/%.n.o: $(obj)/%.o\n${rule}` };
    const ported = async (target: Texts) => {
      const { files, patches } = await port(before, texts(tree), target, [], { generate: true });
      return { files, said: (path: string) => patches[0]!.files.find((f) => f.path === path)! };
    };
    const { files, said } = await ported(placed);
    expect(files[VM]).not.toContain('.hyp.text');
    expect(said(VM).evidence.map((e) => e.text)).toContain(
      `'${NVHE_MAKEFILE}' links it into an object of which all code goes to EL2's text`,
    );
    // No list names it: it is in no object for EL2, and its word says where it goes.
    expect(files['arch/arm64/kestrel/loose.c']).toContain('section__(".hyp.text")))');
    // Objects that go nowhere by themselves.
    expect((await ported(NVHE)).files[VM]).toContain('section__(".hyp.text")))');
    // A list that no place is found for makes no object.
    const unlisted = { ...placed, [NVHE_MAKEFILE]: placed[NVHE_MAKEFILE]!.replaceAll(/^(?:hyp-)?obj-y/gm, 'other-y') };
    expect((await ported(unlisted)).said(VM).message).toContain('no list of the nVHE object names it');
  });

  it('give to the object what the set lays out in the image, and not what it lays out for itself', async () => {
    const lds = 'arch/arm64/kernel/vmlinux.lds.S';
    const before = { ...texts(kernel()), [lds]: 'SECTIONS\n{\n\t_text = .;\n\t.data : { *(.data) }\n}\n' };
    const tree = set();
    edit(tree, VM, 'drop(vmid, boot_args, _text);', 'drop(vmid, boot_args, pool_start);');
    tree.set(lds, before[lds].replace('\t.data', '\tpool_start = .;\n\tpool_end = .;\n\t.data'));
    const done = await port(before, texts(tree), NVHE, [], { generate: true });
    expect(done.files[IMAGE_VARS]).toContain('KVM_NVHE_ALIAS(pool_start);\n');
    expect(done.files[IMAGE_VARS]).not.toContain('pool_end');
  });

  it("bring hypercalls to the set's own dispatcher where calls have SMCCC numbers", async () => {
    const done = await portTo(SMCCC);
    expect(done.files[HYP_MAIN]).toBe(
      SMCCC[HYP_MAIN]!.replace(
        '#include <asm/kvm_asm.h>\n',
        '#include <asm/kvm_asm.h>\n#ifdef CONFIG_KESTREL\n#include <asm/kestrel_hvc.h>\n#endif\n',
      )
        .replace(
          '{\n\tswitch',
          '{\n#ifdef CONFIG_KESTREL\n\tif (!handle_kestrel_hvc(host_ctxt))\n\t\thost_ctxt->regs.regs[0] = SMCCC_RET_NOT_SUPPORTED;\n#else\n\tswitch',
        )
        .replace('\t}\n}\n', '\t}\n#endif\n}\n'),
    );
    const entry = done.files[ENTRY]!;
    expect(entry).toContain('#include <asm/kestrel_hvc.h>');
    expect(entry).toContain('\tkestrel_host_call((struct kestrel_regs *)regs);\n\tregs[1] = regs[0];\n');
    expect(entry.match(/\tcase KESTREL_HVC_\w+:/g)).toHaveLength(12);
    expect(done.files[KVM_HOST]).toContain('#define kestrel_call(nr, ...) kestrel_hvc((nr), ##__VA_ARGS__)');
    expect(done.files[HVC_HEADER]).toContain('arm_smccc_1_1_hvc((u64)(nr),');
    // What the set knew of a way that is gone has nothing to do; nothing of it is left in the entry for guests.
    expect(done.files[ENTRY_S]).toBe(SMCCC[ENTRY_S]);
    const glue = done.hunks.filter((h) => h.path === ENTRY_S);
    expect(glue.map((h) => h.outcome)).toEqual(['generated']);
    expect(glue[0]!.edits.map((e) => e.outcome)).toEqual(['obsolete', 'generated']);
    const line = done.files[HYP_MAIN]!.split('\n').findIndex((l) => l.includes('handle_kestrel_hvc(')) + 1;
    expect(glue[0]!.target).toEqual([{ path: HYP_MAIN, definition: null, line }]);
    const said = glue[0]!.evidence.map((e) => e.text).join('\n');
    expect(said).toContain("'smccc', not 'function-pointer'");
    expect(said).toContain(`the call of 'kestrel_host_call' is generated, in C: '${HYP_MAIN}' makes it`);
    expect(outcomes(done)).toMatchObject({ [KVM_HOST]: ['generated'], [ENTRY]: ['generated'] });
    // No function of KVM can be called with the set, at home as here: nothing is left to say.
    expect(done.patches[0]!.files.find((f) => f.path === ENTRY)!.message).toBeNull();
    expect(said).not.toContain('does not answer');
  });

  it("leave KVM its calls where the set's entry code does, and say that nothing tells which", async () => {
    const tree = set();
    tree.set(ENTRY_S, kernel().get(ENTRY_S)!);
    edit(tree, ENTRY_S, '1:\n', '1:\n#ifdef CONFIG_KESTREL\n	mov	x0, sp\n	bl	kestrel_host_call\n	cbz	x0, 3f\n#endif\n');
    const done = await portTo(SMCCC, tree);
    expect(done.files[HYP_MAIN]).toContain('\tif (handle_kestrel_hvc(host_ctxt))\n\t\treturn;\n#endif\n\n\tswitch');
    const file = done.patches[0]!.files.find((f) => f.path === ENTRY)!;
    expect(file.message).toMatch(/KVM answers every number that is not the set's/);
  });

  it("name KVM's own calls that nobody answers any more, apart from those that nobody answered at home", async () => {
    const call = 'void forget(void)\n{\n	kvm_call_hyp(__kvm_forget, 1);\n}\n';
    const old = 'void fill(void)\n{\n	kvm_call_hyp(__kvm_fill);\n}\n';
    const out = '#ifndef CONFIG_KESTREL\nvoid drop(void)\n{\n	kvm_call_hyp(__kvm_drop);\n}\n#endif\n';
    const NEW = 'arch/arm64/kvm/forget.c';
    const OLD = 'arch/arm64/kvm/fill.c';
    const target = {
      ...SMCCC,
      [KVM_ASM]: `${SMCCC[KVM_ASM]}${['forget', 'fill', 'drop']
        .map((n, i) => `#define __KVM_HOST_SMCCC_FUNC___kvm_${n} ${i + 1}\n`)
        .join('')}`,
      [NEW]: `${call}${out}`,
      'arch/arm64/kvm/hyp/nvhe/forget.c': call,
    };
    const before = { ...texts(kernel()), [OLD]: old };
    const done = await port(before, texts(set()), target, [], { generate: true });
    const glue = done.hunks.find((h) => h.path === ENTRY_S)!;
    expect(glue.outcome).toBe('generated');
    expect(glue.message).toMatch(/^the target does not ask 'vttbr_el2' here/);
    expect(glue.message!.replace(/^[^;]*; /, '')).toBe(
      `with CONFIG_KESTREL the host makes calls of KVM that EL2 does not answer: '__kvm_forget' (${NEW}:3); ` +
        `with CONFIG_KESTREL EL2 does not answer, as in the set's own kernel: '__kvm_fill' (${OLD}:3)`,
    );
  });

  it('leave the call to people when the function that would make it cannot be found', async () => {
    const done = await portTo({ ...SMCCC, [HYP_MAIN]: '#include <asm/kvm_asm.h>\n' });
    const glue = done.hunks.find((h) => h.path === ENTRY_S)!;
    expect(glue.outcome).toBe('conflict');
    expect(glue.message).toContain(`no place for the call of 'kestrel_host_call' was found in '${HYP_MAIN}'`);
    expect(done.patches[0]!.rejects.map((r) => r.path)).toContain(ENTRY_S);
  });

  it('are not said to hold a number that assembly answers beside the call', async () => {
    const tree = set();
    edit(
      tree,
      'arch/arm64/include/asm/kestrel_call.h',
      '#define KESTREL_HVC_INSTALL',
      '#define KESTREL_HVC_VECTORS 5\n#define KESTREL_HVC_INSTALL',
    );
    edit(tree, ENTRY_S, '	kestrel_save_regs\n', '	cmp	x0, #KESTREL_HVC_VECTORS\n	b.eq	9f\n	kestrel_save_regs\n');
    const done = await portTo(SMCCC, tree);
    const glue = done.hunks.find((h) => h.path === ENTRY_S)!;
    expect(glue.outcome).toBe('conflict');
    expect(glue.message).toContain("assembly answers 'KESTREL_HVC_VECTORS' here");
  });

  it('keep the condition under which the host may name functions of EL2', async () => {
    const tree = set();
    tree.set(
      ENTRY,
      `#include "kestrel.h"

typedef u64 (*boot_fn)(u64);

u64 __hyp_text kestrel_host_call(u64 nr, u64 a, u64 b)
{
	switch (nr) {
	case KESTREL_HVC_INSTALL:
		kestrel_do_install();
		return 0;
	case KESTREL_HVC_VM_LOOKUP:
		return kestrel_do_lookup(a, b);
	default:
		break;
	}

	/* Still trusted */
	if (!kestrel_ready)
		return ((boot_fn)nr)(a);
	return -EPERM;
}
`,
    );
    const done = await portTo(SMCCC, tree);
    const entry = done.files[ENTRY]!;
    expect(entry).toContain('\t\tif (!kestrel_ready)\n\t\t\treturn false;\n');
    expect(entry).toContain('\tregs[1] = kestrel_host_call(regs[0], regs[1], regs[2]);\n');
    expect(entry).not.toContain('(boot_fn)nr');
    expect(entry).not.toContain('Still trusted');
    expect(entry).toContain('\t}\n\n\treturn -EPERM;\n}\n');
    expect(done.patches[0]!.files.find((f) => f.path === ENTRY)!.message).toBeNull();
  });

  it('leave to people what else the host comes along for', async () => {
    const tree = set();
    edit(
      tree,
      ENTRY_S,
      '	br	x5\n',
      `	br	x5
#ifdef CONFIG_KESTREL
	mrs	x1, vttbr_el2
	cbz	x1, fault
#endif
`,
    );
    edit(
      tree,
      ENTRY_S,
      '#endif\n	eret\n',
      '#endif\n	eret\n\n#ifdef CONFIG_KESTREL\nfault:\n	bl	kestrel_do_install\n	eret\n#endif\n',
    );
    const done = await portTo(SMCCC, tree);
    expect(done.files[ENTRY_S]).toBe(SMCCC[ENTRY_S]);
    const edits = done.hunks.filter((h) => h.path === ENTRY_S).flatMap((h) => h.edits.map((e) => e.outcome));
    expect(edits.sort()).toEqual(['conflict', 'conflict', 'generated', 'obsolete']);
  });

  it('say which functions and numbers the entry of the target has to take care of', async () => {
    const tree = set();
    edit(
      tree,
      ENTRY_S,
      '	.text\n',
      `	.text
#ifdef CONFIG_KESTREL
.macro take_fault
	mov	x0, sp
	bl	kestrel_do_install
.endm
#endif
`,
    );
    edit(
      tree,
      ENTRY_S,
      '	mrs	x0, vttbr_el2\n#ifdef CONFIG_KESTREL\n	lsr	x0, x0, #48\n#endif\n	cbnz	x0, guest\n',
      '#ifndef CONFIG_KESTREL\n	mrs	x0, vttbr_el2\n	cbnz	x0, guest\n#else\n	cbz	x0, 5f\n	take_fault\n5:\n#endif\n',
    );
    edit(
      tree,
      'arch/arm64/include/asm/kestrel_call.h',
      '#define KESTREL_HVC_INSTALL',
      '#define KESTREL_HVC_VECTORS 5\n#define KESTREL_HVC_INSTALL',
    );
    edit(
      tree,
      ENTRY_S,
      '	cmp	x0, #HVC_STUB_HCALL_NR\n',
      '	cmp	x0, #KESTREL_HVC_VECTORS\n	b.ne	2f\n	mrs	x0, vbar_el2\n	eret\n2:\n	cmp	x0, #HVC_STUB_HCALL_NR\n',
    );
    const done = await portTo(SMCCC, tree);
    const glue = done.hunks.filter((h) => h.path === ENTRY_S);
    const edits = glue.flatMap((h) => h.edits.map((e) => e.outcome));
    expect(edits.filter((o) => o === 'conflict')).toHaveLength(2);
    expect(edits.filter((o) => o === 'generated')).toHaveLength(1);
    // All that is left, though the message has room for one.
    const said = glue.flatMap((h) => h.evidence.map((e) => e.text));
    expect(said).toContain(
      `only guests come here in the target, which does not ask 'vttbr_el2': hosts come to '${HYP_MAIN}', which has to call 'kestrel_do_install'`,
    );
    expect(said).toContain(
      `assembly answers 'KESTREL_HVC_VECTORS' here, where only guests come in the target: '${HYP_MAIN}' has to`,
    );
    expect(done.files[ENTRY_S]).not.toContain('KESTREL_HVC_VECTORS');
  });

  it('can be switched off', async () => {
    const done = await portTo(SMCCC, set(), false);
    expect(Object.values(outcomes(done)).flat()).not.toContain('generated');
    expect(done.files[HYP_MAIN]).toBe(SMCCC[HYP_MAIN]);
    expect(done.files[HVC_HEADER]).toBeUndefined();
  });
});
