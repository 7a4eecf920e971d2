import type { Mutation } from './definitions';
import { freshStatement } from './random';
import { changeLine, foreign, statements, type Situation } from './situation';
import { isCode, type Block } from './source';

/** Statements of a definition that stand right beside what the set does there, or (`inside`) that it wraps. */
function near(s: Situation, block: Block, distance: number): number[] {
  const touched = block.lines.flatMap((l, i) =>
    l.id !== null && (s.change.added.has(l.id) || s.change.removed.has(l.id)) ? [i] : [],
  );
  return statements(block).filter((i) => touched.some((t) => Math.abs(t - i - 0.5) <= distance));
}

function atEdit(s: Situation, distance: number, act: (block: Block, line: number, all: number[]) => boolean): boolean {
  const victim = s.victim();
  if (!victim) return false;
  s.fork();
  const block = s.inTarget(victim);
  const all = near(s, block, distance);
  const at = s.random.pickOrNone(all);
  return at !== null && act(block, at, all);
}

const indentOf = (text: string) => /^\s*/.exec(text)![0];

/** What upstream may do with statements beside those of the set, and with those that it wraps. */
export const STATEMENTS: Record<string, Mutation> = {
  'statement inserted': (s) =>
    atEdit(s, 3, (block, at) => {
      const text = freshStatement(s.random, indentOf(block.lines[at]!.text));
      block.lines.splice(at + s.random.int(0, 1), 0, ...foreign([text]));
      return true;
    }),
  'statement changed': (s) =>
    atEdit(s, 2, (block, at) => {
      changeLine(s.random, block.lines[at]!);
      return true;
    }),
  'statement deleted': (s) =>
    atEdit(s, 2, (block, at) => {
      block.lines.splice(at, 1);
      return true;
    }),
  'statement replaced': (s) =>
    atEdit(s, 2, (block, at) => {
      const text = freshStatement(s.random, indentOf(block.lines[at]!.text));
      block.lines.splice(at, 1, ...foreign([text]));
      return true;
    }),
  'statement doubled': (s) =>
    atEdit(s, 3, (block, at) => {
      // Either of the two is the old one.
      block.lines.splice(at, 0, { ...block.lines[at]! });
      return true;
    }),
  'statements swapped': (s) =>
    atEdit(s, 3, (block, at, all) => {
      const next = all.find((i) => i > at && !block.lines.slice(at + 1, i).some((l) => isCode(l.text)));
      if (next === undefined || indentOf(block.lines[at]!.text) !== indentOf(block.lines[next]!.text)) return false;
      [block.lines[at], block.lines[next]] = [block.lines[next]!, block.lines[at]!];
      return true;
    }),
  'statement moved far': (s) =>
    atEdit(s, 2, (block, at) => {
      const [line] = block.lines.splice(at, 1) as [Block['lines'][0]];
      const to = s.random.pickOrNone(statements(block).filter((i) => Math.abs(i - at) > 4));
      if (to === null) return false;
      block.lines.splice(to, 0, line);
      return true;
    }),
};
