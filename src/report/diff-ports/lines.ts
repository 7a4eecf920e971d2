import { splitLines, type ByteString } from '../../core/text';
import { indexFile } from '../../kernel-index/index-file';
import { languageOf } from '../../kernel-index/language';
import type { Definition } from '../../kernel-index/types';

/**
 * Lines that say nothing about where they belong. The list and the rules around it are those by which agreement with the
 * authors' own port was measured from the start, so that figures can be compared.
 */
const TRIVIAL = new Set([
  ...['else', 'else {', '} else {', 'do {', 'default:', 'break;', 'continue;', 'return;', 'return 0;', 'return 1;'],
  ...['return ret;', 'return r;', 'return err;', 'return true;', 'return false;', 'return NULL;', 'goto out;'],
  ...['goto exit;', 'ret = 0;', 'err = 0;', 'int i;', 'int ret;', 'int err;', 'int ret = 0;', 'int err = 0;'],
  ...[
    'if (ret)',
    'if (err)',
    'if (ret) {',
    'if (err) {',
    'out:',
    'exit:',
    'ret',
    'nop',
    'isb',
    'eret',
    '.endm',
    'help',
  ],
]);

const GUARD = /^#\s*(if|ifdef|ifndef|elif)\b/;

/** A line with every run of white space as one blank. Bytes above 127 are no white space, whatever Unicode says. */
export function normal(line: ByteString): ByteString {
  return line.replace(/[ \t\r\n\f\v]+/g, ' ').replace(/^ | $/g, '');
}

/** True for a normalised line that tells nothing. */
export function isTrivial(path: ByteString, line: ByteString): boolean {
  if (TRIVIAL.has(line) || !/[A-Za-z]/.test(line)) return true;
  if (/^#\s*(else|endif)\b/.test(line)) return true;
  if (/^(\/\*|\* |\*\/|\/\/)/.test(line)) return true;
  const language = languageOf(path);
  return (language === 'kconfig' || language === 'kbuild') && line.startsWith('#');
}

/** True for an `#if` line. */
export function isGuard(line: ByteString): boolean {
  return GUARD.test(line);
}

/** Normalised lines of a text. */
export function normalLines(text: ByteString): ByteString[] {
  return splitLines(text).map(normal);
}

/**
 * For each line the name of the definition in which it lies, the outermost one. Between definitions: an `#if` belongs to
 * what follows, the next definition or an `#include`, an `#include` to none, any other line to the definition before.
 */
export async function placesOf(path: ByteString, text: ByteString): Promise<string[]> {
  const index = await indexFile(path, text);
  const lines = splitLines(text);
  const outer: Span[] = [];
  const blocks = index.language === 'lds' ? blocksOf(lines) : [];
  let end = 0;
  for (const d of index.definitions) {
    if (d.start < end || blocks.some((b) => b.from <= d.startLine && d.startLine <= b.to)) continue;
    outer.push({ name: nameOf(d), from: d.startLine, to: d.endLine });
    end = d.end;
  }
  outer.push(...blocks);
  outer.sort((a, b) => a.from - b.from);
  const includes = index.includes.map((i) => i.line);
  const places: string[] = [];
  let before: Span | null = null;
  let next = 0;
  let include = 0;
  lines.forEach((line, i) => {
    while (next < outer.length && outer[next]!.from <= i) before = outer[next++]!;
    while (include < includes.length && includes[include]! < i) include++;
    const following = outer[next];
    const isForInclude = (includes[include] ?? Infinity) < (following?.from ?? Infinity);
    if (before && i <= before.to) places.push(before.name);
    else if (/^#\s*include\b/.test(line)) places.push('');
    else if (GUARD.test(line) && (isForInclude || following)) places.push(isForInclude ? '' : following!.name);
    else places.push(before ? before.name : '');
  });
  return places;
}

/** A named run of lines, both ends included. */
interface Span {
  name: string;
  from: number;
  to: number;
}

/** The outermost blocks of a linker script (`SECTIONS`): the symbols in them are no places of their own. */
function blocksOf(lines: readonly ByteString[]): Span[] {
  const blocks: Span[] = [];
  for (let i = 0; i < lines.length; i++) {
    const head = /^([A-Za-z_]\w*)\s*(\{?)/.exec(lines[i]!);
    if (!head || (!head[2] && !/^\s*\{/.test(lines[i + 1] ?? ''))) continue;
    const end = lines.findIndex((l, at) => at > i && l.startsWith('}'));
    const to = end < 0 ? lines.length - 1 : end;
    blocks.push({ name: head[1]!, from: i, to });
    i = to;
  }
  return blocks;
}

function nameOf(d: Definition): string {
  return d.kind === 'struct' || d.kind === 'union' || d.kind === 'enum' ? `${d.kind} ${d.name}` : d.name;
}

const CONFLICT = /^(<{7}|\|{7}|={7}|>{7})( |$)/m;

/** A text whose conflict regions are read as their first side; the lines of the other sides; how many regions. */
export function firstSide(text: ByteString): { text: ByteString; left: ByteString[]; regions: number } {
  if (!/^<{7}( |$)/m.test(text)) return { text, left: [], regions: 0 };
  const [kept, left]: [ByteString[], ByteString[]] = [[], []];
  let side = 0;
  let regions = 0;
  for (const line of splitLines(text)) {
    const mark = CONFLICT.exec(line)?.[1]?.[0] ?? '';
    if (mark === '<' && side === 0) {
      side = 1;
      regions++;
    } else if ((mark === '|' || mark === '=') && side > 0) side = 2;
    else if (mark === '>' && side > 0) side = 0;
    else (side < 2 ? kept : left).push(line);
  }
  return { text: kept.join(''), left, regions };
}
