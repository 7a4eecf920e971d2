import { lines, port, type Texts } from './harness';

const [header, home, own] = [
  'arch/arm64/include/asm/kvm_hyp.h',
  'arch/arm64/kvm/hyp/switch.c',
  'arch/arm64/kvm/hyp/simple.c',
];
const panic = (list: string, mark = '') =>
  lines('#include <asm/kvm_hyp.h>', '', `${mark}void hyp_panic(${list})`, '{', '\tstop(0);', '}');
const declared = (...lists: string[]) => lines('void stop(int code);', ...lists.map((l) => `void hyp_panic(${l});`));

const base: Texts = { [header]: declared(), [home]: panic('struct regs *host') };
const there: Texts = { [header]: declared('void'), [home]: panic('void') };
const run = async (set: Texts, target: Texts) =>
  (await port(base, set, target)).patches[0]!.files.find((f) => f.path === own)!.message;

test('a new file that defines what the target declares otherwise says so', async () => {
  const said = `defines 'hyp_panic', which '${header}' declares with other parameters in the target`;
  expect(await run({ [own]: panic('struct regs *host') }, there)).toBe(said);
  expect(await run({ [own]: panic('struct regs *ctxt') }, there)).toBe(said);
});

test('nothing is said of a function of the file alone, of the same types, or where the set declares it, too', async () => {
  const set = { [own]: panic('struct regs *ctxt') };
  expect(await run({ [own]: panic('struct regs *host', 'static ') }, there)).toBeNull();
  expect(await run(set, { ...there, [header]: declared('struct regs *r') })).toBeNull();
  const guarded = lines('void stop(int code);', '#ifdef CONFIG_SET', 'void hyp_panic(struct regs *host);', '#endif');
  expect(await run({ ...set, [header]: guarded }, there)).toBeNull();
});

test('nothing is said of a function that the base has otherwise: the set alone knows what it is', async () => {
  expect(await run({ [own]: panic('int code') }, there)).toBeNull();
});
