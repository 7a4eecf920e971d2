import path from 'node:path/posix';
import { tokens, type ByteString } from '../core/text';
import type { Change, ChangedFile, Unit } from './change';
import { afterOption, buildsOnlyWith } from './only-with';
import { blankComments, languageOf, namesOf, optionsOf, type Names, type ProvideKind, type Use } from './names';

/** Why a unit has to come with or after another. */
export type NeedKind = 'include' | 'object' | 'name' | 'option' | 'setting';

/** A unit needs at least one of `providers` in its own patch or in an earlier one. */
export interface Need {
  user: Unit;
  kind: NeedKind;
  /** What is needed: an identifier, a header, an object, an option. */
  name: string;
  /** Line of the use, 1-based, in the final file. */
  line: number;
  providers: readonly Unit[];
}

/** What the order of a series must respect. */
export interface Needs {
  options: ReadonlySet<string>;
  names: ReadonlyMap<Unit, Names>;
  needs: Need[];
  /** Units that only build together: each list goes into one patch. With the reason. */
  together: { units: Unit[]; why: string }[];
  /** Code that moves as it is from one place to another. */
  moves: { from: Unit[]; to: Unit }[];
}

/** Reads the needs of a change from its text. */
export function readNeeds(change: Change): Needs {
  const options = optionsOf(change.files);
  const names = new Map<Unit, Names>();
  for (const file of change.files) for (const [unit, n] of namesOf(file, options)) names.set(unit, n);
  const moves = findMoves(change);
  const together = [
    ...change.files.flatMap(unbalanced),
    ...sharedSignatures(names),
    ...vanishing(change, names),
    ...moves.map((m) => ({ units: [...m.from, m.to], why: 'code that moves leaves one place for the other' })),
  ];
  const plain = [...nameNeeds(change, names), ...fileNeeds(change, names)];
  const definers = definersOf(names, options);
  const after = afterOption(buildsOnlyWith(change, names, options), together, plain, definers);
  return { options, names, needs: [...plain, ...optionNeeds(names, definers, after)], together, moves };
}

/** Identifiers that the change brings and that the touched files of the base do not know. */
function nameNeeds(change: Change, names: ReadonlyMap<Unit, Names>): Need[] {
  const known = new Set<string>();
  for (const file of change.files) {
    for (const m of (file.before ?? '').matchAll(/[A-Za-z_]\w*/g)) known.add(m[0]);
  }
  const providers = new Map<string, { unit: Unit; kind: ProvideKind }[]>();
  for (const [unit, n] of names) {
    for (const [name, kind] of n.provides) {
      if (name.startsWith('CONFIG_') || known.has(name.replace(/^\./, ''))) continue;
      if (!providers.has(name)) providers.set(name, []);
      providers.get(name)!.push({ unit, kind });
    }
  }
  const needs: Need[] = [];
  for (const [unit, n] of names) {
    const seen = new Set<string>();
    for (const use of n.uses) {
      const from = providers.get(use.name);
      const key = `${use.name}\0${use.guarded}`;
      if (!from || seen.has(key) || n.provides.has(use.name)) continue;
      seen.add(key);
      // C sees another source's names by way of headers alone: without one this is a parameter that is called the same.
      if (/\.[ch]$/.test(unit.path) && from.every((p) => /\.c$/.test(p.unit.path) && p.unit.file !== unit.file))
        continue;
      needs.push(
        need(
          unit,
          'name',
          use,
          from.map((p) => p.unit),
        ),
      );
      // Always compiled: then it is linked, too, and a prototype is not enough.
      const definitions = from.filter((p) => p.kind === 'definition').map((p) => p.unit);
      if (!use.guarded && definitions.length && definitions.length < from.length) {
        needs.push(need(unit, 'name', use, definitions));
      }
    }
  }
  return needs;
}

function need(user: Unit, kind: NeedKind, use: Use, providers: readonly Unit[]): Need {
  return { user, kind, name: use.name, line: use.line, providers };
}

