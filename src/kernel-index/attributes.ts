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
  const hash = createHash('sha1').update('4\0');
  for (const p of headers) hash.update(`${tree.entry(p)?.oid}\0`);
  const key = `attributes/of-${hash.digest('hex')}`;
  const words = cache?.get(key) ?? (await harvest(tree, headers, cache));
  if (cache && cache.get(key) === null) cache.put(key, words);
  return remember(attributesOf(words.split(' ')), cache);
}

/** So many headers are asked for at a time. */
const AHEAD = 256;

/** Macros by the blob that defines them: most headers are the same in the next version. */
const MACROS = 'attributes/macros-4';

function knownMacros(cache: DiskCache | null): Record<string, PlainMacro[]> {
  try {
    return JSON.parse(cache?.get(MACROS) ?? '{}') as Record<string, PlainMacro[]>;
  } catch {
    return {};
  }
}

async function harvest(tree: KernelTree, headers: readonly string[], cache: DiskCache | null): Promise<string> {
  const known = knownMacros(cache);
  const macros: PlainMacro[] = [];
  const all: Record<string, PlainMacro[]> = {};
  const ask = (at: number) =>
    headers.slice(at, at + AHEAD).map((path) => {
      const oid = tree.entry(path)?.oid ?? '';
      return { oid, text: known[oid] ? null : tree.read(path) };
    });
  let next = ask(0);
  for (let at = AHEAD; next.length > 0; at += AHEAD) {
    const part = next;
    // Asked for before these are looked at, so that git works meanwhile.
    next = ask(at);
    for (let i = 0; i < part.length; i++) {
      const { oid, text } = part[i]!;
      const found = known[oid] ?? plainMacros((await text) ?? '');
      all[oid] = found;
      for (const m of found) macros.push(m);
      if (text && i % 8 === 0) await breathe();
    }
  }
  cache?.put(MACROS, JSON.stringify({ ...known, ...all }));
  return attributeWords(macros).join(' ');
}

/** Keeps a set under its hash: entries of the cache name the set they were made with. */
function remember(attributes: Attributes, cache: DiskCache | null): Attributes {
  const key = `attributes/${attributes.hash}`;
  if (cache && cache.get(key) === null) cache.put(key, [...attributes.words].join(' '));
  return attributes;
}
