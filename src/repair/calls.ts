import type { ByteString } from '../core/text';
import type { Parameter } from '../kernel-index/types';
import { signatureChanges } from '../symbol-map/signatures';

/** A call in a text: where its arguments begin and end (the closing parenthesis), and what they are. */
export interface Call {
  open: number;
  close: number;
  arguments: ByteString[];
}

/** The first call of a name in a text; null when there is none, or it does not end there. */
export function callIn(text: ByteString, name: string): Call | null {
  const m = new RegExp(`(?<![\\w.>])${name}\\s*\\(`).exec(text);
  if (!m) return null;
  const open = m.index + m[0].length - 1;
  const list: string[] = [];
  let [depth, from] = [0, open + 1];
  for (let at = open; at < text.length; at++) {
    const c = text[at]!;
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    if ((depth === 0 && c === ')') || (depth === 1 && c === ',')) {
      list.push(text.slice(from, at).trim());
      from = at + 1;
    }
    if (depth === 0) return { open, close: at, arguments: list.length === 1 && list[0] === '' ? [] : list };
  }
  return null;
}

/** True for a type that says what is meant: a pointer or a struct, and no number, of which any other compiles as well. */
export function isTelling(type: string): boolean {
  return (
    /[*]|\b(struct|union|enum)\b|_t\s*$/.test(type) &&
    !/\b(u|s)?int\d+_t\b|\b(size|phys_addr|dma_addr|loff)_t\b/.test(type)
  );
}

function isSame(from: Parameter, into: Parameter): boolean {
  const plain = (type: string) => type.replace(/\bconst\b/g, '').replace(/\s+/g, '');
  return (
    (from.name !== '' && from.name === into.name) || (plain(from.type) === plain(into.type) && isTelling(into.type))
  );
}

/**
 * Argument lists for a call of what had the parameters `from` and has the parameters `into` now. `offers` gives what can be
 * handed over for a parameter that came new, best first; when there is nothing for one of them, there is no list.
 */
export function argumentLists(
  list: readonly ByteString[],
  from: readonly Parameter[],
  into: readonly Parameter[],
  offers: (parameter: Parameter) => readonly string[],
  limit = 4,
): ByteString[][] {
  if (list.length !== from.length) return [];
  const signature = (parameters: readonly Parameter[]) => ({
    ...{ returns: '', parameters: [...parameters], variadic: false, annotations: [] },
  });
  const fixed = new Map<number, ByteString>();
  const dropped = new Set<number>();
  const added: { to: number; name: string; type: string }[] = [];
  for (const c of signatureChanges(signature(from), signature(into))) {
    if (c.kind === 'argument-dropped') dropped.add(c.index);
    else if (c.kind === 'argument-added') added.push(c);
    else if (c.kind === 'argument-moved') fixed.set(c.to, list[c.index]!);
    if (c.kind === 'argument-moved') dropped.add(c.index);
  }
  const rest = list.filter((_, i) => !dropped.has(i));
  // What stays is handed to the next parameter that is left: only one of its name, or of a type that is no mere number, is it.
  const kept = from.filter((_, i) => !dropped.has(i));
  const open = into.filter((_, i) => !fixed.has(i) && !added.some((a) => a.to === i));
  if (open.some((p, i) => !kept[i] || !isSame(kept[i], p))) return [];
  let lists: (ByteString | null)[][] = [into.map((_, i) => fixed.get(i) ?? null)];
  for (const a of added) {
    lists = lists.flatMap((l) => offers(a).map((o) => l.map((x, i) => (i === a.to ? o : x)))).slice(0, limit);
  }
  return lists.flatMap((l) => {
    const left = [...rest];
    const full = l.map((x) => x ?? left.shift());
    return left.length || full.includes(undefined) ? [] : [full as ByteString[]];
  });
}
