import type { FileReport } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';

/**
 * A file of the set may define anew what a file of the base defines, and be built in its place. A header of the target that
 * declares that function with other parameters, or another answer, does not agree with it, and the file does not compile.
 * Headers are read as ported: one that has the set's own declaration agrees.
 *
 * Adds to the message of each new file what it defines so, and where it is declared otherwise.
 */
export async function sayRedeclared(files: readonly FileReport[], context: PortContext): Promise<void> {
  for (const report of files) {
    const [path] = report.targetPaths;
    if (report.status !== 'added' || path === undefined || !path.endsWith('.c')) continue;
    const said: string[] = [];
    for (const own of (await context.target.file(path))?.outer ?? []) {
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
