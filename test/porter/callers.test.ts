import { lines, port, type Texts } from './harness';

const C = 'arch/arm64/kvm/abort.c';
const head = (more = '') => `bool is_abort(struct vcpu *vcpu${more})`;
const body = ['{', '\treturn vcpu->esr & 1;', '}', ''];
const caller = (name: string, call: string[]) =>
  lines(`int ${name}(struct vcpu *vcpu)`, '{', ...call, '\t\treturn 1;', '\treturn 0;', '}', '');
const plain = ['\tif (is_abort(vcpu))'];
const guarded = ['#ifdef CONFIG_SET', '\tif (is_abort(vcpu, 0))', '#else', ...plain, '#endif'];
const base = lines(head(), ...body) + caller('handle', plain);
const patched =
  lines('#ifdef CONFIG_SET', head(', u8 fault'), '#else', head(), '#endif', ...body) + caller('handle', guarded);

const K = 'arch/arm64/kvm/Kconfig';
const config = { [K]: lines('config SET', '\tbool "the set"') };
const M = 'arch/arm64/kvm/Makefile';
const said = "under the guard 'is_abort' takes 2 arguments";
const messages = async (target: Texts, more: Texts = {}, set: Texts = {}) => {
  const { hunks } = await port({ ...config, [C]: base, ...more }, { [C]: patched, ...set }, target);
  return hunks.map((h) => h.message ?? '').filter((m) => m !== '');
};

describe('a guard that gives a function other parameters', () => {
  test('says which caller of upstream calls it as before', async () => {
    const found = await messages({ [C]: base + caller('fixup', plain) });
    expect(found).toContain(`${said}, but 'fixup' (${C}) passes 1`);
  });

  test('says nothing when the set sees to all of them', async () => {
    expect(await messages({ [C]: `int other;\n${base}` })).toEqual([]);
  });

  test('counts a caller in the branch that is left without an option which nobody defines', async () => {
    const dead = lines('#ifndef CONFIG_DEAD', '\tif (is_abort(vcpu, 1))', '#else').trimEnd();
    const fixup = caller('fixup', [...dead.split('\n'), ...plain, '#endif']);
    const { hunks } = await port({ ...config, [C]: base }, { [C]: patched }, { [C]: base + fixup });
    expect(hunks.flatMap((h) => h.message ?? [])).toContain(`${said}, but 'fixup' (${C}) passes 1`);
  });

  const H = 'arch/arm64/kvm/hyp/fixup.h';
  const U = 'arch/arm64/kvm/hyp/run.c';
  const asm = 'arch/arm64/include/asm/abort.h';
  const api = lines(`${head()};`);
  const setApi = { [asm]: lines('#ifdef CONFIG_SET', `${head(', u8 fault')};`, '#else', `${head()};`, '#endif') };
  const inHeader = { [H]: `#include <asm/abort.h>\n${caller('fixup', plain).replace('int ', 'static inline int ')}` };
  const user = {
    [U]: lines('#include "fixup.h"', '', 'int run(struct vcpu *vcpu)', '{', '\treturn fixup(vcpu);', '}'),
  };

  test('counts a caller in a header that a file which is built includes', async () => {
    const built = { [M]: lines('obj-y += abort.o'), 'arch/arm64/kvm/hyp/Makefile': lines('obj-y += run.o') };
    const found = await messages({ ...inHeader, ...user, ...built }, { [asm]: api }, setApi);
    expect(found).toContain(`${said}, but 'fixup' (${H}) passes 1`);
  });

  test('does not count one that is not built with the option on', async () => {
    const rule = ['ifeq ($(CONFIG_SET), y)', 'obj-y += own.o', 'else', 'obj-y += run.o', 'endif'];
    const hyp = 'arch/arm64/kvm/hyp/Makefile';
    const makefiles = { [M]: lines('obj-y += abort.o'), [hyp]: lines('obj-y += run.o') };
    const found = await messages(
      { ...inHeader, ...user },
      { [asm]: api, ...makefiles },
      { ...setApi, [hyp]: lines(...rule) },
    );
    expect(found).toEqual([]);
  });

  test('says nothing of what the patched base compiles in the same way', async () => {
    const odd = caller('odd', plain);
    const { hunks } = await port(
      { ...config, [C]: base + odd },
      { [C]: patched + odd },
      { [C]: `int other;\n${base}${odd}` },
    );
    expect(hunks.flatMap((h) => h.message ?? [])).toEqual([]);
  });
});

describe('a guard that replaces a declaration', () => {
  const P = 'arch/arm64/include/asm/run.h';
  const before = lines('int first(void);', '', 'int vcpu_run(struct vcpu *vcpu);', '', 'int last(void);');
  const mine = [
    '#ifdef CONFIG_SET',
    'int vcpu_run(u32 id, int nr);',
    '#else',
    'int vcpu_run(struct vcpu *vcpu);',
    '#endif',
  ];
  const set = before.replace('int vcpu_run(struct vcpu *vcpu);\n', lines(...mine));
  const MAIN = 'arch/arm64/kvm/main.c';
  const main = (name: string) =>
    lines('#include <asm/run.h>', `int handle(struct vcpu *vcpu)`, '{', `\treturn ${name}(vcpu);`, '}');

  const own = lines('int vcpu_run(u32 id, int nr)', '{', '\treturn nr;', '}');

  test('says who calls what upstream named anew', async () => {
    const renamed = before.replace('vcpu_run', 'vcpu_enter');
    const { hunks } = await port(
      { [P]: before, [MAIN]: main('vcpu_run') },
      { [P]: set, [MAIN]: `${main('vcpu_run')}int x;\n`, 'arch/arm64/kvm/own.c': own },
      { [P]: renamed, [MAIN]: main('vcpu_enter') },
    );
    const [hunk] = hunks.filter((h) => h.path === P);
    expect(hunk!.message).toBe("'vcpu_enter' is under the guard now, but 'handle' uses it outside");
  });

  test('says nothing where it has the name that the set declares', async () => {
    const { hunks } = await port(
      { [P]: before, [MAIN]: main('vcpu_run') },
      { [P]: set },
      { [P]: `int other;\n${before}` },
    );
    expect(hunks.map((h) => h.message)).toEqual([null]);
  });
});
