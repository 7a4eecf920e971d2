import type { ByteString } from '../core/text';
import { includeCandidates } from '../kernel-index/scope';
import type { Alternative, Place, Sight } from './alternatives';
import { includeOf, lastInclude } from './headers';
import { saying } from './names';

/** A header that is not there any more: the files that took it over, and, when nothing did, no header. */
export async function headerAlternatives(
  name: string,
  place: Place,
  { ctx, map, base }: Sight,
): Promise<Alternative[]> {
  const m = /^(\s*#\s*include\s*)([<"])([^>"]+)[>"]/.exec(place.text);
  if (m?.[3] !== name) return [];
  const from = ctx.sourcesOf(place.path)[0]?.path ?? place.path;
  const candidates = includeCandidates(from, name, m[2] === '<');
  const was = candidates.find((p) => base.tree.has(p));
  if (was === undefined) return [];
  const found: Alternative[] = [];
  for (const heir of map.files(was)) {
    const form = heir.path.endsWith('.h') ? includeOf(heir.path, place.path) : null;
    if (form === null || heir.path === was) continue;
    const text = `'${name}' is '${form.slice(1, -1)}': ${heir.evidence[0]?.text ?? 'the symbol map'}`;
    const line = place.text.replace(/[<"][^>"]+[>"]/, () => form);
    found.push(saying(place, line, `${name} -> ${form}`, { kind: 'repaired', text }, true));
  }
  if (!ctx.ported.has(was)) {
    const text = `the target has no '${name}': it is not included`;
    found.push(saying(place, '', `${name} -> nothing`, { kind: 'repaired', text }, true));
  }
  return found;
}

/** Headers that say what a name is, for a file that does not include them. The set's own are among them. */
export async function missingIncludes(name: string, place: Place, sight: Sight): Promise<Alternative[]> {
  const { ctx, target } = sight;
  const lines = await sight.drafts.lines(place.path);
  const at = lines && lastInclude(lines);
  if (!lines || at === null) return [];
  const headers = new Set<ByteString>();
  for (const f of target.definitions(name)) if (f.file.path.endsWith('.h')) headers.add(f.file.path);
  for (const p of ctx.portFiles.keys())
    if (p.endsWith('.h') && says(name, (await ctx.portedText(p)) ?? '')) headers.add(p);
  const present = lines.join('');
  const before = (await baseText(place, sight)) ?? '';
  // What the file included at home need not be in the index: nothing may include it any more.
  for (const [, open, path] of before.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm)) {
    const there = includeCandidates(place.path, path!, open === '<').find((p) => ctx.ported.has(p));
    if (there !== undefined && says(name, (await ctx.portedText(there)) ?? '')) headers.add(there);
  }
  const forms = [...headers]
    .map((h) => ({ header: h, form: includeOf(h, place.path) }))
    .filter(
      (h): h is { header: ByteString; form: string } => h.form !== null && !present.includes(`include ${h.form}`),
    );
  // What the set's file included at home comes first.
  forms.sort(
    (a, b) => Number(before.includes(b.form)) - Number(before.includes(a.form)) || a.form.length - b.form.length,
  );
  return forms.map(({ header, form }) => {
    // An upstream file has the header for the set's code alone.
    const [option] = ctx.options;
    const guarded = option !== undefined && (ctx.portFiles.get(place.path)?.target ?? null) !== null;
    const word = place.option === 'on' ? 'ifdef' : 'ifndef';
    const added = guarded ? `#${word} ${option}\n#include ${form}\n#endif\n` : `#include ${form}\n`;
    const end = lines[at]!.endsWith('\n') ? '' : '\n';
    return {
      key: `include ${form} for ${name}`,
      edits: [{ path: place.path, at, to: `${lines[at]!}${end}${added}` }],
      evidence: { kind: 'repaired', text: `'${name}' is in '${header}', which the file does not include` },
      unhides: true,
    };
  });
}

/** The set's file at home. */
async function baseText(place: Place, { ctx, base }: Sight): Promise<ByteString | null> {
  const [source] = ctx.sourcesOf(place.path);
  return source?.patched ?? (await base.tree.read(place.path));
}

/** A header declares or defines a name. */
function says(name: string, text: ByteString): boolean {
  return new RegExp(
    `^[ \\t]*#[ \\t]*define[ \\t]+${name}\\b|^[A-Za-z][^\\n;={}#]*[\\s*]${name}\\s*\\(|^(?:struct|union|enum)\\s+${name}\\s*\\{`,
    'm',
  ).test(text);
}
