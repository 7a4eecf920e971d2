import type { ByteString } from '../core/text';
import { statementsOf, type LineRange, type Statement } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import { tokenLines } from './align';
import { scopeOf, type Placed } from './place';
import type { PlacedEdit } from './uses';
import type { PorterFile } from './view';

/** Code that the set would have changed as well is left as upstream has it: what was placed beside it is at most this sure. */
const LEFT = 0.75;
/** A line that says something by itself. */
const TELLING = 0.7;

/**
 * What a set changes in all branches of an `if`, it changes whatever comes. A branch that upstream has put in since is left
 * without it, and so is code of a branch that upstream has put outside of the branches, where the set guards it out inside of
 * them. Nothing says how they should read; that they are there is said.
 */
export function sayOtherWays(edits: readonly PlacedEdit[]): void {
  const functions = new Map<Definition, PlacedEdit[]>();
  for (const e of edits) {
    const scope = scopeOf(e.base, e.result.edit.segments[0]!);
    if (scope?.kind === 'function' && e.result.edit.guard !== null && e.base.index.language === 'c')
      functions.set(scope, [...(functions.get(scope) ?? []), e]);
  }
  for (const [scope, among] of functions) {
    sayNewBranches(scope, among);
    sayLeftOutside(scope, among);
  }
}

function sayNewBranches(scope: Definition, among: readonly PlacedEdit[]): void {
  if (among.length < 2) return;
  const { base } = among[0]!;
  for (const branches of chainsIn(base, scope)) {
    const of = branches.map(({ body }) => among.filter((e) => linesOf(e).every((l) => isIn(l, body))));
    if (branches.length < 2 || branches.at(-1)!.head !== null || of.some((list) => list.length === 0)) continue;
    const inside = [...new Set(of.flat())];
    for (const [file, heir] of heirsOf(inside)) {
      const here = inside.flatMap((e) => e.result.placements.filter((p) => isAt(p, file, heir)));
      for (const now of chainsIn(file, heir)) {
        const holds = (body: Branch['body']) => here.some((p) => p.segments.some((s) => isGap(s.site.at, body)));
        const [held, left] = [now.filter((b) => holds(b.body)), now.filter((b) => !holds(b.body))];
        if (now.length <= branches.length || held.length < branches.length || left.length === 0) continue;
        const what = left.map((b) => `'${b.head === null ? 'else' : squeezed(file.lines, b.head)}'`).join(', ');
        say(here, `the set changes every branch there; upstream has another one by now, which is left: ${what}`);
      }
    }
  }
}

