import type { ByteString } from '../../core/text';
import type { KernelTree } from '../../io/tree';
import { judge, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { isKbuild, isKconfig, plainLines } from '../scan';

/** Options that the set asks for and that neither kernel defines, nor the set: code behind them is compiled nowhere. */
export async function deadOptions(ctx: CheckContext): Promise<string[]> {
  if (!ctx.base) return [];
  const asked = new Set<string>();
  const defined = new Set<string>();
  for (const f of ctx.setFiles.values()) {
    for (const { text, hunk } of f.origin) {
      if (hunk === null) continue;
      if (/^\s*#\s*(if|ifdef|ifndef|elif)\b/.test(text))
        for (const o of text.match(/\bCONFIG_\w+/g) ?? []) asked.add(o);
      const entry = isKconfig(f.path) ? /^\s*(?:menu)?config\s+(\w+)/.exec(text) : null;
      if (entry) defined.add(entry[1]!);
    }
  }
  if (asked.size === 0) return [];
  const trees = [await readKconfig(ctx.base), await readKconfig(ctx.ported)];
  // Trees without a single option are parts of trees, and prove nothing.
  if (trees.some((t) => t.defined.size === 0)) return [];
  const known = (name: string) => defined.has(name) || trees.some((t) => t.defined.has(name));
  return [...asked].filter((o) => !known(o.slice('CONFIG_'.length)));
}

/** Options that the port's code asks for are defined, once, in a Kconfig file that arm64 reads. */
export const kconfig: Check = {
  name: 'kconfig',
  async run(ctx) {
    const findings: Finding[] = [];
    const wanted = new Map<string, { path: ByteString; line: number }>();
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || isKconfig(file.path) || /defconfig$|\.config$/.test(file.path)) continue;
      const added = ctx.addedLines(file.path);
      plainLines(file.ported).forEach((line, i) => {
        if (!added.has(i)) return;
        const asks =
          /^\s*#\s*(if|ifdef|ifndef|elif)\b|IS_ENABLED|IS_BUILTIN|IS_REACHABLE/.test(line) || isKbuild(file.path);
        const bare = isKbuild(file.path) ? line.replace(/#.*$/, '') : line;
        for (const name of asks ? (bare.match(/\bCONFIG_\w+/g) ?? []) : []) {
          if (!wanted.has(name)) wanted.set(name, { path: file.path, line: i });
        }
      });
    }
    const { defined, reached, duplicates, missing } = await readKconfig(ctx.ported);
    const home = ctx.base ? await readKconfig(ctx.base) : null;
    const setDefines = new Set<string>();
    const setAsks = new Set<string>();
    for (const f of ctx.setFiles.values()) {
      for (const l of f.origin)
        if (l.hunk !== null) for (const o of l.text.match(/\bCONFIG_\w+/g) ?? []) setAsks.add(o);
    }
    for (const f of ctx.setFiles.values()) {
      if (!isKconfig(f.path)) continue;
      for (const l of f.origin) {
        const m = l.hunk === null ? null : /^\s*(?:menu)?config\s+(\w+)/.exec(l.text);
        if (m) setDefines.add(m[1]!);
      }
    }
    let dead = 0;
    for (const [option, at] of wanted) {
      const name = option.slice('CONFIG_'.length);
      if (reached.has(name)) continue;
      // An option that nobody defines at home either switches code off there as well: the set's own doing.
      if (home && !home.reached.has(name) && !setDefines.has(name) && setAsks.has(option)) {
        dead++;
        continue;
      }
      findings.push({
        path: at.path,
        line: at.line + 1,
        hunk: ctx.hunkAt(at.path, at.line),
        definition: null,
        text: defined.has(name)
          ? `${option} is defined in '${defined.get(name)![0]}', which no Kconfig file of arm64 reads`
          : `${option} is not defined in any Kconfig file: the code behind it drops out silently`,
        kind: defined.has(name) ? 'option-unreachable' : 'option-undefined',
      });
    }
    for (const [name, files] of duplicates) {
      const own = setDefines.has(name) ? files.find((f) => ctx.portFiles.has(f)) : undefined;
      if (!own) continue;
      findings.push({
        path: own,
        line: null,
        hunk: null,
        definition: name,
        text: `config ${name} is defined ${files.length} times`,
        kind: 'option-twice',
      });
    }
    for (const m of missing) {
      if (!ctx.portFiles.has(m.from) || !ctx.addedLines(m.from).has(m.line)) continue;
      findings.push({
        path: m.from,
        line: m.line + 1,
        hunk: ctx.hunkAt(m.from, m.line),
        definition: null,
        text: `source of '${m.file}', which is not there: no kernel can be configured`,
        kind: 'source-missing',
      });
    }
    for (const option of ctx.options) {
      const name = option.slice('CONFIG_'.length);
      if (!wanted.has(option) && !reached.has(name)) {
        const at = [...ctx.setFiles.values()].find((f) =>
          f.origin.some((l) => l.hunk !== null && new RegExp(`^\\s*(?:menu)?config\\s+${name}\\b`).test(l.text)),
        );
        const hunk =
          at?.origin.find((l) => l.hunk !== null && new RegExp(`config\\s+${name}\\b`).test(l.text))?.hunk ?? null;
        findings.push({
          path: at?.path ?? '',
          line: null,
          hunk,
          definition: name,
          text: `${option} cannot be switched on: no Kconfig file of arm64 defines it`,
          kind: 'option-undefined',
        });
      }
    }
    const own = dead ? `; ${dead} are undefined at home, too` : '';
    return judge('kconfig', findings, `${wanted.size} options looked up${own}`);
  },
};

/** Follows `source` from the top Kconfig file with ARCH=arm64. */
async function readKconfig(tree: KernelTree) {
  const defined = new Map<string, ByteString[]>();
  const reached = new Set<string>();
  const missing: { from: ByteString; line: number; file: string }[] = [];
  const seen = new Set<ByteString>();
  const visit = async (path: ByteString): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await tree.read(path);
    if (text === null) return;
    const lines = plainLines(text);
    let help = -1;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const indent = /^\s*/.exec(line)![0].replace(/\t/g, '        ').length;
      if (help >= 0 && (line.trim() === '' || indent > help)) continue;
      help = -1;
      if (/^\s*(---help---|help)\s*$/.test(line)) {
        help = Math.max(0, indent - 1);
        // The text is as deep as its first line: anything not deeper than the entry ends it.
        continue;
      }
      const config = /^\s*(?:menu)?config\s+(\w+)/.exec(line);
      if (config) {
        const files = defined.get(config[1]!) ?? [];
        if (!files.includes(path)) files.push(path);
        defined.set(config[1]!, files);
        reached.add(config[1]!);
      }
      const source = /^\s*[or]*source\s+"?([^"\s]+)"?/.exec(line);
      if (!source) continue;
      const name = source[1]!.replace(/\$\(?\{?(SRCARCH|ARCH)\)?\}?/g, 'arm64').replace(/^\$\(srctree\)\//, '');
      if (/[*?$]/.test(name)) continue;
      if (tree.has(name)) await visit(name);
      else if (!/^\s*o/.test(line)) missing.push({ from: path, line: i, file: name });
    }
  };
  for (const top of ['Kconfig', 'arch/arm64/Kconfig']) await visit(top);
  for (const path of tree.paths()) {
    if (!isKconfig(path) || seen.has(path) || /^(arch\/(?!arm64\/)|Documentation|scripts|tools)/.test(path)) continue;
    for (const m of ((await tree.read(path)) ?? '').matchAll(/^\s*(?:menu)?config\s+(\w+)/gm)) {
      if (!defined.has(m[1]!)) defined.set(m[1]!, [path]);
    }
  }
  const duplicates = [...defined].filter(([, files]) => files.length > 1);
  return { defined, reached, missing, duplicates };
}
