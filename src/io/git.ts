import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { simpleGit, type SimpleGit } from 'simple-git';
import { inputError } from '../core/errors';
import { fromBytes, type ByteString } from '../core/text';
import { run, type Finished, type RunOptions } from './process';

/** An entry of a git tree. */
export interface TreeEntry {
  /** Octal: 100644, 100755, 120000 (symlink), 160000 (submodule). */
  mode: string;
  oid: string;
}

export interface GitRunOptions extends RunOptions {
  /** Exit codes that are answers, not failures. Default: 0 only. */
  ok?: readonly number[];
}

/** Variables with which a git command points its children (hooks, `rebase --exec`) at its own repository. */
const CALLERS = [
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_INDEX_VERSION', 'GIT_OBJECT_DIRECTORY'],
  ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_NAMESPACE', 'GIT_PREFIX', 'GIT_SHALLOW_FILE', 'GIT_GRAFT_FILE'],
  ...['GIT_EXTERNAL_DIFF', 'GIT_DIFF_OPTS', 'GIT_LITERAL_PATHSPECS', 'GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS'],
  ...['GIT_ICASE_PATHSPECS', 'GIT_DEFAULT_HASH', 'GIT_PAGER'],
];

/**
 * Forgets the git command that kport was started by, if any: the repositories that kport works on are the ones that it
 * was given, and its scratch repository must never be somebody's own.
 */
export function forgetCallersRepository(): void {
  for (const name of CALLERS) delete process.env[name];
}

/** No configuration of the user or the system: for what has to come out the same everywhere. */
export const NO_CONFIG = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

const ENV = { LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };

/**
 * The door to git. Names and text go through simple-git; bytes and plumbing through a spawn of our own, because
 * simple-git decodes output as UTF-8 and has no standard input.
 */
export class GitRepo {
  private readonly git: SimpleGit;
  private reader: BlobReader | null = null;

  private constructor(
    readonly dir: string,
    private readonly env: Record<string, string>,
  ) {
    // simple-git takes a non-zero exit with an empty stderr for success; here every non-zero exit is an error.
    this.git = simpleGit({
      baseDir: dir,
      errors: (error, result) => error ?? (result.exitCode ? Buffer.concat(result.stdErr) : undefined),
    });
  }

  /**
   * Opens the repository that holds `dir` (a work tree's top or a bare repository); null when there is none.
   *
   * @param env laid over the environment of all that is run in it
   */
  static async open(dir: string, env: Record<string, string> = {}): Promise<GitRepo | null> {
    if (!existsSync(dir)) return null;
    const asked = ['--is-bare-repository', '--show-prefix', '--show-toplevel'];
    const said = await run('git', ['-C', dir, 'rev-parse', ...asked], { env: ENV });
    const answers = said.stdout.toString('utf8').split('\n');
    // Only the last question has no answer outside a work tree.
    if (said.code !== 0 && answers.length < asked.length) {
      // Nothing of git's, or something that git does not want to read: not the same.
      const looksLikeOne = ['.git', 'HEAD'].some((name) => existsSync(path.join(dir, name)));
      if (!looksLikeOne || /not a git repository/.test(said.stderr)) return null;
      throw inputError(
        `git cannot read the repository '${dir}': ${firstLine(said.stderr)}`,
        `run 'git -C ${dir} status' to see more`,
      );
    }
    // A plain kernel folder that happens to lie inside somebody's repository is a folder, not that repository.
    if (said.code === 0 && answers[1] !== '') return null;
    return new GitRepo(path.resolve(dir), env);
  }

  /** Runs git and gives its bytes. Throws for an exit code that is not in `ok`. */
  async run(args: readonly string[], options: GitRunOptions = {}): Promise<Finished> {
    const done = await run('git', ['-C', this.dir, ...args], {
      ...options,
      env: { ...ENV, ...this.env, ...options.env },
    });
    if (!(options.ok ?? [0]).includes(done.code)) {
      throw inputError(`git ${args[0]} failed in '${this.dir}': ${firstLine(done.stderr)}`);
    }
    return done;
  }

  /** Standard output of a git command as a byte string. */
  async output(args: readonly string[], options: GitRunOptions = {}): Promise<ByteString> {
    return fromBytes((await this.run(args, options)).stdout);
  }

  /** The commit (or with `^{tree}` the tree) of a revision; null when there is none. */
  async resolve(revision: string): Promise<string | null> {
    if (revision.startsWith('-')) return null;
    try {
      return (await this.git.raw(['rev-parse', '--verify', '--quiet', '--end-of-options', revision]))
        .trim()
        .split('\n')
        .pop()!;
    } catch {
      return null;
    }
  }

  /** The commit of a revision; null when there is none. */
  commit(revision: string): Promise<string | null> {
    return this.resolve(`${revision}^{commit}`);
  }

  /** Tag names, oldest version first. */
  async tags(): Promise<string[]> {
    return (await this.git.raw(['tag', '--list', '--sort=version:refname'])).split('\n').filter(Boolean);
  }

  /** A configuration value; null when unset. */
  async config(key: string): Promise<string | null> {
    const done = await this.run(['config', '--get', key], { ok: [0, 1] });
    return done.code === 0 ? done.stdout.toString('utf8').replace(/\n$/, '') : null;
  }

  /** Every file of a tree, by path. Paths are byte strings. */
  async listTree(treeish: string): Promise<TreeList> {
    return new TreeList(await this.output(['ls-tree', '-r', '-z', '--full-tree', treeish]));
  }

  /** The content of a blob; null when the repository lacks it (partial copies do). */
  readBlob(oid: string): Promise<ByteString | null> {
    this.reader ??= new BlobReader(this.dir);
    return this.reader.read(oid);
  }

