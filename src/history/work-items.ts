import { createHash } from 'node:crypto';
import type { HunkReport, WorkItem } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { EditTrace, PortedPatch } from '../porter/port';
import type { ChronicleRow } from '../symbol-map';
import type { Finding } from './cause';
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
  const parent = left.map((_, i) => i);
  const root = (i: number): number => (parent[i] === i ? i : root(parent[i]!));
  left.forEach((l, i) => {
    for (const link of linksOf(l, history)) {
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
function linksOf(l: Left, history: History): string[] {
  // An edit over several hunks is one.
  const links = l.traces.map((t) => `edit ${t.base.path}:${t.edit.segments[0]!.at}`);
  const { finding, stop } = l;
  if (!finding || stop === null) return [...links, `file ${l.hunk.path}`];
  const at = (what: string) => links.push(`${stop} ${what}`);
  if (l.row) at(`row ${l.row.id}`);
  if (finding.definition !== null) at(`definition ${finding.path}:${finding.definition}`);
  const gone = finding.kind === 'definition-gone' || finding.left !== undefined;
  // Definitions that left one file in one release left together.
  if (gone) at(`left ${finding.path}`);
  for (const name of vanished(finding, gone, history)) at(`name ${name}`);
  return links;
}

/** Rare names of the base that the target does not have and that the finding is about; of a definition also what it calls. */
function vanished(finding: Finding, gone: boolean, { way }: History): string[] {
  const base = way.at(0).view.kernel;
  const target = way.at(way.last).view.kernel;
  const names = new Set(finding.names);
  if (gone && finding.definition !== null) {
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
  const definitions = new Map<string, { path: ByteString; definition: string }>();
  for (const { finding } of group) {
    if (finding?.definition != null) {
      definitions.set(`${finding.path}:${finding.definition}`, {
        path: finding.path,
        definition: finding.definition,
      });
    }
  }
  const rows = [...new Map(group.flatMap((l) => (l.row ? [[l.row.id, l.row]] : []))).values()];
  // The one that says most: what took a definition before what changed lines.
  const [first] = [...group].sort((a, b) => weight(b) - weight(a)) as [Left];
  const stop = first.stop;
  const heirs = await search.of([...definitions.values()], rows, stop);
  const release = first.row && first.finding?.left === undefined ? first.row.release : undefined;
  return {
    id: idOf(first, stop === null ? null : way.at(stop).name),
    title: titleOf(first, [...definitions.values()], rows),
    release: release ?? (stop === null ? null : way.at(stop).name),
    cause: first.hunk.causedBy,
    hunks: group.map((l) => l.hunk.id),
    definitions: [...definitions.values()],
    heirs,
    draft: draftOf(group, heirs, search),
  };
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
  rows: readonly ChronicleRow[],
): string {
  const { finding } = first;
  if (!finding) return `${first.hunk.path}: ${first.hunk.message ?? 'not placed'}`;
  const names = definitions.slice(0, 3).map((d) => `'${d.definition}'`);
  const more = definitions.length > 3 ? ` and ${definitions.length - 3} more` : '';
  const what = names.length ? `${names.join(', ')}${more}` : finding.path;
  const note = first.row ?? rows[0];
  return note ? `${what}: ${note.note}` : `${what}: ${finding.text}`;
}

/** The set's lines at the best place there is. */
function draftOf(group: readonly Left[], heirs: WorkItem['heirs'], search: HeirSearch): WorkItem['draft'] {
  const candidate = group.flatMap((l) => l.traces.map((t) => t.failure?.candidate ?? null)).find((c) => c !== null);
  const heir = heirs.find((h) => search.lineOf(h) !== null);
  const place = candidate ?? (heir && { path: heir.path, line: search.lineOf(heir)! });
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
