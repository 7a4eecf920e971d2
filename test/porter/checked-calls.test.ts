import { lines, port } from './harness';

const C = 'virt/kvm/arm/arm.c';
const fn = (head: string, ...body: string[]) =>
  lines(head, '{', ...body.map((l) => (/^(#|$|\w+:$)/.test(l) ? l : `\t${l}`)), '}');

/** A function that allocates, and undoes it when something fails. */
const CREATE = 'struct vcpu *vcpu_create(struct kvm *kvm)';
const create = (...own: string[]) =>
  fn(
    CREATE,
    'struct vcpu *new = alloc(kvm);',
    'int ret;',
    '',
    'ret = vcpu_init(new, kvm);',
    'if (!ret) {',
    '\tret = map_vcpu(new, new + 1, PAGE_HYP);',
    ...own,
    '\tif (ret == 0)',
    '\t\treturn new;',
    '\tvcpu_uninit(new);',
    '}',
    'free(new);',
    'return ERR_PTR(ret);',
  );
const TESTED = ['#ifdef CONFIG_SET', '\tif (!ret)', '\t\tret = set_register(new);', '#endif'];

/** One that leaves by labels. */
const init = (...own: string[]) =>
  fn(
    'int init_vm(struct kvm *kvm)',
    'int err;',
    '',
    'err = alloc_pgd(kvm);',
    'if (err)',
    '\tgoto no_pgd;',
    '',
    'err = map_vm(kvm, kvm + 1, PAGE_HYP);',
    'if (err)',
    '\tgoto no_mapping;',
    '',
    ...own,
    'kvm->generation = 0;',
    'return 0;',
    '',
    'no_mapping:',
    'free_pgd(kvm);',
    'no_pgd:',
    'return err;',
  );
const LEFT = ['#ifdef CONFIG_SET', 'err = set_register_vm(kvm);', 'if (err)', '\tgoto no_mapping;', '#endif', ''];

describe("a call of the set that is checked as upstream's call above it is", () => {
  test('goes behind that call where upstream makes it elsewhere, with the names that it has there', async () => {
    const upstream = fn(
      'int vcpu_create(struct vcpu *vcpu)',
      'int err;',
      '',
      'err = vgic_init(vcpu);',
      'if (!err)',
      '\terr = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);',
      'return err;',
    );
    const { files, hunks } = await port({ [C]: create() }, { [C]: create(...TESTED) }, { [C]: upstream });
    expect(files[C]).toContain(
      lines(
        '\t\terr = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);',
        '#ifdef CONFIG_SET',
        '\tif (!err)',
        '\t\terr = set_register(vcpu);',
        '#endif',
        '\treturn err;',
      ),
    );
    expect(hunks[0]).toMatchObject({ outcome: 'rewritten', confidence: 0.75 });
    expect(hunks[0]!.evidence.map((e) => e.kind)).toContain('call-joined');
  });

  test('is made under the same check where the labels that it left by are gone', async () => {
    const upstream = fn(
      'int init_vm(struct kvm *kvm)',
      'int err;',
      '',
      'err = init_mmu(kvm, &kvm->mmu);',
      'if (err)',
      '\treturn err;',
      '',
      'err = map_vm(kvm, kvm + 1, PAGE_HYP);',
      'if (err)',
      '\tfree_pgd(&kvm->mmu);',
      'return err;',
    );
    const { files, hunks } = await port({ [C]: init() }, { [C]: init(...LEFT) }, { [C]: upstream });
    expect(files[C]).toContain(
      lines(
        '\terr = map_vm(kvm, kvm + 1, PAGE_HYP);',
        '#ifdef CONFIG_SET',
        '\tif (!err)',
        '\t\terr = set_register_vm(kvm);',
        '#endif',
        '\tif (err)',
      ),
    );
    expect(hunks[0]!.outcome).toBe('rewritten');
  });

  test.each([
    ['nobody looks at the answer there', ['err = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);', 'start(vcpu);', 'return err;']],
    [
      'it is called twice',
      [
        'err = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);',
        'if (err)',
        '\terr = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);',
        'return err;',
      ],
    ],
    [
      'it is called under a condition of its own',
      ['if (vcpu->big)', '\terr = map_vcpu(vcpu, vcpu + 1, PAGE_HYP);', 'return err;'],
    ],
    ['it is called for something else', ['err = map_vcpu(page, page + 1, PAGE_HYP);', 'return err;']],
  ])('stays a conflict where %s', async (_, body) => {
    const upstream = fn(
      'int vcpu_create(struct vcpu *vcpu)',
      'struct page *page = vcpu->page;',
      'int err = 0;',
      '',
      ...body,
    );
    const { hunks, files } = await port({ [C]: create() }, { [C]: create(...TESTED) }, { [C]: upstream });
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[C]).not.toContain('set_register');
  });
});
