import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fn, kernelRepo, kernelWithSet, littleKernel } from '../support/kernel';
import { listing, Sandbox, type Ran, type Repo } from '../support/sandbox';

let template: Sandbox;
let box: Sandbox;
let linux: Repo;

beforeAll(() => {
  template = new Sandbox();
  kernelWithSet(template, 'linux');
  const done = template.kport(['import', 'mine', '--repo', 'linux', '--range', 'v4.18..set']);
  expect(done.status).toBe(0);
});
beforeEach(() => {
  box = new Sandbox(template);
  linux = box.open('linux');
});
afterEach(() => box.remove());
afterAll(() => template.remove());

/** Bad input: exit 2, one `error:` line, hints, nothing on stdout, nothing written anywhere. */
function refused(
  args: string[],
  error: RegExp | string,
  options: { env?: Record<string, string>; hint?: boolean; mayCache?: boolean } = {},
): Ran {
  // What is computed before an error may stay in the cache, where that cannot be avoided.
  const look = () => listing(box.dir, (name) => options.mayCache === true && name === 'cache');
  const before = look();
  const done = box.kport(args, options);
  const lines = done.stderr.trimEnd().split('\n');
  expect(done).toMatchObject({ status: 2, stdout: '' });
  if (typeof error === 'string') expect(lines[0]).toBe(`error: ${error}`);
  else expect(lines[0]).toMatch(error);
  expect(lines[0]).toMatch(/^error: /);
  for (const line of lines.slice(1)) expect(line).toMatch(/^hint: /);
  if (options.hint ?? true) expect(lines.length).toBeGreaterThan(1);
  expect(look()).toEqual(before);
  return done;
}

const applyTo = (...args: string[]) => ['apply', '--set', 'mine', '--tree', 'linux', ...args];

