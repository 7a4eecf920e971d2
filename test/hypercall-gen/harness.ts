import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { typeInfo } from '../../src/hypercall-gen/c-types';
import { eraOf, type Era, type EraKind, type TreeReader } from '../../src/hypercall-gen/era';
import { generate, type Generated } from '../../src/hypercall-gen/generate';
import { TargetNames } from '../../src/hypercall-gen/members';
import { dispatchOf, handlerOf, stubOf, type HypercallTable } from '../../src/hypercall-gen/types';
import { run, which } from '../../src/io/process';

/** An era as a tree of ours would have it. */
export function eraFor(kind: EraKind): Era {
  return {
    kind,
    evidence: [],
    hypText: kind === 'function-pointer',
    stubRange: { end: 3, path: 'arch/arm64/include/asm/virt.h', line: 1 },
    smccc:
      kind === 'smccc'
        ? new Map([['__KVM_HOST_SMCCC_FUNC___kvm_vcpu_run', { number: 1, path: '', line: 1 }]])
        : new Map(),
    nvheMakefile: kind === 'function-pointer' ? null : 'arch/arm64/kvm/hyp/nvhe/Makefile',
    hypMain: kind === 'smccc' ? 'arch/arm64/kvm/hyp/nvhe/hyp-main.c' : null,
    imageVars: null,
    aliasMacro: null,
    callMacro: null,
  };
}

/** Small headers of ours in the place of the kernel's: enough for generated code, with `hvc` as a call. */
const HEADERS: Record<string, string> = {
  'linux/types.h': `#ifndef T_H
#define T_H
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed char s8; typedef short s16; typedef int s32; typedef long long s64;
typedef u32 uint32_t; typedef u64 phys_addr_t; typedef _Bool bool;
#define true 1
#define false 0
#endif
`,
  'linux/kvm_host.h': `#ifndef K_H
#define K_H
#include <linux/types.h>
KVM_ARCH
struct kvm { struct kvm_arch arch; };
struct kvm_vcpu { struct kvm *kvm; int vcpu_id; };
u64 __kvm_call_hyp(void *fn, ...);
extern int warned;
#define WARN_ON(x) do { if (x) warned++; } while (0)
#endif
`,
  'linux/arm-smccc.h': `#ifndef S_H
#define S_H
#include <linux/kvm_host.h>
#define SMCCC_RET_SUCCESS 0
#define SMCCC_RET_NOT_SUPPORTED -1
struct arm_smccc_res { unsigned long a0, a1, a2, a3; };
void hvc_smccc(u64 *x, struct arm_smccc_res *res);
#define X(a) (u64)(a)
#define SMCCC_2(i, r) hvc_smccc((u64[8]){ X(i) }, r)
#define SMCCC_3(i, a, r) hvc_smccc((u64[8]){ X(i), X(a) }, r)
#define SMCCC_4(i, a, b, r) hvc_smccc((u64[8]){ X(i), X(a), X(b) }, r)
#define SMCCC_5(i, a, b, c, r) hvc_smccc((u64[8]){ X(i), X(a), X(b), X(c) }, r)
#define SMCCC_6(i, a, b, c, d, r) hvc_smccc((u64[8]){ X(i), X(a), X(b), X(c), X(d) }, r)
#define SMCCC_7(i, a, b, c, d, e, r) hvc_smccc((u64[8]){ X(i), X(a), X(b), X(c), X(d), X(e) }, r)
#define SMCCC_8(i, a, b, c, d, e, f, r) hvc_smccc((u64[8]){ X(i), X(a), X(b), X(c), X(d), X(e), X(f) }, r)
#define SMCCC_9(i, a, b, c, d, e, f, g, r) hvc_smccc((u64[8]){ X(i), X(a), X(b), X(c), X(d), X(e), X(f), X(g) }, r)
#define PICK(_1, _2, _3, _4, _5, _6, _7, _8, _9, n, ...) n
#define arm_smccc_1_1_hvc(...) PICK(__VA_ARGS__, SMCCC_9, SMCCC_8, SMCCC_7, SMCCC_6, SMCCC_5, SMCCC_4, SMCCC_3, SMCCC_2, 0)(__VA_ARGS__)
#endif
`,
  'asm/kvm_asm.h': `#ifndef A_H
#define A_H
#include <linux/arm-smccc.h>
#define KVM_HOST_SMCCC_ID(id) (0xc6000000u | (id))
struct kvm_cpu_context { struct { u64 regs[31]; } regs; };
#endif
`,
  'asm/kvm_hyp.h': '#define __hyp_text __attribute__((section(".hyp.text")))\n',
  'asm/kvm_mmu.h': '#define kern_hyp_va(v) (v)\n',
};

