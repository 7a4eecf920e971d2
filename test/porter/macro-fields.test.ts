import { lines, port, type Texts } from './harness';

const C = 'drivers/iommu/tables.c';
const file = (part: string, macro: string, read: (of: string) => string, levels = '4') =>
  lines(
    `#define MAX_LEVELS ${levels}`,
    ...(macro ? [`#define START_LEVEL(d) ${macro}`] : []),
    '',
    'struct tables {',
    `\tint ${part};`,
    '\tu64 *pgd;',
    '};',
    '',
    'static int map(struct tables *data, u64 iova)',
    '{',
    `\tint level = ${read('data')};`,
    '',
    '\treturn walk(data->pgd, iova, level);',
    '}',
    '',
    'static void drop(struct tables *own)',
    '{',
    `\tdrop_level(own, ${read('own')}, own->pgd);`,
    '\tkfree(own);',
    '}',
  );
const before = file('levels', '(MAX_LEVELS - (d)->levels)', (of) => `START_LEVEL(${of})`);
const after = file('start_level', '', (of) => `${of}->start_level`);
const grown = (...body: string[]) =>
  before.replace('\tkfree(own);\n', ['#ifdef CONFIG_OWN', ...body, '#endif', '\tkfree(own);', ''].join('\n'));

async function ported(body: string, to: Texts = { [C]: after }) {
  const { files, patches } = await port({ [C]: before }, { [C]: grown(body) }, to);
  const [hunk] = patches[0]!.hunks;
  return { text: files[C]!, hunk: hunk! };
}

describe('a macro that upstream replaced by a field', () => {
  test("is that field in the set's code, too", async () => {
    const { text, hunk } = await ported('\town_free(START_LEVEL(own));');
    expect(text).toContain('\town_free(own->start_level);\n');
    expect(hunk).toMatchObject({ outcome: 'rewritten', confidence: 0.9, message: null });
    expect(hunk.evidence.map((e) => e.text)).toContain(
      "'START_LEVEL(…)' is '…->start_level' in upstream's own code, in 2 places",
    );
  });

  test('says what the field was that it was reckoned from', async () => {
    const { text } = await ported('\tif (own->levels * 2 > 4)\n\t\town_free(own->levels, 1);');
    expect(text).toContain('\tif ((MAX_LEVELS - own->start_level) * 2 > 4)\n');
    expect(text).toContain('\t\town_free(MAX_LEVELS - own->start_level, 1);\n');
  });

  test('breaks a line that gets too long by it', async () => {
    const call = '\town_report("tables with so many levels: %d, seen from the root\\n", own->levels);';
    const { text } = await ported(call);
    expect(text).toContain(
      '\town_report("tables with so many levels: %d, seen from the root\\n",\n\t\t   MAX_LEVELS - own->start_level);\n',
    );
  });

  test('stays, and is said, where upstream says two things', async () => {
    const two = after.replace('own, own->start_level,', 'own, first_level(own),');
    const { text, hunk } = await ported('\town_free(START_LEVEL(own));', { [C]: two });
    expect(text).toContain('\town_free(START_LEVEL(own));\n');
    expect(hunk.message).toContain("'START_LEVEL'");
    expect(hunk.confidence).toBeLessThanOrEqual(0.75);
  });

  test('says nothing of the field where the whole is another number now, or the field is set', async () => {
    const five = file('start_level', '', (of) => `${of}->start_level`, '5');
    const other = await ported('\town_free(own->levels, 1);', { [C]: five });
    expect(other.text).toContain('\town_free(own->levels, 1);\n');
    expect(other.hunk.message).toContain("'levels'");
    const set = await ported('\town->levels = 3;');
    expect(set.text).toContain('\town->levels = 3;\n');
    expect(set.hunk.message).toContain("'levels'");
  });

  test("says nothing of another struct's field of that name", async () => {
    const { text } = await ported('\tstruct own_tables *mine = own_of(own);\n\n\town_free(mine->levels, 1);');
    expect(text).toContain('\town_free(mine->levels, 1);\n');
  });
});
