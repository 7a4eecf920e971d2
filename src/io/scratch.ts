import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { inputError, internalError } from '../core/errors';
import { forDisplay, type ByteString } from '../core/text';
import { readFile, withScratch, writeFile } from './files';
import { firstLine, GitRepo, NO_CONFIG, quotePath, type TreeEntry } from './git';
import { run } from './process';

/** A file as a commit is to have it; null content of a mode-only or blob-only entry is not possible: give the oid. */
export type NewFile = { mode: string; content: ByteString } | { mode: string; oid: string };

/** A commit to be made. Bytes of names and message are kept as they are. */
export interface NewCommit {
  author: { name: ByteString; email: ByteString; date: string };
  committer: { name: ByteString; email: ByteString; date: string };
  message: ByteString;
  /** Path to new file; null deletes the path. */
  files: Map<ByteString, NewFile | null>;
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'kport',
  GIT_AUTHOR_EMAIL: 'kport@localhost',
  GIT_COMMITTER_NAME: 'kport',
  GIT_COMMITTER_EMAIL: 'kport@localhost',
  ...NO_CONFIG,
};

/**
 * A throw-away bare repository that sees the objects of others (alternates): everything that git does for kport and that
 * may fail is done here, so the user's repositories stay as they are.
 */
export class Scratch {
  private constructor(
    readonly repo: GitRepo,
    private readonly dir: string,
  ) {}

  /** Runs `work` with a scratch repository on top of `repos`. */
  static use<T>(repos: readonly GitRepo[], work: (scratch: Scratch) => Promise<T>): Promise<T> {
    return withScratch(async (dir) => {
      const git = path.join(dir, 'git');
      mkdirSync(git);
      const made = await run('git', ['init', '-q', '--bare', git], { env: { ...IDENTITY, GIT_TEMPLATE_DIR: '' } });
      if (made.code !== 0) throw internalError(`git init failed: ${firstLine(made.stderr)}`);
      const objects: string[] = [];
      for (const repo of repos) {
        const found = await repo.output(['rev-parse', '--git-path', 'objects']);
        objects.push(path.resolve(repo.dir, found.trim()));
      }
      writeFile(path.join(git, 'objects/info/alternates'), [...new Set(objects)].map((o) => `${o}\n`).join(''));
      const repo = (await GitRepo.open(git, NO_CONFIG))!;
      try {
        return await work(new Scratch(repo, dir));
      } finally {
        repo.close();
      }
    });
  }

  /** Stores a content; gives its blob id. */
  async writeBlob(content: ByteString): Promise<string> {
    return (await this.repo.output(['hash-object', '-w', '--stdin'], { input: content })).trim();
  }

  /** Makes a tree of entries alone. */
  async writeTree(entries: Iterable<[ByteString, TreeEntry]>): Promise<string> {
    const rows = [...entries].map(([p, e]) => `${e.mode} ${e.oid} 0\t${p}\0`).join('');
    const env = { GIT_INDEX_FILE: path.join(this.dir, 'index-of-entries') };
    await this.repo.run(['read-tree', '--empty'], { env });
    await this.repo.run(['update-index', '-z', '--index-info'], { env, input: rows });
    return (await this.repo.output(['write-tree', '--missing-ok'], { env })).trim();
  }

  /**
   * Applies a patch to a tree, in an index alone, exactly (no fuzz). Gives the new tree; throws an input error that names
   * the patch when it does not apply. `without` names files to leave out.
   */
  async applyPatch(tree: string, diff: ByteString, name: string, without: readonly ByteString[] = []): Promise<string> {
    const env = { ...IDENTITY, GIT_INDEX_FILE: path.join(this.dir, 'index') };
    await this.repo.run(['read-tree', tree], { env });
    const done = await this.repo.run(
      [
        'apply',
        '--cached',
        '--binary',
        '--whitespace=nowarn',
        ...without.map((p) => `--exclude=${forDisplay(p).replace(/[*?[\\]/g, '\\$&')}`),
        '-',
      ],
      {
        env,
        input: diff,
        ok: [0, 1, 128],
      },
    );
    if (done.code !== 0) {
      throw inputError(
        `'${name}' does not apply to its base: ${firstLine(done.stderr)}`,
        "check that the set's base is the kernel that it was made for: 'kport import … --base vX.Y' or '--base-tree DIR'",
      );
    }
    return (await this.repo.output(['write-tree', '--missing-ok'], { env })).trim();
  }

