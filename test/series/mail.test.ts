import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { headersOf } from '../../src/series/checks';
import { splitMbox } from '../../src/patch-set/mail';
import { kportMail } from './run-mail';
import { BASE, ENV, SET, smallKernel, TestRepo } from './small-kernel';

let repo: TestRepo;
const folders: string[] = [];
afterEach(() => {
  repo.remove();
  for (const f of folders.splice(0)) rmSync(f, { recursive: true, force: true });
});

function folder(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'kport-test-'));
  folders.push(dir);
  return dir;
}

const store = () => path.join(repo.dir, '.git/kport/ports/ported/series');
const args = (...more: string[]) => [
  '--tree',
  repo.dir,
  '--branch',
  'ported',
  '--base',
  'v5.4',
  '--no-checkpatch',
  ...more,
];
const STAFF = ['--to', 'Staff <staff@example.org>'];

/** The tree that `git am` gives in a clean clone. */
function am(mails: string[]): string {
  const dir = folder();
  execFileSync('git', ['clone', '-q', repo.dir, dir], { env: ENV });
  const git = (...a: string[]) =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=x', '-c', 'user.email=x@y', ...a], { env: ENV, encoding: 'utf8' });
  git('checkout', '-q', 'v5.4');
  // As the last line of a run says: the cover letter is no patch.
  git('am', '-q', '--empty=drop', ...mails);
  return git('rev-parse', 'HEAD^{tree}').trim();
}

test('a set of one commit becomes a cover letter and patches that git am turns into the branch', async () => {
  repo = smallKernel();
  const out = path.join(folder(), 'out');
  const before = [
    repo.git('rev-parse', 'HEAD'),
    repo.git('status', '--porcelain'),
    repo.git('for-each-ref', 'refs/heads', 'refs/tags'),
  ];
  const ran = await kportMail(...args(...STAFF, '-o', out));
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('pass: tree')]);
  const files = readdirSync(out);
  expect(files[0]).toBe('0000-cover-letter.patch');
  expect(files.length).toBeGreaterThan(4);
  expect(ran.stdout.trim().split('\n')).toEqual(files.map((f) => path.join(out, f)));
  expect(ran.stderr).toContain(`next: git am --empty=drop ${out}/*.patch on `);
  expect(am(files.map((f) => path.join(out, f)))).toBe(repo.git('rev-parse', 'ported^{tree}'));
  expect([
    repo.git('rev-parse', 'HEAD'),
    repo.git('status', '--porcelain'),
    repo.git('for-each-ref', 'refs/heads', 'refs/tags'),
  ]).toEqual(before);
});

test('the mails: numbers, thread, author, base commit, change-id, who they go to', async () => {
  repo = smallKernel();
  const ran = await kportMail(...args(...STAFF, '--rfc', '-v', '2', '-s', '-o', '-'));
  const mails = await splitMbox(ran.bytes.toString('latin1'), 'stdout');
  const heads = mails.map(headersOf);
  const n = mails.length - 1;
  expect(heads[0]!.get('subject')).toBe(`[PATCH RFC v2 0/${n}] KVM: arm64: Guard KVM`);
  heads.slice(1).forEach((h, i) => {
    expect(h.get('subject')).toMatch(new RegExp(`^\\[PATCH RFC v2 ${i + 1}/${n}\\] `));
    expect(h.get('in-reply-to')).toBe(heads[0]!.get('message-id'));
    expect(h.get('from')).toBe('=?UTF-8?q?Zo=C3=AB=20=C3=9Cbersetzer?= <zoe@example.org>');
    expect(h.get('to')).toBe('Staff <staff@example.org>');
    const body = Buffer.from(mails[i + 1]!, 'latin1').toString('utf8');
    expect(body).toContain('\nFrom: Aïda Núñez <aida@example.net>\n');
    expect(body).toContain(
      'Signed-off-by: Aïda Núñez <aida@example.net>\nSigned-off-by: Zoë Übersetzer <zoe@example.org>\n---\n',
    );
    // A review of the whole is no review of its pieces.
    expect(body).not.toContain('Reviewed-by');
  });
  expect(mails[0]).toMatch(
    new RegExp(`\nbase-commit: ${repo.git('rev-parse', 'v5.4')}\n+change-id: \\d{8}-ported-[0-9a-f]{12}\n`),
  );
  expect(mails[0]).toContain('There is no record of a port for this branch');
  expect(mails[0]).toContain('A guard for KVM.');
});

