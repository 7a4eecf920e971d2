// Every symbol that a patch set uses, in the lines that it adds and in its new files, and that its base kernel has: where
// it is in other kernels. Prints a table, and with --verbose a sample to check by hand.
//   node bench/symbols.js --tree REPO BASE SET TARGET…
const { options } = require('./common');
const { openTree } = require('../dist/io/tree');
const { DiskCache } = require('../dist/io/cache');
const { indexKernel, scopeOfSet } = require('../dist/kernel-index');
const { loadChronicle, mapSymbols } = require('../dist/symbol-map');

const SAMPLE = 100;

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
      let seed = 20221;
      const next = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32;
      console.log('  sample:');
      for (let i = 0; i < SAMPLE; i++) console.log(`  ${line(...entries[Math.floor(next() * entries.length)])}`);
    }
    target.tree.repo?.close();
  }
  for (const t of [base, set]) t.repo?.close();
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
