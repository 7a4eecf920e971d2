import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inputError } from '../core/errors';

/** What a finished process left. */
export interface Finished {
  code: number;
  stdout: Buffer;
  stderr: string;
  /** True when the time limit ended it. */
  timedOut: boolean;
}

export interface RunOptions {
  cwd?: string;
  input?: string | Uint8Array;
  /** Laid over the environment of kport itself; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  /** Milliseconds; the whole process group is killed then. Default: none. */
  timeoutMs?: number;
}

/**
 * Runs a program to its end. Never throws for an exit code: a non-zero exit is a value (b4's habit). Throws only when
 * the program cannot be started.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const grouped = options.timeoutMs !== undefined;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: grouped,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            try {
              process.kill(-child.pid!, 'SIGKILL');
            } catch {
              child.kill('SIGKILL');
            }
          }, options.timeoutMs);
    child.stdout.on('data', (d: Buffer) => out.push(d));
    child.stderr.on('data', (d: Buffer) => err.push(d));
    child.on('error', (e: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const missing = e.code === 'ENOENT' && (options.cwd === undefined || existsSync(options.cwd));
      reject(missing ? inputError(`'${command}' is not installed, or not on the PATH`, `install ${command}`) : e);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? (signal ? 128 : 1),
        stdout: Buffer.concat(out),
        stderr: Buffer.concat(err).toString('utf8'),
        timedOut,
      });
    });
    // A child that ends early (git apply on a bad patch) closes its end: that shows in its exit code, not here.
    child.stdin.on('error', () => undefined);
    child.stdin.end(typeof options.input === 'string' ? Buffer.from(options.input, 'latin1') : options.input);
  });
}

/** Runs a program that talks to the user: it has the terminal. What it prints goes to stderr; stdout is for data. */
export function runOnTerminal(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['inherit', 2, 2] });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 128));
  });
}

/** The full path of a program on PATH, or null. */
export async function which(program: string): Promise<string | null> {
  const found = await run('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return found.code === 0 ? found.stdout.toString('utf8').trim() : null;
}