test('without -s nobody is signed off, and a header never holds bytes above ASCII', async () => {
  repo = smallKernel();
  const ran = await kportMail(...args('--to', 'Äöü Reader <r@example.org>', '-o', '-'));
  const text = ran.bytes.toString('latin1');
  expect(text).not.toContain('Signed-off-by: Zo');
  for (const mail of await splitMbox(text, 'stdout')) {
    const [head] = mail.split('\n\n');
    expect(head).toMatch(/^[\x00-\x7f]*$/);
    expect(headersOf(mail).get('to')).toBe('=?UTF-8?q?=C3=84=C3=B6=C3=BC=20Reader?= <r@example.org>');
  }
});

test('moves, deletions, modes, binaries and odd names go through', async () => {
  repo = smallKernel(
    {
      ...BASE,
      'drivers/toy/old.c': 'int old;\n',
      'drivers/toy/tool.sh': '#!/bin/sh\n',
      'drivers/toy/Makefile': 'obj-y += toy.o user.o old.o\n',
    },
    {
      ...SET,
      'drivers/toy/user.c': null,
      'drivers/toy/client.c': SET['drivers/toy/user.c']!,
      'drivers/toy/old.c': null,
      'drivers/toy/Makefile': 'obj-y += toy.o client.o\n',
      'drivers/toy/blob.bin': '\x00\x01\x02\xff'.repeat(50),
      'drivers/toy/na\xc3\xafve name.c': 'int x;',
    },
  );
  repo.git('update-index', '--chmod=+x', 'drivers/toy/tool.sh');
  repo.git('commit', '-q', '--amend', '-C', 'HEAD');
  const ran = await kportMail(...args(...STAFF, '--split', '--json'));
  const series = JSON.parse(ran.stdout);
  expect([ran.code, series.checks.filter((c: { result: string }) => c.result === 'fail')]).toEqual([0, []]);
  expect(series.treeId).toBe(repo.git('rev-parse', 'ported^{tree}'));
  // A file that is gone or moved takes the Makefile's line with it; the edit of the moved one is another patch.
  const files: string[][] = series.patches.map((p: { files: string[] }) => p.files);
  const move = files.find((f) => f.includes('drivers/toy/Makefile'));
  expect(move).toEqual(expect.arrayContaining(['drivers/toy/client.c', 'drivers/toy/old.c']));
  expect(files.filter((f) => f.includes('drivers/toy/client.c'))).toHaveLength(2);
});

test('two runs give the same bytes', async () => {
  repo = smallKernel();
  const first = await kportMail(...args(...STAFF, '-n', '-o', '-'));
  const second = await kportMail(...args(...STAFF, '-n', '-o', '-'));
  expect(second.stdout).toBe(first.stdout);
  expect(first.stdout).toContain('Subject:');
  expect(existsSync(path.join(repo.dir, '.git/kport'))).toBe(false);
});

