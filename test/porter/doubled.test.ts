import { lines, port } from './harness';

const C = 'arch/arm64/kvm/map.c';
const fn = (name: string, ...body: string[]) =>
  lines(`static int ${name}(struct kvm *kvm, u64 addr)`, '{', ...body.map((l) => (l === '' ? l : `\t${l}`)), '}', '');

const start = ['u64 page = page_of(kvm, addr);', ''];
const end = ['install_page(kvm, page);', 'return 0;'];
const NEW = ['if (is_reserved_page(kvm, page))', '\treturn refuse_page(kvm, page, addr);', 'account_page(kvm, page);'];

async function ported(base: string, set: string, target: string) {
  const { files, hunks } = await port({ [C]: base }, { [C]: set }, { [C]: target });
  const outcomes = hunks.map((h) => h.outcome);
  return { text: files[C]!, hunks, outcomes, reason: hunks[0]!.message ?? hunks[0]!.evidence[0]!.text };
}

describe('a change that upstream has made', () => {
  const base = fn('map_page', ...start, ...end);
  const set = fn('map_page', ...start, ...NEW, ...end);

  test('is found among what upstream put at the same point, other line breaks and comments apart', async () => {
    const target = fn('map_page', ...start, 'trace_map(kvm, page);', '/* no */', ...NEW, 'count_map(kvm);', ...end);
    const { outcomes, text, hunks, reason } = await ported(base, set, target);
    expect(outcomes).toEqual(['already-upstream']);
    expect(text).toBe(target);
    expect(hunks[0]!.confidence).toBeGreaterThan(0.8);
    expect(reason).toBe("'map_page' has the lines that it adds, at line 7, which the base has not");
  });

  test('is a conflict when only most of its lines are there', async () => {
    const other = [NEW[0]!, '\treturn refuse_page(kvm, page, addr);', 'account_one_page(kvm, &page);'];
    const target = fn('map_page', ...start, end[0]!, ...other, end[1]!);
    const { outcomes, text, reason } = await ported(base, set, target);
    expect(outcomes).toEqual(['conflict']);
    expect(text).toBe(target);
    expect(reason).toMatch(/^'map_page' has 2 of the 3 lines that it adds already, at line 6/);
  });

  test('is not seen in lines that the base has as often', async () => {
    const twice = fn('map_page', ...NEW, ...start, ...end);
    const { outcomes, text } = await ported(twice, fn('map_page', ...NEW, ...start, ...NEW, ...end), twice + base);
    expect(outcomes.every((o) => o !== 'conflict' && o !== 'already-upstream')).toBe(true);
    expect(text.split(NEW[2]!)).toHaveLength(3);
  });

  test('is not seen in one line far away: that may be for another reason', async () => {
    const one = fn('map_page', ...start, 'account_page(kvm, page);', ...end);
    const far = Array.from({ length: 30 }, (_, i) => `step_of_map(kvm, ${i});`);
    const target = fn('map_page', ...start, ...end.slice(0, 1), ...far, 'account_page(kvm, page);', 'return 0;');
    expect((await ported(base, one, target)).outcomes).toEqual(['conflict']);
  });

  test('is seen in a condition at its rim, and in a label', async () => {
    const was = fn('map_page', ...start, ...end);
    const is = fn(
      'map_page',
      ...start,
      'if (kvm) {',
      '\tinstall_page(kvm, page);',
      '\tkick_page(kvm, page);',
      '}',
      end[1]!,
    );
    const now = fn('map_page', ...start, 'if (kvm) {', '\tinstall_page(kvm, page);', '\twait_page(kvm);', '}', end[1]!);
    expect((await ported(was, is, now)).outcomes).toEqual(['conflict']);
    const label = (...more: string[]) =>
      fn('map_page', ...start, ...end, ...more, 'out:', 'leave_map(kvm, page);', 'return 1;');
    const unlock = ['out_unlock:', 'unlock(kvm);'];
    const { outcomes } = await ported(label(), label(...unlock), label('free_page(kvm, page);', ...unlock));
    expect(outcomes).toEqual(['already-upstream']);
  });

  test('takes along the braces of its hunk', async () => {
    const loop = (...code: string[]) =>
      fn('map_page', ...start, 'while (page) {', ...code, '}', 'unlock_map(kvm);', ...end);
    const was = loop('\tif (map_one(kvm, page))', '\t\tgoto unlock;');
    const is = loop('\tif (map_one(kvm, page)) {', '\t\tbreak_walk(kvm, page);', '\t\tgoto unlock;', '\t}');
    const now = is.replace('\tunlock_map(kvm);\n', '\tunlock_map(kvm);\n\tcount_map(kvm, page);\n');
    const { outcomes, text } = await ported(was, is, now);
    expect(outcomes).toEqual(['already-upstream']);
    expect(text).toBe(now);
  });
});

