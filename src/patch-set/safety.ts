import { inputError } from '../core/errors';
import type { Patch } from '../core/patch';
import type { ByteString } from '../core/text';

/**
 * Throws an input error when a patch names a file outside the tree: absolute, with `..`, into `.git`, or through a
 * symlink that an earlier change of the set makes. Symlinks of the trees themselves are asked for with
 * {@link assertNoSymlink}.
 */
export function assertSafePaths(patches: readonly Patch[]): void {
  const links = new Set<ByteString>();
  for (const patch of patches) {
    for (const change of patch.changes) {
      for (const p of [change.oldPath, change.newPath]) {
        if (p === null) continue;
        const parts = p.split('/');
        const why =
          p === '' || p.startsWith('/') || /^[A-Za-z]:[\\/]/.test(p)
            ? 'an absolute path'
            : parts.includes('..')
              ? "a path with '..'"
              : parts.some((x) => x.toLowerCase() === '.git')
                ? "a path into '.git'"
                : parts.some((x) => x === '' || x === '.')
                  ? 'an empty path component'
                  : (crosses(p, (dir) => links.has(dir)) ?? null);
        if (why) refuse(patch.file, p, why);
      }
      if (change.newMode === '120000' && change.newPath) links.add(change.newPath);
      else if (change.newPath) links.delete(change.newPath);
      if (change.status === 'deleted' && change.oldPath) links.delete(change.oldPath);
    }
  }
}

/** Throws an input error when a folder on the way to a path is a symlink in the tree. */
export function assertNoSymlink(patchFile: string, p: ByteString, modeOf: (dir: ByteString) => string | null): void {
  const why = crosses(p, (dir) => modeOf(dir) === '120000');
  if (why) refuse(patchFile, p, why);
}

function crosses(p: ByteString, isLink: (dir: ByteString) => boolean): string | undefined {
  const parts = p.split('/');
  for (let i = 1; i < parts.length; i++) {
    const dir = parts.slice(0, i).join('/');
    if (isLink(dir)) return `a path through the symlink '${dir}'`;
  }
  return undefined;
}

function refuse(file: string, p: ByteString, why: string): never {
  throw inputError(`'${file}' names '${p}', ${why}: refused`, 'a patch may only name files inside the kernel tree');
}
