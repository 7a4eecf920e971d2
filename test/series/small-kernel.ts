import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Nothing of who runs the tests gets into the repositories. */
export const ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  TZ: 'UTC',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_DATE: '1600000000 +0200',
  GIT_COMMITTER_DATE: '1600000000 +0200',
};

export type Files = Record<string, string | null>;

/** A git repository made for one test. */
export class TestRepo {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'kport-test-'));

  constructor() {
    this.git('init', '-q', '-b', 'main');
    this.git('config', 'user.name', 'Zoë Übersetzer');
    this.git('config', 'user.email', 'zoe@example.org');
  }

  git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.dir, env: ENV, encoding: 'latin1', maxBuffer: 1 << 28 }).trim();
  }

  write(files: Files): void {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.dir, name);
      if (text === null) rmSync(file);
      else {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, Buffer.from(text, 'latin1'));
      }
    }
  }

  commit(message: string, files: Files, author = 'Aïda Núñez <aida@example.net>'): string {
    this.write(files);
    this.git('add', '-A');
    execFileSync('git', ['commit', '-q', '--allow-empty', `--author=${author}`, '-F', '-'], {
      cwd: this.dir,
      env: ENV,
      input: message,
    });
    return this.git('rev-parse', 'HEAD');
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const lines = (n: number, word: string) => Array.from({ length: n }, (_, i) => `static int ${word}_${i};\n`).join('');

/** Something that looks like a kernel: a few files of every kind that a hypervisor set touches. */
export const BASE: Files = {
  Makefile: 'VERSION = 5\nPATCHLEVEL = 4\nSUBLEVEL = 0\nEXTRAVERSION =\n',
  COPYING: 'free\n',
  MAINTAINERS: [
    'Maintainers List',
    '----------------',
    '',
    'BUS OF TOYS',
    'M:\tToy Owner <toys@example.com>',
    'L:\ttoys@lists.example.com',
    'S:\tMaintained',
    'F:\tdrivers/toy/',
    'X:\tdrivers/toy/excluded/',
    '',
    'KVM FOR TEST',
    'M:\tMarc Example <marc@example.com>',
    'R:\tRita Reviewer <rita@example.com>',
    'L:\tkvmtest@lists.example.com (moderated for non-subscribers)',
    'S:\tMaintained',
    'F:\tarch/arm64/kvm/',
    'N:\thyp[_-]stub',
    'K:\tVERIFIED_GUEST',
    '',
    'THE REST',
    'L:\tlkml@lists.example.com',
    'S:\tBuried',
    'F:\t*',
    'F:\t*/',
    '',
  ].join('\n'),
  'arch/arm64/Kconfig': 'config ARM64\n\tdef_bool y\n\n# end\n',
  'arch/arm64/Makefile': 'core-y += arch/arm64/kernel/\ncore-y += arch/arm64/kvm/\n',
  'arch/arm64/include/asm/kvm_host.h': `#ifndef H\n#define H\nstruct kvm_vcpu_arch {\n\tint a;\n\tint b;\n};\n${lines(20, 'host')}int toy_attach(int group);\n#endif\n`,
  'arch/arm64/kvm/arm.c': `#include <asm/kvm_host.h>\n${lines(20, 'arm')}int kvm_init(void)\n{\n\treturn 0;\n}\n${lines(20, 'more')}int kvm_exit(void)\n{\n\treturn 0;\n}\n`,
  'arch/arm64/kvm/mmu.c': `${lines(10, 'mmu')}int stage2_map(void)\n{\n\treturn 1;\n}\n`,
  'drivers/toy/toy.c': `${lines(10, 'toy')}int toy_attach(int group)\n{\n\treturn group;\n}\n`,
  'drivers/toy/user.c': `${lines(10, 'user')}int use(void)\n{\n\treturn toy_attach(1);\n}\n`,
};

/** A set like the real ones: an option, a new folder, headers, hooks under the option, and a changed signature. */
export const SET: Files = {
  'arch/arm64/Kconfig':
    'config ARM64\n\tdef_bool y\n\nconfig GUARDED_KVM\n\tbool "Guarded KVM"\n\thelp\n\t  Guards.\n\n# end\n',
  'arch/arm64/Makefile':
    'core-y += arch/arm64/kernel/\ncore-y += arch/arm64/kvm/\ncore-$(CONFIG_GUARDED_KVM) += arch/arm64/guard/\n',
  'arch/arm64/configs/guarded_defconfig': 'CONFIG_GUARDED_KVM=y\n',
  'arch/arm64/guard/Makefile': 'obj-y += boot.o pagetable.o\n',
  'arch/arm64/guard/boot.c':
    '#include <asm/guard_core.h>\nint guard_boot(void)\n{\n\treturn guard_map_page(GUARD_BASE);\n}\n',
  'arch/arm64/guard/pagetable.c':
    '#include <asm/guard_core.h>\nint guard_map_page(int x)\n{\n\treturn x; /* na\xc3\xafve */\n}\n',
  'arch/arm64/include/asm/guard_core.h':
    '#define GUARD_BASE 0x1000\nint guard_boot(void);\nint guard_map_page(int x);\n',
  'arch/arm64/include/asm/kvm_host.h': BASE['arch/arm64/include/asm/kvm_host.h']!.replace(
    '\tint b;\n',
    '\tint b;\n#ifdef CONFIG_GUARDED_KVM\n\tint guard_state;\n#endif\n',
  ).replace('toy_attach(int group);', 'toy_attach(int group, int owner);'),
  'arch/arm64/kvm/arm.c': BASE['arch/arm64/kvm/arm.c']!.replace(
    '#include <asm/kvm_host.h>\n',
    '#include <asm/kvm_host.h>\n#ifdef CONFIG_GUARDED_KVM\n#include <asm/guard_core.h>\n#endif\n',
  ).replace(
    'int kvm_init(void)\n{\n\treturn 0;',
    'int kvm_init(void)\n{\n#ifdef CONFIG_GUARDED_KVM\n\treturn guard_boot();\n#endif\n\treturn 0;',
  ),
  'arch/arm64/kvm/mmu.c': BASE['arch/arm64/kvm/mmu.c']!.replace(
    '\treturn 1;',
    '#ifdef CONFIG_GUARDED_KVM\n\treturn guard_map_page(2);\n#endif\n\treturn 1;',
  ),
  'drivers/toy/toy.c': BASE['drivers/toy/toy.c']!.replace('toy_attach(int group)', 'toy_attach(int group, int owner)'),
  'drivers/toy/user.c': BASE['drivers/toy/user.c']!.replace('toy_attach(1)', 'toy_attach(1, 2)'),
};

/** A repository with the base (tag `v5.4`) and the set as one commit (branch `ported`). */
export function smallKernel(base: Files = BASE, set: Files = SET): TestRepo {
  const repo = new TestRepo();
  repo.commit('Linux 5.4\n', base, 'Release <release@example.com>');
  repo.git('tag', 'v5.4');
  repo.git('checkout', '-q', '-b', 'ported');
  repo.commit(
    'Guard KVM\n\nA guard for KVM.\n\nSigned-off-by: Aïda Núñez <aida@example.net>\nReviewed-by: Re Viewer <re@example.com>\n',
    set,
  );
  return repo;
}
