import type { Diagnostic } from '../../src/verify/diagnostics';
import type { Sight } from '../../src/repair/alternatives';
import { fieldAlternatives } from '../../src/repair/fields';
import { mapSymbols } from '../../src/symbol-map';
import { parseRows } from '../../src/symbol-map/chronicle/rows';
import { kernel } from '../symbol-map/kernels';

const HEADER = 'arch/arm64/include/asm/kvm_host.h';
const before = `struct user_pt_regs {
\tu64 regs[31];
\tu64 sp;
};
struct kvm_regs {
\tstruct user_pt_regs regs;
\tu64 sp_el1;
};
struct kvm_cpu_context {
\tstruct kvm_regs gp_regs;
\tu64 slots;
};
`;
const readers = (path: string) =>
  ['sp', 'lr', 'pc', 'fp']
    .map((f) => `u64 read_${f}(struct kvm_cpu_context *c)\n{\n\treturn c->${path}.${f};\n}\n`)
    .join('');

async function offers(text: string, after: string, use = ['gp_regs.regs', 'regs']): Promise<string[]> {
  const base = await kernel('5.8', { [HEADER]: before, 'arch/arm64/kvm/guest.c': readers(use[0]!) });
  const target = await kernel('5.10', { [HEADER]: after, 'arch/arm64/kvm/guest.c': readers(use[1]!) });
  const map = mapSymbols(base, target, { rules: parseRows('', 'rules', true) });
  const d = { text: "'struct kvm_cpu_context' has no member named 'gp_regs'" } as Diagnostic;
  const place = { path: 'arch/arm64/core.c', at: 0, text, option: 'on' as const };
  const found = fieldAlternatives(d, place, { map, base, target } as Sight);
  return found.flatMap((a) => a.edits.map((e) => e.to));
}

const elided = before.replace('struct kvm_regs gp_regs;', 'struct user_pt_regs regs;');

test('a struct that the outer one took the place of is left out of the path', async () => {
  expect(await offers('\treturn c->gp_regs.regs.sp;', elided)).toEqual(['\treturn c->regs.sp;']);
});

test('the whole struct is not another one that is smaller: the copy would compile, and read what lies behind it', async () => {
  expect(await offers('\tmemcpy(&c->gp_regs, &local, sizeof(struct kvm_regs));', elided)).toEqual([]);
});

test('under another name it is offered as a whole while its type is the same', async () => {
  const renamed = before.replace('struct kvm_regs gp_regs;', 'struct kvm_regs all_regs;');
  const line = '\tmemcpy(&c->gp_regs, &local, sizeof(struct kvm_regs));';
  expect(await offers(line, renamed, ['gp_regs.regs', 'all_regs.regs'])).toContain(line.replace('gp_', 'all_'));
});
