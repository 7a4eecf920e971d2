import { formatVersion } from '../../core/version';
import type { ByteString } from '../../core/text';
import type { KernelTree } from '../../io/tree';
import { judge, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { directives } from '../scan';

/** Headers that come from the compiler or from the build. */
const MADE =
  /^(generated\/|asm\/(asm-offsets|unistd|syscalls|cpucaps|sysreg-defs)|linux\/(version|compile|utsrelease)\.h|std(arg|def|bool|int)\.h|config\/)/;

/** Every header that the port's files include is in the ported tree, or is made by the build. */
export const includes: Check = {
  name: 'includes',
  async run(ctx) {
    const findings: Finding[] = [];
    const notes: string[] = [];
    let seen = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || !/\.[chS]$/.test(file.path) || /^(scripts|tools)\//.test(file.path)) continue;
      const added = ctx.addedLines(file.path);
      for (const d of directives(file.ported)) {
        if (d.word !== 'include' || !added.has(d.line)) continue;
        const m = /^([<"])([^>"]+)[>"]/.exec(d.rest);
        if (!m) continue;
        seen++;
        const quoted = m[1] === '"';
        const name = m[2]!;
        if (await resolves(ctx.ported, file.path, name, quoted)) continue;
        // A header that the set lacks at home is not the port's doing.
        const same = ctx.sourcesOf(file.path).some((f) => (f.patched ?? '').includes(m[0]));
        const atHome =
          ctx.base !== null && same && !(await resolves(patchedTree(ctx.base, ctx.setFiles), file.path, name, quoted));
        if (atHome) {
          notes.push(name);
          continue;
        }
        findings.push({
          path: file.path,
          line: d.line + 1,
          hunk: ctx.hunkAt(file.path, d.line),
          definition: null,
          text: `no header '${name}' in ${formatVersion(ctx.target.version)}`,
          kind: 'missing-header',
        });
      }
    }
    const also = notes.length ? `; ${notes.length} are missing at home, too` : '';
    return judge('includes', findings, `${seen} includes looked up${also}`);
  },
};

/** The base with the set on it, as far as this check asks. */
function patchedTree(base: Lookup, setFiles: CheckContext['setFiles']): Lookup {
  return {
    has: (p) => (setFiles.has(p) ? setFiles.get(p)!.patched !== null : base.has(p)),
    read: async (p) => (setFiles.has(p) ? setFiles.get(p)!.patched : base.read(p)),
  };
}

type Lookup = Pick<KernelTree, 'has' | 'read'>;

async function resolves(tree: Lookup, from: ByteString, name: string, quoted: boolean): Promise<boolean> {
  const dir = from.slice(0, from.lastIndexOf('/') + 1);
  if (quoted && tree.has(normalize(dir + name))) return true;
  if (MADE.test(name)) return true;
  const arch = /^arch\/(\w+)\//.exec(from)?.[1] ?? 'arm64';
  const roots = [
    `arch/${arch}/include/`,
    `arch/${arch}/include/uapi/`,
    'include/',
    'include/uapi/',
    `arch/${arch}/include/generated/`,
  ];
  if (roots.some((r) => tree.has(r + name))) return true;
  const generic = /^asm\/(.+)$/.exec(name)?.[1];
  if (generic && (tree.has(`include/asm-generic/${generic}`) || tree.has(`include/uapi/asm-generic/${generic}`)))
    return true;
  for (const root of await searchFolders(tree, dir)) if (tree.has(normalize(root + name))) return true;
  return false;
}

/** `-I` folders that the Kbuild files from a folder up ask for. */
async function searchFolders(tree: Lookup, dir: ByteString): Promise<string[]> {
  const folders: string[] = [dir];
  for (let at = dir; at !== ''; at = at.replace(/[^/]*\/$/, '')) {
    for (const name of ['Makefile', 'Kbuild']) {
      const text = await tree.read(at + name);
      for (const m of (text ?? '').matchAll(/-I\s*(\S+)/g)) {
        const folder = expanded(m[1]!, text!)
          .replace(/\$\((?:srctree|objtree)\)\/?/g, '')
          .replace(/\$\(src\)\/?/g, at)
          .replace(/\/?$/, '/');
        folders.push(normalize(folder), normalize(at + folder));
      }
    }
  }
  return folders;
}

/** A word of a Makefile with the variables that it assigns itself; one may stand on another. */
function expanded(word: string, makefile: ByteString): string {
  let text = word;
  for (let depth = 0; depth < 4; depth++) {
    text = text.replace(/\$\((\w+)\)/g, (whole, name: string) => {
      return new RegExp(`^${name}[ \\t]*[:?]?=[ \\t]*(\\S+)[ \\t]*$`, 'm').exec(makefile)?.[1] ?? whole;
    });
  }
  return text;
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
