import { lines, port } from './harness';

const C = 'arch/arm64/kvm/map.c';
const head = (name: string) => `static int ${name}(pmd_t *table, unsigned long addr,`;
const fn = (name: string, takes: string[], body: string[]) => [head(name), ...takes, '{', ...body, '}', ''];
const plain = ['\t\t       pgprot_t prot)'];
const guarded = (on: string[], off: string[]) => ['#ifdef CONFIG_SET', ...on, '#else', ...off, '#endif'];
const takesMore = guarded(['\t\t       pgprot_t prot, bool sec)'], plain);
const work = ['\tset_entry(table, addr, prot);', '\treturn 0;'];
const call = (name: string, more = '', to = 'table') => [`\tret = ${name}(${to}, addr, prot${more});`];
const low = (more = '') => call('map_low', more, 'next_table(table)');
const upper = (body: string[]) => [
  'int map_top(pmd_t *table, unsigned long addr, pgprot_t prot)',
  '{',
  '\tint ret;',
  '',
  ...body,
  '\tif (ret)',
  '\t\treturn ret;',
  '\tflush_all(table);',
  '\treturn 0;',
  '}',
  '',
];
const link = (body: string[]) => fn('map_mid', plain, ['\tint ret;', '', ...body, '\treturn ret;']);
const base = lines(...fn('map_low', plain, work), ...upper(call('map_low')));
const patched = lines(
  ...fn('map_low', takesMore, work),
  ...upper(guarded(call('map_low', ', addr & 1'), call('map_low'))),
);
const target = (mid: string[], rest: string[] = []) =>
  lines(...fn('map_low', plain, work), ...mid, ...upper(call('map_mid')), ...rest);

describe('a new link in a chain of calls', () => {
  test('takes the parameter that the set adds, and passes it on', async () => {
    const { files, hunks } = await port({ [C]: base }, { [C]: patched }, { [C]: target(link(low())) });
    expect(files[C]).toContain(
      lines(head('map_mid'), ...takesMore, '{', '\tint ret;', '', ...guarded(low(', sec'), low()), '\treturn ret;'),
    );
    expect(files[C]).toContain(lines(...guarded(call('map_mid', ', addr & 1'), call('map_mid'))));
    const passed = hunks.find((h) => h.evidence.some((e) => e.kind === 'parameter-passed-on'));
    expect(passed?.confidence).toBeLessThanOrEqual(0.75);
  });

  test('is left as it is when upstream calls it in another way, too', async () => {
    const other = lines('int map_other(pmd_t *table)', '{', '\treturn map_mid(table, 0, 0);', '}');
    const { files } = await port(
      { [C]: base },
      { [C]: patched },
      { [C]: target(link(low()), other.split('\n').slice(0, -1)) },
    );
    expect(files[C]).toContain(lines(...link(low())));
  });

  test('is left as it is when it calls the lower one twice, or has something of that name', async () => {
    for (const mid of [link([...low(), ...low()]), link(['\tint sec = 1;', ...low()])]) {
      const { files } = await port({ [C]: base }, { [C]: patched }, { [C]: target(mid) });
      expect(files[C]).toContain(lines(...mid));
    }
  });

  const free = (mid: string[]) => target(mid).replace('map_top(', 'map_all(');
  const always = {
    base: base.replace('map_top(', 'map_all('),
    patched: lines(
      ...fn('map_low', ['\t\t       pgprot_t prot, bool sec)'], work),
      ...upper(call('map_low', ', addr & 1')),
    ).replace('map_top(', 'map_all('),
  };

  test('takes it without a guard, too, where the set has none', async () => {
    const { files, hunks } = await port({ [C]: always.base }, { [C]: always.patched }, { [C]: free(link(low())) });
    expect(files[C]).toContain(
      lines(head('map_mid'), '\t\t       pgprot_t prot, bool sec)', '{', '\tint ret;', '', ...low(', sec')),
    );
    expect(files[C]).not.toContain('#ifdef');
    expect(hunks.flatMap((h) => h.message ?? []).join()).not.toContain('arguments');
  });

  test('is named where the set has no guard and it cannot be mended', async () => {
    const mid = link([...low(), ...low()]);
    const { files, hunks } = await port({ [C]: always.base }, { [C]: always.patched }, { [C]: free(mid) });
    expect(files[C]).toContain(lines(...mid));
    const [doubted] = hunks.filter((h) =>
      h.message?.includes(`'map_low' takes 4 arguments, but 'map_mid' (${C}) passes 3`),
    );
    expect(doubted!.confidence).toBeLessThanOrEqual(0.75);
    expect(hunks.some((h) => h.message?.includes(`passes 4 arguments to 'map_mid'`))).toBe(true);
  });
});
