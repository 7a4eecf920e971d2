import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { KernelIndex } from '../kernel-index';
import { includeCandidates } from '../kernel-index/scope';
import type { Member } from '../kernel-index/types';
import type { SymbolMap } from '../symbol-map';

/** A payload with its member accesses as the target has them. */
export interface Chains {
  text: ByteString;
  evidence: Evidence[];
  doubts: string[];
  /** Fields that are gone, with the type that they had. */
  lost: ReadonlyMap<string, string>;
}

const CHAIN = /(?<![\w.>])([A-Za-z_]\w*)((?:\s*(?:->|\.)\s*[A-Za-z_]\w*)+)/g;
const LINK = /\s*(->|\.)\s*([A-Za-z_]\w*)/g;
const STRUCT = /^(?:const )?struct (\w+)(?: \*)?$/;

/** A field rename must be this sure before it is written into somebody's code. */
const SURE = 0.7;

/**
 * Rewrites member accesses whose owner is known: `kvm->arch.vmid`, where `kvm` is declared as `struct kvm *`, is followed
 * through the structs of the base; a field that upstream moved into another struct, or made a struct of its own, is
 * reached as the target has it. A name alone says nothing: a set has fields of the same names in structs of its own.
 *
 * @param path the file that the text is in: a struct of another source file is none of its business
 * @param around text in which the variables of `text` are declared, beside itself
 */
export function readChains(
  text: ByteString,
  path: ByteString,
  around: ByteString,
  base: KernelIndex,
  target: KernelIndex,
  map: SymbolMap,
): Chains {
  const memberOf: MemberOf = (kernel, struct, name) => findMember(kernel, struct, name, path);
  const evidence = new Map<string, Evidence>();
  const doubts = new Set<string>();
  const lost = new Map<string, string>();
  const read = text.replace(CHAIN, (whole: string, start: string, rest: string, offset: number) => {
    let owner = declaredStruct(start, text.slice(0, offset)) ?? declaredStruct(start, around);
    const links = [...rest.matchAll(LINK)].map((m) => ({ op: m[1]!, name: m[2]!, text: m[0] }));
    let out = start;
    for (let i = 0; i < links.length; i++) {
      const link = links[i]!;
      const member = owner === null ? null : memberOf(base, owner, link.name);
      if (owner === null || !member)
        return out === start
          ? whole
          : out +
              links
                .slice(i)
                .map((l) => l.text)
                .join('');
      const now = memberOf(target, owner, link.name);
      if (now && now.type === member.type) {
        out += link.text;
        owner = STRUCT.exec(member.type)?.[1] ?? null;
        continue;
      }
      const step = follow(
        owner,
        links.slice(i).map((l) => l.name),
        member,
        base,
        target,
        map,
        memberOf,
      );
      const field = `${owner}.${link.name}`;
      if (!step) {
        if (base.definitions(owner).length && target.definitions(owner).length) {
          if (!now) lost.set(link.name, member.type);
          doubts.add(`mentions the field '${link.name}' of 'struct ${owner}', which changed`);
        }
        return whole;
      }
      const was = links
        .slice(i, i + step.taken)
        .map((l) => l.name)
        .join('.');
      evidence.set(field, {
        kind: 'field-respelt',
        text: `'${was}' of 'struct ${owner}' is '${step.into}' in the target`,
      });
      out += link.op + step.into;
      owner = step.owner;
      i += step.taken - 1;
    }
    return out;
  });
  const named = read.replace(MEMBER_OF, (whole, head: string, struct: string, members: string) => {
    const start = `${OWNER}->`;
    const inner = readChains(start + members, path, `struct ${struct} *${OWNER};`, base, target, map);
    for (const e of inner.evidence) evidence.set(e.text, e);
    for (const d of inner.doubts) doubts.add(d);
    const now = inner.text.slice(start.length);
    return now.includes('->') ? whole : `${head}${now})`;
  });
  return { text: named, evidence: [...evidence.values()], doubts: [...doubts], lost };
}

