import type { ByteString } from '../core/text';
import type { GitRepo } from '../io/git';
import type { Finding } from './cause';
import type { Way } from './releases';

/** Limits of the search: what a person waits for, and what one step of the way can hold. */
const TIMEOUT_MS = 20_000;
const MOST_COMMITS = 4000;

/**
 * Names the commit behind a finding, where the repository has the history between two releases: of the commits that touch
 * the files concerned the last one before which it held and behind which it does not.
 */
export class CommitSearch {
  private readonly steps = new Map<number, Promise<boolean>>();
  private readonly logs = new Map<string, Promise<string[] | null>>();
  /** True when git took too long, so that some commits are not named. */
  cutShort = false;

  constructor(
    private readonly way: Way,
    private readonly repo: GitRepo | null,
  ) {}

  async of(finding: Finding): Promise<string | null> {
    const { stop, probe } = finding;
    if (!probe || !this.repo || !(await this.hasHistory(stop))) return null;
    const commits = await this.log(stop, probe.paths);
    let found: string | null = null;
    for (const commit of commits ?? []) {
      const before = await probe.holds(await this.texts(`${commit}^`, probe.paths));
      if (before && !(await probe.holds(await this.texts(commit, probe.paths)))) found = commit;
    }
    return found;
  }

  /** True when the release before is an ancestor of this one, with more than the release itself between them. */
  private hasHistory(stop: number): Promise<boolean> {
    let known = this.steps.get(stop);
    if (!known) {
      known = this.lookForHistory(stop);
      this.steps.set(stop, known);
    }
    return known;
  }

  private async lookForHistory(stop: number): Promise<boolean> {
    const [a, b] = [this.way.at(stop - 1).tree.commit, this.way.at(stop).tree.commit];
    if (!this.repo || a === null || b === null || !(await this.repo.commit(a))) return false;
    const ancestor = await this.repo.run(['merge-base', '--is-ancestor', a, b], { ok: [0, 1, 128] });
    if (ancestor.code !== 0) return false;
    // A repository of releases alone: its one commit is the release, and says nothing.
    return (await this.repo.output(['rev-list', '-n', '2', `${a}..${b}`])).split('\n').filter(Boolean).length > 1;
  }

  /** Commits of a step that touch any of the paths, oldest first; null when git took too long. */
  private log(stop: number, paths: readonly ByteString[]): Promise<string[] | null> {
    const key = `${stop}\0${paths.join('\0')}`;
    let known = this.logs.get(key);
    if (!known) {
      known = this.readLog(stop, paths);
      this.logs.set(key, known);
    }
    return known;
  }

  private async readLog(stop: number, paths: readonly ByteString[]): Promise<string[] | null> {
    if (this.cutShort) return null;
    const range = `${this.way.at(stop - 1).tree.commit}..${this.way.at(stop).tree.commit}`;
    const specs = paths.map((p) => `:(literal)${Buffer.from(p, 'latin1').toString('utf8')}`);
    const done = await this.repo!.run(
      ['log', '--format=%H', '--topo-order', '-n', String(MOST_COMMITS), range, '--', ...specs],
      { timeoutMs: TIMEOUT_MS, ok: [0, 128] },
    );
    if (done.timedOut) this.cutShort = true;
    return done.code === 0 ? done.stdout.toString('latin1').split('\n').filter(Boolean).reverse() : null;
  }

  private async texts(revision: string, paths: readonly ByteString[]): Promise<ByteString[]> {
    const texts: ByteString[] = [];
    for (const path of paths) {
      // `git cat-file` takes any name of an object; one with a line end would be two.
      const text = path.includes('\n') ? null : await this.repo!.readBlob(`${revision}:${path}`);
      if (text !== null) texts.push(text);
    }
    return texts;
  }
}
