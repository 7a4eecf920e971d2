import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import { includeCandidates } from '../kernel-index/scope';
import type { Found, KernelIndex } from '../kernel-index/index';
import type { Definition } from '../kernel-index/types';
import type { SymbolMap } from '../symbol-map';
import type { Operand } from './align';
import { readAccessors } from './accessors';
import { AsmMacros, readMacros } from './asm-macros';
import { Carrier, withCarried } from './carry';
import { readChains } from './chains';
import { keepConstants } from './constants';
import { Constructed } from './constructed';
import type { PortContext } from './context';
import { copiesOfNothing, readAsUpstream } from './learned';
import { MacroFields } from './macro-fields';
import { calledAs, changeEvidence, MacroTexts } from './macro-texts';
import { takesNames } from './pasted-operands';
import { keptElsewhere } from './private-names';
import type { View } from './view';
import type { MapEntry, SignatureChange } from '../symbol-map/types';

/** A payload as the target needs it. */
export interface Adapted {
  lines: ByteString[];
  /** What was rewritten, and why. */
  evidence: Evidence[];
  /** What the target may not take: one sentence each. The payload is left as it is there. */
  doubts: string[];
  /** What the target cannot take at all: with it nothing would build. */
  blockers: string[];
  /** Fields that it reaches for and that are gone; with their type, where that is known. */
  lost: ReadonlyMap<string, string>;
}

/** Where a payload stands. */
export interface Surroundings {
  /** Text in which variables that the lines use are declared. */
  around?: ByteString;
  /** Names that the code around has at hand in the target. */
  locals?: ReadonlySet<string>;
  /** What is written for attribute words that cannot be dropped: see `sections.ts`. */
  written?: ReadonlyMap<string, string>;
  /** What of the base may be carried along with it; nothing inside of a definition. */
  carries?: 'nothing' | 'macros' | 'functions';
}

/** A rename or a dropped argument must be this sure before it is written into somebody's code. */
const SURE = 0.8;

/** One word of a payload and what it becomes; null when it stays. */
type Reading = { to: string; evidence: Evidence; needs?: readonly string[] } | { doubt: string; gone?: string } | null;

/** Types of which 0 says "nothing". */
const NUMBER = /^(?:u8|u16|u32|u64|int|bool|unsigned (?:int|long)|unsigned|long|size_t)$/;

