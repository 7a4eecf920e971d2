import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { inputError } from '../core/errors';
import { toBytes, type ByteString } from '../core/text';
import { withScratch, writeFile } from './files';
import { firstLine, type GitRepo } from './git';
import { run, type Finished } from './process';
import type { Scratch } from './scratch';

/** Settings of the user that would change what a mail looks like stay out; who the user is goes in by name. */
const NO_CONFIG = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };

export interface Person {
  name: ByteString;
  email: ByteString;
}

function as(user: Person, date: string): Record<string, string | undefined> {
  return {
    ...NO_CONFIG,
    GIT_AUTHOR_NAME: bytes(user.name),
    GIT_AUTHOR_EMAIL: bytes(user.email),
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: bytes(user.name),
    GIT_COMMITTER_EMAIL: bytes(user.email),
    GIT_COMMITTER_DATE: date,
  };
}

/** A byte string as an argument or environment value: node encodes those as UTF-8. */
function bytes(text: ByteString): string {
  return toBytes(text).toString('utf8');
}

/** A commit of a tree that is there already. */
export async function commitTree(
  scratch: Scratch,
  tree: string,
  parent: string,
  message: ByteString,
  author: Person & { date: string },
): Promise<string> {
  const env = as(author, author.date);
  return (await scratch.repo.output(['commit-tree', tree, '-p', parent, '-F', '-'], { env, input: message })).trim();
}

export interface FormatOptions {
  base: string;
  tip: string;
  user: Person;
  /** Seconds since the epoch. */
  now: number;
  /** Subject and blurb of the cover letter. */
  cover: ByteString;
  subjectPrefix: string;
  version: number;
  baseCommit: string;
  to: readonly string[];
  cc: readonly string[];
  /** Notes for reviewers by commit: below `---`. */
  notes: ReadonlyMap<string, ByteString>;
  /** Range of the previous version, for a range-diff. */
  previous: string | null;
  creationFactor: number;
  inReplyTo: string | null;
}

/** The mails of a series as `git format-patch` makes them, cover letter first. */
export async function formatSeries(scratch: Scratch, dir: string, o: FormatOptions): Promise<string[]> {
  const env = as(o.user, `${o.now} +0000`);
  await scratch.repo.run(['update-ref', 'refs/heads/series', o.tip]);
  await scratch.repo.run(['config', 'branch.series.description', bytes(o.cover)], { env });
  for (const [commit, note] of o.notes) {
    await scratch.repo.run(['notes', '--ref=refs/notes/review', 'add', '-f', '-F', '-', commit], { env, input: note });
  }
  const out = await scratch.repo.output(
    [
      ...['-c', 'diff.renames=true', '-c', 'core.quotePath=true', '-c', 'i18n.logOutputEncoding=UTF-8'],
      ...['format-patch', '--cover-letter', '--cover-from-description=subject', '--thread=shallow', '--no-signature'],
      ...['--full-index', '--binary', '-M', '--numbered', '--encode-email-headers', '-o', dir],
      ...[
        `--subject-prefix=${o.subjectPrefix}`,
        `--base=${o.baseCommit}`,
        `--from=${bytes(o.user.name)} <${bytes(o.user.email)}>`,
      ],
      ...(o.version > 1 ? [`--reroll-count=${o.version}`] : []),
      ...(o.notes.size ? ['--notes=refs/notes/review'] : []),
      ...(o.previous ? [`--range-diff=${o.previous}`, `--creation-factor=${o.creationFactor}`] : []),
      ...(o.inReplyTo ? [`--in-reply-to=${o.inReplyTo}`] : []),
      ...o.to.map((a) => `--to=${a}`),
      ...o.cc.map((a) => `--cc=${a}`),
      `${o.base}..refs/heads/series`,
    ],
    { env },
  );
  return out.split('\n').filter(Boolean);
}

