import path from 'node:path';
import type { ByteString } from '../../core/text';
import { run } from '../../io/process';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { scanFile } from '../scan';
import type { Built, Workshop } from '../workshop';
import { linkedForEl2 } from './el2-sources';
import { readSymbols, type ObjectSymbols } from './link';

/** A reference out of code that runs at EL2. */
interface Reference {
  object: string;
  section: string;
  /** The function that refers. */
  from: string;
  symbol: string;
  kind: 'call' | 'data';
}

/** Symbols that gcc calls of its own accord. */
const COMPILER_MADE =
  /^(memset|memcpy|memmove|memcmp|__memset|__memcpy|__stack_chk_fail|_mcount|__sanitizer_cov_\w+|__ubsan_\w+|__asan_\w+)$/;

/** Sections that EL2 maps for reading: hyp text and what belongs to it, read-only data, and the set's own. */
const EL2_TEXT = /^(\.hyp\.|\.hyp\.text|\.hyp\.idmap\.text|__kvm_nvhe)/;

/**
 * Code that runs at EL2 calls only what EL2 maps. Read from the objects, because the compiler makes calls that no source
 * has: a byte loop becomes `memset`, which lies in the kernel's text, and EL2 hangs at it with no word.
 *
 * Up to 5.8 EL2 code is what lies in `.hyp.text`. From 5.9 on it is linked into an object of its own with prefixed symbols
 * (`kvm_nvhe.o`): there, every symbol that it leaves undefined must be one that the linker script allows.
 */
