// `npm run test:kernels`: Debian's 5.10 and 6.1 kernels, a set of ours on 5.10 (recipe.js), ported to 6.1 by `kport apply`,
// both checked with a compiler and booted. Needs Debian with apt, gcc-aarch64-linux-gnu, qemu-system-arm, flex, bison, bc,
// 10 GB of disk and half an hour on two processors. KPORT_KERNELS names a folder that is kept between runs.
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { patches, make, OPTION, ANSWER } = require('./recipe');

const top = path.resolve(__dirname, '../..');
const work = path.resolve(process.env.KPORT_KERNELS ?? path.join(os.tmpdir(), 'kport-kernels'));
const jobs = process.env.KPORT_JOBS ?? '2';
const boots = process.env.KPORT_NO_BOOT === undefined;
const each = process.env.KPORT_NO_EACH === undefined ? ['--each'] : [];
const KERNELS = [
  { suite: 'bullseye', package: 'linux-source-5.10' },
  { suite: 'bookworm', package: 'linux-source-6.1' },
];
const repo = path.join(work, 'repo');
const sets = path.join(work, 'sets');
const env = {
  ...process.env,
  GIT_AUTHOR_NAME: 'kport',
  GIT_AUTHOR_EMAIL: 'kport@localhost',
  GIT_COMMITTER_NAME: 'kport',
  GIT_COMMITTER_EMAIL: 'kport@localhost',
};
const say = (line) => process.stdout.write(`${line}\n`);
const git = (...args) => execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8', env, maxBuffer: 1e9 }).trim();

function timed(what, action) {
  const begun = Date.now();
  const result = action();
  say(`${what}: ${((Date.now() - begun) / 1000).toFixed(0)} s`);
  return result;
}

function kport(...args) {
  const done = spawnSync(process.execPath, [path.join(top, 'bin/kport'), ...args], {
    encoding: 'utf8',
    env,
    maxBuffer: 1e9,
  });
  if (done.status > 1 || done.error) throw new Error(`kport ${args[0]}: ${done.stderr}`);
  return done;
}

/** One commit per kernel, without history; the tag is the version that its Makefile says. */
function importKernel(dir) {
  const makefile = fs.readFileSync(path.join(dir, 'Makefile'), 'utf8');
  const value = (name) => new RegExp(`^${name} = (\\d+)`, 'm').exec(makefile)[1];
  const tag = `v${value('VERSION')}.${value('PATCHLEVEL')}.${value('SUBLEVEL')}`;
  if (!fs.existsSync(repo)) {
    execFileSync('git', ['init', '-q', repo]);
    for (const [k, v] of Object.entries({
      'core.compression': '0',
      'gc.auto': '0',
      'user.name': 'kport',
      'user.email': 'kport@localhost',
    }))
      git('config', k, v);
  }
  if (git('tag', '--list', tag)) return tag;
  const index = { ...env, GIT_INDEX_FILE: path.join(work, `index-${tag}`) };
  execFileSync('git', ['-C', repo, `--work-tree=${dir}`, 'add', '-A', '-f', '.'], { env: index });
  const tree = execFileSync('git', ['-C', repo, 'write-tree'], { env: index, encoding: 'utf8' }).trim();
  git('tag', tag, git('commit-tree', '-m', tag, tree));
  return tag;
}

