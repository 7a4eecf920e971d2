import type { PatchSet } from './patch-set/patch-set';
import { filesAdded, touchedPaths } from './patch-set/patch-set';
import { Adapter, namesAdded } from './porter/adapt';
import { keepsCallee } from './porter/callees';
import { CodeSearch } from './porter/code-search';
import { collisionsOf } from './porter/collisions';
import { Sections } from './porter/sections';
import { registersOf } from './porter/software-registers';
import { Aligner } from './porter/place';
import { EraParts } from './porter/era-parts';
import { arraysDeclared } from './porter/macro-texts';
import { MappedHeirs } from './porter/heirs';
import type { PortContext } from './porter/context';
import { Reference } from './porter/reference';
import { GoneOptions, optionsBrought } from './porter/gone-options';
import { Options } from './porter/inert';
import { portPatch, type PortedPatch } from './porter/port';
import { Resolutions, type Resolution } from './porter/resolutions';
import { rolesOf } from './porter/roles';
import { baseAfterEachPatch, includedBy, type FilesAfter } from './porter/source';
import { View } from './porter/view';
import { crossCheck, explainPort, workItemsOf, type Step } from './history';
import type { WorkItem } from './core/outcome';
import type { DiskCache } from './io/cache';
import { indexKernel, scopeOfSet, type KernelIndex, type Scope } from './kernel-index';
import { eraChange } from './hypercall-gen/era-parts';
import { mapSymbols, type MapOptions } from './symbol-map';
import type { Scratch } from './io/scratch';
import type { KernelTree } from './io/tree';
import { pathOf, type Patch } from './core/patch';
import { formatVersion, releasesApart } from './core/version';
import type { Operand } from './porter/align';
import type { ByteString } from './core/text';

export interface PipelineInput {
  set: PatchSet;
  base: KernelTree;
  target: KernelTree;
  /** Releases between base and target, oldest first: they say which change was the cause of what. Null: do not ask. */
  between: readonly KernelTree[] | null;
  scratch: Scratch;
  /** Known upstream changes and the user's own rules; inference alone without. */
  knowledge: MapOptions;
  /** Null: compute everything anew. */
  cache: DiskCache | null;
  markers: boolean;
  /** Generate what cannot be carried because the target calls EL2 in another way. */
  generate: boolean;
  /** Port these files of the set alone; null for all. */
  only: ((path: ByteString) => boolean) | null;
  /** What people resolved before. */
  resolutions?: readonly Resolution[];
  /** Edits that people left out on this very kernel, with the reason. */
  skipped?: ReadonlyMap<string, string>;
  /** A second set of the family, and the kernel that it was made for. */
  reference?: { set: PatchSet; base: KernelTree } | null;
  progress: (stage: string) => void;
}

/** A ported set: what became of each patch, and the target's files after each. */
export interface PortedSet {
  patches: PortedPatch[];
  /** For each patch the files that it leaves changed in the target; null for a deleted one. */
  trees: ReadonlyMap<ByteString, { text: ByteString; mode: string } | null>[];
  /** The conflicts by mechanism. */
  workItems: WorkItem[];
  notes: string[];
  timing: Record<string, number>;
}

/** Patch set → kernel index → symbol map → ported hunks: the pipeline, one screen of it. */
export async function runPipeline(input: PipelineInput): Promise<PortedSet> {
  const { set, scratch } = input;
  const clock = stopwatch();

  // First of all: a set that does not fit its base is refused before the long work.
  const steps: { patch: Patch; files: FilesAfter }[] = [];
  for await (const step of baseAfterEachPatch(set, input.base, scratch, input.only)) steps.push(step);

  const scope = scopeOfSet(touchedPaths(set), includedBy(steps.map((s) => s.files)));
  input.progress(`indexing the base, ${input.base.name}`);
  const baseIndex = await indexKernel(input.base, { scope, cache: input.cache });
  input.progress(`indexing the target, ${input.target.name}`);
  // A header that nothing includes any more is not gone.
  const both: Scope = {
    ...scope,
    of: (paths) => {
      const has = scope.of(paths);
      return (path) => has(path) || baseIndex.file(path) !== null;
    },
  };
  const targetIndex = await indexKernel(input.target, { scope: both, cache: input.cache });
  clock.lap('index');

  const target = new View(targetIndex);
  const era = input.generate ? await eraChange(set, input.base, input.target) : null;
  const sides = sidesOf(set, target, scope, input);
  const { context, own, arrays } = contextOf(set, baseIndex, sides, {
    markers: input.markers ? { target: input.target.name, set: set.name } : null,
    resolutions:
      input.resolutions?.length || input.skipped?.size
        ? new Resolutions(input.resolutions ?? [], input.target.commit, input.skipped, era !== null)
        : null,
    parts: era && new EraParts(era),
    reference: await referenceOf(input, sides),
  });
  const { base, patched, heirs } = context;
  const ported: PortedSet = { patches: [], trees: [], workItems: [], notes: [], timing: clock.laps };
  for (const { patch, files } of steps) {
    input.progress(`porting ${patch.file}`);
    for (const [path, file] of files) patched.set(path, file);
    for (const name of await namesAdded(base, patched, files.keys())) own.add(name);
    for (const name of await arraysDeclared(patched, files.keys())) arrays.add(name);
    context.collisions = new Map([...context.collisions, ...(await collisionsOf(files.keys(), context))]);
    const before = new Map(target.changes());
    let done = await portPatch(patch, context);
    await context.parts?.join(done, context);
    while (context.resolutions && !(await context.resolutions.settleGenerated(target, heirs, before))) {
      target.restore(before);
      done = await portPatch(patch, context);
      await context.parts?.join(done, context);
    }
    ported.patches.push(done);
    if (ported.patches.length === steps.length) await context.parts?.finish(ported.patches, context);
    ported.trees.push(new Map(target.changes()));
    for (const [path, file] of files) base.set(path, file);
  }
  clock.lap('port');
  if (input.between === null) return ported;
  input.progress('asking the releases between');
  const rows = [...(input.knowledge.chronicle?.rows ?? []), ...(input.knowledge.rules ?? [])];
  const { between, cache } = input;
  const history = await explainPort(ported.patches, {
    base: baseIndex,
    target: targetIndex,
    between,
    heirs,
    rows,
    cache,
  });
  ported.notes.push(...history.notes);
  ported.workItems = await workItemsOf(ported.patches, history);
  clock.lap('history');
  return ported;
}

