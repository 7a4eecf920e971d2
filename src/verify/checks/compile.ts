import type { ByteString } from '../../core/text';
import { hunksOf } from '../../patch-set/patch-set';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import type { Diagnostic } from '../diagnostics';
import { definitionAt } from '../scan';
import type { Built, Workshop } from '../workshop';

/** Warnings that mean broken code: later compilers refuse them, and at EL2 nobody sees the oops. */
const GRAVE =
  /-Wincompatible-pointer-types|-Wint-conversion|-Wimplicit-|-Wreturn-type|redefined|-Woverflow|-Wuninitialized|-Wformat=|-Wdiscarded/;

/** True for the text of a warning that means broken code. */
export function isGrave(text: string): boolean {
  return GRAVE.test(text);
}

/** Distinct errors of one cause. */
export interface CauseGroup {
  cause: string;
  name: string | null;
  errors: number;
  hunks: string[];
  places: { path: string | null; line: number | null }[];
}

/** Builds with the set's option on, or off. */
export function compile(workshop: Workshop, option: 'on' | 'off'): Check {
  const name = `compile-${option}`;
  return {
    name,
    async run(ctx) {
      if (option === 'on' && ctx.options.length === 0 && ctx.set) {
        return skipped(name, 'the set has no option to switch on: see compile-off');
      }
      const built = await workshop.build(option);
      const findings: Finding[] = [];
      for (const d of built.diagnostics) {
        if (d.severity === 'error') findings.push(await findingOf(ctx, d, 'compile-error'));
        else if (isGrave(d.text) && d.path !== null && d.line !== null && ctx.hunkAt(d.path, d.line - 1) !== null) {
          findings.push(await findingOf(ctx, d, 'compile-warning-review'));
        }
      }
      const errors = findings.filter((f) => f.kind === 'compile-error');
      const groups = groupByCause(
        built.diagnostics.filter((d) => d.severity === 'error'),
        errors,
      );
      const attributed = errors.filter((f) => f.hunk !== null).length;
      if (built.stopped && errors.length === 0) {
        findings.push({
          path: 'Kconfig',
          line: null,
          hunk: null,
          definition: null,
          text: built.stopped.reason,
          kind: `stopped-at-${built.stopped.step}`,
        });
      }
      if (!built.stopped && option === 'on') findings.push(...silentlyLeftOut(ctx, built));
      const seconds = Math.round(Object.values(built.milliseconds).reduce((a, b) => a + b, 0) / 1000);
      const how = built.stopped
        ? `stopped at ${built.stopped.step}: ${built.stopped.reason}${built.stopped.step === 'prepare' ? `; built on regardless: ${errors.length} errors of ${groups.length} causes, ${attributed} attributed to hunks` : ''}`
        : `${built.objects.length} objects, ${errors.length} errors of ${groups.length} causes, ${attributed} attributed to hunks, in ${seconds} s`;
      return judge(
        name,
        findings,
        `${workshop.options.toolchain.version}: ${ctx.options[0] ?? 'no option'} ${option}: ${how}`,
        {
          ...{ errors: errors.length, causes: groups, attributed, objects: built.objects.length },
          ...{
            notCompiled: built.notCompiled,
            stopped: built.stopped,
            targets: built.targets,
            milliseconds: built.milliseconds,
          },
        },
      );
    },
  };
}

