import { PLACED, type FileReport, type HunkReport } from '../core/outcome';
import type { CorrectionReport } from '../core/report';
import { forDisplay, splitLines, type ByteString } from '../core/text';
import type { KernelTree } from '../io/tree';
import { changeBetween } from '../porter/resolutions';
import { correct, type CorrectedFile } from '../result/corrections';
import type { PortedTree } from './carry';

/** What corrections made of a port. */
export interface CorrectedPort {
  trees: PortedTree[];
  hunks: HunkReport[];
  files: FileReport[];
  corrections: CorrectionReport[];
}

/**
 * Makes in a port what people corrected in it on the same kernel. The patch that wrote the lines writes them as they are to
 * be; what no patch wrote comes with the last one. A correction that does not fit is told, and leaves the file as it is.
 *
 * @param hunkAt the hunk that a 0-based line of a file of the port comes from, before any of this
 */
export async function correctPort(
  trees: readonly PortedTree[],
  target: KernelTree,
  corrected: readonly CorrectedFile[],
  report: { hunks: readonly HunkReport[]; files: readonly FileReport[] },
  hunkAt: (path: ByteString, line: number) => string | null,
): Promise<CorrectedPort> {
  const made = trees.map((tree) => new Map(tree));
  const told: CorrectionReport[] = [];
  for (const { path, corrections } of corrected) {
    const own = corrections.filter((c) => c.target.commit === target.commit);
    const last = made[made.length - 1];
    if (!last || own.length === 0) continue;
    // Lines of the port as it was, for each line as it is: later corrections stand on earlier ones.
    let origin: (number | null)[] | null = null;
    for (const c of own) {
      const said = { path, by: forDisplay(c.by), at: c.at };
      const laid = last.get(path);
      const text = laid === undefined ? await target.read(path) : (laid?.text ?? null);
      const fit = text === null ? 'the port has no such file now' : correct(text, c);
      if (typeof fit === 'string') {
        told.push({ ...said, line: null, hunks: [], message: fit });
        continue;
      }
      origin ??= splitLines(text!).map((_, i) => i);
      const [before, after] = [splitLines(c.before), splitLines(c.after)];
      const change = changeBetween(before, after);
      const at = fit.at + change.at;
      const gone = origin.splice(at, change.removed, ...Array<null>(change.added).fill(null));
      const hunks = new Set(gone.map((line) => (line === null ? null : hunkAt(path, line))));
      told.push({ ...said, line: at + 1, hunks: [...hunks].filter((h) => h !== null), message: null });
      const mode = laid?.mode ?? target.entry(path)?.mode ?? '100644';
      for (const tree of made.slice(0, -1)) {
        const file = tree.get(path);
        const earlier = file ? correct(file.text, c) : '';
        if (file && typeof earlier !== 'string') tree.set(path, { ...file, text: earlier.text });
      }
      last.set(path, { text: fit.text, mode });
    }
  }
  return { trees: made, ...marked(report, told), corrections: told };
}

/** Says of the hunks whose lines a person changed that they are rewritten, and by whom; of new files as well. */
function marked(
  report: { hunks: readonly HunkReport[]; files: readonly FileReport[] },
  told: readonly CorrectionReport[],
): Pick<CorrectedPort, 'hunks' | 'files'> {
  const copy = { hunks: report.hunks.map((h) => ({ ...h })), files: report.files.map((f) => ({ ...f })) };
  for (const c of told.filter((x) => x.message === null)) {
    const evidence = { kind: 'corrected', text: `corrected by a person at ${forDisplay(c.path)}:${c.line}` };
    const own = [
      ...copy.hunks.filter((h) => c.hunks.includes(h.id)),
      ...copy.files.filter((f) => f.status === 'added' && f.targetPaths.includes(c.path)),
    ];
    for (const one of own) {
      one.evidence = [...one.evidence, evidence];
      // A hunk of which something is left stays what it is.
      if (one.outcome === 'unreadable' || one.outcome === 'mixed' || !PLACED.has(one.outcome)) continue;
      one.outcome = 'rewritten';
    }
  }
  return copy;
}
