import { stripComments, type ByteString } from '../core/text';
import { evaluate } from './constants';

/**
 * How a kernel's host calls its own EL2 code, which decides what generated code looks like:
 *
 * - `function-pointer`: `__kvm_call_hyp(fn, …)`, EL2 code in `.hyp.text` of the kernel image
 * - `nvhe-object`: still by pointer, but EL2 code in an object of its own with prefixed symbols
 * - `smccc`: by SMCCC function id, with a dispatcher in C
 */
export type EraKind = 'function-pointer' | 'nvhe-object' | 'smccc';

/** What the generator has to know of a target tree. Read from its files, never from its version. */
export interface Era {
  kind: EraKind;
  /** Why: one line for each fact that was found. */
  evidence: string[];
  /** EL2 functions are marked with `__hyp_text`. */
  hypText: boolean;
  /** Numbers below this belong to the hyp stub. */
  stubRange: { end: number; path: string; line: number } | null;
  /** Numbers that the kernel's own host hypercalls have taken, by macro or enumerator. */
  smccc: Map<string, { number: number; path: string; line: number }>;
  /** Files that generated entries go into; null where the era has none. */
  nvheMakefile: string | null;
  hypMain: string | null;
  imageVars: string | null;
  /** The linker-script macro that makes an alias. */
  aliasMacro: string | null;
  /** How the target's own code makes such a call: the lines of its macro, for `nr`, with `%ID%` for the function id. */
  callMacro: string[] | null;
}

/** The part of a kernel tree that is asked. */
export interface TreeReader {
  has(path: ByteString): boolean;
  read(path: ByteString): Promise<ByteString | null>;
}

const VIRT = 'arch/arm64/include/asm/virt.h';
const KVM_ASM = 'arch/arm64/include/asm/kvm_asm.h';
const KVM_HOST = 'arch/arm64/include/asm/kvm_host.h';
const KVM_HYP = 'arch/arm64/include/asm/kvm_hyp.h';
const NVHE_MAKEFILE = 'arch/arm64/kvm/hyp/nvhe/Makefile';
const HYP_MAIN = 'arch/arm64/kvm/hyp/nvhe/hyp-main.c';
const IMAGE_VARS = ['arch/arm64/kernel/image-vars.h', 'arch/arm64/kernel/image.h'];
const SMCCC_NUMBER = '__KVM_HOST_SMCCC_FUNC_';

/** Reads the era off a tree. */
export async function eraOf(tree: TreeReader): Promise<Era> {
  const read = async (path: string) => (tree.has(path) ? ((await tree.read(path)) ?? '') : '');
  const [virt, kvmAsm, kvmHost, kvmHyp, hypMain] = await Promise.all(
    [VIRT, KVM_ASM, KVM_HOST, KVM_HYP, HYP_MAIN].map(read),
  );
  const evidence: string[] = [];
  const smccc = smcccNumbers(kvmAsm!);
  const nvhe = tree.has(NVHE_MAKEFILE);
  const hypText = /^#[ \t]*define[ \t]+__hyp_text\b/m.test(kvmHyp!);
  let kind: EraKind = 'function-pointer';
  if (smccc.size > 0) {
    kind = 'smccc';
    evidence.push(`${KVM_ASM} numbers its host hypercalls (${SMCCC_NUMBER}…)`);
    if (hypMain) evidence.push(`${HYP_MAIN} dispatches them`);
  } else if (nvhe) {
    kind = 'nvhe-object';
    evidence.push(`${NVHE_MAKEFILE} builds an nVHE object of its own`);
  }
  if (/\b__kvm_call_hyp\s*\(\s*void\s*\*/.test(kvmHost!))
    evidence.push(`${KVM_HOST} calls EL2 code by function pointer`);
  if (hypText) evidence.push(`${KVM_HYP} puts EL2 code into .hyp.text (__hyp_text)`);
  let imageVars: string | null = null;
  let aliasMacro: string | null = null;
  if (nvhe) {
    for (const path of IMAGE_VARS) {
      const text = await read(path);
      const macro = /\b(KVM_NVHE_ALIAS)\s*\(/.exec(text);
      if (!macro) continue;
      [imageVars, aliasMacro] = [path, macro[1]!];
      break;
    }
  }
  return {
    kind,
    evidence,
    hypText,
    stubRange: stubRange(virt!),
    smccc,
    nvheMakefile: nvhe ? NVHE_MAKEFILE : null,
    hypMain: hypMain ? HYP_MAIN : null,
    imageVars,
    aliasMacro,
    callMacro: kind === 'smccc' ? callMacroOf(kvmHost!) : null,
  };
}

/** The body of `kvm_call_hyp_nvhe(f, …)`, when it makes an SMCCC call with the number of `f`. */
function callMacroOf(kvmHost: ByteString): string[] | null {
  const m = /^#[ \t]*define[ \t]+kvm_call_hyp_nvhe\((\w+),[ \t]*\.\.\.\)((?:[^\n]*\\\n)*[^\n]*)$/m.exec(kvmHost);
  if (!m) return null;
  const id = new RegExp(`\\bKVM_HOST_SMCCC_FUNC\\(\\s*${m[1]}\\s*\\)`, 'g');
  const lines = m[2]!.split('\n').map((l) => l.replace(/\s*\\?$/, ''));
  while (lines.length && lines[0] === '') lines.shift();
  const body = lines.join('\n');
  // A macro that does more with the name than to number it cannot be borrowed.
  if (!id.test(body) || new RegExp(`\\b${m[1]}\\b`).test(body.replace(id, ''))) return null;
  return body.replace(id, '%ID%').split('\n');
}

/** `HVC_STUB_HCALL_NR`: the first number that is free for a hypervisor. */
function stubRange(virt: ByteString): Era['stubRange'] {
  const m = /^#[ \t]*define[ \t]+HVC_STUB_HCALL_NR[ \t]+(.+)$/m.exec(virt);
  const end = m && evaluate(stripComments(m[1]!), () => null);
  return end == null ? null : { end, path: VIRT, line: lineOf(virt, m!.index) };
}

/** Both spellings: a `#define` for each (5.10), an enum (5.13). */
function smcccNumbers(kvmAsm: ByteString): Era['smccc'] {
  const found: Era['smccc'] = new Map();
  const known = (name: string) => found.get(name)?.number ?? null;
  for (const m of kvmAsm.matchAll(new RegExp(`^#[ \\t]*define[ \\t]+(${SMCCC_NUMBER}\\w+)[ \\t]+(.+)$`, 'gm'))) {
    const number = evaluate(stripComments(m[2]!), known);
    if (number !== null) found.set(m[1]!, { number, path: KVM_ASM, line: lineOf(kvmAsm, m.index) });
  }
  for (const list of kvmAsm.matchAll(/\benum\s*\w*\s*\{([^}]*)\}/g)) {
    if (!list[1]!.includes(SMCCC_NUMBER)) continue;
    let next = 0;
    for (const m of list[1]!
      .replace(/\/\*[^]*?\*\//g, (c) => c.replace(/[^\n]/g, ' '))
      .matchAll(/(\w+)\s*(?:=\s*([^,]+))?(?:,|$)/g)) {
      const value = m[2] === undefined ? next : evaluate(m[2], known);
      if (value === null) break;
      next = value + 1;
      if (!m[1]!.startsWith(SMCCC_NUMBER)) continue;
      const at = list.index + list[0].indexOf('{') + 1 + m.index;
      found.set(m[1]!, { number: value, path: KVM_ASM, line: lineOf(kvmAsm, at) });
    }
  }
  return found;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
