import { splitLines, type ByteString } from '../core/text';
import type { ChangedFile, Unit } from './change';

/** How a name is given: by its definition, or only announced (a prototype, an `extern`). */
export type ProvideKind = 'definition' | 'declaration';

/** A place that mentions a name. */
export interface Use {
  name: string;
  /** 1-based, in the file as it is at the end. */
  line: number;
  /** False when it is compiled in any configuration: neither under an option of the set nor in a new file. */
  guarded: boolean;
}

/**
 * What the added lines of a unit give to others and need of others. Names of C, assembly and linker scripts are plain
 * (`foo`), struct members begin with a dot (`.foo`), options are `CONFIG_FOO`.
 */
export interface Names {
  provides: Map<string, ProvideKind>;
  uses: Use[];
  /** `#include` operands with their quotes, Kconfig `source` files, objects and folders of Makefiles. */
  includes: Use[];
  objects: Use[];
  /** Options that code or Makefiles switch on. */
  guards: Use[];
  /** Options that Kconfig, or a default configuration, sets or asks for. */
  settings: Use[];
  /** Functions and function pointers whose argument lists the unit changes; true where they are declared or defined. */
  signatures: Map<string, boolean>;
}

export type Language = 'c' | 'asm' | 'lds' | 'kconfig' | 'make' | 'defconfig' | 'other';

export function languageOf(path: ByteString): Language {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/\.lds(\.S)?$/.test(name)) return 'lds';
  if (/\.[ch]$/.test(name)) return 'c';
  if (/\.S$/.test(name)) return 'asm';
  if (/^Kconfig/.test(name)) return 'kconfig';
  if (/^(Makefile|Kbuild)|\.mk$/.test(name)) return 'make';
  if (/(_defconfig|^\.config|\.config)$/.test(name)) return 'defconfig';
  return 'other';
}

/** Comments and strings replaced by blanks, lines and offsets kept: what is left is code. */
export function blankComments(text: ByteString): ByteString {
  return text.replace(/\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (m, at: number) =>
    // The operand of #include looks like a string.
    m[0] === '"' && /#\s*include\s*$/.test(text.slice(Math.max(0, at - 20), at)) ? m : m.replace(/[^\n]/g, ' '),
  );
}

/** Options that the Kconfig files of a change define, as `CONFIG_X`. */
export function optionsOf(files: readonly ChangedFile[]): Set<string> {
  const options = new Set<string>();
  for (const file of files.filter((f) => languageOf(f.path) === 'kconfig')) {
    for (const unit of file.units) {
      for (const line of unit.hunk?.lines ?? []) {
        const m = /^\+(?:menu)?config\s+(\w+)/.exec(line);
        if (m) options.add(`CONFIG_${m[1]}`);
      }
    }
  }
  return options;
}

/** Reads the names of all units of a file. */
export function namesOf(file: ChangedFile, options: ReadonlySet<string>): Map<Unit, Names> {
  const language = languageOf(file.path);
  const text = file.after ?? '';
  const code = ['c', 'asm', 'lds'].includes(language) ? blankComments(text) : text;
  const lines = splitLines(code);
  const guarded = guardedLines(lines, language, options, file.change.status === 'added');
  const defined = language === 'c' ? definedInC(code, file.path) : definedElsewhere(lines, language);
  const result = new Map<Unit, Names>();
  for (const unit of file.units) {
    const names: Names = {
      provides: new Map(),
      uses: [],
      includes: [],
      objects: [],
      guards: [],
      settings: [],
      signatures: new Map(),
    };
    for (const { line } of addedLines(unit)) {
      const use = (name: string): Use => ({ name, line, guarded: guarded[line - 1] ?? true });
      for (const [name, kind] of defined.get(line) ?? []) {
        if (names.provides.get(name) !== 'definition') names.provides.set(name, kind);
      }
      readLine(lines[line - 1] ?? '', language, use, names);
    }
    result.set(unit, names);
  }
  if (language === 'c') for (const unit of file.units) changedSignatures(unit, code, result.get(unit)!.signatures);
  return result;
}

