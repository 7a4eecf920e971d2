import { apply, type ApplyRequest } from '../apply';
import { messageOf } from '../core/errors';
import { peakMegabytes } from '../io/machine';
import { Scratch } from '../io/scratch';
import { openTree } from '../io/tree';
import { loadSet } from '../patch-set/patch-set';
import { mergeWithGit } from '../report/matrix/git-merge';
import type { PortedTarget } from '../report/matrix/run';
import type { GitMerge } from '../report/schema/matrix';
import { findBase } from '../result/base';
import type { GitRepo } from '../io/git';
import { answer } from './worker';

/** Ports one target in a process of its own: its memory goes with it, and its failure stays with it. */
export async function portTarget(request: Omit<ApplyRequest, 'progress'>, withGit: boolean): Promise<PortedTarget> {
  const started = performance.now();
  const report = await apply({ ...request, progress: () => undefined });
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  // Before git's column is counted: that one is not the port's memory.
  const peak = peakMegabytes();
  const merged = withGit ? await gitColumn(request) : { git: null, gitSkipped: 'not asked for' };
  return { report, ...merged, seconds, peakMegabytes: peak };
}

async function gitColumn(
  request: Omit<ApplyRequest, 'progress'>,
): Promise<{ git: GitMerge | null; gitSkipped: string | null }> {
  const set = await loadSet(request.patchesDir, request.set);
  const target = await openTree(request.tree, request.to);
  const base = await findBase(set, target, request.tree, request.baseTree);
  const repos = [target.repo, base.repo].filter((r): r is GitRepo => r !== null);
  try {
    if (!base.commit || !target.commit) return { git: null, gitSkipped: 'base and target are not both in git' };
    return {
      git: await Scratch.use(repos, (scratch) => mergeWithGit(set, base, target, scratch)),
      gitSkipped: null,
    };
  } catch (error) {
    return { git: null, gitSkipped: messageOf(error) };
  } finally {
    for (const repo of repos) repo.close();
  }
}

interface WorkerInput {
  request: Omit<ApplyRequest, 'progress'>;
  withGit: boolean;
}

if (require.main === module) void answer((i: WorkerInput) => portTarget(i.request, i.withGit));
