import path from 'node:path/posix';
import { internalError } from '../core/errors';
import type { Role } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Change, ChangedFile, Unit } from './change';
import type { Need, Needs } from './needs';
import { MOVES, TOPICS, topicOf, type FileFacts, type Topic } from './topics';

/** Lists and maintainers take no more in one thread. */
export const MAX_PATCHES = 15;
/** Changed lines above which a patch is cut when files and room allow it. */
export const MAX_LINES = 4000;
/** Libraries and configurations are not reviewed line by line: their patches may be this many times larger. */
const BULK = 3;

export interface PlanOptions {
  maxPatches: number;
  maxLines: number;
  /** Roles by path, from a port report; rules decide for the rest. */
  roles: ReadonlyMap<ByteString, Role>;
}

/** One patch of the series, before it has a message. */
export interface PlannedPatch {
  topic: Topic;
  /** Topics that were merged into this one, for the message. */
  also: Topic[];
  units: Unit[];
  /** Set for the pieces of a topic that was cut: 1, 2, … */
  part: number | null;
}

/** A group of units that only go together. */
interface Atom {
  units: Unit[];
  size: number;
  /** Where it stands: index of its patch. */
  at: number;
  moves: number;
}

interface Group {
  topic: Topic;
  /** Tells apart groups of one topic: the folder of "other" changes, the home of a move. */
  sub: string;
  also: Topic[];
  atoms: Atom[];
  part: number | null;
}

/**
 * Splits a change into patches by topic, orders them so that nothing is used before it is there, and keeps them within
 * bounds of number and size. Every unit is in exactly one patch.
 */
export function planSeries(change: Change, needs: Needs, options: PlanOptions): PlannedPatch[] {
  const atoms = bind(change.units, needs);
  const atomOf = new Map(atoms.flatMap((a) => a.units.map((u) => [u, a] as const)));
  let groups = sortIn(atoms, change, needs, options);
  groups = order(groups, needs, atomOf);
  groups = fit(groups, needs, atomOf, options);
  repair(groups, needs, atomOf);
  const left = needs.needs.find((n) => !isMet(n, (u) => atomOf.get(u)!.at));
  if (left) throw internalError(`the plan uses '${left.name}' in '${left.user.path}' before it is there`);
  return groups
    .filter((g) => g.atoms.length > 0)
    .map((g) => ({ topic: g.topic, also: g.also, units: inOrder(g.atoms, change), part: g.part }));
}

/** True when a provider stands in the user's patch or in an earlier one. */
export function isMet(need: Need, at: (unit: Unit) => number): boolean {
  const user = at(need.user);
  return need.providers.some((p) => at(p) <= user);
}

function sizeOf(units: readonly Unit[]): number {
  return units.reduce((sum, u) => sum + u.added + u.removed + 1, 0);
}

function inOrder(atoms: readonly Atom[], change: Change): Unit[] {
  const there = new Set(atoms.flatMap((a) => a.units));
  return change.units.filter((u) => there.has(u));
}

/** Union of what belongs together. */
function bind(units: readonly Unit[], needs: Needs): Atom[] {
  const parent = new Map<Unit, Unit>(units.map((u) => [u, u]));
  const root = (u: Unit): Unit => {
    let r = u;
    while (parent.get(r) !== r) r = parent.get(r)!;
    parent.set(u, r);
    return r;
  };
  for (const {
    units: [first, ...rest],
  } of needs.together) {
    for (const u of rest) parent.set(root(u), root(first!));
  }
  const by = new Map<Unit, Unit[]>();
  for (const u of units) by.set(root(u), [...(by.get(root(u)) ?? []), u]);
  return [...by.values()].map((list) => ({ units: list, size: sizeOf(list), at: -1, moves: 0 }));
}

/** What the rules want to know of each file. */
export function factsOf(
  change: Change,
  needs: Needs,
  roles: ReadonlyMap<ByteString, Role>,
): Map<ChangedFile, FileFacts> {
  const facts = new Map<ChangedFile, FileFacts>();
  const isNew = (f: ChangedFile) => f.change.status === 'added';
  // A folder is the set's own when it brings a Makefile for it.
  const own = change.files
    .filter((f) => isNew(f) && /(^|\/)(Makefile|Kbuild)$/.test(f.path))
    .map((f) => path.dirname(f.path));
  const tops = own.filter((d) => !own.some((o) => d.startsWith(`${o}/`)));
  const inside = own.filter((d) => !tops.includes(d));
  const within = (p: string, folders: readonly string[]) => folders.find((d) => p.startsWith(`${d}/`)) ?? null;
  // A library asks next to nothing of the rest of the set: its files include one another.
  const libraries = inside.filter((d) => {
    const includes = needs.needs.filter((n) => n.kind === 'include' && n.user.path.startsWith(`${d}/`));
    const out = includes.filter((n) => n.providers.every((p) => !p.path.startsWith(`${d}/`)));
    return out.length <= includes.length * 0.1;
  });
  for (const file of change.files) {
    facts.set(file, {
      path: file.path,
      isNew: isNew(file),
      corevisor: isNew(file) && (within(file.path, tops) !== null || roles.get(file.path) === 'corevisor'),
      library: isNew(file) && within(file.path, libraries) !== null,
    });
  }
  return facts;
}

