import path from 'node:path';
import { removeFolder } from '../../io/export';
import type { KernelTree } from '../../io/tree';
import { judge, skipped, type Check, type Finding } from '../check';
import { KernelBuild, SourceFolder } from '../build';
import { buildOne, type Workshop } from '../workshop';

/**
 * The series builds after every patch: who bisects will land on any of them. One source folder and one build folder go
 * from patch to patch, so only what a patch touches is built again. The option is on as soon as there is one.
 */
export function eachPatch(workshop: Workshop, trees: readonly KernelTree[]): Check {
  return {
    name: 'each',
    async run(ctx) {
      if (trees.length === 0) return skipped('each', 'the series is empty');
      const { dir, toolchain, jobs, config } = workshop.options;
      const [sources, out] = [path.join(dir, 'source-each'), path.join(dir, 'build-each')];
      for (const d of [sources, out]) removeFolder(d);
      const source = await SourceFolder.of(trees[0]!, sources, (p) => ctx.portFiles.has(p));
      const findings: Finding[] = [];
      const rows: { commit: string; errors: number; objects: number }[] = [];
      for (const [i, tree] of trees.entries()) {
        if (i > 0) await source.become(trees[i - 1]!, tree);
        const known = await definesOption(tree, ctx.options[0]);
        const built = await buildOne(
          { ...ctx, ported: tree, options: known ? ctx.options : [] },
          new KernelBuild(source, out, toolchain, jobs),
          'on',
          config,
        );
        const errors = built.diagnostics.filter((d) => d.severity === 'error');
        rows.push({ commit: tree.name, errors: errors.length, objects: built.objects.length });
        if (errors.length || built.stopped) {
          findings.push({
            path: errors[0]?.path ?? '',
            line: errors[0]?.line ?? null,
            hunk: errors[0]?.path && errors[0].line ? ctx.hunkAt(errors[0].path, errors[0].line - 1) : null,
            definition: null,
            text: `patch ${i + 1} of ${trees.length} (${tree.name.slice(0, 12)}) does not build: ${errors[0]?.text ?? built.stopped?.reason ?? ''}`,
            kind: 'patch-does-not-build',
          });
        }
      }
      return judge('each', findings, `${trees.length - findings.length} of ${trees.length} patches build`, {
        patches: rows,
      });
    },
  };
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
