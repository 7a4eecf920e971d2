import { apply, type FreshPort } from '../apply';
import { PLACED } from '../core/outcome';
import { firstLine } from '../io/git';
import { run } from '../io/process';
import { openTree } from '../io/tree';
import { casesOf } from '../report/ci/cases';
import { differencesOf, goldenDiff, noPlaceIn } from '../report/ci/golden';
import type { CiRow } from '../report/schema/ci';
import type { CheckResult } from '../verify/check';
import { openContext } from '../verify/context';
import { runAllChecks, runChecks, SOURCE_CHECKS } from '../verify/run-checks';
import { answer, settle, type WorkerAnswer } from './worker';

export interface CiRequest {
  set: string;
  patchesDir: string;
  tree: string;
  to: string;
  baseTree: string | null;
  /** Folder of the ports made by hand; null for none. */
  golden: string | null;
  /** Run the compiler, too: as a kernel build does, or with a script that is given repository, revision and flags. */
  compile: false | true | { script: string };
}

/** What a row is before it is held against the list of what is known to fail. */
export type CiResult = Omit<CiRow, 'expected' | 'problems' | 'error'>;

/** Ports one set to one target, checks the port, and compares it with the golden. Nothing is left behind. */
export async function ciRow(request: CiRequest): Promise<CiResult> {
  const started = performance.now();
  let seen: Pick<CiResult, 'checks' | 'treeId' | 'golden'> | null = null;
  const { set, patchesDir, tree, to, baseTree } = request;
  const report = await apply(
    {
      ...{
        set,
        patchesDir,
        tree,
        to,
        baseTree,
        branch: null,
        out: null,
        force: false,
        only: [],
        markers: false,
        chronicle: true,
      },
      dryRun: false,
      progress: () => undefined,
    },
    async (port) => {
      const treeId = (await port.scratch.repo.resolve(`${port.tip}^{tree}`))!;
      seen = { treeId, checks: await checksOf(port, request.compile), golden: await goldenOf(port, treeId, request) };
    },
  );
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  return { set, to, target: report.target, summary: report.summary, ...seen!, seconds };
}

async function checksOf(port: FreshPort, compile: CiRequest['compile']): Promise<CiResult['checks']> {
  const { set, base, target, report } = port;
  const ported = await openTree(port.scratch.repo.dir, port.tip);
  const ctx = await openContext({ set, base, target, ported, report, option: null });
  let results: CheckResult[];
  if (compile === true) {
    const build = { prefix: null, jobs: 1, config: '', keep: null, boot: false, sparse: false, each: null };
    results = (await runAllChecks(ctx, build)).results;
  } else {
    results = (await runChecks(ctx, SOURCE_CHECKS)).results;
    if (compile) {
      for (const flag of ['off', 'on'] as const) {
        results.push(await compileWith(compile.script, port, flag === 'on' ? ctx.options.slice(0, 1) : [], flag));
      }
    }
  }
  ported.repo?.close();
  return results.map((r) => ({ name: r.name, result: r.result, reason: r.reason, findings: r.findings.length }));
}

/** Kernels that have no build of their own (the fixtures) come with a script. */
async function compileWith(script: string, port: FreshPort, on: string[], flag: string): Promise<CheckResult> {
  const flags = on.map((o) => `-D${o}=1`);
  const done = await run('bash', [script, port.scratch.repo.dir, port.tip, ...flags], { timeoutMs: 600_000 });
  const said = done.stdout
    .toString('latin1')
    .trim()
    .replace(/^[^:]*: /, '');
  const errors = done.stderr.split('\n').filter((l) => /\berror:|Error:/.test(l));
  return {
    name: `compile-${flag}`,
    result: done.code === 0 ? 'pass' : 'fail',
    reason: said || firstLine(done.stderr),
    findings: errors.map((text) => ({
      ...{ path: text.split(':')[0]!, line: null, hunk: null, definition: null },
      ...{ text, kind: 'compile-error' },
    })),
  };
}

async function goldenOf(port: FreshPort, treeId: string, request: CiRequest): Promise<CiResult['golden']> {
  const { set, target, scratch, report } = port;
  const diff = request.golden === null ? null : goldenDiff(request.golden, request.to, set.name);
  if (diff === null || !target.commit) return null;
  const golden = await scratch.applyPatch(target.commit, diff, `${request.to}/${set.name}.patch`);
  const equal = golden === treeId;
  const noPlace = noPlaceIn(request.golden!, set.name, target.version);
  if (equal && report.hunks.every((h) => PLACED.has(h.outcome))) return { treeId: golden, equal, cases: [] };
  const commit = await commitOf(port, golden);
  const [a, b] = [await openTree(scratch.repo.dir, port.tip), await openTree(scratch.repo.dir, commit)];
  const differences = await differencesOf(a, b, scratch);
  a.repo?.close();
  b.repo?.close();
  return { treeId: golden, equal, cases: casesOf(set, report, differences, noPlace) };
}

/** A tree can be opened as a kernel when a commit has it. */
async function commitOf(port: FreshPort, tree: string): Promise<string> {
  const who = ['-c', 'user.name=kport', '-c', 'user.email=kport@localhost'];
  return (await port.scratch.repo.output([...who, 'commit-tree', tree, '-m', 'golden'])).trim();
}

/** Row after row: the second is faster than the first, whose code is cold. */
async function ciRows(requests: readonly CiRequest[]): Promise<WorkerAnswer<CiResult>[]> {
  const rows: WorkerAnswer<CiResult>[] = [];
  for (const request of requests) rows.push(await settle(() => ciRow(request)));
  return rows;
}

if (require.main === module) void answer(ciRows);
