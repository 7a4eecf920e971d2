import { PLACED, type FileReport, type HunkReport } from '../core/outcome';
import { splitLines, type ByteString } from '../core/text';
import { alignLines, tokenLines } from '../porter/align';
import { plainLines } from '../verify/scan';
import type { LineEdit } from './drafts';
import type { Change } from './repair';

/** Files that a patch leaves changed; null for a deleted one. */
export type PortedTree = ReadonlyMap<ByteString, { text: ByteString; mode: string } | null>;

/**
 * Makes edits of the last tree in the trees after each patch, so that the patch that wrote a line writes it as it is to be.
 * A patch that did not have the line yet stays as it is.
 */
export function carryEdits(trees: readonly PortedTree[], edits: readonly LineEdit[]): PortedTree[] {
  const last = trees[trees.length - 1] ?? new Map();
  const byPath = new Map<ByteString, LineEdit[]>();
  for (const e of edits) byPath.set(e.path, [...(byPath.get(e.path) ?? []), e]);
  return trees.map((tree) => {
    const changed = new Map(tree);
    for (const [path, list] of byPath) {
      const file = tree.get(path);
      const made = last.get(path);
      if (!file || !made) continue;
      const [from, into] = [splitLines(made.text), splitLines(file.text)];
      const at = made.text === file.text ? (i: number) => i : sameLines(made.text, file.text);
      for (const e of list) {
        const to = at(e.at);
        if (to !== null && into[to] === from[e.at]) into[to] = e.to;
      }
      changed.set(path, { ...file, text: into.join('') });
    }
    return changed;
  });
}

function sameLines(from: ByteString, to: ByteString): (line: number) => number | null {
  const matches = alignLines(tokenLines(plainLines(from)), tokenLines(plainLines(to)));
  return (line) => matches[line]?.to ?? null;
}

/** A placement that the compiler had to correct is no sure one. */
const CONFIDENCE = 0.7;

/** Says in the reports what was repaired: the hunk is `rewritten`, the diagnostic is the evidence. Nothing is counted twice. */
export function markRepaired(
  changes: readonly { change: Change; edit: LineEdit; hunk: string | null }[],
  hunks: readonly HunkReport[],
  files: readonly FileReport[],
): { hunks: HunkReport[]; files: FileReport[] } {
  const marked = { hunks: hunks.map((h) => ({ ...h })), files: files.map((f) => ({ ...f })) };
  for (const { change, edit, hunk } of changes) {
    const evidence = {
      kind: 'repaired',
      text: `${change.evidence.text} (the compiler, option ${change.option}: ${change.diagnostic.text})`,
    };
    const own = marked.hunks.filter((h) => h.id === hunk);
    const of =
      own.find((h) => PLACED.has(h.outcome)) ?? own[0] ?? marked.files.find((f) => f.targetPaths.includes(edit.path));
    if (!of) continue;
    if (!of.evidence.some((e) => e.text === evidence.text)) of.evidence = [...of.evidence, evidence];
    // A hunk of which something is left stays what it is.
    if (of.outcome === 'unreadable' || of.outcome === 'mixed' || !PLACED.has(of.outcome)) continue;
    of.outcome = 'rewritten';
    if ('confidence' in of) of.confidence = Math.min(of.confidence, CONFIDENCE);
    if ('confidence' in of && of.edits.length === 1) {
      of.edits = of.edits.map((e) => ({ ...e, outcome: 'rewritten', confidence: of.confidence }));
    }
  }
  return marked;
}
