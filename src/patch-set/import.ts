import path from 'node:path';
import { inputError } from '../core/errors';
import type { Patch } from '../core/patch';
import { forDisplay, fromDisplay, splitLines, type ByteString } from '../core/text';
import { formatVersion, parseVersion, versionFromMakefile } from '../core/version';
import { assertWritable, exists, listFolder, readFile, readFileIfAny, writeFile, writeFolder } from '../io/files';
import type { GitRepo } from '../io/git';
import { Scratch } from '../io/scratch';
import { isFolder, openTree } from '../io/tree';
import { isMail, readBareDiff, readMail, splitMbox } from './mail';
import { loadSet, type PatchSet, type SetManifest } from './patch-set';
import { assertSafePaths } from './safety';

export interface ImportRequest {
  name: string;
  patchesDir: string;
  /** A folder of patches, an mbox or a diff; null for a git range. */
  source: string | null;
  /** A git range `A..B` of `repo`. */
  range: string | null;
  /** The repository of the range; for other sources, where the base is looked up. */
  repo: string | null;
  /** The base kernel of sources that do not know it. */
  base: string | null;
  /** Replace a set of the same name. */
  force: boolean;
  dryRun: boolean;
}

interface RawPatch {
  kind: 'mail' | 'diff';
  text: ByteString;
  /** Where it came from, for messages. */
  name: string;
}

/** What an import found; also what it wrote, unless it was a dry run. */
export interface Imported {
  set: PatchSet;
  notes: string[];
}

/** Makes a patch set from a source and stores it under `patchesDir/name`, whole or not at all. */
export async function importSet(request: ImportRequest): Promise<Imported> {
  if (!/^[A-Za-z0-9][\w.+-]*$/.test(request.name)) {
    throw inputError(`'${request.name}' is no good name for a patch set`, 'use letters, digits, dots and dashes');
  }
  const target = path.join(request.patchesDir, request.name);
  if (exists(target) && !request.force) {
    throw inputError(
      `patch set '${request.name}' exists already`,
      "choose another name, or give '--force' to replace it",
    );
  }
  assertWritable(target);
  if (
    exists(target) &&
    !exists(path.join(target, 'set.json')) &&
    !(isFolder(target) && listFolder(target).length === 0)
  ) {
    throw inputError(`'${target}' is no patch set: not replaced`, 'choose another name');
  }
  const notes: string[] = [];
  const read = request.range === null ? await readSource(request) : await readRange(request, notes);
  const patches: Patch[] = [];
  const kept: { file: string; raw: RawPatch }[] = [];
  for (const raw of read.raw) {
    const provisional =
      raw.kind === 'mail' ? await readMail(raw.text, raw.name) : readBareDiff(raw.text, raw.name, request.name);
    if (provisional === null) {
      notes.push(`'${raw.name}' holds no patch (a cover letter?): left out`);
      continue;
    }
    const file = `${String(patches.length + 1).padStart(4, '0')}-${slug(provisional.subject)}.${raw.kind === 'mail' ? 'patch' : 'diff'}`;
    patches.push({ ...provisional, file });
    kept.push({ file, raw });
  }
  if (patches.length === 0) throw inputError(`no patch in '${request.source ?? request.range}'`);
  assertSafePaths(patches);
  await askGit(
    patches,
    kept.map((k) => k.raw),
  );
  const manifest: SetManifest = {
    schemaVersion: 1,
    name: request.name,
    base: read.base,
    patches: kept.map(({ file, raw }) => ({ file, kind: raw.kind })),
    unreadable: read.unreadable,
  };
  if (request.dryRun) return { set: { name: request.name, dir: target, manifest, patches }, notes };
  await writeFolder(
    target,
    async (dir) => {
      for (const { file, raw } of kept) writeFile(path.join(dir, file), raw.text);
      writeFile(path.join(dir, 'set.json'), fromDisplay(`${JSON.stringify(manifest, null, 2)}\n`));
    },
    { replace: request.force },
  );
  return { set: await loadSet(request.patchesDir, request.name), notes };
}

type Source = { raw: RawPatch[]; base: SetManifest['base']; unreadable: SetManifest['unreadable'] };

