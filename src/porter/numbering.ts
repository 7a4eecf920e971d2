import { diffArrays } from 'diff';
import type { Evidence } from '../core/outcome';
import { splitLines } from '../core/text';
import type { PlacedSegment } from './place';
import type { PorterFile, View } from './view';

/** A line of a file as the porter had it at hand to a line of the target's own file; both from 0. */
type Numbering = (line: number) => number;

const known = new WeakMap<PorterFile, Numbering>();

/**
 * How lines are called in reports: by their number in the target as it was before the port. A file that edits go to may hold
 * lines by then that earlier patches, or earlier edits of this one, have brought. Such a line is called by the next one that
 * is the target's own; a file that is not the target's has its own numbers.
 */
export function numberingOf(file: PorterFile, target: View): Numbering {
  const own = target.kernel.file(file.path);
  if (!own || own.text === file.text) return (line) => line;
  let numbering = known.get(file);
  if (!numbering) {
    const numbers: number[] = [];
    let at = 0;
    for (const { added, removed, count } of diffArrays(splitLines(own.text), [...file.lines])) {
      if (added) for (let i = 0; i < count; i++) numbers.push(at);
      else if (removed) at += count;
      else for (let i = 0; i < count; i++) numbers.push(at++);
    }
    numbering = (line) => numbers[line] ?? at;
    known.set(file, numbering);
  }
  return numbering;
}

/** The line of the target, from 1, at which a part of an edit stands. */
export function lineOf(file: PorterFile, { site }: PlacedSegment, target: View): number {
  return numberingOf(file, target)(site.at) + 1;
}

/** Evidence about a line, with its number in the target. */
export function renumbered(evidence: readonly Evidence[], file: PorterFile, target: View): Evidence[] {
  const prefix = `${file.path}:`;
  return evidence.map((e) => {
    if (!e.kind.startsWith('site-') || !e.text.startsWith(prefix)) return e;
    const text = e.text.slice(prefix.length).replace(/^\d+/, (n) => `${numberingOf(file, target)(Number(n) - 1) + 1}`);
    return { ...e, text: prefix + text };
  });
}
