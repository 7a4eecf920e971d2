import type { Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import { containerOf, spelt, throughContainer, type Kernels } from './containers';
import { scopeOf, type Placed } from './place';
import type { Pairing } from './site';
import { storedIn } from './stored';
import type { PorterFile } from './view';

/** A definition of the base and what it became, with their lines aligned. */
export interface Scopes {
  base: Definition;
  target: Definition;
  pairing: Pairing;
}

/** What a payload's locals read as in the target; `missing` are those that nothing is known of. */
export interface Locals {
  lines: ByteString[];
  evidence: Evidence[];
  missing: string[];
}

const DECLARED =
  /^\s*(?:(?:const|static|unsigned|struct|union|enum)\s+)*[A-Za-z_]\w*[\s*]+([A-Za-z_]\w*)\s*(?:[;=,[]|$)/gm;

/**
 * Rewrites what a payload takes from the function around it: parameters and locals that upstream dropped are reached in
 * another way now. How, upstream's own lines show; where they do not, a new parameter with the one member of the type may.
 */
export function readLocals(lines: readonly ByteString[], scopes: Scopes, kernels: Kernels): Locals {
  const { pairing } = scopes;
  const text = (file: { text: ByteString }, d: Definition) => file.text.slice(d.start, d.end);
  const missing = missingLocals(
    lines.join(''),
    scopes.base,
    text(pairing.base, scopes.base),
    text(pairing.target, scopes.target),
  );
  let read = lines.join('');
  const evidence: Evidence[] = [];
  const unknown: string[] = [];
  for (const name of missing) {
    const written = byInitialiser(name, text(pairing.base, scopes.base), text(pairing.target, scopes.target));
    if (written) {
      read = read.replace(new RegExp(`(?<![.>\\w])${name}\\s*->`, 'g'), () => `${written.path}.`);
      if (!new RegExp(`(?<![.>\\w])${name}\\b`).test(read)) {
        evidence.push({ kind: 'local-respelt', text: `the local '${name}' was '${written.value}': it is written out` });
        continue;
      }
      read = lines.join('');
    }
    const value = byValue(name, text(pairing.base, scopes.base), text(pairing.target, scopes.target));
    if (value !== null) {
      read = read.replace(new RegExp(`(?<![.>\\w])${name}\\b`, 'g'), () => value);
      evidence.push({ kind: 'local-respelt', text: `the local '${name}' was '${value}': it is written out` });
      continue;
    }
    const typed = () => byType(name, scopes, text(pairing.base, scopes.base), kernels.target);
    const changes = assigned(name, text(pairing.base, scopes.base));
    const now =
      learned(name, pairing) ??
      asRead(name, typed(), text(pairing.target, scopes.target), read) ??
      (changes
        ? null
        : storedIn(
            name,
            scopes.base,
            text(pairing.base, scopes.base),
            scopes.target,
            text(pairing.target, scopes.target),
            kernels,
          ));
    const container = now || changes ? null : containerOf(name, scopes.base, scopes.target, kernels);
    if (container) {
      read = throughContainer(read, name, container);
      const what = `'${name}' is ${spelt(container)}: every caller hands over '${container.path}' of what it handed over`;
      evidence.push({ kind: 'local-respelt', text: what });
      continue;
    }
    if (now === null) {
      unknown.push(name);
      continue;
    }
    read = read.replace(new RegExp(`(?<![.>\\w])${name}\\b`, 'g'), () => now.text);
    evidence.push({ kind: 'local-respelt', text: `the local '${name}' is '${now.text}' in the target: ${now.why}` });
  }
  return { lines: evidence.length ? (read.match(/[^\n]*\n|[^\n]+$/g) ?? []) : [...lines], evidence, missing: unknown };
}

/** Variables that some code declares. */
export function declaredIn(code: ByteString): Set<string> {
  return new Set([...stripComments(code).matchAll(DECLARED)].map((m) => m[1]!));
}

/** Parameters and locals of a function, by its text. */
export function localsOf(of: Definition, text: ByteString): Set<string> {
  const names = declaredIn(text);
  for (const p of of.signature?.parameters ?? []) names.add(p.name);
  return names;
}

/**
 * A local that the set declares in a function where upstream declares one of that name by now becomes another: in all that
 * the set adds there. It is called by its struct, which is what it is.
 */
export function renameOwnLocals(placements: readonly Placed[], base: PorterFile): void {
  const byFunction = new Map<Definition, Placed[]>();
  for (const p of placements) {
    const to = p.file.outer.find((d) => d.kind === 'function' && d.name === p.definition);
    if (to) byFunction.set(to, [...(byFunction.get(to) ?? []), p]);
  }
  for (const [to, own] of byFunction) {
    const [first] = own as [Placed, ...Placed[]];
    const was = scopeOf(base, first.segments[0]!.segment);
    if (was?.kind !== 'function') continue;
    const is = first.file.text.slice(to.start, to.end);
    const theirs = localsOf(to, is);
    const before = localsOf(was, base.text.slice(was.start, was.end));
    const added = own.flatMap((p) => p.segments.flatMap((s) => s.added)).join('');
    const either = new Set(own.flatMap((p) => declaredEitherWay(p)));
    for (const [, name] of stripComments(added).matchAll(DECLARED)) {
      if (!theirs.has(name!) || before.has(name!) || either.has(name!)) continue;
      const tag = new RegExp(`struct\\s+(\\w+)\\s*\\*?\\s*${name}\\b`).exec(added)?.[1] ?? '';
      const taken = new Set([
        ...tokens(is.replace(/\bstruct\s+\w+/g, '')),
        ...tokens(added.replace(/\bstruct\s+\w+/g, '')),
      ]);
      const now = [tag, `own_${name}`].find((n) => n !== '' && !taken.has(n));
      if (now === undefined) continue;
      const text = `the local '${name}' is upstream's in '${to.name}' now: the set's is called '${now}'`;
      for (const p of own) {
        for (const s of p.segments)
          s.added = s.added.map((l) => l.replace(new RegExp(`(?<![.>\\w]|struct )${name}\\b`, 'g'), now));
        p.rewritten = true;
        p.confidence = Math.min(p.confidence, RENAMED);
        p.evidence.push({ kind: 'local-renamed', text });
      }
    }
  }
}

/** What an edit declares instead of the declaration that it guards out: one variable. */
function declaredEitherWay(p: Placed): string[] {
  const at = p.segments.map((s) => s.site.at);
  const wrapped = declaredIn(p.file.lines.slice(Math.min(...at), Math.max(...at)).join(''));
  return [...declaredIn(p.segments.flatMap((s) => s.added).join(''))].filter((name) => wrapped.has(name));
}

/** At most this sure where a local of the set got another name. */
const RENAMED = 0.75;

/** Locals and parameters of the base's definition that the payload uses and the target's does not have. */
function missingLocals(payload: ByteString, base: Definition, was: ByteString, is: ByteString): string[] {
  const words = (text: ByteString) => new Set(stripComments(text).match(/(?<![.>\w])[A-Za-z_]\w*/g) ?? []);
  const declared = localsOf(base, was);
  const there = words(is);
  const own = declaredIn(payload);
  return [...words(payload)].filter((w) => declared.has(w) && !there.has(w) && !own.has(w));
}

interface Reading {
  text: string;
  why: string;
}

/** `T *name = &a->b;` of the base, where the target still has `a`: `name->c` is `a->b.c`. Null for anything else. */
function byInitialiser(name: string, was: ByteString, is: ByteString): { value: string; path: string } | null {
  const value = new RegExp(`\\*\\s*${name}\\s*=\\s*(&[\\w>.\\-]+);`).exec(stripComments(was))?.[1];
  if (value === undefined) return null;
  const start = /^&(\w+)/.exec(value)?.[1] ?? '';
  const there = new RegExp(`(?<![.>\\w])${start}\\b`).test(stripComments(is));
  return there && value.includes('->') ? { value, path: value.slice(1) } : null;
}

/** True when a function sets a parameter to something else, or lets others do so. */
function assigned(name: string, was: ByteString): boolean {
  const code = stripComments(was);
  return new RegExp(
    `(?<![.>\\w])${name}\\s*(?:[-+*/|&^%]|<<|>>)?=(?!=)|&\\s*${name}\\b(?!\\s*(?:->|\\.))|(?:\\+\\+|--)\\s*${name}\\b|\\b${name}\\s*(?:\\+\\+|--)`,
  ).test(code);
}

/** What a local of the base was set to, once and for all, where the target still has all that this says. */
function byValue(name: string, was: ByteString, is: ByteString): string | null {
  const code = stripComments(was);
  const set = [...code.matchAll(new RegExp(`(?<![.>\\w])${name}\\s*(?:[-+*/|&^%]|<<|>>)?=(?!=)([^;{}]*);`, 'g'))];
  const value = set.length === 1 && !new RegExp(`&\\s*${name}\\b|\\+\\+|--`).test(code) ? set[0]![1]!.trim() : null;
  // A call may do more than to say a value; a macro or helper of one operand does not.
  if (value === null || !/^(?:\w+\()?[\w.>-]+\)?$/.test(value) || /^\d/.test(value)) return null;
  const there = new Set(tokens(is));
  const needs = /\(([\w.>-]+)\)/.exec(value)?.[1] ?? value;
  return tokens(needs).every((w) => !/^\w/.test(w) || there.has(w)) ? value : null;
}

/** What stands for a name in the lines that upstream changed; null when they do not agree, or there are none. */
function learned(name: string, p: Pairing): Reading | null {
  const seen = new Map<string, number>();
  // The field of that name is another thing.
  const plain = (words: readonly string[]) =>
    words.filter((t, i) => t === name && !/^(->|\.)$/.test(words[i - 1] ?? '')).length;
  p.match.forEach((m, i) => {
    if (!m || m.similarity === 1) return;
    const [a, b] = [p.baseUnits[i]!.tokens, p.targetUnits[m.to]!.tokens];
    if (plain(a) !== 1 || plain(b) > 0) return;
    let head = 0;
    while (head < a.length && head < b.length && a[head] === b[head]) head++;
    let tail = 0;
    while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
      tail++;
    if (a.length - head - tail !== 1 || a[head] !== name) return;
    const now = spell(b.slice(head, b.length - tail));
    if (now !== null) seen.set(now, (seen.get(now) ?? 0) + 1);
  });
  if (seen.size !== 1) return null;
  return { text: [...seen.keys()][0]!, why: "so upstream's own lines have it" };
}

/** Tokens as an expression that may stand for a name; null when they are none. */
function spell(words: readonly string[]): string | null {
  if (words.length === 0 || words.length > 12 || !words.every((w) => /^(\w+|->|\.|\(|\)|&)$/.test(w))) return null;
  let depth = 0;
  for (const w of words) {
    if (w === '(') depth++;
    if (w === ')' && --depth < 0) return null;
  }
  return depth === 0 ? words.join('') : null;
}

/**
 * What upstream's own lines read only as `f(a->b)->c` cannot be read as it is: by an address of another space, say. So the
 * payload does the same, unless it calls the very function already.
 */
function asRead(name: string, now: Reading | null, is: ByteString, payload: ByteString): Reading | null {
  if (now === null || !/^\w+->\w+$/.test(now.text)) return now;
  const code = stripComments(is);
  const uses = code.match(new RegExp(`(?<![\\w.>])${now.text}(?!\\w)`, 'g')) ?? [];
  const through = [...code.matchAll(new RegExp(`\\b(\\w+)\\(${now.text}\\)->`, 'g'))].map((m) => m[1]!);
  const [call] = through;
  if (call === undefined || new Set(through).size > 1 || through.length < uses.length) return now;
  if (new RegExp(`\\b${call}\\s*\\(\\s*${name}\\b`).test(payload)) return now;
  return { text: `${call}(${now.text})`, why: `${now.why}, and upstream reads it through '${call}()' there` };
}

/** A parameter of the target whose struct has exactly one member of the type that the name has. */
function byType(name: string, scopes: Scopes, was: ByteString, target: Kernels['target']): Reading | null {
  const type = scopes.base.signature?.parameters.find((p) => p.name === name)?.type;
  const struct = type && /^(?:const )?struct (\w+) \*$/.exec(type);
  if (!struct) return null;
  const found: string[] = [];
  for (const p of scopes.target.signature?.parameters ?? []) {
    const owner = /^(?:const )?struct (\w+) \*$/.exec(p.type)?.[1];
    const members = owner
      ? target.definitions(owner).flatMap((f) => (f.definition.kind === 'struct' ? f.definition.members : []))
      : [];
    const fits = new Set(members.filter((m) => m.type === `struct ${struct[1]} *`).map((m) => m.name));
    for (const m of fits) found.push(`${p.name}->${m}`);
  }
  if (found.length !== 1) return null;
  // `kvm = f(kvm);` in the base: what its name stood for was what f makes of it.
  const through = new RegExp(`\\b${name}\\s*=\\s*(\\w+)\\(${name}\\);`).exec(stripComments(was))?.[1];
  const text = through ? `${through}(${found[0]})` : found[0]!;
  return { text, why: `a parameter of it has one member of that type` };
}