async function readSource(request: ImportRequest): Promise<Source> {
  const source = request.source!;
  if (!exists(source)) {
    throw inputError(
      `no such file or folder: '${source}'`,
      'give a folder of patches, an mbox, a diff, or --repo DIR --range A..B',
    );
  }
  const raw: RawPatch[] = [];
  for (const file of isFolder(source) ? patchFiles(source) : [source]) {
    const text = readFile(file);
    if (isMail(text)) {
      const mails = await splitMbox(text, file);
      mails.forEach((mail, i) =>
        raw.push({ kind: 'mail', text: mail, name: mails.length > 1 ? `${file} mail ${i + 1}` : file }),
      );
    } else raw.push({ kind: 'diff', text, name: file });
  }
  const announced = raw.map((r) => /^base-commit: ([0-9a-f]{40,})\s*$/m.exec(r.text)?.[1]).find(Boolean) ?? null;
  return { raw, base: await findBase(request, announced), unreadable: [] };
}

/** The patches of a folder: in the order of its `series` file (quilt) if it has one, else by name. */
function patchFiles(dir: string): string[] {
  const series = readFileIfAny(path.join(dir, 'series'));
  const names = series
    ? splitLines(series)
        .map(
          (l) =>
            l
              .replace(/\s*#.*/, '')
              .trim()
              .split(/\s+/)[0]!,
        )
        .filter(Boolean)
    : listFolder(dir).filter((f) => /\.(patch|diff|mbox|mbx|eml)$/.test(f));
  if (names.length === 0) throw inputError(`no patches in '${dir}'`, 'patch files end in .patch, .diff, .mbox or .eml');
  return names.map((n) => path.join(dir, n));
}

async function findBase(request: ImportRequest, announced: string | null): Promise<SetManifest['base']> {
  const wanted = request.base ?? (request.repo ? announced : null);
  if (wanted === null) {
    throw inputError(
      `the base kernel of '${request.source}' is not known`,
      "say which kernel the patches are for, for example '--base v4.18'",
    );
  }
  if (request.repo) {
    const tree = await openTree(request.repo, wanted);
    tree.repo?.close();
    return { version: formatVersion(tree.version), commit: tree.commit };
  }
  const version = parseVersion(wanted);
  if (!version)
    throw inputError(
      `'${wanted}' is no kernel version`,
      "write it as '--base v5.4', or give --repo DIR with a revision",
    );
  return { version: formatVersion(version), commit: announced };
}

async function readRange(request: ImportRequest, notes: string[]): Promise<Source> {
  const [from, to, ...rest] = request.range!.split('..');
  if (!from || !to || rest.length || to.startsWith('.')) {
    throw inputError(`'${request.range}' is no range`, "write it as '--range BASE..TIP', for example v4.18..my-branch");
  }
  const tree = await openTree(request.repo!, from);
  const repo = tree.repo;
  if (!repo)
    throw inputError(`'${request.repo}' is no git repository`, 'a range needs one; import a folder of patches instead');
  try {
    const tip = await repo.commit(to);
    if (tip === null)
      throw inputError(`unknown revision '${to}' in '${request.repo}'`, `run 'git -C ${request.repo} tag --list'`);
    const unreadable = await unreadableFiles(repo, tree.commit!, tip);
    const without = unreadable.map((u) => `:(exclude,top,literal)${forDisplay(u.path)}`);
    const base = { version: formatVersion(tree.version), commit: tree.commit };
    for (const u of unreadable)
      notes.push(`'${u.path}': the repository lacks blob ${u.blob.slice(0, 12)}: unreadable, left out`);
    const versionOfTip = versionFromMakefile((await (await openTree(request.repo!, tip)).read('Makefile')) ?? '');
    if (versionOfTip && formatVersion(versionOfTip) !== base.version) {
      notes.push(
        `the range goes from ${base.version} to ${formatVersion(versionOfTip)}: it holds more than a patch set`,
      );
    }
    // In a scratch repository: no configuration of anybody's changes what git writes there.
    const [mbox, diff] = await Scratch.use([repo], async (scratch) => {
      const options = ['--binary', '--full-index', '-M', '--no-color', '--no-ext-diff'];
      const files = ['--', '.', ...without];
      return [
        await scratch.repo.output([
          'format-patch',
          '--stdout',
          '--no-signature',
          ...options,
          `${tree.commit}..${tip}`,
          ...files,
        ]),
        await scratch.repo.output(['diff', ...options, tree.commit!, tip, ...files]),
      ];
    });
    const mails = mbox ? await splitMbox(mbox, request.range!) : [];
    const raw: RawPatch[] = mails.map((text, i) => ({ kind: 'mail', text, name: `${request.range} patch ${i + 1}` }));
    if (raw.length && (await addsUp(repo, tree.commit!, tip, raw, without))) return { raw, base, unreadable };
    if (!diff && unreadable.length === 0) throw inputError(`the range '${request.range}' changes nothing`);
    notes.push(
      `the commits of '${request.range}' are no straight line of patches: imported as one diff, without author`,
    );
    return { raw: [{ kind: 'diff', text: diff, name: request.range! }], base, unreadable };
  } finally {
    repo.close();
  }
}

/** Files that the range touches and whose old or new content the repository does not have. */
async function unreadableFiles(repo: GitRepo, from: string, to: string): Promise<SetManifest['unreadable']> {
  const rows = await Scratch.use([repo], (scratch) =>
    scratch.repo.output([
      'log',
      '--format=',
      '--raw',
      '-r',
      '-z',
      '-m',
      '--no-renames',
      '--no-abbrev',
      `${from}..${to}`,
    ]),
  );
  const touched = [...rows.matchAll(/:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) (\w)\0([^\0]*)\0/g)]
    .flatMap(([, oldMode, newMode, oldBlob, newBlob, status, name]) => [
      { mode: oldMode!, blob: oldBlob!, status: status!, path: name! },
      { mode: newMode!, blob: newBlob!, status: status!, path: name! },
    ])
    .filter((t) => !/^0+$/.test(t.blob) && t.mode !== '160000');
  const blobs = [...new Set(touched.map((t) => t.blob))];
  const checked = await repo.output(['cat-file', '--batch-check=%(objectname) %(objecttype)'], {
    input: blobs.map((b) => `${b}\n`).join(''),
  });
  const missing = new Set([...checked.matchAll(/^([0-9a-f]+) missing$/gm)].map((m) => m[1]!));
  const words: Record<string, string> = { A: 'added', D: 'deleted', M: 'modified', T: 'modified' };
  const found = new Map<string, SetManifest['unreadable'][number]>();
  for (const t of touched) {
    if (missing.has(t.blob)) found.set(t.path, { path: t.path, status: words[t.status] ?? t.status, blob: t.blob });
  }
  return [...found.values()];
}

