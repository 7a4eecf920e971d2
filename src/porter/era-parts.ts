import { posix } from 'node:path';
import type { Evidence, Location, Outcome } from '../core/outcome';
import type { ByteString } from '../core/text';
import {
  hostCallName,
  hostEntry,
  hostEntryName,
  hostHeader,
  hostHeaderName,
  hostHeaderPath,
  withCalls,
  withDeclarations,
  withSymbols,
} from '../hypercall-gen/carried';
import { addAlias, addInclude, addObjects, callDispatcher, objectsIn } from '../hypercall-gen/entries';
import type { EraChange } from '../hypercall-gen/era-parts';
import type { PortContext } from './context';
import { keptByHost, withoutObjects, type ListedTwice } from './el2-lists';
import { kernelCalls } from './kernel-calls';
import type { Edit } from './lift';
import type { EditResult } from './port-edit';
import type { PortedPatch } from './port';
import type { PorterFile, View } from './view';

/** What generation gave for an edit, in place of a placement. */
export interface Made {
  strategy: string;
  confidence: number;
  target: Location[];
  evidence: Evidence[];
}

/** Evidence that the object decides where code goes. */
const PLACED_BY_OBJECT = 'section-of-object';

/** How sure generated code is: it does what the set's did, in other words. */
const GENERATED = 0.8;

/**
 * Puts generated code in the place of what a set has for the era of its base: the way of a hypercall from the host into
 * the dispatcher, and what an nVHE object needs. One for a whole set.
 */
export class EraParts {
  private readonly evidence: Evidence[];
  /** Where the host's calls come in now; its line is known when the call is made. */
  private entry: Location | null = null;
  private isMade = false;
  /** Objects that are in the list of the nVHE object and in one of the host's. */
  private readonly twice: ListedTwice[] = [];

  constructor(private readonly change: EraChange) {
    const { from, to } = change;
    this.evidence = [
      { kind: 'era', text: `the target calls EL2 in another way than the base: '${to.kind}', not '${from.kind}'` },
      ...to.evidence.map((text) => ({ kind: 'era', text })),
    ];
  }

  /** Where the nVHE object is listed, and which sources of the set are for EL2. */
  get el2(): { makefile: ByteString | null; sources: ReadonlySet<ByteString> } {
    return { makefile: this.change.to.nvheMakefile, sources: this.change.el2Sources };
  }

