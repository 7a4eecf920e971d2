import type { ByteString } from '../core/text';

/**
 * The topics of a retrofitted hypervisor's patch set, as data: what belongs together in one mail, what the mail is
 * called, and where it stands when no need says otherwise. The first row that matches a file wins.
 */
export interface Topic {
  key: string;
  /** Patches of one family may be merged when there are too many. */
  family: string;
  /** Default place in the series; needs come first. */
  rank: number;
  /** The title, without the subsystem's prefix. */
  title: string;
  /** Why the patch is there: one paragraph of its message. */
  why: string;
  /** Prefix when neither the log nor {@link PREFIXES} should decide. */
  prefix?: string;
  /** What it is about, for the title of a patch that holds several topics of its family. */
  short?: string;
  /** Not reviewed line by line. */
  bulk?: boolean;
}

/** What a rule may ask of a file. */
export interface FileFacts {
  path: ByteString;
  isNew: boolean;
  /** In a folder that the set brings, with a Makefile of its own; or called corevisor by the port report. */
  corevisor: boolean;
  /** In a sub-folder of such a folder that asks nothing of the rest. */
  library: boolean;
}

const topic = (key: string, family: string, rank: number, title: string, why: string, prefix?: string): Topic => ({
  key,
  family,
  rank,
  title,
  why,
  ...(prefix === undefined ? {} : { prefix }),
});

export const MOVES = topic(
  'moves',
  'moves',
  35,
  'Move %what to %to',
  'Code changes its place here so that a later patch can share it. What stays behind includes the new file.',
);

const SHORT: Readonly<Record<string, string>> = {
  'corevisor-memory': 'page tables',
  'corevisor-core': 'boot and virtual CPUs',
  'corevisor-smmu': 'SMMU protection',
  hypercalls: 'host calls',
  'host-init': 'setup',
  'host-vcpu': 'vCPUs',
  'host-mmu': 'stage 2',
  'el2-entry': 'EL2',
};

/** Titles of patches that hold several topics of a family; `%s` are their short names. */
export const FAMILY_TITLES: Readonly<Record<string, string>> = {
  corevisor: 'Add %s to the corevisor',
  hostvisor: 'Hand %s to the corevisor',
};

