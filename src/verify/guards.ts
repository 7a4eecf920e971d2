import type { ByteString } from '../core/text';
import { directives, isKbuild, isPreprocessed, plainLines, type Directive } from './scan';

/** Options whose value is decided; all others stay open. */
export type Decided = ReadonlyMap<string, boolean>;

/** A line that is left when options are decided, with its 0-based line in the file. */
export interface KeptLine {
  text: string;
  line: number;
}

/** What is left of a file, what goes, and whether the conditionals are balanced. */
export interface Stripped {
  kept: KeptLine[];
  /** Lines compiled out by the decided options. */
  out: KeptLine[];
  /** An `#else` or `#endif` too many, or an `#if` without end: 0-based lines. */
  unbalanced: number[];
}

/**
 * Takes out what the decided options switch off, and the conditionals that ask for nothing else. Conditions that also ask
 * for other things are simplified; everything else stays as it is. For C, headers, assembly, linker scripts and Kbuild
 * files; other files are left alone.
 */
export function strip(path: ByteString, text: ByteString, decided: Decided): Stripped {
  if (isKbuild(path)) return stripKbuild(text, decided);
  if (isPreprocessed(path)) return stripC(text, decided);
  return { kept: plainLines(text).map((t, line) => ({ text: t, line })), out: [], unbalanced: [] };
}

/** A conditional being read. */
interface Frame {
  /** The parts so far are all off by decision: the next one that is not off opens the conditional. */
  opened: boolean;
  /** A part was taken for sure: what follows is off. */
  taken: boolean;
  /** The part now being read is off. */
  off: boolean;
  /** Nothing is left of the conditional's own lines. */
  gone: boolean;
  line: number;
}

function stripC(text: ByteString, decided: Decided): Stripped {
  const lines = plainLines(text);
  const at = new Map(directives(text).map((d) => [d.line, d]));
  const result: Stripped = { kept: [], out: [], unbalanced: [] };
  const stack: Frame[] = [];
  const isOff = () => stack.some((f) => f.off);
  const emit = (t: string, line: number) => (isOff() ? result.out : result.kept).push({ text: t, line });
  for (let i = 0; i < lines.length; i++) {
    const d = at.get(i);
    if (!d || !/^(if|ifdef|ifndef|elif|else|endif)$/.test(d.word)) {
      emit(lines[i]!, i);
      continue;
    }
    if (d.word.startsWith('if')) {
      const value = simplify(conditionOf(d), decided);
      if (value === true || value === false) {
        stack.push({ opened: false, taken: value, off: !value, gone: true, line: i });
      } else {
        const asIs = value === 'as-is';
        for (let k = i; k <= d.endLine && asIs; k++) emit(lines[k]!, k);
        if (!asIs) emit(render(value), i);
        stack.push({ opened: true, taken: false, off: false, gone: false, line: i });
      }
    } else if (d.word === 'endif') {
      const top = stack.pop();
      if (!top) {
        result.unbalanced.push(i);
        emit(lines[i]!, i);
      } else if (!top.gone) emit(lines[i]!, i);
    } else {
      const top = stack[stack.length - 1];
      if (!top) {
        result.unbalanced.push(i);
        emit(lines[i]!, i);
        continue;
      }
      const value = d.word === 'else' ? true : simplify(`(${d.rest})`, decided);
      top.off = false;
      if (top.taken || value === false) {
        top.off = true;
      } else if (!top.opened) {
        // Everything before was off: this part opens the conditional, or is all of it.
        if (value === true) top.taken = true;
        else {
          emit(value === 'as-is' ? `#if ${d.rest}` : render(value), i);
          top.opened = true;
          top.gone = false;
        }
      } else if (value === true && d.word === 'elif') {
        emit('#else', i);
        top.taken = true;
      } else {
        for (let k = i; k <= d.endLine; k++) emit(lines[k]!, k);
      }
    }
    i = d.endLine;
  }
  for (const f of stack) result.unbalanced.push(f.line);
  return result;
}

function conditionOf(d: Directive): string {
  if (d.word === 'ifdef') return `defined(${d.rest.split(/\s/)[0]})`;
  if (d.word === 'ifndef') return `!defined(${d.rest.split(/\s/)[0]})`;
  return d.rest;
}

function render(expression: string): string {
  const m = /^(!?)defined\((\w+)\)$/.exec(expression);
  return m ? `#${m[1] ? 'ifndef' : 'ifdef'} ${m[2]}` : `#if ${expression}`;
}

/**
 * The value of a condition under the decided options: decided itself, or what is left of it, or `as-is` when it does not
 * ask for them at all.
 */
