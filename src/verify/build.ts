import path from 'node:path';
import { isBinary, type ByteString } from '../core/text';
import { exportTree, filesUnder, overlayFile, type Exported } from '../io/export';
import { readFileIfAny, writeFile } from '../io/files';
import { run, which } from '../io/process';
import type { KernelTree } from '../io/tree';
import { readDiagnostics, type Diagnostic } from './diagnostics';

/** How to build. */
export interface Toolchain {
  /** Prefix of the cross tools, `aarch64-linux-gnu-`. */
  prefix: string;
  /** First line of `gcc --version`. */
  version: string;
}

/** Milliseconds that each step may take. A broken Kconfig hangs for ever in `bc`. */
const LIMITS = { configure: 180_000, prepare: 600_000, build: 1_800_000, image: 3_600_000 };

/** The smallest configuration with KVM. Without NET and MULTIUSER KVM drops out with no word; the real sets want 4 levels. */
export const KVM_CONFIG = ['VIRTUALIZATION', 'KVM', 'NET', 'MULTIUSER', 'ARM64_4K_PAGES', 'ARM64_VA_BITS_48'];

/** Drivers whose files the known sets touch; what a tree does not know is ignored by Kconfig. */
export const DRIVER_CONFIG = [
  ...['TTY', 'SERIAL_AMBA_PL011', 'SERIAL_AMBA_PL011_CONSOLE', 'MODULES', 'PCI', 'IOMMU_SUPPORT', 'ARM_SMMU'],
  ...['IOMMU_IO_PGTABLE_LPAE', 'VFIO', 'VFIO_IOMMU_TYPE1', 'VFIO_NOIOMMU', 'VFIO_PLATFORM'],
];

/**
 * What a kernel needs to boot in QEMU's `virt` machine with our init. Huge pages: sets that check a guest's image take it
 * in blocks of 2 MB of physical memory, and whatever else lies in the block goes to the guest as well.
 */
export const BOOT_CONFIG = [
  ...KVM_CONFIG,
  ...['PRINTK', 'BUG', 'TTY', 'SERIAL_AMBA_PL011', 'SERIAL_AMBA_PL011_CONSOLE', 'SERIAL_EARLYCON', 'BLK_DEV_INITRD'],
  ...[
    'BINFMT_ELF',
    'PROC_FS',
    'SYSFS',
    'FUTEX',
    'EPOLL',
    'KALLSYMS',
    'DEVTMPFS',
    'CMDLINE_FROM_BOOTLOADER',
    'SMP',
    'TRANSPARENT_HUGEPAGE',
    'TRANSPARENT_HUGEPAGE_ALWAYS',
  ],
];

/** Finds the cross compiler: the given prefix, or the usual ones. Null when there is none. */
export async function findToolchain(prefix: string | null): Promise<Toolchain | null> {
  const names =
    prefix !== null ? [prefix] : ['aarch64-linux-gnu-', 'aarch64-unknown-linux-gnu-', 'aarch64-none-linux-gnu-'];
  for (const name of names) {
    if (!(await which(`${name}gcc`))) continue;
    const said = await run(`${name}gcc`, ['--version'], { timeoutMs: 10_000 });
    if (said.code === 0) return { prefix: name, version: said.stdout.toString('utf8').split('\n')[0]! };
  }
  return null;
}

/** Programs that a kernel build needs beside the compiler; those that are not there. */
export async function missingTools(): Promise<string[]> {
  const missing: string[] = [];
  for (const tool of ['make', 'flex', 'bison', 'bc', 'gcc', 'perl']) if (!(await which(tool))) missing.push(tool);
  return missing;
}

/**
 * What a build does not need: code of other architectures, of graphics and sound, of most drivers, tests, texts. Build
 * files stay, and so do headers, which are included from odd places (`kernel/sysctl_binary.c` wants one of XFS).
 */
