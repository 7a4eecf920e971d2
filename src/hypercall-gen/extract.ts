import type { ByteString } from '../core/text';
import type { PatchSet } from '../patch-set/patch-set';
import { bootCall } from './boot-call';
import { findCallers, toArgument, type DirectCall, type Stub } from './callers';
import { findDispatcher, type Branch, type FoundDispatcher } from './dispatcher';
import { patchedFiles, type PatchedFile, type ReadBase } from './source';
import { findNumbers, type NumberMacro, type Numbers } from './numbers';
import { bare, nameLine, placeOf, Sources, type Found, type Source } from './sources';
import { baseType } from './c-types';
import {
  type Argument,
  type AsmCall,
  type Dispatcher,
  type Finding,
  type HandlerDetail,
  type Hypercall,
  type HypercallTable,
  type Place,
} from './types';

/** A tree as the extraction needs it. */
export interface BaseTree {
  paths(): Iterable<ByteString>;
  read: ReadBase;
}

/** What was read from a set: the table, and what only shows while reading. */
export interface Extracted {
  table: HypercallTable;
  findings: Finding[];
  notes: string[];
}

/** Reads the hypercall interface of a set. Without a base tree it works from the patches alone. */
export async function extractHypercalls(set: PatchSet, base: BaseTree | null): Promise<Extracted> {
  const files = await patchedFiles(set, base ? base.read : null);
  return extractFrom(set.name, set.manifest.base.version, files, base);
}

/** {@link extractHypercalls} for files that are at hand. */
export async function extractFrom(
  set: string,
  version: string,
  files: readonly PatchedFile[],
  base: BaseTree | null,
): Promise<Extracted> {
  const sources = await Sources.of(files);
  const numbers = findNumbers(sources);
  const { stubs, direct } = findCallers(sources, numbers);
  const dispatcher = findDispatcher(sources, numbers);
  const notes: string[] = [];
  if (!base && files.some((f) => !f.complete)) {
    notes.push('read from the patches alone: without the base tree, what is not in a hunk is unknown');
  }
  const branches = new Map((dispatcher?.branches ?? []).map((b) => [b.number, b] as const));
  if (base) {
    const wanted = [...branches.values()].flatMap((b) => (b.handler ? [b.handler] : []));
    await addMissing(sources, wanted, base);
  }

  const reader = new TableReader(sources, numbers, stubs, direct, branches, dispatcher, base !== null);
  const asmCalls: AsmCall[] = [];
  const hypercalls: Hypercall[] = [];
  const listed = new Set<string>();
  for (const macro of numbers.all) {
    // A name that is defined twice: the last definition counts, as in C.
    if (listed.has(macro.name) || numbers.macros.get(macro.name) !== macro) continue;
    listed.add(macro.name);
    const uses = reader.isAsmOnly(macro);
    if (uses) asmCalls.push({ name: macro.name, number: macro.number, place: macro.place, uses });
    else hypercalls.push(reader.hypercall(macro));
  }
  hypercalls.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1));
  const findings = [...reader.findings, ...(dispatcher?.findings ?? []), ...redefined(numbers)];
  findings.push(...orphans(sources, dispatcher, hypercalls));
  const option = commonOption(numbers, listed);
  const table: HypercallTable = {
    schemaVersion: 1,
    set,
    base: version,
    interface: {
      option,
      header: commonHeader(numbers),
      primitive: numbers.primitive,
      primitiveKind: numbers.primitiveKind,
      primitivePlace: numbers.primitivePlace,
      ...home(set, sources, dispatcher, stubs),
      corevisorObject: 'nvhe',
      includes: [],
      dispatcher: dispatcher && completeDispatcher(sources, dispatcher),
    },
    hypercalls,
    asmCalls,
  };
  table.interface.includes = headersFor(sources, table);
  await sources.release();
  return { table, findings, notes };
}

/** Puts an entry together from what was found about its number. */
class TableReader {
  readonly findings: Finding[] = [];
  private readonly stubs = new Map<string, Stub>();
  private readonly direct = new Map<string, DirectCall[]>();

