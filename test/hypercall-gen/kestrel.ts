import { createTwoFilesPatch } from 'diff';
import { extractFrom, type Extracted } from '../../src/hypercall-gen/extract';
import { patchedFiles, type PatchedFile } from '../../src/hypercall-gen/source';
import type { Patch } from '../../src/core/patch';
import { readDiff } from '../../src/patch-set/diff-reader';
import type { PatchSet } from '../../src/patch-set/patch-set';

/**
 * A patch set of our own, small and clean: six hypercalls of a corevisor called kestrel on a kernel that calls EL2 by
 * function pointer. Each test changes what it is about.
 */
export type Tree = Map<string, string>;

export const HEADER = 'arch/arm64/include/asm/kestrel_call.h';
export const HOST = 'arch/arm64/kestrel/host.c';
export const ENTRY = 'arch/arm64/kestrel/entry.c';
export const VM = 'arch/arm64/kestrel/vm.c';
export const ARM = 'virt/kvm/arm/arm.c';
export const KVM_HOST = 'arch/arm64/include/asm/kvm_host.h';

export function base(): Tree {
  return new Map([
    [
      KVM_HOST,
      `#ifndef __ARM64_KVM_HOST_H__
#define __ARM64_KVM_HOST_H__

struct kvm_arch {
	u32 vmid;
};

u64 __kvm_call_hyp(void *hypfn, ...);
#define kvm_call_hyp(f, ...) __kvm_call_hyp(kvm_ksym_ref(f), ##__VA_ARGS__)

#endif
`,
    ],
    [
      ARM,
      `#include <linux/kvm_host.h>

/*******************************
 * Runs one virtual CPU
 *******************************/
static int run_once(struct kvm_vcpu *vcpu)
{
	int ret;

	preempt_disable();
	ret = kvm_call_hyp(__vcpu_run, vcpu);
	preempt_enable();
	return ret;
}
`,
    ],
    [
      'arch/arm64/kvm/hyp/hyp-entry.S',
      `	.text

el1_sync:
	cmp	x0, #HVC_STUB_HCALL_NR
	b.hs	1f
	br	x5
1:
	do_el2_call
	eret
`,
    ],
    ['arch/arm64/include/asm/virt.h', '#define HVC_SET_VECTORS 0\n#define HVC_STUB_HCALL_NR 3\n'],
    ['arch/arm64/include/asm/kvm_hyp.h', '#define __hyp_text __section(.hyp.text) notrace\n'],
  ]);
}

