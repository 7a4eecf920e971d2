import type { Sandbox, Repo } from '../support/sandbox';

/**
 * A kernel of ours that a cross compiler can build: the targets that kport asks of a kernel's Makefile, and a few files. The
 * set is written for v4.18; `v5.4` has what upstream made of it.
 */
const makefile = (version: string, patchlevel: string) => `VERSION = ${version}
PATCHLEVEL = ${patchlevel}
SUBLEVEL = 0

KVM := $(patsubst %.c,%.o,$(wildcard arch/arm64/kvm/*.c))
OPTIONS = $(shell sed -n 's/^\\(CONFIG_[A-Z_]*\\)=y$$/-D\\1=1/p' $(O)/.config)

.PHONY: allnoconfig prepare arch/arm64/kvm/ $(KVM)

allnoconfig:
\tmkdir -p $(O)
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config

prepare:
\t@:

arch/arm64/kvm/: $(KVM)

$(KVM):
\tmkdir -p $(dir $(O)/$@)
\t$(CROSS_COMPILE)gcc -Werror=implicit-function-declaration -Iarch/arm64/include -Iinclude $(OPTIONS) -c -o $(O)/$@ $(@:.o=.c)
`;

const HOST = `#ifndef KVM_HOST_H
#define KVM_HOST_H

#include <asm/kvm_state.h>

struct kvm {
\tint users;
\tint exits[8];
};

void count_exit(struct kvm *kvm, int reason);
int lost_call(struct kvm *kvm);
int run_guest(struct kvm *kvm);

#endif
`;

const STATE = `#ifndef KVM_STATE_H
#define KVM_STATE_H

#define STATE_READY\t3

int state_of(int cpu);

#endif
`;

const GUEST = `#include <asm/kvm_host.h>

static int exits_seen;

void count_exit(struct kvm *kvm, int reason)
{
\tint slot = reason & 7;

\texits_seen++;

\tkvm->exits[slot] = kvm->exits[slot] + 1;
\tif (kvm->exits[slot] < 0)
\t\tkvm->exits[slot] = 0;
}

int lost_call(struct kvm *kvm)
{
\treturn kvm->users * exits_seen;
}

int run_guest(struct kvm *kvm)
{
\tint ready = 1;

\tkvm->users++;
\tif (ready)
\t\tcount_exit(kvm, 2);
\treturn kvm->users;
}
`;

const KCONFIG = 'config KVM\n\tbool "KVM"\n\nconfig OTHER\n\tbool "Other"\n';
const RULES = 'obj-$(CONFIG_KVM) += guest.o\n';

/** What the set is: an option, a file of its own, and a line in upstream's. */
const CORE = `#include <asm/kvm_host.h>

int core_exit(struct kvm *kvm)
{
\tcount_exit(kvm, 5);
\treturn 0;
}
`;
const LOST = `#include <asm/kvm_host.h>

int core_lost(struct kvm *kvm)
{
\treturn lost_call(kvm);
}
`;

const edited = (text: string, ...pairs: [string, string][]) =>
  pairs.reduce((t, [from, to]) => {
    if (!t.includes(from)) throw new Error(`no '${from}'`);
    return t.replace(from, () => to);
  }, text);

/** Makes `linux` with v4.18, v5.4 and, on the branch `set`, the set. */
export function buildableKernel(box: Sandbox): Repo {
  const repo = box.repo('linux');
  repo.write({
    Makefile: makefile('4', '18'),
    Kconfig: 'source "arch/arm64/kvm/Kconfig"\n',
    'arch/arm64/kvm/Kconfig': KCONFIG,
    'arch/arm64/kvm/Makefile': RULES,
    'arch/arm64/include/asm/kvm_host.h': HOST,
    'arch/arm64/include/asm/kvm_state.h': STATE,
    'arch/arm64/kvm/guest.c': GUEST,
  });
  repo.commit('v4.18');
  repo.tag('v4.18');
  repo.git(['checkout', '-q', '-b', 'set']);
  repo.commit('kvm: add a core', {
    'arch/arm64/kvm/Kconfig': edited(KCONFIG, ['config OTHER', 'config CORE_KVM\n\tbool "Core"\n\nconfig OTHER']),
    'arch/arm64/kvm/Makefile': `${RULES}obj-$(CONFIG_CORE_KVM) += core.o lost.o\n`,
    'arch/arm64/kvm/core.c': CORE,
    'arch/arm64/kvm/lost.c': LOST,
  });
  repo.commit('kvm: ask the core first', {
    'arch/arm64/kvm/guest.c': edited(GUEST, [
      '\tkvm->users++;\n',
      '#ifdef CONFIG_CORE_KVM\n\tif (state_of(0) != STATE_READY)\n\t\treturn -1;\n#endif\n\tkvm->users++;\n',
    ]),
  });
  repo.git(['checkout', '-q', 'main']);
  repo.commit('v5.4', {
    Makefile: makefile('5', '4'),
    // One function renamed and rewritten, one gone, with a variable that both used, and one header not included any more.
    'arch/arm64/include/asm/kvm_host.h': edited(
      HOST,
      ['void count_exit(struct kvm *kvm, int reason);', 'void note_leave(struct kvm *kvm, int why);'],
      ['int lost_call(struct kvm *kvm);\n', ''],
      ['#include <asm/kvm_state.h>\n\n', ''],
    ),
    'arch/arm64/kvm/guest.c': edited(
      GUEST,
      ['static int exits_seen;\n\n', ''],
      [
        GUEST.slice(GUEST.indexOf('void count_exit'), GUEST.indexOf('int lost_call')),
        'void note_leave(struct kvm *kvm, int why)\n{\n\tkvm->exits[why & 7]++;\n}\n\n',
      ],
      [GUEST.slice(GUEST.indexOf('int lost_call'), GUEST.indexOf('int run_guest')), ''],
      ['\tif (ready)\n\t\tcount_exit(kvm, 2);\n', '\tif (ready)\n\t\tnote_leave(kvm, 2);\n'],
    ),
  });
  repo.tag('v5.4');
  return repo;
}
