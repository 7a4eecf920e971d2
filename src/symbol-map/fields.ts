import type { Evidence } from '../core/outcome';
import type { Found, KernelIndex } from '../kernel-index/index';
import type { Member } from '../kernel-index/types';
import type { Pairs } from './pairs';
import { nameSimilarity } from './similarity';
import type { Substitutions } from './substitutions';
import type { FieldChange, MapEntry, SymbolRef } from './types';

/** A field or enumerator with the definition that holds it. */
export interface FoundMember extends Found {
  member: Member;
}

/** Follows fields and enumerators. `definitionEntry` says where the struct itself went. */
export class Fields {
  constructor(
    private readonly target: KernelIndex,
    private readonly pairs: Pairs,
    private readonly substitutions: Substitutions,
    private readonly heirOf: (of: Found) => Found | null,
  ) {}

  entry(of: FoundMember): MapEntry {
    return of.definition.kind === 'enum' ? this.enumerator(of) : this.field(of);
  }

  private enumerator(of: FoundMember): MapEntry {
    const from: SymbolRef = { kind: 'enumerator', name: of.member.name, path: of.file.path };
    const members = this.target.members(of.member.name).filter((m) => m.definition.kind === 'enum');
    const best = members.find((m) => m.file.path === of.file.path) ?? members[0];
    if (best) {
      const to = [ref(best, best.member)];
      const status = best.file.path === of.file.path ? 'same' : 'moved';
      return {
        from,
        status,
        to,
        confidence: 0.97,
        evidence: [say('same-name', 'an enumerator of that name is there')],
        changes: [],
      };
    }
    const macro = this.target.definitions(of.member.name).find((t) => t.definition.kind === 'macro');
    if (macro) {
      const to: SymbolRef[] = [{ kind: 'macro', name: macro.definition.name, path: macro.file.path }];
      return {
        from,
        status: 'moved',
        to,
        confidence: 0.95,
        evidence: [say('same-name', 'a macro of that name is there')],
        changes: [],
      };
    }
    return this.substituted(of, from, false) ?? gone(from);
  }

  private field(of: FoundMember): MapEntry {
    const from: SymbolRef = { kind: 'field', name: fieldName(of, of.member), path: of.file.path };
    const heir = this.heirOf(of);
    if (heir) {
      const same = heir.definition.members.find((m) => m.name === of.member.name);
      if (same) return this.stays(from, of, heir, same);
      const short = lastPart(of.member.name);
      const inside = heir.definition.members.find((m) => lastPart(m.name) === short);
      if (inside) return this.nested(from, of, heir, inside);
      const reached = this.reached(of, heir, short);
      if (reached) return reached;
    }
    const elided = heir && this.elided(of, from, heir);
    if (elided) return elided;
    const substituted = this.substituted(of, from, true);
    if (substituted) return substituted;
    const beside = heir && this.between(of, heir);
    if (beside) return beside;
    return this.elsewhere(of, from) ?? this.byAccessor(of, from) ?? this.inOwnStruct(of, from) ?? gone(from);
  }

  private stays(from: SymbolRef, of: FoundMember, heir: Found, member: Member): MapEntry {
    const changes: FieldChange[] = [];
    if (member.type !== of.member.type) changes.push({ kind: 'type-changed', from: of.member.type, into: member.type });
    const moved = heir.definition.name !== of.definition.name || heir.file.path !== of.file.path;
    return {
      from,
      status: changes.length ? 'resigned' : moved ? 'moved' : 'same',
      to: [ref(heir, member)],
      confidence: 0.97,
      evidence: [say('same-name', `'${heir.definition.name}' has a field of that name`)],
      changes,
    };
  }

  /** The same name, in a struct without a type of its own inside the struct. */
  private nested(from: SymbolRef, of: FoundMember, heir: Found, member: Member): MapEntry {
    return {
      from,
      status: 'moved',
      to: [ref(heir, member)],
      confidence: 0.9,
      evidence: [say('layout', `'${heir.definition.name}' has it as '${member.name}'`)],
      changes: [{ kind: 'path-changed', from: of.member.name, into: member.name }],
    };
  }

