import { stripComments, tokens } from '../core/text';
import { statementsOf, type Statement } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import type { Edit, Segment } from './lift';
import type { Pairing, Precision, Site } from './site';
import { definitionAround, type PorterFile } from './view';
import type { Unit } from './units';

/** Lines of the braces of a block: `{` ends the one, `}` begins the other. */
interface Block {
  open: number;
  close: number;
  /** What it is the body of. */
  of: Statement['kind'] | 'function';
}

const parsed = new WeakMap<PorterFile, Map<number, Statement[]>>();

/** The statements of a function, parsed when first asked for. Empty where the grammar fails: then nothing is known. */
export function statementsIn(file: PorterFile, fn: Definition): readonly Statement[] {
  let known = parsed.get(file);
  if (!known) parsed.set(file, (known = new Map<number, Statement[]>()));
  let statements = known.get(fn.start);
  if (!statements) {
    statements = fn.kind === 'function' ? statementsOf(file.text, fn, file.attributes) : [];
    if (statements.some((s) => s.kind === 'error')) statements = [];
    known.set(fn.start, statements);
  }
  return statements;
}

function blocksIn(file: PorterFile, fn: Definition): Block[] {
  return statementsIn(file, fn).flatMap((s): Block[] => {
    if (s.kind === 'compound') return [{ open: s.startLine, close: s.endLine, of: 'compound' }];
    return s.bodies.filter((b) => b.braced).map((b) => ({ open: b.startLine, close: b.endLine, of: s.kind }));
  });
}

/** Where a guard begins and ends; null where it is not told by blocks. */
export interface WholeBlock {
  /** The guard opens before this line … */
  at: number;
  /** … and closes before this one. */
  end: number;
  why: string;
}

/**
 * A guard around all statements of a block (a branch of an `if`, the body of a loop) needs no lines: it goes around the
 * block that has its statements now, however many of them upstream rewrote, if there is exactly one.
 */
