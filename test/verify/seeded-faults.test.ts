import { isReview, type Finding } from '../../src/verify/check';
import { openContext } from '../../src/verify/context';
import { runChecks, SOURCE_CHECKS } from '../../src/verify/run-checks';
import { identifiers } from '../../src/verify/scan';
import { base, patched, ported, target } from './small-kernel';
import { edit, setBetween, tree, type Files } from './trees';

const set = setBetween(base, patched);

async function findings(result: Files): Promise<Finding[]> {
  const ctx = await openContext({
    set,
    base: tree(base, 'v4.18'),
    target: tree(target),
    ported: tree(result),
    report: null,
    option: null,
  });
  const { results } = await runChecks(ctx, SOURCE_CHECKS);
  for (const r of results) expect(r.reason).not.toMatch(/the check itself broke/);
  return results.flatMap((r) => r.findings).filter((f) => !isReview(f));
}

/** The hunk of the set that adds a text. */
function hunkWith(text: string): string {
  const hunks = set.patches[0]!.changes.flatMap((c) => c.hunks).filter((h) =>
    h.lines.some((l) => l[0] !== ' ' && l.includes(text)),
  );
  expect(hunks).toHaveLength(1);
  return hunks[0]!.id;
}

test('a good port has no finding', async () => {
  expect(await findings(ported)).toEqual([]);
});

test('at home there is none either', async () => {
  const ctx = await openContext({
    set,
    base: tree(base),
    target: tree(base),
    ported: tree(patched),
    report: null,
    option: null,
  });
  expect((await runChecks(ctx, SOURCE_CHECKS)).results.flatMap((r) => r.findings)).toEqual([]);
});

/** What the checks that need no compiler find in a port of one file. */
async function findingsOf(base: Files, patched: Files, target: Files, ported: Files): Promise<Finding[]> {
  const of = setBetween(base, patched);
  const trees = { base: tree(base, 'v4.18'), target: tree(target), ported: tree(ported) };
  const ctx = await openContext({ set: of, ...trees, report: null, option: null });
  return (await runChecks(ctx, SOURCE_CHECKS)).results.flatMap((r) => r.findings).filter((f) => !isReview(f));
}

test('what upstream puts into a function of its own is followed there', async () => {
  const body = '\tint left = size;\n\n\twhile (left > 0)\n\t\tleft -= step_of(left);\n\tnote_size(size);\n';
  const one = (text: string): Files => ({ ...base, 'arch/arm64/kvm/one.c': text });
  const home = one(`void walk(int size)\n{\n${body}}\n`);
  const call = '\tcore_call(1, size);\n';
  const split = (inner: string, outer: string) =>
    one(`static void walk_inner(int size)\n{\n${inner}}\n\nvoid walk(int size)\n{\n\ttake_lock();\n${outer}}\n`);
  const set = one(`void walk(int size)\n{\n${body}${call}}\n`);
  const target = split(body, '\twalk_inner(size);\n');
  const kinds = async (ported: Files) => (await findingsOf(home, set, target, ported)).map((f) => f.kind);
  expect(await kinds(split(body + call, '\twalk_inner(size);\n'))).not.toContain('wrong-definition');
  // A new function that has nothing of the old one is the wrong place.
  const other = one(`static void other(int size)\n{\n\tother_work(size);\n}\n\n${home['arch/arm64/kvm/one.c']!}`);
  const wrong = edit(other, 'arch/arm64/kvm/one.c', '\tother_work(size);\n', `\tother_work(size);\n${call}`);
  expect((await findingsOf(home, set, other, wrong)).map((f) => f.kind)).toContain('wrong-definition');
});