/** Headers, Kconfig files, objects and folders that the change itself adds. */
function fileNeeds(change: Change, names: ReadonlyMap<Unit, Names>): Need[] {
  const added = new Map<ByteString, Unit>();
  for (const file of change.files) {
    if (file.change.oldPath !== file.change.newPath && file.change.newPath) added.set(file.path, file.units[0]!);
  }
  const paths = [...added.keys()];
  const find = (folder: string, operand: string): Unit | null => {
    const quoted = !operand.startsWith('<');
    const name = operand.replace(/^[<"]|[>"]$/g, '');
    const near = quoted ? added.get(path.normalize(path.join(folder, name))) : undefined;
    const tail = `/${name.replace(/^(\.\.?\/)+/, '')}`;
    return near ?? added.get(name) ?? added.get(paths.find((p) => /\.h$/.test(p) && p.endsWith(tail)) ?? '') ?? null;
  };
  const needs: Need[] = [];
  const put = (user: Unit, kind: NeedKind, use: Use, provider: Unit | null | undefined) => {
    if (provider && provider.file !== user.file) needs.push(need(user, kind, use, [provider]));
  };
  for (const [unit, n] of names) {
    const folder = path.dirname(unit.path);
    for (const use of n.includes) put(unit, 'include', use, find(folder, use.name));
    for (const use of n.objects) {
      const target = path.normalize(path.join(folder, use.name));
      if (target.endsWith('/')) {
        // `core-y += arch/…/` in a Makefile of an architecture is relative to the top.
        for (const at of [target, path.normalize(use.name)]) {
          for (const name of ['Makefile', 'Kbuild']) put(unit, 'object', use, added.get(at + name));
        }
      } else {
        const stem = target.slice(0, -2);
        put(unit, 'object', use, added.get(`${stem}.c`) ?? added.get(`${stem}.S`));
      }
    }
  }
  return needs;
}

/** The units that define an option of the set. */
function definersOf(names: ReadonlyMap<Unit, Names>, options: ReadonlySet<string>): Map<string, Unit[]> {
  const definers = new Map<string, Unit[]>();
  for (const [unit, n] of names) {
    for (const name of n.provides.keys()) {
      if (options.has(name)) definers.set(name, [...(definers.get(name) ?? []), unit]);
    }
  }
  return definers;
}

/**
 * An option may be chosen as soon as Kconfig knows it, so everything that it switches on has to be there before: code
 * under the option, Makefile lines, and all that those need. What sets an option (a default configuration, `select`)
 * comes after it, and so does what builds only with it (`after`).
 */
function optionNeeds(
  names: ReadonlyMap<Unit, Names>,
  definers: ReadonlyMap<string, readonly Unit[]>,
  after: ReadonlyMap<string, ReadonlySet<Unit>>,
): Need[] {
  const needs: Need[] = [];
  for (const [option, units] of after) {
    for (const user of units)
      needs.push({
        ...{ user, kind: 'setting', name: option, line: user.hunk?.newStart ?? 1 },
        providers: definers.get(option) ?? [],
      });
  }
  for (const [unit, n] of names) {
    const once = new Set<string>();
    for (const use of n.guards) {
      for (const definer of definers.get(use.name) ?? []) {
        if (definer === unit || once.has(use.name) || after.get(use.name)?.has(unit)) continue;
        needs.push({
          user: definer,
          kind: 'option',
          name: use.name,
          line: definer.hunk?.newStart ?? 1,
          providers: [unit],
        });
      }
      once.add(use.name);
    }
    for (const use of n.settings) {
      const from = definers.get(use.name);
      if (from && !n.provides.has(use.name)) needs.push(need(unit, 'setting', use, from));
    }
  }
  return needs;
}

