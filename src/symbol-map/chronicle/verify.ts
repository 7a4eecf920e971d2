import { compareVersions, parseVersion } from '../../core/version';
import type { GitRepo, TreeList } from '../../io/git';
import type { Chronicle, ChronicleRow } from './rows';

/** How a row fared in a real repository. */
export interface RowCheck {
  id: string;
  release: string | null;
  kind: string | null;
  note: string;
  /** `unchecked`: the repository lacks the releases, or its nearest ones cannot tell. */
  result: 'holds' | 'fails' | 'unchecked';
  /** What was looked at, or why it could not be: one sentence. */
  reason: string;
}

interface Release {
  tag: string;
  files: TreeList;
}

/** Checks every row against the tags of a repository. */
export async function verifyChronicle(repo: GitRepo, chronicle: Chronicle): Promise<RowCheck[]> {
  const tags = (await repo.tags()).filter((t) => parseVersion(t.replace(/^s\//, '')) !== null);
  const releases = new Map<string, Release>();
  const open = async (tag: string): Promise<Release> => {
    let release = releases.get(tag);
    if (!release) {
      release = { tag, files: await repo.listTree(tag) };
      releases.set(tag, release);
    }
    return release;
  };
  const checks: RowCheck[] = [];
  for (const row of chronicle.rows) checks.push(await checkRow(repo, row, tags, open));
  return checks;
}

async function checkRow(
  repo: GitRepo,
  row: ChronicleRow,
  tags: readonly string[],
  open: (tag: string) => Promise<Release>,
): Promise<RowCheck> {
  const answer = (result: RowCheck['result'], reason: string): RowCheck => ({
    id: row.id,
    release: row.release ?? null,
    kind: row.kind ?? null,
    note: row.note,
    result,
    reason,
  });
  if (!row.release || !row.until) return answer('unchecked', 'names no releases');
  const oldTag = nearest(tags, row.until, 'before');
  const newTag = nearest(tags, row.release, 'after');
  if (!oldTag || !newTag)
    return answer('unchecked', `no tag ${oldTag ? `from ${row.release} on` : `up to ${row.until}`}`);
  const exact = isTag(oldTag, row.until) && isTag(newTag, row.release);
  const before = await open(oldTag);
  const after = await open(newTag);
  // In other releases than the row's own the files may have other names: there, only a yes counts.
  const miss = (reason: string) => answer(exact ? 'fails' : 'unchecked', reason);
  const { from, to } = row;
  if (from) {
    if (!(await holds(repo, before, from))) return miss(`${describe(from)} is not in ${oldTag}`);
    const mustGo = row.says === 'removed' || row.says === 'renamed' || (!from.pattern && row.says === 'moved');
    if (mustGo && !to && (await holds(repo, after, from))) return miss(`${describe(from)} is still in ${newTag}`);
  }
  if (to) {
    if (!(await holds(repo, after, to))) return miss(`${describe(to)} is not in ${newTag}`);
    if (!from && (await holds(repo, before, to))) return miss(`${describe(to)} is in ${oldTag} already`);
  }
  return answer('holds', `in ${oldTag} and ${newTag}`);
}

/** True when one of the paths exists and, if there is a pattern, holds it. */
async function holds(
  repo: GitRepo,
  release: Release,
  side: { paths: string[]; pattern?: string | undefined },
): Promise<boolean> {
  for (const path of side.paths) {
    const entry = release.files.get(path);
    if (!entry) continue;
    if (!side.pattern) return true;
    const text = await repo.readBlob(entry.oid);
    if (text !== null && new RegExp(side.pattern, 'm').test(text)) return true;
  }
  return false;
}

function describe(side: { paths: string[]; pattern?: string | undefined }): string {
  return side.pattern ? `/${side.pattern}/ in '${side.paths.join("' or '")}'` : `'${side.paths.join("' or '")}'`;
}

/** The tag of a release, or the nearest older or newer one; whole trees before subset trees (`s/…`). */
function nearest(tags: readonly string[], release: string, side: 'before' | 'after'): string | null {
  const wanted = parseVersion(release)!;
  const sign = side === 'before' ? -1 : 1;
  const fitting = tags
    .map((tag) => ({ tag, version: parseVersion(tag.replace(/^s\//, ''))! }))
    .filter(({ version }) => sign * compareVersions({ ...version, sublevel: 0, extra: '' }, wanted) >= 0)
    .filter(({ version }) => version.extra === '');
  fitting.sort((a, b) => sign * compareVersions(a.version, b.version) || (a.tag.startsWith('s/') ? 1 : -1));
  return fitting[0]?.tag ?? null;
}

function isTag(tag: string, release: string): boolean {
  return tag.replace(/^s\//, '') === release || tag.replace(/^s\//, '').startsWith(`${release}.`);
}
