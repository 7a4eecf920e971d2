import path from 'node:path';
import type { ByteString } from '../../core/text';
import { run } from '../../io/process';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { isKbuild } from '../scan';
import type { Built, Workshop } from '../workshop';

/** What one object gives to others and asks of them. */
export interface ObjectSymbols {
  object: string;
  /** Global and not weak: two of them do not link. */
  strong: Set<string>;
  weak: Set<string>;
  /** Left open, weak references apart: those may stay open. */
  open: Set<string>;
}

/** A symbol that the image cannot have, or has twice. */
export interface LinkFault {
  kind: 'undefined-symbol' | 'symbol-twice';
  symbol: string;
  /** The objects that refer to it, or that both define it. */
  objects: string[];
  /** The object that defined it and is not built any more; null for one that is not explained so. */
  gone: string | null;
}

/**
 * What would fail at the link, without linking: the kernel's other folders are not built here, but nothing in them can
 * define a symbol that an object of the touched folders defined before, since two definitions do not link.
 */
export function linkFaults(on: readonly ObjectSymbols[], off: readonly ObjectSymbols[]): LinkFault[] {
  const faults: LinkFault[] = [];
  const built = new Set(on.map((o) => o.object));
  const defined = new Map<string, string[]>();
  const weak = new Set<string>();
  for (const o of on) {
    for (const s of o.strong) defined.set(s, [...(defined.get(s) ?? []), o.object]);
    for (const s of o.weak) weak.add(s);
  }
  for (const [symbol, objects] of defined) {
    // Twice in the target as well: alternatives that are never in one image (`lib-y`).
    const before = off.filter((o) => o.strong.has(symbol)).length;
    if (objects.length > 1 && before < objects.length)
      faults.push({ kind: 'symbol-twice', symbol, objects, gone: null });
  }
  const gone = new Map<string, string>();
  for (const o of off) if (!built.has(o.object)) for (const s of o.strong) gone.set(s, o.object);
  const users = new Map<string, string[]>();
  for (const o of on) for (const s of o.open) users.set(s, [...(users.get(s) ?? []), o.object]);
  for (const [symbol, objects] of users) {
    if (defined.has(symbol) || weak.has(symbol) || !gone.has(symbol)) continue;
    faults.push({ kind: 'undefined-symbol', symbol, objects, gone: gone.get(symbol)! });
  }
  return faults;
}

/** Symbols that the option makes objects ask for, and that none of the built objects, on or off, has. */
export function newOpen(on: readonly ObjectSymbols[], off: readonly ObjectSymbols[]): Map<string, string[]> {
  const known = new Set(off.flatMap((o) => [...o.open, ...o.strong, ...o.weak]));
  for (const o of on) for (const s of [...o.strong, ...o.weak]) known.add(s);
  const found = new Map<string, string[]>();
  for (const o of on) for (const s of o.open) if (!known.has(s)) found.set(s, [...(found.get(s) ?? []), o.object]);
  return found;
}

/**
 * With the option on, every symbol that an object leaves open has somebody to define it. A set that builds a file of its own
 * instead of one of upstream's takes away what upstream has put there meanwhile; each object still compiles.
 */
export function link(workshop: Workshop): Check {
  return {
    name: 'link',
    async run(ctx) {
      if (ctx.options.length === 0) return skipped('link', 'the set has no option: there is nothing to compare with');
      const [on, off] = [await workshop.build('on'), await workshop.build('off')];
      const stopped = on.stopped ?? off.stopped;
      if (stopped) return skipped('link', `no objects: ${stopped.reason}`);
      const tools = workshop.options.toolchain.prefix;
      const [here, before] = [await symbolsOf(ctx, tools, on), await symbolsOf(ctx, tools, off)];
      const findings: Finding[] = [];
      for (const f of linkFaults(here, before)) {
        const source = sourceOf(ctx, f.objects[0]!);
        if (f.kind === 'symbol-twice') {
          const own = f.objects.map((o) => sourceOf(ctx, o)).find((p) => ctx.portFiles.get(p)?.target === null);
          const words = `'${f.symbol}' is defined by ${f.objects.join(' and by ')}: they do not link`;
          findings.push({ ...(await placeIn(ctx, own ?? source, f.symbol)), text: words, kind: f.kind });
          continue;
        }
        const at = await placeIn(ctx, source, f.symbol);
        const words = `${f.objects.join(' and ')} refers to '${f.symbol}', which ${f.gone} defined and nothing does with the option on`;
        findings.push({ ...at, hunk: at.hunk ?? (await ruleHunk(ctx, f.gone!)), text: words, kind: f.kind });
      }
      // An object that failed to compile defines nothing: then this says nothing.
      const failed = on.diagnostics.some((d) => d.severity === 'error');
      const open = failed ? new Map<string, string[]>() : newOpen(here, before);
      const unknown = await withoutSource([...open.keys()], on, (s) => open.get(s)!.map((o) => sourceOf(ctx, o)));
      for (const symbol of unknown) {
        const objects = open.get(symbol)!;
        const words = `${objects.join(' and ')} refers to '${symbol}', which no source of the tree mentions but those that refer to it`;
        findings.push({
          ...(await placeIn(ctx, sourceOf(ctx, objects[0]!), symbol)),
          text: words,
          kind: 'undefined-symbol-review',
        });
      }
      const opened = here.reduce((n, o) => n + o.open.size, 0);
      const rest = failed
        ? '; not looked up what is new: objects are missing'
        : `, ${open.size} new ones looked up in the sources`;
      return judge(
        'link',
        findings,
        `${opened} open references of ${here.length} objects, beside ${before.length} with the option off${rest}`,
        {
          references: opened,
          objects: here.length,
          newReferences: open.size,
        },
      );
    },
  };
}

