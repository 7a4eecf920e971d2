import type { Definition } from '../kernel-index/types';
import { tokenLines } from './align';
import type { PorterFile } from './view';

/**
 * The other function of the base whose body stands under the name of a definition in the target; null when the name is
 * still its own. A name can be given away: the function is gone, and another one is called so now. A body that is simply
 * another one is no reason for doubt, it must have been somebody's.
 */
export function nameTakenBy(
  definition: Definition,
  base: PorterFile,
  there: Definition,
  target: PorterFile,
): Definition | null {
  if (definition.kind !== 'function' || there.kind !== 'function') return null;
  const now = bodyOf(target, there);
  const mine = shared(now, bodyOf(base, definition));
  if (mine >= ALIKE) return null;
  for (const other of base.outer) {
    if (other.kind !== 'function' || other.name === definition.name) continue;
    const body = bodyOf(base, other);
    const theirs = shared(now, body);
    if (theirs < ALIKE || theirs < 2 * mine) continue;
    const left = target.outer.find((d) => d.kind === 'function' && d.name === other.name);
    // Where the other one still is what it was, this one has become like it.
    if (!left || shared(bodyOf(target, left), body) < theirs) return other;
  }
  return null;
}

/**
 * The function of the target that has the body which a definition of the base had, where the one of its name only calls it:
 * upstream put a wrapper in front. Null when the name still has the body, or nothing or several have it.
 */
export function bodyBehind(
  definition: Definition,
  base: PorterFile,
  there: Definition,
  target: PorterFile,
): Definition | null {
  if (definition.kind !== 'function' || there.kind !== 'function') return null;
  const body = bodyOf(base, definition);
  if (body.length === 0 || shared(body, bodyOf(target, there)) > LEFT) return null;
  const enough = body.length === 1 ? 1 : ALIKE;
  const known = new Set(base.outer.map((d) => d.name));
  const called = target.outer.filter(
    (d) => d.kind === 'function' && !known.has(d.name) && there.calls.includes(d.name),
  );
  const alike = called.filter((d) => shared(body, bodyOf(target, d)) >= enough);
  // A short body may be another one by now; that it is called `__NAME` says whose it was.
  const found = alike.length ? alike : called.filter((d) => d.name.includes(definition.name));
  return found.length === 1 ? found[0]! : null;
}

/** A wrapper has no more than this of the body. */
const LEFT = 0.25;

/** Bodies that share this much of their lines are one body, changed. */
const ALIKE = 0.6;

const bodies = new WeakMap<Definition, { key: string; weight: number }[]>();

function bodyOf(file: PorterFile, d: Definition): { key: string; weight: number }[] {
  let lines = bodies.get(d);
  if (!lines) {
    const text = d.body ? file.text.slice(d.body.start + 1, d.body.end - 1) : '';
    lines = tokenLines(text.split('\n')).filter((l) => l.weight > 0);
    bodies.set(d, lines);
  }
  return lines;
}

/** The share of the lines of `a`, by weight, that `b` has. */
function shared(a: readonly { key: string; weight: number }[], b: readonly { key: string }[]): number {
  const has = new Set(b.map((l) => l.key));
  const all = a.reduce((sum, l) => sum + l.weight, 0);
  return all === 0 ? 0 : a.reduce((sum, l) => sum + (has.has(l.key) ? l.weight : 0), 0) / all;
}
