import { stripComments, tokens } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { masked } from './declarations';
import type { Segment } from './lift';
import type { Rename } from './place';
import type { Site } from './site';
import type { PorterFile } from './view';

/** Words with a parenthesis behind them that only look at what is in it, or are no calls at all. */
const NO_CALLS = new Set(
  'if for while switch return sizeof typeof else do likely unlikely defined __attribute__ WARN_ON WARN_ON_ONCE BUG_ON'.split(
    ' ',
  ),
);

/**
 * What an edit changes among the arguments of a call means something to that function. Where upstream calls another one there,
 * which is not the same under a new name, an argument of the same text may mean another thing.
 *
 * Gives one sentence when it does, else null.
 */
export function otherCallee(
  segment: Segment,
  base: PorterFile,
  scope: Definition | null,
  target: PorterFile,
  heir: Definition | null,
  site: Site,
  rename: Rename,
): string | null {
  if (base.index.language !== 'c' || scope?.kind !== 'function' || heir?.kind !== 'function') return null;
  const [was, is] = [new Callees(base, scope), new Callees(target, heir)];
  const changed = changedAt(segment);
  if (changed === null) return null;
  const [line, token] = changed;
  const own = token === null ? was.around(segment.at, null)[0]?.[0] : was.around(segment.at + line, token)[0]?.[0];
  if (own === undefined) return null;
  const there =
    token === null
      ? is.around(site.at, null)
      : range(site.at, Math.max(1, site.remove)).flatMap((l) => is.around(l, token));
  if (there.length === 0 || there.some((calls) => calls.some((c) => c === own || c === rename(own)))) return null;
  // A new link of the chain hands over what it gets: see `links.ts`.
  const isLink = (name: string) => target.outer.some((d) => d.name === name && d.calls.includes(own));
  if (there.some((calls) => calls.some(isLink))) return null;
  const now = there.find((calls) => calls.length > 0)?.[0];
  const what = now ? `upstream calls '${now}' there` : 'upstream does not call it there';
  return `it changes an argument of '${own}', and ${what}`;
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

/** The removed line in which the first word changes, and that word; a null word for lines that are only added. */
function changedAt(segment: Segment): [number, string | null] | null {
  if (segment.removed.length === 0) return segment.added.length ? [0, null] : null;
  if (segment.added.length === 0) return null;
  const words = (lines: readonly string[]) =>
    lines.flatMap((l, line) => tokens(stripComments(l)).map((word) => ({ word, line })));
  const [a, b] = [words(segment.removed), words(segment.added)];
  const at = a.findIndex((w, i) => w.word !== b[i]?.word);
  if (at < 0) return null;
  // A sign is everywhere; the name in front of it says where it stands.
  const name = a.slice(0, at + 1).findLast((w) => /^[A-Za-z_]/.test(w.word));
  const found = /^\w/.test(a[at]!.word) || name?.line !== a[at]!.line ? a[at]! : name;
  return [found.line, found.word];
}

/** Which calls the words of a function are arguments of. */
class Callees {
  private readonly code: string;
  constructor(
    file: PorterFile,
    private readonly definition: Definition,
  ) {
    this.code = masked(file.text.slice(definition.start, definition.end));
  }

  /** For each time that a line has a word (or for its beginning): the functions whose argument it is, inmost first. */
  around(line: number, word: string | null): string[][] {
    let at = 0;
    for (let n = this.definition.startLine; n < line; n++) {
      at = this.code.indexOf('\n', at) + 1;
      if (at === 0) return [];
    }
    if (word === null) return [this.calleesAt(at)];
    const end = this.code.indexOf('\n', at);
    const text = this.code.slice(at, end < 0 ? undefined : end);
    const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const pattern = /^\w/.test(word) ? new RegExp(`\\b${escaped}\\b`, 'g') : new RegExp(escaped, 'g');
    return [...text.matchAll(pattern)].map((m) => this.calleesAt(at + m.index));
  }

  private calleesAt(offset: number): string[] {
    const found: string[] = [];
    let depth = 0;
    for (let i = offset - 1; i >= 0; i--) {
      const c = this.code[i]!;
      if (c === ')' || c === ']') depth++;
      else if (c === ';' || c === '{' || c === '}') break;
      else if ((c === '(' || c === '[') && depth > 0) depth--;
      else if (c === '(') {
        const name = /(?<![.>\w])([A-Za-z_]\w*)\s*$/.exec(this.code.slice(Math.max(0, i - 100), i))?.[1];
        if (name !== undefined && !NO_CALLS.has(name)) found.push(name);
      }
    }
    return found;
  }
}
