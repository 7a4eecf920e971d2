import path from 'node:path';
import { removeFolder } from '../../io/export';
import type { KernelTree } from '../../io/tree';
import { judge, skipped, type Check, type Finding } from '../check';
import { KernelBuild, SourceFolder } from '../build';
import type { Diagnostic } from '../diagnostics';
import { buildOne, type Built, type Workshop } from '../workshop';

/** What one patch builds to, in one configuration. */
interface Step {
  errors: number;
  /** Errors that the port as a whole has, too: of a hunk that was not placed, or of the set itself. */
  ofPort: number;
  objects: number;
  stopped: string | null;
}

/**
 * The series builds after every patch: who bisects will land on any of them. With the option off at each step, and on as
 * soon as there is one. One source folder, and one build folder for each configuration, go from patch to patch, so only
 * what a patch touches is built again. An error that the port as a whole has in that configuration is not the fault of the
 * way in which it was split: it is told, with its patch, and is a finding of the compile check.
 */
export function eachPatch(workshop: Workshop, trees: readonly KernelTree[]): Check {
  return {
    name: 'each',
    async run(ctx) {
      if (trees.length === 0) return skipped('each', 'the series is empty');
      const { dir, toolchain, jobs, config } = workshop.options;
      const sources = path.join(dir, 'source-each');
      const outs = { on: path.join(dir, 'build-each-on'), off: path.join(dir, 'build-each-off') };
      for (const d of [sources, outs.on, outs.off]) removeFolder(d);
      const source = await SourceFolder.of(trees[0]!, sources, (p) => ctx.portFiles.has(p));
      const whole = { on: new Map<string, Diagnostic>(), off: new Map<string, Diagnostic>() };
      for (const option of ['on', 'off'] as const)
        for (const d of errorsOf(await workshop.build(option))) whole[option].set(keyOf(d), d);
      const findings: Finding[] = [];
      const rows: { commit: string; off: Step; on: Step | null }[] = [];
      const told = new Set<string>();
      for (const [i, tree] of trees.entries()) {
        if (i > 0) await source.become(trees[i - 1]!, tree);
        const known = await definesOption(tree, ctx.options[0]);
        const step = async (option: 'on' | 'off'): Promise<Step> => {
          const built = await buildOne(
            { ...ctx, ported: tree, options: known ? ctx.options : [] },
            new KernelBuild(source, outs[option], toolchain, jobs),
            option,
            config,
          );
          const errors = errorsOf(built);
          const [old, fresh] = [
            errors.filter((d) => whole[option].has(keyOf(d))),
            errors.filter((d) => !whole[option].has(keyOf(d))),
          ];
          const where = `patch ${i + 1} of ${trees.length} (${tree.name.slice(0, 12)})`;
          // A step that stops with no more than the port's own errors stops because of them.
          const reason = fresh[0]?.text ?? (old.length === 0 ? built.stopped?.reason : undefined);
          if (reason !== undefined) {
            findings.push(
              about(fresh[0], `${where} does not build with the option ${option}: ${reason}`, 'patch-does-not-build'),
            );
          }
          for (const d of old) {
            if (told.has(`${option} ${keyOf(d)}`)) continue;
            told.add(`${option} ${keyOf(d)}`);
            const words = `${where} brings an error of the port with the option ${option}: ${d.text}`;
            const there = whole[option].get(keyOf(d))!;
            const hunk = there.path && there.line ? ctx.hunkAt(there.path, there.line - 1) : null;
            findings.push(about(d, words, 'error-of-the-port-review', hunk));
          }
          return {
            errors: errors.length,
            ofPort: old.length,
            objects: built.objects.length,
            stopped: built.stopped?.step ?? null,
          };
        };
        rows.push({ commit: tree.name, off: await step('off'), on: known ? await step('on') : null });
      }
      const clean = (s: Step | null) => s === null || (s.errors === 0 && s.stopped === null);
      const own = (s: Step | null) => clean(s) || (s!.errors > 0 && s!.errors === s!.ofPort);
      const count = (good: (s: Step | null) => boolean) => rows.filter((r) => good(r.off) && good(r.on)).length;
      const [all, excused] = [count(clean), count(own)];
      const rest = excused > all ? `, ${excused - all} more have no error but those of the port as a whole` : '';
      const on = rows.findIndex((r) => r.on !== null);
      const from = on < 0 ? 'no patch brings an option' : `on from patch ${on + 1}`;
      return judge(
        'each',
        findings,
        `${all} of ${rows.length} patches build without an error${rest}; the option off at each, ${from}`,
        {
          patches: rows,
        },
      );
    },
  };
}

function errorsOf(built: Built): Diagnostic[] {
  return built.diagnostics.filter((d) => d.severity === 'error');
}

/** Lines move from patch to patch: an error is known by its file and words. */
function keyOf(d: Diagnostic): string {
  return `${d.path}|${d.text}`;
}

function about(d: Diagnostic | undefined, text: string, kind: string, hunk: string | null = null): Finding {
  return { path: d?.path ?? '', line: d?.line ?? null, hunk, definition: null, text, kind };
}

async function definesOption(tree: KernelTree, option: string | undefined): Promise<boolean> {
  if (option === undefined) return false;
  const pattern = new RegExp(`^\\s*(?:menu)?config\\s+${option.slice('CONFIG_'.length)}\\s*$`, 'm');
  for (const p of tree.paths()) {
    if (
      /^(arch\/arm64|virt|drivers\/(iommu|vfio)|init)\/(.*\/)?Kconfig[^/]*$/.test(p) &&
      pattern.test((await tree.read(p)) ?? '')
    )
      return true;
  }
  return false;
}
