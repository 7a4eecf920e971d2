import { judge, type Check, type Finding } from '../check';
import { definitionAt, plainLines } from '../scan';

/** No conflict markers, of any merge tool, and no rejects left in the tree. */
export const markers: Check = {
  name: 'markers',
  async run(ctx) {
    const findings: Finding[] = [];
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null) continue;
      if (/\.(rej|orig)$/.test(file.path) && file.target === null && !ctx.setFiles.has(file.path)) {
        findings.push({
          path: file.path,
          line: null,
          hunk: null,
          definition: null,
          kind: 'reject-file',
          text: 'a leftover of a patch tool',
        });
      }
      const added = ctx.addedLines(file.path);
      const lines = plainLines(file.ported);
      for (let i = 0; i < lines.length; i++) {
        // A line of seven equals signs alone is an underline in many texts: it counts between the other two only.
        if (!added.has(i) || !/^(<{7}|>{7}|\|{7})( |$)/.test(lines[i]!)) continue;
        findings.push({
          path: file.path,
          line: i + 1,
          hunk: ctx.hunkAt(file.path, i),
          definition: definitionAt(await ctx.spans(file.path), i),
          text: `conflict marker '${lines[i]!.slice(0, 40)}'`,
          kind: 'conflict-marker',
        });
      }
    }
    return judge('markers', findings, `${ctx.portFiles.size} changed files read`);
  },
};
