import { lines, port } from './harness';

const H = 'kernel/trace/probe.h';
const C = 'mm/zones.c';
const one = (hunks: { outcome: string; confidence: number; message: string | null }[]) => hunks[0]!;
const put = (text: string, behind: string, ...added: string[]) =>
  text.replace(`${behind}\n`, () => `${behind}\n${added.map((l) => `${l}\n`).join('')}`);

describe('a member that the struct has by now', () => {
  const base = lines(
    'struct event {',
    '\tint flags;',
    '\tstruct list files;',
    '};',
    '',
    'struct other {',
    '\tint n;',
    '};',
  );
  const set = put(base, '\tstruct list files;', '\tstruct filter filter[0];');
  const run = (upstream: string) => port({ [H]: base }, { [H]: set }, { [H]: upstream });

  test.each(['struct filter filter[];', 'const struct filter\tfilter[0] __aligned(8);'])(
    'is upstream‘s when only its spelling differs: %s',
    async (member) => {
      const upstream = put(base, '\tstruct list files;', `\t${member}`);
      const { files, hunks } = await run(upstream);
      expect(one(hunks).outcome).toBe('already-upstream');
      expect(files[H]).toBe(upstream);
    },
  );

  test('is a conflict when it is of another type', async () => {
    const upstream = put(base, '\tstruct list files;', '\tstruct filter *filter;');
    const { files, hunks } = await run(upstream);
    expect(one(hunks)).toMatchObject({ outcome: 'conflict' });
    expect(one(hunks).message).toContain("it declares 'filter', which 'event' has at line 4 already");
    expect(files[H]).toBe(upstream);
  });

  test('is none in another struct, or in a struct within', async () => {
    for (const upstream of [
      put(base, '\tint n;', '\tstruct filter filter[];'),
      put(base, '\tint flags;', '\tstruct {', '\t\tstruct filter *filter;', '\t} inner;'),
    ]) {
      const { files, hunks } = await run(upstream);
      expect(['applied', 'merged']).toContain(one(hunks).outcome);
      expect(files[H]).toBe(put(upstream, '\tstruct list files;', '\tstruct filter filter[0];'));
    }
  });

  test('is no second one where the set takes upstream‘s neighbour away and the base has the name', async () => {
    const old = put(base, '\tint flags;', '\tu8 filter;');
    const moved = put(base, '\tstruct list files;', '\tu8 filter;');
    const upstream = put(old, '\tint n;', '\tint more;');
    const { files } = await port({ [H]: old }, { [H]: moved }, { [H]: upstream });
    expect(files[H]).toBe(put(moved, '\tint n;', '\tint more;'));
  });

  test('and what else the edit adds stays', async () => {
    const both = put(
      base,
      '\tstruct list files;',
      '\t/* what to leave out */',
      '\tstruct filter filter[0];',
      '\tint own;',
    );
    const upstream = put(base, '\tstruct list files;', '\tstruct filter filter[];');
    const { files } = await port({ [H]: base }, { [H]: both }, { [H]: upstream });
    expect(files[H]!.match(/filter\[/g)).toHaveLength(1);
    expect(files[H]).toContain('\tint own;\n');
    expect(files[H]).not.toContain('leave out');
  });
});

describe('an object of the file', () => {
  const base = lines('u64 limit;', '', 'int count(void)', '{', '\treturn limit;', '}');
  const run = (own: string, upstream: string) =>
    port({ [C]: base }, { [C]: put(base, 'u64 limit;', own) }, { [C]: put(base, 'u64 limit;', upstream) });

  test.each([
    ['u64 limit32 __ro_after_init;', 'static u64 limit32 __read_mostly;'],
    ['static const char *limit32 = "(none)";', 'const char *limit32 = "(none)";'],
  ])('is upstream‘s but for its qualifiers: %s', async (own, theirs) => {
    const { files, hunks } = await run(own, theirs);
    expect(one(hunks).outcome).toBe('already-upstream');
    expect(files[C]).toBe(put(base, 'u64 limit;', theirs));
  });

  test('is a conflict with another value', async () => {
    const { hunks } = await run('static char *limit32 = "(none)";', 'static char *limit32 = "(unknown)";');
    expect(one(hunks)).toMatchObject({ outcome: 'conflict' });
    expect(one(hunks).message).toContain(`it declares 'limit32', which '${C}' has at line 2 already`);
  });

  test('is its own where upstream only says that it is elsewhere, or has it on the other side of an option', async () => {
    const { files } = await run('u64 limit32;', 'extern u64 limit32;');
    expect(files[C]).toContain('extern u64 limit32;\nu64 limit32;\n');
    const sides = ['#ifdef CONFIG_A', 'u64 limit;', '#else', 'u64 limit;', '#endif'];
    const old = lines(...sides, '', 'int x;');
    const set = lines(...sides.slice(0, 2), 'u64 limit32;', ...sides.slice(2), '', 'int x;');
    const upstream = lines(...sides.slice(0, 4), 'u64 limit32;', sides[4]!, '', 'int x;');
    const other = await port({ [C]: old }, { [C]: set }, { [C]: upstream });
    expect(other.files[C]!.match(/limit32/g)).toHaveLength(2);
  });
});

describe('a local of a function', () => {
  const fn = (...body: string[]) => lines('int receive(struct msg *m)', '{', ...body.map((l) => `\t${l}`), '}');
  const rest = ['int err;', '', 'err = check(m);', 'if (err)', '\treturn err;', 'note(m);', 'return answer(m, 0);'];
  const base = fn(...rest);
  const use = ['if (data_len < 2)', '\treturn -EINVAL;'];
  const set = fn('int data_len;', ...rest.slice(0, 6), 'data_len = length_of(m);', ...use, ...rest.slice(6));

  test('of that type and name is the set‘s line: all that uses it keeps the name', async () => {
    const upstream = fn(
      rest[0]!,
      'int data_len;',
      ...rest.slice(1, 6),
      'trace(m);',
      'data_len = length_of(m);',
      ...rest.slice(6),
    );
    const { files, hunks } = await port({ [C]: base }, { [C]: set }, { [C]: upstream });
    expect(files[C]).not.toContain('own_data_len');
    expect(files[C]!.match(/int data_len;/g)).toHaveLength(1);
    expect(hunks.flatMap((h) => h.edits.map((e) => e.outcome))).toContain('already-upstream');
  });

  test('of another type is upstream‘s: the set‘s is renamed', async () => {
    const upstream = fn('struct len *data_len = 0;', ...rest);
    const { files } = await port({ [C]: base }, { [C]: set }, { [C]: upstream });
    expect(files[C]).toContain('\tint own_data_len;\n');
    expect(files[C]).toContain('\tif (own_data_len < 2)\n');
  });

  test('is said where nothing shows what upstream has it for', async () => {
    const upstream = fn('int data_len;', ...rest.slice(0, 2), 'data_len = 7;', ...rest.slice(2));
    const { files, hunks } = await port({ [C]: base }, { [C]: set }, { [C]: upstream });
    expect(files[C]!.match(/int data_len;/g)).toHaveLength(1);
    expect(hunks.map((h) => h.message).join()).toContain("the local 'data_len' is upstream's by now");
  });

  test('under a guard of the set is renamed as before', async () => {
    const own = ['#ifdef CONFIG_SET', '\tint data_len;', '#endif'];
    const guarded = lines('int receive(struct msg *m)', '{', ...own, ...rest.map((l) => `\t${l}`), '}');
    const { files } = await port({ [C]: base }, { [C]: guarded }, { [C]: fn('int data_len;', ...rest) });
    expect(files[C]).toContain('\tint own_data_len;\n');
  });
});

test('what uses a local in the same edit does not go above upstream‘s declaration of it', async () => {
  const rest = ['\tcount(at);', '\tmark(at, 2);', '\tnote_flush(cookie, at);'];
  const fn = (...body: string[]) => lines('static void flush_page(int at, void *cookie)', '{', ...body, ...rest, '}');
  const [local, lock] = ['\tstruct data *data = cookie;', '\tlock(&data->tlb);'];
  const [old, now] = [fn('\tadd_page(cookie, at);'), fn(local, '\tgather(data);')];
  const set = fn(local, '\tlong flags;', '', lock, '\tadd_page(cookie, at);');
  const { files, hunks } = await port({ [C]: old }, { [C]: set }, { [C]: now });
  expect(files[C]).toBe(now);
  expect(one(hunks).message).toContain("it uses 'data', which 'flush_page' declares at line 3 by now, below its place");
});
