import { stripComments, type ByteString } from '../core/text';
import { indexFile } from '../kernel-index/index-file';
import { statementsOf } from '../kernel-index/statements';
import type { Definition } from '../kernel-index/types';
import { applyLineEdits, lineEdit } from './compose';
import type { PortContext } from './context';
import { scopeOf, type Placed, type PlacedSegment } from './place';
import type { EditResult } from './port-edit';
import type { PorterFile } from './view';

/**
 * A name counts as known only where it is declared once all is in place: edits that leave a function with a label without a
 * jump, a jump without its label, a local without its declaration or without a value, or with code that nothing comes to any
 * more, are not made. The set's own function has to be sound in that point: what it does itself is its own business.
 *
 * @returns true when an edit lost its place: others may have lost their names with it
 */
export async function holdNames(
  results: readonly EditResult[],
  base: PorterFile,
  context: PortContext,
): Promise<boolean> {
  const active = results.filter((r) => r.outcome !== 'already-upstream' && !r.inert);
  const files = new Map(active.flatMap((r) => r.placements.map((p) => [p.file.path, p.file] as const)));
  const own = await context.patched.file(base.path);
  let lost = false;
  for (const file of files.values()) {
    if (file.index.language !== 'c' || file.text === base.text || !own) continue;
    const here = active.flatMap((r) => r.placements.flatMap((p) => (p.file === file ? [{ r, p }] : [])));
    const edits = here.flatMap(({ p }) => p.segments.map(lineEdit));
    const text = applyLineEdits(file.lines, edits, base.lines);
    const index = await indexFile(file.path, text, { attributes: file.attributes, grammar: false });
    for (const name of new Set(here.map(({ p }) => p.definition))) {
      const ported = index.definitions.filter((d) => d.kind === 'function' && d.name === name);
      if (name === null || ported.length !== 1) continue;
      const is = bodyOf(text, ported[0]!, file.attributes);
      const among = here.filter(({ p }) => p.definition === name);
      const segments = here.flatMap(({ p }) => p.segments);
      for (const { r, p } of among) {
        const scope = scopeOf(base, r.edit.segments[0]!);
        const set = scope && own.outer.filter((d) => d.kind === 'function' && d.name === scope.name);
        if (set?.length !== 1 || !is) continue;
        const meant = bodyOf(own.text, set[0]!, own.attributes);
        const reason =
          meant &&
          (strayLabel(p, is, meant) ??
            strayJump(p, is, meant) ??
            lostLocal(p, is, meant, context) ??
            unknownLocal(p, is, meant, context) ??
            deadCode(p, segments));
        if (!reason) continue;
        const candidate = { path: file.path, line: p.segments[0]!.site.at + 1, definition: p.definition };
        r.failure = { placed: false, reason, evidence: p.evidence, candidate };
        r.placements = [];
        r.outcome = 'conflict';
        lost = true;
      }
    }
  }
  return lost;
}

/** A function that the grammar reads: its name, its code without comments, and what it declares. */
interface Body {
  name: string;
  code: string;
  declared: ReadonlySet<string>;
}

/** Null where the grammar fails: then nothing is known. */
function bodyOf(text: ByteString, d: Definition, attributes: ReadonlySet<string>): Body | null {
  const statements = statementsOf(text, d, attributes);
  if (statements.length === 0 || statements.some((s) => s.kind === 'error')) return null;
  const code = stripComments(text.slice(d.start, d.end));
  const declared = new Set((d.signature?.parameters ?? []).map((p) => p.name));
  for (const s of statements) {
    if (s.kind === 'declaration') for (const n of declarators(text.slice(s.start, s.end))) declared.add(n);
  }
  // What a macro may declare: `LIST_HEAD(x)`, `DEFINE_WAIT(x)`.
  for (const [, list] of code.matchAll(/^[ \t]+(?:static\s+)?[A-Z][A-Z0-9_]*\s*\(([^;]*)\)\s*;/gm))
    for (const n of list!.match(/[A-Za-z_]\w*/g) ?? []) declared.add(n);
  return { name: d.name, code, declared };
}