  constructor(
    private readonly sources: Sources,
    private readonly numbers: Numbers,
    stubs: readonly Stub[],
    direct: readonly DirectCall[],
    private readonly branches: ReadonlyMap<string, Branch>,
    private readonly dispatcher: FoundDispatcher | null,
    private readonly hasBase: boolean,
  ) {
    for (const s of stubs) if (!this.stubs.has(s.number)) this.stubs.set(s.number, s);
    for (const s of stubs) {
      if (this.stubs.get(s.number) === s) continue;
      // A second stub of a number is one more place that makes the call.
      const place = s.detail.place!;
      const site = {
        path: place.path,
        line: place.line,
        function: s.name,
        passes: s.detail.passes,
        usesResult: s.returns !== 'void',
      };
      this.push({ number: s.number, site, types: s.types, resultType: s.returns });
    }
    for (const d of direct) this.push(d);
  }

  private push(d: DirectCall): void {
    const known = this.direct.get(d.number);
    if (known) known.push(d);
    else this.direct.set(d.number, [d]);
  }

  /** The places in assembly that use a number which C never does; null when C does, or nobody. */
  isAsmOnly(macro: NumberMacro): AsmCall['uses'] | null {
    if (this.stubs.has(macro.name) || this.direct.has(macro.name) || this.branches.has(macro.name)) return null;
    const uses: AsmCall['uses'] = [];
    for (const source of this.sources.files.filter((f) => f.path.endsWith('.S'))) {
      for (const m of source.code.matchAll(new RegExp(`\\b${macro.name}\\b`, 'g'))) {
        uses.push({ path: source.path, line: placeOf(source, m.index).line });
      }
    }
    return uses.length ? uses : null;
  }

  hypercall(macro: NumberMacro): Hypercall {
    const stub = this.stubs.get(macro.name) ?? null;
    const direct = this.direct.get(macro.name) ?? [];
    const branch = this.branches.get(macro.name) ?? null;
    const passes = stub?.detail.passes ?? longest(direct)?.site.passes ?? [];
    const types = stub?.types ?? longest(direct)?.types ?? [];
    const name = branch?.handler ?? (branch ? null : this.undispatched(macro, stub));
    const found = name === null ? null : this.handlerNamed(name, branch?.dispatch.registers.length ?? passes.length);
    const isMacro = branch !== null && name !== null && !found && this.isMacro(name, branch);
    const detail = isMacro ? macroDetail(branch!) : found && handlerDetail(found);
    if (branch && name !== null && !found && !isMacro && this.hasBase && this.sources.named(name).length === 0) {
      this.findings.push({
        kind: 'no-handler',
        severity: 'error',
        hypercall: macro.name,
        message: `the dispatcher calls '${name}', which nobody defines`,
        path: branch.dispatch.place?.path ?? null,
        line: branch.dispatch.place?.line ?? null,
        related: [macro.place],
      });
    }
    const args = passes.map((e, i): Argument => this.argument(e, types[i] ?? null, i, stub, branch, detail));
    const resultType = direct.map((d) => d.resultType).find((t) => t !== null) ?? null;
    const returns =
      stub?.returns ??
      (branch?.dispatch.result === 'handler'
        ? (detail?.returns ?? resultType ?? 'u64')
        : direct.some((d) => d.site.usesResult)
          ? (resultType ?? 'u64')
          : 'void');
    return {
      name: macro.name,
      number: macro.number,
      group: macro.group,
      place: macro.place,
      stub: stub?.name ?? null,
      stubDetail: stub?.detail ?? null,
      callSites: direct.map((d) => d.site),
      args: unique(args),
      returns,
      handler: name,
      handlerDetail: detail,
      dispatch: branch?.dispatch ?? null,
    };
  }

