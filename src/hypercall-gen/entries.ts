import { splitLines, type ByteString } from '../core/text';
import { parseC } from '../io/parser';
import { maskC } from '../kernel-index/mask';

/**
 * Adds an object to a Makefile, behind the list that names most objects of the wanted kind and before anything is
 * computed from it. Null when there is no such list. Adding twice changes nothing.
 */
export function addObject(
  makefile: ByteString,
  object: string,
  option: string | null,
  variable: RegExp,
): ByteString | null {
  if (new RegExp(`(^|\\s)${object.replace('.', '\\.')}(\\s|$)`, 'm').test(makefile)) return makefile;
  const lines = splitLines(makefile);
  let best: { end: number; name: string; objects: number } | null = null;
  for (let i = 0; i < lines.length; i++) {
    if (isComputed(lines[i]!, variable)) break;
    const m = /^([a-z]+(?:-[a-z]+)*)-(?:y|\$\(CONFIG_\w+\))\s*[:+]?=(.*)/.exec(lines[i]!);
    if (!m || !variable.test(m[1]!)) continue;
    let text = m[2]!;
    while (/\\\s*$/.test(lines[i]!) && i + 1 < lines.length) text += lines[++i]!;
    const objects = (text.match(/\S+\.o\b/g) ?? []).length;
    // Among equals the last: single lines, one for each object.
    if (objects > 0 && (!best || objects >= best.objects)) best = { end: i + 1, name: m[1]!, objects };
  }
  if (!best) return null;
  const flag = option === null ? 'y' : `$(${option})`;
  return [...lines.slice(0, best.end), `${best.name}-${flag} += ${object}\n`, ...lines.slice(best.end)].join('');
}

/** Whether a list of the wanted kind is used here: what is added behind that would come too late. */
function isComputed(line: string, variable: RegExp): boolean {
  if (!/patsubst|addprefix/.test(line)) return false;
  return [...line.matchAll(/\$\(([a-z]+(?:-[a-z]+)*)-[ym]\)/g)].some((m) => variable.test(m[1]!));
}

/** The objects that the lists of a Makefile name, without their `.o`, each with the option of its list. */
export function objectsIn(makefile: ByteString): { stem: string; option: string | null }[] {
  const lists = makefile.replace(/\\\n/g, ' ').matchAll(/^[\w-]+-(?:y|\$\((\w+)\))[ \t]*[:+]?=(.*)$/gm);
  return [...lists].flatMap(([, option, list]) =>
    [...list!.matchAll(/(?:^|\s)(\S+)\.o(?=\s|$)/g)].map((m) => ({ stem: m[1]!, option: option ?? null })),
  );
}

/** Lines get no longer than checkpatch lets them. */
const WIDTH = 100;

/**
 * Adds objects that lie elsewhere to a Makefile: lines of their own behind the last list of the wanted kind, and behind the
 * condition that it is under, before anything is computed from it. Null when there is no such list.
 */
export function addObjects(
  makefile: ByteString,
  objects: readonly string[],
  option: string | null,
  variable: RegExp,
): ByteString | null {
  const there = new Set(makefile.match(/\S+\.o\b/g));
  const missing = objects.filter((o) => !there.has(o));
  if (missing.length === 0) return makefile;
  const lines = splitLines(makefile);
  let last: { end: number; name: string; depth: number } | null = null;
  let depth = 0;
  for (let i = 0; i < lines.length; i++) {
    if (isComputed(lines[i]!, variable)) break;
    if (/^\s*ifn?(?:eq|def)\b/.test(lines[i]!)) depth++;
    // Not into a branch of a condition: behind it.
    if (/^\s*endif\b/.test(lines[i]!) && --depth < (last?.depth ?? 0)) last = { ...last!, end: i + 1, depth };
    const m = /^([a-z]+(?:-[a-z]+)*)-(?:y|\$\(CONFIG_\w+\))\s*[:+]?=/.exec(lines[i]!);
    if (!m || !variable.test(m[1]!)) continue;
    while (/\\\s*$/.test(lines[i]!) && i + 1 < lines.length) i++;
    last = { end: i + 1, name: m[1]!, depth };
  }
  if (!last) return null;
  const head = `${last.name}-${option === null ? 'y' : `$(${option})`} +=`;
  const made: string[] = [];
  for (const object of missing) {
    const grown = `${made[made.length - 1] ?? ''} ${object}`;
    if (made.length && grown.length <= WIDTH) made[made.length - 1] = grown;
    else made.push(`${head} ${object}`);
  }
  return [...lines.slice(0, last.end), ...made.map((l) => `${l}\n`), ...lines.slice(last.end)].join('');
}

/** Adds an `#include` behind the last one of the same kind, under an option if one is named; nothing when it is there. */
export function addInclude(text: ByteString, header: string, option: string | null = null): ByteString {
  if (text.includes(`#include <${header}>`)) return text;
  const lines = splitLines(text);
  const folder = header.slice(0, header.indexOf('/') + 1);
  let at = -1;
  lines.forEach((line, i) => {
    if (line.startsWith(`#include <${folder}`)) at = i;
  });
  if (at < 0) lines.forEach((line, i) => (at = line.startsWith('#include <') ? i : at));
  const own = lines.findIndex((line) => line.startsWith('#include "'));
  if (at < 0 && own >= 0) at = own - 1;
  const include = `#include <${header}>\n`;
  const guarded = option === null ? include : `#ifdef ${option}\n${include}#endif\n`;
  return [...lines.slice(0, at + 1), guarded, ...lines.slice(at + 1)].join('');
}