/** The struct that stubs take the number of their VM from, as kernels have had it; `vmid` is its only content. */
const VM_STRUCTS: [RegExp, string][] = [
  [/arch\.mmu\.vmid\.vmid/, 'struct kvm_arch { struct { struct { u32 vmid; } vmid; } mmu; };'],
  [/arch\.vmid\.vmid/, 'struct kvm_arch { struct { u32 vmid; } vmid; };'],
  [/./, 'struct kvm_arch { u32 vmid; };'],
];

/** A value that fills its type and differs from its neighbours. */
function sample(type: string, i: number): string {
  const info = typeInfo(type);
  if (info?.pointer) return `(${type})0x7766${i}5544332${i}ull`;
  if (!info || info.bits === 64) return `0x8${i}7766550${i}443322ull`;
  if (info.bits === 32) return `(${type})0x8${i}44332${i}u`;
  return `(${type})${10 + i}`;
}

/** The program that drives every stub and call site, and looks at what arrives. */
function driver(table: HypercallTable, generated: Generated, target: TargetNames): string {
  const header = generated.files.find((f) => f.what === 'header')!.path.replace(/^arch\/arm64\/include\//, '');
  const smccc = generated.era.kind === 'smccc';
  const stem = table.interface.stem;
  const out: string[] = [
    '#include <stdarg.h>',
    'int printf(const char *, ...);',
    '#include <linux/kvm_host.h>',
    '#include <asm/kvm_asm.h>',
    `#include <${header}>`,
    'int warned, failed, checks; static u64 x0; static const char *called; static int unknowns; static u64 got[8];',
    'static int same(const char *a, const char *b) { while (*a && *a == *b) a++, b++; return *a == *b; }',
    '#define CHECK(what, is, want) do { checks++; if ((u64)(is) != (u64)(want)) { failed++; printf("FAIL %s: %llx, not %llx\\n", what, (u64)(is), (u64)(want)); } } while (0)',
  ];
  const mocks = new Set<string>();
  table.hypercalls.forEach((call, k) => {
    const handler = handlerOf(call);
    if (!handler || !dispatchOf(call) || mocks.has(call.handler!)) return;
    mocks.add(call.handler!);
    const taken = halves(handler.parameters, handler.upstream ? target : null, call.handler!);
    const parameters = taken.map((p) => `${p.type} ${p.name}`).join(', ') || 'void';
    out.push(`${handler.returns} ${call.handler}(${parameters}) { called = "${call.handler}";`);
    taken.forEach((p, i) => out.push(`got[${i}] = (u64)${p.name};`));
    out.push(handler.returns === 'void' ? '}' : `return (${handler.returns})${sample(handler.returns, k % 10)}; }`);
  });
  for (const declaration of table.interface.dispatcher?.declarations ?? []) {
    const name = /(\w+)\(/.exec(declaration)![1]!;
    // The generated header declares what the generated dispatcher calls.
    if (!generated.files.find((f) => f.what === 'header')!.text.includes(declaration)) continue;
    const isUnknown = table.interface.dispatcher!.unknown.some((s) => s.startsWith(`${name}(`));
    const signature = declaration.replace(/;$/, '').replace(/\b(\w+)\)$/, '$1)');
    out.push(`${signature} { ${isUnknown ? 'unknowns++; ' : ''}${/^void /.test(declaration) ? '' : 'return 0;'} }`);
  }
  if (smccc) {
    out.push(`void hvc_smccc(u64 *x, struct arm_smccc_res *res) {
	struct kvm_cpu_context c = { 0 }; int i;
	for (i = 0; i < 8; i++) c.regs.regs[i] = x[i];
	x0 = x[0];
	if (!handle_${stem}_hcall(&c)) { unknowns++; c.regs.regs[0] = -1ull; }
	*res = (struct arm_smccc_res){ c.regs.regs[0], c.regs.regs[1], 0, 0 }; }`);
  } else {
    out.push(`u64 __kvm_call_hyp(void *fn, ...) {
	u64 regs[40] = { (u64)fn }; va_list ap; int i;
	va_start(ap, fn); for (i = 1; i < 8; i++) regs[i] = va_arg(ap, u64); va_end(ap);
	x0 = regs[0]; ${table.interface.dispatcher?.name ?? `handle_${stem}_hvc`}((void *)regs); return regs[0]; }`);
  }
  out.push(
    'int main(void) { static struct kvm kvm = { { VM_77 } }; static struct kvm_vcpu a_vcpu = { &kvm, 5 }; (void)a_vcpu; (void)same;',
  );
  let driven = 0;
  table.hypercalls.forEach((call, k) => {
    const stub = stubOf(call);
    const handler = handlerOf(call);
    const dispatch = dispatchOf(call);
    if (!stub && call.callSites.length === 0) return;
    driven++;
    const parameters = stub ? stub.parameters : call.args;
    const passes = (stub ? stub.passes : call.args.map((a) => a.name)).map(
      (e) => target.follow(e, parameters).expression,
    );
    out.push('{ called = ""; unknowns = warned = 0;');
    parameters.forEach((p, i) =>
      out.push(
        `${p.type} ${p.name} = ${/struct kvm_vcpu \*/.test(p.type) ? '&a_vcpu' : sample(p.type, (k + i) % 10)};`,
      ),
    );
    const names = parameters.map((p) => p.name);
    // A call without a stub is made as the host code makes it: by the primitive.
    const primitive = table.interface.primitiveKind === 'macro' ? table.interface.primitive : `${stem}_hypercall`;
    const made = stub ? `${call.stub}(${names.join(', ')})` : `${primitive}(${[call.name, ...names].join(', ')})`;
    const returns = call.returns !== 'void';
    out.push(returns ? `${call.returns} r = ${stub ? '' : `(${call.returns})`}${made}; (void)r;` : `${made};`);
    const id = smccc ? `KVM_HOST_SMCCC_ID(${stem.toUpperCase()}_HCALL_BASE + ${call.number})` : String(call.number);
    out.push(`CHECK("${call.name} number", x0, ${id});`);
    if (!dispatch || !handler) {
      out.push(`CHECK("${call.name} unknown", unknowns > 0, 1);`);
    } else {
      out.push(`CHECK("${call.name} unknown", unknowns + warned, 0);`);
      out.push(`CHECK("${call.name} handler", same(called, "${call.handler}"), 1);`);
      const passed = (i: number) => passes[dispatch.registers[i]!.register! - 1];
      halves(handler.parameters, handler.upstream ? target : null, call.handler!).forEach((p, i) => {
        const want = 'of' in p ? `(u64)(${passed(p.of + 1)}) << 32 | (u32)(${passed(p.of)})` : passed(p.from);
        out.push(`CHECK("${call.name} argument ${i + 1}", got[${i}], (u64)(${p.type})(${want}));`);
      });
      if (returns && dispatch.result === 'handler') {
        out.push(
          `CHECK("${call.name} result", r, (${call.returns})(${handler.returns})${sample(handler.returns, k % 10)});`,
        );
      }
      if (returns && dispatch.result === 'constant') out.push(`CHECK("${call.name} result", r, ${dispatch.value});`);
    }
    out.push('}');
  });
  out.push(`printf("driven ${driven} checks %d failed %d\\n", checks, failed); return failed != 0; }`);
  return `${out.join('\n')}\n`;
}

type Taken = { type: string; name: string } & ({ of: number } | { from: number });

/** What a handler of the kernel's own takes in the target: the two halves of a value may have become one. */
function halves(ours: readonly { type: string; name: string }[], target: TargetNames | null, name: string): Taken[] {
  const theirs = target?.function(name)?.signature?.parameters ?? null;
  const at = ours.findIndex((p, i) => /low$/.test(p.name) && /high$/.test(ours[i + 1]?.name ?? ''));
  const plain = ours.map((p, i): Taken => ({ ...p, from: i }));
  if (theirs === null || at < 0 || theirs.length !== ours.length - 1) return plain;
  return [...plain.slice(0, at), { ...theirs[at]!, of: at }, ...plain.slice(at + 2)];
}

export interface Ran {
  code: number;
  output: string;
}

/**
 * Generates, builds with the C compiler of this machine, and runs. Null when there is no compiler. `spoil` changes the
 * generated text, to see that the driver notices. The era is one of ours, or that of a kernel tree.
 */
export async function runNatively(
  table: HypercallTable,
  kernel: EraKind | TreeReader,
  dir: string,
  spoil: (text: string, what: string) => string = (text) => text,
): Promise<Ran | null> {
  if (!(await which('cc'))) return null;
  const tree = typeof kernel === 'string' ? null : kernel;
  const generated = await generate(table, tree ? await eraOf(tree) : eraFor(kernel as EraKind), tree);
  // What goes into files of the tree is for the kernel's own build.
  generated.files = generated.files.filter((f) => f.kind === 'new');
  for (const f of generated.files) f.text = spoil(f.text, f.what);
  const stubs = generated.files.map((f) => f.text).join('');
  const arch = VM_STRUCTS.find(([pattern]) => pattern.test(stubs))![1];
  lay(dir, generated, arch);
  const target = await TargetNames.of(tree);
  const text = driver(table, generated, target);
  // What the tree's headers would declare.
  const declared = table.hypercalls.flatMap((call) => {
    const handler = handlerOf(call);
    if (!handler?.upstream || !target.function(call.handler!)) return [];
    const taken = halves(handler.parameters, target, call.handler!).map((p) => `${p.type} ${p.name}`);
    return [`${handler.returns} ${call.handler}(${taken.join(', ')});\n`];
  });
  appendFileSync(path.join(dir, 'include/asm/kvm_hyp.h'), declared.join(''));
  const depth = arch.split('struct').length - 2;
  writeFileSync(path.join(dir, 'driver.c'), text.replace('VM_77', `${'{ '.repeat(depth)}77${' }'.repeat(depth)}`));
  const sources = generated.files.filter((f) => f.path.endsWith('.c')).map((f) => f.path);
  const built = await run('cc', ['-O1', '-Wall', '-Werror', ...INCLUDES, '-o', 'driver', 'driver.c', ...sources], {
    cwd: dir,
  });
  if (built.code !== 0) return { code: built.code, output: built.stderr };
  const ran = await run(path.join(dir, 'driver'), []);
  return { code: ran.code, output: ran.stdout.toString('utf8') };
}

/** Compiles for arm64, without running. Null when there is no compiler for it. */
export async function compileForArm64(table: HypercallTable, kind: EraKind, dir: string): Promise<Ran | null> {
  const compiler = 'aarch64-linux-gnu-gcc';
  if (!(await which(compiler))) return null;
  const generated = await generate(table, eraFor(kind), null);
  lay(dir, generated);
  const sources = generated.files.filter((f) => f.path.endsWith('.c')).map((f) => f.path);
  const built = await run(
    compiler,
    ['-O2', '-Wall', '-Werror', '-Wmissing-prototypes', ...INCLUDES, '-c', ...sources],
    { cwd: dir },
  );
  return { code: built.code, output: built.stderr };
}

const INCLUDES = ['-Iinclude', '-Iarch/arm64/include'];

function lay(dir: string, generated: Generated, arch = VM_STRUCTS[2]![1]): void {
  const put = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), text, 'latin1');
  };
  for (const [file, text] of Object.entries(HEADERS)) put(`include/${file}`, text.replace('KVM_ARCH', arch));
  for (const f of generated.files) put(f.path, f.text);
}
