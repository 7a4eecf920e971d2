import type { Files } from './trees';
import { edit } from './trees';

/** A kernel of a few files, in our words: enough of it for a set with every kind of place. */
const BASE: Files = {
  Makefile: 'VERSION = 4\nPATCHLEVEL = 18\n',
  Kconfig: 'source "arch/$SRCARCH/Kconfig"\n',
  'arch/arm64/Kconfig': 'config ARM64\n\tdef_bool y\n\nsource "arch/arm64/kvm/Kconfig"\n',
  'arch/arm64/kvm/Kconfig': 'config KVM\n\tbool "KVM"\n\thelp\n\t  Guests.\n\nconfig KVM_PMU\n\tbool "PMU"\n',
  'arch/arm64/Makefile': 'core-y += arch/arm64/kernel/\ncore-$(CONFIG_KVM) += arch/arm64/kvm/\n',
  'arch/arm64/kvm/Makefile': 'obj-$(CONFIG_KVM) += guest.o\nobj-$(CONFIG_KVM) += switch.o\n',
  'arch/arm64/include/asm/kvm_host.h':
    '#ifndef KVM_HOST_H\n#define KVM_HOST_H\n\n#define VM_MODE\t1\n\nstruct kvm_arch {\n\tint vmid;\n\tint mode;\n};\n\nstruct kvm {\n\tstruct kvm_arch arch;\n\tint users;\n};\n\nvoid load_guest(struct kvm *kvm, int cpu);\nint enter_guest(struct kvm *kvm);\nvoid note_exit(int reason);\n\n#endif\n',
  'arch/arm64/include/asm/kvm_hyp.h':
    '#define __hyp_text __attribute__((section(".hyp.text")))\n\nvoid __hyp_text save_state(int cpu);\n',
  'arch/arm64/kvm/guest.c':
    '#include <asm/kvm_host.h>\n\nint first_step(struct kvm *kvm)\n{\n\tif (kvm->arch.mode)\n\t\treturn -1;\n\tload_guest(kvm, 0);\n\tkvm->users++;\n\treturn 0;\n}\n\nint second_step(struct kvm *kvm)\n{\n\tint ret = enter_guest(kvm);\n\n\tnote_exit(ret);\n\treturn ret;\n}\n\nvoid load_guest(struct kvm *kvm, int cpu)\n{\n\tkvm->arch.vmid = cpu;\n}\n\nvoid note_exit(int reason)\n{\n}\n',
  'arch/arm64/kvm/switch.c':
    '#include <asm/kvm_host.h>\n#include <asm/kvm_hyp.h>\n\nvoid __hyp_text save_state(int cpu)\n{\n}\n\nint __hyp_text enter_guest(struct kvm *kvm)\n{\n\tsave_state(0);\n\treturn kvm->arch.mode;\n}\n',
  'arch/arm64/kvm/entry.S': '#include <asm/kvm_host.h>\n\nENTRY(enter)\n\tmov\tx0, #1\n\tret\nENDPROC(enter)\n',
};

