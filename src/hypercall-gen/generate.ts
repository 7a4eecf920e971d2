import { splitLines, type ByteString } from '../core/text';
import { baseType, tagsIn, typeInfo } from './c-types';
import { addAlias, addInclude, addObject, callDispatcher } from './entries';
import type { Era, TreeReader } from './era';
import { parameterList, spaced } from './extract';
import { block, comment, defines, macroLines, wrapped } from './layout';
import { TargetNames } from './members';
import {
  dispatchOf,
  handlerOf,
  stubOf,
  type Argument,
  type Dispatch,
  type Finding,
  type Hypercall,
  type HypercallTable,
  type Place,
} from './types';

/** A file that generation makes or changes. */
export interface GeneratedFile {
  path: string;
  /** `new`: the file is generated whole; `changed`: an entry was put into a file of the target. */
  kind: 'new' | 'changed';
  what: 'header' | 'stubs' | 'dispatcher' | 'build' | 'glue' | 'aliases';
  text: ByteString;
  /** For `changed`: the file as the target has it. */
  before: ByteString | null;
}

/** The way from the host's `hvc` into the dispatcher. */
export interface Glue {
  /** `generated`: KVM's own dispatcher calls it; `ported`: the set's assembly does; `none`: nobody does yet. */
  how: 'generated' | 'ported' | 'none';
  /** Name of the generated dispatcher. */
  dispatcher: string;
  /** File of the target that the call was put into; null when it comes with the set. */
  into: ByteString | null;
  /** The set's own calls of its dispatcher; with `generated` they are obsolete. */
  ofSet: Place[];
}

export interface Generated {
  era: Era;
  files: GeneratedFile[];
  glue: Glue;
  /** What a person has to know: where the glue comes from, what was adapted. */
  notes: string[];
  /** What does not fit the target. */
  findings: Finding[];
}

const SPDX = 'SPDX-License-Identifier: GPL-2.0-only';

/**
 * Generates the hypercall interface for the era of a target. `tree` is the target, for entries in its build files and for
 * the signatures and members that it has of its own; without it only new files are made.
 */
export async function generate(table: HypercallTable, era: Era, tree: TreeReader | null): Promise<Generated> {
  const target = await TargetNames.of(tree);
  const work = new Generation(table, era, target);
  const files: GeneratedFile[] = [
    { path: work.headerPath, kind: 'new', what: 'header', text: work.header(), before: null },
  ];
  if (work.functions.length) {
    files.push({ path: work.stubsPath, kind: 'new', what: 'stubs', text: work.stubs(), before: null });
  }
  files.push({ path: work.dispatcherPath, kind: 'new', what: 'dispatcher', text: work.dispatcher(), before: null });
  if (tree) files.push(...(await entries(work, era, tree)));
  const glue = work.glue(files);
  return { era, files, glue, notes: work.notes, findings: work.findings };
}

/** New files, and one patch for the changes to existing ones, as a person can apply them. */
export function asPatch(generated: Generated): string {
  return generated.files
    .filter((f) => f.kind === 'changed')
    .map(
      (f) => `diff --git a/${f.path} b/${f.path}\n--- a/${f.path}\n+++ b/${f.path}\n${insertions(f.before!, f.text)}`,
    )
    .join('');
}

/** The hunks between two texts of which the second has lines added, and nothing else. */
function insertions(before: ByteString, after: ByteString): string {
  const [old, fresh] = [splitLines(before), splitLines(after)];
  /** New lines, and the old line that they come before. */
  const added: { at: number; lines: string[] }[] = [];
  for (let i = 0, j = 0; j < fresh.length; j++) {
    if (i < old.length && fresh[j] === old[i]) {
      i++;
      continue;
    }
    const last = added[added.length - 1];
    if (last?.at === i) last.lines.push(fresh[j]!);
    else added.push({ at: i, lines: [fresh[j]!] });
  }
  const CONTEXT = 3;
  let out = '';
  let shift = 0;
  for (let k = 0; k < added.length;) {
    const from = Math.max(0, added[k]!.at - CONTEXT);
    let to = Math.min(old.length, added[k]!.at + CONTEXT);
    let end = k + 1;
    while (end < added.length && added[end]!.at - CONTEXT <= to) to = Math.min(old.length, added[end++]!.at + CONTEXT);
    const group = added.slice(k, end);
    const count = group.reduce((n, g) => n + g.lines.length, 0);
    out += `@@ -${from + 1},${to - from} +${from + 1 + shift},${to - from + count} @@\n`;
    for (let i = from; i <= to; i++) {
      for (const g of group) if (g.at === i) out += g.lines.map((l) => `+${l}`).join('');
      if (i < to) out += ` ${old[i]}`;
    }
    shift += count;
    k = end;
  }
  return out;
}

