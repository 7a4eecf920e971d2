import type { Evidence } from '../core/outcome';
import type { FileChange, Patch } from '../core/patch';
import { splitLines, stripComments, tokens, type ByteString } from '../core/text';
import { namesAdded } from './adapt';
import { arraysDeclared } from './macro-texts';
import type { PortContext } from './context';
import type { FileHeir } from './heirs';
import { liftEdits, type Edit } from './lift';
import { PLACE_AT, scopeOf, type Placed } from './place';
import { portEdit, type EditResult } from './port-edit';
import { lost, matches, signatureOf, telling, type Lifted } from './reference-match';
import { crossing, samePlace, sayPlace } from './reference-place';
import { instruction, registersNeeded } from './registers';
import { sameVariable } from './reference-variable';
import type { FilesAfter } from './source';
import { definitionAt, type PorterFile } from './view';

/** An edit of the reference, with the file that it was understood in. */
interface ReferenceEdit extends Lifted {
  path: ByteString;
  text: ByteString;
  mode: string;
}

/** What makes a reference out of a second set. */
export interface ReferenceInput {
  /** Name of the set, and version of its base. */
  name: string;
  version: string;
  /** Its base is fewer releases from the target than that of the set being ported. */
  nearer: boolean;
  /** Patches of the set being ported. */
  ported: readonly Patch[];
  /** The reference's own base, heirs and names, and the target of the port. */
  context: PortContext;
  /** Names that the reference defines itself, as the adapter of that context knows them; filled when it is opened. */
  own: Set<string>;
  /** Arrays that it declares. */
  arrays: Set<string>;
}

/** A place that the reference contradicts is no surer than this, and its own must be as sure to count. */
const DISPUTED = 0.75;
/** What is taken from the reference is another text than the set's. */
const TAKEN = 0.85;
/** A second set that says the same adds this much … */
const AGREED = 0.1;
/** … up to this. */
const AGREED_AT_MOST = 0.95;

/**
 * A second set of the family, made for another kernel: what its authors made of an edit there may be nearer to the target
 * than the edit itself. It is another source for edits without a place, and a witness for those with one.
 */
export class Reference {
  private readonly edits = new Map<ByteString, ReferenceEdit[]>();
  /** The change that an edit of the reference was made for: it is made once. */
  private readonly taken = new Map<ReferenceEdit, FileChange>();
  /** Names that the reference defines and the set being ported does not know. */
  private readonly strange = new Set<string>();
  private readonly added = new Map<FileChange, ReadonlySet<string>>();

  private constructor(private readonly input: ReferenceInput) {}

  /** Reads the patches of a reference; `steps` are its own base after each of them. */
  static async open(steps: readonly { patch: Patch; files: FilesAfter }[], input: ReferenceInput): Promise<Reference> {
    const reference = new Reference(input);
    const { base, patched } = input.context;
    for (const { patch, files } of steps) {
      for (const [path, file] of files) patched.set(path, file);
      for (const name of await namesAdded(base, patched, files.keys())) {
        input.own.add(name);
        reference.strange.add(name);
      }
      for (const name of await arraysDeclared(patched, files.keys())) input.arrays.add(name);
      for (const change of patch.changes) await reference.read(change);
      for (const [path, file] of files) base.set(path, file);
    }
    for (const patch of input.ported) {
      for (const change of patch.changes) {
        const lines = change.hunks.map((h) => h.lines.filter((l) => l[0] === '+').map((l) => l.slice(1)));
        for (const word of tokens(lines.flat().join(''))) reference.strange.delete(word);
        if (change.status === 'added') continue;
        const keys = lines.flatMap((l) => telling(l, reference.rename));
        reference.added.set(change, new Set(keys));
      }
    }
    return reference;
  }

  private readonly rename = (word: string): string => this.input.context.heirs.rename(word);

  private async read(change: FileChange): Promise<void> {
    if (change.oldPath === null || change.hunks.length === 0 || change.binary !== null) return;
    const { base } = this.input.context;
    const file = await base.file(change.oldPath);
    if (!file) return;
    const { path, text, mode } = file;
    const own = this.edits.get(path) ?? [];
    for (const edit of liftEdits(file.lines, change.hunks, file.index.language)) {
      own.push({ edit, path, text, mode, ...signatureOf(edit, file, this.rename) });
    }
    this.edits.set(path, own);
  }

