import { eraOf } from '../../src/hypercall-gen/era';
import { checkTable } from '../../src/hypercall-gen/findings';
import type { Finding } from '../../src/hypercall-gen/types';
import { base, edit, ENTRY, extracted, HEADER, HOST, patched, placeIn, reader, VM, type Tree } from './kestrel';

/** A kernel that numbers its own host hypercalls. */
function smcccTarget(): Tree {
  const target = base();
  target.set(
    'arch/arm64/include/asm/kvm_asm.h',
    '#define __KVM_HOST_SMCCC_FUNC___kvm_vcpu_run 1\n#define __KVM_HOST_SMCCC_FUNC___kvm_flush 12\n',
  );
  return target;
}

async function findingsOf(tree: Tree, target = smcccTarget()): Promise<Finding[]> {
  const { table, findings } = await extracted(tree);
  return [...findings, ...checkTable(table, await eraOf(reader(target)))];
}

/** What is done to the clean set, and where the finding has to point. */
const FAULTS: Record<
  string,
  { seed: (t: Tree) => void; kind: Finding['kind']; at: (t: Tree) => string; says: RegExp }
> = {
  'a number that is used twice': {
    seed: (t) => edit(t, HEADER, 'LOOKUP 0xc', 'LOOKUP 11'),
    kind: 'duplicate-number',
    at: (t) => placeIn(t, HEADER, 'LOOKUP 11'),
    says: /'KESTREL_HVC_VM_MAP' has already/,
  },
  'a name that is defined twice': {
    seed: (t) =>
      edit(
        t,
        HEADER,
        '#define KESTREL_HVC_VM_LOOKUP 0xc',
        '#define KESTREL_HVC_VM_LOOKUP 40\n#define KESTREL_HVC_VM_LOOKUP 0xc',
      ),
    kind: 'duplicate-number',
    at: (t) => placeIn(t, HEADER, 'LOOKUP 0xc'),
    says: /defined twice, as 40 and as 12/,
  },
  'a number of the hyp stub': {
    seed: (t) => edit(t, HEADER, 'INSTALL 8', 'INSTALL 2'),
    kind: 'stub-range',
    at: (t) => placeIn(t, HEADER, 'INSTALL 2'),
    says: /below 3 belong to the hyp stub/,
  },
  "an SMCCC number of the target's own": {
    seed: (t) => edit(t, HEADER, 'DESTROY 13', 'DESTROY 0xc600000c'),
    kind: 'smccc-number',
    at: (t) => placeIn(t, HEADER, '0xc600000c'),
    says: /'__KVM_HOST_SMCCC_FUNC___kvm_flush' in the target/,
  },
  "an SMCCC number of somebody else's": {
    seed: (t) => edit(t, HEADER, 'DESTROY 13', 'DESTROY 0x84000003'),
    kind: 'smccc-number',
    at: (t) => placeIn(t, HEADER, '0x84000003'),
    says: /PSCI/,
  },
  'a number without stub or call site': {
    seed: (t) =>
      edit(
        t,
        HOST,
        `phys_addr_t kestrel_vm_lookup(u32 vmid, u64 ipa)
{
	return kestrel_call(KESTREL_HVC_VM_LOOKUP, vmid, ipa);
}
`,
        '',
      ),
    kind: 'no-caller',
    at: (t) => placeIn(t, HEADER, 'KESTREL_HVC_VM_LOOKUP'),
    says: /neither a stub nor a call site/,
  },
  'a number without handler': {
    seed: (t) => {
      edit(t, HEADER, 'DESTROY 13', 'DESTROY 13\n#define KESTREL_HVC_VM_PAUSE 14');
      edit(
        t,
        HOST,
        'static void',
        'void kestrel_vm_pause(u32 vmid)\n{\n	kestrel_call(KESTREL_HVC_VM_PAUSE, vmid);\n}\n\nstatic void',
      );
    },
    kind: 'no-handler',
    at: (t) => placeIn(t, HEADER, 'KESTREL_HVC_VM_PAUSE'),
    says: /has no handler/,
  },
  'a handler that is gone': {
    seed: (t) => edit(t, VM, 'void __hyp_text kestrel_do_destroy(u32 vmid)\n{\n	drop(vmid);\n}\n', ''),
    kind: 'no-handler',
    at: (t) => placeIn(t, ENTRY, 'case KESTREL_HVC_VM_DESTROY'),
    says: /calls 'kestrel_do_destroy', which nobody defines/,
  },
  'a handler that is never dispatched': {
    seed: (t) => edit(t, ENTRY, '	case KESTREL_HVC_VM_DESTROY:\n		kestrel_do_destroy((u32)host->regs[1]);\n		break;\n', ''),
    kind: 'not-dispatched',
    at: (t) => placeIn(t, VM, 'void __hyp_text kestrel_do_destroy'),
    says: /'kestrel_do_destroy' is never dispatched/,
  },
  'a handler that no number reaches': {
    seed: (t) => t.set(VM, `${t.get(VM)}\nvoid __hyp_text kestrel_do_pause(u32 vmid)\n{\n	pause(vmid);\n}\n`),
    kind: 'not-dispatched',
    at: (t) => placeIn(t, VM, 'void __hyp_text kestrel_do_pause'),
    says: /'kestrel_do_pause' looks like a handler/,
  },
  'a number that is dispatched twice': {
    seed: (t) => edit(t, ENTRY, '	default:', '	case KESTREL_HVC_VM_MAP:\n		kestrel_do_install();\n		break;\n	default:'),
    kind: 'dispatched-twice',
    at: (t) => {
      const lines = t.get(ENTRY)!.split('\n');
      return `${ENTRY}:${lines.lastIndexOf('	case KESTREL_HVC_VM_MAP:') + 1}`;
    },
    says: /second branch never runs/,
  },
  'a dispatched number that nobody defines': {
    seed: (t) => edit(t, ENTRY, '	default:', '	case KESTREL_HVC_VM_GONE:\n		break;\n	default:'),
    kind: 'unknown-number',
    at: (t) => placeIn(t, ENTRY, 'case KESTREL_HVC_VM_GONE'),
    says: /which the set does not define/,
  },
  'one argument too few': {
    seed: (t) => {
      edit(t, HOST, 'phys_addr_t kestrel_vm_lookup(u32 vmid, u64 ipa)', 'phys_addr_t kestrel_vm_lookup(u32 vmid)');
      edit(t, HOST, 'LOOKUP, vmid, ipa)', 'LOOKUP, vmid)');
    },
    kind: 'argument-count',
    at: (t) => placeIn(t, HOST, 'phys_addr_t kestrel_vm_lookup'),
    says: /passes 1 argument; the handler is given x2/,
  },
  'one argument too many': {
    seed: (t) => {
      edit(t, HOST, 'kestrel_vm_lookup(u32 vmid, u64 ipa)', 'kestrel_vm_lookup(u32 vmid, u64 ipa, int level)');
      edit(t, HOST, 'LOOKUP, vmid, ipa)', 'LOOKUP, vmid, ipa, level)');
    },
    kind: 'argument-count',
    at: (t) => placeIn(t, HOST, 'phys_addr_t kestrel_vm_lookup'),
    says: /passes 3 arguments; the handler takes 2/,
  },
  'an argument that is cut': {
    seed: (t) => edit(t, VM, 'kestrel_do_lookup(u32 vmid, u64 ipa)', 'kestrel_do_lookup(u32 vmid, u32 ipa)'),
    kind: 'argument-type',
    at: (t) => placeIn(t, HOST, 'phys_addr_t kestrel_vm_lookup'),
    says: /argument 2 of 'KESTREL_HVC_VM_LOOKUP' is 'u64' on the host and 'u32'.*loses its upper 32 bits/,
  },
  'a cast that cuts': {
    seed: (t) =>
      edit(
        t,
        ENTRY,
        'kestrel_do_lookup((u32)host->regs[1], host->regs[2])',
        'kestrel_do_lookup((u32)host->regs[1], (u32)host->regs[2])',
      ),
    kind: 'argument-type',
    at: (t) => placeIn(t, ENTRY, 'case KESTREL_HVC_VM_LOOKUP'),
    says: /cast to 'u32' cuts it/,
  },
  'arguments in another order': {
    seed: (t) => edit(t, ENTRY, 'host->regs[3], host->regs[4]', 'host->regs[4], host->regs[3]'),
    kind: 'argument-order',
    at: (t) => placeIn(t, ENTRY, 'case KESTREL_HVC_VM_MAP'),
    says: /x1, x2, x4, x3/,
  },
  'more arguments than registers': {
    seed: (t) => {
      const more = ['a', 'b', 'c', 'd'];
      edit(
        t,
        HOST,
        'phys_addr_t pa, u64 size)',
        `phys_addr_t pa, u64 size, ${more.map((n) => `u64 ${n}`).join(', ')})`,
      );
      edit(t, HOST, 'pa, size);', `pa, size, ${more.join(', ')});`);
    },
    kind: 'too-many-arguments',
    at: (t) => placeIn(t, HOST, 'int kestrel_vm_map'),
    says: /passes 8 arguments; 7 fit/,
  },
  'a pointer as it is': {
    seed: (t) => {
      edit(
        t,
        HOST,
        'kestrel_vm_create(u32 pages, unsigned long flags)',
        'kestrel_vm_create(u32 pages, struct kvm *flags)',
      );
      edit(t, VM, 'kestrel_do_create(u32 pages, u64 flags)', 'kestrel_do_create(u32 pages, struct kvm *flags)');
      edit(
        t,
        ENTRY,
        'kestrel_do_create((u32)host->regs[1], host->regs[2])',
        'kestrel_do_create((u32)host->regs[1], (struct kvm *)host->regs[2])',
      );
    },
    kind: 'raw-pointer',
    at: (t) => placeIn(t, HOST, 'int kestrel_vm_create'),
    says: /host's pointer 'flags', which EL2 gets without conversion/,
  },
  'a result that never comes back': {
    seed: (t) => edit(t, ENTRY, 'host->regs[0] = kestrel_do_create(', 'kestrel_do_create('),
    kind: 'lost-result',
    at: (t) => placeIn(t, HOST, 'int kestrel_vm_create'),
    says: /the dispatcher returns nothing/,
  },
  'a sign that changes': {
    seed: (t) => edit(t, VM, 'kestrel_do_create(u32 pages', 'kestrel_do_create(s32 pages'),
    kind: 'argument-sign',
    at: (t) => placeIn(t, HOST, 'int kestrel_vm_create'),
    says: /'u32' on the host and 's32'/,
  },
  'a gap': {
    seed: (t) => edit(t, HEADER, 'DESTROY 13', 'DESTROY 16'),
    kind: 'gap',
    at: (t) => placeIn(t, HEADER, 'DESTROY 16'),
    says: /numbers 13 to 15 are free/,
  },
};

