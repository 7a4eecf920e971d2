import { writeFileSync } from 'node:fs';
import { forDisplay } from '../../src/core/text';
import { importSet, type ImportRequest, type Imported } from '../../src/patch-set/import';
import { edited, kernelRepo, kernelWithSet, littleKernel } from '../support/kernel';
import { Sandbox, type Files, type Repo } from '../support/sandbox';

let template: Sandbox;
let box: Sandbox;
let linux: Repo;

beforeAll(() => {
  template = new Sandbox();
  kernelWithSet(template, 'linux');
});
beforeEach(() => {
  box = new Sandbox(template);
  linux = box.open('linux');
});
afterEach(() => box.remove());
afterAll(() => template.remove());

const request = (from: Partial<ImportRequest>): ImportRequest => ({
  name: 'x',
  patchesDir: box.path('patches'),
  source: null,
  range: null,
  repo: null,
  base: from.range ? null : 'v4.18',
  force: false,
  dryRun: true,
  ...from,
});
const importing = (from: Partial<ImportRequest>) => importSet(request(from));
const importText = (text: string, name = 'x.patch') => {
  writeFileSync(box.path(name), text, 'latin1');
  return importing({ source: box.path(name) });
};
const brief = ({ set }: Imported) =>
  set.patches.map(
    (p) =>
      `${p.author && forDisplay(`${p.author.name} <${p.author.email}>`)} | ${forDisplay(p.subject)} | ${p.changes.length}`,
  );

const THREE = [
  'Ann Author <ann@example.org> | KVM: guard the entry | 2',
  'Jürgen Müller <jm@example.org> | KVM: add the corevisor | 2',
  'Ann Author <ann@example.org> | KVM: count the maps | 1',
];
const HUNK = '--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n';
const mail = (headers: string, body: string) => `From: A U Thor <au@example.org>\n${headers}\n${body}`;