/** Each atom goes to the topic of its largest unit. */
function sortIn(atoms: readonly Atom[], change: Change, needs: Needs, options: PlanOptions): Group[] {
  const facts = factsOf(change, needs, options.roles);
  const moved = new Map(needs.moves.map((m) => [m.to, m]));
  const groups = new Map<string, Group>();
  for (const atom of atoms) {
    const home = atom.units.find((u) => moved.has(u));
    // What names a source goes where the source goes.
    const named = atom.units.filter((u) => !/(^|\/)(Makefile|Kbuild)[^/]*$/.test(u.path));
    const main =
      home ?? (named.length ? named : atom.units).reduce((a, b) => (b.added + b.removed > a.added + a.removed ? b : a));
    const topic = home ? MOVES : topicOf(facts.get(main.file)!);
    const sub = home ? main.path : topic === TOPICS.other ? main.path.split('/').slice(0, 2).join('/') : '';
    const key = `${topic.key}\0${sub}`;
    if (!groups.has(key)) groups.set(key, { topic, sub, also: [], atoms: [], part: null });
    groups.get(key)!.atoms.push(atom);
  }
  return [...groups.values()].sort((a, b) => a.topic.rank - b.topic.rank || (a.sub < b.sub ? -1 : 1));
}

function place(groups: readonly Group[]): void {
  groups.forEach((g, i) => g.atoms.forEach((a) => (a.at = i)));
}

/**
 * Puts first what asks nothing of the rest, lowest rank first. Of groups that need one another (and nothing else) the
 * one that misses least begins.
 */
function order(groups: readonly Group[], needs: Needs, atomOf: ReadonlyMap<Unit, Atom>): Group[] {
  place(groups);
  const at = (u: Unit) => atomOf.get(u)!.at;
  const all = needs.needs.map((n) => ({ user: at(n.user), from: [...new Set(n.providers.map(at))] }));
  const left = new Set(groups.map((_, i) => i));
  const sorted: Group[] = [];
  while (left.size) {
    const open = all.filter((n) => left.has(n.user) && n.from.every((f) => f !== n.user && left.has(f)));
    const reach = new Map([...left].map((i) => [i, reachable(i, open)]));
    const free = [...left].filter((i) => [...reach.get(i)!].every((j) => reach.get(j)!.has(i)));
    const first = free[0]!;
    const circle = free.filter((i) => i === first || (reach.get(i)!.has(first) && reach.get(first)!.has(i)));
    const misses = (i: number) => open.filter((n) => n.user === i).length;
    const best = circle.reduce((a, b) => (misses(b) < misses(a) ? b : a));
    left.delete(best);
    sorted.push(groups[best]!);
  }
  place(sorted);
  return sorted;
}

function reachable(from: number, needs: readonly { user: number; from: readonly number[] }[]): Set<number> {
  const found = new Set<number>();
  const queue = [from];
  while (queue.length) {
    const user = queue.pop()!;
    for (const n of needs) {
      // One provider is enough: the one that stands first by rank.
      const from = Math.min(...n.from);
      if (n.user !== user || found.has(from)) continue;
      found.add(from);
      queue.push(from);
    }
  }
  return found;
}

/** Cuts what is too large and merges what is small, until number and size are right or nothing more helps. */
function fit(groups: readonly Group[], needs: Needs, atomOf: ReadonlyMap<Unit, Atom>, options: PlanOptions): Group[] {
  let list = [...groups];
  const size = (g: Group) => g.atoms.reduce((sum, a) => sum + a.size, 0);
  /** The cheapest pair of one family to merge; any neighbours when there is no such pair. */
  const pair = (limit: number, anyFamily: boolean): [number, number] | null => {
    let best: [number, number] | null = null;
    let least = limit;
    for (let i = 0; i < list.length; i++) {
      for (let j = i + 1; j < list.length; j++) {
        const [a, b] = [list[i]!, list[j]!];
        const same = a.topic.family === b.topic.family && a.topic.family !== 'moves';
        if (!same && !(anyFamily && j === i + 1)) continue;
        const cost = size(a) + size(b) + (same ? 0 : options.maxLines) + (j - i);
        if (cost < least && a.part === null && b.part === null) [best, least] = [[i, j], cost];
      }
    }
    return best;
  };
  const merge = ([i, j]: [number, number]) => {
    const [a, b] = [list[i]!, list[j]!];
    const main = size(b) > size(a) ? b : a;
    // The later place: what the earlier one needs is there then, too.
    const also = [...new Set([a.topic, b.topic, ...a.also, ...b.also])].filter((t) => t !== main.topic);
    list[j] = { topic: main.topic, sub: main.sub, also, atoms: [...a.atoms, ...b.atoms], part: null };
    list.splice(i, 1);
  };
  while (list.length > options.maxPatches) {
    const found = pair(Infinity, true);
    if (!found) break;
    merge(found);
  }
  for (;;) {
    const large = list
      .filter((g) => size(g) > options.maxLines * (g.topic.bulk ? BULK : 1) && cuttable(g))
      .sort((a, b) => size(b) - size(a))[0];
    if (!large) break;
    if (list.length >= options.maxPatches) {
      const found = pair(options.maxLines / 2, false);
      if (!found) break;
      merge(found);
    }
    const halves = cut(large, needs, atomOf);
    list.splice(list.indexOf(large), 1, ...halves);
  }
  const parts = new Map<string, number>();
  list = list.map((g) => {
    const key = `${g.topic.key}\0${g.sub}`;
    if (list.filter((o) => o.topic === g.topic && o.sub === g.sub).length < 2) return { ...g, part: null };
    parts.set(key, (parts.get(key) ?? 0) + 1);
    return { ...g, part: parts.get(key)! };
  });
  place(list);
  return list;
}

