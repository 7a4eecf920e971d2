import type { ByteString } from '../core/text';

/** How a file includes a header; null for a header that no include path reaches. */
export function includeOf(header: ByteString, from: ByteString): string | null {
  const arch = /^arch\/([^/]+)\//.exec(from)?.[1];
  const common = /^include\/(?:uapi\/)?(.+)$/.exec(header);
  if (common) return `<${common[1]!.replace(/^asm-generic\//, 'asm/')}>`;
  const own = /^arch\/([^/]+)\/include\/(?:uapi\/)?(.+)$/.exec(header);
  // Drivers of the architecture that is built include its headers, too.
  if (own) return arch !== undefined && arch !== own[1] ? null : `<${own[2]!}>`;
  const [a, b] = [from.split('/').slice(0, -1), header.split('/')];
  while (a.length && b.length > 1 && a[0] === b[0]) {
    a.shift();
    b.shift();
  }
  return a.length > 3 ? null : `"${[...a.map(() => '..'), ...b].join('/')}"`;
}

/** 0-based line of the last `#include` that no condition holds, the double-inclusion guard apart; null when there is none. */
export function lastInclude(lines: readonly ByteString[]): number | null {
  let depth = 0;
  let last: number | null = null;
  const guard = guardLine(lines);
  lines.forEach((line, i) => {
    const word = /^[ \t]*#[ \t]*(if|ifdef|ifndef|endif|include)\b/.exec(line)?.[1];
    if (word === undefined) return;
    if (word === 'include') last = depth === 0 ? i : last;
    else if (word === 'endif') depth = Math.max(0, depth - 1);
    else if (i !== guard) depth++;
  });
  return last;
}

/** The `#ifndef` of a header against double inclusion. */
function guardLine(lines: readonly ByteString[]): number {
  const first = lines.findIndex((l) => /^[ \t]*#/.test(l));
  const name = /^[ \t]*#[ \t]*ifndef[ \t]+(\w+)/.exec(lines[first] ?? '')?.[1];
  return name !== undefined && new RegExp(`#[ \\t]*define[ \\t]+${name}\\b`).test(lines[first + 1] ?? '') ? first : -1;
}
