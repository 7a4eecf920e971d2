import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import envPaths from 'env-paths';
import { makeFolders } from './files';

/** Where kport keeps what it can compute again: `KPORT_CACHE_DIR`, or the system's place for caches. */
export function cacheDirectory(): string {
  return process.env.KPORT_CACHE_DIR || envPaths('kport', { suffix: '' }).cache;
}

/** First line of a pack: this, the length of the directory and its checksum. */
const MAGIC = 'kport-pack-1';
/** What is not written yet is written when it reaches this size. */
const FLUSH_BYTES = 32_000_000;
/** More packs than this become one. */
const MAX_PACKS = 24;

/** Where an entry is. */
interface Place {
  pack: Pack;
  offset: number;
  length: number;
  checksum: string;
}

interface Pack {
  file: string;
  descriptor: number;
}

let serial = 0;

/**
 * Texts by key, kept in packs as git does it: one file per run, written whole under another name and then renamed. So
 * two runs at once do not meet, and one that is killed leaves nothing behind. Every entry carries its checksum: what is
 * damaged, cut short or from elsewhere is not there. A cache that cannot be written is not an error: the next run
 * computes again.
 */
export class DiskCache {
  /** Entries and packs that were there but could not be trusted. */
  damaged = 0;
  private places: Map<string, Place> | null = null;
  private readonly packs: Pack[] = [];
  /** Files that are no packs: they go when the next one is written. */
  private readonly spoilt: string[] = [];
  private readonly pending = new Map<string, Buffer>();
  private pendingBytes = 0;

  constructor(readonly dir: string) {}

  /** The content under a key, or null. Keys hold neither blanks nor line ends. */
  get(key: string): string | null {
    const fresh = this.pending.get(key);
    if (fresh) return fresh.toString('utf8');
    const place = this.open().get(key);
    const content = place ? read(place) : null;
    if (place && content === null) {
      this.damaged++;
      this.open().delete(key);
    }
    return content;
  }

  put(key: string, content: string): void {
    const bytes = Buffer.from(content, 'utf8');
    this.pendingBytes += bytes.length;
    this.pending.set(key, bytes);
    if (this.pendingBytes > FLUSH_BYTES) this.flush();
  }

  /** Writes what was put. To be called when a piece of work is done. */
  flush(): void {
    if (this.pending.size === 0) return;
    const places = this.open();
    const pack = this.write(this.pending);
    this.pending.clear();
    this.pendingBytes = 0;
    for (const file of this.spoilt.splice(0)) remove(file);
    if (pack) this.take(pack, places);
    if (this.packs.length > MAX_PACKS) this.merge();
  }

  /** Reads the directories of all packs; later packs win. */
  private open(): Map<string, Place> {
    if (this.places) return this.places;
    this.places = new Map();
    let names: string[] = [];
    try {
      names = readdirSync(this.dir).filter((n) => n.endsWith('.pack'));
    } catch {
      // No cache yet.
    }
    for (const name of names.sort()) this.take(path.join(this.dir, name), this.places);
    return this.places;
  }

  private take(file: string, places: Map<string, Place>): void {
    const pack = openPack(file, places);
    if (pack) this.packs.push(pack);
    else {
      this.damaged++;
      this.spoilt.push(file);
    }
  }

  private write(entries: ReadonlyMap<string, Buffer>): string | null {
    const name = `${Date.now().toString(36).padStart(9, '0')}-${process.pid}-${serial++}.pack`;
    const temporary = path.join(this.dir, `${name}.tmp`);
    let offset = 0;
    const directory: string[] = [];
    for (const [key, bytes] of entries) {
      directory.push(`${key} ${offset} ${bytes.length} ${checksum(bytes)}\n`);
      offset += bytes.length;
    }
    const head = Buffer.from(directory.join(''), 'utf8');
    try {
      makeFolders(this.dir);
      const descriptor = openSync(temporary, 'wx');
      try {
        writeAll(descriptor, Buffer.from(`${MAGIC} ${head.length} ${checksum(head)}\n`));
        writeAll(descriptor, head);
        writeAll(descriptor, Buffer.concat([...entries.values()]));
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, path.join(this.dir, name));
      return path.join(this.dir, name);
    } catch {
      remove(temporary);
      return null;
    }
  }

  /** Makes one pack of all. A run that still reads an old one has it open, or finds it gone and computes again. */
  private merge(): void {
    const entries = new Map<string, Buffer>();
    for (const [key, place] of this.open()) {
      const content = read(place);
      if (content !== null) entries.set(key, Buffer.from(content, 'utf8'));
    }
    const old = this.packs.splice(0);
    const file = this.write(entries);
    if (file === null) {
      this.packs.push(...old);
      return;
    }
    this.places = new Map();
    this.take(file, this.places);
    for (const pack of old) {
      closeSync(pack.descriptor);
      remove(pack.file);
    }
  }
}

/** Adds the entries of a pack to `places`; null for a file that is no whole pack. */
function openPack(file: string, places: Map<string, Place>): Pack | null {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return null;
  }
  const start = readAt(descriptor, 0, 100)?.toString('latin1') ?? '';
  const m = new RegExp(`^${MAGIC} (\\d+) ([0-9a-f]+)\\n`).exec(start);
  const head = m ? readAt(descriptor, m[0].length, Number(m[1])) : null;
  if (!m || !head || head.length !== Number(m[1]) || checksum(head) !== m[2]) {
    closeSync(descriptor);
    return null;
  }
  const pack = { file, descriptor };
  const body = m[0].length + head.length;
  for (const line of head.toString('utf8').split('\n')) {
    const [key, offset, length, sum] = line.split(' ');
    if (sum) places.set(key!, { pack, offset: body + Number(offset), length: Number(length), checksum: sum });
  }
  return pack;
}

function read(place: Place): string | null {
  const bytes = readAt(place.pack.descriptor, place.offset, place.length);
  return bytes && bytes.length === place.length && checksum(bytes) === place.checksum ? bytes.toString('utf8') : null;
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Not ours to remove, then.
  }
}

function readAt(descriptor: number, position: number, length: number): Buffer | null {
  try {
    const buffer = Buffer.allocUnsafe(length);
    let got = 0;
    while (got < length) {
      const n = readSync(descriptor, buffer, got, length - got, position + got);
      if (n === 0) break;
      got += n;
    }
    return buffer.subarray(0, got);
  } catch {
    return null;
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

function checksum(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}
