import { stripComments, type ByteString } from '../core/text';
import type { PortContext } from './context';
import { scopeOf, type Placed } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/** At most this sure: what it calls is not there yet. */
const CALLS_NOTHING = 0.75;
/** At most this sure: it does nothing yet. */
const NO_USER = 0.75;

const FUNCTION = /^(?![ \t#}])[^;{}()#]*?\b(\w+)[ \t]*\([^;{}]*\)\s*\{/gm;
const MACRO = /^[ \t]*#[ \t]*define[ \t]+(\w+)/gm;

/** Functions and macros that some lines define. */
function definedIn(lines: readonly ByteString[]): string[] {
  const code = stripComments(lines.join(''));
  return [FUNCTION, MACRO].flatMap((pattern) => [...code.matchAll(pattern)].map((m) => m[1]!));
}

const addedBy = ({ edit }: EditResult) => edit.segments.flatMap((s) => s.added);
const speaksOf = (text: ByteString, name: string) => new RegExp(`\\b${name}\\b`).test(text);

/**
 * Macros and static functions that the set adds to a source file for code of that file: where all of that found no place,
 * or is upstream's already, they would have no user, and go with it. Under a guard of its own it stays, and that is said: a
 * guard is a switch for itself.
 */
export function leaveOutUnusedHelpers(results: readonly EditResult[], base: PorterFile): void {
  if (!base.path.endsWith('.c') || base.index.language !== 'c') return;
  const isOut = (r: EditResult) => !r.resolved && !r.made && (r.outcome === 'already-upstream' || !r.placements.length);
  for (let again = true; again;) {
    again = false;
    for (const r of results) {
      const [p] = r.placements;
      if (!p || isOut(r) || r.edit.wraps || r.edit.segments.some((s) => s.removed.length)) continue;
      if (scopeOf(base, r.edit.segments[0]!) !== null || p.definition !== null) continue;
      const text = stripComments(addedBy(r).join(''));
      const names = new Set(definedIn(addedBy(r)));
      const isOwn = (name: string) =>
        new RegExp(`#[ \\t]*define[ \\t]+${name}\\b|^static\\b[^;{}()]*\\b${name}[ \\t]*\\(`, 'm').test(text);
      if (names.size === 0 || ![...names].every(isOwn) || !definesOnly(text)) continue;
      const users = results.filter((o) => o !== r && [...names].some((n) => speaksOf(addedBy(o).join(''), n)));
      if (users.length === 0 || !users.every(isOut)) continue;
      if ([...names].some((n) => speaksOf(base.text, n) || speaksOf(p.file.text, n))) continue;
      const what = `'${[...names].join("', '")}'`;
      const upstreams = users.every((o) => o.outcome === 'already-upstream');
      if (r.edit.guard !== null && !upstreams) {
        const hunks = [...new Set(users.flatMap((o) => o.edit.hunks.map((h) => h.id)))];
        const text = `nothing uses ${what} but hunk${hunks.length > 1 ? 's' : ''} ${hunks.join(', ')}, which found no place`;
        if (p.evidence.some((e) => e.text === text)) continue;
        p.confidence = Math.min(p.confidence, NO_USER);
        p.evidence.push({ kind: 'doubt', text });
        continue;
      }
      const reason = upstreams
        ? `it defines ${what} for code that upstream has, and that does without`
        : `what it defines, ${what}, is used only by code that found no place`;
      const candidate = { path: p.file.path, line: p.segments[0]!.site.at + 1, definition: null };
      r.failure = { placed: false, reason, evidence: p.evidence, candidate };
      r.placements = [];
      r.outcome = 'conflict';
      again = true;
    }
  }
}

/** True when nothing stands at file level beside functions, macros and their conditionals. */
function definesOnly(text: ByteString): boolean {
  const rest = text
    .replace(/\\\n/g, ' ')
    .replace(/^[ \t]*#[^\n]*$/gm, '')
    .replace(FUNCTION, '{')
    .split('\n')
    .filter((l) => /^[A-Za-z_]/.test(l));
  return rest.length === 0;
}

/**
 * What the set defines in one place is called in others: where the definition found no place, and the ported tree has none,
 * its callers are said.
 */
export function sayLostDefinitions(results: readonly EditResult[], context: PortContext): void {
  const lost = new Map<string, EditResult>();
  for (const r of results) {
    if (r.outcome !== 'conflict' || r.resolved || r.made) continue;
    for (const name of definedIn(addedBy(r))) lost.set(name, r);
  }
  for (const name of [...lost.keys()]) {
    if (context.target.kernel.definitions(name).length || isDefined(name, context)) lost.delete(name);
  }
  if (lost.size === 0) return;
  for (const r of results) {
    if (r.outcome === 'already-upstream') continue;
    for (const p of r.placements) {
      const code = callingLines(p);
      for (const [name, by] of lost) {
        if (!new RegExp(`(?<![.>\\w])${name}\\b`).test(code)) continue;
        const hunks = by.edit.hunks.map((h) => h.id).join(', ');
        p.confidence = Math.min(p.confidence, CALLS_NOTHING);
        const text = `uses '${name}', which hunk ${hunks} defines: that found no place, and the target has none`;
        // Without it one only knows that the name is gone.
        p.evidence = p.evidence.filter((e) => e.kind !== 'doubt' || !e.text.startsWith(`mentions '${name}',`));
        p.evidence.push({ kind: 'doubt', text });
      }
    }
  }
}

/** A file of the ported tree defines it: an edit that has its place, or a new file. */
function isDefined(name: string, context: PortContext): boolean {
  const defines = new RegExp(
    `^(?![ \\t#}])[^;{}()#]*?\\b${name}[ \\t]*\\([^;{}]*\\)\\s*\\{|^[ \\t]*#[ \\t]*define[ \\t]+${name}\\b|^[ \\t]*\\.macro[ \\t]+${name}\\b|^\\w+\\([^)]*\\b${name}\\b[^)]*\\)`,
    'm',
  );
  return [...context.target.changes().values()].some(
    (f) => f !== null && f.text.includes(name) && defines.test(stripComments(f.text)),
  );
}

/** What stands inside of functions and macros: a declaration uses nothing. */
function callingLines(p: Placed): ByteString {
  const code = stripComments(p.segments.flatMap((s) => s.added).join(''));
  return code
    .split('\n')
    .filter((l) => /^[ \t]/.test(l))
    .join('\n');
}
