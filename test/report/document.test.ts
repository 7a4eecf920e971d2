import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { HunkReport } from '../../src/core/outcome';
import type { PortReport } from '../../src/core/report';
import { benchReport } from '../../src/report/bench/groups';
import { readMeasurements } from '../../src/report/bench/read';
import { documentPage } from '../../src/report/document/html';
import { documentPdf } from '../../src/report/document/pdf';
import { portDocument, subsystemOf } from '../../src/report/document/port';
import { tinyKernels } from './kernels';

let report: PortReport;
beforeAll(async () => {
  const kernels = await tinyKernels();
  report = await kernels.port('v4.20', 'kport/tiny');
  kernels.remove();
});

const sample = () =>
  benchReport([
    readMeasurements('sample.csv', readFileSync(path.join(__dirname, '../../fixtures/bench/sample.csv'), 'utf8')),
  ]);

const textOf = (blocks: ReturnType<typeof portDocument>) => JSON.stringify(blocks);

describe('the document', () => {
  it('says what is open, and that nothing was checked or measured', () => {
    const text = textOf(portDocument(report, null, null));
    for (const h of report.hunks.filter((x) => x.outcome === 'conflict')) expect(text).toContain(h.id);
    expect(text).toContain('nothing here says that the ported kernel builds');
    expect(text).toContain('None were given.');
  });

  it('tells by subsystem what upstream did and what became of the hunks', () => {
    const moved: HunkReport = {
      ...structuredClone(report.hunks[0]!),
      ...{ path: 'virt/kvm/arm/mmu.c', outcome: 'relocated', causedBy: null },
      target: [{ path: 'arch/arm64/kvm/mmu.c', definition: null, line: 1 }],
      evidence: [{ kind: 'symbol-renamed', text: "'a' is 'b' in 'c'" }],
    };
    const text = textOf(portDocument({ ...report, hunks: [moved] }, null, null));
    expect(text).toContain('KVM (1 of 1 hunk placed)');
    expect(text).toContain('virt/kvm/arm/mmu.c is in arch/arm64/kvm/mmu.c now: 1 hunk followed');
    expect(text).toContain("'a' is 'b' in 'c' (renamed)");
    const cause = { release: 'v5.8', commit: null, text: 'the files moved' };
    const lost: HunkReport = { ...moved, outcome: 'conflict', causedBy: cause, target: [] };
    expect(textOf(portDocument({ ...report, hunks: [lost] }, null, null))).toContain(
      'v5.8: the files moved: 1 hunk left',
    );
  });

  it('names the work items with their release', () => {
    const text = textOf(portDocument(report, null, null));
    expect(text).toContain('Work items');
    for (const item of report.workItems!) expect(text).toContain(JSON.stringify(item.title).slice(1, -1));
    expect(textOf(portDocument({ ...report, workItems: [] }, null, null))).not.toContain('Work items');
  });

  it('marks a sample as one', () => {
    expect(textOf(portDocument(report, null, sample()))).toContain('SAMPLE DATA');
  });

  it('escapes what it is given, as a page', () => {
    const html = documentPage('<x>', [{ kind: 'paragraph', text: '<script>alert(1)</script>' }]);
    expect(html).not.toContain('<script>');
    expect(html).toContain('<title>&#60;x&#62;</title>');
  });

  it('is a PDF without a browser, too, the same twice, whatever characters are in it', async () => {
    const blocks = portDocument({ ...report, set: 'größe → 名' }, null, sample());
    const [a, b] = [await documentPdf('t', blocks), await documentPdf('t', blocks)];
    expect(a.subarray(0, 5).toString('latin1')).toBe('%PDF-');
    expect(a.equals(b)).toBe(true);
    expect(a.toString('latin1').match(/\/Type \/Page\b/g)!.length).toBeGreaterThan(1);
  });

  it.each([
    ['virt/kvm/arm/vgic/vgic.c', 'KVM: interrupt controller'],
    ['arch/arm64/kvm/hyp/switch.c', 'KVM: code at EL2'],
    ['arch/arm64/include/asm/kvm_host.h', 'KVM'],
    ['drivers/iommu/arm-smmu.c', 'IOMMU'],
    ['Makefile', 'top of the tree'],
    ['kernel/sched/core.c', 'kernel/sched'],
  ])('counts %s to %s', (file, name) => expect(subsystemOf(file)).toBe(name));
});
