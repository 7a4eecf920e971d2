import type { HunkReport } from '../../src/core/outcome';
import type { PortReport } from '../../src/core/report';
import type { Check, Finding } from '../../src/verify/check';
import { accounting } from '../../src/verify/checks/accounting';
import { entries, guardOff } from '../../src/verify/checks/guard-off';
import { guardOn } from '../../src/verify/checks/guard-on';
import { includes } from '../../src/verify/checks/includes';
import { names, withoutRegisters } from '../../src/verify/checks/names';
import { placement } from '../../src/verify/checks/placement';
import { withoutMarks } from '../../src/verify/checks/parse';
import { openContext } from '../../src/verify/context';
import { runChecks } from '../../src/verify/run-checks';
import { base, patched } from './small-kernel';
import { edit, setBetween, tree, type Files } from './trees';

const kconfig = { 'arch/arm64/kvm/Kconfig': patched['arch/arm64/kvm/Kconfig']! };
const smmu = 'drivers/smmu.c';
const header = 'drivers/smmu.h';
const guarded = '#ifdef CONFIG_CORE_KVM\nint core_owner;\n#endif\n';

async function run(
  check: Check,
  [home, set, target, port]: [Files, Files, Files, Files],
  report: PortReport | null = null,
): Promise<Finding[]> {
  const ctx = await openContext({
    ...{ set: setBetween(home, set), base: tree(home, 'v4.18'), target: tree(target), ported: tree(port) },
    ...{ report, option: null },
  });
  const [result] = (await runChecks(ctx, [check])).results;
  expect(result!.result).not.toBe('skipped');
  return result!.findings;
}

async function kinds(...[check, trees, report]: Parameters<typeof run>): Promise<string[]> {
  return (await run(check, trees, report)).map((f) => f.kind);
}

const kept = (lines: string[]) => lines.map((text, line) => ({ text, line }));
const texts = (path: string, lines: string[]) => entries(path, kept(lines)).map((k) => `${k.line}: ${k.text}`);

test('a list of a Makefile is its entries', () => {
  expect(
    texts('a/Makefile', ['hyp-y := one.o two.o \\', '\tthree.o # last', 'ccflags-y += -fno-x', 'ifeq (a,b)']),
  ).toEqual([
    '0: hyp-y += one.o',
    '0: hyp-y += two.o',
    '1: hyp-y += three.o',
    '2: ccflags-y += -fno-x',
    '3: ifeq (a,b)',
  ]);
  expect(texts('a/Kbuild', ['obj-$(CONFIG_A) += a.o b/'])).toEqual([
    '0: obj-$(CONFIG_A) += a.o',
    '0: obj-$(CONFIG_A) += b/',
  ]);
  expect(texts('a/x.c', ['hyp-y := one.o two.o'])).toEqual(['0: hyp-y := one.o two.o']);
});

test("Kconfig's two spellings of help are one word", () => {
  expect(texts('a/Kconfig', ['\t---help---', '\thelp me'])).toEqual(['0: \thelp', '1: \thelp me']);
});

test('an entry that is in a list of several has another line and is no change; one that is lost is', async () => {
  const makefile = 'arch/arm64/kvm/Makefile';
  const of = (text: string): Files => ({ ...base, [makefile]: text });
  const home = of('obj-y += guest.o\nobj-y += switch.o\n');
  const split = (first: string, rest: string) =>
    `${first}ifdef CONFIG_CORE_KVM\nobj-y += simple.o\nelse\n${rest}endif\n`;
  const set = { ...of(split('obj-y += guest.o\n', 'obj-y += switch.o\n')), ...kconfig };
  const target = of('obj-y := guest.o switch.o\n');
  const port = (rest: string) => ({ ...of(split('obj-y := guest.o\n', rest)), ...kconfig });
  expect(await kinds(guardOff, [home, set, target, port('obj-y += switch.o\n')])).toEqual([]);
  expect(await kinds(guardOff, [home, set, target, port('')])).toContain('unguarded-removed');
});

