import { lines, port } from './harness';

const C = 'arch/arm64/kvm/map.c';
const fn = (name: string, ...body: string[]) =>
  lines(`static int ${name}(struct kvm *kvm, u64 addr)`, '{', ...body.map((l) => (l === '' ? l : `\t${l}`)), '}', '');

async function ported(base: string, set: string, target: string) {
  const { files, hunks } = await port({ [C]: base }, { [C]: set }, { [C]: target });
  return { text: files[C]!, hunks, outcomes: hunks.map((h) => h.outcome), messages: hunks.map((h) => h.message ?? '') };
}

const steps = (name: string, count = 8) => Array.from({ length: count }, (_, i) => `${name}_step(kvm, addr, ${i});`);

describe('a label', () => {
  const check = ['if (refuse_page(kvm, addr))', '\tgoto unlink;'];
  const label = ['', 'unlink:', 'unlink_page(kvm, addr);', 'return -EPERM;'];
  const body = (first: string[], ...last: string[]) =>
    fn('map_page', ...steps('link', 3), ...first, ...steps('list', 3), ...steps('map'), 'return 0;', ...last);

  test('is not added where every jump to it found no place', async () => {
    const target = fn('map_page', 'begin(kvm);', 'note_all(kvm);', ...steps('map'), 'return 0;');
    const { text, messages } = await ported(body([]), body(check, ...label), target);
    expect(text).toBe(target);
    expect(messages.join()).toContain("nothing in 'map_page' jumps to the label 'unlink' that it adds");
  });

  test('is added where upstream jumps to it, or the set’s own jump has its place', async () => {
    const { text } = await ported(body([]), body(check, ...label), body([]).replace('return 0', 'return 1'));
    expect(text).toContain('unlink:\n');
    expect(text).toContain('goto unlink;');
    const theirs = fn(
      'map_page',
      ...steps('map').map((l, i) => (i === 3 ? `if (${l.replace(';', '')})\n\t\tgoto unlink;` : l)),
      'return 0;',
    );
    expect((await ported(body([]), body(check, ...label), theirs)).messages.join()).not.toContain('nothing in');
  });

  test('is needed by what jumps to it', async () => {
    const out = (...code: string[]) =>
      fn('map_page', ...code, ...steps('map'), 'out_unlock:', 'unlock_map(kvm);', 'return 0;');
    const target = fn('map_page', ...steps('map'), 'return 0;');
    const { text, messages } = await ported(out(), out('if (refuse_page(kvm, addr))', '\tgoto out_unlock;'), target);
    expect(text).toBe(target);
    expect(messages[0]).toBe("it jumps to 'out_unlock', a label that 'map_page' does not have");
    const other = await ported(
      out(),
      out('if (refuse_page(kvm, addr))', '\tgoto out_unlock;'),
      out().replace('return 0', 'return 1'),
    );
    expect(other.outcomes).not.toContain('conflict');
  });
});

describe('a local', () => {
  const pool = ['pool = create_pool(kvm);', 'if (pool)', '\tadd_pool(pool);'];
  const body = (local: string[], code: string[], ...last: string[]) =>
    fn('map_page', ...local, 'int ret = 0;', '', ...steps('map'), ...code, ...steps('wait'), 'return ret;', ...last);
  const base = body(['struct pool *pool;'], pool);
  const set = body([], ['try_pool(kvm);']);

  test('that upstream uses in new places keeps its declaration, and its value', async () => {
    const target = body(
      ['struct pool *pool;'],
      pool,
      'fail:',
      'if (pool)',
      '\tdestroy_pool(pool);',
      'return -ENOMEM;',
    ).replace('wait_step(kvm, addr, 3);', 'if (wait_step(kvm, addr, 3))\n\t\tgoto fail;');
    const { text, messages } = await ported(base, set, target);
    expect(text).toBe(target);
    expect(messages).toEqual([
      "'map_page' still uses 'pool', whose declaration it deletes",
      expect.stringContaining("'map_page' still uses 'pool', which nothing sets without what it deletes"),
    ]);
  });

  test('goes when nothing of it is left', async () => {
    const { text } = await ported(base, set, base.replace('return ret', 'return ret + 1'));
    expect(text).not.toContain('pool;');
    expect(text).toContain('try_pool(kvm);');
  });

  test('that is set otherwise by upstream may lose the set’s statement', async () => {
    const target = base.replace('return ret;', 'pool = other_pool(kvm);\n\tdestroy_pool(pool);\n\treturn ret;');
    const kept = body(['struct pool *pool;'], ['try_pool(kvm);'], '').replace(
      'return ret;',
      'pool = 0;\n\tuse(pool);\n\treturn ret;',
    );
    const from = base.replace('return ret;', 'pool = 0;\n\tuse(pool);\n\treturn ret;');
    const { outcomes } = await ported(from, kept, target);
    expect(outcomes).not.toContain('conflict');
  });

  test('that the function has no more is not used, also as the second of a declaration', async () => {
    const was = (...code: string[]) =>
      fn('map_page', 'unsigned long size = 0, flags = 0;', ...steps('map'), ...code, 'use_map(kvm, size, flags);');
    const check = ['if (is_iomap(flags))', '\tcount_iomap(kvm);'];
    const is = fn('map_page', 'unsigned long size = 0;', ...steps('map'), 'use_map(kvm, size);');
    const { text, messages } = await ported(was(), was(...check), is);
    expect(text).toBe(is);
    expect(messages[0]).toContain("it uses 'flags', a local that 'map_page' does not have");
    const there = was().replace('size = 0,', 'size = 1,');
    expect((await ported(was(), was(...check), there)).text).toContain('count_iomap');
  });
});

