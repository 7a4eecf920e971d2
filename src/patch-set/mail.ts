import path from 'node:path';
import { inputError } from '../core/errors';
import type { Author, Patch } from '../core/patch';
import { fromBytes, splitLines, type ByteString } from '../core/text';
import { listFolder, readFile, withScratch, writeFile } from '../io/files';
import { firstLine, NO_CONFIG } from '../io/git';
import { run } from '../io/process';
import { readForGit } from './diff-reader';

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

/** Lines at which `git mailinfo` ends the message and begins the patch. */
const BREAK = /^(?=diff -|Index: |---(?: \S|\s*$))/;
/** What stands between message and patch in a mail of git format-patch: `---`, a diffstat, an empty line. */
const DIFFSTAT = /^---\r?\n(?: .*\n)* \d+ files? changed.*\n(?: .*\n)*\r?\n(?=diff --git )/gm;
const SHIELD = '.kport-message.';

/**
 * A mail whose message quotes a diff: git takes the first line that looks like one for the patch. Where format-patch's
 * diffstat says where the message ends, such lines before it are marked as message.
 */
function shield(mail: ByteString): ByteString {
  const body = mail.search(/^\r?\n/m);
  if (body < 0 || /^Content-Transfer-Encoding:\s*(base64|quoted-printable)/im.test(mail.slice(0, body))) return mail;
  const end = [...mail.matchAll(DIFFSTAT)].pop()?.index;
  if (end === undefined || end <= body) return mail;
  const message = splitLines(mail.slice(body, end)).map((l) => (BREAK.test(l) ? SHIELD + l : l));
  return mail.slice(0, body) + message.join('') + mail.slice(end);
}

/**
 * A mail as `git am` reads it again: lines of its message that git would take for the patch, or for the next mail, are
 * indented by a blank. There is no other way to write them.
 */
export function indentBreaks(mail: ByteString): ByteString {
  const body = mail.search(/^\n/m);
  const end = [...mail.matchAll(DIFFSTAT)].pop()?.index;
  if (body < 0 || end === undefined || end <= body) return mail;
  const message = splitLines(mail.slice(body, end)).map((l) =>
    BREAK.test(l) || /^From .*\d:\d\d/.test(l) ? ` ${l}` : l,
  );
  // At the top of a message a line `From: …` would be its author.
  const first = message.findIndex((l) => l.trim() !== '');
  if (first >= 0 && /^(From|Date|Subject):/i.test(message[first]!)) message[first] = ` ${message[first]}`;
  return mail.slice(0, body) + message.join('') + mail.slice(end);
}

/** Mail programs and Windows end every line with CR LF. A patch to a CRLF file has that inside its hunks alone. */
function withoutTransportCr(text: ByteString): ByteString {
  const header = isMail(text) ? /^[^\n]*\n/.exec(text) : /^(?:diff --git|---|\+\+\+|@@) [^\n]*\n/m.exec(text);
  return header?.[0].endsWith('\r\n') ? text.replaceAll('\r\n', '\n') : text;
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
      input: shield(withoutTransportCr(mail)),
      env: ENV,
    });
    if (info.code !== 0) throw inputError(`'${file}' is no mail: ${firstLine(info.stderr)}`);
    const head = fromBytes(info.stdout);
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(head)?.[1] ?? '';
    const { changes, diff: text } = readForGit(readFile(diff), file);
    if (changes.length === 0) return null;
    const author: Author | null = field('Email')
      ? { name: field('Author'), email: field('Email'), date: field('Date') }
      : null;
    const subject = field('Subject').replace(/^(\s*\[[^\]]*\bPATCH\b[^\]]*\])+\s*/i, '');
    return {
      file,
      author,
      subject,
      body: readFile(msg)
        .replaceAll(`\n${SHIELD}`, '\n')
        .replace(SHIELD, '')
        .replace(/^\n+|\n+$/g, ''),
      diff: text,
      changes,
    };
  });
}

/** Reads a bare diff: it has no author, and nobody is invented. */
export function readBareDiff(text: ByteString, file: string, subject: ByteString): Patch {
  const { changes, diff } = readForGit(withoutTransportCr(text), file);
  if (changes.length === 0)
    throw inputError(`'${file}' holds no patch`, 'give a git range, a folder of patches, an mbox or a diff');
  return { file, author: null, subject, body: '', diff, changes };
}
