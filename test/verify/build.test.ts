import { isNeeded } from '../../src/verify/build';
import { buildChecks } from '../../src/verify/run-checks';
import { typesAsNames } from '../../src/verify/checks/parse';

test('what somebody committed of a build is left out: make refuses such a tree', () => {
  for (const p of ['.config', '.config.old', 'include/config/auto.conf', 'include/generated/utsrelease.h'])
    expect([p, isNeeded(p)]).toEqual([p, false]);
  expect(isNeeded('arch/arm64/include/generated/asm/unistd_32.h')).toBe(false);
  for (const p of ['include/linux/kvm.h', 'arch/arm64/configs/defconfig', 'scripts/kconfig/.config.c', 'Kconfig'])
    expect([p, isNeeded(p)]).toEqual([p, true]);
});

test('a type among the arguments of a macro is one name, as long as it was', () => {
  expect(typesAsNames('x = container_of(vmid, struct kvm, arch.vmid);')).toBe(
    'x = container_of(vmid, struct_kvm, arch.vmid);',
  );
  expect(typesAsNames('p = va_arg(ap, struct foo *);')).toBe('p = va_arg(ap, struct_foo__);');
  expect(typesAsNames('int f(int a, struct foo *b);')).toBe('int f(int a, struct foo *b);');
});

test('what was not asked for is not run', () => {
  const always = ['compile-on', 'compile-off', 'link', 'el2-closure'];
  expect(buildChecks({ sparse: false, each: null, boot: false })).toEqual(always);
  expect(buildChecks({ sparse: true, each: [], boot: true })).toEqual([...always, 'sparse', 'each', 'boot']);
  expect(buildChecks(null)).toEqual([...always, 'sparse']);
});