  /**
   * Edits of assembly that belong to the way of a host into EL2, when the target's host comes in elsewhere: that way is
   * generated for calls, and has to be made by hand for whatever else comes along it.
   */
  async verdicts(
    edits: readonly Edit[],
    base: PorterFile,
    target: PorterFile | null,
    context: PortContext,
  ): Promise<Map<Edit, EditResult>> {
    const verdicts = new Map<Edit, EditResult>();
    const { to, table, own } = this.change;
    const { dispatcher } = table.interface;
    const from = dispatcher?.calledFrom.some((c) => c.how === 'assembly' && c.path === base.path) ?? false;
    if (to.kind !== 'smccc' || to.hypMain === null || !from || !target) return verdicts;
    // What the base's file reads to tell who it was, and the target's does not.
    const asked = new Set(base.lines.flatMap((l) => READS.exec(l)?.[1] ?? []));
    for (const register of asked) if (new RegExp(`\\b${register}\\b`).test(target.text)) asked.delete(register);
    const says = (edit: Edit, outcome: Outcome, reason: string | null, made?: Made) =>
      verdicts.set(edit, {
        ...{ edit, placements: [], outcome },
        failure:
          reason === null
            ? null
            : { placed: false, reason, evidence: [...this.evidence, { kind: 'era', text: reason }], candidate: null },
        ...(made && { made }),
      });
    const added = (edit: Edit) => edit.segments.flatMap((s) => s.added);
    const macros = macroCalls(edits.flatMap(added));
    const callees = (edit: Edit) =>
      added(edit).flatMap((l) => /^\s*bl?\s+(\w+)/.exec(l)?.[1] ?? macros.get(/^\s*(\w+)/.exec(l)?.[1] ?? '') ?? []);
    const replaced = (edit: Edit) => [
      ...(edit.wraps ? base.lines.slice(edit.wraps.first, edit.wraps.last + 1) : []),
      ...edit.segments.flatMap((s) => s.removed),
    ];
    const answered = new Set(table.asmCalls.map((c) => c.name));
    const reads = (lines: readonly ByteString[]) => lines.map((l) => READS.exec(l)?.[1]).find((r) => r && asked.has(r));
    const answers = (edit: Edit) =>
      added(edit)
        .flatMap((l) => COMPARED.exec(l)?.[1] ?? [])
        .find((name) => answered.has(name));
    const dead = new Set<string>();
    for (const edit of edits) {
      const called = callees(edit).filter((name) => own.has(name));
      const isOnlyCall = called.includes(dispatcher!.name) && called.every((name) => name === dispatcher!.name);
      if (isOnlyCall && answers(edit) === undefined) {
        const obstacle = await this.obstacle(replaced(edit), context);
        if (obstacle !== null) {
          says(edit, 'conflict', obstacle);
          continue;
        }
        this.entry = { path: to.hypMain, definition: null, line: 1 };
        const glue = `the call of '${dispatcher!.name}' is generated, in C: '${to.hypMain}' makes it, and no assembly does`;
        const made = this.made([this.entry]);
        says(edit, 'generated', null, { ...made, evidence: [...made.evidence, { kind: 'generated', text: glue }] });
        continue;
      }
      if (called.includes(dispatcher!.name) && !isOnlyCall) {
        const others = called.filter((name) => name !== dispatcher!.name).map((name) => `'${name}'`);
        const reason = `calls of '${dispatcher!.name}' come from '${to.hypMain}' now; those of ${others.join(', ')} have no place`;
        says(edit, 'conflict', reason);
        continue;
      }
      const register = reads(added(edit)) ?? reads(replaced(edit));
      if (register) {
        for (const l of added(edit)) for (const m of l.matchAll(BRANCH)) dead.add((m[1] ?? m[2] ?? m[3])!);
        const names = [...new Set(called)].map((name) => `'${name}'`).join(', ');
        const rest = names
          ? `hosts come to '${to.hypMain}', which has to call ${names}`
          : 'what is for the host has to go elsewhere';
        says(edit, 'conflict', `only guests come here in the target, which does not ask '${register}': ${rest}`);
        continue;
      }
      const number = answers(edit);
      if (number !== undefined) {
        const reason = `assembly answers '${number}' here, where only guests come in the target: '${to.hypMain}' has to`;
        says(edit, 'conflict', reason);
        continue;
      }
      const before = edit.segments.map((s) => reads(base.lines.slice(Math.max(0, s.at - 1), s.at)));
      if (called.length === 0 && before.every((r) => r !== undefined)) {
        says(edit, 'obsolete', `the target does not ask '${before[0]!}' here: the host comes in elsewhere`);
      }
    }
    // What only a way that is gone leads to.
    for (const edit of edits) {
      const labels = added(edit).flatMap((l) => /^(\w+):/.exec(l)?.[1] ?? []);
      if (verdicts.has(edit) || !labels.some((l) => dead.has(l))) continue;
      says(edit, 'conflict', 'only guests come here in the target: the way of the host that leads to it is gone');
    }
    return verdicts;
  }

  /** Why the call of the set's dispatcher cannot be made in C, and with it what the base's assembly did. */
  private async obstacle(replaced: readonly ByteString[], context: PortContext): Promise<string | null> {
    const { to, table } = this.change;
    const { dispatcher, option } = table.interface;
    const main = await context.target.text(to.hypMain!);
    if (main === null || callDispatcher(main, hostEntryName(this.change), option, dispatcher!.replaces) === null)
      return `no place for the call of '${dispatcher!.name}' was found in '${to.hypMain!}'`;
    const file = dispatcher!.place ? await context.patched.file(dispatcher!.place.path) : null;
    const found = file?.index.definitions.find((d) => d.kind === 'function' && d.name === dispatcher!.name);
    if (!file || !found) return null;
    const entry = hostEntry(file.text, found, this.change);
    if (!entry) return `'${dispatcher!.name}' takes its registers in a way that '${to.hypMain!}' cannot give them`;
    // What the set takes out without a guard is not told by the files that it leaves.
    const isCode = (l: ByteString) => l.trim() !== '' && !/^\s*(\/?\*|\/\/)/.test(l);
    if (entry.open && !dispatcher!.replaces && replaced.some(isCode))
      return `the set takes the kernel's own way into EL2 out: '${to.hypMain!}' must not keep it`;
    return null;
  }

