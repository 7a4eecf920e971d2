import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import envPaths from 'env-paths';

/** Where kport keeps what it can compute again: `KPORT_CACHE_DIR`, or the system's place for caches. */
export function cacheDirectory(): string {
  return process.env.KPORT_CACHE_DIR || envPaths('kport', { suffix: '' }).cache;
}

let serial = 0;

/**
 * Files of text by key. An entry carries the checksum of its content: one that is damaged, cut short or from elsewhere is
 * not there. Writing is atomic (a file of its own, then a rename), so that two runs at once, or one that is killed, leave
 * whole entries only. A cache that cannot be written is not an error: the next run computes again.
 */
export class DiskCache {
  /** Entries that were there but could not be trusted. */
  damaged = 0;
  private readonly made = new Set<string>();

  constructor(readonly dir: string) {}

  /** The content under a key, or null. Keys are made of letters, digits, `-`, `.` and `/`. */
  get(key: string): string | null {
    let entry: string;
    try {
      entry = readFileSync(path.join(this.dir, key), 'utf8');
    } catch {
      return null;
    }
    const end = entry.indexOf('\n');
    const content = entry.slice(end + 1);
    if (end > 0 && entry.slice(0, end) === checksum(content)) return content;
    this.damaged++;
    return null;
  }

  put(key: string, content: string): void {
    const file = path.join(this.dir, key);
    const temporary = `${file}.${process.pid}.${serial++}.tmp`;
    try {
      const folder = path.dirname(file);
      if (!this.made.has(folder)) {
        mkdirSync(folder, { recursive: true });
        this.made.add(folder);
      }
      writeFileSync(temporary, `${checksum(content)}\n${content}`);
      renameSync(temporary, file);
    } catch {
      rmSync(temporary, { force: true });
    }
  }
}

function checksum(content: string): string {
  return createHash('sha1').update(content).digest('hex');
}
