import { runPipeline } from '../../../src/pipeline';
import type { EditTrace } from '../../../src/porter/port';
import { memoryTree, setOf } from '../harness';
import { DEFINITIONS, type Mutation } from './definitions';
import { Judge, type Verdict } from './judge';
import { withoutGit } from './no-git';
import { Random } from './random';
import { makeNoise, Situation } from './situation';
import { copyOf, textsOf, withChange, type Material } from './source';
import { STATEMENTS } from './statements';

export const MUTATIONS: Record<string, Mutation> = { ...DEFINITIONS, ...STATEMENTS };

/** One edit of one case with its verdict. */
export interface Judged {
  case: number;
  mutation: string;
  path: string;
  edit: string;
  kind: string;
  definition: string | null;
  outcome: string;
  confidence: number;
  verdict: Verdict;
  /** Where it was put, and why. */
  said: string;
  /** A word of what it adds that the target spells in another way; null when there is none. */
  stale: string | null;
}

/** How many other files the kernel of a case has. */
const COMPANY = 3;

/** How often upstream does something else, too. */
const NOISE = 0.4;

/** Makes case `n` of a seed; the same for the same numbers. */
export function makeCase(material: Material, seed: number, n: number): { mutation: string; situation: Situation } {
  const names = Object.keys(MUTATIONS);
  const mutation = names[n % names.length]!;
  for (let attempt = 0; attempt < 200; attempt++) {
    const random = new Random(seed * 1_000_003 + n * 1009 + attempt);
    const change = random.pick(material.changes);
    const folder = change.path.slice(0, change.path.lastIndexOf('/'));
    const others = random.shuffled([...material.files.keys()].filter((f) => f !== change.path && /\.[ch]$/.test(f)));
    const near = others.filter((f) => f.startsWith(folder)).slice(0, 2);
    const chosen = new Set([...near, ...others].slice(0, COMPANY));
    const base = copyOf(
      new Map([
        [change.path, material.files.get(change.path)!],
        ...[...chosen].sort().map((f) => [f, material.files.get(f)!] as const),
      ]),
    );
    const situation = new Situation(random, base, change);
    if (!MUTATIONS[mutation]!(situation)) continue;
    if (random.chance(NOISE)) makeNoise(situation);
    return { mutation, situation };
  }
  throw new Error(`no case for '${mutation}'`);
}

/** Ports the set's change to the mutated kernel. */
export async function portCase(material: Material, seed: number, n: number) {
  const { mutation, situation } = makeCase(material, seed, n);
  const { base, target, change } = situation;
  const texts = textsOf(base);
  const after = { [change.path]: withChange(base.get(change.path)!, change) };
  const ported = await runPipeline({
    set: setOf(texts, after),
    base: memoryTree('v4.18', texts),
    target: memoryTree('v5.10', textsOf(target)),
    between: null,
    scratch: withoutGit(after),
    knowledge: {},
    cache: null,
    markers: false,
    generate: true,
    only: null,
    progress: () => undefined,
  });
  return { mutation, situation, patch: ported.patches[0]!, judge: new Judge(change.path, base, target) };
}

/** Ports one case and judges every edit. */
export async function runCase(material: Material, seed: number, n: number): Promise<Judged[]> {
  const { mutation, situation, patch, judge } = await portCase(material, seed, n);
  const { traces, hunks } = patch;
  const reports = new Map(hunks.flatMap((h) => h.edits.map((e) => [e.id, e])));
  return traces.map((trace) => ({
    case: n,
    mutation,
    path: situation.change.path,
    edit: trace.id!,
    kind: trace.edit.kind,
    definition: trace.placements[0]?.definition ?? null,
    outcome: trace.outcome,
    confidence: reports.get(trace.id!)?.confidence ?? 0,
    verdict: judge.judge(trace),
    said: said(trace),
    stale: staleWord(trace, situation.renamed),
  }));
}

function said(trace: EditTrace): string {
  if (trace.failure) return trace.failure.reason;
  return trace.placements
    .map(
      (p) =>
        `${p.file.path}:${p.segments.map((s) => s.site.at + 1).join()} ${p.evidence.map((e) => e.text).join('; ')}`,
    )
    .join(' | ');
}

function staleWord(trace: EditTrace, renamed: readonly string[]): string | null {
  const added = trace.placements.flatMap((p) => p.segments.flatMap((s) => s.added)).join('');
  return renamed.find((w) => new RegExp(`\\b${w}\\b`).test(added)) ?? null;
}