/** The set moves two values to a header of its own; upstream has a header of that name by now, and left them behind. */
const values = '#define LOOP_TIMEOUT 1000\n#define SPIN_COUNT 10\n';
const state = 'struct state {\n\tint index;\n\tint count;\n\tint width;\n\tint depth;\n};\n';
const moving: [Files, Files, Files] = [
  { ...base, [smmu]: `${values}${state}int probe;\n` },
  {
    ...base,
    ...kconfig,
    [smmu]: `#include "smmu.h"\nint probe;\n${guarded}`,
    [header]: `#ifndef SMMU_H\n#define SMMU_H\n${values}${state}#endif\n`,
  },
  { ...base, [smmu]: `#include "smmu.h"\n${values}int probe;\n`, [header]: `${state}` },
];

test('what the set moves to a header and the port leaves where it is, once, is for a look', async () => {
  const left = { ...moving[2], ...kconfig, [smmu]: `${moving[2][smmu]!}${guarded}` };
  expect(await kinds(guardOff, [...moving, left])).toEqual(['unmoved-review', 'unmoved-review']);
  const twice = { ...left, [header]: `${state}${values}` };
  expect(await kinds(guardOff, [...moving, twice])).toContain('unguarded-kept');
});

test("lines that the set had moved from the base are upstream's when the report says so; its own are missed", async () => {
  const file = (path: string, outcome: string) => ({
    ...{ patch: '', path, targetPaths: [path], role: 'hostvisor', status: 'added', outcome, message: null, hunks: 1 },
    evidence: [],
  });
  const report = {
    ...{ files: [file(header, 'rewritten')], hunks: [] as HunkReport[], option: null },
    summary: { hunks: 0, byOutcome: {} },
  } as unknown as PortReport;
  const own = (text: string): Files => ({ ...moving[1], [header]: `${moving[1][header]!}${text}` });
  const left = { ...moving[2], ...kconfig, [smmu]: `${moving[2][smmu]!}${guarded}`, [header]: `${state}int owner;\n` };
  const about = async (set: Files) =>
    (await run(accounting, [moving[0], set, moving[2], left], report))
      .filter((f) => f.path === header)
      .map((f) => f.kind);
  expect(await about(own(''))).toEqual(['hunk-adapted-review']);
  expect(await about(own('int owner;\n'))).toEqual(['hunk-adapted-review']);
  expect(await about(own('int owner;\nlong core_base(void);\n'))).toEqual(['hunk-incomplete']);
});

test('a line that the set adds and takes out elsewhere is none of its own for the port to have lost', async () => {
  const table = 'int table[] = {\n\t1,\n\tLAST_ONE(x),\n};\n';
  const more = 'void more(void)\n{\n\twork();\n\tLAST_ONE(x),\n}\n';
  const trees = (port: string): [Files, Files, Files, Files] => [
    { ...base, [smmu]: `${table}int probe;\n` },
    { ...base, ...kconfig, [smmu]: `int probe;\n${more}${guarded}` },
    { ...base, [smmu]: 'int probe;\n' },
    { ...base, ...kconfig, [smmu]: port },
  ];
  expect(await kinds(guardOff, trees(`int probe;\n${more}${guarded}`))).toEqual([]);
  const odd = more.replace('\twork();\n', '\twork();\n\twork_more(1);\n');
  expect(await kinds(guardOff, trees(`int probe;\n${odd}${guarded}`))).toEqual(['unguarded-added']);
});

test('a header that the port brought may be guarded out, one of the set may not', async () => {
  const include = '#include <linux/module.h>\n';
  const off = (text: string) => `#ifndef CONFIG_CORE_KVM\n${text}#endif\n`;
  const code = 'int probe;\n';
  const trees = (home: string, set: string): [Files, Files, Files, Files] => [
    { ...base, [smmu]: home + code },
    { ...base, ...kconfig, [smmu]: set + code + guarded },
    { ...base, [smmu]: code },
    { ...base, ...kconfig, [smmu]: off(include) + code + guarded },
  ];
  expect(await kinds(guardOn, trees(include, include))).toEqual([]);
  expect(await kinds(guardOn, trees('', include))).toEqual(['guarded-too-much']);
});