/** The set as commits on a kernel: made in a folder with the touched files alone. */
function makeSet(tag, branch) {
  const files = [...new Set(patches.flatMap((p) => p.steps.map((s) => s.create ?? s.file)))];
  const dir = fs.mkdtempSync(path.join(work, 'set-'));
  const index = { ...env, GIT_INDEX_FILE: path.join(dir, '.index') };
  const run = (...args) =>
    execFileSync('git', ['-C', repo, `--work-tree=${dir}`, ...args], { env: index, encoding: 'utf8' }).trim();
  run('read-tree', tag);
  const old = files.filter((f) => spawnSync('git', ['-C', repo, 'cat-file', '-e', `${tag}:${f}`]).status === 0);
  run('checkout-index', '-f', '--', ...old);
  let parent = git('rev-parse', `${tag}^{commit}`);
  for (const patch of patches) {
    for (const step of patch.steps)
      if (step.create) fs.mkdirSync(path.dirname(path.join(dir, step.create)), { recursive: true });
    make(patch, dir);
    run('update-index', '--add', '--', ...files.filter((f) => fs.existsSync(path.join(dir, f))));
    parent = git('commit-tree', '-p', parent, '-m', patch.subject, run('write-tree'));
  }
  git('branch', '-f', branch, parent);
  fs.rmSync(dir, { recursive: true });
}

function check(title, args) {
  const done = timed(title, () =>
    kport('check', '--patches', sets, '--set', 'kport-probe', '--tree', repo, '-j', jobs, '--json', ...args),
  );
  const document = JSON.parse(done.stdout);
  fs.writeFileSync(path.join(work, `${title.replace(/\W+/g, '-')}.json`), done.stdout);
  for (const c of document.checks) {
    say(`  ${c.result.padEnd(7)} ${c.name.padEnd(12)} ${c.reason}`);
    for (const f of c.findings) say(`          ${f.path}:${f.line ?? ''} ${f.text} [${f.kind}]`);
  }
  const by = (name) => document.checks.find((c) => c.name === name);
  const problems = document.checks.filter((c) => c.result === 'fail').map((c) => c.name);
  for (const name of ['compile-on', 'compile-off', 'el2-closure'])
    if (by(name)?.result === 'skipped') problems.push(name);
  if (boots) {
    const facts = by('boot')?.figures?.facts ?? {};
    if (facts.guest !== 'ran') problems.push('no guest ran');
    if (facts.probe !== `0x${ANSWER.toString(16)}`) problems.push(`the probe says ${facts.probe ?? 'nothing'}`);
  }
  return problems;
}

function main() {
  fs.mkdirSync(work, { recursive: true });
  for (const k of KERNELS)
    timed(`${k.package} of ${k.suite}`, () =>
      execFileSync(path.join(__dirname, 'fetch.sh'), [work, k.suite, k.package], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
  const [from, to] = timed('kernels into git', () => KERNELS.map((k) => importKernel(path.join(work, k.package))));
  timed(`the set on ${from}`, () => makeSet(from, 'probe'));
  const shapes = patches.flatMap((p) => p.steps).map((s) => s.shape);
  say(`${patches.length} patches, ${shapes.length} edits: ${[...new Set(shapes)].join(', ')}; option ${OPTION}`);
  fs.rmSync(sets, { recursive: true, force: true });
  kport('import', 'kport-probe', '--patches', sets, '--repo', repo, '--range', `${from}..probe`);
  const boot = boots ? ['--boot'] : [];
  const problems = check(`at home on ${from}`, ['--branch', 'probe', '--to', from, ...boot]).map(
    (p) => `${from}: ${p}`,
  );
  const applied = timed(`apply to ${to}`, () =>
    kport(
      'apply',
      '--patches',
      sets,
      '--set',
      'kport-probe',
      '--tree',
      repo,
      '--to',
      to,
      '--branch',
      'probe-ported',
      '-f',
      '--json',
    ),
  );
  const report = JSON.parse(applied.stdout);
  say(`  ${report.summary.placed} of ${report.summary.hunks} hunks placed`);
  for (const h of report.hunks) say(`  ${h.outcome.padEnd(10)} ${h.id} ${h.path}:${h.source.line} ${h.message ?? ''}`);
  problems.push(...check(`ported to ${to}`, ['--branch', 'probe-ported', ...each, ...boot]).map((p) => `${to}: ${p}`));
  for (const p of problems) say(`not as it should be: ${p}`);
  process.exitCode = problems.length ? 1 : 0;
}

main();
