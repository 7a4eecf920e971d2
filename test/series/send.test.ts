import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { kportMail } from './run-mail';
import { BASE, ENV, SET, smallKernel, type TestRepo } from './small-kernel';

/** A mail as the server got it. */
interface Received {
  from: string;
  to: string[];
  bytes: Buffer;
}

let repo: TestRepo;
let server: SMTPServer;
let received: Received[];

beforeEach(async () => {
  received = [];
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (d: Buffer) => chunks.push(d));
      stream.on('end', () => {
        const from = session.envelope.mailFrom;
        received.push({
          from: from ? from.address : '',
          to: session.envelope.rcptTo.map((r) => r.address),
          bytes: Buffer.concat(chunks),
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  repo.remove();
});

function useServer(): void {
  repo.git('config', 'sendemail.smtpServer', '127.0.0.1');
  repo.git('config', 'sendemail.smtpServerPort', String((server.server.address() as AddressInfo).port));
  repo.git('config', 'sendemail.smtpEncryption', 'none');
}

const args = (...more: string[]) => [
  '--tree',
  repo.dir,
  '--branch',
  'ported',
  '--base',
  'v5.4',
  '--no-checkpatch',
  ...more,
];

test('what git send-email sends is what was made: thread, readers, bytes, and git am gives the tree', async () => {
  // A name of two bytes per letter, a file in Latin-1, one in UTF-8, one with CRLF and one with a very long line.
  repo = smallKernel(BASE, {
    ...SET,
    'arch/arm64/guard/latin.c': 'int latin; /* caf\xe9 */\n',
    'arch/arm64/guard/crlf.c': 'int crlf;\r\nint more;\r\n',
    'arch/arm64/guard/long.c': `int x = ${'1 + '.repeat(400)}1;\n`,
  });
  useServer();
  const ran = await kportMail(
    ...args('--to', 'Stäff <staff@example.org>', '--cc', 'second@example.org', '-s', '--send', '--no-dry-run'),
  );
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('\nsent.')]);

  const parsed = await Promise.all(received.map((r) => simpleParser(r.bytes)));
  const [cover, ...patches] = parsed;
  expect(patches.length).toBeGreaterThan(4);
  for (const r of received) {
    expect(r.from).toBe('zoe@example.org');
    expect(r.to.sort()).toEqual(['second@example.org', 'staff@example.org']);
  }
  parsed.forEach((mail, i) => {
    expect(mail.from?.value).toEqual([{ name: 'Zoë Übersetzer', address: 'zoe@example.org' }]);
    expect([mail.to].flat().flatMap((t) => t?.value ?? [])).toEqual([{ name: 'Stäff', address: 'staff@example.org' }]);
    expect([mail.cc].flat().flatMap((t) => t?.value ?? [])).toEqual([{ name: '', address: 'second@example.org' }]);
    expect(mail.attachments).toEqual([]);
    expect(mail.subject).toMatch(new RegExp(`^\\[PATCH 0*${i}/${patches.length}\\] `));
    if (i > 0) expect(mail.inReplyTo).toBe(cover!.messageId);
  });
  expect(new Set(parsed.map((m) => m.messageId)).size).toBe(parsed.length);
  expect(cover!.inReplyTo).toBeUndefined();

  // The raw bytes: 8bit where it can be, quoted-printable only where a line or a CR asks for it; headers ASCII.
  const raw = received.map((r) => r.bytes.toString('latin1'));
  for (const mail of raw) {
    const [head, ...rest] = mail.split('\r\n\r\n');
    expect(head).toMatch(/^[\x00-\x7f]*$/);
    expect(
      Math.max(
        ...rest
          .join('\r\n\r\n')
          .split('\r\n')
          .map((l) => l.length),
      ),
    ).toBeLessThanOrEqual(998);
  }
  const encodings = raw.map((m) => /^content-transfer-encoding: (\S+)/im.exec(m)?.[1]?.toLowerCase() ?? '7bit');
  expect(encodings).toContain('8bit');
  const eight = raw.find((m) => m.includes('pagetable.c') && /transfer-encoding: 8bit/i.test(m));
  expect(eight === undefined || eight.includes('A\xc3\xafda N\xc3\xba\xc3\xb1ez')).toBe(true);

  // Concatenated as a mailbox, on the base, in a clean clone.
  const dir = mkdtempSync(path.join(tmpdir(), 'kport-test-'));
  try {
    const mbox = path.join(dir, 'received.mbox');
    const mails = raw.slice(1).map((m) => `From x Mon Sep 17 00:00:00 2001\n${m.replace(/\r\n/g, '\n').trimEnd()}\n\n`);
    writeFileSync(mbox, Buffer.from(mails.join(''), 'latin1'));
    execFileSync('git', ['clone', '-q', repo.dir, path.join(dir, 'clone')], { env: ENV });
    const git = (...a: string[]) =>
      execFileSync('git', ['-C', path.join(dir, 'clone'), '-c', 'user.name=x', '-c', 'user.email=x@y', ...a], {
        env: ENV,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).trim();
    git('checkout', '-q', 'v5.4');
    git('am', '-q', mbox);
    expect(git('rev-parse', 'HEAD^{tree}')).toBe(repo.git('rev-parse', 'ported^{tree}'));
    expect(git('log', '-1', '--format=%an <%ae>')).toBe('Aïda Núñez <aida@example.net>');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('--send alone sends nothing, and says how to', async () => {
  repo = smallKernel();
  useServer();
  const ran = await kportMail(...args('--to', 'staff@example.org', '--send'));
  expect(ran.code).toBe(0);
  expect(ran.stderr).toContain('Dry-OK');
  expect(ran.stderr).toContain("next: the same with '--send --no-dry-run'");
  expect(received).toEqual([]);
});

test('a version that was sent is not sent again', async () => {
  repo = smallKernel();
  useServer();
  const a = args('--to', 'staff@example.org', '--send', '--no-dry-run');
  expect((await kportMail(...a)).code).toBe(0);
  const n = received.length;
  const again = await kportMail(...a);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("hint: make the next version: '-v 2'")]);
  expect(received).toHaveLength(n);
});

test('with nobody to send to it is refused', async () => {
  repo = smallKernel({ ...BASE, MAINTAINERS: '' });
  useServer();
  const ran = await kportMail(...args('--send', '--no-maintainers'));
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('nobody to send the series to')]);
});

test('a server that is not there is an error of git, told in one line', async () => {
  repo = smallKernel();
  repo.git('config', 'sendemail.smtpServer', '127.0.0.1');
  repo.git('config', 'sendemail.smtpServerPort', '1');
  const ran = await kportMail(...args('--to', 'staff@example.org', '--send', '--no-dry-run'));
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/error: git send-email failed: /)]);
});
