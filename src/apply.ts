import path from 'node:path';
import { inputError } from './core/errors';
import type { PortReport } from './core/report';
import { fromDisplay, type ByteString } from './core/text';
import { formatVersion } from './core/version';
import { assertWritable, exists, listFolder, readFile, writeFile, writeFolder } from './io/files';
import { cacheDirectory, DiskCache } from './io/cache';
import { GitRepo } from './io/git';
import { fastImport, Scratch, type NewCommit } from './io/scratch';
import { isFolder, openRevision, openTree, type KernelTree } from './io/tree';
import { indentBreaks } from './patch-set/mail';
import { loadSet, type PatchSet } from './patch-set/patch-set';
import { openReleases } from './history';
import { runPipeline, runStepwise } from './pipeline';
import { findBase } from './result/base';
import { commitsOf, dateOf, identityOf } from './result/commits';
import { optionOf, summarize } from './result/report';
import { loadCorrections } from './result/corrections';
import { loadRecords, markSkipped, type HunkRecord } from './result/resolutions';
import { loadPort, storePort, type PortRequest } from './result/store';
import type { PortedTree } from './repair/carry';
import { correctPort } from './repair/corrections';
import { recount, repairPort, repairTools, type RepairOptions } from './repair/port';
import { openContext } from './verify/context';
import { loadChronicle, loadRules, type MapOptions } from './symbol-map';

export interface ApplyRequest {
  set: string;
  patchesDir: string;
  /** Repository or folder of the target kernel. */
  tree: string;
  /** Revision of it; null for the kernel of a plain folder. */
  to: string | null;
  baseTree: string | null;
  /** A second set of the family, made for another kernel: another source, and a witness. */
  reference?: string | null;
  /** Branch to make; null for none. */
  branch: string | null;
  /** Folder to make; null for none. */
  out: string | null;
  /** Replace a branch or folder that is there. */
  force: boolean;
  only: readonly string[];
  markers: boolean;
  /** Port to every release on the way, too, and hold the port against those. */
  stepwise?: boolean;
  /** Use the known upstream changes that come with kport. */
  chronicle: boolean;
  /** Generate what cannot be carried because the target calls EL2 in another way; default: do. */
  generate?: boolean;
  /** Compile the port, and try what the symbol map offers for what the compiler does not take. Default: do not. */
  repair?: RepairOptions | null;
  dryRun: boolean;
  /** `ignore`: as if nobody had resolved or skipped anything. Default: `use`. */
  resolutions?: 'use' | 'ignore';
  progress: (stage: string) => void;
}

/** A port before it is put anywhere: `tip` is a commit of the scratch repository. */
export interface FreshPort {
  report: PortReport;
  set: PatchSet;
  base: KernelTree;
  target: KernelTree;
  scratch: Scratch;
  tip: string;
}

/**
 * `kport apply`: ports a set and puts the result where it was asked for, all of it or nothing. `inspect` sees the port
 * while its scratch repository is there, before anything is written.
 *
 * Throws input errors before anything is written.
 */
