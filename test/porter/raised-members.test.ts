import { lines, port } from './harness';

const [C, H] = ['arch/arm64/kvm/hyp/switch.c', 'arch/arm64/include/asm/kvm_host.h'];
const code = lines('void switch_fp(struct ctxt *host)', '{', '\tstop_traps(host);', '\tflush_all();', '}');
const ours = '\tflush_all();\n#ifdef CONFIG_SET\n\tsave_fp(&host->gp_regs.fp_regs);\n#endif\n';
const header = (...members: string[]) =>
  lines(
    'struct fp_state {',
    '\tint v;',
    '};',
    '',
    'struct kvm_regs {',
    '\tint pc;',
    '\tstruct fp_state fp_regs;',
    '};',
  ) + lines('', 'struct ctxt {', ...members.map((m) => `\t${m};`), '};');
const run = async (was: string[], now: string[]) => {
  const base = { [C]: code, [H]: header(...was) };
  const { files, hunks } = await port(base, { [C]: code.replace('\tflush_all();\n', ours) }, { [H]: header(...now) });
  return { line: /save_fp\((.*)\);/.exec(files[C]!)![1], message: hunks[0]!.message };
};

test('a member of a struct that upstream dissolved is reached from the outer one', async () => {
  const { line, message } = await run(['struct kvm_regs gp_regs'], ['int pc', 'struct fp_state fp_regs']);
  expect([line, message]).toEqual(['&host->fp_regs', null]);
});

test.each([
  ['of another type', ['struct kvm_regs gp_regs'], ['int pc', 'struct fp_words fp_regs']],
  [
    'that the outer struct had before',
    ['struct kvm_regs gp_regs', 'struct fp_state fp_regs'],
    ['struct fp_state fp_regs'],
  ],
  ['of a struct that is not held, but pointed to', ['struct kvm_regs *gp_regs'], ['struct fp_state fp_regs']],
])('a member %s is none of it', async (_, was, now) => {
  const { line, message } = await run(was, now);
  expect(line).toContain('gp_regs.fp_regs');
  expect(message).toContain("mentions the field 'gp_regs'");
});

describe('a field of a name that stays', () => {
  const alone = '#include <asm/kvm_host.h>\n';
  const file = (inner: string) => alone + code.replace('\tflush_all();\n', `\tflush_all();\n${inner}`);
  const tagged = lines(
    'struct kvm_tag {',
    '\tlong gen;',
    '\tint tag;',
    '};',
    '',
    'struct ctxt {',
    '\tstruct kvm_tag tag;',
    '};',
  );
  const flat = (type = 'int') => lines('struct ctxt {', '\tlong gen;', `\t${type} tag;`, '};');
  const kept = lines('struct kvm_tag {', '\tint tag;', '};', '', 'struct ctxt {', '\tint tag;', '};');
  const use = '#ifdef CONFIG_SET\n\tuse(host->tag.tag, host->tag.gen);\n#endif\n';
  const made = async (header: string) => {
    const base = { [C]: file(''), [H]: tagged };
    const { files, hunks } = await port(base, { [C]: file(use) }, { [C]: file(''), [H]: header });
    return { line: /use\((.*)\);/.exec(files[C]!)![1], message: hunks[0]!.message };
  };

  test('is the value where the struct that held it is gone', async () => {
    expect(await made(flat())).toEqual({ line: 'host->tag, host->gen', message: null });
  });

  test('is another thing when it is of another type, or the struct is still there', async () => {
    expect((await made(flat('long'))).message).toContain("mentions the field 'tag'");
    const { line, message } = await made(kept);
    expect(line).toBe('host->tag.tag, host->tag.gen');
    expect(message).toContain("mentions the field 'tag'");
  });
});

test('a variable that another hunk of the set declares is of the type that it has there', async () => {
  const long = Array.from({ length: 12 }, (_, i) => `\tstep_${i}(host);`);
  const body = (first: string[], last: string[]) =>
    lines('void switch_fp(struct ctxt *host)', '{', '\tint err;', ...first, ...long, ...last, '}');
  const on = (...code: string[]) => ['#ifdef CONFIG_SET', ...code.map((l) => `\t${l}`), '#endif'];
  const base = { [C]: body([], []), [H]: header('struct kvm_regs gp_regs') };
  const set = { [C]: body(on('struct ctxt *shadow = host;'), on('save_fp(&shadow->gp_regs.fp_regs);')) };
  const { files } = await port(base, set, { [H]: header('int pc', 'struct fp_state fp_regs') });
  expect(files[C]).toContain('save_fp(&shadow->fp_regs);');
});
