// What the measurements share. Run 'npm run build' first.
const { openTree } = require('../dist/io/tree');
const { GitRepo } = require('../dist/io/git');
const { DiskCache } = require('../dist/io/cache');
const { indexKernel, scopeOfSet } = require('../dist/kernel-index');
const { parseVersion, compareVersions } = require('../dist/core/version');

/** `--tree REPO` (the first of `trees`), `--cache DIR`, `--json`, `--verbose`; `rest` holds the other words. */
function options() {
  const o = { tree: null, trees: [], cache: null, json: false, verbose: false, rest: [] };
  const words = process.argv.slice(2);
  while (words.length) {
    const w = words.shift();
    if (w === '--tree') o.trees.push(words.shift());
    else if (w === '--cache') o.cache = words.shift();
    else if (w === '--json') o.json = true;
    else if (w === '--verbose') o.verbose = true;
    else o.rest.push(w);
  }
  o.tree = o.trees[0] ?? null;
  if (!o.tree) {
    console.error('error: no kernel repository\nhint: give --tree REPO, a git repository with tags v4.18, v5.4 …');
    process.exit(2);
  }
  return o;
}

/** Release tags, oldest first. */
async function releases(tree) {
  const repo = await GitRepo.open(tree);
  const tags = (await repo.tags()).filter((t) => parseVersion(t)?.extra === '');
  repo.close();
  return tags.sort((a, b) => compareVersions(parseVersion(a), parseVersion(b)));
}

const open = new Map();
const caches = new Map();

/** One object for one folder, as in a run of kport. */
function cacheOf(dir) {
  if (!caches.has(dir)) caches.set(dir, new DiskCache(dir));
  return caches.get(dir);
}

async function openIndex(o, rev, scope) {
  const key = `${o.tree} ${rev} ${scope.key}`;
  if (!open.has(key)) {
    // Two at a time is what fits.
    if (open.size > 3) open.delete(open.keys().next().value);
    const tree = await openTree(o.tree, rev);
    open.set(key, await indexKernel(tree, { scope, cache: o.cache ? cacheOf(o.cache) : null }));
  }
  return open.get(key);
}

/** KVM, the IOMMU and VFIO drivers, and what they include: what a retrofitted KVM touches. */
const TOUCHED = [
  'drivers/iommu/arm-smmu.c',
  'drivers/vfio/vfio.c',
  'arch/arm64/kvm/arm.c',
  'arch/arm64/kernel/smp.c',
  'arch/arm64/mm/mmu.c',
  'arch/arm64/include/asm/kvm_mmu.h',
];

function scopeFor() {
  return { ...scopeOfSet(TOUCHED), key: 'kvm' };
}

module.exports = { options, releases, openIndex, scopeFor, TOUCHED };
