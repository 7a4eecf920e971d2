import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HunkReport, Outcome } from '../../src/core/outcome';
import type { PortReport } from '../../src/core/report';
import { kportMail } from './run-mail';
import { smallKernel, type TestRepo } from './small-kernel';

let repo: TestRepo;
beforeEach(() => {
  repo = smallKernel();
});
afterEach(() => repo.remove());

const STAFF = ['--to', 'staff@example.org', '--no-checkpatch'];
const dir = () => path.join(repo.dir, '.git/kport/ports');

function hunk(
  outcome: Outcome,
  from: string,
  to: string | null,
  line: number,
  more: Partial<HunkReport> = {},
): HunkReport {
  const place = (p: string) => ({ path: p, definition: null, line });
  return {
    ...{ id: 'x', patch: '0001.patch', path: from, header: '@@', role: 'hostvisor', edits: [], outcome, strategy: 'x' },
    ...{
      confidence: 1,
      source: place(from),
      target: to ? [place(to)] : [],
      evidence: [],
      causedBy: null,
      message: null,
      inert: false,
    },
    ...more,
  } as HunkReport;
}

function storePort(hunks: HunkReport[], checks: unknown[] | null, more: Partial<PortReport> = {}): void {
  const report: PortReport = {
    ...{ schemaVersion: 1, set: 'guard-5.0', patchesDir: '/nonexistent', option: 'CONFIG_GUARDED_KVM' },
    base: { name: 'v5.0', version: 'v5.0', commit: null },
    target: { name: 'v5.4', version: 'v5.4', commit: repo.git('rev-parse', 'v5.4') },
    result: {
      tree: repo.dir,
      branch: 'ported',
      out: null,
      commits: [],
      patches: [],
      treeId: repo.git('rev-parse', 'ported^{tree}'),
    },
    summary: {
      ...{ hunks: hunks.length, placed: hunks.length },
      byOutcome: {} as PortReport['summary']['byOutcome'],
      files: { modified: 5, added: 5, deleted: 0, binary: 0, unreadable: 0 },
    },
    ...{ files: [], hunks, rejects: [], notes: [], timing: {} },
    ...more,
  };
  mkdirSync(path.join(dir(), 'ported'), { recursive: true });
  writeFileSync(path.join(dir(), 'ported/port.json'), JSON.stringify(report));
  writeFileSync(path.join(dir(), '.last'), 'ported\n');
  if (checks) {
    const treeId = repo.git('rev-parse', 'ported^{tree}');
    writeFileSync(path.join(dir(), 'ported/check.json'), JSON.stringify({ schemaVersion: 1, treeId, checks }));
  }
}

const CHECKS = [
  { name: 'compile', result: 'pass', reason: 'all objects build', findings: [] },
  { name: 'boot', result: 'skipped', reason: 'no qemu', findings: [] },
];
const HUNKS = [
  hunk('applied', 'virt/arm.c', 'arch/arm64/kvm/arm.c', 2),
  hunk('relocated', 'virt/mmu.c', 'arch/arm64/kvm/mmu.c', 14, {
    causedBy: { release: 'v5.2', commit: '0123456789abcdef0123', text: 'virt/mmu.c was moved' },
  }),
  hunk('obsolete', 'virt/gone.c', null, 1, { causedBy: { release: 'v5.3', commit: null, text: 'gone' } }),
];

