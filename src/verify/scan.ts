import { chomp, splitLines, type ByteString } from '../core/text';

/**
 * C text with comments and string contents blanked, byte for byte: offsets and lines stay. Also fit for assembly, headers
 * and linker scripts, which share C's comments.
 */
export function maskC(text: ByteString): ByteString {
  // The alternation takes whatever begins first, so a quote in a comment or a `/*` in a string cannot mislead it.
  return text.replace(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/g, (m) =>
    m[0] === '/' ? m.replace(/[^\n]/g, ' ') : m[0] + m.slice(1, -1).replace(/[^\n]/g, ' ') + (m.length > 1 ? m[0] : ''),
  );
}

/** A preprocessor line, its continuations joined. Lines are 0-based. */
export interface Directive {
  line: number;
  /** The last line of its continuations. */
  endLine: number;
  word: string;
  rest: string;
}

/** The preprocessor lines of a text. */
export function directives(text: ByteString): Directive[] {
  const lines = maskComments(text).split('\n');
  const found: Directive[] = [];
  for (let i = 0; i < lines.length; i++) {
    const m = /^[ \t]*#[ \t]*([a-z_]+)\b(.*)$/.exec(lines[i]!.replace(/\r$/, ''));
    if (!m) continue;
    const line = i;
    let rest = m[2]!;
    while (rest.endsWith('\\') && i + 1 < lines.length) rest = `${rest.slice(0, -1)} ${lines[++i]!.replace(/\r$/, '')}`;
    found.push({ line, endLine: i, word: m[1]!, rest: rest.trim() });
  }
  return found;
}

/** Text with its comments blanked and its strings kept. */
export function maskComments(text: ByteString): ByteString {
  return text.replace(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/g, (m) =>
    m[0] === '/' ? m.replace(/[^\n]/g, ' ') : m,
  );
}

/** A definition found by brackets alone. Lines are 0-based and inclusive. */
export interface Span {
  name: string;
  kind: 'function' | 'struct' | 'union' | 'enum' | 'macro' | 'variable' | 'asm' | 'config';
  startLine: number;
  endLine: number;
  /** Offset of the opening bracket of the body, or of the macro's text. */
  bodyStart: number;
  bodyEnd: number;
  /** What stands in front of the body. */
  head: string;
}

const NOT_A_FUNCTION = /^(if|for|while|switch|return|sizeof|do|else|__attribute__|__aligned|__section|typeof)$/;

const ATTRIBUTE = /\b__(?:section|attribute__)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g;

/** Attributes with arguments, blanked byte for byte: they stand where no grammar takes them. */
export function withoutAttributes(text: ByteString): ByteString {
  return text.replace(ATTRIBUTE, (attribute) => ' '.repeat(attribute.length));
}

/**
 * Definitions of a C file, found by brackets: no grammar that code with guards through the middle of statements could
 * defeat. Of a conditional only the first branch counts for bracket depth.
 */
export function scanC(text: ByteString): Span[] {
  const masked = withoutAttributes(maskC(text));
  const spans: Span[] = [];
  const lineOf = lineFinder(masked);
  const skipped = otherBranches(masked);
  const code = blankDirectives(masked, skipped);
  for (const d of directives(text)) {
    const m = d.word === 'define' ? /^(\w+)/.exec(d.rest) : null;
    if (m) {
      const head = d.rest;
      spans.push({ name: m[1]!, kind: 'macro', startLine: d.line, endLine: d.endLine, bodyStart: 0, bodyEnd: 0, head });
    }
  }
  let depth = 0;
  let start = 0;
  let open = -1;
  for (let i = 0; i < code.length; i++) {
    const c = code[i];
    if (c === '{') {
      if (depth++ === 0) open = i;
    } else if (c === '}') {
      if (depth > 0 && --depth === 0) {
        const span = classify(code.slice(start, open));
        if (span) {
          const lead = /^\s*/.exec(code.slice(start, open))![0].length;
          spans.push({
            ...span,
            startLine: lineOf(start + lead),
            endLine: lineOf(i),
            bodyStart: open,
            bodyEnd: i + 1,
          });
        }
        if (span?.kind === 'function') start = i + 1;
      }
    } else if (c === ';' && depth === 0) start = i + 1;
  }
  return spans.sort((a, b) => a.startLine - b.startLine);
}

