import path from 'node:path';
import type { PortReport } from '../core/report';
import { forDisplay, fromDisplay } from '../core/text';
import { removeFolder } from '../io/export';
import { exists, listFolder, readFileIfAny, writeFile } from '../io/files';
import type { GitRepo } from '../io/git';

/** Where the ports made in a repository are kept: beside its objects, never in its work tree. */
export async function storeDir(repo: GitRepo): Promise<string> {
  const common = (await repo.output(['rev-parse', '--git-common-dir'])).trim();
  return path.join(path.resolve(repo.dir, common), 'kport', 'ports');
}

/** Names the branch of the port that was made last. No branch can be called so: none begins with a dot. */
const LAST = '.last';

/** How a port was asked for, paths absolute: what it takes to make it again. */
export interface PortRequest {
  set: string;
  patchesDir: string;
  tree: string;
  to: string | null;
  baseTree: string | null;
  branch: string | null;
  out: string | null;
  force: boolean;
  only: string[];
  markers: boolean;
  chronicle: boolean;
  /** Ports of an older kport have none. */
  reference?: string | null;
  /** Ports made before there was a choice have none. */
  generate?: boolean;
  /** How it was compiled to be repaired; null, or none in older ports, when it was not. */
  repair?: { crossCompile: string | null; jobs: number } | null;
}

/** Keeps a port's report under its branch, and its branch as the last one. */
export async function storePort(
  repo: GitRepo,
  branch: string,
  report: PortReport,
  request: PortRequest | null = null,
): Promise<string> {
  const dir = await storeDir(repo);
  const own = path.join(dir, branch);
  writeFile(path.join(own, 'port.json'), fromDisplay(`${JSON.stringify(report, null, 2)}\n`));
  if (request) writeFile(path.join(own, 'request.json'), fromDisplay(`${JSON.stringify(request, null, 2)}\n`));
  removeFolder(path.join(own, 'rejects'));
  for (const reject of report.rejects) writeFile(path.join(own, 'rejects', reject.file), reject.text);
  writeFile(path.join(dir, LAST), fromDisplay(`${branch}\n`));
  return own;
}

/** How the port of a branch was asked for; null when that is not known. */
export async function loadRequest(repo: GitRepo, branch: string): Promise<PortRequest | null> {
  const text = readFileIfAny(path.join(await storeDir(repo), branch, 'request.json'));
  return text === null ? null : (JSON.parse(forDisplay(text)) as PortRequest);
}

/** Forgets the port of a branch: report, rejects, checks. Folders of branches below it stay. */
export async function forgetPort(repo: GitRepo, branch: string): Promise<void> {
  const dir = await storeDir(repo);
  const own = path.join(dir, branch);
  for (const name of ['port.json', 'request.json', 'check.json', 'rejects']) removeFolder(path.join(own, name));
  if (exists(own) && listFolder(own).length === 0) removeFolder(own);
  if (readFileIfAny(path.join(dir, LAST))?.trim() === fromDisplay(branch)) removeFolder(path.join(dir, LAST));
}

/** The stored report of a branch, or of the port that was made last; null when there is none. */
export async function loadPort(repo: GitRepo, branch: string | null): Promise<PortReport | null> {
  const dir = await storeDir(repo);
  const name = branch ?? readFileIfAny(path.join(dir, LAST))?.trim();
  const text = name ? readFileIfAny(path.join(dir, name, 'port.json')) : null;
  if (text === null) return null;
  try {
    return JSON.parse(Buffer.from(text, 'latin1').toString('utf8')) as PortReport;
  } catch {
    // Cut short by a full disk, say: then the branch is nobody's, and only --force replaces it.
    return null;
  }
}

/** Keeps what the checks have found on a tree, beside the port that it belongs to. */
export async function storeChecks(
  repo: GitRepo,
  branch: string,
  treeId: string,
  checks: readonly unknown[],
): Promise<void> {
  const file = path.join(await storeDir(repo), branch, 'check.json');
  writeFile(file, fromDisplay(`${JSON.stringify({ schemaVersion: 1, treeId, checks }, null, 2)}\n`));
}

/** The text that {@link storeChecks} wrote; null when the port was not checked. */
export async function loadChecks(repo: GitRepo, branch: string): Promise<string | null> {
  return readFileIfAny(path.join(await storeDir(repo), branch, 'check.json'));
}
