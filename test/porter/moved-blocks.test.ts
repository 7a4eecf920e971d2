import { lines, port } from './harness';

const C = 'virt/kvm/arm/mmu.c';
const fn = (head: string, ...body: string[]) =>
  lines(head, '{', ...body.map((l) => (/^(#|$|\w+:$)/.test(l) ? l : `\t${l}`)), '}');

describe('a guard around what an if does, which upstream left to a caller', () => {
  const DOES = ['\tinject_abort(vcpu, fault_address(vcpu));', '\treturn 1;'];
  const decode = (...own: string[]) =>
    fn(
      'static int decode(struct vcpu *vcpu, int *len)',
      'int size;',
      '',
      'if (is_table_walk(vcpu)) {',
      ...own,
      '}',
      'size = access_size(vcpu);',
      'if (size < 0)',
      '\treturn size;',
      '*len = size;',
      'return 0;',
    );
  const io = (...body: string[]) =>
    fn('int io_abort(struct vcpu *vcpu)', 'int len, ret;', '', ...body, 'return emulate(vcpu, len);');
  const CALLED = ['ret = decode(vcpu, &len);', 'if (ret)', '\treturn ret;'];
  const handle = (...block: string[]) =>
    fn(
      'int handle_abort(struct vcpu *vcpu)',
      'int ret;',
      '',
      'lock(vcpu);',
      'if (is_outside(vcpu)) {',
      ...block.map((l) => `\t${l}`),
      '\tret = io_abort(vcpu);',
      '\tgoto out_unlock;',
      '}',
      'ret = memory_abort(vcpu);',
      'out_unlock:',
      'unlock(vcpu);',
      'return ret;',
    );
  const file = (decoding: string, calls: string[], ...block: string[]) =>
    decoding + '\n' + io(...calls) + '\n' + handle(...block);
  const base = (...own: string[]) => file(decode(...own), CALLED);
  const guarded = (...branch: string[]) => base('#ifndef CONFIG_SET', ...DOES, ...branch, '#endif');
  const MOVED = [
    'if (is_table_walk(vcpu)) {',
    '\tinject_abort(vcpu, fault_address(vcpu));',
    '\tret = 1;',
    '\tgoto out_unlock;',
    '}',
  ];
  const target = (...block: string[]) => '\n' + io('len = access_size(vcpu);', 'ret = 0;') + '\n' + handle(...block);

  test('goes to the caller that does the same, and goes on as with that answer', async () => {
    const { files, hunks } = await port(
      { [C]: base(...DOES) },
      { [C]: guarded('#else', '\tBUG();') },
      { [C]: target(...MOVED) },
    );
    expect(files[C]).toBe(
      target(
        MOVED[0]!,
        '#ifndef CONFIG_SET',
        ...MOVED.slice(1, -1),
        '#else',
        '\tBUG();',
        '#endif',
        MOVED[MOVED.length - 1]!,
      ).replace(/^\t+#/gm, '#'),
    );
    expect(hunks[0]).toMatchObject({ confidence: 0.75 });
    expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('block-followed');
  });

  test('with an answer of its own hands that on as the caller does', async () => {
    const { files } = await port(
      { [C]: base(...DOES) },
      { [C]: guarded('#else', '\treturn -EFAULT;') },
      { [C]: target(...MOVED) },
    );
    expect(files[C]).toContain(
      lines('\t\t\tgoto out_unlock;', '#else', '\t\t\tret = -EFAULT;', '\t\t\tgoto out_unlock;', '#endif', '\t\t}'),
    );
  });

  test.each([
    ['the caller gives another answer', MOVED.map((l) => l.replace('ret = 1', 'ret = 0')), ['#else', '\tBUG();']],
    ['the caller does more', [MOVED[0]!, '\tcount(vcpu);', ...MOVED.slice(1)], ['#else', '\tBUG();']],
    ['the caller asks something else', ['if (!is_table_walk(vcpu)) {', ...MOVED.slice(1)], ['#else', '\tBUG();']],
    ['the caller asks twice', [...MOVED, ...MOVED], ['#else', '\tBUG();']],
    ["the set's code goes on in the function", MOVED, ['#else', '\tcount(vcpu);']],
    ['it speaks of what only the function has', MOVED, ['#else', '\t*len = 0;', '\tBUG();']],
  ])('stays a conflict where %s', async (_, block, branch) => {
    const { files, hunks } = await port({ [C]: base(...DOES) }, { [C]: guarded(...branch) }, { [C]: target(...block) });
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[C]).not.toContain('CONFIG_SET');
  });
});

describe('a guard around what an if does, which upstream does behind a label', () => {
  const handle = (block: string[], behind: string[]) =>
    fn(
      'int handle_abort(struct vcpu *vcpu)',
      'int ret;',
      '',
      'lock(vcpu);',
      'if (is_fetch(vcpu)) {',
      ...block,
      '}',
      'ret = memory_abort(vcpu);',
      'if (ret == 0)',
      '\tret = 1;',
      ...behind,
      'out_unlock:',
      'unlock(vcpu);',
      'return ret;',
    );
  const DOES = ['\t/* Fetch from a device */', '\tinject_fetch_abort(vcpu, fault_address(vcpu));', '\tret = 1;'];
  const own = (value: string) => [
    '#ifndef CONFIG_SET',
    ...DOES,
    '#else',
    ...value.split('|').map((l) => `\t${l}`),
    '#endif',
  ];
  const base = (block: string[]) => handle([...block, '\tgoto out_unlock;'], []);
  const NAMED = ['\t/* Fetch from a device */', '\tret = -ENOEXEC;', '\tgoto out;'];
  const BEHIND = ['out:', 'if (ret == -ENOEXEC) {', ...DOES.slice(1), '}'];

  test('goes around what names the case, when the set names another', async () => {
    const { files, hunks } = await port(
      { [C]: base(DOES) },
      { [C]: base(own('ret = -EFAULT;')) },
      { [C]: handle(NAMED, BEHIND) },
    );
    expect(files[C]).toBe(
      handle(
        [
          '\t/* Fetch from a device */',
          '#ifndef CONFIG_SET',
          NAMED[1]!,
          '#else',
          '\tret = -EFAULT;',
          '#endif',
          NAMED[2]!,
        ],
        BEHIND,
      ),
    );
    expect(hunks[0]).toMatchObject({ confidence: 0.75 });
  });

  test.each([
    [
      'it does more there',
      own('ret = -EFAULT;'),
      NAMED,
      ['out:', 'if (ret == -ENOEXEC) {', '\tcount(vcpu);', ...DOES.slice(1), '}'],
    ],
    [
      'it does so for another value',
      own('ret = -EFAULT;'),
      NAMED,
      ['out:', 'if (ret == -ENODEV) {', ...DOES.slice(1), '}'],
    ],
    ['more lies between that and the label of the base', own('ret = -EFAULT;'), NAMED, [...BEHIND, 'count(vcpu);']],
    ['the set names the very case', own('ret = -ENOEXEC;'), NAMED, BEHIND],
    ['the set names none', own('count(vcpu);'), NAMED, BEHIND],
  ])('stays a conflict where %s', async (_, block, named, behind) => {
    const { files, hunks } = await port({ [C]: base(DOES) }, { [C]: base(block) }, { [C]: handle(named, behind) });
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[C]).not.toContain('CONFIG_SET');
  });
});