test('a mark between type and name is blanked, a type is not', () => {
  expect(withoutMarks('static u32 __hyp_text f(void)')).toBe('static u32            f(void)');
  expect(withoutMarks('int __init f(void)')).toBe('int        f(void)');
  expect(withoutMarks('void notrace f(void)')).toBe('void         f(void)');
  for (const line of ['static __be32 f(void)', 'struct __kvm f(void)', 'unsigned __int f(void)', '\treturn __f g(x);'])
    expect(withoutMarks(line)).toBe(line);
});

test("the operand of a register access is the assembler's, its value is not", () => {
  expect(withoutRegisters('x = read_sysreg(id_aa64_el1) & old_mask;')).toBe('x = read_sysreg() & old_mask;');
  expect(withoutRegisters('write_sysreg(old_value, vtcr_el2);')).toBe('write_sysreg(old_value, );');
  expect(withoutRegisters('x = read_sysreg_el2(old_name);')).toBe('x = read_sysreg_el2(old_name);');
});

test('a name that is gone is a finding where it is used, and for a look in a macro that nothing uses', async () => {
  const host = 'arch/arm64/include/asm/kvm_host.h';
  const guest = 'arch/arm64/kvm/guest.c';
  const was = edit(base, host, '#define VM_MODE\t1\n', '#define VM_MODE\t1\nint old_base;\n');
  const macro = '#ifdef CONFIG_CORE_KVM\n#define CORE_ID(x) (old_base + (x))\n#endif\n';
  const withMacro = (f: Files) => edit({ ...f, ...kconfig }, host, 'void note_exit', `${macro}void note_exit`);
  const use = (f: Files) => edit(f, guest, '\tnote_exit(ret);\n', '\tnote_exit(ret + CORE_ID(1));\n');
  const gone = (f: Files[]) => kinds(names, [was, f[0]!, base, f[1]!]);
  expect(await gone([withMacro(was), withMacro(base)])).toEqual(['vanished-name-review']);
  expect(await gone([use(withMacro(was)), use(withMacro(base))])).toEqual(['vanished-name']);
});

const plainKconfig = { 'arch/arm64/kvm/Kconfig': base['arch/arm64/kvm/Kconfig']! };

/** A report that says one thing about all hunks of a set. */
function saying(home: Files, set: Files, evidence: { kind: string; text: string }, target: HunkReport['target'] = []) {
  const hunks = setBetween(home, set).patches[0]!.changes.flatMap((c) =>
    c.hunks.map((h) => ({ id: h.id, path: c.newPath, outcome: 'rewritten', edits: [], evidence: [evidence], target })),
  );
  return { files: [], hunks, option: null, summary: { hunks: hunks.length, byOutcome: {} } } as unknown as PortReport;
}

test('an instruction that upstream puts behind another is no change of the port, if the report says so', async () => {
  const entry = 'arch/arm64/kvm/hyp-entry.S';
  const code = (...lines: string[]) => ['el1_sync:', 'b.ne\t2f', ...lines, 'ret'].map((l) => `\t${l}\n`).join('');
  const home = { ...plainKconfig, [entry]: code() };
  const set = { ...kconfig, [entry]: `#ifdef CONFIG_CORE_KVM\n#endif\n${code('mrs\tx0, vbar_el2', 'eret')}` };
  const port = edit(set, entry, '\teret\n', '\teret\n\tsb\n');
  const followed = (what: string) =>
    saying(home, set, { kind: 'instruction-followed', text: `upstream puts '${what}' behind every 'eret' now` });
  expect(await kinds(guardOff, [home, set, home, port], followed('sb'))).toEqual([]);
  expect(await kinds(guardOff, [home, set, home, port], followed('isb'))).toEqual(['unguarded-added']);
  expect(await kinds(guardOff, [home, set, home, port])).toEqual(['unguarded-added']);
});