  /**
   * Holds the edits of one file against the reference, `results` being what became of them: an edit without a place, or with
   * an unsure one, gets the reference's version of it where that has a place, and the others their witness.
   */
  async consult(
    results: readonly EditResult[],
    base: PorterFile,
    change: FileChange,
    fileHeirs: readonly FileHeir[],
    context: PortContext,
  ): Promise<void> {
    if (change.status !== 'modified') return;
    const open = results.filter((r) => !r.resolved && !r.made);
    const paths = new Set(fileHeirs.map((h) => h.path));
    for (const r of open.filter((x) => x.outcome === 'conflict')) {
      const scope = scopeOf(base, r.edit.segments[0]!);
      for (const heir of scope ? await context.heirs.definitions(base.path, scope) : []) paths.add(heir.path);
    }
    const theirs = this.editsOf(base.path, paths, change).filter((r) => (this.taken.get(r) ?? change) === change);
    if (theirs.length === 0) return;
    for (const r of theirs) this.taken.delete(r);
    const mine = open.map((r) => ({ ...signatureOf(r.edit, base, (w) => context.heirs.rename(w)), edit: r.edit, r }));
    const pairs = matches(mine, theirs);
    const round: Round = { path: base.path, change, results, mine, theirs, pairs };
    for (const [own, their] of pairs) if (isNew(own.r)) await this.witness(own, their, round);
    for (const [own, their] of pairs) {
      const isLeft = own.r.outcome === 'conflict' || own.r.outcome === 'obsolete';
      if (isLeft && !own.r.twin) await this.replace(own, their, round);
    }
    const paired = new Set(pairs.values());
    for (const their of theirs)
      if (their.edit.wraps && !paired.has(their)) await this.gather(their, base, round, context);
  }

  /** Edits of the reference in a file, in those that became one with it, and in others those that no other change has. */
  private editsOf(path: ByteString, paths: ReadonlySet<ByteString>, change: FileChange): ReferenceEdit[] {
    const others = [...this.added].flatMap(([c, keys]) => (c === change ? [] : [keys]));
    return [...this.edits].flatMap(([own, edits]) => {
      if (own === path) return edits;
      if (!this.input.context.heirs.files(own).some((h) => paths.has(h.path))) return [];
      return edits.filter((e) => ![...e.keys].some((k) => others.some((keys) => keys.has(k))));
    });
  }

  /** Ports an edit of the reference to the target as it is now. */
  private async port(their: ReferenceEdit): Promise<EditResult> {
    const { context } = this.input;
    const { path, text, mode } = their;
    // The base as it was when its patch came: the views have moved on since.
    if ((await context.base.text(path)) !== text) context.base.set(path, { text, mode });
    const base = (await context.base.file(path))!;
    return portEdit(their.edit, base, context.heirs.files(path), context);
  }

  /** Lets the reference say whether an edit that has a place has it where the reference's version of it goes. */
  private async witness(own: Own, their: ReferenceEdit, round: Round): Promise<void> {
    const { r } = own;
    const ported = await this.port(their);
    const sure = confidenceOf(r);
    const other = confidenceOf(ported);
    if (ported.placements.length === 0 || other < PLACE_AT) return;
    const places = { own: r.placements.map(sayPlace).join(', '), other: ported.placements.map(sayPlace).join(', ') };
    const verdict = samePlace(r.placements, ported.placements);
    const doubted = hasDoubts(r) && !hasDoubts(ported);
    // Its authors moved it themselves, or found words that the target takes; of a place that is as good nothing is gained.
    const moved = own.scope !== their.scope || round.path !== their.path;
    const better = verdict === 'elsewhere' ? moved && other >= sure : sure <= DISPUTED && other > sure;
    if (this.input.nearer && better && other >= DISPUTED && (verdict !== 'same' || doubted) && isNew(ported)) {
      const gone = lost(own.all, their.all);
      if (gone.length === 0 && this.unfit(own, their, ported, round) === null)
        return this.take(own, their, ported, round, `the set's own would go to ${places.own}`);
    }
    if (verdict === 'same') {
      const text = `the version of ${this.title} goes to the same place`;
      for (const p of r.placements) {
        p.evidence.push({ kind: 'reference-agrees', text });
        p.confidence = Math.max(p.confidence, Math.min(AGREED_AT_MOST, round2(p.confidence + AGREED)));
      }
    } else if (verdict === 'elsewhere' && other >= DISPUTED) {
      const text = `the version of ${this.title} goes to ${places.other} instead`;
      for (const p of r.placements) {
        p.evidence.push({ kind: 'reference-differs', text });
        p.confidence = Math.min(p.confidence, DISPUTED);
      }
    }
  }

