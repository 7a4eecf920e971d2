import type { Hunk } from '../../src/core/patch';
import { splitLines } from '../../src/core/text';
import { openTree } from '../../src/io/tree';
import { indexKernel, WHOLE_TREE } from '../../src/kernel-index';
import type { Heirs } from '../../src/porter/heirs';
import { liftEdits } from '../../src/porter/lift';
import { changeBetween, editIds, lineIn, Resolutions, type Resolution } from '../../src/porter/resolutions';
import { View } from '../../src/porter/view';
import { edited, makefile } from '../support/kernel';
import { Sandbox } from '../support/sandbox';

const BEGIN = 'int run(struct vcpu *v)\n{\n\tint ret = prepare(v);\n\n\tload(v);\n';
const END = '\tsave(v);\n\tfinish(v);\n\treturn ret;\n}\n';
const OTHER = 'int stop(struct vcpu *v)\n{\n\treturn notify(v);\n}\n\n';

/** A person put `guard(v)` between `load` and `save`. */
const made: Resolution = {
  ...{ schemaVersion: 1, set: 'mine', hunk: 'aaaaaaaaaaaa', patch: '1.patch', edits: ['e1'], path: 'kvm/run.c' },
  ...{
    definition: 'run',
    conditions: [],
    before: '\n\tload(v);\n\tsave(v);\n',
    after: '\n\tload(v);\n\tguard(v);\n\tsave(v);\n',
  },
  around: { text: BEGIN + END, line: 5 },
  target: { name: 'v5.6', version: 'v5.6', commit: 'c56' },
  ...{ by: 'Ann', at: '2020-01-01T00:00:00.000Z' },
};

let box: Sandbox;
beforeEach(() => (box = new Sandbox()));
afterEach(() => box.remove());

const heirs = (files: Record<string, string> = {}, words: Record<string, string> = {}): Heirs => ({
  files: (path) => (files[path] ? [{ path: files[path], confidence: 1, evidence: [] }] : []),
  definitions: () => Promise.resolve([]),
  rename: (word) => words[word] ?? word,
  operand: () => null,
});

async function target(files: Record<string, string>): Promise<View> {
  const dir = box.write('kernel', { Makefile: makefile('v5.8'), ...files });
  return new View(await indexKernel(await openTree(dir, null), { scope: WHOLE_TREE, cache: null }));
}

/** Makes one resolution in a target; gives what it left there, or why it did not fit. */
async function settle(files: Record<string, string>, r: Resolution = made, follow = heirs()) {
  const view = await target(files);
  const resolutions = new Resolutions([r], null);
  const resolved = resolutions.claim('e1')!;
  const fits = await resolutions.settle(view, follow, new Map());
  if (!fits) {
    // Then it is the porter's turn.
    expect(resolutions.claim('e1')).toBeNull();
    return resolutions.misfit('e1');
  }
  expect(resolutions.misfit('e1')).toBeNull();
  const [at] = resolved.target;
  return { ...resolved, text: await view.text(at!.path) };
}

const GUARDED = `${BEGIN}\tguard(v);\n${END}`;

