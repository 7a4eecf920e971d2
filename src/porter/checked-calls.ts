import { stripComments, tokens, type ByteString } from '../core/text';
import type { Statement } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import { statementsIn } from './blocks';
import type { PortContext } from './context';
import { conditionChange, conditionsAt } from './guards';
import type { DefinitionHeir } from './heirs';
import type { Edit } from './lift';
import { localsOf } from './locals';
import { scopeOf, type Placed } from './place';
import type { PorterFile } from './view';
import { indented } from './wraps';

/** `E = f(…);`, as a statement says it. */
interface Call {
  into: string;
  name: string;
  args: string[];
}

/** A call that the set adds behind another one, whose failure is dealt with as that one's. */
interface Joined extends Call {
  /** Lines of what the edit adds that make the call, of its own directives and comments those around it. */
  head: ByteString[];
  call: ByteString[];
  tail: ByteString[];
}

/** At most this sure: the code around it is another one now. */
const JOINED = 0.75;

/**
 * A call that the set puts behind a call of upstream's, with one and the same error: `E = g(…); if (!E) E = f(…);`, or
 * `E = g(…); if (E) goto out; E = f(…); if (E) goto out;`. What upstream does when `g` fails may look otherwise now; as long
 * as it makes that call once and looks at the answer next, `if (!E) E = f(…);` goes between the two, and a failure of `f` is
 * dealt with as one of `g`. Null for anything else.
 */
export async function joinCall(
  edit: Edit,
  base: PorterFile,
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): Promise<Placed | null> {
  const [segment] = edit.segments;
  if (!segment || edit.segments.length !== 1 || segment.removed.length || edit.wraps) return null;
  const scope = scopeOf(base, segment);
  const own = joinedCall(segment.added);
  if (scope?.kind !== 'function' || !own) return null;
  const before = callAbove(base, scope, segment.at, own.into, own.leaves);
  if (!before) return null;
  const found: Placed[] = [];
  for (const heir of heirsOf.get(scope) ?? []) {
    const target = await context.target.file(heir.path);
    if (!target || heir.definition.kind !== 'function') continue;
    const statements = statementsIn(target, heir.definition);
    const name = context.heirs.rename(before.name);
    const calls = statements.filter((s) => callOf(target, s)?.name === name);
    const [there] = calls;
    if (calls.length !== 1 || !there) continue;
    const now = callOf(target, there)!;
    const site = behind(target, statements, there, now.into);
    if (site === null) continue;
    if (conditionChange(conditionsAt(base.index, segment.at), conditionsAt(target.index, site)).length) continue;
    const names = namesOf(before, now, { file: base, fn: scope }, { file: target, fn: heir.definition });
    if (!names) continue;
    const read = (l: ByteString) =>
      l.replace(/(?<![.>\w])[A-Za-z_]\w*/g, (w) => (w === own.into ? now.into : (names.get(w) ?? w)));
    const depth = (l: ByteString) => /^\t*/.exec(l)![0].length;
    const level = depth(target.lines[site - 1]!) - (there.parent >= 0 && isBare(statements, there) ? 1 : 0);
    const call = indented(own.call.map(read), level + 1 - depth(own.call[0]!));
    const test = `${'\t'.repeat(level)}if (!${now.into})\n`;
    const why = `'${before.name}' is called here, and a failure of '${own.name}' is dealt with as one of it`;
    const added = [...own.head.map(read), test, ...call, ...own.tail.map(read)];
    found.push({
      placed: true,
      file: target,
      segments: [
        {
          segment,
          added: shiftRims(added, own, level),
          site: { at: site, remove: 0, precision: 'anchored', why },
        },
      ],
      strategy: 'structure',
      confidence: Math.min(heir.confidence, JOINED),
      evidence: [...heir.evidence, { kind: 'call-joined', text: `${target.path}:${site + 1}: ${why}` }],
      definition: heir.definition.name,
      rewritten: true,
    });
  }
  return found.length === 1 ? found[0]! : null;
}

/** The comments around the call stand as deep as it. */
function shiftRims(added: readonly ByteString[], own: Joined, level: number): ByteString[] {
  const rim = (i: number) => i < own.head.length || i >= added.length - own.tail.length;
  return added.map((l, i) => (rim(i) && /^\s*(\/\*|\*|\/\/)/.test(l) ? l.replace(/^\t*/, '\t'.repeat(level)) : l));
}