  /** Takes the reference's version of an edit that has no place, if that has one. */
  private async replace(own: Own, their: ReferenceEdit, round: Round): Promise<void> {
    const ported = await this.port(their);
    const { failure } = own.r;
    if (confidenceOf(ported) < PLACE_AT || !isNew(ported)) return;
    const unfit = this.unfit(own, their, ported, round);
    if (unfit === null) {
      const why = failure ? `the set's own has no place: ${failure.reason}` : `the set's own has no place`;
      return this.take(own, their, ported, round, why);
    }
    const text = `the version of ${this.title} would go to ${ported.placements.map(sayPlace).join(', ')}, but ${unfit}`;
    failure?.evidence.push({ kind: 'reference-unfit', text });
  }

  /** Takes one edit of the reference for all those of the set that guard out what became of one variable. */
  private async gather(their: ReferenceEdit, base: PorterFile, round: Round, context: PortContext): Promise<void> {
    const wrapped = (of: { lines: readonly ByteString[] }, { wraps }: Edit) =>
      wraps ? of.lines.slice(wraps.first, wraps.last + 1) : [];
    const has = ({ kernel }: PortContext['base'], w: string) =>
      kernel.definitions(w).length + kernel.members(w).length > 0;
    const isGone = (w: string) => has(context.base, w) && !has(context.target, context.heirs.rename(w));
    const group = sameVariable(
      round.mine.map((m) => ({ edit: m, wrapped: wrapped(base, m.edit) })),
      { edit: their, wrapped: wrapped({ lines: splitLines(their.text) }, their.edit) },
      { rename: context.heirs.rename.bind(context.heirs), isGone },
    ).map((w) => w.edit as Own);
    const [own, ...others] = group;
    if (!own || group.some((m) => m.r.outcome !== 'conflict' || m.r.twin)) return;
    const ported = await this.port(their);
    if (confidenceOf(ported) < PLACE_AT || !isNew(ported) || this.unfit(own, their, ported, round, others)) return;
    this.take(own, their, ported, round, 'it is all that is left of what the set guards out there', others);
  }

  /** Edits of the set without a place whose lines the reference has in one edit with those of another. */
  private served(own: Own, their: ReferenceEdit, round: Round): Own[] {
    return round.mine.filter(
      (m) =>
        m !== own &&
        m.r.outcome === 'conflict' &&
        !m.r.twin &&
        m.kind === 'added' &&
        their.kind === 'added' &&
        m.keys.size > 0 &&
        [...m.keys].every((k) => their.keys.has(k)),
    );
  }

  /** Why the reference's version of an edit cannot stand for it in the target; null when it can. */
  private unfit(
    own: Own,
    their: ReferenceEdit,
    ported: EditResult,
    round: Round,
    served = this.served(own, their, round),
  ): string | null {
    if (this.taken.has(their)) return 'another edit has it already';
    const { context } = this.input;
    const added = their.edit.segments.flatMap((s) => s.added).map((l) => stripComments(l));
    for (const word of new Set(tokens(added.join('\n')))) {
      if (!this.strange.has(word.replace(/^CONFIG_/, ''))) continue;
      const { kernel } = context.target;
      if (kernel.definitions(word).length || kernel.members(word).length) continue;
      return `it needs '${word}', which only '${this.input.name}' defines`;
    }
    const serves = new Set([own, ...served]);
    const covered = new Set([...serves].flatMap((s) => [...s.keys]));
    const extra = [...their.keys].filter((k) => !covered.has(k));
    // What it holds beside the edit may be in another edit of the set: made twice, it would be there twice.
    if (their.kind === 'added') {
      const twice =
        round.mine.some((m) => !serves.has(m) && m.kind === 'added' && extra.some((k) => m.keys.has(k))) ||
        [...this.added].some(([c, keys]) => c !== round.change && extra.some((k) => keys.has(k)));
      if (twice) return 'it holds lines of another edit of the set';
    }
    const missing = [...own.keys].filter((k) => !their.keys.has(k));
    const rest = round.theirs.some((t) => t !== their && t.kind === own.kind && missing.some((k) => t.keys.has(k)));
    if (rest) return `'${this.input.name}' has the rest of it in another edit`;
    if (lost(own.removed, their.removed).length || lost(their.removed, own.removed).length)
      return 'it does not take away the same lines';
    // Two sets may cut one change differently: then the halves of both do not make a whole.
    const beside = <T extends Lifted>(list: readonly T[], of: Lifted) =>
      list.filter((x) => x !== of && x.scope === of.scope && of.scope !== null);
    const differs = (a: Lifted, b: Lifted, list: readonly Lifted[]) =>
      [...a.all].some((k) => !b.all.has(k) && list.some((x) => x.all.has(k)));
    if (
      differs(
        their,
        own,
        beside(round.mine, own).filter((m) => !serves.has(m)),
      ) ||
      differs(own, their, beside(round.theirs, their))
    )
      return `the two sets divide it into edits in two ways`;
    const lostValue = overwrittenThere(their, beside(round.theirs, their), ported);
    if (lostValue)
      return `it reads ${lostValue.register}, and does not take out '${lostValue.by}' as '${this.input.name}' does`;
    const others = round.results.filter((r) => r !== own.r && r.outcome !== 'already-upstream');
    const crossed = crossing(
      ported.placements,
      others.flatMap((r) => r.placements),
    );
    return crossed === null ? null : `another edit of the set is at ${crossed}`;
  }

