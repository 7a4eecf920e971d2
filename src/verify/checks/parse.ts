import { breathe, parseC, type SyntaxNode } from '../../io/parser';
import type { ByteString } from '../../core/text';
import { judge, type Check, type Finding } from '../check';
import { decide, type CheckContext } from '../context';
import { strip, type Decided } from '../guards';
import { definitionAt, isC, withoutAttributes } from '../scan';

/** A place that the grammar cannot take. */
interface Trouble {
  /** 0-based line of the file. */
  line: number;
  text: string;
}

/**
 * No changed C file parses worse than before. Parsed is what the compiler would see, with the set's option on and with it
 * off: guards through the middle of a statement are no trouble. What the set cannot help at home is no finding either.
 */
export const parse: Check = {
  name: 'parse',
  async run(ctx) {
    const findings: Finding[] = [];
    let files = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || !isC(file.path)) continue;
      files++;
      for (const value of [true, false]) {
        const decided = decide(ctx.options, value);
        const now = await troubles(file.path, file.ported, decided);
        if (now.length === 0) continue;
        const before = await troubles(file.path, file.target ?? '', decided);
        const allowed = before.length + (await homeExcess(ctx, file.path, decided));
        if (now.length <= allowed) continue;
        const known = new Set(before.map((t) => t.text));
        const fresh = now.filter((t) => !known.has(t.text));
        const first = fresh.find((t) => ctx.hunkAt(file.path, t.line) !== null) ?? fresh[0] ?? now[0]!;
        const line = first.line;
        if (findings.some((f) => f.path === file.path && f.line === line + 1)) continue;
        findings.push({
          path: file.path,
          line: line + 1,
          hunk: ctx.hunkAt(file.path, line) ?? nearest(ctx, file.path, line),
          definition: definitionAt(await ctx.spans(file.path), line),
          text: `${now.length} syntax errors with the option ${value ? 'on' : 'off'}, ${before.length} before the port; one at '${first.text.slice(0, 60)}'`,
          kind: 'parses-worse',
        });
      }
    }
    return judge('parse', findings, `${files} C files parsed, the set's option on and off`);
  },
};

/** How much worse the set makes its own base: macros that no grammar knows, and the like. */
async function homeExcess(ctx: CheckContext, path: ByteString, decided: Decided): Promise<number> {
  let excess = 0;
  for (const source of ctx.sourcesOf(path)) {
    if (source.patched === null) continue;
    const after = await troubles(source.path, source.patched, decided);
    const before = source.base === null ? [] : await troubles(source.path, source.base, decided);
    excess += Math.max(0, after.length - before.length);
  }
  return excess;
}

function nearest(ctx: CheckContext, path: ByteString, line: number): string | null {
  const best = [...ctx.addedLines(path)].sort((a, b) => Math.abs(a - line) - Math.abs(b - line))[0];
  return best === undefined ? null : ctx.hunkAt(path, best);
}

async function troubles(path: ByteString, text: ByteString, decided: Decided): Promise<Trouble[]> {
  const { kept } = strip(path, text, decided);
  const tree = parseC(kept.map((k) => `${withoutMarks(withoutAttributes(typesAsNames(k.text)))}\n`).join(''));
  const found: Trouble[] = [];
  const visit = (node: SyntaxNode) => {
    if (!node.hasError) return;
    if (node.type === 'ERROR' || node.isMissing) {
      found.push({
        line: kept[node.startPosition.row]?.line ?? 0,
        text: node.text.split('\n')[0]!.trim() || node.type,
      });
      return;
    }
    for (const child of node.children) visit(child);
  };
  visit(tree.rootNode);
  await breathe();
  return found;
}

/**
 * `u32 __hyp_text f(void)`, `int __init f(void)`: a macro for an attribute between the type and the name, which the grammar
 * takes for one of the two. It is blanked, byte for byte. After a storage class or a qualifier it is the type.
 */
export function withoutMarks(line: ByteString): ByteString {
  const plain = line.replace(/\b(notrace|noinline|noinstr)\b/g, (mark) => ' '.repeat(mark.length));
  return plain.replace(
    /^((?:(?:static|extern|inline|const|volatile|unsigned|signed|struct|union|enum)[ \t]+)*)(\w+[ \t]+)(__[a-z]\w*)(?=[ \t]+\**\w+[ \t]*\()/,
    (all, before: string, type: string, mark: string) =>
      NO_TYPE.test(type) ? all : before + type + ' '.repeat(mark.length),
  );
}

const NO_TYPE = /^(static|extern|inline|const|volatile|unsigned|signed|struct|union|enum|return|else|goto|case)[ \t]/;

/**
 * `container_of(p, struct kvm, arch)`: a type among the arguments of a macro, which the grammar takes for those of a call.
 * It is made a single name, byte for byte, so that offsets stay.
 */
export function typesAsNames(line: ByteString): ByteString {
  return line.replace(
    /(,[ \t]*)((?:const[ \t]+)?(?:struct|union|enum)[ \t]+\w+(?:[ \t]*\*)*)(?=[ \t]*[,)])/g,
    (_, before: string, type: string) => before + type.replace(/\W/g, '_'),
  );
}
