import type { Evidence } from '../core/outcome';
import { tokens, type ByteString } from '../core/text';
import { includeCandidates } from '../kernel-index/scope';
import type { PortContext } from './context';
import { conditionsAt } from './guards';
import type { Placed } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile, View } from './view';

/**
 * What a payload mentions was declared by headers that the file of the base includes. Where the code goes to a file that
 * does not include them, or upstream does not any more, they come along, under the guard of the code that needs them.
 *
 * @param own headers that the set brings
 */
export async function bringIncludes(
  results: readonly EditResult[],
  base: PorterFile,
  own: readonly ByteString[],
  context: PortContext,
): Promise<void> {
  const patched = await context.patched.file(base.path);
  const brought = new Set<string>();
  for (const result of results) {
    for (const p of [...result.placements]) {
      if (p.file.index.language !== 'c' || !p.file.path.endsWith('.c')) continue;
      if (p.file.path === base.path && p.file.text === base.text) continue;
      const reached = reachable(p.file, context.target);
      for (const [branch, lines] of branchesOf(result, p)) {
        const words = new Set(tokens(lines.join('')).filter((w) => /^[A-Za-z_]\w{2,}/.test(w)));
        const needed = new Set([
          ...(await ofTheSet(words, p.file, patched, own, context)),
          ...ofUpstream(words, p.file, base, reached, context),
          ...ofMoved(words, p.file, reachable(base, context.base), reached, context),
        ]);
        for (const name of needed) {
          const key = `${p.file.path} ${branch} ${name}`;
          if (brought.has(key)) continue;
          const extra = includePlacement(p, result, name, branch);
          if (!extra) continue;
          brought.add(key);
          result.placements.push(extra);
        }
      }
    }
  }
}

/** What an edit adds, by the directive under which the code that it adds is compiled; '' for always. */
function branchesOf(result: EditResult, p: Placed): [string, readonly ByteString[]][] {
  const { edit } = result;
  if (edit.guard === null || edit.branches.length === 0) return [['', p.segments.flatMap((s) => s.added)]];
  const [first] = edit.branches;
  return edit.branches.flatMap((b, i): [string, ByteString[]][] => {
    const directive = i === 0 ? first!.directive : b.directive.trim() === '#else' ? negated(first!.directive) : null;
    return directive === null ? [] : [[directive.trim(), b.added]];
  });
}

function negated(directive: ByteString): string | null {
  const [, word, name] = /^\s*#\s*(ifdef|ifndef)\s+(\w+)\s*$/.exec(directive) ?? [];
  return word === undefined ? null : `#${word === 'ifdef' ? 'ifndef' : 'ifdef'} ${name}`;
}

/** Headers of the set that declare what the code mentions and that the set's own version of the file includes. */
async function ofTheSet(
  words: ReadonlySet<string>,
  file: PorterFile,
  patched: PorterFile | null,
  own: readonly ByteString[],
  context: PortContext,
): Promise<string[]> {
  if (context.heirs.files(patched?.path ?? file.path).some((h) => h.path === file.path)) return [];
  const needed: string[] = [];
  for (const { path: name, system } of patched?.index.includes ?? []) {
    const header = includeCandidates(patched!.path, name, system).find((p) => own.includes(p));
    const declared = header === undefined ? null : await context.patched.file(header);
    if (!declared?.index.definitions.some((d) => words.has(d.name))) continue;
    if (system && !file.index.includes.some((i) => i.path === name)) needed.push(name);
  }
  return needed;
}

/** Headers of the kernel that define what the code mentions, that the base's file includes and the target's does not reach. */
function ofUpstream(
  words: ReadonlySet<string>,
  file: PorterFile,
  base: PorterFile,
  reached: ReadonlySet<ByteString>,
  context: PortContext,
): string[] {
  return base.index.includes.flatMap(({ path: name, system }) => {
    if (!system || file.index.includes.some((i) => i.path === name)) return [];
    const find = (view: View, from: ByteString) => includeCandidates(from, name, true).find((p) => view.has(p));
    const [was, is] = [find(context.base, base.path), find(context.target, file.path)];
    if (was === undefined || is === undefined || reached.has(is)) return [];
    const here = (word: string, kernel: PortContext['target']['kernel'], path: ByteString) => {
      const found = kernel.definitions(word).filter((f) => f.definition.kind !== 'struct');
      return found.length > 0 && found.every((f) => f.file.path === path);
    };
    const needs = [...words].some((w) => here(w, context.base.kernel, was) && here(w, context.target.kernel, is));
    return needs ? [name] : [];
  });
}

/**
 * Headers that have by now what the code calls and what the base declared in one that its file reaches. They are named as
 * upstream's own callers name them, and are left out when they define what the file defines itself.
 */
