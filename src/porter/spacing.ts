import type { ByteString } from '../core/text';
import type { Segment } from './lift';
import type { PlacedSegment } from './place';
import type { Pairing, Site } from './site';
import type { PorterFile } from './view';

/**
 * Lines of file level that stood together with a neighbour which is gone stand alone now: a blank line that parted that
 * neighbour from what is above (or below) it parts them from it.
 */
export function setApart(added: readonly ByteString[], segment: Segment, p: Pairing, site: Site): ByteString[] {
  if (segment.removed.length || site.remove || (site.precision !== 'shrunk' && site.precision !== 'beside'))
    return [...added];
  const isBlank = (line: ByteString | undefined) => line === undefined || line.trim() === '';
  const above = p.baseUnits.findLastIndex((u) => u.last < segment.at);
  const below = p.baseUnits.findIndex((u) => u.first >= segment.at);
  const held = (i: number, step: 1 | -1) => {
    while (i >= 0 && i < p.baseUnits.length && !p.match[i]) i += step;
    return p.baseUnits[i];
  };
  const parted = (from: number, to: number) =>
    from < to &&
    !isBlank(p.base.lines[from]) &&
    !isBlank(p.base.lines[to - 1]) &&
    p.base.lines.slice(from, to).some(isBlank);
  const out = [...added];
  if (above >= 0 && !p.match[above] && !isBlank(p.base.lines[segment.at - 1]) && !isBlank(out[0])) {
    const last = held(above, -1)?.last;
    if (last !== undefined && parted(last, segment.at) && !isBlank(p.target.lines[site.at - 1])) out.unshift('\n');
  }
  if (below >= 0 && !p.match[below] && !isBlank(p.base.lines[segment.at]) && !isBlank(out[out.length - 1])) {
    const first = held(below, 1)?.first;
    if (first !== undefined && parted(segment.at, first + 1) && !isBlank(p.target.lines[site.at])) out.push('\n');
  }
  return out;
}

/** Without a blank line at the rim of what is put beside one that upstream made since: one is enough. */
export function withoutDoubledBlanks(
  { segment, site, added }: PlacedSegment,
  target: PorterFile,
  base: PorterFile,
): ByteString[] {
  if (segment.removed.length || site.remove || added.every((l) => l.trim() === '')) return added;
  const isBlank = (file: PorterFile, line: number) => file.lines[line]?.trim() === '';
  const first = added[0]!.trim() === '' && isBlank(target, site.at - 1) && !isBlank(base, segment.at - 1);
  const last = added[added.length - 1]!.trim() === '' && isBlank(target, site.at) && !isBlank(base, segment.at);
  return added.slice(first ? 1 : 0, last ? -1 : undefined);
}
