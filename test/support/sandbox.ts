import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BIN = path.join(__dirname, '../../bin/kport');

/** What a program left: all three together, because a test that looks at one of them misses the others. */
export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  input?: string | Buffer;
  env?: Record<string, string | undefined>;
  /** Exit codes that are no failure of the test; default: 0 for git, all for kport. */
  ok?: number[];
}

/** What stands under a path; strings are byte strings (latin1). */
export type Content = string | Buffer | { link: string } | { exec: string };
/** Path to content; null deletes. */
export type Files = Record<string, Content | null>;

/** A folder of its own with a home and a cache in it, and no trace of the user's or the system's configuration. */
export class Sandbox {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'kport-test-'));
  readonly env: Record<string, string | undefined>;

  /** @param template a sandbox to begin with a copy of: making one is slow, copying is not */
  constructor(template?: Sandbox) {
    if (template) cpSync(template.dir, this.dir, { recursive: true, verbatimSymlinks: true });
    for (const name of ['home', 'cache', 'tmp']) mkdirSync(this.path(name), { recursive: true });
    this.env = {
      PATH: process.env.PATH,
      HOME: this.path('home'),
      KPORT_CACHE_DIR: this.path('cache'),
      TMPDIR: this.path('tmp'),
      LC_ALL: 'C',
      TZ: 'UTC',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ann Author',
      GIT_AUTHOR_EMAIL: 'ann@example.org',
      GIT_AUTHOR_DATE: '1600000000 +0200',
      GIT_COMMITTER_NAME: 'Carl Committer',
      GIT_COMMITTER_EMAIL: 'carl@example.org',
      GIT_COMMITTER_DATE: '1600000001 +0000',
    };
  }

  path(...parts: string[]): string {
    return path.join(this.dir, ...parts);
  }

  /** Writes files below a folder of the sandbox. Gives the folder. */
  write(folder: string, files: Files): string {
    const dir = this.path(folder);
    mkdirSync(dir, { recursive: true });
    writeFiles(dir, files);
    return dir;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  run(command: string, args: readonly string[], options: RunOptions = {}): Ran & { bytes: Buffer } {
    const done = spawnSync(command, args, {
      cwd: options.cwd ?? this.dir,
      input: options.input === undefined ? undefined : asBytes(options.input),
      env: { ...this.env, ...options.env } as NodeJS.ProcessEnv,
      maxBuffer: 1 << 28,
    });
    if (done.error) throw done.error;
    const ran = { status: done.status, stdout: done.stdout.toString('utf8'), stderr: done.stderr.toString('utf8') };
    if (options.ok && !options.ok.includes(ran.status ?? -1)) {
      throw new Error(`${command} ${args.join(' ')}: exit ${ran.status}\n${ran.stderr}${ran.stdout.slice(0, 2000)}`);
    }
    return { ...ran, bytes: done.stdout };
  }

  /** Runs the built program, as a user would. */
  kport(args: readonly string[], options: RunOptions = {}): Ran {
    const { status, stdout, stderr } = this.run(process.execPath, [BIN, ...args], options);
    return { status, stdout, stderr };
  }

  git(dir: string, args: readonly string[], options: RunOptions = {}): string {
    return this.run('git', ['-C', dir, ...args], { ok: [0], ...options }).bytes.toString('latin1');
  }

  /** The repository that is there already. */
  open(name: string): Repo {
    return new Repo(this, this.path(name));
  }

  /** A new repository below the sandbox. */
  repo(name: string): Repo {
    const dir = this.path(name);
    this.run('git', ['init', '-q', '-b', 'main', dir], { ok: [0] });
    return new Repo(this, dir);
  }
}

/** A repository with a work tree. */
export class Repo {
  constructor(
    readonly box: Sandbox,
    readonly dir: string,
  ) {}

  git(args: readonly string[], options: RunOptions = {}): string {
    return this.box.git(this.dir, args, options);
  }

  write(files: Files): void {
    writeFiles(this.dir, files);
  }

  /** Commits all that is in the work tree. Gives the commit id. */
  commit(message: string, files: Files = {}, env: Record<string, string> = {}): string {
    this.write(files);
    this.git(['add', '-A', '-f']);
    this.git(['commit', '-q', '--allow-empty', '--cleanup=verbatim', '-F', '-'], { input: message, env });
    return this.git(['rev-parse', 'HEAD']).trim();
  }

  tag(name: string): void {
    this.git(['tag', name]);
  }

  /** The tree id of a revision. */
  tree(revision: string): string {
    return this.git(['rev-parse', `${revision}^{tree}`]).trim();
  }
}

function asBytes(content: string | Buffer): Buffer {
  return typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
}

/** File names are byte strings, too. */
function writeFiles(dir: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const file = Buffer.from(path.join(dir, name), 'latin1');
    rmSync(file, { force: true });
    if (content === null) continue;
    mkdirSync(Buffer.from(path.dirname(path.join(dir, name)), 'latin1'), { recursive: true });
    if (typeof content === 'object' && 'link' in content) symlinkSync(content.link, file);
    else if (typeof content === 'object' && 'exec' in content) {
      writeFileSync(file, asBytes(content.exec));
      chmodSync(file, 0o755);
    } else writeFileSync(file, asBytes(content));
  }
}

/** Everything below a folder: path to kind, mode and content hash. Two equal listings mean: nothing was written. */
export function listing(dir: string, skip: (name: string) => boolean = () => false): Record<string, string> {
  const rows: Record<string, string> = {};
  const visit = (folder: string, prefix: string) => {
    for (const name of readdirSync(folder).sort()) {
      if (skip(prefix + name)) continue;
      const full = path.join(folder, name);
      const stat = lstatSync(full);
      if (stat.isDirectory()) {
        rows[`${prefix}${name}/`] = 'folder';
        visit(full, `${prefix}${name}/`);
      } else if (stat.isSymbolicLink()) rows[prefix + name] = `link ${readlinkSync(full)}`;
      else {
        const hash = createHash('sha1').update(readFileSync(full)).digest('hex');
        rows[prefix + name] = `${(stat.mode & 0o777).toString(8)} ${hash}`;
      }
    }
  };
  visit(dir, '');
  return rows;
}

/** Numbers that look random and are the same in every run (mulberry32). */
export function seeded(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** An integer from 0 to n - 1. */
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!,
    chance: (p: number) => next() < p,
  };
}
