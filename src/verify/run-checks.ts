import { messageOf } from '../core/errors';
import path from 'node:path';
import { withScratch } from '../io/files';
import type { KernelTree } from '../io/tree';
import { findToolchain, missingTools } from './build';
import { skipped, type Check, type CheckResult } from './check';
import type { CheckContext } from './context';
import { boot } from './checks/boot';
import { accounting } from './checks/accounting';
import { checkpatch } from './checks/checkpatch';
import { compile } from './checks/compile';
import { conditionals } from './checks/conditionals';
import { eachPatch } from './checks/each';
import { el2Objects } from './checks/el2-objects';
import { el2Sources } from './checks/el2-sources';
import { guardOff } from './checks/guard-off';
import { guardOn } from './checks/guard-on';
import { includes } from './checks/includes';
import { kbuild } from './checks/kbuild';
import { kconfig } from './checks/kconfig';
import { macros } from './checks/macros';
import { link } from './checks/link';
import { markers } from './checks/markers';
import { names } from './checks/names';
import { parse } from './checks/parse';
import { placement } from './checks/placement';
import { silentBreaks } from './checks/silent-breaks';
import { sparse } from './checks/sparse';
import { Workshop } from './workshop';

/** What can be checked without a compiler, cheapest first. */
export const SOURCE_CHECKS: readonly Check[] = [
  markers,
  accounting,
  conditionals,
  parse,
  placement,
  guardOff,
  guardOn,
  includes,
  kconfig,
  kbuild,
  macros,
  names,
  el2Sources,
  silentBreaks,
  checkpatch,
];

/** The JSON that `kport check --json` prints. Extend, do not break. */
export interface CheckDocument {
  schemaVersion: 1;
  set: string | null;
  target: { name: string; version: string };
  branch: string;
  checks: CheckResult[];
  /** Milliseconds by check. */
  timing: Record<string, number>;
}

/** Runs checks one after the other. A check that breaks is skipped with what it said: it proves nothing. */
export async function runChecks(
  ctx: CheckContext,
  checks: readonly Check[],
  onStart: (name: string) => void = () => undefined,
  results: CheckResult[] = [],
): Promise<{ results: CheckResult[]; timing: Record<string, number> }> {
  const timing: Record<string, number> = {};
  for (const check of checks) {
    onStart(check.name);
    const begun = performance.now();
    try {
      results.push(await check.run(ctx));
    } catch (error) {
      results.push({
        name: check.name,
        result: 'skipped',
        reason: `the check itself broke: ${messageOf(error)}`,
        findings: [],
      });
    }
    timing[check.name] = Math.round(performance.now() - begun);
  }
  return { results, timing };
}

/** How to build; null not to. */
export interface BuildRequest {
  prefix: string | null;
  jobs: number;
  config: string;
  /** Folder that stays; null for a scratch folder. */
  keep: string | null;
  /** Boot it, too. */
  boot: boolean;
  /** Ask sparse, for which the set is built at home as well. */
  sparse: boolean;
  /** Build after each of these commits, in order; null not to. */
  each: KernelTree[] | null;
}

type BuildCheck = 'compile-on' | 'compile-off' | 'link' | 'el2-closure' | 'sparse' | 'each' | 'boot';

/** The checks that need a compiler, in order; without a request those that everybody gets. */
export function buildChecks(build: Pick<BuildRequest, 'sparse' | 'each' | 'boot'> | null): BuildCheck[] {
  const wanted: BuildCheck[] = ['compile-on', 'compile-off', 'link', 'el2-closure'];
  if (build?.sparse ?? true) wanted.push('sparse');
  if (build?.each) wanted.push('each');
  if (build?.boot) wanted.push('boot');
  return wanted;
}

/** The checks on the sources, then those that need a compiler, or the reason why these were left out. */
export async function runAllChecks(
  ctx: CheckContext,
  build: BuildRequest | null,
  onStart: (name: string) => void = () => undefined,
): Promise<{ results: CheckResult[]; timing: Record<string, number> }> {
  const sources = await runChecks(ctx, SOURCE_CHECKS, onStart);
  const names = buildChecks(build);
  const without = (reason: string) => ({
    results: [...sources.results, ...names.map((n) => skipped(n, reason))],
    timing: sources.timing,
  });
  if (!build) return without("not asked for ('--no-compile')");
  const toolchain = await findToolchain(build.prefix);
  if (!toolchain) return without(`no cross compiler: ${build.prefix ?? 'aarch64-linux-gnu-'}gcc is not on PATH`);
  const missing = await missingTools();
  if (missing.length) return without(`a kernel build needs ${missing.join(', ')}`);
  const work = async (dir: string) => {
    const workshop = new Workshop(ctx, { toolchain, jobs: build.jobs, config: build.config, dir });
    const done: CheckResult[] = [];
    const make: Record<BuildCheck, () => Check> = {
      'compile-on': () => compile(workshop, 'on'),
      'compile-off': () => compile(workshop, 'off'),
      link: () => link(workshop),
      'el2-closure': () => el2Objects(workshop),
      sparse: () => sparse(workshop),
      each: () => eachPatch(workshop, build.each ?? []),
      boot: () => boot(workshop, () => done),
    };
    const checks = names.map((name) => make[name]());
    const built = await runChecks(ctx, checks, onStart, done);
    return { results: [...sources.results, ...built.results], timing: { ...sources.timing, ...built.timing } };
  };
  return build.keep === null ? withScratch(work) : work(path.resolve(build.keep));
}
