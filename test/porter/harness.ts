import { createTwoFilesPatch } from 'diff';
import type { HunkReport, WorkItem } from '../../src/core/outcome';
import { parseVersion } from '../../src/core/version';
import { blobId } from '../../src/io/blob-id';
import { Scratch } from '../../src/io/scratch';
import type { KernelTree } from '../../src/io/tree';
import { readDiff } from '../../src/patch-set/diff-reader';
import type { PatchSet } from '../../src/patch-set/patch-set';
import type { PortedPatch } from '../../src/porter/port';
import { parseRows } from '../../src/symbol-map/chronicle/rows';
import { runPipeline, runStepwise } from '../../src/pipeline';

/** A second set of the family: its own base, whole, and what it makes of that. */
export interface ReferenceTexts {
  version: string;
  base: Texts;
  patched: Texts;
}

/** Path to text. */
export type Texts = Record<string, string>;

/** A kernel in memory. */
export function memoryTree(name: string, files: Texts): KernelTree {
  return {
    name,
    version: parseVersion(name)!,
    commit: null,
    repo: null,
    paths: () => Object.keys(files).sort(),
    has: (p) => p in files,
    entry: (p) => (p in files ? { mode: '100644', oid: blobId(files[p]!) } : null),
    read: (p) => Promise.resolve(files[p] ?? null),
  };
}

/** The set of one patch that makes `after` of `base`; files that `after` does not name are those of `base`. */
export function setOf(base: Texts, after: Texts, name = 'set', version = 'v4.18'): PatchSet {
  const diff = Object.keys(after)
    .filter((p) => after[p] !== base[p])
    .map((p) => {
      const added = base[p] === undefined;
      const text = createTwoFilesPatch(added ? '/dev/null' : `a/${p}`, `b/${p}`, base[p] ?? '', after[p]!, '', '', {
        context: 3,
      });
      const body = text.slice(text.indexOf('--- ')).replace(/^(---|\+\+\+) (\S+)\t?.*$/gm, '$1 $2');
      return `diff --git a/${p} b/${p}\n${added ? 'new file mode 100644\n' : ''}${body}`;
    })
    .join('');
  return {
    name,
    dir: '',
    manifest: {
      schemaVersion: 1 as const,
      name,
      base: { version, commit: null },
      patches: [{ file: '0001.patch', kind: 'diff' as const }],
      unreadable: [],
    },
    patches: [
      { file: '0001.patch', author: null, subject: name, body: '', diff, changes: readDiff(diff, '0001.patch') },
    ],
  };
}

export interface Ported {
  /** The target's files with the set; a deleted one is gone. */
  files: Texts;
  hunks: HunkReport[];
  patches: PortedPatch[];
  workItems: WorkItem[];
  notes: string[];
}

/** Releases between base and target: name to the files that differ from the base; an empty text is no file. */
export type Between = Record<string, Texts>;

/**
 * Ports what `patched` makes of `base` to `target`. All three are whole trees; files that `patched` and `target` do not
 * name are those of `base`; an empty text is no file.
 */
export async function port(
  base: Texts,
  patched: Texts,
  target: Texts,
  moved: string[] = [],
  way: { between?: Between; stepwise?: boolean; generate?: boolean; reference?: ReferenceTexts; rules?: string } = {},
): Promise<Ported> {
  const after = { ...base, ...patched };
  const upstream = { ...base, ...target };
  const reference = way.reference ?? null;
  for (const path of moved) delete upstream[path];
  const set = setOf(base, after);
  return Scratch.use([], async (scratch) => {
    const between = Object.entries(way.between ?? {}).map(([name, files]) => {
      const all = { ...base, ...files };
      return memoryTree(name, Object.fromEntries(Object.entries(all).filter(([, text]) => text !== '')));
    });
    const ported = await (way.stepwise ? runStepwise : runPipeline)({
      set,
      base: memoryTree('v4.18', base),
      target: memoryTree('v5.10', upstream),
      between: way.between ? between : null,
      scratch,
      knowledge: way.rules ? { rules: parseRows(way.rules, 'rules', true) } : {},
      cache: null,
      markers: false,
      generate: way.generate ?? true,
      only: null,
      reference: reference && {
        set: setOf(reference.base, { ...reference.base, ...reference.patched }, 'other', reference.version),
        base: memoryTree(reference.version, reference.base),
      },
      progress: () => undefined,
    });
    const files = { ...upstream };
    for (const [path, file] of ported.trees[0]!) {
      if (file === null) delete files[path];
      else files[path] = file.text;
    }
    const { patches } = ported;
    return { files, hunks: patches[0]!.hunks, patches, workItems: ported.workItems, notes: ported.notes };
  });
}

/** Lines as a text. */
export const lines = (...l: string[]): string => l.map((x) => `${x}\n`).join('');