describe('four ways in, one set', () => {
  test('a range', async () => {
    const done = await importing({ repo: linux.dir, range: 'v4.18..set' });
    expect(brief(done)).toEqual(THREE);
    expect(done.set.manifest.base).toEqual({ version: 'v4.18', commit: linux.git(['rev-parse', 'v4.18']).trim() });
    expect(done.notes).toEqual([]);
  });

  test('an mbox, its cover letter skipped', async () => {
    const mbox = linux.git(['format-patch', '--stdout', '--cover-letter', '--base=v4.18', 'v4.18..set']);
    const done = await importText(mbox, 'mbox');
    expect(brief(done)).toEqual(THREE);
    expect(done.notes).toEqual([expect.stringMatching(/mail 1' holds no patch \(a cover letter\?\): left out/)]);
    expect(done.set.manifest.base.commit).toBe(linux.git(['rev-parse', 'v4.18']).trim());
  });

  test('a folder of mails, by name', async () => {
    linux.git(['format-patch', '-q', '--cover-letter', '-o', box.path('out'), 'v4.18..set']);
    expect(brief(await importing({ source: box.path('out') }))).toEqual(THREE);
  });

  test('a quilt folder, in the order of its series', async () => {
    linux.git(['format-patch', '-q', '-o', box.path('out'), 'v4.18..set']);
    box.write('out', {
      series: '# comment\n0003-KVM-count-the-maps.patch -p1\n\n  plain.diff # why\n',
      'plain.diff': `Words about it.\n\nIndex: linux/x.c\n===\n--- linux.orig/x.c\n+++ linux/x.c\n@@ -1 +1 @@\n-a\n+b\n`,
    });
    expect(brief(await importing({ source: box.path('out') }))).toEqual([THREE[2], 'null | x | 1']);
  });

  test('one diff: nobody is its author', async () => {
    const done = await importText(linux.git(['diff', 'v4.18', 'set']), 'x.diff');
    expect(brief(done)).toEqual(['null | x | 5']);
  });

  test('a base that is a revision of --repo, and one that is none', async () => {
    writeFileSync(box.path('x.diff'), HUNK);
    const done = await importing({ source: box.path('x.diff'), repo: linux.dir, base: 'v5.4^0' });
    expect(done.set.manifest.base.version).toBe('v5.4');
    await expect(importing({ source: box.path('x.diff'), base: null })).rejects.toThrow('is not known');
    await expect(importing({ source: box.path('x.diff'), base: 'latest' })).rejects.toThrow(
      "'latest' is no kernel version",
    );
  });
});

describe('mails', () => {
  test('preamble, headers, in-body author, scissors left alone, signature', async () => {
    const text = mail(
      'Received: from x\n\tby y\nSubject: [RFC PATCH v3 02/17] =?UTF-8?q?KVM:_gr=C3=BC=C3=9Fe?=\n and\n more\nDate: Mon, 1 Jan 2018 10:00:00 +0100\n',
      `From: In Body <body@example.org>\n\nThe message.\n\n-- >8 --\nStill the message.\n---\n x.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\ndiff --git a/x.c b/x.c\n${HUNK}-- \n2.39.5\n\n`,
    );
    const done = await importText(text);
    expect(brief(done)).toEqual(['In Body <body@example.org> | KVM: grüße and more | 1']);
    expect(done.set.patches[0]!.body).toBe('The message.\n\n-- >8 --\nStill the message.');
    expect(done.set.patches[0]!.author!.date).toBe('Mon, 1 Jan 2018 10:00:00 +0100');
  });

  test('other brackets stay in the subject', async () => {
    const done = await importText(mail('Subject: [PATCH 1/2] [KVM] x\n', `---\ndiff --git a/x.c b/x.c\n${HUNK}`));
    expect(done.set.patches[0]!.subject).toBe('[KVM] x');
  });

  test('quoted-printable and base64', async () => {
    const body = `Gr\xc3\xbc\xc3\x9fe = x\n---\ndiff --git a/x.c b/x.c\n${HUNK}`;
    const qp = body
      .replace(/[=\x80-\xff]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`)
      .replace('+++ b/x.c', '+++ b/x=\n.c');
    const type = 'MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: ';
    for (const [name, text] of [
      ['quoted-printable', qp],
      ['base64', Buffer.from(body, 'latin1').toString('base64').replace(/.{76}/g, '$&\n')],
    ]) {
      const done = await importText(mail(`Subject: [PATCH] x\n${type}${name}\n`, text!), `${name}.patch`);
      expect(forDisplay(done.set.patches[0]!.body)).toBe('Grüße = x');
      expect(done.set.patches[0]!.changes[0]!.hunks[0]!.lines).toEqual(['-a\n', '+b\n']);
    }
  });

  test('latin1 mail: the message becomes UTF-8, the patch stays bytes', async () => {
    const done = await importText(
      mail(
        'Subject: [PATCH] x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=ISO-8859-1\nContent-Transfer-Encoding: 8bit\n',
        `Gr\xfc\xdfe\n---\ndiff --git a/x.c b/x.c\n${HUNK.replace('+b', '+\xe4')}`,
      ),
    );
    expect(forDisplay(done.set.patches[0]!.body)).toBe('Grüße');
    expect(done.set.patches[0]!.changes[0]!.hunks[0]!.lines).toEqual(['-a\n', '+\xe4\n']);
  });

  test('CRLF mail and CRLF diff: the transport’s, not the file’s', async () => {
    const text = mail('Subject: [PATCH] x\n', `Message.\n---\ndiff --git a/x.c b/x.c\n${HUNK}-- \n2.39\n`).replace(
      /\n/g,
      '\r\n',
    );
    for (const done of [
      await importText(text),
      await importText(`diff --git a/x.c b/x.c\n${HUNK}`.replace(/\n/g, '\r\n'), 'x.diff'),
    ]) {
      expect(done.set.patches[0]!.changes[0]!.hunks[0]!.lines).toEqual(['-a\n', '+b\n']);
      expect(done.set.patches[0]!.changes[0]!.newPath).toBe('x.c');
    }
  });

  test('LF mail with a patch to a CRLF file', async () => {
    const crlf = HUNK.replace(/^([-+][ab])\n/gm, '$1\r\n');
    for (const text of [
      mail('Subject: [PATCH] x\n', `---\ndiff --git a/x.c b/x.c\n${crlf}`),
      `From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n${mail('Subject: [PATCH] x\n', `---\ndiff --git a/x.c b/x.c\n${crlf}`)}`,
    ]) {
      expect((await importText(text)).set.patches[0]!.changes[0]!.hunks[0]!.lines).toEqual(['-a\r\n', '+b\r\n']);
    }
  });

  test.each([
    'diff --git a/other.c b/other.c',
    '--- a/x',
    '---',
    'Index: x',
    '@@ -1,3 +1,4 @@',
    'diff -ur a b',
    'From me to you',
  ])('a message with a line %j', async (line) => {
    const message = `KVM: x\n\nBefore.\n${line}\nAfter.\n`;
    linux.git(['checkout', '-q', '-f', 'set']);
    linux.commit(message, { 'new.c': 'int x;\n' });
    const done = await importing({ repo: linux.dir, range: 'v4.18..HEAD' });
    expect(done.notes).toEqual([]);
    expect(brief(done)).toEqual([...THREE, 'Ann Author <ann@example.org> | KVM: x | 1']);
    expect(done.set.patches[3]!.body).toBe(`Before.\n${line}\nAfter.`);
    expect(brief(await importText(linux.git(['format-patch', '--stdout', 'v4.18..HEAD']), 'mbox'))).toHaveLength(4);
  });

  test('whole diffs in a message', async () => {
    linux.git(['checkout', '-q', '-f', 'set']);
    const quoted = linux.git(['show', '--format=%s', 'set']);
    linux.commit(`KVM: x\n\nThis was:\n${quoted}\nend\n`, { 'new.c': 'int x;\n' });
    const done = await importing({ repo: linux.dir, range: 'v4.18..HEAD' });
    expect(brief(done)[3]).toBe('Ann Author <ann@example.org> | KVM: x | 1');
    expect(done.set.patches[3]!.body).toContain(quoted.trimEnd());
  });

  test('author names in any bytes', async () => {
    linux.git(['checkout', '-q', '-f', 'set']);
    const raw = linux.git(['cat-file', 'commit', 'HEAD']).replace(/^author .*?>/m, "author J\xfcrgen O'M <j@x>");
    const id = linux.git(['hash-object', '-t', 'commit', '-w', '--stdin'], { input: raw }).trim();
    const done = await importing({ repo: linux.dir, range: `v4.18..${id}` });
    expect(done.set.patches[2]!.author).toMatchObject({ name: "J\xfcrgen O'M", email: 'j@x' });
  });
});

describe('ranges', () => {
  test('a merge in it: one diff, said so', async () => {
    linux.git(['checkout', '-q', '-f', '-b', 'side', 'v4.18']);
    linux.commit('side\n', { 'side.c': 'int side;\n' });
    linux.git(['merge', '-q', '--no-edit', 'set']);
    const done = await importing({ repo: linux.dir, range: 'v4.18..side' });
    // Patches that add up are patches, merge or not.
    expect(done.set.patches.flatMap((p) => p.changes)).toHaveLength(6);
  });

  test('a merge that changes something itself: one diff, said so', async () => {
    linux.git(['checkout', '-q', '-f', '-b', 'side', 'v4.18']);
    linux.commit('side\n', { 'side.c': 'int side;\n' });
    linux.git(['merge', '-q', '--no-commit', 'set']);
    linux.commit('Merge\n', { 'evil.c': 'int evil;\n' });
    const done = await importing({ repo: linux.dir, range: 'v4.18..side' });
    expect(brief(done)).toEqual(['null | x | 7']);
    expect(done.notes).toEqual([expect.stringContaining('imported as one diff, without author')]);
  });

  test('nothing in it', async () => {
    await expect(importing({ repo: linux.dir, range: 'v4.18..v4.18' })).rejects.toThrow('changes nothing');
  });

  test('another kernel at its end', async () => {
    const done = await importing({ repo: linux.dir, range: 'v4.18..v5.4' });
    expect(done.notes).toEqual(['the range goes from v4.18 to v5.4: it holds more than a patch set']);
  });

  test('contents that the repository lacks are named and stop nothing', async () => {
    const files: Files = {
      'bin/lost.bin': Buffer.from([0, 1, 2, 3]),
      'odd [x]*/l\xc3\xb6st.bin': Buffer.from([0, 1, 2, 4]),
      'arch/arm64/kvm/reset.c': edited(
        littleKernel('v4.18')['arch/arm64/kvm/reset.c'],
        'return -EINVAL',
        'return -EIO',
      ),
    };
    const repo = kernelRepo(box, 'partial');
    repo.commit('set\n', files);
    repo.tag('set');
    for (const name of ['bin/lost.bin', 'odd [x]*/l\u00f6st.bin']) {
      const oid = repo.git(['rev-parse', `set:${name}`]).trim();
      box.run('rm', ['-f', `${repo.dir}/.git/objects/${oid.slice(0, 2)}/${oid.slice(2)}`], { ok: [0] });
    }
    const done = await importing({ repo: repo.dir, range: 'v4.18..set', dryRun: false });
    expect(done.set.manifest.unreadable.map((u) => [u.path, u.status])).toEqual([
      ['bin/lost.bin', 'added'],
      ['odd [x]*/l\xc3\xb6st.bin', 'added'],
    ]);
    expect(done.set.patches.flatMap((p) => p.changes.map((c) => c.newPath))).toEqual(['arch/arm64/kvm/reset.c']);
    const ported = box.kport(['apply', '--set', 'x', '--tree', 'partial', '--to', 'v4.18', '--branch', 'p']);
    expect(ported.stdout).toContain('2 unreadable');
    expect(ported.stdout).toContain("the set's source lacks its content");
    expect(repo.git(['diff', '--name-only', 'v4.18', 'p'])).toBe('arch/arm64/kvm/reset.c\n');
  });
});

describe('sources that two readers would read in two ways', () => {
  test('are refused', async () => {
    // git takes the quoted name for the file, GNU patch the other.
    await expect(
      importText(`diff --git a/x.c b/x.c\n--- a/y.c\n+++ b/y.c\n@@ -1 +1 @@\n-a\n+b\n`, 'x.diff'),
    ).rejects.toThrow(/line 1: a change of 'a\/x.c' by one header, of 'a\/y.c' by another/);
  });

  test('an unprefixed diff is stored so that git takes it', async () => {
    const text = linux.git(['diff', '--no-prefix', 'v4.18', 'set']);
    const done = await importText(text, 'x.diff');
    const plain = await importText(linux.git(['diff', 'v4.18', 'set']), 'y.diff');
    expect(done.set.patches[0]!.changes.map((c) => c.newPath)).toEqual(
      plain.set.patches[0]!.changes.map((c) => c.newPath),
    );
    expect(done.set.patches[0]!.diff).toBe(plain.set.patches[0]!.diff);
  });
});