export function el2Objects(workshop: Workshop): Check {
  return {
    name: 'el2-closure',
    async run(ctx) {
      const built = await workshop.build(ctx.options.length ? 'on' : 'off');
      const objects = built.objects.filter(
        (o) => /^(arch\/arm64\/(kvm|mm|lib|kernel)|virt\/kvm)\//.test(o) || isNew(ctx, o),
      );
      if (built.stopped || objects.length === 0) {
        return skipped('el2-closure', built.stopped ? `no objects: ${built.stopped.reason}` : 'no objects were made');
      }
      const tools = workshop.options.toolchain.prefix;
      const nvhe = objects.filter((o) => /(^|\/)(kvm_nvhe\.o|kvm_nvhe\.rel\.o)$/.test(o));
      const parts = objects.filter(
        (o) => !/(kvm_nvhe(\.rel|\.tmp)?|\.nvhe|built-in|vmlinux)\.o$/.test(o) && !/\.mod\.o$/.test(o),
      );
      const sections = new Map<string, string>();
      const references: Reference[] = [];
      for (const object of parts) {
        const file = path.join(built.build.out, object);
        for (const [symbol, section] of await definedSymbols(tools, file))
          if (!sections.has(symbol)) sections.set(symbol, section);
        references.push(...(await referencesOf(tools, file, object)));
      }
      const findings: Finding[] = [];
      const el2 = references.filter((r) => EL2_TEXT.test(r.section));
      const seen = new Set<string>();
      for (const r of el2) {
        const section = sections.get(r.symbol);
        // A section symbol (`.rodata.str`) or a label within stays within the image's data, which the text cannot call.
        if (r.kind !== 'call' || r.symbol.startsWith('.') || (section !== undefined && EL2_TEXT.test(section)))
          continue;
        const key = `${r.object}|${r.from}|${r.symbol}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const made = COMPILER_MADE.test(r.symbol);
        const source = sourceOf(ctx, r.object);
        const at = await placeOf(ctx, source, r.from, made ? null : r.symbol);
        const mentioned = made && at.mentions(r.symbol);
        const kind = made && !mentioned ? 'el2-compiler-call' : 'el2-call-out';
        // Upstream's own EL2 code calls out in places, behind alternatives that never run at EL2.
        const upstream = at.hunk === null && !isNew(ctx, r.object);
        findings.push({
          path: source,
          line: at.line,
          hunk: at.hunk,
          definition: r.from,
          text:
            made && !mentioned
              ? `the compiler made a call to ${r.symbol} in '${r.from}', which runs at EL2 where ${r.symbol} is not mapped: it hangs there`
              : `'${r.from}' runs at EL2 and calls ${r.symbol}, which lies in ${section ?? 'another object'}`,
          kind: upstream && !made ? 'el2-upstream-review' : kind,
          evidence: `relocation in ${r.section} of ${r.object}`,
        });
      }
      for (const object of nvhe.slice(0, 1))
        findings.push(...(await nvheUndefined(ctx, tools, built.build.out, object)));
      // Where one of its parts does not compile the object is not made: its parts say the same, as far as they go.
      const nvheParts = nvhe.length ? [] : objects.filter((o) => o.endsWith('.nvhe.o'));
      if (nvheParts.length) findings.push(...(await nvhePartsUndefined(ctx, tools, built, nvheParts)));
      const what = nvhe.length
        ? `${nvhe[0]} and ${el2.length} references out of hyp text of ${parts.length} objects`
        : `${el2.length} references out of hyp text of ${parts.length} objects${nvheParts.length ? ` and ${nvheParts.length} parts of the nVHE object, which was not made` : ''}`;
      if (el2.length === 0 && nvhe.length + nvheParts.length === 0)
        return skipped('el2-closure', `no EL2 code in ${parts.length} objects`);
      return judge('el2-closure', findings, what, { references: el2.length, nvhe: nvhe[0] ?? null });
    },
  };
}

/** Names that the nVHE object gets from the linker script. */
async function givenToNvhe(ctx: CheckContext): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const file of [
    'arch/arm64/kernel/image-vars.h',
    'arch/arm64/kernel/image.h',
    'arch/arm64/kernel/vmlinux.lds.S',
    'arch/arm64/include/asm/hyp_image.h',
  ]) {
    const text = (await ctx.portedText(file)) ?? '';
    for (const m of text.matchAll(/\b(?:KVM_NVHE_ALIAS(?:_HYP)?|kvm_nvhe_sym)\(\s*(\w+)/g)) allowed.add(m[1]!);
    for (const m of text.matchAll(/\b__kvm_nvhe_(\w+)\s*=/g)) allowed.add(m[1]!);
  }
  return allowed;
}

/** Symbols that the nVHE object leaves open and that the linker script does not give to it. */
async function nvheUndefined(ctx: CheckContext, tools: string, out: string, object: string): Promise<Finding[]> {
  const listed = await run(`${tools}nm`, ['-u', path.join(out, object)], { timeoutMs: 60_000 });
  const open: string[] = [];
  for (const line of listed.stdout.toString('latin1').split('\n')) {
    const symbol = /\bU (\S+)/.exec(line)?.[1];
    if (symbol?.startsWith('__kvm_nvhe_')) open.push(symbol.replace(/^__kvm_nvhe_/, ''));
  }
  return undefinedFindings(ctx, open, object);
}

/** The same of the parts of an object that was not made, as far as they were compiled. */
async function nvhePartsUndefined(
  ctx: CheckContext,
  tools: string,
  built: Built,
  parts: readonly string[],
): Promise<Finding[]> {
  const listed = await run(`${tools}nm`, ['-A', ...parts], { cwd: built.build.out, timeoutMs: 120_000 });
  const symbols = readSymbols(listed.stdout.toString('latin1'), parts);
  return undefinedFindings(ctx, leftOpen(symbols, await nvheSources(ctx)), 'parts of the nVHE object');
}

/**
 * What objects ask for and none of them has. What a source defines that did not compile is told by no object: a name that
 * any of the sources defines is left out.
 */
export function leftOpen(
  parts: readonly ObjectSymbols[],
  sources: Iterable<{ path: ByteString; ported: ByteString | null }>,
): Set<string> {
  const defined = new Set(parts.flatMap((s) => [...s.strong, ...s.weak]));
  const open = new Set(parts.flatMap((s) => [...s.open].filter((name) => !defined.has(name))));
  for (const { path, ported } of sources) {
    for (const span of ported === null ? [] : scanFile(path, ported))
      if (/^(function|variable|asm)$/.test(span.kind) && !/^\s*extern\b/.test(span.head)) open.delete(span.name);
    // Variables of each processor, static keys: what the macro defines is one of its words.
    for (const m of (ported ?? '').matchAll(/^[ \t]*(?:static[ \t]+)?DEFINE_\w+\(([^()]*)\)/gm))
      for (const word of m[1]!.match(/\w+/g) ?? []) open.delete(word);
  }
  return open;
}

/** Sources that the nVHE object is made of, or may be: those of its folder and the one above, and what its Makefile names. */
async function nvheSources(ctx: CheckContext): Promise<{ path: ByteString; ported: ByteString | null }[]> {
  const linked = await linkedForEl2(ctx);
  const found: { path: ByteString; ported: ByteString | null }[] = [];
  for (const p of ctx.ported.paths())
    if (linked.has(p) || /^arch\/arm64\/kvm\/hyp\/(nvhe\/|include\/hyp\/)?[\w-]+\.[chS]$/.test(p))
      found.push({ path: p, ported: await ctx.portedText(p) });
  return found;
}

async function undefinedFindings(ctx: CheckContext, open: Iterable<string>, object: string): Promise<Finding[]> {
  const allowed = await givenToNvhe(ctx);
  const findings: Finding[] = [];
  for (const plain of open) {
    if (allowed.has(plain) || /^__(start|end|hyp_section)/.test(plain)) continue;
    const made = COMPILER_MADE.test(plain);
    const user = await userOf(ctx, plain);
    findings.push({
      path: user?.path ?? 'arch/arm64/kvm/hyp/nvhe/Makefile',
      line: user?.line ?? null,
      hunk: user?.hunk ?? null,
      definition: user?.definition ?? null,
      text: made
        ? `the compiler made calls to ${plain} in the nVHE object, which has none`
        : `the nVHE object refers to ${plain}, which is neither in it nor given to it by image-vars.h`,
      kind: made ? 'el2-compiler-call' : 'el2-call-out',
      evidence: `undefined __kvm_nvhe_${plain} in ${object}`,
    });
  }
  return findings;
}

/** An added line that mentions a symbol. */
async function userOf(ctx: CheckContext, symbol: string) {
  for (const file of ctx.portFiles.values()) {
    if (file.ported === null || !file.ported.includes(symbol)) continue;
    const lines = file.ported.split('\n');
    for (const i of ctx.addedLines(file.path)) {
      if (!new RegExp(`\\b${symbol}\\b`).test(lines[i] ?? '')) continue;
      const spans = await ctx.spans(file.path);
      const definition = spans.find((s) => s.startLine <= i && i <= s.endLine)?.name ?? null;
      return { path: file.path, line: i + 1, hunk: ctx.hunkAt(file.path, i), definition };
    }
  }
  return null;
}

function isNew(ctx: CheckContext, object: string): boolean {
  return ['.c', '.S'].some((e) => ctx.portFiles.get(object.replace(/(\.nvhe)?\.o$/, e))?.target === null);
}

function sourceOf(ctx: CheckContext, object: string): ByteString {
  const stem = object.replace(/(\.nvhe)?\.o$/, '');
  return ['.c', '.S'].map((e) => stem + e).find((p) => ctx.ported.has(p)) ?? `${stem}.c`;
}

/** Symbols that an object defines, with their sections. */
async function definedSymbols(tools: string, file: string): Promise<[string, string][]> {
  const done = await run(`${tools}objdump`, ['-t', file], { timeoutMs: 60_000 });
  const found: [string, string][] = [];
  for (const line of done.stdout.toString('latin1').split('\n')) {
    const m = /^[0-9a-f]{8,} (.{7}) (\S+)\s+[0-9a-f]+(?: \.hidden)? (\S+)$/.exec(line);
    if (m && m[2] !== '*UND*' && !/[dfS]$/.test(m[1]!.slice(5).trim() === 'd' ? 'd' : '')) found.push([m[3]!, m[2]!]);
  }
  return found;
}

const CALL = /R_AARCH64_(CALL26|JUMP26|CONDBR19|TSTBR14)/;

/** Relocations of an object's EL2 sections, each with the function around it. */
async function referencesOf(tools: string, file: string, object: string): Promise<Reference[]> {
  const symbols = await run(`${tools}objdump`, ['-t', file], { timeoutMs: 60_000 });
  const functions = new Map<string, { at: number; name: string }[]>();
  for (const line of symbols.stdout.toString('latin1').split('\n')) {
    const m = /^([0-9a-f]{8,}) (.{7}) (\S+)\s+([0-9a-f]+)(?: \.hidden)? (\S+)$/.exec(line);
    if (!m || !EL2_TEXT.test(m[3]!) || /d/.test(m[2]!.slice(5)) || /^[.$]/.test(m[5]!)) continue;
    const list = functions.get(m[3]!) ?? [];
    list.push({ at: parseInt(m[1]!, 16), name: m[5]! });
    functions.set(m[3]!, list);
  }
  if (functions.size === 0) return [];
  for (const list of functions.values()) list.sort((a, b) => a.at - b.at);
  const done = await run(`${tools}objdump`, ['-r', file], { timeoutMs: 60_000 });
  const found: Reference[] = [];
  let section = '';
  for (const line of done.stdout.toString('latin1').split('\n')) {
    const head = /^RELOCATION RECORDS FOR \[(\S+)\]/.exec(line);
    if (head) section = head[1]!;
    const m = /^([0-9a-f]+) (R_\w+)\s+(\S+)/.exec(line);
    if (!m || !EL2_TEXT.test(section)) continue;
    const at = parseInt(m[1]!, 16);
    const inside = (functions.get(section) ?? []).filter((f) => f.at <= at);
    found.push({
      object,
      section,
      from: inside[inside.length - 1]?.name ?? section,
      symbol: m[3]!.replace(/[+-]0x[0-9a-f]+$/, ''),
      kind: CALL.test(m[2]!) ? 'call' : 'data',
    });
  }
  return found;
}

/** Where in the source a function calls something, or its first line. */
async function placeOf(ctx: CheckContext, source: ByteString, definition: string, callee: string | null) {
  const text = (await ctx.portedText(source)) ?? '';
  const lines = text.split('\n');
  // gcc names parts of functions `f.part.0`, `f.isra.0`, `f.constprop.0`.
  const name = definition.replace(/\.(part|isra|constprop|cold)\b.*$/, '');
  const span = scanFile(source, text).find((s) => s.name === name);
  const body = span ? lines.slice(span.startLine, span.endLine + 1) : [];
  const called = callee === null || !span ? -1 : body.findIndex((l) => new RegExp(`\\b${callee}\\b`).test(l));
  const line = span ? span.startLine + Math.max(0, called) : null;
  const own = line === null ? null : ctx.hunkAt(source, line);
  const inSpan = span ? [...ctx.addedLines(source)].find((i) => span.startLine <= i && i <= span.endLine) : undefined;
  return {
    line: line === null ? null : line + 1,
    hunk: own ?? (inSpan === undefined ? null : ctx.hunkAt(source, inSpan)),
    mentions: (symbol: string) => body.some((l) => new RegExp(`\\b${symbol}\\b`).test(l)),
  };
}
