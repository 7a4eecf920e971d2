import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { inputError } from '../core/errors';
import { fromBytes, type ByteString } from '../core/text';
import { formatVersion, versionFromMakefile, type KernelVersion } from '../core/version';
import { blobId } from './blob-id';
import { GitRepo, type TreeEntry, type TreeList } from './git';

/**
 * A kernel at one version, read without a checkout. Reading gives null for a path that is not there and for a blob
 * that the repository lacks; {@link KernelTree.has} tells the two apart.
 */
export interface KernelTree {
  /** What the user called it: a revision or a folder. */
  readonly name: string;
  readonly version: KernelVersion;
  /** Null for a plain folder. */
  readonly commit: string | null;
  /** Null for a plain folder. */
  readonly repo: GitRepo | null;
  /** Every path, in git's order. */
  paths(): Iterable<ByteString>;
  has(path: ByteString): boolean;
  entry(path: ByteString): TreeEntry | null;
  read(path: ByteString): Promise<ByteString | null>;
}

/** A revision of a git repository. */
class GitTree implements KernelTree {
  version!: KernelVersion;
  constructor(
    readonly name: string,
    readonly commit: string,
    readonly repo: GitRepo,
    private readonly entries: TreeList,
  ) {}
  paths() {
    return this.entries.keys();
  }
  has(p: ByteString) {
    return this.entries.has(p);
  }
  entry(p: ByteString) {
    return this.entries.get(p) ?? null;
  }
  async read(p: ByteString) {
    const entry = this.entries.get(p);
    return entry && entry.mode !== '160000' ? this.repo.readBlob(entry.oid) : null;
  }
}

/** A folder with a kernel in it; blob ids are computed when asked for. */
class FolderTree implements KernelTree {
  version!: KernelVersion;
  readonly commit = null;
  readonly repo = null;
  private files: Map<ByteString, string> | null = null;
  private readonly oids = new Map<ByteString, TreeEntry>();
  constructor(readonly name: string) {}

  /** Walks the folder once. Symlinks are files, as in git, so a loop of them cannot trap the walk. */
  private walk(): Map<ByteString, string> {
    if (this.files) return this.files;
    const files = new Map<ByteString, string>();
    const visit = (dir: Buffer, prefix: ByteString) => {
      for (const entry of readdirSync(dir, { withFileTypes: true, encoding: 'buffer' })) {
        const name = fromBytes(entry.name as unknown as Uint8Array);
        if (prefix === '' && name === '.git') continue;
        const full = Buffer.concat([dir, Buffer.from('/'), entry.name as unknown as Uint8Array]);
        if (entry.isDirectory()) visit(full, `${prefix}${name}/`);
        else if (entry.isFile() || entry.isSymbolicLink()) files.set(prefix + name, full.toString('latin1'));
      }
    };
    visit(Buffer.from(this.name), '');
    this.files = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
    return this.files;
  }
  paths() {
    return this.walk().keys();
  }
  has(p: ByteString) {
    return this.walk().has(p);
  }
  entry(p: ByteString) {
    const known = this.oids.get(p);
    if (known) return known;
    const text = this.content(p);
    if (text === null) return null;
    const stat = lstatSync(Buffer.from(this.walk().get(p)!, 'latin1'));
    const mode = stat.isSymbolicLink() ? '120000' : stat.mode & 0o100 ? '100755' : '100644';
    const entry = { mode, oid: blobId(text) };
    this.oids.set(p, entry);
    return entry;
  }
  async read(p: ByteString) {
    return this.content(p);
  }
  private content(p: ByteString): ByteString | null {
    const file = this.walk().get(p);
    if (file === undefined) return null;
    const full = Buffer.from(file, 'latin1');
    try {
      return fromBytes(
        lstatSync(full).isSymbolicLink() ? readlinkSync(full, { encoding: 'buffer' }) : readFileSync(full),
      );
    } catch {
      return null;
    }
  }
}

/**
 * Opens a kernel: a revision of the repository in `dir`, or the folder `dir` itself when `revision` is null or `dir` is
 * no repository. Throws an input error when there is nothing, no such revision, or no kernel.
 */
export async function openTree(dir: string, revision: string | null): Promise<KernelTree> {
  let tree: GitTree | FolderTree;
  const repo = await GitRepo.open(dir);
  if (repo) {
    const commit = await repo.commit(revision ?? 'HEAD');
    if (commit === null) {
      const tags = (await repo.tags()).filter((t) => /^v\d/.test(t));
      const known = tags.length ? `it has ${tags.slice(-12).join(' ')}` : 'it has no version tags';
      throw inputError(
        `unknown revision '${revision ?? 'HEAD'}' in '${dir}'`,
        `run 'git -C ${dir} tag --list'; ${known}`,
      );
    }
    tree = new GitTree(revision ?? 'HEAD', commit, repo, await repo.listTree(commit));
  } else {
    if (!isFolder(dir)) {
      throw inputError(`no such kernel tree: '${dir}'`, 'give --tree a git repository or a kernel source folder');
    }
    tree = new FolderTree(path.resolve(dir));
  }
  const version = versionFromMakefile((await tree.read('Makefile')) ?? '');
  if (!version) {
    throw inputError(
      `'${dir}'${repo ? ` at '${revision ?? 'HEAD'}'` : ''} is no kernel: its Makefile states no VERSION and PATCHLEVEL`,
      'give --tree the top folder of a kernel source tree',
    );
  }
  tree.version = version;
  if (tree instanceof FolderTree && revision !== null) {
    const wanted = revision.replace(/^v/, '');
    const is = formatVersion(version);
    if (is !== `v${wanted}` && !is.startsWith(`v${wanted}.`) && !is.startsWith(`v${wanted}-`)) {
      throw inputError(`the kernel in '${dir}' is ${is}, not '${revision}'`, `run again with '--to ${is}'`);
    }
  }
  return tree;
}

/** Another revision of a repository that is open already; null when there is none, or it is no kernel. */
export async function openRevision(repo: GitRepo, revision: string): Promise<KernelTree | null> {
  const commit = await repo.commit(revision);
  if (commit === null) return null;
  const tree = new GitTree(revision, commit, repo, await repo.listTree(commit));
  const version = versionFromMakefile((await tree.read('Makefile')) ?? '');
  if (!version) return null;
  tree.version = version;
  return tree;
}

/** True for an existing folder. */
export function isFolder(dir: string): boolean {
  try {
    return statSync(dir).isDirectory();
  } catch {
    return false;
  }
}

/** True when `dir` is a git repository (its top folder, or a bare one). */
export async function isGitRepository(dir: string): Promise<boolean> {
  const repo = await GitRepo.open(dir);
  repo?.close();
  return repo !== null;
}
