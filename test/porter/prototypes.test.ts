import { lines, port } from './harness';

const [C, H] = ['arch/arm64/kvm/reset.c', 'arch/arm64/include/asm/kvm_host.h'];
const code = (list: string) => lines(`int reset_vm(${list})`, '{', '\treturn 0;', '}');
const header = (...more: string[]) => lines('#define VM_MODE 1', '', 'void other(void);', ...more);
const run = async (list: string, target: string) => {
  const own = ['#ifdef CONFIG_SET', `int reset_vm(${list});`, '#endif'];
  const base = { [C]: code('struct kvm *kvm'), [H]: header() };
  const { files } = await port(base, { [H]: header(...own) }, { [C]: code(target) });
  return /reset_vm\((.*)\);/.exec(files[H]!)![1];
};

test("a prototype that the set adds for a function of upstream's takes what that takes in the target", async () => {
  expect(await run('struct kvm *kvm', 'struct kvm *kvm, int mode')).toBe('struct kvm *kvm, int mode');
  expect(await run('struct kvm *', 'struct kvm *kvm')).toBe('struct kvm *');
});

test('a prototype with parameters of the set is its own', async () => {
  expect(await run('struct kvm *kvm, u32 vmid', 'struct kvm *kvm, int mode')).toBe('struct kvm *kvm, u32 vmid');
});
