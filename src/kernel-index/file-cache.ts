import type { ByteString } from '../core/text';
import type { DiskCache } from '../io/cache';
import type { Attributes } from './attributes';
import { decodeIndex, encodeIndex } from './file-code';
import type { FileIndex } from './types';

/** Goes up with every change to what `indexFile` finds or to how it is written: older entries are then not looked at. */
export const INDEX_SCHEMA = 4;

/**
 * File indexes by blob id, shared between versions. Kernels differ in a few attribute words, which would make every
 * entry useless for the next version; so an entry names the set that it was made with, and stays good for a text in
 * which no word occurs that only one of the two sets has.
 */
export class FileCache {
  private readonly differences = new Map<string, RegExp | null | 'unknown'>();

  constructor(
    private readonly cache: DiskCache,
    private readonly attributes: Attributes,
  ) {}

  /** `grammar`: an entry that was made without the grammar's opinion will not do. */
  get(oid: string, language: string, text: ByteString, grammar: boolean): FileIndex | null {
    const content = this.cache.get(keyOf(oid, language));
    if (content === null) return null;
    const end = content.indexOf('\n');
    const difference = this.difference(content.slice(0, end));
    if (difference === 'unknown' || (difference !== null && difference.test(text))) return null;
    const index = decodeIndex(content.slice(end + 1));
    return grammar && index?.parse === null ? null : index;
  }

  put(oid: string, language: string, index: FileIndex): void {
    this.cache.put(keyOf(oid, language), `${this.attributes.hash}\n${encodeIndex(index)}`);
  }

  /** Finds a word that the set of that name and ours do not share; null when they are the same. */
  private difference(hash: string): RegExp | null | 'unknown' {
    if (hash === this.attributes.hash) return null;
    const known = this.differences.get(hash);
    if (known !== undefined) return known;
    const words = this.cache.get(`attributes/${hash}`)?.split(' ');
    let answer: RegExp | null | 'unknown' = 'unknown';
    if (words) {
      const theirs = new Set(words);
      const ours = this.attributes.words;
      const one = [...words.filter((w) => !ours.has(w)), ...[...ours].filter((w) => !theirs.has(w))].filter(Boolean);
      answer = one.length ? new RegExp(`\\b(?:${one.join('|')})\\b`) : null;
    }
    this.differences.set(hash, answer);
    return answer;
  }
}

function keyOf(oid: string, language: string): string {
  return `index-${INDEX_SCHEMA}/${oid.slice(0, 2)}/${oid.slice(2)}.${language}`;
}
