import { stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import type { PortContext } from './context';
import { guardEnds, inPayload, withEnds } from './guard-ends';
import { conditionChange, conditionsAt } from './guards';
import type { DefinitionHeir } from './heirs';
import type { Edit } from './lift';
import type { Placed } from './place';
import type { EditResult } from './port-edit';
import { instruction, type Instruction } from './registers';
import type { Pairing } from './site';
import type { Definition } from '../kernel-index/types';
import type { PorterFile } from './view';

/** At most this sure: the same register for the same reader, by other words. */
const SET_ANEW = 0.7;

/** How deep macros may call macros. */
const DEEPEST = 6;

const MACRO_CALL = /^\s*([A-Za-z_]\w*)\s*(.*)$/;

/** What a line reads and writes, through the macros that it calls; null when one of them is not known. */
function effects(line: ByteString, kernel: KernelIndex, depth = 0): Instruction | null {
  const code = stripComments(line)
    .replace(/^\s*\w+:/, '')
    .trim();
  if (code === '' || /^(?:\.|#)/.test(code)) return { reads: [], writes: [] };
  const [, name, rest] = MACRO_CALL.exec(code) ?? [];
  if (name === undefined) return null;
  const registers = (text: string) => text.match(/\b[xw]\d{1,2}\b|\blr\b/g) ?? [];
  // A system register by its number: the operand in front, or behind.
  if (name === 'mrs_s') return { reads: [], writes: registers(rest!).map((r) => r.replace('w', 'x')) };
  if (name === 'msr_s') return { reads: registers(rest!).map((r) => r.replace('w', 'x')), writes: [] };
  const own = instruction(code);
  const macros = kernel.definitions(name).filter((f) => f.definition.kind === 'asm-macro');
  if (own && macros.length === 0) return own;
  if (macros.length === 0)
    return registers(rest!).length === 0 && !/\bsp\b/.test(rest!) ? { reads: [], writes: [] } : null;
  if (depth >= DEEPEST) return null;
  const sums = macros.map((m) =>
    summed(expanded(m.file.text.slice(m.definition.start, m.definition.end), rest!), kernel, depth + 1),
  );
  if (sums.some((s) => s === null)) return null;
  const all = (key: keyof Instruction) => [...new Set(sums.flatMap((s) => s![key]))];
  return { reads: all('reads'), writes: all('writes') };
}

/** What lines read from the code above them, and all that they write. */
function summed(lines: readonly ByteString[], kernel: KernelIndex, depth: number): Instruction | null {
  const [reads, writes] = [new Set<string>(), new Set<string>()];
  for (const line of lines) {
    const own = effects(line, kernel, depth);
    if (!own) return null;
    for (const r of own.reads) if (!writes.has(r)) reads.add(r);
    for (const r of own.writes) writes.add(r);
  }
  return { reads: [...reads], writes: [...writes] };
}

/** The lines of a macro, with the operands of a call for its parameters. */
function expanded(macro: ByteString, operands: string): ByteString[] {
  const [head = '', ...body] = macro.split('\n');
  const parameters = (/^\s*\.macro\s+\w+\s*,?(.*)$/.exec(stripComments(head))?.[1] ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);
  const given = operands.split(/,(?![^[]*\])/).map((o) => o.trim());
  const value = new Map(parameters.map((p, i) => [p.replace(/[:=].*$/, ''), given[i] ?? /=(.*)$/.exec(p)?.[1] ?? '']));
  return body
    .filter((l) => !/^\s*\.endm\b/.test(l))
    .map((l) => l.replace(/\\(\w+)(?:\\\(\))?/g, (whole, p: string) => value.get(p) ?? whole));
}

/** Where control may come from elsewhere, or go there: what is above says nothing of what is below. */
const JOINS = /^\s*(?:\w+:|SYM_\w+|ENTRY|END\w*)|^\s*(?:b|br|blr?|b\.\w+|c?bn?z|cbn?z|tbn?z|ret|eret|hvc|smc|svc)\s/;

/**
 * A guard of assembly around the one line that gives a register its value, which upstream gives it in other words now. What
 * it is the value for, an unchanged line further down, is the same in both kernels: the line of the target whose value comes
 * there is the heir.
 *
 * It must be upstream's own, write no register that the base's line did not, and be a call of something that the base's line
 * called itself. Null when control joins in between, or a macro is not known.
 */
export async function valueLine(
  edit: Edit,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<Placed | null> {
  const ends = base.index.language === 'asm' ? guardEnds(edit, base) : null;
  if (!ends?.scope) return null;
  const held = linesIn(base, edit.wraps!.first, edit.wraps!.last);
  const [line] = held;
  const was = held.length === 1 && line !== undefined ? effects(base.lines[line]!, context.base.kernel) : null;
  const user = was && readerOf(was.writes, base, line!, ends.scope, context.base.kernel);
  if (!was || !user) return null;
  const found: Placed[] = [];
  for (const heir of heirsOf.get(ends.scope) ?? []) {
    const target = await context.target.file(heir.path);
    if (!target) continue;
    const p = context.aligner.definitions(base, ends.scope, target, heir.definition);
    const now = setterOf(user, was, p, line!, context);
    if (!now || !isPartOf(target.lines[now.line]!, base.lines[line!]!, context)) continue;
    if (conditionChange(conditionsAt(base.index, line!), conditionsAt(target.index, now.line)).length) continue;
    const added = inPayload(ends, (lines) => [...lines], null);
    if (!added) continue;
    const say = (l: number) => `'${target.lines[l]!.trim().replace(/\s+/g, ' ')}'`;
    const more = now.readers.length ? `; ${now.readers.map(say).join(', ')} would read it, too` : '';
    const why = `${say(now.line)} gives ${user.register} the value now that ${say(now.user)} reads${more}`;
    const text = `${target.path}:${now.line + 1}: ${why}`;
    const said = { confidence: Math.min(SET_ANEW, heir.confidence), definition: heir.definition.name };
    const evidence = [...heir.evidence, { kind: 'value-followed', text }];
    found.push(withEnds(ends, added, target, { at: now.line, end: now.line + 1, why }, { ...said, evidence }));
  }
  return found.length === 1 ? found[0]! : null;
}

const linesIn = (file: PorterFile, first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i).filter(
    (i) => stripComments(file.lines[i]!).trim() !== '',
  );

/** The one register of some that is read below a line, and by which line; null when there are more, or it is not told. */
function readerOf(
  registers: readonly string[],
  file: PorterFile,
  line: number,
  scope: Definition,
  kernel: KernelIndex,
): { register: string; line: number } | null {
  const live = new Set(registers);
  for (const i of linesIn(file, line + 1, scope.endLine)) {
    if (JOINS.test(file.lines[i]!)) return null;
    const own = effects(file.lines[i]!, kernel);
    if (!own) return null;
    const read = [...live].filter((r) => own.reads.includes(r));
    if (read.length) return read.length === 1 ? { register: read[0]!, line: i } : null;
    for (const r of own.writes) live.delete(r);
  }
  return null;
}

/** The line of the target that gives the register the value which the user's image reads. */
function setterOf(
  user: { register: string; line: number },
  was: Instruction,
  p: Pairing,
  own: number,
  context: PortContext,
): { line: number; user: number; readers: number[] } | null {
  const at = (line: number) => p.baseUnits.findIndex((u) => u.first <= line && u.last >= line);
  const [mine, match] = [p.match[at(own)], p.match[at(user.line)]];
  if (mine || match?.similarity !== 1) return null;
  const reader = p.targetUnits[match.to]!.first;
  const known = new Set(p.match.flatMap((m) => (m ? [m.to] : [])));
  const readers: number[] = [];
  // What is read between here and the user, and was not given a value in between.
  const needed = new Set<string>();
  for (const i of linesIn(p.target, p.range.first, reader - 1).reverse()) {
    const line = p.target.lines[i]!;
    const does = JOINS.test(line) ? null : effects(line, context.target.kernel);
    if (!does) return null;
    if (does.writes.includes(user.register)) {
      const unit = p.targetUnits.findIndex((u) => u.first <= i && u.last >= i);
      const isNew = unit >= 0 && !known.has(unit);
      const isNoMore =
        does.writes.every((r) => was.writes.includes(r)) && does.reads.every((r) => was.reads.includes(r));
      const others = does.writes.filter((r) => r !== user.register && needed.has(r));
      return isNew && isNoMore && others.length === 0 ? { line: i, user: reader, readers: readers.reverse() } : null;
    }
    if (does.reads.includes(user.register)) readers.push(i);
    for (const r of does.writes) needed.delete(r);
    for (const r of does.reads) needed.add(r);
  }
  return null;
}

/** True when a line calls what another one calls itself, in either kernel: that one was written out. */
function isPartOf(now: ByteString, was: ByteString, context: PortContext): boolean {
  const nameOf = (line: ByteString) => tokens(stripComments(line))[0] ?? '';
  const [part, whole] = [nameOf(now), nameOf(was)];
  const calls = (kernel: KernelIndex, name: string, read: (w: string) => string) =>
    kernel
      .definitions(name)
      .filter((f) => f.definition.kind === 'asm-macro')
      .flatMap((f) =>
        f.file.text.slice(f.definition.start, f.definition.end).split('\n').slice(1).map(nameOf).map(read),
      );
  return [
    ...calls(context.base.kernel, whole, (w) => context.heirs.rename(w)),
    ...calls(context.target.kernel, context.heirs.rename(whole), (w) => w),
  ].includes(part);
}

/** How far code moves the stack pointer; what a guard takes out counts against it. */
function stackOf({ edit }: EditResult, base: PorterFile): number {
  const moved = (lines: readonly ByteString[]) =>
    lines.reduce((sum, l) => {
      const code = stripComments(l);
      const by = /\[\s*sp\s*,\s*#(-?\d+)\s*\]!|\[\s*sp\s*\]\s*,\s*#(-?\d+)/.exec(code);
      const plain = /^\s*(add|sub)\s+sp\s*,\s*sp\s*,\s*#(\d+)/.exec(code);
      return sum + Number(by?.[1] ?? by?.[2] ?? 0) + (plain ? (plain[1] === 'add' ? 1 : -1) * Number(plain[2]) : 0);
    }, 0);
  const held = edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : [];
  return moved(edit.segments.flatMap((s) => s.added)) - moved(held);
}

/**
 * Assembly of the set that takes from the stack what another piece of it puts there: a value line is only replaced where the
 * other piece has its place.
 */
export function settleStack(results: readonly EditResult[], base: PorterFile): void {
  if (base.index.language !== 'asm') return;
  for (const result of results) {
    const [first] = result.placements;
    if (!first?.evidence.some((e) => e.kind === 'value-followed') || stackOf(result, base) === 0) continue;
    const all = results.filter((r) => r.placements.length || r === result);
    if (all.reduce((sum, r) => sum + stackOf(r, base), 0) === 0) continue;
    const reason = 'it moves the stack pointer, and the code of the set that moves it back has no place';
    const candidate = { path: first.file.path, line: first.segments[0]!.site.at + 1, definition: first.definition };
    result.outcome = 'conflict';
    result.failure = { placed: false, reason, evidence: first.evidence, candidate };
    result.placements = [];
  }
}
