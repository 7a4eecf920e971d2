import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { tokenLines, type TokenLine } from './align';
import { TELLING } from './doubled';
import { scopeOf, type Placed, type PlacedSegment } from './place';
import type { EditResult } from './port-edit';
import { definitionAt, type PorterFile } from './view';

/** At most this sure: upstream has made a part of what is placed. */
const IN_PART = 0.75;
/** How sure it is that lines of the function that kept the name are the same change. */
const NAMED = 0.85;

type Rename = (word: string) => string;

/**
 * Upstream may have made a part of what an edit adds, right where it goes. Its first or last lines that stand there are not
 * made again; one in its middle leaves no place for it. The same for what upstream says there in its own words, and for
 * what the function has that kept the name, while the place was found in another.
 */
export function noticeParts(results: readonly EditResult[], base: PorterFile, rename: Rename): void {
  // What the set takes out elsewhere, it moves.
  const taken = new Set<number>();
  for (const s of results.flatMap((r) => (r.edit.guard === null ? r.edit.segments : [])))
    s.removed.forEach((_, i) => taken.add(s.at + i));
  for (const r of results) {
    if (r.resolved || r.made || r.outcome === 'already-upstream' || r.placements.length !== 1) continue;
    if (base.index.language !== 'c' || r.edit.guard !== null) continue;
    const [p] = r.placements as [Placed];
    const scope = scopeOf(base, r.edit.segments[0]!);
    const heir = definitionAt(p.file, p.segments[0]!.site.at);
    if (scope?.kind !== 'function' || heir?.kind !== 'function') continue;
    const named = inNamesake(r, p, scope, base, rename);
    if (named) {
      const { file } = p;
      r.placements = [];
      r.outcome = 'already-upstream';
      const evidence = [{ kind: 'already-there', text: named.text }];
      const target = [{ path: file.path, definition: scope.name, line: named.line + 1 }];
      r.there = { strategy: 'upstream', confidence: NAMED, target, evidence };
      continue;
    }
    const known = new Map<string, number>();
    tokenLines(base.lines.slice(scope.startLine, scope.endLine + 1), rename).forEach(({ key }, i) => {
      if (!taken.has(scope.startLine + i)) known.set(key, (known.get(key) ?? 0) + 1);
    });
    const fresh = freshLines(p.file, heir, known);
    const reason = p.segments.map((s) => inOwnWords(s, p, fresh) ?? leaveOutMade(s, p, fresh)).find((x) => x !== null);
    if (reason) refuse(r, p, reason);
  }
}

function refuse(r: EditResult, p: Placed, reason: string): void {
  const candidate = { path: p.file.path, line: p.segments[0]!.site.at + 1, definition: p.definition };
  r.failure = { placed: false, reason, evidence: p.evidence, candidate };
  r.placements = [];
  r.outcome = 'conflict';
}

/** For each line of a definition its tokens; null where the base's has such a line as often. Blank lines have no key. */
type Fresh = ReadonlyMap<number, TokenLine | null>;

function freshLines(file: PorterFile, heir: Definition, known: ReadonlyMap<string, number>): Fresh {
  const lines = tokenLines(file.lines.slice(heir.startLine, heir.endLine + 1));
  const now = new Map<string, number>();
  for (const { key } of lines) now.set(key, (now.get(key) ?? 0) + 1);
  return new Map(
    lines.map((l, i) => [heir.startLine + i, l.key === '' || now.get(l.key)! > (known.get(l.key) ?? 0) ? l : null]),
  );
}

/** A line of code that upstream put beside a place. */
interface Beside extends TokenLine {
  line: number;
}

/** Lines that upstream put right above (or below) a place, nearest first; blank lines and comments do not part them. */
function runBeside(fresh: Fresh, at: number, step: 1 | -1): Beside[] {
  const run: Beside[] = [];
  for (let line = step === 1 ? at : at - 1; ; line += step) {
    const found = fresh.get(line);
    if (!found) return run;
    if (found.key !== '') run.push({ ...found, line });
  }
}

const indent = (line: ByteString | undefined) => /^[ \t]*/.exec(line ?? '')![0];

/**
 * Leaves out the first or last statements of a segment where upstream has them right there, in the same block. Null when
 * the rest has its place; else why it has none.
 */
