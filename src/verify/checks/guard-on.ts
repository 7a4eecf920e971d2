import { tokens, type ByteString } from '../../core/text';
import { judge, skipped, type Check, type Finding } from '../check';
import { decide, type SetFile } from '../context';
import { strip } from '../guards';
import { codeOnly, definitionAt, scanFile } from '../scan';

/**
 * What the set compiles out when its option is on stays compiled out, and nothing else is: lines of the base that the
 * set guards out, against lines of the target that the port guards out, definition by definition.
 */
export const guardOn: Check = {
  name: 'guard-on',
  async run(ctx) {
    if (ctx.setFiles.size === 0) return skipped('guard-on', ctx.noSet ?? 'the set changes no text file');
    if (ctx.options.length === 0) return skipped('guard-on', 'the set has no option of its own');
    const on = decide(ctx.options, true);
    const findings: Finding[] = [];
    let out = 0;
    const done = new Set<ByteString>();
    for (const file of ctx.portFiles.values()) {
      if (file.ported === null || file.target === null) continue;
      const sources = ctx.sourcesOf(file.path).filter((s) => s.base !== null && s.patched !== null);
      if (sources.length === 0) continue;
      for (const s of sources) done.add(s.path);
      const home = merge(sources.map((s) => lineSets(s.path, s.patched!, on, s)));
      const here = lineSets(file.path, file.ported, on);
      out += [...here.out.values()].reduce((n, lines) => n + lines.length, 0);
      const lines = file.ported.split('\n');
      for (const [definition, gone] of home.out) {
        const stays = here.kept.get(definition) ?? [];
        const goes = here.out.get(definition) ?? [];
        const homeStays = home.kept.get(definition) ?? [];
        for (const [key, list] of group(gone)) {
          const missing = list.length - goes.filter((l) => l.key === key).length;
          const surplus = stays.filter((l) => l.key === key).length - homeStays.filter((l) => l.key === key).length;
          if (missing <= 0 || surplus <= 0 || !isTelling(key)) continue;
          const hunk = guardHunk(list[0]!);
          if (
            hunk !== null &&
            ['conflict', 'obsolete', 'already-upstream'].includes(ctx.hunkReports.get(hunk)?.outcome ?? '')
          )
            continue;
          // The port says why the guard does not hold this definition any more.
          const narrowed = (ctx.hunkReports.get(hunk ?? '')?.evidence ?? []).filter((e) => e.kind === 'guard-narrowed');
          if (narrowed.some((e) => e.text.includes(`'${definition}'`))) continue;
          const at = stays.find((l) => l.key === key)!.line;
          findings.push({
            path: file.path,
            line: at + 1,
            hunk: ctx.hunkAt(file.path, at) ?? hunk,
            definition: definition || null,
            text: `'${lines[at]!.trim().slice(0, 70)}' is compiled in with the option on; the set compiles it out`,
            kind: 'guarded-out-is-in',
          });
        }
      }
      for (const [definition, goes] of here.out) {
        const homeStays = home.kept.get(definition) ?? [];
        const gone = home.out.get(definition) ?? [];
        const stays = here.kept.get(definition) ?? [];
        for (const [key, list] of group(goes)) {
          const extra = list.length - gone.filter((l) => l.key === key).length;
          const lost = homeStays.filter((l) => l.key === key).length - stays.filter((l) => l.key === key).length;
          if (extra <= 0 || lost <= 0 || !isTelling(key)) continue;
          const at = list[0]!.line;
          // A header that the port itself brought, for code that the option takes out: neither the target nor the set has it.
          const brought = /^# include /.test(key) && list.every((l) => ctx.addedLines(file.path).has(l.line));
          if (brought && !addedBySet(sources, key)) continue;
          findings.push({
            path: file.path,
            line: at + 1,
            hunk: nearestHunk(ctx.addedLines(file.path), at, (l) => ctx.hunkAt(file.path, l)),
            definition: definition || null,
            text: `'${lines[at]!.trim().slice(0, 70)}' is compiled out with the option on; the set keeps it`,
            kind: 'guarded-too-much',
          });
        }
      }
    }
    return judge('guard-on', findings, `${ctx.options[0]!} on: ${out} lines of ${done.size} files compiled out`, {
      out,
    });
  },
};

interface Line {
  key: string;
  line: number;
  /** The file of the set that it is a line of, when it is one of the set's. */
  of: SetFile | null;
}

/** Lines by definition, in and out. */
function lineSets(
  path: ByteString,
  text: ByteString,
  decided: ReadonlyMap<string, boolean>,
  of: SetFile | null = null,
) {
  const spans = scanFile(path, text);
  const { kept, out } = strip(path, codeOnly(path, text), decided);
  const by = (lines: { text: string; line: number }[]) => {
    const map = new Map<string, Line[]>();
    for (const l of lines) {
      const key = tokens(l.text).join(' ');
      if (key === '') continue;
      const definition = definitionAt(spans, l.line) ?? '';
      map.set(definition, [...(map.get(definition) ?? []), { key, line: l.line, of }]);
    }
    return map;
  };
  return { kept: by(kept), out: by(out) };
}

function merge(sets: ReturnType<typeof lineSets>[]): ReturnType<typeof lineSets> {
  const all = { kept: new Map<string, Line[]>(), out: new Map<string, Line[]>() };
  for (const s of sets) {
    for (const side of ['kept', 'out'] as const) {
      for (const [d, lines] of s[side]) all[side].set(d, [...(all[side].get(d) ?? []), ...lines]);
    }
  }
  return all;
}

function group(lines: readonly Line[]): Map<string, Line[]> {
  const map = new Map<string, Line[]>();
  for (const l of lines) map.set(l.key, [...(map.get(l.key) ?? []), l]);
  return map;
}

/** The set adds the line itself; else its base has it. */
function addedBySet(sources: readonly SetFile[], key: string): boolean {
  return sources.some((s) => s.origin.some((l) => l.hunk !== null && tokens(l.text).join(' ') === key));
}

/** Brackets, `break;` and the like say nothing about which line it was. */
function isTelling(key: string): boolean {
  return (
    (key.match(/[A-Za-z_]\w+/g) ?? []).filter((w) => !/^(break|return|else|case|default|int|void)$/.test(w)).length >= 2
  );
}

/** The hunk that guards a line of the patched base: that of the nearest directive above. */
function guardHunk({ line, of }: Line): string | null {
  for (let i = line; of && i >= 0; i--) {
    const l = of.origin[i];
    if (l?.hunk && /^\s*(#\s*(if|else|elif)|if(n?eq|n?def)\b|else\b)/.test(l.text)) return l.hunk;
  }
  return null;
}

function nearestHunk(added: ReadonlySet<number>, line: number, hunkAt: (line: number) => string | null): string | null {
  const best = [...added].sort((a, b) => Math.abs(a - line) - Math.abs(b - line))[0];
  return best === undefined ? null : hunkAt(best);
}