function classify(head: string): Pick<Span, 'name' | 'kind' | 'head'> | null {
  const text = head.trim().replace(/\s+/g, ' ');
  const type = /^(?:(?:typedef|static|const|extern) )*(struct|union|enum)(?: \w+(?:\([^()]*\))?)*? ?(\w+)?$/.exec(text);
  if (type && !/[=(]/.test(text.replace(/__\w+\([^()]*\)/g, ''))) {
    return { name: type[2] ?? '', kind: type[1] as 'struct', head: text };
  }
  if (/=$/.test(text)) {
    const name = /(\w+)\s*(?:\[[^\]]*\]\s*)*(?:__\w+(?:\([^()]*\))? ?)*=$/.exec(text)?.[1];
    return name ? { name, kind: 'variable', head: text } : null;
  }
  // The name in front of the outermost bracket that is followed by nothing but attributes.
  const calls = [...text.matchAll(/(\w+) ?\(/g)];
  for (const call of calls) {
    if (!NOT_A_FUNCTION.test(call[1]!) && !/^__(section|attribute|aligned|printf|acquires|releases)/.test(call[1]!)) {
      // SYSCALL_DEFINE3(ioctl, …) and friends are named by their first argument.
      const inner = /^[A-Z][A-Z0-9_]+$/.test(call[1]!) ? /\(\s*(\w+)/.exec(text.slice(call.index))?.[1] : undefined;
      return { name: inner ? `${call[1]!}(${inner})` : call[1]!, kind: 'function', head: text };
    }
  }
  return null;
}

/** Lines of `#else` and `#elif` branches, which would count brackets twice. */
function otherBranches(text: string): Set<number> {
  const out = new Set<number>();
  const stack: { other: boolean; from: number; dead: boolean }[] = [];
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    const m = /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)\b(.*)/.exec(line);
    if (m) {
      // `#ifdef __ASSEMBLY__` is as good as `#if 0` where C is read.
      const never = m[1] === 'if' ? /^\s*(0\b|defined\s*\(?\s*__ASSEMBL(Y|ER)__\s*\)?\s*$)/ : /^\s*__ASSEMBL(Y|ER)__\b/;
      if (m[1]!.startsWith('if')) stack.push({ other: m[1] !== 'ifndef' && never.test(m[2]!), from: i, dead: false });
      else if (m[1] === 'endif') stack.pop();
      else if (stack.length) {
        const top = stack[stack.length - 1]!;
        // After such a first branch the other branch is the one that counts.
        top.other = top.other && m[1] === 'else' && !top.dead ? false : true;
        top.dead = true;
      }
      return;
    }
    if (stack.some((s) => s.other)) out.add(i);
  });
  return out;
}

/** Preprocessor lines and the given lines as blanks. */
export function blankDirectives(text: string, skip: Set<number>): string {
  let continued = false;
  return text
    .split('\n')
    .map((line, i) => {
      const directive: boolean = continued || /^[ \t]*#/.test(line);
      continued = directive && /\\\r?$/.test(line);
      return directive || skip.has(i) ? ' '.repeat(line.length) : line;
    })
    .join('\n');
}