test('a parameter list that the port divides by its option is read both ways', async () => {
  const mmu = 'arch/arm64/kvm/mmu.c';
  const head = (...list: string[]) => `static int map_one(int start,\n${list.join('\n')}\n{\n\treturn start;\n}\n\n`;
  const call = (...lines: string[]) => `int map_all(int start, int end)\n{\n${lines.join('\n')}\n}\n`;
  const plain = '\treturn map_one(start, end);';
  const home: Files = { ...plainKconfig, [mmu]: head('\t\t   int end)') + call(plain) };
  const divided = head('#ifdef CONFIG_CORE_KVM', '\t\t   int end, int sec)', '#else', '\t\t   int end)', '#endif');
  const both = (list: string) => call('#ifdef CONFIG_CORE_KVM', `\treturn map_one(${list});`, '#else', plain, '#endif');
  // The set has another function there: what it calls at home is no excuse.
  const set: Files = { ...kconfig, [mmu]: home[mmu]! + both('start, 0').replace('map_all', 'map_two') };
  const port = (list: string): Files => ({ ...kconfig, [mmu]: divided + both(list) });
  expect(await kinds(names, [home, set, home, port('start, end, 1')])).toEqual([]);
  expect(await kinds(names, [home, set, home, port('start, end, 1, 2')])).toEqual(['wrong-arity']);
});

test('the head of a function that passes a parameter of the set on reads like that of the last', async () => {
  const mmu = 'arch/arm64/kvm/mmu.c';
  const fn = (name: string, body: string, ...end: string[]) =>
    `static int ${name}(int start,\n${end.join('\n')}\n{\n\treturn ${body};\n}\n\n`;
  const plain = '\t\t   int last_page)';
  const divided = ['#ifdef CONFIG_CORE_KVM', '\t\t   int last_page, int sec)', '#else', plain, '#endif'];
  const leaf = (...end: string[]) => fn('map_leaf', 'start', ...end);
  const home = { ...plainKconfig, [mmu]: leaf(plain) };
  const set = { ...kconfig, [mmu]: leaf(...divided) };
  const table = (...end: string[]) => fn('map_table', 'map_leaf(start, 1)', ...end);
  const target = { ...plainKconfig, [mmu]: leaf(plain) + table(plain) };
  const port = { ...kconfig, [mmu]: leaf(...divided) + table(...divided) };
  const passing = (name: string) =>
    saying(home, set, { kind: 'parameter-passed-on', text: `'${name}' stands before 'map_leaf' in the target` }, [
      { path: mmu, definition: name, line: 7 },
    ]);
  const about = async (report: PortReport) => kinds(placement, [home, set, target, port], report);
  expect(await about(passing('map_table'))).toEqual([]);
  expect(await about(passing('map_other'))).toEqual(['wrong-definition']);
});

test('a jump by which the code of a hunk leaves as upstream does is of no other hunk', async () => {
  const arm = 'arch/arm64/kvm/arm.c';
  const fn = (name: string, ...body: string[]) => `int ${name}(int err)\n{\n${body.map((l) => `${l}\n`).join('')}}\n\n`;
  const own = (line: string) => ['#ifdef CONFIG_CORE_KVM', line, '#endif'];
  const file = (first: string[], last: string[]) =>
    fn('stop_all', ...first, '\tcount(err);') + fn('add_one', ...last, '\tadd(err);');
  const home = { ...plainKconfig, [arm]: file([], []) };
  const about = async (line: string, kind: string) => {
    const set = { ...kconfig, [arm]: file(own(line), []) };
    const port = { ...kconfig, [arm]: file(own(line), own(line)) };
    const report = saying(home, set, { kind, text: '' }, [{ path: arm, definition: 'add_one', line: 8 }]);
    return kinds(placement, [home, set, home, port], report);
  };
  expect(await about('\treturn err;', 'call-returned')).toEqual([]);
  expect(await about('\treturn err;', 'none')).toEqual(['wrong-definition']);
  expect(await about('\tundo(err, 1);', 'call-returned')).toEqual(['wrong-definition']);
});

