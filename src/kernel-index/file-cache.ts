import type { ByteString } from '../core/text';
import type { DiskCache } from '../io/cache';
import type { Attributes } from './attributes';
import { decodeIndex, encodeIndex, WordPool } from './file-code';
import type { FileIndex } from './types';

/** Goes up with every change to what `indexFile` finds or to how it is written: older entries are then not looked at. */
export const INDEX_SCHEMA = 5;

/** An index that somebody still holds, and the attribute words that it was made with. */
interface AtHand {
  attributes: string;
  index: WeakRef<FileIndex>;
}

/** What the kernels of a run have in common: it is read once and held once. */
interface Shared {
  files: Map<string, AtHand>;
  words: WordPool;
  texts: WeakMap<FileIndex, ByteString>;
}

const sharedBy = new WeakMap<DiskCache, Shared>();

/**
 * File indexes by blob id, shared between versions. Kernels differ in a few attribute words, which would make every
 * entry useless for the next version; so an entry names the set that it was made with, and stays good for a text in
 * which no word occurs that only one of the two sets has.
 */
export class FileCache {
  private readonly differences = new Map<string, RegExp | null | 'unknown'>();
  private readonly atHand: Map<string, AtHand>;
  private readonly words: WordPool;
  private readonly texts: WeakMap<FileIndex, ByteString>;

  constructor(
    private readonly cache: DiskCache,
    private readonly attributes: Attributes,
  ) {
    let shared = sharedBy.get(cache);
    if (!shared) sharedBy.set(cache, (shared = { files: new Map(), words: new WordPool(), texts: new WeakMap() }));
    ({ files: this.atHand, words: this.words, texts: this.texts } = shared);
  }

  /** `grammar`: an entry that was made without the grammar's opinion will not do. */
  get(oid: string, language: string, text: ByteString, grammar: boolean): FileIndex | null {
    const key = keyOf(oid, language);
    const known = this.atHand.get(key);
    const atHand = known?.index.deref();
    const content = atHand ? null : this.cache.get(key);
    if (!atHand && content === null) return null;
    const made = atHand ? known!.attributes : content!.slice(0, content!.indexOf('\n'));
    const difference = this.difference(made);
    if (difference === 'unknown' || (difference !== null && difference.test(text))) return null;
    const index = atHand ?? decodeIndex(content!.slice(made.length + 1), this.words);
    // Of the words' pool, too: as a piece of the entry's text it would keep that alive.
    if (index && !atHand) this.atHand.set(key, { attributes: this.words.get(made), index: new WeakRef(index) });
    return grammar && index?.parse === null ? null : index;
  }

  /** The very string that another kernel has for a text, if one has it. */
  sameText(index: FileIndex, text: ByteString): ByteString {
    const known = this.texts.get(index);
    if (known === text) return known;
    this.texts.set(index, text);
    return text;
  }

  put(oid: string, language: string, index: FileIndex): void {
    const key = keyOf(oid, language);
    this.cache.put(key, `${this.attributes.hash}\n${encodeIndex(index)}`);
    this.atHand.set(key, { attributes: this.attributes.hash, index: new WeakRef(index) });
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
