import { lines, port } from './harness';

const C = 'arch/arm64/kvm/run.c';
const fn = (name: string, ...body: string[]) =>
  lines(`int ${name}(struct vcpu *vcpu)`, '{', ...body, '\treturn 0;', '}', '');
const enter = (own: string[] = []) => fn('enter', '\tsave_host(vcpu);', ...own, '\tload_guest(vcpu);');
const leave = (own: string[] = []) => fn('leave', '\tsave_guest(vcpu);', ...own, '\tload_host(vcpu);');
const note = ['#ifdef CONFIG_SET', '\tnote(vcpu);', '#endif'];
const includes = '#include <linux/kvm.h>\n\n';

describe('the line that is reported', () => {
  test('is one of the target as it was, below what the same patch adds above', async () => {
    const base = includes + enter() + leave();
    const target = `${includes}int fresh;\n\n${enter()}${leave()}`;
    const { hunks, files } = await port({ [C]: base }, { [C]: includes + enter(note) + leave(note) }, { [C]: target });
    expect(files[C]).toBe(`${includes}int fresh;\n\n${enter(note)}${leave(note)}`);
    const at = hunks.flatMap((h) => h.target.map((t) => target.split('\n')[t.line - 1]));
    expect(new Set(at)).toEqual(new Set(['\tload_guest(vcpu);', '\tload_host(vcpu);']));
  });

  test('and below what another file of the patch brought into it', async () => {
    const A = 'arch/arm64/kvm/low.c';
    const B = 'arch/arm64/kvm/high.c';
    const base = { [A]: includes + enter(), [B]: includes + leave() };
    const patched = { [A]: includes + enter(note), [B]: includes + leave(note) };
    // Upstream has both functions in one file by now.
    const target = includes + enter() + leave();
    const { hunks, files } = await port(base, patched, { [C]: target }, [A, B]);
    expect(files[C]).toBe(includes + enter(note) + leave(note));
    const [low, high] = [A, B].map((path) => hunks.find((h) => h.path === path)!);
    expect(high!.target.map((t) => [t.path, t.line])).toEqual([[C, 13]]);
    expect(low!.target.map((t) => [t.path, t.line])).toEqual([[C, 6]]);
    expect(high!.evidence.map((e) => e.text).join()).toContain(`${C}:13: `);
  });
});
