'use strict';
// One set, several targets, several tools, in one run: what each places, what it leaves, what it costs.
const fs = require('node:fs');
const path = require('node:path');
const { environment, git, options, scratchFolder, table } = require('./measure');
const { commits, openSet, openTarget } = require('./workspace');
const { gitMerge, hunkMerge, patch, port, wiggle } = require('./tools');
const { elsewhere } = require('./elsewhere');
const { AGREEMENT_HEAD, agreement, agreementCells } = require('./agreement');

const usage = `usage: node bench/place.js --tree REPO --set NAME --patches DIR --to V,V,… [options]
  --reference NAME   a second row for kport, with this set as reference
  --expert REV --expert-base REV --score SCRIPT
                     the authors' own port on the target, as bench/agreement.js takes it: its columns, too
  --only A,B         tools: patch-F0, patch-F2, git-merge, hunk-merge, wiggle, kport (default: all)
  --keep DIR         keep each port's report there, as kport-V.json
  --json FILE        everything that was measured`;

const opts = options(
  usage,
  {
    tree: { type: 'string' },
    set: { type: 'string' },
    patches: { type: 'string' },
    to: { type: 'string' },
    reference: { type: 'string' },
    expert: { type: 'string' },
    'expert-base': { type: 'string' },
    score: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'string' },
    json: { type: 'string' },
  },
  ['tree', 'set', 'patches', 'to'],
);

main();

async function main() {
  const set = await openSet(opts.tree, opts.set, opts.patches);
  const measured = { environment: environment(), set: set.name, base: set.version, hunks: set.count, targets: [] };
  console.log(`${set.name} on ${set.version}: ${set.count} hunks in ${set.files.length} files\n`);
  for (const name of opts.to.split(',')) {
    const rows = await measure(set, name);
    measured.targets.push({ target: name, rows });
    print(set, name, rows);
  }
  if (opts.json) fs.writeFileSync(opts.json, `${JSON.stringify(measured, null, 1)}\n`);
}

async function measure(set, name) {
  const target = openTarget(set, opts.tree, name);
  const made = commits(set, target);
  const ported = (more) =>
    port(set, target, {
      repo: opts.tree,
      patchesDir: opts.patches,
      branch: `bench/${set.name}-${name}`,
      cacheDir: scratchFolder('cache'),
      more,
    });
  const tools = {
    'patch-F0': () => patch(set, target, 0),
    'patch-F2': () => patch(set, target, 2),
    'git-merge': () => gitMerge(set, target, made),
    'hunk-merge': () => hunkMerge(set, target),
    wiggle: () => wiggle(set, target),
    kport: () => ported([]),
  };
  if (opts.reference) tools['kport-reference'] = () => ported(['--reference', opts.reference]);
  const rows = [];
  for (const [tool, start] of Object.entries(tools)) {
    if (opts.only && !opts.only.split(',').includes(tool)) continue;
    const done = start();
    const misplaced = done.result ? await elsewhere(set, target, done) : null;
    if (done.report && opts.keep) {
      fs.mkdirSync(opts.keep, { recursive: true });
      fs.writeFileSync(path.join(opts.keep, `${tool}-${name}.json`), JSON.stringify(done.report));
    }
    rows.push({
      tool,
      placed: done.placed.size,
      left: set.count - done.placed.size,
      regions: done.regions,
      files: done.files,
      fuzzy: done.fuzzy ?? null,
      lostRegions: done.lost ?? null,
      elsewhere: misplaced,
      agreement: opts.expert && opts.score && done.result ? agreement(set, target, done, expertOf(name)) : null,
      cost: done.cost,
      kport: done.report ? summary(done.report) : null,
    });
  }
  return rows;
}

function expertOf(name) {
  const treeOf = (r) => git(opts.tree, 'rev-parse', `${r}^{tree}`).trim();
  return { expert: treeOf(opts.expert), expertBase: treeOf(opts['expert-base'] ?? name), score: opts.score };
}

function summary(report) {
  const placed = report.hunks.filter((h) => h.outcome !== 'conflict' && h.outcome !== 'obsolete');
  return {
    byOutcome: report.summary.byOutcome,
    sure: placed.filter((h) => h.confidence >= 0.9).length,
    placed: placed.length,
    inert: report.hunks.filter((h) => h.inert).length,
    treeId: report.result.treeId,
  };
}

function print(set, name, rows) {
  const percent = (n) => `${n} (${((100 * n) / set.count).toFixed(1)} %)`;
  const seconds = (n) => (Number.isFinite(n) ? n.toFixed(1) : '-');
  console.log(`### ${set.name} to ${name}\n`);
  console.log(
    table(
      [
        'tool',
        `placed of ${set.count}`,
        'left: regions (files)',
        'elsewhere',
        'wall s',
        'user s',
        'peak MB',
        ...(opts.expert ? AGREEMENT_HEAD : []),
      ],
      rows.map((r) => [
        r.tool + (r.fuzzy ? ` (${r.fuzzy} with fuzz)` : ''),
        percent(r.placed),
        `${r.regions} (${r.files})`,
        r.elsewhere ? r.elsewhere.length : '-',
        seconds(r.cost.wall),
        seconds(r.cost.user),
        Number.isFinite(r.cost.peakMB) ? r.cost.peakMB : '-',
        ...(opts.expert ? agreementCells(r.agreement) : []),
      ]),
    ),
  );
  for (const r of rows.filter((x) => x.kport)) {
    const outcomes = Object.entries(r.kport.byOutcome)
      .filter(([, n]) => n)
      .map(([o, n]) => `${o} ${n}`);
    console.log(`\n${r.tool}: ${outcomes.join(', ')}; confidence >= 0.9: ${r.kport.sure} of ${r.kport.placed} placed`);
  }
  for (const r of rows) {
    for (const e of r.elsewhere ?? [])
      console.log(`${r.tool}: ${e.path}:${e.line}: of '${e.from || 'file level'}', put in '${e.to || 'file level'}'`);
    if (r.lostRegions) console.log(`${r.tool}: ${r.lostRegions} regions could not be ascribed to a hunk`);
  }
  console.log('');
}
