import { lines, port } from './harness';

const C = 'arch/arm64/kvm/map.c';
const fn = (name: string, ...body: string[]) =>
  lines(`static int ${name}(struct kvm *kvm, u64 addr)`, '{', ...body.map((l) => (l === '' ? l : `\t${l}`)), '}', '');

async function ported(base: string, set: string, target: string) {
  const { files, hunks } = await port({ [C]: base }, { [C]: set }, { [C]: target });
  return { text: files[C]!, hunks, outcomes: hunks.map((h) => h.outcome), messages: hunks.map((h) => h.message) };
}

const count = (text: string, line: string) => text.split(line).length - 1;
const body = (...code: string[]) =>
  fn('map_page', 'u64 page = page_of(kvm, addr);', ...code, 'install_page(kvm, page);', 'return 0;');

describe('an insert of which upstream has a part at the very place', () => {
  const own = ['first_seq = kvm_seq;', 'first_index = kvm_index;'];
  const end = ['install_page(kvm, addr);', 'unlock_map(kvm);', 'return 0;'];

  test('is made without its first line, behind it', async () => {
    const { text, hunks } = await ported(body(), body(...own), body(own[0]!));
    expect(text).toBe(body(...own));
    expect(hunks[0]).toMatchObject({ outcome: 'rewritten', confidence: 0.75 });
    expect(hunks[0]!.message).toContain("upstream has 'first_seq = kvm_seq;' there already, which is not made again");
  });

  test('is made without its last line, before it', async () => {
    const { text } = await ported(body(), body(...own), body(own[1]!));
    expect(text).toBe(body(...own));
  });

  test('is made without the line that the set moves there, and upstream did', async () => {
    const was = fn('map_page', own[0]!, own[1]!, 'lock_map(kvm);', 'note_page(kvm, addr);', ...end);
    const is = fn('map_page', 'lock_map(kvm);', 'note_page(kvm, addr);', ...own, ...end);
    const now = fn('map_page', 'lock_map(kvm);', 'note_page(kvm, addr);', own[0]!, ...end);
    expect(count((await ported(was, is, now)).text, own[0]!)).toBe(1);
  });

  test('is a conflict when the line of upstream is one of its middle', async () => {
    const three = [own[0]!, 'count_page(kvm);', own[1]!];
    const target = body(three[1]!);
    const { text, outcomes, messages } = await ported(body(), body(...three), target);
    expect(outcomes).toEqual(['conflict']);
    expect(text).toBe(target);
    expect(messages[0]).toMatch(/^upstream has 'count_page\(kvm\);' there already, amid/);
  });

  test('is a conflict when other lines of upstream part the two', async () => {
    const target = body(own[0]!, 'trace_page(kvm, page);', 'note_page(page);');
    const { text, outcomes } = await ported(body(), body(...own), target);
    expect(outcomes.includes('conflict') || count(text, own[0]!) === 1).toBe(true);
    expect(count(text, own[0]!)).toBe(1);
  });

  test('is made whole where the base has the line as well, or upstream has it in a block of its own', async () => {
    const was = (...code: string[]) => body(own[0]!, 'trace_page(kvm, page);', ...code);
    const { text } = await ported(was(), was(...own), was().replace('return 0', 'return 1'));
    expect(count(text, own[0]!)).toBe(2);
    const inBlock = body('if (kvm->traced)', `\t${own[0]!}`);
    const other = await ported(body(), body(...own), inBlock);
    expect(other.messages[0] ?? '').not.toContain('is not made again');
  });
});

describe('a check that upstream makes in its own words', () => {
  const check = ['if (exec_fault && is_iomap(kvm))', '\treturn -ENOEXEC;', ''];
  const start = ['bool exec_fault = is_exec(kvm);', ''];

  test('is a conflict when the same variable leaves in the same way right beside', async () => {
    const target = body(...start, 'if (exec_fault && device_of(addr))', '\treturn -ENOEXEC;', '');
    const { text, outcomes, messages } = await ported(body(...start), body(...start, ...check), target);
    expect(outcomes).toEqual(['conflict']);
    expect(text).toBe(target);
    expect(messages[0]).toMatch(/^upstream checks 'exec_fault' there in its own words, at line 6/);
  });

  test.each([
    ['of another variable', 'if (write_fault && device_of(addr))', '\treturn -ENOEXEC;'],
    ['with another outcome', 'if (exec_fault && device_of(addr))', '\treturn -EPERM;'],
  ])('is made beside one %s', async (_, ...theirs) => {
    const target = body(...start, ...theirs, '');
    const { messages } = await ported(body(...start), body(...start, ...check), target);
    expect(messages[0] ?? '').not.toContain('in its own words');
  });

  test('is made beside one that the base has, too', async () => {
    const both = [...start, 'if (exec_fault && device_of(addr))', '\treturn -ENOEXEC;', ''];
    const target = body(...both).replace('return 0', 'return 1');
    const { outcomes } = await ported(body(...both), body(...both, ...check), target);
    expect(outcomes).not.toContain('conflict');
  });
});

