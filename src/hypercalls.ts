import path from 'node:path';
import { inputError, KportError, messageOf, usageError } from './core/errors';
import { fromDisplay } from './core/text';
import { formatVersion } from './core/version';
import { differences, type Difference } from './hypercall-gen/differences';
import { eraOf, type Era } from './hypercall-gen/era';
import { extractHypercalls } from './hypercall-gen/extract';
import { checkTable, sortFindings } from './hypercall-gen/findings';
import { asPatch, generate, type Generated } from './hypercall-gen/generate';
import { readTable, writeTable } from './hypercall-gen/table-file';
import type { Finding, HypercallTable } from './hypercall-gen/types';
import { exists, writeFile, writeFolder } from './io/files';
import { openTree, type KernelTree } from './io/tree';
import { loadSet, type PatchSet } from './patch-set/patch-set';
import { findBase } from './result/base';

export interface HypercallsRequest {
  set: string;
  patchesDir: string;
  /** Repository or folder of the target (and of the base, when it is there); null when none was named. */
  tree: string | null;
  baseTree: string | null;
  /** The bundled kernels, asked for only when no tree was named. */
  bundled: () => Promise<string>;
  /** Target revision; null for the set's own base. */
  to: string | null;
  /** Read the set anew and write the table. */
  extract: boolean;
  /** File of the table: to read, or with `extract` to write. */
  table: string | null;
  /** Folder that generated code goes to. */
  emit: string | null;
  /** Another set to compare with. */
  diff: string | null;
  force: boolean;
  dryRun: boolean;
}

export interface HypercallsResult {
  table: HypercallTable;
  /** File that the table came from, or went to; null when it was only read from the set. */
  file: string | null;
  wrote: boolean;
  target: { name: string; version: string } | null;
  era: Era | null;
  findings: Finding[];
  notes: string[];
  generated: Generated | null;
  differences: Difference[] | null;
}

/** `kport hypercalls`: the table of a set, what does not fit, and the code for a target. */
export async function hypercalls(request: HypercallsRequest): Promise<HypercallsResult> {
  const set = await loadSet(request.patchesDir, request.set);
  const opened: KernelTree[] = [];
  try {
    const target = request.to === null ? null : await openTree(await treeOf(request), request.to);
    if (target) opened.push(target);
    const read = await tableOf(request, set, target, opened);
    const against = target ?? read.base;
    const era = against && (await eraOf(against));
    const findings = sortFindings([...read.findings, ...checkTable(read.table, era)]);
    const result: HypercallsResult = {
      table: read.table,
      file: read.file,
      wrote: false,
      target: against && { name: against.name, version: formatVersion(against.version) },
      era,
      findings,
      notes: read.notes,
      generated: null,
      differences: null,
    };
    if (request.diff !== null) {
      const other = await loadSet(request.patchesDir, request.diff);
      const second = await tableOf(
        { ...request, extract: false, table: null, optionalBase: true },
        other,
        null,
        opened,
      );
      result.differences = differences(read.table, second.table);
      result.notes.push(...second.notes.map((n) => `${other.name}: ${n}`));
    }
    if (request.extract) {
      const file = request.table ?? path.join(set.dir, 'hypercalls.json');
      if (exists(file) && !request.force) {
        throw inputError(
          `'${file}' exists, and may have been edited`,
          "give '--force' to replace it, or another file with '--table FILE'",
        );
      }
      result.file = file;
      if (!request.dryRun) {
        writeTable(file, read.table);
        result.wrote = true;
      }
    }
    if (request.emit !== null) {
      if (!against || !era) {
        throw usageError('which kernel is the code for?', "give '--to V', with '--tree DIR' for a kernel of your own");
      }
      const generated = await generate(read.table, era, against);
      result.generated = generated;
      result.findings = sortFindings([...findings, ...generated.findings]);
      if (!request.dryRun) await emit(request.emit, generated, request.force);
    }
    return result;
  } finally {
    for (const tree of opened) tree.repo?.close();
  }
}

async function treeOf(request: HypercallsRequest): Promise<string> {
  return request.tree ?? (await request.bundled());
}

interface ReadTable {
  table: HypercallTable;
  findings: Finding[];
  notes: string[];
  file: string | null;
  base: KernelTree | null;
}

/** The table: from the file that was named, from the one beside the set, or from the set itself. */
async function tableOf(
  request: HypercallsRequest & { optionalBase?: boolean },
  set: PatchSet,
  target: KernelTree | null,
  opened: KernelTree[],
): Promise<ReadTable> {
  const beside = ['hypercalls.json', 'hypercalls.yaml'].map((f) => path.join(set.dir, f)).find(exists) ?? null;
  const file = request.extract ? null : (request.table ?? beside);
  const explicit = request.tree !== null || request.baseTree !== null;
  let base: KernelTree | null = null;
  let note: string | null = null;
  try {
    base = await findBase(set, target ?? NOWHERE, await treeOf(request), request.baseTree);
    opened.push(base);
  } catch (error) {
    // A table that is at hand needs no base, and the patches can be read without one.
    if (!(error instanceof KportError) || error.kind === 'internal' || (explicit && !file && !request.optionalBase))
      throw error;
    note = messageOf(error);
  }
  if (file !== null) return { table: readTable(file), findings: [], notes: [], file, base };
  const source = base && { paths: () => base!.paths(), read: (p: string) => base!.read(p) };
  try {
    const found = await extractHypercalls(set, source);
    if (note !== null) found.notes.push(note);
    return { ...found, file: null, base };
  } catch (error) {
    // The bundled kernels have the tags of the real ones, and not their content.
    if (explicit || base === null || !(error instanceof KportError)) throw error;
    const found = await extractHypercalls(set, null);
    return { ...found, file: null, base: null };
  }
}

/** Stands for a target when there is none: no version is equal to its. */
const NOWHERE = { version: { version: 0, patchlevel: 0, sublevel: 0, extra: '' } } as KernelTree;

async function emit(dir: string, generated: Generated, force: boolean): Promise<void> {
  await writeFolder(
    dir,
    async (temporary) => {
      for (const f of generated.files) if (f.kind === 'new') writeFile(path.join(temporary, f.path), f.text);
      const patch = asPatch(generated);
      if (patch) writeFile(path.join(temporary, 'entries.patch'), patch);
      if (generated.notes.length) {
        writeFile(path.join(temporary, 'NOTES'), fromDisplay(generated.notes.map((n) => `${n}\n`).join('')));
      }
    },
    { replace: force },
  );
}
