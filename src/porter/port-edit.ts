import type { Outcome } from '../core/outcome';
import { stripComments, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import type { DefinitionHeir, FileHeir } from './heirs';
import { placeInLists } from './kbuild-lists';
import type { Edit } from './lift';
import { adaptPayload } from './payload';
import {
  placeEdit,
  PLACE_AT,
  scopeOf,
  unchanged,
  type NotPlaced,
  type Nothing,
  type Placed,
  type Placement,
  type ScopePair,
} from './place';
import type { PorterFile } from './view';

/** What became of one edit. */
export interface EditResult {
  edit: Edit;
  /** One for each place that it went to; several when its definition was split. */
  placements: Placed[];
  outcome: Outcome;
  failure: NotPlaced | null;
}
/** Looks for the place of an edit in every heir of what it edits, and adapts what it adds. */
export async function portEdit(
  edit: Edit,
  base: PorterFile,
  fileHeirs: readonly FileHeir[],
  context: PortContext,
): Promise<EditResult> {
  const scopes = new Set<Definition>();
  for (const segment of edit.segments) {
    const scope = scopeOf(base, segment);
    if (scope) scopes.add(scope);
  }
  const heirsOf = new Map<Definition, DefinitionHeir[]>();
  for (const scope of scopes) heirsOf.set(scope, await context.heirs.definitions(base.path, scope));
  const gone = [...scopes].find((s) => heirsOf.get(s)!.length === 0);
  const same = await context.target.file(base.path);
  if (same?.text === base.text) {
    // Nothing to find: also what could not be followed, a lone #endif say, has its place.
    const placed = unchanged(edit, base, same);
    adaptPayload(placed, base, heirsOf, context);
    return { edit, placements: [placed], outcome: outcomeOf(edit, base, [placed]), failure: null };
  }
  const failed = (failure: NotPlaced): EditResult => ({ edit, placements: [], outcome: 'conflict', failure });
  if (!edit.balanced) {
    return failed({ placed: false, reason: 'it opens a guard that it does not close', evidence: [], candidate: null });
  }
  const listed = base.index.language === 'kbuild' ? await placeInLists(edit, base, context) : null;
  if (listed) return finish(edit, base, [listed], new Map(), context);
  const wrapped = edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : [];
  if (gone) {
    const moved = scopes.size === 1 ? await followCode(edit, base, gone, context) : null;
    if (moved?.placed) return finish(edit, base, [moved], new Map(), context);
    const [because, kind] = [`${gone.kind} '${gone.name}' is gone from the target`, edit.kind];
    if (kind === 'guard-wrap' && context.code.anywhere(wrapped) === false) {
      return obsoleteBecause(edit, `${because}, and with it the code that it guards out`);
    }
    const reason = moved?.reason ?? `${because}, and nothing is known to have taken its place`;
    return failed({ placed: false, reason, evidence: [], candidate: moved?.candidate ?? null });
  }
  const paths = new Set(
    scopes.size ? [...heirsOf.values()].flatMap((list) => list.map((h) => h.path)) : fileHeirs.map((h) => h.path),
  );
  if (paths.size === 0) {
    return failed({ placed: false, reason: `'${base.path}' is gone from the target`, evidence: [], candidate: null });
  }
  const deleted = await alreadyDeleted(edit, paths, context);
  if (deleted) return { edit, placements: [], outcome: 'already-upstream', failure: null };
  const placed: Placed[] = [];
  let failure: NotPlaced | null = null;
  let obsolete: Nothing | null = null;
  for (const path of paths) {
    const target = await context.target.file(path);
    if (!target) continue;
    const pairs = new Map<Definition, ScopePair>();
    for (const scope of scopes) {
      const heir = heirsOf.get(scope)!.find((h) => h.path === path);
      if (heir)
        pairs.set(scope, {
          base: scope,
          target: heir.definition,
          confidence: heir.confidence,
          evidence: heir.evidence,
        });
    }
    const attempt = sure(placeEdit(edit, base, target, pairs, context.aligner));
    if (attempt.placed) placed.push(attempt);
    else if (attempt.obsolete) obsolete = attempt;
    else if (!failure || (!failure.candidate && attempt.candidate)) failure = attempt;
  }
  // What upstream moved to a file of its own has other users there: to delete it is not what the set did here.
  const stray = edit.kind === 'delete' ? placed.findIndex((p) => p.file.path !== fileHeirs[0]?.path) : -1;
  if (stray >= 0) {
    const path = placed[stray]!.file.path;
    placed.splice(0);
    failure = { placed: false, reason: `upstream moved what it deletes to '${path}'`, evidence: [], candidate: null };
  }
  if (placed.length === 0 && scopes.size === 1) {
    const moved = await followCode(edit, base, [...scopes][0]!, context);
    if (moved?.placed) return finish(edit, base, [moved], new Map(), context);
  }
  if (placed.length === 0 && obsolete && !failure) {
    if (!context.code.anywhere(wrapped)) return obsoleteBecause(edit, obsolete.reason, obsolete.evidence);
    const reason = 'the code that it guards out moved to another place of the target';
    return failed({ placed: false, reason, evidence: obsolete.evidence, candidate: null });
  }
  if (placed.length === 0)
    return failed(failure ?? { placed: false, reason: 'no place found', evidence: [], candidate: null });
  // Guards and replacements of code follow it to every place where it went; what is new goes to one, the best.
  if (placed.length > 1 && !(edit.wraps && scopes.size)) {
    placed.sort((a, b) => b.confidence - a.confidence);
    placed.length = 1;
  }
  return finish(edit, base, placed, heirsOf, context);
}

function finish(
  edit: Edit,
  base: PorterFile,
  placements: Placed[],
  heirsOf: ReadonlyMap<Definition, DefinitionHeir[]>,
  context: PortContext,
): EditResult {
  for (const p of placements) adaptPayload(p, base, heirsOf, context);
  const outcome = placements.every((p) => isThere(p, base)) ? 'already-upstream' : outcomeOf(edit, base, placements);
  return { edit, placements, outcome, failure: null };
}

function obsoleteBecause(edit: Edit, reason: string, evidence: NotPlaced['evidence'] = []): EditResult {
  return { edit, placements: [], outcome: 'obsolete', failure: { placed: false, reason, evidence, candidate: null } };
}

/** A placement that is too uncertain is a candidate. */
function sure(attempt: Placement): Placement {
  if (!attempt.placed || attempt.confidence >= PLACE_AT) return attempt;
  const { file, evidence, segments, definition } = attempt;
  return {
    placed: false,
    reason: `the place is too uncertain: ${evidence.map((e) => e.text).join('; ')}`,
    evidence,
    candidate: { path: file.path, line: segments[0]!.site.at + 1, definition },
  };
}

/** At most this sure: code that went to another function may mean another thing there. */
const FOLLOWED = 0.75;

/**
 * The code that a guard wraps left its function: upstream inlined it into a caller, or gave it to another function. Every
 * telling line of it must be there; callers come first, then the same file. Null when it is nowhere, or in two places.
 */
async function followCode(
  edit: Edit,
  base: PorterFile,
  scope: Definition,
  context: PortContext,
): Promise<Placed | NotPlaced | null> {
  if (!edit.wraps || scope.kind !== 'function') return null;
  const code = base.lines.slice(edit.wraps.first, edit.wraps.last + 1);
  const callers = new Set(
    context.base.kernel
      .mentions(scope.name)
      .flatMap((m) => (m.definition.calls.includes(scope.name) ? [m.definition.name] : [])),
  );
  const found = await context.code.find(code, { callers, path: context.heirs.files(base.path)[0]?.path ?? base.path });
  if (!found) return null;
  const text = `the wrapped code of '${scope.name}' is in '${found.definition.name}' now`;
  const pair: ScopePair = {
    base: scope,
    target: found.definition,
    confidence: FOLLOWED,
    evidence: [{ kind: 'code-moved', text }],
  };
  const attempt = sure(placeEdit(edit, base, found.file, new Map([[scope, pair]]), context.aligner));
  return attempt.placed || !attempt.obsolete ? attempt : null;
}

/** True when an edit only deletes, and not one telling line of what it deletes is left in any heir of the file. */
async function alreadyDeleted(edit: Edit, paths: ReadonlySet<ByteString>, context: PortContext): Promise<boolean> {
  if (edit.kind !== 'delete') return false;
  const squeeze = (l: ByteString) => stripComments(l).replace(/\s+/g, ' ').trim();
  const gone = edit.segments
    .flatMap((s) => s.removed)
    .map(squeeze)
    .filter((l) => /\w{4}/.test(l));
  if (gone.length === 0) return false;
  for (const path of paths) {
    const lines = new Set((await context.target.file(path))?.lines.map(squeeze));
    if (gone.some((l) => lines.has(l))) return false;
  }
  return true;
}

/**
 * True when the target has the very lines that the edit adds, at the place where they would go, and the base has them not:
 * a twin of the lines above is no answer.
 */
function isThere(p: Placed, base: PorterFile): boolean {
  return p.segments.every(({ segment, site }) => {
    const added = segment.added.map((l) => l.trim()).filter(Boolean);
    if (added.length === 0 || site.remove > 0) return false;
    const same = (lines: readonly ByteString[], from: number) =>
      lines
        .slice(Math.max(0, from), from + segment.added.length)
        .map((l) => l.trim())
        .filter(Boolean)
        .join('\n') === added.join('\n');
    const around = (lines: readonly ByteString[], at: number) =>
      same(lines, at) || same(lines, at - segment.added.length);
    return around(p.file.lines, site.at) && !around(base.lines, segment.at);
  });
}

function outcomeOf(edit: Edit, base: PorterFile, placements: readonly Placed[]): Outcome {
  const [first] = placements;
  const scope = scopeOf(base, edit.segments[0]!);
  if (placements.some((p) => p.rewritten)) return 'rewritten';
  if (placements.some((p) => p.file.path !== base.path)) return 'relocated';
  if (scope && first!.definition !== null && first!.definition !== scope.name) return 'relocated';
  return contextMatches(base, first!) ? 'applied' : 'merged';
}

/** True when the three lines around every segment are word for word those of the base: `patch` would take it without fuzz. */
function contextMatches(base: PorterFile, placed: Placed): boolean {
  return placed.segments.every(({ segment, site }) => {
    const above = base.lines.slice(Math.max(0, segment.at - 3), segment.at).join('');
    const below = base.lines
      .slice(segment.at + segment.removed.length, segment.at + segment.removed.length + 3)
      .join('');
    const { lines } = placed.file;
    return (
      lines.slice(Math.max(0, site.at - 3), site.at).join('') === above &&
      lines.slice(site.at + site.remove, site.at + site.remove + 3).join('') === below
    );
  });
}
