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

const kind = (name: string) => lines(`enum ${name} {`, '\tfirst_kind,', '\tother_kind,', '};');
const uses = (...text: string[]) =>
  lines('#include <asm/kvm_hyp.h>', '', ...text, '', 'int one(void)', '{', '\treturn 1;', '}');

test('a type that upstream moved into a header which the new file includes is said', async () => {
  const [from, to] = [
    { ...base, [home]: lines(kind('inject_kind'), panic('struct regs *host')) },
    { ...base, [header]: lines('void stop(int code);', '', kind('inject_kind')) },
  ];
  const own = 'arch/arm64/kvm/hyp/own.c';
  const said = async (text: string, target: Texts) =>
    (await port(from, { ...from, [own]: text }, target)).patches[0]!.files.find((f) => f.path === own)!.message;
  expect(await said(uses(kind('inject_kind')), to)).toBe(
    `defines 'inject_kind', which '${header}' defines by now, too`,
  );
  // Not included, named only, of another name, or compiled in none of the cases in which the header's is.
  expect(await said(uses(kind('inject_kind')).replace(/.*\n/, ''), to)).toBeNull();
  expect(await said(uses('enum inject_kind;'), to)).toBeNull();
  expect(await said(uses(kind('set_kind')), to)).toBeNull();
  const other = { ...to, [header]: lines('#ifdef CONFIG_OTHER', kind('inject_kind'), '#endif') };
  expect(await said(uses(kind('inject_kind')), other)).toBeNull();
  // The base has it in that header, too: the set lives with it.
  const both = { ...from, [header]: to[header]! };
  const result = await port(both, { ...both, [own]: uses(kind('inject_kind')) }, to);
  expect(result.patches[0]!.files.find((f) => f.path === own)!.message).toBeNull();
});
