import type { ByteString } from '../core/text';
import { tokenLines } from './align';
import type { FileHeir } from './heirs';
import type { View } from './view';

/** A file that kept less than this share of its lines is not known again by its text. */
const KEPT = 0.35;

/**
 * Looks for moved files and definitions in the part of the target that a set is about: the folders it touches, and theirs.
 */
export class TargetSearch {
  private readonly texts = new Map<ByteString, ByteString>();
  private readonly moved = new Map<ByteString, FileHeir[]>();

  private constructor(private readonly base: View) {}

  /** Reads the texts that a search may need. `touched` are the paths of the set. */
  static async open(base: View, target: View, touched: Iterable<ByteString>): Promise<TargetSearch> {
    const search = new TargetSearch(base);
    const folders = new Set<ByteString>();
    const missing: ByteString[] = [];
    for (const path of touched) {
      if (!base.tree.has(path)) continue;
      const parts = path.split('/');
      // The folder and the one above it: a split goes into new folders beside the old file.
      const depth = Math.max(2, parts.length - 2);
      if (parts.length > 2) folders.add(`${parts.slice(0, Math.min(depth, parts.length - 1)).join('/')}/`);
      if (!target.has(path)) missing.push(path);
    }
    const roots = [...folders].filter((f) => f !== 'include/linux/' && f !== 'include/uapi/');
    // A file that is gone may be anywhere in its architecture or its subsystem.
    for (const path of missing) {
      const [top, second] = path.split('/');
      if (top === 'virt') roots.push('arch/arm64/kvm/', 'virt/');
      else roots.push(`${top}/${second}/`);
    }
    for (const path of target.tree.paths()) {
      if (!/\.[chS]$|Makefile$|Kbuild$|Kconfig$/.test(path) || !roots.some((r) => path.startsWith(r))) continue;
      const text = await target.text(path);
      if (text !== null) search.texts.set(path, text);
    }
    for (const path of missing) search.moved.set(path, await search.findFile(path));
    return search;
  }

  /** Where a file of the base went: by its lines, each weighed by how rare it is in the old file's company. */
  movedFiles(path: ByteString): FileHeir[] {
    return this.moved.get(path) ?? [];
  }

  /** Target files that mention a name as a word; the caller looks for the definition. */
  definedIn(name: string): ByteString[] {
    const word = new RegExp(`\\b${name.replace(/[^\w]/g, '\\$&')}\\b`);
    return [...this.texts].filter(([, text]) => word.test(text)).map(([path]) => path);
  }

  private async findFile(path: ByteString): Promise<FileHeir[]> {
    const old = await this.base.text(path);
    if (old === null) return [];
    const weigh = (text: ByteString) => {
      const lines = new Map<string, number>();
      for (const l of tokenLines(text.split('\n'))) if (l.weight > 0.4) lines.set(l.key, (lines.get(l.key) ?? 0) + 1);
      return lines;
    };
    const mine = weigh(old);
    const total = [...mine.values()].reduce((a, b) => a + b, 0);
    const name = path.slice(path.lastIndexOf('/') + 1);
    const heirs: FileHeir[] = [];
    for (const [candidate, text] of this.texts) {
      if (this.base.tree.has(candidate)) continue;
      const theirs = weigh(text);
      let common = 0;
      for (const [line, n] of mine) common += Math.min(n, theirs.get(line) ?? 0);
      const kept = total ? common / total : 0;
      const sameName = candidate.endsWith(`/${name}`);
      if (kept < (sameName ? 0.15 : KEPT) || common < 3) continue;
      heirs.push({
        path: candidate,
        confidence: Math.min(0.99, 0.8 + kept * 0.2 + (sameName ? 0.05 : 0)),
        evidence: [
          { kind: 'file-moved', text: `'${candidate}' has ${Math.round(kept * 100)} % of the lines of '${path}'` },
        ],
      });
    }
    return heirs.sort((a, b) => b.confidence - a.confidence || (a.path < b.path ? -1 : 1)).slice(0, 4);
  }
}
