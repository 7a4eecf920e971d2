import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { PortReport } from '../../src/core/report';
import { ApplySchema } from '../../src/report/schema/apply';
import { ShowSchema } from '../../src/report/schema/show';
import { StatusSchema, type StatusReport } from '../../src/report/schema/status';
import { WhySchema } from '../../src/report/schema/why';
import { edited, kernelWithSet, makefile } from '../support/kernel';
import { listing, Sandbox, type Repo } from '../support/sandbox';

let template: Sandbox;
let box: Sandbox;
let linux: Repo;

/** What upstream makes of the function that the set's third patch changes: nothing to hold on to is left. */
const rewritten = (text: string) =>
  edited(
    text,
    '\tvcpu->arch.stage2_map_count++;\n\treturn stage2_map_ret;\n',
    '\tif (stage2_map_ret)\n\t\tdrop_tables(vcpu);\n\n\tfinish_map(vcpu, stage2_map_ret);\n\treturn 0;\n',
  );

beforeAll(() => {
  template = new Sandbox();
  const repo = kernelWithSet(template, 'linux');
  expect(template.kport(['import', 'mine', '--repo', 'linux', '--range', 'v4.18..set']).status).toBe(0);
  const mmu = readFileSync(`${repo.dir}/arch/arm64/kvm/mmu.c`, 'utf8');
  repo.commit('Linux 5.8\n', { Makefile: makefile('v5.8'), 'arch/arm64/kvm/mmu.c': rewritten(mmu) });
  repo.tag('v5.8');
  // Another kernel: the file has more in it, and a line near the place is another one.
  const later = edited(rewritten(mmu), '\tif (stage2_map_ret)\n', '\tif (stage2_map_ret < 0)\n');
  repo.commit('Linux 5.10\n', {
    Makefile: makefile('v5.10'),
    'arch/arm64/kvm/mmu.c': later.replace('\nint stage2_map(', '\nint stage2_new(void);\n\nint stage2_map('),
  });
  repo.tag('v5.10');
  const done = template.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.8', '--branch', 'ported']);
  expect(done).toMatchObject({ status: 1, stdout: expect.stringContaining('3 of 4 hunks placed') });
  expect(done.stderr).toContain(
    'next: kport status --tree linux shows what is left, kport continue --tree linux resolves it\n',
  );
});
beforeEach(() => {
  box = new Sandbox(template);
  linux = box.open('linux');
});
afterEach(() => box.remove());
afterAll(() => template.remove());

const kport = (command: string, ...args: string[]) => box.kport([command, '--tree', 'linux', ...args]);
const status = (...args: string[]) => JSON.parse(kport('status', '--json', ...args).stdout) as StatusReport;
const idLeft = () => status().left[0]!.id;
/** What the porter says of the hunk is its own business. */
const plain = (text: string) => text.replaceAll(status().left[0]!.message!, 'MESSAGE').replace(/^evidence .*\n/gm, '');

/** Runs `kport continue` with an editor that is a piece of JavaScript: it gets the text as `t` and gives it back. */
function edit(javascript: string, ...args: string[]) {
  writeFileSync(
    box.path('edit.js'),
    `const fs = require('fs'); const f = process.argv[2]; let t = fs.readFileSync(f, 'latin1');\n${javascript}\nfs.writeFileSync(f, t, 'latin1');\n`,
  );
  return box.kport(['continue', '--tree', 'linux', ...args], {
    env: { GIT_EDITOR: `"${process.execPath}" "${box.path('edit.js')}"` },
  });
}

/** Takes the markers away and puts the set's line before `finish_map`. */
const SOLVE =
  "t = t.replace(/^<{7} [^]*?^>{7} .*\\n/m, '').replace('\\tfinish_map', '\\taccount_map(vcpu);\\n\\tfinish_map');";
const SOLVED = '\taccount_map(vcpu);\n\tfinish_map(vcpu, stage2_map_ret);\n';
const ported = (branch = 'ported') => linux.git(['show', `${branch}:arch/arm64/kvm/mmu.c`]);

