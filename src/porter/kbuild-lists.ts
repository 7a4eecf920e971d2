import { posix } from 'node:path';
import { chomp, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { PortContext } from './context';
import type { Edit } from './lift';
import type { Placed, PlacedSegment } from './place';
import type { PorterFile } from './view';

/** `obj-$(CONFIG_KVM)` as `obj-` and `$(CONFIG_KVM)`; `kvm-y` as `kvm-` and `y`. Null for another variable. */
function listName(variable: string): { prefix: string; suffix: string } | null {
  const m = /^([\w.-]*-)(\$\([^)]*\)|y|m|objs)$/.exec(variable);
  return m && { prefix: m[1]!, suffix: m[2]! };
}

/** Lists of the top Makefile: their words are paths from the top of the tree. */
const FROM_TOP = new Set(['core-', 'libs-', 'drivers-', 'net-', 'head-', 'init-', 'virt-']);

const folderOf = (path: ByteString) => path.slice(0, path.lastIndexOf('/') + 1);

/** The path that a word of a list means. */
function resolve(word: string, prefix: string, file: ByteString): ByteString {
  const parts: string[] = [];
  for (const part of `${FROM_TOP.has(prefix) ? '' : folderOf(file)}${word}`.split('/')) {
    if (part === '..' && parts.length) parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The word that means a path in a list; null when the list's file lies elsewhere. */
function wordFor(path: ByteString, { prefix, file, rules }: ListHeir): string | null {
  if (FROM_TOP.has(prefix)) return path;
  if (path.startsWith(folderOf(file.path))) return path.slice(folderOf(file.path).length);
  // A list that names objects of other folders may name one more.
  return [...rules.values()].some((r) => r.word.startsWith('../')) ? posix.relative(folderOf(file.path), path) : null;
}

/** A list that entries went to. */
interface ListHeir {
  file: PorterFile;
  prefix: string;
  /** For each entry of the base's list that is there: the rule that has it, and its word. */
  rules: Map<ByteString, Definition & { word: string }>;
  /** Said when the base's list became several, and this is only one of them. */
  oneOf: string | null;
}

/** How many entries must have gone to a list for it to be the heir, and how far ahead of the next one. */
const ENOUGH = 2;
const AHEAD = 2;

/**
 * Entries of a list of objects go with their siblings: when those are in a list of another name now (`obj-` became
 * `hyp-obj-`), in one long list, or in another file (`arch/arm64/Makefile` → `arch/arm64/Kbuild`), so are the set's.
 *
 * Null when the list still is what it was, or when it is not clear where it went: then lines decide.
 */
export async function placeInLists(edit: Edit, base: PorterFile, context: PortContext): Promise<Placed | null> {
  const added = edit.segments.flatMap((s) => s.added.map(assignment)).filter((a) => a !== null);
  const removed = edit.segments.flatMap((s) => s.removed).filter((l) => l.trim() !== '' && !l.startsWith('#'));
  if (removed.length > 0) return null;
  if (added.length === 0) return placeComment(edit, base, context);
  const prefixes = new Set(added.map((a) => a.prefix));
  if (prefixes.size !== 1) return null;
  const [prefix] = [...prefixes] as [string];
  const heir = await listHeir(prefix, base, context);
  if (!heir) return null;

  // Entries that the set puts under a condition leave the target's list and come back under it.
  const edits: PlacedSegment[] = [];
  const [first] = edit.segments as [PlacedSegment['segment']];
  const wraps = edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : [];
  const text: ByteString[] = [];
  const cut = new Map<number, ByteString>();
  for (const line of patchedRegion(edit, base)) {
    const entry = assignment(line);
    if (!entry) {
      text.push(line);
      continue;
    }
    const words: string[] = [];
    for (const word of entry.words) {
      const rule = heir.rules.get(resolve(word, prefix, base.path));
      if (wraps.includes(line)) {
        if (!rule) return null;
        const at = rule.members.find((m) => m.name === rule.word);
        if (!at) return null;
        const old = cut.get(at.line) ?? heir.file.lines[at.line]!;
        cut.set(at.line, withoutWord(old, at.name));
        words.push(at.name);
        continue;
      }
      const own = wordFor(resolve(word, prefix, base.path), heir);
      if (own === null) return null;
      words.push(own);
    }
    const suffix = variableFor(entry.variable, base, heir) ?? `${heir.prefix}${entry.suffix}`;
    text.push(`${suffix} += ${words.join(' ')}\n`);
  }
  for (const [line, left] of cut) {
    const site = { at: line, remove: 1, precision: 'changed' as const, why: 'an entry leaves the list' };
    edits.push({ segment: first, site, added: /=\s*$/.test(left) ? [] : [left] });
  }
  const end = cut.size ? endOf(heir) : (behindSibling(first.at, prefix, base, heir) ?? endOf(heir));
  const why = `${heir.rules.size} entries of '${prefix}' are in '${heir.prefix}' of '${heir.file.path}' now`;
  edits.push({ segment: first, site: { at: end, remove: 0, precision: 'anchored', why }, added: text });
  return {
    placed: true,
    file: heir.file,
    segments: edits.sort((a, b) => a.site.at - b.site.at),
    strategy: 'structure',
    confidence: heir.oneOf !== null ? 0.75 : cut.size ? 0.8 : 0.85,
    evidence: [
      { kind: 'list-moved', text: why },
      ...(heir.oneOf === null ? [] : [{ kind: 'doubt', text: heir.oneOf }]),
    ],
    definition: null,
    rewritten: true,
  };
}

const endOf = (heir: ListHeir) => Math.max(...[...heir.rules.values()].map((r) => r.endLine)) + 1;

/** Behind the rule that has the entries which the new ones stand behind in the base; null when those stand behind none. */
function behindSibling(at: number, prefix: string, base: PorterFile, heir: ListHeir): number | null {
  const above = base.index.definitions
    .filter((d) => d.kind === 'object-rule' && listName(d.name)?.prefix === prefix && d.endLine < at)
    .sort((a, b) => b.endLine - a.endLine);
  for (const rule of above) {
    const rules = rule.members.flatMap((m) => heir.rules.get(resolve(m.name, prefix, base.path)) ?? []);
    if (rules.length) return Math.max(...rules.map((r) => r.endLine)) + 1;
  }
  return null;
}

interface Assignment {
  variable: string;
  prefix: string;
  suffix: string;
  words: string[];
}

export function assignment(line: ByteString): Assignment | null {
  const m = /^[ ]*([\w./$(){}%-]+)[ \t]*(?:\+=|:=|=)[ \t]*([^#\\]*)$/.exec(chomp(line));
  const name = m && listName(m[1]!);
  return name ? { variable: m[1]!, ...name, words: m[2]!.trim().split(/\s+/).filter(Boolean) } : null;
}

/** What the patched file has from the edit's first line to its last. */
export function patchedRegion(edit: Edit, base: PorterFile): ByteString[] {
  const out: ByteString[] = [];
  let at = edit.segments[0]!.at;
  for (const s of edit.segments) {
    out.push(...base.lines.slice(at, s.at), ...s.added);
    at = s.at + s.removed.length;
  }
  return out;
}

export function withoutWord(line: ByteString, word: string): ByteString {
  const literal = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return line.replace(new RegExp(`(\\s)${literal}(?=\\s|$)[ \\t]*`), '$1');
}

/** The variable that the entries of one of the base's variables are in now, when it is one. */
function variableFor(variable: string, base: PorterFile, heir: ListHeir): string | null {
  const names = new Set<string>();
  for (const rule of base.index.definitions) {
    if (rule.name !== variable) continue;
    for (const m of rule.members) {
      const now = heir.rules.get(resolve(m.name, listName(variable)!.prefix, base.path));
      if (now) names.add(now.name);
    }
  }
  return names.size === 1 ? [...names][0]! : null;
}

/** The list that most entries of a base list are in now; null when that is the same list, or when no list is ahead. */
async function listHeir(prefix: string, base: PorterFile, context: PortContext): Promise<ListHeir | null> {
  const wanted = new Set<ByteString>();
  for (const rule of base.index.definitions) {
    if (rule.kind !== 'object-rule' || listName(rule.name)?.prefix !== prefix) continue;
    for (const m of rule.members) if (/(\.o|\/)$/.test(m.name)) wanted.add(resolve(m.name, prefix, base.path));
  }
  if (wanted.size === 0) return null;
  const own = context.heirs.files(base.path)[0]?.path ?? base.path;
  const lists = new Map<string, ListHeir>();
  for (const path of await kbuildFiles(own, base.path, context)) {
    const file = await context.target.file(path);
    for (const rule of file?.index.definitions ?? []) {
      const name = rule.kind === 'object-rule' ? listName(rule.name) : null;
      if (!name) continue;
      for (const m of rule.members) {
        const meant = resolve(m.name, name.prefix, path);
        const was = meant.replace(folderOf(own), folderOf(base.path));
        if (!wanted.has(was)) continue;
        const key = `${path}\0${name.prefix}`;
        const list = lists.get(key) ?? { file: file!, prefix: name.prefix, rules: new Map(), oneOf: null };
        list.rules.set(was, { ...rule, word: m.name });
        lists.set(key, list);
      }
    }
  }
  const [best, second] = [...lists.values()].sort((a, b) => b.rules.size - a.rules.size);
  if (!best || best.rules.size < ENOUGH) return null;
  if (best.rules.size < AHEAD * (second?.rules.size ?? 0)) {
    const rivals = [...lists.values()].filter((l) => l.rules.size >= ENOUGH && l.rules.size * AHEAD > best.rules.size);
    return ofEl2(prefix, rivals, wanted, base, context);
  }
  const stays = best.file.path === own && best.prefix === prefix;
  const long = stays && new Set([...best.rules.values()].map((r) => r.startLine)).size === 1;
  const several = base.index.definitions.filter((d) => listName(d.name)?.prefix === prefix).length > 1;
  return stays && !(long && several) ? null : best;
}

/**
 * Of several lists that have all the entries of one, because EL2 is an object of its own now: the list of that object, when
 * what the set adds to the base's list is code for EL2. Sources that were split have their part of that object in it, too.
 */
async function ofEl2(
  prefix: string,
  rivals: readonly ListHeir[],
  wanted: ReadonlySet<ByteString>,
  base: PorterFile,
  context: PortContext,
): Promise<ListHeir | null> {
  const el2 = context.parts?.el2;
  const list = rivals.find((l) => l.file.path === el2?.makefile);
  const patched = await context.patched.file(base.path);
  if (!el2 || !list || rivals.filter((l) => l.file.path === list.file.path).length > 1) return null;
  const entries = (patched?.lines ?? []).flatMap((l) => assignment(l) ?? []).filter((a) => a.prefix === prefix);
  const sources = (object: ByteString) => [object.replace(/\.o$/, '.c'), object.replace(/\.o$/, '.S')];
  const fresh = entries.flatMap((a) => a.words.map((w) => resolve(w, prefix, base.path))).filter((o) => !wanted.has(o));
  if (fresh.length === 0 || !fresh.every((o) => sources(o).some((f) => el2.sources.has(f)))) return null;
  const rules = new Map(list.rules);
  for (const rule of list.file.index.definitions) {
    if (rule.kind !== 'object-rule' || listName(rule.name)?.prefix !== list.prefix) continue;
    for (const m of rule.members) {
      const parts = new Set(sources(resolve(m.name, list.prefix, list.file.path)));
      for (const was of wanted) {
        if (rules.has(was)) continue;
        const heirs = sources(was).flatMap((f) => context.heirs.files(f));
        if (heirs.some((h) => parts.has(h.path))) rules.set(was, { ...rule, word: m.name });
      }
    }
  }
  const others = rivals.filter((l) => l !== list).map((l) => `'${l.file.path}'`);
  const oneOf = `the list is in ${others.join(', ')}, too, which stays as it is: what the set adds is for '${list.file.path}'`;
  return { ...list, rules, oneOf };
}

/**
 * A comment between entries that are in one list of several lines now, which no comment can divide: it has no effect, and
 * goes in front of the list.
 */
async function placeComment(edit: Edit, base: PorterFile, context: PortContext): Promise<Placed | null> {
  const [segment] = edit.segments as [PlacedSegment['segment']];
  const isComment = (l: ByteString) => /^\s*(#|$)/.test(l);
  if (edit.segments.length !== 1 || edit.wraps || ![...segment.added, ...segment.removed].every(isComment)) return null;
  const rules = base.index.definitions.filter((d) => d.kind === 'object-rule');
  const beside = rules.find((d) => d.startLine === segment.at) ?? rules.find((d) => d.endLine === segment.at - 1);
  const prefix = beside && listName(beside.name)?.prefix;
  const heir = prefix === undefined ? null : await listHeir(prefix, base, context);
  if (!beside || !heir || !beside.members.some((m) => heir.rules.has(resolve(m.name, prefix!, base.path)))) return null;
  const at = Math.min(...[...heir.rules.values()].map((r) => r.startLine));
  const why = `a comment: it stands in front of the list that has '${beside.members[0]!.name}' now`;
  return {
    placed: true,
    file: heir.file,
    segments: [{ segment, site: { at, remove: 0, precision: 'anchored', why }, added: segment.added }],
    strategy: 'structure',
    confidence: 0.75,
    evidence: [{ kind: 'list-moved', text: why }],
    definition: null,
    rewritten: false,
  };
}

/** Makefiles of a folder and of those right below it. */
async function kbuildFiles(own: ByteString, was: ByteString, context: PortContext): Promise<ByteString[]> {
  const found = new Set<ByteString>();
  for (const folder of new Set([folderOf(own), folderOf(was)])) {
    for (const path of context.target.tree.paths()) {
      if (!path.startsWith(folder) || !/(^|\/)(Makefile|Kbuild)$/.test(path)) continue;
      if (path.slice(folder.length).split('/').length <= 2) found.add(path);
    }
  }
  return [...found];
}