describe('findings', () => {
  it('a clean set has none', async () => {
    expect(await findingsOf(patched())).toEqual([]);
  });

  it.each(Object.keys(FAULTS))('%s is one finding, at its place', async (name) => {
    const fault = FAULTS[name]!;
    const tree = patched();
    fault.seed(tree);
    const found = await findingsOf(tree);
    expect(found.map((f) => [f.kind, `${f.path}:${f.line}`])).toEqual([[fault.kind, fault.at(tree)]]);
    expect(found[0]!.message).toMatch(fault.says);
  });

  it('a pointer that the handler or the dispatcher converts is none', async () => {
    for (const where of ['dispatcher', 'handler']) {
      const tree = patched();
      FAULTS['a pointer as it is']!.seed(tree);
      if (where === 'handler') edit(tree, VM, 'new_vm(pages, flags)', 'new_vm(pages, kern_hyp_va(flags))');
      else edit(tree, ENTRY, '(struct kvm *)host->regs[2]', 'kern_hyp_va((struct kvm *)host->regs[2])');
      expect(await findingsOf(tree)).toEqual([]);
    }
  });

  it('twelve faults at once are twelve findings', async () => {
    const tree = patched();
    // More calls, so that each fault has one of its own.
    const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M'];
    names.forEach((n, i) => {
      const lower = n.toLowerCase();
      const header = tree.get(HEADER)!;
      tree.set(HEADER, header.replace('#endif\n\n', `#define KESTREL_HVC_${n} ${14 + i}\n#endif\n\n`));
      tree.set(
        HOST,
        `${tree.get(HOST)}\nint kestrel_${lower}(u32 x, u64 y)\n{\n	return kestrel_call(KESTREL_HVC_${n}, x, y);\n}\n`,
      );
      tree.set(VM, `${tree.get(VM)}\nint __hyp_text kestrel_do_${lower}(u32 x, u64 y)\n{\n	return use(x, y);\n}\n`);
      edit(
        tree,
        ENTRY,
        '	default:',
        `	case KESTREL_HVC_${n}:\n		host->regs[0] = kestrel_do_${lower}((u32)host->regs[1], host->regs[2]);\n		break;\n	default:`,
      );
    });
    expect(await findingsOf(tree)).toEqual([]);
    const at = (path: string, text: string) => placeIn(tree, path, text);
    edit(tree, HEADER, '_A 14', '_A 13'); // used twice
    edit(tree, HEADER, '_B 15', '_B 1'); // hyp stub
    edit(tree, HEADER, '_C 16', '_C 0xc600000c'); // SMCCC
    edit(tree, HOST, 'int kestrel_d(u32 x, u64 y)\n{\n	return kestrel_call(KESTREL_HVC_D, x, y);\n}\n', ''); // no caller
    edit(tree, VM, 'int __hyp_text kestrel_do_e(u32 x, u64 y)\n{\n	return use(x, y);\n}\n', ''); // no handler
    edit(
      tree,
      ENTRY,
      '	case KESTREL_HVC_F:\n		host->regs[0] = kestrel_do_f((u32)host->regs[1], host->regs[2]);\n		break;\n',
      '',
    ); // not dispatched
    edit(tree, HOST, 'return kestrel_call(KESTREL_HVC_G, x, y);', 'return kestrel_call(KESTREL_HVC_G, x, y, 0);'); // count
    edit(tree, VM, 'kestrel_do_h(u32 x, u64 y)', 'kestrel_do_h(u32 x, u16 y)'); // type
    edit(tree, HOST, 'KESTREL_HVC_I, x, y)', 'KESTREL_HVC_I, x, y, 1, 2, 3, 4, 5, 6)'); // too many
    edit(tree, HOST, 'int kestrel_j(u32 x, u64 y)', 'int kestrel_j(u32 x, void *y)'); // pointer
    edit(tree, ENTRY, 'host->regs[0] = kestrel_do_k(', 'kestrel_do_k('); // result
    edit(tree, HEADER, '_M 26', '_M 29'); // gap
    const found = await findingsOf(tree);
    expect(found.map((f) => `${f.kind} ${f.path}:${f.line}`).sort()).toEqual(
      [
        `duplicate-number ${at(HEADER, 'KESTREL_HVC_A ')}`,
        `stub-range ${at(HEADER, 'KESTREL_HVC_B ')}`,
        `smccc-number ${at(HEADER, 'KESTREL_HVC_C ')}`,
        `no-caller ${at(HEADER, 'KESTREL_HVC_D ')}`,
        `no-handler ${at(ENTRY, 'case KESTREL_HVC_E:')}`,
        `not-dispatched ${at(VM, 'int __hyp_text kestrel_do_f')}`,
        `argument-count ${at(HOST, 'int kestrel_g')}`,
        `argument-type ${at(HOST, 'int kestrel_h')}`,
        `too-many-arguments ${at(HOST, 'int kestrel_i')}`,
        `raw-pointer ${at(HOST, 'int kestrel_j')}`,
        `lost-result ${at(HOST, 'int kestrel_k')}`,
        `gap ${at(HEADER, 'KESTREL_HVC_M ')}`,
      ].sort(),
    );
    expect(found.every((f) => f.path !== null && f.line !== null)).toBe(true);
  });
});
