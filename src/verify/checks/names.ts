import { formatVersion } from '../../core/version';
import type { ByteString } from '../../core/text';
import type { KernelTree } from '../../io/tree';
import { indexFile } from '../../kernel-index/index-file';
import { hunksOf } from '../../patch-set/patch-set';
import { judge, type Check, type Finding } from '../check';
import { decide, type CheckContext } from '../context';
import { strip } from '../guards';
import { blankDirectives, definitionAt, identifiers, isC, lineFinder, maskC, withoutAttributes } from '../scan';

/**
 * What added code mentions exists in the target: names that the base has and the target lost, names that nobody has,
 * calls with another number of arguments than the target's function takes, fields that the target's struct lacks.
 *
 * Read from the source alone, so it also speaks of code that no configuration at hand compiles. It is silent where it is
 * not sure: a struct with an unknown field is only named when its definition was found and the variable's type was seen.
 */
export const names: Check = {
  name: 'names',
  async run(ctx) {
    const files = [...ctx.portFiles.values()].filter((f) => f.ported !== null && isC(f.path) && !isHosts(f.path));
    if (files.length === 0) return judge('names', [], 'no C file was changed');
    const wanted = new Set<string>();
    for (const f of files) {
      const lines = maskC(f.ported!).split('\n');
      for (const i of ctx.addedLines(f.path)) for (const w of identifiers(lines[i] ?? '')) wanted.add(w);
    }
    const folders = new Set(files.map((f) => f.path.slice(0, f.path.lastIndexOf('/') + 1)));
    const target = await readNames(ctx.target, wanted, folders);
    const base = ctx.base && ctx.base !== ctx.target ? await readNames(ctx.base, wanted, folders) : target;
    const own = ownNames(ctx);
    const homeCalls = callsAtHome(ctx);
    const findings: Finding[] = [];
    const reported = new Set<string>();
    let mentions = 0;
    const structs = new Structs(
      ctx.ported,
      target.structs,
      files.map((f) => f.path),
    );
    let heads: Map<string, Set<number>> | null = null;
    const used = macroUsers(files.map((f) => f.ported!));
    for (const f of files) {
      const text = f.ported!;
      const masked = maskC(text);
      const lines = masked.split('\n');
      const spans = await ctx.spans(f.path);
      const put = (line: number, kind: string, about: string, words: string) => {
        const key = `${kind}|${f.path}|${about}|${definitionAt(spans, line) ?? ''}`;
        if (reported.has(key)) return;
        reported.add(key);
        findings.push({
          path: f.path,
          line: line + 1,
          hunk: ctx.hunkAt(f.path, line),
          definition: definitionAt(spans, line),
          text: words,
          kind,
        });
      };
      const added = ctx.addedLines(f.path);
      /** What nothing expands breaks nothing, and says so. */
      const inert = (line: number, kind: string, words: string): [string, string] => {
        const macro = spans.find((s) => s.kind === 'macro' && s.startLine <= line && line <= s.endLine)?.name;
        if (macro === undefined || used(macro)) return [kind, words];
        return [`${kind}-review`, `${words}, in '${macro}', which nothing uses`];
      };
      for (const i of added) {
        for (const w of new Set(identifiers(withoutRegisters(lines[i] ?? '')))) {
          mentions++;
          if (/^CONFIG_/.test(w) || target.words.has(w)) continue;
          if (own.defined.has(w) ? own.placed.has(w) : own.words.has(w) && !base.words.has(w)) continue;
          if (own.defined.has(w)) {
            put(i, 'lost-definition', w, `${w} is the set's own, and its definition is not in the ported tree`);
          } else if (base.words.has(w)) {
            // What the port carries along from the base is defined by it.
            if (own.placed.has(w) || isDeclaredHere(masked, w)) continue;
            const [kind, words] = inert(i, 'vanished-name', `${w} is gone in ${formatVersion(ctx.target.version)}`);
            put(i, kind, w, words);
          } else if (ctx.setFiles.size > 0 && !own.placed.has(w) && !isDeclaredHere(masked, w)) {
            put(i, 'unknown-name', w, `${w} is in no kernel and not in the set`);
          }
        }
      }
      const lineOf = lineFinder(masked);
      for (const call of callsOf(blankDirectives(masked, new Set()), lineOf)) {
        if (!added.has(call.line) || own.defined.has(call.name)) continue;
        const takes = target.arity.get(call.name);
        const [was, is] = [base.lists.get(call.name), target.lists.get(call.name)];
        if (was && is && takes?.has(call.count) && ![...was].some((l) => is.has(l))) {
          put(
            call.line,
            'signature-review',
            call.name,
            `${call.name} takes as many arguments as before, and others: (${[...was][0]}) -> (${[...is][0]})`,
          );
        }
        if (!takes || takes.has(-1) || takes.has(call.count)) continue;
        // The same count at home, where it compiles, is this reader's failing on some macro.
        heads ??= headsOfPort(ctx, files);
        if (heads.get(call.name)?.has(call.count)) continue;
        if (homeCalls.get(call.name)?.has(call.count) && !base.arity.get(call.name)?.has(call.count)) continue;
        put(
          call.line,
          'wrong-arity',
          call.name,
          `${call.name} is called with ${call.count} arguments and takes ${[...takes].join(' or ')} in ${formatVersion(ctx.target.version)}`,
        );
      }
      for (const use of fieldUses(masked, spans, added)) {
        const missing = await structs.missing(use.struct, use.chain);
        if (missing)
          put(
            use.line,
            'no-member',
            `${missing.struct}.${missing.field}`,
            `struct ${missing.struct} has no member '${missing.field}' in ${formatVersion(ctx.target.version)}`,
          );
      }
    }
    return judge('names', findings, `${mentions} mentions of ${wanted.size} names looked up`);
  },
};

