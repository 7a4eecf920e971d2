import { lines, port } from './harness';

const C = 'drivers/vfio/irq.c';
const base = lines(
  'static int set_vector(struct device *vdev, int irq)',
  '{',
  '\tint ret;',
  '',
  '\tunregister(vdev->token);',
  '\tfree_irq(irq, vdev);',
  '\tclear_name(vdev);',
  '\tret = lookup(vdev);',
  '\tmask(vdev);',
  '\tpark(vdev);',
  '\twake(vdev);',
  '\ttrace(vdev);',
  '\tcount(vdev);',
  '\treturn ret;',
  '}',
);

const run = async (after: string, there: string) => {
  const { hunks, files } = await port({ [C]: base }, { [C]: after }, { [C]: there });
  return { hunks, outcomes: hunks.map((h) => h.outcome), text: files[C]! };
};

test('a line that is moved is not doubled where its old place is not found', async () => {
  const after = base
    .replace('\tfree_irq(irq, vdev);\n', '')
    .replace('\tunregister(vdev->token);\n', '\tfree_irq(irq, vdev);\n\tunregister(vdev->token);\n');
  const there = base.replace('\tfree_irq(irq, vdev);\n\tclear_name(vdev);\n', '\trelease(vdev, irq);\n');
  const { hunks, text } = await run(after, there);
  expect(hunks.map((h) => h.outcome)).toEqual(['conflict']);
  expect(text).toBe(there);
  expect((await run(after, base)).text).toBe(after);
});

test('the edits of one definition in one hunk are one change; with a guard each is its own', async () => {
  const there = base.replace('\tclear_name(vdev);\n', '\tforget(vdev, &vdev->name[0]);\n');
  const plain = base
    .replace('\tunregister(vdev->token);\n', '\tunregister(vdev->token);\n\tnotify(vdev);\n')
    .replace('\tclear_name(vdev);\n', '\tclear_name(vdev, 3);\n');
  const { hunks, text } = await run(plain, there);
  expect(hunks[0]!.edits.map((e) => e.outcome)).toEqual(['conflict', 'conflict']);
  // Why it is left is what the reader hears, not what goes with it.
  expect(hunks[0]!.message).not.toContain('with it');
  expect(hunks[0]!.edits[0]!.candidates[0]!.line).toBe(6);
  expect(text).toBe(there);
  const guarded = base
    .replace('\tunregister(vdev->token);\n', '\tunregister(vdev->token);\n#ifdef CONFIG_SET\n\tnotify(vdev);\n#endif\n')
    .replace('\tclear_name(vdev);\n', '#ifndef CONFIG_SET\n\tclear_name(vdev);\n#else\n\tkeep(vdev);\n#endif\n');
  const both = await run(guarded, there);
  expect(both.hunks[0]!.edits.map((e) => e.outcome)).toEqual(['merged', 'conflict']);
  expect(both.hunks[0]!.message).toContain('; 1 of its 2 edits has its place');
});

test('the users of a local that the set brings in stand or fall together, in other hunks, too', async () => {
  const after = base
    .replace('\tint ret;\n', '\tint ret;\n#ifdef CONFIG_SET\n\tint step = one(vdev);\n#endif\n')
    .replace('\tcount(vdev);\n', '#ifndef CONFIG_SET\n\tcount(vdev);\n#else\n\tcount_by(vdev, step);\n#endif\n');
  const there = base.replace(
    '\ttrace(vdev);\n\tcount(vdev);\n',
    '\tif (vdev->list)\n\t\ttally_all(vdev->list, NULL);\n\telse\n\t\tnone();\n',
  );
  const { outcomes, text } = await run(after, there);
  expect(outcomes).toEqual(['conflict', 'conflict']);
  expect(text).toBe(there);
  const other = after.replace('count_by(vdev, step)', 'count_by(vdev, ret)');
  expect((await run(other, there)).outcomes).toEqual(['applied', 'conflict']);
});

test('who opens a block and who closes it', async () => {
  const after = base
    .replace('\tmask(vdev);\n', '\tif (vdev->on) {\n\t\tmask(vdev);\n')
    .replace('\ttrace(vdev);\n', '\t\ttrace(vdev);\n\t}\n');
  const there = base.replace('\ttrace(vdev);\n', '\ttrace_all(vdev->list, NULL);\n');
  expect((await run(after, there)).text).toBe(there);
});
