import type { ByteString } from '../../core/text';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext } from '../context';
import { definitionAt, scanFile, type Span } from '../scan';

/**
 * What a hunk adds stands in the definition that it was written for. Another definition is right only when the old one is
 * gone from the target, or when the port report says so.
 */
export const placement: Check = {
  name: 'placement',
  async run(ctx) {
    if (ctx.setFiles.size === 0) return skipped('placement', ctx.noSet ?? 'the set changes no text file');
    const findings: Finding[] = [];
    let looked = 0;
    const home = new Map<string, Map<string, Set<string | null>>>();
    for (const file of ctx.setFiles.values()) {
      if (file.base === null || file.patched === null) continue;
      const spans = scanFile(file.path, file.patched);
      file.origin.forEach((l, i) => {
        if (l.hunk === null || !isTelling(l.text)) return;
        const lines = home.get(l.hunk) ?? new Map<string, Set<string | null>>();
        const key = squeeze(l.text);
        lines.set(key, (lines.get(key) ?? new Set()).add(definitionAt(spans, i)));
        home.set(l.hunk, lines);
      });
    }
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || file.target === null) continue;
      const spans = await ctx.spans(file.path);
      const lines = file.ported.split('\n');
      const wrong = new Map<
        string,
        { line: number; from: string; to: string | null; count: number; payload: boolean }
      >();
      const added = ctx.addedLines(file.path);
      for (const i of added) {
        const hunk = ctx.hunkAt(file.path, isCondition(lines[i] ?? '') && added.has(i + 1) ? i + 1 : i);
        const from = hunk === null ? undefined : home.get(hunk)?.get(squeeze(lines[i] ?? ''));
        if (!hunk || !from || !isTelling(lines[i] ?? '')) continue;
        looked++;
        const to = definitionAt(spans, i);
        if ([...from].some((f) => f === to)) continue;
        const name = [...from].find((f) => f !== null);
        if (!name || definedByPort(spans, to, ctx, file.path)) continue;
        if (saysReport(ctx, hunk, file.path, to) && !(await stillThere(ctx, file.path, name))) continue;
        if (!(await stillThere(ctx, file.path, name))) continue;
        if (to !== null && (await tookOver(ctx, file.path, name, to))) continue;
        if (to !== null && passesOn(ctx, file.path, to)) continue;
        if (to !== null && isJump(lines[i]!) && leavesAnew(ctx, file.path, to)) continue;
        const payload = !isGuard(lines[i]!);
        const known = wrong.get(hunk);
        if (known) known.count++;
        else wrong.set(hunk, { line: i, from: name, to, count: 1, payload });
        if (payload) wrong.get(hunk)!.payload = true;
      }
      for (const [hunk, w] of wrong) {
        // All guards of a set read alike: one alone does not say which hunk it is of, unless that hunk has nothing else.
        if (!w.payload && [...home.get(hunk)!.keys()].some((l) => !isGuard(l))) continue;
        const stands = (i: number) =>
          home.get(hunk)!.has(squeeze(lines[i]!)) && saysReport(ctx, hunk, file.path, definitionAt(spans, i));
        if (!w.payload && [...added].some(stands)) continue;
        findings.push({
          path: file.path,
          line: w.line + 1,
          hunk,
          definition: w.to,
          text: `${w.count} ${w.count === 1 ? 'line' : 'lines'} written for '${w.from}' stand ${w.to === null ? 'at file level' : `in '${w.to}'`}, and '${w.from}' is still there`,
          kind: 'wrong-definition',
        });
      }
    }
    return judge('placement', findings, `${looked} added lines looked up in their definitions`);
  },
};

/** The enclosing definition was added by the port itself. */
function definedByPort(spans: readonly Span[], name: string | null, ctx: CheckContext, path: ByteString): boolean {
  const span = spans.find((s) => s.name === name);
  return span !== undefined && ctx.addedLines(path).has(span.startLine);
}