/** Asks whether a macro is mentioned anywhere but where it is defined. */
function macroUsers(texts: readonly ByteString[]): (macro: string) => boolean {
  const count = new Map<string, number>();
  for (const text of texts) {
    const masked = maskC(text);
    for (const m of masked.matchAll(/[A-Za-z_]\w*/g)) count.set(m[0], (count.get(m[0]) ?? 0) + 1);
    for (const m of masked.matchAll(/^[ \t]*#[ \t]*(?:define|undef)[ \t]+(\w+)/gm))
      count.set(m[1]!, count.get(m[1]!)! - 1);
  }
  return (macro) => (count.get(macro) ?? 0) > 0;
}

/** `read_sysreg(vtcr_el2)`: the operand goes to the assembler as it is, which knows the registers; it is no name of C's. */
export function withoutRegisters(line: string): string {
  return line.replace(/\b(read_sysreg\s*\(|write_sysreg\s*\([^;]*?,)(\s*)([a-z][a-z0-9_]*)(?=\s*\))/g, '$1$2');
}

/** Code that runs on the build host, or is not the kernel's. */
function isHosts(p: ByteString): boolean {
  return /^(scripts|tools|samples|Documentation|usr)\//.test(p);
}

interface Names {
  words: Set<string>;
  /** Parameter counts of functions and macros; -1: any number. */
  arity: Map<string, Set<number>>;
  /** Parameter lists of functions as written, blanks squeezed. */
  lists: Map<string, Set<string>>;
  /** Files that define a struct. */
  structs: Map<string, Set<ByteString>>;
}

/** What the C code that arm64's KVM can see defines and mentions, as far as it is wanted. */
async function readNames(
  tree: KernelTree,
  wanted: ReadonlySet<string>,
  folders: ReadonlySet<ByteString>,
): Promise<Names> {
  const names: Names = { words: new Set(), arity: new Map(), lists: new Map(), structs: new Map() };
  const note = (name: string, count: number) => names.arity.set(name, (names.arity.get(name) ?? new Set()).add(count));
  for (const p of tree.paths()) {
    if (!/\.[chS]$/.test(p)) continue;
    const near = [...folders].some((f) => p.startsWith(f));
    if (!near && !/^(include|arch\/arm64|virt|kernel|mm|lib|drivers\/(irqchip|clocksource))\//.test(p)) continue;
    if (
      /^include\/(dt-bindings|drm|media|sound|rdma|scsi)\//.test(p) ||
      /^(kernel\/trace|lib\/crypto|arch\/arm64\/boot)\//.test(p)
    )
      continue;
    const text = await tree.read(p);
    if (text === null) continue;
    const masked = p.endsWith('.S') ? text : maskC(text);
    for (const m of masked.matchAll(/[A-Za-z_]\w*/g)) if (wanted.has(m[0])) names.words.add(m[0]);
    for (const m of masked.matchAll(/##\s*([A-Za-z_]\w*)|([A-Za-z_]\w*)\s*##/g))
      pasted(m[1], m[2], wanted, names.words);
    if (p.endsWith('.S')) continue;
    for (const m of masked.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)(\(([^)]*)\))?/gm)) {
      if (!wanted.has(m[1]!)) continue;
      note(
        m[1]!,
        m[2] === undefined ? -1 : /\.\.\./.test(m[3]!) ? -1 : m[3]!.trim() === '' ? 0 : m[3]!.split(',').length,
      );
    }
    for (const { name, types, count } of headsIn(masked, wanted)) {
      names.lists.set(name, (names.lists.get(name) ?? new Set()).add(types));
      note(name, count);
    }
    for (const m of masked.matchAll(/\bstruct[ \t]+(\w+)[^;{}()=]*\{/g)) {
      names.structs.set(m[1]!, (names.structs.get(m[1]!) ?? new Set()).add(p));
    }
  }
  return names;
}

/** Heads of functions and prototypes: parameter types, blanks squeezed, and how many there are; -1: any number. */
function headsIn(masked: string, wanted: ReadonlySet<string>): { name: string; types: string; count: number }[] {
  const heads = [];
  for (const m of masked.matchAll(/^(?![ \t#}])[\w \t*]*?\b(\w+)[ \t]*\(/gm)) {
    if (!wanted.has(m[1]!)) continue;
    const args = argumentsAt(masked, m.index + m[0].length - 1);
    if (!args || !/^\s*(__\w+(\([^)]*\))?\s*)*[;{]/.test(masked.slice(args.end, args.end + 120))) continue;
    const { list } = args;
    const types = list.map((a) => a.replace(/\b\w+\s*$/, '').replace(/\s+/g, '')).join();
    const none = list.length === 1 && /^\s*(void)?\s*$/.test(list[0]!);
    heads.push({ name: m[1]!, types, count: list.some((a) => a.trim() === '...') ? -1 : none ? 0 : list.length });
  }
  return heads;
}

/** Parameter counts of functions whose parameter lists the port itself divides by its option. */
function headsOfPort(ctx: CheckContext, files: readonly { path: ByteString; ported: ByteString | null }[]) {
  const counts = new Map<string, Set<number>>();
  for (const { path, ported } of files) {
    for (const value of [true, false]) {
      const { kept } = strip(path, ported!, decide(ctx.options, value));
      const masked = maskC(kept.map((k) => k.text).join('\n'));
      const called = new Set(identifiers(masked));
      for (const { name, count } of headsIn(masked, called))
        counts.set(name, (counts.get(name) ?? new Set()).add(count));
    }
  }
  return counts;
}

/** `foo_##x`: every wanted name that begins or ends so may be made. */
function pasted(
  suffix: string | undefined,
  prefix: string | undefined,
  wanted: ReadonlySet<string>,
  words: Set<string>,
): void {
  const part = suffix ?? prefix!;
  if (part.length < 4) return;
  for (const w of wanted) if (suffix ? w.endsWith(part) : w.startsWith(part)) words.add(w);
}

/** Names that the set brings: all words of its added lines, those that it defines, and the defined that are in the port. */
function ownNames(ctx: CheckContext) {
  const own = { words: new Set<string>(), defined: new Set<string>(), placed: new Set<string>() };
  if (!ctx.set) return own;
  const definers = (code: string): string[] => {
    const text = withoutAttributes(code);
    const found: string[] = [];
    for (const m of text.matchAll(/^\s*#\s*define\s+(\w+)/gm)) found.push(m[1]!);
    for (const m of text.matchAll(/^(?![ \t#}])[\w \t*]*?[\s*](\w+)[ \t]*\([^;]*?\)[\w\s()]*\{/gm)) found.push(m[1]!);
    for (const m of text.matchAll(/\b(?:struct|union|enum)\s+(\w+)[^;{}()=]*\{/g)) found.push(m[1]!);
    return found;
  };
  for (const { hunk } of hunksOf(ctx.set)) {
    if (!/\.[chS]$/.test(hunk.path)) continue;
    const text = maskC(
      hunk.lines
        .filter((l) => l[0] === '+')
        .map((l) => l.slice(1))
        .join(''),
    );
    for (const w of identifiers(text)) own.words.add(w);
    if (isC(hunk.path)) for (const d of definers(text)) own.defined.add(d);
    // A linker script's and an assembly file's symbols are defined as well.
    else
      for (const m of text.matchAll(/^\s*(?:ENTRY|SYM_\w+)\(\s*(\w+)|^(\w+):|^\s*(\w+)\s*=\s*\./gm))
        own.defined.add((m[1] ?? m[2] ?? m[3])!);
  }
  for (const f of ctx.portFiles.values()) {
    if (f.ported === null) continue;
    const lines = maskC(f.ported).split('\n');
    const text = [...ctx.addedLines(f.path)]
      .sort((a, b) => a - b)
      .map((i) => lines[i] ?? '')
      .join('\n');
    for (const d of definers(text)) own.placed.add(d);
    for (const m of text.matchAll(/^\s*(?:ENTRY|SYM_\w+)\(\s*(\w+)|^(\w+):|^\s*(\w+)\s*=\s*\./gm))
      own.placed.add((m[1] ?? m[2] ?? m[3])!);
  }
  return own;
}

/** The file itself declares the name: a local, a parameter, a label. */
function isDeclaredHere(masked: string, name: string): boolean {
  // The second of `u32 first, second;`.
  if (new RegExp(`^[ \\t]+(?:\\w+[ \\t]+)+\\**\\w+[^;(){}\\n]*,[ \\t]*\\**${name}[ \\t]*[;=,\\[]`, 'm').test(masked))
    return true;
  return (
    new RegExp(
      `[\\w*]\\s+\\**${name}\\s*[;=,)\\[:]|^\\s*${name}:|#\\s*define\\s+${name}\\b|\\b(?:struct|enum|union)\\s+${name}\\s*\\{`,
      'm',
    ).test(masked) &&
    new RegExp(`(?:[a-z_]\\w*|\\*)\\s*\\**\\b${name}\\s*[;=,)\\[]`).test(masked.replace(/\breturn\b[^;]*;/g, ''))
  );
}

/** The arguments of a bracket that opens at `open`; null when it does not close. */
function argumentsAt(text: string, open: number): { list: string[]; end: number } | null {
  const list: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let i = open; i < text.length && i < open + 4000; i++) {
    const c = text[i]!;
    if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ')' || c === ']' || c === '}') {
      if (--depth === 0) {
        list.push(text.slice(from, i));
        return { list, end: i + 1 };
      }
    } else if (c === ',' && depth === 1) {
      list.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return null;
}

function* callsOf(
  masked: string,
  lineOf: (offset: number) => number,
): Generator<{ name: string; count: number; line: number }> {
  for (const m of masked.matchAll(/\b([A-Za-z_]\w*)[ \t]*\(/g)) {
    if (/^(if|for|while|switch|return|sizeof|defined|typeof|__attribute__|asm|__section)$/.test(m[1]!)) continue;
    const args = argumentsAt(masked, m.index + m[0].length - 1);
    if (!args) continue;
    // A declaration names types, a call does not.
    const before = masked.slice(Math.max(0, m.index - 60), m.index);
    if (
      /[\w*]\s+\**$/.test(before) &&
      !/\b(return|else|do|case|goto)\s+\**$/.test(before) &&
      /^[ \t]*(static|extern|void|int|u\d+|bool|struct|unsigned|long|char|const|inline|\w+_t)\b/m.test(
        before.split('\n').pop()!,
      )
    )
      continue;
    const count = args.list.length === 1 && args.list[0]!.trim() === '' ? 0 : args.list.length;
    yield { name: m[1]!, count, line: lineOf(m.index) };
  }
}

/** How the set calls things at home: name to numbers of arguments. */
function callsAtHome(ctx: CheckContext): Map<string, Set<number>> {
  const calls = new Map<string, Set<number>>();
  for (const f of ctx.setFiles.values()) {
    if (f.patched === null || !isC(f.path)) continue;
    const masked = maskC(f.patched);
    for (const c of callsOf(blankDirectives(masked, new Set()), lineFinder(masked))) {
      if (f.origin[c.line]?.hunk) calls.set(c.name, (calls.get(c.name) ?? new Set()).add(c.count));
    }
  }
  return calls;
}

/** `v->a.b` on added lines, for variables whose struct is declared in the same function. */
function* fieldUses(
  masked: string,
  spans: readonly { kind: string; startLine: number; endLine: number }[],
  added: ReadonlySet<number>,
): Generator<{ struct: string; chain: string[]; line: number }> {
  const lines = masked.split('\n');
  for (const span of spans) {
    if (span.kind !== 'function') continue;
    const inside = [...added].filter((i) => span.startLine <= i && i <= span.endLine);
    if (inside.length === 0) continue;
    const types = new Map<string, string | null>();
    const text = lines.slice(span.startLine, span.endLine + 1).join('\n');
    for (const m of text.matchAll(/\bstruct\s+(\w+)\s+(?:__\w+\s+)?\**\s*(\w+)\s*(?=[;=,)\[])/g)) {
      types.set(m[2]!, types.has(m[2]!) && types.get(m[2]!) !== m[1] ? null : m[1]!);
    }
    for (const i of inside) {
      for (const m of (lines[i] ?? '').matchAll(/(?<![\w.>])(\w+)((?:\s*(?:->|\.)\s*\w+)+)/g)) {
        const struct = types.get(m[1]!);
        if (struct) yield { struct, chain: m[2]!.match(/\w+/g) ?? [], line: i };
      }
    }
  }
}

/** Fields of the ported tree's structs, read when asked for. */
class Structs {
  private readonly known = new Map<string, Promise<Map<string, string> | null>>();
  constructor(
    private readonly tree: KernelTree,
    private readonly files: ReadonlyMap<string, ReadonlySet<ByteString>>,
    private readonly changed: readonly ByteString[],
  ) {}

  /** The first link of a chain that is not there; null when all is well or cannot be told. */
  async missing(struct: string, chain: readonly string[]): Promise<{ struct: string; field: string } | null> {
    let at = struct;
    for (const field of chain) {
      const fields = await this.fields(at);
      if (!fields) return null;
      const type = fields.get(field);
      if (type === undefined) return { struct: at, field };
      const next = /\bstruct (\w+)/.exec(type)?.[1];
      if (!next) return null;
      at = next;
    }
    return null;
  }

  private fields(struct: string): Promise<Map<string, string> | null> {
    let known = this.known.get(struct);
    if (!known) {
      known = this.read(struct);
      this.known.set(struct, known);
    }
    return known;
  }

  private async read(struct: string): Promise<Map<string, string> | null> {
    const fields = new Map<string, string>();
    const files = new Set([...(this.files.get(struct) ?? []), ...this.changed]);
    let found = false;
    for (const p of files) {
      if (!this.tree.has(p)) continue;
      const text = (await this.tree.read(p)) ?? '';
      if (!new RegExp(`\\bstruct[ \\t]+${struct}\\b[^;{}()=]*\\{`).test(text)) continue;
      const index = await indexFile(p, text);
      for (const d of index.definitions) {
        if (d.kind !== 'struct' || d.name !== struct) continue;
        // A macro inside may well bring fields along.
        if (d.broken || d.members.length === 0) return null;
        const body = text.slice(d.start, d.end);
        if (/^\s*[A-Z][A-Z0-9_]+\s*(\(|;|$)/m.test(maskC(body).replace(/^[ \t]*#.*$/gm, ''))) return null;
        found = true;
        for (const m of d.members)
          for (const part of [m.name, m.name.split('.')[0]!])
            if (!fields.has(part)) fields.set(part, part === m.name ? m.type : '');
        // Fields of nested structs without a name of their own.
        for (const w of body.match(/[A-Za-z_]\w*/g) ?? [])
          if (!fields.has(w) && /\b(struct|union)\s*\{/.test(maskC(body))) fields.set(w, '');
      }
    }
    return found ? fields : null;
  }
}
