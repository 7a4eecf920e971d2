import { differences } from '../../src/hypercall-gen/differences';
import { eraOf } from '../../src/hypercall-gen/era';
import { extractHypercalls } from '../../src/hypercall-gen/extract';
import { generate } from '../../src/hypercall-gen/generate';
import { patchedFiles } from '../../src/hypercall-gen/source';
import type { HypercallTable } from '../../src/hypercall-gen/types';
import { withScratch } from '../../src/io/files';
import { openTree, type KernelTree } from '../../src/io/tree';
import { loadSet, type PatchSet } from '../../src/patch-set/patch-set';
import { findBase } from '../../src/result/base';
import { runNatively } from './harness';

/**
 * The two public sets and kernels, which this repository does not hold: KPORT_REAL_SETS names the folder of the imported
 * sets, KPORT_REAL_TREE the repository of the kernels, KPORT_REAL_TARGETS revisions of it (v5.8 and v5.10 when not given).
 */
const SETS = process.env.KPORT_REAL_SETS;
const TREE = process.env.KPORT_REAL_TREE;
const TARGETS = (process.env.KPORT_REAL_TARGETS ?? 'v5.8 v5.10').split(' ');

interface Real {
  set: PatchSet;
  base: KernelTree;
  table: HypercallTable;
}

const real = (SETS && TREE ? describe : describe.skip) as typeof describe;
if (!SETS || !TREE) process.stderr.write('SKIPPED: real sets: KPORT_REAL_SETS and KPORT_REAL_TREE name none\n');

async function read(name: string): Promise<Real> {
  const set = await loadSet(SETS!, name);
  const base = await findBase(set, null, TREE!, null);
  const { table } = await extractHypercalls(set, { paths: () => base.paths(), read: (p) => base.read(p) });
  return { set, base, table };
}

const flat = (text: string) =>
  text
    .replace(/\s+/g, ' ')
    .replace(/\s*([*(),])\s*/g, '$1')
    .trim();

/** Signature and arguments of a stub as they stand in a text, found with nothing but its name. */
function stubIn(text: string, name: string, call: string): { signature: string; passes: string } | null {
  const m = new RegExp(`^((?:[\\w*]+[ \\t]+)+\\**)${name}\\s*\\(([^)]*)\\)\\s*\\{([^}]*)\\}`, 'm').exec(text);
  const made = m && new RegExp(`\\b${call}\\(([^;]*)\\);`).exec(m[3]!);
  if (!m || !made) return null;
  const parameters = m[2]!.trim() === '' ? 'void' : m[2]!;
  return { signature: flat(`${m[1]}${name}(${parameters})`), passes: flat(made[1]!.replace(/^\s*\(void \*\)\s*/, '')) };
}

real('the real sets', () => {
  const found = new Map<string, Real>();
  const targets = new Map<string, KernelTree>();
  beforeAll(async () => {
    for (const name of ['sekvm-4.18', 'sekvm-5.4']) found.set(name, await read(name));
    for (const revision of TARGETS) targets.set(revision, await openTree(TREE!, revision));
  }, 300_000);
  afterAll(() => {
    for (const r of found.values()) r.base.repo?.close();
    for (const t of targets.values()) t.repo?.close();
  });

  it.each([
    ['sekvm-4.18', 20, 17, 3],
    ['sekvm-5.4', 19, 16, 3],
  ])('%s: %i numbers, %i stubs, %i direct call sites', (name, numbers, stubs, direct) => {
    const { hypercalls } = found.get(name)!.table;
    expect(hypercalls.length).toBe(numbers);
    expect(hypercalls.filter((h) => h.stub !== null).length).toBe(stubs);
    expect(hypercalls.filter((h) => h.stub === null).map((h) => h.callSites.length)).toEqual(Array(direct).fill(1));
    // Signatures are complete.
    for (const h of hypercalls) {
      expect([h.name, h.handler, h.returns, ...h.args.flatMap((a) => [a.name, a.type])]).not.toContain(null);
    }
  });

  it('every difference between the two is listed', () => {
    const [a, b] = [...found.values()].map((r) => r.table) as [HypercallTable, HypercallTable];
    const listed = differences(a, b);
    // The dispatcher's file, the style and what each handler is called: none may be missing.
    const fields = (t: HypercallTable, name: string) => {
      const h = t.hypercalls.find((x) => x.name === name);
      return (
        h && { number: h.number, stub: h.stub, handler: h.handler, args: h.args.map((x) => x.type), returns: h.returns }
      );
    };
    for (const name of new Set([...a.hypercalls, ...b.hypercalls].map((h) => h.name))) {
      const differs = JSON.stringify(fields(a, name)) !== JSON.stringify(fields(b, name));
      if (differs) expect([name, listed.some((d) => d.hypercall === name)]).toEqual([name, true]);
    }
    expect(listed.filter((d) => d.a === d.b)).toEqual([]);
    expect(differences(b, a).map((d) => ({ ...d, a: d.b, b: d.a }))).toEqual(listed);
  });

  it.each(['sekvm-4.18', 'sekvm-5.4'])("%s: stubs for its own base are the set's own", async (name) => {
    const { set, base, table } = found.get(name)!;
    const files = await patchedFiles(set, (p) => base.read(p));
    const { files: made } = await generate(table, await eraOf(base), null);
    const text = made.find((f) => f.what === 'stubs')!.text;
    const equal: string[] = [];
    const stubs = table.hypercalls.filter((h) => h.stub !== null);
    for (const h of stubs) {
      const own = files.find((f) => f.path === h.stubDetail!.place!.path)!.text;
      const call = table.interface.primitive;
      const [ours, theirs] = [stubIn(text, h.stub!, call), stubIn(own, h.stub!, call)];
      expect(theirs).not.toBeNull();
      expect(ours).toEqual(theirs);
      equal.push(h.stub!);
    }
    expect(equal.length).toBe(stubs.length);
  });

  it.each(['sekvm-4.18', 'sekvm-5.4'])(
    '%s: every stub and call site goes through the dispatcher, in each era and for each target',
    async (name) => {
      const { table, base } = found.get(name)!;
      const count = table.hypercalls.length;
      for (const kernel of ['function-pointer', 'nvhe-object', 'smccc', base, ...targets.values()] as const) {
        const ran = await withScratch((dir) => runNatively(table, kernel, dir));
        if (ran === null) return void process.stderr.write('SKIPPED: run of generated code: no compiler\n');
        const which = typeof kernel === 'string' ? kernel : kernel.name;
        expect([which, ran]).toEqual([
          which,
          { code: 0, output: expect.stringMatching(new RegExp(`^driven ${count} checks \\d+ failed 0\\n$`)) },
        ]);
      }
    },
    120_000,
  );
});
