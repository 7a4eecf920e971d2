import path from 'node:path';
import { inputError } from '../core/errors';
import type { Author, Patch } from '../core/patch';
import { fromBytes, type ByteString } from '../core/text';
import { listFolder, readFile, withScratch, writeFile } from '../io/files';
import { firstLine, NO_CONFIG } from '../io/git';
import { run } from '../io/process';
import { readDiff } from './diff-reader';

const ENV = { LC_ALL: 'C', ...NO_CONFIG };

/** True when the text begins as an mbox or as a single mail does; else it is taken for a bare diff. */
export function isMail(text: ByteString): boolean {
  return /^(From \S+ |(From|Subject|Date|Return-Path|Received|Delivered-To|Message-ID|X-[\w-]+|MIME-Version):\s)/i.test(
    text.slice(0, 4096).replace(/^\s+/, ''),
  );
}

/** Cuts an mbox into mails with `git mailsplit`. Line ends are kept: a patch to a CRLF file has them inside. */
export async function splitMbox(mbox: ByteString, name: string): Promise<ByteString[]> {
  if (!/^From \S+ /.test(mbox)) return [mbox];
  return withScratch(async (dir) => {
    const file = path.join(dir, 'mbox');
    writeFile(file, mbox);
    const out = path.join(dir, 'out');
    writeFile(path.join(out, '.keep'), '');
    const split = await run('git', ['mailsplit', '--keep-cr', `-o${out}`, '-b', file], { env: ENV });
    if (split.code !== 0) throw inputError(`'${name}' is no mbox: ${firstLine(split.stderr)}`);
    return listFolder(out)
      .filter((f) => /^\d+$/.test(f))
      .map((f) => readFile(path.join(out, f)));
  });
}

/**
 * Reads one mail with a patch, by `git mailinfo`. A mail without a patch (a cover letter) gives null.
 *
 * @param file what the patch is called in messages and in reports
 */
export async function readMail(mail: ByteString, file: string): Promise<Patch | null> {
  return withScratch(async (dir) => {
    const [msg, diff] = [path.join(dir, 'msg'), path.join(dir, 'patch')];
    const info = await run('git', ['mailinfo', '-b', '--encoding=UTF-8', msg, diff], {
      cwd: dir,
      input: mail,
      env: ENV,
    });
    if (info.code !== 0) throw inputError(`'${file}' is no mail: ${firstLine(info.stderr)}`);
    const head = fromBytes(info.stdout);
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1] ?? '';
    const text = readFile(diff);
    const changes = readDiff(text, file);
    if (changes.length === 0) return null;
    const author: Author | null = field('Email')
      ? { name: field('Author'), email: field('Email'), date: field('Date') }
      : null;
    const subject = field('Subject').replace(/^(\s*\[[^\]]*\bPATCH\b[^\]]*\])+\s*/i, '');
    return { file, author, subject, body: readFile(msg).replace(/^\n+|\n+$/g, ''), diff: text, changes };
  });
}

/** Reads a bare diff: it has no author, and nobody is invented. */
export function readBareDiff(text: ByteString, file: string, subject: ByteString): Patch {
  const changes = readDiff(text, file);
  if (changes.length === 0)
    throw inputError(`'${file}' holds no patch`, 'give a git range, a folder of patches, an mbox or a diff');
  return { file, author: null, subject, body: '', diff: text, changes };
}
