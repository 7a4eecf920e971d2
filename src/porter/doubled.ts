import type { Evidence } from '../core/outcome';
import { stripComments, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { tokenLines } from './align';
import { conditionsAt } from './guards';
import { scopeOf, type Placed } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/** A line says what it is about when it has this weight: two names or more. */
export const TELLING = 0.7;
/** `if (err)` and `return err;` are everywhere: one line alone must have three names. */
const ALONE = 0.9;
/** A label is one in its function. */
const LABEL = /^(?!default )\w+ :$/;
/** From this share of its telling lines on, what an edit adds is there. */
const MOST = 0.5;
/** A run of so many telling lines is nobody's accident. */
const RUN = 3;
/** A shorter run must be this near to the place, in lines. */
const NEAR = 12;
/** How sure it is that a run of lines, or one or two of them, is the same change. */
const SURE = { run: 0.92, few: 0.85 };
/** A place that is this sure was found unchanged. */
const EXACT = 0.9;
/** What says nothing by itself is no surer. */
const ALONG = 0.75;

/**
 * Upstream may have made the change of an edit already, in other words or around other lines; then the place is found, and
 * the change would be made twice. What an edit adds is held against the definition (at file level: the file) that it goes
 * to: when its very tokens are there in a row, and the base does not have them, upstream has made it; when most of its
 * telling lines are there, it is a conflict. A function that it defines, and that is there, is one as well.
 */
export function noticeDoubled(
  results: readonly EditResult[],
  base: PorterFile,
  rename: (word: string) => string,
): void {
  const settle = (r: EditResult, p: Placed, found: Found) => {
    const evidence: Evidence = { kind: 'already-there', text: found.text };
    const target = { path: p.file.path, definition: p.definition, line: found.line + 1 };
    r.placements = [];
    if (found.sure) {
      r.outcome = 'already-upstream';
      r.there = { strategy: 'upstream', confidence: found.sure, target: [target], evidence: [evidence] };
    } else {
      r.outcome = 'conflict';
      r.failure = { placed: false, reason: found.text, evidence: [evidence], candidate: target };
    }
  };
  const placements = () =>
    results
      .filter((r) => !r.resolved && !r.made && r.outcome !== 'already-upstream')
      .flatMap((r) => r.placements.map((p) => ({ r, p })));
  for (const { r, p } of placements()) {
    const found = made(r, p, base, rename) ?? most(r, p, base, rename) ?? elsewhere(r, p, base);
    if (found && r.placements.length) settle(r, p, found);
  }
  // One that finds no place leaves a definition where it is, which another may define anew.
  for (let more = true; more;) {
    more = false;
    for (const { r, p } of placements()) {
      const found = r.placements.length ? again(r, p, results) : null;
      if (found) settle(r, p, found);
      more ||= found !== null;
    }
  }
  for (const r of results) {
    if (!r.placements.length || r.resolved || r.made || r.outcome === 'already-upstream') continue;
    goAlong(r, results);
    if (r.placements.length) movedAlready(r, results, base);
    if (r.placements.length) doubt(r, results, base);
  }
}

/** What an edit deletes and its hunk adds elsewhere in the definition moves: when upstream has it as often, it moved it, too. */
function movedAlready(r: EditResult, results: readonly EditResult[], base: PorterFile): void {
  const [p] = r.placements as [Placed];
  if (r.edit.kind !== 'delete' || p.definition === null) return;
  const gone = r.edit.segments.flatMap((s) => s.removed);
  const wanted = tokenLines(gone).flatMap((l) => (l.key ? [l.key] : []));
  const mover = results.find(
    (o) =>
      o.outcome === 'already-upstream' &&
      o.edit.hunks.some((h) => r.edit.hunks.includes(h)) &&
      runAt(
        o.edit.segments.flatMap((s) => s.added),
        wanted,
      ) !== null,
  );
  const [there, before] = regions(r.edit, p, base);
  const runs = (lines: readonly ByteString[]) => {
    let count = 0;
    for (let at = runAt(lines, wanted), from = 0; at !== null; at = runAt(lines.slice(from), wanted)) {
      from += at + 1;
      count++;
    }
    return count;
  };
  if (!mover || !isTelling(gone) || runs(there.lines) > runs(before.lines)) return;
  alreadyMade(r, SURE.few, `'${p.definition}' has what it deletes only where its hunk puts it`);
}

/** Beside changes of one definition that upstream has all made, what is found changed is changed for the same reason. */
function doubt(r: EditResult, results: readonly EditResult[], base: PorterFile): void {
  if (r.edit.guard !== null) return;
  const scope = scopeOf(base, r.edit.segments[0]!);
  const beside = results.filter(
    (o) =>
      o !== r &&
      o.edit.segments.some((s) => isTelling([...s.added, ...s.removed])) &&
      o.edit.hunks.some((h) => r.edit.hunks.includes(h)) &&
      scopeOf(base, o.edit.segments[0]!) === scope,
  );
  if (beside.length === 0 || beside.some((o) => o.outcome !== 'already-upstream')) return;
  const text = 'upstream has made the other changes of its hunk there already';
  const changed = r.placements.find((p) => p.confidence < EXACT && r.edit.segments.some((s) => s.removed.length));
  if (changed) {
    r.failure = { placed: false, reason: text, evidence: changed.evidence, candidate: placeOf(changed) };
    r.placements = [];
    r.outcome = 'conflict';
  }
  for (const p of r.placements) {
    p.confidence = Math.min(p.confidence, ALONG);
    p.evidence.push({ kind: 'doubt', text });
  }
}

function placeOf(p: Placed) {
  return { path: p.file.path, definition: p.definition, line: p.segments[0]!.site.at + 1 };
}

function alreadyMade(r: EditResult, confidence: number, text: string): void {
  const target = r.placements.map(placeOf);
  r.placements = [];
  r.outcome = 'already-upstream';
  r.there = { strategy: 'upstream', confidence, target, evidence: [{ kind: 'already-there', text }] };
}

/** Braces and blank lines say nothing by themselves: beside changes of one hunk that upstream has all made, they are of them. */
function goAlong(r: EditResult, results: readonly EditResult[]): void {
  const says = (o: EditResult) => o.edit.segments.some((s) => isTelling([...s.added, ...s.removed]));
  if (r.edit.guard !== null || says(r)) return;
  const beside = results.filter((o) => o !== r && says(o) && o.edit.hunks.some((h) => r.edit.hunks.includes(h)));
  if (beside.length === 0 || beside.some((o) => o.outcome !== 'already-upstream')) return;
  alreadyMade(r, ALONG, 'upstream has made the other changes of its hunk');
}

/** Without a beginning in the middle of a comment: a piece of one does not say that it is. */
export function code(lines: readonly ByteString[]): ByteString[] {
  const first = lines.findIndex((l) => l.trim() !== '' && !/^\s*\*(\s|\/|$)/.test(l));
  return first < 0 ? [] : lines.slice(first);
}

export function isTelling(lines: readonly ByteString[]): boolean {
  return tokenLines(code(lines)).some((l) => l.weight >= TELLING);
}

interface Found {
  text: string;
  /** 0-based line of the target. */
  line: number;
  /** Set when upstream has made the change. */
  sure?: number;
}

type Rename = (word: string) => string;

/** The tokens that an edit adds are there in a row. */
function made({ edit }: EditResult, p: Placed, base: PorterFile, rename: Rename): Found | null {
  if (edit.wraps || edit.segments.some((s) => s.removed.length)) return null;
  const added = tokenLines(code(p.segments.flatMap((s) => s.added))).filter((l) => l.key !== '');
  const telling = added.filter((l) => l.weight >= TELLING || LABEL.test(l.key));
  if (telling.length === 0) return madeComment(edit, p, base);
  if (telling.length < RUN && !telling.some((l) => l.weight >= ALONE || LABEL.test(l.key))) return null;
  const [there, before] = regions(edit, p, base);
  const wanted = added.map((l) => l.key);
  const at = runAt(there.lines, wanted);
  if (at === null) return null;
  const line = there.first + at;
  const site = p.segments[0]!.site.at;
  if (excludes(conditionsAt(p.file.index, line), conditionsAt(p.file.index, site))) return null;
  const isNear = Math.abs(line - site) <= NEAR + wanted.length;
  // The base may have it, too, farther from its place: the set moves it, and so did upstream.
  const own = edit.segments[0]!.at;
  const reach = isNear ? Math.abs(line - site) + wanted.length + 2 : 0;
  const beside = isNear ? base.lines.slice(Math.max(0, own - reach), own + reach) : before.lines;
  if (runAt(beside, wanted, rename) !== null) return null;
  const few = telling.length < RUN;
  const isInclude = added.every((l) => /^# ?include\b/.test(l.key));
  if (few && !isInclude && !isNear) return null;
  const where = p.definition === null ? `'${p.file.path}'` : `'${p.definition}'`;
  const text = `${where} has the lines that it adds, at line ${line + 1}, which the base has not`;
  return { text, line, sure: few && !isInclude ? SURE.few : SURE.run };
}

/** The lines that an edit adds to a comment are in a row near its place, and not in the base. */
function madeComment(edit: EditResult['edit'], p: Placed, base: PorterFile): Found | null {
  const added = sentences(edit.segments.flatMap((s) => s.added));
  if (added.length === 0 || edit.segments.some((s) => isTelling(s.added))) return null;
  const site = p.segments[0]!.site.at;
  const from = Math.max(0, site - COMMENT);
  const has = (lines: readonly ByteString[]) => sentences(lines).join('\n').includes(added.join('\n'));
  if (!has(p.file.lines.slice(from, site + COMMENT)) || has(base.lines)) return null;
  const line = from + p.file.lines.slice(from).findIndex((l) => sentences([l])[0] === added[0]);
  return { text: `line ${line + 1} has the comment that it adds, which the base has not`, line, sure: SURE.few };
}

/** Lines that a long comment may have. */
const COMMENT = 40;

/** First line of a run of lines with these tokens, blank lines and comments apart; line breaks do not matter. */
function runAt(lines: readonly ByteString[], wanted: readonly string[], rename?: Rename): number | null {
  const keys = tokenLines(lines, rename).map((l) => l.key);
  const run = wanted.join(' ');
  for (let i = 0; i < keys.length; i++) {
    if (!keys[i] || !run.startsWith(keys[i]!)) continue;
    let text = '';
    for (let k = i; k < keys.length && text.length < run.length; k++) if (keys[k]) text += (text && ' ') + keys[k];
    if (text === run) return i;
  }
  return null;
}

/** Most of the telling lines that an edit adds to a definition are there, and the base does not have them. */
function most({ edit }: EditResult, p: Placed, base: PorterFile, rename: Rename): Found | null {
  if (p.definition === null) return null;
  const [there, before] = regions(edit, p, base);
  const count = (keys: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const k of keys) counts.set(k, (counts.get(k) ?? 0) + 1);
    return counts;
  };
  const keysOf = (lines: readonly ByteString[], by?: Rename) => [
    ...tokenLines(code(lines), by).flatMap((l) => (l.weight >= TELLING && !/^#/.test(l.key) ? [l.key] : [])),
    ...sentences(lines),
  ];
  const [now, was] = [count(keysOf(there.lines)), count(keysOf(before.lines, rename))];
  const removed = new Set(
    keysOf(
      p.segments.flatMap((s) => s.segment.removed),
      rename,
    ),
  );
  const added = [...new Set(keysOf(p.segments.flatMap((s) => s.added)))].filter((k) => !removed.has(k));
  const doubled = added.filter((k) => (now.get(k) ?? 0) > (was.get(k) ?? 0));
  if (doubled.length === 0 || doubled.length < MOST * added.length) return null;
  // Upstream opened the same block around what is found.
  const { at } = p.segments[0]!.site;
  const above = p.file.lines.slice(0, at).findLast((l) => stripComments(l).trim() !== '');
  const [opened] = keysOf([above ?? '']).filter((k) => k.endsWith('{') && k === added[0]);
  const alone = (key: string) => key.startsWith('/*') || key === opened || tokenLines([key])[0]!.weight >= ALONE;
  if (doubled.length < RUN && !doubled.some(alone)) return null;
  const line = there.first + tokenLines(there.lines).findIndex((l) => l.key === doubled[0]);
  const what =
    added.length === 1 ? 'the line that it adds' : `${doubled.length} of the ${added.length} lines that it adds`;
  return { text: `'${p.definition}' has ${what} already, at line ${line + 1}, which the base has not`, line };
}

/** Lines of comments that say as much as a line of code: four words. */
function sentences(lines: readonly ByteString[]): string[] {
  return lines.flatMap((l) => {
    const said = /^\s*(?:\/\*+|\*|\/\/)\s*([^]*?)\s*(?:\*\/)?\s*$/.exec(l)?.[1]?.replace(/\s+/g, ' ') ?? '';
    return said.split(' ').length >= 4 ? [`/* ${said}`] : [];
  });
}

/** Most of the telling lines of what an edit adds to a file are in a function that upstream has added to it. */
function elsewhere({ edit }: EditResult, p: Placed, base: PorterFile): Found | null {
  if (p.definition !== null || edit.guard !== null || p.file.index.language !== 'c') return null;
  const keysOf = (lines: readonly ByteString[]) =>
    new Set(tokenLines(code(lines)).flatMap((l) => (l.weight >= TELLING && !/^#/.test(l.key) ? [l.key] : [])));
  const added = keysOf(p.segments.flatMap((s) => s.added));
  if (added.size < RUN) return null;
  for (const d of p.file.outer) {
    if (d.kind !== 'function' || base.outer.some((b) => b.name === d.name)) continue;
    const there = keysOf(p.file.lines.slice(d.startLine, d.endLine + 1));
    const shared = [...added].filter((k) => there.has(k)).length;
    if (shared < RUN || shared <= MOST * added.size) continue;
    const text = `${shared} of the ${added.size} lines that it adds are in '${d.name}', which the base does not have`;
    return { text, line: d.startLine };
  }
  return null;
}

/** A function or macro that an edit defines is in the file, and no edit takes that one away. */
function again({ edit }: EditResult, p: Placed, results: readonly EditResult[]): Found | null {
  if (edit.guard !== null || p.file.index.language !== 'c') return null;
  const text = stripComments(p.segments.flatMap((s) => s.added).join(''));
  const conditions = conditionsAt(p.file.index, p.segments[0]!.site.at);
  const placed = results.flatMap((r) => (r.outcome === 'already-upstream' ? [] : r.placements));
  const isTaken = (line: number) =>
    placed.some(
      (o) =>
        o.file.path === p.file.path && o.segments.some((s) => s.site.at <= line && line < s.site.at + s.site.remove),
    );
  for (const [kind, pattern] of DEFINES) {
    for (const [, name] of text.matchAll(pattern)) {
      const own = p.file.index.definitions.find(
        (d) =>
          d.kind === kind &&
          d.name === name &&
          !excludes(d.guards, conditions) &&
          !isTaken(
            d.startLine +
              p.file.text
                .slice(d.start)
                .split('\n')
                .findIndex((l) => l.includes(name)),
          ),
      );
      if (own)
        return { text: `it defines '${name}', which the target has at line ${own.startLine + 1}`, line: own.startLine };
    }
  }
  return null;
}

const DEFINES = [
  ['function', /^(?![ \t#}])[^;{}()#]*?\b(\w+)[ \t]*\([^;{}]*\)\s*(?:\{|$(?![^]))/gm],
  ['macro', /^[ \t]*#[ \t]*define[ \t]+(\w+)/gm],
] as const;

/** Two stacks of conditions that cannot hold together. */
export function excludes(a: readonly string[], b: readonly string[]): boolean {
  const negated = (c: string) => (c.startsWith('!') ? c.slice(1) : `!${c}`);
  return a.some((c) => b.includes(negated(c)));
}

interface Region {
  lines: readonly ByteString[];
  /** 0-based line of the file. */
  first: number;
}

/** What surrounds an edit in the target and in the base: the definitions, at file level the files. */
function regions(edit: EditResult['edit'], p: Placed, base: PorterFile): [Region, Region] {
  const of = (file: PorterFile, d: Definition | null | undefined): Region =>
    d ? { lines: file.lines.slice(d.startLine, d.endLine + 1), first: d.startLine } : { lines: file.lines, first: 0 };
  const at = p.segments[0]!.site.at;
  const held = (d: Definition) => d.startLine <= at && at <= d.endLine + 1;
  const scope = p.definition === null ? null : p.file.outer.find((d) => d.name === p.definition && held(d));
  return [of(p.file, scope), of(base, scope ? scopeOf(base, edit.segments[0]!) : null)];
}
