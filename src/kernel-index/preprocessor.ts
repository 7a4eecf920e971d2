import type { ByteString } from '../core/text';
import type { Group } from './conditionals';
import { WORD, type Directive, type Lexer } from './lexer';
import { sorted, type Lines } from './lines';
import type { Conditional, Definition, FileIndex, Signature } from './types';
import { isReserved } from './words';

/** Nobody nests conditionals deeper; a text that does must not cost more than it is worth. */
const MAX_GUARDS = 64;

/** Answers which conditions hold at an offset. */
export class Guards {
  private readonly offsets: number[] = [];
  private readonly states: (Guard | null)[] = [];

  constructor(groups: readonly Group[]) {
    const changes: { offset: number; state: Guard | null }[] = [];
    const inside = new Map<Group, (Guard | null)[]>();
    for (const group of groups) {
      const around = group.parent ? stateAround(group, inside.get(group.parent)!) : null;
      const states = group.branches.map((b) =>
        group.includeGuard ? around : { condition: b.condition, parent: around },
      );
      inside.set(group, states);
      group.branches.forEach((b, i) => changes.push({ offset: b.directive.start, state: states[i]! }));
      if (group.end) changes.push({ offset: group.end.end, state: around });
    }
    changes.sort((a, b) => a.offset - b.offset);
    for (const c of changes) {
      this.offsets.push(c.offset);
      this.states.push(c.state);
    }
  }

  /** Conditions at an offset, outermost first. */
  at(offset: number): string[] {
    let [low, high] = [-1, this.offsets.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const found: string[] = [];
    for (let g = low < 0 ? null : this.states[low]!; g !== null && found.length < MAX_GUARDS; g = g.parent)
      found.push(g.condition);
    return found.reverse();
  }
}

interface Guard {
  condition: string;
  parent: Guard | null;
}

/** The state of the branch of the parent that holds a group. */
function stateAround(group: Group, states: (Guard | null)[]): Guard | null {
  const at = group.branches[0]!.directive.start;
  const { branches } = group.parent!;
  let b = branches.length - 1;
  while (b > 0 && branches[b]!.directive.start > at) b--;
  return states[b]!;
}

/** `#if … #endif` groups as the index stores them. */
export function conditionalsOf(groups: readonly Group[], lines: Lines): Conditional[] {
  const last = Math.max(0, lines.starts.length - 2);
  return groups.map((g) => ({
    branches: g.branches.map((b) => ({ line: lines.at(b.directive.start), condition: b.condition })),
    endLine: g.end ? lines.at(g.end.start) : last,
  }));
}

/** The `#include` lines. */
export function includesOf(text: ByteString, directives: readonly Directive[], lines: Lines): FileIndex['includes'] {
  const found: FileIndex['includes'] = [];
  for (const d of directives) {
    if (d.keyword !== 'include') continue;
    const m = /^\s*([<"])([^>"\n]+)[>"]/.exec(text.slice(d.argument, d.end));
    if (m) found.push({ path: m[2]!, system: m[1] === '<', line: lines.at(d.start) });
  }
  return found;
}

/** Every `#define`, except the one that guards a header against double inclusion. */
export function macrosOf(lexer: Lexer, groups: readonly Group[], lines: Lines, guards: Guards): Definition[] {
  const { directives } = lexer;
  const guardAt = groups.find((g) => g.includeGuard)?.branches[0]!.directive;
  const found: Definition[] = [];
  directives.forEach((d, i) => {
    if (d.keyword !== 'define' || (guardAt !== undefined && directives[i - 1] === guardAt)) return;
    const macro = macroOf(lexer, d);
    if (!macro) return;
    found.push({
      kind: 'macro',
      start: d.start,
      end: d.end,
      startLine: lines.at(d.start),
      endLine: lines.at(Math.max(d.start, d.end - 1)),
      guards: guards.at(d.start),
      members: [],
      broken: false,
      ...macro,
    });
  });
  return found;
}

function macroOf(
  lexer: Lexer,
  d: Directive,
): Pick<Definition, 'name' | 'body' | 'signature' | 'calls' | 'uses'> | null {
  const { bytes, text } = lexer;
  let at = d.argument;
  while (at < d.end && (bytes[at] === 32 || bytes[at] === 9)) at++;
  const nameStart = at;
  while (at < d.end && isWordByte(bytes[at]!)) at++;
  if (at === nameStart) return null;
  const name = text.slice(nameStart, at);
  let signature: Signature | null = null;
  const parameters = new Set<string>();
  if (bytes[at] === 40) {
    const close = text.indexOf(')', at);
    if (close < 0 || close >= d.end) return null;
    const said = text
      .slice(at + 1, close)
      .replace(/\\\r?\n/g, ' ')
      .split(',')
      .map((p) => p.trim())
      .filter(Boolean);
    for (const p of said) parameters.add(p.replace(/\s*\.\.\.$/, '') || '__VA_ARGS__');
    signature = {
      returns: '',
      parameters: said.filter((p) => !p.endsWith('...')).map((p) => ({ type: '', name: p })),
      variadic: said.some((p) => p.endsWith('...')),
      annotations: [],
    };
    at = close + 1;
  }
  while (at < d.end && (bytes[at] === 32 || bytes[at] === 9)) at++;
  const tokens = lexer.part(at, d.end);
  const calls = new Set<string>();
  const uses = new Set<string>();
  for (let t = 0; t < tokens.count; t++) {
    if (tokens.kind[t] !== WORD) continue;
    const word = lexer.words.name(tokens.word[t]!);
    if (parameters.has(word) || isReserved(word)) continue;
    (t + 1 < tokens.count && tokens.kind[t + 1] === 40 ? calls : uses).add(word);
  }
  for (const call of calls) uses.delete(call);
  return { name, body: { start: at, end: d.end }, signature, calls: sorted(calls), uses: sorted(uses) };
}

function isWordByte(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= 48 && c <= 57) || c === 95 || c === 36;
}
