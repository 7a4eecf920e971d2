import type { ByteString } from '../../core/text';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { blankDirectives, isC, lineFinder, maskC, scanC, type Span } from '../scan';

/** Marks of a function that lies in EL2's text. */
const EL2_MARK = /\b__hyp_text\b|section\s*\(\s*"?\.hyp\.text/;
/** The folder whose every function is EL2's: the nVHE object is linked apart, from here and from what the Makefile names. */
const EL2_FOLDER = 'arch/arm64/kvm/hyp/nvhe/';

/**
 * The same question as `el2-closure`, asked of the sources: a function for EL2 that the set wrote or changed calls no
 * function that lies in the kernel's own text. It knows nothing of the calls that a compiler makes, and nothing of calls
 * through macros; but it needs no compiler and speaks of every configuration.
 */
export const el2Sources: Check = {
  name: 'el2-sources',
  async run(ctx) {
    const linked = await linkedForEl2(ctx);
    const isEl2 = (path: ByteString, span: Span) =>
      EL2_MARK.test(span.head) || path.startsWith(EL2_FOLDER) || linked.has(path);
    const calls: { path: ByteString; line: number; from: string; callee: string }[] = [];
    let functions = 0;
    for (const f of ctx.portFiles.values()) {
      if (f.ported === null || !isC(f.path) || /^(scripts|tools)\//.test(f.path)) continue;
      const masked = maskC(f.ported);
      const code = blankDirectives(masked, new Set());
      const lineOf = lineFinder(masked);
      const added = ctx.addedLines(f.path);
      for (const span of scanC(f.ported)) {
        if (span.kind !== 'function' || !isEl2(f.path, span)) continue;
        functions++;
        for (const m of code.slice(span.bodyStart, span.bodyEnd).matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
          const line = lineOf(span.bodyStart + m.index);
          if (added.has(line)) calls.push({ path: f.path, line, from: span.name, callee: m[1]! });
        }
      }
    }
    if (functions === 0) return skipped('el2-sources', 'no changed file has a function marked for EL2');
    const wanted = new Set(calls.map((c) => c.callee));
    const host = new Map<string, ByteString>();
    const el2 = new Set<string>();
    for (const p of ctx.ported.paths()) {
      if (!isC(p) || !/^(arch\/arm64|virt|kernel|mm|lib|include)\//.test(p) || /^(kernel\/trace|lib\/crypto)\//.test(p))
        continue;
      const text = (await ctx.portedText(p)) ?? '';
      if (![...(text.match(/[A-Za-z_]\w*(?=\s*\()/g) ?? [])].some((w) => wanted.has(w))) continue;
      for (const span of scanC(text)) {
        if (!wanted.has(span.name)) continue;
        // A prototype with the mark says it, too; so does anything that is no function of its own.
        if (span.kind !== 'function' || isEl2(p, span) || /\binline\b|__always_inline|__init\b/.test(span.head))
          el2.add(span.name);
        else if (p.endsWith('.c')) host.set(span.name, p);
        else el2.add(span.name);
      }
      for (const m of text.matchAll(/^[^\n;{}#]*__hyp_text[^\n;{}]*?\b(\w+)\s*\([^;{}]*\)\s*;/gm)) el2.add(m[1]!);
    }
    const findings: Finding[] = [];
    const seen = new Set<string>();
    for (const c of calls) {
      if (el2.has(c.callee) || !host.has(c.callee) || seen.has(`${c.from}|${c.callee}`)) continue;
      seen.add(`${c.from}|${c.callee}`);
      findings.push({
        path: c.path,
        line: c.line + 1,
        hunk: ctx.hunkAt(c.path, c.line),
        definition: c.from,
        text: `'${c.from}' runs at EL2 and calls ${c.callee}, which '${host.get(c.callee)!}' has in the kernel's own text`,
        // What the set does so at home is the set's own business, and the objects tell what became of it.
        kind: atHome(ctx, c.from, c.callee) ? 'el2-call-at-home-review' : 'el2-call-out',
      });
    }
    return judge(
      'el2-sources',
      findings,
      `${calls.length} calls of ${functions} EL2 functions in changed files looked up`,
    );
  },
};

/** The set has the same function call the same function at home. */
function atHome(ctx: CheckContext, from: string, callee: string): boolean {
  for (const f of ctx.setFiles.values()) {
    if (f.patched === null || !isC(f.path) || !f.patched.includes(callee)) continue;
    const span = scanC(f.patched).find((s) => s.name === from && s.kind === 'function');
    if (span && new RegExp(`\\b${callee}\\s*\\(`).test(maskC(f.patched).slice(span.bodyStart, span.bodyEnd)))
      return true;
  }
  return false;
}

/** Sources outside of the nVHE folder that its Makefile links into the object: `../entry.o`, `../../../x/y.o`. */
export async function linkedForEl2(ctx: CheckContext): Promise<Set<ByteString>> {
  const linked = new Set<ByteString>();
  for (const name of ['Makefile', 'Kbuild']) {
    const text = ((await ctx.portedText(`${EL2_FOLDER}${name}`)) ?? '').replace(/^\s*#.*$/gm, '').replace(/\\\n/g, ' ');
    for (const m of text.matchAll(/(?<=^|[\s=])((?:\.\.\/)+[\w./-]+?)(?:\.nvhe)?\.o(?=\s|$)/gm)) {
      const at = (EL2_FOLDER + m[1]!).split('/');
      for (let i = at.indexOf('..'); i > 0; i = at.indexOf('..')) at.splice(i - 1, 2);
      linked.add(`${at.join('/')}.c`);
    }
  }
  return linked;
}
