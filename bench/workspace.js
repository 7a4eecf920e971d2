'use strict';
// The three trees that every tool starts from: the base, the base with the set, and the target, as commits of a scratch
// repository that borrows the objects of the user's. Blobs that the user's repository lacks are left out of all three.
const fs = require('node:fs');
const path = require('node:path');
const { die, dist, git, parseDiff, run, scratchFolder, show, splitLines } = require('./measure');

/** How like two files must be to count as one that was renamed: git's default of 50 % misses two moved KVM files. */
const RENAME = '40%';

/**
 * The set on its base, all its patches together: `{base, patched, files}`. Each file has `path`, `oldLines`, `newLines` and
 * `hunks`; a hunk has `index` (in the file), `oldStart`, `newStart` and `lines`.
 */
async function openSet(repo, name, patchesDir) {
  const { loadSet } = dist('patch-set/patch-set');
  const set = await loadSet(patchesDir, name);
  const { version, commit } = set.manifest.base;
  const base = [commit, version].find((r) => r !== null && resolve(repo, `${r}^{tree}`) !== null);
  if (!base) die(`'${repo}' lacks the base of '${name}', ${version}`);
  const scratch = scratchRepository(repo);
  const index = path.join(scratch, 'set.index');
  const env = { ...process.env, GIT_INDEX_FILE: index };
  const inIndex = (args) => run('git', ['-C', scratch, ...args], { env });
  inIndex(['read-tree', `${base}^{tree}`]);
  for (const { file } of set.manifest.patches) {
    const left = set.manifest.unreadable.map((u) => `--exclude=${u.path}`);
    inIndex(['apply', '--cached', '--whitespace=nowarn', ...left, path.resolve(set.dir, file)]);
  }
  const patched = inIndex(['write-tree']).stdout.trim();
  const baseTree = resolve(repo, `${base}^{tree}`);
  const diff = git(scratch, 'diff', '--no-renames', '--diff-filter=M', baseTree, patched);
  const files = parseDiff(diff)
    .filter((f) => f.hunks.length)
    .map((f) => ({
      path: f.newPath,
      hunks: f.hunks.map((h, i) => ({ ...h, index: i })),
      oldLines: show(scratch, baseTree, f.newPath),
      newLines: show(scratch, patched, f.newPath),
    }));
  return {
    name,
    version,
    scratch,
    base: baseTree,
    patched,
    files,
    count: files.reduce((n, f) => n + f.hunks.length, 0),
  };
}

function resolve(repo, revision) {
  const done = run('git', ['-C', repo, 'rev-parse', '-q', '--verify', revision], { ok: [0, 1, 128] });
  return done.code === 0 ? done.stdout.trim() : null;
}

function scratchRepository(repo) {
  const dir = scratchFolder('repo');
  run('git', ['init', '-q', dir]);
  const objects = git(repo, 'rev-parse', '--path-format=absolute', '--git-path', 'objects').trim();
  fs.writeFileSync(path.join(dir, '.git', 'objects', 'info', 'alternates'), `${objects}\n`);
  for (const [key, value] of [
    ['user.name', 'bench'],
    ['user.email', 'bench@localhost'],
    ['merge.renameLimit', '100000'],
    ['diff.renameLimit', '100000'],
    ['core.sparseCheckout', 'true'],
    ['gc.auto', '0'],
    ['advice.detachedHead', 'false'],
  ])
    git(dir, 'config', key, value);
  return dir;
}

/** `target` with its tree, and where each file of the set is there (`null`: nowhere), as git's rename detection says. */
function openTarget(set, repo, target) {
  const tree = resolve(repo, `${target}^{tree}`);
  if (!tree) die(`'${repo}' has no '${target}'`);
  const [base, there] = [set.base, tree].map((t) => new Map(entriesOf(set.scratch, t)));
  const paths = new Map();
  const missing = [];
  for (const { path: p } of set.files) {
    if (there.has(p)) paths.set(p, p);
    else missing.push(p);
  }
  if (missing.length) {
    const gone = treeOf(
      set.scratch,
      missing.map((p) => [p, base.get(p)]),
    );
    const fresh = treeOf(
      set.scratch,
      present(
        set.scratch,
        [...there].filter(([p]) => !base.has(p)),
      ),
    );
    const args = ['diff-tree', '-r', '-z', '-l100000', `--find-renames=${RENAME}`, '--diff-filter=R', '--name-status'];
    const rows = git(set.scratch, ...args, gone, fresh).split('\0');
    for (let i = 0; i + 2 < rows.length; i += 3) paths.set(rows[i + 1], rows[i + 2]);
  }
  const lines = new Map();
  for (const { path: p } of set.files) {
    const to = paths.get(p) ?? null;
    lines.set(p, to === null ? null : show(set.scratch, tree, to));
  }
  return { name: target, tree, paths, lines };
}

/** `[path, "mode type id"]` of every entry of a tree. */
const entriesOf = (scratch, tree) =>
  git(scratch, 'ls-tree', '-r', '-z', tree)
    .split('\0')
    .filter(Boolean)
    .map((row) => [row.slice(row.indexOf('\t') + 1), row.slice(0, row.indexOf('\t'))]);

/** Entries whose blob is there. */
function present(scratch, entries) {
  const blobs = entries.filter(([, meta]) => meta.split(' ')[1] === 'blob');
  const asked = run('git', ['-C', scratch, 'cat-file', '--batch-check=%(objecttype)'], {
    input: blobs.map(([, meta]) => `${meta.split(' ')[2]}\n`).join(''),
  }).stdout;
  const types = splitLines(asked);
  return blobs.filter((_, i) => types[i] === 'blob');
}

function treeOf(scratch, entries) {
  const env = { ...process.env, GIT_INDEX_FILE: path.join(scratch, `tree-${process.hrtime.bigint()}.index`) };
  const input = entries.map(([p, meta]) => `${meta.replace(/^(\d+) \w+ (\w+)$/, '$1 $2')}\t${p}\0`).join('');
  run('git', ['-C', scratch, 'update-index', '-z', '--index-info'], { input, env });
  const tree = run('git', ['-C', scratch, 'write-tree'], { env }).stdout.trim();
  fs.rmSync(env.GIT_INDEX_FILE, { force: true });
  return tree;
}

/** Base, set and target as commits with a common ancestor, without the paths whose blob is missing in one of the trees. */
function commits(set, target) {
  const trees = [set.base, set.patched, target.tree];
  const lists = trees.map((t) => entriesOf(set.scratch, t));
  const whole = lists.map((list) => new Map(present(set.scratch, list)));
  const torn = new Set(lists.flatMap((list, i) => list.map(([p]) => p).filter((p) => !whole[i].has(p))));
  const [base, patched, ours] = whole.map((entries) =>
    treeOf(
      set.scratch,
      [...entries].filter(([p]) => !torn.has(p)),
    ),
  );
  const commit = (tree, ...parents) =>
    git(set.scratch, 'commit-tree', tree, ...parents.flatMap((p) => ['-p', p]), '-m', 'bench').trim();
  const root = commit(base);
  return { base: root, patched: commit(patched, root), target: commit(ours, root), torn: torn.size };
}

module.exports = { RENAME, commits, openSet, openTarget };