export function isNeeded(p: ByteString): boolean {
  // What a build made and somebody committed: make refuses a source tree that is 'not clean'.
  if (/^(\.config(\.old)?$|include\/(config|generated)\/|arch\/[^/]+\/include\/generated\/)/.test(p)) return false;
  if (/(^|\/)(Kconfig|Makefile|Kbuild|Platform)[^/]*$/.test(p)) return true;
  if (p.startsWith('arch/')) return /^arch\/(arm64|arm)\//.test(p);
  if (/^(Documentation|drivers\/gpu|sound|samples|tools\/(testing|perf))\//.test(p)) return false;
  // `drivers/net` itself has the loopback device, which every network stack gets.
  const optional =
    /^(drivers\/(net\/[^/]+|media|staging|infiniband|scsi)|fs\/(xfs|btrfs|ocfs2|ext4|f2fs|cifs|nfs|nfsd|ceph))\//;
  return !optional.test(p) || p.endsWith('.h');
}

/** The outcome of one step of a build. */
export interface StepResult {
  ok: boolean;
  timedOut: boolean;
  milliseconds: number;
  log: string;
  diagnostics: Diagnostic[];
}

/** Sources of a kernel in a scratch folder. */
export class SourceFolder {
  private constructor(
    readonly dir: string,
    readonly exported: Exported,
  ) {}

  /** Writes the sources of a tree into `dir`; files that `touched` names are there in any case. */
  static async of(tree: KernelTree, dir: string, touched: (p: ByteString) => boolean): Promise<SourceFolder> {
    return new SourceFolder(dir, await exportTree(tree, dir, (p) => isNeeded(p) || touched(p)));
  }

  /** Makes the folder hold another tree: only what differs is written. */
  async become(from: KernelTree, to: KernelTree): Promise<ByteString[]> {
    const changed: ByteString[] = [];
    for (const p of new Set([...from.paths(), ...to.paths()])) {
      if (from.entry(p)?.oid === to.entry(p)?.oid) continue;
      const text = to.has(p) ? await to.read(p) : null;
      if (text !== null && isBinary(text)) continue;
      overlayFile(this.dir, p, text);
      changed.push(p);
    }
    return changed;
  }
}

/** A build out of tree: one configuration of one source folder. */
export class KernelBuild {
  constructor(
    readonly source: SourceFolder,
    /** The `O=` folder. */
    readonly out: string,
    readonly toolchain: Toolchain,
    readonly jobs: number,
    /** Variables for make, `KCFLAGS=…`. */
    private readonly variables: readonly string[] = [],
  ) {}

  /** `allnoconfig` with a fragment on top. Options that Kconfig dropped are told by {@link option}. */
  configure(fragment: string): Promise<StepResult> {
    const file = path.join(this.out, 'kport.config');
    writeFile(file, fragment);
    return this.make(['allnoconfig'], LIMITS.configure, { KCONFIG_ALLCONFIG: file });
  }

  prepare(): Promise<StepResult> {
    return this.make(['prepare'], LIMITS.prepare);
  }

  /** Builds targets, going on after errors. */
  build(targets: readonly string[]): Promise<StepResult> {
    return this.make(['-k', ...targets], LIMITS.build);
  }

  /**
   * Goes on over every error of `prepare` and of the targets: one error in a header that `asm-offsets.c` includes would
   * otherwise hide all others. What it says of assembly is not to be trusted, its offsets are missing.
   */
  async buildRegardless(targets: () => Promise<string[]>): Promise<StepResult> {
    const prepared = await this.make(['-i', 'prepare'], LIMITS.prepare);
    const generated = path.join(this.out, 'include/generated/asm-offsets.h');
    if (readFileIfAny(generated) === null) writeFile(generated, '');
    const built = await this.make(['-i', '-k', ...(await targets())], LIMITS.build);
    const isC = (d: Diagnostic) => d.path !== null && !d.path.endsWith('.S') && !/asm-offsets\.h$/.test(d.path);
    return { ...built, diagnostics: [...prepared.diagnostics, ...built.diagnostics].filter(isC) };
  }

  /** sparse over targets that are built: nothing is compiled again. */
  sparse(targets: readonly string[]): Promise<StepResult> {
    return this.make(['-k', 'C=2', ...targets], LIMITS.build);
  }

  image(): Promise<StepResult> {
    return this.make(['-k', 'Image'], LIMITS.image);
  }

  /** The value of an option in the `.config` as it came out; null when it is off. */
  option(name: string): string | null {
    const config = readFileIfAny(path.join(this.out, '.config')) ?? '';
    return new RegExp(`^${name}=(.*)$`, 'm').exec(config)?.[1] ?? null;
  }

  /** Object files that are there, relative to the `O=` folder. */
  objects(): string[] {
    return filesUnder(this.out, (name) => name.endsWith('.o')).filter((p) => !p.startsWith('scripts/'));
  }

  private async make(targets: string[], limit: number, env: Record<string, string> = {}): Promise<StepResult> {
    const begun = performance.now();
    const done = await run(
      'make',
      [
        '-C',
        this.source.dir,
        `O=${this.out}`,
        'ARCH=arm64',
        `CROSS_COMPILE=${this.toolchain.prefix}`,
        // dtc and others of old trees define variables in headers.
        'HOSTCFLAGS=-fcommon',
        `-j${this.jobs}`,
        ...this.variables,
        ...targets,
      ],
      { timeoutMs: limit, env: { ...CLEAN, ...env }, input: '' },
    );
    const log = `${done.stdout.toString('utf8')}\n${done.stderr}`;
    return {
      ok: done.code === 0,
      timedOut: done.timedOut,
      milliseconds: Math.round(performance.now() - begun),
      log,
      diagnostics: readDiagnostics(log, this.source.dir, this.out),
    };
  }
}

/** The user's environment may hold variables that a kernel build takes as its own. */
const CLEAN = {
  LC_ALL: 'C',
  ARCH: undefined,
  CROSS_COMPILE: undefined,
  KBUILD_OUTPUT: undefined,
  MAKEFLAGS: undefined,
  MFLAGS: undefined,
  CFLAGS: undefined,
  KCONFIG_CONFIG: undefined,
  LOCALVERSION: undefined,
  GCC_COLORS: '',
};

/** A configuration fragment. `off` wins over a default that switches it on. */
export function fragmentOf(on: readonly string[], off: readonly string[], extra: string): string {
  const name = (o: string) => (o.startsWith('CONFIG_') ? o : `CONFIG_${o}`);
  return [...on.map((o) => `${name(o)}=y`), ...off.map((o) => `# ${name(o)} is not set`), extra, ''].join('\n');
}