/** True when the patches, applied one after the other, give the tree at the range's end. */
async function addsUp(repo: GitRepo, from: string, to: string, raw: RawPatch[], without: string[]): Promise<boolean> {
  return Scratch.use([repo], async (scratch) => {
    let tree = `${from}^{tree}`;
    for (const patch of raw) {
      try {
        const read = patch.kind === 'mail' ? await readMail(patch.text, patch.name) : null;
        tree = await scratch.applyPatch(tree, read?.diff ?? patch.text, patch.name);
      } catch {
        return false;
      }
    }
    const left = await scratch.repo.run(['diff-tree', '-r', '--quiet', tree, to, '--', '.', ...without], {
      ok: [0, 1],
    });
    return left.code === 0;
  });
}

/** The arbiter: git must count the same lines in the same files as our reader. */
async function askGit(patches: readonly Patch[], raws: readonly RawPatch[]): Promise<void> {
  await Scratch.use([], async (scratch) => {
    for (const [i, patch] of patches.entries()) {
      const rows = await scratch.numstat(patch.diff, raws[i]!.name);
      const git = rows.reduce((sum, r) => [sum[0]! + (r.added ?? 0), sum[1]! + (r.deleted ?? 0)], [0, 0]);
      const ours = [0, 0];
      for (const hunk of patch.changes.flatMap((c) => c.hunks)) {
        for (const line of hunk.lines) {
          if (line[0] === '+') ours[0]!++;
          else if (line[0] === '-') ours[1]!++;
        }
      }
      if (git.join() !== ours.join()) {
        throw inputError(
          `'${raws[i]!.name}' is read in two ways: git counts +${git[0]} -${git[1]} lines, kport +${ours[0]} -${ours[1]}`,
          "export the change again with 'git format-patch'",
        );
      }
    }
  });
}

/** A subject as a file name, as git format-patch does it. */
function slug(subject: ByteString): string {
  return (
    subject
      .replace(/[^A-Za-z0-9._]+/g, '-')
      .replace(/\.{2,}/g, '.')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 52) || 'patch'
  ).replace(/[-.]+$/, '');
}