  /** What differs between two trees; `oid` is null for a file that is gone. */
  async changedFiles(from: string, to: string): Promise<{ path: ByteString; mode: string; oid: string | null }[]> {
    const rows = await this.repo.output(['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', from, to]);
    return [...rows.matchAll(/:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) \w\0([^\0]*)\0/g)].map(([, mode, oid, path]) => ({
      path: path!,
      mode: mode!,
      oid: /^0+$/.test(oid!) ? null : oid!,
    }));
  }

  /** Lines added and deleted per file, as git itself reads the patch; null for binaries. Throws when it cannot. */
  async numstat(
    diff: ByteString,
    name: string,
  ): Promise<{ added: number | null; deleted: number | null; path: ByteString }[]> {
    const done = await this.repo.run(['apply', '--numstat', '-z', '-'], { input: diff, ok: [0, 1, 128] });
    if (done.code !== 0) throw inputError(`git cannot read '${name}': ${firstLine(done.stderr)}`);
    const rows = done.stdout.toString('latin1').split('\0').filter(Boolean);
    return rows.map((row) => {
      const [added, deleted, ...rest] = row.split('\t');
      const number = (x: string | undefined) => (x === '-' ? null : Number(x));
      return { added: number(added), deleted: number(deleted), path: rest.join('\t') };
    });
  }

  /** The diff between files, as line ranges: see {@link LineChange}. One git process for all pairs. */
  async diffFiles(
    pairs: readonly { a: ByteString; b: ByteString }[],
    algorithm: DiffAlgorithm,
  ): Promise<LineChange[][]> {
    const top = path.join(this.dir, `diff-${algorithm}`);
    pairs.forEach((pair, i) => {
      writeFile(path.join(top, 'a', `${i}`), pair.a);
      writeFile(path.join(top, 'b', `${i}`), pair.b);
    });
    const changes: LineChange[][] = pairs.map(() => []);
    if (pairs.length === 0) return changes;
    const done = await run(
      'git',
      [
        'diff',
        '--no-index',
        '--no-color',
        '--no-ext-diff',
        '--no-renames',
        '--no-prefix',
        '--text',
        // The folders are called as git's own prefixes; git would write both.
        '--no-prefix',
        '-U0',
        `--diff-algorithm=${algorithm}`,
        'a',
        'b',
      ],
      { cwd: top, env: { ...IDENTITY, LC_ALL: 'C' } },
    );
    if (done.code > 1) throw internalError(`git diff failed: ${firstLine(done.stderr)}`);
    let current: LineChange[] = [];
    let skip = 0;
    for (const line of done.stdout.toString('latin1').split('\n')) {
      if (skip > 0) {
        if (line[0] !== '\\') skip--;
        continue;
      }
      const file = /^\+\+\+ b\/(\d+)/.exec(line);
      if (file) current = changes[Number(file[1])]!;
      const m = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line);
      if (!m) continue;
      const [oldCount, newCount] = [Number(m[2] ?? 1), Number(m[4] ?? 1)];
      // For an empty side git names the line before it.
      const oldStart = Number(m[1]) - (oldCount ? 1 : 0);
      const newStart = Number(m[3]) - (newCount ? 1 : 0);
      current.push({ oldStart, oldCount, newStart, newCount });
      skip = oldCount + newCount;
    }
    return changes;
  }

  /** A three-way merge of texts; conflicts are marked in git's diff3 style. */
  async merge(
    ours: ByteString,
    base: ByteString,
    theirs: ByteString,
    labels: readonly [string, string, string],
  ): Promise<{ text: ByteString; conflicts: number }> {
    const files = [ours, base, theirs].map((text, i) => {
      const file = path.join(this.dir, `merge-${i}`);
      writeFile(file, text);
      return file;
    });
    const done = await this.repo.run(['merge-file', '-p', '--diff3', ...labels.flatMap((l) => ['-L', l]), ...files], {
      ok: Array.from({ length: 128 }, (_, i) => i),
    });
    return { text: done.stdout.toString('latin1'), conflicts: done.code };
  }

  /** Commits on top of `parent` (null: a root commit). Gives the ids of the commits. */
  async commit(parent: string | null, commits: readonly NewCommit[]): Promise<string[]> {
    return fastImport(this.repo, 'refs/kport/scratch', parent, commits);
  }

  /** The mails of `range`, as `git format-patch` makes them, written to `dir`. Gives the file names in order. */
  async formatPatch(range: string, dir: string, options: readonly string[] = []): Promise<string[]> {
    const out = await this.repo.output([
      ...['-c', 'diff.renames=true', '-c', 'core.quotePath=true'],
      ...['format-patch', '--full-index', '--binary', '-M', '--no-signature', '-o', dir, ...options, range],
    ]);
    return out.split('\n').filter(Boolean);
  }

  /** Reads a file that a git command wrote. */
  readFile(file: string): ByteString {
    return readFile(file);
  }
}

