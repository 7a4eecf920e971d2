import { isDeadWeight, PLACED } from '../../core/outcome';
import { tokens, type ByteString } from '../../core/text';
import { hunksOf, type PatchSet } from '../../patch-set/patch-set';
import type { Hunk } from '../../core/patch';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { Adaptations, type Excuse } from './adapted';
import { similarity } from '../../porter/align';
import { plainLines } from '../scan';

/** A hunk is there when this share of its lines is. */
const ENOUGH = 0.5;

/** A line is an adapted one when this share of its tokens is the same. */
const ALIKE = 0.65;

/** Outcomes whose text may well be another's. */
const LOOSE: ReadonlySet<string> = new Set(['rewritten', 'generated', 'already-upstream']);

const EXCUSES: Record<Excuse['why'], string> = {
  moved: 'stands in another file',
  'reads-otherwise': 'reads otherwise there',
  'stands-elsewhere': 'has its names in another place',
  'place-gone': 'was written for a place that the target does not have',
  'uses-gone': 'uses what the target does not have',
};

function alike(a: readonly string[], b: readonly string[]): boolean {
  return similarity(a, b) >= ALIKE;
}

/**
 * Every hunk of the set has an end, and the tree agrees with it: what was placed is in the tree, with each of its guard
 * ends. Without a port report the tree alone is asked.
 */
export const accounting: Check = {
  name: 'accounting',
  async run(ctx) {
    if (!ctx.set) return skipped('accounting', ctx.noSet!);
    const findings: Finding[] = [];
    const reported = new Set<string>();
    for (const h of ctx.report?.hunks ?? []) {
      if (reported.has(h.id)) findings.push(about(h.id, h.path, `hunk ${h.id} is reported twice`, 'reported-twice'));
      reported.add(h.id);
    }
    if (ctx.report) {
      const sum = Object.values(ctx.report.summary.byOutcome).reduce((a, b) => a + b, 0);
      if (sum !== ctx.report.summary.hunks) {
        findings.push(about(null, '', `the outcomes sum up to ${sum} of ${ctx.report.summary.hunks} hunks`, 'sum'));
      }
    }
    const lines = await portLines(ctx);
    let baseLines: Set<string> | null = null;
    const moved = () => (baseLines ??= linesOfBase(ctx));
    const rewritten = new Set<ByteString>();
    const wentTo = new Map<ByteString, ByteString[]>();
    for (const f of ctx.report?.files ?? []) {
      wentTo.set(f.path, f.targetPaths);
      if (f.outcome === 'rewritten') for (const p of f.targetPaths) rewritten.add(p);
    }
    const hunksOfLine = addedBy(ctx.set);
    const adaptations = ctx.setFiles.size > 0 ? Adaptations.of(ctx, hunksOfLine) : null;
    // Of a port that has no report, nobody said that its words are the set's: then an adapted line is for a look.
    const review = async (path: ByteString, hunk: Hunk, lost: string[], all: number): Promise<boolean> => {
      if (!adaptations || ctx.hunkReports.has(hunk.id)) return false;
      await adaptations.read(path);
      const excuses = adaptations.excuses(path, hunk, lost);
      if (excuses.length < lost.length) return false;
      const e = excuses.find((x) => x.at !== null) ?? excuses[0]!;
      const words = `${lost.length} of the hunk's ${all} added lines are not in the port as they are: '${e.line.slice(1).trim().slice(0, 60)}' ${EXCUSES[e.why]}`;
      findings.push({
        ...about(hunk.id, e.at?.path ?? path, words, 'hunk-adapted-review'),
        line: e.at === null ? null : e.at.line + 1,
      });
      return true;
    };
    let total = 0;
    let whole = 0;
    let present = 0;
    const left: Record<string, number> = {};
    for (const { change, hunk } of hunksOf(ctx.set)) {
      if (change.binary !== null) continue;
      total++;
      if (change.status === 'added') whole++;
      const report = ctx.hunkReports.get(hunk.id);
      if (ctx.report && !report && change.status !== 'added' && change.status !== 'deleted') {
        findings.push(about(hunk.id, hunk.path, `hunk ${hunk.id} has no outcome in the report`, 'no-outcome'));
      }
      if (report?.skipped) {
        left.skipped = (left.skipped ?? 0) + 1;
        continue;
      }
      if (report && isDeadWeight(report)) {
        // Nobody has to decide about it: it is none of what is left.
        left['without effect'] = (left['without effect'] ?? 0) + 1;
        continue;
      }
      if (report && !PLACED.has(report.outcome)) {
        left[report.outcome] = (left[report.outcome] ?? 0) + 1;
        if (report.outcome === 'conflict') {
          findings.push(about(hunk.id, hunk.path, `not ported: ${report.message ?? 'conflict'}`, 'not-ported'));
        }
        continue;
      }
      const wanted = hunk.lines.filter((l) => l[0] === '+' && isTelling(l)).map((l) => squeeze(l.slice(1)));
      if (wanted.length === 0) {
        present++;
        continue;
      }
      const places = new Set<ByteString>([
        hunk.path,
        ...(report?.target.map((t) => t.path) ?? []),
        ...(change.status === 'added' ? (wentTo.get(hunk.path) ?? []) : []),
      ]);
      // Nobody says where a file went that is gone from the target: one of its name that the port changed.
      if (!report && !ctx.ported.has(hunk.path)) {
        const name = hunk.path.slice(hunk.path.lastIndexOf('/'));
        for (const p of ctx.portFiles.keys()) if (p.endsWith(name)) places.add(p);
      }
      let best = 0;
      for (const place of places) {
        const pool = lines.get(place);
        if (pool) best = Math.max(best, wanted.filter((w) => pool.has(w)).length / wanted.length);
      }
      if (best < ENOUGH && report?.outcome !== 'rewritten' && report?.outcome !== 'generated') {
        // What several hunks add alike, guards above all, does not say that this one went to another file.
        const payload = wanted.filter((w) => hunksOfLine.get(w)?.size === 1);
        const anywhere = [...lines].find(
          ([p, pool]) =>
            payload.length > 0 &&
            ctx.portFiles.has(p) &&
            payload.filter((w) => (pool.get(w)?.length ?? 0) > 0).length / payload.length >= ENOUGH,
        );
        const missing = hunk.lines.filter(
          (l) => l[0] === '+' && isTelling(l) && ![...places].some((p) => lines.get(p)?.has(squeeze(l.slice(1)))),
        );
        if ((anywhere && !report) || (await review(hunk.path, hunk, missing, wanted.length))) present++;
        else {
          findings.push(
            about(
              hunk.id,
              hunk.path,
              `${Math.round(best * 100)} % of the hunk's ${wanted.length} added lines are in the ported tree`,
              'hunk-missing',
            ),
          );
        }
      } else {
        present++;
        if (report && LOOSE.has(report.outcome)) continue;
        const pools = [...places].map((place) => lines.get(place)).filter((pool) => pool !== undefined);
        const lost = hunk.lines.filter(
          (l) => l[0] === '+' && isTelling(l) && !pools.some((pool) => pool.has(squeeze(l.slice(1)))),
        );
        // An adapted line still has most of its words somewhere in the file.
        const gone = lost.filter(
          (l) => !pools.some((pool) => [...pool.values()].some((t) => alike(tokens(l.slice(1)), t))),
        );
        if (gone.length === 0 || (await review(hunk.path, hunk, gone, wanted.length))) continue;
        // A new file of the set that upstream has by now: what the set had moved there from the base is upstream's.
        const merged = change.status === 'added' && [...places].find((p) => rewritten.has(p) && ctx.target.has(p));
        if (merged && withoutGuard(gone).every((l) => moved().has(squeeze(l.slice(1))))) {
          const words = `${gone.length} of the hunk's ${wanted.length} added lines were moved there from the base, and upstream has a file of its own there`;
          findings.push(about(hunk.id, merged, words, 'hunk-adapted-review'));
          continue;
        }
        findings.push(
          about(
            hunk.id,
            hunk.path,
            `${gone.length} of the hunk's ${wanted.length} added lines are not in the ported tree: '${gone[0]!.slice(1).trim().slice(0, 60)}'`,
            'hunk-incomplete',
          ),
        );
      }
    }
    const words = Object.entries(left).map(([k, n]) => `, ${n} ${k}`);
    // A port counts the hunks in files that the base has; here the set's new files are looked for, too, a hunk each.
    const parts = whole ? ` (${total - whole} in files that the base has, ${whole} of new files)` : '';
    return judge('accounting', findings, `${present} of ${total} hunks${parts} found in the tree${words.join('')}`, {
      total,
      present,
      ...left,
    });
  },
};

