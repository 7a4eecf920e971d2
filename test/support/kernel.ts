import type { Files, Repo, Sandbox } from './sandbox';

export function makefile(version: string): string {
  const m = /^v(\d+)\.(\d+)(?:\.(\d+))?(-\S+)?$/.exec(version)!;
  return [
    '# SPDX-License-Identifier: GPL-2.0',
    `VERSION = ${m[1]}`,
    `PATCHLEVEL = ${m[2]}`,
    `SUBLEVEL = ${m[3] ?? 0}`,
    `EXTRAVERSION =${m[4] ? ` ${m[4]}` : ''}`,
    'NAME = Little Kernel',
    '',
  ].join('\n');
}

/** A function of a few lines that are its own. */
export function fn(name: string, calls: readonly string[] = [], head = `int ${name}(struct kvm_vcpu *vcpu, int arg)`) {
  return [
    `${head}\n{\n`,
    `\tint ${name}_ret = arg;\n\n`,
    `\tif (!vcpu->arch.${name}_state)\n\t\treturn -EINVAL;\n\n`,
    ...calls.map((c) => `\t${name}_ret += ${c}(vcpu, arg);\n`),
    `\tvcpu->arch.${name}_count++;\n`,
    `\treturn ${name}_ret;\n}\n`,
  ].join('');
}

/** Enough of a kernel to look like one. */
export function littleKernel(version: string): Files {
  return {
    Makefile: makefile(version),
    Kconfig: 'mainmenu "Linux"\n\nsource "arch/arm64/kvm/Kconfig"\n',
    'arch/arm64/kvm/Kconfig': [
      'menuconfig VIRTUALIZATION',
      '\tbool "Virtualization"',
      '\tdefault y',
      '',
      'config KVM',
      '\tbool "Kernel-based Virtual Machine (KVM) support"',
      '\tselect MMU_NOTIFIER',
      '\thelp',
      '\t  Support hosting guests.',
      '',
    ].join('\n'),
    'arch/arm64/kvm/Makefile': 'obj-$(CONFIG_KVM) += kvm.o\n\nkvm-y += arm.o mmu.o reset.o\n',
    'arch/arm64/kvm/arm.c': `#include <linux/kvm_host.h>\n#include <asm/kvm.h>\n\n${[
      fn('kvm_arch_init', ['init_one', 'init_two']),
      fn('kvm_arch_run', ['enter_guest', 'leave_guest', 'check_requests']),
      fn('kvm_arch_exit', ['exit_one']),
    ].join('\n')}`,
    'arch/arm64/kvm/mmu.c': `#include <linux/kvm_host.h>\n\n${[
      fn('stage2_map', ['walk_tables', 'flush_tlb']),
      fn('stage2_unmap', ['walk_tables', 'flush_tlb']),
      fn('handle_abort', ['fault_in', 'stage2_map']),
    ].join('\n')}`,
    'arch/arm64/kvm/reset.c': `#include <linux/kvm_host.h>\n\n${fn('kvm_reset', ['reset_regs', 'reset_timer'])}`,
    'arch/arm64/include/asm/kvm.h': [
      '#ifndef __ASM_KVM_H__',
      '#define __ASM_KVM_H__',
      '',
      'struct kvm_vcpu_arch {',
      '\tint kvm_arch_init_state;',
      '\tint kvm_arch_init_count;',
      '\tint stage2_map_state;',
      '\tint stage2_map_count;',
      '};',
      '',
      'int kvm_arch_init(struct kvm_vcpu *vcpu, int arg);',
      '',
      '#endif',
      '',
    ].join('\n'),
    'scripts/run.sh': { exec: '#!/bin/sh\necho run\n' },
    'Documentation/kvm.txt': 'KVM\n===\n\nWords about KVM.\nMore words.\n',
  };
}

/** A repository with a little kernel, tagged with its version. */
export function kernelRepo(box: Sandbox, name: string, version = 'v4.18', extra: Files = {}): Repo {
  const repo = box.repo(name);
  repo.commit(`Linux ${version.slice(1)}\n`, { ...littleKernel(version), ...extra });
  repo.tag(version);
  return repo;
}

/** Text with one piece replaced; that it is not there is a mistake in the test. */
export function edited(text: unknown, from: string, to: string): string {
  if (typeof text !== 'string' || !text.includes(from)) throw new Error(`no '${from}' to replace`);
  return text.replace(from, () => to);
}

/** A kernel with a set of three patches on v4.18 (branch `set`), and v5.4 in which upstream changed things nearby. */
export function kernelWithSet(box: Sandbox, name: string): Repo {
  const repo = kernelRepo(box, name);
  const base = littleKernel('v4.18');
  repo.git(['checkout', '-q', '-b', 'set']);
  repo.commit('KVM: guard the entry\n\nWhy, in words.\n\nSigned-off-by: Ann Author <ann@example.org>\n', {
    'arch/arm64/kvm/arm.c': edited(
      base['arch/arm64/kvm/arm.c'],
      '\tkvm_arch_run_ret += leave_guest(vcpu, arg);\n',
      '#ifdef CONFIG_VERIFIED_KVM\n\tkvm_arch_run_ret += leave_verified(vcpu, arg);\n#else\n\tkvm_arch_run_ret += leave_guest(vcpu, arg);\n#endif\n',
    ),
    'arch/arm64/kvm/Kconfig': edited(
      base['arch/arm64/kvm/Kconfig'],
      '\t  Support hosting guests.\n',
      '\t  Support hosting guests.\n\nconfig VERIFIED_KVM\n\tbool "Verified KVM"\n\tdepends on KVM\n',
    ),
  });
  repo.commit(
    'KVM: add the corevisor\n',
    {
      'arch/arm64/sekvm/core.c': `#include <asm/kvm.h>\n\n${fn('leave_verified', ['check_vcpu'])}`,
      'arch/arm64/kvm/Makefile': `${String(base['arch/arm64/kvm/Makefile'])}obj-$(CONFIG_VERIFIED_KVM) += ../sekvm/core.o\n`,
    },
    {
      GIT_AUTHOR_NAME: 'J\u00fcrgen M\u00fcller',
      GIT_AUTHOR_EMAIL: 'jm@example.org',
      GIT_AUTHOR_DATE: '1500000000 -0500',
    },
  );
  repo.commit('KVM: count the maps\n', {
    'arch/arm64/kvm/mmu.c': edited(
      base['arch/arm64/kvm/mmu.c'],
      '\tvcpu->arch.stage2_map_count++;\n',
      '\tvcpu->arch.stage2_map_count++;\n\taccount_map(vcpu);\n',
    ),
  });
  repo.git(['checkout', '-q', 'main']);
  repo.commit('Linux 5.4\n', {
    Makefile: makefile('v5.4'),
    'arch/arm64/kvm/arm.c': edited(
      base['arch/arm64/kvm/arm.c'],
      '#include <asm/kvm.h>\n',
      '#include <asm/kvm.h>\n#include <asm/new.h>\n\nstatic int upstream_thing;\n',
    ),
    'arch/arm64/kvm/mmu.c': edited(
      base['arch/arm64/kvm/mmu.c'],
      '\tstage2_map_ret += walk_tables(vcpu, arg);\n',
      '\tstage2_map_ret += walk_more_tables(vcpu, arg, 0);\n',
    ),
  });
  repo.tag('v5.4');
  return repo;
}