export const TOPICS: Record<string, Topic> = Object.fromEntries(
  [
    topic(
      'uapi',
      'headers',
      10,
      'Add the user space interface of the corevisor',
      'User space sets up and asks about protected virtual machines through these definitions.',
    ),
    topic(
      'corevisor-headers',
      'headers',
      20,
      'Add the headers of the corevisor',
      'Types, constants and prototypes that the code at EL2 and its callers in the host share.',
      'KVM: arm64: ',
    ),
    topic(
      'kvm-headers',
      'headers',
      30,
      "Prepare KVM's headers for the corevisor",
      "Members, accessors and prototypes in KVM's own headers that the following patches use.",
    ),
    topic(
      'library',
      'library',
      40,
      'Add a library for the corevisor',
      'Code from elsewhere that runs at EL2. It uses nothing of the kernel around it and is best reviewed as a whole.',
      'KVM: arm64: ',
    ),
    topic(
      'other',
      'other',
      50,
      'Adapt %what for the corevisor',
      'A small change outside of KVM that the rest relies on.',
    ),
    topic(
      'corevisor-memory',
      'corevisor',
      60,
      'Add page tables and memory of the corevisor',
      'The corevisor alone writes stage 2 and its own page tables, and knows the owner of every page.',
      'KVM: arm64: ',
    ),
    topic(
      'corevisor-core',
      'corevisor',
      70,
      'Add the core of the corevisor',
      'Boot, virtual machines and virtual CPUs as the trusted code at EL2 keeps them.',
      'KVM: arm64: ',
    ),
    topic(
      'corevisor-smmu',
      'corevisor',
      80,
      'Add SMMU protection to the corevisor',
      'Devices may only reach memory of their owner: the corevisor programs the SMMU and traps the host’s attempts.',
      'KVM: arm64: ',
    ),
    topic(
      'hypercalls',
      'corevisor',
      90,
      'Add the calls between host and corevisor',
      'Traps and numbered calls by which the host asks the corevisor, with the stubs of the host.',
      'KVM: arm64: ',
    ),
    topic(
      'el2-entry',
      'hostvisor',
      100,
      'Enter and leave EL2 by way of the corevisor',
      'Vectors, world switch and linker sections at EL2 lead to the corevisor when it is built in.',
    ),
    topic(
      'host-init',
      'hostvisor',
      110,
      'Set up the corevisor from KVM',
      'KVM hands over memory and vectors when it starts, and then registers virtual machines instead of making them.',
    ),
    topic(
      'host-vcpu',
      'hostvisor',
      120,
      'Ask the corevisor for vCPU state and exits',
      'Registers of a guest are out of reach for the host; what an exit needs is asked for.',
    ),
    topic(
      'host-mmu',
      'hostvisor',
      130,
      'Leave stage 2 page tables to the corevisor',
      'Where KVM wrote stage 2 tables itself it now calls the corevisor.',
    ),
    topic(
      'host-other',
      'hostvisor',
      140,
      'Hook the corevisor into KVM',
      'Further places in KVM that the corevisor takes over.',
    ),
    topic(
      'iommu',
      'iommu',
      150,
      'Leave the SMMU to the corevisor',
      'The driver asks the corevisor for what it must no longer do itself.',
    ),
    topic(
      'vfio',
      'vfio',
      160,
      'Tell the IOMMU which virtual machine owns a device',
      'The owner of an assigned device goes along with its group.',
    ),
    topic(
      'build',
      'build',
      900,
      'Add the option and build the corevisor',
      'The option comes after what it switches on: with it off every step builds as before.',
    ),
    topic(
      'defconfig',
      'defconfig',
      910,
      'Add default configurations',
      'Configurations that the set is built and tested with.',
    ),
    topic('docs', 'docs', 920, 'Document the corevisor', 'How it works and how it is used.'),
  ].map((t) => [t.key, { ...t, short: SHORT[t.key], bulk: t.key === 'library' || t.key === 'defconfig' }]),
);

interface Rule {
  topic: string;
  path?: RegExp;
  isNew?: boolean;
  corevisor?: boolean;
  library?: boolean;
}