  /**
   * Says so when all code of a source of the set goes to EL2's text by the object that it becomes part of: then no function
   * of it needs a word for that section. Null where a word has to say it.
   */
  placesAllOf(source: ByteString): Evidence | null {
    if (!this.change.el2Objects.has(source)) return null;
    const text = `'${this.change.to.nvheMakefile!}' links it into an object of which all code goes to EL2's text`;
    return { kind: PLACED_BY_OBJECT, text };
  }

  /** What can only be told behind the last patch. */
  async finish(ported: readonly PortedPatch[], context: PortContext): Promise<void> {
    this.leftOut(ported);
    await this.unanswered(ported, context);
    await this.trimLists(ported, context);
  }

  /** Sources whose code goes to EL2's text by their object, and that no list of it names after all. */
  private leftOut(ported: readonly PortedPatch[]): void {
    const listed = new Set(this.twice.map((t) => t.source));
    for (const file of ported.flatMap((p) => p.files)) {
      if (!file.evidence.some((e) => e.kind === PLACED_BY_OBJECT)) continue;
      if (file.targetPaths.some((p) => listed.has(p))) continue;
      const doubt = 'no list of the nVHE object names it: its code is not in the text of EL2';
      file.message = file.message === null ? doubt : `${file.message}; ${doubt}`;
    }
  }

  /** Objects for EL2 alone leave the host's lists; why others stay in both is said. */
  private async trimLists(ported: readonly PortedPatch[], context: PortContext): Promise<void> {
    const { el2Sources, symbolMacro } = this.change;
    const makefile = this.change.to.nvheMakefile;
    if (makefile === null || this.twice.length === 0) return;
    const files = ported.flatMap((p) => p.files.filter((f) => f.status === 'added'));
    const el2 = new Set(files.flatMap((f) => (el2Sources.has(f.path) ? f.targetPaths.slice(0, 1) : [])));
    const folder = makefile.slice(0, makefile.lastIndexOf('/') + 1);
    const kept = await keptByHost(this.twice, el2, folder, symbolMacro, context);
    for (const path of new Set(this.twice.map((t) => t.makefile))) {
      const own = this.twice.filter((t) => t.makefile === path);
      const alone = new Set(own.filter((t) => !kept.has(t.source)).map((t) => t.object));
      const text = await context.target.text(path);
      const patch = ported.find((p) => p.files.some((f) => f.targetPaths.includes(path)));
      if (text === null || !patch) continue;
      const isListed = (source: ByteString) => this.twice.some((t) => t.source === source);
      const both = own.filter((t) => kept.has(t.source)).map((t) => ({ object: t.object, ...kept.get(t.source)! }));
      const roots = both.filter((b) => !isListed(b.user)).map((b) => `'${b.object}' ('${b.user}' names '${b.name}')`);
      const rest = both.length - roots.length;
      const listed = [...roots, ...(rest ? [`${rest} that objects of the host need`] : [])].join(', ');
      const doubt = both.length ? `the host keeps a copy, with data of its own, of ${listed}` : null;
      if (alone.size === 0) {
        if (doubt !== null) this.say(patch, path, doubt, [], () => false, doubt);
        continue;
      }
      await this.lay(context.target, path, withoutObjects(text, alone));
      const names = [...alone].map((o) => `'${o}'`).join(', ');
      const said = `nothing at EL1 names what these define, and the host's list has them no more: ${names}`;
      this.say(patch, path, said, [], (l) => [...alone].some((o) => l.includes(o)), doubt);
    }
  }

