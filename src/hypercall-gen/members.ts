import { indexFile } from '../kernel-index/index-file';
import type { Definition } from '../kernel-index/types';
import type { TreeReader } from './era';
import type { Argument } from './types';

/** Headers with the structs that host code hands to stubs, and with the prototypes of EL2 code. */
const HEADERS = [
  'include/linux/kvm_host.h',
  'include/linux/kvm_types.h',
  'include/kvm/arm_vgic.h',
  'include/kvm/arm_arch_timer.h',
  'arch/arm64/include/asm/kvm_host.h',
  'arch/arm64/include/asm/kvm_asm.h',
  'arch/arm64/include/asm/kvm_hyp.h',
  'arch/arm64/include/asm/kvm_mmu.h',
];

/** What the target declares of its own, as far as hypercalls can meet it. */
export class TargetNames {
  private constructor(private readonly definitions: ReadonlyMap<string, Definition[]>) {}

  static async of(tree: TreeReader | null): Promise<TargetNames> {
    const found = new Map<string, Definition[]>();
    for (const path of HEADERS) {
      const text = tree?.has(path) ? await tree.read(path) : null;
      if (text == null) continue;
      for (const d of (await indexFile(path, text)).definitions) {
        if (!/^(struct|union|prototype|function)$/.test(d.kind)) continue;
        found.set(d.name, [...(found.get(d.name) ?? []), d]);
      }
    }
    return new TargetNames(found);
  }

  /** The target's declaration of a function. */
  function(name: string): Definition | null {
    return this.definitions.get(name)?.find((d) => d.signature !== null) ?? null;
  }

  private struct(type: string): Definition | null {
    const tag = /\b(?:struct|union)\s+(\w+)/.exec(type)?.[1];
    return (tag && this.definitions.get(tag)?.find((d) => d.kind === 'struct' || d.kind === 'union')) || null;
  }

  /**
   * A chain of members (`vcpu->kvm->arch.vmid`) as the target spells it. Where a member has moved into a struct beside it
   * (`arch.vmid` to `arch.mmu.vmid`), or has become a struct with the value inside (`vmid` to `vmid.vmid`), the chain
   * grows by that step.
   *
   * `unknown` when the target has no such member; unchanged when nothing is known of the types.
   */
  follow(expression: string, parameters: readonly Argument[]): { expression: string; unknown: string | null } {
    const m = /^([A-Za-z_]\w*)((?:\s*(?:->|\.)\s*[A-Za-z_]\w*)+)$/.exec(expression);
    const root = m && parameters.find((p) => p.name === m[1]);
    if (!m || !root) return { expression, unknown: null };
    let out = m[1]!;
    let type = root.type;
    const steps = [...m[2]!.matchAll(/(->|\.)\s*([A-Za-z_]\w*)/g)];
    for (const [i, [, operator, name]] of steps.entries()) {
      const holder = this.struct(type);
      if (!holder)
        return {
          expression:
            out +
            steps
              .slice(i)
              .map((s) => s[1]! + s[2]!)
              .join(''),
          unknown: null,
        };
      const own = holder.members.find((f) => f.name === name);
      if (own) {
        out += `${operator}${name}`;
        type = own.type;
        continue;
      }
      const beside = holder.members.find(
        (f) => !/[*[]/.test(f.type) && this.struct(f.type)?.members.some((inner) => inner.name === name),
      );
      if (!beside) return { expression, unknown: `${holder.kind} ${holder.name} has no '${name}'` };
      out += `${operator}${beside.name}.${name}`;
      type = this.struct(beside.type)!.members.find((inner) => inner.name === name)!.type;
    }
    const last = steps[steps.length - 1]![2]!;
    const inner = /[*[]/.test(type) ? undefined : this.struct(type)?.members.find((f) => f.name === last);
    return { expression: inner ? `${out}.${last}` : out, unknown: null };
  }
}
