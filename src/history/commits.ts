import type { ByteString } from '../core/text';
import { unquotePath, type GitRepo } from '../io/git';
import type { CauseKind, Finding } from './cause';
import type { Way } from './releases';

/** What a person waits for, for all steps of the way together. */
const BUDGET_MS = 10_000;
/** More commits on a few files than any step has. */
const MOST_COMMITS = 4000;

/** Lines around a place change all the time; who changed them is not worth a walk through the history. */
const SMALL: ReadonlySet<CauseKind> = new Set(['context', 'there']);

/**
 * Names the commits behind findings, where the repository has the history between two releases: of the commits that touch
 * the files concerned the last one before which it held and behind which it does not.
 */
export class CommitSearch {
  private readonly logs = new Map<number, Map<ByteString, string[]>>();
  /** True when git took too long, so that some commits are not named. */
  cutShort = false;

  constructor(
    private readonly way: Way,
    private readonly repo: GitRepo | null,
  ) {}

  /** Walks the history once for each step that a finding is about. */
  async prepare(findings: Iterable<Finding>): Promise<void> {
    const paths = new Map<number, Set<ByteString>>();
    for (const { stop, probe, kind } of findings) {
      if (!probe || SMALL.has(kind)) continue;
      const known = paths.get(stop) ?? new Set();
      for (const p of probe.paths) known.add(p);
      paths.set(stop, known);
    }
    const end = performance.now() + BUDGET_MS;
    for (const [stop, of] of [...paths].sort(([a], [b]) => a - b)) {
      const left = end - performance.now();
      if (!(await this.hasHistory(stop))) continue;
      const log = left > 0 ? await this.read(stop, [...of].sort(), left) : null;
      if (log) this.logs.set(stop, log);
      else this.cutShort = true;
    }
  }

  /** The commit of a finding that was prepared; null when it is not known. */
  async of({ stop, probe, kind }: Finding): Promise<string | null> {
    const log = this.logs.get(stop);
    if (!log || !probe || SMALL.has(kind)) return null;
    const touching = new Set(probe.paths.flatMap((p) => log.get(p) ?? []));
    let found: string | null = null;
    for (const commit of touching) {
      const before = await probe.holds(await this.texts(`${commit}^`, probe.paths));
      if (before && !(await probe.holds(await this.texts(commit, probe.paths)))) found = commit;
    }
    return found;
  }

  /** True when the release before is an ancestor of this one, with more than the release itself between them. */
  private async hasHistory(stop: number): Promise<boolean> {
    const [a, b] = [this.way.at(stop - 1).tree.commit, this.way.at(stop).tree.commit];
    if (!this.repo || a === null || b === null || !(await this.repo.commit(a))) return false;
    const ancestor = await this.repo.run(['merge-base', '--is-ancestor', a, b], { ok: [0, 1, 128] });
    if (ancestor.code !== 0) return false;
    // A repository of releases alone: its one commit is the release, and says nothing.
    return (await this.repo.output(['rev-list', '-n', '2', `${a}..${b}`])).split('\n').filter(Boolean).length > 1;
  }

  /** For each path the commits of a step that touch it, oldest first; null when git took too long. */
  private async read(
    stop: number,
    paths: readonly ByteString[],
    timeoutMs: number,
  ): Promise<Map<ByteString, string[]> | null> {
    const range = `${this.way.at(stop - 1).tree.commit}..${this.way.at(stop).tree.commit}`;
    const specs = paths.map((p) => `:(literal)${Buffer.from(p, 'latin1').toString('utf8')}`);
    const done = await this.repo!.run(
      [
        ...['log', '--no-renames', '--name-only', '--format=commit %H', '--topo-order', '--reverse'],
        ...['-n', String(MOST_COMMITS), range, '--', ...specs],
      ],
      { timeoutMs, ok: [0, 128] },
    );
    if (done.code !== 0) return null;
    const log = new Map<ByteString, string[]>();
    let commit = '';
    for (const line of done.stdout.toString('latin1').split('\n')) {
      const m = /^commit ([0-9a-f]+)$/.exec(line);
      if (m) commit = m[1]!;
      else if (line !== '') log.set(unquotePath(line), [...(log.get(unquotePath(line)) ?? []), commit]);
    }
    return log;
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
