import { lines, port } from './harness';

const K = 'arch/arm64/kvm/Kconfig';
const config = (name: string, ...more: string[]) => [`config ${name}`, '\tbool "Is it on?"', ...more, ''];
const OWN = config('SET_FAST', '\thelp', '\t  if you want it fast');
const own = lines(...OWN);
const PMU = config('KVM_PMU', '\tdepends on PERF');
const base = lines('if VIRT', '', ...config('KVM'), ...PMU, 'source "drivers/vhost/Kconfig"', '', 'endif # VIRT');
const patched = base.replace('source ', `${own}source `);

async function ported(target: string) {
  const { files, hunks } = await port({ [K]: base }, { [K]: patched }, { [K]: target });
  return { text: files[K]!, hunk: hunks[0]! };
}

test('an entry stays out of an `if` that upstream put around its neighbours', async () => {
  const target = lines('if VIRT', '', ...config('KVM'), 'if KVM', '', ...PMU, 'endif # KVM', '', 'endif # VIRT');
  const { text, hunk } = await ported(target);
  expect(text.indexOf(own)).toBeGreaterThan(text.indexOf('endif # KVM'));
  expect(text.indexOf(own)).toBeLessThan(text.indexOf('endif # VIRT'));
  expect(hunk.confidence).toBeLessThanOrEqual(0.75);
});

test('an entry goes with its neighbours where the blocks are what they were', async () => {
  const target = base
    .replace('if VIRT\n', 'if VIRT\n\ncomment "More"\n')
    .replace('source "drivers/vhost/Kconfig"\n', '');
  const { text, hunk } = await ported(target);
  expect(text).toContain(lines(...PMU) + own);
  expect(hunk.outcome).not.toBe('conflict');
});

test('an entry is not put where its own `if` is gone', async () => {
  const target = lines('menu "Guests"', '', ...config('KVM'), ...PMU, 'endmenu');
  expect((await ported(target)).hunk.outcome).toBe('conflict');
});

test('a line of an entry goes where the entry is, whatever is around it', async () => {
  const set = base.replace('\tdepends on PERF\n', '\tdepends on PERF\n\tselect SET_FAST\n');
  const target = lines('if VIRT', '', ...config('KVM'), 'if KVM', '', ...PMU, 'endif # KVM', '', 'endif # VIRT');
  const { files } = await port({ [K]: base }, { [K]: set }, { [K]: target });
  expect(files[K]).toContain('\tdepends on PERF\n\tselect SET_FAST\n');
});