test('readers come from MAINTAINERS with the reason, and only from --to when that is given', async () => {
  repo = smallKernel();
  const all = JSON.parse((await kportMail(...args('--json'))).stdout);
  const by = (address: string) => all.recipients.find((r: { address: string }) => r.address.includes(address));
  expect(by('marc@example.com')).toMatchObject({
    field: 'to',
    reasons: ['maintainer of KVM FOR TEST (F: arch/arm64/kvm/)'],
  });
  expect(by('rita@example.com')).toMatchObject({
    field: 'cc',
    reasons: ['reviewer of KVM FOR TEST (F: arch/arm64/kvm/)'],
  });
  expect(by('lkml@lists')).toMatchObject({ field: 'cc', reasons: ['list of THE REST (F: */)'] });
  expect(by('aida@example.net')).toMatchObject({ field: 'cc', suppressed: null });
  expect(all.recipientSource).toContain('read by kport (the kernel has no scripts/get_maintainer.pl)');
  const one = JSON.parse((await kportMail(...args(...STAFF, '--json'))).stdout);
  const going = one.recipients.filter((r: { suppressed: string | null }) => r.suppressed === null);
  expect(going.map((r: { address: string }) => r.address)).toEqual(['Staff <staff@example.org>']);
  const some = JSON.parse(
    (await kportMail(...args('--suppress-cc', 'author', '--suppress-cc', 'sob', '--json'))).stdout,
  );
  expect(some.recipients.find((r: { address: string }) => r.address.includes('aida')).suppressed).toMatch(
    /^--suppress-cc=(author|sob)$/,
  );
});

test('v2 after a change in one hunk: change log, range-diff, the same change-id, new Message-IDs, no old thread', async () => {
  repo = smallKernel();
  const v1 = JSON.parse((await kportMail(...args(...STAFF, '--json'))).stdout);
  const cover = readFileSync(path.join(store(), 'cover.txt'), 'utf8');
  writeFileSync(path.join(store(), 'cover.txt'), cover.replace('A guard for KVM.', 'A guard for KVM, in my words.'));
  repo.write({
    'arch/arm64/kvm/mmu.c': SET['arch/arm64/kvm/mmu.c']!.replace('guard_map_page(2)', 'guard_map_page(3)'),
  });
  repo.git('commit', '-qa', '--amend', '-C', 'HEAD');
  const ran = await kportMail(...args(...STAFF, '-v', '2', '--json'));
  const v2 = JSON.parse(ran.stdout);
  expect(v2.changeId).toBe(v1.changeId);
  expect(v2.changeLog).toEqual([expect.stringMatching(/^patch \d+ \(.*\): arch\/arm64\/kvm\/mmu\.c: 1 hunk changed$/)]);
  const ids = (v: { patches: { messageId: string }[] }) => v.patches.map((p) => p.messageId);
  expect(ids(v2).filter((id) => ids(v1).includes(id))).toEqual([]);
  const letter = readFileSync(path.join(store(), 'v2', 'v2-0000-cover-letter.patch'), 'latin1');
  expect(letter).toContain('A guard for KVM, in my words.');
  expect(letter).toContain('Changes in v2:\n- patch');
  expect(letter).toContain('\nRange-diff against v1:\n');
  expect(letter).toMatch(/^ {4}\s*-\+.*guard_map_page\(2\)/m);
  expect(letter).toContain(`change-id: ${v1.changeId}`);
  expect(headersOf(letter).has('in-reply-to')).toBe(false);
});

test('the previous version may be an mbox alone', async () => {
  repo = smallKernel();
  const v1 = await kportMail(...args(...STAFF, '-o', '-'));
  const mbox = path.join(folder(), 'v1.mbox');
  writeFileSync(mbox, v1.bytes);
  rmSync(path.join(repo.dir, '.git/kport'), { recursive: true });
  repo.write({
    'arch/arm64/kvm/mmu.c': SET['arch/arm64/kvm/mmu.c']!.replace('guard_map_page(2)', 'guard_map_page(3)'),
  });
  repo.git('commit', '-qa', '--amend', '-C', 'HEAD');
  const v2 = await kportMail(...args(...STAFF, '-v', '2', '--previous', mbox, '-o', '-'));
  expect(v2.stdout).toContain('Range-diff against v1:');
  expect(v2.code).toBe(0);
});

