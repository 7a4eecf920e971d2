import type { Evidence } from '../core/outcome';
import { isGrave } from '../verify/checks/compile';
import type { Diagnostic } from '../verify/diagnostics';
import { alternativesFor, type Offer, type Sight } from './alternatives';
import { unitOf, type Compiler, type Option } from './compiler';
import type { LineEdit } from './drafts';

/** One way of speech that the compiler takes instead of another. */
export interface Change {
  option: Option;
  /** What the compiler said before. */
  diagnostic: Diagnostic;
  edits: LineEdit[];
  evidence: Evidence;
  unhides: boolean;
  /** The hunk that wrote what the compiler complained of. */
  hunk: string | null;
}

/** Errors with the option on and off; null where nothing can be built. */
export type Counts = Record<Option, number | null>;

/** What repair came to. */
export interface Repaired {
  before: Counts;
  after: Counts;
  changes: Change[];
  /** Alternatives that were compiled. */
  tried: number;
}

/** Times that all errors are gone through: what one change brings to light, the next may mend. */
const ROUNDS = 6;

/**
 * Tries what the symbol map offers for the names that the compiler does not take, and keeps what leaves fewer errors. In the
 * end the whole is built again: unless the errors of both configurations together are fewer than at first, and none of the
 * two has more, changes are given up, the last ones first.
 */
export async function repair(
  sight: Sight,
  compiler: Compiler,
  progress: (stage: string) => void = () => undefined,
): Promise<Repaired> {
  const work = new Work(sight, compiler, progress);
  const before = await work.count();
  for (let round = 0; round < ROUNDS; round++) {
    let found = false;
    for (const option of ['on', 'off'] as const) found = (await work.round(option)) || found;
    if (!found) break;
  }
  let after = work.changes.length ? await work.count() : before;
  while (work.changes.length && !isBetter(before, after)) {
    await work.giveUp(work.changes.findLast((c) => c.unhides) ?? work.changes[work.changes.length - 1]!);
    after = await work.count();
  }
  return { before, after, changes: work.changes, tried: work.tried };
}

function isBetter(before: Counts, after: Counts): boolean {
  const sum = (c: Counts) => (c.on ?? 0) + (c.off ?? 0);
  const more = (['on', 'off'] as const).some((o) => (after[o] ?? Infinity) > (before[o] ?? Infinity));
  return !more && sum(after) < sum(before);
}

/** Takes changes out of a repair and says how it stands without them: for whoever has something against them. */
export async function without(
  repaired: Repaired,
  unwanted: readonly Change[],
  sight: Sight,
  compiler: Compiler,
): Promise<Repaired> {
  const work = new Work(sight, compiler, () => undefined);
  work.changes.push(...repaired.changes);
  for (const change of unwanted) await work.giveUp(change);
  let after = work.changes.length ? await work.count() : repaired.before;
  // What is left may have been good only together with what is not.
  while (work.changes.length && !isBetter(repaired.before, after)) {
    await work.giveUp(work.changes[work.changes.length - 1]!);
    after = work.changes.length ? await work.count() : repaired.before;
  }
  return { ...repaired, after, changes: work.changes };
}

class Work {
  readonly changes: Change[] = [];
  tried = 0;
  private readonly asked = new Set<string>();

  constructor(
    private readonly sight: Sight,
    private readonly compiler: Compiler,
    private readonly progress: (stage: string) => void,
  ) {}

  async count(): Promise<Counts> {
    const of = async (option: Option) =>
      (await this.compiler.diagnostics(option, null))?.filter(isError).length ?? null;
    return { on: await of('on'), off: await of('off') };
  }

  /** Goes through all errors of one configuration. True when something was changed. */
  async round(option: Option): Promise<boolean> {
    // The compiler's order is that in which its processes ended.
    let errors = (await this.compiler.diagnostics(option, null))?.filter(isError).sort(byPlace);
    if (!errors) return false;
    let changed = false;
    for (const cause of new Set(errors.map((d) => d.cause))) {
      const same = errors.filter((d) => d.cause === cause);
      for (const alternative of await this.alternatives(same, option)) {
        const asked = `${option}|${cause}|${alternative.key}`;
        if (this.asked.has(asked)) continue;
        this.asked.add(asked);
        const left = await this.attempt(alternative, errors, option);
        if (!left) continue;
        errors = left;
        changed = true;
        break;
      }
    }
    return changed;
  }

