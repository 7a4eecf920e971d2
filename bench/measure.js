'use strict';
// What the benchmarks share: options, git, diffs as lists of lines, measured child processes, tables.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { parseArgs } = require('node:util');

const root = path.join(__dirname, '..');
const kport = path.join(root, 'bin', 'kport');
const MAX = 1 << 30;

/** Stops with one line for whoever runs a benchmark. */
function die(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(2);
}

/** Options as `node:util` reads them; `--help` prints the usage, a missing one stops. */
function options(usage, spec, required) {
  let values;
  try {
    ({ values } = parseArgs({ options: { ...spec, help: { type: 'boolean' } }, strict: true }));
  } catch (e) {
    die(`${e.message}\n${usage}`);
  }
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  for (const name of required) if (values[name] === undefined) die(`--${name} is missing\n${usage}`);
  return values;
}

/** Runs a command; bytes as latin1. Throws when it ends in another way than `ok` allows. */
function run(command, args, { ok = [0], ...rest } = {}) {
  const done = spawnSync(command, args, { encoding: 'latin1', maxBuffer: MAX, ...rest });
  if (done.error) throw done.error;
  if (!ok.includes(done.status)) throw new Error(`${command} ${args.join(' ')}: ${done.status}\n${done.stderr}`);
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

const git = (repo, ...args) => run('git', ['-C', repo, ...args]).stdout;

/** A file of a revision as lines without line ends; null when it is not there. */
function show(repo, revision, file) {
  const done = run('git', ['-C', repo, 'cat-file', 'blob', `${revision}:${file}`], { ok: [0, 128] });
  return done.code === 0 ? splitLines(done.stdout) : null;
}

function splitLines(text) {
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}

const scratchFolders = [];
/** A folder that is gone when the process ends. */
function scratchFolder(name) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `kport-bench-${name}-`));
  scratchFolders.push(dir);
  return dir;
}
process.on('exit', () => {
  for (const dir of scratchFolders) fs.rmSync(dir, { recursive: true, force: true });
});

/**
 * Runs a command under `time -v`: wall and CPU seconds (children included) and the peak memory of the largest process.
 * `calls` in a loop are added up by {@link addCost}.
 */
function timed(command, args, { ok = [0], ...rest } = {}) {
  const file = path.join(scratchFolder('time'), 'time');
  const done = run('/usr/bin/time', ['-f', '%e %U %S %M', '-o', file, command, ...args], { ok, ...rest });
  const [wall, user, system, peak] = splitLines(fs.readFileSync(file, 'latin1')).pop().split(' ').map(Number);
  return { ...done, cost: { wall, user, system, peakMB: Math.round(peak / 1024) } };
}

function addCost(a, b) {
  return {
    wall: a.wall + b.wall,
    user: a.user + b.user,
    system: a.system + b.system,
    peakMB: Math.max(a.peakMB, b.peakMB),
  };
}
const NO_COST = { wall: 0, user: 0, system: 0, peakMB: 0 };

/** One file's part of a diff between two revisions: `{oldPath, newPath, hunks: [{oldStart, newStart, lines}]}`. */
function parseDiff(text) {
  const files = [];
  let file = null;
  let hunk = null;
  let [old, fresh] = [0, 0];
  for (const line of text.split('\n')) {
    if (hunk && (old > 0 || fresh > 0)) {
      if (line[0] === '\\') continue;
      hunk.lines.push(line);
      if (line[0] !== '+') old--;
      if (line[0] !== '-') fresh--;
      continue;
    }
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (head && file) {
      [old, fresh] = [Number(head[2] ?? 1), Number(head[4] ?? 1)];
      hunk = { oldStart: Number(head[1]), newStart: Number(head[3]), lines: [] };
      file.hunks.push(hunk);
    } else if (line.startsWith('diff --git ')) {
      file = { oldPath: null, newPath: null, hunks: [] };
      hunk = null;
      files.push(file);
    } else if (line.startsWith('--- ') && file) file.oldPath = line === '--- /dev/null' ? null : line.slice(6);
    else if (line.startsWith('+++ ') && file) file.newPath = line === '+++ /dev/null' ? null : line.slice(6);
  }
  return files;
}

/** A table as Markdown. */
function table(head, rows) {
  const all = [head, ...rows].map((r) => r.map(String));
  const width = head.map((_, i) => Math.max(3, ...all.map((r) => r[i].length)));
  const line = (r) => `| ${r.map((c, i) => (i ? c.padStart(width[i]) : c.padEnd(width[i]))).join(' | ')} |`;
  const rule = `|${width.map((w, i) => (i ? `${'-'.repeat(w + 1)}:` : '-'.repeat(w + 2))).join('|')}|`;
  return [line(all[0]), rule, ...all.slice(1).map(line)].join('\n');
}

const versionOf = (command, args = ['--version']) =>
  splitLines(run(command, args, { ok: [0, 1] }).stdout || run(command, args, { ok: [0, 1] }).stderr)[0]?.trim();

/** What the figures were measured on, in one object. */
function environment() {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpus: os.cpus().length,
    memoryGB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
    git: versionOf('git'),
    patch: versionOf('patch'),
    wiggle: versionOf('wiggle'),
    diff3: versionOf('diff3'),
    kport: run('git', ['-C', root, 'rev-parse', '--short=12', 'HEAD'], { ok: [0, 128] }).stdout.trim(),
  };
}

/** The compiled part of kport that a benchmark calls. */
function dist(module) {
  const file = path.join(root, 'dist', module);
  if (!fs.existsSync(`${file}.js`)) die(`dist/ is not built: run 'npm run build'`);
  return require(file);
}

module.exports = {
  NO_COST,
  addCost,
  die,
  dist,
  environment,
  git,
  kport,
  options,
  parseDiff,
  root,
  run,
  scratchFolder,
  show,
  splitLines,
  table,
  timed,
};