test('the port that was made last is mailed, with outcomes, checks and a note per patch', async () => {
  storePort(HUNKS, CHECKS);
  const ran = await kportMail('--tree', repo.dir, ...STAFF, '-s', '-o', '-');
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('pass: tree')]);
  expect(ran.stdout).toContain('Subject: [PATCH 0/8] KVM: arm64: Port guard-5.0 to Linux 5.4');
  expect(ran.stdout).toContain('Outcomes of the 3 hunks in existing files: 1 applied, 1 relocated, 1\nobsolete.');
  expect(ran.stdout).toContain('Checks that ran:\n- compile: pass, all objects build');
  expect(ran.stdout).toContain('Checks that did not run:\n- boot: no qemu');
  expect(ran.stdout).toContain('- obsolete: virt/gone.c');
  expect(ran.stdout).toContain(
    [
      'Signed-off-by: Aïda Núñez <aida@example.net>',
      '[Zoë Übersetzer: ported from v5.0 to v5.4: 1 relocated',
      ' - relocated: virt/mmu.c -> arch/arm64/kvm/mmu.c: virt/mmu.c was moved',
      '   (commit 0123456789ab, v5.2)]',
      'Signed-off-by: Zoë Übersetzer <zoe@example.org>',
      '---',
    ].join('\n'),
  );
});

test('the letter names the reference that was used, and what came of it; without one it is silent', async () => {
  const hunks = [
    hunk('relocated', 'virt/mmu.c', 'arch/arm64/kvm/mmu.c', 14, { strategy: 'reference' }),
    hunk('applied', 'a.c', 'a.c', 2, { evidence: [{ kind: 'reference-agrees', text: 'it stands there, too' }] }),
    hunk('applied', 'b.c', 'b.c', 2, { evidence: [{ kind: 'reference-differs', text: 'it stands elsewhere' }] }),
  ];
  storePort(hunks, CHECKS, { reference: { name: 'guard-5.2', version: 'v5.2' } });
  const { stdout } = await kportMail('--tree', repo.dir, ...STAFF, '-o', '-');
  expect(stdout.replace(/\n/g, ' ')).toContain(
    'The set guard-5.2, made for v5.2, was the reference: 1 hunk was placed with its help, it agrees with 1 more, it has 1 in other words or places.',
  );
  storePort(hunks, CHECKS);
  expect((await kportMail('--tree', repo.dir, ...STAFF, '-o', '-')).stdout).not.toContain('was the reference');
});

test('--notes puts the port note below the line, out of the history', async () => {
  storePort(HUNKS, CHECKS);
  const ran = await kportMail('--tree', repo.dir, ...STAFF, '--notes', '-o', '-');
  expect(ran.stdout).toMatch(/---\n\nNotes \(review\):\n {4}ported from v5\.0 to v5\.4: 1 relocated\n {4}- relocated/);
  expect(ran.stdout).not.toContain('[Zoë');
});

test.each([
  ['hunks left over', [...HUNKS, hunk('conflict', 'a.c', null, 1)], CHECKS, '1 hunk of 4 could not be placed'],
  ['no checks', HUNKS, null, 'the tree was not checked'],
  [
    'a failed check',
    HUNKS,
    [{ name: 'compile', result: 'fail', reason: '', findings: [] }],
    "the check 'compile' failed",
  ],
])('a port with %s is refused, unless comments are asked for', async (_, hunks, checks, why) => {
  storePort(hunks, checks);
  const refused = await kportMail('--tree', repo.dir, ...STAFF);
  expect([refused.code, refused.stdout]).toEqual([2, '']);
  expect(refused.stderr).toContain(`error: the port 'ported' is not ready to be mailed: ${why}`);
  expect(refused.stderr).toContain("give '--rfc --allow-incomplete'");
  const asked = await kportMail('--tree', repo.dir, ...STAFF, '--rfc', '--allow-incomplete', '-o', '-');
  expect(asked.code).toBe(0);
  expect(asked.stdout).toContain(`THIS PORT IS NOT COMPLETE:\n\n- ${why}`);
});

test('checks of another tree do not count, and the letter says that the branch has changed', async () => {
  storePort(HUNKS, CHECKS);
  repo.write({ 'arch/arm64/guard/boot.c': 'int other;\n' });
  repo.git('commit', '-qa', '--amend', '-C', 'HEAD');
  const ran = await kportMail('--tree', repo.dir, ...STAFF, '--rfc', '--allow-incomplete', '-o', '-');
  expect(ran.stdout).toContain('- the tree was not checked');
  expect(ran.stdout).toContain('The branch was changed after it was ported');
});
