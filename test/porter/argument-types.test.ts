import { pointElsewhere, pointerOf } from '../../src/porter/argument-types';
import { lines, port, type Texts } from './harness';

const H = 'arch/arm64/include/asm/hyp.h';
const C = 'arch/arm64/kvm/run.c';
const M = 'arch/arm64/kvm/Makefile';
const UPSTREAM = 'int guest_enter(struct vcpu *vcpu, struct ctxt *host);';
const OWN = 'int guest_enter(struct ctxt *shadow, struct ctxt *host);';
const header = (...enter: string[]) =>
  lines('struct vcpu;', 'struct ctxt;', '', 'int before(int nr);', ...enter, 'int after(int nr);');
const GUARDED = ['#ifdef CONFIG_SET', OWN, '#else', UPSTREAM, '#endif'];
const run = (head: string, ...body: string[]) =>
  lines('#include <asm/hyp.h>', '', head, '{', ...body.map((l) => `\t${l}`), '}');
const HEAD = 'int vcpu_run(struct vcpu *vcpu)';
const caller = (...body: string[]) => run(HEAD, 'struct ctxt *host = host_ctxt(1, 2), *other;', '', ...body);
/** What the set makes of its own caller. */
const OWN_CALLER = caller(
  'int ret;',
  '',
  '#ifdef CONFIG_SET',
  'ret = guest_enter(shadow_of(vcpu), host);',
  '#else',
  'ret = guest_enter(vcpu, host);',
  '#endif',
  'return ret;',
).replaceAll('\t#', '#');
const OLD = caller('int ret;', '', 'ret = guest_enter(vcpu, host);', 'return ret;');
const options = (...names: string[]) => lines(...names.flatMap((n) => [`config ${n}`, `\tbool "${n}"`, '']));

const ported = async (upstream: string, more: Texts = {}, own: string[] = GUARDED) => {
  const base = { [H]: header(UPSTREAM), [C]: OLD, 'arch/arm64/Kconfig': options('KVM'), ...more };
  const patched = { [H]: header(...own), [C]: OWN_CALLER, 'arch/arm64/Kconfig': options('KVM', 'SET') };
  const { hunks } = await port(base, patched, { 'arch/arm64/kvm/vhe.c': upstream });
  return hunks.find((h) => h.path === H)!;
};
const vhe = (...body: string[]) => caller(...body).replace('vcpu_run', 'vcpu_run_vhe');

describe('an upstream caller of a function that takes a pointer to another thing under the guard', () => {
  test.each([
    ['a parameter', 'return guest_enter(vcpu, host);'],
    ['a local', 'struct vcpu *v = vcpu; return guest_enter(v, host);'],
    ['a local, declared behind another', 'const struct vcpu *u, *v = vcpu->next; return guest_enter(v, host);'],
  ])('is named, and the placement is less sure: %s', async (_, body) => {
    const hunk = await ported(vhe(...body.split(/(?<=;) (?=return)/)));
    expect(hunk.outcome).not.toBe('conflict');
    expect(hunk.confidence).toBeLessThanOrEqual(0.75);
    expect(hunk.message).toBe(
      "under the guard 'guest_enter' takes a 'struct ctxt *', but 'vcpu_run_vhe' (arch/arm64/kvm/vhe.c) passes a 'struct vcpu *'",
    );
  });

  test('is named where the set has no guard, too', async () => {
    const hunk = await ported(vhe('return guest_enter(vcpu, host);'), {}, [OWN]);
    expect(hunk.message).toContain("'guest_enter' takes a 'struct ctxt *'");
  });

  test.each([
    ['passes what is taken', 'struct ctxt *own = vcpu->own;', 'return guest_enter(own, host);'],
    ['passes what is const', 'const struct ctxt *own = vcpu->own;', 'return guest_enter(own, host);'],
    ['passes a void pointer', 'void *own = vcpu->own;', 'return guest_enter(own, host);'],
    ['passes a type that is not at hand', 'own_t *own = vcpu->own;', 'return guest_enter(own, host);'],
    ['passes an expression', 'return guest_enter(vcpu->own, host);'],
    ['has two things of that name', 'struct ctxt *vcpu = own;', 'return guest_enter(vcpu, host);'],
    ['calls another function', 'return guest_enter_vhe(vcpu, host);'],
  ])('is not where it %s', async (_, ...body) => {
    const hunk = await ported(vhe(...body));
    expect(hunk.message).toBeNull();
    expect(hunk.confidence).toBeGreaterThanOrEqual(0.9);
  });

  test('is not where it is not built with the option', async () => {
    const makefile = lines('ifneq ($(CONFIG_SET), y)', 'obj-y += vhe.o', 'endif', 'obj-y += run.o');
    const hunk = await ported(vhe('return guest_enter(vcpu, host);'), { [M]: makefile });
    expect(hunk.message).toBeNull();
  });
});

describe('what a declared type points to', () => {
  const typedefs = (texts: Record<string, string>) =>
    ({
      definitions: (name: string) =>
        name in texts
          ? [{ file: { text: texts[name]! }, definition: { kind: 'typedef', start: 0, end: texts[name]!.length } }]
          : [],
    }) as unknown as Parameters<typeof pointerOf>[1];
  const kernel = typedefs({
    ctxt_t: 'typedef struct ctxt ctxt_t;',
    pte_t: 'typedef struct { u64 pte; } pte_t;',
    func_t: 'typedef int (*func_t)(int);',
  });
  test.each([
    ['struct a *', 'struct a'],
    ['const struct a __user *const', 'struct a'],
    ['struct a **', 'struct a *'],
    ['unsigned long *', 'unsigned long'],
    ['ctxt_t *', 'struct ctxt'],
    ['pte_t *', 'pte_t'],
    ['func_t *', null],
    ['void *', null],
    ['other_t *', null],
    ['struct a', null],
  ])('%s', (declared, to) => {
    expect(pointerOf(declared, kernel)?.to ?? null).toBe(to);
  });
});

test('numbers have many names, structs have one', () => {
  expect(pointElsewhere({ to: 'u32' }, { to: 'unsigned int' })).toBe(false);
  expect(pointElsewhere({ to: 'u32' }, { to: 'struct a' })).toBe(true);
  expect(pointElsewhere({ to: 'struct a' }, { to: 'struct a *' })).toBe(true);
});