/** What a set and its reference have in common: the target, with the new files of the set that is ported. */
type Sides = Pick<PortContext, 'target' | 'refused' | 'twins' | 'absorbed' | 'folded'> & {
  scope: Scope;
  knowledge: MapOptions;
  /** True for a file that the target has, or gets from the set. */
  hasFile: (path: ByteString) => boolean;
  /** The releases on the way, and the target behind them; none when nobody asks them. */
  between: readonly KernelTree[];
};

function sidesOf(set: PatchSet, target: View, scope: Scope, input: PipelineInput): Sides {
  const { knowledge } = input;
  const brought = new Set(filesAdded(set));
  const refused = new Set<ByteString>();
  const hasFile = (path: ByteString) => target.has(path) || (brought.has(path) && !refused.has(path));
  const between = input.between ? [...input.between, input.target] : [];
  return {
    target,
    scope,
    knowledge,
    hasFile,
    between,
    refused,
    twins: new Map(),
    absorbed: new Set(),
    folded: new Set(),
  };
}

/** What the porter needs to carry a set from its base to the target. */
function contextOf(
  set: PatchSet,
  baseIndex: KernelIndex,
  { target, refused, twins, absorbed, folded, scope, knowledge, hasFile, between }: Sides,
  rest: Pick<PortContext, 'markers' | 'resolutions' | 'parts' | 'reference'>,
): { context: PortContext; own: Set<string>; arrays: Set<string> } {
  const [base, patched] = [new View(baseIndex), new View(baseIndex)];
  const map = mapSymbols(baseIndex, target.kernel, knowledge);
  const heirs = new MappedHeirs(base, target, map);
  const [own, arrays] = [new Set<string>(), new Set<string>()];
  const operand: Operand = (macro, index, name) => heirs.operand(macro, index, name);
  const context: PortContext = {
    ...{ base, patched, target, heirs, refused, twins, absorbed, folded, placed: [], votes: new Map(), ...rest },
    collisions: new Map(),
    adapter: new Adapter(baseIndex, target.kernel, map, operand, own, hasFile, twins, arrays),
    sections: new Sections(baseIndex, target),
    code: new CodeSearch(target, scope.of(target.tree.paths())),
    aligner: new Aligner((word) => heirs.rename(word), operand, keepsCallee(baseIndex, target.kernel)),
    options: new Options(
      { paths: () => new Set([...base.tree.paths(), ...touchedPaths(set)]), read: (path) => patched.text(path) },
      { paths: () => target.tree.paths(), read: (path) => target.text(path) },
    ),
    gone: new GoneOptions(
      { paths: () => base.tree.paths(), read: (path) => base.tree.read(path) },
      { paths: () => target.tree.paths(), read: (path) => target.tree.read(path) },
      optionsBrought(set.patches.flatMap((p) => p.changes.map((c) => ({ path: pathOf(c), hunks: c.hunks })))),
      between,
    ),
    registers: registersOf(set.patches),
    roleOf: rolesOf(set.patches, base.tree.paths()),
  };
  return { context, own, arrays };
}

/** The reference of a port, its patches read; null when there is none. */
async function referenceOf(input: PipelineInput, sides: Sides): Promise<Reference | null> {
  if (!input.reference) return null;
  const { set, base } = input.reference;
  input.progress(`indexing the base of the reference, ${base.name}`);
  const steps: { patch: Patch; files: FilesAfter }[] = [];
  for await (const step of baseAfterEachPatch(set, base, input.scratch, null)) steps.push(step);
  const index = await indexKernel(base, { scope: sides.scope, cache: input.cache });
  const { context, own, arrays } = contextOf(set, index, sides, {
    markers: null,
    resolutions: null,
    parts: null,
    reference: null,
  });
  const apart = (tree: KernelTree) => releasesApart(tree.version, input.target.version);
  const nearer = apart(base) < apart(input.base);
  const version = formatVersion(base.version);
  return Reference.open(steps, { name: set.name, version, nearer, ported: input.set.patches, context, own, arrays });
}

/** The same, held against the ports of the set to every release on the way. */
export async function runStepwise(input: PipelineInput): Promise<PortedSet> {
  const ported = await runPipeline(input);
  const begun = performance.now();
  const steps: Step[] = [];
  for (const target of input.between ?? []) {
    const progress = (stage: string) => input.progress(`${target.name}: ${stage}`);
    const { patches } = await runPipeline({ ...input, target, between: null, markers: false, progress });
    steps.push({ name: target.name, patches });
  }
  ported.notes.push(...crossCheck(ported.patches, steps));
  ported.timing.stepwise = Math.round(performance.now() - begun);
  return ported;
}

function stopwatch() {
  const laps: Record<string, number> = {};
  let at = performance.now();
  return {
    laps,
    lap(stage: string) {
      const now = performance.now();
      laps[stage] = Math.round(now - at);
      at = now;
    },
  };
}
