import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ApplySchema } from '../../src/report/schema/apply';
import { StatusSchema, type StatusReport } from '../../src/report/schema/status';
import { edited, kernelWithSet, makefile } from '../support/kernel';
import { Sandbox, type Repo } from '../support/sandbox';

let template: Sandbox;
let box: Sandbox;
let linux: Repo;

const ARM = 'arch/arm64/kvm/arm.c';
const CORE = 'arch/arm64/sekvm/core.c';

beforeAll(() => {
  template = new Sandbox();
  const repo = kernelWithSet(template, 'linux');
  expect(template.kport(['import', 'mine', '--repo', 'linux', '--range', 'v4.18..set']).status).toBe(0);
  repo.commit('Linux 5.8\n', { Makefile: makefile('v5.8') });
  repo.tag('v5.8');
  repo.commit('Linux 5.10\n', { Makefile: makefile('v5.10') });
  repo.tag('v5.10');
  expect(
    template.kport(['apply', '--set', 'mine', '--tree', 'linux', '--to', 'v5.8', '--branch', 'ported']).status,
  ).toBe(0);
});
beforeEach(() => {
  box = new Sandbox(template);
  linux = box.open('linux');
});
afterEach(() => box.remove());
afterAll(() => template.remove());

const kport = (command: string, ...args: string[]) => box.kport([command, '--tree', 'linux', ...args]);
const status = (...args: string[]) => JSON.parse(kport('status', '--json', ...args).stdout) as StatusReport;
const text = (path: string, branch = 'ported') => linux.git(['show', `${branch}:${path}`]);
const tree = (branch = 'ported') => linux.git(['rev-parse', `${branch}^{tree}`]).trim();
const again = (to: string, branch: string, ...args: string[]) =>
  kport('apply', '--set', 'mine', '--to', to, '--branch', branch, ...args);

/** A line of the set's, and one of upstream's, corrected; a new file of the set as well. */
const corrected = () => ({
  [ARM]: edited(
    edited(text(ARM), '= leave_verified(vcpu, arg);', '= leave_verified(vcpu, arg, 0);'),
    'init_one(vcpu, arg)',
    'init_one(vcpu, arg + 1)',
  ),
  [CORE]: edited(text(CORE), 'check_vcpu(vcpu, arg)', 'check_vcpu(vcpu)'),
});

/** Commits it on a branch beside the port, as somebody does who builds there. */
function commit(branch = 'work') {
  linux.git(['checkout', '-q', '-b', branch, 'ported']);
  linux.commit('By hand\n', corrected());
  const made = tree(branch);
  linux.git(['checkout', '-q', 'main']);
  return made;
}

