import { execFileSync } from 'node:child_process';
import type { PortReport } from '../../src/core/report';
import { Sandbox, type Repo } from '../support/sandbox';
import { buildableKernel } from './kernel';

/** Programs that a repair needs. Without them the tests are skipped, and say so. */
const missing = ['aarch64-linux-gnu-gcc', 'make', 'flex', 'bison', 'bc', 'gcc', 'perl'].filter((tool) => {
  try {
    execFileSync('which', [tool], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
});
if (missing.length) process.stderr.write(`SKIPPED: kport apply --repair is not tested: no ${missing.join(', ')}\n`);
const withCompiler = missing.length ? describe.skip : describe;

let box: Sandbox;
let linux: Repo;
const apply = (...args: string[]) => box.kport(['apply', '--set', 'core', '--tree', 'linux', '--to', 'v5.4', ...args]);
const textOf = (branch: string, file: string) => linux.git(['show', `${branch}:arch/arm64/kvm/${file}`]);

beforeAll(() => {
  box = new Sandbox();
  linux = buildableKernel(box);
  expect(box.kport(['import', 'core', '--repo', 'linux', '--range', 'v4.18..set']).status).toBe(0);
});
afterAll(() => box.remove());

withCompiler('kport apply --repair', () => {
  test('mends a stale name, and leaves what it cannot mend', () => {
    const plain = JSON.parse(apply('--branch', 'plain', '--json').stdout) as PortReport;
    expect(plain.repair).toBeUndefined();
    const done = apply('--branch', 'repaired', '--repair', '--json');
    const report = JSON.parse(done.stdout) as PortReport;
    const repair = report.repair!;
    // On: a renamed function, one that is gone, a header that is not included any more (two names). Off: the new files alone.
    expect([repair.before, repair.after]).toEqual([
      { on: 4, off: 2 },
      { on: 1, off: 1 },
    ]);
    expect(repair.changes.map((c) => [c.path, c.to, c.evidence.kind])).toEqual([
      ['arch/arm64/kvm/core.c', '\tnote_leave(kvm, 5);', 'repaired'],
      [
        'arch/arm64/kvm/guest.c',
        '#include <asm/kvm_host.h>\n#ifdef CONFIG_CORE_KVM\n#include <asm/kvm_state.h>\n#endif',
        'repaired',
      ],
    ]);
    expect(textOf('repaired', 'core.c')).toBe(textOf('plain', 'core.c').replace('count_exit', 'note_leave'));
    expect(textOf('repaired', 'lost.c')).toBe(textOf('plain', 'lost.c'));
    expect(linux.git(['diff', '--stat', 'plain', 'repaired'])).toMatch(
      /2 files changed, 4 insertions\(\+\), 1 deletion/,
    );
    expect(report.notes).toContain(
      `repair: option on: 4 -> 1 errors, option off: 2 -> 1 errors; 2 lines rewritten, ${repair.tried} tries`,
    );
    // The patch that wrote a line writes it as it is now: each is one commit, and the last tree is the repaired one.
    expect(linux.git(['show', 'repaired~1:arch/arm64/kvm/core.c'])).toContain('note_leave');
    expect(linux.git(['log', '--format=%s', 'v5.4..repaired']).split('\n')).toEqual(
      linux.git(['log', '--format=%s', 'v5.4..plain']).split('\n'),
    );
    // Every hunk is there once, and those that were changed are known as rewritten, with what the compiler said.
    expect(report.hunks.map((h) => h.id)).toEqual(plain.hunks.map((h) => h.id));
    const sum = Object.values(report.summary.byOutcome).reduce((a, b) => a + b, 0);
    expect(sum).toBe(report.summary.hunks);
    const guest = report.hunks.find((h) => h.path.endsWith('guest.c'))!;
    expect([guest.outcome, guest.confidence <= 0.7]).toEqual(['rewritten', true]);
    expect(guest.evidence.filter((e) => e.kind === 'repaired').map((e) => e.text)).toEqual([
      expect.stringMatching(/kvm_state\.h', which the file does not include \(the compiler, option on: /),
    ]);
    expect(report.files.find((f) => f.path.endsWith('core.c'))!.outcome).toBe('rewritten');
    expect(report.files.find((f) => f.path.endsWith('lost.c'))!.evidence).toEqual([]);
    // What was asked for is asked for again.
    expect(apply('--branch', 'again', '--repair', '-j', '1', '--json').status).toBe(done.status);
    expect(linux.tree('again')).toBe(linux.tree('repaired'));
  });

  test('keeps nothing where the errors do not get fewer', () => {
    const only = ['--only', 'arch/arm64/kvm/lost.c', 'arch/arm64/kvm/Kconfig'];
    const report = JSON.parse(apply('--branch', 'lost', '--repair', '--json', ...only).stdout) as PortReport;
    expect(report.repair).toMatchObject({ before: { on: 1, off: 1 }, after: { on: 1, off: 1 }, changes: [] });
    expect(textOf('lost', 'lost.c')).toBe(textOf('plain', 'lost.c'));
    expect(report.files.find((f) => f.path.endsWith('lost.c'))!.outcome).not.toBe('rewritten');
  });
});

test('without a compiler nothing is left out in silence', () => {
  expect(apply('--branch', 'none', '--repair', '--cross-compile', 'no-such-')).toEqual({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining("error: no cross compiler: 'no-such-gcc' is not on PATH\n"),
  });
});