  /** Type and name of what is passed: from the stub, else from the handler's parameter that gets it. */
  private argument(
    expression: string,
    type: string | null,
    i: number,
    stub: Stub | null,
    branch: Branch | null,
    handler: HandlerDetail | null,
  ): Argument {
    const target = branch ? branch.dispatch.registers.findIndex((r) => r.register === i + 1) : i;
    const parameter = target >= 0 ? handler?.parameters[target] : undefined;
    const own = stub?.detail.parameters.find((p) => p.name === bare(expression));
    const words =
      expression.replace(/\(\s*(?:const |unsigned |struct )*\w+[\s*]*\)/g, ' ').match(/[A-Za-z_]\w*/g) ?? [];
    const name =
      own?.name ??
      (/\(/.test(expression) ? parameter?.name : words[words.length - 1]) ??
      parameter?.name ??
      `arg${i + 1}`;
    return { name, type: own?.type ?? type ?? parameter?.type ?? 'u64' };
  }

  /** `write_sysreg(x1, cntvoff_el2)`: known as a macro, or unknown and given what is no register. */
  private isMacro(name: string, branch: Branch): boolean {
    const known = this.sources.named(name);
    return (
      known.some((f) => f.definition.kind === 'macro') ||
      (known.length === 0 && branch.dispatch.registers.some((r) => r.register === null))
    );
  }

  /**
   * A function that the number was meant for, though no branch calls it: named like the stub or the number, or like the
   * other handlers with the end of either.
   */
  private undispatched(macro: NumberMacro, stub: Stub | null): string | null {
    const core = (n: string) =>
      n
        .toLowerCase()
        .replace(/^_+|^(_*(handle|hvc|el2|hyp|host|do|v|core)_)+/g, '')
        .replace(/^_+/, '');
    const wanted = new Set([core(macro.name.replace(/^_*[A-Z]+_/, ''))]);
    if (stub) wanted.add(core(stub.name));
    const handlers = [...this.branches.values()].flatMap((b) => (b.handler === null ? [] : [b.handler]));
    // Macros, and functions that the kernel had, are named by nobody's rule.
    const isOwn = (f: Found) => f.definition.kind === 'function' && Sources.wrote(f.source, f.definition.startLine);
    const prefix = commonPrefix(handlers.filter((h) => this.sources.named(h).some(isOwn)));
    const ends = [macro.name.toLowerCase(), ...(stub ? [stub.name] : [])];
    const fits = (name: string) => {
      if (wanted.has(core(name))) return true;
      const rest = prefix !== null && name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return rest !== '' && ends.some((e) => e.endsWith(`_${rest}`));
    };
    const stubNames = new Set([...this.stubs.values()].map((s) => s.name));
    const candidates = this.sources.c
      .flatMap((source) => source.index.definitions.map((definition) => ({ source, definition })))
      .filter(
        ({ source, definition: d }) => /^(function|prototype)$/.test(d.kind) && Sources.wrote(source, d.startLine),
      )
      .filter(({ definition: d }) => fits(d.name) && !stubNames.has(d.name) && !handlers.includes(d.name))
      .sort((a, b) => Number(b.definition.kind === 'function') - Number(a.definition.kind === 'function'));
    return candidates[0]?.definition.name ?? null;
  }

  private handlerNamed(name: string, count: number): Found | null {
    const option = commonOption(this.numbers, null);
    const score = ({ source, definition: d }: Found) =>
      (d.kind === 'function' ? 4 : 0) +
      ((d.signature?.parameters.filter((p) => p.type !== 'void').length ?? 0) === count ? 8 : 0) +
      (Sources.wrote(source, d.startLine) ? 2 : 0) +
      (option && d.guards.some((g) => g === option) ? 1 : 0) -
      (option && d.guards.some((g) => g.startsWith('!') && g.includes(option)) ? 16 : 0) +
      (this.dispatcher && source.path === this.dispatcher.source.path ? 1 : 0);
    const found = this.sources
      .named(name)
      .filter(
        (f) => f.definition.signature !== null && f.definition.kind !== 'macro' && f.definition.kind !== 'variable',
      );
    return [...found].sort((a, b) => score(b) - score(a))[0] ?? null;
  }
}

function longest(direct: readonly DirectCall[]): DirectCall | null {
  return [...direct].sort((a, b) => b.site.passes.length - a.site.passes.length)[0] ?? null;
}

/** Arguments need different names: `a`, `a2`. */
function unique(args: Argument[]): Argument[] {
  const seen = new Map<string, number>();
  return args.map((a) => {
    const n = (seen.get(a.name) ?? 0) + 1;
    seen.set(a.name, n);
    return n === 1 ? a : { ...a, name: `${a.name}${n}` };
  });
}

/** What a macro is given are its parameters. */
function macroDetail(branch: Branch): HandlerDetail {
  const parameters = branch.dispatch.registers.map((r, i) => ({ name: `arg${i + 1}`, type: r.cast ?? 'u64' }));
  return { parameters, returns: 'u64', static: false, macro: true, converts: [], upstream: true, place: null };
}

function handlerDetail(found: Found): HandlerDetail {
  const { source, definition } = found;
  const signature = definition.signature!;
  const parameters = signature.parameters.filter((p) => p.type !== 'void' || p.name).map(toArgument);
  const body = definition.body ? source.code.slice(definition.body.start, definition.body.end) : '';
  return {
    parameters,
    returns: signature.returns || 'void',
    static: signature.annotations.includes('static'),
    macro: false,
    // Lines of files that were read for this lookup alone are not the set's either.
    upstream: !Sources.wrote(source, definition.startLine),
    converts: parameters
      .map((p) => p.name)
      .filter((n) => new RegExp(`\\bkern_hyp_va\\s*\\(\\s*${n}\\b(?!\\s*(?:->|\\.|\\[))`).test(body)),
    place: nameLine(found),
  };
}

/** Reads files of the base that say something about names which the set uses but does not declare. */
async function addMissing(sources: Sources, names: readonly string[], base: BaseTree): Promise<void> {
  const missing = names.filter((n) => !sources.named(n).some((f) => f.definition.kind === 'function'));
  if (missing.length === 0) return;
  const where = /^(arch\/arm64\/(kvm|include\/asm)|virt\/kvm|include\/kvm)\/.*\.[chS]$/;
  const pattern = new RegExp(`\\b(${missing.join('|')})\\b`);
  for (const path of base.paths()) {
    if (!where.test(path) || sources.files.some((f) => f.path === path)) continue;
    const text = await base.read(path);
    if (text === null || !pattern.test(text)) continue;
    await sources.add({ path, text, added: [], complete: true, isNew: false });
  }
}

/** The option that guards most of the numbers. */
function commonOption(numbers: Numbers, names: ReadonlySet<string> | null): string | null {
  const tally = new Map<string, number>();
  for (const macro of numbers.macros.values()) {
    if (names && !names.has(macro.name)) continue;
    for (const guard of macro.guards) if (/^CONFIG_\w+$/.test(guard)) tally.set(guard, (tally.get(guard) ?? 0) + 1);
  }
  return [...tally].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

function commonHeader(numbers: Numbers): string | null {
  const tally = new Map<string, number>();
  for (const m of numbers.macros.values()) tally.set(m.place.path, (tally.get(m.place.path) ?? 0) + 1);
  return [...tally].sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/** The corevisor's folder, when the set brings one, and the short name that generated files get. */
function home(
  set: string,
  sources: Sources,
  dispatcher: FoundDispatcher | null,
  stubs: readonly Stub[],
): { folder: string | null; stem: string } {
  const clean = (name: string) =>
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_')
      .replace(/^[^a-z]+|_+$/g, '') || 'corevisor';
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/'));
  const candidates = [dispatcher?.source.path, ...stubs.map((s) => s.detail.place?.path)].flatMap((p) =>
    p ? [folderOf(p)] : [],
  );
  for (const folder of candidates) {
    const inside = sources.files.filter((f) => folderOf(f.path) === folder);
    if (inside.every((f) => f.isNew) && !/\/(include|asm|kvm|hyp|nvhe)$/.test(folder)) {
      return { folder, stem: clean(folder.slice(folder.lastIndexOf('/') + 1)) };
    }
  }
  return { folder: null, stem: clean(set.replace(/[-_]?v?\d[\d.]*.*$/, '')) };
}

/** Adds who calls the dispatcher, and prototypes of what it calls besides the handlers. */
function completeDispatcher(sources: Sources, found: FoundDispatcher): Dispatcher {
  const { dispatcher } = found;
  const calledFrom: Dispatcher['calledFrom'] = [];
  const isInstead: boolean[] = [];
  const word = new RegExp(`\\b${dispatcher.name}\\b`);
  for (const source of sources.files) {
    if (source.path.endsWith('.S')) {
      const lines = source.code.split('\n');
      lines.forEach((line, i) => {
        if (!word.test(line) || !/^\s*(?:\w+:)?\s*(bl|b|ldr|adr\w*)\b/.test(line)) return;
        calledFrom.push({ path: source.path, line: i + 1, how: 'assembly' });
        isInstead.push(standsInstead(source, i));
      });
      continue;
    }
    for (const d of source.index.definitions) {
      if (d.kind !== 'function' || !d.body || d.name === dispatcher.name || !d.calls.includes(dispatcher.name))
        continue;
      const at = source.code.slice(d.body.start, d.body.end).search(word);
      calledFrom.push({ ...placeOf(source, d.body.start + Math.max(0, at)), how: 'c' });
    }
  }
  const declarations = new Set<string>();
  for (const statement of [...dispatcher.preamble, ...dispatcher.unknown]) {
    for (const m of statement.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
      const callee = sources
        .named(m[1]!)
        .find((f) => f.definition.signature && /^(function|prototype)$/.test(f.definition.kind));
      if (!callee || callee.definition.signature!.annotations.includes('static')) continue;
      const { returns, parameters } = callee.definition.signature!;
      declarations.add(
        `${spaced(returns || 'void')}${m[1]}(${parameterList(parameters.filter((p) => p.type !== 'void' || p.name))});`,
      );
    }
  }
  const own = found.definition.signature?.parameters.filter((p) => p.type !== 'void' || p.name) ?? [];
  const byRegister = !dispatcher.frame && own[0]?.name === dispatcher.numberName;
  const parameters = byRegister ? own.map(toArgument) : [];
  const { definition, source } = found;
  const code = source.code.slice(definition.start, definition.end);
  // A dispatcher that calls functions by their addresses is KVM's own, too.
  const replaces =
    isInstead.length > 0 && isInstead.every(Boolean) && bootCall(code, own[0]?.name ?? dispatcher.numberName) === null;
  return { ...dispatcher, parameters, calledFrom, replaces, declarations: [...declarations].sort() };
}

/** True when a line that the set wrote has code of the kernel in another branch of its `#ifdef`. */
function standsInstead(source: Source, line: number): boolean {
  const lines = source.code.split('\n');
  return source.index.conditionals.some(({ branches, endLine }) => {
    const at = branches.findLastIndex((b) => b.line < line);
    if (at < 0 || line >= endLine || !Sources.wrote(source, branches[at]!.line)) return false;
    return branches.some((b, i) => {
      const others = lines.slice(b.line + 1, branches[i + 1]?.line ?? endLine);
      return i !== at && others.some((l, k) => l.trim() !== '' && !Sources.wrote(source, b.line + 1 + k));
    });
  });
}

/** `u64 `, `char *`: what goes right before a name. */
export function spaced(type: string): string {
  return type.endsWith('*') ? type : `${type} `;
}

export function parameterList(parameters: readonly { name: string; type: string }[]): string {
  return parameters.length
    ? parameters.map((p) => (p.name ? `${spaced(p.type)}${p.name}` : p.type)).join(', ')
    : 'void';
}

/** A name that is defined with two values: numbers for one call, or a slip. */
function redefined(numbers: Numbers): Finding[] {
  const findings: Finding[] = [];
  const first = new Map<string, NumberMacro>();
  for (const macro of numbers.all) {
    const before = first.get(macro.name);
    first.set(macro.name, before ?? macro);
    // Two branches of one `#if` may well differ.
    if (!before || before.number === macro.number || before.guards.join() !== macro.guards.join()) continue;
    findings.push({
      kind: 'duplicate-number',
      severity: 'error',
      hypercall: macro.name,
      message: `'${macro.name}' is defined twice, as ${before.number} and as ${macro.number}`,
      path: macro.place.path,
      line: macro.place.line,
      related: [before.place],
    });
  }
  return findings;
}

/** What three or more names begin with, up to a `_`; null when it is too short to mean anything. */
function commonPrefix(names: readonly string[]): string | null {
  if (names.length < 3) return null;
  let prefix = names[0]!;
  for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1);
  prefix = prefix.replace(/[^_]*$/, '');
  return prefix.replace(/_/g, '').length < 3 ? null : prefix;
}

/** Functions that look like handlers by name and place, and that nobody calls. */
function orphans(sources: Sources, dispatcher: FoundDispatcher | null, hypercalls: readonly Hypercall[]): Finding[] {
  const dispatched = hypercalls.filter((h) => h.handler !== null && h.dispatch !== null);
  const names = dispatched.flatMap((h) => (h.handlerDetail?.macro || h.handlerDetail?.upstream ? [] : [h.handler!]));
  if (!dispatcher) return [];
  const prefix = commonPrefix(names);
  if (prefix === null) return [];
  const homes = new Set(dispatched.map((h) => h.handlerDetail?.place?.path));
  const known = new Set(hypercalls.flatMap((h) => (h.handler ? [h.handler] : [])));
  const findings: Finding[] = [];
  for (const source of sources.c.filter((s) => homes.has(s.path))) {
    for (const d of source.index.definitions) {
      if (d.kind !== 'function' || !d.body || !d.name.startsWith(prefix) || known.has(d.name)) continue;
      if (d.name === dispatcher.dispatcher.name || !Sources.wrote(source, d.startLine)) continue;
      const used = sources.files.some((f) =>
        f.index.definitions.some(
          (o) => o.name !== d.name && o.kind !== 'prototype' && (o.calls.includes(d.name) || o.uses.includes(d.name)),
        ),
      );
      if (used) continue;
      findings.push({
        kind: 'not-dispatched',
        severity: 'error',
        hypercall: null,
        message: `'${d.name}' looks like a handler, and no number reaches it`,
        ...nameLine({ source, definition: d }),
        related: dispatcher.dispatcher.place ? [dispatcher.dispatcher.place] : [],
      });
    }
  }
  return findings;
}

/** Headers of the set that define types which the signatures use. */
function headersFor(sources: Sources, table: HypercallTable): string[] {
  const words = new Set<string>();
  const take = (type: string) => {
    const base = baseType(type);
    if (base !== null) words.add(base);
  };
  for (const h of table.hypercalls) {
    take(h.returns);
    h.args.forEach((a) => take(a.type));
    h.stubDetail?.parameters.forEach((a) => take(a.type));
    h.handlerDetail?.parameters.forEach((a) => take(a.type));
    if (h.handlerDetail) take(h.handlerDetail.returns);
  }
  const headers = new Set<string>();
  for (const word of words) {
    const found = sources.named(word).find((f) => f.definition.kind === 'typedef' && f.source.path.endsWith('.h'));
    const include = found && /(?:^|\/)include\/((?:asm|linux|kvm|uapi)\/.*)$/.exec(found.source.path);
    if (include) headers.add(include[1]!);
  }
  return [...headers].sort();
}

/** What a place is called in a sentence. */
export function where(place: Place | null): string {
  return place ? `${place.path}:${place.line}` : 'the table';
}
