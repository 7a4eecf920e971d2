import { judgeBoot } from '../../src/verify/checks/boot';
import { readConsole } from '../../src/verify/console';
import { cpio } from '../../src/verify/cpio';

const GOOD = `[    0.000000] Linux version 5.10.0 (x@y)
[    0.100000] kvm [1]: Hyp mode initialized successfully
KPORT init: running
KPORT kvm: 12
KPORT probe: none: Inappropriate ioctl for device
KPORT vm: created
KPORT exit: 6
KPORT guest: ran
KPORT host-read: trying
[    1.0] Unable to handle kernel paging request
KPORT host-read: refused by signal 11
KPORT init: done
`;

test('a boot that gets there', () => {
  const facts = readConsole(GOOD);
  expect(facts).toMatchObject({ kernel: '5.10.0', hyp: 'Hyp mode initialized successfully', crash: null });
  expect(facts.facts).toMatchObject({ guest: 'ran', 'host-read': 'refused by signal 11', kvm: '12' });
  expect(judgeBoot(facts, false, GOOD)).toEqual([]);
});

test.each([
  ['', 'no-start'],
  ['Linux version 5.10\n', 'no-hyp'],
  ['Linux version 5.10\nkvm [1]: Hyp mode initialized successfully\nKernel panic - not syncing: x\n', 'crash'],
  ['Linux version 5.10\nkvm: HYP mode not available\nKPORT init: done\n', 'no-guest'],
])('a boot that does not: %j', (log, kind) => {
  expect(judgeBoot(readConsole(log), false, log).map((f) => f.kind)).toContain(kind);
});

test('the archive has what the kernel reads', () => {
  const archive = cpio([{ name: 'init', mode: 0o100755, content: 'abc' }]);
  expect(archive.slice(0, 6)).toBe('070701');
  expect(archive.slice(110, 115)).toBe('init\0');
  expect(archive.indexOf('abc') % 4).toBe(0);
  expect(archive).toContain('TRAILER!!!');
});