  /** Which calls of KVM nobody answers any more because the set replaces their dispatch. */
  private async unanswered(ported: readonly PortedPatch[], context: PortContext): Promise<void> {
    const { dispatcher, option } = this.change.table.interface;
    if (!this.entry || !this.isMade || !dispatcher!.replaces) return;
    const numbered = new Set([...this.change.to.smccc.keys()].map((n) => n.replace(/^__KVM_HOST_SMCCC_FUNC_/, '')));
    const calls = (await kernelCalls(context.target, option)).filter((c) => numbered.has(c.name));
    if (calls.length === 0) return;
    const athome = new Set((await kernelCalls(context.patched, option)).map((c) => c.name));
    const list = (some: typeof calls) =>
      [...new Set(some.map((c) => c.name))]
        .map((name) => `'${name}' (${some.flatMap((c) => (c.name === name ? `${c.path}:${c.line}` : [])).join(', ')})`)
        .join(', ');
    const on = option === null ? 'with the set' : `with ${option}`;
    const fresh = calls.filter((c) => !athome.has(c.name));
    const old = calls.filter((c) => athome.has(c.name));
    const texts = [
      ...(fresh.length ? [`${on} the host makes calls of KVM that EL2 does not answer: ${list(fresh)}`] : []),
      ...(old.length ? [`${on} EL2 does not answer, as in the set's own kernel: ${list(old)}`] : []),
    ];
    const { path, line } = this.entry;
    for (const hunk of ported.flatMap((p) => p.hunks)) {
      if (hunk.strategy !== 'era' || !hunk.target.some((t) => t.path === path && t.line === line)) continue;
      hunk.evidence = [...hunk.evidence, ...texts.map((text) => ({ kind: 'unanswered-calls', text }))];
      hunk.message = [hunk.message, ...texts].filter((m) => m !== null).join('; ');
    }
  }

  /** Makes what a patch needs, behind its port: in the target, and in what is said of its hunks and files. */
  async join(ported: PortedPatch, context: PortContext): Promise<void> {
    const { target } = context;
    const paths = new Set([
      ...ported.files.flatMap((f) => f.targetPaths),
      ...ported.hunks.flatMap((h) => h.target.map((t) => t.path)),
    ]);
    for (const path of paths) {
      const mode = target.mode(path);
      if (mode === null || !/\.[ch]$|(^|\/)(Makefile|Kbuild)$/.test(path) || !target.changes().has(path)) continue;
      await this.hostCalls(path, ported, context);
      await this.symbols(path, ported, context);
      await this.dispatcher(path, ported, context);
      await this.objects(path, ported, context);
      await this.aliases(path, ported, context);
    }
  }

  private made(target: Location[]): Made {
    return { strategy: 'era', confidence: GENERATED, target, evidence: this.evidence };
  }

  /** Lays a text over a file of the target. */
  private async lay(target: View, path: ByteString, text: ByteString): Promise<void> {
    if ((await target.text(path)) !== text) target.set(path, { text, mode: target.mode(path) ?? '100644' });
  }

  /** Says what was generated of a file, and of those of its hunks that `concerned` names. */
  private say(
    ported: PortedPatch,
    path: ByteString,
    text: string,
    more: readonly ByteString[],
    concerned: (added: ByteString) => boolean,
    doubt: string | null = null,
  ): void {
    const evidence = [...this.evidence, { kind: 'generated', text }];
    const join = (message: string | null) => [message, doubt].filter((m) => m !== null).join('; ') || null;
    const fresh = (old: Evidence[]) => evidence.filter((e) => !old.some((o) => o.text === e.text));
    for (const file of ported.files) {
      if (!file.targetPaths.includes(path)) continue;
      file.evidence = [...file.evidence, ...fresh(file.evidence)];
      file.targetPaths = [...new Set([...file.targetPaths, ...more])];
      const hunks = ported.hunks.filter((h) => h.path === file.path);
      if (file.status === 'added') {
        file.message = join(file.message);
        file.outcome = 'generated';
        continue;
      }
      const change = ported.patch.changes.find((c) => (c.newPath ?? c.oldPath) === file.path);
      for (const hunk of hunks) {
        const lines = change?.hunks.find((h) => h.id === hunk.id)?.lines ?? [];
        const isAdded = lines.some((l) => l.startsWith('+') && concerned(l.slice(1)));
        if (!isAdded || !PLACED_AS_WRITTEN.has(hunk.outcome)) continue;
        hunk.message = join(hunk.message);
        hunk.evidence = [...hunk.evidence, ...fresh(hunk.evidence)];
        hunk.outcome = 'generated';
        hunk.confidence = Math.min(hunk.confidence, GENERATED);
      }
      const outcomes = new Set(hunks.map((h) => h.outcome));
      if (file.outcome !== 'conflict') file.outcome = outcomes.size === 1 ? [...outcomes][0]! : 'mixed';
    }
  }

  private async header(context: PortContext): Promise<ByteString> {
    const path = hostHeaderPath(this.change);
    await this.lay(context.target, path, hostHeader(this.change));
    return path;
  }

