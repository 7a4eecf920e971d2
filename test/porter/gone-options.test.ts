import { lines, port, type Texts } from './harness';

const C = 'arch/arm64/kvm/fault.c';
const K = 'arch/arm64/kvm/Kconfig';
const base = lines('static int fault(void)', '{', '\tone();', '\ttwo();', '\treturn 0;', '}');
const after = (...own: string[]) => base.replace('\ttwo();\n', `\ttwo();\n${lines(...own)}`);
const options = (...names: string[]) => lines(...names.flatMap((n) => [`config ${n}`, `\tbool "${n}"`, '']));
const FEW = options('KVM', 'NEW');
const ALL = options('KVM', 'OLD', 'NEW');

const ported = (own: string[], target: Texts = { [K]: FEW }, set: Texts = {}, way = {}) =>
  port({ [C]: base, [K]: ALL }, { [C]: after(...own), ...set }, target, [], way);
const codeOf = async (...args: Parameters<typeof ported>) => {
  const { hunks, files } = await ported(...args);
  return { hunk: hunks.find((h) => h.path === C)!, text: files[C] };
};

describe("an option of the base that the target's Kconfig does not define any more", () => {
  test.each([
    ['#ifdef CONFIG_OLD', "'#ifdef CONFIG_OLD' never holds"],
    ['#ifndef CONFIG_OLD', "'#ifndef CONFIG_OLD' always holds"],
    ['#if defined(CONFIG_OLD) && defined(CONFIG_KVM)', 'never holds'],
    ['#if !IS_ENABLED(CONFIG_OLD) || defined(CONFIG_KVM)', 'always holds'],
    ['#if IS_MODULE(CONFIG_OLD)', 'never holds'],
    ['#ifdef CONFIG_OLD_MODULE', 'never holds'],
  ])('decides %s: a conflict', async (directive, said) => {
    const { hunk, text } = await codeOf([directive, '\tthree();', '#endif']);
    expect(hunk.outcome).toBe('conflict');
    expect(hunk.message).toContain(said);
    expect(hunk.message).toMatch(/no Kconfig file of the target defines 'CONFIG_OLD\w*' any more/);
    expect(hunk.edits[0]!.candidates[0]).toMatchObject({ path: C, line: 5, definition: 'fault' });
    expect(text).toBe(base);
  });

  test('lets an #error fire', async () => {
    const { hunk } = await codeOf(['#ifndef CONFIG_OLD', '#error needs OLD', '#endif']);
    expect(hunk.message).toContain('and the #error behind it fires');
  });

  test.each([
    ['v5.8', { 'v5.4': { [K]: ALL }, 'v5.8': { [K]: FEW }, 'v5.9': { [K]: FEW } }],
    ['v5.10', { 'v5.4': { [K]: ALL }, 'v5.8': { [K]: ALL } }],
  ])('is said with the release that took it out: %s', async (release, between) => {
    const { hunk } = await codeOf(['#ifdef CONFIG_OLD', '\tthree();', '#endif'], { [K]: FEW }, {}, { between });
    expect(hunk.message).toContain(`defines 'CONFIG_OLD' any more, from ${release} on`);
  });

  test.each([
    [['#if defined(CONFIG_OLD) || defined(CONFIG_KVM)', '\tthree();', '#endif'], 'a part of'],
    [['\tif (IS_ENABLED(CONFIG_OLD))', '\t\tthree();'], 'what it asks for is always off'],
  ])('is a doubt where it decides a part: %j', async (own, said) => {
    const { hunk, text } = await codeOf(own);
    expect(hunk.confidence).toBeLessThanOrEqual(0.75);
    expect(hunk.message).toContain(said);
    expect(text).toContain('three();');
  });
});

describe('no word about an option', () => {
  const OWN = ['#ifdef CONFIG_OLD', '\tthree();', '#endif'];
  test.each<[string, string[], Texts, Texts]>([
    ['that the target defines, too', OWN, { [K]: ALL }, {}],
    ['that the target defines elsewhere', OWN, { [K]: FEW, 'arch/Kconfig': options('OLD') }, {}],
    ['that nobody defines', [OWN[0]!.replace('OLD', 'DEAD'), ...OWN.slice(1)], { [K]: FEW }, {}],
    ['that the set defines itself', OWN, { [K]: FEW }, { 'arch/arm64/Kconfig.set': options('OLD') }],
    ['that only a comment names', ['\tthree(); /* with CONFIG_OLD */'], { [K]: FEW }, {}],
  ])('%s', async (_, own, target, set) => {
    const { hunk, text } = await codeOf(own, target, set);
    expect(hunk.outcome).toBe('applied');
    expect(hunk.message).toBeNull();
    expect(text).toBe(after(...own));
  });

  test('whose Kconfig file the target does not have: it may be a part of a tree', async () => {
    const { hunks } = await port({ [C]: base, [K]: ALL }, { [C]: after(...OWN) }, { 'arch/Kconfig': FEW }, [K]);
    expect(hunks[0]).toMatchObject({ outcome: 'applied', message: null });
  });

  test('in trees without any option', async () => {
    const { hunks } = await port({ [C]: base }, { [C]: after(...OWN) }, {});
    expect(hunks[0]).toMatchObject({ outcome: 'applied', message: null });
  });
});

test('a new file says so, too', async () => {
  const text = lines('#ifdef CONFIG_OLD', 'int own(void)', '{', '\treturn 1;', '}', '#endif');
  const { patches } = await ported(['\tthree();'], { [K]: FEW }, { 'arch/arm64/kvm/own.c': text });
  const file = patches[0]!.files.find((f) => f.path === 'arch/arm64/kvm/own.c')!;
  expect(file.message).toContain("'#ifdef CONFIG_OLD' never holds");
});