describe('kport status', () => {
  test('says what is left, and what to do next; exit 1', () => {
    const done = kport('status');
    expect(done.status).toBe(1);
    expect(plain(done.stdout)).toMatchInlineSnapshot(`
      "mine: v4.18 -> v5.8 (v5.8)
      branch 'ported' in 'linux'

      outcome	hunks
      applied	3
      conflict	1

      3 of 4 hunks placed, 1 left

      left:
        arch/arm64/kvm/mmu.c
          5adfb2bea7cf line 10: MESSAGE
            caused by v5.8: the line 'vcpu->arch.stage2_map_count++;' left 'stage2_map' (arch/arm64/kvm/mmu.c) between v5.4 and v5.8, and 1 more line with it
      "
    `);
    expect(done.stderr).toMatchInlineSnapshot(`
      "
      next: kport why --tree linux 5adfb2bea7cf
            kport continue --tree linux
      "
    `);
  });

  test('without a port it says so', () => {
    expect(kport('status', '--branch', 'main')).toMatchObject({
      status: 2,
      stderr:
        "error: 'main' is no port of kport's in 'linux'\nhint: run 'kport apply --set NAME --tree DIR --to VERSION' first\n",
    });
  });
});

describe('kport why and kport show', () => {
  test('why: evidence, and both texts side by side', () => {
    const why = kport('why', idLeft().slice(0, 5));
    expect(why).toMatchObject({ status: 0, stderr: '' });
    expect(plain(why.stdout)).toMatchInlineSnapshot(`
      "hunk         5adfb2bea7cf, 0003-KVM-count-the-maps.patch
      from         arch/arm64/kvm/mmu.c:10 in 'stage2_map'
      role         hostvisor
      outcome      conflict, confidence 0 (none)
      message      MESSAGE
      caused by    v5.8: the line 'vcpu->arch.stage2_map_count++;' left 'stage2_map' (arch/arm64/kvm/mmu.c) between v5.4 and v5.8, and 1 more line with it
      edit 1       insert: conflict, confidence 0 (none)
      candidate 1  arch/arm64/kvm/mmu.c:12 in 'stage2_map'

      @ mine, @@ -10,6 +10,7 @@ int stage2_map(struct kvm_vcpu *vcpu, int arg) |
                                                                               | @ arch/arm64/kvm/mmu.c:4
               stage2_map_ret += walk_tables(vcpu, arg);                       |  {
                                                                               |          int stage2_map_ret = arg;
                                                                               |
                                                                               |          if (!vcpu->arch.stage2_map_state)
                                                                               |                  return -EINVAL;
                                                                               |
                                                                               |          stage2_map_ret += walk_more_tables(vcpu, arg, 0);
               stage2_map_ret += flush_tlb(vcpu, arg);                         |          stage2_map_ret += flush_tlb(vcpu, arg);
               vcpu->arch.stage2_map_count++;                                  |          if (stage2_map_ret)
      +        account_map(vcpu);                                              |
               return stage2_map_ret;                                          |                  drop_tables(vcpu);
                                                                               |
                                                                               |          finish_map(vcpu, stage2_map_ret);
                                                                               |          return 0;
       }                                                                       |  }
                                                                               |
                                                                               |  int stage2_unmap(struct kvm_vcpu *vcpu, int arg)
      "
    `);
    const placed = (
      JSON.parse(readFileSync(linux.dir + '/.git/kport/ports/ported/port.json', 'utf8')) as PortReport
    ).hunks.find((h) => h.path.endsWith('arm.c'))!;
    expect(kport('why', placed.id).stdout).toMatch(/\+#ifdef CONFIG_VERIFIED_KVM +\| \+#ifdef CONFIG_VERIFIED_KVM\n/);
    expect(kport('why', 'ffff')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no hunk 'ffff'/) as string,
    });
  });

  test('show: files, hunks and edit kinds; one hunk with its edits', () => {
    expect(kport('show', 'mine').stdout).toMatchInlineSnapshot(`
      "mine: 3 patches on v4.18, switched by CONFIG_VERIFIED_KVM

      0001-KVM-guard-the-entry.patch: KVM: guard the entry (Ann Author <ann@example.org>)
        arch/arm64/kvm/Kconfig	modified	build
          a28146793fdc @@ -7,3 +7,7 @@ +4 -0	list-entry
        arch/arm64/kvm/arm.c	modified	hostvisor
          b09f6f24bac9 @@ -22,7 +22,11 @@ +4 -0	guarded-replace

      0002-KVM-add-the-corevisor.patch: KVM: add the corevisor (Jürgen Müller <jm@example.org>)
        arch/arm64/kvm/Makefile	modified	build
          7ee1f74eb652 @@ -1,3 +1,4 @@ +1 -0	list-entry
        arch/arm64/sekvm/core.c	added	corevisor

      0003-KVM-count-the-maps.patch: KVM: count the maps (Ann Author <ann@example.org>)
        arch/arm64/kvm/mmu.c	modified	hostvisor
          5adfb2bea7cf @@ -10,6 +10,7 @@ +1 -0	insert
      "
    `);
    expect(kport('show', 'mine', idLeft()).stdout).toMatchInlineSnapshot(`
      "5adfb2bea7cf 0003-KVM-count-the-maps.patch: arch/arm64/kvm/mmu.c
      @@ -10,6 +10,7 @@ int stage2_map(struct kvm_vcpu *vcpu, int arg)
       	stage2_map_ret += walk_tables(vcpu, arg);
       	stage2_map_ret += flush_tlb(vcpu, arg);
       	vcpu->arch.stage2_map_count++;
      +	account_map(vcpu);
       	return stage2_map_ret;
       }
       

      edit 1: insert 7d7552636c31
        before line 13 (between)
          +	account_map(vcpu);
      "
    `);
  });

  test('show without the base: the hunks without their kinds, and it says so', () => {
    const other = box.repo('other');
    other.commit('Linux 5.4\n', { Makefile: makefile('v5.4') });
    const done = box.kport(['show', 'mine', '--tree', 'other']);
    expect(done.status).toBe(0);
    expect(done.stdout).toContain(idLeft());
    expect(done.stdout).not.toContain('guarded-replace');
    expect(done.stderr).toContain("note: the hunks are shown without their edits: 'other' has no v4.18");
  });

  test('what they print holds their schemas', () => {
    const documents = [
      [StatusSchema, kport('status', '--json')],
      [WhySchema, kport('why', idLeft(), '--json')],
      [ShowSchema, kport('show', 'mine', '--json')],
      [ShowSchema, kport('show', 'mine', idLeft(), '--json')],
    ] as const;
    for (const [schema, { stdout }] of documents) {
      const document = JSON.parse(stdout) as unknown;
      expect(schema.parse(document)).toEqual(document);
    }
  });
});

