'use strict';
// How often kport is right, by what it says of itself: placements by band of confidence, held against three truths.
const fs = require('node:fs');
const path = require('node:path');
const { dist, die, environment, options, show, table } = require('./measure');
const { placesOf, telling, key } = require('./elsewhere');

const usage = `usage: node bench/calibration.js [--goldens] [--mutations FILE] [--report FILE --expert REV] [options]
  --goldens           the bundled sets on the bundled kernels against the ports made by hand
  --to V,V            … of these kernels only
  --mutations FILE    what 'npx jest test/porter/mutation' wrote with KPORT_MUTATION_JSON=FILE; several with commas
  --report FILE       a report of 'kport apply --branch …' (its --json output) …
  --expert REV        … against a port made by people: a revision of the report's repository
  --verbose           what was wrong, line by line
  --json FILE         everything that was counted`;

const BANDS = [
  ['>= 0.95', 0.95, Infinity],
  ['0.9-0.95', 0.9, 0.95],
  ['0.75-0.9', 0.75, 0.9],
  ['0.5-0.75', 0.5, 0.75],
];

/**
 * Rows of the table.
 *
 * @param placements `{confidence, verdict: 'right' | 'wrong' | 'unknown', what}`
 */
function tally(placements) {
  return BANDS.map(([band, from, below]) => {
    const held = placements.filter((p) => p.confidence >= from && p.confidence < below);
    const count = (verdict) => held.filter((p) => p.verdict === verdict).length;
    return { band, placed: held.length, right: count('right'), wrong: count('wrong'), unknown: count('unknown') };
  });
}

const share = (r) => (r.right + r.wrong ? `${((100 * r.wrong) / (r.right + r.wrong)).toFixed(2)} %` : '-');

/** A hunk is right when the port differs from the golden in nothing that is the hunk's. */
async function againstGoldens(only) {
  const { apply } = dist('apply');
  const { fixtureKernels } = dist('cli/fixture-kernels');
  const { openTree } = dist('io/tree');
  const { casesOf } = dist('report/ci/cases');
  const { differencesOf, goldenDiff, noPlaceIn } = dist('report/ci/golden');
  const { PLACED } = dist('core/outcome');
  const root = path.join(__dirname, '..');
  const golden = path.join(root, 'fixtures/golden');
  const tree = await fixtureKernels();
  const found = [];
  for (const to of fs.readdirSync(golden).filter((d) => /^v/.test(d) && (!only || only.includes(d))))
    for (const file of fs.readdirSync(path.join(golden, to))) {
      const set = path.basename(file, '.patch');
      const request = {
        set,
        to,
        tree,
        patchesDir: path.join(root, 'patches'),
        baseTree: null,
        branch: null,
        out: null,
      };
      const rest = {
        force: false,
        only: [],
        markers: false,
        generate: true,
        chronicle: true,
        dryRun: false,
        progress: () => undefined,
      };
      await apply({ ...request, ...rest }, async (port) => {
        const { scratch, report, target } = port;
        const made = await scratch.applyPatch(target.commit, goldenDiff(golden, to, set), file);
        const who = ['-c', 'user.name=kport', '-c', 'user.email=kport@localhost'];
        const commit = (await scratch.repo.output([...who, 'commit-tree', made, '-m', 'golden'])).trim();
        const [a, b] = [await openTree(scratch.repo.dir, port.tip), await openTree(scratch.repo.dir, commit)];
        const differences = await differencesOf(a, b, scratch);
        a.repo.close();
        b.repo.close();
        const noPlace = noPlaceIn(golden, set, target.version);
        const differs = new Map();
        for (const c of casesOf(port.set, report, differences, noPlace))
          if (c.lines && c.hunk) differs.set(c.hunk, `${c.path}: ${c.lines.port} lines for ${c.lines.golden}`);
        for (const h of report.hunks.filter((x) => PLACED.has(x.outcome))) {
          const what = `${set} on ${to}: ${h.id} ${h.path}: ${differs.get(h.id) ?? 'as by hand'}`;
          found.push({ confidence: h.confidence, verdict: differs.has(h.id) ? 'wrong' : 'right', what });
        }
      });
    }
  return found;
}