export function simplify(condition: string, decided: Decided): boolean | string {
  const words = condition.match(/[A-Za-z_]\w*/g) ?? [];
  if (!words.some((w) => decided.has(w))) return 'as-is';
  const toks = condition.match(/[A-Za-z_]\w*|\d\w*|&&|\|\||[<>=!]=|<<|>>|[^\s\w]/g) ?? [];
  let at = 0;
  type Value = boolean | string;
  const or = (): Value => {
    let left = and();
    while (toks[at] === '||') {
      at++;
      const right = and();
      left =
        left === true || right === true
          ? true
          : left === false
            ? right
            : right === false
              ? left
              : `${left} || ${right}`;
    }
    return left;
  };
  const and = (): Value => {
    let left = rest();
    while (toks[at] === '&&') {
      at++;
      const right = rest();
      const wrap = (v: Value) => (typeof v === 'string' && v.includes('||') ? `(${v})` : v);
      left =
        left === false || right === false
          ? false
          : left === true
            ? right
            : right === true
              ? left
              : `${wrap(left)} && ${wrap(right)}`;
    }
    return left;
  };
  const name = (): Value | null => {
    const word = toks[at]!;
    if (word === 'defined' || word === 'IS_ENABLED' || word === 'IS_BUILTIN' || word === 'IS_REACHABLE') {
      const bracket = toks[at + 1] === '(';
      const option = toks[at + (bracket ? 2 : 1)] ?? '';
      at += bracket ? 4 : 2;
      return decided.get(option) ?? `${word}(${option})`;
    }
    if (decided.has(word)) {
      at++;
      return decided.get(word)!;
    }
    return null;
  };
  const rest = (): Value => {
    if (toks[at] === '!') {
      at++;
      const v = rest();
      return typeof v === 'boolean' ? !v : /^\w+\([^()]*\)$|^\w+$/.test(v) ? `!${v}` : `!(${v})`;
    }
    if (toks[at] === '(') {
      at++;
      const v = or();
      at++;
      return typeof v === 'string' && /[|&]/.test(v) ? `(${v})` : v;
    }
    const known = at < toks.length ? name() : null;
    if (known !== null) return known;
    // Anything else (comparisons, arithmetic) is taken as it is, up to the next logical operator.
    const words: string[] = [];
    let depth = 0;
    while (at < toks.length) {
      const t = toks[at]!;
      if (depth === 0 && (t === '&&' || t === '||' || t === ')')) break;
      if (t === '(') depth++;
      if (t === ')') depth--;
      words.push(t);
      at++;
    }
    return words.join(' ') || '0';
  };
  const value = or();
  return typeof value === 'string'
    ? value.replace(/^\((.*)\)$/, (all, inner: string) => (balanced(inner) ? inner : all))
    : value;
}

function balanced(text: string): boolean {
  let depth = 0;
  for (const c of text) {
    if (c === '(') depth++;
    if (c === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

function stripKbuild(text: ByteString, decided: Decided): Stripped {
  const result: Stripped = { kept: [], out: [], unbalanced: [] };
  const stack: Frame[] = [];
  const isOff = () => stack.some((f) => f.off);
  plainLines(text).forEach((line, i) => {
    const bare = line.replace(/#.*$/, '').trim();
    const m = /^(ifeq|ifneq|ifdef|ifndef|else|endif)\b\s*(.*)$/.exec(bare);
    if (!m) {
      const list = /^[\w-]+-\$\(([A-Z]\w*)\)\s*[:+?]?=/.exec(bare);
      const value = list ? decided.get(list[1]!) : undefined;
      const off = isOff() || value === false;
      const shown = value === true ? line.replace(`$(${list![1]!})`, 'y') : line;
      (off ? result.out : result.kept).push({ text: shown, line: i });
      return;
    }
    const [, word, rest] = m as unknown as [string, string, string];
    const emit = () => (isOff() ? result.out : result.kept).push({ text: line, line: i });
    if (word.startsWith('if')) {
      const value = makeCondition(word, rest, decided);
      if (value === null) emit();
      stack.push({
        opened: value === null,
        taken: value === true,
        off: value === false,
        gone: value !== null,
        line: i,
      });
    } else if (word === 'endif') {
      const top = stack.pop();
      if (!top) result.unbalanced.push(i);
      if (!top?.gone) emit();
    } else {
      const top = stack[stack.length - 1];
      if (!top) {
        result.unbalanced.push(i);
        emit();
      } else if (top.gone) {
        top.off = top.taken;
        top.taken = true;
      } else emit();
    }
  });
  for (const f of stack) result.unbalanced.push(f.line);
  return result;
}

function makeCondition(word: string, rest: string, decided: Decided): boolean | null {
  if (word === 'ifdef' || word === 'ifndef') {
    const value = decided.get(rest.trim());
    return value === undefined ? null : word === 'ifdef' ? value : !value;
  }
  const m =
    /^\(\s*\$\((\w+)\)\s*,\s*([ym]?)\s*\)$/.exec(rest.trim()) ?? /^"?\$\((\w+)\)"?\s+"?([ym]?)"?$/.exec(rest.trim());
  const value = m ? decided.get(m[1]!) : undefined;
  if (!m || value === undefined) return null;
  const equal = (value ? 'y' : '') === m[2];
  return word === 'ifeq' ? equal : !equal;
}