test('a branch that is split well keeps its commits, their order and their messages', async () => {
  repo = new TestRepo();
  repo.commit('Linux 5.4\n', BASE);
  repo.git('tag', 'v5.4');
  repo.git('checkout', '-q', '-b', 'ported');
  repo.commit('KVM: arm64: First\n\nOne.\n\nReviewed-by: R <r@example.com>\n', {
    'arch/arm64/kvm/mmu.c': SET['arch/arm64/kvm/mmu.c']!,
  });
  repo.commit('arm64: Second\n\nTwo.\n', { 'arch/arm64/guard/x.c': 'int x;\n' });
  repo.commit('toy: Third\n', { 'drivers/toy/toy.c': SET['drivers/toy/toy.c']! });
  const series = JSON.parse((await kportMail(...args(...STAFF, '--json'))).stdout);
  expect(series.split).toBe(false);
  expect(series.patches.map((p: { subject: string }) => p.subject)).toEqual([
    'KVM: arm64: First',
    'arm64: Second',
    'toy: Third',
  ]);
  expect(readFileSync(path.join(store(), 'v1', series.patches[0].file), 'utf8')).toContain(
    'One.\n\nReviewed-by: R <r@example.com>\n---',
  );
  expect(series.treeId).toBe(repo.git('rev-parse', 'ported^{tree}'));
});

test('a prefix comes from the log of the path when there is one', async () => {
  repo = new TestRepo();
  repo.commit('Linux 5.3\n', { ...BASE, 'drivers/toy/toy.c': 'int a;\n' });
  for (const n of [1, 2, 3]) repo.commit(`toybus: core: Change ${n}\n`, { 'drivers/toy/toy.c': `int a${n};\n` });
  repo.commit('toybus: core: Linux 5.4\n', BASE);
  repo.git('tag', 'v5.4');
  repo.git('checkout', '-q', '-b', 'ported');
  repo.commit('set\n', { 'drivers/toy/toy.c': `${BASE['drivers/toy/toy.c']!}int more;\n` });
  const series = JSON.parse((await kportMail(...args(...STAFF, '--json'))).stdout);
  expect(series.patches[0].subject).toMatch(/^toybus: core: /);
});

describe('a plan that a person has edited', () => {
  const planFile = () => path.join(store(), 'series.yaml');
  const edit = (change: (text: string) => string) =>
    writeFileSync(planFile(), change(readFileSync(planFile(), 'utf8')));
  beforeEach(async () => {
    repo = smallKernel();
    expect((await kportMail(...args(...STAFF))).code).toBe(0);
  });

  test('is obeyed: titles, bodies, notes, order', async () => {
    edit((t) =>
      t
        .replace(/title: "?(.*core of the corevisor)"?/, 'title: "KVM: arm64: Guard the boot"')
        .replace(/note: ""/, 'note: "Please look at the locking."'),
    );
    const ran = await kportMail(...args(...STAFF, '-o', '-'));
    expect(ran.stdout).toContain('KVM: arm64: Guard the boot');
    expect(ran.stdout).toMatch(/---\n\nNotes \(review\):\n {4}Please look at the locking\./);
    expect(ran.code).toBe(0);
  });

  test('that loses a hunk is refused with the hunk', async () => {
    edit((t) => t.replace(/^ *- arch\/arm64\/kvm\/mmu\.c\n/m, ''));
    const ran = await kportMail(...args(...STAFF));
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(/error: .*series\.yaml: in no patch: arch\/arm64\/kvm\/mmu\.c @@ .*, hunk [0-9a-f]{12}/);
  });

  test('that doubles a hunk is refused with both places', async () => {
    edit((t) => t.replace(/files:\n/, 'files:\n      - arch/arm64/kvm/mmu.c\n'));
    const ran = await kportMail(...args(...STAFF));
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(
      /error: .*series\.yaml:\d+: arch\/arm64\/kvm\/mmu\.c .* is in patch 1 .*series\.yaml:\d+\) and in patch \d/,
    );
  });

  test('that uses something before it is there is refused with the line that uses it', async () => {
    edit((t) => {
      const cut = t.indexOf('  - title');
      const items = t.slice(cut).split(/(?=^ {2}- title)/m);
      const headers = items.findIndex((i) => i.includes('asm/guard_core.h'));
      return (
        t.slice(0, cut) +
        [...items.slice(0, headers), ...items.slice(headers + 1), items[headers]!.trimEnd() + '\n'].join('')
      );
    });
    const ran = await kportMail(...args(...STAFF));
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(
      /error: .*series\.yaml:\d+: patch \d+ '.*' (includes|uses) .*guard.*:\d+\), but arch\/arm64\/include\/asm\/guard_core\.h comes in patch \d+/,
    );
  });

  test('with broken yaml, an unknown key, an unknown hunk or a long title is refused with the line', async () => {
    const whole = readFileSync(planFile(), 'utf8');
    const cases: [(t: string) => string, RegExp][] = [
      [(t) => t.replace('patches:', 'patches: ['), /series\.yaml:\d+: /],
      [(t) => t.replace('    note:', '    nonsense: 1\n    note:'), /series\.yaml:\d+: .*nonsense/],
      [
        (t) => t.replace(/hunks:.*\n/, 'hunks: ["0123456789ab"]\n'),
        /series\.yaml:\d+: there is no hunk '0123456789ab'/,
      ],
      [
        (t) => t.replace(/title: .*/, `title: ${'x'.repeat(80)}`),
        /series\.yaml:\d+: the title of patch 1 .* has 80 characters/,
      ],
      [
        (t) => t.replace(/files:\n/, 'files:\n      - no/such/*.c\n'),
        /series\.yaml:\d+: 'no\/such\/\*\.c' matches no file/,
      ],
    ];
    for (const [change, message] of cases) {
      writeFileSync(planFile(), change(whole));
      const ran = await kportMail(...args(...STAFF));
      expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(message)]);
    }
  });
});