/** What `git range-diff` says; `patches` asks for the changes within the patches, too. */
export async function rangeDiff(
  scratch: Scratch,
  base: string,
  before: string,
  after: string,
  creationFactor: number,
  patches: boolean,
): Promise<ByteString> {
  return scratch.repo.output(
    [
      ...['range-diff', '--no-color', `--creation-factor=${creationFactor}`, ...(patches ? [] : ['--no-patch'])],
      ...[`${base}..${before}`, `${base}..${after}`],
    ],
    { env: NO_CONFIG },
  );
}

/**
 * Feeds mails to `git am`, on `base`, in an empty work tree: git fetches each file from the index when a patch wants it.
 * Gives the tree after each mail that went in, and what git said when one did not.
 */
export async function amMails(
  scratch: Scratch,
  base: string,
  mails: readonly ByteString[],
): Promise<{ trees: string[]; failed: string | null }> {
  return withScratch(async (dir) => {
    const work = path.join(dir, 'work');
    mkdirSync(work);
    const env = {
      ...as({ name: 'kport', email: 'kport@localhost' }, '@0 +0000'),
      GIT_DIR: scratch.repo.dir,
      GIT_WORK_TREE: work,
      GIT_INDEX_FILE: path.join(dir, 'index'),
    };
    const git = (args: readonly string[], input?: ByteString): Promise<Finished> =>
      run('git', ['-c', 'gc.auto=0', ...args], { env, cwd: work, ...(input === undefined ? {} : { input }) });
    await git(['update-ref', '--no-deref', 'HEAD', base]);
    const read = await git(['read-tree', base]);
    if (read.code !== 0) return { trees: [], failed: firstLine(read.stderr) };
    const files = mails.map((mail, i) => {
      const file = path.join(dir, `${i}`);
      writeFile(file, mail);
      return file;
    });
    const trees: string[] = [];
    let failed: string | null = null;
    // Patches to files with CRLF line ends need --keep-cr; it changes nothing for the others.
    const done = await git(['am', '-q', '--keep-cr', '--whitespace=nowarn', ...files]);
    if (done.code !== 0) {
      failed = firstLine(done.stderr || done.stdout.toString('utf8'));
      await git(['am', '--abort']);
    }
    const log = await git(['log', '--reverse', '--format=%T', `${base}..HEAD`]);
    trees.push(...log.stdout.toString('utf8').split('\n').filter(Boolean));
    return { trees, failed };
  });
}

/** `git send-email` with our files and recipients; `attached` lets it ask for a password on the terminal. */
export async function sendEmail(
  repo: GitRepo,
  args: readonly string[],
  options: { input?: string } = {},
): Promise<Finished> {
  const found = await run('git', ['-C', repo.dir, 'send-email', '--dump-aliases'], { env: { LC_ALL: 'C' } });
  if (found.code !== 0 && /not a git command/.test(found.stderr)) {
    throw inputError(
      "'git send-email' is not installed",
      "run 'apt install git-email', or mail the files of '-o DIR' yourself",
    );
  }
  return run('git', ['-C', repo.dir, 'send-email', ...args], { env: { LC_ALL: 'C' }, ...options });
}

/** The tree of `tip`, but with the files at `paths` as `base` has them. */
export async function treeWithout(
  scratch: Scratch,
  tip: string,
  base: string,
  paths: readonly ByteString[],
): Promise<string> {
  if (paths.length === 0) return (await scratch.repo.resolve(`${tip}^{tree}`))!;
  const env = { GIT_INDEX_FILE: path.join(scratch.repo.dir, 'index-without') };
  await scratch.repo.run(['read-tree', tip], { env });
  const kept = await scratch.repo.output(['ls-tree', '-z', '--full-tree', base, '--', ...paths]);
  const entries = new Map(
    [...kept.matchAll(/(\d+) \w+ ([0-9a-f]+)\t([^\0]*)\0/g)].map((m) => [m[3]!, `${m[1]} ${m[2]}`]),
  );
  const rows = paths.map((p) => `${entries.get(p) ?? `0 ${'0'.repeat(40)}`}\t${p}\0`).join('');
  await scratch.repo.run(['update-index', '-z', '--index-info'], { env, input: rows });
  return (await scratch.repo.output(['write-tree', '--missing-ok'], { env })).trim();
}
