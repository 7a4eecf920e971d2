import type { Evidence } from '../core/outcome';
import { tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { Edit } from './lift';
import type { View } from './view';

/** Names of the set that upstream has for something else by now, and what the set's are called instead. */
export type Collisions = ReadonlyMap<string, { name: string; where: ByteString }>;

/**
 * Macros and functions that the set brings, that the base does not know, and that the target has: upstream came upon the
 * same name for a thing of its own, and uses it where the set knows nothing of. To define it twice, or over upstream's,
 * would give upstream's users the set's meaning; the set's is renamed in all that the set has.
 *
 * @param paths files that the patch changes
 */
export async function collisionsOf(
  paths: Iterable<ByteString>,
  { base, patched, target }: { base: View; patched: View; target: View },
): Promise<Collisions> {
  const taken = new Map<string, { name: string; where: ByteString }>();
  const files = [...paths];
  for (const path of files) {
    const file = /\.[chS]$/.test(path) ? await patched.file(path) : null;
    for (const own of file?.outer ?? []) {
      if (taken.has(own.name) || !isShared(own) || base.kernel.definitions(own.name).length) continue;
      const text = meaning(file!, own);
      if (text === '') continue;
      const theirs = target.kernel
        .definitions(own.name)
        .filter((f) => f.definition.kind === own.kind && isShared(f.definition) && isVisible(f.file.path, own));
      if (theirs.length === 0) continue;
      const mine = file!.outer.filter((d) => d.name === own.name && d.kind === own.kind).map((d) => meaning(file!, d));
      const same = theirs.some((f) => mine.includes(meaning(f.file, f.definition)));
      if (same && (mine.length === 1 || (await caughtUp(own.name, files, { patched, target })))) continue;
      const name = freeName(own, [base, target, patched]);
      if (name !== null) taken.set(own.name, { name, where: theirs[0]!.file.path });
    }
  }
  return taken;
}

/** True when upstream made the very thing of the set, for the same users: then these may have the set's meaning. */
async function caughtUp(
  name: string,
  paths: readonly ByteString[],
  { patched, target }: { patched: View; target: View },
): Promise<boolean> {
  const users = new Set<string>();
  for (const path of paths) {
    const file = /\.[chS]$/.test(path) ? await patched.file(path) : null;
    for (const d of file?.index.definitions ?? [])
      if (d.uses.includes(name) || d.calls.includes(name)) users.add(d.name);
  }
  return target.kernel.mentions(name).every((f) => users.has(f.definition.name));
}

/** A macro, or a function that others can call. */
function isShared(d: Definition): boolean {
  return d.kind === 'macro' || (d.kind === 'function' && !d.signature?.annotations.includes('static'));
}

/** A macro of somebody's source file is nobody else's; neither is one of a header that lies beside it. */
function isVisible(path: ByteString, d: Definition): boolean {
  return d.kind === 'function' || /^(arch\/\w+\/)?include\//.test(path);
}

function meaning(file: { text: ByteString }, d: Definition): string {
  const words = tokens(file.text.slice(d.start, d.end).replace(/\\\n/g, ' '));
  return words.slice(words.indexOf(d.name) + 1).join(' ');
}

/** The name with the option that the set's stands under in front, or with `own`. */
function freeName(d: Definition, views: readonly View[]): string | null {
  const option = d.guards.map((g) => /CONFIG_(\w+)/.exec(g)?.[1]).find((o) => o !== undefined) ?? 'OWN';
  const prefix = /[a-z]/.test(d.name) ? option.toLowerCase() : option;
  const name = `${prefix}_${d.name}`;
  return views.some((v) => v.kernel.definitions(name).length) ? null : name;
}

/** A text with the set's names as they are called now, and what was renamed. */
export function renamed(text: ByteString, collisions: Collisions): { text: ByteString; evidence: Evidence[] } {
  const evidence: Evidence[] = [];
  let read = text;
  for (const [from, { name, where }] of collisions) {
    const now = read.replace(new RegExp(`(?<![.>\\w])${from}\\b`, 'g'), () => name);
    if (now === read) continue;
    read = now;
    evidence.push({
      kind: 'own-renamed',
      text: `upstream has a '${from}' of its own in '${where}': the set's is called '${name}'`,
    });
  }
  return { text: read, evidence };
}

/** Renames in what an edit adds. */
export function renameIn(edit: Edit, collisions: Collisions): Evidence[] {
  const evidence = new Map<string, Evidence>();
  const read = (lines: readonly ByteString[]) =>
    lines.map((line) => {
      const now = renamed(line, collisions);
      for (const e of now.evidence) evidence.set(e.text, e);
      return now.text;
    });
  for (const s of edit.segments) s.added = read(s.added);
  for (const b of edit.branches) b.added = read(b.added);
  return [...evidence.values()];
}
