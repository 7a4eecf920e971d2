import { lines, port } from './harness';

const A = 'arch/arm64/kvm/arm.c';
const MODULE = 'include/linux/module.h';
const INIT = 'include/linux/init.h';
const headers = {
  [MODULE]: lines('#define module_exit(f) exit_call(f)'),
  [INIT]: lines('#define init_call(f) call(f)'),
};
const file = (includes: string[], ...rest: string[]) =>
  lines(...includes.map((i) => `#include <${i}>`), '', 'int a;', '', 'driver(arm);', ...rest);

describe('a header that the code needs and the target does not include any more', () => {
  const base = { ...headers, [A]: file(['linux/init.h', 'linux/module.h']) };
  const guarded = (code: string) => ['#ifdef CONFIG_SET', code, '#endif'];
  const patched = { [A]: file(['linux/init.h', 'linux/module.h'], ...guarded('module_exit(arm);')) };

  test('comes along under the same guard', async () => {
    const { files, hunks } = await port(base, patched, { [A]: file(['linux/init.h']) });
    expect(files[A]).toContain('#include <linux/init.h>\n#ifdef CONFIG_SET\n#include <linux/module.h>\n#endif\n');
    expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('include-brought');
  });

  test('does not when another header brings it', async () => {
    const target = { [A]: file(['linux/init.h']), [INIT]: headers[INIT]! + lines('#include <linux/module.h>') };
    const { files } = await port(base, patched, target);
    expect(files[A]).not.toContain('linux/module.h');
  });

  test('does when the other one only brings it for some configurations', async () => {
    const some = lines('#ifdef CONFIG_ACPI', '#include <linux/module.h>', '#endif');
    const { files } = await port(base, patched, { [A]: file(['linux/init.h']), [INIT]: headers[INIT]! + some });
    expect(files[A]).toContain('#ifdef CONFIG_SET\n#include <linux/module.h>\n#endif\n');
  });

  test('does not when nothing of it is mentioned', async () => {
    const { files } = await port(
      base,
      { [A]: file(['linux/init.h', 'linux/module.h'], ...guarded('init_call(arm);')) },
      { [A]: file(['linux/init.h']) },
    );
    expect(files[A]).not.toContain('linux/module.h');
  });
});

test('the set’s includes stay with the others when upstream put a declaration behind these', async () => {
  const file = 'arch/arm64/kvm/hyp/tlb.c';
  const head = lines('#include <asm/kvm_hyp.h>', '#include <asm/tlbflush.h>', '');
  const rest = lines('static void flush_all(void)', '{', '\ttlbi(alle1is);', '\tdsb(ish);', '}');
  const own = lines('#ifdef CONFIG_SET', '#include <asm/own.h>', '#endif');
  const struct = lines('struct flush_context {', '\tunsigned long flags;', '};', '');
  const set = {
    [file]: head.trimEnd() + '\n' + own + '\n' + rest,
    'arch/arm64/include/asm/own.h': lines('void own(void);'),
  };
  const target = head.replace('\n\n', '\n#include <linux/irqflags.h>\n\n') + struct + rest;
  const { files } = await port({ [file]: head + rest }, set, { [file]: target });
  expect(files[file]).toBe(head.replace('\n\n', `\n#include <linux/irqflags.h>\n${own}\n`) + struct + rest);
});

describe('a new file that calls what upstream moved to a header', () => {
  const [own, user, was, now] = [
    'arch/arm64/kvm/hyp/simple.c',
    'arch/arm64/kvm/hyp/nvhe/switch.c',
    'arch/arm64/include/asm/kvm_hyp.h',
    'arch/arm64/kvm/hyp/include/hyp/sysreg-sr.h',
  ];
  const call = (...includes: string[]) =>
    lines(...includes.map((i) => `#include <${i}>`), '', 'void enter(int cpu)', '{', '\tsave_state(cpu);', '}');
  const simple = call('asm/kvm_hyp.h').replaceAll('enter', 'enter_simply');
  const save = lines('static inline void save_state(int cpu)', '{', '\tstore(cpu);', '}');
  const base = { [was]: lines('void save_state(int cpu);'), [user]: call('asm/kvm_hyp.h') };
  const there = { [was]: lines('void other(void);'), [now]: save, [user]: call('hyp/sysreg-sr.h', 'asm/kvm_hyp.h') };
  const run = async (set: string, target: Record<string, string>) =>
    (await port(base, { [own]: set }, target)).files[own];

  test("includes it as upstream's callers do", async () => {
    expect(await run(simple, there)).toBe(
      simple.replace('<asm/kvm_hyp.h>\n', '<asm/kvm_hyp.h>\n#include <hyp/sysreg-sr.h>\n'),
    );
  });

  test('does not when the header defines what the file defines, or comes with another', async () => {
    expect(await run(simple, { ...there, [now]: save + save.replace('save_state', 'enter_simply') })).toBe(simple);
    expect(await run(simple, { ...there, [was]: lines('#include <hyp/sysreg-sr.h>') })).toBe(simple);
  });

  test('does not when the file never had it from the kernel, or upstream has no caller', async () => {
    const alone = simple.replace('#include <asm/kvm_hyp.h>\n', '#include <linux/init.h>\n');
    expect(await run(alone, there)).toBe(alone);
    expect(await run(simple, { ...there, [user]: lines('int nobody;') })).toBe(simple);
  });
});