test('a hunk that changes nothing in the set itself and has no place is counted, and no finding', async () => {
  const mmu = 'arch/arm64/kvm/mmu.c';
  const home = { ...plainKconfig, [mmu]: 'int one;\n' };
  const set = { ...kconfig, [mmu]: 'int one;\n#ifdef CONFIG_NOBODY\nint two;\n#endif\n' };
  const report = (inert: boolean) => {
    const said = saying(home, set, { kind: 'none', text: '' });
    const hunks = said.hunks.map((h) => (h.path === mmu ? { ...h, outcome: 'conflict' as const, inert } : h));
    return { ...said, hunks, summary: { ...said.summary, byOutcome: { rewritten: 1, conflict: 1 } } } as PortReport;
  };
  const about = async (inert: boolean) =>
    (await run(accounting, [home, set, home, { ...kconfig, [mmu]: home[mmu] }], report(inert)))
      .filter((f) => f.path === mmu)
      .map((f) => f.kind);
  expect(await about(true)).toEqual([]);
  expect(await about(false)).toEqual(['not-ported']);
});

test("a header is looked up where the Makefile's variables lead", async () => {
  const makefile = 'arch/arm64/kvm/hyp/Makefile';
  const [source, there] = ['arch/arm64/kvm/hyp/nvhe/switch.c', 'arch/arm64/kvm/hyp/include/hyp/regs.h'];
  const code = 'int one;\n';
  const target = (flags: string): Files => ({ ...plainKconfig, [makefile]: flags, [there]: code, [source]: code });
  const about = async (flags: string, header = 'hyp/regs.h') => {
    const set = { ...target(flags), ...kconfig };
    return kinds(includes, [target(flags), set, target(flags), { ...set, [source]: `#include <${header}>\n${code}` }]);
  };
  const inFolder = 'incdir := $(srctree)/$(src)/include\nsubdir-ccflags-y := -I$(incdir) \\\n\t-fno-x\n';
  expect(await about(inFolder)).toEqual([]);
  expect(await about('subdir-ccflags-y := -I$(src)/include\n')).toEqual([]);
  expect(await about('subdir-ccflags-y := -I$(srctree)/arch/arm64/kvm/hyp/include\n')).toEqual([]);
  expect(await about(inFolder, 'hyp/other.h')).toEqual(['missing-header']);
  expect(await about('incdir := $(src)/elsewhere\nsubdir-ccflags-y := -I$(incdir)\n')).toEqual(['missing-header']);
});

test('a guard is a hunk of the file that the line is from, also where the target has two files in one', async () => {
  const [host, mmio, mmu] = ['arch/arm64/kvm/mmu.c', 'virt/kvm/arm/mmio.c', 'virt/kvm/arm/mmu.c'];
  const fn = (name: string, ...body: string[]) => `void ${name}(int gpa)\n{\n${body.join('\n')}\n}\n\n`;
  const off = (line: string) => ['#ifndef CONFIG_CORE_KVM', line, '#endif'];
  const [read, drop] = ['\tread_device(gpa, 4);', '\tdrop_pages(gpa, 4);'];
  const rest = fn('free_all', '\tfree_pages(gpa);', '\tflush(gpa);', '\tdone(gpa);');
  const home: Files = { ...plainKconfig, [mmio]: fn('emulate', read), [mmu]: `${rest}${fn('unmap', drop)}` };
  const set = { ...kconfig, [mmio]: fn('emulate', ...off(read)), [mmu]: `${rest}${fn('unmap', ...off(drop))}` };
  const target: Files = { ...plainKconfig, [host]: `${home[mmio]}${home[mmu]}` };
  const port = { ...target, ...kconfig, [host]: `${target[host]!}int core_owner;\n` };
  const report = (of: Record<string, string>) => {
    const said = saying(home, set, { kind: 'none', text: '' }, [{ path: host, definition: null, line: 1 }]);
    return { ...said, hunks: said.hunks.map((h) => ({ ...h, outcome: of[h.path] ?? h.outcome })) } as PortReport;
  };
  const about = async (of: Record<string, string>) => {
    const hunks = new Map(report(of).hunks.map((h) => [h.id, h.path]));
    return (await run(guardOn, [home, set, target, port], report(of))).map((f) => hunks.get(f.hunk ?? ''));
  };
  expect(await about({})).toEqual([mmio, mmu]);
  expect(await about({ [mmio]: 'conflict' })).toEqual([mmu]);
  expect(await about({ [mmu]: 'conflict' })).toEqual([mmio]);
});