/** An edit is right when it is in its definition and among its statements; `beside` its statements is wrong here, too. */
function againstMutations(files) {
  return files.flatMap((file) =>
    JSON.parse(fs.readFileSync(file, 'utf8')).judged.flatMap((j) => {
      if (j.verdict === 'left' || (j.verdict === 'rightly left' && j.confidence < 0.5)) return [];
      const right = j.verdict === 'right' || j.verdict === 'rightly left';
      const what = `case ${j.case}, ${j.mutation}: ${j.verdict} ${j.path} ${j.definition}: ${j.said}`;
      return [{ confidence: j.confidence, verdict: right ? 'right' : 'wrong', what }];
    }),
  );
}

/**
 * A hunk is right when people have its telling lines in the same definition of the same file, wrong when they have one of
 * them in another one only; nothing is known of a hunk whose lines they do not have.
 */
async function againstPeople(file, expert) {
  const report = JSON.parse(fs.readFileSync(file, 'utf8'));
  if (!report.result?.treeId) die('the report is of a dry run: there is nothing to read');
  const { loadSet, hunksOf } = dist('patch-set/patch-set');
  const { PLACED } = dist('core/outcome');
  const repo = report.result.tree;
  const set = await loadSet(report.patchesDir, report.set);
  const added = new Map(
    [...hunksOf(set)].map(({ hunk }) => [
      hunk.id,
      hunk.lines
        .filter((l) => l[0] === '+')
        .map((l) => key(l.slice(1)))
        .filter(telling),
    ]),
  );
  const known = new Map();
  const linesIn = async (revision, at) => {
    const id = `${revision}:${at}`;
    if (!known.has(id)) {
      const lines = show(repo, revision, at) ?? [];
      const { at: places } = await placesOf(at, lines);
      const found = new Map();
      lines.forEach((l, i) => found.set(key(l), (found.get(key(l)) ?? new Set()).add(places[i])));
      known.set(id, found);
    }
    return known.get(id);
  };
  const found = [];
  for (const h of report.hunks.filter((x) => PLACED.has(x.outcome))) {
    const [hits, misses] = [[], []];
    for (const at of new Set(h.target.map((t) => t.path))) {
      const [ours, theirs] = [await linesIn(report.result.treeId, at), await linesIn(expert, at)];
      for (const line of new Set(added.get(h.id))) {
        const [mine, people] = [ours.get(line), theirs.get(line)];
        if (!mine || !people) continue;
        if ([...mine].some((d) => people.has(d))) hits.push(line);
        else misses.push(`${at}: '${line}' is in ${[...mine]}, theirs in ${[...people]}`);
      }
    }
    const verdict = misses.length ? 'wrong' : hits.length ? 'right' : 'unknown';
    found.push({ confidence: h.confidence, verdict, what: `${h.id} ${misses.join('; ')}` });
  }
  return found;
}

async function main() {
  const opts = options(
    usage,
    {
      goldens: { type: 'boolean', default: false },
      to: { type: 'string' },
      mutations: { type: 'string' },
      report: { type: 'string' },
      expert: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
    [],
  );
  const truths = [];
  if (opts.goldens) truths.push(['ports made by hand', await againstGoldens(opts.to?.split(','))]);
  if (opts.mutations) truths.push(['mutated kernels', againstMutations(opts.mutations.split(','))]);
  if (opts.report && opts.expert) truths.push(['people', await againstPeople(opts.report, opts.expert)]);
  if (truths.length === 0) die(`nothing to hold it against\n${usage}`);
  for (const [name, placements] of truths) {
    const rows = tally(placements).map((r) => [r.band, r.placed, r.right, r.wrong, r.unknown, share(r)]);
    console.log(`against ${name}\n`);
    console.log(table(['confidence', 'placed', 'right', 'wrong', 'unknown', 'error rate'], rows));
    console.log();
    if (opts.verbose)
      for (const p of placements) if (p.verdict === 'wrong') console.log(`${p.confidence.toFixed(2)} ${p.what}`);
  }
  if (opts.json) {
    const counted = truths.map(([name, placements]) => ({ name, bands: tally(placements), placements }));
    fs.writeFileSync(opts.json, `${JSON.stringify({ environment: environment(), counted }, null, 1)}\n`);
  }
}

main().catch((e) => {
  console.error(e);
  process.exitCode = 1;
});
