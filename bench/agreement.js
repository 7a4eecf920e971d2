'use strict';
// Against people: of the lines that the set's authors carried into their own port, how many does each tool put where they
// did? The counting is done by a script that is given; see docs/measurements.md for what it must take and print.
const fs = require('node:fs');
const path = require('node:path');
const { environment, git, options, run, scratchFolder, table } = require('./measure');

const usage = `usage: node bench/agreement.js --tree REPO --set NAME --patches DIR --to V --expert REV --score SCRIPT [options]
  --expert REV        the authors' own port
  --expert-base REV   what that port starts from (default: --to)
  --score SCRIPT      counts: --base --expert --expert-base --source-base --source --candidate --json
  --reference NAME    a second row for kport, with this set as reference
  --json FILE         everything that was measured`;

/** What the script says of one port: a folder of files laid over the target, or a tree. */
function agreement(set, target, port, { expert, expertBase, score }) {
  let candidate = port.report?.result?.treeId;
  if (!candidate) {
    candidate = scratchFolder('candidate');
    for (const [file, resolved] of port.result) {
      const to = path.join(candidate, target.paths.get(file) ?? file);
      fs.mkdirSync(path.dirname(to), { recursive: true });
      const lines = port.raw?.get(file) ?? resolved;
      fs.writeFileSync(to, lines.map((l) => `${l}\n`).join(''), 'latin1');
    }
  }
  const args = [score, '--repo', set.scratch, '--base', target.tree, '--expert', expert, '--json'];
  args.push('--expert-base', expertBase, '--source-base', set.base, '--source', set.patched, '--candidate', candidate);
  const said = JSON.parse(run('python3', args).stdout);
  return { ...said.added, extra: said.extra, precision: said.precision, removed: said.removed };
}

const percent = (share) => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);

/** Columns for a table. */
const AGREEMENT_HEAD = ['hit', 'misplaced', 'missing', 'precision'];
const agreementCells = (a) =>
  a
    ? [percent(a.hit_share), percent(a.misplaced_share), percent(a.missing_share), percent(a.precision)]
    : ['-', '-', '-', '-'];

async function main() {
  const { commits, openSet, openTarget } = require('./workspace');
  const { gitMerge, patch, port, wiggle } = require('./tools');
  const opts = options(
    usage,
    {
      tree: { type: 'string' },
      set: { type: 'string' },
      patches: { type: 'string' },
      to: { type: 'string' },
      expert: { type: 'string' },
      'expert-base': { type: 'string' },
      score: { type: 'string' },
      reference: { type: 'string' },
      json: { type: 'string' },
    },
    ['tree', 'set', 'patches', 'to', 'expert', 'score'],
  );
  const set = await openSet(opts.tree, opts.set, opts.patches);
  const target = openTarget(set, opts.tree, opts.to);
  const treeOf = (r) => git(opts.tree, 'rev-parse', `${r}^{tree}`).trim();
  const how = {
    expert: treeOf(opts.expert),
    expertBase: treeOf(opts['expert-base'] ?? opts.to),
    score: opts.score,
  };
  const kport = (more) =>
    port(set, target, {
      repo: opts.tree,
      patchesDir: opts.patches,
      branch: `bench/${set.name}-${opts.to}`,
      cacheDir: scratchFolder('cache'),
      more,
    });
  const rows = [
    ['patch -F0', patch(set, target, 0)],
    ['patch -F2', patch(set, target, 2)],
    ['git merge', gitMerge(set, target, commits(set, target))],
    ['wiggle', wiggle(set, target)],
    ['kport', kport([])],
  ];
  if (opts.reference) rows.push(['kport, reference', kport(['--reference', opts.reference])]);
  const measured = rows.map(([tool, done]) => ({
    tool,
    placed: done.placed.size,
    regions: done.regions,
    ...agreement(set, target, done, how),
  }));
  const { carried } = measured[0];
  console.log(`${set.name} to ${opts.to} against ${opts.expert}: ${carried} lines carried over by its authors\n`);
  console.log(
    table(
      ['port by', `hunks placed of ${set.count}`, 'regions or conflicts left', ...AGREEMENT_HEAD],
      measured.map((m) => [m.tool, m.placed, m.regions, ...agreementCells(m)]),
    ),
  );
  if (opts.json) fs.writeFileSync(opts.json, `${JSON.stringify({ environment: environment(), measured }, null, 1)}\n`);
}

if (require.main === module) main();

module.exports = { AGREEMENT_HEAD, agreement, agreementCells };