test('an option that nobody defines is off, whatever the port makes of what stands behind it', async () => {
  const [mmu, options] = ['arch/arm64/kvm/mmu.c', 'arch/arm64/kvm/Kconfig'] as const;
  const about = async (more: string) => {
    const home = { [options]: `${plainKconfig[options]!}${more}`, [mmu]: 'int one;\n' };
    const own = { [options]: `${kconfig[options]!}${more}` };
    const set = { ...own, [mmu]: `int one;\n#ifdef CONFIG_NOBODY\nint two;\n#endif\n${guarded}` };
    return kinds(guardOff, [home, set, home, { ...own, [mmu]: `int one;\n${guarded}` }]);
  };
  expect(await about('')).toEqual([]);
  expect(await about('\nconfig NOBODY\n\tbool "Somebody"\n')).toContain('unguarded-missing');
});

test('a guard alone is where the report says when one stands there; another of its words is found by what it takes out', async () => {
  const file = 'arch/arm64/kvm/switch.c';
  const fn = (name: string, ...body: string[]) => `int ${name}(int cpu)\n{\n${body.join('\n')}\n}\n\n`;
  const off = (line: string) => ['#ifndef CONFIG_CORE_KVM', line, '#endif'];
  const [activate, enter] = ['\tactivate_vm(cpu, 1);', '\tenter_guest(cpu, 1);'];
  const home: Files = { ...plainKconfig, [file]: fn('run_vhe', activate) + fn('run_nvhe', enter) };
  const set: Files = { ...kconfig, [file]: fn('run_vhe', ...off(activate)) + fn('run_nvhe', enter) };
  const now = (inner: string[], nvhe: string[]) =>
    fn('inner', ...inner) + fn('run_vhe', '\treturn inner(cpu);') + fn('run_nvhe', ...nvhe);
  const target: Files = { ...plainKconfig, [file]: now([activate], [enter]) };
  const about = async (check: Check, inner: string[], nvhe: string[]) => {
    const report = saying(home, set, { kind: 'body-behind', text: '' }, [{ path: file, definition: 'inner', line: 3 }]);
    return kinds(check, [home, set, target, { ...kconfig, [file]: now(inner, nvhe) }], report);
  };
  expect(await about(placement, off(activate), [enter])).toEqual([]);
  expect(await about(placement, [activate], off(enter))).toEqual(['wrong-definition']);
  expect(await about(placement, off(activate), off(enter))).toEqual([]);
  expect(await about(guardOn, off(activate), off(enter))).toEqual(['guarded-too-much']);
});

test('a function whose one statement calls another has its code there, whatever became of it', async () => {
  const file = 'arch/arm64/kvm/mmu.c';
  const fn = (name: string, ...body: string[]) => `void ${name}(int from)\n{\n${body.join('\n')}\n}\n\n`;
  const old = ['\tint at = lookup(from);', '\tdrop_entry(at);'];
  const own = ['#ifdef CONFIG_CORE_KVM', '\tclear_owner(from);', '#endif'];
  const home: Files = { ...plainKconfig, [file]: fn('unmap', ...old) };
  const set: Files = { ...kconfig, [file]: fn('unmap', ...old, ...own) };
  const about = async (outer: string[]) => {
    const now = (inner: string[]) => fn('unmap_all', ...inner) + fn('unmap', ...outer);
    const walk = ['\twalk_tables(from, drop);'];
    const [target, port] = [
      { ...plainKconfig, [file]: now(walk) },
      { ...kconfig, [file]: now([...walk, ...own]) },
    ];
    const report = saying(home, set, { kind: 'body-behind', text: '' });
    return kinds(placement, [home, set, target, port], report);
  };
  expect(await about(['\tunmap_all(from);'])).toEqual([]);
  expect(await about(['\tunmap_all(from);', '\tflush(from);'])).toEqual(['wrong-definition']);
  expect(await about(['\tunmap_one(from);'])).toEqual(['wrong-definition']);
});
