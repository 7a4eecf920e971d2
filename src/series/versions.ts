import { inputError } from '../core/errors';
import type { Hunk } from '../core/patch';
import { forDisplay, type ByteString } from '../core/text';
import { exists, listFolder, readFile } from '../io/files';
import type { GitRepo } from '../io/git';
import { commitTree, rangeDiff } from '../io/mailer';
import type { Scratch } from '../io/scratch';
import { isFolder } from '../io/tree';
import { readDiff } from '../patch-set/diff-reader';
import { readMail, splitMbox } from '../patch-set/mail';
import { count } from './words';
import path from 'node:path';

/** A version that was mailed before, as commits again. */
export interface Previous {
  base: string;
  tip: string;
  /** In order: what each patch does, for the change log. */
  patches: { subject: ByteString; hunks: Hunk[] }[];
}

const WITHIN = 85;

/** The mails behind a name: a folder of patches or an mbox; null when there is no such file. */
export async function mailsOf(name: string): Promise<ByteString[] | null> {
  if (!exists(name)) return null;
  if (!isFolder(name)) return splitMbox(readFile(name), name);
  return listFolder(name)
    .filter((f) => f.endsWith('.patch'))
    .map((f) => readFile(path.join(name, f)));
}

/**
 * Makes commits of mails, on the base commit that they name (or on `base` when they name none that the repository has).
 * Throws an input error when a mail does not apply.
 */
export async function commitsOfMails(
  scratch: Scratch,
  repo: GitRepo,
  mails: readonly ByteString[],
  base: string,
  name: string,
): Promise<Previous> {
  let from = base;
  for (const mail of mails) {
    const named = /^base-commit: ([0-9a-f]{40,})\s*$/m.exec(mail)?.[1];
    if (named && (await repo.commit(named)) !== null) from = named;
  }
  let tip = from;
  let tree = (await scratch.repo.resolve(`${from}^{tree}`))!;
  const patches: Previous['patches'] = [];
  for (const [i, mail] of mails.entries()) {
    const patch = await readMail(mail, `${name} mail ${i + 1}`);
    if (patch === null) continue;
    tree = await scratch.applyPatch(tree, patch.diff, patch.file);
    const message = `${patch.subject}\n\n${patch.body}\n`;
    const author = patch.author ?? { name: 'nobody', email: 'nobody@localhost', date: '@0 +0000' };
    tip = await commitTree(scratch, tree, tip, message, author);
    patches.push({ subject: patch.subject, hunks: patch.changes.flatMap((c) => c.hunks) });
  }
  if (patches.length === 0)
    throw inputError(`no patches in '${name}'`, 'give the mbox or the folder of the version before');
  return { base: from, tip, patches };
}

/** A range `A..B` of the repository as the previous version. */
export async function previousOfRange(repo: GitRepo, range: string): Promise<Previous> {
  const [a, b] = range.split('..');
  const [base, tip] = [a ? await repo.commit(a) : null, b ? await repo.commit(b) : null];
  if (!base || !tip) {
    throw inputError(`no such version: '${range}'`, 'give --previous an mbox, a folder of patches or a range A..B');
  }
  const patches: Previous['patches'] = [];
  const list = (await repo.output(['rev-list', '--reverse', `${base}..${tip}`])).split('\n').filter(Boolean);
  for (const oid of list) {
    const [subject, ...diff] = (
      await repo.output(['show', '--format=%s', '--full-index', '--binary', '-M', oid])
    ).split('\n');
    patches.push({ subject: subject!, hunks: readDiff(diff.join('\n'), oid).flatMap((c) => c.hunks) });
  }
  return { base, tip, patches };
}

export { WITHIN as CREATION_FACTOR };

/** What changed since the previous version, one line each: the draft of the change log. */
export async function draftChangeLog(
  scratch: Scratch,
  previous: Previous,
  base: string,
  tip: string,
  now: readonly { title: ByteString; hunks: readonly Hunk[] }[],
): Promise<string[]> {
  if (previous.base !== base) return [`now based on ${base.slice(0, 12)}, was ${previous.base.slice(0, 12)}`];
  const text = await rangeDiff(scratch, base, previous.tip, tip, WITHIN, false);
  const entries: string[] = [];
  const words: number[] = [];
  for (const line of text.split('\n')) {
    const m = /^\s*(\d+|-):\s+\S+\s+([=!<>])\s+(\d+|-):\s+\S+\s*(.*)$/.exec(line);
    if (!m) continue;
    const [, before, mark, after, subject] = m as unknown as [string, string, string, string, string];
    const title = forDisplay(subject);
    if (mark === '>') entries.push(`patch ${after} is new: ${title}`);
    else if (mark === '<') entries.push(`dropped: ${title}`);
    else if (mark === '!') {
      const [old, fresh] = [previous.patches[Number(before) - 1], now[Number(after) - 1]];
      const what = old && fresh ? changedHunks(old.hunks, fresh.hunks) : [];
      const renamed = old && fresh && old.subject !== fresh.title ? ['title'] : [];
      if (what.length + renamed.length === 0) words.push(Number(after));
      else entries.push(`patch ${after} (${title}): ${[...what, ...renamed].join('; ')} changed`);
    } else if (before !== after) entries.push(`patch ${after} was patch ${before}: ${title}`);
  }
  if (words.length) entries.push(`author or message of ${ranges(words)} changed`);
  return entries.length ? entries : ['no change in the patches'];
}

/** `patches 1-3, 7` */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const from = numbers[i]!;
    while (numbers[i + 1] === numbers[i]! + 1) i++;
    parts.push(from === numbers[i] ? `${from}` : `${from}-${numbers[i]}`);
  }
  return `patch${numbers.length > 1 ? 'es' : ''} ${parts.join(', ')}`;
}

function changedHunks(before: readonly Hunk[], after: readonly Hunk[]): string[] {
  const [old, fresh] = [new Set(before.map((h) => h.id)), new Set(after.map((h) => h.id))];
  const gone = before.filter((h) => !fresh.has(h.id));
  const come = after.filter((h) => !old.has(h.id));
  const paths = [...new Set([...gone, ...come].map((h) => h.path))].sort();
  return paths.map((p) => {
    const n = Math.max(gone.filter((h) => h.path === p).length, come.filter((h) => h.path === p).length);
    const where = [
      ...new Set(come.filter((h) => h.path === p && h.section).map((h) => /(\w+)\s*\(/.exec(h.section)?.[1])),
    ];
    const names = where.filter((w): w is string => w !== undefined).slice(0, 3);
    return `${forDisplay(p)}${names.length ? ` (${names.join(', ')})` : ''}: ${count(n, 'hunk')}`;
  });
}