describe('a resolution in another target', () => {
  test('the lines are the same: made as it was', async () => {
    expect(await settle({ 'kvm/run.c': OTHER + BEGIN + END })).toMatchObject({
      strategy: 'resolution',
      confidence: 1,
      target: [{ path: 'kvm/run.c', definition: 'run', line: 11 }],
      text: OTHER + GUARDED,
    });
  });

  test('the file moved and the function has another name', async () => {
    const renamed = (text: string) => text.replace('int run(', 'int run_loop(');
    const done = await settle(
      { 'arch/kvm/run.c': renamed(BEGIN + END) },
      made,
      heirs({ 'kvm/run.c': 'arch/kvm/run.c' }, { run: 'run_loop' }),
    );
    expect(done).toMatchObject({
      target: [{ path: 'arch/kvm/run.c', definition: 'run_loop' }],
      text: renamed(GUARDED),
    });
  });

  test('upstream changed something near it: merged, and less sure', async () => {
    const now = (text: string) => text.replace('int ret = prepare(v);\n\n', 'int ret = prepare(v, 0);\n\tenter(v);\n');
    expect(await settle({ 'kvm/run.c': now(BEGIN + END) })).toMatchObject({
      strategy: 'resolution-merged',
      confidence: 0.8,
      text: now(GUARDED),
    });
  });

  test('another function has the lines, too: made in its own, and less sure', async () => {
    const twin = (BEGIN + END).replace('int run', 'int rerun');
    expect(await settle({ 'kvm/run.c': twin + BEGIN + END })).toMatchObject({
      ...{ strategy: 'resolution-merged', confidence: 0.8, text: twin + GUARDED },
    });
  });

  test.each<[string, Record<string, string>, Partial<Resolution>, RegExp]>([
    ['the file is gone', { 'kvm/x.c': OTHER }, {}, /the target has no 'kvm\/run.c'/],
    ['upstream put something there, too', { 'kvm/run.c': `${BEGIN}\tflush(v);\n${END}` }, {}, /changed the same lines/],
    ['a neighbour is gone', { 'kvm/run.c': BEGIN.replace('\tload(v);\n', '') + END }, {}, /changed the same lines/],
    ['another function has them', { 'kvm/run.c': (BEGIN + END).replace('int run', 'int other') }, {}, /has no 'run'/],
    [
      'they are under another condition',
      { 'kvm/run.c': `#ifdef CONFIG_OLD_KVM\n${BEGIN}${END}#endif\n` },
      {},
      /now under '.*CONFIG_OLD_KVM/,
    ],
    ['it is there already', { 'kvm/run.c': GUARDED }, {}, /has the change already/],
    ['the set makes other edits now', { 'kvm/run.c': BEGIN + END }, { edits: ['e1', 'e2'] }, /other edits now/],
  ])('%s: not made, with the reason', async (_, files, change, reason) => {
    const why = await settle(files, { ...made, ...change });
    expect(why).toMatch(/^the resolution made at v5.6 does not fit: /);
    expect(why).toMatch(reason);
  });

  test('one may stand on another, whatever their order', async () => {
    const second: Resolution = {
      ...{ ...made, hunk: 'bbbbbbbbbbbb', edits: ['e2'], at: '2019-01-01T00:00:00.000Z' },
      ...{ before: '\tguard(v);\n\tsave(v);\n', after: '\tguard(v);\n\tcheck(v);\n\tsave(v);\n' },
      around: { text: GUARDED, line: 6 },
    };
    const view = await target({ 'kvm/run.c': BEGIN + END });
    const resolutions = new Resolutions([made, second], null);
    expect(resolutions.claim('e1') && resolutions.claim('e2')).not.toBeNull();
    expect(await resolutions.settle(view, heirs(), new Map())).toBe(true);
    expect(await view.text('kvm/run.c')).toBe(`${BEGIN}\tguard(v);\n\tcheck(v);\n${END}`);
  });

  test('what was resolved on this very kernel comes before what was resolved later on another', async () => {
    const later = { ...made, after: made.after.replace('guard', 'later'), at: '2021-01-01T00:00:00.000Z' };
    later.target = { name: 'v5.8', version: 'v5.8', commit: 'c58' };
    for (const [commit, word] of [
      ['c56', 'guard'],
      ['other', 'later'],
    ] as const) {
      const view = await target({ 'kvm/run.c': BEGIN + END });
      const resolutions = new Resolutions([made, later], commit);
      resolutions.claim('e1');
      expect(await resolutions.settle(view, heirs(), new Map())).toBe(true);
      expect(await view.text('kvm/run.c')).toContain(word);
    }
  });
});

