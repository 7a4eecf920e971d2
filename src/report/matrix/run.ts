import { KportError, messageOf } from '../../core/errors';
import type { PortReport } from '../../core/report';
import type { GitMerge, MatrixTarget } from '../schema/matrix';
import type { MatrixColumn } from './table';

/** What the port of one target gives. */
export interface PortedTarget {
  report: PortReport;
  git: GitMerge | null;
  gitSkipped: string | null;
  seconds: number;
  peakMegabytes: number;
}

/** Where finished targets are kept, so that a run that was stopped goes on where it was. */
export interface TargetCache {
  get(key: string): PortedTarget | null;
  put(key: string, value: PortedTarget): void;
}

export interface MatrixRequest {
  targets: readonly string[];
  jobs: number;
  /** Key of a target in the cache. Throws an input error for a target that is not there. */
  keyOf(to: string): Promise<string>;
  /** Ports one target. What it throws is that target's failure alone. */
  portOne(to: string): Promise<PortedTarget>;
  cache: TargetCache;
  progress(line: string): void;
}

/** What a port of about thirty thousand lines of patches has been seen to take, with room to spare. */
const MEGABYTES_PER_TARGET = 1500;

/** How many targets at a time: no more than processors, and no more than fit into free memory. */
export function jobsFor(targets: number, machine: { cpus: number; freeMegabytes: number }): number {
  return Math.max(1, Math.min(targets, machine.cpus, Math.floor(machine.freeMegabytes / MEGABYTES_PER_TARGET)));
}

/** Ports every target, `jobs` at a time. Never throws for a target; gives the columns in the order of the request. */
export async function runMatrix(request: MatrixRequest): Promise<MatrixColumn[]> {
  return inParallel(request.targets, request.jobs, (to) => oneTarget(to, request));
}

/** Does `work` on all items, `jobs` at a time; the results are in the order of the items. */
export async function inParallel<T, R>(items: readonly T[], jobs: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
  return results;
}

async function oneTarget(to: string, request: MatrixRequest): Promise<MatrixColumn> {
  try {
    const key = await request.keyOf(to);
    const known = request.cache.get(key);
    if (known) return columnOf(to, known, true);
    request.progress(`porting to ${to}`);
    const done = await request.portOne(to);
    request.cache.put(key, done);
    return columnOf(to, done, false);
  } catch (error) {
    const hints = error instanceof KportError ? [...error.hints] : [];
    return { row: { ...EMPTY, to, error: { message: messageOf(error), hints } }, port: null };
  }
}

const EMPTY: Omit<MatrixTarget, 'to' | 'error'> = {
  target: null,
  summary: null,
  git: null,
  gitSkipped: null,
  seconds: 0,
  peakMegabytes: 0,
  cached: false,
};

function columnOf(to: string, done: PortedTarget, cached: boolean): MatrixColumn {
  const { report, git, gitSkipped, seconds, peakMegabytes } = done;
  const row: MatrixTarget = {
    ...{ to, target: report.target, error: null, summary: report.summary },
    ...{ git, gitSkipped, seconds, peakMegabytes, cached },
  };
  return { row, port: report };
}