describe('what stands in one hunk with changes that upstream has made', () => {
  const body = (...code: string[]) => fn('map_page', 'u64 page = page_of(kvm, addr);', ...code, 'return 0;');
  const check = ['if (is_reserved_page(kvm, page))', '\tgoto out_reserved;'];

  test('is moved already when upstream has it only where the hunk puts it', async () => {
    const was = body('lock_page(kvm, page);', 'note_page(kvm, page);', ...check, 'install_page(kvm, page);');
    const is = body(...check, 'lock_page(kvm, page);', 'note_page(kvm, page);', 'install_page(kvm, page);');
    const now = body(
      ...check,
      'lock_page(kvm, page);',
      'note_page(kvm, page);',
      'install_page(kvm, page);',
      'count(kvm);',
    );
    expect(await ported(was, is, now)).toMatchObject({ text: now });
  });

  test('is not put over what upstream made of it', async () => {
    const dump = ['printk("page %d of %d", page_id(page), kvm->id);', 'dump_stack();'];
    const all = (first: string, ...code: string[]) => fn('map_page', first, '', ...code, ...dump);
    const was = all('u64 owner = 0;', 'if (kvm->owner && kvm->owner != OWNER_INIT)', '\towner = kvm->owner;');
    const is = all('u64 owner = READ_ONCE(kvm->owner);', 'if (owner == OWNER_INIT)', '\towner = 0;').replace(
      'kvm->id',
      'READ_ONCE(kvm->id)',
    );
    const now = is.replace('\tdump_stack();\n', '\tdump_stack();\n\tcount_dump(kvm);\n');
    expect((await ported(was, is, now)).text).toBe(now);
  });
});

test('most of what a function of the set says in one that upstream has added is a conflict', async () => {
  const base = fn('map_page', ...start, ...end);
  const steps = ['u64 old = psr_of(kvm);', 'u64 now = keep_flags(old, PSR_N);', 'now |= mask_irqs(kvm, PSR_I);'];
  const set = fn('state_of', ...steps, 'return now;') + base;
  const target = fn('enter_state', ...steps, 'write_psr(kvm, now, addr);', 'return 0;') + base;
  const { outcomes, text, reason } = await ported(base, set, target);
  expect(outcomes).toEqual(['conflict']);
  expect(text).toBe(target);
  expect(reason).toMatch(/^3 of the 5 lines that it adds are in 'enter_state'/);
  const other = fn('enter_state', steps[0]!, 'write_psr(kvm, old, addr);', 'return 0;') + base;
  expect((await ported(base, set, other)).outcomes).not.toEqual(['conflict']);
});

describe('a definition that upstream has', () => {
  const helper = fn('refuse', 'count_refused(kvm, addr);', 'wake_owner(kvm, addr);', 'return -EPERM;');
  const base = fn('map_page', ...start, ...end);
  const set = helper + base;

  test('is not made again, in other words either', async () => {
    const theirs = fn('refuse', 'count_refused(kvm, addr);', 'wake_all_owners(kvm);', 'return -EACCES;');
    const { outcomes, text, reason } = await ported(base, set, theirs + base);
    expect(outcomes).toEqual(['conflict']);
    expect(text).toBe(theirs + base);
    expect(reason).toBe("it defines 'refuse', which the target has at line 1");
  });

  test('may stand on the other side of a conditional', async () => {
    const other = lines('#ifdef CONFIG_REFUSE', ...helper.trimEnd().split('\n'), '#else', '#endif', '');
    const [from, to] = ['#else\n', `#else\n${helper}`];
    const start_ = lines('#ifdef CONFIG_REFUSE', 'int refused;', '#else', '#endif', '') + base;
    const { outcomes } = await ported(start_, start_.replace(from, to), other + base);
    expect(outcomes).not.toContain('already-upstream');
  });

  test('is no reason to call the set’s function otherwise', async () => {
    const shared = (text: string) => text.replace('static int refuse', 'int refuse');
    const user = fn('map_page', ...start, 'refuse(kvm, page);', ...end);
    const { text } = await ported(base, shared(helper) + user, shared(helper.replace('wake_owner', 'wake_one')) + base);
    expect(text).not.toMatch(/\w_refuse\(/);
  });
});

describe('a piece of a comment', () => {
  const note = (...more: string[]) => ['/*', ' * Maps a page of the guest.', ...more, ' */'];
  const base = fn('map_page', ...note(), ...start, ...end);
  const set = fn('map_page', ...note(' *', ' * The owner of the page must be known by then.'), ...start, ...end);

  test('stays in the comment', async () => {
    const target = fn('map_page', 'trace_map(kvm, addr);', ...note(), ...start, ...end);
    const { text } = await ported(base, set, target);
    expect(text).toContain('must be known by then.\n\t */\n');
  });

  test('is a conflict where there is none', async () => {
    const target = fn('map_page', ...start, ...end);
    const { outcomes, text } = await ported(base, set, target);
    expect(outcomes).toEqual(['conflict']);
    expect(text).toBe(target);
  });

  test('is upstream’s when it is there', async () => {
    const theirs = note(' * It may sleep.', ' *', ' * The owner of the page must be known by then.');
    const { outcomes } = await ported(base, set, fn('map_page', ...theirs, ...start, ...end));
    expect(outcomes).toEqual(['already-upstream']);
  });
});
