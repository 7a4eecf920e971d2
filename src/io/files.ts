import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inputError, messageOf } from '../core/errors';
import { fromBytes, toBytes, type ByteString } from '../core/text';

/** The bytes of a file. Throws an input error that names the file. */
export function readFile(file: string): ByteString {
  try {
    return fromBytes(readFileSync(file));
  } catch (cause) {
    throw inputError(`unable to read '${file}': ${reason(cause)}`);
  }
}

/** The bytes of a file, or null when it is not there. */
export function readFileIfAny(file: string): ByteString | null {
  return existsSync(file) && statSync(file).isFile() ? readFile(file) : null;
}

/** Names in a folder, sorted. */
export function listFolder(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (cause) {
    throw inputError(`unable to read '${dir}': ${reason(cause)}`);
  }
}

export function exists(file: string): boolean {
  return existsSync(file);
}

/**
 * Makes a folder and those above it. Not by `recursive`: below a folder in which nothing can be made (/proc), Node tries
 * for ever.
 */
export function makeFolders(dir: string): void {
  const missing: string[] = [];
  for (let at = path.resolve(dir); !existsSync(at); at = path.dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder);
    } catch (cause) {
      // Somebody else made it meanwhile.
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
  }
}

/** Writes a file whole or not at all: to a neighbour first, then by rename. Makes the folders on the way. */
export function writeFile(file: string, text: ByteString): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    makeFolders(path.dirname(file));
    writeFileSync(temporary, toBytes(text));
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw inputError(`unable to write '${file}': ${reason(cause)}`, 'choose a folder that you may write to');
  }
}

/** Removes a file, if it is there. */
export function removeFile(file: string): void {
  rmSync(file, { force: true });
}

/** Lets everybody run a file that {@link writeFile} made. */
export function setExecutable(file: string): void {
  chmodSync(file, 0o755);
}

/**
 * Makes a folder's content whole or not at all: `fill` gets an empty neighbour, which then takes the place of `dir`.
 * `dir` may exist when it is empty or when `replace` allows to lose what is in it.
 */
export async function writeFolder(
  dir: string,
  fill: (temporary: string) => Promise<void>,
  options: { replace?: boolean } = {},
): Promise<void> {
  assertWritable(dir);
  if (existsSync(dir)) {
    if (!statSync(dir).isDirectory()) throw inputError(`'${dir}' is not a folder`);
    if (!options.replace && readdirSync(dir).length > 0) {
      throw inputError(`'${dir}' is not empty`, 'name a new folder, or empty this one first');
    }
  }
  const parent = path.dirname(path.resolve(dir));
  let temporary: string | null = null;
  try {
    makeFolders(parent);
    // Not mkdtemp: its folders are for the owner alone, and this one stays.
    temporary = path.join(parent, `.kport-${process.pid}-${Date.now().toString(36)}`);
    mkdirSync(temporary);
    await fill(temporary);
    rmSync(dir, { recursive: true, force: true });
    renameSync(temporary, dir);
  } catch (cause) {
    if (temporary) rmSync(temporary, { recursive: true, force: true });
    if (cause instanceof Error && 'syscall' in cause) {
      throw inputError(`unable to write '${dir}': ${reason(cause)}`, 'choose a folder that you may write to');
    }
    throw cause;
  }
}

/** Throws an input error unless a file or folder of that name could be made. Asked before long work begins. */
export function assertWritable(file: string): void {
  let at = path.resolve(file);
  while (!existsSync(at)) at = path.dirname(at);
  try {
    accessSync(at, constants.W_OK);
    if (!statSync(at).isDirectory() && at !== path.resolve(file)) throw new Error('not a folder');
  } catch {
    throw inputError(`no permission to write '${file}'`, 'choose a folder that you may write to');
  }
}

/** Runs `work` with a new folder outside of everything, and removes the folder whatever happens. */
export async function withScratch<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'kport-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function reason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const words: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'read-only file system',
    ENOTDIR: 'not a folder',
    EISDIR: 'is a folder',
    ENOSPC: 'no space left on the device',
  };
  return (code && words[code]) || messageOf(cause);
}
