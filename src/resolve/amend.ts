import path from 'node:path';
import { inputError } from '../core/errors';
import { forDisplay, isBinary, type ByteString } from '../core/text';
import { now } from '../io/clock';
import { openRevision, type KernelTree } from '../io/tree';
import { identityOf } from '../result/commits';
import {
  correctionsBetween,
  loadCorrections,
  saveCorrections,
  type CorrectedFile,
  type Correction,
} from '../result/corrections';
import { storePort } from '../result/store';
import { assertAsMade, stopped, type OpenPort } from './port';
import { portAgain } from './resolve';
import { isMarked } from './sheet';

/** A file of a port as it is to be. */
interface Amended {
  path: ByteString;
  from: ByteString;
  to: ByteString;
}

async function treeAt(port: OpenPort, revision: string): Promise<KernelTree> {
  return (await openRevision(port.repo, revision))!;
}

/** A file of the ported tree, for a person to change. Throws when there is none that could be. */
export async function fileOfPort(port: OpenPort, file: string): Promise<ByteString> {
  assertAsMade(port);
  const text = await (await treeAt(port, port.made)).read(file);
  if (text === null) {
    throw inputError(`the ported tree has no '${file}'`, `name a file of branch '${port.branch}'`);
  }
  if (text === '' || isBinary(text)) throw inputError(`'${file}' is no text: it cannot be corrected`);
  return text;
}

/** Keeps what a person made of a file of a port, and ports again. */
export async function amendFile(
  port: OpenPort,
  file: ByteString,
  edit: (name: string, text: ByteString) => Promise<ByteString>,
  progress: (stage: string) => void,
): Promise<OpenPort> {
  const from = await fileOfPort(port, file);
  const to = await edit(forDisplay(path.posix.basename(file)), from);
  if (to === from) throw stopped(`'${forDisplay(file)}' was not corrected: nothing was changed`);
  if (isMarked(to)) throw stopped(`'${forDisplay(file)}' was not corrected: conflict markers are left`);
  await keep(port, [{ path: file, from, to }]);
  return portAgain(port, progress);
}

/**
 * Keeps what was committed on top of a port, and ports again: the branch is one of kport's then, with the same tree. Throws
 * when it would not be, and leaves the branch as it is.
 *
 * @param revision where that was committed; null for the branch of the port itself
 */
export async function amendCommitted(
  port: OpenPort,
  revision: string | null,
  progress: (stage: string) => void,
): Promise<OpenPort> {
  const { repo, made, tip, branch } = port;
  if (revision !== null) assertAsMade(port);
  const commit = revision === null ? tip : await repo.commit(revision);
  if (commit === null) throw inputError(`'${revision ?? branch}' is no commit of '${port.dir}'`);
  if (commit === made) {
    throw inputError(
      `nothing was committed on ${revision === null ? `branch '${branch}'` : `'${revision}'`} since kport made the port`,
      "commit what you corrected, or name a file: 'kport amend FILE'",
    );
  }
  const base = await repo.run(['merge-base', '--is-ancestor', made, commit], { ok: [0, 1] });
  if (base.code !== 0) {
    throw inputError(
      `'${revision ?? branch}' does not stand on what kport made`,
      `bring it there: 'git rebase --onto ${made.slice(0, 12)} BASE ${revision ?? branch}'`,
    );
  }
  const files = await amendedFiles(port, commit);
  const known = await loadCorrections(repo, port.report.set);
  await keep(port, files);
  let again: OpenPort | null = null;
  try {
    again = await portAgain({ ...port, state: 'as-made' }, progress, true);
    const [is, was] = [await repo.resolve(`${again.made}^{tree}`), await repo.resolve(`${commit}^{tree}`)];
    if (is === was) return again;
    throw inputError(
      `the port with these corrections is not what was committed: nothing was kept`,
      `see what differs: 'git diff ${again.made.slice(0, 12)} ${commit.slice(0, 12)}'`,
    );
  } catch (error) {
    again?.repo.close();
    await restore(port, files, known);
    await repo.run(['update-ref', `refs/heads/${branch}`, tip!]);
    await storePort(repo, branch, port.report, port.request);
    throw error;
  }
}

async function amendedFiles(port: OpenPort, commit: string): Promise<Amended[]> {
  const { repo, made } = port;
  const out = await repo.output(['diff-tree', '-r', '-z', '--no-renames', '--name-status', made, commit]);
  const words = out.split('\0');
  const [before, after] = [await treeAt(port, made), await treeAt(port, commit)];
  const files: Amended[] = [];
  for (let i = 0; i + 1 < words.length; i += 2) {
    const [how, file] = [words[i]!, words[i + 1]!];
    const [from, to] = [await before.read(file), await after.read(file)];
    if (how !== 'M' || !from || !to || isBinary(to) || before.entry(file)!.mode !== after.entry(file)!.mode) {
      throw inputError(
        `'${forDisplay(file)}' was added, deleted, or is no text: only changes of text are kept`,
        'make it a patch of the set, or send the branch as it is',
      );
    }
    files.push({ path: file, from, to });
  }
  if (files.length === 0) throw inputError(`'${commit.slice(0, 12)}' has the tree that kport made`);
  return files;
}

async function keep(port: OpenPort, files: readonly Amended[]): Promise<void> {
  const { repo, report } = port;
  const who = await identityOf(repo);
  const { name, version, commit } = report.target;
  const said = {
    target: { name, version, commit: commit! },
    by: who ? `${who.name} <${who.email}>` : '',
    at: new Date(now() * 1000).toISOString(),
  };
  const known = await loadCorrections(repo, report.set);
  for (const { path: file, from, to } of files) {
    const record = known.find((k) => k.path === file);
    const corrections = correctionsBetween(from, to).map((c) => ({ ...c, ...said }));
    await saveCorrections(repo, {
      ...{ schemaVersion: 1, set: report.set, path: file },
      corrections: [...fitting(port, file, record?.corrections ?? []), ...corrections],
    });
  }
}

/** Corrections of a file without those that the port says it could not make: a new one is in their place. */
function fitting(port: OpenPort, file: ByteString, corrections: readonly Correction[]): Correction[] {
  const told = (port.report.corrections ?? []).filter((c) => c.path === file);
  let next = 0;
  return corrections.filter((c) => c.target.commit !== port.report.target.commit || !told[next++]?.message);
}

/** Takes back what {@link keep} kept last. */
async function restore(port: OpenPort, files: readonly Amended[], known: readonly CorrectedFile[]): Promise<void> {
  for (const { path: file } of files) {
    const none: CorrectedFile = { schemaVersion: 1, set: port.report.set, path: file, corrections: [] };
    await saveCorrections(port.repo, known.find((k) => k.path === file) ?? none);
  }
}

/** Forgets what was corrected in a file, on the kernel of the port, and ports again. */
export async function forgetCorrections(
  port: OpenPort,
  file: string,
  progress: (stage: string) => void,
): Promise<OpenPort> {
  assertAsMade(port);
  const record = (await loadCorrections(port.repo, port.report.set)).find((k) => k.path === file);
  const others = record?.corrections.filter((c) => c.target.commit !== port.report.target.commit) ?? [];
  if (!record || others.length === record.corrections.length) {
    throw inputError(`no correction of '${file}' is known for this kernel`, "run 'kport status' to see those that are");
  }
  await saveCorrections(port.repo, { ...record, corrections: others });
  return portAgain(port, progress);
}
