import { freshFunction, freshName, freshStatement } from './random';
import { between, changeLine, disturb, foreign, statements, type Situation } from './situation';
import type { Block } from './source';

/** Changes the target of a case; false when this kind of change does not fit the file. */
export type Mutation = (s: Situation) => boolean;

const CODE = ['function'];

function addForeign(s: Situation, blocks: Block[], times: number): void {
  for (let n = 0; n < times; n++) {
    const at = s.random.pick(blocks.flatMap((b, i) => (b.kind === 'function' && !b.guarded ? [i] : [])));
    const lines = foreign(freshFunction(s.random));
    const name = /(\w+)\(int/.exec(lines[1]!.text)![1]!;
    const [blank, ...own] = lines as [Block['lines'][0], ...Block['lines']];
    blocks.splice(at + 1, 0, between([blank]), { kind: 'function', name, lines: own, guarded: false });
  }
}

const hasFunctions = (blocks: readonly Block[]) => blocks.some((b) => b.kind === 'function' && !b.guarded);

/** A function that is not the set's business. */
function bystander(s: Situation, not: Block | null): Block | null {
  return s.random.pickOrNone(s.file.filter((b) => b.kind === 'function' && !b.guarded && b !== not));
}

function victimAndFork(s: Situation, kinds: readonly string[] = CODE): Block | null {
  const victim = s.victim(kinds);
  if (!victim || victim.guarded) return null;
  s.fork();
  return s.inTarget(victim);
}

/** A twin of the victim in the base, before or behind it; the target has both. Gives both as they are in the target. */
function withTwinInBase(s: Situation): { own: Block; twin: Block } | null {
  const victim = s.victim();
  if (!victim || victim.guarded) return null;
  const twin = s.twinOf(victim, 'twin');
  const pair = s.random.chance(0.5)
    ? ([[between(foreign(['\n'])), twin], 'after'] as const)
    : ([[twin, between(foreign(['\n']))], 'before'] as const);
  s.insert(victim, pair[0], pair[1], s.base);
  s.fork();
  return { own: s.inTarget(victim), twin: s.inTarget(twin) };
}

function renameVictim(s: Situation, block: Block): void {
  const to = s.random.pick([
    `${block.name}_${s.random.pick(['vcpu', 'nolock', 'locked'])}`,
    `kvm_${block.name}`,
    freshName(s.random),
  ]);
  s.rename(block.name, to);
}

function drop(s: Situation, block: Block): void {
  s.remove(block);
}

function renameWord(s: Situation, block: Block, pattern: RegExp, everywhere: boolean): boolean {
  const words = new Set(block.lines.flatMap((l) => [...l.text.matchAll(pattern)].map((m) => m[1]!)));
  const word = s.random.pickOrNone([...words].filter((w) => w.length > 2).sort());
  if (word === null) return false;
  const to = s.random.pick([`${word}_now`, `the_${word}`, freshName(s.random)]);
  if (everywhere) s.rename(word, to);
  else {
    for (const l of block.lines) l.text = l.text.replace(new RegExp(`(?<![.>])\\b${word}\\b`, 'g'), to);
  }
  return true;
}

/** Makes the lines of a definition those of another one, which the old one calls. */
function pushDown(s: Situation, block: Block, inner: string): void {
  const head = block.lines.findIndex((l) => /^\{/.test(l.text));
  const signature = block.lines.slice(0, head).map((l) => l.text);
  const old = block.name;
  for (const l of block.lines.slice(0, head)) l.text = l.text.replace(new RegExp(`\\b${old}\\b`), inner);
  block.name = inner;
  const lines = foreign([...signature, '{\n', freshStatement(s.random, '\t'), `\t${inner}(0);\n`, '}\n']);
  s.insert(block, [between(foreign(['\n'])), { kind: 'function', name: old, lines, guarded: false }], 'after');
}

const opensAtMargin = (block: Block) => block.lines.findIndex((l) => /^\{/.test(l.text)) > 0;

/** Moves a definition to another file of the target: one that is there, or a new one. */
function moveAway(s: Situation, block: Block): void {
  const moved = s.remove(block);
  const others = [...s.target.keys()].filter((f) => f !== s.change.path && f.endsWith('.c'));
  const folder = s.change.path.slice(0, s.change.path.lastIndexOf('/') + 1);
  const to = s.random.pickOrNone(s.random.chance(0.5) ? others : []) ?? `${folder}${freshName(s.random)}.c`;
  const file = s.target.get(to) ?? [between(foreign(['#include <linux/kvm_host.h>\n', '\n']))];
  s.target.set(to, [...file, between(foreign(['\n'])), ...moved]);
}

const LOCAL = /(?<![.>\w])([a-z_]\w*)(?=[\s)\],;])(?!\s*\()/g;

/** What upstream may do with whole definitions. */
export const DEFINITIONS: Record<string, Mutation> = {
  shift: (s) => {
    s.fork();
    if (!hasFunctions(s.file)) return false;
    addForeign(s, s.file, s.random.int(1, 6));
    return true;
  },
  'rename function': (s) => {
    const block = victimAndFork(s);
    if (block) renameVictim(s, block);
    return block !== null;
  },
  'rename and change function': (s) => {
    const block = victimAndFork(s);
    if (!block) return false;
    renameVictim(s, block);
    disturb(s.random, block, s.random.int(1, 4));
    return true;
  },
  'rename parameter or local': (s) => {
    const block = victimAndFork(s);
    return block !== null && renameWord(s, block, LOCAL, false);
  },
  'rename field': (s) => {
    const block = victimAndFork(s);
    return block !== null && renameWord(s, block, /(?:->|\.)([a-z_]\w*)/g, true);
  },
  'rename file': (s) => {
    s.fork();
    const { path } = s.change;
    const cut = path.lastIndexOf('/') + 1;
    const ext = path.slice(path.lastIndexOf('.'));
    const to = s.random.pick([
      `${path.slice(0, cut)}${freshName(s.random)}${ext}`,
      `${path.slice(0, cut)}inner/${path.slice(cut)}`,
    ]);
    const blocks = s.file;
    if (s.random.chance(0.6) && hasFunctions(blocks)) addForeign(s, blocks, s.random.int(1, 3));
    s.target.delete(path);
    s.target.set(to, blocks);
    return true;
  },
  reorder: (s) => {
    s.fork();
    const slots = s.file.flatMap((b, i) => (b.kind !== null && !b.guarded ? [i] : []));
    if (slots.length < 3) return false;
    const blocks = [...s.file];
    const order = s.random.shuffled(slots);
    slots.forEach((slot, k) => (s.file[slot] = blocks[order[k]!]!));
    return true;
  },
  'delete the definition': (s) => {
    const block = victimAndFork(s, [...CODE, 'struct']);
    if (block) drop(s, block);
    return block !== null;
  },
  'delete another definition': (s) => {
    const block = victimAndFork(s);
    const other = block && bystander(s, block);
    if (other) drop(s, other);
    return other !== null && block !== null;
  },
  'twin added': (s) => {
    const block = victimAndFork(s);
    if (!block) return false;
    const blank = between(foreign(['\n']));
    if (s.random.chance(0.5)) s.insert(block, [blank, s.twinOf(block, null)], 'after');
    else s.insert(block, [s.twinOf(block, null), blank], 'before');
    return true;
  },
  'twin added, definition changed': (s) => {
    if (!DEFINITIONS['twin added']!(s)) return false;
    const block = s.file.find(
      (b) =>
        b.kind === 'function' &&
        b.lines.some((l) => s.change.removed.has(l.id ?? '-') || s.change.added.has(l.id ?? '-')),
    );
    if (block) disturb(s.random, block, s.random.int(2, 5));
    return block !== undefined;
  },
  'twin in both, reordered': (s) => withTwinInBase(s) !== null && reorderKept(s),
  'twin in both, definition deleted': (s) => {
    const two = withTwinInBase(s);
    if (two) drop(s, two.own);
    return two !== null;
  },
  'twin in both, twin deleted': (s) => {
    const two = withTwinInBase(s);
    if (two) drop(s, two.twin);
    return two !== null;
  },
  'twin in both, definition changed': (s) => {
    const two = withTwinInBase(s);
    if (two) disturb(s.random, two.own, s.random.int(3, 7));
    return two !== null;
  },
  'twin in both, definition renamed': (s) => {
    const two = withTwinInBase(s);
    if (two) renameVictim(s, two.own);
    return two !== null;
  },
  'deleted, another function takes its name': (s) => {
    const block = victimAndFork(s);
    const other = block && bystander(s, block);
    if (!block || !other) return false;
    const { name } = block;
    drop(s, block);
    s.rename(other.name, name);
    return true;
  },
  'name taken by a wrapper': (s) => {
    const block = victimAndFork(s);
    if (!block || !opensAtMargin(block)) return false;
    pushDown(s, block, `__${block.name}`);
    return true;
  },
  'renamed, name taken by another body': (s) => {
    const block = victimAndFork(s);
    if (!block) return false;
    const name = block.name;
    renameVictim(s, block);
    const lines = foreign(freshFunction(s.random).slice(1));
    lines[0]!.text = `static void ${name}(int a)\n`;
    s.insert(block, [{ kind: 'function', name, lines, guarded: false }, between(foreign(['\n']))], 'before');
    return true;
  },
  'two functions swap names': (s) => {
    const block = victimAndFork(s);
    const other = block && bystander(s, block);
    if (!block || !other) return false;
    const [a, b] = [block.name, other.name];
    s.rename(a, 'kport_swap');
    s.rename(b, a);
    s.rename('kport_swap', b);
    return true;
  },
  'second half split off': (s) => {
    const block = victimAndFork(s);
    if (!block) return false;
    const cuts = statements(block).filter((i) => /^\t[^\t]/.test(block.lines[i]!.text));
    const cut = s.random.pickOrNone(cuts.slice(1));
    if (cut === null) return false;
    const name = `${block.name}_rest`;
    const rest = block.lines.splice(cut, block.lines.length - cut - 1);
    block.lines.splice(cut, 0, ...foreign([`\treturn ${name}();\n`]));
    const lines = [...foreign([`static int ${name}(void)\n`, '{\n']), ...rest, ...foreign(['}\n'])];
    s.insert(block, [{ kind: 'function', name, lines, guarded: false }, between(foreign(['\n']))], 'before');
    return true;
  },
  'move to another file': (s) => {
    const block = victimAndFork(s);
    if (block) moveAway(s, block);
    return block !== null;
  },
  'move and rename': (s) => {
    const block = victimAndFork(s);
    if (!block) return false;
    renameVictim(s, block);
    moveAway(s, block);
    return true;
  },
  'deleted, namesake in another file': (s) => {
    const victim = s.victim();
    if (!victim || victim.guarded) return false;
    const other = s.random.pickOrNone([...s.base.keys()].filter((f) => f !== s.change.path && f.endsWith('.c')));
    if (other === null) return false;
    const namesake = { ...s.twinOf(victim, 'twin'), name: victim.name };
    namesake.lines[0]!.text = victim.lines[0]!.text;
    for (let n = 0; n < 2; n++)
      for (const i of statements(namesake).slice(0, 4)) changeLine(s.random, namesake.lines[i]!);
    s.base.set(other, [...s.base.get(other)!, between(foreign(['\n'])), namesake]);
    s.fork();
    drop(s, s.inTarget(victim));
    return true;
  },
};

function reorderKept(s: Situation): boolean {
  const slots = s.file.flatMap((b, i) => (b.kind === 'function' && !b.guarded ? [i] : []));
  const blocks = [...s.file];
  const order = s.random.shuffled(slots);
  slots.forEach((slot, k) => (s.file[slot] = blocks[order[k]!]!));
  return true;
}
