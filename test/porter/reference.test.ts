import { parseVersion, releasesApart } from '../../src/core/version';
import { lines, port, type Texts } from './harness';

const C = 'arch/arm64/kvm/fault.c';
const GUARD = 'CONFIG_COREVISOR';

const fn = (name: string, ...body: string[]) =>
  lines(`static int ${name}(struct kvm_vcpu *vcpu, u64 addr)`, '{', ...body.map((l) => `\t${l}`), '}', '');

/** Lines that the option switches on. */
const guarded = (...code: string[]) => [`#ifdef ${GUARD}`, ...code, '#endif'].map((l) => l.replace(/^#/, '\x00#'));

/** A file of functions; directives begin their lines. */
const file = (...parts: string[]) => parts.join('').replace(/^\t\x00/gm, '');

const KEEP = fn('other_fault', 'vcpu_count_faults(vcpu, addr);', 'return vcpu_leave_fault(vcpu);');

/** Ports `set` from `base` to `target`, beside a reference that was made for `later`. */
const withReference = async (
  [base, set]: [string, string],
  [later, other]: [string, string],
  target: string,
  version = 'v5.8',
  more: { set?: Texts; other?: Texts } = {},
) => {
  const { files, hunks } = await port({ [C]: base }, { [C]: set, ...more.set }, { [C]: target }, [], {
    reference: { version, base: { [C]: later }, patched: { [C]: other, ...more.other } },
  });
  const kinds = (i: number) => hunks[i]!.evidence.map((e) => e.kind);
  return { text: files[C]!, hunks, kinds, count: (line: string) => files[C]!.split(line).length - 1 };
};

const HOOK = ['corevisor_note_fault(vcpu, addr);', 'corevisor_flush_page(vcpu, addr);'];

describe('an edit without a place', () => {
  // Upstream has taken apart the function that the set changes; the reference was made for what came of it.
  const base = file(KEEP, fn('handle_fault', 'u64 page = fault_page(vcpu, addr);', 'return map_page(vcpu, page);'));
  const set = file(
    KEEP,
    fn('handle_fault', 'u64 page = fault_page(vcpu, addr);', ...guarded(...HOOK), 'return map_page(vcpu, page);'),
  );
  const NEW = ['struct walker w = walk_begin(vcpu);', 'walk_to_level(&w, WALK_LEAF);', 'return walk_install(&w);'];
  const later = file(KEEP, fn('walk_for_fault', ...NEW));
  const other = file(KEEP, fn('walk_for_fault', NEW[0]!, NEW[1]!, ...guarded(...HOOK), NEW[2]!));
  const target = file(KEEP, fn('walk_for_fault', NEW[0]!, 'walk_account(&w, vcpu);', NEW[1]!, NEW[2]!));

  test('is a conflict alone', async () => {
    const { hunks } = await port({ [C]: base }, { [C]: set }, { [C]: target });
    expect(hunks.map((h) => h.outcome)).toEqual(['conflict']);
  });

  test("goes where the reference's version of it goes, and says so", async () => {
    const done = await withReference([base, set], [later, other], target);
    const [hunk] = done.hunks;
    expect(hunk).toMatchObject({ outcome: 'rewritten', strategy: 'reference', edits: [{ strategy: 'reference' }] });
    expect(hunk!.confidence).toBeLessThanOrEqual(0.85);
    expect(hunk!.target).toEqual([{ path: C, definition: 'walk_for_fault', line: expect.any(Number) }]);
    expect(hunk!.evidence[0]!.text).toMatch(
      /^ported from 'other' \(v5\.8\), whose version of it is nearer: .*no place/,
    );
    expect(done.text).toBe(
      file(KEEP, fn('walk_for_fault', NEW[0]!, 'walk_account(&w, vcpu);', NEW[1]!, ...guarded(...HOOK), NEW[2]!)),
    );
  });

  test('is not told to be nearer when the reference is older', async () => {
    const { hunks } = await withReference([base, set], [later, other], target, 'v4.14');
    expect(hunks[0]!.evidence[0]!.text).toMatch(/^ported from 'other' \(v4\.14\): /);
  });

  test('says which lines the version of the reference lacks', async () => {
    const short = file(KEEP, fn('walk_for_fault', NEW[0]!, NEW[1]!, ...guarded(HOOK[0]!), NEW[2]!));
    const { hunks } = await withReference([base, set], [later, short], target);
    expect(hunks[0]).toMatchObject({ strategy: 'reference', message: expect.stringContaining('corevisor_flush_page') });
    expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
  });

  test('stays one when the version of the reference needs what only that set defines', async () => {
    const needs = [...HOOK, 'corevisor_walk_hook(vcpu);'];
    const more = file(KEEP, fn('walk_for_fault', NEW[0]!, NEW[1]!, ...guarded(...needs), NEW[2]!));
    const header = { 'arch/arm64/kvm/hook.h': lines('static inline void corevisor_walk_hook(void *v)', '{', '}') };
    const { hunks, kinds } = await withReference([base, set], [later, more], target, 'v5.8', { other: header });
    expect(hunks[0]!.outcome).toBe('conflict');
    expect(kinds(0)).toContain('reference-unfit');
    // The set has it as well: then it can.
    const both = await withReference([base, set], [later, more], target, 'v5.8', { other: header, set: header });
    expect(both.hunks[0]!.strategy).toBe('reference');
  });

  test('stays one when the version of the reference holds lines that the set has elsewhere', async () => {
    // The set notes faults at another place already, where the reference does it together with the flush.
    const noted = file(
      fn(
        'other_fault',
        ...guarded('corevisor_other_note(vcpu, addr);'),
        'vcpu_count_faults(vcpu, addr);',
        'return vcpu_leave_fault(vcpu);',
      ),
      fn('handle_fault', 'u64 page = fault_page(vcpu, addr);', ...guarded(...HOOK), 'return map_page(vcpu, page);'),
    );
    const joined = file(
      KEEP,
      fn('walk_for_fault', NEW[0]!, NEW[1]!, ...guarded(...HOOK, 'corevisor_other_note(vcpu, addr);'), NEW[2]!),
    );
    const { hunks, count, kinds } = await withReference([base, noted], [later, joined], target);
    expect(count('corevisor_other_note')).toBe(1);
    const left = hunks.findIndex((h) => h.outcome === 'conflict');
    expect(kinds(left)).toContain('reference-unfit');
  });

  test('shares its place with another whose lines the reference has in the same edit', async () => {
    const apart = [
      'u64 page = fault_page(vcpu, addr);',
      ...Array.from({ length: 9 }, (_, i) => `fault_step(vcpu, ${i});`),
    ];
    const end = 'return map_page(vcpu, page);';
    const two = [...apart];
    two.splice(9, 0, ...guarded('corevisor_leave_fault(vcpu, addr);'));
    two.splice(1, 0, ...guarded(...HOOK));
    const from = file(KEEP, fn('handle_fault', ...apart, end));
    const to = file(KEEP, fn('handle_fault', ...two, end));
    const joined = file(
      KEEP,
      fn('walk_for_fault', NEW[0]!, NEW[1]!, ...guarded(...HOOK, 'corevisor_leave_fault(vcpu, addr);'), NEW[2]!),
    );
    const { hunks, count } = await withReference([from, to], [later, joined], target);
    expect(hunks.map((h) => [h.outcome, h.strategy])).toEqual([
      ['rewritten', 'reference'],
      ['rewritten', 'reference'],
    ]);
    expect(hunks[1]!.target).toEqual(hunks[0]!.target);
    expect(hunks[1]!.evidence[0]!.text).toContain(`in one edit with hunk ${hunks[0]!.id}`);
    expect(count('corevisor_leave_fault')).toBe(1);
    expect(count('corevisor_note_fault')).toBe(1);
  });
});

describe('an edit with a place', () => {
  const OLD = ['u64 page = fault_page(vcpu, addr);', 'vcpu_begin_fault(vcpu, page);', 'return map_page(vcpu, page);'];
  const base = file(KEEP, fn('handle_fault', ...OLD));
  const set = file(KEEP, fn('handle_fault', OLD[0]!, OLD[1]!, ...guarded(...HOOK), OLD[2]!));
  // Upstream put a line at the place: the set's own is not sure.
  const target = file(KEEP, fn('handle_fault', OLD[0]!, OLD[1]!, 'vcpu_account_fault(vcpu, page);', OLD[2]!));

  test('gets surer when the version of the reference goes there, too', async () => {
    const alone = await port({ [C]: base }, { [C]: set }, { [C]: target });
    const { hunks, kinds, text } = await withReference([base, set], [base, set], target);
    expect(kinds(0)).toContain('reference-agrees');
    expect(hunks[0]!.confidence).toBeCloseTo(Math.min(0.95, alone.hunks[0]!.confidence + 0.1), 5);
    expect(hunks[0]!.strategy).toBe(alone.hunks[0]!.strategy);
    expect(text).toBe(alone.files[C]);
  });

  test('does not get less sure by it', async () => {
    const far = file(fn('far_away', 'return far_step(vcpu);'), base);
    const alone = await port({ [C]: base }, { [C]: set }, { [C]: far });
    const { hunks } = await withReference([base, set], [base, set], far);
    expect(alone.hunks[0]!.confidence).toBeGreaterThan(0.95);
    expect(hunks[0]!.confidence).toBe(alone.hunks[0]!.confidence);
  });

  const elsewhere = file(
    fn('other_fault', ...guarded(...HOOK), 'vcpu_count_faults(vcpu, addr);', 'return vcpu_leave_fault(vcpu);'),
    fn('handle_fault', ...OLD),
  );

  test("goes where the reference's authors moved it when they had a nearer kernel", async () => {
    const { hunks, text } = await withReference(
      [base, set],
      [base, elsewhere],
      base.replace('vcpu_leave_fault(vcpu)', 'vcpu_leave_fault(vcpu, addr)'),
    );
    expect(hunks[0]).toMatchObject({
      outcome: 'rewritten',
      strategy: 'reference',
      target: [{ definition: 'other_fault' }],
    });
    expect(hunks[0]!.evidence[0]!.text).toContain("the set's own would go to");
    expect(text).toBe(elsewhere.replace('vcpu_leave_fault(vcpu)', 'vcpu_leave_fault(vcpu, addr)'));
  });

  test('stays, less sure, when their kernel was farther', async () => {
    const { hunks, kinds, text } = await withReference([base, set], [base, elsewhere], target, 'v4.14');
    expect(hunks[0]!.target).toMatchObject([{ definition: 'handle_fault' }]);
    expect(kinds(0)).toContain('reference-differs');
    expect(hunks[0]!.confidence).toBeLessThanOrEqual(0.75);
    expect(text).toContain('vcpu_account_fault');
  });

  test('stays when the version of the reference is another text', async () => {
    const less = file(
      fn('other_fault', ...guarded(HOOK[0]!), 'vcpu_count_faults(vcpu, addr);', 'return vcpu_leave_fault(vcpu);'),
      fn('handle_fault', ...OLD),
    );
    const { hunks, kinds, count } = await withReference([base, set], [base, less], base);
    expect(hunks[0]!.target).toMatchObject([{ definition: 'handle_fault' }]);
    expect(kinds(0)).toContain('reference-differs');
    expect(count('corevisor_flush_page')).toBe(1);
  });
});

describe('edits that guard out what becomes of one variable', () => {
  const SETTER = 'static inline void set_offset(u64 offset)\n{\n\twrite_sysreg(offset, tpidr_el2);\n}\n\n';
  const not = (...code: string[]) =>
    ['#ifndef CONFIG_COREVISOR', ...code, '#endif'].map((l) => l.replace(/^#/, '\x00#'));
  const [declared, read, call] = ['u64 offset;', 'offset = cpu_offset(&host_state);', 'set_offset(offset);'];
  const steps = ['begin_init(vcpu);', 'install_vectors(vcpu, addr);'];
  const base = file(KEEP, SETTER, fn('init_cpu', declared, '', ...steps, read, call, 'return leave_init(vcpu);'));
  const set = file(
    KEEP,
    SETTER,
    fn('init_cpu', ...not(declared), '', ...steps, ...not(read, call), 'return leave_init(vcpu);'),
  );
  const JOINED = 'u64 offset = cpu_offset(&host_state);';
  const rest = ['', steps[0]!, 'install_vectors(vcpu, addr, offset);', 'return leave_init(vcpu);'];
  const later = file(KEEP, fn('init_cpu', JOINED, ...rest));
  const either = ['#ifndef CONFIG_COREVISOR', JOINED, '#else', 'u64 offset = 0;', '#endif'].map((l) =>
    l.replace(/^#/, '\x00#'),
  );
  const other = file(KEEP, fn('init_cpu', ...either, ...rest));
  const more = [...rest.slice(0, 3), 'account_init(vcpu);', rest[3]!];
  const target = file(KEEP, fn('init_cpu', JOINED, ...more));

  test('are the one edit that the reference has for it, and the variable keeps its name', async () => {
    const { hunks, text } = await withReference([base, set], [later, other], target);
    expect(hunks.map((h) => [h.outcome, h.strategy])).toEqual([['rewritten', 'reference']]);
    expect(hunks[0]!.evidence[0]!.text).toMatch(/^ported from 'other' \(v5\.8\)/);
    expect(text).toBe(file(KEEP, fn('init_cpu', ...either, ...more)));
  });

  test('stay conflicts while one of the lines could still be there', async () => {
    const { hunks } = await withReference(
      [base, set],
      [later, other],
      file(KEEP, SETTER, fn('init_cpu', JOINED, ...more)),
    );
    expect(hunks.map((h) => h.outcome)).toEqual(['conflict']);
  });

  test('stay conflicts when the reference guards by another condition', async () => {
    const changed = other.replace('#ifndef CONFIG_COREVISOR', '#ifndef CONFIG_OTHER');
    const { hunks } = await withReference([base, set], [later, changed], target);
    expect(hunks.map((h) => h.outcome)).toEqual(['conflict']);
  });
});

test('a set that shares nothing with the reference is as it is without', async () => {
  const base = file(KEEP, fn('handle_fault', 'return map_page(vcpu, addr);'));
  const set = file(KEEP, fn('handle_fault', ...guarded(...HOOK), 'return map_page(vcpu, addr);'));
  const other = file(fn('other_fault', ...guarded('unrelated_call(vcpu, addr);'), 'return 0;'));
  const alone = await port({ [C]: base }, { [C]: set }, { [C]: base });
  const { hunks, text } = await withReference([base, set], [file(fn('other_fault', 'return 0;')), other], base);
  expect(hunks).toEqual(alone.hunks);
  expect(text).toBe(alone.files[C]);
});

test('releases are counted over the end of a major version', () => {
  const apart = (a: string, b: string) => releasesApart(parseVersion(a)!, parseVersion(b)!);
  expect(apart('v4.18', 'v5.4')).toBe(7);
  expect(apart('v5.4', 'v4.18')).toBe(7);
  expect(apart('v5.4.55', 'v5.4')).toBe(0);
  expect(apart('v5.4.55', 'v5.8')).toBe(4);
  expect(apart('v3.19', 'v5.0')).toBe(22);
});

describe('assembly of a reference that takes another line out', () => {
  const S = 'arch/arm64/kvm/hyp/entry.S';
  const enter = (...body: string[]) =>
    lines('ENTRY(enter_guest)', '\tdsb\tnshst', ...body, '\tldp\tx0, x1, [x18]', '\teret', 'ENDPROC(enter_guest)');
  const [add, ask] = ['\tadd\tx18, x0, #VCPU_CONTEXT', '\tmrs\tx1, isr_el1'];
  const between = ['\tisb', '\tmov\tx4, x5', '\tmov\tx6, x7', '\tdsb\tnsh'];
  const plain = [...between, add, '\tldp\tx2, x3, [x18, #16]'];
  const on = (...code: string[]) => [...between, '#ifndef CONFIG_SET', add, '#else', ...code, '#endif', plain.at(-1)!];
  const store = '\tstr\tx1, [sp, #-16]!';
  const made = async (own: string[], theirs: string[]) => {
    const { hunks, files } = await port(
      { [S]: enter(...plain) },
      { [S]: enter(...on(...own)) },
      { [S]: enter(ask, ...plain) },
      [],
      {
        reference: { version: 'v5.8', base: { [S]: enter(ask, ...plain) }, patched: { [S]: enter(...theirs) } },
      },
    );
    return { hunk: hunks[0]!, text: files[S]! };
  };

  test('does not go where that line is: its value is overwritten', async () => {
    const { hunk, text } = await made([store, '\tmov\tx18, x0'], on(store, '\tmov\tx18, x0'));
    expect(hunk.outcome).toBe('conflict');
    expect(text).toBe(enter(ask, ...plain));
    expect(hunk.evidence.map((e) => e.text).join()).toContain(
      `but it reads x1, and does not take out '${ask.trim()}' as 'other' does`,
    );
  });

  test('goes there when it needs nothing of it', async () => {
    const { hunk, text } = await made([store, '\tmov\tx18, x0'], on('\tstr\tx2, [sp, #-16]!', '\tmov\tx18, x0'));
    expect(hunk.strategy).toBe('reference');
    expect(text).toContain('str\tx2');
  });
});
