import type { ByteString } from '../../core/text';
import type { KernelTree } from '../../io/tree';
import { judge, type Check, type Finding } from '../check';
import { isKbuild, plainLines } from '../scan';

/** Every object rule that the port adds has a source, and every new source file is built or included by something. */
export const kbuild: Check = {
  name: 'kbuild',
  async run(ctx) {
    const findings: Finding[] = [];
    let rules = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || !isKbuild(file.path)) continue;
      const dir = file.path.slice(0, file.path.lastIndexOf('/') + 1);
      const added = ctx.addedLines(file.path);
      const composites = compositesOf(file.ported);
      const lines = plainLines(file.ported);
      for (let i = 0; i < lines.length; i++) {
        if (!added.has(i)) continue;
        for (const object of objectsOf(lines[i]!)) {
          rules++;
          const source = await sourceOf(ctx.ported, dir, object, composites);
          if (source !== null) continue;
          // A rule of the set's own that finds nothing at home either is its own business.
          const atHome = ctx.sourcesOf(file.path).some((f) => (f.patched ?? '').split(/[\s=]/).includes(object));
          if (ctx.base && atHome && (await homeLacks(ctx.base, ctx.setFiles, dir, object))) continue;
          findings.push({
            path: file.path,
            line: i + 1,
            hunk: ctx.hunkAt(file.path, i),
            definition: object,
            text: `'${object}' has no source: no ${dir}${object.replace(/\.o$/, '.[cS]')}`,
            kind: 'object-without-source',
          });
        }
      }
    }
    const built = await builtSources(
      ctx.ported,
      [...ctx.portFiles.values()].map((f) => f.path),
    );
    let sources = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.target !== null || file.ported === null || !/\.[cS]$/.test(file.path)) continue;
      if (/^(tools|samples|Documentation|scripts)\//.test(file.path)) continue;
      sources++;
      if (built.has(file.path) || (await isIncluded(ctx.ported, file.path))) continue;
      const home = ctx.setFiles.get(file.path);
      // A source that the set does not build at home either is its own business.
      if (home && ctx.setFiles.size && !builtAtHome(ctx.setFiles, home.path)) continue;
      findings.push({
        path: file.path,
        line: null,
        hunk: ctx.hunkAt(file.path, 0),
        definition: null,
        text: `no Makefile has an object rule for it: it is never built`,
        kind: 'source-without-rule',
      });
    }
    for (const dir of newFolders(ctx.portFiles)) {
      if (await isEntered(ctx.ported, dir)) continue;
      const entry = [...ctx.setFiles.values()].find(
        (f) => isKbuild(f.path) && f.origin.some((l) => l.hunk !== null && entersFolder(f.path, l.text, dir)),
      );
      if (!entry && ctx.setFiles.size) continue;
      const hunk = entry?.origin.find((l) => l.hunk !== null && entersFolder(entry.path, l.text, dir))?.hunk ?? null;
      findings.push({
        path: `${dir}Makefile`,
        line: null,
        hunk,
        definition: null,
        text: `no Makefile enters '${dir}': nothing in it is built`,
        kind: 'folder-not-built',
      });
    }
    return judge('kbuild', findings, `${rules} object rules and ${sources} new sources looked up`);
  },
};

