import { createHash } from 'node:crypto';
import path from 'node:path';
import { fromDisplay, type ByteString } from '../core/text';
import { readFile, withScratch } from '../io/files';
import { formatSeries, type FormatOptions } from '../io/mailer';
import type { Scratch } from '../io/scratch';
import { headersOf, type Mail } from './checks';

/**
 * The mails of a series, cover letter first: git format-patch makes them, and three things are put right that it has no
 * option for. Message-IDs are made from the content, so that a run can be repeated; a body with bytes above ASCII in its
 * diff is declared as such; the change-id stands beside the base commit.
 */
export async function makeMails(scratch: Scratch, changeId: string, options: FormatOptions): Promise<Mail[]> {
  return withScratch(async (dir) => {
    const files = await formatSeries(scratch, dir, {
      ...options,
      to: options.to.map(encodeAddress),
      cc: options.cc.map(encodeAddress),
    });
    const mails = files.map((f) => ({ name: path.basename(f), text: readFile(f) }));
    const ids = new Map<string, string>();
    const domain = options.user.email.split('@')[1] ?? 'localhost';
    const old = mails.map((m) => headersOf(m.text).get('message-id') ?? '');
    mails.forEach((mail, i) => {
      const content = old.reduce((text, id) => (id ? text.replaceAll(id, '') : text), mail.text);
      const hash = createHash('sha256').update(`${changeId}\0${options.now}\0${content}`, 'latin1').digest('hex');
      ids.set(old[i]!, `<${changeId}-v${options.version}-${i}-${hash.slice(0, 12)}@${domain}>`);
    });
    return mails.map(({ name, text }, i) => {
      let mail = withEncodedFrom(withIds(text, ids));
      if (i === 0) mail = `${mail.trimEnd()}\nchange-id: ${changeId}\n`;
      return { name, text: declare8bit(mail) };
    });
  });
}

/** A text as encoded words of RFC 2047, none of them longer than 75 characters and none cutting a character. */
export function encodeWords(text: string): string {
  const words: string[] = [];
  let word = '';
  for (const char of text) {
    const encoded = /[A-Za-z0-9]/.test(char)
      ? char
      : [...Buffer.from(char, 'utf8')].map((b) => `=${b.toString(16).toUpperCase().padStart(2, '0')}`).join('');
    if (word.length + encoded.length > 60) {
      words.push(word);
      word = '';
    }
    word += encoded;
  }
  return [...words, word].map((w) => `=?UTF-8?q?${w}?=`).join(' ');
}

/** An address for a header: the name in encoded words when it is not ASCII. */
export function encodeAddress(address: string): string {
  const m = /^(.*?)\s*<([^<>]+)>$/.exec(address);
  if (!m || !/[^\x00-\x7f]/.test(m[1]!)) return address;
  return `${encodeWords(m[1]!.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1'))} <${m[2]}>`;
}

/** git format-patch 2.39 leaves the sender of the cover letter as it is. */
function withEncodedFrom(mail: ByteString): ByteString {
  const [head, rest] = splitHead(mail);
  return (
    head.replace(/^From: (.*[\x80-\xff].*)$/m, (_, from: ByteString) => {
      return `From: ${fromDisplay(encodeAddress(Buffer.from(from, 'latin1').toString('utf8')))}`;
    }) + rest
  );
}

function splitHead(mail: ByteString): [ByteString, ByteString] {
  const end = mail.indexOf('\n\n');
  return [mail.slice(0, end + 1), mail.slice(end + 1)];
}

function withIds(mail: ByteString, ids: ReadonlyMap<string, string>): ByteString {
  const [head, rest] = splitHead(mail);
  return head.replace(/<[^<>\s]+>/g, (id) => ids.get(id) ?? id) + rest;
}

function declare8bit(mail: ByteString): ByteString {
  const [head, rest] = splitHead(mail);
  if (!/[\x80-\xff]/.test(rest) || /^content-transfer-encoding:/im.test(head)) return mail;
  return `${head}MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n${rest}`;
}