async function entries(work: Generation, era: Era, tree: TreeReader): Promise<GeneratedFile[]> {
  const files = new Map<string, GeneratedFile>();
  const change = async (path: string, what: GeneratedFile['what'], edit: (text: ByteString) => ByteString | null) => {
    const known = files.get(path);
    const before = known?.before ?? (tree.has(path) ? await tree.read(path) : null);
    const text = before === null ? null : edit(known?.text ?? before);
    if (before === null || text === null) {
      work.notes.push(`no place for an entry was found in '${path}': ${what} entries have to be added by hand`);
      return;
    }
    files.set(path, { path, kind: 'changed', what, text, before });
  };
  const { option } = work.table.interface;
  const objectOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/\.c$/, '.o');
  if (work.functions.length) {
    await change('arch/arm64/kvm/Makefile', 'build', (t) => addObject(t, objectOf(work.stubsPath), option, /^kvm$/));
  }
  const makefile = era.nvheMakefile ?? 'arch/arm64/kvm/hyp/Makefile';
  await change(makefile, 'build', (t) => addObject(t, objectOf(work.dispatcherPath), option, /^(hyp|obj|hyp-obj)$/));
  if (era.kind === 'smccc' && era.hypMain) {
    await change(era.hypMain, 'glue', (t) => {
      const called = callDispatcher(t, work.dispatcherName, option, work.replaces);
      return called && addInclude(called, work.include, option);
    });
  }
  const aliases = work.aliases();
  if (aliases.length && era.imageVars) {
    await change(era.imageVars, 'aliases', (t) =>
      addAlias(t, era.aliasMacro!, aliases, option, 'Corevisor code that is linked into the kernel image.'),
    );
  }
  return [...files.values()];
}

class Generation {
  readonly notes: string[] = [];
  readonly findings: Finding[] = [];
  /** Calls whose stub is a function of its own file. */
  readonly functions: Hypercall[];
  private readonly inlines: Hypercall[];
  private readonly dispatched: { call: Hypercall; dispatch: Dispatch; expression: string }[] = [];
  /** Handlers that the target declares with other types. */
  private readonly declaredOtherwise = new Set<string>();
  private readonly smcccBase: number | null;
  readonly stem: string;

  constructor(
    readonly table: HypercallTable,
    readonly era: Era,
    private readonly target: TargetNames,
  ) {
    this.stem = table.interface.stem;
    const stubbed = table.hypercalls.filter((h) => h.stub !== null);
    this.functions = stubbed.filter((h) => stubOf(h)!.style === 'function');
    this.inlines = stubbed.filter((h) => stubOf(h)!.style !== 'function');
    this.smcccBase = era.kind === 'smccc' ? freeBase(table, era) : null;
    for (const call of table.hypercalls) {
      const dispatch = dispatchOf(call);
      if (!dispatch || call.handler === null) {
        if (call.handler !== null || call.stub !== null) {
          this.notes.push(
            `'${call.name}' is not dispatched in the set, and not here: the host is told that nobody knows it`,
          );
        }
        continue;
      }
      const expression = this.handlerCall(call, dispatch);
      if (expression !== null) this.dispatched.push({ call, dispatch, expression });
    }
    for (const { call } of this.dispatched) {
      const handler = handlerOf(call)!;
      if (handler.static) {
        const at = handler.place ? ` in ${handler.place.path}:${handler.place.line}` : '';
        this.notes.push(`'${call.handler}'${at} is static: the generated dispatcher needs it without 'static'`);
      }
    }
  }