/** The names that a declaration declares; of a struct with members all its words. */
function declarators(declaration: ByteString): string[] {
  const code = stripComments(declaration);
  if (code.includes('{') && !/=\s*\{/.test(code)) return code.match(/[A-Za-z_]\w*/g) ?? [];
  let depth = 0;
  let plain = '';
  let value = false;
  for (const c of code) {
    if (/[([{]/.test(c)) depth++;
    if (depth === 0 && c === '=') value = true;
    if (depth === 0 && c === ',') value = false;
    // A pointer to a function has its name in parentheses.
    if (!value || (depth === 0 && c === ',')) plain += c;
    if (/[)\]}]/.test(c)) depth--;
  }
  return plain.split(/,(?![^(]*\))/).flatMap((part) => {
    const pointer = /\(\s*\*\s*(\w+)/.exec(part)?.[1];
    const words = part.replace(/\[[^\]]*\]|\([^)]*\)|:\s*\w+/g, ' ').match(/[A-Za-z_]\w*/g) ?? [];
    return pointer ? [pointer] : words.filter((w) => !/^__\w+$/.test(w)).slice(-1);
  });
}

const word = (name: string) => new RegExp(`(?<![.>\\w"])${name}\\b`);
const addedBy = (p: Placed) => stripComments(p.segments.flatMap((s) => s.added).join(''));
const removedBy = (p: Placed) =>
  stripComments(p.segments.flatMap((s) => p.file.lines.slice(s.site.at, s.site.at + s.site.remove)).join(''));
const labelsIn = (code: string) =>
  [...code.matchAll(/^[ \t]*([A-Za-z_]\w*)[ \t]*:(?!:)/gm)].flatMap((m) => (m[1] === 'default' ? [] : [m[1]!]));
const jumpsIn = (code: string) => [...code.matchAll(/\bgoto\s+(\w+)/g)].map((m) => m[1]!);

function strayLabel(p: Placed, is: Body, meant: Body): string | null {
  const mentions = (body: Body, label: string) => body.code.match(new RegExp(`\\b${label}\\b`, 'g'))?.length ?? 0;
  const stray = labelsIn(addedBy(p)).find((l) => mentions(is, l) < 2 && jumpsIn(meant.code).includes(l));
  return stray === undefined ? null : `nothing in '${is.name}' jumps to the label '${stray}' that it adds`;
}

function strayJump(p: Placed, is: Body, meant: Body): string | null {
  const has = new Set(labelsIn(is.code));
  const known = new Set(labelsIn(meant.code));
  const stray = jumpsIn(addedBy(p)).find((l) => !has.has(l) && known.has(l));
  return stray === undefined ? null : `it jumps to '${stray}', a label that '${is.name}' does not have`;
}

/** A local whose declaration, or whose every value, an edit deletes, and that upstream's own code still uses. */
function lostLocal(p: Placed, is: Body, meant: Body, context: PortContext): string | null {
  const removed = removedBy(p);
  const gone = removed
    .split('\n')
    .flatMap((l) => (DECLARES.test(l) && !/^\s*(return|goto)\b/.test(l) ? declarators(l) : []));
  for (const name of new Set(gone)) {
    if (is.declared.has(name) || meant.declared.has(name) || !word(name).test(is.code)) continue;
    if (context.target.kernel.definitions(name).length) continue;
    return `'${is.name}' still uses '${name}', whose declaration it deletes`;
  }
  const unset = [...removed.matchAll(/(?<![.>\w])([A-Za-z_]\w*)\s*=(?!=)/g)].map((m) => m[1]!);
  for (const name of new Set(unset)) {
    if (!is.declared.has(name) || isSet(name, is.code) || !word(name).test(withoutDeclarations(is.code, name)))
      continue;
    if (word(name).test(withoutDeclarations(meant.code, name)) && !isSet(name, meant.code)) continue;
    return `'${is.name}' still uses '${name}', which nothing sets without what it deletes`;
  }
  return null;
}

