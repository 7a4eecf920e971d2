import { copyFileSync, linkSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { toBytes, type ByteString } from '../core/text';
import { writeFile, makeFolders } from './files';
import type { KernelTree } from './tree';

/** What an export left out although it was asked for. */
export interface Exported {
  files: number;
  /** Blobs that the repository lacks. */
  missing: ByteString[];
}

/**
 * Writes the files of a tree that `wanted` names into `dir`. Of a repository by `git checkout-index` with an index of its
 * own, so that nothing of the user's moves; a plain folder's files are linked where the file system allows, which is safe
 * because a kernel build with `O=` never writes to its sources, and {@link writeFile} replaces files instead of filling
 * them.
 */
export async function exportTree(
  tree: KernelTree,
  dir: string,
  wanted: (path: ByteString) => boolean,
): Promise<Exported> {
  const list = [...tree.paths()].filter(wanted);
  makeFolders(dir);
  if (tree.repo && tree.commit) {
    const env = { GIT_INDEX_FILE: path.resolve(dir) + '.index', GIT_WORK_TREE: undefined, GIT_DIR: undefined };
    await tree.repo.run(['read-tree', tree.commit], { env });
    // A missing blob makes it exit with an error after all others are written.
    await tree.repo.run(['--work-tree', path.resolve(dir), 'checkout-index', '-f', '-q', '-z', '--stdin'], {
      env,
      input: list.map((p) => `${p}\0`).join(''),
      ok: Array.from({ length: 256 }, (_, i) => i),
    });
    rmSync(env.GIT_INDEX_FILE, { force: true });
    const missing = list.filter((p) => tree.entry(p)!.mode.startsWith('10') && !isThere(path.join(dir, forFs(p))));
    return { files: list.length - missing.length, missing };
  }
  const made = new Set<string>();
  const missing: ByteString[] = [];
  for (const p of list) {
    const to = path.join(dir, forFs(p));
    const parent = path.dirname(to);
    if (!made.has(parent)) makeFolders(parent);
    made.add(parent);
    const from = path.join(tree.name, forFs(p));
    if (tree.entry(p)?.mode === '120000') {
      symlinkSync(toBytes((await tree.read(p)) ?? ''), to);
      continue;
    }
    try {
      linkSync(from, to);
    } catch {
      try {
        copyFileSync(from, to);
      } catch {
        missing.push(p);
      }
    }
  }
  return { files: list.length - missing.length, missing };
}

/** Writes one file of a tree over an export; null content takes it away. */
export function overlayFile(dir: string, p: ByteString, content: ByteString | null): void {
  const file = path.join(dir, forFs(p));
  if (content === null) rmSync(file, { force: true });
  else writeFile(file, content);
}

/** Every file under a folder that `wanted` takes, relative to it, sorted. */
export function filesUnder(dir: string, wanted: (name: string) => boolean): string[] {
  const found: string[] = [];
  const visit = (at: string, prefix: string) => {
    let entries;
    try {
      entries = readdirSync(at, { withFileTypes: true });
    } catch {
      return;
    }
    for (const e of entries) {
      if (e.isDirectory()) visit(path.join(at, e.name), `${prefix}${e.name}/`);
      else if (e.isFile() && wanted(e.name)) found.push(prefix + e.name);
    }
  };
  visit(dir, '');
  return found.sort();
}

/** Takes a folder and everything in it away. */
export function removeFolder(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

/** Bytes of a file; null when it is not there. */
export function sizeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null;
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Byte strings of paths as file names; all but a handful of kernel paths are ASCII. */
function forFs(p: ByteString): string {
  return toBytes(p).toString('utf8');
}