  /** Ends the helper process. Call it when done with the repository; calling it twice is harmless. */
  close(): void {
    this.reader?.close();
    this.reader = null;
  }
}

/** What `git ls-tree -r -z` said: rows are looked at when asked for, since there are 70,000 and few are wanted. */
export class TreeList {
  /** Where the row of a path begins. */
  private readonly starts = new Map<ByteString, number>();

  constructor(private readonly rows: ByteString) {
    // `mode type oid<tab>path<nul>`
    for (let at = 0; at < rows.length;) {
      const tab = rows.indexOf('\t', at);
      const end = rows.indexOf('\0', tab);
      if (tab < 0 || end < 0) break;
      this.starts.set(rows.slice(tab + 1, end), at);
      at = end + 1;
    }
  }

  keys(): IterableIterator<ByteString> {
    return this.starts.keys();
  }

  has(path: ByteString): boolean {
    return this.starts.has(path);
  }

  get(path: ByteString): TreeEntry | undefined {
    const at = this.starts.get(path);
    if (at === undefined) return undefined;
    const { rows } = this;
    const tab = rows.indexOf('\t', at);
    return { mode: rows.slice(at, rows.indexOf(' ', at)), oid: rows.slice(rows.lastIndexOf(' ', tab) + 1, tab) };
  }
}

/** Runs git in any folder, with the user's configuration. A non-zero exit is a value. */
export function runGit(dir: string, args: readonly string[]): Promise<Finished> {
  return run('git', ['-C', dir, ...args], { env: ENV });
}

/** One `git cat-file --batch` for the life of a repository: requests queue, answers come in order. */
class BlobReader {
  private readonly child: ChildProcess;
  private readonly waiting: { resolve(text: ByteString | null): void; reject(e: unknown): void }[] = [];
  /** Object ids that are not written yet. */
  private readonly asked: string[] = [];
  private chunks: Buffer[] = [];
  private buffered = 0;
  private needed = 1;
  private ended = false;

  constructor(private readonly dir: string) {
    this.child = spawn('git', ['-C', dir, 'cat-file', '--batch'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, ...ENV },
    });
    this.child.stdout!.on('data', (d: Buffer) => {
      this.chunks.push(d);
      this.buffered += d.length;
      if (this.buffered >= this.needed) this.drain();
    });
    const fail = () => {
      this.ended = true;
      for (const w of this.waiting.splice(0)) w.reject(this.early());
    };
    this.child.on('error', fail);
    this.child.on('close', fail);
    this.child.stdin!.on('error', () => undefined);
    // Nobody should have to close a repository just to let the process end.
    this.child.unref();
    for (const pipe of [this.child.stdin, this.child.stdout]) (pipe as unknown as { unref?(): void }).unref?.();
  }

  read(oid: string): Promise<ByteString | null> {
    if (this.ended) return Promise.reject(this.early());
    return new Promise((resolve, reject) => {
      this.hold(true);
      this.waiting.push({ resolve, reject });
      // Requests of one turn of the event loop go out together: a write each would cost more than the answers.
      if (this.asked.length === 0) queueMicrotask(() => this.ask());
      this.asked.push(oid);
    });
  }

  private ask(): void {
    if (this.asked.length === 0) return;
    this.child.stdin!.write(
      this.asked
        .splice(0)
        .map((oid) => `${oid}\n`)
        .join(''),
    );
  }

  close(): void {
    this.ask();
    this.child.stdin!.end();
  }

  private early(): Error {
    return inputError(`git cat-file ended early in '${this.dir}'`, `run 'git -C ${this.dir} fsck' to look for damage`);
  }

  /** While an answer is awaited the pipe keeps the process alive, else not. */
  private hold(on: boolean): void {
    const pipe = this.child.stdout as unknown as { ref?(): void; unref?(): void };
    if (on) pipe.ref?.();
    else pipe.unref?.();
  }

  private drain(): void {
    let data = Buffer.concat(this.chunks);
    for (;;) {
      const nl = data.indexOf(10);
      if (nl < 0) break;
      const header = data.toString('latin1', 0, nl).split(' ');
      const missing = header[header.length - 1] === 'missing';
      const size = missing ? -1 : Number(header[2]);
      if (!missing && data.length < nl + 1 + size + 1) {
        this.needed = nl + 1 + size + 1;
        this.chunks = [data];
        this.buffered = data.length;
        return;
      }
      const waiter = this.waiting.shift();
      waiter?.resolve(missing ? null : fromBytes(data.subarray(nl + 1, nl + 1 + size)));
      data = data.subarray(missing ? nl + 1 : nl + 1 + size + 1);
    }
    this.needed = 1;
    this.chunks = data.length ? [data] : [];
    this.buffered = data.length;
    if (this.waiting.length === 0) this.hold(false);
  }
}

/** The first line of what a program said, without git's own `fatal:` in front. */
export function firstLine(text: string): string {
  return (text.split('\n').find((l) => l.trim() !== '') ?? 'no message').replace(/^(fatal|error): /, '');
}

/** A path as `git fast-import` and diffs take it: quoted when it has to be. */
export function quotePath(name: ByteString): ByteString {
  if (!/["\\\x00-\x1f\x7f-\xff]/.test(name)) return name;
  const escaped = name
    .replace(/["\\]/g, '\\$&')
    .replace(/[\x00-\x1f\x7f-\xff]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `"${escaped}"`;
}

/** Undoes {@link quotePath}. */
export function unquotePath(name: ByteString): ByteString {
  if (!name.startsWith('"')) return name;
  const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };
  return name
    .slice(1, name.lastIndexOf('"'))
    .replace(/\\([0-7]{3}|.)/g, (_, e: string) =>
      /^[0-7]{3}$/.test(e) ? String.fromCharCode(parseInt(e, 8)) : (named[e] ?? e),
    );
}
