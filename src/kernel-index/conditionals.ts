import { stripComments, type ByteString } from '../core/text';
import type { Directive } from './lexer';

/** One branch of an `#if`: its directive, what it says, and where its text begins and ends. */
export interface Branch {
  directive: Directive;
  /** Normalised: `CONFIG_X`, `!CONFIG_X`, `A && B`; that of `#else` is the negation. */
  condition: string;
  start: number;
  end: number;
}

/** An `#if … #endif` with all of its branches. */
export interface Group {
  branches: Branch[];
  /** The `#endif`; null when the file ends without one. */
  end: Directive | null;
  /** The group around it. */
  parent: Group | null;
  /** A header's guard against being included twice: it says nothing about what is inside. */
  includeGuard: boolean;
}

/** Pairs `#if`, `#elif`, `#else`, `#endif`, in order of the `#if`. Stray ones are left out, open ones end with the text. */
export function groupsOf(text: ByteString, directives: readonly Directive[]): Group[] {
  const groups: Group[] = [];
  let open: Group | null = null;
  directives.forEach((d, at) => {
    switch (d.keyword) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const group: Group = { branches: [], end: null, parent: open, includeGuard: false };
        group.branches.push({ directive: d, condition: conditionOf(text, d), start: d.end, end: text.length });
        group.includeGuard = isIncludeGuard(text, directives, at);
        groups.push(group);
        open = group;
        break;
      }
      case 'elif':
      case 'else':
        if (open) {
          open.branches[open.branches.length - 1]!.end = d.start;
          const condition =
            d.keyword === 'elif' ? conditionOf(text, d) : negation(open.branches.map((b) => b.condition));
          open.branches.push({ directive: d, condition, start: d.end, end: text.length });
        }
        break;
      case 'endif':
        if (open) {
          open.branches[open.branches.length - 1]!.end = d.start;
          open.end = d;
          open = open.parent;
        }
        break;
    }
  });
  return groups;
}

/** What a directive says after its keyword, comments and continuations gone, one blank between tokens. */
export function argumentOf(text: ByteString, d: Directive): string {
  return stripComments(text.slice(d.argument, d.end).replace(/\\\r?\n/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

/** The condition of an `#if`, `#ifdef`, `#ifndef` or `#elif`. `defined(X)` alone is written `X`, as for `#ifdef X`. */
function conditionOf(text: ByteString, d: Directive): string {
  const said = argumentOf(text, d);
  if (d.keyword === 'ifdef') return said;
  if (d.keyword === 'ifndef') return `!${said}`;
  return said.replace(/^(!?)\s*\(?\s*defined\s*\(?\s*(\w+)\s*\)?\s*\)?$/, '$1$2');
}

/** Not one of these. */
export function negation(conditions: readonly string[]): string {
  return conditions.map((c) => (/^\w+$/.test(c) ? `!${c}` : /^!\w+$/.test(c) ? c.slice(1) : `!(${c})`)).join(' && ');
}

/** `#ifndef X` with `#define X` right behind it, as the first directive of the file. */
function isIncludeGuard(text: ByteString, directives: readonly Directive[], at: number): boolean {
  const [first, second] = [directives[at], directives[at + 1]];
  if (!first || second?.keyword !== 'define' || first.token !== 0 || second.token !== 0) return false;
  const condition = conditionOf(text, first);
  if (!condition.startsWith('!') || directives.slice(0, at).some((d) => d.keyword.startsWith('if'))) return false;
  return argumentOf(text, second).split(/[\s(]/)[0] === condition.slice(1);
}
