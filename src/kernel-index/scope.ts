import type { ByteString } from '../core/text';

/** Which files of a tree are indexed. */
export interface Scope {
  /** Files to begin with, of a tree that has these. */
  of(paths: Iterable<ByteString>): (path: ByteString) => boolean;
  /** Add every file that those include, and so on. */
  closure: boolean;
  /**
   * The whole tree: a kernel's files do not fit into memory, so texts and indexes are dropped once they are cached and
   * read again when asked for.
   */
  whole: boolean;
}

const KVM =
  /^(arch\/arm64\/kvm\/|virt\/(kvm|lib)\/|arch\/arm64\/include\/(uapi\/)?asm\/(kvm|virt|sysreg|esr)|include\/kvm\/|include\/(uapi\/)?linux\/kvm|arch\/arm64\/(Makefile|Kbuild|Kconfig)$|arch\/arm64\/kernel\/(image|head\.S$|hyp-stub\.S$))/;
const NEVER = /\.dtsi?$|^arch\/arm64\/(boot\/dts|configs)\//;

/** A folder with more files below it than this is half a subsystem: `drivers/gpu`, `drivers/net`. */
const WIDE = 1000;

/**
 * What a set needs: the files that it touches, the folders around them, KVM of arm64, and everything these include. Code
 * moves between files of a folder, and from there into folders below it; hence the folders. Of a wide one it is the first
 * on the way to the touched file that is not: a set that changes one line of everybody's would else have all of the kernel.
 *
 * @param included headers that the set's own files include
 */
export function scopeOfSet(touched: Iterable<ByteString>, included: Iterable<ByteString> = []): Scope {
  const changed = [...new Set(touched)];
  const files = new Set<ByteString>([...included, ...changed]);
  const of = (paths: Iterable<ByteString>) => {
    const folders = foldersAround(changed, paths);
    // A folder is asked for once for each of its files.
    const answers = new Map<string, boolean>([['', false]]);
    const below = (folder: string): boolean => {
      const known = answers.get(folder);
      if (known !== undefined) return known;
      const answer = folders.has(folder) || below(parentOf(folder));
      answers.set(folder, answer);
      return answer;
    };
    return (path: ByteString) => files.has(path) || (!NEVER.test(path) && (KVM.test(path) || below(parentOf(path))));
  };
  return { of, closure: true, whole: false };
}

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The folders whose files touched files may exchange code with. */
function foldersAround(touched: readonly ByteString[], paths: Iterable<ByteString>): Set<string> {
  const widest = new Map(touched.map((path) => [path, folderOf(path)]));
  const tops = new Set([...widest.values()].filter((f) => f !== null).map((f) => topOf(f)));
  const size = new Map<string, number>();
  for (const path of paths) {
    if (!tops.has(topOf(path))) continue;
    for (let f = parentOf(path); f !== ''; f = parentOf(f)) size.set(f, (size.get(f) ?? 0) + 1);
  }
  const folders = new Set<string>();
  for (const [path, folder] of widest) {
    if (folder === null) continue;
    const parts = parentOf(path).split('/');
    let depth = folder.split('/').length;
    while (depth < parts.length && (size.get(parts.slice(0, depth).join('/')) ?? 0) > WIDE) depth++;
    folders.add(parts.slice(0, depth).join('/'));
  }
  return folders;
}

const topOf = (path: string) => path.slice(0, `${path}/`.indexOf('/'));

/** Every file of the tree. */
export const WHOLE_TREE: Scope = { of: () => () => true, closure: false, whole: true };

/** The files for which a condition holds, and nothing else. */
export function scopeOf(has: (path: ByteString) => boolean): Scope {
  return { of: () => has, closure: false, whole: false };
}

/** The folder whose files a touched file may exchange code with; null when that would be half a kernel. */
function folderOf(path: ByteString): string | null {
  const parts = path.split('/');
  if (parts.length < 3) return null;
  if (parts[0] === 'include') return null;
  if (parts[0] === 'arch' && parts[2] === 'include') return `${parts[0]}/${parts[1]}/include`;
  if (parts[0] === 'arch' || parts[0] === 'virt') return parts.length > 3 ? parts.slice(0, 3).join('/') : null;
  if (parts[0] === 'drivers') return parts.slice(0, Math.min(2, parts.length - 1)).join('/');
  return parts.slice(0, -1).join('/');
}

/** The paths that an `#include` of a file may mean, best first. Generated headers are in no tree. */
export function includeCandidates(from: ByteString, include: string, system: boolean): ByteString[] {
  const found: string[] = [];
  const arch = /^arch\/([^/]+)\//.exec(from)?.[1] ?? 'arm64';
  if (!system) {
    const folder = from.slice(0, from.lastIndexOf('/') + 1);
    found.push(normalise(folder + include));
  }
  if (include.startsWith('asm/')) {
    for (const a of arch === 'arm64' ? ['arm64'] : [arch, 'arm64']) {
      found.push(`arch/${a}/include/${include}`, `arch/${a}/include/uapi/${include}`);
    }
    found.push(`include/asm-generic/${include.slice(4)}`, `include/uapi/asm-generic/${include.slice(4)}`);
  } else {
    found.push(`include/${include}`, `include/uapi/${include}`);
    // Folders that Makefiles add with -I.
    found.push(
      `arch/${arch}/kvm/${include}`,
      `arch/${arch}/kvm/hyp/include/${include}`,
      `arch/${arch}/${include}`,
      include,
    );
  }
  return found;
}

function normalise(path: string): string {
  const parts: string[] = [];
  for (const p of path.split('/')) {
    if (p === '..') parts.pop();
    else if (p !== '.' && p !== '') parts.push(p);
  }
  return parts.join('/');
}
