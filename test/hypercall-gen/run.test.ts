import type { EraKind } from '../../src/hypercall-gen/era';
import type { HypercallTable } from '../../src/hypercall-gen/types';
import { withScratch } from '../../src/io/files';
import { compileForArm64, runNatively } from './harness';
import { edit, ENTRY, entryIfChain, entryTable, extracted, HOST, patched } from './kestrel';

const ERAS: EraKind[] = ['function-pointer', 'nvhe-object', 'smccc'];

/** A skipped test is easily taken for a passed one: say it. */
function skipped(what: string): void {
  process.stderr.write(`SKIPPED: ${what}: no compiler\n`);
}

async function tables(): Promise<[string, HypercallTable][]> {
  const ifChain = patched();
  ifChain.set(ENTRY, entryIfChain());
  const table = patched();
  table.set(ENTRY, entryTable());
  const inline = patched();
  inline.set(HOST, inline.get(HOST)!.replace(/^(int|phys_addr_t) kestrel_vm/gm, 'static inline $1 kestrel_vm'));
  const undispatched = patched();
  edit(undispatched, ENTRY, '	case KESTREL_HVC_VM_DESTROY:\n		kestrel_do_destroy((u32)host->regs[1]);\n		break;\n', '');
  const all = { switch: patched(), 'if-chain': ifChain, table, inline, undispatched };
  return Promise.all(
    Object.entries(all).map(async ([name, tree]) => [name, (await extracted(tree)).table] as const),
  ).then((t) => t.map(([n, x]) => [n, x]));
}

describe('generated code', () => {
  it.each(ERAS)('drives every stub through the dispatcher: %s', async (era) => {
    for (const [name, table] of await tables()) {
      const ran = await withScratch((dir) => runNatively(table, era, dir));
      if (ran === null) return skipped('run of generated code');
      expect([name, ran]).toMatchObject([
        name,
        { code: 0, output: expect.stringMatching(/^driven 6 checks \d+ failed 0\n$/) },
      ]);
    }
  });

  it.each(ERAS)('compiles for arm64 without a warning: %s', async (era) => {
    for (const [name, table] of await tables()) {
      const built = await withScratch((dir) => compileForArm64(table, era, dir));
      if (built === null) return skipped('compilation of generated code for arm64');
      expect([name, built]).toEqual([name, { code: 0, output: '' }]);
    }
  });

  it.each([
    ['number', 'stubs', 'kestrel_call(KESTREL_HVC_VM_MAP,', 'kestrel_call(KESTREL_HVC_VM_CREATE,'],
    ['argument', 'stubs', 'vmid, ipa, pa, size)', 'vmid, pa, ipa, size)'],
    [
      'argument',
      'dispatcher',
      'kestrel_do_lookup((u32)host->regs[1], host->regs[2])',
      'kestrel_do_lookup((u32)host->regs[1], host->regs[3])',
    ],
    ['result', 'dispatcher', 'ret = kestrel_do_lookup', 'ret = 1 + kestrel_do_lookup'],
    ['handler', 'dispatcher', 'kestrel_do_destroy(', '(void)('],
  ])('a wrong %s in the %s is found', async (complaint, what, from, to) => {
    const { table } = await extracted(patched());
    let spoiled = false;
    const ran = await withScratch((dir) =>
      runNatively(table, 'smccc', dir, (text, file) => {
        if (file !== what || !text.includes(from)) return text;
        spoiled = true;
        return text.replace(from, to);
      }),
    );
    if (ran === null) return skipped('run of generated code');
    expect(spoiled).toBe(true);
    expect(ran.code).toBe(1);
    expect(ran.output).toMatch(new RegExp(`^FAIL KESTREL_HVC_\\w+ ${complaint}`, 'm'));
  });

  it('calls what a person adds to the table', async () => {
    const { table } = await extracted(patched());
    table.hypercalls.push({
      ...table.hypercalls[3]!,
      name: 'KESTREL_HVC_VM_STATS',
      number: 14,
      place: null,
      stub: 'kestrel_vm_stats',
      stubDetail: null,
      callSites: [],
      args: [
        { name: 'vmid', type: 'u32' },
        { name: 'where', type: 'u64' },
      ],
      returns: 'u64',
      handler: 'kestrel_do_stats',
      handlerDetail: null,
      dispatch: null,
    });
    for (const era of ERAS) {
      const ran = await withScratch((dir) => runNatively(table, era, dir));
      if (ran === null) return skipped('run of generated code');
      expect(ran).toMatchObject({ code: 0, output: expect.stringMatching(/^driven 7 /) });
    }
  });
});
