import { main } from '../../src/cli/main';

/** What one run of the command line left. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  bytes: Buffer;
}

/** Runs `kport mail …` in this process, with the outside shut out. */
export async function kportMail(...args: string[]): Promise<Ran> {
  const chunks: Buffer[] = [];
  let stderr = '';
  const env = { ...process.env };
  Object.assign(process.env, {
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH ?? '1700000000',
    HOME: '/nonexistent',
  });
  const before = process.exitCode;
  const out = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array));
    return true;
  });
  const err = jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    stderr += String(chunk);
    return true;
  });
  try {
    await main(['mail', '--no-progress', ...args]);
    const bytes = Buffer.concat(chunks);
    return { code: Number(process.exitCode ?? 0), stdout: bytes.toString('utf8'), stderr, bytes };
  } finally {
    out.mockRestore();
    err.mockRestore();
    process.exitCode = before;
    for (const key of Object.keys(process.env)) if (!(key in env)) delete process.env[key];
    Object.assign(process.env, env);
  }
}
