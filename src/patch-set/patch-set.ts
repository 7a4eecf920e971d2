import path from 'node:path';
import { z } from 'zod';
import { inputError, messageOf } from '../core/errors';
import { pathOf, type FileChange, type Hunk, type Patch } from '../core/patch';
import type { ByteString } from '../core/text';
import { exists, listFolder, readFile } from '../io/files';
import { readBareDiff, readMail } from './mail';
import { assertSafePaths } from './safety';

/** `set.json`: what is known of a patch set beside its patches. */
export const SetManifest = z.object({
  schemaVersion: z.literal(1),
  name: z.string(),
  base: z.object({
    /** `v4.18`, `v5.4.55`: the kernel that the set was written for. */
    version: z.string(),
    /** The commit, when it was imported from a repository. */
    commit: z.string().nullable(),
  }),
  /** Patches in order; `mail` has an author and a message, `diff` has neither. */
  patches: z.array(z.object({ file: z.string(), kind: z.enum(['mail', 'diff']) })),
  /** Files that the source names but whose content it lacks. */
  unreadable: z.array(z.object({ path: z.string(), status: z.string(), blob: z.string() })),
});
export type SetManifest = z.infer<typeof SetManifest>;

/** A named set of patches with its base kernel. */
export interface PatchSet {
  name: string;
  dir: string;
  manifest: SetManifest;
  patches: Patch[];
}

/** A hunk together with where it stands. */
export interface PlacedHunk {
  patch: Patch;
  change: FileChange;
  hunk: Hunk;
}

/** Every hunk of a set, in order. */
export function* hunksOf(set: { patches: readonly Patch[] }): Generator<PlacedHunk> {
  for (const patch of set.patches) {
    for (const change of patch.changes) for (const hunk of change.hunks) yield { patch, change, hunk };
  }
}

/** Names of the sets stored in a folder. */
export function listSets(patchesDir: string): string[] {
  if (!exists(patchesDir)) return [];
  return listFolder(patchesDir).filter((name) => exists(path.join(patchesDir, name, 'set.json')));
}

/** Reads a stored set. Throws an input error that lists the sets there are. */
export async function loadSet(patchesDir: string, name: string): Promise<PatchSet> {
  const dir = path.join(patchesDir, name);
  if (!/^[\w.+-]+$/.test(name) || !exists(path.join(dir, 'set.json'))) {
    const known = listSets(patchesDir);
    throw inputError(
      `no patch set '${name}' in '${patchesDir}'`,
      known.length ? `it has: ${known.join(', ')}` : "run 'kport import NAME SOURCE' to make one",
    );
  }
  const manifest = readManifest(path.join(dir, 'set.json'));
  const patches: Patch[] = [];
  for (const { file, kind } of manifest.patches) {
    if (path.basename(file) !== file) throw inputError(`'${dir}/set.json' names '${file}', which is outside the set`);
    const text = readFile(path.join(dir, file));
    const patch = kind === 'mail' ? await readMail(text, file) : readBareDiff(text, file, name);
    if (!patch) throw inputError(`'${path.join(dir, file)}' holds no patch`);
    patches.push(patch);
  }
  assertSafePaths(patches);
  return { name, dir, manifest, patches };
}

function readManifest(file: string): SetManifest {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(readFile(file), 'latin1').toString('utf8'));
  } catch (cause) {
    throw inputError(`'${file}' is not JSON: ${messageOf(cause)}`, "run 'kport import' again");
  }
  const parsed = SetManifest.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw inputError(`'${file}': ${issue.path.join('.')}: ${issue.message}`, "run 'kport import' again");
  }
  return parsed.data;
}

/** Files that a set makes. */
export function filesAdded(set: { patches: readonly Patch[] }): ByteString[] {
  return set.patches.flatMap((p) => p.changes.filter((c) => c.status === 'added').map((c) => c.newPath!));
}

/** Paths that a set touches: old and new ones. */
export function touchedPaths(set: { patches: readonly Patch[] }): Set<ByteString> {
  const paths = new Set<ByteString>();
  for (const patch of set.patches) {
    for (const change of patch.changes) {
      paths.add(pathOf(change));
      if (change.oldPath !== null) paths.add(change.oldPath);
    }
  }
  return paths;
}
