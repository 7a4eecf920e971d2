import { diff3Merge } from 'node-diff3';
import type { Evidence } from '../core/outcome';
import { splitLines, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import type { PorterFile } from './view';

/** A definition that the set took out of a file of the base and put, perhaps changed, into a new one. */
interface Moved {
  /** In the set's new file. */
  own: Definition;
  baseText: ByteString;
  target: { path: ByteString; file: PorterFile; definition: Definition };
  /** What the set made of it and what upstream made of it; null when both changed the same lines. */
  merged: ByteString | null;
}

const KINDS = new Set(['struct', 'union', 'enum', 'macro', 'function', 'typedef']);

const textOf = (file: { text: ByteString }, d: Definition) => file.text.slice(d.start, d.end);

/** The definitions of a new file that the set moved there, with upstream's changes to them merged in. */
async function movedDefinitions(file: PorterFile, context: PortContext): Promise<Moved[]> {
  const found: Moved[] = [];
  for (const own of file.outer) {
    if (!KINDS.has(own.kind)) continue;
    for (const was of context.base.kernel.definitions(own.name)) {
      if (was.definition.kind !== own.kind) continue;
      const left = await context.patched.file(was.file.path);
      if (!left || left.outer.some((d) => d.name === own.name && d.kind === own.kind)) continue;
      const [heir] = await context.heirs.definitions(was.file.path, was.definition);
      const there = heir && (await context.target.file(heir.path));
      if (!heir || !there) continue;
      const baseText = textOf(was.file, was.definition);
      const merged = merge(baseText, textOf(file, own), textOf(there, heir.definition));
      found.push({ own, baseText, target: { path: heir.path, file: there, definition: heir.definition }, merged });
      break;
    }
  }
  return found;
}

function merge(base: ByteString, set: ByteString, target: ByteString): ByteString | null {
  const [a, o, b] = [set, base, target].map((t) => splitLines(t));
  const regions = diff3Merge(a!, o!, b!, { excludeFalseConflicts: true });
  return regions.every((r) => r.ok) ? regions.flatMap((r) => r.ok ?? []).join('') : null;
}

/** Replaces pieces of a text; they must not overlap. */
function replaced(text: ByteString, pieces: readonly { start: number; end: number; by: ByteString }[]): ByteString {
  let out = '';
  let at = 0;
  for (const p of [...pieces].sort((x, y) => x.start - y.start)) {
    out += text.slice(at, p.start) + p.by;
    at = p.end;
  }
  return out + text.slice(at);
}

/**
 * A new file of the set with what upstream changed in the definitions that the set moved there: else the copy of a struct
 * would be the old kernel's. Null when there is nothing to change; a definition that both changed stays the set's and is
 * named in `doubts`.
 */
export async function withUpstreamChanges(
  file: PorterFile,
  context: PortContext,
): Promise<{ text: ByteString; evidence: Evidence[]; doubts: string[] } | null> {
  const pieces: { start: number; end: number; by: ByteString }[] = [];
  const evidence: Evidence[] = [];
  const doubts: string[] = [];
  for (const m of await movedDefinitions(file, context)) {
    if (textOf(m.target.file, m.target.definition) === m.baseText) continue;
    if (m.merged === null) doubts.push(`'${m.own.name}' is the set's: upstream changed the same lines of it`);
    else if (m.merged !== textOf(file, m.own)) {
      pieces.push({ start: m.own.start, end: m.own.end, by: m.merged });
      evidence.push({ kind: 'definition-merged', text: `'${m.own.name}' has upstream's changes, too` });
    }
  }
  return pieces.length || doubts.length ? { text: replaced(file.text, pieces), evidence, doubts } : null;
}

/**
 * The set moved definitions into a new file and changed them there; upstream moved them into a file of its own. What the
 * set changed in them goes into upstream's. Null when that is not all that the set's file has, or when both changed the
 * same lines.
 */
export async function intoTwin(
  file: PorterFile,
  twin: ByteString,
  context: PortContext,
): Promise<{ text: ByteString; evidence: Evidence[] } | null> {
  const theirs = await context.target.file(twin);
  if (!theirs) return null;
  const moved = await movedDefinitions(file, context);
  const known = new Set(moved.map((m) => m.own));
  const include = /_H_*$/;
  // What the set moved as it was needs nothing: upstream's form of it is there, or upstream dropped it.
  const asItWas = (d: Definition) =>
    context.base.kernel
      .definitions(d.name)
      .some((was) => was.definition.kind === d.kind && textOf(was.file, was.definition) === textOf(file, d));
  const rest = file.outer.filter(
    (d) => !known.has(d) && d.kind !== 'prototype' && !(d.kind === 'macro' && include.test(d.name)) && !asItWas(d),
  );
  const changed = moved.filter((m) => !asItWas(m.own));
  if (rest.length > 0 || changed.some((m) => m.merged === null)) return null;
  const pieces = changed
    .filter((m) => m.target.path === twin && m.merged !== textOf(theirs, m.target.definition))
    .map((m) => ({ start: m.target.definition.start, end: m.target.definition.end, by: m.merged!, name: m.own.name }));
  if (pieces.length === 0) return null;
  return {
    text: replaced(theirs.text, pieces),
    evidence: pieces.map((p) => ({
      kind: 'definition-merged',
      text: `what the set changed in '${p.name}' is in upstream's '${twin}'`,
    })),
  };
}
