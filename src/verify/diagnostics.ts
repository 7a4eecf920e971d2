/** What a tool of the build said about a place. */
export interface Diagnostic {
  severity: 'error' | 'warning';
  /** Relative to the source tree where it lies in it; null when the tool names none. */
  path: string | null;
  /** 1-based. */
  line: number | null;
  text: string;
  /** Same cause, same key: what is missing or wrong, not where. */
  cause: string;
  /** The name that the diagnostic is about. */
  name: string | null;
  /** The files that include the one with the error, innermost first. */
  from: { path: string; line: number }[];
  /** Where the code stands that a macro at `path` was expanded for; null for none. */
  expanded: { path: string; line: number } | null;
}

/** The parts of gcc's and others' messages that say what is wrong, with the cause that they name. */
const CAUSES: readonly [RegExp, (m: RegExpExecArray) => [cause: string, name: string | null]][] = [
  [/'(\w+)' undeclared/, (m) => [`undeclared identifier ${m[1]}`, m[1]!]],
  [/implicit declaration of function '(\w+)'/, (m) => [`undeclared function ${m[1]}`, m[1]!]],
  [/'([^']+)' has no member named '(\w+)'/, (m) => [`no member ${m[2]} in ${plain(m[1]!)}`, m[2]!]],
  [/no member named '(\w+)'/, (m) => [`no member ${m[1]}`, m[1]!]],
  [
    /request for member '(\w+)' in something not a struct/,
    (m) => [`${m[1]} asked of something that is no struct`, m[1]!],
  ],
  [/invalid type argument of '->' \(have '([^']+)'/, (m) => [`pointer expected, is ${m[1]}`, null]],
  [/too (few|many) arguments to function '(\w+)'/, (m) => [`wrong argument count of ${m[2]}`, m[2]!]],
  [/macro ["'](\w+)["'] (passed|requires) \d+ arguments/, (m) => [`wrong argument count of ${m[1]}`, m[1]!]],
  [/(?:incompatible type for|passing) argument \d+ of '(\w+)'/, (m) => [`wrong argument type of ${m[1]}`, m[1]!]],
  [/conflicting types for '(\w+)'/, (m) => [`conflicting types for ${m[1]}`, m[1]!]],
  [/static declaration of '(\w+)'/, (m) => [`conflicting types for ${m[1]}`, m[1]!]],
  [/redefinition of '(?:struct |enum |union )?(\w+)'/, (m) => [`redefinition of ${m[1]}`, m[1]!]],
  [/redeclaration of (?:enumerator )?'(?:struct |enum |union )?(\w+)'/, (m) => [`redefinition of ${m[1]}`, m[1]!]],
  [/["'](\w+)["'] redefined/, (m) => [`macro ${m[1]} redefined`, m[1]!]],
  [/unknown type name '(\w+)'/, (m) => [`unknown type ${m[1]}`, m[1]!]],
  [
    /(?:dereferencing|invalid use of|invalid application).* (?:incomplete|undefined) type '(?:struct )?(\w+)/,
    (m) => [`incomplete type ${m[1]}`, m[1]!],
  ],
  [/storage size of '(\w+)' isn't known/, (m) => [`incomplete type of ${m[1]}`, m[1]!]],
  [/field '(\w+)' has incomplete type/, (m) => [`incomplete type of ${m[1]}`, m[1]!]],
  [/([\w./-]+\.h): No such file or directory/, (m) => [`no header ${m[1]}`, m[1]!]],
  [/label '(\w+)' (?:used but not defined)/, (m) => [`no label ${m[1]}`, m[1]!]],
  [
    /duplicate (?:case value|label '(\w+)')/,
    (m) => [m[1] ? `label ${m[1]} twice` : 'duplicate case value', m[1] ?? null],
  ],
  [/undefined reference to [`'](\w+)'/, (m) => [`undefined reference to ${m[1]}`, m[1]!]],
  [/multiple definition of [`'](\w+)'/, (m) => [`multiple definition of ${m[1]}`, m[1]!]],
  [/undefined symbol (\w+)/, (m) => [`undefined symbol ${m[1]}`, m[1]!]],
  [/unknown (?:mnemonic|pseudo-op):? [`'](\S+?)'/, (m) => [`unknown instruction ${m[1]}`, m[1]!]],
  [
    /No rule to make target [`']([^']+)'/,
    (m) => [`nothing makes ${m[1]!.replace(/^.*\/(?=[^/]+\/[^/]+$)/, '')}`, m[1]!.replace(/^.*\//, '')],
  ],
  [/can't open file "([^"]+)"/, (m) => [`no file ${m[1]}`, m[1]!]],
  [/#error\s+(.*)/, (m) => [`#error ${m[1]!.slice(0, 50)}`, null]],
  [/unterminated (?:#|argument list)/, () => ['unterminated conditional or call', null]],
  [/(#\w+) without #if/, (m) => [`${m[1]} without #if`, null]],
  [/expected (.*?) before (.*)/, () => ['syntax', null]],
  [/expected declaration|stray '/, () => ['syntax', null]],
];

function plain(type: string): string {
  return type
    .replace(/\{aka.*$/, '')
    .replace(/^const /, '')
    .trim();
}

/** What a message is about. */
export function causeOf(text: string): { cause: string; name: string | null } {
  for (const [pattern, cause] of CAUSES) {
    const m = pattern.exec(text);
    if (m) {
      const [key, name] = cause(m);
      return { cause: key, name };
    }
  }
  return { cause: text.replace(/\s*\[-W[^\]]*\]$/, '').replace(/\d+/g, 'N'), name: null };
}

/**
 * Reads what make, gcc, as, ld and Kconfig said. `source` is the folder of the sources, `output` that of the objects. The
 * same error of many units (one header) is one diagnostic.
 */
export function readDiagnostics(log: string, source: string, output: string): Diagnostic[] {
  const found = new Map<string, Diagnostic>();
  let from: { path: string; line: number }[] = [];
  const seen: { last: Diagnostic | null } = { last: null };
  const inTree = (file: string): string => {
    for (const [prefix, to] of [
      [`${source}/`, ''],
      [`${output}/`, ''],
    ] as const) {
      if (file.startsWith(prefix)) return normalize(to + file.slice(prefix.length));
    }
    return file.startsWith('/') ? file : normalize(file.replace(/^(\.\.\/)?(source|src)\//, ''));
  };
  const put = (severity: 'error' | 'warning', file: string | null, line: number | null, text: string) => {
    const path = file === null ? null : inTree(file);
    const key = `${severity}|${path}|${line}|${text}`;
    if (!found.has(key)) found.set(key, { severity, path, line, text, ...causeOf(text), from, expanded: null });
    seen.last = found.get(key) ?? null;
    from = [];
  };
  // What the assembler says of compiled C: its lines are those of a file that is gone, and the object says which C it was.
  let compiled: string | null = null;
  let pending: string[] = [];
  for (const raw of log.split('\n')) {
    // Old kernels' Makefiles take LC_ALL away again, and gcc then quotes as the user's language does.
    const line = raw
      .replace(/\x1b\[[\d;]*[mK]/g, '')
      .replace(/[‘’]/g, "'")
      .trimEnd();
    const chain = /^(?:In file included from|\s+from) (\S+?):(\d+)(?::\d+)?[,:]$/.exec(line);
    if (chain) {
      if (line.startsWith('In')) from = [];
      from.push({ path: inTree(chain[1]!), line: Number(chain[2]) });
      continue;
    }
    const expansion = /^(\S+?):(\d+):(?:\d+:)? note: in expansion of macro /.exec(line);
    if (expansion && seen.last) {
      // The last one is the code itself.
      seen.last.expanded = { path: inTree(expansion[1]!), line: Number(expansion[2]) };
      continue;
    }
    const assembler = /^(\S+): Assembler messages:$/.exec(line);
    if (assembler) {
      compiled = /\.[cs]$/.test(assembler[1]!) ? assembler[1]! : null;
      continue;
    }
    const failed = /^make(?:\[\d+\])?: \*\*\* \[(?:[^\]]*: )?([^\]\s]+)\.o\] Error \d+/.exec(line);
    if (failed) {
      const source = `${failed[1]!.replace(/\.nvhe$/, '')}.c`;
      for (const text of pending) put('error', source, null, text);
      pending = [];
    }
    const inCompiled = compiled === null ? null : /^(\S+?):\d+: Error: (.*)$/.exec(line);
    if (inCompiled && inCompiled[1] === compiled) {
      pending.push(inCompiled[2]!);
      continue;
    }
    const gcc = /^(\S+?):(\d+):(?:\d+:)? (?:(fatal error|error|warning|Error|Warning): )(.*)$/.exec(line);
    if (gcc) {
      const severity = /error/i.test(gcc[3]!) ? 'error' : 'warning';
      // The pre-processor's own stdin, as scripts use it: nobody's code.
      if (!gcc[1]!.startsWith('<')) put(severity, gcc[1]!, Number(gcc[2]), gcc[4]!);
      continue;
    }
    const kconfig = /^(\S*Kconfig\S*):(\d+): *(?:error: )?(.*)$/.exec(line);
    if (kconfig && !/warning/i.test(kconfig[3]!)) {
      put('error', kconfig[1]!, Number(kconfig[2]), kconfig[3]!);
      continue;
    }
    const make = /^make(?:\[\d+\])?: \*\*\* (No rule to make target .*?)(?:\. {2}Stop\.)?$/.exec(line);
    if (make) put('error', null, null, make[1]!);
    const makefile = /^(\S*(?:Makefile|Kbuild)\S*):(\d+): \*\*\* (.*?)(?:\. {2}Stop\.)?$/.exec(line);
    if (makefile) put('error', makefile[1]!, Number(makefile[2]), makefile[3]!);
    const ld =
      /ld(?:\.bfd)?: (?:.*?: )?(?:in function .*: )?(.*(?:undefined reference|multiple definition|undefined symbol).*)$/.exec(
        line,
      );
    if (ld) put('error', null, null, ld[1]!);
    // ld names the object once, and then the places in it: by section and offset, or by source and line.
    const bare = /^(?:(\S+?):)?\(\.\S+\): (undefined reference .*)$/.exec(line);
    if (bare) put('error', bare[1] ?? null, null, bare[2]!);
    const placed = /^(\S+\.[cS]):(\d+): (undefined reference .*)$/.exec(line);
    if (placed) put('error', placed[1]!, Number(placed[2]), placed[3]!);
    if (/(?:cc1|gcc): (?:fatal |internal )?(?:compiler )?error: /.test(line)) put('error', null, null, line);
  }
  for (const text of pending) put('error', null, null, text);
  return [...found.values()];
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length && parts[parts.length - 1] !== '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
