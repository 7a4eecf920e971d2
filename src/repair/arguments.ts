import type { Parameter } from '../kernel-index/types';
import { definitionAt } from '../verify/scan';
import type { Alternative, Place, Sight } from './alternatives';
import { argumentLists, callIn, isTelling } from './calls';

/** Lines that a call may take. */
const LONGEST = 8;

/** The call of a function whose parameters changed, with the arguments that it takes now. */
export async function argumentAlternatives(name: string, place: Place, sight: Sight): Promise<Alternative[]> {
  const { ctx, base, target, drafts } = sight;
  const parameters = (index: typeof base) =>
    index.definitions(name).find((f) => f.definition.signature)?.definition.signature?.parameters;
  const [from, into] = [parameters(base), parameters(target)];
  const lines = await drafts.lines(place.path);
  if (!from || !into || !lines) return [];
  let text = place.text;
  let end = place.at;
  let call = callIn(text, name);
  const own = ctx.addedLines(place.path);
  while (!call && end + 1 < Math.min(lines.length, place.at + LONGEST) && own.has(end + 1)) {
    text += lines[++end]!;
    call = callIn(text, name);
  }
  if (!call) return [];
  const around = await enclosing(place, sight);
  const offers = (p: Parameter) => offersFor(p, around, sight);
  return argumentLists(call.arguments, from, into, offers).map((list) => ({
    key: `${name}(${list.length}): ${list.length > call.arguments.length ? list.join(', ') : 'fewer'}`,
    edits: [
      {
        path: place.path,
        at: place.at,
        to: `${text.slice(0, call.open + 1)}${list.join(', ')}${text.slice(call.close)}`,
      },
      ...Array.from({ length: end - place.at }, (_, i) => ({ path: place.path, at: place.at + 1 + i, to: '' })),
    ],
    evidence: {
      kind: 'repaired',
      text: `'${name}' takes ${into.length} arguments instead of ${from.length}: '${list.join(', ')}'`,
    },
    unhides: false,
  }));
}

/** Head and text of the function around a place. */
async function enclosing(place: Place, { ctx }: Sight): Promise<{ parameters: Parameter[]; text: string }> {
  const spans = await ctx.spans(place.path);
  const name = definitionAt(spans, place.at);
  const span = spans.find((s) => s.name === name && s.startLine <= place.at && place.at <= s.endLine);
  const list = /\(([^()]*)\)\s*$/.exec(span?.head ?? '')?.[1] ?? '';
  const parameters = list.split(',').flatMap((p) => {
    const m = /^\s*(.*?[\s*])(\w+)\s*$/.exec(p.replace(/\s+/g, ' '));
    return m ? [{ type: m[1]!.trim(), name: m[2]! }] : [];
  });
  return { parameters, text: (await ctx.portedText(place.path))?.slice(span?.bodyStart, span?.bodyEnd) ?? '' };
}

/** What the code around a call has at hand for a parameter: of its name, of its type, or one member away. */
function offersFor(p: Parameter, around: { parameters: Parameter[]; text: string }, { target }: Sight): string[] {
  const plain = (type: string) => type.replace(/\bconst\b/g, '').replace(/\s+/g, '');
  const offers = new Set<string>();
  for (const own of around.parameters) if (isTelling(p.type) && plain(own.type) === plain(p.type)) offers.add(own.name);
  const declared = new RegExp(`[\\s*]${p.name}\\s*(?:=|;|,)`).test(around.text);
  if (p.name !== '' && (declared || around.parameters.some((own) => own.name === p.name))) offers.add(p.name);
  for (const own of around.parameters) {
    const struct = /\bstruct (\w+)\s*\*$/.exec(own.type)?.[1];
    for (const t of struct === undefined ? [] : target.definitions(struct)) {
      for (const m of t.definition.members)
        if (isTelling(p.type) && plain(m.type) === plain(p.type)) offers.add(`${own.name}->${m.name}`);
    }
  }
  return [...offers];
}
