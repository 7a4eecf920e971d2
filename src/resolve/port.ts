import { inputError, KportError } from '../core/errors';
import { isLeft, type HunkReport } from '../core/outcome';
import type { PortReport } from '../core/report';
import { GitRepo } from '../io/git';
import { loadPort, loadRequest, type PortRequest } from '../result/store';

/** A port that somebody works on. */
export interface OpenPort {
  dir: string;
  repo: GitRepo;
  report: PortReport;
  branch: string;
  /** How it was asked for; null when it was made by a kport that did not keep that. */
  request: PortRequest | null;
  /** `as-made`: the branch is what kport made. */
  state: 'as-made' | 'changed' | 'gone';
  /** What the branch is now, and what kport made of it. */
  tip: string | null;
  made: string;
}

/** Opens the port of a branch, or the one made last; null when there is none. Close its repository. */
export async function openPort(dir: string, branch: string | null): Promise<OpenPort | null> {
  const repo = await GitRepo.open(dir);
  const report = repo && (await loadPort(repo, branch));
  if (!repo || !report?.result || report.result.branch === null) {
    repo?.close();
    return null;
  }
  const name = report.result.branch;
  const tip = await repo.commit(`refs/heads/${name}`);
  const { commits } = report.result;
  const made = commits[commits.length - 1] ?? report.target.commit!;
  return {
    ...{ dir, repo, report, branch: name, request: await loadRequest(repo, name) },
    ...{ tip, made, state: tip === null ? 'gone' : tip === made ? 'as-made' : 'changed' },
  };
}

/** Throws unless the branch is what kport made: nobody's work may be replaced. */
export function assertAsMade(port: OpenPort): void {
  if (port.state === 'as-made') return;
  throw inputError(
    `branch '${port.branch}' ${port.state === 'gone' ? 'is gone' : 'is not what kport last made there'}`,
    port.state === 'gone'
      ? "run 'kport apply' again"
      : `keep it under another name: 'git -C ${port.dir} branch NAME ${port.branch}', then 'git -C ${port.dir} branch -f ${port.branch} ${port.made.slice(0, 12)}'`,
  );
}

/** The hunk that an id, or an unambiguous beginning of one, means. Of twins the one that is left. */
export function hunkNamed(hunks: readonly HunkReport[], id: string, hint: string): HunkReport {
  const found = hunks.filter((h) => h.id.startsWith(id.toLowerCase()));
  const ids = [...new Set(found.map((h) => h.id))];
  if (ids.length > 1) throw inputError(`'${id}' means ${ids.length} hunks: ${ids.join(', ')}`, 'give more of the id');
  if (ids.length === 0) throw inputError(`no hunk '${id}' in this port`, hint);
  return found.find(isLeft) ?? found[0]!;
}

/** What a person has to look at, what wants a decision first. */
export function leftOf(report: PortReport): HunkReport[] {
  const left = report.hunks.filter(isLeft);
  return [...left.filter((h) => h.outcome === 'conflict'), ...left.filter((h) => h.outcome !== 'conflict')];
}

/** Nothing was recorded, and a person has to act. */
export function stopped(message: string, ...hints: string[]): KportError {
  return new KportError('stopped', message, hints);
}