export function patched(): Tree {
  const tree = base();
  edit(
    tree,
    KVM_HOST,
    '\n#endif\n',
    `
#ifdef CONFIG_KESTREL
#define kestrel_call(nr, ...) __kvm_call_hyp((void *)(nr), ##__VA_ARGS__)
#endif

#endif
`,
  );
  edit(
    tree,
    ARM,
    '	ret = kvm_call_hyp(__vcpu_run, vcpu);\n',
    `#ifdef CONFIG_KESTREL
	ret = kestrel_call(KESTREL_HVC_RUN, vcpu->kvm->arch.vmid, vcpu->vcpu_id);
#else
	ret = kvm_call_hyp(__vcpu_run, vcpu);
#endif
`,
  );
  edit(
    tree,
    'arch/arm64/kvm/hyp/hyp-entry.S',
    '1:\n	do_el2_call\n	eret\n',
    `1:
#ifdef CONFIG_KESTREL
	kestrel_save_regs
	mov	x0, sp
	bl	kestrel_host_call
	kestrel_restore_regs
#else
	do_el2_call
#endif
	eret
`,
  );
  tree.set(
    HEADER,
    `/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_KESTREL_CALL_H
#define __ASM_KESTREL_CALL_H

#ifdef CONFIG_KESTREL
#define KESTREL_HVC_INSTALL 8
#define KESTREL_HVC_RUN 9
/* virtual machines */
#define KESTREL_HVC_VM_CREATE 10
#define KESTREL_HVC_VM_MAP (KESTREL_HVC_VM_CREATE + 1)
#define KESTREL_HVC_VM_LOOKUP 0xc
#define KESTREL_HVC_VM_DESTROY 13
#endif

#endif
`,
  );
  tree.set(
    HOST,
    `// SPDX-License-Identifier: GPL-2.0
#include <linux/kvm_host.h>
#include <asm/kestrel_call.h>

int kestrel_vm_create(u32 pages, unsigned long flags)
{
	return kestrel_call(KESTREL_HVC_VM_CREATE, pages, flags);
}

/* Gives 0, or what went wrong. */
int kestrel_vm_map(u32 vmid, u64 ipa, phys_addr_t pa, u64 size)
{
	return kestrel_call((void *)KESTREL_HVC_VM_MAP, vmid, ipa,
			    pa, size);
}

phys_addr_t kestrel_vm_lookup(u32 vmid, u64 ipa)
{
	return kestrel_call(KESTREL_HVC_VM_LOOKUP, vmid, ipa);
}

void kestrel_vm_destroy(struct kvm_vcpu *vcpu)
{
	kestrel_call(KESTREL_HVC_VM_DESTROY, vcpu->kvm->arch.vmid);
}

static void kestrel_install_cpu(void *unused)
{
	kestrel_call(KESTREL_HVC_INSTALL);
}
`,
  );
  tree.set(
    VM,
    `// SPDX-License-Identifier: GPL-2.0
#include "kestrel.h"

void __hyp_text kestrel_do_install(void)
{
	kestrel_ready = 1;
}

int __hyp_text kestrel_do_run(u32 vmid, int vcpu_id)
{
	return enter(vmid, vcpu_id);
}

int __hyp_text kestrel_do_create(u32 pages, u64 flags)
{
	return new_vm(pages, flags);
}

int __hyp_text kestrel_do_map(u32 vmid, u64 ipa, u64 pa, u64 size)
{
	return map_range(vmid, ipa, pa, size);
}

u64 __hyp_text kestrel_do_lookup(u32 vmid, u64 ipa)
{
	return walk(vmid, ipa);
}

void __hyp_text kestrel_do_destroy(u32 vmid)
{
	drop(vmid);
}
`,
  );
  tree.set(
    'arch/arm64/kestrel/kestrel.h',
    `struct kestrel_regs {
	u64 regs[31];
};

void kestrel_note_regs(u64 where);
void kestrel_panic(u64 nr);
`,
  );
  tree.set(ENTRY, entrySwitch());
  return tree;
}

export function entrySwitch(): string {
  return `// SPDX-License-Identifier: GPL-2.0
#include "kestrel.h"

void __hyp_text kestrel_host_call(struct kestrel_regs *host)
{
	u64 nr = host->regs[0];

	kestrel_note_regs((u64)host);

	switch (nr) {
	case KESTREL_HVC_INSTALL:
		kestrel_do_install();
		break;
	case KESTREL_HVC_RUN:
		host->regs[0] = kestrel_do_run((u32)host->regs[1], (int)host->regs[2]);
		break;
	case KESTREL_HVC_VM_CREATE:
		host->regs[0] = kestrel_do_create((u32)host->regs[1], host->regs[2]);
		break;
	/* case KESTREL_HVC_VM_OLD: removed */
	case KESTREL_HVC_VM_MAP:
		host->regs[0] = kestrel_do_map((u32)host->regs[1], host->regs[2],
					       host->regs[3], host->regs[4]);
		break;
	case KESTREL_HVC_VM_LOOKUP:
		host->regs[0] = kestrel_do_lookup((u32)host->regs[1], host->regs[2]);
		break;
	case KESTREL_HVC_VM_DESTROY:
		kestrel_do_destroy((u32)host->regs[1]);
		break;
	default:
		kestrel_panic(nr);
		break;
	}
}
`;
}

export function entryIfChain(): string {
  return `#include "kestrel.h"

void __hyp_text kestrel_host_call(struct kestrel_regs *host)
{
	u64 nr, a1, a2, a3, a4, ret = 0;

	nr = host->regs[0];
	a1 = host->regs[1];
	a2 = host->regs[2];
	a3 = host->regs[3];
	a4 = host->regs[4];
	kestrel_note_regs((u64)host);

	if (nr == KESTREL_HVC_INSTALL) {
		kestrel_do_install();
	} else if (nr == KESTREL_HVC_RUN) {
		ret = (u64)kestrel_do_run((u32)a1, (int)a2);
		write_host_reg(0, ret);
	} else if (nr == KESTREL_HVC_VM_CREATE) {
		ret = kestrel_do_create((u32)a1, a2);
		write_host_reg(0, ret);
	} else if (KESTREL_HVC_VM_MAP == nr) {
		ret = kestrel_do_map((u32)a1, a2, a3, a4);
		write_host_reg(0, ret);
	} else if (nr == KESTREL_HVC_VM_LOOKUP) {
		ret = kestrel_do_lookup((u32)a1, a2);
		write_host_reg(0, ret);
	} else if (nr == KESTREL_HVC_VM_DESTROY) {
		kestrel_do_destroy((u32)a1);
	} else {
		kestrel_panic(nr);
	}
}
`;
}