  /** The same name in a struct that the heir embeds or points to now. */
  private reached(of: FoundMember, heir: Found, short: string): MapEntry | null {
    for (const through of heir.definition.members) {
      const type = /\b(?:struct|union)\s+(\w+)|\b(\w+_t)\b/.exec(through.type);
      const name = type?.[1] ?? type?.[2];
      // What was there before is no new home, unless the field came there since.
      if (!name) continue;
      for (const inner of this.target.definitions(name)) {
        const member = inner.definition.members.find((m) => lastPart(m.name) === short);
        if (!member) continue;
        const from: SymbolRef = { kind: 'field', name: fieldName(of, of.member), path: of.file.path };
        if (of.member.name === `${through.name}.${member.name}`) return this.sameWay(from, of, inner, member);
        const before = this.heirHad(of, name, short);
        if (before) continue;
        const changes: FieldChange[] = [
          { kind: 'path-changed', from: of.member.name, into: `${through.name}.${member.name}` },
        ];
        if (member.type !== of.member.type)
          changes.push({ kind: 'type-changed', from: of.member.type, into: member.type });
        const sure = sameType(member.type, of.member.type) ? 0.92 : 0.75;
        const text = `'${heir.definition.name}' reaches it through '${through.name}' now`;
        return {
          from,
          status: 'moved',
          to: [ref(inner, member)],
          confidence: sure,
          evidence: [say('layout', text)],
          changes,
        };
      }
    }
    return null;
  }

  /** A struct that was written inside another one stands by itself now: code reaches its fields as before. */
  private sameWay(from: SymbolRef, of: FoundMember, inner: Found, member: Member): MapEntry {
    const retyped = member.type !== of.member.type;
    const changes: FieldChange[] = retyped ? [{ kind: 'type-changed', from: of.member.type, into: member.type }] : [];
    const evidence = say('layout', `reached in the same way, in '${inner.definition.name}'`);
    const status = retyped ? 'resigned' : 'moved';
    return { from, status, to: [ref(inner, member)], confidence: 0.95, evidence: [evidence], changes };
  }

  /** True when the struct of that name had the field in the base already. */
  private heirHad(of: FoundMember, struct: string, short: string): boolean {
    return this.baseMembers(short).some((m) => m.definition.name === struct) && struct !== of.definition.name;
  }

  private baseMembers: (name: string) => readonly FoundMember[] = () => [];

  private baseDefinitions: (name: string) => readonly Found[] = () => [];

  /** @internal Set by the map: what the base has by name. */
  useBase(base: KernelIndex): void {
    this.baseMembers = (name) => base.members(name);
    this.baseDefinitions = (name) => base.definitions(name);
  }

  /** A struct whose fields are in the outer one now: `gp_regs.regs` → `regs`. */
  private elided(of: FoundMember, from: SymbolRef, heir: Found): MapEntry | null {
    const [best] = [...this.substitutions.of(lastPart(of.member.name), true).elided].sort((a, b) => b[1] - a[1]);
    if (!best) return null;
    const [next, seen] = best;
    const member = heir.definition.members.find((m) => m.name === next);
    if (!member) return null;
    const into = `${of.member.name}.${next}`;
    return {
      from,
      status: 'renamed',
      to: [ref(heir, member)],
      confidence: Math.min(0.95, 0.7 + 0.05 * seen),
      evidence: [say('substituted', `'${into}' is written '${next}' now`)],
      changes: [{ kind: 'path-changed', from: into, into: next }],
    };
  }