  private take(
    own: Own,
    their: ReferenceEdit,
    ported: EditResult,
    round: Round,
    why: string,
    serves = this.served(own, their, round),
  ): void {
    const { r } = own;
    const order = r.edit.segments[0]!.order;
    const text = `ported from ${this.title}${this.input.nearer ? ', whose version of it is nearer' : ''}: ${why}`;
    const evidence: Evidence[] = [{ kind: 'reference', text }];
    const gone = lost(own.all, their.all).map((l) => `'${l}'`);
    if (gone.length) {
      const most = gone.slice(0, 3).join(', ') + (gone.length > 3 ? ` and ${gone.length - 3} lines more` : '');
      evidence.push({ kind: 'doubt', text: `the version of ${this.title} does not have ${most}` });
    }
    r.placements = ported.placements.map((p): Placed => {
      // They stand where the set's edit would stand among its others.
      const segments = p.segments.map((s, i) => ({
        ...s,
        segment: { ...s.segment, hunk: r.edit.hunks[0]!, order: order + (i + 1) / (p.segments.length + 1) },
      }));
      const confidence = Math.min(p.confidence, gone.length ? DISPUTED : TAKEN);
      return {
        ...p,
        segments,
        strategy: 'reference',
        confidence,
        evidence: [...evidence, ...p.evidence],
        rewritten: true,
      };
    });
    r.outcome = 'rewritten';
    r.failure = null;
    this.taken.set(their, round.change);
    for (const m of serves) {
      const together = `ported from ${this.title}, which has it in one edit with hunk ${r.edit.hunks[0]!.id}`;
      m.r.twin = { of: r, evidence: [{ kind: 'reference', text: together }] };
      m.r.outcome = 'rewritten';
      m.r.failure = null;
      m.r.placements = [];
    }
  }

  private get title(): string {
    return `'${this.input.name}' (${this.input.version})`;
  }
}

type Own = Lifted & { r: EditResult };

interface Round {
  /** The base file that the edits are in. */
  path: ByteString;
  change: FileChange;
  results: readonly EditResult[];
  mine: readonly Own[];
  theirs: readonly ReferenceEdit[];
  pairs: ReadonlyMap<Own, ReferenceEdit>;
}

/** True when the target does not have it yet. */
function isNew(r: EditResult): boolean {
  return r.placements.length > 0 && r.outcome !== 'already-upstream';
}

function hasDoubts(r: EditResult): boolean {
  return r.placements.some((p) => p.evidence.some((e) => e.kind === 'doubt'));
}

function confidenceOf(r: EditResult): number {
  return r.placements.length ? Math.min(...r.placements.map((p) => p.confidence)) : 0;
}

function round2(n: number): number {
  return Math.round(n * 100) / 100;
}

/**
 * A register that assembly of the reference takes a value from, and that a line of the target overwrites: one that the
 * reference takes out above it, by another edit, which does not come along.
 */
function overwrittenThere(
  their: ReferenceEdit,
  beside: readonly ReferenceEdit[],
  ported: EditResult,
): { register: string; by: ByteString } | null {
  const needs = registersNeeded(their.edit.segments.flatMap((s) => s.added));
  const at = their.edit.segments[0]!.at;
  const out = beside.flatMap(({ edit }) => edit.segments.filter((s) => s.at < at).flatMap((s) => s.removed));
  for (const line of out) {
    const [register] = (instruction(line)?.writes ?? []).filter((r) => needs.has(r));
    const by = line.trim();
    const isThere = ported.placements.some((p) => {
      const { at: place } = p.segments[0]!.site;
      const start = definitionAt(p.file, place)?.startLine ?? place;
      return p.file.lines.slice(start, place).some((l) => squeezed(l) === squeezed(by));
    });
    if (register !== undefined && isThere) return { register, by };
  }
  return null;
}

const squeezed = (line: ByteString) => line.trim().replace(/\s+/g, ' ');