export async function apply(
  request: ApplyRequest,
  inspect: (port: FreshPort) => Promise<void> = async () => undefined,
): Promise<PortReport> {
  const started = performance.now();
  const set = await loadSet(request.patchesDir, request.set);
  const other = await loadReference(request);
  const target = await openTree(request.tree, request.to);
  const branch = await checkedBranch(request, target);
  const user =
    (await identityOf(target.repo)) ??
    (branch === null ? { name: 'kport', email: 'kport@localhost', date: '0 +0000' } : null);
  if (!user) {
    throw inputError(
      'git does not know who you are',
      'run \'git config --global user.name "Your Name"\' and user.email',
    );
  }
  if (request.out !== null) checkOut(request.out, request);
  const toolchain = request.repair ? await repairTools(request.repair) : null;
  if (toolchain && !target.repo) {
    throw inputError(
      `'${request.tree}' is no git repository: only a port of one can be repaired`,
      "leave '--repair' out",
    );
  }
  const base = await findBase(set, target, request.tree, request.baseTree);
  // The set's own base may have been given by '--base-tree'; a reference's has to be where the target is.
  const otherBase = other && (await findBase(other, target, request.tree, null, false));
  const reference = other && otherBase && { set: other, base: otherBase };
  const records = target.repo && request.resolutions !== 'ignore' ? await loadRecords(target.repo, set.name) : [];
  const corrected = target.repo && request.resolutions !== 'ignore' ? await loadCorrections(target.repo, set.name) : [];
  const repos = [target.repo, base.repo, otherBase?.repo ?? null].filter((r): r is GitRepo => r !== null);
  try {
    const between = await openReleases(base, target);
    return await Scratch.use(repos, async (scratch) => {
      const isOurs = (p: ByteString) =>
        request.only.length === 0 || request.only.some((o) => p === o || p.startsWith(`${o.replace(/\/$/, '')}/`));
      const ported = await (request.stepwise ? runStepwise : runPipeline)({
        set,
        base,
        target,
        between,
        scratch,
        knowledge: knowledgeOf(request),
        cache: request.dryRun ? null : new DiskCache(cacheDirectory()),
        markers: request.markers,
        generate: request.generate ?? true,
        only: isOurs,
        resolutions: records.flatMap((r) => r.resolutions),
        skipped: new Map(
          records.flatMap(({ skipped }) =>
            skipped && skipped.target.commit === target.commit
              ? (skipped.edits ?? []).map((edit) => [edit, skipped.reason] as const)
              : [],
          ),
        ),
        reference,
        progress: request.progress,
      });
      let { trees } = ported;
      let counted: Counted = summarize(set, ported.patches, isOurs);
      markSkipped(counted, records);
      if (request.only.length && counted.files.filter((f) => isOurs(f.path)).length === 0) {
        throw inputError(
          `patch set '${set.name}' touches nothing under '${request.only.join("', '")}'`,
          `run 'kport show ${set.name}'`,
        );
      }
      request.progress('making commits');
      const knowledge = knowledgeOf(request);
      const committerDate = await dateOf(target);
      const finish = async (trees: readonly PortedTree[], of: Counted) => {
        const made = commitsOf(
          ported.patches.map((p) => p.patch),
          trees,
          user,
          committerDate,
        );
        const commits = made.map((c) => c.commit);
        const parent = target.commit ?? (await rootCommit(scratch, target, commits, user));
        const ids = commits.length ? await scratch.commit(parent, commits) : [];
        const tip = ids[ids.length - 1] ?? parent;
        const treeId = (await scratch.repo.resolve(`${tip}^{tree}`))!;
        const report: PortReport = {
          schemaVersion: 1,
          set: set.name,
          patchesDir: path.resolve(request.patchesDir),
          option: optionOf(set),
          base: { name: base.name, version: formatVersion(base.version), commit: base.commit },
          target: { name: target.name, version: formatVersion(target.version), commit: target.commit },
          reference: reference && { name: reference.set.name, version: formatVersion(reference.base.version) },
          result: request.dryRun
            ? null
            : {
                tree: path.resolve(request.tree),
                branch,
                out: request.out && path.resolve(request.out),
                commits: ids,
                patches: made.map((c) => c.patch.file),
                treeId,
              },
          ...of,
          workItems: ported.workItems,
          notes: [
            ...ported.notes,
            ...referenceNotes(of, other),
            ...notesOf(of, records),
            ...correctionNotes(of),
            ...repairNotes(of),
          ],
          timing: { ...ported.timing, total: Math.round(performance.now() - started) },
        };
        return { report, commits, parent, tip };
      };
      let done = await finish(trees, counted);
      const treeOf = async ({ tip, report }: typeof done) => ({
        tree: (await openRevision(scratch.repo, tip))!,
        report,
      });
      if (corrected.some((f) => f.corrections.some((c) => c.target.commit === target.commit))) {
        request.progress('correcting');
        const { tree, report } = await treeOf(done);
        const { hunkAt } = await openContext({ set, base, target, ported: tree, report, option: null });
        const hand = await correctPort(trees, target, corrected, counted, hunkAt);
        ({ trees } = hand);
        const { hunks, files, corrections } = hand;
        counted = { ...counted, hunks, files, corrections, summary: recount(counted.summary, hunks) };
        done = await finish(trees, counted);
      }
      if (toolchain) {
        const { trees: mended, ...repaired } = await repairPort({
          ...{ set, base, target, toolchain, knowledge, trees, jobs: request.repair!.jobs },
          ...{ made: await treeOf(done), cache: request.dryRun ? null : new DiskCache(cacheDirectory()) },
          progress: request.progress,
          remake: async (files, marked) => treeOf(await finish([...files], { ...counted, ...marked })),
        });
        const summary = recount(counted.summary, repaired.hunks);
        done = await finish(mended, { ...counted, ...repaired, summary });
      }
      const { report, commits, parent, tip } = done;
      await inspect({ report, set, base, target, scratch, tip });
      if (request.dryRun) return report;
      if (request.out !== null) await writeOut(request, scratch, report, parent, tip);
      if (branch !== null) {
        // fast-import again, in the user's repository: the objects, then the branch, in one step.
        if (commits.length) await fastImport(target.repo!, `refs/heads/${branch}`, parent, commits);
        else await target.repo!.run(['update-ref', `refs/heads/${branch}`, parent]);
        await storePort(target.repo!, branch, report, rerunOf(request));
      }
      return report;
    });
  } finally {
    for (const repo of repos) repo.close();
  }
}

