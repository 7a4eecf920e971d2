import { inputError } from '../core/errors';
import { PLACED, type FileReport, type HunkReport, type Outcome, OUTCOMES } from '../core/outcome';
import type { PortReport, RepairReport } from '../core/report';
import { chomp } from '../core/text';
import type { DiskCache } from '../io/cache';
import { withScratch } from '../io/files';
import type { KernelTree } from '../io/tree';
import { indexKernel, scopeOfSet } from '../kernel-index';
import { touchedPaths, type PatchSet } from '../patch-set/patch-set';
import { mapSymbols, type MapOptions } from '../symbol-map';
import { findToolchain, missingTools, type Toolchain } from '../verify/build';
import { isReview, type Finding } from '../verify/check';
import { openContext } from '../verify/context';
import { runChecks, SOURCE_CHECKS } from '../verify/run-checks';
import { Workshop } from '../verify/workshop';
import type { Sight } from './alternatives';
import { carryEdits, markRepaired, type PortedTree } from './carry';
import { KernelCompiler } from './compiler';
import { Drafts } from './drafts';
import { repair, without } from './repair';

/** How to compile for a repair. */
export interface RepairOptions {
  /** Prefix of the cross tools; null for the usual one. */
  crossCompile: string | null;
  jobs: number;
}

/** The port that is to be repaired. */
export interface RepairInput {
  set: PatchSet;
  base: KernelTree;
  target: KernelTree;
  /** The ported tree, and what is known of it. */
  made: { tree: KernelTree; report: PortReport };
  trees: readonly PortedTree[];
  knowledge: MapOptions;
  cache: DiskCache | null;
  toolchain: Toolchain;
  jobs: number;
  progress: (stage: string) => void;
  /** Makes the port of other files: its tree, and the report with these hunks and files. */
  remake(
    trees: readonly PortedTree[],
    marked: { hunks: HunkReport[]; files: FileReport[] },
  ): Promise<{ tree: KernelTree; report: PortReport }>;
}

/** What a repaired port is made of. */
export interface RepairedPort {
  trees: PortedTree[];
  hunks: HunkReport[];
  files: FileReport[];
  repair: RepairReport;
}

/** The compiler that a repair needs. Throws an input error when there is none: what was asked for cannot be left out. */
export async function repairTools({ crossCompile }: RepairOptions): Promise<Toolchain> {
  const toolchain = await findToolchain(crossCompile);
  if (!toolchain) {
    throw inputError(
      `no cross compiler: '${crossCompile ?? 'aarch64-linux-gnu-'}gcc' is not on PATH`,
      "install one (Debian: gcc-aarch64-linux-gnu), name its prefix with '--cross-compile', or leave '--repair' out",
    );
  }
  const missing = await missingTools();
  if (missing.length)
    throw inputError(`a kernel build needs ${missing.join(', ')}`, "install them, or leave '--repair' out");
  return toolchain;
}

/**
 * Compiles a port and tries what the symbol map offers for what the compiler does not take. Kept is what leaves fewer errors
 * and adds no finding of a check.
 */
export function repairPort(input: RepairInput): Promise<RepairedPort> {
  return withScratch((dir) => repairIn(input, dir));
}

async function repairIn(input: RepairInput, dir: string): Promise<RepairedPort> {
  const { set, base, target, made, progress, toolchain, jobs } = input;
  const context = ({ tree, report }: RepairInput['made']) =>
    openContext({ set, base, target, ported: tree, report, option: null });
  const ctx = await context(made);
  const scope = scopeOfSet(touchedPaths(set));
  const [baseIndex, targetIndex] = [
    await indexKernel(base, { scope, cache: input.cache }),
    await indexKernel(target, { scope, cache: input.cache }),
  ];
  const map = mapSymbols(baseIndex, targetIndex, input.knowledge);
  const drafts = new Drafts((path) => ctx.portedText(path));
  const sight: Sight = { ctx, map, base: baseIndex, target: targetIndex, drafts };
  const compiler = new KernelCompiler(new Workshop(ctx, { toolchain, jobs, config: '', dir }), made.tree);
  progress('repair: building the port');
  let repaired = await repair(sight, compiler, progress);
  const rows = () =>
    repaired.changes.flatMap((change) =>
      change.edits.map((edit) => ({ change, edit, hunk: ctx.hunkAt(edit.path, edit.at) ?? change.hunk })),
    );
  const result = () => ({
    trees: carryEdits(input.trees, drafts.edits()),
    ...markRepaired(rows(), made.report.hunks, made.report.files),
  });
  const known = repaired.changes.length ? await findings(ctx) : new Map<string, Finding[]>();
  while (repaired.changes.length) {
    progress('repair: checking');
    const { trees, hunks, files } = result();
    const after = await findings(await context(await input.remake(trees, { hunks, files })));
    const fresh = [...after].flatMap(([key, list]) => list.slice(known.get(key)?.length ?? 0));
    if (fresh.length === 0) break;
    const paths = new Set(fresh.map((f) => f.path));
    const unwanted = repaired.changes.filter((c) => c.edits.some((e) => paths.has(e.path)));
    repaired = await without(repaired, unwanted.length ? unwanted : repaired.changes, sight, compiler);
  }
  const port = new Map<string, readonly string[]>();
  for (const { edit } of rows()) port.set(edit.path, (await drafts.port(edit.path))!);
  const changes = rows().map(({ change, edit, hunk }) => ({
    ...{ hunk, path: edit.path, line: edit.at + 1, from: chomp(port.get(edit.path)![edit.at]!), to: chomp(edit.to) },
    ...{ option: change.option, diagnostic: change.diagnostic.text, evidence: change.evidence },
  }));
  const { before, after, tried } = repaired;
  return { ...result(), repair: { before, after, tried, changes } };
}

/** What the checks that need no compiler have against a port, by what is said of which file. */
async function findings(ctx: Sight['ctx']): Promise<Map<string, Finding[]>> {
  const { results } = await runChecks(ctx, SOURCE_CHECKS);
  const found = new Map<string, Finding[]>();
  for (const r of results) {
    for (const f of r.findings.filter((x) => !isReview(x))) {
      const key = [r.name, f.kind, f.path, f.text].join('|');
      found.set(key, [...(found.get(key) ?? []), f]);
    }
  }
  return found;
}

/** The summary of a report whose hunks were marked. */
export function recount(summary: PortReport['summary'], hunks: readonly HunkReport[]): PortReport['summary'] {
  const byOutcome = Object.fromEntries(OUTCOMES.map((o) => [o, 0])) as Record<Outcome, number>;
  for (const h of hunks) byOutcome[h.outcome]++;
  return { ...summary, placed: hunks.filter((h) => PLACED.has(h.outcome)).length, byOutcome };
}