/** `foo.o` words and `dir/` words of a rule line. */
function objectsOf(line: string): string[] {
  const m = /^\s*(?:[\w.$()+-]*(?:obj|hyp-obj|lib|core|objs|-y)[\w.$(){}-]*)\s*[:+?]?=\s*(.*)$/.exec(
    line.replace(/#.*$/, ''),
  );
  return (m?.[1] ?? '').match(/[\w$(){}./-]+\.o\b/g) ?? [];
}

function compositesOf(text: ByteString): Set<string> {
  const names = new Set<string>();
  for (const m of text.matchAll(/^\s*([\w-]+?)-(?:objs|y|\$\(\w+\))\s*[:+?]?=/gm)) names.add(`${m[1]!}.o`);
  return names;
}

async function sourceOf(
  tree: KernelTree,
  dir: ByteString,
  object: string,
  composites: Set<string>,
): Promise<string | null> {
  // A path through a make variable (`$(KVM)/arm/x.o`) cannot be followed without make.
  if (object.includes('$')) return object;
  if (composites.has(object)) return object;
  // `x.nvhe.o` is made from x.c.
  const stem = object.replace(/\.o$/, '').replace(/\.nvhe$|\.tmp$|\.pi$|^kvm_nvhe$/, '');
  for (const ext of ['.c', '.S', '.rs', '.s']) if (tree.has(resolve(dir + stem + ext))) return stem + ext;
  return /^kvm_nvhe|^built-in/.test(object) ? object : null;
}

async function homeLacks(
  base: KernelTree,
  setFiles: ReadonlyMap<ByteString, unknown>,
  dir: ByteString,
  object: string,
): Promise<boolean> {
  const stem = resolve(dir + object.replace(/\.o$/, ''));
  return !['.c', '.S', '.s'].some((e) => base.has(stem + e) || setFiles.has(stem + e));
}

/** Sources with an object rule, in the folders of the given files. */
async function builtSources(tree: KernelTree, paths: ByteString[]): Promise<Set<ByteString>> {
  const built = new Set<ByteString>();
  const folders = new Set<ByteString>();
  for (const p of paths) {
    for (let dir = p.slice(0, p.lastIndexOf('/') + 1); dir !== ''; dir = dir.replace(/[^/]*\/$/, '')) folders.add(dir);
  }
  for (const dir of folders) {
    for (const name of ['Makefile', 'Kbuild']) {
      const text = await tree.read(dir + name);
      for (const m of (text ?? '').replace(/^\s*#.*$/gm, '').matchAll(/[\w./-]+\.o\b/g)) {
        const stem = resolve(dir + m[0].replace(/\.o$/, '').replace(/\.nvhe$/, ''));
        for (const ext of ['.c', '.S']) built.add(stem + ext);
      }
    }
  }
  return built;
}

async function isIncluded(tree: KernelTree, path: ByteString): Promise<boolean> {
  const dir = path.slice(0, path.lastIndexOf('/') + 1);
  const name = path.slice(dir.length);
  for (const p of tree.paths()) {
    if (!p.startsWith(dir) || p === path || !/\.[chS]$/.test(p)) continue;
    if (((await tree.read(p)) ?? '').includes(`"${name}"`)) return true;
  }
  return false;
}

function builtAtHome(setFiles: CheckSetFiles, path: ByteString): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.[cS]$/, '.o');
  const rule = new RegExp(`(^|[\\s/])${name.replace(/[.+]/g, '\\$&')}\\b`);
  return [...setFiles.values()].some(
    (f) => isKbuild(f.path) && (f.patched ?? '').split('\n').some((l) => !/^\s*#/.test(l) && rule.test(l)),
  );
}

type CheckSetFiles = ReadonlyMap<ByteString, { path: ByteString; patched: ByteString | null }>;

/** Folders with a Makefile that the port adds. */
function newFolders(
  files: ReadonlyMap<ByteString, { path: ByteString; target: ByteString | null; ported: ByteString | null }>,
): ByteString[] {
  return [...files.values()]
    .filter((f) => f.target === null && f.ported !== null && /\/(Makefile|Kbuild)$/.test(f.path))
    .map((f) => f.path.slice(0, f.path.lastIndexOf('/') + 1));
}

/** True when some Makefile or Kbuild above names the folder. */
async function isEntered(tree: KernelTree, dir: ByteString): Promise<boolean> {
  const tops = ['Makefile', 'Kbuild'];
  for (let at = dir.replace(/[^/]*\/$/, ''); ; at = at.replace(/[^/]*\/$/, '')) {
    for (const name of tops) {
      const text = await tree.read(at + name);
      if ((text ?? '').split('\n').some((l) => entersFolder(at + name, l, dir))) return true;
    }
    if (at === '') return false;
  }
}

function entersFolder(makefile: ByteString, line: string, dir: ByteString): boolean {
  const at = makefile.slice(0, makefile.lastIndexOf('/') + 1);
  const bare = line.replace(/#.*$/, '');
  if (!/[:+?]?=/.test(bare)) return false;
  return (bare.match(/[\w./-]+/g) ?? []).some((w) => {
    const folder = w.replace(/\/?$/, '/');
    return (
      folder !== '/' &&
      (resolve(folder) === dir ||
        resolve(at + folder) === dir ||
        `${resolve(at + w)}/` === dir ||
        `${resolve(w)}/` === dir)
    );
  });
}

function resolve(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
