import path from 'node:path';
import { apply } from '../../src/apply';
import type { PortReport } from '../../src/core/report';
import { fixtureKernels } from '../../src/cli/fixture-kernels';
import { GitRepo } from '../../src/io/git';
import { PLACED } from '../../src/core/outcome';

let report: PortReport;
let repo: GitRepo;
beforeAll(async () => {
  const tree = await fixtureKernels();
  repo = (await GitRepo.open(tree))!;
  report = await apply({
    ...{ set: 'corevisor-4.18', patchesDir: path.join(__dirname, '../../patches'), tree, to: 'v5.10', baseTree: null },
    ...{ branch: null, out: null, force: false, only: [], markers: false, chronicle: true, dryRun: true },
    progress: () => undefined,
  });
}, 120_000);
afterAll(() => repo.close());

const causes = (file: string, definition: string | null) =>
  report.hunks
    .filter((h) => h.path.endsWith(file) && h.source.definition === definition && h.outcome !== 'applied')
    .map((h) => h.causedBy);

describe('the bundled kernels', () => {
  it.each([
    ['kvm_host.h', '__cpu_init_stage2', 'v4.20', 'KVM: arm64'],
    ['kvm_mmu.h', '__kvm_flush_dcache_pte', 'v5.10', 'Put page tables into a library'],
    ['virt/kvm/arm/mmu.c', 'kvm_set_spte_hva', 'v5.10', 'Put page tables into a library'],
    ['virt/kvm/arm/mmio.c', 'decode_hsr', 'v5.8', 'Move virt/kvm/arm'],
    ['virt/kvm/arm/psci.c', 'kvm_psci_vcpu_on', 'v5.8', 'Move virt/kvm/arm'],
    ['hyp/switch.c', '__hyp_call_panic_nvhe', 'v5.9', 'Split EL2 code'],
    ['drivers/iommu/arm-smmu.c', 'arm_smmu_device_probe', 'v5.9', 'Give the drivers of Arm a folder'],
    ['drivers/iommu/arm-smmu.c', 'arm_smmu_device_remove', 'v5.9', 'Give the drivers of Arm a folder'],
    ['sys_regs.c', 'emulate_sys_reg', 'v5.1', 'Call the encoding of a register by its name'],
  ])('%s, %s: %s', async (file, definition, release, subject) => {
    const found = causes(file, definition);
    expect(found.length).toBeGreaterThan(0);
    for (const cause of found) {
      expect(cause?.release).toBe(release);
      expect(await repo.output(['log', '-1', '--format=%s', cause!.commit!])).toContain(subject);
    }
  });

  it('give every hunk that is left, or obsolete, a release that has the change', async () => {
    const tags = new Set(await repo.tags());
    const left = report.hunks.filter((h) => !PLACED.has(h.outcome));
    expect(left.length).toBeGreaterThan(0);
    for (const h of left) expect([h.id, tags.has(h.causedBy?.release ?? '')]).toEqual([h.id, true]);
    // The commit lies in the release that is named, and in none before.
    for (const h of left.filter((x) => x.causedBy?.commit)) {
      const first = (await repo.output(['tag', '--contains', h.causedBy!.commit!, '--sort=version:refname'])).split(
        '\n',
      );
      expect([h.id, first[0]]).toEqual([h.id, h.causedBy!.release]);
    }
  });

  it('lead to what has the work now, and draft nothing into the tree', async () => {
    const items = (report.workItems ?? []).filter((w) => w.heirs.length > 0 && w.draft !== null);
    expect(items.length).toBeGreaterThan(0);
    for (const item of items) {
      const kept = await repo.output([
        'ls-tree',
        '-r',
        '--name-only',
        report.target.commit!,
        '--',
        item.heirs[0]!.path,
      ]);
      expect(kept.trim()).toBe(item.heirs[0]!.path);
      expect(item.draft!.text).toMatch(/^# draft, not placed/);
      const ported = await repo.output(['show', `${report.target.commit!}:${item.draft!.path}`]);
      expect(ported).not.toContain('# draft, not placed');
    }
  });

  it('have each conflict in one work item', () => {
    const conflicts = report.hunks.filter((h) => h.outcome === 'conflict').map((h) => h.id);
    expect((report.workItems ?? []).flatMap((w) => w.hunks).sort()).toEqual(conflicts.sort());
  });
});
