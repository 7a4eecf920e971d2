import type { Evidence } from '../core/outcome';
import { chomp, stripComments, tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import { assignment, withoutWord } from './kbuild-lists';
import type { PorterFile } from './view';

/**
 * A file of the same name that upstream has made since and that defines what a new file of the set defines: all of it with
 * all its fields, and in the same words or in the base's (`whole`), all of it in other words (`named`), or half of it and
 * more. To have both would be to define things twice.
 */
export async function upstreamTwin(
  source: ByteString,
  context: PortContext,
): Promise<{ path: ByteString; whole: boolean; named: boolean } | null> {
  const name = source.slice(source.lastIndexOf('/') + 1);
  const namesOf = (file: PorterFile) =>
    file.index.definitions
      .filter((d) => d.kind !== 'prototype')
      .flatMap((d) => [`${d.kind} ${d.name}`, ...d.members.map((m) => `${d.name}.${m.name}`)]);
  const own = await context.patched.file(source);
  const mine = own ? new Set(namesOf(own)) : new Set<string>();
  if (!own || mine.size === 0) return null;
  for (const there of context.target.tree.paths()) {
    if (!there.endsWith(`/${name}`) || context.base.tree.has(there) || !/\.[chS]$/.test(there)) continue;
    const file = await context.target.file(there);
    const theirs = new Set(file ? namesOf(file) : []);
    const shared = [...mine].filter((n) => theirs.has(n)).length;
    if (shared * 2 <= mine.size) continue;
    const named = shared === mine.size;
    return { path: there, named, whole: named && saysNothingElse(own, file!, context) };
  }
  return null;
}

/** What the set's file defines, the twin defines in the same words; or the base did, and the twin has upstream's form of it. */
function saysNothingElse(own: PorterFile, twin: PorterFile, context: PortContext): boolean {
  const words = (file: { text: ByteString }, d: Definition) =>
    tokens(stripComments(file.text.slice(d.start, d.end))).join(' ');
  return own.outer.every((d) => {
    const isOf = (o: Definition) => o.kind === d.kind && o.name === d.name;
    const text = words(own, d);
    // The macro that keeps a header from being read twice may be called after its path.
    if (d.kind === 'prototype' || (d.kind === 'macro' && /_H_*$/.test(d.name))) return true;
    return (
      twin.outer.some((o) => isOf(o) && words(twin, o) === text) ||
      context.base.kernel
        .definitions(d.name)
        .some((was) => isOf(was.definition) && words(was.file, was.definition) === text)
    );
  });
}

/**
 * A list of objects of the set without those of files that upstream has: there they are built already. Null when it names
 * none of them.
 */
export function withoutAbsorbed(
  lines: readonly ByteString[],
  list: ByteString,
  context: PortContext,
): { lines: ByteString[]; evidence: Evidence[] } | null {
  const folder = list.slice(0, list.lastIndexOf('/') + 1);
  const evidence: Evidence[] = [];
  const kept = lines.flatMap((line) => {
    const entry = assignment(line);
    if (!entry) return [line];
    const gone = entry.words.filter((word) => {
      const source = [...context.absorbed].find((p) => /\.[cS]$/.test(p) && p.replace(/[cS]$/, 'o') === folder + word);
      if (source === undefined) return false;
      evidence.push({ kind: 'object-built', text: `'${word}' is built from '${context.twins.get(source)!}' already` });
      return true;
    });
    if (gone.length === 0) return [line];
    if (gone.length === entry.words.length) return [];
    return [gone.reduce(withoutWord, chomp(line)).trimEnd() + line.slice(chomp(line).length)];
  });
  return evidence.length ? { lines: kept, evidence } : null;
}