describe('kport amend', () => {
  test('what was committed on top is in the port, in the patch that wrote it, and in the next one', () => {
    const made = commit();
    const before = tree();
    const done = kport('amend', '--rev', 'work');
    expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('corrected:\n') as string });
    expect(tree()).toBe(made);
    // Three patches still: the set's own wrote the lines as they are now.
    expect(linux.git(['rev-list', '--count', 'v5.8..ported']).trim()).toBe('3');
    expect(linux.git(['show', 'ported~2:' + ARM])).toContain('leave_verified(vcpu, arg, 0)');
    expect(linux.git(['show', 'ported~1:' + CORE])).toContain('check_vcpu(vcpu)');
    expect(again('v5.8', 'next').stderr).toContain('corrected by hand: 3 places in 2 files');
    expect(tree('next')).toBe(made);
    const report = ApplySchema.parse(JSON.parse(readFileSync(`${linux.dir}/.git/kport/ports/next/port.json`, 'utf8')));
    expect(report.corrections).toHaveLength(3);
    const hunk = report.hunks.find((h) => h.path === ARM)!;
    expect(hunk).toMatchObject({ outcome: 'rewritten' });
    expect(hunk.evidence).toContainEqual(expect.objectContaining({ kind: 'corrected' }));
    expect(report.corrections!.filter((c) => c.hunks.includes(hunk.id))).toHaveLength(1);
    expect(report.summary.byOutcome).toMatchObject({ rewritten: 1 });
    // As if nobody had corrected anything.
    expect(again('v5.8', 'bare', '--no-resolutions').stderr).not.toContain('corrected');
    expect(tree('bare')).toBe(before);
    // On another kernel the same lines may be right.
    expect(again('v5.10', 'later').stderr).not.toContain('corrected');
    expect(text(ARM, 'later')).not.toContain('arg, 0');
    // What the checks hold the tree against is the report.
    const checked = kport('check', '--branch', 'next', '--no-compile', '--json');
    const { checks } = JSON.parse(checked.stdout) as { checks: { name: string; result: string }[] };
    expect(checks.find((c) => c.name === 'accounting')).toMatchObject({ result: 'pass' });
  });

  test('what was committed on the branch itself is taken without a name', () => {
    linux.git(['checkout', '-q', 'ported']);
    linux.commit('By hand\n', corrected());
    const made = tree();
    linux.git(['checkout', '-q', 'main']);
    expect(status().state).toBe('changed');
    expect(kport('status').stderr).toContain('kport amend');
    expect(kport('amend').status).toBe(0);
    expect(status()).toMatchObject({ state: 'as-made' });
    expect(tree()).toBe(made);
  });

  test('one file, from an editor or a file; corrections stand on each other, and can be forgotten', () => {
    const before = tree();
    const shown = kport('amend', CORE, '-n');
    expect(shown).toMatchObject({ status: 0, stdout: text(CORE) });
    for (const [from, to] of [
      ['check_vcpu(vcpu, arg)', 'check_vcpu(vcpu)'],
      ['check_vcpu(vcpu)', 'check_vcpu(vcpu, 1)'],
    ] as const) {
      writeFileSync(box.path('core.c'), edited(text(CORE), from, to));
      expect(kport('amend', CORE, '--take', box.path('core.c')).status).toBe(0);
    }
    expect(text(CORE)).toContain('check_vcpu(vcpu, 1)');
    expect(StatusSchema.parse(status()).corrected.map((c) => [c.path, c.message])).toEqual([
      [CORE, null],
      [CORE, null],
    ]);
    expect(kport('amend', '--forget', CORE).status).toBe(0);
    expect(tree()).toBe(before);
    expect(kport('amend', '--forget', CORE)).toMatchObject({ status: 2 });
  });

  test('what does not fit any more is told, and the file is left as it is', () => {
    commit();
    expect(kport('amend', '--rev', 'work').status).toBe(0);
    // Somebody takes the first correction out of the record: the second stands on nothing.
    const dir = `${linux.dir}/.git/kport/corrections/mine`;
    const file = `${dir}/${readdirSync(dir)[0]!}`;
    const record = JSON.parse(readFileSync(file, 'utf8')) as { corrections: { before: string }[]; path: string };
    record.corrections[0]!.before = 'no such line\n';
    writeFileSync(file, JSON.stringify(record));
    const done = again('v5.8', 'next');
    expect(done.stderr).toMatch(/the correction of '.*' made .* does not fit: the port has other lines there now/);
    expect(status('--branch', 'next').corrected).toContainEqual(
      expect.objectContaining({ path: record.path, line: null, message: 'the port has other lines there now' }),
    );
  });

  test.each<[string, () => string[], RegExp]>([
    ['nothing committed', () => [], /nothing was committed on branch 'ported'/],
    ['a revision that does not stand on the port', () => ['--rev', 'v4.18'], /does not stand on what kport made/],
    ['no such file', () => ['no/such.c'], /the ported tree has no 'no\/such.c'/],
    ['a file and a revision', () => [CORE, '--rev', 'v5.8'], /either a file/],
    [
      'a new file',
      () => {
        linux.git(['checkout', '-q', '-b', 'work', 'ported']);
        linux.commit('By hand\n', { 'new.c': 'int x;\n' });
        linux.git(['checkout', '-q', 'main']);
        return ['--rev', 'work'];
      },
      /'new.c' was added, deleted, or is no text/,
    ],
  ])('%s: refused, nothing is kept', (_, args, why) => {
    const before = tree();
    const done = kport('amend', ...args());
    expect(done.status).toBe(2);
    expect(done.stderr).toMatch(why);
    expect(tree()).toBe(before);
    expect(status().corrected).toEqual([]);
  });

  test('an editor that changes nothing records nothing', () => {
    const done = box.kport(['amend', CORE, '--tree', 'linux'], { env: { GIT_EDITOR: 'true' } });
    expect(done).toMatchObject({ status: 3, stderr: expect.stringContaining('nothing was changed') as string });
    expect(status().corrected).toEqual([]);
  });
});
