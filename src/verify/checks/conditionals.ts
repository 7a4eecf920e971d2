import { judge, type Check, type Finding } from '../check';
import { strip } from '../guards';
import { definitionAt, isKbuild, isPreprocessed } from '../scan';

/** Every `#if` of a changed file has its `#endif`, and Kbuild's `ifeq` too. */
export const conditionals: Check = {
  name: 'conditionals',
  async run(ctx) {
    const findings: Finding[] = [];
    let files = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || !(isPreprocessed(file.path) || isKbuild(file.path))) continue;
      files++;
      const now = strip(file.path, file.ported, new Map()).unbalanced;
      const before = file.target === null ? [] : strip(file.path, file.target, new Map()).unbalanced;
      if (now.length <= before.length) continue;
      const lines = file.ported.split('\n');
      for (const line of now) {
        const hunk =
          ctx.hunkAt(file.path, line) ?? nearestHunk(ctx.addedLines(file.path), line, (l) => ctx.hunkAt(file.path, l));
        findings.push({
          path: file.path,
          line: line + 1,
          hunk,
          definition: definitionAt(await ctx.spans(file.path), line),
          text: `'${lines[line]!.trim()}' has no partner`,
          kind: 'unbalanced-conditional',
        });
      }
    }
    return judge('conditionals', findings, `${files} files with conditionals read`);
  },
};

function nearestHunk(added: ReadonlySet<number>, line: number, hunkAt: (line: number) => string | null): string | null {
  const best = [...added].sort((a, b) => Math.abs(a - line) - Math.abs(b - line))[0];
  return best === undefined ? null : hunkAt(best);
}
