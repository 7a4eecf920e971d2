// Ports a set, does by hand what bench/by-hand.js says, and boots what comes out: one line for each target.
//   node bench/boot.js --tree REPO --set NAME --patches DIR [--keep DIR] [--config FILE] v4.19 v5.4
// REPO gets the branches boot/SET-TARGET and remembers the resolutions: give a clone (`git clone --shared --bare`).
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const byHand = require('./by-hand');

const options = { tree: '.', set: '', patches: 'patches', keep: '', config: '' };
const targets = [];
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].replace(/^--/, '');
  if (process.argv[i].startsWith('--') && name in options) options[name] = process.argv[++i];
  else targets.push(process.argv[i]);
}
const bin = path.join(__dirname, '../bin/kport');
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'boot-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));

function run(command, args, { ok = [0], ...more } = {}) {
  const done = spawnSync(command, args, { encoding: 'latin1', maxBuffer: 1e9, ...more });
  if (!ok.includes(done.status)) throw new Error(`${command} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}
const git = (args, more) => run('git', ['-C', options.tree, ...args], more);
const kport = (args) => run(process.execPath, [bin, ...args, '--tree', options.tree], { ok: [0, 1] });
const seconds = (begun) => Math.round((Date.now() - begun) / 1000);

/** Files of a branch changed in one more commit; no index or work tree of the user's. */
function commit(branch, target, files) {
  const env = { ...process.env, GIT_INDEX_FILE: path.join(scratch, 'index') };
  for (const who of ['AUTHOR', 'COMMITTER'])
    Object.assign(env, { [`GIT_${who}_NAME`]: 'by hand', [`GIT_${who}_EMAIL`]: 'hand@localhost' });
  git(['read-tree', branch], { env });
  for (const { path: file, edit } of files) {
    const mode = git(['ls-tree', branch, '--', file]).split(' ')[0];
    const text = edit(git(['show', `${branch}:${file}`]), (p) => git(['show', `${target}:${p}`]));
    const oid = git(['hash-object', '-w', '--stdin'], { input: Buffer.from(text, 'latin1') }).trim();
    git(['update-index', '--cacheinfo', `${mode},${oid},${file}`], { env });
  }
  const tree = git(['write-tree', '--missing-ok'], { env }).trim();
  return git(['commit-tree', '-p', branch, '-m', 'By hand', tree], { env }).trim();
}

process.stdout.write('target\tplaced\tby hand\toption on\tboot\tseconds: port, check and boot\n');
for (const target of targets) {
  const recipe = byHand[options.set]?.[target] ?? { hunks: {}, files: [] };
  const branch = `boot/${options.set}-${target}`;
  const set = ['--set', options.set, '--patches', options.patches];
  let begun = Date.now();
  const report = JSON.parse(kport(['apply', ...set, '--to', target, '--branch', branch, '-f', '--json']));
  const done = [];
  for (const [id, edit] of Object.entries(recipe.hunks)) {
    const hunk = report.hunks.find((h) => h.id === id);
    if (hunk?.outcome !== 'conflict') {
      done.push(`${id}: ${hunk?.strategy.startsWith('resolution') ? 'as resolved before' : 'not needed'}`);
      continue;
    }
    const sheet = path.join(scratch, 'sheet');
    fs.writeFileSync(sheet, edit(kport(['continue', id, '--branch', branch, '-n'])), 'latin1');
    kport(['continue', id, '--branch', branch, '--take', sheet]);
    done.push(`${id}: kport continue`);
  }
  let tip = branch;
  if (recipe.files.length) {
    tip = commit(branch, target, recipe.files);
    done.push(`${recipe.files.map((f) => f.path).join(' ')}: one more commit`);
  }
  const ported = seconds(begun);
  begun = Date.now();
  const more = ['keep', 'config'].flatMap((o) => {
    const value = o === 'keep' && options.keep ? path.join(options.keep, target) : options[o];
    return value ? [`--${o}`, value] : [];
  });
  const checked = JSON.parse(
    kport(['check', ...set, '--branch', tip, '--to', target, '--boot', '--no-sparse', '--json', ...more]),
  );
  const words = (name) => {
    const check = checked.checks.find((c) => c.name === name);
    const found = (check.findings ?? []).map((f) => `[${f.kind}] ${f.text}`).join('; ');
    return `${check.result}: ${check.reason}${name === 'boot' && found ? `; ${found}` : ''}`;
  };
  const { summary } = report;
  const row = [target, `${summary.placed} of ${summary.hunks}`, done.join(', ') || 'nothing', words('compile-on')];
  process.stdout.write(`${[...row, words('boot'), `${ported}, ${seconds(begun)}`].join('\t')}\n`);
}