  /** KVM's own calls are out of the host's reach with the set, as they were where it comes from. */
  get replaces(): boolean {
    return this.table.interface.dispatcher?.replaces ?? false;
  }
  get include(): string {
    return `asm/${this.stem}_hypercalls.h`;
  }
  get headerPath(): string {
    return `arch/arm64/include/${this.include}`;
  }
  get stubsPath(): string {
    return `arch/arm64/kvm/${this.stem}-stubs.c`;
  }
  get dispatcherPath(): string {
    return `arch/arm64/kvm/hyp/${this.era.nvheMakefile ? 'nvhe/' : ''}${this.stem}-dispatch.c`;
  }
  /** Entry glue that is ported calls the dispatcher by the set's name; where C calls it the name is ours. */
  get dispatcherName(): string {
    if (this.era.kind === 'smccc') return `handle_${this.stem}_hcall`;
    return this.table.interface.dispatcher?.name ?? `handle_${this.stem}_hvc`;
  }
  /** The macro that makes the call; one that is not the set's own macro keeps its name and gets a neighbour. */
  private get primitive(): string {
    const { primitive, primitiveKind } = this.table.interface;
    return primitiveKind === 'macro' ? primitive : `${this.stem}_hypercall`;
  }
  private get frameType(): string {
    return `struct ${this.stem}_hvc_regs`;
  }
  private get frameName(): string {
    return this.table.interface.dispatcher?.frame?.name ?? 'hr';
  }
  private get guardOption(): string {
    return this.table.interface.option === null ? '' : ` (${this.table.interface.option})`;
  }

  private head(title: string): string[] {
    return block([
      title,
      `Generated by kport from the hypercall table of '${this.table.set}' (${this.table.base}). Change the table, not this file.`,
    ]);
  }

