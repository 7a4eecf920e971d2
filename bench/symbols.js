// Every symbol that a patch set uses, in the lines that it adds and in its new files, and that its base kernel has: where
// it is in other kernels. Prints a table; with --verbose every entry that is not `same`, and a random sample (another
// one for each target) to check by hand: an entry whose definition stands in the target's file letter for letter says
// so, of every other one both texts are shown.
//   node bench/symbols.js --tree REPO [--verbose] BASE SET TARGET…
const { options } = require('./common');
const { openTree } = require('../dist/io/tree');
const { DiskCache } = require('../dist/io/cache');
const { indexKernel, scopeOfSet } = require('../dist/kernel-index');
const { loadChronicle, mapSymbols } = require('../dist/symbol-map');

const SAMPLE = 100;
const SEED = 20221;
/** So much of each text is shown. */
const SHOWN = 1200;

async function main() {
  const o = options();
  const [baseRev = 'v4.18', setRev = 'sekvm-4.18', ...targets] = o.rest;
  const base = await openTree(o.tree, baseRev);
  const set = await openTree(o.tree, setRev);
  const touched = [...set.paths()].filter((p) => set.entry(p).oid !== base.entry(p)?.oid);
  const names = new Set();
  for (const p of touched) {
    if (!/\.[chS]$/.test(p)) continue;
    const lines = new Set(((await base.read(p)) ?? '').split('\n'));
    const text = ((await set.read(p)) ?? '').replace(/\/\*[^]*?\*\//g, ' ').replace(/\/\/.*|"(\\.|[^"\\\n])*"/g, ' ');
    for (const line of text.split('\n')) {
      if (!lines.has(line) && !/^\s*#\s*include/.test(line))
        for (const w of line.match(/[A-Za-z_]\w*/g) ?? []) names.add(w);
    }
  }
  const cache = o.cache ? new DiskCache(o.cache) : null;
  const scope = scopeOfSet(touched);
  const baseIndex = await indexKernel(base, { scope, cache });
  // Names of the set's own are no symbols of the base; a name that is only a local variable is none either.
  const known = [...names].filter((n) => baseIndex.definitions(n).length || baseIndex.members(n).length).sort();
  console.log(
    `${setRev}: ${touched.length} files touched, ${names.size} names used, ${known.length} of them symbols of ${baseRev}`,
  );
  for (const rev of targets.length ? targets : ['v5.2', 'v5.4', 'v5.6', 'v5.8', 'v5.10']) {
    const target = await indexKernel(await openTree(o.tree, rev), { scope, cache });
    const begun = process.cpuUsage();
    const map = mapSymbols(baseIndex, target, { chronicle: loadChronicle() });
    const entries = known.map((n) => [n, map.lookup(null, n)]);
    const used = process.cpuUsage(begun);
    const count = {};
    for (const [, e] of entries) count[e ? e.status : 'no entry'] = (count[e ? e.status : 'no entry'] ?? 0) + 1;
    const low = entries.filter(([, e]) => e && e.confidence < 0.6).length;
    console.log(
      `${rev.padEnd(6)} ${JSON.stringify(count)} confidence < 0.6: ${low}; ${((used.user + used.system) / 1e6).toFixed(1)} s of processor time`,
    );
    if (o.verbose) {
      for (const [n, e] of entries.filter(([, e]) => e && e.status !== 'same')) console.log(`  ${line(n, e)}`);
      console.log('  sample:');
      for (const [n, e] of draw(entries, SAMPLE, `${setRev} ${rev}`))
        console.log(await forReading(n, e, baseIndex, target));
    }
    target.tree.repo?.close();
  }
  for (const t of [base, set]) t.repo?.close();
}

/** The same ones on every machine, each once. */
function draw(entries, count, name) {
  let seed = SEED;
  for (const c of name) seed = (Math.imul(seed, 31) + c.charCodeAt(0)) >>> 0;
  const next = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
  const left = [...entries];
  const drawn = [];
  while (drawn.length < count && left.length) drawn.push(...left.splice(Math.floor(next() * left.length), 1));
  return drawn;
}

/** An entry with what a person needs to judge it. */
async function forReading(name, e, base, target) {
  if (!e) return `* ${line(name, e)}`;
  const before = textOf(base, e.from);
  const there = e.to.length === 1 ? ((await target.tree.read(e.to[0].path)) ?? '') : '';
  const same = e.status === 'same' && e.to.length === 1 && e.to[0].path === e.from.path && before.length > 8;
  if (same && there.includes(before)) return `= ${line(name, e)}`;
  const after = e.to.map((t) => `+++ ${t.path} ${t.name}\n${textOf(target, t).slice(0, SHOWN)}`);
  return [`* ${line(name, e)}`, `--- ${e.from.path}`, before.slice(0, SHOWN), ...after].join('\n');
}

/** The text of a definition; of a field or an enumerator, its line. */
function textOf(index, { kind, name, path }) {
  const file = index.file(path);
  if (!file) return '';
  if (kind !== 'field' && kind !== 'enumerator') {
    const found = file.index.definitions.filter((d) => d.name === name);
    const d = found.find((f) => f.kind === kind) ?? found[0];
    return d ? file.text.slice(d.start, d.end) : '';
  }
  const lines = file.text.split('\n');
  for (const d of file.index.definitions) {
    if (d.kind === 'object-rule') continue;
    const m = d.members.find((f) => `${d.name}.${f.name}` === name || f.name === name);
    if (m) return lines[m.line];
  }
  return '';
}

function line(name, e) {
  if (!e) return `${name}: no entry`;
  const to = e.to
    .slice(0, 2)
    .map((t) => `${t.kind} ${t.name} ${t.path}`)
    .join(', ');
  return `${name} (${e.from.kind} ${e.from.path}) ${e.status} ${e.confidence.toFixed(2)} ${to} ${e.changes.map((c) => c.kind).join(',')}`;
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
