import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { PortReport } from '../../src/core/report';
import { kernelWithSet, littleKernel, makefile } from '../support/kernel';
import { listing, Sandbox, type Repo } from '../support/sandbox';

let template: Sandbox;
let box: Sandbox;
let linux: Repo;

beforeAll(() => {
  template = new Sandbox();
  kernelWithSet(template, 'linux');
  expect(template.kport(['import', 'mine', '--repo', 'linux', '--range', 'v4.18..set'])).toEqual({
    status: 0,
    stdout: 'mine: 3 patches on v4.18; 4 modified, 1 added; 4 hunks in existing files\n',
    stderr: 'next: kport apply --set mine --tree DIR --to VERSION\n',
  });
});
beforeEach(() => {
  box = new Sandbox(template);
  linux = box.open('linux');
});
afterEach(() => box.remove());
afterAll(() => template.remove());

const apply = (...args: string[]) => box.kport(['apply', '--set', 'mine', '--tree', 'linux', ...args]);
const portOf = (dir: string) => JSON.parse(readFileSync(path.join(dir, 'port.json'), 'utf8')) as PortReport;

describe('kport apply', () => {
  test('asks a second set of the family, and keeps that it did', () => {
    linux.git(['checkout', '-q', '-b', 'later', 'v5.4']);
    linux.git(['cherry-pick', 'set~2']);
    linux.git(['checkout', '-q', 'main']);
    expect(box.kport(['import', 'later', '--repo', 'linux', '--range', 'v5.4..later']).status).toBe(0);
    const alone = JSON.parse(apply('--to', 'v5.4', '--branch', 'alone', '--json').stdout) as PortReport;
    expect(alone.reference).toBeNull();
    const done = apply('--to', 'v5.4', '--branch', 'ported', '--reference', 'later', '--json');
    const report = JSON.parse(done.stdout) as PortReport;
    expect(report.reference).toEqual({ name: 'later', version: 'v5.4' });
    expect(report.notes).toContain(
      "reference 'later': 0 hunks are ported from it, 2 have the same place in it, 0 another",
    );
    expect(report.hunks.map((h) => h.evidence.some((e) => e.kind === 'reference-agrees'))).toEqual(
      report.hunks.map((h) => /arm\.c$|Kconfig$/.test(h.path)),
    );
    expect(report.result!.treeId).toBe(alone.result!.treeId);
    // The port can be made again as it was asked for.
    const request = readFileSync(path.join(linux.dir, '.git/kport/ports/ported/request.json'), 'utf8');
    expect(JSON.parse(request)).toMatchObject({ reference: 'later' });
  });

  test('makes a branch with one commit for each patch, its author kept', () => {
    const done = apply('--to', 'v5.4', '--branch', 'ported');
    expect(done.stderr.replace(/[0-9a-f]{12}/, 'TREE').replaceAll(box.dir, 'BOX')).toMatchInlineSnapshot(`
      "
      branch 'ported' in 'BOX/linux', tree TREE
      next: git -C BOX/linux diff v5.4 ported
      "
    `);
    expect(done.stdout).toMatchInlineSnapshot(`
      "mine: v4.18 -> v5.4 (v5.4)

      outcome	hunks
      applied	3
      merged	1

      4 of 4 hunks placed; files: 4 modified, 1 added
      "
    `);
    expect(done.status).toBe(0);
    expect(linux.git(['log', '--format=%an <%ae> %at %ai%n%cn%n%s%n%b', 'v5.4..ported'])).toMatchInlineSnapshot(`
      "Ann Author <ann@example.org> 1600000000 2020-09-13 14:26:40 +0200
      Carl Committer
      KVM: count the maps

      JÃ¼rgen MÃ¼ller <jm@example.org> 1500000000 2017-07-13 21:40:00 -0500
      Carl Committer
      KVM: add the corevisor

      Ann Author <ann@example.org> 1600000000 2020-09-13 14:26:40 +0200
      Carl Committer
      KVM: guard the entry
      Why, in words.

      Signed-off-by: Ann Author <ann@example.org>

      "
    `);
    expect(linux.git(['diff', '--stat', 'v5.4', 'ported'])).toMatchInlineSnapshot(`
      " arch/arm64/kvm/Kconfig  |  4 ++++
       arch/arm64/kvm/Makefile |  1 +
       arch/arm64/kvm/arm.c    |  4 ++++
       arch/arm64/kvm/mmu.c    |  1 +
       arch/arm64/sekvm/core.c | 13 +++++++++++++
       5 files changed, 23 insertions(+)
      "
    `);
  });

  test('names the branch after set and target', () => {
    expect(apply('--to', 'v5.4').status).toBe(0);
    expect(linux.git(['branch', '--list', '--format=%(refname:short)', 'kport/*'])).toBe('kport/mine-v5.4\n');
  });

  test.each(['main~0', 'v5.4^{commit}', 'HEAD@{0}', 'refs/tags/v5.4'])('names it so that git takes it: %s', (to) => {
    expect(apply('--to', to)).toMatchObject({ status: 0 });
    expect(linux.git(['branch', '--list', 'kport/*'])).toMatch(/^ {2}kport\/mine-/);
  });

  test('--json is one document, whatever else is asked for', () => {
    const done = apply('--to', 'v5.4', '--branch', 'ported', '--json');
    expect(done.status).toBe(0);
    expect(done.stderr).toBe('');
    const report = JSON.parse(done.stdout) as PortReport;
    expect(report.schemaVersion).toBe(1);
    expect(report.result!.treeId).toBe(linux.tree('ported'));
    expect(report.result!.commits).toEqual(linux.git(['rev-list', '--reverse', 'v5.4..ported']).trim().split('\n'));
    expect(report.summary.hunks).toBe(4);
    expect(Object.values(report.summary.byOutcome).reduce((a, b) => a + b)).toBe(4);
  });

  test('--out: the series applies with git am and gives the tree that the report names; so does the branch', () => {
    const done = apply('--to', 'v5.4', '--branch', 'ported', '--out', 'series');
    expect(done.status).toBe(0);
    const report = portOf(box.path('series'));
    const mails = readdirSync(box.path('series')).filter((f) => f.endsWith('.patch'));
    expect(mails).toEqual([
      '0001-KVM-guard-the-entry.patch',
      '0002-KVM-add-the-corevisor.patch',
      '0003-KVM-count-the-maps.patch',
    ]);
    linux.git(['checkout', '-q', '--detach', 'v5.4']);
    linux.git(['am', '-q', ...mails.map((m) => box.path('series', m))]);
    expect(linux.tree('HEAD')).toBe(report.result!.treeId);
    expect(linux.tree('ported')).toBe(report.result!.treeId);
    expect(linux.git(['log', '--format=%an %ae %ad', 'v5.4..HEAD'])).toBe(
      linux.git(['log', '--format=%an %ae %ad', 'v5.4..ported']),
    );
  });

  test('two runs give the same ids', () => {
    apply('--to', 'v5.4', '--branch', 'one', '--out', 'a');
    apply('--to', 'v5.4', '--branch', 'two', '--out', 'b');
    expect(linux.git(['rev-parse', 'one'])).toBe(linux.git(['rev-parse', 'two']));
    const [a, b] = [listing(box.path('a')), listing(box.path('b'))];
    delete a['port.json'];
    delete b['port.json'];
    expect(a).toEqual(b);
    expect(portOf(box.path('a')).result!.treeId).toBe(portOf(box.path('b')).result!.treeId);
  });

  test('again on its own branch: replaces it; on somebody else’s: not without --force', () => {
    expect(apply('--to', 'v5.4', '--branch', 'ported').status).toBe(0);
    expect(apply('--to', 'v5.4', '--branch', 'ported').status).toBe(0);
    linux.git(['branch', 'theirs', 'v4.18']);
    const done = apply('--to', 'v5.4', '--branch', 'theirs');
    expect(done).toEqual({
      status: 2,
      stdout: '',
      stderr: [
        "error: branch 'theirs' exists and is not what kport last made there",
        "hint: choose another with '--branch NAME', or give '--force' to replace it\n",
      ].join('\n'),
    });
    expect(linux.git(['rev-parse', 'theirs'])).toBe(linux.git(['rev-parse', 'v4.18']));
    expect(apply('--to', 'v5.4', '--branch', 'theirs', '--force').status).toBe(0);
    expect(apply('--to', 'v5.4', '--branch', 'main', '--force')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("branch 'main' is checked out"),
    });
  });

  test('a branch may have any name, also that of kport’s own files', () => {
    for (const name of ['last', 'port.json', 'rejects', 'a/last', 'last']) {
      expect(apply('--to', 'v5.4', '--branch', name)).toMatchObject({ status: 0 });
    }
  });

  test('-n writes nothing and says the same', () => {
    const before = listing(box.dir);
    const dry = apply('--to', 'v5.4', '--branch', 'ported', '--out', 'series', '-n');
    expect(listing(box.dir)).toEqual(before);
    expect(dry.stderr).toBe('dry run: nothing written\n');
    const wet = apply('--to', 'v5.4', '--branch', 'ported', '--out', 'series');
    expect([dry.status, dry.stdout]).toEqual([wet.status, wet.stdout]);
    expect(apply('--to', 'v5.4', '--dry-run', '--json').status).toBe(0);
  });

  test('HEAD, index and a dirty work tree stay as they are', () => {
    linux.write({
      'arch/arm64/kvm/arm.c': 'dirty\n',
      'staged.c': 'int staged;\n',
      'untracked.c': 'int u;\n',
      Kconfig: null,
    });
    linux.git(['add', 'staged.c']);
    const look = () => ({
      status: linux.git(['status', '--porcelain=v2', '--branch']),
      files: listing(linux.dir, (f) => f === '.git'),
      head: readFileSync(path.join(linux.dir, '.git/HEAD'), 'utf8'),
      index: readFileSync(path.join(linux.dir, '.git/index'), 'hex'),
      refs: linux.git(['for-each-ref']),
      worktrees: linux.git(['worktree', 'list']),
      config: readFileSync(path.join(linux.dir, '.git/config'), 'utf8'),
    });
    const before = look();
    expect(apply('--to', 'v5.4', '--out', 'series').status).toBe(0);
    expect(look()).toEqual(before);
    expect(apply('--to', 'v5.4', '--branch', 'ported').status).toBe(0);
    const after = look();
    expect(after.refs.split('\n').filter((r) => !r.includes('refs/heads/ported'))).toEqual(before.refs.split('\n'));
    expect({ ...after, refs: '' }).toEqual({ ...before, refs: '' });
    expect(readdirSync(box.path('tmp'))).toEqual([]);
  });

  test('git’s own variables of a surrounding git command lead nowhere else', () => {
    const other = box.repo('other');
    other.commit('other\n', { x: 'x\n' });
    const before = listing(other.dir);
    const clean = apply('--to', 'v5.4', '--out', 'clean', '--json');
    const env = {
      GIT_DIR: path.join(other.dir, '.git'),
      GIT_WORK_TREE: other.dir,
      GIT_INDEX_FILE: path.join(other.dir, '.git/index'),
      GIT_OBJECT_DIRECTORY: path.join(other.dir, '.git/objects'),
      GIT_PREFIX: 'x/',
      GIT_EXTERNAL_DIFF: 'false',
      GIT_DIFF_OPTS: '-u0',
      GIT_EDITOR: 'false',
    };
    const done = box.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.4', '--out', 'inside', '--json'], {
      env,
    });
    expect(done.stderr).toBe('');
    const trees = [clean, done].map((d) => (JSON.parse(d.stdout) as PortReport).result!.treeId);
    expect(trees[0]).toBe(trees[1]);
    expect(listing(other.dir)).toEqual(before);
  });

  test('the user’s git configuration changes nothing in set and series', () => {
    box.write('hostile', {
      config: [
        ...[
          '[diff]',
          'noprefix = true',
          'mnemonicPrefix = true',
          'context = 0',
          'renames = copies',
          'external = false',
        ],
        ...[
          'suppressBlankEmpty = true',
          'orderFile = /dev/null',
          'submodule = log',
          'ignoreSubmodules = all',
          'algorithm = patience',
        ],
        ...[
          '[format]',
          'signOff = true',
          'attach = true',
          'coverLetter = true',
          'suffix = .txt',
          'subjectPrefix = HOSTILE',
        ],
        ...[
          'numbered = true',
          'headers = "X-Hostile: yes\\n"',
          'signature = hostile',
          'thread = true',
          'from = true',
          'notes = true',
        ],
        ...['outputDirectory = elsewhere', 'useAutoBase = true', 'pretty = oneline', 'encodeEmailHeaders = false'],
        ...[
          '[core]',
          'autocrlf = true',
          'quotePath = false',
          'whitespace = tab-in-indent',
          'abbrev = 4',
          'pager = false',
        ],
        ...[
          '[apply]',
          'whitespace = fix',
          'ignoreWhitespace = change',
          '[mailinfo]',
          'scissors = true',
          '[color]',
          'ui = always',
        ],
        ...[
          '[log]',
          'showSignature = true',
          'decorate = full',
          'diffMerges = combined',
          '[i18n]',
          'commitEncoding = latin1',
        ],
        ...[
          'logOutputEncoding = latin1',
          '[init]',
          'defaultObjectFormat = sha256',
          'templateDir = /nowhere',
          '[am]',
          'keepcr = false',
        ],
        ...['[commit]', 'gpgSign = true', '[user]', 'name = Carl Committer', 'email = carl@example.org', ''],
      ].join('\n'),
    });
    const env = { GIT_CONFIG_GLOBAL: box.path('hostile/config') };
    expect(box.kport(['import', 'again', '--repo', 'linux', '--range', 'v4.18..set'], { env })).toMatchObject({
      status: 0,
    });
    const [mine, again] = ['mine', 'again'].map((name) => listing(box.path('patches', name), (f) => f === 'set.json'));
    expect(Object.keys(again!)).toEqual(Object.keys(mine!));
    apply('--to', 'v5.4', '--branch', 'plain', '--out', 'plain');
    const done = box.kport(
      ['apply', '--set', 'again', '--tree', 'linux', '--to', 'v5.4', '--branch', 'hostile', '--out', 'hostile-out'],
      { env },
    );
    expect(done).toMatchObject({ status: 0 });
    expect(linux.tree('hostile')).toBe(linux.tree('plain'));
    const series = (dir: string) => listing(box.path(dir), (f) => f === 'port.json');
    expect(series('hostile-out')).toEqual(series('plain'));
  });

  test('--only ports these files alone', () => {
    const done = apply(
      '--to',
      'v5.4',
      '--branch',
      'part',
      '--json',
      '--only',
      'arch/arm64/kvm/mmu.c',
      '--only',
      'arch/arm64/sekvm/',
    );
    expect(done.status).toBe(0);
    const report = JSON.parse(done.stdout) as PortReport;
    expect(report.files.map((f) => f.path)).toEqual(['arch/arm64/sekvm/core.c', 'arch/arm64/kvm/mmu.c']);
    expect(linux.git(['diff', '--name-only', 'v5.4', 'part'])).toBe('arch/arm64/kvm/mmu.c\narch/arm64/sekvm/core.c\n');
    expect(apply('--to', 'v5.4', '--only', 'no/such/file')).toMatchObject({ status: 2, stdout: '' });
  });

  test('-C is git’s, repeatable', () => {
    const done = box.kport(
      ['-C', '../..', '-C', path.basename(box.dir), 'apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.4'],
      {
        cwd: box.path('home'),
      },
    );
    expect(done.status).toBe(0);
    expect(box.kport(['-C', 'nowhere', 'sets'])).toEqual({
      status: 2,
      stdout: '',
      stderr: "error: cannot change to 'nowhere'\n",
    });
  });

  test('a plain folder as target gives a folder of patches, named after set and target', () => {
    box.write('plain', { ...littleKernel('v4.18'), Makefile: makefile('v4.18') });
    const done = box.kport(['apply', '--set', 'mine', '--tree', 'plain']);
    expect(done).toMatchObject({ status: 0 });
    const dir = box.path('mine-plain');
    expect(readdirSync(dir).filter((f) => f.endsWith('.patch'))).toHaveLength(3);
    const copy = box.repo('copy');
    copy.commit('base\n', littleKernel('v4.18'));
    copy.git([
      'am',
      '-q',
      ...readdirSync(dir)
        .filter((f) => f.endsWith('.patch'))
        .map((f) => path.join(dir, f)),
    ]);
    expect(copy.tree('HEAD')).toBe(linux.tree('set'));
    expect(existsSync(box.path('plain/.git'))).toBe(false);
  });

  test('what is not placed: exit 1, a reject beside the report, no marker; markers on request', () => {
    linux.commit('Linux 5.10\n', {
      Makefile: makefile('v5.10'),
      'arch/arm64/kvm/mmu.c': '#include <linux/kvm_host.h>\n\nint something_else(void)\n{\n\treturn 0;\n}\n',
    });
    linux.tag('v5.10');
    const done = apply('--to', 'v5.10', '--branch', 'ported', '--out', 'series');
    expect(done.status).toBe(1);
    expect(done.stdout).toContain('3 of 4 hunks placed');
    expect(done.stdout).toContain('not placed:');
    expect(done.stderr).toContain(`wrote '${box.path('series')}': the series, port.json and rejects/`);
    const [reject] = readdirSync(box.path('series/rejects'));
    expect(readFileSync(box.path('series/rejects', reject!), 'utf8')).toContain('+\taccount_map(vcpu);\n');
    expect(linux.git(['grep', '-l', '-e', '^<<<<<<<', 'ported'], { ok: [0, 1] })).toBe('');

    const marked = apply('--to', 'v5.10', '--branch', 'marked', '--conflicts=markers');
    expect(marked.status).toBe(1);
  });

  test('| head is no error', async () => {
    const child = spawn(
      'sh',
      [
        '-c',
        `"${process.execPath}" "${path.join(__dirname, '../../bin/kport')}" apply --set mine --tree linux --to v5.4 --json | head -c 1; echo`,
      ],
      {
        cwd: box.dir,
        env: box.env as NodeJS.ProcessEnv,
      },
    );
    let err = '';
    child.stderr.on('data', (d: Buffer) => (err += d.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});