test('what upstream added to a definition goes along when the set moves it', async () => {
  const own = 'arch/arm64/kvm/kinds.h';
  const one = (members: string): Files => ({
    ...base,
    'arch/arm64/kvm/one.c': `enum kind {\n${members}};\n\nint kind_of(int cpu)\n{\n\treturn cpu;\n}\n`,
  });
  const moved = (members: string): Files => ({
    ...base,
    'arch/arm64/kvm/one.c':
      '#include "kinds.h"\n\n#ifdef CONFIG_CORE_KVM\nint own;\n#endif\n\nint kind_of(int cpu)\n{\n\treturn cpu;\n}\n',
    [own]: `enum kind {\n${members}};\n`,
    'arch/arm64/kvm/Kconfig': patched['arch/arm64/kvm/Kconfig']!,
  });
  const [two, three] = ['\tFIRST,\n\tSECOND,\n', '\tFIRST,\n\tSECOND,\n\tTHIRD,\n'];
  const removed = async (port: Files) =>
    (await findingsOf(one(two), moved(two), one(three), port)).filter((f) => f.kind === 'unguarded-removed');
  expect(await removed(moved(three))).toEqual([]);
  expect(await removed(moved(two))).toHaveLength(1);
});

test('what a number, an attribute or an include has of letters is no name', () => {
  const text = '#include <asm/kvm_host.h>\nu64 x = 0xffffU & 0b001; void f(void) __attribute__((always_inline));';
  expect(identifiers(text)).toEqual(['u64', 'x', 'f']);
});

const guest = 'arch/arm64/kvm/guest.c';
const host = 'arch/arm64/include/asm/kvm_host.h';
const core = 'arch/arm64/core/core.c';
const switchC = 'arch/arm64/kvm/switch.c';
const OWNER = '#ifdef CONFIG_CORE_KVM\n\tkvm->arch.owner_id = ret;\n#endif\n';