/** Symbols of an assembly file: each label or `ENTRY(…)` up to the next. */
function scanAsm(text: ByteString): Span[] {
  const spans: Span[] = [];
  const lines = maskComments(text).split('\n');
  lines.forEach((line, i) => {
    const m =
      /^\s*(?:ENTRY|SYM_\w*(?:START|LABEL)\w*|WEAK|\.macro)\s*[( ]\s*(\w+)/.exec(line) ??
      /^([A-Za-z_.$][\w.$]*):/.exec(line) ??
      /^\s*#\s*define\s+(\w+)/.exec(line);
    if (!m || /^\d+$/.test(m[1]!)) return;
    const previous = spans[spans.length - 1];
    if (previous && previous.endLine < 0) previous.endLine = i - 1;
    spans.push({ name: m[1]!, kind: 'asm', startLine: i, endLine: -1, bodyStart: 0, bodyEnd: 0, head: line.trim() });
  });
  const last = spans[spans.length - 1];
  if (last) last.endLine = lines.length - 1;
  return spans;
}

/** `config X` blocks of a Kconfig file. */
export function scanKconfig(text: ByteString): Span[] {
  const spans: Span[] = [];
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    if (!/^\s*(config|menuconfig|choice|endchoice|menu|endmenu|if|endif|source|comment)\b/.test(line)) return;
    const previous = spans[spans.length - 1];
    if (previous && previous.endLine < 0) previous.endLine = i - 1;
    const m = /^\s*(?:menu)?config\s+(\w+)/.exec(line);
    if (m) spans.push({ name: m[1]!, kind: 'config', startLine: i, endLine: -1, bodyStart: 0, bodyEnd: 0, head: '' });
  });
  const last = spans[spans.length - 1];
  if (last && last.endLine < 0) last.endLine = lines.length - 1;
  return spans;
}

/** Definitions of any file that a set touches. */
export function scanFile(path: ByteString, text: ByteString): Span[] {
  if (/\.[ch]$/.test(path)) return scanC(text);
  if (/\.S$/.test(path)) return scanAsm(text);
  if (/(^|\/)Kconfig[^/]*$/.test(path)) return scanKconfig(text);
  return [];
}

/** The name of the innermost definition around a 0-based line; null at file level. */
export function definitionAt(spans: readonly Span[], line: number): string | null {
  let best: Span | null = null;
  for (const s of spans) {
    if (s.startLine <= line && line <= s.endLine && s.name && (!best || s.startLine >= best.startLine)) best = s;
  }
  return best?.name ?? null;
}

/** Offset to 0-based line. */
export function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let [lo, hi] = [0, starts.length - 1];
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (starts[mid]! <= offset) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  };
}

const KEYWORDS = new Set(
  (
    'auto break case char const continue default do double else enum extern float for goto if inline int long register ' +
    'restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm typeof ' +
    '__asm__ __volatile__ __attribute__ __typeof__ __inline__ defined include define ifdef ifndef endif elif undef error ' +
    'pragma warning __VA_ARGS__ __func__ __FILE__ __LINE__ NULL true false bool'
  ).split(' '),
);

/** Identifiers of masked C text: no digits of a number, no file that is included, no word that only the compiler reads. */
export function identifiers(masked: string): string[] {
  const text = masked.replace(/^[ \t]*#[ \t]*include\b.*|__attribute__\s*\(\(.*?\)\)/gm, ' ');
  return (text.match(/(?<!\w)[A-Za-z_]\w*/g) ?? []).filter((w) => !KEYWORDS.has(w));
}

/** Which language rules a path asks for. */
export function isC(path: ByteString): boolean {
  return /\.[ch]$/.test(path);
}

/** Files that the C preprocessor reads. */
export function isPreprocessed(path: ByteString): boolean {
  return /\.([chS]|lds\.S|dts|dtsi)$/.test(path);
}

export function isKbuild(path: ByteString): boolean {
  return /(^|\/)(Makefile|Kbuild)[^/]*$/.test(path);
}

export function isKconfig(path: ByteString): boolean {
  return /(^|\/)Kconfig[^/]*$/.test(path);
}

/** Lines without their ends. */
export function plainLines(text: ByteString): string[] {
  return splitLines(text).map(chomp);
}

/** Text without comments where comments are C's; other text as it is. */
export function codeOnly(path: ByteString, text: ByteString): ByteString {
  return isPreprocessed(path) ? maskComments(text) : text;
}
