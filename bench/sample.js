'use strict';
// Draws placements of a port at random and prints each beside its source hunk, for a person to judge.
const fs = require('node:fs');
const { die, git, options, parseDiff, show, dist } = require('./measure');

const usage = `usage: node bench/sample.js --report port.json [--tree REPO] [-n 50] [--seed 1] [options]
  --report FILE       report of 'kport apply --branch …' (its --json output)
  --tree REPO         repository with base, set and result (default: the one that the report names)
  -n N, --seed N      how many placements, and which draw
  --below C           only placements with a confidence below C
  --from C            only placements with a confidence of C or more
  --outcome A,B       only these outcomes (default: everything that is placed)
  --only ID,ID        only these hunks
  --all               all of them, in the order of the set
  --context N         lines around (default 6)
  --stacked           source above port, not side by side
  --width N           columns for both sides together (default 200)`;

const opts = options(
  usage,
  {
    report: { type: 'string' },
    tree: { type: 'string' },
    n: { type: 'string', short: 'n', default: '50' },
    seed: { type: 'string', default: '1' },
    below: { type: 'string' },
    from: { type: 'string' },
    outcome: { type: 'string' },
    only: { type: 'string' },
    all: { type: 'boolean', default: false },
    context: { type: 'string', default: '6' },
    stacked: { type: 'boolean', default: false },
    width: { type: 'string', default: '200' },
  },
  ['report'],
);

const report = JSON.parse(fs.readFileSync(opts.report, 'utf8'));
const repo = opts.tree ?? report.result?.tree;
if (!report.result?.treeId) die('the report is of a dry run: there is nothing to read');
const around = Number(opts.context);

main();

async function main() {
  const { loadSet, hunksOf } = dist('patch-set/patch-set');
  const { PLACED } = dist('core/outcome');
  const set = await loadSet(report.patchesDir, report.set);
  const sources = new Map([...hunksOf(set)].map(({ change, hunk }) => [hunk.id, { change, hunk }]));
  const outcomes = opts.outcome ? new Set(opts.outcome.split(',')) : PLACED;
  const ids = opts.only && new Set(opts.only.split(','));
  const pool = report.hunks.filter(
    (h) =>
      (ids ? ids.has(h.id) : outcomes.has(h.outcome)) &&
      (opts.below === undefined || h.confidence < Number(opts.below)) &&
      (opts.from === undefined || h.confidence >= Number(opts.from)),
  );
  const drawn = opts.all || ids ? pool : draw(pool, Number(opts.n), Number(opts.seed));
  console.log(`${report.set} -> ${report.target.name}: ${drawn.length} of ${pool.length} hunks`);
  drawn.forEach((h, i) => print(h, sources.get(h.id), i + 1));
}

/** The same numbers for the same seed on every machine. */
function draw(pool, n, seed) {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const left = [...pool];
  const out = [];
  while (left.length && out.length < n) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out.sort((a, b) => pool.indexOf(a) - pool.indexOf(b));
}

function print(h, source, nth) {
  console.log(`\n${'='.repeat(100)}\n${nth}. ${h.id} ${h.path} ${h.header}`);
  console.log(`   ${h.outcome} ${h.confidence} ${h.strategy}${h.inert ? ' (inert)' : ''}: ${h.message ?? ''}`);
  for (const e of h.edits) {
    const where = e.target.map((t) => `${t.path}:${t.line} (${t.definition ?? 'file level'})`).join(', ');
    console.log(`   ${e.kind} ${e.outcome} ${e.confidence} ${e.strategy} -> ${where || 'nowhere'}`);
  }
  for (const e of h.evidence) console.log(`   - ${e.kind}: ${e.text}`);
  const left = sourceLines(source);
  const rights = placesOf(h, source.hunk);
  if (rights.length === 0) rights.push({ title: 'not in the target', lines: [] });
  for (const right of rights) {
    const title = `${h.path} in ${report.base.version}`;
    if (opts.stacked) {
      console.log(`--- ${title}\n${left.join('\n')}\n+++ ${right.title}\n${right.lines.join('\n')}`);
    } else sideBySide([title, ...left], [right.title, ...right.lines]);
  }
}

/** The hunk with more of the base around it. */
function sourceLines({ change, hunk }) {
  const base = show(repo, report.base.commit, change.oldPath) ?? [];
  const extra = Math.max(0, around - 3);
  const body = hunk.lines.map((l) => l.replace(/\r?\n$/, ''));
  const end = hunk.oldStart - 1 + hunk.oldCount;
  return [
    ...base.slice(Math.max(0, hunk.oldStart - 1 - extra), hunk.oldStart - 1).map((l) => ` ${l}`),
    ...body,
    ...base.slice(end, end + extra).map((l) => ` ${l}`),
  ];
}

const diffs = new Map();
/** Target and result of one file in one sequence. */
function fullDiff(path) {
  if (!diffs.has(path)) {
    const text = git(repo, 'diff', '-U1000000', '--no-renames', report.target.commit, report.result.treeId, '--', path);
    diffs.set(path, parseDiff(text)[0]?.hunks[0]?.lines ?? []);
  }
  return diffs.get(path);
}

/** For each place of a hunk: the result from there until everything that the hunk adds and removes was seen. */
function placesOf(h, hunk) {
  const byPath = new Map();
  for (const t of h.target) byPath.set(t.path, [...(byPath.get(t.path) ?? []), t]);
  return [...byPath].map(([path, targets]) => {
    const lines = fullDiff(path);
    const first = Math.min(...targets.map((t) => t.line));
    const last = Math.max(...targets.map((t) => t.line));
    let at = 0;
    let line = 1;
    for (; at < lines.length && line < first; at++) if (lines[at][0] !== '+') line++;
    while (at > 0 && lines[at - 1][0] !== ' ') at--;
    const wanted = new Map();
    for (const l of hunk.lines) {
      const text = key(l);
      if (l[0] !== ' ' && text.length > 1) wanted.set(text, (wanted.get(text) ?? 0) + 1);
    }
    let end = at;
    let seen = 0;
    const bound = last - first + hunk.lines.length + 80;
    for (
      let i = at;
      i < lines.length && i < at + bound && seen < [...wanted.values()].reduce((a, b) => a + b, 0);
      i++
    ) {
      const left = wanted.get(key(lines[i])) ?? 0;
      if (lines[i][0] !== ' ' && left > 0) {
        wanted.set(key(lines[i]), left - 1);
        end = i + 1;
      }
    }
    const missing = [...wanted.values()].some((n) => n > 0);
    const title = `${path}:${first} (${targets[0].definition ?? 'file level'}) in the port${missing ? ' [changed, or not all there]' : ''}`;
    const from = Math.max(0, at - around);
    return { title, lines: lines.slice(from, Math.min(lines.length, end + around)) };
  });
}

const key = (l) => l[0] + l.slice(1).replace(/\s+/g, ' ').trim();

function sideBySide(left, right) {
  const half = Math.floor((Number(opts.width) - 3) / 2);
  const fold = (l) => {
    const text = l.replace(/\t/g, '    ');
    const out = [];
    for (let i = 0; i === 0 || i < text.length; i += half) out.push(text.slice(i, i + half));
    return out;
  };
  const [a, b] = [left.flatMap(fold), right.flatMap(fold)];
  for (let i = 0; i < Math.max(a.length, b.length); i++)
    console.log(`${(a[i] ?? '').padEnd(half)} | ${b[i] ?? ''}`.trimEnd());
}
