// How often inference alone (chronicle off) agrees with the rows of the chronicle, by kind. Each row is asked between the
// nearest releases of the first repository that has releases on both sides of it. A row that says `added` is asked the
// other way round: nothing in the older kernel may pass for where it came from.
//   node bench/chronicle.js --tree REPO [--tree REPO…] [--cache DIR] [--json] [--verbose]
const { options, openIndex, releases, scopeFor } = require('./common');
const { loadChronicle } = require('../dist/symbol-map/chronicle/rows');
const { mapSymbols } = require('../dist/symbol-map');
const { parseVersion, compareVersions } = require('../dist/core/version');

async function main() {
  const o = options();
  const repositories = [];
  for (const tree of o.trees) repositories.push({ tree, have: await releases(tree) });
  const pick = (have, release, sign) => {
    const wanted = parseVersion(release);
    const fits = have.filter((r) => sign * compareVersions({ ...parseVersion(r), sublevel: 0 }, wanted) >= 0);
    return sign < 0 ? fits[fits.length - 1] : fits[0];
  };
  const byPair = new Map();
  const tally = {};
  const count = (kind, what) => (
    (tally[kind] ??= { right: 0, wrong: 0, none: 0, 'no claim': 0, 'no trees': 0 })[what]++,
    what
  );
  for (const row of loadChronicle().rows) {
    if (row.says === 'context') {
      count(row.kind, 'no claim');
      continue;
    }
    const pairs = repositories.map(({ tree, have }) => [tree, pick(have, row.until, -1), pick(have, row.release, 1)]);
    const key = pairs.find((pair) => pair.every(Boolean))?.join('\0');
    if (!key) {
      count(row.kind, 'no trees');
      continue;
    }
    byPair.set(key, [...(byPair.get(key) ?? []), row]);
  }
  const sure = { all: 0, wrong: 0 };
  const rows = [];
  for (const [key, list] of byPair) {
    const [tree, base, target] = key.split('\0');
    const pair = `${base} ${target}`;
    const scope = scopeFor();
    const [a, b] = [await openIndex({ ...o, tree }, base, scope), await openIndex({ ...o, tree }, target, scope)];
    const map = mapSymbols(a, b);
    const back = mapSymbols(b, a);
    for (const row of list) {
      const answer = row.says === 'added' ? judgeAdded(back, row) : judge(map, row);
      rows.push({ id: row.id, pair, kind: row.kind, says: row.says, ...answer });
      count(row.kind, answer.result);
      if (answer.confidence >= 0.9) {
        sure.all++;
        if (answer.result === 'wrong') sure.wrong++;
      }
    }
  }
  const total = Object.values(tally).reduce(
    (a, t) => Object.fromEntries(Object.keys(t).map((k) => [k, (a[k] ?? 0) + t[k]])),
    {},
  );
  if (o.json) return console.log(JSON.stringify({ schemaVersion: 1, tally, total, sure, rows }, null, 1));
  for (const [kind, t] of [...Object.entries(tally), ['total', total]]) console.log(kind.padEnd(12), JSON.stringify(t));
  console.log(`with confidence >= 0.9: ${sure.all}, of these wrong: ${sure.wrong}`);
  for (const r of rows)
    if (o.verbose ? true : r.result !== 'right')
      console.log(`${r.result.padEnd(6)} ${r.confidence.toFixed(2)} ${r.pair} ${r.id} ${r.text}`);
}

/** Compares an answer with a row: the status family and one of the right targets. */
function judge(map, row) {
  const right = [row.to?.symbol, ...(row.also ?? [])].filter(Boolean);
  if (!row.from.symbol) {
    // A file: any of the heirs must be the row's; of a removed file there must be none.
    const [path] = row.from.paths;
    const heirs = map.files(path).filter((h) => h.confidence >= 0.5);
    const text = `${path} -> ${heirs.map((h) => `${h.path} (${h.confidence.toFixed(2)})`).join(', ') || 'nothing'}; row: ${row.to?.paths ?? 'removed'}`;
    const confidence = heirs[0]?.confidence ?? 0.5;
    if (row.says === 'removed') return { result: heirs.length ? 'wrong' : 'right', confidence, text };
    const hit = heirs.some((h) => row.to.paths.includes(h.path));
    return { result: hit ? 'right' : heirs.length ? 'wrong' : 'none', confidence, text };
  }
  const entry = [row.from.symbol, row.alias]
    .filter(Boolean)
    .map((s) => find(map, s, row.from.paths))
    .find(Boolean);
  if (!entry) return { result: 'none', confidence: 0, text: `${row.from.symbol} is not in the base` };
  const to = entry.to.map((t) => t.name);
  const text = `${entry.from.kind} ${row.from.symbol} -> ${entry.status} ${entry.to
    .map((t) => `${t.kind} ${t.name} ${t.path}`)
    .slice(0, 3)
    .join(', ')} ${JSON.stringify(entry.changes).slice(0, 160)}; row: ${row.says} ${right.join(' ')}`;
  const { confidence } = entry;
  const same = (name) =>
    right.includes(name) || right.some((r) => r.split('.').pop() === name || name.split('.').pop() === r);
  let result;
  if (row.says === 'removed') {
    if (entry.status === 'removed' || (to.length && right.includes(to[0]))) result = 'right';
    else result = 'wrong';
  } else if (entry.status === 'removed') result = row.says === 'merged' ? 'right' : 'none';
  else if (!to.slice(0, 2).some(same)) result = 'wrong';
  else if (row.says === 'resigned' && entry.changes.length === 0) result = 'none';
  else result = 'right';
  return { result, confidence, text };
}

/** Asked backwards: a new symbol or file must have come from nowhere, or from where the row says. */
function judgeAdded(back, row) {
  const { symbol, paths } = row.to;
  if (symbol === undefined) {
    const [path] = paths;
    const heirs = back.files(path).filter((h) => h.confidence >= 0.5);
    const confidence = heirs[0]?.confidence ?? 0.5;
    const strange = heirs.filter((h) => !(row.also ?? []).includes(h.path));
    return { result: strange.length ? 'wrong' : 'right', confidence, text: `${path} <- ${heirs.map((h) => h.path)}` };
  }
  const entry = find(back, symbol, paths);
  if (!entry) return { result: 'none', confidence: 0, text: `${symbol} is not in the target` };
  const text = `${symbol} <- ${entry.status} ${entry.to.map((t) => `${t.kind} ${t.name} ${t.path}`).slice(0, 3)}`;
  return { result: entry.status === 'removed' ? 'right' : 'wrong', confidence: entry.confidence, text };
}

function find(map, symbol, paths) {
  for (const path of paths) {
    const entry = map.lookup(null, symbol, path);
    if (entry) return entry;
  }
  return map.lookup(null, symbol);
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
