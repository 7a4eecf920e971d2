'use strict';
// Each tool's port of a set: `{placed: Set of hunks, regions, files, result: Map path -> lines, cost}`.
// How a hunk counts as placed is written at each tool and in docs/measurements.md.
const fs = require('node:fs');
const path = require('node:path');
const { NO_COST, addCost, die, git, kport, run, scratchFolder, show, splitLines, timed } = require('./measure');
const { RENAME } = require('./workspace');

const text = (lines) => lines.map((l) => `${l}\n`).join('');

function writeFile(file, lines) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text(lines), 'latin1');
}
const readFile = (file) => splitLines(fs.readFileSync(file, 'latin1'));

/** One file's hunks as patch text for the path that it has in the target. */
function patchText(to, hunks) {
  const body = hunks.map((h) => {
    const count = (marks) => h.lines.filter((l) => marks.includes(l[0])).length;
    return `@@ -${h.oldStart},${count(' -')} +${h.newStart},${count(' +')} @@\n${text(h.lines)}`;
  });
  return `--- a/${to}\n+++ b/${to}\n${body.join('')}`;
}

/** The files of the target that the set changes, in a folder. */
function layOut(set, target) {
  const dir = scratchFolder('tree');
  for (const file of set.files)
    if (target.lines.get(file.path))
      writeFile(path.join(dir, target.paths.get(file.path)), target.lines.get(file.path));
  return dir;
}

const here = (set, target) => set.files.filter((f) => target.lines.get(f.path));