  /** The alternatives for errors of one cause: one alternative for all places that can be said in its way. */
  private async alternatives(same: readonly Diagnostic[], option: Option): Promise<(Offer & { of: Diagnostic })[]> {
    const found = new Map<string, Offer & { of: Diagnostic }>();
    for (const d of same) {
      for (const a of await alternativesFor(d, option, this.sight)) {
        const known = found.get(a.key);
        if (!known) found.set(a.key, { ...a, edits: [...a.edits], of: d });
        else known.edits.push(...a.edits.filter((e) => !known.edits.some((k) => k.path === e.path && k.at === e.at)));
      }
    }
    return [...found.values()];
  }

  /** Compiles the sources with the alternative. Gives the errors that are left when it is kept, else null. */
  private async attempt(
    a: Offer & { of: Diagnostic },
    errors: Diagnostic[],
    option: Option,
  ): Promise<Diagnostic[] | null> {
    this.progress(`repair, option ${option}: ${a.evidence.text}`);
    this.tried++;
    const paths = new Set(a.edits.map((e) => e.path));
    const units = [...new Set(errors.filter((d) => d.cause === a.of.cause).map(unitOf))].filter((u) => u !== null);
    const undo = this.sight.drafts.make(a.edits);
    await this.write(paths);
    const said = (await this.compiler.diagnostics(option, units)) ?? [];
    const left = said.filter(isError);
    const before = errors.filter((d) => units.includes(unitOf(d) ?? ''));
    const ofCause = (list: readonly Diagnostic[]) => list.filter((d) => d.cause === a.of.cause).length;
    const fewer = a.unhides ? ofCause(left) < ofCause(before) : left.length < before.length;
    if (fewer && !(await this.warned(said, a.edits))) {
      const { edits, evidence, unhides, hunk } = a;
      this.changes.push({ option, diagnostic: a.of, edits, evidence, unhides, hunk });
      return [...errors.filter((d) => !before.includes(d)), ...left];
    }
    this.sight.drafts.make(undo);
    await this.write(paths);
    return null;
  }

  /** A warning on a changed line that means broken code. */
  private async warned(said: readonly Diagnostic[], edits: readonly LineEdit[]): Promise<boolean> {
    for (const d of said) {
      if (d.severity !== 'warning' || d.path === null || d.line === null || !isGrave(d.text)) continue;
      const at = edits.some((e) => e.path === d.path) ? await this.sight.drafts.lineOf(d.path, d.line) : null;
      if (edits.some((e) => e.path === d.path && e.at === at)) return true;
    }
    return false;
  }

  /** Takes a change back, and later ones of the same lines, which were made on top of it. */
  async giveUp(change: Change): Promise<void> {
    const at = this.changes.indexOf(change);
    if (at < 0) return;
    const lines = new Set(change.edits.map((e) => `${e.path}:${e.at}`));
    const gone = this.changes.filter(
      (c, i) => i >= at && (c === change || c.edits.some((e) => lines.has(`${e.path}:${e.at}`))),
    );
    const paths = new Set(gone.flatMap((c) => c.edits.map((e) => e.path)));
    for (const path of paths) {
      const port = (await this.sight.drafts.port(path))!;
      this.sight.drafts.make(port.map((to, i) => ({ path, at: i, to })));
    }
    for (const c of gone) this.changes.splice(this.changes.indexOf(c), 1);
    for (const c of this.changes) this.sight.drafts.make(c.edits.filter((e) => paths.has(e.path)));
    await this.write(paths);
  }

  private async write(paths: ReadonlySet<string>): Promise<void> {
    for (const path of paths) await this.compiler.write(path, this.sight.drafts.text(path));
  }
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  const order = (x: string, y: string) => (x < y ? -1 : x > y ? 1 : 0);
  return order(a.path ?? '', b.path ?? '') || (a.line ?? 0) - (b.line ?? 0) || order(a.text, b.text);
}

function isError(d: Diagnostic): boolean {
  return d.severity === 'error';
}
