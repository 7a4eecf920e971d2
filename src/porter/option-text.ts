import type { ByteString } from '../core/text';
import type { PorterFile } from './view';

/** The option that a guard asks for alone, `ifdef X` or `ifndef X`; null for anything else. */
export function optionOf(guard: string): string | null {
  return /^(?:ifdef|ifndef|if\s+!?\s*defined)\s*\(?\s*(\w+)\s*\)?$/.exec(guard)?.[1] ?? null;
}

/** A file as it is compiled with an option on, or off: lines that it leaves out are empty, so are its directives. */
export function textWith(
  { lines, index }: Pick<PorterFile, 'lines' | 'index'>,
  option: string,
  on: boolean,
): ByteString {
  const kept = [...lines];
  const drop = (from: number, to: number) => {
    for (let i = from; i < to; i++) kept[i] = '\n';
  };
  for (const { branches, endLine } of index.conditionals) {
    if (!branches.every((b) => b.condition === option || b.condition === `!${option}`)) continue;
    branches.forEach(({ line, condition }, i) => {
      const holds = condition.startsWith('!') ? !on : on;
      drop(line, holds ? line + 1 : (branches[i + 1]?.line ?? endLine));
    });
    drop(endLine, endLine + 1);
  }
  return kept.join('');
}

/** As {@link textWith}, with some options on and others off. */
export function textWithAll(
  { lines, index }: Pick<PorterFile, 'lines' | 'index'>,
  on: Iterable<string>,
  off: Iterable<string>,
): ByteString {
  let kept = lines;
  // The lines stay where they are: the conditionals of the file hold for what is left of it.
  const without = (option: string, holds: boolean) => {
    kept = textWith({ lines: kept, index }, option, holds).split(/(?<=\n)/);
  };
  for (const option of on) without(option, true);
  for (const option of off) without(option, false);
  return kept.join('');
}

/** The head of a function that a text defines. */
export interface Head {
  name: string;
  /** As written, blanks squeezed; none for `void`. */
  parameters: string[];
  /** Offset of the head in the text. */
  at: number;
}

const HEAD = /^(?:\w+[ \t*]+)+(\w+)\s*\(([^(){};]*)\)\s*(\{|;)/gm;

/** The functions that a text defines, in order; with `declared` those that it declares, too. */
export function headsIn(text: ByteString, declared = false): Head[] {
  const heads = [...text.matchAll(HEAD)].filter((m) => m[3] === '{' || (declared && !/^return\b/.test(m[0])));
  return heads.map((m) => {
    const list = m[2]!.split(',').map((p) => p.replace(/\s+/g, ' ').trim());
    const none = list.length === 1 && (list[0] === '' || list[0] === 'void');
    return { name: m[1]!, parameters: none ? [] : list, at: m.index };
  });
}