function saysReport(ctx: CheckContext, hunk: string, path: ByteString, to: string | null): boolean {
  const report = ctx.hunkReports.get(hunk);
  const places = [...(report?.target ?? []), ...(report?.edits.flatMap((e) => e.target) ?? [])];
  return places.some((t) => t.path === path && t.definition === to);
}

/** Upstream put the definition into a chain of calls, and a hunk's parameter goes through it: heads of functions read alike. */
function passesOn(ctx: CheckContext, path: ByteString, to: string): boolean {
  return [...ctx.hunkReports.values()].some(
    (h) =>
      h.evidence.some((e) => e.kind === 'parameter-passed-on' && e.text.startsWith(`'${to}' `)) &&
      h.target.some((t) => t.path === path && t.definition === to),
  );
}

const isJump = (line: ByteString) => /^\s*(?:return(?:\s+-?\w+)?|goto\s+\w+)\s*;\s*$/.test(line);

/** A hunk's code leaves this definition as upstream does, by a jump that the set wrote in no such place. */
function leavesAnew(ctx: CheckContext, path: ByteString, to: string): boolean {
  return [...ctx.hunkReports.values()].some(
    (h) =>
      h.evidence.some((e) => e.kind === 'call-returned' || e.kind === 'block-followed') &&
      h.target.some((t) => t.path === path && t.definition === to),
  );
}

/** The definition is in the file that the line was put into. */
async function stillThere(ctx: CheckContext, path: ByteString, name: string): Promise<boolean> {
  const text = await ctx.targetText(path);
  return text !== null && scanFile(path, text).some((s) => s.name === name);
}

/** Upstream put what a definition held into one that is new, and left a wrapper under the old name. */
async function tookOver(ctx: CheckContext, path: ByteString, from: string, to: string): Promise<boolean> {
  const target = (await ctx.targetText(path)) ?? '';
  const held = ctx.sourcesOf(path).flatMap((f) => {
    const spans = scanFile(f.path, f.base ?? '');
    return spans.some((s) => s.name === to) ? [] : bodyLines(f.base ?? '', spans, from);
  });
  const spans = scanFile(path, target);
  if (held.length > 0 && isOnlyCall(target, spans, from, to)) return true;
  const [inner, outer] = [new Set(bodyLines(target, spans, to)), new Set(bodyLines(target, spans, from))];
  const count = (lines: ReadonlySet<string>) => held.filter((l) => lines.has(l)).length;
  return held.length > 0 && count(inner) > held.length / 2 && count(inner) > count(outer);
}

/** The one statement of a function is a call of another. */
function isOnlyCall(text: ByteString, spans: readonly Span[], name: string, callee: string): boolean {
  const bodies = spans.filter((s) => s.name === name).map((s) => text.slice(s.bodyStart, s.bodyEnd));
  return (
    bodies.length > 0 &&
    bodies.every((b) => new RegExp(`^\\{?\\s*(?:return )?${callee}\\([^;{}]*;\\s*\\}?\\s*$`).test(b))
  );
}

/** What the lines of a definition's body say. */
function bodyLines(text: ByteString, spans: readonly Span[], name: string): string[] {
  return spans
    .filter((s) => s.name === name)
    .flatMap((s) => text.slice(s.bodyStart, s.bodyEnd).split('\n').filter(isTelling).map(squeeze));
}

function isTelling(line: string): boolean {
  return /\w{3}/.test(line) && !/^\s*(\*|\/\*|\/\/|#\s*(else|endif))/.test(line);
}

/** Lines of {@link home} have no blanks any more. */
function isGuard(line: string): boolean {
  return /^\s*#\s*(if|elif)/.test(line);
}

/** `if (!err)` reads alike in many hunks: it is of the one that what it is for is of. */
function isCondition(line: string): boolean {
  return /^\s*if\s*\(\s*!?\s*\w+\s*\)\s*$/.test(line);
}

function squeeze(line: string): string {
  return line.replace(/\s+/g, '');
}
