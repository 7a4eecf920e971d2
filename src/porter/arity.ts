import { stripComments, type ByteString } from '../core/text';
import type { Signature } from '../kernel-index/types';
import { otherPointer, pointElsewhere, pointerOf, pointersTaken } from './argument-types';
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
  /** What is taken, and what is passed instead. */
  takes: string;
  passes: string;
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
 * calls of functions of the kernel. What is passed must point to what is taken, too, where both are declared. Where a call
 * does not fit, the edits that made it so are not sure, and name it.
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
        if (said.has(head.name) || !isOtherThanUpstreams(head, context)) continue;
        said.add(head.name);
        const placed = edits.flatMap((e) => e.result.placements.filter((p) => changes(p, path, head.name)));
        if (placed.length === 0) continue;
        const known = new Set((await misfits(head.name, own)).map((m) => m.inside));
        const wrong = (await misfits(head.name, ported)).filter((m) => !known.has(m.inside));
        if (wrong.length) doubt(placed, head.name, wrong, on.size > 0);
      }
      await sayOwnCalls(edits, path, ported, own, context);
    }
  }
}

/**
 * The set's own calls of functions that are upstream's alone: an edit that was read into one of them may pass too much. And
 * those of functions that the set changes, where that found no place: they are still what upstream made of them.
 */
async function sayOwnCalls(
  edits: readonly PlacedEdit[],
  path: ByteString,
  ported: Variant,
  home: Variant,
  context: PortContext,
): Promise<void> {
  const read = await readVariant(ported, path);
  if (!read) return;
  for (const p of edits.flatMap((e) => e.result.placements)) {
    if (p.file.path !== path || p.definition === null) continue;
    const added = stripComments(p.segments.flatMap((s) => s.added).join(''));
    for (const name of new Set([...added.matchAll(/\b([a-z_]\w*)\s*\(/g)].map((m) => m[1]!))) {
      // What the base knows, the set calls as the base has it, unless it changes it: that is the adapter's business.
      const isKnown = context.base.kernel.definitions(name).length || context.patched.kernel.mentions(name).length;
      const own = isKnown ? await changedHead(name, context) : null;
      if (isKnown && !own) continue;
      const theirs = context.target.kernel.definitions(name);
      if (theirs.length === 0 || theirs.some((f) => f.definition.kind !== 'function')) continue;
      const known = own ? new Set((await misfits(name, home)).map((m) => m.inside)) : new Set<string>();
      const wrong = (await misfits(name, ported)).filter(
        (m) => m.path === path && m.inside === p.definition && !known.has(m.inside),
      );
      if (own && wrong.length === 0 && own.returns !== 'void' && takesAnswer(name, added)) {
        const now = await Promise.all(theirs.map((f) => headOf(name, f.file.path, context.target)));
        if (now.every((h) => h?.returns === 'void'))
          say(p, `wants an answer of '${name}', which gives none in the target`);
      }
      if (wrong.length === 0) continue;
      say(p, `passes ${wrong[0]!.passes} to '${name}', which takes ${wrong[0]!.takes}`);
    }
  }
}

/** True where code does something with what a function answers. */
const takesAnswer = (name: string, code: ByteString) =>
  new RegExp(`(?:=|\\breturn|[(!<>&|+,-])\\s*${name}\\s*\\(`).test(code);

async function headOf(name: string, path: ByteString, view: View): Promise<Signature | null> {
  const file = await view.file(path);
  return file?.outer.find((d) => d.kind === 'function' && d.name === name)?.signature ?? null;
}

/** The head that the set gives a function of the base, when it has other parameters, or another answer. */
async function changedHead(name: string, context: PortContext): Promise<Signature | null> {
  for (const { file, definition: was } of context.base.kernel.definitions(name)) {
    if (was.kind !== 'function' || !was.signature) continue;
    const own = await headOf(name, file.path, context.patched);
    const types = (h: Signature) => [h.returns, ...h.parameters.map((p) => p.type)].join();
    if (own && types(own) !== types(was.signature)) return own;
  }
  return null;
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

/** True for a function that upstream has, but with no such number of parameters, or with pointers to other things. */
function isOtherThanUpstreams(head: Head, context: PortContext): boolean {
  const { kernel } = context.target;
  const theirs = kernel.definitions(head.name);
  if (theirs.length === 0 || theirs.some((f) => f.definition.kind === 'macro')) return false;
  const taken = theirs.flatMap((f) => f.definition.signature ?? []);
  const own = pointersTaken(head, kernel);
  return (
    taken.length > 0 &&
    taken.every(({ variadic, parameters }) => {
      if (variadic) return false;
      if (parameters.length !== own.length) return true;
      return parameters.some((p, i) => own[i] && pointElsewhere(own[i]!, pointerOf(p.type, kernel) ?? own[i]!));
    })
  );
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

/**
 * Calls of a function, in files that are compiled, that pass another number of arguments than any declaration of it takes,
 * or a pointer to another thing.
 */
async function misfits(name: string, v: Variant): Promise<Misfit[]> {
  const { kernel } = v.view;
  const files = kernel.mentions(name).map((f) => f.file.path);
  const laid = [...v.view.changes().keys()];
  const defined = kernel.definitions(name).map((f) => f.file.path);
  const paths = [...new Set([...files, ...defined, ...laid])].filter((p) => /\.[ch]$/.test(p) && v.view.has(p));
  const takes = new Map<ByteString, Head[]>();
  for (const path of paths) {
    const heads = (await readVariant(v, path))?.heads.filter((h) => h.name === name) ?? [];
    if (heads.length) takes.set(path, heads);
  }
  const all = [...takes].flatMap(([path, heads]) => (path.endsWith('.h') ? heads : []));
  const found: Misfit[] = [];
  for (const path of paths) {
    const read = await readVariant(v, path);
    // What a file says itself holds for it; else what headers say.
    const declared = takes.get(path) ?? all;
    if (!read || declared.length === 0) continue;
    const counts = new Set(declared.map((h) => h.parameters.length));
    const lists = declared.map((h) => pointersTaken(h, kernel));
    const wrong = callsOf(name, read.text, read.heads).flatMap((c): Misfit[] => {
      const { inside } = c;
      if (!counts.has(c.list.length))
        return [{ path, inside, takes: [...counts].join(' or '), passes: `${c.list.length} arguments` }];
      const fitting = lists.filter((l) => l.length === c.list.length);
      const other = otherPointer(c, fitting, read.text, read.heads, kernel);
      return other ? [{ path, inside, takes: `a '${other.takes}'`, passes: `a '${other.passes}'` }] : [];
    });
    if (wrong.length && (await v.built.has(path))) found.push(...wrong);
  }
  return found;
}

function doubt(placed: readonly Placed[], name: string, wrong: readonly Misfit[], guarded: boolean) {
  const callers = [...new Set(wrong.map((m) => `'${m.inside}' (${m.path})`))].slice(0, 3).join(', ');
  const { takes, passes } = wrong[0]!;
  const count = / arguments$/.test(passes);
  const same = wrong.filter((m) => / arguments$/.test(m.passes) === count);
  const what = count ? `${takes} arguments` : takes;
  const given = [...new Set(same.map((m) => m.passes.replace(/ arguments$/, '')))].join(' or ');
  const text = `${guarded ? 'under the guard ' : ''}'${name}' takes ${what}, but ${callers} passes ${given}`;
  for (const p of placed) say(p, text);
}

function say(p: Placed, text: string): void {
  p.confidence = Math.min(p.confidence, DISAGREES);
  if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
}
