import type { ByteString } from '../core/text';
import { conditionChange } from './guards';
import type { Segment } from './lift';
import type { Site } from './site';

/**
 * The `if` and `choice` blocks of a Kconfig around a gap, outermost first. Help texts are indented, so that a word at the
 * beginning of a line is a keyword.
 */
export function blocksAt(lines: readonly ByteString[], gap: number): string[] {
  const stack: string[] = [];
  for (const line of lines.slice(0, gap)) {
    const m = /^(if|choice|endif|endchoice)\b([^#]*)/.exec(line);
    if (m?.[1] === 'if') stack.push(m[2]!.trim());
    else if (m?.[1] === 'choice') stack.push('choice');
    else if (m) stack.pop();
  }
  return stack;
}

/** True for a part that adds entries, not lines of an entry: where they stand says when they can be chosen. */
export function addsEntries(segment: Segment): boolean {
  const first = segment.added.find((l) => l.trim() !== '' && !l.startsWith('#'));
  return segment.removed.length === 0 && /^(?:menu)?config\s/.test(first ?? '');
}

/**
 * Where new entries go that stood under fewer `if`s in the base than at their place in the target: behind what closes those.
 * Upstream put its own entries under a condition; the set's was never asked for it. The site itself where nothing changed;
 * null when they would leave a block that they stood in, or when nothing closes the new one.
 */
export function outOfBlocks(
  segment: Segment,
  base: readonly ByteString[],
  target: readonly ByteString[],
  site: Site,
): Site | null {
  const was = blocksAt(base, segment.at);
  const change = (gap: number) => conditionChange(was, blocksAt(target, gap));
  if (change(site.at).length === 0) return site;
  const outer = blocksAt(target, site.at);
  // Only from the inside out: what a new block closes is behind it, in the blocks of before.
  if (was.some((w, i) => outer[i] !== w)) return null;
  for (let gap = site.at + 1; gap <= target.length; gap++) {
    if (blocksAt(target, gap).length < was.length) return null;
    if (change(gap).length > 0) continue;
    const why = `behind the end of '${outer[was.length]!}', which the entries beside it are under now`;
    return { ...site, at: gap, precision: 'beside', why };
  }
  return null;
}