/** Lines that a guard takes out, and that stand in the same function outside of all guards of the set in the target. */
function sayLeftOutside(scope: Definition, among: readonly PlacedEdit[]): void {
  const { base } = among[0]!;
  const takesOut = among.filter((e) => e.result.edit.wraps && /^\s*#\s*if(?:ndef\b|\s*!)/.test(firstOf(e)));
  if (takesOut.length === 0) return;
  const wraps = among.flatMap((e) => e.result.edit.wraps ?? []);
  const outside = (lines: readonly ByteString[], first: number, isHeld: (line: number) => boolean) => {
    const counts = new Map<string, number>();
    tokenLines(lines).forEach(({ key }, i) => {
      if (!isHeld(first + i)) counts.set(key, (counts.get(key) ?? 0) + 1);
    });
    return counts;
  };
  const was = outside(base.lines.slice(scope.startLine, scope.endLine + 1), scope.startLine, (l) =>
    wraps.some((w) => l >= w.first && l <= w.last),
  );
  for (const [file, heir] of heirsOf(takesOut)) {
    const guards = among.flatMap((e) =>
      e.result.edit.wraps ? e.result.placements.filter((p) => isAt(p, file, heir)) : [],
    );
    const is = outside(file.lines.slice(heir.startLine, heir.endLine + 1), heir.startLine, (l) =>
      guards.some((p) => isWithin(p, l)),
    );
    for (const e of takesOut) {
      const { first, last } = e.result.edit.wraps!;
      const code = base.lines.slice(first, last + 1);
      const calls = tokenLines(code).flatMap((l, i) =>
        l.weight >= TELLING && l.key.endsWith(') ;') && (is.get(l.key) ?? 0) > (was.get(l.key) ?? 0)
          ? [code[i]!.trim()]
          : [],
      );
      if (calls.length === 0) continue;
      const what = [...new Set(calls)]
        .slice(0, 3)
        .map((c) => `'${c}'`)
        .join(', ');
      say(
        e.result.placements.filter((p) => isAt(p, file, heir)),
        `${what}, which it guards out, stands outside of its guards in the target`,
      );
    }
  }
}

/** A branch of an `if`; its head is null for `else`. */
interface Branch {
  head: LineRange | null;
  body: LineRange & { braced: boolean };
}

/** Every `if` of a function with all that follows by `else`. */
function chainsIn(file: PorterFile, d: Definition): Branch[][] {
  const all = statementsOf(file.text, d, file.attributes);
  const elseIf = (s: Statement): Statement | undefined => {
    const other = s.bodies[1];
    const i = all.indexOf(s);
    return other && !other.braced
      ? all.find(
          (c) => c.kind === 'if' && c.parent === i && c.startLine >= other.startLine && c.endLine <= other.endLine,
        )
      : undefined;
  };
  const followers = new Set(all.flatMap((s) => (s.kind === 'if' ? (elseIf(s) ?? []) : [])));
  const branchesOf = (s: Statement): Branch[] => {
    const [then, other] = s.bodies;
    const next = elseIf(s);
    return [
      ...(then ? [{ head: s.header, body: then }] : []),
      ...(next ? branchesOf(next) : other ? [{ head: null, body: other }] : []),
    ];
  };
  return all.filter((s) => s.kind === 'if' && !followers.has(s)).map(branchesOf);
}

/** Where edits were placed: the functions of the target, with their files. */
function heirsOf(edits: readonly PlacedEdit[]): Map<PorterFile, Definition> {
  const heirs = new Map<PorterFile, Definition>();
  for (const p of edits.flatMap((e) => e.result.placements)) {
    const heir = p.file.outer.find((d) => d.kind === 'function' && d.name === p.definition);
    if (heir) heirs.set(p.file, heir);
  }
  return heirs;
}

const isAt = (p: Placed, file: PorterFile, heir: Definition) => p.file === file && p.definition === heir.name;
const isIn = (line: number, { startLine, endLine }: LineRange) => line >= startLine && line <= endLine;
/** True for what goes before a line of a body; before that of its opening brace is outside, before that of the closing one inside. */
const isGap = (at: number, { startLine, endLine, braced }: Branch['body']) =>
  at >= (braced ? startLine + 1 : startLine) && at <= endLine;
const firstOf = (e: PlacedEdit) => e.result.edit.branches[0]?.directive ?? '';

function linesOf({ result: { edit } }: PlacedEdit): number[] {
  return edit.wraps ? [edit.wraps.first, edit.wraps.last] : edit.segments.map((s) => s.at);
}

function isWithin(p: Placed, line: number): boolean {
  const [first, last] = [p.segments[0]!.site, p.segments[p.segments.length - 1]!.site];
  return line >= first.at && line < Math.max(last.at + last.remove, first.at + first.remove);
}

function squeezed(lines: readonly ByteString[], { startLine, endLine }: LineRange): string {
  const text = lines
    .slice(startLine, endLine + 1)
    .join(' ')
    .replace(/\s+/g, ' ');
  return text
    .slice(text.indexOf('if ('))
    .replace(/\s*\{\s*$/, '')
    .trim();
}

function say(placed: readonly Placed[], text: string): void {
  for (const p of placed) {
    p.confidence = Math.min(p.confidence, LEFT);
    if (!p.evidence.some((e) => e.text === text)) p.evidence.push({ kind: 'doubt', text });
  }
}