describe('kport continue', () => {
  test.each([
    ['the editor changes nothing', '', 'nothing was changed'],
    ['a marker is left', "t = t.replace(/^>{7} .*\\n/m, '') + '\\n';", 'conflict markers are left'],
    ['only the markers are taken away', "t = t.replace(/^<{7} [^]*?^>{7} .*\\n/m, '');", 'would stay as it is'],
    ['the editor fails', 'process.exit(7);', 'failed (exit code 7)'],
  ])('%s: exit 3, and nothing is recorded', (_, javascript, message) => {
    const before = [linux.git(['for-each-ref']), listing(`${linux.dir}/.git/kport`)];
    const done = edit(javascript);
    expect(done).toMatchObject({ status: 3, stdout: '' });
    expect(done.stderr).toContain(message);
    expect([linux.git(['for-each-ref']), listing(`${linux.dir}/.git/kport`)]).toEqual(before);
    expect(readdirSync(box.path('tmp'))).toEqual([]);
  });

  test('what a person makes of it is in the branch, and in the next port, of another target, too', () => {
    const id = idLeft();
    const done = edit(SOLVE);
    expect(done.stderr).toContain(`hunk ${id} is resolved\n`);
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('4 of 4 hunks placed, 0 left') as string });
    expect(ported()).toContain(SOLVED);
    expect(ported()).not.toContain('<<<<<<<');
    expect(status()).toMatchObject({
      ...{ left: [], resolved: [{ id, strategy: 'resolution', confidence: 1 }] },
      resolutions: [{ hunk: id, definition: 'stage2_map', by: 'Carl Committer <carl@example.org>', used: true }],
    });
    // The same target: the same commit.
    const tip = linux.git(['rev-parse', 'ported']);
    const again = box.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.8', '--branch', 'ported']);
    expect(again).toMatchObject({ status: 0, stderr: expect.stringContaining('note: 1 hunk placed as') as string });
    expect(linux.git(['rev-parse', 'ported'])).toBe(tip);
    // Another one, in which upstream changed a line near it.
    const next = box.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.10', '--json']);
    expect(next.status).toBe(0);
    const report = JSON.parse(next.stdout) as PortReport;
    expect(ApplySchema.parse(report)).toEqual(report);
    expect(report.summary).toMatchObject({ hunks: 4, placed: 4 });
    expect(report.hunks.find((h) => h.id === id)).toMatchObject({
      ...{ outcome: 'rewritten', strategy: 'resolution-merged', confidence: 0.8 },
      target: [{ path: 'arch/arm64/kvm/mmu.c', definition: 'stage2_map' }],
    });
    expect(ported('kport/mine-v5.10')).toContain(`\tif (stage2_map_ret < 0)\n\t\tdrop_tables(vcpu);\n\n${SOLVED}`);
    expect(report.rejects).toEqual([]);
    const without = box.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.8', '-n', '--no-resolutions']);
    expect(without.stdout).toContain('3 of 4 hunks placed');
    // Forgotten, it is left again.
    expect(kport('continue', '--branch', 'ported', '--forget', id).status).toBe(1);
    expect(ported()).not.toContain('account_map');
  });

  test('where it does not fit, the porter has it again, and says so', () => {
    const id = idLeft();
    expect(edit(SOLVE).status).toBe(0);
    const mmu = linux.git(['show', 'v5.8:arch/arm64/kvm/mmu.c']);
    linux.commit('Linux 5.11\n', {
      Makefile: makefile('v5.11'),
      'arch/arm64/kvm/mmu.c': edited(mmu, '\tfinish_map(vcpu, stage2_map_ret);\n', '\tfinish_map(vcpu, 0);\n'),
    });
    linux.tag('v5.11');
    const done = box.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.11']);
    expect(done.status).toBe(1);
    expect(done.stdout).toMatch(new RegExp(`${id} .*; the resolution made at v5.8 does not fit: upstream changed`));
    expect(done.stderr).toContain('note: 1 hunk resolved before, which does not fit this target');
  });

  test('-n prints the sheet, --take reads it back', () => {
    const sheet = kport('continue', '-n');
    expect(sheet).toMatchObject({ status: 0, stderr: 'dry run: nothing written\n' });
    expect(plain(sheet.stdout)).toMatchInlineSnapshot(`
      "int stage2_map(struct kvm_vcpu *vcpu, int arg)
      {
      	int stage2_map_ret = arg;

      	if (!vcpu->arch.stage2_map_state)
      		return -EINVAL;

      	stage2_map_ret += walk_more_tables(vcpu, arg, 0);
      	stage2_map_ret += flush_tlb(vcpu, arg);
      <<<<<<< v5.8 (target)
      ||||||| v4.18 (base)
      =======
      	account_map(vcpu);
      >>>>>>> mine 5adfb2bea7cf: MESSAGE
      	if (stage2_map_ret)
      		drop_tables(vcpu);

      	finish_map(vcpu, stage2_map_ret);
      	return 0;
      }
      "
    `);
    const text = sheet.stdout
      .replace(/^<{7} [^]*?^>{7} .*\n/m, '')
      .replace('\tfinish_map', '\taccount_map(vcpu);\n\tfinish_map');
    box.write('.', { sheet: text });
    expect(kport('continue', '--take', 'sheet').status).toBe(0);
    expect(ported()).toContain(SOLVED);
  });

  test('a branch that is not what kport made is not replaced', () => {
    linux.git(['branch', '-f', 'ported', 'v5.4']);
    for (const args of [['continue'], ['abort']]) {
      expect(kport(args[0]!)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/^error: branch 'ported' is not what kport last made there\nhint: /) as string,
      });
    }
    expect(linux.git(['rev-parse', 'ported'])).toBe(linux.git(['rev-parse', 'v5.4']));
    expect(status().state).toBe('changed');
  });
});

