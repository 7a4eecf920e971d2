import { splitLines } from '../core/text';
import { tokenLines, type Operand, type TokenLine } from './align';
import type { Definition } from '../kernel-index/types';
import type { PorterFile } from './view';

/**
 * The things that a place is told by: inside a definition its lines, at file level its items (definitions, includes,
 * directives). A unit of a scope can be followed to the target; a gap lies between two of them.
 */
export interface Unit extends TokenLine {
  /** 0-based lines, inclusive. */
  first: number;
  last: number;
  /** First line of the comment that stands directly above; `first` when there is none. */
  lead: number;
}

/** The lines of a range that say something, as units. */
export function lineUnits(
  file: PorterFile,
  first: number,
  last: number,
  rename?: (word: string) => string,
  operand?: Operand,
): Unit[] {
  const lines = tokenLines(file.lines.slice(first, last + 1), rename, operand);
  const units: Unit[] = [];
  lines.forEach((line, i) => {
    if (line.key !== '') units.push({ ...line, first: first + i, last: first + i, lead: first + i });
  });
  return units;
}

/** The items of a file in order: outermost definitions, and every line with a meaning between them. */
export function fileItems(file: PorterFile): Unit[] {
  const items: Unit[] = [];
  const own = tokenLines(file.lines);
  let line = 0;
  const between = (until: number) => {
    for (; line < until; line++) {
      const l = own[line]!;
      if (l.key === '') continue;
      const directive = l.key.startsWith('#');
      items.push({
        ...l,
        key: l.key,
        weight: directive ? directiveWeight(l.key) : l.weight,
        first: line,
        last: line,
        lead: line,
      });
    }
  };
  const plain = new Set(file.outer.filter((d) => d.kind === 'prototype' && !saidByMacro(d)).map((d) => d.name));
  for (const d of file.outer) {
    between(d.startLine);
    if (d.endLine < line) continue;
    const kind = d.kind === 'prototype' || d.kind === 'function' ? 'function' : d.kind;
    // `DECLARE_SYM(f);` beside the prototype of f is another thing than that.
    const also = d.kind === 'prototype' && plain.has(d.name) && saidByMacro(d);
    const key = also ? `macro ${d.signature!.annotations.at(-1)} ${d.name}` : `${kind} ${d.name}`;
    // Two definitions of one name (both sides of an #if) are told apart by order; a prototype is not its function.
    const tokens = [d.kind === 'prototype' && !also ? `prototype ${d.name}` : key];
    items.push({
      key: tokens[0]!,
      tokens,
      weight: 1,
      first: Math.max(line, d.startLine),
      last: d.endLine,
      lead: d.startLine,
    });
    line = d.endLine + 1;
  }
  between(file.lines.length);
  for (const item of items) item.lead = leadOf(file, item.first);
  return items;
}

/** True for a declaration that is a call of a macro: it has no parameters of its own, and returns nothing. */
function saidByMacro(d: Definition): boolean {
  return d.signature?.returns === '' && d.signature.parameters.length === 0;
}

function directiveWeight(key: string): number {
  if (key.startsWith('# include')) return 0.8;
  return /^# (else|endif)/.test(key) ? 0.2 : 0.6;
}

/** Where the comment that stands directly above a line begins. */
function leadOf(file: PorterFile, line: number): number {
  let at = line;
  while (at > 0 && /^\s*(\/\*|\*|\/\/)|\*\/\s*$/.test(file.lines[at - 1]!)) at--;
  return at;
}

/** True for a line that carries no code: blank, or nothing but comment. */
export function triviaLines(file: PorterFile): boolean[] {
  return tokenLines(splitLines(file.text)).map((l) => l.key === '');
}
