import { splitLines, type ByteString } from '../core/text';
import type { Change, Unit } from './change';
import { blankComments, languageOf, type Names } from './names';

/** What a line of a file is compiled with: the option on, off, or either. */
type With = 'on' | 'off' | 'either';

/**
 * Units that compile only when an option is on: they change the parameters of a function in every configuration, and where
 * the option is off a call with the old number of arguments is left. Such a unit breaks the build from its patch on, until
 * the option is there to be switched on; so it has to come after it.
 */
export function buildsOnlyWith(
  change: Change,
  names: ReadonlyMap<Unit, Names>,
  options: ReadonlySet<string>,
): Map<Unit, string> {
  const found = new Map<Unit, string>();
  for (const file of change.files) {
    if (languageOf(file.path) !== 'c' || file.before === null || file.after === null) continue;
    const changed = file.units.filter((u) =>
      [...(names.get(u)?.signatures ?? [])].some(([n, own]) => own && n[0] !== '.'),
    );
    if (changed.length === 0) continue;
    const code = blankComments(file.after);
    const lines = splitLines(code);
    for (const option of options) {
      const state = compiledWith(lines, option);
      if (!state.includes('off')) continue;
      for (const unit of changed) {
        for (const [name, own] of names.get(unit)!.signatures) {
          if (own && name[0] !== '.' && isLeftBehind(code, state, name)) found.set(unit, option);
        }
      }
    }
  }
  return found;
}

/** The function is defined in any configuration, and called with another number of arguments when the option is off. */
function isLeftBehind(code: ByteString, state: readonly With[], name: string): boolean {
  let takes: number | null = null;
  const calls: { line: number; count: number }[] = [];
  for (const m of code.matchAll(new RegExp(`\\b${name}\\s*\\(`, 'g'))) {
    const list = argumentsAt(code, m.index + m[0].length - 1);
    if (!list || list.args.some((a) => a.trim() === '...')) return false;
    const line = code.slice(0, m.index).split('\n').length - 1;
    const count = list.args.length === 1 && /^\s*(void\s*)?$/.test(list.args[0]!) ? 0 : list.args.length;
    if (/^\s*\{/.test(code.slice(list.end))) {
      if (takes !== null || state[line] !== 'either') return false;
      takes = count;
    } else calls.push({ line, count });
  }
  return takes !== null && calls.some((c) => state[c.line] === 'off' && c.count !== takes);
}

/** The arguments of the bracket at an offset; null when it does not close, or an `#if` cuts through them. */
function argumentsAt(code: ByteString, open: number): { args: string[]; end: number } | null {
  const args: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let i = open; i < code.length; i++) {
    const c = code[i]!;
    if (c === '#') return null;
    if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ',' && depth === 1) {
      args.push(code.slice(from, i));
      from = i + 1;
    } else if ((c === ')' || c === ']' || c === '}') && --depth === 0) {
      args.push(code.slice(from, i));
      return { args, end: i + 1 };
    }
  }
  return null;
}

/** Line by line, by the conditionals that ask for the option and nothing else. */
function compiledWith(lines: readonly ByteString[], option: string): With[] {
  const asks = (word: string, rest: string): With => {
    const m = /^(!?)\s*(?:defined|IS_ENABLED)?\s*\(?\s*(\w+)\s*\)?\s*$/.exec(rest.trim());
    if (m?.[2] !== option) return 'either';
    return (word === 'ifndef') !== (m[1] === '!') ? 'off' : 'on';
  };
  const stack: With[] = [];
  return lines.map((line) => {
    const m = /^\s*#\s*(ifdef|ifndef|if|elif|else|endif)\b(.*)/.exec(line);
    if (m?.[1] === 'endif') stack.pop();
    else if (m?.[1] === 'elif') stack[stack.length - 1] = 'either';
    else if (m?.[1] === 'else') {
      const was = stack.pop() ?? 'either';
      stack.push(was === 'on' ? 'off' : was === 'off' ? 'on' : 'either');
    } else if (m) stack.push(asks(m[1]!, m[2]!));
    return stack.includes('off') ? 'off' : stack.includes('on') ? 'on' : 'either';
  });
}

/**
 * The units that go after an option: those that build only with it, what must be in one patch with them, and the rest of
 * their files. Empty for an option when something else needs one of them: then it cannot come later.
 */
export function afterOption(
  only: ReadonlyMap<Unit, string>,
  together: readonly { units: readonly Unit[] }[],
  needs: readonly { user: Unit; providers: readonly Unit[] }[],
  definers: ReadonlyMap<string, readonly Unit[]>,
): Map<string, Set<Unit>> {
  const after = new Map<string, Set<Unit>>();
  for (const option of new Set(only.values())) {
    const late = new Set([...only].filter(([, o]) => o === option).flatMap(([u]) => u.file.units));
    for (let size = 0; size !== late.size;) {
      size = late.size;
      for (const { units } of together) if (units.some((u) => late.has(u))) for (const u of units) late.add(u);
    }
    const needed = needs.some((n) => !late.has(n.user) && n.providers.every((p) => late.has(p)));
    if (!needed && !(definers.get(option) ?? []).some((u) => late.has(u))) after.set(option, late);
  }
  return after;
}
