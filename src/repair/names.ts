import { stripComments, type ByteString } from '../core/text';
import type { Evidence } from '../core/outcome';
import { scanFile } from '../verify/scan';
import type { Alternative, Place, Sight } from './alternatives';
import { argumentLists, callIn } from './calls';

/** A name by itself: no field, no part of another one. */
export function bare(name: string): RegExp {
  return new RegExp(`(?<![\\w.])(?<!->\\s*)${name}\\b`, 'g');
}

/** A line with something else on it. */
export function saying(place: Place, to: ByteString, key: string, evidence: Evidence, unhides = false): Alternative {
  const edits = to === place.text ? [] : [{ path: place.path, at: place.at, to }];
  return { key, edits, evidence, unhides };
}

/** Names that the symbol map has for one that is gone, also those that it is not sure of. */
export function nameAlternatives(name: string, place: Place, { map, base, target }: Sight): Alternative[] {
  const found: Alternative[] = [];
  const entry = map.lookup(null, name);
  const called = callIn(place.text, name);
  const put = (to: string, why: string) => {
    const line = place.text.replace(bare(name), () => to);
    found.push(saying(place, line, `${name} -> ${to}`, { kind: 'repaired', text: `'${name}' is '${to}': ${why}` }));
  };
  const reshaped = entry?.changes.find((c) => c.kind === 'became-callable');
  const offered = [
    ...(entry?.to ?? [])
      .filter((t) => t.kind !== 'field')
      .map((t) => ({ name: t.name, why: entry!.evidence[0]?.text ?? 'the symbol map' })),
    ...map.candidates(name).map((c) => ({ name: c.name, why: c.evidence[0]?.text ?? 'it is nearest' })),
  ];
  for (const { name: to, why } of offered) {
    if (to === name) continue;
    if (reshaped?.kind === 'became-callable' && !called) put(`${to}(${reshaped.parameters.join(', ')})`, why);
    const into = target.definitions(to).find((f) => f.definition.signature)?.definition.signature?.parameters;
    const from = base.definitions(name).find((f) => f.definition.signature)?.definition.signature?.parameters;
    if (called && from && into && from.length !== into.length) {
      for (const list of argumentLists(called.arguments, from, into, () => [])) {
        const line = `${place.text.slice(0, called.open + 1)}${list.join(', ')}${place.text.slice(called.close)}`;
        const text = `'${name}' is '${to}' and takes ${into.length} instead of ${from.length} arguments: ${why}`;
        const key = `${name} -> ${to}/${into.length}`;
        found.push(
          saying(
            place,
            line.replace(bare(name), () => to),
            key,
            { kind: 'repaired', text },
          ),
        );
      }
    } else put(to, why);
  }
  return found;
}

/** A local of the base's function that the target does not have: what it was set to is written in its place. */
export function localAlternatives(name: string, place: Place, { ctx }: Sight): Alternative[] {
  const id = ctx.hunkAt(place.path, place.at);
  const report = id === null ? undefined : ctx.hunkReports.get(id);
  const base = report && ctx.setFiles.get(report.path)?.base;
  if (!base || !report.source.definition) return [];
  const span = scanFile(report.path, base).find((s) => s.name === report.source.definition);
  if (!span) return [];
  const text = stripComments(base.slice(span.bodyStart, span.bodyEnd));
  // One value for good: what is set twice cannot be written out.
  const values = [...text.matchAll(new RegExp(`(?<![\\w.>])${name}\\s*=(?!=)\\s*([^;,]+(?:\\([^;]*\\))?)\\s*;`, 'g'))];
  const value = values.length === 1 ? values[0]![1]!.trim() : undefined;
  if (value === undefined || bare(name).test(value)) return [];
  const written = /^[\w.>-]+$|^\w+\([^()]*\)$/.test(value) ? value : `(${value})`;
  const evidence = { kind: 'repaired', text: `the local '${name}' was '${value}': it is written out` };
  return [
    saying(
      place,
      place.text.replace(bare(name), () => written),
      `${name} := ${value}`,
      evidence,
    ),
  ];
}
