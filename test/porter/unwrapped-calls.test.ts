import { lines, port } from './harness';

const C = 'virt/kvm/arm/mmu.c';
const P = 'arch/arm64/kvm/pgtable.c';
const E = 'arch/arm64/kvm/el2.c';
const fn = (head: string, ...body: string[]) =>
  lines(head, '{', ...body.map((l) => (/^#/.test(l) ? l : `\t${l}`)), '}', '');

/** What answers at EL2, and a mapper whose only way there is a function of one call. */
const el2 = fn('void flush_at_el2(struct vm *vm, unsigned long addr)', 'invalidate(vm, addr);');
const mapper = (...own: string[]) =>
  fn('static void flush(struct vm *vm, unsigned long addr)', ...own) +
  fn('void unmap(struct vm *vm, unsigned long addr)', 'clear_entry(vm, addr);', 'flush(vm, addr);') +
  fn('void start(struct vm *vm)', 'vm->started = 1;');
const CALL = ['call_hyp(flush_at_el2, vm, addr);'];
const GUARDED = ['#ifndef CONFIG_SET', ...CALL, '#endif'];
const started = fn('void start(struct vm *vm)', 'vm->started = 1;');

const ported = (pgtable: string, answers = '', patched = mapper(...GUARDED)) =>
  port({ [C]: mapper(...CALL), [E]: el2 }, { [C]: patched }, { [C]: started, [P]: pgtable, [E]: el2 + answers });
const NOW = 'call_hyp(flush_at_el2, t->vm, first, level);';
const unmap = (...body: string[]) =>
  fn(
    'int table_walk(struct table *t, u64 first, u64 last, int level)',
    'struct entry *entry = entry_of(t, first, level);',
    'struct page *page = page_of(entry);',
    '',
    'if (level == LAST_LEVEL || !entry)',
    '\treturn -EINVAL;',
    'if (is_table(entry))',
    '\treturn walk_below(entry, first, last, level + 1);',
    'count_pages(t, last - first);',
    'clear_entry(entry);',
    ...body,
    'put_page(page);',
    'if (t->cached)',
    '\tclean_cache(page, size_of(level));',
    'return 0;',
  );
const GUARDED_NOW = ['#ifndef CONFIG_SET', NOW, '#endif'];

describe('a guard around the one call of a function that is gone', () => {
  test('goes around that call wherever upstream makes it itself', async () => {
    const remap = (...body: string[]) =>
      fn(
        'void table_protect(struct guest *guest, u64 at)',
        'u32 bits = bits_of(guest, at);',
        'lock(&guest->lock);',
        'set_bits(guest->table, bits & MASK);',
        ...body,
        'unlock(&guest->lock);',
      );
    const other = 'call_hyp(flush_at_el2, guest->vm, at, 3);';
    const { files, hunks } = await ported(unmap(NOW) + remap(other));
    expect(files[P]).toBe(unmap(...GUARDED_NOW) + remap('#ifndef CONFIG_SET', other, '#endif'));
    expect(hunks[0]).toMatchObject({ confidence: 0.75 });
    expect(hunks[0]!.outcome).not.toBe('conflict');
    expect(hunks[0]!.evidence.map((e) => e.text).join()).toContain("'table_walk' calls it itself");
  });

  test('takes the if along that the call is the bare body of', async () => {
    const { files } = await ported(unmap('if (!t->stopped)', `\t${NOW}`));
    expect(files[P]).toBe(unmap('#ifndef CONFIG_SET', 'if (!t->stopped)', `\t${NOW}`, '#endif'));
  });

  test('lets be what answers the call', async () => {
    const answers = fn('void answer(struct vm *vm, unsigned long addr)', 'flush_at_el2(hyp_va(vm), addr);');
    const { files } = await ported(unmap(NOW), answers);
    expect(files[P]).toBe(unmap(...GUARDED_NOW));
    expect(files[E]).toBe(el2 + answers);
  });

  test('without one that makes the call, too', async () => {
    const own = ['flush_at_el2(vm, addr);'];
    const now = 'flush_at_el2(t->vm, first);';
    const { files } = await port(
      { [C]: mapper(...own), [E]: el2 },
      { [C]: mapper('#ifndef CONFIG_SET', ...own, '#endif') },
      { [C]: started, [P]: unmap(now), [E]: el2 },
    );
    expect(files[P]).toBe(unmap('#ifndef CONFIG_SET', now, '#endif'));
  });

  test.each([
    ['upstream looks at its answer', unmap(`t->err = ${NOW}`)],
    ['it is one of two in an if', unmap('if (!t->stopped)', `\t${NOW}`, 'else', '\tstop(t);')],
    ['the if does more than ask', unmap('if (take(t))', `\t${NOW}`)],
    ['it is what a loop does', unmap('while (t->busy)', `\t${NOW}`)],
    ['another condition holds it', unmap('#ifdef CONFIG_OTHER', NOW, '#endif')],
    ['one of them cannot be guarded', unmap(NOW, `t->err = ${NOW}`)],
  ])('stays a conflict where %s', async (_, pgtable) => {
    const { files, hunks } = await ported(pgtable);
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(files[P]).toBe(pgtable);
  });

  test('stays a conflict where the function did more, or was not alone', async () => {
    const more = ['count(vm);', ...CALL];
    const does = await port(
      { [C]: mapper(...more), [E]: el2 },
      { [C]: mapper('#ifndef CONFIG_SET', ...more, '#endif') },
      { [C]: started, [P]: unmap(NOW), [E]: el2 },
    );
    expect(does.files[P]).toBe(unmap(NOW));
    const other = fn('void other(struct vm *vm, unsigned long addr)', ...CALL);
    const shared = await port(
      { [C]: mapper(...CALL) + other, [E]: el2 },
      { [C]: mapper(...GUARDED) + other },
      { [C]: started, [P]: unmap(NOW), [E]: el2 },
    );
    expect(shared.files[P]).toBe(unmap(NOW));
  });
});

describe('a guard around the one call of a function that upstream keeps', () => {
  const kept = async (more: string, answers = '') => {
    const [patched, base] = [mapper(...GUARDED), { [C]: mapper(...CALL), [E]: el2 + answers }];
    const { hunks, files } = await port(base, { [C]: patched }, { [P]: more });
    return { messages: hunks.map((h) => h.message), files, confidence: hunks[0]!.confidence };
  };

  test('another that makes the call as well is said', async () => {
    const { messages, confidence, files } = await kept(unmap(NOW));
    expect(messages).toEqual([
      "it guards out all calls of 'flush_at_el2' that the base makes; 'table_walk' of the target makes it, too, outside of any guard",
    ]);
    expect(confidence).toBe(0.75);
    expect(files[C]).toBe(mapper(...GUARDED));
    expect(files[P]).toBe(unmap(NOW));
  });

  test('one that answers it may name it in the base; one that makes the call there is no news', async () => {
    const inside = (what: string) => fn('void flush_all_at_el2(struct vm *vm)', what);
    expect((await kept(unmap(NOW), inside('flush_at_el2(vm, 0);'))).messages[0]).toContain("'table_walk'");
    expect((await kept(unmap(NOW), inside('call_hyp(flush_at_el2, vm, 0);'))).messages).toEqual([null]);
  });

  test('nothing is said of one that calls the function, or does something else with the callee', async () => {
    expect((await kept(unmap('flush(t->vm, first);'))).messages).toEqual([null]);
    expect((await kept(unmap('t->flush = flush_at_el2;'))).messages).toEqual([null]);
  });
});
