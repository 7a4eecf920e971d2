import { pathOf, type Patch } from '../core/patch';
import type { Role } from '../core/outcome';
import type { ByteString } from '../core/text';
import { languageOf } from '../kernel-index/language';

/**
 * Who runs the code of each file of a set.
 *
 * A folder with C files that the set makes itself is the corevisor's; so is a new header that is included there and
 * nowhere in the files that existed. All other code is the hostvisor's.
 */
export function rolesOf(patches: readonly Patch[], basePaths: Iterable<ByteString>): (path: ByteString) => Role {
  const folder = (p: ByteString) => p.slice(0, p.lastIndexOf('/') + 1);
  const baseFolders = new Set<ByteString>();
  for (const p of basePaths) baseFolders.add(folder(p));
  const added = new Set<ByteString>();
  const includedBy = new Map<string, Set<ByteString>>();
  for (const change of patches.flatMap((p) => p.changes)) {
    const path = pathOf(change);
    if (change.status === 'added') added.add(path);
    for (const line of change.hunks.flatMap((h) => h.lines)) {
      const m = /^[+ ]\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line);
      if (m) includedBy.set(m[1]!, (includedBy.get(m[1]!) ?? new Set()).add(path));
    }
  }
  const own = [...new Set([...added].filter((p) => p.endsWith('.c')).map(folder))].filter(
    (dir) => !baseFolders.has(dir),
  );
  const isCore = (p: ByteString) => own.some((dir) => p.startsWith(dir));
  return (path) => {
    if (path.startsWith('Documentation/')) return 'docs';
    const language = languageOf(path);
    if (language === 'kconfig' || language === 'kbuild' || language === 'lds') return 'build';
    if (isCore(path)) return 'corevisor';
    if (added.has(path) && path.endsWith('.h')) {
      const users = [...includedBy].filter(([name]) => path.endsWith(`/${name}`)).flatMap(([, who]) => [...who]);
      if (users.length && users.every((u) => isCore(u) || (added.has(u) && u.endsWith('.h')))) return 'corevisor';
    }
    return 'hostvisor';
  };
}
