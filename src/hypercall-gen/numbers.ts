import type { ByteString } from '../core/text';
import { evaluate } from './constants';
import { bare, callsOf, isType, oneLine, placeOf, Sources, type Call, type Source } from './sources';
import type { Place } from './types';

/** How Linux itself makes a call to EL2: the number or function is the first argument. */
const KERNEL_PRIMITIVES = [
  '__kvm_call_hyp',
  'kvm_call_hyp',
  'kvm_call_hyp_ret',
  'kvm_call_hyp_nvhe',
  'kvm_call_hyp_nvhe_ret',
  'arm_smccc_hvc',
  'arm_smccc_1_1_hvc',
  '__arm_smccc_hvc',
];

/** A numbered constant that the set defines. */
export interface NumberMacro {
  name: string;
  number: number;
  place: Place;
  source: Source;
  /** Preprocessor conditions around it. */
  guards: string[];
  group: string | null;
}

/** A call of a primitive with a number. */
export interface NumberedCall {
  number: string;
  primitive: string;
  source: Source;
  call: Call;
  /** What follows the number, in order. */
  passes: string[];
}

/** A way to call that the set defines. */
interface Primitive {
  kind: 'macro' | 'function';
  place: Place;
  /** It takes a fixed number of arguments. */
  fixed: boolean;
}

/** What the set calls, and with which numbers. */
export interface Numbers {
  /** By name; a name that is defined twice has its last value here. */
  macros: Map<string, NumberMacro>;
  /** Every definition, in order; twice the same name is possible. */
  all: NumberMacro[];
  calls: NumberedCall[];
  /** The primitive that the set calls most, and where the set defines it. */
  primitive: string;
  primitiveKind: 'macro' | 'function' | 'kernel';
  primitivePlace: Place | null;
  /** The value of a constant of the set; null when it is none. */
  valueOf(expression: string): number | null;
  /** The name that a label, call argument or designator stands for; null when it is no number. */
  label(expression: string): string | null;
}

/** Finds the numbers: constants of the set that are given to a hypercall primitive, and the rest of their family. */
export function findNumbers(sources: Sources): Numbers {
  const constants = constantsOf(sources);
  const known = new Map(constants.map((c) => [c.name, c] as const));
  const primitives = primitivesOf(sources);
  const names = new Set(primitives.keys());
  const spelled = labelReader(known);

  const raw: NumberedCall[] = [];
  for (const source of sources.c) {
    for (const call of callsOf(source.code, names)) {
      const first = call.args[0];
      if (!first) continue;
      const number = spelled(textOf(source, first));
      if (number === null) continue;
      const passes = call.args.slice(1).map((a) => oneLine(textOf(source, a)));
      // `arm_smccc_1_1_hvc(id, …, &res)`: the last argument is where the answer goes.
      if (/smccc/.test(call.name) && passes.length) passes.pop();
      while (/^arm_smccc_hvc$|^__arm_smccc_hvc$/.test(call.name) && passes[passes.length - 1] === '0') passes.pop();
      // A function of the set takes a fixed number of arguments: zeros at the end only fill it up.
      if (primitives.get(call.name)?.fixed) while (passes[passes.length - 1] === '0') passes.pop();
      raw.push({ number, primitive: call.name, source, call, passes });
    }
  }
  const labelled = labelsOf(sources, new Set(raw.map((c) => c.number)), spelled);
  const seeds = new Set([...raw.map((c) => c.number), ...labelled]);
  const families = familiesOf([...seeds].map((n) => known.get(n)!));
  const inDefinitions = namesInDefinitions(constants);
  const all = constants.filter(
    (c) =>
      seeds.has(c.name) ||
      (families.some((f) => f.path === c.place.path && c.name.startsWith(f.prefix)) &&
        !inDefinitions.has(c.name) &&
        !/_(NR|MAX|MIN|BASE|END|FIRST|LAST|COUNT|MASK|SHIFT|ERR|SIZE)$/.test(c.name)),
  );
  const macros = new Map(all.map((c) => [c.name, c] as const));
  const tally = new Map<string, number>();
  for (const c of raw) tally.set(c.primitive, (tally.get(c.primitive) ?? 0) + 1);
  const primitive = [...tally].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? KERNEL_PRIMITIVES[0]!;
  return {
    macros,
    all,
    calls: raw.filter((c) => macros.has(c.number)),
    primitive,
    primitiveKind: primitives.get(primitive)?.kind ?? 'kernel',
    primitivePlace: primitives.get(primitive)?.place ?? null,
    valueOf: (expression) => evaluate(expression, (n) => known.get(n)?.number ?? null),
    label: labelReader(macros),
  };
}

