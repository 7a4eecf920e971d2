'use strict';
// One real target: kport with a cold and a warm cache beside git's merge of the same pair.
const fs = require('node:fs');
const { environment, options, run, scratchFolder, table, timed } = require('./measure');
const { commits, openSet, openTarget } = require('./workspace');
const { gitMerge, port } = require('./tools');

const usage = `usage: node bench/time.js --tree REPO --set NAME --patches DIR --to V [--runs 3] [--json FILE]`;
const opts = options(
  usage,
  {
    tree: { type: 'string' },
    set: { type: 'string' },
    patches: { type: 'string' },
    to: { type: 'string' },
    runs: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
  ['tree', 'set', 'patches', 'to'],
);

main();

async function main() {
  const set = await openSet(opts.tree, opts.set, opts.patches);
  const target = openTarget(set, opts.tree, opts.to);
  const made = commits(set, target);
  const kport = (cacheDir) =>
    port(set, target, {
      repo: opts.tree,
      patchesDir: opts.patches,
      branch: `bench/${set.name}-${opts.to}`,
      cacheDir,
    }).cost;
  const measured = {
    'git merge-tree': [],
    'git merge, renames at 40 %': [],
    'kport, cold cache': [],
    'kport, warm cache': [],
  };
  for (let i = 0; i < Number(opts.runs); i++) {
    const args = ['-C', set.scratch, 'merge-tree', '--write-tree', made.target, made.patched];
    measured['git merge-tree'].push(timed('git', args, { ok: [0, 1] }).cost);
    measured['git merge, renames at 40 %'].push(gitMerge(set, target, made).cost);
    const cacheDir = scratchFolder('cache');
    measured['kport, cold cache'].push(kport(cacheDir));
    measured['kport, warm cache'].push(kport(cacheDir));
    measured.cacheMB = Number(run('du', ['-sm', cacheDir]).stdout.split('\t')[0]);
  }
  const { cacheMB, ...tools } = measured;
  console.log(`${set.name} to ${opts.to}, median of ${opts.runs} runs; cache ${cacheMB} MB\n`);
  console.log(
    table(
      ['', 'wall s', 'user + system s', 'peak MB'],
      Object.entries(tools).map(([tool, costs]) => [
        tool,
        median(costs.map((c) => c.wall)).toFixed(1),
        median(costs.map((c) => c.user + c.system)).toFixed(1),
        median(costs.map((c) => c.peakMB)),
      ]),
    ),
  );
  if (opts.json) fs.writeFileSync(opts.json, `${JSON.stringify({ environment: environment(), measured }, null, 1)}\n`);
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