/** The set: option, field, macro, prototype, guards of each form, an unguarded line, a corevisor folder. */
function withSet(files: Files): Files {
  let f = files;
  f = edit(
    f,
    'arch/arm64/kvm/Kconfig',
    'config KVM_PMU',
    'config CORE_KVM\n\tbool "Core"\n\tdepends on KVM\n\nconfig KVM_PMU',
  );
  f = edit(
    f,
    'arch/arm64/Makefile',
    'core-$(CONFIG_KVM) += arch/arm64/kvm/\n',
    'core-$(CONFIG_KVM) += arch/arm64/kvm/\ncore-$(CONFIG_CORE_KVM) += arch/arm64/core/\n',
  );
  f = edit(
    f,
    'arch/arm64/include/asm/kvm_host.h',
    '\tint mode;\n',
    '\tint mode;\n#ifdef CONFIG_CORE_KVM\n\tint owner_id;\n#endif\n',
  );
  f = edit(f, 'arch/arm64/include/asm/kvm_host.h', '\nstruct kvm_arch {', '#define CORE_OWNER\t7\n\nstruct kvm_arch {');
  f = edit(
    f,
    'arch/arm64/include/asm/kvm_host.h',
    'void note_exit(int reason);\n',
    'void note_exit(int reason);\nint core_call(int number, int cpu);\n',
  );
  f = edit(
    f,
    'arch/arm64/kvm/guest.c',
    '\tload_guest(kvm, 0);\n',
    '#ifndef CONFIG_CORE_KVM\n\tload_guest(kvm, 0);\n#else\n\tcore_call(CORE_OWNER, 0);\n\tload_guest(kvm, kvm->arch.vmid);\n#endif\n',
  );
  f = edit(
    f,
    'arch/arm64/kvm/guest.c',
    '\tnote_exit(ret);\n',
    '\tnote_exit(ret + 1);\n#ifdef CONFIG_CORE_KVM\n\tkvm->arch.owner_id = ret;\n#endif\n',
  );
  f = edit(
    f,
    'arch/arm64/kvm/switch.c',
    '\treturn kvm->arch.mode;\n',
    '#ifdef CONFIG_CORE_KVM\n\tsave_state(core_switch(kvm->arch.mode));\n#endif\n\treturn kvm->arch.mode;\n',
  );
  f = edit(
    f,
    'arch/arm64/kvm/entry.S',
    '\tmov\tx0, #1\n',
    '#ifdef CONFIG_CORE_KVM\n\tmov\tx0, #2\n#else\n\tmov\tx0, #1\n#endif\n',
  );
  f = edit(
    f,
    'arch/arm64/kvm/switch.c',
    '#include <asm/kvm_hyp.h>\n',
    '#include <asm/kvm_hyp.h>\n#include <asm/core.h>\n',
  );
  return {
    ...f,
    'arch/arm64/include/asm/core.h': '#define CORE_TRAP\t9\n\nint core_switch(int mode);\n',
    'arch/arm64/core/Makefile': 'obj-y += core.o\nobj-y += trap.o\n',
    'arch/arm64/core/core.c':
      '#include <asm/kvm_host.h>\n#include <asm/kvm_hyp.h>\n#include <asm/core.h>\n\nint __hyp_text core_switch(int mode)\n{\n\tsave_state(mode);\n\treturn mode + CORE_TRAP;\n}\n\nint core_call(int number, int cpu)\n{\n\treturn number + cpu;\n}\n',
    'arch/arm64/core/trap.c':
      '#include <asm/kvm_hyp.h>\n#include <asm/core.h>\n\nvoid __hyp_text core_trap(int cpu)\n{\n\tsave_state(core_switch(cpu));\n}\n',
  };
}

/** What upstream did meanwhile: a function more, an include more, one rename, lines on the way. */
function upstream(files: Files): Files {
  let f: Files = { ...files, Makefile: 'VERSION = 5\nPATCHLEVEL = 4\n' };
  f = edit(f, 'arch/arm64/include/asm/kvm_host.h', '\tint users;\n', '\tint users;\n\tint online;\n');
  f = edit(f, 'arch/arm64/kvm/guest.c', '\tkvm->users++;\n', '\tkvm->users++;\n\tkvm->online = 1;\n');
  f = edit(
    f,
    'arch/arm64/kvm/guest.c',
    'int second_step(',
    'int middle_step(struct kvm *kvm)\n{\n\tif (kvm->online)\n\t\treturn 1;\n\treturn kvm->users;\n}\n\nint second_step(',
  );
  f = edit(f, 'arch/arm64/kvm/Makefile', 'obj-$(CONFIG_KVM) += switch.o\n', 'obj-$(CONFIG_KVM) += switch.o entry.o\n');
  return f;
}

export const base = BASE;
export const patched = withSet(BASE);
export const target = upstream(BASE);
export const ported = withSet(upstream(BASE));
