import { spawn } from 'node:child_process';
import path from 'node:path';
import { ENV } from './small-kernel';

const BIN = path.join(__dirname, '../../bin/kport');

/** What one run of the command line left. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
  bytes: Buffer;
}

/** Runs `kport mail …` as a user would, with the outside shut out. Not in sync: the mail server is in this process. */
export function kportMail(...args: string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...ENV, SOURCE_DATE_EPOCH: '1700000000' };
    const child = spawn(process.execPath, [BIN, 'mail', '--no-progress', ...args], { env });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (d: Buffer) => out.push(d));
    child.stderr.on('data', (d: Buffer) => err.push(d));
    child.on('error', reject);
    child.on('close', (code) => {
      const bytes = Buffer.concat(out);
      resolve({ code, stdout: bytes.toString('utf8'), stderr: Buffer.concat(err).toString('utf8'), bytes });
    });
  });
}