/** The part of a report that says what became of hunks and files. */
type Counted = ReturnType<typeof summarize> & Pick<PortReport, 'repair' | 'corrections'>;

/** Known upstream changes, as far as they are asked for, and the user's rules. */
function knowledgeOf(request: ApplyRequest): MapOptions {
  return { ...(request.chronicle ? { chronicle: loadChronicle() } : {}), rules: loadRules(request.tree) };
}

/** The set that is named as reference; null for none. */
async function loadReference({ patchesDir, set, reference }: ApplyRequest): Promise<PatchSet | null> {
  if (reference === undefined || reference === null) return null;
  if (reference === set) {
    throw inputError(
      `'${reference}' cannot be its own reference`,
      "name a set of the same family that was made for another kernel: 'kport sets' lists them",
    );
  }
  return loadSet(patchesDir, reference);
}

/** What has to be known to make the port again. */
function rerunOf(request: ApplyRequest): PortRequest {
  const { set, to, branch, force, only, markers, chronicle, generate = true, repair = null } = request;
  const full = (dir: string | null) => (dir === null ? null : path.resolve(dir));
  return {
    ...{ set, to, branch, force, only: [...only], markers, chronicle, generate, repair },
    ...{ patchesDir: path.resolve(request.patchesDir), tree: path.resolve(request.tree) },
    ...{ baseTree: full(request.baseTree), out: full(request.out), reference: request.reference ?? null },
  };
}

/** What the reference did for the port, in numbers. */
function referenceNotes({ hunks }: Pick<PortReport, 'hunks'>, reference: PatchSet | null): string[] {
  if (!reference) return [];
  const having = (kind: string) => hunks.filter((h) => h.evidence.some((e) => e.kind === kind)).length;
  const [taken, agrees, differs] = [having('reference'), having('reference-agrees'), having('reference-differs')];
  return [
    `reference '${reference.name}': ${taken} hunks are ported from it, ${agrees} have the same place in it, ${differs} another`,
  ];
}

/** What people corrected: how much is made, and each that is not. */
function correctionNotes({ corrections = [] }: Counted): string[] {
  const made = corrections.filter((c) => c.message === null);
  const files = new Set(made.map((c) => c.path)).size;
  const places = (n: number) => `${n} ${n === 1 ? 'place' : 'places'}`;
  return [
    ...(made.length ? [`corrected by hand: ${places(made.length)} in ${files} ${files === 1 ? 'file' : 'files'}`] : []),
    ...corrections
      .filter((c) => c.message !== null)
      .map((c) => `the correction of '${c.path}' made ${c.at.slice(0, 10)} does not fit: ${c.message}`),
  ];
}

/** What `--repair` came to. */
function repairNotes({ repair }: Counted): string[] {
  if (!repair) return [];
  const said = (['on', 'off'] as const).map((o) =>
    repair.before[o] === null
      ? `option ${o}: cannot be built`
      : `option ${o}: ${repair.before[o]} -> ${repair.after[o]} errors`,
  );
  const lines = repair.changes.length;
  return [`repair: ${said.join(', ')}; ${lines} ${lines === 1 ? 'line' : 'lines'} rewritten, ${repair.tried} tries`];
}

