import type { Parameter, Signature } from '../kernel-index/types';
import type { SignatureChange } from './types';

/** Words that say where code goes or how it is compiled, not how it is called. */
const CALLING = (s: Signature) => new Set(s.annotations);

/** What changed between two signatures, for whoever rewrites calls. Empty when callers need not care. */
export function signatureChanges(from: Signature | null, to: Signature | null): SignatureChange[] {
  if (!from && !to) return [];
  if (!from)
    return to!.parameters.length || to!.variadic
      ? [{ kind: 'became-callable', parameters: to!.parameters.map((p) => p.name) }]
      : [];
  if (!to) return from.parameters.length || from.variadic ? [{ kind: 'became-plain' }] : [];
  const changes = parameterChanges(from.parameters, to.parameters);
  if (from.returns && to.returns && from.returns !== to.returns) {
    changes.push({ kind: 'returns-changed', from: from.returns, into: to.returns });
  }
  return changes;
}

/** Annotations that came and went; null when none did. */
export function annotationChange(from: Signature | null, to: Signature | null): SignatureChange | null {
  if (!from || !to) return null;
  const [had, has] = [CALLING(from), CALLING(to)];
  const gone = [...had].filter((a) => !has.has(a));
  const added = [...has].filter((a) => !had.has(a));
  return gone.length || added.length ? { kind: 'annotations-changed', gone, added } : null;
}

/** Pairs parameters by name and type, then by position between those, and says what is left over. */
function parameterChanges(from: readonly Parameter[], to: readonly Parameter[]): SignatureChange[] {
  const partner = new Map<number, number>();
  const taken = new Set<number>();
  const pair = (fits: (a: Parameter, b: Parameter) => boolean) => {
    from.forEach((a, i) => {
      if (partner.has(i)) return;
      // Nearest first, so that `f(int, int)` pairs in order.
      const options = to.map((_, j) => j).filter((j) => !taken.has(j) && fits(a, to[j]!));
      const j = options.sort((x, y) => Math.abs(x - i) - Math.abs(y - i))[0];
      if (j === undefined) return;
      partner.set(i, j);
      taken.add(j);
    });
  };
  pair((a, b) => a.name !== '' && a.name === b.name && a.type === b.type);
  pair((a, b) => a.name !== '' && a.name === b.name);
  pair((a, b) => a.type !== '' && a.type === b.type);
  // What is left pairs by position when as many are left on both sides, or when it follows what is paired already.
  const restFrom = from.map((_, i) => i).filter((i) => !partner.has(i));
  const restTo = to.map((_, j) => j).filter((j) => !taken.has(j));
  const isPointer = (p: Parameter) => p.type.includes('*');
  for (const [k, i] of restFrom.entries()) {
    const after = i === 0 ? 0 : (partner.get(i - 1) ?? -2) + 1;
    const j = restFrom.length === restTo.length ? restTo[k]! : after;
    if (!restTo.includes(j) || taken.has(j)) continue;
    if (restFrom.length !== restTo.length && isPointer(from[i]!) !== isPointer(to[j]!)) continue;
    partner.set(i, j);
    taken.add(j);
  }

  const changes: SignatureChange[] = [];
  const paired = [...partner].sort((a, b) => a[0] - b[0]);
  const inOrder = longestIncreasing(paired.map((p) => p[1]));
  from.forEach((a, i) => {
    const j = partner.get(i);
    if (j === undefined) {
      changes.push({ kind: 'argument-dropped', index: i, name: a.name, type: a.type });
      return;
    }
    const b = to[j]!;
    if (!inOrder.has(j)) changes.push({ kind: 'argument-moved', index: i, to: j, name: b.name, type: b.type });
    const renamed = a.type === '' && b.type === '' ? false : a.type !== b.type;
    if (renamed) changes.push({ kind: 'argument-changed', index: i, to: j, from: a, into: b });
  });
  to.forEach((b, j) => {
    if (![...partner.values()].includes(j)) changes.push({ kind: 'argument-added', to: j, name: b.name, type: b.type });
  });
  return changes;
}

/** The numbers of a longest increasing subsequence. */
function longestIncreasing(numbers: readonly number[]): Set<number> {
  let best: number[] = [];
  const ends: number[][] = [];
  numbers.forEach((n, i) => {
    let run: number[] = [n];
    for (let k = 0; k < i; k++) if (numbers[k]! < n && ends[k]!.length + 1 > run.length) run = [...ends[k]!, n];
    ends.push(run);
    if (run.length > best.length) best = run;
  });
  return new Set(best);
}