/** The added lines of a unit: their 1-based numbers in the final file. */
export function addedLines(unit: Unit): { line: number; text: ByteString }[] {
  const added: { line: number; text: ByteString }[] = [];
  let line = unit.hunk?.newStart ?? 1;
  for (const l of unit.hunk?.lines ?? []) {
    if (l[0] === '-') continue;
    if (l[0] === '+') added.push({ line, text: l.slice(1) });
    line++;
  }
  return added;
}

function readLine(line: ByteString, language: Language, use: (name: string) => Use, names: Names): void {
  const option = /\bCONFIG_\w+/g;
  if (language === 'defconfig') {
    const m = /^(CONFIG_\w+)=/.exec(line);
    if (m) names.settings.push(use(m[1]!));
    return;
  }
  if (language === 'kconfig') {
    const source = /^\s*source\s+"?([^"\s]+)"?/.exec(line);
    if (source) names.includes.push(use(source[1]!));
    const asks = /^\s*(?:select|imply|depends on|if|visible if|default|def_bool|def_tristate|bool .* if)\b(.*)/.exec(
      line,
    );
    for (const m of (asks?.[1] ?? '').matchAll(/\b[A-Z][A-Z0-9_]*\b/g)) names.settings.push(use(`CONFIG_${m[0]}`));
    return;
  }
  for (const m of line.matchAll(option)) names.guards.push(use(m[0]));
  if (language === 'make') {
    const m = /^\s*[\w-]+(?:-\$\([^)]*\)|-[ym]|-objs)?\s*[+:]?=\s*([^#]*)/.exec(line);
    if (m && !/flags|FLAGS/.test(line.split('=')[0]!)) {
      for (const object of m[1]!.matchAll(/(?:^|\s)([\w./+-]+(?:\.o|\/))(?=\s|$)/g))
        names.objects.push(use(object[1]!));
    }
    const include = /^\s*-?include\s+(\S+)/.exec(line);
    if (include) names.includes.push(use(include[1]!));
    return;
  }
  if (language === 'other') return;
  const include = /^\s*#\s*include\s*([<"][^>"]+[>"])/.exec(line);
  if (include) {
    names.includes.push(use(include[1]!));
    return;
  }
  if (/^\s*#\s*(endif|else)\b/.test(line)) return;
  for (const m of line.matchAll(/(->|\.)?\s*\b([A-Za-z_]\w{2,})/g)) {
    names.uses.push(use(m[1] && language === 'c' ? `.${m[2]}` : m[2]!));
  }
}

/** For each line: whether an option of the set has to be on for it to be compiled. */
function guardedLines(
  lines: readonly ByteString[],
  language: Language,
  options: ReadonlySet<string>,
  isNew: boolean,
): boolean[] {
  if (isNew) return lines.map(() => true);
  const stack: boolean[] = [];
  const make = language === 'make';
  const ours = (condition: string) => [...options].some((o) => new RegExp(`\\b${o}\\b`).test(condition));
  return lines.map((line) => {
    const opens = make
      ? /^\s*(ifeq|ifneq|ifdef|ifndef)\b(.*)/.exec(line)
      : /^\s*#\s*(if|ifdef|ifndef)\b(.*)/.exec(line);
    if (opens) stack.push(ours(opens[2]!) && !/^ifn/.test(opens[1]!) && !/!\s*defined/.test(opens[2]!));
    else if (make ? /^\s*else\b/.test(line) : /^\s*#\s*(else|elif)\b/.test(line)) {
      if (stack.length) stack[stack.length - 1] = false;
    } else if (make ? /^\s*endif\b/.test(line) : /^\s*#\s*endif\b/.test(line)) stack.pop();
    return stack.some(Boolean) || (make && ours(line));
  });
}

type Defined = Map<number, Map<string, ProvideKind>>;

function adder(defined: Defined) {
  return (line: number, name: string, kind: ProvideKind) => {
    if (!defined.has(line)) defined.set(line, new Map());
    defined.get(line)!.set(name, kind);
  };
}

const NO_NAME =
  /^(if|else|for|while|switch|return|do|case|default|sizeof|typeof|goto|asm|__asm__|__attribute__|__aligned|__section|typedef|struct|union|enum|extern|static|inline|const|unsigned|signed|void|int|long|short|char|bool)$/;

/**
 * What C code defines, by line. Rules over lines, not a parser: guards that split statements must not sink a file, and a
 * name that is missed here costs a wish for order, no correctness.
 */
function definedInC(code: ByteString, path: ByteString): Defined {
  const defined: Defined = new Map();
  const add = adder(defined);
  const starts: number[] = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  const lineAt = (offset: number) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  const source = /\.c$/.test(path);
  splitLines(code).forEach((line, i) => {
    const macro = /^\s*#\s*define\s+(\w+)/.exec(line);
    if (macro) add(i + 1, macro[1]!, 'definition');
    if (/^\s|^[#}{]/.test(line)) {
      const end = /^}\s*(?:__\w+\s*)?(\w+)\s*;/.exec(line);
      if (end) add(i + 1, end[1]!, 'definition');
      return;
    }
    const local = source && /^static\b/.test(line);
    const special = /^(?:static\s+)?(?:DEFINE|DECLARE)_\w+\s*\((?:[^()]*,)?\s*(\w+)\s*\)/.exec(line);
    if (special) {
      if (!local) add(i + 1, special[1]!, 'definition');
      return;
    }
    const type = /^typedef\b.*?\b(\w+)\s*(?:\[[^\]]*\])?\s*;/.exec(line);
    if (type) {
      add(i + 1, type[1]!, 'definition');
      return;
    }
    const call = /^[A-Za-z_][\w\s*]*?[\s*](\w+)\s*\(/.exec(line);
    if (call && !NO_NAME.test(call[1]!) && !/^(typedef|return|else|goto|case)\b/.test(line)) {
      const rest = code.slice(starts[i]!, starts[i]! + 2000);
      const end = /[;{]/.exec(rest);
      // File-local functions are nobody else's business.
      if (!local) add(i + 1, call[1]!, end?.[0] === '{' ? 'definition' : 'declaration');
      return;
    }
    const variable = /^[A-Za-z_][\w\s*]*?[\s*](\w+)\s*(?:\[[^\]]*\]\s*)*(?:__\w+(?:\([^)]*\))?\s*)*(?:=|;)/.exec(line);
    if (variable && !NO_NAME.test(variable[1]!) && !/^(typedef|return|goto|struct\s+\w+\s*;)/.test(line) && !local) {
      add(i + 1, variable[1]!, /^extern\b/.test(line) ? 'declaration' : 'definition');
    }
  });
  // Bodies of enums, structs and unions.
  for (const m of code.matchAll(/\b(enum|struct|union)\b\s*(\w*)\s*(?:__\w+\s*)?\{/g)) {
    const from = m.index + m[0].length;
    if (m[2]) add(lineAt(m.index), m[2], 'definition');
    let depth = 1;
    let to = from;
    while (to < code.length && depth > 0) {
      if (code[to] === '{') depth++;
      else if (code[to] === '}') depth--;
      to++;
    }
    const body = code.slice(from, to - 1);
    if (m[1] === 'enum') {
      for (const e of body.matchAll(/(?:^|,)\s*(?:#[^\n]*\n\s*)*([A-Za-z_]\w*)/g)) {
        add(lineAt(from + e.index + e[0].length - 1), e[1]!, 'definition');
      }
    } else {
      for (const f of body.matchAll(/[\s*](\w+)\s*(?:\[[^\]]*\]\s*)*(?::\s*\d+\s*)?[;,]|\(\s*\*\s*(\w+)\s*\)\s*\(/g)) {
        add(lineAt(from + f.index + f[0].length - 1), `.${f[1] ?? f[2]}`, 'definition');
      }
    }
  }
  return defined;
}

function definedElsewhere(lines: readonly ByteString[], language: Language): Defined {
  const defined: Defined = new Map();
  const add = adder(defined);
  lines.forEach((line, i) => {
    if (language === 'kconfig') {
      const m = /^(?:menu)?config\s+(\w+)/.exec(line);
      if (m) add(i + 1, `CONFIG_${m[1]}`, 'definition');
    } else if (language === 'asm') {
      const m = /^\s*(?:ENTRY|SYM_\w*START\w*|WEAK|HYP_ENTRY)\s*\(\s*(\w+)/.exec(line) ?? /^([A-Za-z_]\w*):/.exec(line);
      if (m) add(i + 1, m[1]!, 'definition');
      const macro = /^\s*(?:#\s*define|\.macro)\s+(\w+)/.exec(line);
      if (macro) add(i + 1, macro[1]!, 'definition');
    } else if (language === 'lds') {
      for (const m of line.matchAll(/(?:VMLINUX_SYMBOL\s*\(\s*)?\b(\w+)\s*\)?\s*=(?!=)|#\s*define\s+(\w+)/g)) {
        add(i + 1, (m[1] ?? m[2])!, 'definition');
      }
    }
  });
  return defined;
}

/**
 * Functions whose parameters change: a removed line and an added one stand inside the same parentheses. Callers,
 * prototype and implementations then have to change in one patch. An implementation goes by the member that it is
 * assigned to as well (`.attach = my_attach`).
 */
function changedSignatures(unit: Unit, code: ByteString, signatures: Names['signatures']): void {
  if (unit.kind !== 'hunk') return;
  const aliases = new Map<string, string[]>();
  for (const m of code.matchAll(/\.(\w+)\s*=\s*&?(\w+)\s*,/g)) {
    if (!aliases.has(m[2]!)) aliases.set(m[2]!, []);
    aliases.get(m[2]!)!.push(`.${m[1]}`);
  }
  const lines = splitLines(code);
  const starts: number[] = [];
  lines.reduce((at, l) => (starts.push(at), at + l.length), 0);
  let removed = 0;
  let line = unit.hunk!.newStart;
  for (const l of unit.hunk!.lines) {
    if (l[0] === '-') removed++;
    else {
      if (l[0] === '+' && removed > 0) {
        const end = (starts[line - 1] ?? 0) + (lines[line - 1]?.length ?? 0);
        const call = openCall(code.slice(Math.max(0, end - 1200), end));
        if (call) {
          for (const n of [call.name, ...(call.declares ? (aliases.get(call.name) ?? []) : [])]) {
            signatures.set(n, call.declares || (signatures.get(n) ?? false));
          }
        }
      }
      if (l[0] === ' ') removed = 0;
      line++;
    }
  }
}

/** The function whose argument list the end of a text stands in, or has just closed. */
function openCall(text: ByteString): { name: string; declares: boolean } | null {
  let depth = 0;
  for (let i = text.length - 1; i >= 0; i--) {
    const c = text[i]!;
    if (c === ')') depth++;
    else if (c === '(') {
      depth--;
      if (depth > 0) continue;
      const head = text.slice(text.lastIndexOf('\n', i) + 1, i);
      const m = /(?:(->|\.)\s*)?\b(\w+)\s*$/.exec(head);
      const pointer = /\(\s*\*\s*(\w+)\s*\)\s*$/.exec(head);
      if (pointer) return { name: `.${pointer[1]}`, declares: true };
      if (m && !NO_NAME.test(m[2]!)) {
        return { name: `${m[1] ? '.' : ''}${m[2]}`, declares: /^[A-Za-z_][\w\s*]*[\s*]\w+\s*$/.test(head) };
      }
    } else if (depth <= 0 && (c === '{' || c === '}' || (c === ';' && i < text.trimEnd().length - 1))) return null;
  }
  return null;
}