describe('what is generated behind a patch', () => {
  const GENERATED = BEGIN.replace('\tload(v);\n', '\tload(v);\n\tgenerated(v);\n');
  const onGenerated: Resolution = {
    ...made,
    before: '\tgenerated(v);\n\tsave(v);\n',
    after: '\tgenerated(v);\n\tguard(v);\n\tsave(v);\n',
    around: { text: GENERATED + END, line: 6 },
  };
  async function settleBoth(generated: string, commit: string | null, isGenerated = true) {
    const view = await target({ 'kvm/run.c': BEGIN + END });
    const r = { ...onGenerated, target: { ...made.target, commit: view.tree.commit } };
    const resolutions = new Resolutions([r], view.tree.commit, new Map(), isGenerated);
    if (commit !== null) r.target.commit = commit;
    const resolved = resolutions.claim('e1')!;
    const first = await resolutions.settle(view, heirs(), new Map());
    view.set('kvm/run.c', { text: generated, mode: '100644' });
    const then = first && (await resolutions.settleGenerated(view, heirs(), new Map()));
    return { first, then, text: await view.text('kvm/run.c'), resolved, why: resolutions.misfit('e1') };
  }

  test('a resolution that was made on it is made when it is there', async () => {
    expect(await settleBoth(GENERATED + END, null)).toMatchObject({
      ...{ first: true, then: true, why: null, text: edited(GENERATED + END, '\tsave(v);', '\tguard(v);\n\tsave(v);') },
      resolved: { strategy: 'resolution', target: [{ path: 'kvm/run.c', definition: 'run' }] },
    });
  });

  test('other code is generated: it does not fit, with the reason', async () => {
    expect(await settleBoth(BEGIN + END, null)).toMatchObject({
      ...{ first: true, then: false, text: BEGIN + END },
      why: expect.stringMatching(/does not fit: /) as string,
    });
  });

  test('on another kernel, or where nothing is generated, it is not waited for', async () => {
    expect(await settleBoth(GENERATED + END, 'c99')).toMatchObject({ first: false });
    expect(await settleBoth(GENERATED + END, null, false)).toMatchObject({ first: false });
  });
});

describe('the id of an edit', () => {
  const base = splitLines(BEGIN + END);
  const hunk = (id: string, at: number, added: string): Hunk => ({
    ...{ id, path: 'kvm/run.c', oldStart: at, oldCount: 1, newStart: at, newCount: 2, section: '' },
    lines: [` ${base[at - 1]}`, `+${added}`],
  });
  const idsOf = (...hunks: Hunk[]) => [...editIds(liftEdits(base, hunks, 'c')).values()];

  test('outlives a change of position, and nothing else', () => {
    const [id] = idsOf(hunk('a', 5, '\tguard(v);\n'));
    expect(idsOf(hunk('a', 3, '\tguard(v);\n'))).toEqual([id]);
    expect(idsOf(hunk('a', 5, '\tother(v);\n'))).not.toEqual([id]);
    expect(idsOf(hunk('b', 5, '\tguard(v);\n'))).not.toEqual([id]);
  });

  test('tells twins in one hunk apart', () => {
    const twins: Hunk = {
      ...hunk('a', 5, ''),
      ...{ oldCount: 2, newCount: 4 },
      lines: [` ${base[4]}`, '+\tguard(v);\n', ` ${base[5]}`, '+\tguard(v);\n'],
    };
    const ids = idsOf(twins);
    expect(new Set(ids).size).toBe(2);
  });
});

test('the change between two texts, and where a line of one is in the other', () => {
  const [a, b] = [splitLines('1\n2\n3\n4\n'), splitLines('1\nx\ny\n3\n4\n')];
  expect(changeBetween(a, b)).toEqual({ at: 1, removed: 1, added: 2 });
  expect(changeBetween(a, a)).toEqual({ at: 4, removed: 0, added: 0 });
  // Both '3's are one line; what is behind them moves along.
  expect([0, 1, 2, 3, 4].map((gap) => lineIn(a, b, gap))).toEqual([0, 1, 3, 4, 5]);
  expect([0, 1, 3, 4, 5].map((gap) => lineIn(b, a, gap))).toEqual([0, 1, 2, 3, 4]);
});
