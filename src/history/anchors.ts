import type { ByteString } from '../core/text';
import { scopeOf } from '../porter/place';
import type { EditTrace } from '../porter/port';
import { tokensOf } from './follow';

/** A base line on which an edit hangs. */
export interface AnchorLine {
  key: string;
  text: ByteString;
  /** Needed by itself; the lines inside a guard are needed together only. */
  needed: boolean;
}

/** Lines that say less than this could be any. */
const TELLING = 0.5;

/**
 * The base lines that an edit hangs on: what it replaces, the first and the last line that a guard of it wraps, the
 * neighbours of what it inserts. Then the lines inside the guard.
 */
export function anchorsOf(trace: EditTrace): AnchorLine[] {
  const { edit, base } = trace;
  const all = tokensOf(base);
  const anchors: AnchorLine[] = [];
  const seen = new Set<number>();
  const take = (line: number, needed: boolean) => {
    const l = all[line];
    if (!l || l.key === '' || l.weight < TELLING || seen.has(line)) return;
    seen.add(line);
    anchors.push({ key: l.key, text: base.lines[line]!.trim().slice(0, 70), needed });
  };
  const search = (from: number, step: 1 | -1, low: number, high: number): number | null => {
    for (let i = from; i >= low && i <= high; i += step) if (all[i]!.weight >= TELLING) return i;
    return null;
  };
  const { wraps } = edit;
  for (const s of edit.segments) {
    const scope = scopeOf(base, s);
    const [low, high] = scope ? [scope.startLine, scope.endLine] : [0, base.lines.length - 1];
    const end = s.at + s.removed.length;
    if (s.anchor === 'lines') for (let i = s.at; i < end; i++) take(i, true);
    const above = search(s.at - 1, -1, s.anchor === 'previous' && wraps ? wraps.first : low, high);
    const below = search(end, 1, low, s.anchor === 'next' && wraps ? wraps.last : high);
    if ((s.anchor === 'previous' || s.anchor === 'between') && above !== null) take(above, true);
    if ((s.anchor === 'next' || s.anchor === 'between') && below !== null) take(below, true);
  }
  if (wraps) for (let i = wraps.first; i <= wraps.last; i++) take(i, false);
  return anchors;
}

/** The lines that a guard takes out: what `obsolete` is about. */
export function guardedLines(trace: EditTrace): AnchorLine[] {
  const { wraps } = trace.edit;
  if (!wraps) return [];
  const all = tokensOf(trace.base);
  const found: AnchorLine[] = [];
  for (let i = wraps.first; i <= wraps.last; i++) {
    const l = all[i]!;
    if (l.weight < 0.7 || /^(return|break|goto|continue|else)\b/.test(l.key)) continue;
    found.push({ key: l.key, text: trace.base.lines[i]!.trim().slice(0, 70), needed: true });
  }
  return found;
}