test('kport skip: left out on purpose is not left, and not placed either', () => {
  const id = idLeft();
  const done = kport('skip', id, '-m', 'upstream counts');
  expect(done).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('3 of 4 hunks placed, 0 left, 1 skipped') as string,
  });
  const again = box.kport([
    'apply',
    '--set',
    'mine',
    '--tree',
    'linux',
    '--to',
    'v5.8',
    '--branch',
    'ported',
    '--json',
  ]);
  const report = JSON.parse(again.stdout) as PortReport;
  expect(again.status).toBe(0);
  expect(report.hunks.find((h) => h.id === id)).toMatchObject({ outcome: 'conflict', skipped: 'upstream counts' });
  expect(report.summary).toMatchObject({ placed: 3, byOutcome: { conflict: 1 } });
  expect(status().skipped).toMatchObject([{ id, reason: 'upstream counts' }]);
  const placed = report.hunks.find((h) => h.outcome === 'applied')!;
  expect(kport('skip', placed.id)).toMatchObject({ status: 2 });
  expect(kport('skip', '--forget', id).status).toBe(1);
  expect(status().left).toMatchObject([{ id }]);
});

test('kport abort: the branch goes, what was resolved stays', () => {
  expect(edit(SOLVE).status).toBe(0);
  expect(kport('abort')).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^removed branch 'ported'/) as string,
  });
  expect(linux.git(['branch', '--list', 'ported'])).toBe('');
  expect(existsSync(`${linux.dir}/.git/kport/ports/ported`)).toBe(false);
  expect(kport('status').stderr).toContain("no port was made in 'linux'");
  const again = box.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.8', '--branch', 'ported']);
  expect(again.status).toBe(0);
  expect(ported()).toContain(SOLVED);
});