export function entryTable(): string {
  const wrapper = (
    name: string,
    args: string,
    answer = true,
  ) => `static void __hyp_text h_${name}(struct kestrel_regs *regs)
{
	${answer ? 'regs->regs[0] = ' : ''}kestrel_do_${name}(${args});
}
`;
  return `#include "kestrel.h"

${wrapper('install', '', false)}
${wrapper('run', '(u32)regs->regs[1], (int)regs->regs[2]')}
${wrapper('create', '(u32)regs->regs[1], regs->regs[2]')}
${wrapper('map', '(u32)regs->regs[1], regs->regs[2], regs->regs[3], regs->regs[4]')}
${wrapper('lookup', '(u32)regs->regs[1], regs->regs[2]')}
${wrapper('destroy', '(u32)regs->regs[1]', false)}
typedef void (*kestrel_fn)(struct kestrel_regs *);

static const kestrel_fn kestrel_table[] = {
	[KESTREL_HVC_INSTALL] = h_install,
	[KESTREL_HVC_RUN] = h_run,
	[KESTREL_HVC_VM_CREATE] = h_create,
	[KESTREL_HVC_VM_MAP] = h_map,
	[KESTREL_HVC_VM_LOOKUP] = h_lookup,
	[KESTREL_HVC_VM_DESTROY] = h_destroy,
};

void __hyp_text kestrel_host_call(struct kestrel_regs *host)
{
	kestrel_table[host->regs[0]](host);
}
`;
}

/** Replaces a text that must be there, once. */
export function edit(tree: Tree, path: string, from: string, to: string): void {
  const text = tree.get(path)!;
  if (text.split(from).length !== 2)
    throw new Error(`'${from}' stands ${text.split(from).length - 1} times in ${path}`);
  tree.set(
    path,
    text.replace(from, () => to),
  );
}

/** The set between two trees, read from a diff as any other. */
export function setOf(before: Tree, after: Tree): PatchSet {
  const diff = [...after]
    .filter(([path, text]) => before.get(path) !== text)
    .map(([path, text]) => {
      const old = before.get(path);
      const body = createTwoFilesPatch(old === undefined ? '/dev/null' : `a/${path}`, `b/${path}`, old ?? '', text)
        .replace(/^=+\n/, '')
        .replace(/^(---|\+\+\+) (\S+)\t?$/gm, '$1 $2');
      return `diff --git a/${path} b/${path}\n${old === undefined ? 'new file mode 100644\n' : ''}${body}`;
    })
    .join('');
  const patch: Patch = {
    file: '0001.diff',
    author: null,
    subject: 's',
    body: '',
    diff,
    changes: readDiff(diff, '0001.diff'),
  };
  return {
    name: 'kestrel-1',
    dir: '',
    manifest: {
      schemaVersion: 1,
      name: 'kestrel-1',
      base: { version: 'v4.18', commit: null },
      patches: [],
      unreadable: [],
    },
    patches: [patch],
  };
}

export function filesOf(before: Tree, after: Tree, withBase = true): Promise<PatchedFile[]> {
  return patchedFiles(setOf(before, after), withBase ? async (p) => before.get(p) ?? null : null);
}

/** Extracts from a patched tree. */
export async function extracted(after: Tree, before = base(), withBase = true): Promise<Extracted> {
  const tree = withBase ? { paths: () => before.keys(), read: async (p: string) => before.get(p) ?? null } : null;
  return extractFrom('kestrel-1', 'v4.18', await filesOf(before, after, withBase), tree);
}

/** A tree as the era and the generator read it. */
export function reader(tree: Tree) {
  return { has: (p: string) => tree.has(p), read: async (p: string) => tree.get(p) ?? null };
}

/** `path:line` of the line that holds a text. */
export function placeIn(tree: Tree, path: string, text: string): string {
  const at = tree.get(path)!.indexOf(text);
  if (at < 0) throw new Error(`no '${text}' in ${path}`);
  return `${path}:${tree.get(path)!.slice(0, at).split('\n').length}`;
}