  /** Calls by a function that the target has no more. */
  private async hostCalls(path: ByteString, ported: PortedPatch, context: PortContext): Promise<void> {
    const gone = this.change.goneCall;
    const text = await context.target.text(path);
    if (gone === null || !/\.[ch]$/.test(path) || !text?.includes(gone)) return;
    const by = hostCallName(this.change);
    const made = withCalls(text, gone, by);
    if (made === null) return;
    const isOwn = ported.files.some((f) => f.targetPaths.includes(path) && f.status === 'added');
    const option = isOwn ? null : this.change.table.interface.option;
    await this.lay(context.target, path, addInclude(made, hostHeaderName(this.change), option));
    const header = await this.header(context);
    this.say(ported, path, `'${by}' makes the calls that '${gone}' made`, [header], (l) => l.includes(gone));
    if (made.includes(gone)) return;
    // The doubts of the adapter are settled.
    const settled = (m: string | null) =>
      m
        ?.split('; ')
        .filter((d) => !d.includes(`'${gone}'`))
        .join('; ') || null;
    for (const f of ported.files) if (f.targetPaths.includes(path)) f.message = settled(f.message);
    for (const h of ported.hunks) if (h.outcome === 'generated') h.message = settled(h.message);
  }

  /** EL2 data that code of EL1 means. */
  private async symbols(path: ByteString, ported: PortedPatch, context: PortContext): Promise<void> {
    const { el2Data, el2Sources, symbolMacro: macro } = this.change;
    if (macro === null || el2Data.size === 0) return;
    const source = ported.files.find((f) => f.targetPaths.includes(path) && f.status === 'added')?.path;
    if (source === undefined) this.noteData(path, ported, macro);
    if (source === undefined || el2Sources.has(source)) return;
    const file = await context.target.file(path);
    if (!file) return;
    const made = path.endsWith('.h')
      ? withDeclarations(file.text, el2Data, macro)
      : withSymbols(file.text, file.index.definitions, el2Data, macro);
    if (made === null) return;
    await this.lay(context.target, path, made);
    this.say(ported, path, `data of EL2 is that of the nVHE object: '${macro}'`, [], () => false);
  }