const DECLARES =
  /^\s*(?:(?:const|static|unsigned|struct|union|enum|long|short)\s+)*[A-Za-z_]\w*[\s*]+[A-Za-z_]\w*[^()]*;\s*$/;

/** A parameter is set by its callers; so is what is handed out by its address, or to a macro that walks a list. */
function isSet(name: string, code: string): boolean {
  const n = `(?<![.>\\w])${name}\\b`;
  const part = '(?:\\s*(?:\\[[^\\]]*\\]|\\.\\w+))*';
  const head = code.slice(0, code.indexOf('{'));
  return (
    word(name).test(head) ||
    new RegExp(
      `${n}${part}\\s*(?:[-+*/|&^%]|<<|>>)?=(?!=)|&\\s*${name}\\b|${n}\\s*(?:\\+\\+|--)|(?:\\+\\+|--)\\s*${name}\\b`,
    ).test(code) ||
    new RegExp(`\\w*(?:for_each|_for_|FOR_|[A-Z]{3})\\w*\\s*\\([^;{]*${n}`).test(code) ||
    new RegExp(`${n}\\s*\\[`).test(code)
  );
}

const withoutDeclarations = (code: string, name: string) =>
  code
    .split('\n')
    .filter((l) => !(DECLARES.test(l) && declarators(l).includes(name)))
    .join('\n');

/** A local of the set's function, or of the base's, that what the edit adds uses and the target's function has not. */
function unknownLocal(p: Placed, is: Body, meant: Body, context: PortContext): string | null {
  const code = addedBy(p).replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const used = new Set([...code.matchAll(/(?<![.>\w])([A-Za-z_]\w*)\b(?!\s*\()/g)].map((m) => m[1]!));
  for (const name of used) {
    if (!meant.declared.has(name)) continue;
    if (is.declared.has(name)) {
      const unsure = `uses the local '${name}',`;
      p.evidence = p.evidence.filter((e) => e.kind !== 'doubt' || !e.text.startsWith(unsure));
      continue;
    }
    // A member in an initialiser, a tag, a type, a label, a macro of that name, or one of the file's own variables.
    if (new RegExp(`(?:\\.|\\b(?:struct|union|enum|goto)\\s+)${name}\\b|\\b${name}\\s*:`).test(code)) continue;
    if (context.target.kernel.definitions(name).length || context.patched.kernel.definitions(name).length) continue;
    return `it uses '${name}', a local that '${is.name}' does not have`;
  }
  return null;
}

const JUMP = /^(?:return\b[^;]*|goto \w+|break|continue)\s*;$/;

/** An unconditional jump at the end of what is put before a statement of upstream's. */
function deadCode(p: Placed, all: readonly PlacedSegment[]): string | null {
  const codeOf = (line: ByteString | undefined) => stripComments(line ?? '').trim();
  for (const s of p.segments) {
    const lines = s.added.map(codeOf).filter((l) => l !== '');
    const last = lines[lines.length - 1];
    if (last === undefined || !JUMP.test(last)) continue;
    const next = s.site.at + s.site.remove;
    const before =
      lines[lines.length - 2] ?? codeOf(p.file.lines.slice(0, s.site.at).findLast((l) => codeOf(l) !== ''));
    if (!/[;{}:]$/.test(before)) continue;
    const follows = p.file.lines.findIndex((l, i) => i >= next && codeOf(l) !== '' && !/^\s*\*/.test(l));
    if (follows < 0 || all.some((o) => o !== s && o.site.at >= s.site.at && o.site.at <= follows)) continue;
    const line = codeOf(p.file.lines[follows]);
    if (/^(?:\}|#|case\b|default\b|\w+\s*:(?!:))/.test(line)) continue;
    return `nothing would come to '${line}' behind its '${last}'`;
  }
  return null;
}
