import { stripComments, type ByteString } from '../core/text';
import { Built } from './built';
import type { PortContext } from './context';
import { callsOf } from './links';
import { headsIn, optionOf, textWithAll, type Head } from './option-text';
import type { Placed } from './place';
import type { PlacedEdit } from './uses';
import type { View } from './view';

/** Code that passes too many or too few arguments does not compile: what made it so is at most this sure. */
const DISAGREES = 0.75;

/** A call that a function does not take. */
interface Misfit {
  path: ByteString;
  /** The function that it stands in. */
  inside: string;
  count: number;
}

/** A tree as it is compiled with the options of the set on, or off. */
interface Variant {
  view: View;
  /** The options that are on, and those that are off. */
  on: ReadonlySet<string>;
  off: ReadonlySet<string>;
  built: Built;
  texts: Map<ByteString, { text: ByteString; heads: Head[] } | null>;
}

/**
 * A set that gives a function other parameters changes all its calls: those of the base. In the ported tree every call of
 * such a function that is compiled must pass as many arguments as it takes, whoever wrote the call; and so must the set's own
 * calls of functions of the kernel. Where one does not, the edits that made it so are not sure, and name it.
 *
 * What the patched base compiles with the same fault says nothing.
 */
export async function sayOtherCounts(edits: readonly PlacedEdit[], context: PortContext): Promise<void> {
  const all = new Set(
    edits.flatMap(({ result: { edit } }) => (edit.guard === null ? [] : (optionOf(edit.guard) ?? []))),
  );
  const options = new Set<string>();
  for (const option of all) if (!(await context.options.isUndefined(option))) options.add(option);
  const changed = [...new Set(edits.flatMap(({ result }) => result.placements.map((p) => p.file.path)))].filter((p) =>
    /\.[ch]$/.test(p),
  );
  for (const on of options.size ? [options, new Set<string>()] : [options]) {
    const [ported, own] = [variantOf(context.target, all, on), variantOf(context.patched, all, on)];
    const said = new Set<string>();
    for (const path of changed) {
      for (const head of (await readVariant(ported, path))?.heads ?? []) {
        const takes = head.parameters.length;
        if (said.has(head.name) || !isOtherThanUpstreams(head.name, takes, context)) continue;
        said.add(head.name);
        const placed = edits.flatMap((e) => e.result.placements.filter((p) => changes(p, path, head.name)));
        if (placed.length === 0) continue;
        const known = new Set((await misfits(head.name, own)).map((m) => m.inside));
        const wrong = (await misfits(head.name, ported)).filter((m) => !known.has(m.inside));
        if (wrong.length) doubt(placed, head.name, takes, wrong, on.size > 0);
      }
      await sayOwnCalls(edits, path, ported, context);
    }
  }
}

