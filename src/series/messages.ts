import type { ByteString } from '../core/text';
import type { GitRepo } from '../io/git';
import type { Change, Unit } from './change';
import type { SourceCommit } from './history';
import { readTrailer } from './history';
import type { PlannedPatch } from './plan';
import { FAMILY_TITLES, prefixFromTable } from './topics';
import { enumerate, WIDTH, wrap } from './words';

/** How many commits of a path are asked for its prefix, and how many have to agree. */
const SAMPLE = 100;
const AGREE = 0.4;

/**
 * The prefix that the log of these paths uses, for example `KVM: arm64: `; null when there is no telling (a repository
 * of bare releases, or a log of all sorts).
 */
export async function prefixFromLog(repo: GitRepo, base: string, paths: readonly ByteString[]): Promise<string | null> {
  if (paths.length === 0) return null;
  const log = await repo.run(
    [
      'log',
      `-${SAMPLE}`,
      '--no-merges',
      '--format=%s',
      base,
      '--',
      ...paths.slice(0, 50).map((p) => `:(top,literal)${p}`),
    ],
    // Path-limited logs of a whole kernel can take long; the table is good enough then.
    { ok: [0, 128], timeoutMs: 20000 },
  );
  return prefixOfSubjects(log.stdout.toString('latin1').split('\n').filter(Boolean));
}

/** The longest prefix on which enough subjects agree. Pure part of {@link prefixFromLog}. */
export function prefixOfSubjects(subjects: readonly string[]): string | null {
  const counts = new Map<string, number>();
  let prefixed = 0;
  for (const subject of subjects) {
    const m = /^((?:[\w/.,+&*-]+(?: [\w/.,+&*-]+){0,2}: ){1,3})\S/.exec(subject);
    if (!m || /^(Revert|Merge|Linux) /.test(subject)) continue;
    prefixed++;
    const parts = m[1]!.split(/(?<=: )/);
    parts.forEach((_, i) => {
      const prefix = parts.slice(0, i + 1).join('');
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    });
  }
  if (prefixed < 3) return null;
  const agreed = [...counts].filter(([, n]) => n >= prefixed * AGREE && n >= 2);
  agreed.sort(([a, x], [b, y]) => b.split(': ').length - a.split(': ').length || y - x || (a < b ? -1 : 1));
  return agreed[0]?.[0] ?? null;
}

/** The prefix of a patch: of the path that most of its lines are in. */
export async function prefixOf(repo: GitRepo, change: Change, patch: PlannedPatch): Promise<string> {
  const weight = new Map<string, { lines: number; paths: Set<ByteString> }>();
  for (const unit of patch.units) {
    const key = prefixFromTable(unit.path);
    const entry = weight.get(key) ?? { lines: 0, paths: new Set() };
    entry.lines += unit.added + unit.removed;
    // A new file has no log: its folder's is next best.
    entry.paths.add(
      unit.file.change.status === 'added' ? folderOf(unit.path) : (unit.file.change.oldPath ?? unit.path),
    );
    weight.set(key, entry);
  }
  // Small changes all over the tree that were put together belong to no subsystem.
  if (patch.topic.family === 'other' && weight.size > 1) return 'treewide: ';
  const [table, main] = [...weight].sort((a, b) => b[1].lines - a[1].lines)[0]!;
  if (patch.topic.prefix !== undefined) {
    const kvm = [...new Set(patch.units.map((u) => /^arch\/\w+\//.exec(u.path)?.[0]).filter(Boolean))].map(
      (a) => `${a}kvm`,
    );
    return (await prefixFromLog(repo, change.base, kvm)) ?? patch.topic.prefix;
  }
  return (await prefixFromLog(repo, change.base, [...main.paths])) ?? table;
}

function folderOf(path: ByteString): ByteString {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : path;
}

/** The title of a patch, cut to {@link WIDTH} with its prefix. */
export function titleOf(patch: PlannedPatch, prefix: string): ByteString {
  const names = [...new Set(patch.units.map((u) => u.path.slice(u.path.lastIndexOf('/') + 1)))];
  const moved = patch.topic.key === 'moves';
  const to = moved ? (patch.units.find((u) => u.kind === 'new') ?? patch.units[0]!) : patch.units[0]!;
  const others = names.filter((n) => n !== nameOf(to));
  const what = (list: readonly string[]) => (list.length <= 3 ? enumerate(list) : `${list.length} files`);
  const shorts = [patch.topic, ...patch.also].map((t) => t.short).filter((t) => t !== undefined);
  const family = shorts.length > 1 ? FAMILY_TITLES[patch.topic.family]?.replace('%s', enumerate(shorts)) : undefined;
  const fillIn = (w: string) =>
    (family ?? patch.topic.title).replace('%what', moved ? `code of ${w}` : w).replace('%to', nameOf(to)) +
    (patch.part === null ? '' : `, part ${patch.part}`);
  const long = prefix + fillIn(what(moved ? others : names));
  if (long.length <= WIDTH) return long;
  const short = prefix + fillIn(`${(moved ? others : names).length} files`);
  return short.length <= WIDTH ? short : short.slice(0, WIDTH).replace(/\s+\S*$/, '');
}

function nameOf(unit: Unit): string {
  return unit.path.slice(unit.path.lastIndexOf('/') + 1);
}

/** The body of a patch that kport cut out of larger commits. */
export function bodyOf(patch: PlannedPatch, commits: readonly SourceCommit[], set: string | null): ByteString {
  const paragraphs = [patch.topic, ...patch.also].map((t) => ascii(t.why));
  const from =
    commits.length === 1 ? `the commit "${commits[0]!.subject}"` : set ? `the patch set ${set}` : 'a larger change';
  paragraphs.push(`Cut out of ${from} for review: lines are as they are there.`);
  return paragraphs.map((p) => wrap(p)).join('\n\n');
}

function ascii(text: string): string {
  return text.replace(/’/g, "'");
}

/**
 * Trailers that stay with every piece of a commit that was cut: who wrote and passed it on. Reviews and tests were of the
 * whole, so they do not go to the pieces; nobody's name is put under what they did not see.
 */
export function trailersOfPieces(commits: readonly SourceCommit[]): { kept: ByteString[]; dropped: ByteString[] } {
  const all = [...new Set(commits.flatMap((c) => c.trailers))];
  const stays = (l: ByteString) => /^(Signed-off-by|Co-developed-by|Suggested-by)$/i.test(readTrailer(l)?.key ?? '');
  return { kept: all.filter(stays), dropped: all.filter((l) => !stays(l) && readTrailer(l) !== null) };
}