/** Path patterns by subsystem, most particular first. */
const RULES: readonly Rule[] = [
  { topic: 'docs', path: /^Documentation\/|\.(rst|txt|md)$/ },
  { topic: 'defconfig', path: /\/configs\/|(^|\/)\w*_?defconfig$|\.config$/ },
  { topic: 'library', library: true },
  { topic: 'build', path: /(^|\/)Kconfig[^/]*$/ },
  { topic: 'build', path: /(^|\/)(Makefile|Kbuild)[^/]*$/, isNew: false },
  { topic: 'uapi', path: /(^|\/)uapi\// },
  { topic: 'vfio', path: /(^|\/)vfio/ },
  { topic: 'corevisor-headers', path: /\.h$/, corevisor: true },
  { topic: 'corevisor-smmu', path: /s?mmu[^/]*$/i, corevisor: true },
  { topic: 'corevisor-memory', path: /(pt|page|mem|mmio|mmu|pgtable|alloc|walk)[^/]*$/i, corevisor: true },
  {
    topic: 'hypercalls',
    path: /(trap|hvc|hypercall|hyp_?call|dispatch|fault|handler|el1|stub)[^/]*$/i,
    corevisor: true,
  },
  { topic: 'corevisor-core', corevisor: true },
  { topic: 'iommu', path: /iommu|smmu|io-pgtable/ },
  { topic: 'corevisor-headers', path: /^arch\/[^/]+\/include\/.*\.h$/, isNew: true },
  { topic: 'el2-entry', path: /\/hyp\/|hyp-(stub|init|entry)|vectors|\.lds(\.S)?$/ },
  { topic: 'kvm-headers', path: /^(arch\/[^/]+\/)?include\/.*\.h$/ },
  { topic: 'host-mmu', path: /kvm\/(.*\/)?[^/]*mmu[^/]*\.[cS]$|^arch\/[^/]+\/mm\// },
  { topic: 'host-init', path: /kvm\/(.*\/)?(arm|kvm_main|init|reset|main|pkvm|va_layout)[^/]*\.[cS]$/ },
  {
    topic: 'host-vcpu',
    path: /kvm\/(.*\/)?[^/]*(exit|guest|regs|fault|debug|fpsimd|mmio|emul|vcpu|psci|pmu|hypercalls?|timer|vgic)/,
  },
  { topic: 'host-other', path: /(^|\/)kvm\/|^arch\// },
];

/** The topic of a file. */
export function topicOf(facts: FileFacts): Topic {
  const rule = RULES.find(
    (r) =>
      (r.path === undefined || r.path.test(facts.path)) &&
      (r.isNew === undefined || r.isNew === facts.isNew) &&
      (r.corevisor === undefined || r.corevisor === facts.corevisor) &&
      (r.library === undefined || r.library === facts.library),
  );
  return TOPICS[rule?.topic ?? 'other']!;
}

/** Subject prefixes for repositories without history, by path. The first match wins. */
export const PREFIXES: readonly { path: RegExp; prefix: string }[] = [
  { path: /^arch\/(arm64|arm)\/(include\/(uapi\/)?asm\/(kvm|virt)|kvm\/)/, prefix: 'KVM: arm64: ' },
  { path: /^virt\/kvm\/arm\//, prefix: 'KVM: arm/arm64: ' },
  { path: /^arch\/x86\/kvm\//, prefix: 'KVM: x86: ' },
  { path: /^arch\/riscv\/kvm\//, prefix: 'RISC-V: KVM: ' },
  { path: /^arch\/(\w+)\/kvm\//, prefix: 'KVM: $1: ' },
  { path: /^(virt\/kvm\/|include\/(kvm\/|linux\/kvm|uapi\/linux\/kvm))/, prefix: 'KVM: ' },
  { path: /^Documentation\/virt(ual)?\/kvm/, prefix: 'KVM: Documentation: ' },
  { path: /^Documentation\//, prefix: 'Documentation: ' },
  { path: /^drivers\/iommu\/(.*\/)?(arm-smmu-v3)/, prefix: 'iommu/arm-smmu-v3: ' },
  { path: /^drivers\/iommu\/(.*\/)?arm-smmu/, prefix: 'iommu/arm-smmu: ' },
  { path: /^drivers\/iommu\/io-pgtable/, prefix: 'iommu/io-pgtable: ' },
  { path: /^(drivers\/iommu\/|include\/linux\/iommu)/, prefix: 'iommu: ' },
  { path: /^drivers\/vfio\/(\w+)\//, prefix: 'vfio/$1: ' },
  { path: /^(drivers\/vfio\/|include\/(uapi\/)?linux\/vfio)/, prefix: 'vfio: ' },
  { path: /^drivers\/tty\/serial\/([\w-]+)\./, prefix: 'serial: $1: ' },
  { path: /^drivers\/of\//, prefix: 'of: ' },
  { path: /^scripts\/mod\//, prefix: 'modpost: ' },
  { path: /^scripts\/kconfig\//, prefix: 'kconfig: ' },
  { path: /^(scripts\/|Makefile$|Kbuild$)/, prefix: 'kbuild: ' },
  { path: /^arch\/(\w+)\//, prefix: '$1: ' },
  { path: /^drivers\/([\w-]+)\/([\w-]+)\//, prefix: '$1: $2: ' },
  { path: /^drivers\/([\w-]+)\//, prefix: '$1: ' },
  { path: /^(mm|net|block|crypto|sound|fs|kernel|lib|security|ipc|init)\//, prefix: '$1: ' },
];

/** The prefix that the table gives a path; empty when it knows none. */
export function prefixFromTable(path: ByteString): string {
  const row = PREFIXES.find((p) => p.path.test(path));
  return row ? path.match(row.path)![0].replace(row.path, row.prefix) : '';
}
