import type { Evidence } from '../core/outcome';
import { stripComments, tokens, type ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import { argumentsAt } from './adapt';
import type { PortContext } from './context';
import { wrapLong } from './long-lines';

/** What upstream made of a macro with one operand: `MACRO(x)` became `x->field`. */
export interface FieldForMacro {
  field: string;
  /** In how many places upstream's own lines say so. */
  seen: number;
  /** `MACRO(x)` was `whole - x->part`, and `part` is gone: it is `whole - x->field` now. */
  complement: { struct: string; part: string; whole: string } | null;
}

/** So many functions of the base that call a macro are asked. */
const MOST_USERS = 40;

/**
 * Macros that read a struct, and that upstream replaced by a field of it. Upstream's own changed lines say which: each that
 * had the macro and nothing else there has the field of the same operand now, and all have the same one.
 */
export class MacroFields {
  private readonly known = new Map<string, Promise<FieldForMacro | null>>();

  /** Rewrites what some code says of such macros, and of the fields that they were reckoned from. */
  async read(
    lines: readonly ByteString[],
    around: ByteString,
    own: (name: string) => boolean,
    context: PortContext,
  ): Promise<{ lines: ByteString[]; evidence: Evidence[] }> {
    const evidence: Evidence[] = [];
    const text = lines.join('');
    let now = text;
    for (const macro of new Set([...stripComments(text).matchAll(/\b([A-Za-z_]\w*)\s*\(/g)].map((m) => m[1]!))) {
      const found = own(macro) ? null : await this.of(macro, context);
      if (!found) continue;
      now = calledAsField(now, macro, found.field);
      if (now === text) continue;
      const places = found.seen > 1 ? `${found.seen} places` : 'one place';
      const said = `'${macro}(…)' is '…->${found.field}' in upstream's own code, in ${places}`;
      evidence.push({ kind: 'expression-learned', text: said });
    }
    // The field that such a macro was reckoned from stands for the rest of the whole.
    for (const [, part] of stripComments(now).matchAll(/->\s*([A-Za-z_]\w*)/g)) {
      for (const [macro, found] of await this.reckonedFrom(part!, context)) {
        const { struct, whole } = found.complement!;
        const before = now;
        now = asComplement(now, around, part!, found);
        if (now === before) continue;
        const said = `'${part}' of 'struct ${struct}' is '${whole} - ${found.field}' now: '${macro}()' was '${whole} - ${part}'`;
        evidence.push({ kind: 'expression-learned', text: said });
      }
    }
    if (evidence.length === 0) return { lines: [...lines], evidence };
    const same = new Set(lines);
    const read = now.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    return { lines: read.flatMap((l) => (same.has(l) ? [l] : wrapLong(l))), evidence };
  }

  private of(macro: string, context: PortContext): Promise<FieldForMacro | null> {
    let known = this.known.get(macro);
    if (!known) this.known.set(macro, (known = this.find(macro, context)));
    return known;
  }

  /** Macros that became fields and that were reckoned from a field that is gone. */
  private async reckonedFrom(part: string, context: PortContext): Promise<[string, FieldForMacro][]> {
    const all: [string, FieldForMacro][] = [];
    const owners = context.base.kernel.members(part);
    if (!owners.some((o) => hasNoMore(o.definition.name, part, context))) return all;
    for (const { definition: d } of context.base.kernel.mentions(part)) {
      const found = d.kind === 'macro' ? await this.of(d.name, context) : null;
      if (found?.complement?.part === part) all.push([d.name, found]);
    }
    return all;
  }

  private async find(macro: string, context: PortContext): Promise<FieldForMacro | null> {
    const { base, target } = context;
    const [is, ...others] = base.kernel.definitions(macro);
    const [parameter, ...more] = is?.definition.signature?.parameters ?? [];
    if (is?.definition.kind !== 'macro' || others.length || !parameter || more.length) return null;
    if (target.kernel.definitions(macro).length || target.kernel.mentions(macro).length) return null;
    const fields = new Map<string, number>();
    const users = new Set(base.kernel.mentions(macro).filter((f) => f.definition.kind === 'function'));
    for (const user of [...users].slice(0, MOST_USERS)) {
      const file = await base.file(user.file.path);
      const scope = file?.outer.find((d) => d.name === user.definition.name && d.kind === 'function');
      if (!file || !scope) continue;
      for (const heir of await context.heirs.definitions(file.path, scope)) {
        const there = await target.file(heir.path);
        if (!there || heir.definition.kind !== 'function') continue;
        const pairing = context.aligner.definitions(file, scope, there, heir.definition);
        pairing.match.forEach((m, i) => {
          const [from, to] = [pairing.baseUnits[i]!, m && pairing.targetUnits[m.to]];
          if (!to) return;
          // The words themselves: a unit's own may be those of the target already.
          const a = tokens(stripComments(file.lines.slice(from.first, from.last + 1).join('')));
          const b = tokens(stripComments(there.lines.slice(to.first, to.last + 1).join('')));
          for (const field of replaced(a, b, macro)) fields.set(field, (fields.get(field) ?? 0) + 1);
        });
      }
    }
    const [[field, seen] = ['', 0], ...rest] = fields;
    // `''` is a place where upstream says something else instead.
    if (field === '' || rest.length > 0) return null;
    const said = is.definition.body ? is.file.text.slice(is.definition.body.start, is.definition.body.end) : '';
    return { field, seen, complement: complementIn(tokens(said), parameter.name, field, context) };
  }
}

/**
 * What stands for the calls of a macro in a line that upstream changed: a field of the operand, or `''` for something else.
 * Lines that changed beside it, too, say nothing.
 */
function* replaced(a: readonly string[], b: readonly string[], macro: string): Generator<string> {
  let [i, k] = [0, 0];
  const fields: string[] = [];
  while (i < a.length) {
    if (a[i] === macro && a[i + 1] === '(') {
      let [depth, end] = [1, i + 2];
      for (; end < a.length && depth > 0; end++) depth += Number(a[end] === '(') - Number(a[end] === ')');
      const operand = a.slice(i + 2, end - 1);
      const kept = operand.every((w, n) => b[k + n] === w);
      const field = kept && b[k + operand.length] === '->' ? b[k + operand.length + 1] : undefined;
      fields.push(field !== undefined && depth === 0 ? field : '');
      if (field === undefined) {
        // All else of the line must be as it was, to say that this became another thing.
        const tail = a.slice(end);
        if (tail.length <= b.length - k && tail.every((w, n) => w === b[b.length - tail.length + n])) yield '';
        return;
      }
      i = end;
      k += operand.length + 2;
    } else if (a[i++] !== b[k++]) return;
  }
  if (k === b.length) yield* fields;
}

/** `whole - x->part` in a macro's text, where the whole means the same in both kernels and upstream took `part` away. */
function complementIn(
  words: readonly string[],
  parameter: string,
  field: string,
  { base, target }: PortContext,
): FieldForMacro['complement'] {
  const said = words
    .join(' ')
    .replace(/^\( (.*) \)$/, '$1')
    .replaceAll(`( ${parameter} )`, parameter);
  const [, whole, part] = new RegExp(`^([A-Z_]\\w*|\\d+) - ${parameter} -> (\\w+)$`).exec(said) ?? [];
  if (whole === undefined || part === undefined || valueOf(whole, base.kernel) === null) return null;
  if (valueOf(whole, base.kernel) !== valueOf(whole, target.kernel)) return null;
  const structs = new Set(base.kernel.members(part).map((m) => m.definition.name));
  const fits = [...structs].filter(
    (s) =>
      hasNoMore(s, part, { base, target }) &&
      target.kernel.members(field).some((m) => m.definition.name === s) &&
      !base.kernel.members(field).some((m) => m.definition.name === s),
  );
  return fits.length === 1 ? { struct: fits[0]!, part, whole } : null;
}

/** A struct that lost a field, and is still there. */
function hasNoMore(struct: string, field: string, { target }: Pick<PortContext, 'base' | 'target'>): boolean {
  return (
    target.kernel.definitions(struct).some((f) => f.definition.kind === 'struct') &&
    !target.kernel.members(field).some((m) => m.definition.name === struct)
  );
}

/** What a constant is written as; null when there is not one such text. */
function valueOf(constant: string, kernel: KernelIndex): string | null {
  if (/^\d/.test(constant)) return constant;
  const texts = new Set(
    kernel.definitions(constant).map(({ file, definition: d }) => {
      return d.kind === 'macro' && !d.signature && d.body
        ? tokens(file.text.slice(d.body.start, d.body.end)).join(' ')
        : '';
    }),
  );
  const [text] = texts;
  return texts.size === 1 && /^\d\w*$/.test(text!) ? text! : null;
}

/** `MACRO(x)` as `x->field`, where the operand is a name, an access or a call. */
function calledAsField(text: ByteString, macro: string, field: string): ByteString {
  let out = '';
  let at = 0;
  for (const m of text.matchAll(new RegExp(`(?<![\\w.>])${macro}\\s*(?=\\()`, 'g'))) {
    const args = argumentsAt(text, m.index + m[0].length);
    const operand = args?.list.length === 1 ? args.list[0]!.trim() : '';
    if (!/^\w+(?:(?:->|\.)\w+)*(?:\([\w\s,.>-]*\))?$/.test(operand)) continue;
    out += `${text.slice(at, m.index)}${operand}->${field}`;
    at = args!.end + 1;
  }
  return out + text.slice(at);
}

/** `x->part` as `whole - x->field`, where it is read and `x` is a pointer to that struct. */
function asComplement(text: ByteString, around: ByteString, part: string, found: FieldForMacro): ByteString {
  const { struct, whole } = found.complement!;
  const access = new RegExp(`(?<![\\w.>])([A-Za-z_]\\w*)->${part}\\b(?!\\s*(?:->|\\.|\\[|\\())`, 'g');
  return text.replace(access, (said: string, name: string, offset: number) => {
    const declared = new RegExp(`\\bstruct\\s+(\\w+)\\s*\\*\\s*(?:const\\s+)?${name}\\s*[;,=)]`, 'g');
    const types = new Set([...`${around}\n${text}`.matchAll(declared)].map((m) => m[1]!));
    if (types.size !== 1 || !types.has(struct)) return said;
    const [before, after] = [text.slice(0, offset).trimEnd(), text.slice(offset + said.length).trimStart()];
    const isSet = /^(?:[-+*/|&^%]|<<|>>)?=(?!=)|^(?:\+\+|--)/.test(after) || /(?:\+\+|--|&)$/.test(before);
    if (isSet) return said;
    const alone = /(?:[(,]|[^=!<>]=|\breturn)$/.test(before) && /^[),;]/.test(after);
    const now = `${whole} - ${name}->${found.field}`;
    return alone ? now : `(${now})`;
  });
}
