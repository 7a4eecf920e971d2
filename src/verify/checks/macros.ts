import { formatVersion } from '../../core/version';
import { judge, type Check, type Finding } from '../check';
import { decide } from '../context';
import { strip } from '../guards';
import { directives, isPreprocessed } from '../scan';

/**
 * A macro that the port adds is not defined a second time with another value in the same file: upstream may have got one
 * of that name meanwhile, and the second definition wins with no more than a warning.
 */
export const macros: Check = {
  name: 'macros',
  async run(ctx) {
    const findings: Finding[] = [];
    let seen = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || file.target === null || !isPreprocessed(file.path)) continue;
      const added = ctx.addedLines(file.path);
      const { kept } = strip(file.path, file.ported, decide(ctx.options, true));
      const text = kept.map((k) => `${k.text}\n`).join('');
      const defined = new Map<string, { line: number; value: string; branch: string }[]>();
      const stack: string[] = [];
      for (const d of directives(text)) {
        if (/^if/.test(d.word)) stack.push(`${d.line}`);
        else if (d.word === 'else' || d.word === 'elif') stack.push(`${stack.pop() ?? ''}~${d.line}`);
        else if (d.word === 'endif') stack.pop();
        else if (d.word === 'undef') defined.delete(d.rest);
        else if (d.word === 'define') {
          const m = /^(\w+(?:\([^)]*\))?)\s*(.*)$/.exec(d.rest);
          if (!m) continue;
          const name = m[1]!.replace(/\(.*/, '');
          const line = kept[d.line]!.line;
          const list = defined.get(name) ?? [];
          list.push({ line, value: d.rest.replace(/\s+/g, ''), branch: stack.join('/') });
          defined.set(name, list);
        }
      }
      for (const [name, list] of defined) {
        const own = list.find((x) => added.has(x.line));
        if (!own) continue;
        seen++;
        const other = list.find(
          (x) =>
            !added.has(x.line) &&
            x.value !== own.value &&
            (own.branch.startsWith(x.branch) || x.branch.startsWith(own.branch)),
        );
        if (!other) continue;
        // The same pair at home is how the set wants it.
        const home = ctx
          .sourcesOf(file.path)
          .some((s) => s.origin.filter((l) => new RegExp(`^\\s*#\\s*define\\s+${name}\\b`).test(l.text)).length > 1);
        if (home) continue;
        findings.push({
          path: file.path,
          line: own.line + 1,
          hunk: ctx.hunkAt(file.path, own.line),
          definition: name,
          text: `${name} is defined by ${formatVersion(ctx.target.version)}, too, with another value (line ${other.line + 1})`,
          kind: 'macro-twice',
        });
      }
    }
    return judge('macros', findings, `${seen} macros of the port looked up`);
  },
};
