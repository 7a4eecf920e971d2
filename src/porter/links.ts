import { stripComments, tokens, type ByteString } from '../core/text';
import { indexFile } from '../kernel-index/index-file';
import type { Definition } from '../kernel-index/types';
import { argumentsAt } from './adapt';
import { statementsIn } from './blocks';
import { applyLineEdits, lineEdit } from './compose';
import type { PortContext } from './context';
import { headsIn, optionOf, textWith, textWithAll, type Head } from './option-text';
import type { Placed, PlacedSegment } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/** So many functions one behind the other may be new in one chain. */
const MOST_LINKS = 4;

/** Code of upstream that the set's authors never saw is changed: at most this sure. */
const PASSED = 0.75;

/** What is put in front of the item at an index of a list. */
interface More {
  at: number;
  items: string[];
}

/**
 * A set gives functions that call each other one parameter more, under its guard or without one, and upstream put a function
 * of its own between two of them: the upper one hands the parameter to the new link already, the lower one waits for it. So
 * the new link takes it and hands it on, under the same guard.
 *
 * The callers say that it takes the parameter, the one function that it calls of those that the set changed says what
 * type it has. A new link that is called in another way, too, or that calls several of them, is left as it is.
 */
export async function passParametersOn(
  results: readonly EditResult[],
  base: PorterFile,
  context: PortContext,
): Promise<void> {
  if (base.index.language !== 'c') return;
  const options = new Set(results.flatMap((r) => (r.edit.guard === null ? [] : (optionOf(r.edit.guard) ?? []))));
  const files = new Map(results.flatMap((r) => r.placements.map((p) => [p.file.path, p.file] as const)));
  for (const option of [...options, null]) {
    for (const file of files.values()) {
      const asked = { option, options };
      for (let i = 0; i < MOST_LINKS && (await passOnce(results, file, base, asked, context)); i++);
    }
  }
}

/** True when a link was found and mended. With no option, what the set changes in any case is looked at. */
async function passOnce(
  results: readonly EditResult[],
  file: PorterFile,
  base: PorterFile,
  { option, options }: { option: string | null; options: ReadonlySet<string> },
  context: PortContext,
): Promise<boolean> {
  const here = results.flatMap((r) => r.placements.filter((p) => p.file.path === file.path));
  const edits = here.flatMap((p) => p.segments.map(lineEdit));
  const text = applyLineEdits(file.lines, edits, base.lines);
  const index = await indexFile(file.path, text, { attributes: file.attributes, grammar: false });
  const ported = { lines: text.split(/(?<=\n)/), index };
  const texts = option === null ? [textWithAll(ported, [], options), textWithAll(file, [], options)] : null;
  const [on, off] = (texts ?? [textWith(ported, option!, true), textWith(ported, option!, false)]).map(
    stripComments,
  ) as [ByteString, ByteString];
  const [headsOn, headsOff] = [headsIn(on), headsIn(off)];
  for (const link of headsOn) {
    const definition = file.outer.find((d) => d.kind === 'function' && d.name === link.name);
    if (!definition || context.base.kernel.definitions(link.name).length || usedElsewhere(link.name, file, context))
      continue;
    const asked = askedFor(link, callsOf(link.name, on, headsOn), callsOf(link.name, off, headsOff));
    const lower = asked && lowerLink(link, asked, on, headsOn, headsOff);
    const holder = results.find((r) =>
      r.placements.some((p) => p.file.path === file.path && mentionsCall(p, link.name)),
    );
    if (!asked || !lower || !holder) continue;
    const segments = linkSegments(file, definition, option, asked, lower, holder);
    if (!segments) continue;
    const parameters = lower.more.items.join(', ');
    const why = `'${link.name}' stands before '${lower.name}' in the target: it takes '${parameters}', too, and passes it on`;
    holder.placements.push({
      placed: true,
      file,
      segments: segments.map((s) => ({ ...s, site: { ...s.site, why } })),
      strategy: 'structure',
      confidence: Math.min(PASSED, ...holder.placements.map((p) => p.confidence)),
      evidence: [{ kind: 'parameter-passed-on', text: why }],
      definition: link.name,
      rewritten: true,
    });
    return true;
  }
  return false;
}

/** True when another file of the target speaks of it: its callers are not known then. */
function usedElsewhere(name: string, file: PorterFile, context: PortContext): boolean {
  const { kernel } = context.target;
  return [...kernel.mentions(name), ...kernel.definitions(name)].some((f) => f.file.path !== file.path);
}

const mentionsCall = (p: Placed, name: string) =>
  new RegExp(`\\b${name}\\s*\\(`).test(p.segments.flatMap((s) => s.added).join(''));

/** A call in a text. */
export interface Call {
  inside: string;
  list: string[];
  /** Offset of the name of what is called. */
  at: number;
}

