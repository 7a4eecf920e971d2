import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { apply, type ApplyRequest } from '../../src/apply';
import type { PortReport } from '../../src/core/report';
import { importSet } from '../../src/patch-set/import';

/** A repository of three tiny kernels and a patch set on the first: everything in it is made up. */
export interface TinyKernels {
  dir: string;
  repo: string;
  patches: string;
  git(...args: string[]): string;
  /** Ports the set to a branch. */
  port(to: string, branch: string | null, more?: Partial<ApplyRequest>): Promise<PortReport>;
  remove(): void;
}

const RUN = `#include <linux/kvm.h>

static int prepare(struct vcpu *v)
{
	v->ready = 1;
	return check_vcpu(v);
}

int run_vcpu(struct vcpu *v)
{
	int ret;

	ret = prepare(v);
	if (ret)
		return ret;
	load_state(v);
	ret = enter_guest(v);
	save_state(v);
	return ret;
}

void stop_vcpu(struct vcpu *v)
{
	v->ready = 0;
	notify(v);
}
`;

const FAULT = `#include <linux/kvm.h>

int handle_fault(struct vcpu *v, unsigned long addr)
{
	if (addr_is_device(addr))
		return handle_device(v, addr);
	return map_page(v, addr);
}
`;

const KCONFIG = `config KVM
	bool "KVM"
	help
	  Virtual machines.

config KVM_TIMER
	bool "Timer"
`;

/** What the set does: an option, a guarded replacement, a call put in, and a file of its own. */
function patched(files: Record<string, string>): Record<string, string> {
  return {
    ...files,
    Kconfig: files.Kconfig!.replace('config KVM_TIMER', 'config EL2_CORE\n\tbool "Core"\n\nconfig KVM_TIMER'),
    'kvm/run.c': files['kvm/run.c']!.replace(
      '\tret = enter_guest(v);\n',
      '#ifdef CONFIG_EL2_CORE\n\tret = core_enter_guest(v->id);\n#else\n\tret = enter_guest(v);\n#endif\n',
    ).replace('\tnotify(v);\n', '\tnotify(v);\n\tcore_forget(v->id);\n'),
    'kvm/fault.c': files['kvm/fault.c']!.replace(
      '\treturn map_page(v, addr);\n',
      '#ifdef CONFIG_EL2_CORE\n\tcore_map(v->id, addr);\n#endif\n\treturn map_page(v, addr);\n',
    ),
    'core/core.c': 'int core_enter_guest(int id)\n{\n\treturn id;\n}\n',
  };
}

export async function tinyKernels(): Promise<TinyKernels> {
  const dir = mkdtempSync(path.join(tmpdir(), 'kport-report-'));
  const repo = path.join(dir, 'repo');
  const patches = path.join(dir, 'patches');
  mkdirSync(repo);
  const env = {
    ...process.env,
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@example.org',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@example.org',
    GIT_AUTHOR_DATE: '1700000000 +0000',
    GIT_COMMITTER_DATE: '1700000000 +0000',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  const git = (...args: string[]) => execFileSync('git', ['-C', repo, ...args], { env, encoding: 'utf8' });
  const commit = (files: Record<string, string>, tag: string) => {
    git('rm', '-rq', '--ignore-unmatch', '.');
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(repo, name)), { recursive: true });
      writeFileSync(path.join(repo, name), text);
    }
    git('add', '-A');
    git('commit', '-qm', tag);
    git('tag', tag);
  };
  git('init', '-q', '-b', 'trunk');
  git('config', 'user.name', 'A');
  git('config', 'user.email', 'a@example.org');
  const makefile = (minor: number) => `VERSION = 4\nPATCHLEVEL = ${minor}\nSUBLEVEL = 0\n`;
  const base = { Makefile: makefile(18), Kconfig: KCONFIG, 'kvm/run.c': RUN, 'kvm/fault.c': FAULT };
  commit(base, 'v4.18');
  // Code moves down, nothing else.
  const next = {
    ...base,
    Makefile: makefile(19),
    'kvm/run.c': RUN.replace('static int', 'int new_hook(void);\n\nstatic int'),
  };
  commit(next, 'v4.19');
  // The line that the set replaces is another one, and the function of the other file is gone.
  commit(
    {
      ...next,
      Makefile: makefile(20),
      'kvm/run.c': next['kvm/run.c'].replace('\tret = enter_guest(v);\n', '\tret = loop_guest(v, 0, 1);\n'),
      'kvm/fault.c': '#include <linux/kvm.h>\n\nint on_abort(struct abort *a)\n{\n\treturn resolve(a);\n}\n',
    },
    'v4.20',
  );
  git('checkout', '-q', '--detach', 'v4.18');
  commit(patched(base), 'tiny-4.18');
  // A person's port: one line elsewhere, one left out.
  git('checkout', '-q', '--detach', 'v4.19');
  const hand = patched(next);
  hand['kvm/run.c'] = hand['kvm/run.c']!.replace('\tcore_forget(v->id);\n', '').replace(
    '\tv->ready = 1;\n',
    '\tv->ready = 1;\n\tcore_forget(v->id);\n',
  );
  hand['kvm/fault.c'] = next['kvm/fault.c'];
  commit(hand, 'hand-4.19');
  git('checkout', '-q', 'trunk');
  await importSet({
    ...{ name: 'tiny', patchesDir: patches, source: null, range: 'v4.18..tiny-4.18', repo },
    ...{ base: 'v4.18', force: false, dryRun: false },
  });
  return {
    ...{ dir, repo, patches, git },
    port: (to, branch, more = {}) =>
      apply({
        ...{ set: 'tiny', patchesDir: patches, tree: repo, to, baseTree: null, branch, out: null, force: true },
        ...{
          only: [],
          markers: false,
          chronicle: true,
          dryRun: branch === null && !more.out,
          progress: () => undefined,
        },
        ...more,
      }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
