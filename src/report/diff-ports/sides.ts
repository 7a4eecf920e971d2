import path from 'node:path';
import { inputError } from '../../core/errors';
import type { PortReport } from '../../core/report';
import { fromBytes, type ByteString } from '../../core/text';
import { formatVersion } from '../../core/version';
import { exists, listFolder, readFile } from '../../io/files';
import type { GitRepo } from '../../io/git';
import type { Scratch } from '../../io/scratch';
import { isFolder, openTree, type KernelTree } from '../../io/tree';
import { readMail } from '../../patch-set/mail';
import type { PatchSet } from '../../patch-set/patch-set';
import { baseAfterEachPatch } from '../../porter/source';

/** A tree as far as it differs from its base: path to text; null for a file that is gone or cannot be read. */
export type ChangedFiles = Map<ByteString, { text: ByteString | null; gone: boolean }>;

/** One port: what it starts from, and what it changes there. */
export interface PortSide {
  name: string;
  base: KernelTree;
  files: ChangedFiles;
}

/** A port as the user names it. */
export interface PortSpec {
  name: string;
  /** Revision that it starts from; null when it has to be known otherwise. */
  base: string | null;
  /** Revision, folder of patches that kport made, or folder whose files are laid over the base. */
  tip: string;
}

/** `BASE..TIP` or `TIP`. */
export function parsePort(text: string): PortSpec {
  const m = /^(.+?)\.\.(.+)$/.exec(text);
  // A path may begin with dots: `../port` names no base.
  if (m && !/^\.{0,2}\//.test(text)) return { name: text, base: m[1]!, tip: m[2]! };
  return { name: text, base: null, tip: text };
}

/** The report in a folder that `kport apply --out` made; null for any other folder. */
export function reportInFolder(dir: string): PortReport | null {
  const file = path.join(dir, 'port.json');
  if (!exists(file)) return null;
  return JSON.parse(Buffer.from(readFile(file), 'latin1').toString('utf8')) as PortReport;
}

/** Opens a revision as a port of `base`. */
export async function revisionSide(repo: GitRepo, spec: PortSpec, base: string): Promise<PortSide> {
  const [from, tip] = [await openTree(repo.dir, base), await openTree(repo.dir, spec.tip)];
  return { name: spec.name, base: from, files: await differences(from, tip) };
}

/** Lays the files of a folder over the base, as they are; files that it lacks are unchanged. */
export async function overlaySide(repo: GitRepo, spec: PortSpec, base: string): Promise<PortSide> {
  const from = await openTree(repo.dir, base);
  const files: ChangedFiles = new Map();
  const visit = async (dir: string, prefix: string) => {
    for (const name of listFolder(dir)) {
      if (name === '.git') continue;
      const full = path.join(dir, name);
      if (isFolder(full)) await visit(full, `${prefix}${name}/`);
      else {
        const text = readFile(full);
        const key = fromBytes(Buffer.from(`${prefix}${name}`));
        if ((await from.read(key)) !== text) files.set(key, { text, gone: false });
      }
    }
  };
  await visit(spec.tip, '');
  return { name: spec.name, base: from, files };
}

/** Applies the patches of a port folder to its target. */
export async function folderSide(
  target: KernelTree,
  spec: PortSpec,
  report: PortReport,
  scratch: Scratch,
): Promise<PortSide> {
  const names = listFolder(spec.tip).filter((n) => n.endsWith('.patch') && !n.startsWith('0000-'));
  const patches = [];
  for (const name of names) {
    const patch = await readMail(readFile(path.join(spec.tip, name)), name);
    if (!patch) throw inputError(`'${path.join(spec.tip, name)}' holds no patch`);
    patches.push(patch);
  }
  if (patches.length === 0) throw inputError(`'${spec.tip}' holds no patches`);
  const base = { version: formatVersion(target.version), commit: target.commit };
  const set: PatchSet = {
    ...{ name: report.set, dir: spec.tip, patches },
    manifest: { schemaVersion: 1, name: report.set, base, patches: [], unreadable: [] },
  };
  return { name: spec.name, base: target, files: await appliedFiles(set, target, scratch) };
}

/** The files that a set leaves changed in its base. */
export async function appliedFiles(set: PatchSet, base: KernelTree, scratch: Scratch): Promise<ChangedFiles> {
  const files: ChangedFiles = new Map();
  for await (const step of baseAfterEachPatch(set, base, scratch, null)) {
    for (const [p, file] of step.files) files.set(p, { text: file?.text ?? null, gone: file === null });
  }
  return files;
}

async function differences(base: KernelTree, tip: KernelTree): Promise<ChangedFiles> {
  const files: ChangedFiles = new Map();
  for (const p of tip.paths()) {
    const entry = tip.entry(p)!;
    if (entry.mode === '120000' || entry.mode === '160000' || base.entry(p)?.oid === entry.oid) continue;
    files.set(p, { text: await tip.read(p), gone: false });
  }
  for (const p of base.paths()) if (!tip.has(p)) files.set(p, { text: null, gone: true });
  return files;
}