  /** Another name stands where the field was used. */
  private substituted(of: FoundMember, from: SymbolRef, asField: boolean): MapEntry | null {
    const short = lastPart(of.member.name);
    // Uses of a name that several structs have say nothing about one of them.
    const owners = new Set(this.baseMembers(short).map((m) => m.definition.name)).size;
    const usage = this.substitutions.of(short, asField);
    const [best] = usage.substitutes;
    if (!best || best.support < 0.7) return null;
    const total = usage.substitutes.reduce((sum, s) => sum + s.support, 0) + usage.kept * 0.3 + usage.lost * 0.3;
    const sure =
      Math.min(0.93, 0.9 * Math.min(1, best.support / 1.8) * (best.support / total)) / Math.max(1, Math.sqrt(owners));
    if (sure < 0.3) return null;
    const heir = this.heirOf(of);
    const members = this.target.members(best.name);
    const at =
      members.find((m) => m.definition === heir?.definition) ??
      members.find((m) => m.definition.name === of.definition.name) ??
      members[0];
    const definitions = this.target.definitions(best.name);
    const text = `'${best.name}' stands in its place in ${best.seenIn
      .slice(0, 4)
      .map((n) => `'${n}'`)
      .join(', ')}`;
    const to: SymbolRef[] = at
      ? [ref(at, at.member)]
      : definitions.slice(0, 1).map((t) => ({ kind: t.definition.kind, name: t.definition.name, path: t.file.path }));
    if (to.length === 0) return null;
    const changes: FieldChange[] = [];
    if (at && at.member.type !== of.member.type)
      changes.push({ kind: 'type-changed', from: of.member.type, into: at.member.type });
    let confidence = sure;
    if (at && !sameType(at.member.type, of.member.type)) {
      const alike = nameSimilarity(short, best.name);
      if (alike < 0.4) confidence *= 0.6;
      // A pointer does not become a number: what stands in its place is worked out in another way.
      if (isPointer(at.member.type) !== isPointer(of.member.type) && alike < 0.6) confidence *= 0.5;
    }
    // What the struct had beside it all along is hardly what it became.
    const hadBoth = of.definition.members.some((m) => lastPart(m.name) === best.name);
    if (hadBoth) confidence *= 0.5;
    if (confidence < 0.3) return null;
    return {
      from,
      status: hadBoth ? 'merged' : 'renamed',
      to,
      confidence,
      evidence: [say('substituted', text)],
      changes,
    };
  }

  /** A new field between the same two neighbours, of the same type or with a similar name. */
  private between(of: FoundMember, heir: Found): MapEntry | null {
    const old = of.definition.members;
    const at = old.findIndex((m) => m.name === of.member.name);
    const now = heir.definition.members;
    const before = at > 0 ? now.findIndex((m) => m.name === old[at - 1]!.name) : -1;
    const after = at + 1 < old.length ? now.findIndex((m) => m.name === old[at + 1]!.name) : now.length;
    if (after < 0 || after - before !== 2 || (at > 0 && before < 0)) return null;
    const member = now[before + 1]!;
    if (old.some((m) => m.name === member.name)) return null;
    const alike = nameSimilarity(of.member.name, member.name);
    const type = sameType(of.member.type, member.type);
    if (alike < 0.4 && !type) return null;
    const changes: FieldChange[] = type ? [] : [{ kind: 'type-changed', from: of.member.type, into: member.type }];
    const from: SymbolRef = { kind: 'field', name: fieldName(of, of.member), path: of.file.path };
    const confidence = type ? 0.6 + 0.25 * alike : 0.35 + 0.3 * alike;
    return {
      from,
      status: 'renamed',
      to: [ref(heir, member)],
      confidence,
      evidence: [say('layout', 'stands between the same neighbours')],
      changes,
    };
  }

  /** A field of that name that is new in a struct of the same file. */
  private elsewhere(of: FoundMember, from: SymbolRef): MapEntry | null {
    const short = lastPart(of.member.name);
    const before = new Set(this.baseMembers(short).map((m) => m.definition.name));
    const fresh = this.target
      .members(short)
      .filter((m) => m.definition.kind !== 'enum' && !before.has(m.definition.name));
    const best = fresh.find((m) => m.file.path === of.file.path) ?? (fresh.length === 1 ? fresh[0] : undefined);
    if (!best) return null;
    // Short names and other types are everywhere: elsewhere they are somebody else's, unless the struct is new as well.
    if (best.file.path !== of.file.path) {
      const alike = sameType(best.member.type, of.member.type);
      const isNew = this.baseDefinitions(best.definition.name).length === 0;
      const pointers = isPointer(best.member.type) && isPointer(of.member.type);
      if (isNew ? short.length < 3 || !(alike || pointers) : short.length < 4 || !alike) return null;
    }
    const changes: FieldChange[] = [{ kind: 'path-changed', from: of.member.name, into: best.member.name }];
    if (best.member.type !== of.member.type)
      changes.push({ kind: 'type-changed', from: of.member.type, into: best.member.type });
    const confidence = sameType(best.member.type, of.member.type) ? 0.7 : 0.45;
    return {
      from,
      status: 'moved',
      to: [ref(best, best.member)],
      confidence,
      evidence: [say('same-name', `'${best.definition.name}' has a new field of that name`)],
      changes,
    };
  }

