// What `git merge` makes of a set on a target, as a commit that can be built. For bench/compile-table.js.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const MARKER = '<<<<<<< ';
const BUILD_FILE = /(^|\/)(Kconfig|Makefile|Kbuild)[^/]*$/;

/** Git on one repository; what is written are loose objects, no ref and no index of the user's. */
class Git {
  constructor(dir) {
    this.dir = dir;
    this.index = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'git-merge-')), 'index');
  }

  run(args, input = '', ok = [0]) {
    const env = { ...process.env, GIT_INDEX_FILE: this.index };
    for (const who of ['AUTHOR', 'COMMITTER'])
      Object.assign(env, { [`GIT_${who}_NAME`]: 'bench', [`GIT_${who}_EMAIL`]: 'bench@localhost' });
    const done = spawnSync('git', ['-C', this.dir, ...args], { input, env, encoding: 'latin1', maxBuffer: 1e9 });
    if (!ok.includes(done.status)) throw new Error(`git ${args[0]}: ${done.stderr}`);
    return done.stdout;
  }

  /** Path to `{mode, type, oid}`. */
  entries(rev) {
    const rows = this.run(['ls-tree', '-r', '-z', rev]).split('\0').filter(Boolean);
    return new Map(
      rows.map((row) => {
        const [mode, type, oid] = row.slice(0, row.indexOf('\t')).split(' ');
        return [row.slice(row.indexOf('\t') + 1), { mode, type, oid }];
      }),
    );
  }

  /** Object ids that the repository does not have. */
  lacking(oids) {
    const asked = this.run(['cat-file', '--batch-check=%(objectname) %(objecttype)'], `${[...oids].join('\n')}\n`);
    return new Set(
      asked
        .split('\n')
        .filter((l) => l.endsWith(' missing'))
        .map((l) => l.split(' ')[0]),
    );
  }

  /** A tree changed: path to entry, or to null for one that goes. */
  change(rev, changes) {
    this.run(['read-tree', rev]);
    const rows = [...changes].map(([p, e]) => (e ? `${e.mode} ${e.oid}\t${p}\0` : `0 ${'0'.repeat(40)}\t${p}\0`));
    this.run(['update-index', '-z', '--index-info'], rows.join(''));
    return this.run(['write-tree', '--missing-ok']).trim();
  }

  commit(tree, ...parents) {
    return this.run(['commit-tree', tree, ...parents.flatMap((p) => ['-p', p]), '-m', 'bench']).trim();
  }

  text(oid) {
    return this.run(['cat-file', 'blob', oid]);
  }

  close() {
    fs.rmSync(path.dirname(this.index), { recursive: true, force: true });
  }
}

/**
 * Merges `rev` into `target` with `git merge-tree` at git's own defaults. A public copy may lack blobs, and rename
 * detection reads them: those paths are left out of all three trees, and are the target's in the result.
 *
 * `buildable` is the same with each marked Kconfig and Makefile replaced by the one of `buildFiles`, a port: null when
 * none is marked.
 */
function gitMerge(dir, target, rev, buildFiles) {
  const git = new Git(dir);
  try {
    const base = git.run(['merge-base', target, rev]).trim();
    const trees = [base, target, rev].map((r) => git.entries(r));
    const blobs = trees.flatMap((t) => [...t.values()].filter((e) => e.type === 'blob').map((e) => e.oid));
    const lacking = git.lacking(new Set(blobs));
    const torn = new Set(trees.flatMap((t) => [...t].filter(([, e]) => lacking.has(e.oid)).map(([p]) => p)));
    const without = (r, i) => git.change(r, new Map([...torn].filter((p) => trees[i].has(p)).map((p) => [p, null])));
    const root = git.commit(without(base, 0));
    const [ours, theirs] = [git.commit(without(target, 1), root), git.commit(without(rev, 2), root)];
    const merged = git.run(['merge-tree', '--write-tree', ours, theirs], '', [0, 1]).split('\n')[0];
    const back = new Map([...torn].filter((p) => trees[1].has(p)).map((p) => [p, trees[1].get(p)]));
    const tree = git.change(merged, back);

    const marked = [...git.entries(tree)].filter(
      ([p, e]) =>
        e.type === 'blob' && trees[1].get(p)?.oid !== e.oid && trees[2].get(p)?.oid !== e.oid && isMarked(git, e),
    );
    const build = marked.map(([p]) => p).filter((p) => BUILD_FILE.test(p));
    const port = build.length ? git.entries(buildFiles) : new Map();
    const commit = git.commit(tree, target);
    return {
      commit,
      torn: torn.size,
      // Paths left out that the set itself changes: those the merge could not be asked about.
      tornOfSet: [...torn].filter((p) => trees[0].get(p)?.oid !== trees[2].get(p)?.oid),
      marked: marked.map(([p]) => p),
      buildMarked: build,
      buildable: build.length
        ? git.commit(git.change(tree, new Map(build.map((p) => [p, port.get(p) ?? null]))), target)
        : null,
    };
  } finally {
    git.close();
  }
}

function isMarked(git, entry) {
  return git
    .text(entry.oid)
    .split('\n')
    .some((l) => l.startsWith(MARKER));
}

module.exports = { gitMerge };
