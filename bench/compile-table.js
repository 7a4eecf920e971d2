// Distinct compile errors of one set by target, kport's port beside git's merge:
//   node bench/compile-table.js --tree REPO --set NAME --patches DIR [--repair yes] [--merge REV] [--port no] v4.19 v5.4 …
// --repair yes adds the port that `kport apply --repair` makes; --port no leaves out the one without.
// --merge names the set as a revision of REPO, for `git merge-tree` (needs git 2.38; see git-merge.js). Branches
// compile-table/* are replaced.
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { gitMerge } = require('./git-merge');

const options = { tree: '.', set: '', patches: 'patches', merge: '', repair: '', port: 'yes' };
const targets = [];
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, '');
  if (process.argv[i].startsWith('--') && name in options) options[name] = process.argv[++i];
  else targets.push(process.argv[i]);
}
const bin = path.join(__dirname, '../bin/kport');
const common = ['--patches', options.patches, '--set', options.set, '--tree', options.tree, '--json'];

function kport(...args) {
  const done = spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', maxBuffer: 1e9 });
  if (done.status > 1) throw new Error(done.stderr);
  return JSON.parse(done.stdout);
}

function row(target, what, args) {
  const document = kport('check', ...common, '--no-sparse', ...args);
  const cell = (name) => {
    const check = document.checks.find((c) => c.name === name);
    const f = check.figures ?? {};
    if (!f.causes) return `${check.result}: ${check.reason}`;
    const stopped = f.stopped ? ` (stopped at ${f.stopped.step})` : '';
    return `${f.errors} errors, ${f.causes.length} causes, ${f.attributed} attributed${stopped}`;
  };
  process.stdout.write(`${[target, what, cell('compile-on'), cell('compile-off')].join('\t')}\n`);
}

process.stdout.write('target\tby\toption on\toption off\n');
for (const target of targets) {
  const branch = `compile-table/${options.set}-${target}`;
  kport('apply', ...common, '--to', target, '--branch', branch, '-f');
  if (options.port === 'yes') row(target, 'kport', ['--branch', branch]);
  if (options.repair === 'yes') {
    const repaired = `${branch}-repaired`;
    const { repair } = kport('apply', ...common, '--to', target, '--branch', repaired, '-f', '--repair');
    row(target, `kport --repair (${repair.changes.length} lines, ${repair.tried} tries)`, ['--branch', repaired]);
  }
  if (!options.merge) continue;
  const merged = gitMerge(options.tree, target, options.merge, branch);
  const lacking = merged.tornOfSet.length ? `, ${merged.tornOfSet.length} paths of the set not asked about` : '';
  const markers = `${merged.marked.length} files with markers${lacking}`;
  row(target, `git merge (${markers})`, ['--branch', merged.commit, '--to', target]);
  if (!merged.buildable) continue;
  // Kconfig stops at a marker: nothing is configured, so nothing else can be counted.
  const what = `git merge, ${merged.buildMarked.join(' ')} taken from the port`;
  row(target, what, ['--branch', merged.buildable, '--to', target]);
}