function leaveOutMade(s: PlacedSegment, p: Placed, fresh: Fresh): string | null {
  const code = tokenLines(s.added).flatMap((l, i) => (l.key === '' ? [] : [{ ...l, i }]));
  const [above, below] = [runBeside(fresh, s.site.at, -1), runBeside(fresh, s.site.at + s.site.remove, 1)];
  type Own = (typeof code)[number];
  const same = (l: Own, there: Beside | undefined) =>
    there?.key === l.key && indent(s.added[l.i]) === indent(p.file.lines[there.line]);
  const kept = new Set(tokenLines(s.segment.removed).map((l) => l.key));
  // A jump says nothing without its condition.
  const says = (l: Own) => l.weight >= TELLING && l.key.endsWith(';') && !JUMP.test(l.key) && !kept.has(l.key);
  const isMade = (l: Own) => says(l) && [...above, ...below].some((b) => same(l, b));
  const made = code.filter(isMade);
  if (made.length === 0 || made.length === code.length) return null;
  const said = `upstream has '${s.added[made[0]!.i]!.trim()}' there already`;
  const [first, last] = [code.findIndex((l) => !isMade(l)), code.findLastIndex((l) => !isMade(l))];
  const [head, tail] = [code.slice(0, first), code.slice(last + 1)];
  // With both ends there the rest would have to part upstream's lines, and so it would with one in the middle.
  if (head.length + tail.length < made.length || (head.length && tail.length))
    return `${said}, amid other lines than the set's`;
  const inRow = (own: readonly Own[], run: readonly Beside[]) => own.every((l, i) => same(l, run[i]));
  const up = inRow([...(head.length ? head : tail)].reverse(), above);
  const down = inRow(head.length ? head : tail, below);
  const [near, far] = head.length ? [up, down] : [down, up];
  if (!near && !(far && s.site.remove === 0)) return `${said}, but not beside the lines that the set puts with it`;
  // What is left must be whole statements.
  if (tail.length && !/[;{}:]$/.test(code[last]!.key)) return `${said}, without what the set puts around it`;
  if (head.length) {
    // The comment of what is left stays with it.
    s.added = s.added.slice(head[head.length - 1]!.i + 1);
    if (!near) s.site = { ...s.site, at: below[head.length - 1]!.line + 1 };
  } else {
    s.added = s.added.slice(0, code[last]!.i + 1);
    if (!near) s.site = { ...s.site, at: above[tail.length - 1]!.line };
  }
  p.rewritten = true;
  p.confidence = Math.min(p.confidence, IN_PART);
  p.evidence.push({ kind: 'doubt', text: `${said}, which is not made again` });
  return null;
}

const JUMP = /^(?:return \S.*|goto \w+) ;$/;
/** What every function returns says nothing. */
const COMMON = /^return (?:0|1|ret|err|error|rc|NULL|true|false) ;$/;

/** A check with a jump, and right beside it upstream's own check of the same variable with the same jump. */
function inOwnWords(s: PlacedSegment, p: Placed, fresh: Fresh): string | null {
  const code = tokenLines(s.added).filter((l) => l.key !== '');
  const check = checkOf(code);
  if (code.length !== 2 || !check || s.segment.removed.some((l) => l.trim() !== '')) return null;
  const lines = [...fresh.keys()].filter((line) => tokenLines([p.file.lines[line]!])[0]!.key !== '');
  const below = lines.findIndex((line) => line >= s.site.at + s.site.remove);
  const above = lines.findLastIndex((line) => line < s.site.at) - 1;
  for (const at of [below, above]) {
    const line = lines[at];
    // The jump may be in the base, too; the check is not.
    if (line === undefined || !fresh.get(line)) continue;
    const theirs = checkOf(tokenLines([line, lines[at + 1] ?? line].map((l) => p.file.lines[l]!)));
    const shared = theirs?.jump === check.jump && theirs.names.find((n) => check.names.includes(n));
    if (shared)
      return `upstream checks '${shared}' there in its own words, at line ${line + 1}, and leaves in the same way`;
  }
  return null;
}

function checkOf(code: readonly TokenLine[]): { jump: string; names: string[] } | null {
  const [head, jump] = code;
  if (!head || !jump || head.tokens[0] !== 'if' || !JUMP.test(jump.key) || COMMON.test(jump.key)) return null;
  const names = head.tokens.filter((w, i) => i > 0 && /^[A-Za-z_]\w*$/.test(w) && head.tokens[i + 1] !== '(');
  return { jump: jump.key, names };
}

/** The function that kept the name has all lines that an edit adds, which the base has not; the place is in another. */
function inNamesake(
  r: EditResult,
  p: Placed,
  scope: Definition,
  base: PorterFile,
  rename: Rename,
): { text: string; line: number } | null {
  if (r.edit.segments.some((s) => s.removed.length) || p.definition === scope.name) return null;
  const named = p.file.outer.find((d) => d.kind === 'function' && d.name === scope.name);
  const added = tokenLines(p.segments.flatMap((s) => s.added)).filter((l) => l.key !== '');
  const telling = added.filter((l) => l.weight >= TELLING);
  if (!named || telling.length === 0) return null;
  const lines = tokenLines(p.file.lines.slice(named.startLine, named.endLine + 1));
  const there = new Set(lines.map((l) => l.key));
  const was = new Set(tokenLines(base.lines.slice(scope.startLine, scope.endLine + 1), rename).map((l) => l.key));
  if (!added.every((l) => there.has(l.key)) || telling.some((l) => was.has(l.key))) return null;
  const line = named.startLine + lines.findIndex((l) => l.key === telling[0]!.key);
  return { text: `'${scope.name}' has what it adds, at line ${line + 1}, which the base has not`, line };
}
