import { createHash } from 'node:crypto';
import type { DiskCache } from '../io/cache';
import { breathe } from '../io/parser';
import type { KernelTree } from '../io/tree';
import { attributeWords, plainMacros, type PlainMacro } from './attribute-words';
import { sorted } from './lines';

/** The attribute words of a kernel, and a hash that names the set. */
export interface Attributes {
  words: ReadonlySet<string>;
  hash: string;
}

/** A set of attribute words with its name. */
export function attributesOf(words: Iterable<string>): Attributes {
  const list = sorted(words);
  return { words: new Set(list), hash: createHash('sha1').update(list.join(' ')).digest('hex').slice(0, 16) };
}

const FOLDERS =
  /^(include\/(linux|asm-generic|crypto|kvm|trace|uapi\/linux)|arch\/(arm|arm64)\/include|kernel|mm|virt|init|lib)\/.*\.h$/;

/** Harvests a tree. The headers that count are the same for every scope, so that scopes share the cache. */
export async function harvestAttributes(tree: KernelTree, cache: DiskCache | null): Promise<Attributes> {
  const headers = [...tree.paths()].filter((p) => FOLDERS.test(p));
  const hash = createHash('sha1').update('3\0');
  for (const p of headers) hash.update(`${tree.entry(p)?.oid}\0`);
  const key = `attributes/of-${hash.digest('hex')}`;
  const known = cache?.get(key);
  if (known !== null && known !== undefined) return remember(attributesOf(known.split(' ')), cache);
  const macros: PlainMacro[] = [];
  for (let at = 0; at < headers.length; at += 64) {
    const texts = await Promise.all(headers.slice(at, at + 64).map((p) => tree.read(p)));
    for (const text of texts) if (text !== null) for (const m of plainMacros(text)) macros.push(m);
    await breathe();
  }
  const words = attributeWords(macros);
  cache?.put(key, words.join(' '));
  return remember(attributesOf(words), cache);
}

/** Keeps a set under its hash: entries of the cache name the set they were made with. */
function remember(attributes: Attributes, cache: DiskCache | null): Attributes {
  const key = `attributes/${attributes.hash}`;
  if (cache && cache.get(key) === null) cache.put(key, [...attributes.words].join(' '));
  return attributes;
}