describe('usage', () => {
  test.each([
    [['apply', '--bogus'], /bogus/],
    [['frobnicate'], /frobnicate/],
    [['appply'], /apply/],
    [[], /which command/],
    [['apply', '--to'], /to/],
    [['apply', '--conflicts=maybe', '--to', 'v5.4'], /conflicts/],
    [['import'], /argument/],
    [['import', 'x'], /nothing to import/],
    [['import', 'x', 'y', '--range', 'a..b'], /either a source or '--range'/],
    [['import', 'x', '--range', 'a..b'], /'--range' needs '--repo DIR'/],
    [['import', '../x', 'linux'], /no good name/],
    [['sets', 'stray'], /stray/],
    [['-C'], /'-C' needs a folder/],
    [['apply', '--tree', 'linux'], /which kernel is the target/],
    [['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.4', '--to', 'v4.18'], /'--to' is given twice/],
  ])('%j', (args, error) => {
    refused(args, error, { hint: false });
  });

  test('--help and --version go to stdout, exit 0', () => {
    const help = box.kport(['--help']);
    expect(help).toMatchObject({ status: 0, stderr: '' });
    expect(help.stdout).toContain('Exit codes: 0 done and clean');
    for (const command of ['import', 'sets', 'apply']) {
      expect(help.stdout).toContain(`kport ${command}`);
      expect(box.kport([command, '--help'])).toMatchObject({ status: 0, stderr: '' });
    }
    expect(box.kport(['--version'])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});

describe('kernels', () => {
  test('a tree that is not there', () => {
    refused(['apply', '--set', 'mine', '--tree', 'nowhere', '--to', 'v5.4'], "no such kernel tree: 'nowhere'");
    refused(['import', 'x', '--repo', 'nowhere', '--range', 'a..b'], "no such kernel tree: 'nowhere'");
    refused(['apply', '--set', 'mine', '--tree', 'linux/Makefile', '--to', 'v5.4'], /no such kernel tree/);
  });

  test('an unknown revision', () => {
    const done = refused(applyTo('--to', 'v9.9'), "unknown revision 'v9.9' in 'linux'");
    expect(done.stderr).toContain('it has v4.18 v5.4');
    refused(applyTo('--to=--upload-pack=touch x'), /unknown revision/);
    refused(applyTo('--to', 'v5.4:Makefile'), /unknown revision/);
    refused(['import', 'x', '--repo', 'linux', '--range', 'v4.18..nope'], /unknown revision 'nope'/);
    refused(['import', 'x', '--repo', 'linux', '--range', 'v4.18'], /is no range/);
  });

  test('a tree that is no kernel', () => {
    box.write('stuff', { Makefile: 'all:\n', 'x.c': 'int x;\n' });
    refused(['apply', '--set', 'mine', '--tree', 'stuff'], /is no kernel/);
    box.repo('empty');
    refused(['apply', '--set', 'mine', '--tree', 'empty', '--to', 'HEAD'], /unknown revision 'HEAD'/);
  });

  test('a folder that is another version than asked for', () => {
    box.write('plain', littleKernel('v4.18'));
    refused(
      ['apply', '--set', 'mine', '--tree', 'plain', '--to', 'v5.4'],
      "the kernel in 'plain' is v4.18, not 'v5.4'",
    );
    refused(['apply', '--set', 'mine', '--tree', 'plain', '--branch', 'b'], /no git repository: no branch/);
  });

  test('a repository that git does not trust is not taken for a plain folder', () => {
    const git = box.path('bin/git');
    box.write('bin', {
      git: { exec: `#!/bin/sh\necho "fatal: detected dubious ownership in repository at '$2'" >&2\nexit 128\n` },
    });
    refused(applyTo('--to', 'v5.4'), /detected dubious ownership/, {
      env: { PATH: `${path.dirname(git)}:${process.env.PATH}` },
    });
  });

  test('a reference that is none', () => {
    const done = refused(applyTo('--to', 'v5.4', '--reference', 'other'), /^error: no patch set 'other' in /);
    expect(done.stderr).toContain('it has: mine');
    refused(applyTo('--to', 'v5.4', '--reference', 'mine'), "'mine' cannot be its own reference");
    // One that was made for a kernel that is nowhere: '--base-tree' is where the base of the set itself is.
    const manifest = readFileSync(box.path('patches/mine/set.json'), 'latin1');
    box.write('patches/later', {
      ...Object.fromEntries(
        readdirSync(box.path('patches/mine')).map((f) => [f, readFileSync(box.path('patches/mine', f), 'latin1')]),
      ),
      'set.json': manifest.replace('"v4.18"', '"v5.6"').replace(/"commit": "\w+"/, '"commit": null'),
    });
    const error = "the base of patch set 'later', v5.6, is not in 'linux' (which has v5.4)";
    const lost = refused(applyTo('--to', 'v5.4', '--reference', 'later'), error);
    expect(lost.stderr).toContain("hint: fetch the tag into the repository: 'git -C linux fetch origin tag v5.6'");
    expect(lost.stderr).not.toContain('--base-tree');
  });

  test('a machine without git', () => {
    mkdirSync(box.path('empty'));
    refused(applyTo('--to', 'v5.4'), "'git' is not installed, or not on the PATH", {
      env: { PATH: box.path('empty') },
    });
  });

  test('a content that the target lacks, or that is damaged, leaves its hunks and stops nothing', () => {
    const oid = linux.git(['rev-parse', 'v5.4:arch/arm64/kvm/mmu.c']).trim();
    const file = path.join(linux.dir, '.git/objects', oid.slice(0, 2), oid.slice(2));
    const message = "the target's 'arch/arm64/kvm/mmu.c' cannot be read: the repository lacks its content";
    chmodSync(file, 0o644);
    writeFileSync(file, 'garbage');
    for (const out of ['damaged', 'missing']) {
      const done = box.kport(applyTo('--to', 'v5.4', '--out', out));
      expect(done.status).toBe(1);
      expect(done.stdout).toContain('3 of 4 hunks placed');
      expect(done.stdout).toContain(message);
      rmSync(file, { force: true });
    }
  });
});

describe('sets', () => {
  test('one that is not there', () => {
    refused(['apply', '--set', 'no', '--tree', 'linux', '--to', 'v5.4'], "no patch set 'no' in 'patches'");
    refused(['apply', '--set', '../patches/mine', '--tree', 'linux', '--to', 'v5.4'], /no patch set/);
    refused(['apply', '--set', 'mine', '--patches', 'elsewhere', '--tree', 'linux', '--to', 'v5.4'], /no patch set/);
  });

  test('one whose base is not there', () => {
    const other = kernelRepo(box, 'other', 'v5.4');
    const before = listing(other.dir);
    const done = refused(
      ['apply', '--set', 'mine', '--tree', 'other', '--to', 'v5.4'],
      "the base of patch set 'mine', v4.18, is not in 'other' (which has v5.4)",
    );
    expect(done.stderr).toContain('--base-tree');
    refused(['apply', '--set', 'mine', '--tree', 'other', '--to', 'v5.4', '--base-tree', 'other'], /has no v4.18/);
    refused(
      ['apply', '--set', 'mine', '--tree', 'other', '--to', 'v5.4', '--base-tree', 'gone'],
      /no such kernel tree/,
    );
    expect(listing(other.dir)).toEqual(before);
    expect(
      box.kport(['apply', '--set', 'mine', '--tree', 'other', '--to', 'v5.4', '--base-tree', 'linux', '-n']).status,
    ).toBe(0);
  });

  test('one that does not fit its base', () => {
    const other = kernelRepo(box, 'other', 'v4.18', { 'arch/arm64/kvm/mmu.c': 'int other;\n' });
    other.tag('x');
    refused(['apply', '--set', 'mine', '--tree', 'other', '--to', 'x'], /does not apply to its base/);
  });

  test('a damaged store', () => {
    const manifest = box.path('patches/mine/set.json');
    const good = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, good.slice(0, 40));
    refused(applyTo('--to', 'v5.4'), /set.json' is not JSON/);
    writeFileSync(manifest, good.replace('0001-', '../../0001-'));
    refused(applyTo('--to', 'v5.4'), /outside the set/, { hint: false });
    writeFileSync(manifest, good.replace('0001-', '0009-'));
    refused(applyTo('--to', 'v5.4'), /unable to read '.*0009-.*': no such file or folder/, { hint: false });
  });

  test('a damaged report of an earlier port is as good as none', () => {
    expect(box.kport(applyTo('--to', 'v5.4', '--branch', 'b')).status).toBe(0);
    writeFileSync(path.join(linux.dir, '.git/kport/ports/b/port.json'), '{ "half":');
    refused(applyTo('--to', 'v5.4', '--branch', 'b'), /exists and is not what kport last made there/);
  });
});

describe('patches', () => {
  const diff = (name: string, body = '@@ -1 +1 @@\n-a\n+b\n') => `--- a/${name}\n+++ b/${name}\n${body}`;
  const importing = (text: string, error: RegExp, hint = true) => {
    writeFileSync(box.path('x.diff'), text, 'latin1');
    return refused(['import', 'x', 'x.diff', '--base', 'v4.18'], error, { hint });
  };

  test('truncated: refused with the place', () => {
    const whole = linux.git(['format-patch', '--stdout', 'v4.18..set']);
    const at = whole.indexOf('\n+#else');
    importing(
      whole.slice(0, at + 3),
      /'x.diff mail 1|'x.diff'.* is truncated or damaged: .* at line \d+ inside the hunk that begins at line \d+/,
    );
    importing(
      diff('x.c', '@@ -1,3 +1,3 @@\n a\n-b\n'),
      /truncated or damaged: the patch ends at line 6 inside the hunk that begins at line 3/,
    );
  });

  test.each([
    ['../../etc/x', /a path with '\.\.'/],
    ['arch/../../etc/x', /a path with '\.\.'/],
    ['/etc/passwd', /an absolute path|empty path component/],
    ['.git/config', /a path into '\.git'/],
    ['x/.GIT/hooks/post-checkout', /a path into '\.git'/],
    ['a//b', /empty path component/],
    ['./b', /empty path component/],
  ])('%s is refused', (name, error) => {
    importing(diff(name), error);
    const git = `diff --git a/${name} b/${name}\nnew file mode 100644\n--- /dev/null\n+++ b/${name}\n@@ -0,0 +1 @@\n+b\n`;
    importing(git, error);
    importing(`From: A U Thor <a@example.org>\nSubject: [PATCH] x\n\n---\n${git}`, error);
    importing(`diff --git a/ok.c b/${name}\nsimilarity index 100%\nrename from ok.c\nrename to ${name}\n`, error);
  });

  test('an absolute path without prefix is refused', () => {
    importing('--- /etc/passwd\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n', /absolute path/);
    importing('--- a/x\n+++ /etc/passwd\n@@ -1 +1 @@\n-a\n+b\n', /absolute path/);
  });

  test('a folder that the set itself makes a symlink', () => {
    importing(
      'diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n@@ -0,0 +1 @@\n+/etc\n\\ No newline at end of file\n' +
        'diff --git a/out/x b/out/x\nnew file mode 100644\n--- /dev/null\n+++ b/out/x\n@@ -0,0 +1 @@\n+x\n',
      /through the symlink 'out'/,
    );
  });

  test('through a symlink of the base, and of the target', () => {
    const repo = kernelRepo(box, 'links', 'v4.18', { 'arch/arm64/linked': { link: '../../../etc' } });
    const set =
      'diff --git a/arch/arm64/linked/x b/arch/arm64/linked/x\nnew file mode 100644\n--- /dev/null\n+++ b/arch/arm64/linked/x\n@@ -0,0 +1 @@\n+x\n';
    writeFileSync(box.path('x.diff'), set);
    expect(box.kport(['import', 'x', 'x.diff', '--base', 'v4.18']).status).toBe(0);
    refused(['apply', '--set', 'x', '--tree', 'links', '--to', 'v4.18'], /through the symlink 'arch\/arm64\/linked'/);

    repo.tag('linked');
    const plain = kernelRepo(box, 'plain', 'v4.18');
    plain.commit('v5.4\n', {
      Makefile: String(littleKernel('v5.4').Makefile),
      'arch/arm64/linked': { link: '../../../etc' },
      'arch/arm64/sekvm': 'a file\n',
    });
    plain.tag('v5.4');
    const done = box.kport(['apply', '--set', 'x', '--tree', 'plain', '--to', 'v5.4', '--out', 'series']);
    expect(done.status).toBe(1);
    expect(done.stdout).toContain("'arch/arm64/linked' is a symlink in the target");
    expect(readFileSync(box.path('series/rejects/arch__arm64__linked__x.rej'), 'utf8')).toContain('\n+x\n');

    // A folder of the set where the target has a file must not take the file's place either.
    const other = box.kport([
      'apply',
      '--set',
      'mine',
      '--tree',
      'plain',
      '--to',
      'v5.4',
      '--branch',
      'p',
      '--base-tree',
      'linux',
    ]);
    expect(other.status).toBe(1);
    expect(other.stdout).toContain("'arch/arm64/sekvm' is a file in the target");
    expect(plain.git(['show', 'p:arch/arm64/sekvm'])).toBe('a file\n');
  });

  test('a new file where the target has a folder', () => {
    kernelRepo(box, 'plain', 'v4.18');
    const plain = box.open('plain');
    plain.commit('v5.4\n', { Makefile: String(littleKernel('v5.4').Makefile), 'arch/new/inside.c': fn('inside') });
    plain.tag('v5.4');
    writeFileSync(
      box.path('x.diff'),
      'diff --git a/arch/new b/arch/new\nnew file mode 100644\n--- /dev/null\n+++ b/arch/new\n@@ -0,0 +1 @@\n+x\n',
    );
    expect(box.kport(['import', 'x', 'x.diff', '--base', 'v4.18']).status).toBe(0);
    const done = box.kport(['apply', '--set', 'x', '--tree', 'plain', '--to', 'v5.4', '--branch', 'b']);
    expect(done.status).toBe(1);
    expect(done.stdout).toContain("'arch/new' is a folder in the target");
    expect(plain.git(['ls-tree', '-r', '--name-only', 'b', 'arch/new'])).toBe('arch/new/inside.c\n');
  });

  test('nothing that is a patch', () => {
    refused(['import', 'x', 'nowhere.diff', '--base', 'v4.18'], "no such file or folder: 'nowhere.diff'");
    importing('just words\n', /holds no patch/);
    importing('', /holds no patch/);
  });
});

describe('measurements', () => {
  test('of which every row is refused make no page, and take none away', () => {
    writeFileSync(path.join(box.dir, 'bad.csv'), 'benchmark,configuration,machine,unit,value\nhackbench,kvm,m1,,10\n');
    writeFileSync(path.join(box.dir, 'old.html'), 'older');
    for (const page of ['new.html', 'old.html']) {
      const done = box.kport(['bench', 'import', 'bad.csv', '--html', page]);
      expect(done).toMatchObject({ status: 2, stdout: '' });
      expect(done.stderr).toMatch(
        /^refused: bad\.csv:2: hackbench: no unit\nerror: no measurement could be used\nhint: /,
      );
    }
    expect(readdirSync(box.dir)).not.toContain('new.html');
    expect(readFileSync(path.join(box.dir, 'old.html'), 'utf8')).toBe('older');
  });
});

describe('places to write to', () => {
  test('below a regular file', () => {
    refused(
      applyTo('--to', 'v5.4', '--out', 'linux/Makefile/out'),
      /^error: no permission to write 'linux\/Makefile\/out'/,
    );
    writeFileSync(box.path('file'), '');
    refused(
      ['import', 'x', '--repo', 'linux', '--range', 'v4.18..set', '--patches', 'file/patches'],
      /^error: no permission to write 'file\/patches\/x'/,
    );
    refused(applyTo('--to', 'v5.4', '--out', 'file'), "'file' is not a folder");
    refused(applyTo('--to', 'v5.4', '--out', 'file', '--force'), "'file' is not a folder");
  });

  test('without permission', () => {
    // For root permissions mean nothing, but a file system that cannot be written does.
    const places = process.getuid?.() === 0 ? ['/proc/kport', '/sys/kport'] : [box.path('locked/out')];
    mkdirSync(box.path('locked'), { mode: 0o555 });
    for (const place of places) {
      refused(applyTo('--to', 'v5.4', '--out', place), /^error: (no permission to write|unable to write)/, {
        mayCache: true,
      });
      refused(
        ['import', 'x', '--repo', 'linux', '--range', 'v4.18..set', '--patches', place],
        /^error: (no permission|unable) to write/,
      );
    }
  });

  test('a folder with other things in it is kept, even with --force', () => {
    box.write('precious', { 'thesis.tex': 'words\n' });
    refused(applyTo('--to', 'v5.4', '--out', 'precious'), /'precious' exists and is no port/);
    for (const place of ['.', 'linux', 'patches', '', box.dir]) {
      refused(applyTo('--to', 'v5.4', '--force', '--out', place), /^error: /);
    }
    box.write('patches/stuff', { 'thesis.tex': 'words\n' });
    refused(['import', 'stuff', '--repo', 'linux', '--range', 'v4.18..set', '--force'], /is no patch set/);
  });

  test('a set of that name', () => {
    refused(['import', 'mine', '--repo', 'linux', '--range', 'v4.18..set'], "patch set 'mine' exists already");
    expect(box.kport(['import', 'mine', '--repo', 'linux', '--range', 'v4.18..set~1', '--force']).status).toBe(0);
  });

  test('names that are no branch', () => {
    refused(applyTo('--to', 'v5.4', '--branch', 'a..b'), "'a..b' is no name for a branch", { hint: false });
    refused(applyTo('--to', 'v5.4', '--branch', '-x'), /branch|argument/, { hint: false });
  });

  test('nobody: a branch needs a committer', () => {
    const env = { GIT_COMMITTER_NAME: '', GIT_COMMITTER_EMAIL: '', GIT_AUTHOR_NAME: '', GIT_AUTHOR_EMAIL: '' };
    refused(applyTo('--to', 'v5.4', '--branch', 'b'), 'git does not know who you are', { env });
  });
});