function files(atom: Atom): string {
  return atom.units[0]!.path;
}

function cuttable(g: Group): boolean {
  return new Set(g.atoms.map(files)).size > 1;
}

/** Two halves of a group at a border between files, headers and folders kept together as far as it goes. */
function cut(g: Group, needs: Needs, atomOf: ReadonlyMap<Unit, Atom>): Group[] {
  const byFile = new Map<string, Atom[]>();
  for (const a of g.atoms) byFile.set(files(a), [...(byFile.get(files(a)) ?? []), a]);
  // Headers come before sources, and a Makefile after all that it names.
  const kind = (p: string) => (/\.h$/.test(p) ? 0 : /(Makefile|Kbuild)/.test(p) ? 2 : 1);
  const weight = new Map<string, number>();
  for (const n of needs.needs) {
    const [user, from] = [atomOf.get(n.user)!, n.providers.map((p) => atomOf.get(p)!)];
    if (g.atoms.includes(user) && from.every((f) => g.atoms.includes(f) && files(f) !== files(user))) {
      weight.set(files(user), (weight.get(files(user)) ?? 0) + 1);
    }
  }
  const order = [...byFile.keys()].sort(
    (a, b) => kind(a) - kind(b) || (weight.get(a) ?? 0) - (weight.get(b) ?? 0) || (a < b ? -1 : 1),
  );
  const total = g.atoms.reduce((s, a) => s + a.size, 0);
  let best = 1;
  let least = Infinity;
  let sum = 0;
  order.forEach((f, i) => {
    sum += byFile.get(f)!.reduce((s, a) => s + a.size, 0);
    const off = Math.abs(total - 2 * sum);
    if (i + 1 < order.length && off < least) [best, least] = [i + 1, off];
  });
  const part = (names: readonly string[]): Group => ({ ...g, atoms: names.flatMap((f) => byFile.get(f)!), part: 0 });
  return [part(order.slice(0, best)), part(order.slice(best))];
}

/**
 * Moves single atoms until every need is met: a small provider comes earlier, else the user goes later. An atom that was
 * moved often only goes later, so this ends.
 */
function repair(groups: readonly Group[], needs: Needs, atomOf: ReadonlyMap<Unit, Atom>): void {
  const at = (u: Unit) => atomOf.get(u)!.at;
  const byUser = new Map<Atom, Need[]>();
  for (const n of needs.needs) {
    const user = atomOf.get(n.user)!;
    if (!byUser.has(user)) byUser.set(user, []);
    byUser.get(user)!.push(n);
  }
  const move = (atom: Atom, to: number) => {
    const from = groups[atom.at]!;
    from.atoms.splice(from.atoms.indexOf(atom), 1);
    groups[to]!.atoms.push(atom);
    atom.at = to;
    atom.moves++;
  };
  /** The provider and all that it needs in turn to stand at `place`. */
  const closure = (atom: Atom, place: number, user: Atom): Atom[] | null => {
    const found = new Set([atom]);
    const queue = [atom];
    while (queue.length) {
      for (const n of byUser.get(queue.pop()!) ?? []) {
        const from = n.providers.map((p) => atomOf.get(p)!);
        if (from.some((f) => f.at <= place || found.has(f))) continue;
        const next = from.reduce((a, b) => (b.size < a.size ? b : a));
        if (next === user || next.moves > 2) return null;
        found.add(next);
        queue.push(next);
      }
    }
    return [...found];
  };
  for (;;) {
    const broken = needs.needs.find((n) => !isMet(n, at));
    if (!broken) return;
    const user = atomOf.get(broken.user)!;
    const candidates = broken.providers.map((p) => atomOf.get(p)!).sort((a, b) => a.size - b.size);
    const earlier = candidates.find((c) => c.moves <= 2);
    const along = earlier && broken.kind !== 'option' ? closure(earlier, user.at, user) : null;
    const cost = along ? along.reduce((s, a) => s + a.size, 0) : Infinity;
    if (along && cost <= user.size * 2 && cost < 400) for (const a of along) move(a, user.at);
    else move(user, Math.min(...candidates.map((c) => c.at)));
  }
}
