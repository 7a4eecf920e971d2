import { createHash } from 'node:crypto';
import type { HunkReport, WorkItem } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { EditTrace, PortedPatch } from '../porter/port';
import type { ChronicleRow } from '../symbol-map';
import type { Finding } from './cause';
import { anchorsOf } from './anchors';
import { HeirSearch } from './heir-search';
import { tracesByHunk, type History } from './explain';

/** A conflict with what is known about it. */
interface Left {
  hunk: HunkReport;
  traces: EditTrace[];
  finding: Finding | null;
  row: ChronicleRow | null;
  /** The stop at which the mechanism went: that of the definition, where it left, else that of its lines. */
  stop: number | null;
}

/** A name that more definitions than this mention says nothing about a mechanism. */
const RARE = 25;

/** Groups the conflicts of a port by what upstream did, so that each mechanism is solved once. */
export async function workItemsOf(ported: readonly PortedPatch[], history: History): Promise<WorkItem[]> {
  const left: Left[] = [];
  for (const patch of ported) {
    const traces = tracesByHunk(patch);
    for (const hunk of patch.hunks) {
      if (hunk.outcome !== 'conflict') continue;
      const { finding = null, row = null } = history.findings.get(hunk) ?? {};
      const stop = finding ? (finding.left ?? finding.stop) : null;
      const own = (traces.get(hunk.id) ?? []).filter((t) => t.outcome === 'conflict');
      left.push({ hunk, traces: own, finding, row, stop });
    }
  }
  const search = new HeirSearch(history);
  const items: { first: number; item: WorkItem }[] = [];
  for (const group of groups(left, history)) {
    items.push({ first: left.indexOf(group[0]!), item: await itemOf(group, history, search) });
  }
  return items.sort((a, b) => b.item.hunks.length - a.item.hunks.length || a.first - b.first).map(({ item }) => item);
}

/** Puts together what shares a link; conflicts without a known cause are together by file. */
function groups(left: readonly Left[], history: History): Left[][] {
  const of = new Map<string, number>();
  const scopes = new Set(
    left.flatMap((l) => (l.finding?.definition != null ? [`${l.stop} ${l.finding.definition}`] : [])),
  );
  const parent = left.map((_, i) => i);
  const root = (i: number): number => (parent[i] === i ? i : root(parent[i]!));
  left.forEach((l, i) => {
    for (const link of linksOf(l, history, scopes)) {
      const other = of.get(link);
      if (other === undefined) of.set(link, i);
      else parent[root(i)] = root(other);
    }
  });
  const byRoot = new Map<number, Left[]>();
  left.forEach((l, i) => byRoot.set(root(i), [...(byRoot.get(root(i)) ?? []), l]));
  return [...byRoot.values()];
}

/** What ties a conflict to others: two that share one of these are one piece of work. */
function linksOf(l: Left, history: History, scopes: ReadonlySet<string>): string[] {
  // An edit over several hunks is one.
  const links = l.traces.map((t) => `edit ${t.base.path}:${t.edit.segments[0]!.at}`);
  const { finding, stop, row } = l;
  if (!finding || stop === null) return [...links, `file ${l.hunk.path}`];
  const base = history.way.at(0).view.kernel;
  const at = (what: string) => links.push(`${stop} ${what}`);
  if (row && tells(row, finding, history)) {
    at(`row ${row.id}`);
    // Rows that speak of one new file speak of one rewrite.
    for (const path of row.to?.paths ?? []) {
      if (history.way.at(stop).tree.has(path) && !history.way.at(stop - 1).tree.has(path)) at(`into ${path}`);
    }
  }
  if (finding.definition !== null) {
    at(`definition ${finding.definition}`);
    // Lines that call another definition broke together with it; so did what called it and is gone, too.
    const words = new Set(l.traces.flatMap(wordsOf));
    if (isGone(finding)) {
      for (const f of base.definitions(finding.definition)) for (const call of f.definition.calls) words.add(call);
    }
    for (const word of words) if (scopes.has(`${stop} ${word}`)) at(`definition ${word}`);
  }
  // Definitions that left one file in one release left together, unless the chronicle knows better.
  if (isGone(finding) && !(row && isAbout(row, finding))) at(`left ${finding.path}`);
  for (const name of vanished(l, history)) links.push(`name ${name}`);
  return links;
}