/** New sources of the set that have an object at home by rule, and none here, though nothing failed. */
function silentlyLeftOut(ctx: CheckContext, built: Built): Finding[] {
  const failed = new Set(built.diagnostics.filter((d) => d.severity === 'error').map((d) => d.path));
  if (failed.size > 0) return [];
  const findings: Finding[] = [];
  for (const p of built.notCompiled) {
    const file = ctx.portFiles.get(p)!;
    const dir = p.slice(0, p.lastIndexOf('/') + 1);
    if (file.target !== null || !built.targets.some((t) => t.endsWith('/') && dir.startsWith(t))) continue;
    const object = p.slice(dir.length).replace(/\.[cS]$/, '.o');
    const wanted = [...ctx.setFiles.values()].some((f) =>
      (f.patched ?? '')
        .split('\n')
        .some((l) => !/^\s*#/.test(l) && new RegExp(`(^|[\\s/])${object.replace('.', '\\.')}\\b`).test(l)),
    );
    if (!wanted) continue;
    findings.push({
      path: p,
      line: null,
      hunk: ctx.hunkAt(p, 0),
      definition: null,
      text: 'no object was made of it, and nothing failed: it dropped out silently',
      kind: 'object-missing',
    });
  }
  return findings;
}

async function findingOf(ctx: CheckContext, d: Diagnostic, kind: string): Promise<Finding> {
  const at = d.path !== null && d.line !== null ? d.line - 1 : null;
  const definition = at === null ? null : definitionAt(await ctx.spans(d.path!), at);
  const { hunk, by } = await culprit(ctx, d, definition);
  return { path: d.path ?? '', line: d.line, hunk, definition, text: d.text, kind, ...(by && { evidence: by }) };
}

/**
 * The hunk that a diagnostic comes from: the one that wrote the line; else one in the same definition that names what the
 * error is about; else one that names it in the same file or anywhere; else one that was not ported and defines it.
 */
async function culprit(
  ctx: CheckContext,
  d: Diagnostic,
  definition: string | null,
): Promise<{ hunk: string | null; by: string | null }> {
  if (d.path !== null && d.line !== null) {
    const own = ctx.hunkAt(d.path, d.line - 1);
    if (own) return { hunk: own, by: 'the hunk wrote the line' };
    const text = (await ctx.portedText(d.path))?.split('\n') ?? [];
    const spans = await ctx.spans(d.path);
    const near = [...ctx.addedLines(d.path)]
      .filter((i) => definition !== null && definitionAt(spans, i) === definition)
      .sort((a, b) => Math.abs(a - d.line! + 1) - Math.abs(b - d.line! + 1));
    const naming = near.find((i) => d.name !== null && word(d.name).test(text[i] ?? ''));
    if (naming !== undefined)
      return { hunk: ctx.hunkAt(d.path, naming), by: 'the hunk names it in the same definition' };
    if (d.name !== null) {
      const inFile = [...ctx.addedLines(d.path)].find((i) => word(d.name!).test(text[i] ?? ''));
      if (inFile !== undefined) return { hunk: ctx.hunkAt(d.path, inFile), by: 'the hunk names it in the same file' };
    }
    if (d.name === null && near.length && Math.abs(near[0]! - d.line + 1) < 60) {
      return { hunk: ctx.hunkAt(d.path, near[0]!), by: 'the nearest hunk in the same definition' };
    }
  }
  if (d.path !== null && d.line === null) {
    const writers = new Set([...ctx.addedLines(d.path)].map((i) => ctx.hunkAt(d.path!, i)).filter((h) => h !== null));
    if (writers.size === 1) return { hunk: [...writers][0]!, by: 'the hunk wrote all that is new in the file' };
  }
  if (d.name !== null && ctx.set) {
    const naming = hunksNaming(ctx, d.name);
    if (naming[0]) return { hunk: naming[0], by: 'the hunk names it' };
  }
  for (const f of d.from) {
    const hunk = ctx.hunkAt(f.path, f.line - 1);
    if (hunk) return { hunk, by: 'the hunk includes the file' };
  }
  if (d.path !== null && d.line !== null) {
    const nearest = [...ctx.addedLines(d.path)].sort(
      (a, b) => Math.abs(a - d.line! + 1) - Math.abs(b - d.line! + 1),
    )[0];
    if (nearest !== undefined) return { hunk: ctx.hunkAt(d.path, nearest), by: 'the nearest hunk in the file' };
  }
  return { hunk: null, by: null };
}

/** Hunks that add a line with the name, those that define it first. */
function hunksNaming(ctx: CheckContext, name: string): string[] {
  const defining = new RegExp(
    `#\\s*define\\s+${escape(name)}\\b|\\b${escape(name)}\\s*\\([^;]*$|[\\s*]${escape(name)}\\s*[;=\\[]|(struct|enum|union)\\s+${escape(name)}\\b`,
  );
  const scored: { id: string; score: number }[] = [];
  for (const { hunk } of hunksOf(ctx.set!)) {
    const lines = hunk.lines.filter((l) => l[0] !== ' ' && word(name).test(l));
    if (lines.length) scored.push({ id: hunk.id, score: lines.some((l) => defining.test(l)) ? 2 : 1 });
  }
  return scored.sort((a, b) => b.score - a.score).map((s) => s.id);
}

function word(name: string): RegExp {
  return new RegExp(`(^|[^\\w])${escape(name)}($|[^\\w])`);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** The errors by what is behind them, the most frequent first. */
export function groupByCause(diagnostics: readonly Diagnostic[], findings: readonly Finding[]): CauseGroup[] {
  const groups = new Map<string, CauseGroup>();
  for (const d of diagnostics) {
    const group = groups.get(d.cause) ?? { cause: d.cause, name: d.name, errors: 0, hunks: [], places: [] };
    group.errors++;
    group.places.push({ path: d.path, line: d.line });
    const hunk = findings.find(
      (f) => f.path === ((d.path ?? '') as ByteString) && f.line === d.line && f.text === d.text,
    )?.hunk;
    if (hunk && !group.hunks.includes(hunk)) group.hunks.push(hunk);
    groups.set(d.cause, group);
  }
  return [...groups.values()].sort((a, b) => b.errors - a.errors);
}
