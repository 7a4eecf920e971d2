import { stripComments, tokens, type ByteString } from '../core/text';
import type { PorterFile } from './view';

/** What an instruction says, whatever its blanks; empty for what is none. */
const saying = (line: ByteString | undefined) => tokens(stripComments(line ?? '')).join(' ');

/** Fewer places than this are no habit. */
const OFTEN = 2;

/**
 * Instructions that upstream puts behind another one at every place of a file, and in the base put behind none: `sb` behind
 * `eret`, since speculation past it became known. What a set adds of the one wants the other.
 *
 * @returns instruction to what follows it, as the target writes it
 */
export function followers(base: PorterFile, target: PorterFile): Map<string, ByteString> {
  const before = behind(base);
  const habits = new Map<string, ByteString>();
  for (const [instruction, next] of behind(target)) {
    const follows = new Set(next.map(saying));
    const had = before.get(instruction);
    const [line] = next;
    if (next.length < OFTEN || follows.size !== 1 || !had || had.length < OFTEN || !line) continue;
    // An instruction without operands is the same wherever it stands; so is one that has none to go with.
    if (!/^\s+[a-z][\w.]*\s*$/.test(stripComments(line)) || /\s/.test(instruction)) continue;
    if (!had.some((l) => saying(l) === saying(line))) habits.set(instruction, line);
  }
  return habits;
}

/** For each instruction of a file what stands behind it, at each of its places. */
function behind(file: PorterFile): Map<string, ByteString[]> {
  const found = new Map<string, ByteString[]>();
  file.lines.forEach((line, i) => {
    if (!/^\s+[a-z]/.test(line)) return;
    const key = saying(line);
    const list = found.get(key) ?? [];
    list.push(file.lines[i + 1] ?? '');
    found.set(key, list);
  });
  return found;
}

/** Puts the followers of instructions into added lines; names the instructions that got one. */
export function withFollowers(
  added: readonly ByteString[],
  habits: ReadonlyMap<string, ByteString>,
): { lines: ByteString[]; of: Map<string, string> } {
  const of = new Map<string, string>();
  const lines = added.flatMap((line, i) => {
    const follower = habits.get(saying(line));
    if (follower === undefined || saying(added[i + 1]) === saying(follower)) return [line];
    of.set(saying(line), saying(follower));
    return [line, `${/^\s*/.exec(line)![0]}${follower.trim()}\n`];
  });
  return { lines, of };
}

const REGISTER = /^[xw](\d+)$/;

/** Registers that upstream keeps a value in instead of another one, by the lines of an edit that it changed: number to number. */
export function renamedRegisters(changes: readonly { from: ByteString; to: ByteString }[]): Map<string, string> {
  const renamed = new Map<string, string>();
  for (const { from, to } of changes) {
    const [was, is] = [tokens(stripComments(from)), tokens(stripComments(to))];
    if (was.length !== is.length) continue;
    const differ = [...was.keys()].filter((i) => was[i] !== is[i]);
    if (!differ.every((i) => REGISTER.test(was[i]!) && REGISTER.test(is[i]!) && was[i]![0] === is[i]![0])) continue;
    for (const i of differ) {
      const [a, b] = [REGISTER.exec(was[i]!)![1]!, REGISTER.exec(is[i]!)![1]!];
      if (renamed.has(a) && renamed.get(a) !== b) return new Map();
      renamed.set(a, b);
    }
  }
  return renamed;
}

/** Writes the registers of a line as upstream does now. */
export function withRegisters(line: ByteString, renamed: ReadonlyMap<string, string>): ByteString {
  return line.replace(/\b([xw])(\d+)\b/g, (register, width: string, n: string) =>
    renamed.has(n) ? `${width}${renamed.get(n)!}` : register,
  );
}