/** The words of the lines that an edit hangs on. */
const wordsOf = (t: EditTrace) => anchorsOf(t).flatMap((a) => a.key.split(' '));

const isGone = (f: Finding) => f.kind === 'definition-gone' || f.left !== undefined;

const isAbout = (row: ChronicleRow, f: Finding) => f.definition !== null && row.from?.symbol === f.definition;

/** True for a row about the thing itself, or about a word that few know. An annotation that everybody has ties nothing. */
function tells(row: ChronicleRow, finding: Finding, { way }: History): boolean {
  if (finding.left !== undefined) return isAbout(row, finding);
  const symbol = row.from?.symbol;
  if (symbol === undefined || isAbout(row, finding)) return true;
  return way.at(0).view.kernel.mentions(symbol).length <= RARE;
}

/**
 * Rare names of the base that the target does not have: the ones that the edit's lines and the finding mention, and what
 * a definition that is gone called.
 */
function vanished({ finding, traces }: Left, { way }: History): string[] {
  const base = way.at(0).view.kernel;
  const target = way.at(way.last).view.kernel;
  const names = new Set([...(finding?.names ?? []), ...traces.flatMap(wordsOf)]);
  if (finding?.definition != null && isGone(finding)) {
    names.add(finding.definition);
    for (const f of base.definitions(finding.definition)) {
      if (f.file.path === finding.path) for (const call of f.definition.calls) names.add(call);
    }
  }
  return [...names].filter(
    (n) =>
      base.definitions(n).some((f) => f.definition.kind !== 'prototype') &&
      base.mentions(n).length <= RARE &&
      target.definitions(n).length === 0 &&
      target.mentions(n).length === 0,
  );
}

async function itemOf(group: readonly Left[], history: History, search: HeirSearch): Promise<WorkItem> {
  const { way } = history;
  // The one that says most: what took a definition before what changed lines.
  const [first] = [...group].sort((a, b) => weight(b) - weight(a)) as [Left];
  const definitions = new Map<string, { path: ByteString; definition: string }>();
  for (const { finding } of [first, ...group]) {
    if (finding?.definition != null) {
      definitions.set(`${finding.path}:${finding.definition}`, {
        path: finding.path,
        definition: finding.definition,
      });
    }
  }
  const told = group.flatMap((l) => (l.row && l.finding && tells(l.row, l.finding, history) ? [l.row] : []));
  const names = new Set([
    ...[...definitions.values()].map((d) => d.definition),
    ...group.flatMap((l) => vanished(l, history)),
  ]);
  const stop = first.stop;
  const about = (row: ChronicleRow) => names.has(row.from?.symbol ?? '') || names.has(row.alias ?? '');
  const known = stop === null ? [] : await history.witnesses.all(stop, about);
  const own = new Set(vanished(first, history));
  const nearest = told.find((row) => row === first.row) ?? known.find((row) => own.has(row.from?.symbol ?? '')) ?? null;
  const rows = [...new Set([...(nearest ? [nearest] : []), ...told, ...known])];
  const heirs = search.of([...definitions.values()], rows, await standing(group, history));
  const release = first.row && told.includes(first.row) ? first.row.release : undefined;
  return {
    id: idOf(first, stop === null ? null : way.at(stop).name),
    title: titleOf(first, [...definitions.values()], nearest),
    release: release ?? (stop === null ? null : way.at(stop).name),
    cause: first.hunk.causedBy,
    hunks: group.map((l) => l.hunk.id),
    definitions: [...definitions.values()],
    heirs,
    draft: draftOf(first, group, heirs, search),
  };
}