function notesOf(counted: Pick<PortReport, 'hunks'>, records: readonly HunkRecord[]): string[] {
  const count = (what: string, n: number) => (n ? [`${n} ${n === 1 ? 'hunk' : 'hunks'} ${what}`] : []);
  const used = counted.hunks.filter((h) => h.edits.some((e) => e.strategy.startsWith('resolution'))).length;
  const unfit = counted.hunks.filter((h) => h.evidence.some((e) => e.kind === 'resolution-misfit')).length;
  return records.length === 0
    ? []
    : [
        ...count('placed as they were resolved before', used),
        ...count('resolved before, which does not fit this target', unfit),
        ...count('left out on purpose', counted.hunks.filter((h) => h.skipped !== null).length),
      ];
}

/** The folder to make may be a port that was made before; with --force any, but never one that other work depends on. */
function checkOut(out: string, request: ApplyRequest): void {
  assertWritable(out);
  if (exists(out) && !isFolder(out)) throw inputError(`'${out}' is not a folder`, 'name a new folder');
  if (!exists(out) || (isFolder(out) && listFolder(out).length === 0)) return;
  if (!request.force && !exists(path.join(out, 'port.json'))) {
    throw inputError(`'${out}' exists and is no port of kport's`, "name another folder, or give '--force'");
  }
  const inUse = ['.', request.tree, request.baseTree ?? '.', path.join(request.patchesDir, request.set)];
  const inside = (dir: string) => !path.relative(path.resolve(out), path.resolve(dir)).startsWith('..');
  if (inUse.some(inside) || exists(path.join(out, '.git'))) {
    throw inputError(`'${out}' is in use and cannot be replaced`, 'name another folder');
  }
}

/** The branch to make, which must not be somebody's: not checked out, and not there unless it is kport's own or forced. */
async function checkedBranch(request: ApplyRequest, target: KernelTree): Promise<string | null> {
  const { branch } = request;
  if (branch === null) return null;
  const repo = target.repo;
  if (!repo)
    throw inputError(
      `'${request.tree}' is no git repository: no branch can be made there`,
      "give '--out DIR' to get the series as a folder of patches",
    );
  const valid = await repo.run(['check-ref-format', '--branch', branch], { ok: [0, 1, 128] });
  if (valid.code !== 0) throw inputError(`'${branch}' is no name for a branch`);
  const store = (await repo.output(['rev-parse', '--git-common-dir'])).trim();
  assertWritable(path.resolve(repo.dir, store, 'objects'));
  const there = await repo.commit(`refs/heads/${branch}`);
  const worktrees = await repo.output(['worktree', 'list', '--porcelain']);
  if (worktrees.includes(`\nbranch refs/heads/${branch}\n`)) {
    throw inputError(`branch '${branch}' is checked out`, "choose another with '--branch NAME'");
  }
  if (there !== null && !request.force) {
    const last = (await loadPort(repo, branch))?.result?.commits ?? [];
    if (last[last.length - 1] !== there) {
      throw inputError(
        `branch '${branch}' exists and is not what kport last made there`,
        "choose another with '--branch NAME', or give '--force' to replace it",
      );
    }
  }
  return branch;
}

/** For a plain folder: a commit of the files that the port touches, as the folder has them. */
async function rootCommit(
  scratch: Scratch,
  target: KernelTree,
  commits: readonly NewCommit[],
  user: NewCommit['author'],
): Promise<string> {
  const files: NewCommit['files'] = new Map();
  for (const p of new Set(commits.flatMap((c) => [...c.files.keys()]))) {
    const text = await target.read(p);
    if (text !== null) files.set(p, { mode: target.entry(p)!.mode, content: text });
  }
  const [id] = await scratch.commit(null, [
    { author: { ...user, date: '0 +0000' }, committer: { ...user, date: '0 +0000' }, message: 'target\n', files },
  ]);
  return id!;
}

async function writeOut(
  request: ApplyRequest,
  scratch: Scratch,
  report: PortReport,
  parent: string,
  tip: string,
): Promise<void> {
  await writeFolder(
    request.out!,
    async (dir) => {
      if (tip !== parent) {
        const mails = await scratch.formatPatch(
          `${parent}..${tip}`,
          dir,
          report.target.commit ? [`--base=${parent}`] : [],
        );
        for (const mail of mails) writeFile(mail, indentBreaks(readFile(mail)));
      }
      for (const reject of report.rejects) writeFile(path.join(dir, 'rejects', reject.file), reject.text);
      writeFile(path.join(dir, 'port.json'), fromDisplay(`${JSON.stringify(report, null, 2)}\n`));
    },
    { replace: true },
  );
}
