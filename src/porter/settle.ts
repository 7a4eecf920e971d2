import { stripComments, tokens } from '../core/text';
import { isDeclaration, statementsIn } from './blocks';
import { scopeOf } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/**
 * Edits of one function that declare a local and those that use it stand or fall together.
 *
 * A guard around a declaration alone only follows the guards around its uses: where these have nothing left to do, it has
 * nothing either. A declaration that the set adds for code which found no place is not made alone.
 */
export function settleDeclarations(results: readonly EditResult[], base: PorterFile): void {
  for (const result of results) {
    const { edit } = result;
    const scope = scopeOf(base, edit.segments[0]!);
    if (scope?.kind !== 'function') continue;
    const others = results.filter((r) => r !== result && scopeOf(base, r.edit.segments[0]!) === scope);
    const wrapped = wrappedDeclarations(result, base);
    if (wrapped.size && result.outcome === 'conflict') {
      const users = others.filter((r) => mentions(wrappedText(r, base), wrapped));
      if (users.length && users.every((r) => r.outcome === 'obsolete') && !usedOutside(result, users, wrapped, base)) {
        const reason = `the guard around the uses of '${[...wrapped].join("', '")}' has nothing left to do`;
        result.outcome = 'obsolete';
        result.failure = { placed: false, reason, evidence: result.failure?.evidence ?? [], candidate: null };
      }
      const without =
        users.length && !usedOutside(result, users, wrapped, base) ? goneFrom(wrapped, users, result, base) : [];
      if (without.length) {
        const reason = `the code under the guard of the uses of '${[...wrapped].join("', '")}' does without in ${without.join(', ')}`;
        result.outcome = 'obsolete';
        result.failure = { placed: false, reason, evidence: result.failure?.evidence ?? [], candidate: null };
      }
      continue;
    }
    const declared = addedDeclarations(result);
    if (declared.size === 0 || result.placements.length === 0) continue;
    const users = others.filter((r) => mentions(addedText(r), declared));
    if (users.length === 0 || users.some((r) => r.outcome !== 'conflict')) continue;
    const [first] = result.placements;
    result.outcome = 'conflict';
    result.failure = {
      placed: false,
      reason: `what it declares, '${[...declared].join("', '")}', is used only by code that found no place`,
      evidence: [],
      candidate: { path: first!.file.path, line: first!.segments[0]!.site.at + 1, definition: first!.definition },
    };
    result.placements = [];
  }
}

const NAME = /([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*(?:=[^;]*)?;\s*$/;

/** Locals that a guard wraps the declarations of, when it wraps nothing else. */
function wrappedDeclarations({ edit }: EditResult, base: PorterFile): Set<string> {
  const names = new Set<string>();
  if (!edit.wraps || edit.kind !== 'guard-wrap') return names;
  for (let line = edit.wraps.first; line <= edit.wraps.last; line++) {
    const code = stripComments(base.lines[line]!).trim();
    if (code === '') continue;
    const name = isDeclaration(code) ? NAME.exec(code)?.[1] : undefined;
    if (name === undefined) return new Set();
    names.add(name);
  }
  return names;
}

/**
 * The functions to which the guards around the uses of locals went, when upstream took the locals from all of them. None
 * when a use has no place, when a function still speaks of one, or when it has a new local of such a type: a rename.
 */
function goneFrom(
  names: ReadonlySet<string>,
  users: readonly EditResult[],
  own: EditResult,
  base: PorterFile,
): string[] {
  const scope = scopeOf(base, own.edit.segments[0]!)!;
  const was = base.text.slice(scope.start, scope.end);
  const types = declaredIn(was).flatMap((d) => (names.has(d.name) ? [d.type] : []));
  const before = new Set(declaredIn(was).map((d) => d.name));
  const found = new Set<string>();
  for (const user of users) {
    if (user.outcome === 'obsolete') continue;
    if (user.placements.length === 0) return [];
    for (const p of user.placements) {
      const heir = p.file.outer.find((d) => d.kind === 'function' && d.name === p.definition);
      const is = heir ? stripComments(p.file.text.slice(heir.start, heir.end)) : '';
      if (!heir || mentions(is, names)) return [];
      if (declaredIn(is).some((d) => types.includes(d.type) && !before.has(d.name))) return [];
      found.add(`'${heir.name}'`);
    }
  }
  return [...found];
}

/** A declaration: its type without pointers, and its declarators. */
const DECLARATION = /^((?:(?:const|static|struct|union|enum|unsigned|signed|long|short)\s+)*\w+)[\s*]+(\w.*)$/;

/** The locals of a function with what their types are called. */
function declaredIn(text: string): { name: string; type: string }[] {
  return stripComments(text)
    .split('\n')
    .flatMap((line) => {
      const [, type, list] = isDeclaration(line.trim()) ? (DECLARATION.exec(line.trim()) ?? []) : [];
      if (type === undefined) return [];
      const names = list!.split(',').flatMap((d) => /^[\s*]*([A-Za-z_]\w*)/.exec(d)?.[1] ?? []);
      return names.map((name) => ({ name, type: tokens(type).join(' ') }));
    });
}

/** Locals that an edit declares, when it adds nothing else. */
function addedDeclarations({ edit }: EditResult): Set<string> {
  const names = new Set<string>();
  if (edit.wraps || edit.segments.some((s) => s.removed.length)) return names;
  for (const line of edit.segments.flatMap((s) => s.added)) {
    const code = stripComments(line).trim();
    if (code === '' || code.startsWith('#')) continue;
    const name = isDeclaration(code) ? NAME.exec(code)?.[1] : undefined;
    if (name === undefined) return new Set();
    names.add(name);
  }
  return names;
}

function wrappedText({ edit }: EditResult, base: PorterFile): string {
  return edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1).join('') : '';
}

const addedText = ({ edit }: EditResult) => edit.segments.flatMap((s) => s.added).join('');

const mentions = (text: string, names: ReadonlySet<string>) => tokens(text).some((t) => names.has(t));

/** True when the base uses a local outside of what the guards wrap. */
function usedOutside(
  own: EditResult,
  users: readonly EditResult[],
  names: ReadonlySet<string>,
  base: PorterFile,
): boolean {
  const scope = scopeOf(base, own.edit.segments[0]!)!;
  const ranges = [own, ...users].flatMap((r) => (r.edit.wraps ? [r.edit.wraps] : []));
  return statementsIn(base, scope).some(
    (s) =>
      s.bodies.length === 0 &&
      !ranges.some((w) => s.startLine >= w.first && s.endLine <= w.last) &&
      mentions(base.text.slice(s.start, s.end), names),
  );
}
