import type { ByteString } from '../../core/text';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { culprit, expandedWords, workItemOf } from './culprit';
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
        if (d.severity === 'error') findings.push(await findingOf(ctx, d, 'compile-error', built.diagnostics));
        else if (isGrave(d.text) && d.path !== null && d.line !== null && ctx.hunkAt(d.path, d.line - 1) !== null) {
          findings.push(await findingOf(ctx, d, 'compile-warning-review', built.diagnostics));
        }
      }
      const errors = findings.filter((f) => f.kind === 'compile-error');
      const groups = groupByCause(
        built.diagnostics.filter((d) => d.severity === 'error'),
        errors,
      );
      const attributed = errors.filter((f) => f.hunk !== null).length;
      const inWorkItems = errors.filter((f) => f.workItem).length;
      const known = `${attributed} attributed to hunks${ctx.report && errors.length ? `, ${inWorkItems} to work items` : ''}`;
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
        ? `stopped at ${built.stopped.step}: ${built.stopped.reason}${built.stopped.step === 'prepare' ? `; built on regardless: ${errors.length} errors of ${groups.length} causes, ${known}` : ''}`
        : `${built.objects.length} objects, ${errors.length} errors of ${groups.length} causes, ${known}, in ${seconds} s`;
      return judge(
        name,
        findings,
        `${workshop.options.toolchain.version}: ${ctx.options[0] ?? 'no option'} ${option}: ${how}`,
        {
          ...{ errors: errors.length, causes: groups, attributed, inWorkItems, objects: built.objects.length },
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

async function findingOf(ctx: CheckContext, d: Diagnostic, kind: string, all: readonly Diagnostic[]): Promise<Finding> {
  const at = d.path !== null && d.line !== null ? d.line - 1 : null;
  const definition = at === null ? null : definitionAt(await ctx.spans(d.path!), at);
  const { hunk, by } = await culprit(ctx, d, definition, all);
  return {
    ...{ path: d.path ?? '', line: d.line, hunk, definition, text: d.text, kind, ...(by && { evidence: by }) },
    ...(kind === 'compile-error' &&
      ctx.report && { workItem: workItemOf(ctx.report, hunk, d, all, await expandedWords(ctx, d), definition) }),
  };
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
