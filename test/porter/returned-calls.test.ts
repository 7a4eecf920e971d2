import { lines, port } from './harness';

const C = 'virt/kvm/arm/arm.c';
const fn = (head: string, ...body: string[]) =>
  lines(head, '{', ...body.map((l) => (/^(#|$|\w+:$)/.test(l) ? l : `\t${l}`)), '}');

/** A function that ends with a checked call, and undoes everything when that fails. */
const add = (...end: string[]) =>
  fn(
    'struct vcpu *vcpu_add(struct vm *vm)',
    'struct vcpu *new = vcpu_alloc(vm);',
    'int err;',
    '',
    'err = vcpu_init(new, vm);',
    'if (err)',
    '\tgoto free_vcpu;',
    '',
    ...end,
    '',
    'return new;',
    'undo:',
    'vcpu_uninit(new);',
    'free_vcpu:',
    'vcpu_free(new);',
    'return ERR_PTR(err);',
  );
const MAPPED = ['err = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);', 'if (err)', '\tgoto undo;'];
/** The same with the name that the target has for what is mapped. */
const own = (...end: string[]) => add(...end).replaceAll('new', 'vcpu');
const REGISTERED = ['#else', 'err = set_register(vcpu);', 'if (err < 0)', '\tgoto undo;', '#endif'];
const upstream = (...end: string[]) =>
  fn(
    'int vcpu_add(struct vcpu *vcpu)',
    'int err;',
    '',
    'err = vgic_init(vcpu);',
    'if (err)',
    '\treturn err;',
    '',
    ...end,
  );

describe('a guard around the last call of a function, whose answer upstream returns', () => {
  test("goes around the return, and the set's code returns its failure, and 0 at its end", async () => {
    const { files, hunks } = await port(
      { [C]: own(...MAPPED) },
      { [C]: own('#ifndef CONFIG_SET', ...MAPPED, ...REGISTERED) },
      { [C]: upstream('return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);') },
    );
    expect(files[C]).toBe(
      upstream(
        '#ifndef CONFIG_SET',
        'return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);',
        '#else',
        'err = set_register(vcpu);',
        'if (err < 0)',
        '\treturn err;',
        'return 0;',
        '#endif',
      ),
    );
    expect(hunks[0]).toMatchObject({ outcome: 'rewritten', confidence: 0.75 });
    expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('call-returned');
  });

  test('gets a branch of its own, when it only took the call out', async () => {
    const { files } = await port(
      { [C]: own(...MAPPED) },
      { [C]: own('#ifndef CONFIG_SET', ...MAPPED, '#endif') },
      { [C]: upstream('return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);') },
    );
    expect(files[C]).toContain(
      lines(
        '#ifndef CONFIG_SET',
        '\treturn map_vcpu(vcpu, vcpu + 1, PAGE_HYP);',
        '#else',
        '\treturn 0;',
        '#endif',
        '}',
      ),
    );
  });

  test.each([
    ['another thing is handed over', ['return map_vcpu(page, page + 1, PAGE_HYP);'], REGISTERED],
    [
      'upstream makes the call twice',
      ['map_vcpu(vcpu, vcpu + 1, PAGE_HYP);', 'return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);'],
      REGISTERED,
    ],
    [
      "the set's code goes to another label",
      ['return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);'],
      ['#else', 'err = set_register(vcpu);', 'if (err < 0)', '\tgoto free_vcpu;', '#endif'],
    ],
    [
      "the set's code goes there for another reason",
      ['return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);'],
      ['#else', 'if (!set_register(vcpu))', '\tgoto undo;', '#endif'],
    ],
  ])('stays a conflict where %s', async (_, end, branch) => {
    const { files, hunks } = await port(
      { [C]: own(...MAPPED) },
      { [C]: own('#ifndef CONFIG_SET', ...MAPPED, ...branch) },
      { [C]: upstream(...end) },
    );
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[C]).not.toContain('CONFIG_SET');
  });

  test('stays a conflict where the base did more behind the call', async () => {
    const more = (...end: string[]) => own(...end, 'start(vcpu);');
    const { hunks } = await port(
      { [C]: more(...MAPPED) },
      { [C]: more('#ifndef CONFIG_SET', ...MAPPED, ...REGISTERED) },
      { [C]: upstream('start(vcpu);', 'return map_vcpu(vcpu, vcpu + 1, PAGE_HYP);') },
    );
    expect(hunks[0]!.outcome).toBe('conflict');
  });
});

describe('a parameter that is gone, and that another function stores', () => {
  const M = 'virt/kvm/kvm_main.c';
  const init = (...body: string[]) =>
    fn('int vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned int nr)', ...body, 'return 0;');
  const STORES = ['vcpu->nr = nr;', 'vcpu->count = 0;'];
  const base = (...own: string[]) =>
    fn(
      'int vcpu_add(struct vm *vm, struct vcpu *vcpu, unsigned int nr)',
      'int err = vcpu_init(vcpu, vm, nr);',
      '',
      ...own,
      'count_vcpu(vcpu);',
      'return err;',
    );
  const target = (...own: string[]) =>
    fn('int vcpu_add(struct vcpu *vcpu)', 'int err = 0;', '', ...own, 'count_vcpu(vcpu);', 'return err;');
  const OWN = ['#ifdef CONFIG_SET', 'set_number(vcpu, nr);', '#endif'];
  const caller = (...body: string[]) =>
    fn('int ioctl_add(struct vm *vm, unsigned int nr)', 'struct vcpu *v = vm->next;', '', ...body, 'return 0;');
  const MADE = ['vcpu_init(v, vm, nr);', 'vcpu_add(v);'];
  const ported = (stores: string[], made: string[], then = stores) =>
    port(
      { [C]: base(), [M]: init(...stores) },
      { [C]: base(...OWN) },
      { [C]: target(), [M]: init(...then) + caller(...made) },
    );

  test('is read from there, when every caller has had it stored', async () => {
    const { files, hunks } = await ported(STORES, MADE);
    expect(files[C]).toBe(target('#ifdef CONFIG_SET', 'set_number(vcpu, vcpu->nr);', '#endif'));
    expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
    expect(hunks[0]!.evidence.map((e) => e.text).join()).toContain("'vcpu_init' stores it there");
  });

  test.each([
    ['a caller has it stored for another one', STORES, ['vcpu_init(vm->first, vm, nr);', 'vcpu_add(v);']],
    ['a caller has it stored too late', STORES, ['vcpu_add(v);', 'vcpu_init(v, vm, nr);']],
    ['the member says something else', ['vcpu->nr = nr;', 'vcpu->nr = vcpu->nr << 1;'], MADE],
  ])('is said to be gone where %s', async (_, stores, made) => {
    const { files, hunks } = await ported(stores, made);
    expect(files[C]).not.toContain('vcpu->nr');
    expect(hunks[0]!.evidence.map((e) => e.text).join()).toContain("uses the local 'nr'");
  });

  test('is said to be gone where the target stores it elsewhere', async () => {
    const { files } = await ported(STORES, MADE, ['vcpu->slot = nr;', 'vcpu->count = 0;']);
    expect(files[C]).not.toContain('vcpu->nr');
  });
});