/** The member of a struct that `container_of()` and `offsetof()` name. */
const MEMBER_OF = /\b((?:container_of\s*\([^(),;]+,|offsetof\s*\()\s*struct\s+(\w+)\s*,\s*)([A-Za-z_][\w.]*)\s*\)/g;
const OWNER = '__owner';

/** The struct that a variable is declared to be, or to point to: by the nearest declaration above. */
export function declaredStruct(name: string, above: ByteString): string | null {
  const found = [...above.matchAll(new RegExp(`\\bstruct\\s+(\\w+)\\s*\\*?\\s*(?:const\\s+)?${name}\\s*[;,=)]`, 'g'))];
  return found[found.length - 1]?.[1] ?? null;
}

/** The member that is reached through fields from a struct on; null when there is none. */
export function memberThrough(
  kernel: KernelIndex,
  struct: string,
  fields: readonly string[],
  path: ByteString,
): Member | null {
  let [owner, member]: [string | null, Member | null] = [struct, null];
  for (const field of fields) {
    member = owner === null ? null : findMember(kernel, owner, field, path);
    owner = member ? (STRUCT.exec(member.type)?.[1] ?? null) : null;
  }
  return member;
}

type MemberOf = (kernel: KernelIndex, struct: string, name: string) => Member | null;

function findMember(kernel: KernelIndex, struct: string, name: string, path: ByteString): Member | null {
  const nameOf = (p: ByteString) => p.slice(p.lastIndexOf('/') + 1);
  const structs = kernel.definitions(struct).filter((f) => f.definition.kind === 'struct');
  const visible = structs.filter((f) => f.file.path.endsWith('.h') || nameOf(f.file.path) === nameOf(path));
  // Of several structs of one name the file means the one that it includes itself.
  const file = visible.length > 1 ? kernel.file(path) : null;
  const included = new Set(file?.index.includes.flatMap((i) => includeCandidates(path, i.path, i.system)));
  const nearest = visible.filter((f) => f.file.path === path || included.has(f.file.path));
  const seen = nearest.length ? nearest : visible;
  for (const { definition } of seen.length ? seen : structs) {
    const member = definition.members.find((m) => m.name === name);
    if (member) return member;
  }
  return null;
}

/** How a field is reached in the target: how many links it takes the place of, and what struct that is. */
function follow(
  owner: string,
  names: readonly string[],
  member: Member,
  base: KernelIndex,
  target: KernelIndex,
  map: SymbolMap,
  memberOf: MemberOf,
): { into: string; taken: number; owner: string | null } | null {
  const raised = raisedMember(owner, names, member, base, target, memberOf);
  if (raised) return { into: raised.name, taken: 2, owner: STRUCT.exec(raised.type)?.[1] ?? null };
  const entry = map.lookup('field', `${owner}.${names[0]}`);
  if (!entry || entry.confidence < SURE) return null;
  const moved = entry.changes.find((c) => c.kind === 'path-changed');
  let [into, taken] = [names[0]!, 1];
  if (moved?.kind === 'path-changed') {
    const from = moved.from.split('.');
    if (from.some((n, i) => names[i] !== n)) return null;
    [into, taken] = [moved.into, from.length];
  }
  let was: Member | null = member;
  for (let i = 1; i < taken && was; i++) was = memberOf(base, STRUCT.exec(was.type)?.[1] ?? '', names[i]!);
  let [at, now]: [string | null, Member | null] = [owner, null];
  for (const part of into.split('.')) {
    now = at === null ? null : memberOf(target, at, part);
    at = now ? (STRUCT.exec(now.type)?.[1] ?? null) : null;
  }
  if (!was || !now) return null;
  if (was.type === now.type) return { into, taken, owner: at };
  // A value that got a struct of its own: its one member of the old type.
  if (at === null || now.type.includes('*') || STRUCT.test(was.type)) return null;
  const inner = target
    .definitions(at)
    .flatMap((f) => (f.definition.kind === 'struct' ? f.definition.members : []))
    .filter((m) => m.type === was.type);
  const named = inner.filter((m) => m.name === names[taken - 1]);
  const [value] = named.length === 1 ? named : inner;
  return value && (named.length === 1 || inner.length === 1)
    ? { into: `${into}.${value.name}`, taken, owner: null }
    : null;
}

/**
 * The member of a struct inside a struct that upstream dissolved: the field that held it is gone, or the struct is, and the
 * outer struct has, since then, a member of that name and type itself.
 */
function raisedMember(
  owner: string,
  [field, inner]: readonly string[],
  member: Member,
  base: KernelIndex,
  target: KernelIndex,
  memberOf: MemberOf,
): Member | null {
  const struct = member.type.includes('*') ? undefined : STRUCT.exec(member.type)?.[1];
  if (struct === undefined || inner === undefined) return null;
  const left = memberOf(target, owner, field!);
  // A field of the name may be what the struct was about: `vmid.vmid` is `vmid` in a kernel that has no `struct kvm_vmid`.
  if (left && (left.type === member.type || target.definitions(struct).some((f) => f.definition.kind === 'struct')))
    return null;
  if (inner !== field && memberOf(base, owner, inner)) return null;
  const [was, now] = [memberOf(base, struct, inner), memberOf(target, owner, inner)];
  return was && now && was.type === now.type ? now : null;
}