  /** Code of the kernel's own files may run at EL1 or at EL2: a person has to say which copy it means. */
  private noteData(path: ByteString, ported: PortedPatch, macro: string): void {
    if (/(^|\/)hyp\//.test(path)) return;
    for (const hunk of ported.hunks.filter((h) => h.target.some((t) => t.path === path))) {
      const lines = ported.patch.changes.flatMap((c) => c.hunks).find((h) => h.id === hunk.id)?.lines ?? [];
      const words = lines
        .filter((l) => l.startsWith('+'))
        .join('')
        .match(/[A-Za-z_]\w*/g);
      for (const name of new Set(words?.filter((w) => this.change.el2Data.has(w)))) {
        const doubt = `uses '${name}', of which EL2 has a copy of its own: '${macro}(${name})' may be meant`;
        if (!hunk.message?.includes(doubt)) hunk.message = hunk.message === null ? doubt : `${hunk.message}; ${doubt}`;
      }
    }
  }

  /** The way from KVM's dispatcher into the set's. */
  private async dispatcher(path: ByteString, ported: PortedPatch, context: PortContext): Promise<void> {
    const { to, table } = this.change;
    const { dispatcher, option } = table.interface;
    const isAssembly = dispatcher?.calledFrom.some((c) => c.how === 'assembly') ?? false;
    if (to.kind !== 'smccc' || to.hypMain === null || !isAssembly || !path.endsWith('.c')) return;
    const source = ported.files.find((f) => f.targetPaths.includes(path))?.path;
    if (source !== dispatcher!.place?.path) return;
    const [file, main] = [await context.target.file(path), await context.target.text(to.hypMain)];
    const found = file?.index.definitions.find((d) => d.kind === 'function' && d.name === dispatcher!.name);
    if (!file || !found || main === null || file.text.includes(hostEntryName(this.change))) return;
    const entry = hostEntry(file.text, found, this.change);
    const hook = entry && callDispatcher(main, hostEntryName(this.change), option, dispatcher!.replaces);
    if (!entry || !hook) return;
    await this.lay(context.target, path, addInclude(entry.text, hostHeaderName(this.change)));
    const called = addInclude(hook, hostHeaderName(this.change), option);
    await this.lay(context.target, to.hypMain, called);
    const header = await this.header(context);
    const line = called.slice(0, called.indexOf(`${hostEntryName(this.change)}(`)).split('\n').length;
    if (this.entry) this.entry.line = line;
    this.isMade = true;
    const doubt =
      entry.open && !dispatcher!.replaces
        ? `KVM answers every number that is not the set's: which of KVM's own calls the host may make was told elsewhere`
        : null;
    const text = `'${hostEntryName(this.change)}' brings calls from '${to.hypMain}' to '${dispatcher!.name}'`;
    this.say(ported, path, text, [to.hypMain, header], (l) => l.includes(dispatcher!.name), doubt);
  }

  /** EL2 files of the set that a list names: into the list of the nVHE object, too. */
  private async objects(path: ByteString, ported: PortedPatch, context: PortContext): Promise<void> {
    const makefile = this.change.to.nvheMakefile;
    const { el2Sources, table } = this.change;
    if (makefile === null || path === makefile || !/(^|\/)(Makefile|Kbuild)$/.test(path)) return;
    const text = (await context.target.text(path)) ?? '';
    const source = ported.files.find((f) => f.targetPaths.includes(path))?.path ?? path;
    const folder = (p: ByteString) => p.slice(0, p.lastIndexOf('/') + 1);
    const listed: string[] = [];
    const twice: ListedTwice[] = [];
    let option: string | null = table.interface.option;
    for (const { stem, option: own } of objectsIn(text)) {
      if (!el2Sources.has(`${folder(source)}${stem}.c`)) continue;
      option = own ?? option;
      listed.push(posix.relative(folder(makefile), `${folder(path)}${stem}.o`));
      twice.push({ makefile: path, object: `${stem}.o`, source: `${folder(path)}${stem}.c` });
    }
    const there = await context.target.text(makefile);
    if (listed.length === 0 || there === null) return;
    const made = addObjects(there, listed, option, /^(hyp|obj|hyp-obj)$/);
    if (made === null || made === there) return;
    await this.lay(context.target, makefile, made);
    this.twice.push(...twice);
    const names = listed.map((o) => posix.basename(o));
    const isEntry = (l: ByteString) => names.some((n) => l.includes(n));
    this.say(
      ported,
      path,
      `EL2 is an object of its own: '${makefile}' lists ${names.length} of these, too`,
      [makefile],
      isEntry,
    );
  }

  /** Data of the kernel that EL2 code of the set uses. */
  private async aliases(path: ByteString, ported: PortedPatch, context: PortContext): Promise<void> {
    const { to, table, borrowed } = this.change;
    const source = ported.files.find((f) => f.targetPaths.includes(path))?.path;
    const names = source === undefined ? undefined : borrowed.get(source);
    const there = to.imageVars === null ? null : await context.target.text(to.imageVars);
    if (!names || there === null || to.aliasMacro === null) return;
    const made = addAlias(
      there,
      to.aliasMacro,
      names,
      table.interface.option,
      'Data of the kernel that the corevisor uses',
    );
    if (made === null || made === there) return;
    await this.lay(context.target, to.imageVars!, made);
    const text = `EL2 is an object of its own: aliases for ${names.map((n) => `'${n}'`).join(', ')}`;
    this.say(ported, path, text, [to.imageVars!], (l) => names.some((n) => l.includes(n)));
  }
}

/** Functions that assembly macros call, by the macro. */
function macroCalls(lines: readonly ByteString[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let open: string[] | null = null;
  for (const line of lines) {
    const name = /^\s*\.macro\s+(\w+)/.exec(line)?.[1];
    if (name) found.set(name, (open = []));
    else if (/^\s*\.endm\b/.test(line)) open = null;
    else open?.push(...(/^\s*bl?\s+(\w+)/.exec(line)?.slice(1) ?? []));
  }
  return found;
}

const COMPARED = /^\s*cmp\s+[xw]0\s*,\s*#?(\w+)/;
const READS = /^\s*mrs\s+x\d+\s*,\s*(\w+)/;
const BRANCH = /\bcbn?z\s+\w+\s*,\s*(\w+)|\btbn?z\s+\w+\s*,\s*\S+\s*,\s*(\w+)|\bb(?:\.\w+)?\s+(\w+)/g;
/** Outcomes that generation may stand in for: text of the set is there. */
const PLACED_AS_WRITTEN: ReadonlySet<Outcome> = new Set(['applied', 'merged', 'relocated', 'rewritten']);