/** GNU patch: a hunk is placed when patch says that it succeeded. It gets the paths that git's rename detection found. */
function patch(set, target, fuzz) {
  const dir = layOut(set, target);
  const files = here(set, target);
  const input = files.map((f) => patchText(target.paths.get(f.path), f.hunks)).join('');
  const done = timed('patch', ['-p1', '-N', '-f', `-F${fuzz}`, '--verbose', '--no-backup-if-mismatch', '-d', dir], {
    input,
    ok: [0, 1],
  });
  const placed = new Set();
  const fuzzy = new Set();
  const byTarget = new Map(files.map((f) => [target.paths.get(f.path), f]));
  let file = null;
  let rejected = 0;
  for (const line of splitLines(done.stdout)) {
    const named = /^patching file '?(.*?)'?$/.exec(line);
    if (named) file = byTarget.get(named[1]);
    const hunk = /^Hunk #(\d+) succeeded(.*)/.exec(line);
    if (hunk && file) {
      placed.add(file.hunks[Number(hunk[1]) - 1]);
      if (/fuzz/.test(hunk[2])) fuzzy.add(file.hunks[Number(hunk[1]) - 1]);
    }
    if (/^Hunk #\d+ FAILED/.test(line)) rejected++;
  }
  const result = new Map(files.map((f) => [f.path, readFile(path.join(dir, target.paths.get(f.path)))]));
  const torn = files.filter((f) => f.hunks.some((h) => !placed.has(h))).length + set.files.length - files.length;
  return { placed, fuzzy: fuzzy.size, regions: rejected, files: torn, result, cost: done.cost };
}

/** The conflict regions of a merged file, and the file with the target's side of each. */
function regionsOf(lines) {
  const regions = [];
  const resolved = [];
  let region = null;
  let side = null;
  for (const line of lines) {
    if (/^<{7}( |$)/.test(line) && !region) {
      region = { ours: [], base: [], theirs: [] };
      side = 'ours';
    } else if (region && /^\|{7}( |$)/.test(line)) side = 'base';
    else if (region && /^={7}$/.test(line)) side = 'theirs';
    else if (region && /^>{7}( |$)/.test(line)) {
      regions.push(region);
      region = null;
    } else if (region) {
      region[side].push(line);
      if (side === 'ours') resolved.push(line);
    } else resolved.push(line);
  }
  return { regions, resolved };
}

/**
 * The hunks of a file that have a changed line in one of its conflict regions. A region names its lines of the base and of
 * the set's side; they are found there in order.
 */
function hunksIn(file, regions) {
  const hit = new Set();
  let [baseFrom, newFrom] = [0, 0];
  for (const region of regions) {
    const atBase = region.base.length ? find(file.oldLines, region.base, baseFrom) : null;
    const atNew = region.theirs.length ? find(file.newLines, region.theirs, newFrom) : null;
    let found = false;
    for (const hunk of file.hunks) {
      let [old, fresh] = [hunk.oldStart - 1, hunk.newStart - 1];
      for (const line of hunk.lines) {
        const inside =
          (line[0] === '-' && atBase !== null && old >= atBase && old < atBase + region.base.length) ||
          (line[0] === '+' && atNew !== null && fresh >= atNew && fresh < atNew + region.theirs.length);
        if (inside) {
          hit.add(hunk);
          found = true;
        }
        if (line[0] !== '+') old++;
        if (line[0] !== '-') fresh++;
      }
    }
    if (!found) region.lost = true;
    if (atBase !== null) baseFrom = atBase + region.base.length;
    if (atNew !== null) newFrom = atNew + region.theirs.length;
  }
  return hit;
}

function find(lines, part, from) {
  for (const start of [from, 0]) {
    for (let i = start; i + part.length <= lines.length; i++) {
      if (part.every((l, k) => lines[i + k] === l)) return i;
    }
  }
  return null;
}

/** A commit as HEAD and index, with no file in the work tree. */
function checkOut(scratch, commit) {
  const store = path.join(scratch, '.git');
  fs.mkdirSync(path.join(store, 'info'), { recursive: true });
  fs.writeFileSync(path.join(store, 'info', 'sparse-checkout'), '/no-such-folder/\n');
  git(scratch, 'symbolic-ref', 'HEAD', 'refs/heads/none');
  for (const name of fs.readdirSync(store)) if (/^(index|.*MERGE.*)$/.test(name)) fs.rmSync(path.join(store, name));
  for (const name of fs.readdirSync(scratch))
    if (name !== '.git') fs.rmSync(path.join(scratch, name), { recursive: true });
  git(scratch, 'checkout', '-q', '-f', '--detach', commit);
}

/**
 * `git merge` (ort) of the set into the target. A hunk is placed when none of its changed lines is in a conflict region and
 * its file is not left as a whole (modify/delete). The work tree is sparse: git writes only what conflicts.
 */
function gitMerge(set, target, made) {
  const { scratch } = set;
  checkOut(scratch, made.target);
  const merge = (style) => [
    ...['-C', scratch, '-c', `merge.conflictStyle=${style}`, 'merge', '-q', '--no-commit', '-s', 'ort'],
    ...[`-Xfind-renames=${RENAME}`, made.patched],
  ];
  // First as users see it; then again with the base's lines in the regions, to see which hunks they are of.
  const done = timed('git', merge('merge'), { ok: [0, 1] });
  const seenByUser = new Map();
  for (const p of git(scratch, 'diff', '--name-only', '-z', '--diff-filter=U').split('\0').filter(Boolean))
    if (fs.existsSync(path.join(scratch, p))) seenByUser.set(p, readFile(path.join(scratch, p)));
  checkOut(scratch, made.target);
  run('git', merge('diff3'), { ok: [0, 1] });
  const stages = new Map();
  for (const row of git(scratch, 'ls-files', '-s', '-z').split('\0').filter(Boolean)) {
    const [, meta, p] = /^(\d+ \w+ \d)\t(.*)$/s.exec(row);
    const [, blob, stage] = meta.split(' ');
    if (!stages.has(p)) stages.set(p, {});
    stages.get(p)[stage] = blob;
  }
  const placed = new Set();
  const result = new Map();
  const raw = new Map();
  const tally = { regions: 0, files: 0, lost: 0, wholeFiles: 0 };
  const seen = new Set();
  for (const file of set.files) {
    const to = [target.paths.get(file.path), file.path].find((p) => p && stages.has(p)) ?? null;
    seen.add(to);
    const stage = to && stages.get(to);
    if (!stage || (!stage[0] && !(stage[2] && stage[3]))) {
      tally.wholeFiles++;
      tally.files++;
      continue;
    }
    if (stage[0]) {
      for (const h of file.hunks) placed.add(h);
      result.set(file.path, splitLines(git(scratch, 'cat-file', 'blob', stage[0])));
      continue;
    }
    const { regions } = regionsOf(readFile(path.join(scratch, to)));
    const hit = hunksIn(file, regions);
    const user = regionsOf(seenByUser.get(to));
    tally.regions += user.regions.length;
    tally.files++;
    tally.lost += regions.filter((r) => r.lost).length;
    for (const h of file.hunks) if (!hit.has(h)) placed.add(h);
    result.set(file.path, user.resolved);
    raw.set(file.path, seenByUser.get(to));
  }
  // Files that only the set has, and the target has too: counted as regions and files, they hold none of the hunks.
  for (const [p, stage] of stages) {
    if (stage[0] || seen.has(p)) continue;
    tally.files++;
    if (seenByUser.has(p)) tally.regions += regionsOf(seenByUser.get(p)).regions.length;
  }
  return { placed, ...tally, result, raw, cost: done.cost };
}

/** `git merge-file` of each hunk alone: base, the target's file, the base with this hunk only. */
function hunkMerge(set, target) {
  const dir = scratchFolder('hunk');
  const placed = new Set();
  let cost = NO_COST;
  let regions = 0;
  const torn = new Set();
  const files = { base: path.join(dir, 'base'), ours: path.join(dir, 'ours'), theirs: path.join(dir, 'theirs') };
  const started = process.hrtime.bigint();
  for (const file of set.files) {
    const ours = target.lines.get(file.path);
    if (!ours) {
      torn.add(file);
      continue;
    }
    writeFile(files.base, file.oldLines);
    writeFile(files.ours, ours);
    for (const hunk of file.hunks) {
      const fresh = hunk.lines.filter((l) => l[0] !== '-').map((l) => l.slice(1));
      const oldCount = hunk.lines.filter((l) => l[0] !== '+').length;
      const theirs = [...file.oldLines];
      theirs.splice(hunk.oldStart - 1, oldCount, ...fresh);
      writeFile(files.theirs, theirs);
      const args = ['merge-file', '-p', '-q', files.ours, files.base, files.theirs];
      const done = run('git', args, { ok: Array.from({ length: 128 }, (_, i) => i) });
      if (done.code === 0) placed.add(hunk);
      else torn.add(file);
      regions += done.code;
    }
  }
  cost = addCost(cost, { wall: Number(process.hrtime.bigint() - started) / 1e9, user: NaN, system: NaN, peakMB: NaN });
  return { placed, regions, files: torn.size, result: null, cost };
}

/** wiggle: the whole set for cost, regions and result; a hunk is placed when wiggle takes it alone without a conflict. */
function wiggle(set, target) {
  const dir = layOut(set, target);
  const files = here(set, target);
  const script = [];
  files.forEach((f, i) => {
    fs.writeFileSync(path.join(dir, `${i}.patch`), patchText(target.paths.get(f.path), f.hunks), 'latin1');
    script.push(`wiggle "${target.paths.get(f.path)}" ${i}.patch > ${i}.out; [ $? -le 1 ] || exit 2`);
  });
  const done = timed('sh', ['-c', `${script.join('\n')}\nexit 0`], { cwd: dir });
  const result = new Map();
  const raw = new Map();
  const tally = { regions: 0, files: set.files.length - files.length };
  files.forEach((f, i) => {
    const lines = readFile(path.join(dir, `${i}.out`));
    const { regions, resolved } = regionsOf(lines);
    raw.set(f.path, lines);
    tally.regions += regions.length;
    if (regions.length) tally.files++;
    result.set(f.path, resolved);
  });
  const placed = new Set();
  const one = path.join(dir, 'one.patch');
  for (const f of files) {
    for (const h of f.hunks) {
      fs.writeFileSync(one, patchText(target.paths.get(f.path), [h]), 'latin1');
      const alone = run('wiggle', [path.join(dir, target.paths.get(f.path)), one], { ok: [0, 1] });
      if (alone.code === 0) placed.add(h);
    }
  }
  return { placed, ...tally, result, raw, cost: done.cost };
}

/** kport: its report says what is placed. `cacheDir` decides whether the run is cold or warm. */
function port(set, target, { repo, patchesDir, branch, cacheDir, more = [] }) {
  const args = ['apply', '--set', set.name, '--patches', patchesDir, '--tree', repo, '--to', target.name];
  args.push('--branch', branch, '--force', '--json', ...more);
  const env = { ...process.env, KPORT_CACHE_DIR: cacheDir };
  const done = timed(process.execPath, [kport, ...args], { ok: [0, 1], env });
  const report = JSON.parse(done.stdout);
  const placedOutcomes = new Set(['applied', 'merged', 'relocated', 'rewritten', 'generated', 'already-upstream']);
  const byPath = new Map();
  for (const h of report.hunks) byPath.set(h.path, [...(byPath.get(h.path) ?? []), h]);
  const placed = new Set();
  const result = new Map();
  const torn = new Set();
  for (const file of set.files) {
    const own = byPath.get(file.path) ?? [];
    if (own.length !== file.hunks.length)
      die(`${file.path}: kport counts ${own.length} hunks, git ${file.hunks.length}`);
    file.hunks.forEach((h, i) => {
      if (placedOutcomes.has(own[i].outcome)) placed.add(h);
      if (own[i].outcome === 'conflict') torn.add(file.path);
    });
    const to = target.paths.get(file.path);
    const lines = to && show(repo, report.result.treeId, to);
    if (lines) result.set(file.path, lines);
  }
  return { placed, regions: report.summary.byOutcome.conflict, files: torn.size, result, cost: done.cost, report };
}

module.exports = { gitMerge, hunkMerge, patch, port, wiggle };
