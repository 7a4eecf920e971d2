import { lines, port } from './harness';

const C = 'arch/arm64/kvm/mmu.c';
const fn = (...body: string[]) => lines('int map_page(struct kvm *kvm, int size)', '{', ...body, '\treturn 0;', '}');
const off = (...code: string[]) => ['#ifndef CONFIG_SET', ...code, '#else', '\t\tset_result(kvm, size);', '#endif'];
const huge = ['\t\tset_huge(kvm, size);', '\t\tsync_huge(kvm);'];
const small = ['\t\tset_page(kvm, size);', '\t\tsync_page(kvm);'];
const ways = (first: string[], last: string[], ...between: string[]) =>
  fn('\tlock(kvm);', '\tif (size == PMD_SIZE) {', ...first, ...between, '\t} else {', ...last, '\t}', '\tunlock(kvm);');
const base = ways(huge, small);
const run = async (set: string, target: string) =>
  (await port({ [C]: base }, { [C]: set }, { [C]: target })).hunks.map((h) => [h.message, h.confidence] as const);

describe('what the set changes in every branch of an if', () => {
  const set = ways(off(...huge), off(...small));
  const more = ['\t} else if (size == PUD_SIZE) {', '\t\tset_pud(kvm, size);'];

  test('is owed to a branch that upstream has put in', async () => {
    const found = await run(set, ways(huge, small, ...more));
    const text =
      "the set changes every branch there; upstream has another one by now, which is left: 'if (size == PUD_SIZE)'";
    for (const [message, confidence] of found) {
      expect(message).toContain(text);
      expect(confidence).toBeLessThanOrEqual(0.75);
    }
  });

  test('is owed to none where the branches are as many, or the set leaves one itself', async () => {
    const other = ways(huge, small).replace('lock(kvm)', 'lock_all(kvm)');
    expect((await run(set, other)).map(([message]) => message)).toEqual([null]);
    const one = await run(ways(off(...huge), small), ways(huge, small, ...more));
    expect(one.map(([message]) => message)).toEqual([null]);
  });
});

describe('a call that the set guards out', () => {
  const write = ['\t\tif (writable) {', '\t\t\tmake_writable(kvm);', '\t\t\tset_dirty(kvm);', '\t\t}'];
  const both = (first: string[], last: string[], text: string) =>
    ways(first, last).replace('\tif (size', text + '\tif (size');
  const whole = (text: string) => both([...write, ...huge], [...write, ...small], text);
  const set = (text: string) => both(off(...write, ...huge), off(...write, ...small), text);
  const dirty = '\tif (writable)\n\t\tset_dirty(kvm);\n';
  const messages = async (was: string, then: string, now: string) =>
    (await port({ [C]: was }, { [C]: then }, { [C]: now })).hunks.map((h) => h.message ?? '').join();

  test('is named where upstream has put it in front of the branches', async () => {
    const target = whole(dirty).replaceAll('\t\t\tset_dirty(kvm);\n', '');
    const text = "'set_dirty(kvm);', which it guards out, stands outside of its guards in the target";
    expect(await messages(whole(''), set(''), target)).toContain(text);
  });

  test('is not where the base has it there as well', async () => {
    const target = whole(dirty).replace('unlock', 'let_go');
    expect(await messages(whole(dirty), set(dirty), target)).toBe('');
  });
});