/** Symbols of every object that is linked: composites repeat their parts, and EL2's parts get other names. */
async function symbolsOf(ctx: CheckContext, tools: string, built: Built): Promise<ObjectSymbols[]> {
  const objects = built.objects.filter((o) => {
    if (/\.(tmp|rel|mod)\.o$|\.nvhe\.o$|(^|\/)(built-in|vmlinux)\.o$|^(tools|usr)\//.test(o)) return false;
    // What is only included by others, or made to read offsets from.
    if (/(^|\/)(asm-offsets|bounds|empty|devicetable-offsets)\.o$/.test(o)) return false;
    return (
      /(^|\/)kvm_nvhe\.o$/.test(o) || ctx.ported.has(o.replace(/\.o$/, '.c')) || ctx.ported.has(o.replace(/\.o$/, '.S'))
    );
  });
  const done = await run(`${tools}nm`, ['-A', ...objects], { cwd: built.build.out, timeoutMs: 120_000 });
  return readSymbols(done.stdout.toString('latin1'), objects);
}

/** What `nm -A` says, object by object. */
export function readSymbols(text: string, objects: readonly string[]): ObjectSymbols[] {
  const by = new Map(
    objects.map((object): [string, ObjectSymbols] => [
      object,
      { object, strong: new Set(), weak: new Set(), open: new Set() },
    ]),
  );
  for (const line of text.split('\n')) {
    const m = /^([^:]+):\s*[0-9a-f]*\s+([A-Za-z])\s+(\S+)$/.exec(line);
    const symbols = m ? by.get(m[1]!) : undefined;
    if (!symbols) continue;
    if (m![2] === 'U') symbols.open.add(m![3]!);
    else if (/[TDBRGSAC]/.test(m![2]!)) symbols.strong.add(m![3]!);
    else if (/[WV]/.test(m![2]!)) symbols.weak.add(m![3]!);
  }
  return [...by.values()];
}

/** Of some symbols, those that no C, assembly or linker file of the tree mentions except the given ones. */
async function withoutSource(
  symbols: readonly string[],
  built: Built,
  users: (symbol: string) => string[],
): Promise<string[]> {
  if (symbols.length === 0) return [];
  const files = ['*.c', '*.S', '*.lds.h', '*.lds', 'image*.h'].map((p) => `--include=${p}`);
  const patterns = symbols.flatMap((s) => ['-e', s]);
  const done = await run('grep', ['-rowF', ...files, ...patterns, '.'], {
    cwd: built.build.source.dir,
    timeoutMs: 120_000,
  });
  const mentioned = new Map<string, Set<string>>();
  for (const line of done.stdout.toString('latin1').split('\n')) {
    const at = line.lastIndexOf(':');
    if (at < 0) continue;
    const symbol = line.slice(at + 1);
    mentioned.set(symbol, (mentioned.get(symbol) ?? new Set()).add(line.slice(2, at)));
  }
  return symbols.filter((s) => {
    const own = users(s);
    return ![...(mentioned.get(s) ?? [])].some((p) => !own.includes(p));
  });
}

function sourceOf(ctx: CheckContext, object: string): ByteString {
  const stem = object.replace(/\.o$/, '');
  return ctx.ported.has(`${stem}.c`) ? `${stem}.c` : `${stem}.S`;
}

async function placeIn(ctx: CheckContext, source: ByteString, symbol: string) {
  const lines = ((await ctx.portedText(source)) ?? '').split('\n');
  const at = lines.findIndex((l) => new RegExp(`\\b${symbol.replace(/[.$]/g, '\\$&')}\\b`).test(l));
  const spans = at < 0 ? [] : await ctx.spans(source);
  const definition = spans.find((s) => s.startLine <= at && at <= s.endLine)?.name ?? null;
  return { path: source, line: at < 0 ? null : at + 1, hunk: at < 0 ? null : ctx.hunkAt(source, at), definition };
}

/** The hunk that takes an object out of its rule: the added lines nearest to where the build files name it. */
async function ruleHunk(ctx: CheckContext, object: string): Promise<string | null> {
  const name = object.slice(object.lastIndexOf('/') + 1);
  const dir = object.slice(0, object.lastIndexOf('/') + 1);
  for (const p of ctx.portFiles.keys()) {
    if (!isKbuild(p) || !p.startsWith(dir) || path.posix.dirname(p) !== dir.replace(/\/$/, '')) continue;
    const lines = ((await ctx.portedText(p)) ?? '').split('\n');
    const at = lines.findIndex((l) => l.split(/[\s=]+/).includes(name));
    const near = [...ctx.addedLines(p)].sort((a, b) => Math.abs(a - at) - Math.abs(b - at))[0];
    if (at >= 0 && near !== undefined) return ctx.hunkAt(p, near);
  }
  return null;
}
