import { lines, port } from './harness';

const C = 'virt/kvm/arm/mmu.c';
const fn = (...body: string[]) =>
  lines(
    'static int fault(struct vcpu *vcpu, u64 ipa)',
    '{',
    ...body.map((l) => (/^(#|$|\w+:$)/.test(l) ? l : `\t${l}`)),
    '}',
  );
const head = [
  'u64 size = PAGE_SIZE;',
  'bool huge = false;',
  '',
  'lock(vcpu);',
  'if (retry(vcpu))',
  '\tgoto unlock;',
  '',
];
const tail = ['', 'map(vcpu, ipa, size);', 'unlock:', 'return unlock_all(vcpu);'];
const wrapped = ['if (!logging && size == PAGE_SIZE &&', '    adjust(&pfn, &ipa))', '\tsize = PMD_SIZE;'];
const base = fn(...head, ...wrapped, ...tail);
const patched = fn(...head, '#ifndef CONFIG_SET', ...wrapped, '#endif', ...tail);
const upstream = (...l: string[]) => ({ [C]: fn(...head, ...l, ...tail) });

describe('a guard around one statement that upstream wrote anew', () => {
  test('goes around the one between the same neighbours that makes the same call', async () => {
    const now = ['if (!logging && size == PAGE_SIZE)', '\tsize = adjust(slot, hva, &pfn,', '\t\t      &ipa);'];
    const { files, hunks } = await port({ [C]: base }, { [C]: patched }, upstream(...now));
    expect(files[C]).toBe(fn(...head, '#ifndef CONFIG_SET', ...now, '#endif', ...tail));
    expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
  });

  test('also where the variable that it sets gave way to another', async () => {
    const was = ['if (!logging && !huge)', '\thuge = adjust(&pfn, &ipa);'];
    const now = ['if (!logging && psize == PAGE_SIZE)', '\tpsize = adjust(slot, hva, &pfn,', '\t\t       &ipa);'];
    const other = (...l: string[]) =>
      fn(...head.map((x) => x.replace('bool huge = false', 'u64 psize = PAGE_SIZE')), ...l, ...tail);
    const { files } = await port(
      { [C]: fn(...head, ...was, ...tail) },
      { [C]: fn(...head, '#ifndef CONFIG_SET', ...was, '#endif', ...tail) },
      { [C]: other(...now) },
    );
    expect(files[C]).toBe(other('#ifndef CONFIG_SET', ...now, '#endif'));
  });

  test.each([
    [
      'calls something else',
      ['if (!logging && size == PAGE_SIZE)', '\tsize = measure(slot, hva, &pfn,', '\t\t       &ipa);'],
    ],
    [
      'is one of two',
      ['if (!logging)', '\tsize = adjust(slot, hva, &pfn,', '\t\t      &ipa);', 'note_size(vcpu, size, ipa);'],
    ],
    ['is a loop', ['while (size == PAGE_SIZE)', '\tsize = adjust(slot, hva, &pfn,', '\t\t      &ipa);']],
  ])('is a conflict where what stands there %s', async (_, now) => {
    const { hunks } = await port({ [C]: base }, { [C]: patched }, upstream(...now));
    expect(hunks[0]!.outcome).toBe('conflict');
  });
});
