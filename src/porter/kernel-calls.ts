import type { ByteString } from '../core/text';
import { blank, callsOf } from '../hypercall-gen/sources';
import { conditionsAt } from './guards';
import type { View } from './view';

/** How KVM's code for the host calls functions of EL2. */
const MAKERS = new Set(['kvm_call_hyp', 'kvm_call_hyp_ret', 'kvm_call_hyp_nvhe']);
/** Where that code is: not what an object for EL2 or for hosts at EL2 has of it. */
const HOST_CODE = /^(arch\/arm64\/(kvm|include\/asm)|virt\/kvm)\/(?!.*(^|\/)(nvhe|vhe)\/).*\.[ch]$/;

/** A call of a function of KVM at EL2 that is compiled in with the set. */
export interface KernelCall {
  name: string;
  path: ByteString;
  line: number;
}

/**
 * KVM's own calls of EL2 that the host makes with an option on, in the order of the files. A call of a macro's parameter
 * is none.
 */
export async function kernelCalls(view: View, option: string | null): Promise<KernelCall[]> {
  const found: KernelCall[] = [];
  const paths = new Set([...view.tree.paths(), ...view.changes().keys()]);
  for (const path of [...paths].filter((p) => HOST_CODE.test(p) && view.has(p)).sort()) {
    const text = await view.text(path);
    if (!text?.includes('kvm_call_hyp')) continue;
    const code = blank(text);
    const index = option === null ? null : ((await view.file(path))?.index ?? null);
    for (const { args, start } of callsOf(code, MAKERS)) {
      const name = args[0] && text.slice(args[0].start, args[0].end);
      const line = text.slice(0, start).split('\n').length;
      if (name === undefined || !/^_*[a-z]\w{2,}$/.test(name)) continue;
      if (index && conditionsAt(index, line - 1).some((c) => isWithout(c, option!))) continue;
      found.push({ name, path, line });
    }
  }
  return found;
}

/** True for a condition that does not hold with the option. */
function isWithout(condition: string, option: string): boolean {
  return new RegExp(`^!\\s*(?:defined\\s*)?\\(?\\s*${option}\\s*\\)?$`).test(condition.trim());
}