describe('code behind a jump', () => {
  const body = (...code: string[]) =>
    fn(
      'map_page',
      'if (!kvm)',
      '\tgoto out;',
      ...steps('map'),
      'note_page(kvm, addr);',
      ...code,
      'out:',
      'refuse(kvm);',
      'return 1;',
    );

  test('of the set is not made dead', async () => {
    const target = body('trace_page(kvm, addr);');
    const { text, messages } = await ported(body(), body('return 0;'), target);
    expect(text).toBe(target);
    expect(messages[0]).toBe("nothing would come to 'trace_page(kvm, addr);' behind its 'return 0;'");
  });

  test('of a condition goes on', async () => {
    const target = body('trace_page(kvm, addr);');
    const { messages } = await ported(body(), body('if (is_mapped(kvm, addr))', '\treturn 0;'), target);
    expect(messages[0] ?? '').not.toContain('nothing would come');
  });

  test('may be a label, or the next case', async () => {
    const cases = (...code: string[]) =>
      fn(
        'map_page',
        'switch (addr) {',
        'case 1:',
        '\tmap_one(kvm, addr);',
        ...code,
        'default:',
        '\tmap_all(kvm, addr);',
        '}',
        'return 0;',
      );
    const { text } = await ported(cases(), cases('\tbreak;'), cases().replace('return 0', 'return 1'));
    expect(text).toContain('\t\tbreak;\n\tdefault:');
  });
});

describe('what the set defines for itself', () => {
  const head = lines('#include <linux/kvm.h>', '');
  const helper = fn('save_key', 'write_key(kvm, addr);', 'return 0;');
  const user = (...code: string[]) =>
    fn('load_map', 'lock_map(kvm);', 'begin_load(kvm, addr);', ...code, 'end_load(kvm, addr);', 'return 0;');
  const call = 'save_key(kvm, addr);';
  const base = head + fn('map_page', ...steps('map')) + user();
  const set = head + fn('map_page', ...steps('map')) + helper + user(call);

  test('is left out with all that uses it', async () => {
    const target = head + fn('map_page', ...steps('map')) + fn('count_map', ...steps('count'));
    const { text, messages } = await ported(base, set, target);
    expect(text).toBe(target);
    expect(messages.join()).toContain("what it defines, 'save_key', is used only by code that found no place");
  });

  test('stays under a guard of its own, less sure', async () => {
    const guarded = (text: string) => `#ifdef CONFIG_KEYS\n${text.trimEnd()}\n#endif\n\n`;
    const place = fn('map_page', ...steps('map'));
    const more = fn('other_page', ...steps('other'));
    const from = head + place + more + user();
    const to = head + place + guarded(helper) + more + user('#ifdef CONFIG_KEYS', call, '#endif').replace(/\t#/g, '#');
    const { text, hunks } = await ported(from, to, head + place + more + fn('count_map', ...steps('count')));
    expect(text).toContain('save_key(');
    const [first] = hunks.filter((h) => h.outcome !== 'conflict');
    expect(first).toMatchObject({ confidence: 0.75 });
    expect(first!.message).toMatch(/^nothing uses 'save_key' but hunk \w+, which found no place$/);
  });

  test('is made when one user has its place', async () => {
    const { text } = await ported(base, set, base.replace('return 0', 'return 1'));
    expect(text).toContain(`\t${call}`);
    expect(text).toContain('static int save_key(');
  });

  test('is named where its callers have their places and it has none', async () => {
    const other = 'arch/arm64/kvm/load.c';
    const shared = helper.replace('static ', '');
    const place = fn('map_page', ...steps('map'));
    const away = fn('other_page', ...steps('other'));
    const result = await port(
      { [C]: place, [other]: user() },
      {
        [C]: place.replace('map_step(kvm, addr, 7);\n}', `map_step(kvm, addr, 7);\n}\n\n${shared.trimEnd()}`),
        [other]: user(call),
      },
      { [C]: '', 'arch/arm64/kvm/away.c': away, [other]: user().replace('return 0', 'return 1') },
    );
    const caller = result.hunks.find((h) => h.path === other)!;
    expect(result.files[other]).toContain(call);
    expect(caller.confidence).toBe(0.75);
    expect(caller.message).toMatch(
      /^uses 'save_key', which hunk \w+ defines: that found no place, and the target has none$/,
    );
  });
});