/** Each line that the set adds, blanks squeezed out, with the hunks that add it. */
function addedBy(set: PatchSet): Map<string, Set<string>> {
  const by = new Map<string, Set<string>>();
  for (const { hunk } of hunksOf(set)) {
    for (const l of hunk.lines) {
      if (l[0] === '+') by.set(squeeze(l.slice(1)), (by.get(squeeze(l.slice(1))) ?? new Set()).add(hunk.id));
    }
  }
  return by;
}

/** Lines of the files that the port touched, blanks squeezed out. */
async function portLines(ctx: CheckContext): Promise<Map<ByteString, Map<string, string[]>>> {
  const pools = new Map<ByteString, Map<string, string[]>>();
  const wanted = new Set([...ctx.portFiles.keys(), ...ctx.setFiles.keys()]);
  for (const path of wanted) {
    const text = await ctx.portedText(path);
    if (text === null) continue;
    // Only what the port added can be an adapted line; what stands there anyhow counts when it is the very same.
    const added = ctx.addedLines(path);
    pools.set(path, new Map(plainLines(text).map((l, i) => [squeeze(l), added.has(i) ? tokens(l) : []])));
  }
  return pools;
}

/** Lines of the base in files that the set changes, blanks squeezed out. */
function linesOfBase(ctx: CheckContext): Set<string> {
  return new Set([...ctx.setFiles.values()].flatMap((f) => plainLines(f.base ?? '').map(squeeze)));
}

/** Without the lines that keep a header from being read twice. */
function withoutGuard(lines: readonly string[]): string[] {
  const name = lines.map((l) => /^\+\s*#\s*ifndef\s+(\w+)\s*$/.exec(l)?.[1]).find((n) => n !== undefined);
  if (name === undefined) return [...lines];
  const guard = new RegExp(`^\\+\\s*#\\s*((ifndef|define)\\s+${name}\\s*|endif\\s*(/\\*.*)?)$`);
  return lines.filter((l) => !guard.test(l.trimEnd()));
}

function isTelling(line: string): boolean {
  return /\w{2}/.test(line) && !/^\+\s*(\*|\/\*|\/\/)/.test(line);
}

function squeeze(line: string): string {
  return line.replace(/\s+/g, '');
}

function about(hunk: string | null, path: ByteString, text: string, kind: string): Finding {
  return { path, line: null, hunk, definition: null, text, kind };
}
