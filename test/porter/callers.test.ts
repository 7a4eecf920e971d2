import { lines, port } from './harness';

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

describe('a guard that gives a function other parameters', () => {
  test('says which caller of upstream calls it as before', async () => {
    const { hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: base + caller('fixup', plain) });
    expect(hunks.map((h) => h.message).join()).toContain(
      "'is_abort' takes 2 arguments, but 'fixup' calls it as upstream does",
    );
  });

  test('says nothing when the set sees to all of them', async () => {
    const { hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: `int other;\n${base}` });
    expect(hunks.map((h) => h.message).join()).not.toContain('calls it as upstream does');
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
  const M = 'arch/arm64/kvm/main.c';
  const main = (name: string) =>
    lines('#include <asm/run.h>', `int handle(struct vcpu *vcpu)`, '{', `\treturn ${name}(vcpu);`, '}');

  const own = lines('int vcpu_run(u32 id, int nr)', '{', '\treturn nr;', '}');

  test('says who calls what upstream named anew', async () => {
    const renamed = before.replace('vcpu_run', 'vcpu_enter');
    const { hunks } = await port(
      { [P]: before, [M]: main('vcpu_run') },
      { [P]: set, [M]: `${main('vcpu_run')}int x;\n`, 'arch/arm64/kvm/own.c': own },
      { [P]: renamed, [M]: main('vcpu_enter') },
    );
    const [hunk] = hunks.filter((h) => h.path === P);
    expect(hunk!.message).toBe("'vcpu_enter' is under the guard now, but 'handle' uses it outside");
  });

  test('says nothing where it has the name that the set declares', async () => {
    const { hunks } = await port(
      { [P]: before, [M]: main('vcpu_run') },
      { [P]: set },
      { [P]: `int other;\n${before}` },
    );
    expect(hunks.map((h) => h.message)).toEqual([null]);
  });
});
