// A small patch set of ours, made from an unpacked kernel by a recipe: a question that the host asks and EL2 answers.
//
// It has every shape of edit that kport knows, and not one line of the kernel's is stored here: places are found by
// the names that stand in them. Each patch is a list of steps; a step that finds no place, or two, is an error.
const fs = require('node:fs');
const path = require('node:path');

const OPTION = 'CONFIG_KPORT_PROBE';
const guarded = (text) => `#ifdef ${OPTION}\n${text}#endif\n`;
const SPDX = (comment) =>
  comment === '#'
    ? '# SPDX-License-Identifier: GPL-2.0-only\n'
    : `${comment} SPDX-License-Identifier: GPL-2.0-only${comment === '/*' ? ' */' : ''}\n`;

/** The answer that init sees: the question exclusive-or the number that the assembly has. */
const QUESTION = 0x1111;
const KEY = 0x4b50;

const patches = [
  {
    subject: 'KVM: arm64: add an option and the words of the probe',
    steps: [
      {
        shape: 'Kconfig entry',
        file: 'arch/arm64/kvm/Kconfig',
        before: /^endif # VIRTUALIZATION/,
        text: 'config KPORT_PROBE\n\tbool "Answer a probe at EL2"\n\tdepends on KVM\n\thelp\n\t  A question that the host asks and EL2 answers. For tests.\n\n',
      },
      {
        shape: 'macro',
        file: 'include/uapi/linux/kvm.h',
        after: /^#define KVM_GET_VCPU_MMAP_SIZE\b/,
        text: '#define KVM_KPORT_PROBE           _IO(KVMIO,   0xfa)\n',
      },
      {
        shape: 'field',
        file: 'arch/arm64/include/asm/kvm_host.h',
        after: /^\tu32 psci_version;/,
        text: guarded('\tu64 kport_asked;\n'),
      },
      {
        shape: 'prototype',
        file: 'arch/arm64/include/asm/kvm_host.h',
        after: /^void kvm_set_sei_esr\(/,
        text: guarded('int kport_probe(u64 *asked);\n'),
      },
      {
        shape: 'enumerator',
        file: 'arch/arm64/include/asm/kvm_pgtable.h',
        after: /^\tKVM_PGTABLE_WALK_TABLE_POST\b/,
        text: guarded('\tKVM_PGTABLE_WALK_KPORT\t\t= BIT(30),\n'),
      },
      {
        shape: 'new file',
        create: 'arch/arm64/include/asm/kvm_kport.h',
        text: `${SPDX('/*')}#ifndef __ARM64_KVM_KPORT_H__\n#define __ARM64_KVM_KPORT_H__\n\n#define KPORT_HVC\t0xc600ff5aUL\n#define KPORT_KEY\t${KEY}\n\n#ifndef __ASSEMBLY__\nstruct kvm_cpu_context;\n\nu64 kport_answer(u64 question);\nbool kport_handle_hvc(struct kvm_cpu_context *ctxt, u64 esr);\n#endif\n\n#endif\n`,
      },
    ],
  },
  {
    subject: 'KVM: arm64: answer the probe at EL2',
    steps: [
      {
        shape: 'new file',
        create: 'arch/arm64/kvm/hyp/nvhe/kport-probe.c',
        text: `${SPDX('//')}#include <asm/esr.h>\n#include <asm/kvm_host.h>\n#include <asm/kvm_hyp.h>\n#include <asm/kvm_kport.h>\n\nbool kport_handle_hvc(struct kvm_cpu_context *ctxt, u64 esr)\n{\n\tif (ESR_ELx_EC(esr) != ESR_ELx_EC_HVC64 || ctxt->regs.regs[0] != KPORT_HVC)\n\t\treturn false;\n\tctxt->regs.regs[1] = kport_answer(ctxt->regs.regs[1]);\n\tctxt->regs.regs[0] = 0;\n\treturn true;\n}\n`,
      },
      {
        shape: 'assembly include',
        file: 'arch/arm64/kvm/hyp/nvhe/host.S',
        after: /^#include <asm\/kvm_asm\.h>/,
        text: '#include <asm/kvm_kport.h>\n',
      },
      {
        shape: 'assembly function',
        file: 'arch/arm64/kvm/hyp/nvhe/host.S',
        after: /^SYM_FUNC_END\(__hyp_do_panic\)/,
        text: `\n${guarded('SYM_FUNC_START(kport_answer)\n\tmov\tw1, #KPORT_KEY\n\teor\tw0, w0, w1\n\tret\nSYM_FUNC_END(kport_answer)\n')}`,
      },
      {
        shape: 'object rule',
        file: 'arch/arm64/kvm/hyp/nvhe/Makefile',
        // The list's own name changed between the kernels, so it is found by what closes it.
        after: /^(?:hyp-)?obj-y \+= \$\(lib-objs\)/,
        text: (found) => `${found.split(' ')[0].replace('-y', `-$(${OPTION})`)} += kport-probe.o\n`,
      },
      {
        shape: 'include',
        file: 'arch/arm64/kvm/hyp/nvhe/hyp-main.c',
        after: /^#include <asm\/kvm_hyp\.h>/,
        text: '#include <asm/kvm_kport.h>\n',
      },
      {
        shape: 'insertion',
        file: 'arch/arm64/kvm/hyp/nvhe/hyp-main.c',
        within: /^void handle_trap\(/,
        before: /^\tif \(ESR_ELx_EC/,
        text: `${guarded('\tif (kport_handle_hvc(host_ctxt, esr))\n\t\treturn;\n')}\n`,
      },
    ],
  },
  {
    subject: 'KVM: arm64: ask the probe from the host',
    steps: [
      {
        shape: 'new file',
        create: 'arch/arm64/kvm/kport.c',
        text: `${SPDX('//')}#include <linux/arm-smccc.h>\n#include <linux/kvm_host.h>\n#include <asm/kvm_kport.h>\n#include <asm/virt.h>\n\nint kport_probe(u64 *asked)\n{\n\tstruct arm_smccc_res res;\n\n\tif (!is_hyp_mode_available() || is_kernel_in_hyp_mode())\n\t\treturn -ENXIO;\n\tif (asked)\n\t\t(*asked)++;\n\tarm_smccc_1_1_hvc(KPORT_HVC, ${QUESTION}, &res);\n\treturn res.a0 ? -EIO : (int)res.a1;\n}\n`,
      },
      {
        shape: 'object rule',
        file: 'arch/arm64/kvm/Makefile',
        after: /^obj-\$\(CONFIG_KVM\) \+= hyp\//,
        text: `obj-$(${OPTION}) += kport.o\n`,
      },
      {
        shape: 'case',
        file: 'virt/kvm/kvm_main.c',
        before: /^\tcase KVM_TRACE_ENABLE:/,
        text: guarded('\tcase KVM_KPORT_PROBE:\n\t\tr = kport_probe(NULL);\n\t\tbreak;\n'),
      },
      { shape: 'deletion', file: 'virt/kvm/kvm_main.c', remove: /^\tcase KVM_TRACE_PAUSE:/ },
      {
        shape: 'initialiser',
        file: 'arch/arm64/kvm/handle_exit.c',
        after: /^\t\[ESR_ELx_EC_WFx\]/,
        text: guarded('\t[ESR_ELx_EC_MAX - 1]\t= kvm_handle_unknown_ec,\n'),
      },
      {
        shape: 'guard around',
        file: 'arch/arm64/kvm/handle_exit.c',
        wrap: /^\t\tvcpu->stat\.wfi_exit_stat\+\+;/,
        guard: `#ifndef ${OPTION}\n`,
      },
      {
        shape: 'guarded replacement',
        file: 'arch/arm64/kvm/handle_exit.c',
        replace: /^\t\tvcpu->stat\.wfe_exit_stat\+\+;/,
        text: '\t\tvcpu->stat.wfe_exit_stat += 2;\n',
      },
      {
        shape: 'definition',
        file: 'arch/arm64/kvm/arm.c',
        before: /^int kvm_arch_init_vm\(/,
        // Upstream's comment stays with upstream's function.
        aboveComment: true,
        text: `${guarded('static void kport_greet(struct kvm *kvm)\n{\n\tint answer = kport_probe(&kvm->arch.kport_asked);\n\n\tkvm_debug("kport: EL2 answers %d, asked %llu times\\n", answer, kvm->arch.kport_asked);\n}\n')}\n`,
      },
      {
        shape: 'insertion',
        file: 'arch/arm64/kvm/arm.c',
        within: /^int kvm_arch_init_vm\(/,
        before: /^\tret = kvm_init_stage2_mmu\(/,
        text: guarded('\tkport_greet(kvm);\n'),
      },
      {
        shape: 'substitution',
        file: 'arch/arm64/kvm/arm.c',
        substitute: /"HYP mode not available\\n"/,
        text: '"HYP mode not available, no probe\\n"',
      },
    ],
  },
];

/** Makes the steps of one patch in a folder. Throws with the step that does not fit. */
function make(patch, dir) {
  for (const step of patch.steps) {
    const file = path.join(dir, step.create ?? step.file);
    if (step.create) {
      fs.writeFileSync(file, step.text, 'latin1');
      continue;
    }
    const lines = fs.readFileSync(file, 'latin1').split('\n');
    const [from, to] = range(lines, step.within);
    const pattern = step.after ?? step.before ?? step.remove ?? step.wrap ?? step.replace ?? step.substitute;
    const hits = [];
    for (let i = from; i < to; i++) if (pattern.test(lines[i])) hits.push(i);
    if (hits.length !== 1) throw new Error(`${patch.subject}: ${step.shape} in ${step.file}: ${hits.length} places`);
    let at = hits[0];
    const put = (i, text) => lines.splice(i, 0, ...text.replace(/\n$/, '').split('\n'));
    const text = typeof step.text === 'function' ? step.text(lines[at]) : step.text;
    if (step.after) put(at + 1, text);
    else if (step.before) {
      while (step.aboveComment && /^( \*|\/\*)/.test(lines[at - 1])) at--;
      put(at, text);
    } else if (step.remove) lines.splice(at, 1);
    else if (step.wrap) {
      put(at + 1, '#endif\n');
      put(at, step.guard);
    } else if (step.replace) {
      put(at + 1, '#endif\n');
      put(at, `#ifdef ${OPTION}\n${text}#else\n`);
    } else lines[at] = lines[at].replace(step.substitute, text);
    fs.writeFileSync(file, lines.join('\n'), 'latin1');
  }
}

/** The lines of a function that begins in the first column. */
function range(lines, within) {
  if (!within) return [0, lines.length];
  const from = lines.findIndex((l) => within.test(l));
  if (from < 0) throw new Error(`no ${within}`);
  return [from, lines.findIndex((l, i) => i > from && l === '}')];
}

module.exports = { patches, make, OPTION, ANSWER: QUESTION ^ KEY };
