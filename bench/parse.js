// Share of files and of top-level items with ERROR or MISSING, without and with the pre-pass, per folder; and the
// functions found, against ctags on the same files.
//   node bench/parse.js --tree REPO [REVISION…]
const { execFileSync } = require('node:child_process');
const { mkdtempSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { options } = require('./common');
const { openTree } = require('../dist/io/tree');
const { harvestAttributes } = require('../dist/kernel-index/attributes');
const { indexFile } = require('../dist/kernel-index/index-file');
const rules = require('../dist/kernel-index/mask-words.json');

const FOLDERS = {
  'arch/arm64/kvm': ['arch/arm64/kvm/'],
  'virt/kvm': ['virt/kvm/'],
  'arch/arm64/include/asm': ['arch/arm64/include/asm/'],
  'include/linux': ['include/linux/'],
  'kernel + mm': ['kernel/', 'mm/'],
  corevisor: ['arch/arm64/sekvm/', 'arch/arm64/hypsec_proved/'],
};

async function main() {
  const o = options();
  const all = [];
  for (const revision of o.rest.length ? o.rest : ['v4.18', 'v5.4', 'v5.8', 'v5.10', 'sekvm-4.18', 'sekvm-5.4']) {
    const tree = await openTree(o.tree, revision);
    const attributes = await harvestAttributes(tree, null);
    for (const [folder, prefixes] of Object.entries(FOLDERS)) {
      const paths = [...tree.paths()].filter((p) => /\.[ch]$/.test(p) && prefixes.some((x) => p.startsWith(x)));
      if (paths.length) all.push(await measure(tree, revision, folder, paths, attributes.words, o));
    }
    tree.repo?.close();
  }
  if (o.json) console.log(JSON.stringify({ schemaVersion: 1, rows: all }, null, 1));
}

async function measure(tree, revision, folder, paths, attributes, o) {
  const row = { revision, folder, files: 0, filesRaw: 0, filesBad: 0, items: 0, itemsRaw: 0, itemsBad: 0, broken: 0 };
  const functions = new Map();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'kport-bench-'));
  for (const p of paths) {
    if (!tree.entry(p).mode.startsWith('100')) continue;
    const text = await tree.read(p);
    if (text === null) continue;
    const index = await indexFile(p, text, { attributes, countRaw: true });
    row.files++;
    row.filesRaw += index.parse.badRaw > 0 ? 1 : 0;
    row.filesBad += index.parse.bad > 0 ? 1 : 0;
    row.items += index.parse.items;
    row.itemsRaw += index.parse.badRaw ?? 0;
    row.itemsBad += index.parse.bad;
    for (const d of index.definitions) {
      if (d.broken) row.broken++;
      if (d.kind === 'function') functions.set(`${p} ${d.name}`, [...(functions.get(`${p} ${d.name}`) ?? []), d]);
    }
    if (o.verbose && index.parse.bad)
      console.error(`bad: ${revision} ${p}: ${index.definitions.filter((d) => d.broken).map((d) => d.name)}`);
    mkdirSync(path.dirname(path.join(dir, p)), { recursive: true });
    writeFileSync(path.join(dir, p), text, 'latin1');
  }
  Object.assign(row, await ctags(dir, paths, attributes, functions, o));
  rmSync(dir, { recursive: true });
  const share = (n, of) => `${((100 * n) / Math.max(1, of)).toFixed(2)} %`;
  if (!o.json) {
    console.log(
      [
        revision.padEnd(11),
        folder.padEnd(23),
        `files ${row.files}: ${share(row.filesRaw, row.files)} -> ${row.filesBad} = ${share(row.filesBad, row.files)}`,
        `items ${row.items}: ${row.itemsRaw} raw -> ${row.itemsBad} = ${share(row.itemsBad, row.items)}`,
        `ctags ${row.ctags}: matched ${row.matched} = ${((100 * row.matched) / Math.max(1, row.ctags)).toFixed(3)} %, same end ${row.sameEnd}, marked broken ${row.matchedBroken}, silent misparse ${row.silent}, only here ${row.onlyHere}`,
      ].join(' | '),
    );
  }
  return row;
}

/** Functions that ctags finds, and what became of them here. Names in capitals are macros on both sides. */
async function ctags(dir, paths, attributes, functions, o) {
  const words = [...rules.attributes, ...attributes, ...rules.attributeCalls.map((w) => `${w}+`)].join(',');
  const out = execFileSync(
    'ctags',
    [
      '-x',
      '--c-kinds=f',
      '--languages=C',
      '--langmap=C:.c.h',
      '--_xformat=%F\t%N\t%n\t%{end}',
      '--fields=+e',
      '-I',
      words,
      '-L',
      '-',
    ],
    { cwd: dir, input: paths.join('\n'), maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] },
  ).toString('latin1');
  const row = { ctags: 0, matched: 0, sameEnd: 0, matchedBroken: 0, silent: 0, onlyHere: 0 };
  const seen = new Set();
  for (const line of out.split('\n')) {
    const [file, name, at, end] = line.split('\t');
    if (!name || /^[A-Z0-9_]+$/.test(name)) continue;
    row.ctags++;
    seen.add(`${file} ${name}`);
    // ctags names the line of the name, which may follow the return type.
    const hit = (functions.get(`${file} ${name}`) ?? []).find(
      (d) => d.startLine <= at - 1 && at - 1 <= Math.min(d.endLine, d.startLine + 12),
    );
    if (!hit) {
      row.silent++;
      if (o.verbose) console.error(`not here: ${file}:${at} ${name}`);
      continue;
    }
    row.matched++;
    if (hit.broken) row.matchedBroken++;
    if (hit.endLine === end - 1) row.sameEnd++;
  }
  row.onlyHere = [...functions].filter(
    ([k, ds]) =>
      !seen.has(k) && !/ [A-Z0-9_]+$/.test(k) && !ds[0].signature?.annotations.some((a) => /[A-Z]{3}/.test(a)),
  ).length;
  return row;
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
