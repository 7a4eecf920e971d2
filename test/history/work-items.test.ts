import { port, type Texts } from '../porter/harness';

const MMU = 'arch/arm64/kvm/mmu.c';
const LIBRARY = 'arch/arm64/kvm/hyp/tables.c';
const HEAD = '#include <linux/kvm.h>\n\n';

const LEAF = `static int write_leaf(pte_t *table, unsigned long addr, int level)
{
	table[slot_of(addr, level)] = leaf_value(addr);
	flush_table_cache(table);
	return wait_for_walkers(level);
}
`;
const BRANCH = `static int write_branch(pte_t *table, unsigned long addr, int level)
{
	if (!table_is_empty(table))
		return write_leaf(table, addr, level + 1);
	table[slot_of(addr, level)] = branch_value(table);
	return wait_for_walkers(level);
}
`;
const MAP = (how: string) => `int map_guest(struct kvm *kvm, unsigned long addr)
{
	int err;

	lock_tables(kvm);
	err = ${how}(kvm->root, addr, 0);
	unlock_tables(kvm);
	return err;
}
`;
const TIMER = 'arch/arm64/kvm/timer.c';
const TICK = `${HEAD}int tick(struct kvm *kvm)
{
	arm_timer(kvm);
	return read_clock(kvm);
}
`;
const FAR = `int far_away(void)\n{\n\tone();\n\ttwo();\n\tthree();\n\tfour();\n\treturn 0;\n}\n`;
const base: Texts = { [MMU]: `${HEAD}${LEAF}\n${FAR}\n${BRANCH}\n${MAP('write_branch')}`, [TIMER]: TICK };

const guard = (text: string, line: string, instead: string) => {
  if (!text.includes(line)) throw new Error(`no '${line}'`);
  return text.replace(line, () => `#ifndef CONFIG_CORE\n${line}#else\n${instead}#endif\n`);
};

/** The set takes two helpers and the clock into its own hands; upstream made a library of the helpers in v5.8. */
async function left() {
  const one = guard(base[MMU]!, '\tflush_table_cache(table);\n', '\tcore_flush(table);\n');
  const two = guard(
    one,
    '\tif (!table_is_empty(table))\n\t\treturn write_leaf(table, addr, level + 1);\n',
    '\tcore_walk(table);\n',
  );
  const patched = { [MMU]: two, [TIMER]: guard(TICK, '\tarm_timer(kvm);\n', '\tcore_timer(kvm);\n') };
  const library = `${HEAD}int table_map(pte_t *root, unsigned long addr, int level)
{
	struct walk walk = begin_walk(root, addr);

	while (walk_goes_on(&walk))
		walk_step(&walk, slot_of(addr, level++), leaf_value(addr));
	return end_walk(&walk, wait_for_walkers(level));
}
`;
  const split = { [MMU]: `${HEAD}${FAR}\n${MAP('table_map')}`, [LIBRARY]: library };
  const clock = { [TIMER]: TICK.replace('\tarm_timer(kvm);\n', '') };
  return port(base, patched, { ...split, ...clock }, [], {
    between: { 'v5.4': {}, 'v5.5': clock, 'v5.7': clock, 'v5.8': { ...split, ...clock } },
  });
}

describe('work items', () => {
  it('hold the conflicts by mechanism, each conflict once', async () => {
    const { hunks, workItems } = await left();
    const conflicts = hunks.filter((h) => h.outcome === 'conflict').map((h) => h.id);
    expect(conflicts).toHaveLength(3);
    expect(workItems.flatMap((w) => w.hunks).sort()).toEqual([...conflicts].sort());
    expect(workItems.map((w) => [w.release, w.hunks.length, w.definitions.map((d) => d.definition)])).toEqual([
      ['v5.8', 2, ['write_leaf', 'write_branch']],
      ['v5.5', 1, ['tick']],
    ]);
    expect(new Set(workItems.map((w) => w.id)).size).toBe(2);
  });

  it('name what has the work now, with the reason, and draft the set’s lines there', async () => {
    const { workItems, files } = await left();
    const [tables, clock] = workItems;
    expect(tables!.heirs[0]).toMatchObject({ path: LIBRARY, definition: 'table_map' });
    expect(tables!.heirs[0]!.why).toBe("by the symbol map, 'write_branch' became it");
    expect(tables!.draft).toMatchObject({ path: LIBRARY, line: 3 });
    expect(tables!.draft!.text).toMatch(/^# draft, not placed: hunk [0-9a-f]{12}, arch/);
    expect(tables!.draft!.text).toContain('+\tcore_flush(table);\n');
    expect(tables!.draft!.text).toContain('+\tcore_walk(table);\n');
    expect(clock!.heirs).toEqual([{ path: TIMER, definition: 'tick', why: 'still there, changed' }]);
    for (const text of Object.values(files)) expect(text).not.toMatch(/core_(flush|walk|timer)|draft/);
  });

  it('are none where nothing is left, and the same twice', async () => {
    const { workItems } = await port(base, { [MMU]: `${base[MMU]}\nint core;\n` }, {}, [], { between: {} });
    expect(workItems).toEqual([]);
    expect((await left()).workItems).toEqual((await left()).workItems);
  });
});