/** The definitions of the target that the conflicts' own definitions are, or that the symbol map has for them. */
async function standing(
  group: readonly Left[],
  { way, follower }: History,
): Promise<(WorkItem['heirs'][number] & { of: string })[]> {
  const found = new Map<string, WorkItem['heirs'][number] & { of: string }>();
  for (const trace of group.flatMap((l) => l.traces)) {
    for (const scope of follower.scopes(trace)) {
      const stood = await follower.definition(way.last, trace.base, scope);
      if (!stood) continue;
      const { name } = stood.definition;
      const why = name === scope.name ? 'still there, changed' : `by the symbol map, '${scope.name}' became it`;
      const key = `${stood.file.path}:${name}`;
      if (!found.has(key)) found.set(key, { path: stood.file.path, definition: name, why, of: scope.name });
    }
  }
  return [...found.values()];
}

function weight({ finding, row }: Left): number {
  if (!finding) return 0;
  return (finding.kind === 'definition-gone' ? 4 : finding.left !== undefined ? 3 : 1) + (row ? 2 : 0);
}

function idOf(first: Left, release: string | null): string {
  const about = [
    release,
    first.hunk.path,
    first.finding?.definition ?? '',
    first.finding?.definition ? '' : first.hunk.id,
  ];
  return `w${createHash('sha256').update(about.join('\0'), 'latin1').digest('hex').slice(0, 8)}`;
}

function titleOf(
  first: Left,
  definitions: readonly { path: ByteString; definition: string }[],
  row: ChronicleRow | null,
): string {
  const { finding } = first;
  if (!finding) return `${first.hunk.path}: ${first.hunk.message ?? 'not placed'}`;
  const names = definitions.slice(0, 3).map((d) => `'${d.definition}'`);
  const more = definitions.length > 3 ? ` and ${definitions.length - 3} more` : '';
  const what = names.length ? `${names.join(', ')}${more}` : finding.path;
  if (row) return `${what}: ${row.note}`;
  // A finding names its definition itself, where one or its file is all that there is to name.
  const isSaid = definitions.length < 2 && finding.text.includes(what);
  return isSaid ? finding.text : `${what}: ${finding.text}`;
}

/** The set's lines at the best place there is: where the porter would have put them, or in what has the work now. */
function draftOf(first: Left, group: readonly Left[], heirs: WorkItem['heirs'], search: HeirSearch): WorkItem['draft'] {
  const candidateOf = (l: Left) => l.traces.map((t) => t.failure?.candidate ?? null).find((c) => c !== null);
  const heir = heirs.find((h) => search.lineOf(h) !== null);
  const place =
    candidateOf(first) ??
    (heir && { path: heir.path, line: search.lineOf(heir)! }) ??
    group.map(candidateOf).find((c) => c !== undefined);
  const traces = [...new Set(group.flatMap((l) => l.traces))];
  if (!place || traces.length === 0) return null;
  return { path: place.path, line: place.line, text: traces.map(linesOf).join('') };
}

/** An edit as a diff of the base, under a line that says what it is. */
function linesOf({ edit, base }: EditTrace): ByteString {
  const [first] = edit.segments;
  const ids = edit.hunks.map((h) => h.id).join(', ');
  const lines = [`# draft, not placed: hunk ${ids}, ${base.path}:${first!.at + 1}\n`];
  let at = first!.at;
  for (const s of edit.segments) {
    for (; at < s.at; at++) lines.push(` ${base.lines[at]}`);
    lines.push(...s.removed.map((l) => `-${l}`), ...s.added.map((l) => `+${l}`));
    at = s.at + s.removed.length;
  }
  return lines.map((l) => (l.endsWith('\n') ? l : `${l}\n`)).join('');
}