/** The calls of a function, with the function that each stands in. */
export function callsOf(name: string, text: ByteString, heads: readonly Head[]): Call[] {
  const calls: Call[] = [];
  for (const m of text.matchAll(new RegExp(`\\b${name}\\s*\\(`, 'g'))) {
    // Declarations begin at the margin, and so do macros; calls only behind the head of a function of one line.
    const left = text.slice(text.lastIndexOf('\n', m.index) + 1, m.index);
    if (/^(#|[^\s}][^({=]*$|$)/.test(left)) continue;
    const inside = heads.findLast((h) => h.at <= m.index);
    const head = inside?.name === name && text.slice(inside.at, m.index).trim().search(/[({]/) < 0;
    const args = argumentsAt(text, m.index + m[0].length - 1);
    if (head || !args) continue;
    calls.push({
      inside: inside?.name ?? '',
      list: args.list.map((a) => a.replace(/\s+/g, ' ').trim()),
      at: m.index,
    });
  }
  return calls;
}

/** What a longer list has more than a shorter one, when it is one run; null when they differ in another way. */
function moreOf(short: readonly string[], long: readonly string[]): More | null {
  const count = long.length - short.length;
  if (count <= 0) return null;
  for (let at = short.length; at >= 0; at--) {
    const rest = [...long.slice(0, at), ...long.slice(at + count)];
    if (rest.every((item, i) => item === short[i])) return { at, items: long.slice(at, at + count) };
  }
  return null;
}

/** What all callers of a link hand to it with the option on, and none with the option off. */
function askedFor(link: Head, on: readonly Call[], off: readonly Call[]): More | null {
  if (on.length === 0 || on.length !== off.length) return null;
  const asked = on.map((call, i) =>
    off[i]!.inside === call.inside && off[i]!.list.length === link.parameters.length
      ? moreOf(off[i]!.list, call.list)
      : null,
  );
  const [first] = asked;
  const alike = asked.every((a) => a && a.at === first!.at && a.items.length === first!.items.length);
  return first && alike ? first : null;
}

interface Lower {
  name: string;
  more: More;
}

/** The one function that a link calls and that takes as many parameters more with the option on. */
function lowerLink(
  link: Head,
  asked: More,
  on: ByteString,
  headsOn: readonly Head[],
  headsOff: readonly Head[],
): Lower | null {
  const found: Lower[] = [];
  for (const head of headsOn) {
    const before = headsOff.find((h) => h.name === head.name);
    const more = before && moreOf(before.parameters, head.parameters);
    if (!more) continue;
    const calls = callsOf(head.name, on, headsOn).filter((c) => c.inside === link.name);
    if (calls.length > 1) return null;
    if (calls.length === 1 && calls[0]!.list.length === before.parameters.length) found.push({ name: head.name, more });
  }
  return found.length === 1 && found[0]!.more.items.length === asked.items.length ? found[0]! : null;
}

/** The lines of the link with the parameter; null where they are not plain enough to be rewritten. */
function linkSegments(
  file: PorterFile,
  link: Definition,
  option: string | null,
  asked: More,
  lower: Lower,
  holder: EditResult,
): PlacedSegment[] | null {
  const text = file.text.slice(link.start, link.end);
  const names = lower.more.items.map((p) => /(\w+)$/.exec(p)?.[1] ?? '');
  const words = new Set(tokens(text));
  if (names.some((n) => n === '' || words.has(n)) || !link.body) return null;
  const head = file.text.slice(link.start, link.body.start);
  const takes = argumentsAt(head, head.indexOf('('));
  const call = new RegExp(`\\b${lower.name}\\s*\\(`).exec(text);
  const hands = call && argumentsAt(text, call.index + call[0].length - 1);
  if (!takes || !call || !hands || /\/[*/]|#/.test(head)) return null;
  const statement = statementsIn(file, link).find(
    (s) => s.bodies.length === 0 && s.start <= link.start + call.index && s.end >= link.start + hands.end,
  );
  const lineOf = (offset: number) => file.text.slice(0, offset).split('\n').length - 1;
  if (!statement || (statement.kind !== 'expression' && statement.kind !== 'return')) return null;
  const lines = file.lines.slice(statement.startLine, statement.endLine + 1).join('');
  if (lines.trim() !== file.text.slice(statement.start, statement.end).trim() || lines.includes('#')) return null;
  const opens = (list: readonly string[], open: number, at: number) => open + 1 + list.slice(0, at).join(',').length;
  const inHead = link.start + opens(takes.list, head.indexOf('('), asked.at);
  const inCall = link.start + opens(hands.list, call.index + call[0].length - 1, lower.more.at);
  const change = (first: number, last: number, offset: number, more: string, order: number): PlacedSegment[] => {
    const old = file.lines.slice(first, last + 1).join('');
    const cut = offset - file.lines.slice(0, first).join('').length;
    const now = old.slice(0, cut) + more + old.slice(cut);
    const part = (at: number, added: ByteString[], nth: number, remove = 0): PlacedSegment => ({
      segment: { at: 0, removed: [], added, anchor: 'between', hunk: holder.edit.hunks[0]!, order: order + nth },
      site: { at, remove, precision: 'anchored', why: '' },
      added,
    });
    if (option === null) return [part(first, now.split(/(?<=\n)/), 0, last + 1 - first)];
    const lead = [`#ifdef ${option}\n`, ...now.split(/(?<=\n)/), '#else\n'];
    return [part(first, lead, 0), part(last + 1, ['#endif\n'], 1)];
  };
  const said = (list: readonly string[], at: number, items: readonly string[]) =>
    at > 0 ? `, ${items.join(', ')}` : `${items.join(', ')}${list.length ? ', ' : ''}`;
  const headLine = lineOf(inHead);
  return [
    ...change(headLine, headLine, inHead, said(takes.list, asked.at, lower.more.items), -4),
    ...change(statement.startLine, statement.endLine, inCall, said(hands.list, lower.more.at, names), -2),
  ];
}
