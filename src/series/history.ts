import type { Author } from '../core/patch';
import type { ByteString } from '../core/text';
import type { GitRepo } from '../io/git';

/** A commit between base and tip, as bytes. */
export interface SourceCommit {
  oid: string;
  parents: string[];
  author: Author;
  subject: ByteString;
  /** The message after the subject, trailers left out. */
  body: ByteString;
  trailers: ByteString[];
  /** Changed lines; binaries count as one. */
  lines: number;
  paths: ByteString[];
}

/** The commits from base to tip, oldest first; empty when tip does not descend from base. */
export async function readHistory(repo: GitRepo, base: string, tip: string): Promise<SourceCommit[]> {
  const descends = await repo.run(['merge-base', '--is-ancestor', base, tip], { ok: [0, 1, 128] });
  if (descends.code !== 0) return [];
  const log = await repo.output([
    ...['-c', 'i18n.logOutputEncoding=UTF-8', 'log', '--reverse', '--topo-order', '--no-notes', '-z'],
    ...['--format=%H%n%P%n%an%n%ae%n%aD%n%B', `${base}..${tip}`],
  ]);
  const commits: SourceCommit[] = [];
  for (const entry of log.split('\0').filter(Boolean)) {
    const [oid, parents, name, email, date, ...message] = entry.split('\n');
    const { subject, body, trailers } = splitMessage(message.join('\n'));
    const stat = await repo.output([
      'diff-tree',
      '-r',
      '--no-commit-id',
      '--no-renames',
      '--raw',
      '-z',
      '-m',
      '--root',
      oid!,
    ]);
    commits.push({
      oid: oid!,
      parents: parents!.split(' ').filter(Boolean),
      author: { name: name!, email: email!, date: date! },
      subject,
      body,
      trailers,
      lines: 0,
      paths: [...stat.matchAll(/:\d+ \d+ \S+ \S+ \w\0([^\0]*)\0/g)].map((m) => m[1]!),
    });
  }
  return commits;
}

const TRAILER =
  /^([A-Za-z][A-Za-z-]*-by|Cc|CC|Fixes|Link|Closes|Reported-by|Change-Id|Message-Id|Bug|Reviewed-on):\s+\S/;

/** A commit message as subject, body and trailers. A line in brackets among the trailers belongs to them. */
export function splitMessage(message: ByteString): { subject: ByteString; body: ByteString; trailers: ByteString[] } {
  const lines = message.replace(/\s+$/, '').split('\n');
  const blank = lines.findIndex((l) => l.trim() === '');
  const head = blank < 0 ? lines : lines.slice(0, blank);
  let rest = blank < 0 ? [] : lines.slice(blank + 1);
  const trailers: ByteString[] = [];
  const last = rest.lastIndexOf('');
  const block = rest.slice(last + 1);
  if (
    block.some((l) => TRAILER.test(l)) &&
    block.every((l) => TRAILER.test(l) || /^\[.*\]$/.test(l) || /^\s/.test(l))
  ) {
    trailers.push(...block);
    rest = rest.slice(0, Math.max(0, last));
  }
  return { subject: head.join(' ').trim(), body: rest.join('\n').replace(/^\n+|\s+$/g, ''), trailers };
}

/** `Key: value` of a trailer; null for a line in brackets or a continuation. */
export function readTrailer(line: ByteString): { key: string; value: ByteString } | null {
  const m = /^([A-Za-z][\w-]*):\s+(.*)$/.exec(line);
  return m ? { key: m[1]!, value: m[2]! } : null;
}