function textOf(source: Source, range: { start: number; end: number }): ByteString {
  return source.code.slice(range.start, range.end);
}

/** Object-like macros and enumerators with a constant value that the set wrote. */
function constantsOf(sources: Sources): (NumberMacro & { text: string })[] {
  const found: (NumberMacro & { text: string })[] = [];
  const values = new Map<string, string>();
  for (const source of sources.c) {
    for (const d of source.index.definitions) {
      if (d.kind === 'macro' && d.body && !d.signature?.parameters.length) {
        values.set(d.name, source.code.slice(d.body.start, d.body.end));
      }
    }
  }
  const busy = new Set<string>();
  const valueOf = (name: string): number | null => {
    const text = values.get(name);
    if (text === undefined || busy.has(name)) return null;
    busy.add(name);
    const value = evaluate(text, valueOf);
    busy.delete(name);
    return value;
  };
  for (const source of sources.c) {
    const groups = groupsOf(source.text);
    const push = (name: string, number: number | null, line: number, guards: string[], text: string) => {
      if (number === null || number < 0 || !Sources.wrote(source, line)) return;
      const place = { path: source.path, line: line + 1 };
      found.push({ name, number, place, source, guards, group: groups[line] ?? null, text });
    };
    for (const d of source.index.definitions) {
      if (d.kind === 'macro' && d.body && !d.signature?.parameters.length) {
        const text = source.code.slice(d.body.start, d.body.end);
        if (text.trim()) push(d.name, evaluate(text, valueOf), d.startLine, d.guards, text);
      } else if (d.kind === 'enum') {
        let next: number | null = 0;
        const own = new Map<string, number>();
        for (const m of d.members) {
          const at = source.code.slice(0, d.end).split('\n')[m.line] ?? '';
          const given: string | undefined = new RegExp(`\\b${m.name}\\s*=\\s*([^,}]+)`).exec(at)?.[1];
          const value: number | null = given === undefined ? next : evaluate(given, (n) => own.get(n) ?? valueOf(n));
          if (value !== null) own.set(m.name, value);
          push(m.name, value, m.line, d.guards, given ?? '');
          next = value === null ? null : value + 1;
        }
      }
    }
  }
  return found;
}

/** For each line, the comment that heads the block of `#define` lines that it stands in. */
function groupsOf(text: ByteString): (string | null)[] {
  let current: string | null = null;
  return text.split('\n').map((line) => {
    const comment = /^\s*(?:\/\*\s*(.*?)\s*\*\/|\/\/\s*(.*?))\s*$/.exec(line);
    if (comment) current = comment[1] ?? comment[2] ?? null;
    else if (!/^\s*#\s*define\b|^\s*\w+\s*(=[^,]*)?,?\s*(\/[*/].*)?$/.test(line)) current = null;
    return current || null;
  });
}

/** Names that others are computed from: bases and limits, no numbers of their own. */
function namesInDefinitions(constants: readonly { name: string; text: string }[]): Set<string> {
  return new Set(constants.flatMap((c) => (c.text.match(/[A-Za-z_]\w*/g) ?? []).filter((n) => n !== c.name)));
}

/**
 * The kernel's primitives and what the set wraps around them with the number handed through: macros, functions, and
 * functions that execute `hvc` themselves. Value: where the set defines it.
 */
function primitivesOf(sources: Sources): Map<string, Primitive | null> {
  const found = new Map<string, Primitive | null>(KERNEL_PRIMITIVES.map((name) => [name, null]));
  for (let grew = true; grew;) {
    grew = false;
    const names = new Set(found.keys());
    for (const source of sources.c) {
      for (const d of source.index.definitions) {
        const first = d.signature?.parameters[0];
        if ((d.kind !== 'macro' && d.kind !== 'function') || !d.body || !first) continue;
        if (found.get(d.name) != null || !Sources.wrote(source, d.startLine)) continue;
        const code = source.code.slice(d.body.start, d.body.end);
        const parameter = first.name || first.type;
        const word = new RegExp(`\\b${parameter}\\b`);
        const through = callsOf(code, names).some(
          (c) => c.args[0] && word.test(code.slice(c.args[0].start, c.args[0].end)),
        );
        const itself =
          d.kind === 'function' &&
          /\basm\b|\b__asm__\b/.test(code) &&
          /"[^"]*\bhvc\b/.test(source.text.slice(d.body.start, d.body.end)) &&
          !first.type.includes('*');
        if (!through && !itself) continue;
        found.set(d.name, { kind: d.kind, place: placeOf(source, d.start), fixed: !d.signature!.variadic });
        grew = true;
      }
    }
  }
  return found;
}

