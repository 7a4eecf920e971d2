import { formatVersion } from '../../core/version';
import { judge, skipped, type Check, type Finding } from '../check';
import { maskC, scanFile, type Span } from '../scan';

/** What a hunk relies on in the function around it, beside the lines that it touches. */
interface Contract {
  parameters: string;
  locks: string;
  labels: string;
  returns: string;
}

/**
 * Code that merged cleanly into a function that upstream changed in ways that a merge does not see: its parameters, the
 * locks that it takes, its labels, its early returns. For a person to read; only a `goto` without its label fails.
 */
export const silentBreaks: Check = {
  name: 'silent-breaks',
  async run(ctx) {
    if (ctx.setFiles.size === 0) return skipped('silent-breaks', ctx.noSet ?? 'the set changes no text file');
    const findings: Finding[] = [];
    let functions = 0;
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || file.target === null || !file.path.endsWith('.c')) continue;
      const ported = { text: maskC(file.ported), spans: await ctx.spans(file.path) };
      const targets = byName(file.path, file.target);
      const bases = new Map<string, { text: string; span: Span }>();
      for (const s of ctx.sourcesOf(file.path))
        if (s.base !== null) for (const [n, v] of byName(s.path, s.base)) bases.set(n, v);
      for (const span of ported.spans) {
        if (span.kind !== 'function') continue;
        const inside = [...ctx.addedLines(file.path)].filter((i) => span.startLine < i && i <= span.endLine);
        if (inside.length === 0) continue;
        functions++;
        const body = ported.text.split('\n').slice(span.startLine, span.endLine + 1);
        for (const i of inside) {
          const label = /\bgoto\s+(\w+)\s*;/.exec(body[i - span.startLine] ?? '')?.[1];
          if (!label || body.some((l) => new RegExp(`^\\s*${label}\\s*:`).test(l))) continue;
          findings.push({
            path: file.path,
            line: i + 1,
            hunk: ctx.hunkAt(file.path, i),
            definition: span.name,
            text: `goto ${label}, and '${span.name}' has no such label`,
            kind: 'label-missing',
          });
        }
        const [base, target] = [bases.get(span.name), targets.get(span.name)];
        if (!base || !target) continue;
        const changes = differences(contractOf(base), contractOf(target));
        if (changes.length === 0) continue;
        const hunks = new Map<string, number>();
        for (const i of inside) {
          const hunk = ctx.hunkAt(file.path, i);
          if (hunk && !hunks.has(hunk)) hunks.set(hunk, i);
        }
        for (const [hunk, line] of hunks) {
          findings.push({
            path: file.path,
            line: line + 1,
            hunk,
            definition: span.name,
            text: `'${span.name}' changed between ${ctx.base ? formatVersion(ctx.base.version) : 'the base'} and ${formatVersion(ctx.target.version)}: ${changes.join('; ')}`,
            kind: 'silent-break-review',
          });
        }
      }
    }
    return judge(
      'silent-breaks',
      findings,
      `${functions} functions with code of the set compared between base and target`,
    );
  },
};

function byName(path: string, text: string): Map<string, { text: string; span: Span }> {
  const masked = maskC(text);
  return new Map(
    scanFile(path, text)
      .filter((s) => s.kind === 'function')
      .map((span) => [span.name, { text: masked.slice(span.bodyStart, span.bodyEnd), span }]),
  );
}

function contractOf(definition: { text: string; span: Span }): Contract {
  const all = (pattern: RegExp) => [...definition.text.matchAll(pattern)].map((m) => m[1]!).join(' ');
  const at = definition.span.head.indexOf(`${definition.span.name}(`);
  return {
    parameters: at < 0 ? '' : definition.span.head.slice(at + definition.span.name.length).replace(/\s+/g, ' '),
    locks: all(
      /\b(\w*(?:_lock|_unlock|_trylock|lock_irqsave|unlock_irqrestore|lock_irq|unlock_irq|irq_save|irq_restore|irq_disable|irq_enable|preempt_disable|preempt_enable|rcu_read_lock|rcu_read_unlock)\w*)\s*\(/g,
    ),
    labels: all(/^\s*(\w+)\s*:(?!:)/gm).replace(/\bdefault\b ?/g, ''),
    returns: `${[...definition.text.matchAll(/\breturn\b/g)].length}`,
  };
}

function differences(base: Contract, target: Contract): string[] {
  const words: string[] = [];
  for (const [key, name] of [
    ['parameters', 'parameters'],
    ['locks', 'locks'],
    ['labels', 'labels'],
    ['returns', 'returns'],
  ] as const) {
    if (base[key] !== target[key])
      words.push(`${name} ${base[key].trim() || 'none'} -> ${target[key].trim() || 'none'}`);
  }
  return words;
}
