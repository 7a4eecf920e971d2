import { base as kestrelBase, edit, patched as kestrelSet, type Tree } from '../hypercall-gen/kestrel';
import { addObjects } from '../../src/hypercall-gen/entries';
import { lines, port, type Texts } from './harness';

const HYP = 'arch/arm64/kvm/hyp/';
const [MAKEFILE, NVHE, VHE] = [`${HYP}Makefile`, `${HYP}nvhe/Makefile`, `${HYP}vhe/Makefile`];
const part = (name: string, ...body: string[]) =>
  lines(`int ${name}(struct kvm_vcpu *vcpu)`, '{', ...body.map((l) => `\t${l}`), '}');
const FOR_EL2 = part('switch_guest', 'load_state(vcpu);', 'write_traps(vcpu, TRAP_ALL);', 'return enter_guest(vcpu);');
const FOR_HOST = part('switch_at_host', 'keep_state(vcpu);', 'set_vectors(vcpu);', 'return run_guest(vcpu);');
const entries = (...list: string[]) => list.map((o) => `obj-$(CONFIG_KVM_HOST) += ${o}\n`).join('');
const CONDITION = (own: string, theirs: string, variable = 'obj-$(CONFIG_KVM_HOST)') =>
  lines('ifeq ($(CONFIG_KESTREL), y)', `${variable} += ${own}`, 'else', `${variable} += ${theirs}`, 'endif');

function kernel(): Tree {
  const tree = kestrelBase();
  tree.set(MAKEFILE, entries('entry.o', 'debug.o', 'switch.o', 'fpsimd.o', 'tlb.o'));
  tree.set(`${HYP}switch.c`, `${FOR_EL2}\n${FOR_HOST}`);
  return tree;
}

/** @param mark the word that says for which level the set's object is */
function set(mark = '__hyp_text'): Tree {
  const tree = kestrelSet();
  for (const [path, text] of kernel()) if (!kestrelBase().has(path)) tree.set(path, text);
  edit(tree, MAKEFILE, entries('switch.o'), CONDITION('simple.o', 'switch.o'));
  edit(tree, MAKEFILE, entries('debug.o'), `#ifdef CONFIG_KESTREL\n${entries('debug.o')}#endif\n`);
  tree.set(
    `${HYP}simple.c`,
    lines('#include <asm/kvm_hyp.h>', '', `int ${mark} kestrel_switch(u32 vmid)`, '{', '\treturn vmid;', '}'),
  );
  return tree;
}

const NVHE_LISTS = ['hyp-obj-y := switch.o host.o', 'hyp-obj-y += ../entry.o ../debug.o \\', '\t ../fpsimd.o ../tlb.o'];
const NVHE_REST = ['', 'obj-y := $(patsubst %.o,%.n.o,$(hyp-obj-y))'];
const VHE_LIST = lines('obj-y := switch.o ../entry.o ../debug.o ../fpsimd.o ../tlb.o');
const TARGET: Texts = {
  'arch/arm64/include/asm/kvm_hyp.h': '/* nothing */\n',
  'arch/arm64/include/asm/kvm_asm.h': '#define kvm_nvhe_sym(sym) __kvm_nvhe_##sym\n',
  'arch/arm64/kernel/image-vars.h': 'KVM_NVHE_ALIAS(panic);\n',
  [MAKEFILE]: 'obj-$(CONFIG_KVM) += vhe/ nvhe/\n',
  [`${HYP}nvhe/switch.c`]: FOR_EL2,
  [`${HYP}vhe/switch.c`]: FOR_HOST,
  [NVHE]: lines(...NVHE_LISTS, ...NVHE_REST),
  [VHE]: VHE_LIST,
};

const texts = (tree: Tree): Texts => Object.fromEntries(tree);
const ported = async (tree: Tree, target = TARGET) => {
  const done = await port(texts(kernel()), texts(tree), target, [`${HYP}switch.c`], { generate: true });
  return { files: done.files, hunk: done.hunks.find((h) => h.path === MAKEFILE)! };
};

describe('a list of objects that became one for EL2 and one for the host', () => {
  test('has what is for EL2 in the first, in front of what is computed from it', async () => {
    const { files, hunk } = await ported(set());
    const [head, ...rest] = files[NVHE]!.split(/^endif\n/m);
    expect(head).toBe(
      lines('#ifdef CONFIG_KESTREL', '#endif', 'hyp-obj-y := host.o', ...NVHE_LISTS.slice(1)) +
        CONDITION('../simple.o', 'switch.o', 'hyp-obj-y').replace('endif\n', ''),
    );
    expect(rest.join('').endsWith(lines(...NVHE_REST))).toBe(true);
    expect(files[VHE]).toBe(VHE_LIST);
    expect(hunk.confidence).toBeLessThanOrEqual(0.75);
    expect(hunk.message).toContain(`the list is in '${VHE}', too, which stays as it is`);
  });

  test('is not told when the set adds an object of the host to it', async () => {
    const { files, hunk } = await ported(set('__init'));
    expect(hunk.outcome).toBe('conflict');
    expect(files[NVHE]).not.toContain('simple');
  });

  test('is not told when the list of EL2 lacks what the guard takes out', async () => {
    const { files, hunk } = await ported(set(), {
      ...TARGET,
      [`${HYP}nvhe/switch.c`]: '',
      [NVHE]: TARGET[NVHE]!.replace('switch.o ', ''),
    });
    expect(files[NVHE]).not.toContain('else');
    expect(hunk.outcome).toBe('conflict');
  });
});

test('objects are added behind the condition that the last list stands under', () => {
  const makefile = 'obj-y := a.o\n' + CONDITION('b.o', 'c.o', 'obj-y');
  expect(addObjects(makefile, ['d.o'], null, /^obj$/)).toBe(`${makefile}obj-y += d.o\n`);
  expect(addObjects(`${makefile}obj-y += e.o\n`, ['d.o'], null, /^obj$/)).toBe(
    `${makefile}obj-y += e.o\nobj-y += d.o\n`,
  );
});
