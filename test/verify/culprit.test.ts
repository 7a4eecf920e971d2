import type { HunkReport } from '../../src/core/outcome';
import type { PortReport } from '../../src/core/report';
import { culprit, expandedWords, workItemOf } from '../../src/verify/checks/culprit';
import { openContext } from '../../src/verify/context';
import { readDiagnostics } from '../../src/verify/diagnostics';
import { setBetween, tree, type Files } from './trees';

const lines = (...l: string[]) => l.map((x) => `${x}\n`).join('');
const DIR = 'arch/arm64/kvm/hyp';
const H = 'arch/arm64/include/asm/prot.h';
const [MAKE, RUN, ABORT, OWN] = [`${DIR}/Makefile`, `${DIR}/run.c`, 'arch/arm64/kvm/abort.c', 'arch/arm64/sekvm/own.c'];
const run = (call: string) => lines('int run(struct vcpu *vcpu)', '{', `\treturn ${call};`, '}');
const abort = (...body: string[]) => lines('int user_abort(struct vcpu *vcpu)', '{', ...body, '\treturn 0;', '}');
const base: Files = {
  [MAKE]: lines('obj-y += run.o', 'obj-y += other.o'),
  [RUN]: run('enter(vcpu)'),
  [H]: lines('#define PAGE_ONE 1', '#define val(x) ((x).p)', 'u64 enter(struct vcpu *vcpu);'),
  [ABORT]: abort('\tprepare(vcpu);', '\tclean_page(vcpu);'),
};
const patched: Files = {
  ...base,
  [MAKE]: lines('ifdef CONFIG_SET', 'obj-y += run-own.o', 'else', 'obj-y += run.o', 'endif', 'obj-y += other.o'),
  [RUN]: run('enter(vcpu)') + 'int own;\n',
  [H]: base[H]!.replace('#define val', '#ifdef CONFIG_SET\n#define PAGE_OWN 2\n#endif\n#define val'),
  [ABORT]: abort('\tprepare(vcpu);', '#ifndef CONFIG_SET', '\tclean_page(vcpu);', '#endif'),
  [OWN]: lines('u64 own(void)', '{', '\treturn val(PAGE_OWN) + vcpu->gone;', '}'),
};
const ported: Files = { ...base, [RUN]: patched[RUN]!, [OWN]: patched[OWN]! };

const SAID = [
  "hands 'PAGE_ONE' to 'any': it was made by 'one', and is a plain number in the target",
  "hands 'PAGE_OWN' to 'val': it was made by 'one', and is a plain number in the target",
  "mentions the field 'gone' of 'struct vcpu', which changed",
  "defines 'kind', which 'arch/arm64/include/asm/prot.h' defines by now, too",
];

async function context() {
  const set = setBetween(base, patched);
  const changes = set.patches[0]!.changes;
  const idOf = (path: string) => changes.find((c) => c.newPath === path)!.hunks[0]!.id;
  const hunk = (path: string, outcome: string, definition: string | null, message: string | null) =>
    ({
      ...{ id: idOf(path), path, outcome, message, header: '', edits: [] },
      source: { path, definition, line: 1 },
      target: outcome === 'conflict' ? [] : [{ path, definition: null, line: 5 }],
    }) as unknown as HunkReport;
  const left = (path: string) => ({ id: `w-${path}`, title: path, hunks: [idOf(path)], definitions: [] });
  const report = {
    hunks: [
      hunk(MAKE, 'conflict', null, 'no place'),
      hunk(H, 'conflict', null, 'no place'),
      hunk(ABORT, 'conflict', 'user_abort', 'no place'),
      hunk(RUN, 'merged', null, null),
    ],
    files: [{ path: OWN, targetPaths: [OWN], message: SAID.join('; ') }],
    workItems: [MAKE, H, ABORT].map(left),
    option: 'CONFIG_SET',
  } as unknown as PortReport;
  const ctx = await openContext({
    set,
    base: tree(base),
    target: tree(base),
    ported: tree(ported),
    report,
    option: 'CONFIG_SET',
  });
  return { ctx, report };
}

async function blamed(definition: string | null, ...log: string[]) {
  const { ctx, report } = await context();
  const all = readDiagnostics(log.join('\n'), '/src', '/out');
  const found = await culprit(ctx, all[0]!, definition, all);
  return {
    by: found.by,
    item: workItemOf(report, found.hunk, all[0]!, all, await expandedWords(ctx, all[0]!), definition),
  };
}

describe('an error of the compiler', () => {
  test.each([
    ['kind', "redeclaration of 'enum kind'"],
    ['kind', "redeclaration of enumerator 'first_kind'"],
  ])('in %s, which is there twice, belongs to what the port said of it: %s', async (definition, text) => {
    const { item } = await blamed(definition, `/src/${OWN}:3:6: error: ${text}`);
    expect(item?.title).toBe(SAID[3]);
    expect((await blamed('own', `/src/${OWN}:3:6: error: redeclaration of enumerator 'first_kind'`)).item).toBeNull();
  });

  test('belongs to the hunk without a place that defines what is missing', async () => {
    const { by, item } = await blamed(
      'own',
      `/src/${OWN}:3:13: error: 'PAGE_OWN' undeclared (first use in this function)`,
    );
    expect([by, item?.id]).toEqual(['the hunk defines it, and has no place', `w-${H}`]);
  });

  test('of a macro belongs to the code that it was expanded for', async () => {
    const { item } = await blamed(
      null,
      `/src/${H}:2:23: error: request for member 'p' in something not a structure or union`,
      `/src/${OWN}:3:9: note: in expansion of macro 'val'`,
      `/src/${OWN}:3:13: error: 'PAGE_OWN' undeclared (first use in this function)`,
    );
    expect(item?.id).toBe(`w-${H}`);
  });

  test('of a macro is what the port said of what is handed to it', async () => {
    const inside = `/src/${H}:2:23: error: request for member 'p' in something not a structure or union`;
    const item = async (line: number) =>
      (await blamed(null, inside, `/src/${OWN}:${line}:9: note: in expansion of macro 'val'`)).item;
    expect((await item(3))?.title).toBe(SAID[1]);
    expect(await item(1)).toBeNull();
  });

  test('in a source that the set does not compile belongs to the hunk of the Makefile', async () => {
    const { by, item } = await blamed('run', `/src/${RUN}:3:9: error: too few arguments to function 'enter'`);
    expect([by, item?.id]).toEqual([
      "the set takes 'run.o' out of the build at home, and the hunk has no place",
      `w-${MAKE}`,
    ]);
  });

  test('in code that the set guards belongs to the guard', async () => {
    const { by, item } = await blamed(
      'user_abort',
      `/src/${ABORT}:4:2: error: implicit declaration of function 'clean_page'`,
    );
    expect([by, item?.id]).toEqual(['the hunk guards it at home, and has no place', `w-${ABORT}`]);
  });

  test('in code of the set is what the port said of it', async () => {
    const { item } = await blamed('own', `/src/${OWN}:3:30: error: 'struct vcpu' has no member named 'gone'`);
    expect(item?.title).toBe("mentions the field 'gone' of 'struct vcpu', which changed");
  });

  test('belongs to no work when nothing speaks of it', async () => {
    const { item } = await blamed('own', `/src/${OWN}:3:30: error: 'other' undeclared (first use in this function)`);
    expect(item).toBeNull();
  });
});