/** Strings and comments are passed over; a word behind `.` or `->` is a field. */
const WORD = /\/\*[^]*?(?:\*\/|$)|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|(#\s*include\b[^\n]*)|(\.|->)?(\s*)\b([A-Za-z_]\w*)/g;

/**
 * Rewrites what the set's own code mentions: names that upstream renamed, attribute words that it dropped, arguments that
 * functions lost. What is gone without an heir is left, and said.
 */
export class Adapter {
  private readonly asm: AsmMacros;
  private readonly carrier: Carrier;
  private readonly macros: MacroTexts;
  private readonly macroFields = new MacroFields();
  private readonly constructed: Constructed;
  private readonly readings = new Map<string, Reading>();
  private readonly calls = new Map<string, { dropped: number[]; arity: number } | { doubt: string } | null>();

  constructor(
    private readonly base: KernelIndex,
    private readonly target: KernelIndex,
    private readonly map: SymbolMap,
    private readonly operand: Operand,
    /** Names that the set itself defines: they are nobody else's business. */
    private readonly own: Set<string>,
    /** How an own header is named by a file of the target, when it is not where the set has it. */
    private readonly hasFile: (path: ByteString) => boolean,
    /** Files of the set that upstream has under another path. */
    private readonly twins: ReadonlyMap<ByteString, ByteString>,
    /** Arrays that the set declares. */
    private readonly arrays: ReadonlySet<string> = new Set(),
  ) {
    this.asm = new AsmMacros(base, target);
    this.macros = new MacroTexts(base, target, map);
    this.constructed = new Constructed(base, target);
    this.carrier = new Carrier(base, target, map, own);
  }

  /** @param path the file of the target that the lines go to */
  adapt(
    lines: readonly ByteString[],
    path: ByteString,
    { around = '', locals = new Set(), written = new Map(), carries = 'nothing' }: Surroundings = {},
  ): Adapted {
    const evidence = new Map<string, Evidence>();
    const isOwn = (name: string) => this.own.has(name);
    const kept = keepConstants(lines.join(''), path, this.base, this.target, this.map, isOwn);
    for (const e of kept.evidence) evidence.set(e.text, e);
    const { text } = kept;
    const doubts = new Set<string>();
    /** What is doubted because a definition of the base is gone: by its name. */
    const gone = new Map<string, string>();
    const lost = new Map<string, string>();
    let rewritten = this.followMacros(text, evidence).replace(
      WORD,
      (
        whole,
        include: string | undefined,
        member: string | undefined,
        gap: string | undefined,
        word: string | undefined,
      ) => {
        if (include !== undefined || word === undefined) return whole;
        const meaning = this.own.has(word) ? undefined : written.get(word);
        if (meaning !== undefined) {
          const text = `the target has no '${word}', but its section: '${meaning}'`;
          evidence.set(word, { kind: 'attribute-written-out', text });
          return `${gap ?? ''}${meaning}`;
        }
        const reading = this.read(word, member !== undefined);
        if (!reading) return whole;
        if ('doubt' in reading) {
          doubts.add(reading.doubt);
          if (member !== undefined) lost.set(word, '');
          if (reading.gone !== undefined) gone.set(reading.gone, reading.doubt);
          return whole;
        }
        if (reading.needs?.some((name) => !locals.has(name))) {
          doubts.add(`mentions '${word}', which takes '${reading.needs.join("', '")}' now`);
          return whole;
        }
        evidence.set(word, reading.evidence);
        return `${member ?? ''}${gap ?? ''}${reading.to}`;
      },
    );
    // A word that was dropped leaves its blank behind.
    if (evidence.size) rewritten = rewritten.replace(/\x01 ?/g, '');
    const accesses = readAccessors(rewritten, path, around, this.base, this.target, this.map, isOwn);
    rewritten = accesses.text;
    for (const e of accesses.evidence) evidence.set(e.text, e);
    for (const doubt of accesses.doubts) doubts.add(doubt);
    const chains = readChains(rewritten, path, around, this.base, this.target, this.map);
    rewritten = this.respell(chains.text, evidence);
    for (const e of chains.evidence) evidence.set(e.text, e);
    for (const doubt of chains.doubts) doubts.add(doubt);
    for (const [field, type] of chains.lost) lost.set(field, type);
    rewritten = this.followPrototypes(rewritten, evidence);
    rewritten = this.dropArguments(rewritten, evidence, doubts, gone);
    for (const doubt of this.constructed.doubts(rewritten, isOwn)) doubts.add(doubt);
    for (const doubt of keptElsewhere(rewritten, path, this.base, this.target, isOwn)) doubts.add(doubt);
    rewritten = this.followIncludes(rewritten, path, evidence);
    rewritten = this.followHeaders(rewritten, path, evidence);
    if (path.endsWith('.S')) {
      const { lines: read, renamed } = readMacros(splitAs(rewritten, lines), this.asm);
      rewritten = read.join('');
      for (const [from, to] of renamed)
        evidence.set(from, { kind: 'renamed', text: `'${from}()' is '${to}()' in the target` });
    }
    // A member that is reached in another way is not mentioned any more.
    for (const [name, doubt] of gone) {
      if (new RegExp(`\\b${name}\\b`).test(rewritten)) continue;
      doubts.delete(doubt);
      gone.delete(name);
    }
    for (const [name, doubt] of carries === 'nothing' ? [] : gone) {
      const carried = this.carrier.carry(name, carries === 'functions', written);
      if (!carried) continue;
      rewritten = withCarried(splitAs(rewritten, lines), name, carried).join('');
      evidence.set(`carried ${name}`, carried.evidence);
      doubts.delete(doubt);
    }
    return {
      lines: splitAs(rewritten, lines),
      evidence: [...evidence.values()],
      doubts: [...doubts],
      lost,
      blockers: [...this.missingIncludes(rewritten, path)],
    };
  }

  /** A header of the set that upstream has elsewhere is included from there. */
  private followIncludes(text: ByteString, path: ByteString, evidence: Map<string, Evidence>): ByteString {
    return text.replace(/^(\s*#\s*include\s*")([^">]+)(?=")/gm, (whole, head: string, name: string) => {
      const own = includeCandidates(path, name, false).find((p) => this.twins.has(p));
      if (own === undefined || includeCandidates(path, name, false).some(this.hasFile)) return whole;
      const up = path.split('/').slice(0, -1);
      const to = this.twins.get(own)!.split('/');
      while (up.length && to.length > 1 && up[0] === to[0]) {
        up.shift();
        to.shift();
      }
      const now = [...up.map(() => '..'), ...to].join('/');
      evidence.set(name, { kind: 'include-moved', text: `'${name}' is '${now}' in the target` });
      return head + now;
    });
  }

  /**
   * A header of the base that is gone: what it declared is in another one now. That is included instead, or nothing is
   * where the code includes it anyway.
   */
  private followHeaders(text: ByteString, path: ByteString, evidence: Map<string, Evidence>): ByteString {
    const included = new Set([...text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].map((m) => m[1]!));
    return text.replace(
      /^([ \t]*#[ \t]*include[ \t]*)([<"])([^>"]+)[>"]([^\n]*\n)/gm,
      (whole, head, open, name: string, end) => {
        const candidates = includeCandidates(path, name, open === '<');
        if (candidates.some(this.hasFile)) return whole;
        const was = candidates.find((p) => this.base.tree.has(p));
        const heir = was === undefined ? null : this.headerOf(was);
        if (heir === null) return whole;
        const gone = `the target has no '${name}'`;
        if (included.has(heir)) {
          evidence.set(name, { kind: 'include-dropped', text: `${gone}, what is left of it is in '${heir}'` });
          return '';
        }
        included.add(heir);
        evidence.set(name, { kind: 'include-moved', text: `${gone}, what is left of it is in '${heir}'` });
        return `${head}<${heir}>${end}`;
      },
    );
  }

  /** The header, as one includes it, that has what a header of the base declared; null when it is not one alone. */
  private headerOf(was: ByteString): string | null {
    const votes = new Map<string, number>();
    const names = new Set(this.base.file(was)?.index.definitions.map((d) => d.name));
    for (const name of names) {
      const now = new Set(this.target.definitions(name).flatMap((f) => nameOfHeader(f.file.path) ?? []));
      for (const header of now) votes.set(header, (votes.get(header) ?? 0) + 1);
    }
    const [best, second] = [...votes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return best && best[1] > (second?.[1] ?? 0) ? best[0] : null;
  }

  /** Headers that the payload includes and that neither the target nor the set has. */
  private *missingIncludes(text: ByteString, path: ByteString): Generator<string> {
    for (const [, open, name] of text.matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)) {
      const found = includeCandidates(path, name!, open === '<').some(this.hasFile);
      const was =
        this.base.tree.has(path) && includeCandidates(path, name!, open === '<').some((p) => this.base.tree.has(p));
      if (!found && (was || open === '"')) yield `includes '${name}', which the target does not have there`;
    }
  }

  /** Takes names for the kernel's that the set had moved to a file of its own, and that upstream's own file has now. */
  disown(names: Iterable<string>): void {
    for (const name of names) this.own.delete(name);
    this.readings.clear();
  }

  /** As {@link adapt}, with what upstream's own code says instead of fields that are gone: see `learned.ts`. */
  async adaptAll(
    lines: readonly ByteString[],
    path: ByteString,
    where: Surroundings,
    context: PortContext,
  ): Promise<Adapted> {
    const isOwn = (name: string) => this.own.has(name);
    const fields = await this.macroFields.read(lines, where.around ?? '', isOwn, context);
    const first = this.adapt(fields.lines, path, where);
    first.evidence.push(...fields.evidence);
    if (first.lost.size === 0) return first;
    const learned = await readAsUpstream(fields.lines, [...first.lost.keys()], context);
    const copies = copiesOfNothing(
      learned.lines,
      new Set([...first.lost].flatMap(([field, type]) => (NUMBER.test(type) ? [field] : []))),
      isOwn,
    );
    first.blockers.push(...learned.blockers);
    if (learned.evidence.length === 0 && copies.doubts.length === 0) return first;
    const again = this.adapt(copies.lines, path, where);
    again.evidence.push(
      ...fields.evidence,
      ...learned.evidence,
      ...copies.doubts.map((text) => ({ kind: 'field-removed', text })),
    );
    again.doubts.push(...learned.evidence.map((e) => e.text), ...copies.doubts);
    again.blockers.push(...learned.blockers);
    return again;
  }

  private read(word: string, member: boolean): Reading {
    const key = member ? `.${word}` : word;
    let reading = this.readings.get(key);
    if (reading === undefined) {
      reading = this.find(word, member);
      this.readings.set(key, reading);
    }
    return reading;
  }

  private find(word: string, member: boolean): Reading {
    if (this.own.has(word) || word.length < 3) return null;
    const { base, target } = this;
    if (member) {
      const doubt = this.fieldDoubt(word);
      if (doubt) return { doubt };
    }
    if (target.definitions(word).length || target.members(word).length || target.mentions(word).length) return null;
    if (!member && base.attributes.words.has(word) && !target.attributes.words.has(word)) {
      return { to: '\x01', evidence: { kind: 'attribute-dropped', text: `the target has no '${word}': dropped` } };
    }
    if (!base.definitions(word).length && !base.members(word).length) return null;
    const entry = this.map.lookup(null, word);
    const heir = entry?.to[0];
    // Whose field it is, the text does not say: a set may have fields of that name of its own.
    if (entry && heir && (member || entry.from.kind === 'field')) {
      return { doubt: `mentions the field '${word}', which is '${heir.name}' in the target` };
    }
    // `LEVEL(data)` is no `level(data)`: which struct's field it is, and how that is reached, nothing says.
    if (entry && heir?.kind === 'field')
      return { doubt: `mentions '${word}', which is the field '${heir.name}' in the target`, gone: word };
    const callable = entry?.changes.find((c) => c.kind === 'became-callable');
    if (
      entry &&
      heir &&
      callable?.kind === 'became-callable' &&
      entry.confidence >= SURE &&
      callable.parameters.length
    ) {
      const call = `${heir.name}(${callable.parameters.join(', ')})`;
      const text = `'${word}' is '${call}' in the target`;
      return { to: call, evidence: { kind: 'became-callable', text }, needs: callable.parameters };
    }
    const reshaped = entry?.changes.some((c) => c.kind === 'became-callable' || c.kind === 'became-plain');
    if (entry && heir && reshaped)
      return { doubt: `mentions '${word}', which is '${heir.name}' with other operands now` };
    // One name for another is a rename only when both name the same kind of thing.
    const retyped = entry?.from.kind === 'variable' && entry.changes.find((c) => c.kind === 'returns-changed');
    if (entry && heir && retyped && retyped.kind === 'returns-changed')
      return { doubt: `mentions '${word}', whose heir '${heir.name}' is a '${retyped.into}', not a '${retyped.from}'` };
    if (entry && heir && entry.status === 'renamed' && entry.confidence >= SURE) {
      if (statementOnly(entry, this.target) && !statementOnly(entry, this.base))
        return { doubt: `mentions '${word}', which is '${heir.name}', a whole statement, in the target`, gone: word };
      // What a function is handed is a value; this macro would make a name of it.
      if (entry.from.kind !== 'macro' && heir.kind === 'macro' && takesNames(heir.name, target))
        return {
          doubt: `mentions '${word}', which is '${heir.name}', a macro that takes names, in the target`,
          gone: word,
        };
      if (otherOperands(entry, base, target))
        return { doubt: `mentions '${word}', which is '${heir.name}' with other operands now`, gone: word };
      const name = heir.name.slice(heir.name.lastIndexOf('.') + 1);
      return { to: name, evidence: { kind: 'renamed', text: `'${word}' is '${name}' in the target` } };
    }
    return { doubt: `mentions '${word}', which the target does not have`, gone: word };
  }

  /** A field that only one struct of the base has, and that is a struct of its own now. */
  private fieldDoubt(word: string): string | null {
    const owners = this.base.members(word);
    if (new Set(owners.map((m) => m.definition.name)).size !== 1) return null;
    const entry = this.map.lookup('field', `${owners[0]!.definition.name}.${word}`);
    const change = entry?.changes.find((c) => c.kind === 'type-changed');
    if (!change || change.kind !== 'type-changed') return null;
    const isStruct = (type: string) => /^(const )?(struct|union)\b[^*]*$/.test(type);
    return isStruct(change.into) && !isStruct(change.from)
      ? `uses the field '${word}' as '${change.from}', which is '${change.into}' now`
      : null;
  }

  /** A prototype says what the definition says: its parameters are those of the target's. */
  private followPrototypes(text: ByteString, evidence: Map<string, Evidence>): ByteString {
    const plain = (t: string) => t.replace(/\s+/g, ' ').trim();
    // Another kernel's prototype may leave names out.
    const types = (t: string) =>
      plain(t)
        .replace(/\b\w+(?=\s*(,|$))/g, '')
        .replace(/\s+/g, '');
    const listOf = ({ file, definition: d }: Found) =>
      /\(([^()]*)\)\s*$/.exec(file.text.slice(d.start, d.body?.start ?? d.end))?.[1];
    const functions = (kernel: KernelIndex, name: string) =>
      kernel.definitions(name).filter((f) => f.definition.kind === 'function');
    return text.replace(
      /^((?:[\w*]+[ \t*]+)+)(\w+)\(([^(){};]*)\);/gm,
      (whole, head: string, name: string, list: string) => {
        const found = functions(this.target, name);
        if (this.own.has(name) || found.length !== 1) return whole;
        const parameters = listOf(found[0]!);
        if (parameters === undefined || types(parameters) === types(list)) return whole;
        // A set that gives it other parameters than its base did means those.
        const was = functions(this.base, name).map(listOf);
        if (was.length && was.every((p) => p === undefined || types(p) !== types(list))) return whole;
        evidence.set(`${name}(`, {
          kind: 'prototype-followed',
          text: `'${name}' takes '${plain(parameters)}' in the target`,
        });
        return `${head}${name}(${plain(parameters)});`;
      },
    );
  }

  /** Calls of macros whose operands changed, but not what they say: see `macro-texts.ts`. */
  private followMacros(text: ByteString, evidence: Map<string, Evidence>): ByteString {
    let out = '';
    let at = 0;
    for (const m of text.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
      const name = m[1]!;
      const change = m.index < at || this.own.has(name) ? null : this.macros.change(name);
      const args = change && argumentsAt(text, m.index + m[0].length - 1);
      const now = args && calledAs(change, args.list, this.arrays);
      const before = args?.list.map((a) => a.trim()).join(', ');
      if (!now || before === undefined || (change.name === name && now.join(', ') === before)) continue;
      out += `${text.slice(at, m.index)}${change.name}${m[0].slice(name.length)}${now.join(', ')}`;
      at = args.end;
      evidence.set(`${name}(${before}`, changeEvidence(name, change, before, now.join(', ')));
    }
    return out + text.slice(at);
  }

  /** Operands that macros of the target take in another spelling. */
  private respell(text: ByteString, evidence: Map<string, Evidence>): ByteString {
    const edits: { at: number; end: number; now: string }[] = [];
    for (const m of text.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
      const macro = m[1]!;
      const open = m.index + m[0].length - 1;
      const args = this.own.has(macro) ? null : argumentsAt(text, open);
      let at = open + 1;
      for (const [i, part] of (args?.list ?? []).entries()) {
        const [, before, word] = /^(\s*)([A-Za-z_]\w*)\s*$/.exec(part) ?? [];
        // A macro that pastes its operand takes no variable, whatever the set has of that name.
        const now = word === undefined ? null : this.operand(macro, i, word);
        if (now !== null) {
          const from = at + before!.length;
          edits.push({ at: from, end: from + word!.length, now });
          const said = `'${macro}(${word})' is '${macro}(${now})' in the target`;
          evidence.set(`${macro}(${word}`, { kind: 'operand-respelt', text: said });
        }
        at += part.length + 1;
      }
    }
    let out = '';
    let done = 0;
    for (const edit of edits.sort((a, b) => a.at - b.at)) {
      out += text.slice(done, edit.at) + edit.now;
      done = edit.end;
    }
    return out + text.slice(done);
  }

  /** Calls of functions whose parameters changed: arguments that were dropped go, other changes are doubts. */
  private dropArguments(
    text: ByteString,
    evidence: Map<string, Evidence>,
    doubts: Set<string>,
    gone: Map<string, string>,
  ): ByteString {
    let out = '';
    let at = 0;
    for (const m of text.matchAll(/\b([A-Za-z_]\w*)\s*\(/g)) {
      const name = m[1]!;
      if (m.index < at || this.own.has(name)) continue;
      const change = this.callChange(name);
      if (!change) continue;
      if ('doubt' in change) {
        doubts.add(change.doubt);
        gone.set(name, change.doubt);
        continue;
      }
      const open = m.index + m[0].length - 1;
      const args = argumentsAt(text, open);
      if (!args || args.list.length !== change.arity) continue;
      const kept = args.list.filter((_, i) => !change.dropped.includes(i)).map((a) => a.trim());
      out += text.slice(at, open + 1) + kept.join(', ');
      at = args.end;
      evidence.set(`${name}(`, {
        kind: 'argument-dropped',
        text: `'${name}' takes ${kept.length} instead of ${change.arity} arguments`,
      });
    }
    return out + text.slice(at);
  }

  private callChange(name: string) {
    let change = this.calls.get(name);
    if (change === undefined) {
      change = this.findCallChange(name);
      this.calls.set(name, change);
    }
    return change;
  }

  /** A macro that is a function now, or another macro, and takes another number of operands. */
  private macroChange(name: string) {
    const takes = (kernel: KernelIndex, kinds: readonly string[]) =>
      new Set(
        kernel
          .definitions(name)
          .flatMap((f) => (kinds.includes(f.definition.kind) ? (f.definition.signature ?? []) : []))
          .map((s) => (s.variadic ? '*' : String(s.parameters.length))),
      );
    const [was, is] = [takes(this.base, ['macro']), takes(this.target, ['macro', 'function'])];
    const fits = [...was].some((n) => is.has(n)) || was.has('*') || is.has('*');
    return was.size === 0 || is.size === 0 || fits ? null : { doubt: `calls '${name}', whose parameters changed` };
  }

  private findCallChange(name: string) {
    const defined = this.base.definitions(name).find((f) => f.definition.signature && f.definition.kind === 'function');
    if (!this.target.definitions(name).length) return null;
    if (!defined) return this.macroChange(name);
    const entry = this.map.lookup('function', name, defined.file.path);
    if (!entry || entry.confidence < SURE) return null;
    const changes = entry.changes.filter((c): c is SignatureChange => c.kind.startsWith('argument-'));
    if (changes.length === 0) return null;
    if (changes.every((c) => c.kind === 'argument-dropped')) {
      return { dropped: changes.map((c) => c.index), arity: defined.definition.signature!.parameters.length };
    }
    // Another type of the same parameter may still fit; another number of them does not.
    if (!changes.some((c) => c.kind === 'argument-added' || c.kind === 'argument-dropped')) return null;
    return { doubt: `calls '${name}', whose parameters changed` };
  }
}

/** How a header is included from anywhere; null when it is private to a folder. */
function nameOfHeader(path: ByteString): string | null {
  return /^(?:arch\/\w+\/)?include\/(?:uapi\/)?(.+\.h)$/.exec(path)?.[1] ?? null;
}

/** True for a macro whose text ends with a `;`: it stands for a statement, not for a value. */
function statementOnly(entry: MapEntry, kernel: KernelIndex): boolean {
  const name = kernel.definitions(entry.from.name).length ? entry.from.name : (entry.to[0]?.name ?? '');
  return kernel
    .definitions(name)
    .some(({ file, definition: d }) => d.kind === 'macro' && /;\s*$/.test(file.text.slice(d.start, d.end)));
}

/** True for a macro whose heir takes another number of operands. */
function otherOperands(entry: MapEntry, base: KernelIndex, target: KernelIndex): boolean {
  const counts = (kernel: KernelIndex, name: string) =>
    kernel
      .definitions(name)
      .flatMap((f) => (f.definition.kind === 'macro' && f.definition.signature ? [f.definition.signature] : []));
  const [was, is] = [counts(base, entry.from.name), counts(target, entry.to[0]?.name ?? '')];
  const fits = was.some((a) => is.some((b) => b.variadic || a.parameters.length === b.parameters.length));
  return was.length > 0 && is.length > 0 && !fits;
}

/** Names that a patch defines: definitions, fields, enumerators of its files that the base's files do not have. */
export async function namesAdded(base: View, patched: View, paths: Iterable<ByteString>): Promise<Set<string>> {
  const namesOf = async (view: View, path: ByteString) => {
    const file = await view.file(path);
    // To declare a function of the base does not make it the set's.
    const isTheirs = (d: Definition) =>
      d.kind === 'prototype' && base.kernel.definitions(d.name).some((f) => f.definition.kind === 'function');
    return (file?.index.definitions ?? [])
      .filter((d) => !isTheirs(d))
      .flatMap((d) => [d.name, ...d.members.map((m) => m.name.slice(m.name.lastIndexOf('.') + 1))]);
  };
  const added = new Set<string>();
  for (const path of paths) {
    const known = new Set((await base.file(path))?.index.definitions.map((d) => `${d.kind} ${d.name}`));
    for (const d of (await patched.file(path))?.index.definitions ?? []) {
      // The fields of a struct of the set are the set's, whatever other structs call theirs.
      if (!known.has(`${d.kind} ${d.name}`)) {
        for (const m of d.members) added.add(m.name.slice(m.name.lastIndexOf('.') + 1));
      }
    }
    const before = new Set(await namesOf(base, path));
    for (const name of await namesOf(patched, path)) if (!before.has(name)) added.add(name);
  }
  return added;
}

/** The arguments behind an open parenthesis, and where they end; null when it never closes. */
export function argumentsAt(text: ByteString, open: number): { list: string[]; end: number } | null {
  const list: string[] = [];
  let depth = 0;
  let from = open + 1;
  for (let i = open; i < text.length; i++) {
    const c = text[i]!;
    if (c === '(' || c === '[' || c === '{') depth++;
    else if (c === ')' || c === ']' || c === '}') {
      depth--;
      if (depth === 0) {
        if (text.slice(from, i).trim() !== '' || list.length) list.push(text.slice(from, i));
        return { list, end: i };
      }
    } else if (c === ',' && depth === 1) {
      list.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return null;
}

/** A text cut at its line ends; the last line keeps what the original's had. */
function splitAs(text: ByteString, original: readonly ByteString[]): ByteString[] {
  if (original.length === 0) return [];
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