  header(): string {
    const guard = `__ASM_${this.stem.toUpperCase()}_HYPERCALLS_H`;
    const lines = [
      `/* ${SPDX} */`,
      ...this.head(`Hypercalls from hostvisor to corevisor${this.guardOption}.`),
      `#ifndef ${guard}`,
      `#define ${guard}`,
      '',
      ...this.numbers(),
      '',
      '#ifndef __ASSEMBLY__',
      '',
      ...this.headerIncludes().map((h) => `#include <${h}>`),
      '',
      ...this.primitiveMacro(),
      '',
    ];
    const tags = this.tags();
    if (tags.length) lines.push(...tags.map((t) => `${t};`), '');
    if (this.functions.length || this.inlines.length) lines.push('/* Host side */');
    for (const call of this.functions) lines.push(this.prototype(call));
    for (const call of this.inlines) lines.push('', ...this.stub(call));
    lines.push('', '/* EL2 side */');
    if (this.era.kind !== 'smccc' || this.preamble().length) {
      lines.push(
        `${this.frameType} {`,
        `\tu64 regs[${this.table.interface.dispatcher?.frame?.registers ?? 31}];`,
        '};',
        '',
      );
    }
    lines.push(`${this.dispatcherSignature()};`);
    const declared = new Set<string>();
    for (const { call } of this.dispatched) {
      const handler = handlerOf(call)!;
      if (declared.has(call.handler!) || handler.macro || this.isTargets(call)) continue;
      declared.add(call.handler!);
      if (this.declaredOtherwise.has(call.handler!)) {
        lines.push(
          ...comment(`${call.handler}() with the parameters that the patch set gives it.`),
          wrapped(`${spaced(handler.returns)}${this.alias(call)}`, list(handler.parameters), ''),
          `\t__asm__("${call.handler}");`,
        );
        continue;
      }
      lines.push(wrapped(`${spaced(handler.returns)}${call.handler}`, list(handler.parameters), ';'));
    }
    const statements = [...this.preamble(), ...this.unknown()].join(' ');
    for (const d of this.table.interface.dispatcher?.declarations ?? []) {
      const name = /(\w+)\s*\(/.exec(d)?.[1];
      if (
        name &&
        new RegExp(`\\b${name}\\s*\\(`).test(statements) &&
        !declared.has(name) &&
        !this.target.function(name)
      )
        lines.push(d);
    }
    lines.push('', '#endif /* __ASSEMBLY__ */', '', `#endif /* ${guard} */`);
    return `${lines.join('\n')}\n`;
  }

  private numbers(): string[] {
    const lines: string[] = [];
    if (this.smcccBase !== null) {
      lines.push(
        ...block([
          `What x0 holds for a number. The base keeps the numbers apart from the host hypercalls of KVM itself.`,
        ]),
        `#define ${this.baseName} 0x${this.smcccBase.toString(16)}`,
        ...macroLines([`#define ${this.idName}(nr)`, `\tKVM_HOST_SMCCC_ID(${this.baseName} + (nr))`]),
        '',
      );
    } else if (this.era.stubRange) lines.push('/* Numbers below HVC_STUB_HCALL_NR belong to the hyp stub. */');
    const value = (h: Hypercall) => (h.number >= 0x10000 ? `0x${h.number.toString(16)}` : String(h.number));
    const rows = defines(this.table.hypercalls.map((h) => ({ name: h.name, value: value(h) })));
    let group: string | null = null;
    this.table.hypercalls.forEach((h, i) => {
      if (h.group !== null && h.group !== group) lines.push(...comment(h.group));
      group = h.group;
      lines.push(rows[i]!);
    });
    return lines;
  }

  private get baseName(): string {
    return `${this.stem.toUpperCase()}_HCALL_BASE`;
  }

  private get idName(): string {
    return `${this.stem.toUpperCase()}_HCALL_ID`;
  }

  private headerIncludes(): string[] {
    const includes = new Set(['linux/types.h', ...this.table.interface.includes]);
    // Inline stubs make the call right here.
    if (this.inlines.length) includes.add('linux/kvm_host.h');
    if (this.era.kind === 'smccc') includes.add('linux/arm-smccc.h').add('asm/kvm_asm.h');
    const rank = (h: string) => (h.startsWith('linux/') ? `0${h}` : h);
    return [...includes].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  private primitiveMacro(): string[] {
    const name = this.primitive;
    const lines = comment('Calls EL2 with a number and up to seven arguments; gives what EL2 answers.');
    lines.push(`#undef ${name}`);
    if (this.era.kind !== 'smccc') {
      lines.push(
        ...macroLines([`#define ${name}(nr, ...)`, '\t__kvm_call_hyp((void *)(unsigned long)(nr), ##__VA_ARGS__)']),
      );
      return lines;
    }
    lines.push(...callMacro(name, this.functionId('nr'), this.era));
    return lines;
  }

  /** What x0 holds for a number. */
  private functionId(nr: string): string {
    if (this.era.kind !== 'smccc') return nr;
    if (this.smcccBase !== null) return `${this.idName}(${nr})`;
    return this.table.hypercalls.every((h) => h.number >= 0x80000000) ? `(${nr})` : `KVM_HOST_SMCCC_ID(${nr})`;
  }

  /** Structs that prototypes mention: declared, so that the header stands alone. */
  private tags(): string[] {
    const tags = new Set<string>();
    const take = (type: string) => tagsIn(type).forEach((t) => tags.add(t));
    for (const h of this.table.hypercalls) {
      take(h.returns);
      stubOf(h)?.parameters.forEach((p) => take(p.type));
    }
    for (const { call } of this.dispatched) handlerOf(call)!.parameters.forEach((p) => take(p.type));
    if (this.era.kind === 'smccc') tags.add('struct kvm_cpu_context');
    return [...tags].sort();
  }

  private prototype(call: Hypercall): string {
    return wrapped(`${spaced(call.returns)}${call.stub}`, list(stubOf(call)!.parameters), ';');
  }

  stubs(): string {
    const lines = [
      `// ${SPDX}`,
      ...this.head(`Host stubs of the hypercalls to the corevisor${this.guardOption}.`),
      '#include <linux/kvm_host.h>',
      '#include <linux/types.h>',
      '',
      `#include <${this.include}>`,
    ];
    for (const call of this.functions) lines.push('', ...this.stub(call));
    return `${lines.join('\n')}\n`;
  }

  private stub(call: Hypercall): string[] {
    const stub = stubOf(call)!;
    const prefix = stub.style === 'function' ? '' : 'static inline ';
    const passes = stub.passes.map((e) => this.followed(call, e, stub.parameters));
    const returns = call.returns !== 'void';
    // The answer is a u64; a pointer needs saying so.
    const cast = typeInfo(call.returns)?.pointer ? `(${call.returns})(unsigned long)` : '';
    if (returns && stub.answer !== null) {
      return [
        wrapped(`${prefix}${spaced(call.returns)}${call.stub}`, list(stub.parameters), ''),
        '{',
        wrapped(`\tu64 ret = ${this.primitive}`, [call.name, ...passes], ';'),
        '',
        `\treturn ${stub.answer};`,
        '}',
      ];
    }
    return [
      wrapped(`${prefix}${spaced(call.returns)}${call.stub}`, list(stub.parameters), ''),
      '{',
      wrapped(`\t${returns ? 'return ' : ''}${cast}${this.primitive}`, [call.name, ...passes], ';'),
      '}',
    ];
  }

  private followed(call: Hypercall, expression: string, parameters: readonly Argument[]): string {
    const { expression: text, unknown } = this.target.follow(expression, parameters);
    if (unknown !== null) {
      this.notes.push(`'${call.stub}' passes '${expression}': in the target ${unknown}, unless the set adds it`);
    } else if (text !== expression)
      this.notes.push(`'${call.stub}' passes '${text}', which the target has for '${expression}'`);
    return text;
  }

  /** The handler's signature is the target's, and the set does not change it. */
  private isTargets(call: Hypercall): boolean {
    return handlerOf(call)!.upstream && this.target.function(call.handler!) !== null;
  }

  /** `handler((u32)regs[1], …)`; null when the target's handler cannot be called with what the host passes. */
  private handlerCall(call: Hypercall, dispatch: Dispatch): string | null {
    const handler = handlerOf(call)!;
    const given = dispatch.registers.map((r, i) => {
      const type =
        r.cast ?? (typeInfo(handler.parameters[i]?.type ?? '')?.pointer ? handler.parameters[i]!.type : null);
      if (r.register === null) return r.value ?? '0';
      const value = `${type ? `(${type})` : ''}${this.register(r.register)}`;
      return r.conversion ? `${r.conversion}(${value})` : value;
    });
    const theirs = this.target.function(call.handler!);
    const parameters = theirs?.signature?.parameters.filter((p) => p.type !== 'void' || p.name) ?? [];
    if (!theirs || sameTypes(parameters, handler.parameters)) return wrapped(call.handler!, given, '');
    if (!handler.upstream) {
      // The set changes this function, so the target's declaration is about to go; another name works with either.
      this.declaredOtherwise.add(call.handler!);
      this.notes.push(
        `the target declares '${call.handler}(${parameterList(parameters)})'; the set's own takes (${parameterList(handler.parameters)})`,
      );
      return wrapped(this.alias(call), given, '');
    }
    const joined = joinHalves(handler.parameters, parameters, dispatch, (n) => this.register(n));
    if (joined) {
      this.notes.push(
        `'${call.handler}' takes (${parameterList(parameters)}) in the target: the dispatcher puts the halves together`,
      );
      return wrapped(call.handler!, joined, '');
    }
    this.findings.push({
      kind: parameters.length === handler.parameters.length ? 'argument-type' : 'argument-count',
      severity: 'error',
      hypercall: call.name,
      message: `'${call.handler}' takes (${parameterList(parameters)}) in the target, but is given (${parameterList(handler.parameters)}): '${call.name}' is not dispatched`,
      path: handler.place?.path ?? null,
      line: handler.place?.line ?? null,
      related: dispatch.place ? [dispatch.place] : [],
    });
    return null;
  }

  private register(n: number): string {
    if (this.era.kind === 'smccc' && !this.preamble().length) return `regs[${n}]`;
    if (this.era.kind === 'smccc') return `${this.frameName}->regs[${n}]`;
    if (this.table.interface.dispatcher && !this.table.interface.dispatcher.frame)
      return n === 0 ? this.numberName : (this.table.interface.dispatcher.parameters[n]?.name ?? `arg${n}`);
    return `${this.frameName}->regs[${n}]`;
  }

  private get numberName(): string {
    return this.era.kind === 'smccc' ? 'nr' : (this.table.interface.dispatcher?.numberName ?? 'nr');
  }

  private dispatcherSignature(): string {
    if (this.era.kind === 'smccc') return `bool ${this.dispatcherName}(struct kvm_cpu_context *host_ctxt)`;
    const { dispatcher } = this.table.interface;
    if (dispatcher && !dispatcher.frame) return wrapped(`u64 ${this.dispatcherName}`, this.registerParameters(), '');
    return `void ${this.dispatcherName}(${this.frameType} *${this.frameName})`;
  }

  /** For a dispatcher that gets the registers as arguments. */
  private registerParameters(): string[] {
    const most = Math.max(
      0,
      ...this.dispatched.flatMap(({ dispatch }) => dispatch.registers.map((r) => r.register ?? 0)),
    );
    // All that the set's own has: others declare it, too.
    const own = this.table.interface.dispatcher?.parameters ?? [];
    return Array.from({ length: Math.max(most + 1, own.length) }, (_, i) => {
      const name = i === 0 ? this.numberName : (own[i]?.name ?? `arg${i}`);
      return `${spaced(own[i]?.type ?? 'u64')}${name}`;
    });
  }

  private preamble(): string[] {
    return this.table.interface.dispatcher?.preamble ?? [];
  }

  private unknown(): string[] {
    return this.era.kind === 'smccc' ? [] : (this.table.interface.dispatcher?.unknown ?? []);
  }

  dispatcher(): string {
    const hyp = this.era.hypText ? '__hyp_text ' : '';
    const includes = ['linux/kvm_host.h', 'linux/types.h'];
    const asm = ['asm/kvm_asm.h', 'asm/kvm_hyp.h', 'asm/kvm_mmu.h', this.include].sort();
    const smccc = this.era.kind === 'smccc';
    const byValue = Boolean(this.table.interface.dispatcher) && !this.table.interface.dispatcher!.frame && !smccc;
    const signature = this.dispatcherSignature().replace(/^(\w+ )/, `$1${hyp}`);
    const lines = [
      `// ${SPDX}`,
      ...this.head(`EL2 dispatcher of the hypercalls from the host${this.guardOption}.`),
      ...includes.map((h) => `#include <${h}>`),
      '',
      ...asm.map((h) => `#include <${h}>`),
      '',
    ];
    if (smccc) {
      lines.push(
        ...block([
          `Gives true when the number was the corevisor's; then x0 and x1 hold the answer. ${this.replaces ? "Nobody else's are answered: KVM's own dispatcher is not compiled in." : "Everything else is for KVM's own dispatcher."}`,
        ]),
      );
    }
    const nr = this.numberName;
    lines.push(signature, '{');
    const own = this.preamble().length > 0;
    if (smccc) {
      const offset = this.smcccBase === null ? '' : ` - ${this.functionId('0')}`;
      if (own) lines.push(`\t${this.frameType} *${this.frameName} = (void *)&host_ctxt->regs;`);
      else lines.push('\tu64 *regs = host_ctxt->regs.regs;');
      lines.push(`\tu64 ${nr} = ${this.register(0)}${offset};`, '\tu64 ret = 0;', '');
      if (own) lines.push(...this.notOurs(nr));
    } else if (byValue) lines.push('\tu64 ret = 0;', '');
    else lines.push(`\tu64 ${nr} = ${this.register(0)};`, '');
    if (this.preamble().length) lines.push(...this.preamble().map((s) => `\t${s}`), '');
    lines.push(
      ...(this.table.interface.dispatcher?.style === 'if-chain' && !smccc
        ? this.ifChain(nr, byValue)
        : this.switch(nr, smccc, byValue)),
    );
    if (smccc) {
      lines.push('', `\t${this.register(0)} = SMCCC_RET_SUCCESS;`, `\t${this.register(1)} = ret;`, '\treturn true;');
    } else if (byValue) lines.push('', '\treturn ret;');
    lines.push('}');
    return `${lines.join('\n')}\n`;
  }

  /** The name by which the dispatcher calls a handler whose declaration in the target has other types. */
  private alias(call: Hypercall): string {
    return `${this.stem}_${call.handler!.replace(/^_+/, '')}`;
  }

  /** What the set does for each of its calls must not happen for KVM's own. */
  private notOurs(nr: string): string[] {
    const byNumber = [...this.table.hypercalls].sort((a, b) => a.number - b.number);
    const [low, high] = [byNumber[0], byNumber[byNumber.length - 1]];
    if (!low || !high) return [];
    return [`\tif (${nr} < ${this.caseLabel(low)} || ${nr} > ${this.caseLabel(high)})`, '\t\treturn false;', ''];
  }

  /** The statements of one number. */
  private branch(
    entry: { call: Hypercall; dispatch: Dispatch; expression: string },
    indent: string,
    shared: boolean,
  ): string[] {
    const { dispatch, expression } = entry;
    const answer = shared ? 'ret' : this.register(0);
    const [head, ...rest] = expression.split('\n');
    const statement = (before: string) => {
      // Wrapped for column 0; now it is known where it stands.
      const whole = [head, ...rest.map((l) => l.trim())].join(' ');
      const open = calleeEnd(whole);
      return wrapped(`${indent}${before}${whole.slice(0, open)}`, splitArguments(whole.slice(open + 1, -1)), ';').split(
        '\n',
      );
    };
    if (dispatch.result === 'handler') return statement(`${answer} = `);
    if (dispatch.result === 'constant') return [...statement(''), `${indent}${answer} = ${dispatch.value ?? '0'};`];
    return statement('');
  }

  private caseLabel(call: Hypercall): string {
    if (this.era.kind !== 'smccc' || this.smcccBase !== null) return call.name;
    return this.functionId(call.name);
  }

  private switch(nr: string, smccc: boolean, byValue: boolean): string[] {
    const lines = [`\tswitch (${nr}) {`];
    for (const entry of this.dispatched) {
      lines.push(
        `\tcase ${this.caseLabel(entry.call)}:`,
        ...this.branch(entry, '\t\t', smccc || byValue),
        '\t\tbreak;',
      );
    }
    lines.push('\tdefault:');
    if (smccc) lines.push('\t\treturn false;');
    else if (byValue && !this.unknown().some((s) => /\bret\b/.test(s))) {
      // Success is what nobody may hear for a number that does not exist.
      lines.push(...this.unknown().map((s) => `\t\t${s}`), '\t\tret = ~0ULL;', '\t\tbreak;');
    } else lines.push(...this.unknown().map((s) => `\t\t${s}`), '\t\tbreak;');
    return [...lines, '\t}'];
  }

  private ifChain(nr: string, byValue: boolean): string[] {
    const lines: string[] = [];
    this.dispatched.forEach((entry, i) => {
      lines.push(
        `\t${i ? '} else ' : ''}if (${nr} == ${this.caseLabel(entry.call)}) {`,
        ...this.branch(entry, '\t\t', byValue),
      );
    });
    if (this.unknown().length) lines.push('\t} else {', ...this.unknown().map((s) => `\t\t${s}`));
    if (lines.length) lines.push('\t}');
    return lines;
  }

  /** EL2 symbols that the dispatcher needs and that are linked into the kernel image. */
  aliases(): string[] {
    if (!this.era.nvheMakefile || this.table.interface.corevisorObject !== 'kernel') return [];
    const called = [...this.preamble(), ...this.unknown()].flatMap((s) =>
      [...s.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)].map((m) => m[1]!),
    );
    return [
      ...new Set([
        ...this.dispatched.filter(({ call }) => !handlerOf(call)!.upstream).map(({ call }) => call.handler!),
        ...called,
      ]),
    ].sort();
  }

  /** Says where the way from the host's `hvc` into the dispatcher comes from; `files` are those that were made. */
  glue(files: readonly GeneratedFile[]): Glue {
    const from = this.table.interface.dispatcher?.calledFrom ?? [];
    const ofSet = from.map(({ path, line }) => ({ path, line }));
    const places = from.map((p) => `${p.path}:${p.line}`).join(', ');
    const into = files.find((f) => f.what === 'glue')?.path ?? null;
    const smccc = this.era.kind === 'smccc';
    const how = smccc ? (into === null ? 'none' : 'generated') : places ? 'ported' : 'none';
    if (how === 'generated') {
      this.notes.push(
        `glue: generated, a call of '${this.dispatcherName}' in ${into}; no assembly is needed` +
          (places ? `, that of the set (${places}) is obsolete` : ''),
      );
      if (this.replaces)
        this.notes.push(`with the option none of KVM's own calls is answered: the set replaces its dispatch`);
    } else if (how === 'ported')
      this.notes.push(`glue: ported, the set's own entry code (${places}) calls '${this.dispatcherName}'`);
    else if (smccc) this.notes.push(`glue: none, KVM's dispatcher has to call '${this.dispatcherName}'`);
    else this.notes.push(`glue: none was found in the set; the entry code has to call '${this.dispatcherName}'`);
    // Its way into EL2 is not the set's assembly any more.
    const entryFiles = new Set(from.filter((p) => p.how === 'assembly').map((p) => p.path));
    for (const call of smccc ? this.table.asmCalls : []) {
      const at = call.uses.filter((u) => entryFiles.has(u.path)).map((u) => `${u.path}:${u.line}`);
      if (at.length) {
        this.notes.push(
          `'${call.name}' (${call.number}) is answered by the set's assembly (${at.join(', ')}) and not here: the host is told that nobody knows it`,
        );
      }
    }
    if (smccc && this.table.interface.dispatcher?.unknown.length) {
      const who = this.replaces
        ? "they are answered as KVM's own dispatcher does"
        : "KVM's own dispatcher answers them";
      this.notes.push(`what the set does for unknown numbers is left out: ${who}`);
    }
    const rest = this.table.interface.dispatcher?.rest;
    if (rest) {
      this.notes.push(
        `what the set's dispatcher does behind its branches (${rest.path}:${rest.line}) is not generated: move it by hand`,
      );
    }
    const { stubRange } = this.era;
    if (stubRange) {
      const low = this.table.hypercalls.filter((h) => h.number < stubRange.end && this.smcccBase === null);
      for (const h of low) this.notes.push(`'${h.name}' (${h.number}) cannot be reached: the hyp stub answers it`);
    }
    return { how, dispatcher: this.dispatcherName, into, ofSet };
  }
}

/** The macro `name(nr, …)` that makes an SMCCC call as the target's own macro does, with `id` in x0. */
export function callMacro(name: string, id: string, era: Era): string[] {
  if (!era.callMacro) {
    return macroLines([
      `#define ${name}(nr, ...)`,
      '({',
      '\tstruct arm_smccc_res __res;',
      '',
      `\tarm_smccc_1_1_hvc(${id},`,
      '\t\t\t  ##__VA_ARGS__, &__res);',
      '\tWARN_ON(__res.a0 != SMCCC_RET_SUCCESS);',
      '\t(u64)__res.a1;',
      '})',
    ]);
  }
  const body = era.callMacro.map((l) => l.replace('%ID%', id));
  // However deep the target has it.
  const depth = Math.min(...body.flatMap((l) => (/^\s*(\(\{|\}\)|$)/.test(l) ? [] : [/^\t*/.exec(l)![0].length])));
  const lines = body.map((l) => (/^\s*(\(\{|\}\)|$)/.test(l) ? l.trim() : `\t${l.slice(depth)}`));
  return macroLines([`#define ${name}(nr, ...)`, ...lines]);
}

function list(parameters: readonly Argument[]): string[] {
  return parameters.length ? parameters.map((p) => `${spaced(p.type)}${p.name}`) : ['void'];
}

function sameTypes(a: readonly { type: string }[], b: readonly { type: string }[]): boolean {
  const plain = (t: string) => t.replace(/\s+/g, '');
  return a.length === b.length && a.every((p, i) => plain(p.type) === plain(b[i]!.type));
}

/** The target takes one u64 where the set passes its two halves, named low and high. */
function joinHalves(
  ours: readonly Argument[],
  theirs: readonly { type: string }[],
  dispatch: Dispatch,
  register: (n: number) => string,
): string[] | null {
  if (ours.length !== theirs.length + 1) return null;
  const at = ours.findIndex((p, i) => /lo(w)?$/i.test(p.name) && /hi(gh)?$/i.test(ours[i + 1]?.name ?? ''));
  const whole = typeInfo(theirs[at]?.type ?? '');
  if (at < 0 || whole?.bits !== 64 || whole.pointer) return null;
  const [low, high] = [dispatch.registers[at]?.register, dispatch.registers[at + 1]?.register];
  if (low == null || high == null) return null;
  const others = dispatch.registers.map((r) =>
    r.register === null ? (r.value ?? '0') : `${r.cast ? `(${r.cast})` : ''}${register(r.register)}`,
  );
  return [...others.slice(0, at), `${register(high)} << 32 | (u32)${register(low)}`, ...others.slice(at + 2)];
}

/** Index of the parenthesis that opens the argument list of `f(…)` or `((cast)f)(…)`. */
function calleeEnd(text: string): number {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    if (text[i] === ')') depth++;
    else if (text[i] === '(' && --depth === 0) return i;
  }
  return -1;
}

/** The pieces between the outer commas. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(' || text[i] === '[') depth++;
    else if (text[i] === ')' || text[i] === ']') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  const last = text.slice(from).trim();
  return last ? [...parts, last] : parts;
}

/**
 * The offset that is added to the numbers in an SMCCC world, so that they meet none of the target's own; null when they
 * are SMCCC ids or function numbers already.
 */
export function freeBase(table: HypercallTable, era: Era): number | null {
  const numbers = table.hypercalls.map((h) => h.number);
  if (
    numbers.length === 0 ||
    table.hypercalls.some((h) => h.number >= 0x80000000 || h.name.startsWith('__KVM_HOST_SMCCC_FUNC_'))
  )
    return null;
  const taken = [...era.smccc.values()].map((s) => s.number);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  let base = 0x100;
  while (taken.some((t) => t >= base + low && t <= base + high)) base += 0x100;
  return base;
}

/** Types of the table that neither the kernel nor a named header defines; for messages. */
export function unknownTypes(table: HypercallTable): string[] {
  const all = table.hypercalls.flatMap((h) => [h.returns, ...h.args.map((a) => a.type)]);
  return [...new Set(all.flatMap((t) => baseType(t) ?? []))].sort();
}
