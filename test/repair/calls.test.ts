import type { Parameter } from '../../src/kernel-index/types';
import { argumentLists, isTelling } from '../../src/repair/calls';

const list = (...parameters: [string, string][]): Parameter[] => parameters.map(([type, name]) => ({ type, name }));

describe('argument lists of a call whose function takes other arguments now', () => {
  it('drops what the function no longer takes', () => {
    const from = list(['struct kvm *', 'kvm'], ['struct vm_fault *', 'vmf'], ['unsigned long', 'hva']);
    const into = list(['struct kvm *', 'kvm'], ['unsigned long', 'hva']);
    expect(argumentLists(['k', 'f', 'h'], from, into, () => [])).toEqual([['k', 'h']]);
  });

  it('hands a pointer to the parameter of its type, under another name', () => {
    const from = list(['struct kvm *', 'kvm'], ['int', 'flags']);
    const into = list(['struct kvm *', 'vm']);
    expect(argumentLists(['k', '0'], from, into, () => [])).toEqual([['k']]);
  });

  it('does not hand one number over for another: every list of numbers compiles', () => {
    const from = list(
      ['pgd_t *', 'pgd'],
      ['unsigned long', 'ptrs_per_pgd'],
      ['unsigned long', 'start'],
      ['unsigned long', 'end'],
      ['unsigned long', 'pfn'],
      ['pgprot_t', 'prot'],
    );
    const into = list(
      ['unsigned long', 'first'],
      ['unsigned long', 'size'],
      ['unsigned long', 'phys'],
      ['enum kvm_pgtable_prot', 'prot'],
    );
    const offers = (p: Parameter) => [p.name];
    expect(argumentLists(['pgd', 'N', 'a', 'a + n', 'pfn', 'P'], from, into, offers)).toEqual([]);
  });

  it.each([
    ['struct kvm *', true],
    ['pgprot_t', true],
    ['enum kvm_pgtable_prot', true],
    ['uint64_t', false],
    ['phys_addr_t', false],
    ['unsigned long', false],
    ['', false],
  ])('%s says what is meant: %s', (type, telling) => expect(isTelling(type)).toBe(telling));
});
