import { freshName, freshStatement, type Random } from './random';
import { copyOf, edited, isCode, type Block, type Kernel, type Line, type SetChange } from './source';

/** One case under construction: a base, the set's change to one file of it, and a target made from the base. */
export class Situation {
  target: Kernel = new Map();
  /** Words of the base that the target spells in another way. */
  readonly renamed: string[] = [];

  constructor(
    readonly random: Random,
    readonly base: Kernel,
    readonly change: SetChange,
  ) {}

  /** What is done to the base comes before this, what upstream does comes after it. */
  fork(): Kernel {
    return (this.target = copyOf(this.base));
  }

  /** The file that the set changes, in the target. */
  get file(): Block[] {
    return this.target.get(this.change.path)!;
  }

  set file(blocks: Block[]) {
    this.target.set(this.change.path, blocks);
  }

  /** A definition of the base that the set changes from inside. */
  victim(kinds: readonly string[] = ['function']): Block | null {
    const all = edited(this.base.get(this.change.path)!, this.change);
    return this.random.pickOrNone(all.filter((b) => kinds.includes(b.kind!)));
  }

  /** The same definition in the target. */
  inTarget(of: Block): Block {
    const id = of.lines.find((l) => l.id !== null)!.id;
    return this.file.find((b) => b.lines.some((l) => l.id === id))!;
  }

  /** Puts blocks into the target's file behind a block, or before it. */
  insert(beside: Block, blocks: readonly Block[], where: 'before' | 'after', into: Kernel = this.target): void {
    const file = into.get(this.change.path)!;
    const at = file.indexOf(beside) + (where === 'after' ? 1 : 0);
    file.splice(at, 0, ...blocks);
  }

  /** Takes a definition out of the target, with the comment above it. */
  remove(block: Block): Block[] {
    const at = this.file.indexOf(block);
    const comment = this.file[at - 1] ? takeComment(this.file[at - 1]!) : [];
    this.file.splice(at, 1);
    return [between(comment), block];
  }

  /** Another name for a word, in all files of a kernel. */
  rename(from: string, to: string, kernel: Kernel = this.target): void {
    const word = new RegExp(`\\b${from}\\b`, 'g');
    for (const blocks of kernel.values())
      for (const b of blocks) {
        if (b.name === from) b.name = to;
        for (const l of b.lines) l.text = l.text.replace(word, to);
      }
    if (kernel === this.target) this.renamed.push(from);
  }

  /** A definition under another name whose body is nearly the same. Its lines are `mark`'s, or nobody's. */
  twinOf(block: Block, mark: string | null): Block {
    const name = this.random.chance(0.5)
      ? `${block.name}_${this.random.pick(['all', 'one', 'early', 'user'])}`
      : freshName(this.random);
    const word = new RegExp(`\\b${block.name}\\b`, 'g');
    const lines = block.lines.map((l) => ({
      text: l.text.replace(word, name),
      id: mark === null || l.id === null ? null : `${mark}:${l.id}`,
    }));
    const twin = { ...block, name, lines };
    if (this.random.chance(0.7)) disturb(this.random, twin, this.random.int(1, 3));
    return twin;
  }
}

/** Lines between definitions. */
export const between = (lines: Line[]): Block => ({ kind: null, name: '', lines, guarded: false });

export const foreign = (texts: readonly string[]): Line[] => texts.map((text) => ({ text, id: null }));

/** The comment right above a definition, taken out of the block before it. */
function takeComment(block: Block): Line[] {
  if (block.kind !== null) return [];
  let at = block.lines.length;
  while (at > 0 && !isCode(block.lines[at - 1]!.text) && block.lines[at - 1]!.text.trim() !== '') at--;
  return block.lines.splice(at);
}

/** Indexes of lines that are one whole statement each, in a place where one may come or go. */
export function statements(block: Block): number[] {
  const text = (i: number) => block.lines[i]?.text ?? '';
  const before = (i: number) => {
    let k = i - 1;
    while (k > 0 && !isCode(text(k))) k--;
    return text(k).trim();
  };
  return block.lines.flatMap((l, i) => {
    const t = l.text;
    const whole = /^\t+[A-Za-z_*(][^{}]*;\s*$/.test(t) && count(t, '(') === count(t, ')');
    const free = /^(return|goto|break|continue|case|default)\b/.test(t.trim()) === false;
    return whole && free && /[;{}:]$/.test(before(i)) && !isDeclarationLike(t) ? [i] : [];
  });
}

const count = (text: string, what: string) => text.split(what).length - 1;

/** `type name;`, `type *name = …;`: must stay where it is. */
export const isDeclarationLike = (text: string): boolean =>
  /^\s*((const|static|struct|unsigned|enum|union|bool|int|long|u8|u16|u32|u64|size_t|gfn_t|gpa_t|phys_addr_t|pgd_t|pud_t|pmd_t|pte_t)\b)/.test(
    text,
  ) || /^\s*\w+\s+\*?\w+(\s*=[^=].*)?;/.test(text);

/** Changes a few statements of a definition: one more, one less, another number. */
export function disturb(random: Random, block: Block, times: number): void {
  for (let n = 0; n < times; n++) {
    const at = random.pickOrNone(statements(block));
    if (at === null) return;
    const line = block.lines[at]!;
    const kind = random.int(0, 2);
    if (kind === 0) block.lines.splice(at, 0, ...foreign([freshStatement(random, /^\s*/.exec(line.text)![0])]));
    else if (kind === 1 && statements(block).length > 3) block.lines.splice(at, 1);
    else changeLine(random, line);
  }
}

/** Another text for a line that is still the same statement. */
export function changeLine(random: Random, line: Line): void {
  const { text } = line;
  const call = /\(([^()]*)\);/.exec(text);
  if (call)
    line.text = text.replace(/\(([^()]*)\);/, (_, args: string) => `(${args ? `${args}, ` : ''}${random.int(1, 99)});`);
  else line.text = text.replace(/;\s*$/, ` + ${random.int(1, 99)};\n`);
}

/** Changes that have nothing to do with the case: statements of a few functions. */
export function makeNoise(s: Situation): void {
  const functions = [...s.target.values()].flat().filter((b) => b.kind === 'function');
  for (let n = s.random.int(1, 3); n > 0 && functions.length; n--) disturb(s.random, s.random.pick(functions), 2);
}