/** What was broken, how, the finding that must name it, and a text of the hunk that it must name (null: none can). */
const FAULTS: [string, () => Files, kind: string, hunk: string | null][] = [
  [
    'code in the wrong function',
    () => edit(edit(ported, guest, OWNER, ''), guest, '\treturn kvm->users;\n', `${OWNER}\treturn kvm->users;\n`),
    'wrong-definition',
    'owner_id = ret',
  ],
  [
    'a guard end dropped',
    () => edit(ported, guest, `${OWNER}`, OWNER.replace('#endif\n', '')),
    'unbalanced-conditional',
    'owner_id = ret',
  ],
  [
    'a stale field',
    () =>
      edit(ported, host, '\tint online;\n', '\tint online;\n').constructor &&
      edit(ported, guest, 'load_guest(kvm, kvm->arch.vmid)', 'load_guest(kvm, kvm->vmid)'),
    'no-member',
    'core_call(CORE_OWNER',
  ],
  [
    'an object rule missing',
    () => edit(ported, 'arch/arm64/core/Makefile', 'obj-y += trap.o\n', ''),
    'source-without-rule',
    'core_trap',
  ],
  [
    'an object rule without source',
    () => edit(ported, 'arch/arm64/core/Makefile', 'trap.o', 'traps.o'),
    'object-without-source',
    'obj-y += trap.o',
  ],
  [
    'a call from EL2 to the host',
    () => edit(ported, core, '\tsave_state(mode);\n', '\tnote_exit(mode);\n'),
    'el2-call-out',
    'CORE_TRAP;',
  ],
  [
    'a wrong number of arguments',
    () => edit(ported, guest, 'load_guest(kvm, kvm->arch.vmid)', 'load_guest(kvm)'),
    'wrong-arity',
    'core_call(CORE_OWNER',
  ],
  [
    'conflict markers',
    () =>
      edit(
        ported,
        guest,
        '\tkvm->arch.owner_id = ret;\n',
        '<<<<<<< v5.4\n\tkvm->arch.owner_id = ret;\n=======\n>>>>>>> set\n',
      ),
    'conflict-marker',
    'owner_id = ret',
  ],
  ['a hunk lost', () => edit(ported, guest, OWNER, ''), 'hunk-incomplete', 'owner_id = ret'],
  [
    'a name that is gone',
    () => edit(ported, core, 'return number + cpu;', 'return number + old_helper;'),
    'unknown-name',
    'CORE_TRAP;',
  ],
  [
    'a header that is not there',
    () => edit(ported, core, '<asm/core.h>', '<asm/core_old.h>'),
    'missing-header',
    'CORE_TRAP;',
  ],
  [
    'an option that is not defined',
    () => edit(ported, 'arch/arm64/kvm/Kconfig', 'config CORE_KVM', 'config CORE_KWM'),
    'option-undefined',
    null,
  ],
  [
    'a misspelt option in a guard',
    () => edit(ported, guest, OWNER, OWNER.replace('CORE_KVM', 'CORE_KVN')),
    'option-undefined',
    'owner_id = ret',
  ],
  [
    'an unguarded edit lost',
    () => edit(ported, guest, 'note_exit(ret + 1)', 'note_exit(ret)'),
    'unguarded-missing',
    'owner_id = ret',
  ],
  ['an upstream line lost', () => edit(ported, guest, '\tkvm->online = 1;\n', ''), 'unguarded-removed', null],
  [
    'a line that came from nowhere',
    () => edit(ported, guest, '\tkvm->online = 1;\n', '\tkvm->online = 1;\n\tkvm->users--;\n'),
    'unguarded-added',
    null,
  ],
  [
    'a guard lost around old code',
    () =>
      edit(
        ported,
        guest,
        '#ifndef CONFIG_CORE_KVM\n\tload_guest(kvm, 0);\n#else\n\tcore_call(CORE_OWNER, 0);\n\tload_guest(kvm, kvm->arch.vmid);\n#endif\n',
        '\tload_guest(kvm, 0);\n#ifdef CONFIG_CORE_KVM\n\tcore_call(CORE_OWNER, 0);\n\tload_guest(kvm, kvm->arch.vmid);\n#endif\n',
      ),
    'guarded-out-is-in',
    'core_call(CORE_OWNER',
  ],
  [
    'a guard around too much',
    () =>
      edit(ported, guest, '\tkvm->users++;\n', '').constructor &&
      edit(
        edit(
          ported,
          guest,
          '#ifndef CONFIG_CORE_KVM\n\tload_guest(kvm, 0);',
          '#ifndef CONFIG_CORE_KVM\n\tkvm->users++;\n\tload_guest(kvm, 0);',
        ),
        guest,
        '#endif\n\tkvm->users++;\n',
        '#endif\n',
      ),
    'guarded-too-much',
    'core_call(CORE_OWNER',
  ],
  [
    'a definition lost',
    () => edit(ported, host, '#define CORE_OWNER\t7\n', ''),
    'lost-definition',
    'core_call(CORE_OWNER',
  ],
  [
    'a macro that upstream has, too',
    () => edit(ported, host, '#define CORE_OWNER\t7\n', '#define VM_MODE\t7\n#define CORE_OWNER\t7\n'),
    'macro-twice',
    'CORE_OWNER\t7',
  ],
  [
    'a folder that nothing enters',
    () => edit(ported, 'arch/arm64/Makefile', 'core-$(CONFIG_CORE_KVM) += arch/arm64/core/\n', ''),
    'folder-not-built',
    'arch/arm64/core/',
  ],
  [
    'half a statement',
    () => edit(ported, switchC, 'save_state(core_switch(kvm->arch.mode));', 'save_state(core_switch(kvm->arch.mode);'),
    'parses-worse',
    'core_switch(kvm',
  ],
];

test.each(FAULTS)('%s is found by name', async (_, make, kind, hunk) => {
  const found = (await findings(make())).filter((f) => f.kind === kind);
  expect(found.map((f) => f.kind)).toContain(kind);
  if (hunk !== null) expect(found.map((f) => f.hunk)).toContain(hunkWith(hunk));
});