/** The set's own calls of functions that are upstream's alone: an edit that was read into one of them may pass too much. */
async function sayOwnCalls(
  edits: readonly PlacedEdit[],
  path: ByteString,
  ported: Variant,
  context: PortContext,
): Promise<void> {
  const read = await readVariant(ported, path);
  if (!read) return;
  for (const p of edits.flatMap((e) => e.result.placements)) {
    if (p.file.path !== path || p.definition === null) continue;
    const added = stripComments(p.segments.flatMap((s) => s.added).join(''));
    for (const name of new Set([...added.matchAll(/\b([a-z_]\w*)\s*\(/g)].map((m) => m[1]!))) {
      // What the base knows, the set calls as the base has it; that is the adapter's business.
      if (context.base.kernel.definitions(name).length || context.patched.kernel.mentions(name).length) continue;
      const theirs = context.target.kernel.definitions(name);
      if (theirs.length === 0 || theirs.some((f) => f.definition.kind !== 'function')) continue;
      const wrong = (await misfits(name, ported)).filter((m) => m.path === path && m.inside === p.definition);
      if (wrong.length === 0) continue;
      const takes = [...new Set(theirs.map((f) => f.definition.signature?.parameters.length ?? 0))].join(' or ');
      say(p, `passes ${wrong[0]!.count} arguments to '${name}', which takes ${takes}`);
    }
  }
}

function variantOf(view: View, options: ReadonlySet<string>, on: ReadonlySet<string>): Variant {
  const off = new Set([...options].filter((o) => !on.has(o)));
  return { view, on, off, built: new Built(view, { on, off }), texts: new Map() };
}

async function readVariant(v: Variant, path: ByteString) {
  const known = v.texts.get(path);
  if (known !== undefined) return known;
  const file = await v.view.file(path);
  let read: { text: ByteString; heads: Head[] } | null = null;
  if (file) {
    const text = stripComments(textWithAll(file, v.on, v.off));
    read = { text, heads: headsIn(text, true) };
  }
  v.texts.set(path, read);
  return read;
}

/** True for a function that upstream has, but with no such number of parameters. */
function isOtherThanUpstreams(name: string, takes: number, context: PortContext): boolean {
  const theirs = context.target.kernel.definitions(name);
  if (theirs.length === 0 || theirs.some((f) => f.definition.kind === 'macro')) return false;
  const taken = theirs.flatMap((f) => f.definition.signature ?? []);
  return taken.length > 0 && taken.every((s) => !s.variadic && s.parameters.length !== takes);
}

/** True when a placement writes the head of a function, or changes lines of it. */
function changes(p: Placed, path: ByteString, name: string): boolean {
  if (p.file.path !== path) return false;
  const added = stripComments(p.segments.flatMap((s) => s.added).join(''));
  if (headsIn(added, true).some((h) => h.name === name)) return true;
  return p.file.outer.some((d) => {
    if (d.name !== name || (d.kind !== 'function' && d.kind !== 'prototype')) return false;
    const end = d.body?.start ?? d.end;
    const last = d.startLine + (p.file.text.slice(d.start, end).match(/\n/g)?.length ?? 0);
    return p.segments.some((s) => s.site.at + s.site.remove > d.startLine && s.site.at <= last);
  });
}

/** Calls of a function, in files that are compiled, that pass another number of arguments than any declaration of it takes. */
async function misfits(name: string, v: Variant): Promise<Misfit[]> {
  const files = v.view.kernel.mentions(name).map((f) => f.file.path);
  const laid = [...v.view.changes().keys()];
  const defined = v.view.kernel.definitions(name).map((f) => f.file.path);
  const paths = [...new Set([...files, ...defined, ...laid])].filter((p) => /\.[ch]$/.test(p) && v.view.has(p));
  const takes = new Map<ByteString, Set<number>>();
  for (const path of paths) {
    const heads = (await readVariant(v, path))?.heads.filter((h) => h.name === name) ?? [];
    if (heads.length) takes.set(path, new Set(heads.map((h) => h.parameters.length)));
  }
  const all = new Set([...takes].flatMap(([path, counts]) => (path.endsWith('.h') ? [...counts] : [])));
  const found: Misfit[] = [];
  for (const path of paths) {
    const read = await readVariant(v, path);
    // What a file says itself holds for it; else what headers say.
    const counts = takes.get(path) ?? all;
    if (!read || counts.size === 0) continue;
    const wrong = callsOf(name, read.text, read.heads).filter((c) => !counts.has(c.list.length));
    if (wrong.length === 0 || !(await v.built.has(path))) continue;
    found.push(...wrong.map((c) => ({ path, inside: c.inside, count: c.list.length })));
  }
  return found;
}

function doubt(placed: readonly Placed[], name: string, takes: number, wrong: readonly Misfit[], guarded: boolean) {
  const callers = [...new Set(wrong.map((m) => `'${m.inside}' (${m.path})`))].slice(0, 3).join(', ');
  const head = guarded ? `under the guard '${name}' takes` : `'${name}' takes`;
  const text = `${head} ${takes} arguments, but ${callers} passes ${[...new Set(wrong.map((m) => m.count))].join(' or ')}`;
  for (const p of placed) say(p, text);
}

function say(p: Placed, text: string): void {
  p.confidence = Math.min(p.confidence, DISAGREES);
  if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
}