/** What a kernel's own dispatcher says of a number that it does not know, and how it is told that function. */
const UNKNOWN = 'SMCCC_RET_NOT_SUPPORTED';

/**
 * In the kernel's own dispatcher, the function that mentions the answer for unknown numbers and takes the host's context:
 * calls `dispatcher` first and returns when the call was its own. With `instead` all that the function did is compiled out
 * with the option, and what `dispatcher` does not know is unknown. Null when there is no such function.
 */
export function callDispatcher(
  text: ByteString,
  dispatcher: string,
  option: string | null,
  instead: boolean,
): ByteString | null {
  if (text.includes(`${dispatcher}(`)) return text;
  const tree = parseC(maskC(text));
  for (const node of tree.rootNode.descendantsOfType('function_definition')) {
    if (!text.slice(node.startIndex, node.endIndex).includes(UNKNOWN)) continue;
    const body = node.childForFieldName('body');
    const head = text.slice(node.startIndex, body?.startIndex);
    const context = /struct\s+kvm_cpu_context\s*\*\s*(\w+)/.exec(head)?.[1];
    if (!body || !context) continue;
    if (instead) {
      const [open, close] = [body.startIndex + 1, body.endIndex - 1];
      const old = text.slice(open, close);
      // A guard that begins or ends elsewhere cannot be gone around.
      if (!isBalanced(old) || !/^[ \t]*\n/.test(old)) return null;
      const own = `\tif (!${dispatcher}(${context}))\n\t\t${context}->regs.regs[0] = ${UNKNOWN};\n`;
      const all = option === null ? own : `#ifdef ${option}\n${own}#else\n${old.replace(/^[ \t]*\n/, '')}#endif\n`;
      return `${text.slice(0, open)}\n${all}${text.slice(close)}`;
    }
    const first = body.namedChildren.find(
      (c) =>
        c.type !== 'declaration' &&
        c.type !== 'comment' &&
        !/^\s*DECLARE_REG/.test(text.slice(c.startIndex, c.endIndex)),
    );
    if (!first) continue;
    const line = text.lastIndexOf('\n', first.startIndex) + 1;
    // Its comment stays with it.
    const lineStart =
      line - (/(?:[ \t]*\/\*(?:(?!\*\/)[^])*\*\/[ \t]*\n)+$/.exec(text.slice(0, line))?.[0].length ?? 0);
    const call = `\tif (${dispatcher}(${context}))\n\t\treturn;\n`;
    const guarded = option === null ? `${call}\n` : `#ifdef ${option}\n${call}#endif\n\n`;
    return text.slice(0, lineStart) + guarded + text.slice(lineStart);
  }
  return null;
}

function isBalanced(text: ByteString): boolean {
  let depth = 0;
  for (const [, word] of text.matchAll(/^[ \t]*#[ \t]*(if|ifdef|ifndef|else|elif|endif)\b/gm)) {
    if (word!.startsWith('if')) depth++;
    else if (depth === 0) return false;
    else if (word === 'endif') depth--;
  }
  return depth === 0;
}

/** Adds aliases behind the last one that stands in no condition of its own, or to those that were added before. */
export function addAlias(
  text: ByteString,
  macro: string,
  names: readonly string[],
  option: string | null,
  title: string,
): ByteString | null {
  const lines = splitLines(text);
  let depth = 0;
  let best: { line: number; depth: number } | null = null;
  lines.forEach((line, i) => {
    if (/^\s*#\s*if/.test(line)) depth++;
    else if (/^\s*#\s*endif/.test(line)) depth--;
    else if (line.startsWith(`${macro}(`) && (!best || depth <= best.depth)) best = { line: i, depth };
  });
  const at = best as { line: number } | null;
  const missing = names.filter((n) => !lines.some((l) => l.startsWith(`${macro}(${n})`)));
  if (!at) return null;
  if (missing.length === 0) return text;
  const end = /;\s*$/.test(lines[at.line]!) ? ';' : '';
  const known = lines.findIndex((l, i) => l === `/* ${title} */\n` && lines[i + 1] === `#ifdef ${option}\n`);
  const close = known < 0 ? -1 : lines.indexOf('#endif\n', known);
  if (close >= 0)
    return [...lines.slice(0, close), ...missing.map((n) => `${macro}(${n})${end}\n`), ...lines.slice(close)].join('');
  const entries = ['\n', `/* ${title} */\n`];
  if (option !== null) entries.push(`#ifdef ${option}\n`);
  entries.push(...missing.map((n) => `${macro}(${n})${end}\n`));
  if (option !== null) entries.push('#endif\n');
  return [...lines.slice(0, at.line + 1), ...entries, ...lines.slice(at.line + 1)].join('');
}