export type DiffAlgorithm = 'histogram' | 'myers' | 'patience';

/** One changed range between two files; lines are 0-based, starts name the gap when a count is 0. */
export interface LineChange {
  oldStart: number;
  oldCount: number;
  newStart: number;
  newCount: number;
}

/**
 * Makes commits in a repository with `git fast-import`: one process, no index, no checkout. `ref` is set to the last one
 * when all are made, and to nothing when any fails.
 */
export async function fastImport(
  repo: GitRepo,
  ref: string,
  parent: string | null,
  commits: readonly NewCommit[],
): Promise<string[]> {
  const data = (text: ByteString) => `data ${text.length}\n${text}\n`;
  let stream = 'feature done\n';
  commits.forEach((c, i) => {
    const person = (p: { name: ByteString; email: ByteString; date: string }) =>
      `${p.name.replace(/[<>\n]/g, '')} <${p.email.replace(/[<>\n]/g, '')}> ${p.date.replace(/^(?=\d+ [-+]\d{4}$)/, '@')}\n`;
    stream += `commit ${ref}\nmark :${i + 1}\nauthor ${person(c.author)}committer ${person(c.committer)}${data(c.message)}`;
    if (i > 0) stream += `from :${i}\n`;
    else if (parent) stream += `from ${parent}\n`;
    // Deletions first: a rename may put a file where a folder was.
    const files = [...c.files].sort(([a, x], [b, y]) => Number(x !== null) - Number(y !== null) || (a < b ? -1 : 1));
    for (const [p, file] of files) {
      if (file === null) stream += `D ${quotePath(p)}\n`;
      else if ('oid' in file) stream += `M ${file.mode} ${file.oid} ${quotePath(p)}\n`;
      else stream += `M ${file.mode} inline ${quotePath(p)}\n${data(file.content)}`;
    }
    stream += '\n';
  });
  commits.forEach((_, i) => (stream += `get-mark :${i + 1}\n`));
  stream += 'done\n';
  const done = await repo.run(['fast-import', '--quiet', '--force', '--date-format=rfc2822', '--cat-blob-fd=1'], {
    input: stream,
    ok: [0, 1, 128],
  });
  if (done.code !== 0) throw inputError(`unable to write to the repository '${repo.dir}': ${firstLine(done.stderr)}`);
  return done.stdout
    .toString('utf8')
    .split('\n')
    .filter((l) => /^[0-9a-f]{40,}$/.test(l));
}
