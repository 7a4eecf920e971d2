// Time and memory of the index for what a retrofitted KVM touches: cold, warm, a second version after the first, beside
// ctags on the same files. Each run is a process of its own. Processor time is given as well: it does not depend on what
// else the machine does.
//   node bench/speed.js --tree REPO [FIRST SECOND]     (default: v5.10 v5.8)
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
  const [first = 'v5.10', second = 'v5.8'] = o.rest;
  const dir = mkdtempSync(path.join(os.tmpdir(), 'kport-bench-'));
  const child = (revision, cache) => {
    const args = [__filename, '--tree', o.tree, revision, ...(cache ? ['--cache', cache] : [])];
    const run = spawnSync(process.execPath, args, {
      env: { ...process.env, KPORT_BENCH_RUN: '1' },
      maxBuffer: 1 << 28,
    });
    if (run.status !== 0) throw new Error(run.stderr.toString());
    return JSON.parse(run.stdout);
  };
  const rows = {};
  const a = path.join(dir, 'a');
  rows['cold'] = child(first, a);
  rows['warm'] = child(first, a);
  rows[`second version (${second})`] = child(second, a);
  rows[`second version, warm`] = child(second, a);
  rows[`second version, cold`] = child(second, path.join(dir, 'b'));
  rows['ctags, same files'] = await ctags(o, first, path.join(dir, 'files'));
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

async function one(o) {
  const begun = Date.now();
  const index = await openIndex(o, o.rest[0], scopeFor());
  const cpu = process.cpuUsage();
  console.log(
    JSON.stringify({
      wall: Date.now() - begun,
      cpu: (cpu.user + cpu.system) / 1000,
      rss: Math.round(process.resourceUsage().maxRSS / 1024),
      stats: index.stats,
    }),
  );
  index.tree.repo?.close();
}

async function ctags(o, revision, dir) {
  const index = await openIndex(o, revision, scopeFor());
  const files = index.files().filter((f) => /\.[ch]$/.test(f.path));
  for (const f of files) {
    mkdirSync(path.dirname(path.join(dir, f.path)), { recursive: true });
    writeFileSync(path.join(dir, f.path), f.text, 'latin1');
  }
  index.tree.repo?.close();
  const before = process.resourceUsage();
  const begun = Date.now();
  const out = execFileSync('bash', ['-c', `ctags ${FIELDS.join(' ')} -L - -f - ; times >&2`], {
    cwd: dir,
    input: files.map((f) => f.path).join('\n'),
    maxBuffer: 1 << 30,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  void before;
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
