import type { Evidence } from '../core/outcome';
import { tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { similarity } from './align';
import type { PortContext } from './context';
import type { Edit } from './lift';
import type { PorterFile, View } from './view';

/** Names of the set that upstream has for something else by now, and what the set's are called instead. */
export type Collisions = ReadonlyMap<string, Collision>;

interface Collision {
  name: string;
  where: ByteString;
  /** The one file in which the name is the set's; null for all. */
  only: ByteString | null;
}

type Kernels = Pick<PortContext, 'base' | 'patched' | 'target' | 'heirs'>;

/**
 * Macros and functions that the set brings, that the base does not know, and that the target has: upstream came upon the
 * same name for a thing of its own, and uses it where the set knows nothing of. To define it twice, or over upstream's,
 * would give upstream's users the set's meaning; the set's is renamed in all that the set has.
 *
 * @param paths files that the patch changes
 */
export async function collisionsOf(
  paths: Iterable<ByteString>,
  { base, patched, target, heirs }: Kernels,
): Promise<Collisions> {
  const taken = new Map<string, Collision>();
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
      const before = await base.file(path);
      if (theirs.some((f) => isTwin(own, file!, f.definition, f.file, before))) continue;
      if (same && (mine.length === 1 || (await caughtUp(own.name, files, { base, patched, target, heirs })))) continue;
      const name = freeName(own, [base, target, patched]);
      if (name !== null) taken.set(own.name, { name, where: theirs[0]!.file.path, only: null });
    }
    for (const own of file?.outer ?? []) {
      const where = own.kind === 'asm-macro' ? await headerThatHas(own, path, file!, { base, target }) : null;
      const name = where === null || taken.has(own.name) ? null : freeName(own, [base, target, patched]);
      // Another file of the set may well mean upstream's.
      if (name !== null) taken.set(own.name, { name, where: where!, only: path });
    }
  }
  return taken;
}

/**
 * The header in which upstream has a macro of assembly by now that a file of the set makes for itself, with another text.
 * In the base the name was free there: no header had it, and not this file either.
 */
async function headerThatHas(
  own: Definition,
  path: ByteString,
  file: PorterFile,
  { base, target }: Pick<Kernels, 'base' | 'target'>,
): Promise<ByteString | null> {
  const inHeaders = (view: View) =>
    view.kernel
      .definitions(own.name)
      .filter((f) => f.definition.kind === 'asm-macro' && /^(arch\/\w+\/)?include\//.test(f.file.path));
  const theirs = inHeaders(target);
  if (theirs.length === 0 || inHeaders(base).length > 0) return null;
  if ((await base.file(path))?.index.definitions.some((d) => d.name === own.name)) return null;
  const mine = meaning(file, own);
  return theirs.some((f) => meaning(f.file, f.definition) === mine) ? null : theirs[0]!.file.path;
}

/** True when upstream made the very thing of the set, for the same users: then these may have the set's meaning. */
async function caughtUp(
  name: string,
  paths: readonly ByteString[],
  { base, patched, target, heirs }: Kernels,
): Promise<boolean> {
  const users = new Set<string>();
  for (const path of paths) {
    const file = /\.[chS]$/.test(path) ? await patched.file(path) : null;
    const before = await base.file(path);
    for (const d of file?.index.definitions ?? []) {
      if (!d.uses.includes(name) && !d.calls.includes(name)) continue;
      users.add(d.name);
      const was = before?.outer.find((b) => b.name === d.name && b.kind === d.kind);
      for (const heir of was ? await heirs.definitions(path, was) : []) users.add(heir.definition.name);
    }
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

/** Two functions of this likeness are one, which upstream has taken up and changed since. */
const TWIN = 0.6;

/** The set's function without its option, and upstream's, do the same for the same parameters: the change is upstream's by now. */
function isTwin(
  own: Definition,
  file: { text: ByteString },
  their: Definition,
  where: { text: ByteString },
  before: PorterFile | null,
): boolean {
  const upstreams = new Set(before?.index.conditionals.flatMap((c) => c.branches.map((b) => b.condition)));
  if (own.kind !== 'function' || own.guards.some((g) => g.includes('CONFIG_') && !upstreams.has(g))) return false;
  const types = (d: Definition) => d.signature?.parameters.map((p) => p.type).join();
  if (types(own) === '' || types(own) !== types(their)) return false;
  return similarity(meaning(file, own).split(' '), meaning(where, their).split(' ')) >= TWIN;
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
export function renamed(
  text: ByteString,
  path: ByteString,
  collisions: Collisions,
): { text: ByteString; evidence: Evidence[] } {
  const evidence: Evidence[] = [];
  let read = text;
  for (const [from, { name, where, only }] of collisions) {
    if (only !== null && only !== path) continue;
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
export function renameIn(edit: Edit, path: ByteString, collisions: Collisions): Evidence[] {
  const evidence = new Map<string, Evidence>();
  const read = (lines: readonly ByteString[]) =>
    lines.map((line) => {
      const now = renamed(line, path, collisions);
      for (const e of now.evidence) evidence.set(e.text, e);
      return now.text;
    });
  for (const s of edit.segments) s.added = read(s.added);
  for (const b of edit.branches) b.added = read(b.added);
  return [...evidence.values()];
}
