import type { ByteString } from '../core/text';
import type { EditTrace } from '../porter/port';
import type { Follower } from './follow';
import type { Way } from './releases';

/** The release in which a word that the set uses became another one. */
export interface Rewrite {
  stop: number;
  name: string;
  text: string;
  probe: { paths: ByteString[]; holds: (texts: ByteString[]) => boolean } | null;
}

/** Kinds of evidence that begin with the word that was rewritten. */
const WORD = /^'(\w+)'/;
const DROPPED = /^the target has no '(\w+)'/;

/** Why a payload was rewritten: the first word of it whose going can be dated. */
export async function rewriteOf(trace: EditTrace, way: Way, follower: Follower): Promise<Rewrite | null> {
  for (const e of trace.placements.flatMap((p) => p.evidence)) {
    const found =
      e.kind === 'renamed'
        ? await wordGone(WORD.exec(e.text)?.[1], trace, way, follower)
        : e.kind === 'attribute-dropped'
          ? await wordGone(DROPPED.exec(e.text)?.[1], trace, way, follower)
          : e.kind === 'argument-dropped'
            ? await arityChanged(WORD.exec(e.text)?.[1], way, follower)
            : null;
    if (found) return { ...found, text: `${found.text}: ${e.text}` };
  }
  return null;
}

async function wordGone(
  word: string | undefined,
  trace: EditTrace,
  way: Way,
  follower: Follower,
): Promise<Rewrite | null> {
  if (word === undefined) return null;
  const { kernel } = way.at(0).view;
  const defining = [...kernel.definitions(word), ...kernel.members(word)].map((f) => f.file.path);
  const paths = [...new Set([...defining, trace.base.path].flatMap((p) => follower.paths(p)))];
  const regex = new RegExp(`\\b${word}\\b`);
  const holds = (texts: readonly ByteString[]) => texts.some((t) => regex.test(t));
  const stop = await way.lost(async (s) => holds(await way.texts(s, paths)));
  if (stop === null) return null;
  return { stop, name: word, text: `'${word}' went ${way.when(stop)}`, probe: { paths, holds } };
}

async function arityChanged(name: string | undefined, way: Way, follower: Follower): Promise<Rewrite | null> {
  const defined = way
    .at(0)
    .view.kernel.definitions(name ?? '')
    .find((f) => f.definition.kind === 'function');
  const file = defined && (await way.at(0).view.file(defined.file.path));
  if (name === undefined || !defined || !file) return null;
  const arity = defined.definition.signature?.parameters.length;
  const stop = await way.lost(async (s) => {
    const stood = await follower.definition(s, file, defined.definition);
    return stood === null || stood.definition.signature?.parameters.length === arity;
  });
  return stop === null ? null : { stop, name, text: `'${name}' lost parameters ${way.when(stop)}`, probe: null };
}