/** Runs of hunks in one file that open a conditional, or a brace, and close it later. */
function unbalanced(file: ChangedFile): Needs['together'] {
  const language = languageOf(file.path);
  const measures: { of: (line: string) => number; why: string }[] = [];
  const openClose = (open: RegExp, close: RegExp) => (line: string) =>
    open.test(line) ? 1 : close.test(line) ? -1 : 0;
  if (language === 'c' || language === 'asm' || language === 'lds') {
    measures.push({
      of: openClose(/^\s*#\s*if/, /^\s*#\s*endif/),
      why: 'one of them opens a preprocessor conditional that another closes',
    });
    measures.push({
      of: (line) => (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length,
      why: 'one of them opens a brace that another closes',
    });
  } else if (language === 'make') {
    measures.push({
      of: openClose(/^\s*if(n?eq|n?def)\b/, /^\s*endif\b/),
      why: 'one of them opens a conditional that another closes',
    });
  } else if (language === 'kconfig') {
    measures.push({
      of: openClose(/^\s*(menu|if|choice)\b(?!config)/, /^\s*end(menu|if|choice)\b/),
      why: 'one of them opens a block that another closes',
    });
  }
  const hunks = file.units.filter((u) => u.kind === 'hunk');
  const found: Needs['together'] = [];
  for (const measure of measures) {
    const deltas = hunks.map((u) =>
      u.hunk!.lines.reduce((sum, l) => {
        if (l[0] === ' ') return sum;
        const code = blankComments(l.slice(1));
        return sum + (l[0] === '+' ? 1 : -1) * measure.of(code);
      }, 0),
    );
    // Alternatives under #if can each open the same brace: then counting says nothing.
    if (deltas.reduce((a, b) => a + b, 0) !== 0) continue;
    let depth = 0;
    let from = 0;
    deltas.forEach((d, i) => {
      if (depth === 0) from = i;
      depth += d;
      if (depth === 0 && i > from) found.push({ units: hunks.slice(from, i + 1), why: measure.why });
    });
  }
  return found;
}

/** Units that change the parameters of one function. */
function sharedSignatures(names: ReadonlyMap<Unit, Names>): Needs['together'] {
  const by = new Map<string, { units: Unit[]; declared: boolean }>();
  for (const [unit, n] of names) {
    for (const [name, declares] of n.signatures) {
      const entry = by.get(name) ?? { units: [], declared: false };
      entry.units.push(unit);
      entry.declared ||= declares;
      by.set(name, entry);
    }
  }
  return [...by]
    .filter(([, e]) => e.declared && e.units.length > 1)
    .map(([name, e]) => ({ units: e.units, why: `they change the parameters of '${name.replace(/^\./, '')}'` }));
}

/** A file that goes away, with the lines that no longer name it. */
function vanishing(change: Change, names: ReadonlyMap<Unit, Names>): Needs['together'] {
  const found: Needs['together'] = [];
  for (const file of change.files) {
    const gone = file.change.status === 'deleted' || file.change.status === 'renamed' ? file.change.oldPath : null;
    if (gone === null) continue;
    const stem = gone.slice(gone.lastIndexOf('/') + 1).replace(/\.[cS]$/, '.o');
    const mentions = (unit: Unit) =>
      unit.kind === 'hunk' &&
      unit.hunk!.lines.some(
        (l) => l[0] === '-' && new RegExp(`(^|[\\s"</])${escape(stem)}($|[\\s">])`).test(l.slice(1)),
      );
    const users = [...names.keys()].filter(mentions);
    if (users.length) found.push({ units: [file.units[0]!, ...users], why: `'${gone}' goes away` });
  }
  return found;
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Lines that say something: long enough to be recognised elsewhere. */
function telling(lines: readonly ByteString[]): ByteString[] {
  return lines.map((l) => l.trim()).filter((l) => l.length >= 12 && tokens(l).length >= 3);
}

const MOVE_LINES = 8;
const MOVE_SHARE = 0.6;

/** Hunks that take code away which another unit adds. The lines that let the old place see the new one belong to it. */
function findMoves(change: Change): Needs['moves'] {
  const homes = new Map<ByteString, Set<Unit>>();
  for (const unit of change.units) {
    for (const line of telling((unit.hunk?.lines ?? []).filter((l) => l[0] === '+').map((l) => l.slice(1)))) {
      if (!homes.has(line)) homes.set(line, new Set());
      homes.get(line)!.add(unit);
    }
  }
  const moves = new Map<Unit, Set<Unit>>();
  for (const unit of change.units) {
    const removed = telling((unit.hunk?.lines ?? []).filter((l) => l[0] === '-').map((l) => l.slice(1)));
    if (unit.kind === 'deleted' || removed.length < MOVE_LINES) continue;
    const count = new Map<Unit, number>();
    for (const line of removed) for (const home of homes.get(line) ?? []) count.set(home, (count.get(home) ?? 0) + 1);
    const best = [...count].filter(([u]) => u !== unit).sort((a, b) => b[1] - a[1])[0];
    if (!best || best[1] < removed.length * MOVE_SHARE) continue;
    if (!moves.has(best[0])) moves.set(best[0], new Set());
    moves.get(best[0])!.add(unit);
  }
  for (const [to, from] of moves) {
    // The `#include` of a header that code moved to, in the file that it left.
    for (const file of new Set([...from].map((u) => u.file))) {
      for (const unit of file.units) {
        const name = to.path.slice(to.path.lastIndexOf('/') + 1);
        if (to.file !== file && (unit.hunk?.lines ?? []).some((l) => l[0] === '+' && includes(l, name))) from.add(unit);
      }
    }
  }
  return [...moves].map(([to, from]) => ({ to, from: [...from] }));
}

function includes(line: ByteString, name: string): boolean {
  const m = /^\+\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line);
  return m !== null && (m[1] === name || m[1]!.endsWith(`/${name}`));
}