const isTrivia = (line: ByteString) => /^\s*(#|$)/.test(line) || stripComments(line).trim() === '' || isComment(line);
const isComment = (line: ByteString) => /^\s*(\/\*|\*(\s|\/)|\/\/)/.test(line);

/** What an edit adds as such a call; `leaves` is where a failure goes, null where the call is only made without one. */
function joinedCall(added: readonly ByteString[]): (Joined & { leaves: string | null }) | null {
  const first = added.findIndex((l) => !isTrivia(l));
  const last = added.findLastIndex((l) => !isTrivia(l));
  if (first < 0) return null;
  const code = added.slice(first, last + 1);
  if (code.some((l) => /^\s*#/.test(l))) return null;
  const rims = { head: trimmed(added.slice(0, first)), tail: trimmed(added.slice(last + 1)) };
  const text = stripComments(code.join('')).trim();
  const tested = /^if\s*\(\s*!\s*(\w+)\s*\)\s*/.exec(text);
  if (tested) {
    const call = readCall(text.slice(tested[0].length));
    const at = code.findIndex((l) => new RegExp(`^\\s*${tested[1]}\\s*=`).test(l));
    return call && call.into === tested[1] && at > 0 ? { ...call, ...rims, call: code.slice(at), leaves: null } : null;
  }
  const end = text.indexOf(';');
  const call = readCall(text.slice(0, end + 1));
  const leaves = /^if\s*\(\s*(\w+)\s*\)\s*(goto\s+\w+|return\s+\w+)\s*;$/.exec(text.slice(end + 1).trim());
  if (!call || leaves?.[1] !== call.into) return null;
  const lines = code.findIndex((l) => l.includes(';')) + 1;
  return { ...call, ...rims, call: code.slice(0, lines), leaves: leaves[2]!.replace(/\s+/g, ' ') };
}

function trimmed(lines: readonly ByteString[]): ByteString[] {
  return lines.filter((l) => l.trim() !== '');
}

function readCall(text: string): Call | null {
  const m = /^(\w+)\s*=\s*(\w+)\s*\(([^;{}]*)\)\s*;$/.exec(text.trim());
  return m && { into: m[1]!, name: m[2]!, args: tokens(m[3]!) };
}

const textOf = (file: PorterFile, s: { start: number; end: number }) =>
  stripComments(file.text.slice(s.start, s.end)).trim();

function callOf(file: PorterFile, s: Statement): Call | null {
  return s.kind === 'expression' ? readCall(textOf(file, s)) : null;
}

/** The statement that comes directly before a line, in the same block; null when there is none. */
function above(statements: readonly Statement[], line: number): Statement | null {
  const parents = new Set<number>();
  statements.forEach((s, i) => s.startLine < line && s.endLine >= line && parents.add(i));
  const inside = statements.filter((s) => s.endLine < line && (s.parent < 0 || parents.has(s.parent)));
  const around = [...parents].map((i) => statements[i]!.startLine);
  const [last] = inside.sort((a, b) => b.end - a.end);
  return last && around.every((start) => start < last.startLine) ? last : null;
}

/** The call that stands above a line with the same error as the set's: directly, or with its own check between. */
function callAbove(file: PorterFile, fn: Definition, line: number, into: string, leaves: string | null): Call | null {
  const statements = statementsIn(file, fn);
  let last = above(statements, line);
  if (leaves !== null) {
    const check = last && /^if\s*\(\s*(\w+)\s*\)\s*(goto\s+\w+|return\s+\w+)\s*;$/.exec(textOf(file, last));
    if (check?.[1] !== into || check[2]!.replace(/\s+/g, ' ') !== leaves) return null;
    last = above(statements, last!.startLine);
  }
  const call = last && callOf(file, last);
  return call?.into === into ? call : null;
}

/** True for a statement that is the body of a header without braces. */
function isBare(statements: readonly Statement[], s: Statement): boolean {
  return (
    statements[s.parent]?.bodies.some((b) => !b.braced && b.startLine <= s.startLine && b.endLine >= s.endLine) ?? false
  );
}

/** The line behind a call at which its answer has not been looked at yet, but is next; null when there is none. */
function behind(file: PorterFile, statements: readonly Statement[], call: Statement, into: string): number | null {
  let own = call;
  if (isBare(statements, call)) {
    own = statements[call.parent]!;
    const header = new RegExp(`^if\\s*\\(\\s*!\\s*${into}\\s*\\)\\s*${into}\\s*=`);
    if (own.kind !== 'if' || own.bodies.length !== 1 || !header.test(textOf(file, own))) return null;
    if (isBare(statements, own)) return null;
  }
  const next = statements
    .filter((s) => s.parent === own.parent && s.start >= own.end)
    .sort((a, b) => a.start - b.start)[0];
  if (!next) return null;
  const looks = new RegExp(`^(?:if\\s*\\(\\s*(?:unlikely\\s*\\(\\s*)?!?\\s*${into}\\b|return\\s+${into}\\b)`);
  return looks.test(textOf(file, next)) ? own.endLine + 1 : null;
}

interface Side {
  file: PorterFile;
  fn: Definition;
}

/**
 * How locals of the base's function read in the target's, by the arguments of one and the same call: a local may have
 * another name now, of the same type. Null when anything else changed, so that it may be another call.
 */
function namesOf(was: Call, now: Call, base: Side, target: Side): Map<string, string> | null {
  const names = new Map<string, string>();
  if (was.args.length !== now.args.length) return null;
  const of = ({ file, fn }: Side) => localsOf(fn, file.text.slice(fn.start, fn.end));
  const [mine, theirs] = [of(base), of(target)];
  for (const [i, from] of was.args.entries()) {
    const to = now.args[i]!;
    if (from === to && !names.has(from)) continue;
    if ((names.get(from) ?? to) !== to) return null;
    if (!mine.has(from) || !theirs.has(to) || theirs.has(from)) return null;
    const type = typeOf(from, base);
    if (type === null || type !== typeOf(to, target)) return null;
    names.set(from, to);
  }
  return names;
}

/** The declared type of a parameter or local; null when it is not told. */
function typeOf(name: string, { file, fn }: Side): string | null {
  const parameter = fn.signature?.parameters.find((p) => p.name === name)?.type;
  const declared = new RegExp(`^\\s*((?:(?:struct|union|enum|unsigned|const)\\s+)*\\w+[\\s*]+)${name}\\s*[;=,]`, 'm');
  const type = parameter ?? declared.exec(stripComments(file.text.slice(fn.body?.start ?? fn.start, fn.end)))?.[1];
  return type === undefined ? null : tokens(type).join(' ');
}
