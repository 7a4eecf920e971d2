import type { ByteString } from '../core/text';

/** What MAINTAINERS says of one address. */
export interface Listed {
  address: ByteString;
  kind: 'maintainer' | 'reviewer' | 'list';
  /** Name of the section. */
  section: ByteString;
  /** The line that matched, for example `F: virt/kvm/`. */
  by: ByteString;
}

interface Section {
  name: ByteString;
  people: { address: ByteString; kind: Listed['kind'] }[];
  files: { match: (path: ByteString) => boolean; text: ByteString }[];
  not: ((path: ByteString) => boolean)[];
  keywords: { match: RegExp; text: ByteString }[];
}

/**
 * Reads MAINTAINERS as get_maintainer.pl does: `F:` and `X:` are shell patterns that match as deep as they are written, a
 * folder all below it; `N:` and `K:` are regular expressions over paths and over changed lines.
 *
 * @param isFolder whether a path of the tree is a folder: `F: kernel/foo` may leave out the slash
 */
export function readMaintainers(text: ByteString, isFolder: (path: ByteString) => boolean): Section[] {
  const sections: Section[] = [];
  let current: Section | null = null;
  let name: ByteString = '';
  for (const line of text.split('\n')) {
    const m = /^([A-Z]):\s*(.*?)\s*$/.exec(line);
    if (!m) {
      if (line.trim() === '') current = null;
      else if (!/^[\s#]/.test(line)) name = line.trim();
      continue;
    }
    if (!current) {
      current = { name, people: [], files: [], not: [], keywords: [] };
      sections.push(current);
    }
    const [, type, value] = m as unknown as [string, string, ByteString];
    if (type === 'M' || type === 'R')
      current.people.push({ address: value, kind: type === 'M' ? 'maintainer' : 'reviewer' });
    else if (type === 'L' && !/subscribers-only/.test(value)) {
      current.people.push({ address: value.split(/\s/)[0]!, kind: 'list' });
    } else if (type === 'F') current.files.push({ match: shellPattern(value, isFolder), text: `F: ${value}` });
    else if (type === 'X') current.not.push(shellPattern(value, isFolder));
    else if (type === 'N') {
      const pattern = perlPattern(value);
      if (pattern) current.files.push({ match: (p) => pattern.test(p), text: `N: ${value}` });
    } else if (type === 'K') {
      const pattern = perlPattern(value);
      if (pattern) current.keywords.push({ match: pattern, text: `K: ${value}` });
    }
  }
  return sections.filter((s) => s.people.length > 0);
}

function shellPattern(value: ByteString, isFolder: (path: ByteString) => boolean): (path: ByteString) => boolean {
  const folder = value.endsWith('/') || isFolder(value);
  const source = value
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const pattern = new RegExp(`^${source}${folder && !value.endsWith('/') ? '/' : ''}`);
  const depth = value.split('/').length;
  return (path) => pattern.test(path) && (folder || path.split('/').length === depth);
}

/** A perl pattern under /x; null when JavaScript has no such thing. */
function perlPattern(value: ByteString): RegExp | null {
  // Node 20 knows no `(?i:…)`: then all of the pattern is taken so.
  const fold = /\(\?i[:)]/.test(value);
  const plain = value.replace(/\(\?i:/g, '(?:').replace(/\(\?i\)/g, '');
  try {
    return new RegExp(
      plain.replace(/(\\.)|\s+/g, (_, kept: string | undefined) => kept ?? ''),
      fold ? 'i' : '',
    );
  } catch {
    return null;
  }
}

/** Everybody whom MAINTAINERS names for these paths and changed lines, each with the reason. */
export function listedFor(
  sections: readonly Section[],
  paths: readonly ByteString[],
  changedLines: readonly ByteString[],
): Listed[] {
  const found: Listed[] = [];
  for (const section of sections) {
    let by: ByteString | null = null;
    for (const path of paths) {
      if (section.not.some((match) => match(path))) continue;
      by = section.files.find((f) => f.match(path))?.text ?? null;
      if (by !== null) break;
    }
    by ??= section.keywords.find((k) => changedLines.some((l) => k.match.test(l)))?.text ?? null;
    if (by === null) continue;
    for (const { address, kind } of section.people) found.push({ address, kind, section: section.name, by });
  }
  return found;
}
