import { stripComments, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { Call } from './links';
import type { Head } from './option-text';

/** A pointer: what it points to, with stars of its own for each further level. */
export interface Pointer {
  to: string;
}

/** An argument that is no pointer to what the callee takes. */
export interface OtherPointer {
  takes: string;
  passes: string;
}

/** Numbers and characters: never the same as a struct. */
const PLAIN =
  /^(?:(?:unsigned|signed|long|short|int|char)(?: (?:unsigned|signed|long|short|int|char))*|[us](?:8|16|32|64))$/;

/**
 * What a declared type says a pointer points to; null where it is none, or no struct or number that is known: `void *`
 * passes as everything, and what a typedef stands for may not be at hand. `const` and the like do not count.
 */
export function pointerOf(declared: string, kernel: KernelIndex): Pointer | null {
  const text = declared.replace(/\b(?:const|volatile|restrict|register|static|__\w+)\b/g, ' ').replace(/\s+/g, ' ');
  const m = /^\s*([\w ]*\w)\s*(\*[\s*]*)$/.exec(text);
  if (!m || m[2]!.replace(/[^*]/g, '').length === 0) return null;
  const more = m[2]!.replace(/\s/g, '').slice(1);
  const to = resolved(m[1]!.trim(), kernel);
  return to === null ? null : { to: to + (more && ` ${more}`) };
}

function resolved(name: string, kernel: KernelIndex): string | null {
  if (/^(?:struct|union) \w+$/.test(name) || PLAIN.test(name)) return name;
  if (!/^\w+$/.test(name)) return null;
  const found = kernel.definitions(name).filter((f) => f.definition.kind === 'typedef');
  const texts = new Set(
    found.map(({ file, definition: d }) => stripComments(file.text.slice(d.start, d.end)).replace(/\s+/g, ' ').trim()),
  );
  if (texts.size !== 1) return null;
  const [text] = [...texts] as [string];
  const alias = /^typedef ((?:struct|union) \w+) (\w+) ?;?$/.exec(text);
  if (alias) return alias[1]!;
  // One without a tag is only itself.
  return /^typedef (?:struct|union) \{/.test(text) ? name : null;
}

/** True for pointers to two things of which one is a struct or union: numbers have many names. */
export function pointElsewhere(a: Pointer, b: Pointer): boolean {
  const isPlain = ({ to }: Pointer) => PLAIN.test(to.replace(/[ *]+$/, ''));
  return a.to !== b.to && !(isPlain(a) && isPlain(b));
}

/** What the parameters of a head point to; null for each that is no such pointer. */
export function pointersTaken(head: Head, kernel: KernelIndex): (Pointer | null)[] {
  return head.parameters.map((p) => {
    const star = p.lastIndexOf('*') + 1;
    // A prototype may not name it.
    return /^\s*(?:const\b\s*)?\w*$/.test(p.slice(star)) ? pointerOf(p.slice(0, star), kernel) : null;
  });
}

/**
 * The first argument of a call that is a parameter or local of the caller, declared as a pointer to one thing where the
 * callee takes a pointer to another. Null when each may fit: what is no plain name is not looked at.
 *
 * @param lists what the callee takes, by each declaration that holds there
 */
export function otherPointer(
  call: Call,
  lists: readonly (readonly (Pointer | null)[])[],
  text: ByteString,
  heads: readonly Head[],
  kernel: KernelIndex,
): OtherPointer | null {
  const caller = heads.findLast((h) => h.at <= call.at);
  const body = caller && bodyOf(text, caller.at);
  if (!caller || !body || call.at < body.start || call.at >= body.end) return null;
  for (const [i, arg] of call.list.entries()) {
    if (!/^[A-Za-z_]\w*$/.test(arg)) continue;
    const wanted = lists.map((list) => list[i] ?? null);
    if (wanted.some((w) => w === null)) continue;
    const passes = declaredAs(arg, caller, text.slice(body.start, body.end), kernel);
    if (passes === null || !wanted.every((w) => pointElsewhere(w!, passes))) continue;
    return { takes: `${wanted[0]!.to} *`, passes: `${passes.to} *` };
  }
  return null;
}

/** The braces of the function whose head begins at an offset; null for a declaration, and where they do not close. */
function bodyOf(text: ByteString, at: number): { start: number; end: number } | null {
  const start = text.slice(at).search(/[{;]/) + at;
  if (start < at || text[start] !== '{') return null;
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return { start, end: i + 1 };
  }
  return null;
}

/** What a name of a function points to; null when it is not declared there as one thing only. */
function declaredAs(name: string, caller: Head, body: ByteString, kernel: KernelIndex): Pointer | null {
  const types: string[] = [];
  for (const p of caller.parameters) {
    const m = /^([^]*?)(\w+)(\s*\[.*)?$/.exec(p);
    if (m?.[2] === name) types.push(m[3] === undefined ? m[1]! : '');
  }
  const declaration =
    /^[ \t]+((?:(?:const|static|volatile|register|unsigned|struct|union|enum)\s+)*\w+)([\s*][^;(){}=]*(?:=[^;]*)?);/gm;
  for (const [, type, list] of body.matchAll(declaration)) {
    if (/^(?:return|goto|else|case)\b/.test(type!)) continue;
    for (const declarator of declaratorsOf(list!)) {
      const m = /^\s*([\s*]*)(?:const\s+)?(\w+)\s*(\[|=|$)/.exec(declarator);
      if (m?.[2] === name) types.push(m[3] === '[' ? '' : `${type} ${m[1]}`);
    }
  }
  const pointers = types.map((t) => pointerOf(t, kernel)?.to ?? null);
  const [first] = pointers;
  return first !== undefined && first !== null && pointers.every((p) => p === first) ? { to: first } : null;
}

/** A list of declarators cut at its commas, not at those of initialisers. */
function declaratorsOf(list: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= list.length; i++) {
    const c = list[i];
    if (c === '(' || c === '{' || c === '[') depth++;
    else if (c === ')' || c === '}' || c === ']') depth--;
    else if (c === undefined || (c === ',' && depth === 0)) {
      found.push(list.slice(from, i));
      from = i + 1;
    }
  }
  return found;
}