/**
 * Reads a number's name off an expression: the name itself under casts, `KVM_HOST_SMCCC_FUNC(f)` for
 * `__KVM_HOST_SMCCC_FUNC_f`, and `f` for the same where a macro pastes the prefix on.
 */
function labelReader(known: ReadonlyMap<string, unknown>): (expression: string) => string | null {
  const pasted = new Map<string, string>();
  for (const name of known.keys()) {
    const m = /^__(\w+?_FUNC)_(\w+)$/.exec(name);
    if (m) {
      pasted.set(`${m[1]}(${m[2]})`, name);
      pasted.set(m[2]!, name);
    }
  }
  return (expression) => {
    const text = bare(oneLine(expression)).replace(/\s+/g, '');
    if (known.has(text)) return text;
    const direct = pasted.get(text);
    if (direct) return direct;
    // `ID(BASE + HVC_X)`, `HVC_X - BASE`: one known name, the rest is arithmetic.
    const words = (text.match(/[A-Za-z_]\w*/g) ?? []).filter((w) => known.has(w));
    return words.length === 1 && /^(\w+\()?[\w+\-|() ]+\)?$/.test(text) && !isType(text) ? words[0]! : null;
  };
}

/**
 * Numbers that the dispatcher tells apart (`case N:`, `== N`, `[N] = f`) though nobody calls them: those that stand with
 * called ones in one definition and begin with the same word. When nothing is called, what is named like a hypercall.
 */
function labelsOf(
  sources: Sources,
  called: ReadonlySet<string>,
  label: (expression: string) => string | null,
): string[] {
  const word = (name: string) => /^_*[A-Za-z0-9]+_?/.exec(name)?.[0] ?? name;
  const words = new Set([...called].map(word));
  const found: string[] = [];
  for (const source of sources.c) {
    for (const d of source.index.definitions) {
      if ((d.kind !== 'function' && d.kind !== 'variable') || d.end - d.start < 3) continue;
      const code = source.code.slice(d.start, d.end);
      const names: string[] = [];
      for (const m of code.matchAll(/\bcase\s+([^:?]+):|\[\s*([^\]=]+?)\s*\]\s*=|==\s*(\w+)|(\w+)\s*==/g)) {
        const name = label((m[1] ?? m[2] ?? m[3] ?? m[4])!);
        if (name !== null) names.push(name);
      }
      if (called.size === 0) found.push(...names.filter((n) => /(^|_)(HVC|HYPERCALL|HCALL|SMCCC)_/.test(n)));
      else if (names.some((n) => called.has(n))) found.push(...names.filter((n) => words.has(word(n))));
    }
  }
  return found;
}

/** Prefix and file of each family of numbers. */
function familiesOf(numbers: readonly NumberMacro[]): { path: string; prefix: string }[] {
  const byFile = new Map<string, string[]>();
  for (const n of numbers) byFile.set(n.place.path, [...(byFile.get(n.place.path) ?? []), n.name]);
  return [...byFile].flatMap(([path, names]) => {
    let prefix = names[0]!;
    for (const name of names) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1);
    prefix = prefix.replace(/[^_]*$/, '');
    return /[A-Za-z]/.test(prefix) ? [{ path, prefix }] : [];
  });
}