test('what the function that kept the name has is not put into the one that has most of its body', async () => {
  const steps = ['update_table(kvm, addr);', 'flush_devices(kvm, addr);'];
  const base = fn('update_domain', ...steps, 'flush_tlb(kvm, addr);');
  const set = fn('update_domain', ...steps, 'flush_tlb(kvm, addr);', 'flush_complete(kvm);');
  const split = (...more: string[]) =>
    fn('update_and_flush', ...steps) +
    fn('update_domain', 'update_and_flush(kvm, addr);', 'flush_tlb(kvm, addr);', ...more);
  const made = await ported(base, set, split('flush_complete(kvm);'));
  expect(made.outcomes).toEqual(['already-upstream']);
  expect(made.text).toBe(split('flush_complete(kvm);'));
  expect((await ported(base, set, split())).outcomes).not.toEqual(['already-upstream']);
});

describe('blank lines and comments', () => {
  const define = (...above: string[]) =>
    lines('#define WIDTH 4', ...above, '#define emit_inst(x)\t\t.inst (x)', '#define DEPTH 5', '');
  const note = ['// No blank may stand before the operand of emit_inst().', '// It is a macro, too.'];
  const squeezed = (text: string) => text.replace('.inst (x)', '.inst(x)');

  test('a comment that an edit of blanks brings is not made twice', async () => {
    const target = squeezed(define(...note)).replace('DEPTH 5', 'DEPTH 6');
    const { text, outcomes } = await ported(define(), squeezed(define(...note)), target);
    expect(outcomes).toEqual(['already-upstream']);
    expect(text).toBe(target);
    const without = await ported(define(), squeezed(define(...note)), squeezed(define()));
    expect(without.outcomes).not.toEqual(['already-upstream']);
  });

  test('a blank line is not put beside another', async () => {
    const set = body('', '/* The owner may wait. */', 'wake_owner(kvm);', '');
    const { text, hunks } = await ported(
      body('note(kvm);'),
      set.replace('\t\n', '\n').replace('/*', 'note(kvm);\n\n\t/*'),
      body('note(kvm);', ''),
    );
    expect(text).not.toContain('\n\n\n');
    expect(text).toContain('wake_owner(kvm);');
    expect(hunks[0]!.outcome).not.toBe('conflict');
  });

  test('a deleted comment goes with its corrected line', async () => {
    const with_ = (word: string) =>
      body(
        '/*',
        ` * Paired with the barrier in ${word}() of the other side.`,
        ' * One of us sees the new owner.',
        ' */',
        'smp_barrier(kvm, page);',
        '',
      );
    const { text, hunks } = await ported(with_('cpu_upated'), body(), with_('cpu_updated'));
    expect(text).toBe(body());
    expect(hunks[0]!.evidence.map((e) => e.text).join()).toContain('its comment changed');
    const other = with_('x').replace(/ \* Paired.*/, ' * Nothing may be written to a page that another cpu maps.');
    expect((await ported(with_('cpu_upated'), body(), other)).text).toContain('Nothing may be written');
  });
});

describe('a change that upstream has made', () => {
  const own = ['if (is_reserved_page(kvm, page))', '\treturn refuse_page(kvm, page, addr);'];

  test('is as sure as its lines, and not as its place', async () => {
    const target = body('trace_map(kvm, page);', ...own, 'count_map(kvm, page);', 'wait_map(kvm);');
    const { hunks, outcomes } = await ported(body(), body(...own), target);
    expect(outcomes).toEqual(['already-upstream']);
    expect(hunks[0]!.confidence).toBe(0.92);
  });

  test('is seen where the line stands less deep than in the base', async () => {
    const whole = (...code: string[]) =>
      fn('fits_mask', ...code, '}', '', 'static int other(struct kvm *kvm)', '{', 'return 0;');
    const was = whole('return phys_of(kvm, addr) + size - 1 <=', '\t\tmin_not_zero(kvm->dma_mask, kvm->bus_mask);');
    const now = [
      'u64 phys = phys_of(kvm, addr);',
      '',
      'if (phys == BAD_ADDR)',
      '\treturn 0;',
      'return phys + size - 1 <=',
    ];
    const target = whole(...now, '\tmin_not_zero(kvm->dma_mask, kvm->bus_limit);');
    const { outcomes, text, messages } = await ported(was, was.replace('bus_mask', 'bus_limit'), target);
    expect([outcomes, messages]).toEqual([['already-upstream'], [null]]);
    expect(text).toBe(target);
  });

  test('says nothing of what would have been done to put it there', async () => {
    const steps = Array.from({ length: 9 }, (_, i) => `step_of_map(kvm, ${i});`);
    const whole = (local: string[], ...code: string[]) =>
      fn(
        'map_page',
        'if (kvm) {',
        ...local.map((l) => `\t${l}`),
        ...steps.map((l) => `\t${l}`),
        ...code,
        '}',
        'return 0;',
      );
    const set = whole(['int ret = 0;'], '\tret = refuse_page(kvm, addr);');
    const target = whole(['int ret = 0;'], '\tcount_map(kvm);');
    const { hunks, text } = await ported(whole([]), set, target);
    expect(text).toContain('\t\tret = refuse_page(kvm, addr);');
    const [declares] = hunks;
    expect(declares).toMatchObject({ outcome: 'already-upstream', message: null });
    expect(declares!.evidence.map((e) => e.kind)).not.toContain('local-renamed');
  });
});