export function wholeBlock(
  edit: Edit,
  base: PorterFile,
  scope: Definition,
  p: Pairing,
  to: Definition,
): WholeBlock | null {
  const { wraps } = edit;
  if (!wraps || scope.kind !== 'function' || to.kind !== 'function') return null;
  const wrapped = (u: Unit) => u.first >= wraps.first && u.last <= wraps.last;
  const own = blocksIn(base, scope).find((b) => {
    const inside = p.baseUnits.filter((u) => u.first > b.open && u.last < b.close);
    return inside.length > 0 && inside.every(wrapped) && wraps.first > b.open && wraps.last < b.close;
  });
  if (!own) return null;
  const count = (units: readonly Unit[]) => {
    const n = new Map<string, number>();
    for (const u of units) n.set(u.key, (n.get(u.key) ?? 0) + 1);
    return n;
  };
  const [here, there] = [count(p.baseUnits), count(p.targetUnits)];
  const once = p.baseUnits.filter((u) => u.weight >= 0.7 && here.get(u.key) === 1 && there.get(u.key) === 1);
  const lineOf = new Map(p.targetUnits.map((u) => [u.key, u.first]));
  const anchors = once.filter(wrapped).map((u) => lineOf.get(u.key)!);
  const strays = once.filter((u) => !wrapped(u)).map((u) => lineOf.get(u.key)!);
  if (anchors.length === 0) return null;
  const inside = (b: Block, line: number) => line > b.open && line < b.close;
  const [block] = blocksIn(p.target, to)
    .filter((b) => b.of === own.of && anchors.every((line) => inside(b, line)))
    .sort((a, b) => a.close - a.open - (b.close - b.open));
  if (!block || strays.some((line) => inside(block, line))) return null;
  // One of its own statements must be among them: what lies deeper inside could have come from anywhere.
  const direct = (file: PorterFile, fn: Definition, b: Block, line: number) =>
    !blocksIn(file, fn).some((x) => x.open > b.open && x.close < b.close && inside(x, line));
  const tells = once.some(
    (u) => wrapped(u) && direct(base, scope, own, u.first) && direct(p.target, to, block, lineOf.get(u.key)!),
  );
  if (!tells) return null;
  if (!/\{\s*$/.test(stripComments(p.target.lines[block.open]!))) return null;
  return {
    at: block.open + 1,
    end: block.close,
    why: `the guard goes around the whole block, which has ${anchors.length} of its lines unchanged`,
  };
}

/** A statement that a guard from line `at` to before line `end` holds in part only; undefined when it holds none so. */
function cutBy(statements: readonly Statement[], at: number, end: number): Statement | undefined {
  return statements.find((s) => {
    const cut = (line: number) => s.startLine < line && line <= s.endLine;
    if (!cut(at) && !cut(end)) return false;
    // Both ends in one and the same block of the statement: it is not the statement that is cut.
    if (s.kind === 'compound') return !(cut(at) && cut(end));
    if (s.kind === 'case' || s.kind === 'label') return cut(at) ? at <= s.header!.endLine : end <= s.header!.endLine;
    // What stands in a block without braces is a statement of its own in the list.
    const holds = (line: number) => s.bodies.findIndex((b) => line > b.startLine && line <= b.endLine);
    return holds(at) < 0 || holds(at) !== holds(end);
  });
}

/** What {@link grownGuard} found: the lines that the guard should hold, or why it cannot. */
export type Grown = { at: number; end: number; grew: boolean } | { why: string };

/**
 * A guard holds whole statements where it did so in the base. Where upstream made the first or last of them part of a
 * larger one (a condition in front, another operand), the guard grows with it, over lines that are upstream's own alone.
 *
 * @param taken true for target lines that are known to be something which the set does not wrap
 */
export function grownGuard(
  edit: Edit,
  base: PorterFile,
  scope: Definition,
  target: PorterFile,
  to: Definition,
  range: { at: number; end: number },
  taken: (line: number) => boolean,
): Grown | null {
  const [first, last] = [edit.segments[0]!, edit.segments[edit.segments.length - 1]!];
  const [own, theirs] = [statementsIn(base, scope), statementsIn(target, to)];
  if (own.length === 0 || theirs.length === 0) return null;
  if (cutBy(own, first.at, last.at + last.removed.length)) return null;
  let { at, end } = range;
  for (let turn = 0; turn < 8; turn++) {
    const cut = cutBy(theirs, at, end);
    if (!cut) return { at, end, grew: at !== range.at || end !== range.end };
    const [top, bottom] = [Math.min(at, cut.startLine), Math.max(end, cut.endLine + 1)];
    const idle = edit.kind === 'guard-wrap' && isIdle(cut, target, at, end);
    for (let line = top; line < bottom && !idle; line++) {
      if ((line < at || line >= end) && taken(line)) {
        const text = (target.lines[cut.startLine] ?? '').trim().slice(0, 50);
        return { why: `the guard would hold only a part of '${text}'` };
      }
    }
    [at, end] = [top, bottom];
  }
  return { why: 'the guard would grow too far' };
}

/** A condition that would have nothing left to decide: all that hangs on it lies in the guard, and asking has no effect. */
function isIdle(s: Statement, file: PorterFile, at: number, end: number): boolean {
  if (s.kind !== 'if' || s.bodies.length !== 1 || !s.header) return false;
  const [body] = s.bodies as [Statement['bodies'][number]];
  const inner = body.braced ? [body.startLine + 1, body.endLine - 1] : [body.startLine, body.endLine];
  if (inner[0]! < at || inner[1]! >= end || inner[1]! < inner[0]!) return false;
  const asked = stripComments(file.text.slice(s.start, s.end)).replace(/^if\s*\(/, '');
  const condition = asked.slice(0, closing(asked));
  return !/\w\s*\(|[^=!<>]=(?!=)|\+\+|--/.test(condition.replace(/\b(?:likely|unlikely)\s*(?=\()/g, ''));
}

/** The offset of the parenthesis that closes one which was opened in front of a text. */
function closing(text: string): number {
  let depth = 1;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')' && --depth === 0) return i;
  }
  return text.length;
}

/** Calls that only say where something is, by the kernel's habit: without a use of it they do nothing. */
const ACCESSOR = /^(?:container_of|to_\w+|\w+_get_drvdata|\w+_priv|kern_hyp_va|(?:this|per)_cpu_ptr)\s*\(/;

/**
 * A guard that holds all statements of a body but its declarations would leave these without a use: it takes them, too, where
 * what they are set to has no effect. Null when it does not hold all, or one of them does something.
 */
export function bodyWithDeclarations(
  file: PorterFile,
  fn: Definition,
  range: { at: number; end: number },
): { at: number; end: number } | null {
  const all = statementsIn(file, fn).filter((s) => s.depth === 0);
  const first = all.findIndex((s) => s.kind !== 'declaration');
  const [head, rest] = [all.slice(0, first), all.slice(first)];
  if (first < 1 || !rest.every((s) => s.startLine >= range.at && s.endLine < range.end)) return null;
  const idle = head.every((s) => {
    const value = /=([^]*);\s*$/.exec(stripComments(file.text.slice(s.start, s.end)))?.[1]?.trim();
    return (
      value === undefined || !/\w\s*\(|=|\+\+|--/.test(value) || (ACCESSOR.test(value) && !/=|\+\+|--/.test(value))
    );
  });
  return idle ? { at: head[0]!.startLine, end: range.end } : null;
}

/** The line of the base after which a place would lie inside a statement. */
export function splitsStatement(segment: Segment, base: PorterFile, target: PorterFile, site: Site): string | null {
  if (base.index.language !== 'c' || segment.removed.some((l) => stripComments(l).trim() !== '')) return null;
  if (definitionAround(target, site.at)?.kind !== 'function') return null;
  const boundary = (file: PorterFile, line: number): boolean => {
    for (let i = line - 1; i >= 0; i--) {
      if (/^\s*#/.test(file.lines[i]!) || /\\\s*$/.test(file.lines[i]!)) return true;
      const code = stripComments(file.lines[i]!).trim();
      if (code === '' || /^\*/.test(code) || /\*\/$/.test(file.lines[i]!.trim())) continue;
      return /[;{}:]$/.test(code);
    }
    return true;
  };
  if (!boundary(base, segment.at) || boundary(target, site.at)) return null;
  return `the place would lie inside a statement, behind '${(target.lines[site.at - 1] ?? '').trim().slice(0, 50)}'`;
}

/**
 * Upstream put a control header without braces in front of what a guard opens with: the guard goes around the header, too.
 * Only where nothing else hangs on it.
 */
export function liftGuard(edit: Edit, segment: Segment, target: PorterFile, site: Site, p: Pairing): Site | null {
  if (edit.kind !== 'guard-wrap' || segment.anchor !== 'next') return null;
  const header = p.targetUnits.filter((u) => u.last < site.at).pop();
  if (!header || header.last !== site.at - 1) return null;
  const code = stripComments(target.lines[header.first]!).trim();
  const balanced = code.split('(').length === code.split(')').length;
  if (!/^(if|for|while)\b.*\)$/.test(code) || !balanced) return null;
  const statement = stripComments(target.lines[site.at] ?? '').trim();
  const next = stripComments(target.lines[site.at + 1] ?? '').trim();
  if (!statement.endsWith(';') || /^else\b/.test(next)) return null;
  return { ...site, at: header.first, why: `${site.why}; the guard holds its condition '${code.slice(0, 40)}', too` };
}

/**
 * A guard around the whole body of a function, or around all but its leading declarations, needs no lines: it goes around
 * the body of what the function became.
 */
export function wholeBodySite(
  edit: Edit,
  segment: Segment,
  base: PorterFile,
  scope: Definition,
  p: Pairing,
  to: Definition,
): Site | null {
  if (!edit.wraps || scope.kind !== 'function' || !scope.body || !to.body || segment.removed.length) return null;
  const from = bodyLines(base, scope);
  const into = bodyLines(p.target, to);
  const inBody = p.baseUnits.filter((u) => u.first > from.open && u.last < from.close);
  const wrapped = inBody.filter((u) => u.first >= edit.wraps!.first && u.last <= edit.wraps!.last);
  const head = inBody.slice(0, inBody.length - wrapped.length);
  if (wrapped.length === 0 || wrapped[wrapped.length - 1] !== inBody[inBody.length - 1]) return null;
  if (!head.every((u) => isDeclaration(base.lines[u.first]!))) return null;
  // Wrapped declarations: where among the target's the guard opens, lines must tell.
  if (head.length > 0 && isDeclaration(base.lines[wrapped[0]!.first]!) && segment.anchor === 'next') return null;
  if (replacesAsBefore(edit, wrapped, base, p, into)) return null;
  const precision: Precision = 'anchored';
  if (segment.anchor === 'previous' && segment === edit.segments[edit.segments.length - 1]) {
    return { at: into.close, remove: 0, precision, whole: true, why: 'the guard closes with the function' };
  }
  if (segment.anchor !== 'next') return null;
  if (head.length === 0)
    return { at: into.open + 1, remove: 0, precision, whole: true, why: 'the guard opens with the function' };
  let at = into.open + 1;
  for (const unit of p.targetUnits.filter((u) => u.first > into.open && u.last < into.close)) {
    if (!isDeclaration(p.target.lines[unit.first]!)) break;
    at = unit.last + 1;
  }
  // The blank line after the declarations stays above the guard when it did in the base.
  if (base.lines[segment.at - 1]?.trim() === '' && p.target.lines[at]?.trim() === '') at++;
  return { at, remove: 0, precision, whole: true, why: 'the guard opens behind the declarations of the function' };
}

/**
 * A guard that puts something in the place of a body replaces what the set's authors saw there. Where all of it stands
 * together and unchanged, the guard goes around it alone: what upstream put beside it has a purpose of its own. Unless it
 * uses what the guard would take from it, or the set's declarations would come to stand behind code.
 */
function replacesAsBefore(
  edit: Edit,
  wrapped: readonly Unit[],
  base: PorterFile,
  p: Pairing,
  into: { open: number; close: number },
): boolean {
  if (edit.kind !== 'guarded-replace') return false;
  const twins = wrapped.map((u) => p.match[p.baseUnits.indexOf(u)]);
  const first = twins[0]?.to;
  if (first === undefined || !twins.every((m, i) => m?.similarity === 1 && m.to === first + i)) return false;
  const text = (file: PorterFile, u: Unit) => file.lines.slice(u.first, u.last + 1).join('');
  const last = first + wrapped.length - 1;
  const beside = p.targetUnits.filter((u, i) => u.first > into.open && u.last < into.close && (i < first || i > last));
  const isCode = (u: Unit) => !isDeclaration(text(p.target, u)) && tokens(stripComments(text(p.target, u))).length > 1;
  if (!beside.some(isCode)) return false;
  const before = beside.some((u) => u.first < p.targetUnits[first]!.first && isCode(u));
  const payload = edit.segments.flatMap((s) => s.added);
  if (before && payload.some((l) => isDeclaration(l))) return false;
  const own = new Set(wrapped.flatMap((u) => declaredIn(text(base, u))));
  return !beside.some((u) => tokens(text(p.target, u)).some((t) => own.has(t)));
}

/** The name that a line declares. */
function declaredIn(line: string): string[] {
  if (!isDeclaration(line)) return [];
  const head = stripComments(line).split('=')[0]!;
  return tokens(head)
    .filter((t) => /^[A-Za-z_]\w*$/.test(t))
    .slice(-1);
}

export function bodyLines(file: PorterFile, d: Definition): { open: number; close: number } {
  const lineAt = (offset: number) => {
    let line = d.startLine;
    for (let at = d.start; ; line++) {
      const end = file.text.indexOf('\n', at);
      if (end < 0 || end >= offset) return line;
      at = end + 1;
    }
  };
  return { open: lineAt(d.body!.start), close: lineAt(d.body!.end - 1) };
}

const DECLARATION =
  /^\s*(?:(?:const|static|volatile|unsigned|signed|register|long|short|struct|union|enum|__\w+)\s+)*[A-Za-z_]\w*\s+(?:__\w+\s*)?[\s*]*[A-Za-z_]\w*\s*(?:\[[^\]]*\]\s*)*(?:=[^;]*|,[^;]*)?;\s*$/;

/** A declaration on one line. */
export function isDeclaration(line: string): boolean {
  const code = stripComments(line);
  return DECLARATION.test(code) && !/^\s*(return|goto|else|case|break|continue)\b/.test(code);
}