  /** A new function stands where the field was read or written: `spec->priv` → `get_priv(dev)`. */
  private byAccessor(of: FoundMember, from: SymbolRef): MapEntry | null {
    const short = lastPart(of.member.name);
    if (this.baseMembers(short).some((m) => m.definition.name !== of.definition.name)) return null;
    const usage = this.substitutions.of(short);
    const best = usage.substitutes.find((s) => this.isNewFunction(s.name) && wordsShared(short, s.name) > 0);
    if (!best || best.support < 0.5) return null;
    const [to] = this.target.definitions(best.name);
    const evidence = say('substituted', `'${best.name}()' stands in its place in '${best.seenIn[0]}'`);
    const confidence = Math.min(0.75, 0.4 + 0.1 * best.seenIn.length);
    const ref = { kind: to!.definition.kind, name: best.name, path: to!.file.path };
    return { from, status: 'renamed', to: [ref], confidence, evidence: [evidence], changes: [] };
  }

  private isNewFunction(name: string): boolean {
    const found = this.target.definitions(name);
    return (
      found.length > 0 &&
      found.every((f) => f.definition.kind === 'function' || f.definition.kind === 'prototype') &&
      this.baseDefinitions(name).length === 0
    );
  }

  /** A field that went into a new struct, which has the first part of its name: `cavium_id_base` → `cavium.id_base`. */
  private inOwnStruct(of: FoundMember, from: SymbolRef): MapEntry | null {
    const short = lastPart(of.member.name);
    for (let at = short.indexOf('_'); at > 0; at = short.indexOf('_', at + 1)) {
      const [prefix, rest] = [short.slice(0, at), short.slice(at + 1)];
      const fits = this.target
        .members(rest)
        .filter(
          (m) =>
            m.definition.kind === 'struct' &&
            m.definition.name.split('_').includes(prefix) &&
            sameType(m.member.type, of.member.type) &&
            this.baseDefinitions(m.definition.name).length === 0,
        );
      if (fits.length !== 1) continue;
      const [best] = fits;
      const text = `the new '${best!.definition.name}' has '${rest}', of the same type`;
      const changes: FieldChange[] = [{ kind: 'path-changed', from: of.member.name, into: best!.member.name }];
      const to = [ref(best!, best!.member)];
      return { from, status: 'renamed', to, confidence: 0.55, evidence: [say('layout', text)], changes };
    }
    return null;
  }

  /** @internal */
  partner(of: Found): Found | null {
    return this.pairs.partner(of);
  }
}

function ref(of: Found, member: Member): SymbolRef {
  const isEnum = of.definition.kind === 'enum';
  return {
    kind: isEnum ? 'enumerator' : 'field',
    name: isEnum ? member.name : fieldName(of, member),
    path: of.file.path,
  };
}

function fieldName(of: Found, member: Member): string {
  return of.definition.name === '' ? member.name : `${of.definition.name}.${member.name}`;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

function sameType(a: string, b: string): boolean {
  const plain = (t: string) =>
    t
      .replace(/\b(const|volatile|__\w+)\b/g, '')
      .replace(/\s+/g, ' ')
      .trim();
  return plain(a) === plain(b);
}

function isPointer(type: string): boolean {
  return type.includes('*');
}

/** How many words two names have in common. */
function wordsShared(a: string, b: string): number {
  const words = new Set(b.split('_'));
  return a.split('_').filter((w) => w !== '' && words.has(w)).length;
}

function gone(from: SymbolRef): MapEntry {
  return {
    from,
    status: 'removed',
    to: [],
    confidence: 0.7,
    evidence: [say('absent', 'no field or name of the target fits')],
    changes: [],
  };
}

function say(kind: string, text: string): Evidence {
  return { kind, text };
}
