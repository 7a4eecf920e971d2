import type { Diagnostic } from '../../src/verify/diagnostics';
import { newOnes } from '../../src/verify/checks/sparse';

const said = (text: string, line: number): Diagnostic => ({
  ...{ severity: 'warning', path: 'virt/kvm/one.c', line, text, cause: text, name: null, from: [] },
  expanded: null,
});

test('what sparse says of the set at home is not new, each time it says so', () => {
  const known = [said('mixing declarations and code', 4), said("symbol 'x' was not declared", 9)];
  const here = [said('mixing declarations and code', 40), said('cast removes address space', 50)];
  expect(newOnes(here, known).map((d) => d.line)).toEqual([50]);
  expect(newOnes([...here, said('mixing declarations and code', 60)], known).map((d) => d.line)).toEqual([50, 60]);
  expect(newOnes(here, [])).toEqual(here);
});
