// Time and memory of the index for what a retrofitted KVM touches: cold, warm, a second version after the first, beside
// ctags on the same files. Each run is a process of its own, but for the last row, where one process does both versions,
// as a port does. Processor time is given as well, since it depends less on what else the machine does; of several rounds
// the best time of each row counts.
//   node bench/speed.js --tree REPO [FIRST SECOND [ROUNDS]]     (default: v5.10 v5.8 1)
const { execFileSync, spawnSync } = require('node:child_process');
const { mkdtempSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { options, scopeFor, openIndex } = require('./common');

const FIELDS = [
  '--kinds-C=defgmpstuvxz',
  '--fields=+neKSt',
  '--output-format=json',
  '--languages=C',
  '--langmap=C:.c.h',
];

async function main() {
  const o = options();
  if (process.env.KPORT_BENCH_RUN) return one(o);
  const [first = 'v5.10', second = 'v5.8', rounds = '1'] = o.rest;
  const child = (revisions, cache) => {
    const args = [__filename, '--tree', o.tree, ...revisions, '--cache', cache];
    const run = spawnSync(process.execPath, args, {
      env: { ...process.env, KPORT_BENCH_RUN: '1' },
      maxBuffer: 1 << 28,
    });
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return JSON.parse(run.stdout);
  };
  const rows = {};
  const best = (name, run) => {
    const { wall, cpu } = rows[name] ?? run;
    rows[name] = { ...run, wall: Math.min(wall, run.wall), cpu: Math.min(cpu, run.cpu) };
  };
  const dir = mkdtempSync(path.join(os.tmpdir(), 'kport-bench-'));
  for (let round = 0; round < Number(rounds); round++) {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => path.join(dir, `${name}${round}`));
    best('cold', child([first], a));
    best('warm', child([first], a));
    best(`second version (${second})`, child([second], a));
    best('second version, warm', child([second], a));
    best('second version, cold', child([second], b));
    best('ctags, same files', await ctags(o, first, path.join(dir, 'files')));
    best(`second version in one run`, child([first, second], c));
  }
  rmSync(dir, { recursive: true });
  if (o.json) return console.log(JSON.stringify({ schemaVersion: 1, first, second, rows }, null, 1));
  for (const [name, r] of Object.entries(rows)) {
    console.log(
      `${name.padEnd(26)} wall ${(r.wall / 1000).toFixed(2)} s, processor ${(r.cpu / 1000).toFixed(2)} s` +
        (r.rss ? `, memory ${r.rss} MB` : '') +
        (r.stats
          ? `, ${r.stats.files} files, ${(r.stats.bytes / 1e6).toFixed(1)} MB, ${r.stats.indexed} indexed, ${r.stats.cached} from the cache, ${r.stats.definitions} definitions`
          : '') +
        (r.tags ? `, ${r.tags} tags` : ''),
    );
  }
}

/** Indexes the revisions one after the other; the last one is measured. */
async function one(o) {
  for (const revision of o.rest.slice(0, -1)) await openIndex(o, revision, scopeFor());
  const begun = Date.now();
  const before = process.cpuUsage();
  const index = await openIndex(o, o.rest[o.rest.length - 1], scopeFor());
  // A single one pays for the start of the process, too.
  const cpu = o.rest.length > 1 ? process.cpuUsage(before) : process.cpuUsage();
  console.log(
    JSON.stringify({
      wall: Date.now() - begun,
      cpu: (cpu.user + cpu.system) / 1000,
      rss: Math.round(process.resourceUsage().maxRSS / 1024),
      stats: index.stats,
    }),
  );
  process.exit(0);
}

async function ctags(o, revision, dir) {
  const index = await openIndex(o, revision, scopeFor());
  const files = index.files().filter((f) => /\.[ch]$/.test(f.path));
  for (const f of files) {
    mkdirSync(path.dirname(path.join(dir, f.path)), { recursive: true });
    writeFileSync(path.join(dir, f.path), f.text, 'latin1');
  }
  index.tree.repo?.close();
  const begun = Date.now();
  const out = execFileSync('bash', ['-c', `ctags ${FIELDS.join(' ')} -L - -f - ; times >&2`], {
    cwd: dir,
    input: files.map((f) => f.path).join('\n'),
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const wall = Date.now() - begun;
  const again = spawnSync('bash', ['-c', `ctags ${FIELDS.join(' ')} -L - -f - >/dev/null; times`], {
    cwd: dir,
    input: files.map((f) => f.path).join('\n'),
  });
  const [, user, system] = /\n(\S+) (\S+)\n*$/.exec(again.stdout.toString()) ?? [];
  const seconds = (t) => Number(/(\d+)m/.exec(t)?.[1] ?? 0) * 60 + Number(/m([\d.]+)s/.exec(t)?.[1] ?? 0);
  return {
    wall,
    cpu: 1000 * (seconds(user ?? '') + seconds(system ?? '')),
    tags: out.toString('latin1').split('\n').length - 1,
  };
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