function ofMoved(
  words: Iterable<string>,
  file: PorterFile,
  had: ReadonlySet<ByteString>,
  reached: ReadonlySet<ByteString>,
  context: PortContext,
): string[] {
  const { base, target } = context;
  const own = new Set(file.outer.map((d) => d.name));
  const needed = new Set<string>();
  for (const word of words) {
    if (own.has(word) || !base.kernel.definitions(word).some((f) => had.has(f.file.path))) continue;
    const there = target.kernel.definitions(word);
    if (there.some((f) => reached.has(f.file.path) || f.definition.kind === 'struct')) continue;
    const headers = [...new Set(there.map((f) => f.file.path))].filter((p) => p.endsWith('.h'));
    if (headers.length !== 1 || headers[0] === file.path) continue;
    const defines = target.kernel.file(headers[0]!)?.index.definitions ?? [];
    if (defines.some((d) => d.kind !== 'prototype' && own.has(d.name))) continue;
    const name = namedByCallers(word, headers[0]!, file.path, target);
    if (name !== null) needed.add(name);
  }
  return [...needed];
}

/** How the files that call a function include its header, where that leads to it from another file as well. */
function namedByCallers(word: string, header: ByteString, from: ByteString, view: View): string | null {
  const leads = (path: ByteString, name: string) =>
    includeCandidates(path, name, true).find((p) => view.has(p)) === header;
  for (const { file, definition } of view.kernel.mentions(word)) {
    if (!file.path.endsWith('.c') || !definition.calls.includes(word)) continue;
    const include = file.index.includes.find((i) => i.system && leads(file.path, i.path));
    if (include && leads(from, include.path)) return include.path;
  }
  return null;
}

/**
 * A new file of the set, as ported, with the headers that it needs in the target: those that have by now what headers that it
 * includes had in the base.
 *
 * @returns null when it needs none
 */
export function withMovedHeaders(
  file: PorterFile,
  own: PorterFile,
  context: PortContext,
): { text: ByteString; evidence: Evidence[] } | null {
  const called = new Set(file.index.definitions.flatMap((d) => d.calls));
  const reached = reachable(file, context.target);
  const names = ofMoved(called, file, reachable(own, context.patched), reached, context);
  const line = lastInclude(file);
  if (line === undefined || names.length === 0) return null;
  const includes = names.map((name) => `#include <${name}>\n`);
  const text = [...file.lines.slice(0, line + 1), ...includes, ...file.lines.slice(line + 1)].join('');
  return { text, evidence: names.map((name) => ({ kind: 'include-brought', text: `${file.path} needs <${name}>` })) };
}

const reaches = new WeakMap<PorterFile, Set<ByteString>>();

/** Conditions that hold wherever C of the kernel is compiled. */
export const ALWAYS = /^!\s*(?:defined\s*\(?\s*)?__ASSEMBLY__\)?$|^(?:defined\s*\(?\s*)?__KERNEL__\)?$/;

/** Every file that a file of the target includes in each configuration, and so on. */
export function reachable(file: PorterFile, view: View): Set<ByteString> {
  const known = reaches.get(file);
  if (known) return known;
  const seen = new Set<ByteString>();
  const open = [{ path: file.path, index: file.index }];
  for (let at = open.pop(); at; at = open.pop()) {
    for (const { path, system, line } of at.index.includes) {
      if (!conditionsAt(at.index, line).every((c) => ALWAYS.test(c))) continue;
      const found = includeCandidates(at.path, path, system).find((p) => view.has(p));
      if (found === undefined || seen.has(found)) continue;
      seen.add(found);
      const next = view.kernel.file(found);
      if (next) open.push({ path: found, index: next.index });
    }
  }
  reaches.set(file, seen);
  return seen;
}

/** The line of the last include that is always compiled; of the last `<…>` among them, if there is one. */
function lastInclude(file: PorterFile): number | undefined {
  const always = file.index.includes.filter((i) => conditionsAt(file.index, i.line).length === 0);
  return (always.findLast((i) => i.system) ?? always.at(-1))?.line;
}

/** Behind the last include of a file that is always compiled. Null when there is none. */
function includePlacement(p: Placed, result: EditResult, name: string, directive: string): Placed | null {
  const line = lastInclude(p.file);
  if (line === undefined) return null;
  const include = `#include <${name}>\n`;
  const added = directive === '' ? [include] : [`${directive}\n`, include, '#endif\n'];
  const why = `the code that goes to ${p.file.path} needs <${name}>`;
  return {
    ...p,
    segments: [
      {
        segment: { at: 0, removed: [], added, anchor: 'previous', hunk: result.edit.hunks[0]!, order: -1 },
        site: { at: line + 1, remove: 0, precision: 'anchored', why },
        added,
      },
    ],
    definition: null,
    evidence: [{ kind: 'include-brought', text: why }],
  };
}