describe('bad input', () => {
  test('no identity in git: the commands that set it', async () => {
    repo = smallKernel();
    repo.git('config', '--unset', 'user.name');
    repo.git('config', '--unset', 'user.email');
    const ran = await kportMail(...args(...STAFF));
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain("hint: run 'git config --global user.email you@example.org'");
  });

  test('addresses without a domain', async () => {
    repo = smallKernel();
    for (const [flag, value] of [
      ['--to', 'alice'],
      ['--cc', 'Bob <bob>'],
    ] as const) {
      const ran = await kportMail(...args(flag, value));
      expect([ran.code, ran.stderr]).toEqual([
        2,
        expect.stringContaining(`error: ${flag}: '${value}' is no mail address: it has no domain`),
      ]);
    }
  });

  test('an empty series', async () => {
    repo = smallKernel();
    const ran = await kportMail('--tree', repo.dir, '--branch', 'v5.4', '--base', 'v5.4', ...STAFF);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('the series is empty')]);
  });

  test('no branch, no base, no such revision, a bad version, a folder with other patches', async () => {
    repo = smallKernel();
    const out = folder();
    writeFileSync(path.join(out, '0001-old.patch'), 'x');
    const cases: [string[], RegExp][] = [
      [['--tree', repo.dir], /no '--branch', and no port was made/],
      [['--tree', repo.dir, '--branch', 'ported'], /no record of a port for 'ported'/],
      [['--tree', repo.dir, '--branch', 'nope', '--base', 'v5.4'], /unknown revision 'nope'/],
      [['--tree', out, '--branch', 'x', '--base', 'y'], /is no kernel|no git repository/],
      [args(...STAFF, '--series', '/no/such.yaml'), /unable to read '\/no\/such\.yaml'/],
      [args('-v', '0'), /'-v 0' is no version/],
      [args('--allow-incomplete'), /needs '--rfc'/],
      [args(...STAFF, '-o', out), /holds another patch: '0001-old\.patch'/],
      [args(...STAFF, '--suppress-cc', 'friends'), /'friends' is no category/],
    ];
    for (const [a, message] of cases) {
      const ran = await kportMail(...a);
      expect([a, ran.code, ran.stderr]).toEqual([a, 2, expect.stringMatching(message)]);
    }
  });
});
