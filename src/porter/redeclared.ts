import type { FileReport } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import { conditionsAt } from './guards';
import { ALWAYS, reachable } from './includes';
import type { PorterFile } from './view';

/** What cannot be defined twice, even in the same words. */
const DEFINING: ReadonlySet<string> = new Set(['function', 'struct', 'union', 'enum']);

/**
 * A file of the set may define anew what a file of the base defines, and be built in its place. A header of the target that
 * declares that function with other parameters, or another answer, does not agree with it, and the file does not compile.
 * Nor does it where it has a type or a function of its own that a header defines by now, which it includes: upstream moves
 * them there out of its `.c` files. Headers are read as ported: one that has the set's own declaration agrees.
 *
 * Adds to the message of each new file what it defines so, and where it is declared or defined otherwise.
 */
export async function sayRedeclared(files: readonly FileReport[], context: PortContext): Promise<void> {
  for (const report of files) {
    const [path] = report.targetPaths;
    if (report.status !== 'added' || path === undefined || !path.endsWith('.c')) continue;
    const file = await context.target.file(path);
    if (!file) continue;
    const said = await definedTwice(file, context);
    for (const own of file.outer) {
      if (own.kind !== 'function' || own.signature === null || own.signature.annotations.includes('static')) continue;
      const base = context.base.kernel.definitions(own.name).map((f) => f.definition);
      if (!base.some((d) => agrees(d, own))) continue;
      const other = await declaredOtherwise(own, path, context);
      if (other) said.push(`defines '${own.name}', which '${other}' declares with other parameters in the target`);
    }
    if (said.length === 0) continue;
    report.message = [report.message, ...said].filter((m) => m !== null).join('; ');
    report.evidence.push(...said.map((text) => ({ kind: 'doubt', text })));
  }
}

/** What a new file defines, and a header of upstream's, too, which it includes and which the base has not so. */
async function definedTwice(file: PorterFile, context: PortContext): Promise<string[]> {
  const included = reachable(file, context.target);
  const said: string[] = [];
  for (const own of file.outer) {
    if (!DEFINING.has(own.kind) || own.body === null || !isAlways(file, own)) continue;
    const isOwn = (d: Definition) => d.kind === own.kind && d.name === own.name && d.body !== null;
    const inHeaders = (found: readonly { file: { path: ByteString }; definition: Definition }[]) =>
      found.filter((f) => f.file.path.endsWith('.h') && isOwn(f.definition)).map((f) => f.file.path);
    if (inHeaders(context.base.kernel.definitions(own.name)).length) continue;
    for (const path of inHeaders(context.target.kernel.definitions(own.name))) {
      const header = included.has(path) ? await context.target.file(path) : null;
      const twin = header?.outer.find(isOwn);
      if (!header || !twin || !isAlways(header, twin)) continue;
      said.push(`defines '${own.name}', which '${path}' defines by now, too`);
      break;
    }
  }
  return said;
}

/** True for what is compiled whenever C of the kernel is. */
function isAlways(file: PorterFile, d: Definition): boolean {
  return conditionsAt(file.index, d.startLine).every((c) => ALWAYS.test(c));
}

/** The header of the target that declares a function otherwise; null when none does, or one declares it just so. */
async function declaredOtherwise(own: Definition, path: ByteString, context: PortContext): Promise<ByteString | null> {
  const headers = context.target.kernel.definitions(own.name).map((f) => f.file.path);
  let other: ByteString | null = null;
  for (const header of [...new Set(headers)].filter((p) => p.endsWith('.h') && p !== path)) {
    const declared = (await context.target.file(header))?.outer.filter((d) => d.name === own.name) ?? [];
    if (declared.some((d) => agrees(d, own))) return null;
    if (declared.some((d) => d.kind === 'prototype')) other ??= header;
  }
  return other;
}

/** True for two heads of functions with the same types, whatever their parameters are called. */
function agrees(a: Definition, b: Definition): boolean {
  if (!a.signature || !b.signature) return false;
  const types = (d: Definition) => d.signature!.parameters.map((p) => p.type.replace(/\s+/g, '')).join(',');
  return types(a) === types(b) && a.signature.variadic === b.signature.variadic;
}
