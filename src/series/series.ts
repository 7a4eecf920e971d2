import { createHash } from 'node:crypto';
import path from 'node:path';
import { inputError, usageError } from '../core/errors';
import type { Author } from '../core/patch';
import { isLeft, type Role } from '../core/outcome';
import type { PortReport } from '../core/report';
import { forDisplay, fromDisplay, type ByteString } from '../core/text';
import { now } from '../io/clock';
import { exists, readFile, readFileIfAny } from '../io/files';
import type { GitRepo } from '../io/git';
import { rangeDiff, sendEmail } from '../io/mailer';
import { fastImport, Scratch } from '../io/scratch';
import { openTree } from '../io/tree';
import { hunksOf, listSets, loadSet } from '../patch-set/patch-set';
import { identityOf } from '../result/commits';
import { loadChecks, loadPort } from '../result/store';
import { authorOfPiece, buildCommits, keptPatches, trailersOfPiece, type SeriesPatch } from './build';
import { readChange, type Change, type Unit } from './change';
import {
  checkApplies,
  checkCheckpatch,
  checkEncoding,
  checkLineLength,
  checkSubjects,
  checkThreads,
  headersOf,
  type CheckResult,
  type Mail,
} from './checks';
import {
  type VerifiedCheck,
  changeLogSection,
  draftCover,
  facts,
  readCover,
  withChangeLog,
  writeCover,
  type Cover,
} from './cover';
import { readHistory, splitMessage, type SourceCommit } from './history';
import { makeMails } from './mails';
import { bodyOf, prefixOf, titleOf } from './messages';
import { readNeeds, type Needs } from './needs';
import { MAX_LINES, MAX_PATCHES, planSeries } from './plan';
import { hunksByPatch, portNote } from './port-note';
import { addressesOf, findRecipients, parseAddress, type Recipient } from './recipients';
import { assertOrder, namesOfUnits, readPlan, resolvePlan, writePlan, type SeriesPlan } from './series-file';
import { SeriesStore, type State } from './store';
import { commitsOfMails, CREATION_FACTOR, draftChangeLog, mailsOf, previousOfRange, type Previous } from './versions';
import { count, fill } from './words';

export interface SeriesRequest {
  tree: string;
  /** Branch or revision with the ported set; null for the port that was made last. */
  branch: string | null;
  /** The revision that it was made on; null when the port knows. */
  base: string | null;
  set: string | null;
  patchesDir: string;
  version: number;
  rfc: boolean;
  subjectPrefix: string;
  to: readonly string[];
  cc: readonly string[];
  suppress: readonly string[];
  maintainers: boolean | undefined;
  signOff: boolean;
  notesBelow: boolean;
  allowIncomplete: boolean;
  /** mbox, folder of patches or range of the version before; null for the one that is kept. */
  previous: string | null;
  inReplyTo: string | null;
  /** Cut even what is in several commits already. */
  split: boolean | undefined;
  /** Forget the plan that is kept. */
  replan: boolean;
  /** A plan elsewhere than in the store. */
  planFile: string | null;
  maxPatches: number;
  checkpatch: boolean;
  /** Write nothing. */
  dryRun: boolean;
  progress: (stage: string) => void;
  /** Builds every step; set by who has a compiler at hand. Gives one check for the whole. */
  eachStep: ((repo: GitRepo, base: string, commits: readonly string[]) => Promise<CheckResult>) | null;
}

export interface MadePatch {
  number: number;
  subject: ByteString;
  file: string;
  commit: string;
  treeId: string;
  author: Author;
  messageId: string;
  units: Unit[];
  portNote: ByteString | null;
}

/** A series, made and checked. */
export interface Series {
  branch: string;
  base: string;
  tip: string;
  treeId: string;
  set: string | null;
  version: number;
  changeId: string;
  split: boolean;
  cover: Cover;
  patches: MadePatch[];
  mails: Mail[];
  recipients: Recipient[];
  recipientSource: string;
  checks: CheckResult[];
  previous: number | string | null;
  changeLog: string[];
  unreadable: string[];
  notes: string[];
  incomplete: string[];
  /** Where it is kept; null in a dry run. */
  dir: string | null;
  /** The ref that holds its commits in the user's repository; null in a dry run. */
  ref: string | null;
  planFile: string;
  coverFile: string;
}

/** Opens the repository, does the work, and closes it. */
export async function withSeries<T>(
  request: SeriesRequest,
  work: (series: Series, repo: GitRepo, store: SeriesStore) => Promise<T>,
): Promise<T> {
  const { repo, branch, base, tip, report } = await locate(request);
  try {
    const store = await SeriesStore.open(repo, branch);
    const series = await Scratch.use([repo], (scratch) =>
      make({ request, repo, branch, base, tip, report, store, scratch }),
    );
    return await work(series, repo, store);
  } finally {
    repo.close();
  }
}

interface Located {
  repo: GitRepo;
  branch: string;
  base: string;
  tip: string;
  report: PortReport | null;
}

/** The branch, what it was made on, and the record of the port when there is one. */
async function locate(request: SeriesRequest): Promise<Located> {
  const probe = await openTree(request.tree, request.base ?? request.branch ?? null);
  const repo = probe.repo;
  if (!repo) {
    throw inputError(
      `'${request.tree}' is no git repository`,
      "mails need one: 'git init' there, or port with '--branch' in a repository",
    );
  }
  const stored = await loadPort(repo, request.branch);
  const branch = request.branch ?? stored?.result?.branch ?? null;
  if (branch === null) {
    throw usageError(
      "no '--branch', and no port was made in this repository",
      "run 'kport apply --tree DIR --to V --branch B', or give '--branch B --base V'",
    );
  }
  const tip = await repo.commit(branch);
  if (tip === null)
    throw inputError(`unknown revision '${branch}' in '${request.tree}'`, `run 'git -C ${request.tree} branch --list'`);
  const name = request.base ?? stored?.target.commit ?? null;
  if (name === null) {
    throw usageError(
      `there is no record of a port for '${branch}'`,
      "say what it was made on: '--base V', any revision",
    );
  }
  const base = await repo.commit(name);
  if (base === null)
    throw inputError(`unknown revision '${name}' in '${request.tree}'`, `run 'git -C ${request.tree} tag --list'`);
  // A record of another base is not about this series.
  const report = stored && stored.target.commit !== null && stored.target.commit !== base ? null : stored;
  return { repo, branch, base, tip, report };
}

interface Job extends Located {
  request: SeriesRequest;
  store: SeriesStore;
  scratch: Scratch;
}

async function make(job: Job): Promise<Series> {
  const { request, repo, branch, base, tip, report, store, scratch } = job;
  const user = await identity(repo);
  for (const a of request.to) parseAddress(a, '--to');
  for (const a of request.cc) parseAddress(a, '--cc');
  const set = request.set ?? report?.set ?? null;
  if (request.set !== null && !listSets(request.patchesDir).includes(request.set))
    await loadSet(request.patchesDir, request.set);

  request.progress('reading the change');
  const change = await readChange(repo, base, tip);
  const commits = await readHistory(repo, base, tip);
  const state = store.readState();
  const notes: string[] = [];

  const treeNow = await repo.resolve(`${tip}^{tree}`);
  const verified = report ? await verification(repo, branch, treeNow!) : null;
  const letterNotes: string[] = [];
  if (report?.result && report.result.treeId !== treeNow) {
    letterNotes.push('The branch was changed after it was ported; the outcomes are those of the port.');
  }
  const incomplete = report ? whatIsMissing(report, verified) : [];
  if (incomplete.length && !(request.rfc && request.allowIncomplete)) {
    throw inputError(
      `the port '${branch}' is not ready to be mailed: ${incomplete[0]}${incomplete.length > 1 ? `, and ${incomplete.length - 1} more` : ''}`,
      ...incomplete.slice(1, 6),
      `run 'kport status' and 'kport check --tree ${request.tree} --branch ${branch}'`,
      "to ask for comments on it as it is, give '--rfc --allow-incomplete'",
    );
  }

  request.progress('planning the patches');
  const kept = isWellSplit(commits, request);
  const needs = kept ? null : readNeeds(change);
  const { patches, plan } = kept
    ? await obeyKept(job, commits, notes)
    : await obeyPlan(job, change, needs!, commits, state, set, { ...user, date: `${now()} +0000` }, notes);
  const perPatch = report
    ? hunksByPatch(
        report,
        patches.map((p) => p.units),
      )
    : null;
  patches.forEach((p, i) => (p.portNote = report ? portNote(report, perPatch![i]!, p.units) : null));

  request.progress('making commits');
  const options = { user, signOff: request.signOff, notesBelow: request.notesBelow };
  const built = await buildCommits(scratch, repo, change, patches, options);
  const reviewNotes = new Map<string, ByteString>();
  patches.forEach((p, i) => {
    const text = [
      p.note,
      request.notesBelow && p.portNote
        ? fill(p.portNote.split('\n')[0]!, 70) +
          p.portNote.slice(p.portNote.indexOf('\n') >= 0 ? p.portNote.indexOf('\n') : p.portNote.length)
        : '',
    ]
      .filter(Boolean)
      .join('\n\n');
    if (text) reviewNotes.set(built.commits[i]!, text);
  });

  const changeId = state?.changeId ?? newChangeId(branch, base, set);
  const previous = await findPrevious(job, state);
  const changeLog = previous
    ? await draftChangeLog(
        scratch,
        previous.made,
        base,
        built.commits[built.commits.length - 1]!,
        patches.map((p) => ({ title: p.title, hunks: p.units.flatMap((u) => (u.hunk ? [u.hunk] : [])) })),
      )
    : [];
  const storedCover = store.readCover();
  let cover =
    storedCover === null ? draftCover(branch, change, commits, report, patches.length) : readCover(storedCover);
  if (cover.subject === '') {
    throw inputError(
      `${store.coverFile}: the cover letter has no subject`,
      'write it into the first line, or remove the file',
    );
  }
  const section = changeLogSection(request.version, changeLog);
  cover = withChangeLog(cover, request.version, section, fromDisplay(state?.draft ?? ''));

  const leftOut = change.unreadable.map(
    (u) => `${forDisplay(u.path)}: the repository lacks its content (blob ${u.oid.slice(0, 12)})`,
  );
  let letter = `${cover.subject}\n\n${cover.blurb}\n\n${facts({ report, verified, incomplete, leftOut, notes: letterNotes })}\n`;
  let previousRange: string | null = null;
  if (previous) {
    previousRange = `${previous.made.base}..${previous.made.tip}`;
    const last = built.commits[built.commits.length - 1]!;
    const long = await rangeDiff(scratch, base, previous.made.tip, last, CREATION_FACTOR, true);
    // A letter of thousands of lines is read by nobody: then the list of patches stands for it.
    if (long.split('\n').length > RANGE_DIFF_LINES && previous.made.base === base) {
      const list = await rangeDiff(scratch, base, previous.made.tip, last, CREATION_FACTOR, false);
      letter += `\nRange-diff against v${previous.name} (the list alone, all of it has ${long.split('\n').length} lines):\n${list}`;
      previousRange = null;
    }
  }

  request.progress('making mails');
  const prefix = request.rfc ? `${request.subjectPrefix} RFC` : request.subjectPrefix;
  const format = (to: readonly string[], cc: readonly string[]) =>
    makeMails(scratch, changeId, {
      base,
      tip: built.commits[built.commits.length - 1]!,
      user,
      now: now(),
      cover: letter,
      subjectPrefix: prefix,
      version: request.version,
      baseCommit: base,
      to,
      cc,
      notes: reviewNotes,
      previous: previousRange,
      creationFactor: CREATION_FACTOR,
      inReplyTo: request.inReplyTo,
    });
  // Who gets it depends on what the mails say, and the mails say who gets it.
  const draft = await format([], []);
  request.progress('looking for readers');
  const people = {
    user,
    patches: patches.map((p, i) => ({ author: p.author, trailers: p.trailers, mail: draft[i + 1]!.text })),
  };
  const found = await findRecipients(repo, change, people, request);
  notes.push(...found.notes);
  const mails = await format(addressesOf(found.recipients, 'to'), addressesOf(found.recipients, 'cc'));

  request.progress('checking the mails');
  const checks = [
    checkSubjects(
      mails,
      patches.map((p) => p.title),
    ),
    checkLineLength(mails),
    checkEncoding(mails),
    checkThreads(mails),
    ...(await checkApplies(scratch, base, mails.slice(1), built.trees, built.expected)),
    patches.length <= request.maxPatches
      ? { name: 'count', result: 'pass' as const, reason: `${count(patches.length, 'patch', 'patches')}`, findings: [] }
      : {
          name: 'count',
          result: 'fail' as const,
          reason: `${patches.length} patches, the lists want at most ${request.maxPatches}`,
          findings: [],
        },
  ];
  if (request.eachStep) checks.push(await request.eachStep(scratch.repo, base, built.commits));
  if (request.checkpatch) {
    request.progress('running checkpatch');
    checks.push(await checkCheckpatch(repo, base, mails.slice(1), await originals(job, change, commits, report)));
  } else checks.push({ name: 'checkpatch', result: 'skipped', reason: 'not asked for', findings: [] });

  const series: Series = {
    branch,
    base,
    tip: built.commits[built.commits.length - 1]!,
    treeId: built.expected,
    set,
    version: request.version,
    changeId,
    split: !kept,
    cover,
    patches: patches.map((p, i) => ({
      number: i + 1,
      subject: p.title,
      file: mails[i + 1]!.name,
      commit: built.commits[i]!,
      treeId: built.trees[i]!,
      author: p.author,
      messageId: headersOf(mails[i + 1]!.text).get('message-id')!,
      units: p.units,
      portNote: p.portNote,
    })),
    mails,
    recipients: found.recipients,
    recipientSource: found.source,
    checks,
    previous: previous?.name ?? null,
    changeLog,
    unreadable: leftOut,
    notes,
    incomplete,
    dir: request.dryRun ? null : store.versionDir(request.version),
    ref: request.dryRun ? null : `refs/kport/series/${store.name}/v${request.version}`,
    planFile: request.planFile ?? store.planFile,
    coverFile: store.coverFile,
  };
  if (!request.dryRun) {
    await keep(series, store, state, plan, change);
    // For 'kport check --each', bisection and whoever wants to look: commits need no mails.
    await fastImport(repo, series.ref!, base, built.made);
  }
  return series;
}

const RANGE_DIFF_LINES = 1000;

/** The user as git knows them. Nobody else may be put under a mail. */
async function identity(repo: GitRepo): Promise<{ name: ByteString; email: ByteString }> {
  const strict = await repo.run(['-c', 'user.useConfigOnly=true', 'var', 'GIT_COMMITTER_IDENT'], { ok: [0, 1, 128] });
  const user = strict.code === 0 ? await identityOf(repo) : null;
  if (!user || !user.name || !user.email) {
    throw inputError(
      'git does not know who you are, and a mail needs a sender',
      'run \'git config --global user.name "Your Name"\'',
      "run 'git config --global user.email you@example.org'",
    );
  }
  parseAddress(forDisplay(user.email), 'user.email in git');
  return { name: user.name, email: user.email };
}

/** Several commits, in a line, none of them a heap of everything: somebody has split this with care. */
function isWellSplit(commits: readonly SourceCommit[], request: SeriesRequest): boolean {
  if (request.split !== undefined) return !request.split && commits.length > 0;
  if (commits.length < 2 || commits.some((c) => c.parents.length !== 1)) return false;
  const all = new Set(commits.flatMap((c) => c.paths)).size;
  // One commit that touches most of the files is a heap, whatever small ones stand around it.
  return commits.every((c) => c.paths.length <= 20 || c.paths.length < all * 0.7);
}

/** What `kport check` has found on this tree; null when nothing is kept, or it was another tree. */
async function verification(repo: GitRepo, branch: string, tree: string): Promise<VerifiedCheck[] | null> {
  const text = await loadChecks(repo, branch);
  if (text === null) return null;
  const kept = JSON.parse(forDisplay(text)) as { treeId?: string; checks?: VerifiedCheck[] };
  if (kept.treeId !== undefined && kept.treeId !== tree) return null;
  return kept.checks ?? null;
}

function whatIsMissing(report: PortReport, verified: readonly VerifiedCheck[] | null): string[] {
  const missing: string[] = [];
  const left = report.hunks.filter((h) => h.outcome === 'conflict' && isLeft(h));
  if (left.length) missing.push(`${count(left.length, 'hunk')} of ${report.summary.hunks} could not be placed`);
  if (verified === null) missing.push('the tree was not checked');
  for (const c of verified ?? []) if (c.result === 'fail') missing.push(`the check '${c.name}' failed`);
  return missing;
}

async function obeyKept(
  job: Job,
  commits: readonly SourceCommit[],
  notes: string[],
): Promise<{ patches: SeriesPatch[]; plan: SeriesPlan }> {
  const patches = await keptPatches(job.repo, commits);
  const file = job.request.planFile ?? job.store.planFile;
  const text = job.request.replan ? null : readFileIfAny(file);
  const entry = (p: SeriesPatch) => ({
    ...{ title: p.title, body: p.body, note: p.note, commit: p.kept!.oid, files: [], hunks: [] },
    ...{ line: 1, lines: new Map<string, number>() },
  });
  if (text !== null) {
    const plan = readPlan(text, file);
    const sameCommits = plan.patches.map((p) => p.commit).join() === commits.map((c) => c.oid).join();
    if (sameCommits) {
      plan.patches.forEach((p, i) =>
        Object.assign(patches[i]!, { title: p.title, body: p.body || patches[i]!.body, note: p.note }),
      );
      return { patches, plan };
    }
    const known = new Set(plan.patches.map((p) => p.commit));
    if (commits.every((c) => known.has(c.oid))) {
      throw inputError(
        `${file}: the commits of the branch are not there once each, in their order`,
        "reorder commits with 'git rebase -i', or give '--split' to let kport cut the whole anew",
      );
    }
    // The branch went on: titles and notes of commits with the same subject stay.
    for (const p of patches) {
      const before = plan.patches.find((q) => q.title === p.title);
      if (before) p.note = before.note;
    }
    notes.push('the commits of the branch have changed: the plan was made anew');
  }
  return { patches, plan: { file: null, allow: [], patches: patches.map(entry) } };
}

/** The plan that is kept, or a new one; checked either way. */
async function obeyPlan(
  job: Job,
  change: Change,
  needs: Needs,
  commits: readonly SourceCommit[],
  state: State | null,
  set: string | null,
  user: Author,
  notes: string[],
): Promise<{ patches: SeriesPatch[]; plan: SeriesPlan }> {
  const { request, store, repo } = job;
  const file = request.planFile ?? store.planFile;
  if (request.planFile !== null && !exists(file)) readFile(file);
  const text = request.replan ? null : readFileIfAny(file);
  let plan: SeriesPlan;
  if (text === null || readPlan(text, file).patches.some((p) => p.commit !== null)) {
    const roles = rolesFrom(job.report);
    const planned = planSeries(change, needs, { maxPatches: request.maxPatches, maxLines: MAX_LINES, roles });
    plan = { file: null, allow: [], patches: [] };
    for (const p of planned) {
      plan.patches.push({
        title: titleOf(p, await prefixOf(repo, change, p)),
        body: bodyOf(
          p,
          commits.filter((c) => c.paths.some((x) => p.units.some((u) => u.path === x))),
          set,
        ),
        note: '',
        commit: null,
        ...namesOfUnits(p.units, change),
        line: 1,
        lines: new Map(),
      });
    }
  } else {
    plan = readPlan(text, file);
    notes.push(...renewHunks(plan, change, state));
  }
  const units = resolvePlan(plan, change);
  assertOrder(plan, units, needs);
  const dropped = new Set<ByteString>();
  const patches = plan.patches.map((p, i): SeriesPatch => {
    const trailers = trailersOfPiece(units[i]!, commits);
    for (const d of trailers.dropped) dropped.add(d);
    const message = splitMessage(`x\n\n${p.body}`);
    return {
      title: p.title,
      body: message.body,
      trailers: [...new Set([...trailers.kept, ...message.trailers])],
      note: p.note,
      portNote: null,
      author: authorOfPiece(units[i]!, commits, user),
      units: units[i]!,
      kept: null,
    };
  });
  if (dropped.size) {
    notes.push(
      `trailers of the whole that do not go to its pieces: ${[...dropped].map(forDisplay).slice(0, 5).join('; ')}`,
    );
  }
  return { patches, plan };
}

/** The successor of a hunk whose content has changed since the plan was made: the new hunk nearest to its old place. */
function renewHunks(plan: SeriesPlan, change: Change, state: State | null): string[] {
  const notes: string[] = [];
  const ids = new Set(change.units.map((u) => u.id));
  const named = new Set(plan.patches.flatMap((p) => p.hunks));
  for (const patch of plan.patches) {
    patch.hunks = patch.hunks.flatMap((id) => {
      if (ids.has(id)) return [id];
      const was = state?.hunks[id];
      if (!was) return [id];
      const near = change.units
        .filter((u) => !named.has(u.id) && forDisplay(u.path) === was.path && u.hunk)
        .sort((a, b) => Math.abs(a.hunk!.oldStart - was.line) - Math.abs(b.hunk!.oldStart - was.line))[0];
      if (!near) {
        notes.push(`the hunk ${id} of '${was.path}' is gone from the branch`);
        return [];
      }
      named.add(near.id);
      notes.push(`the hunk ${id} of '${was.path}' has changed: ${near.id} takes its place`);
      const line = patch.lines.get(id);
      if (line !== undefined) patch.lines.set(near.id, line);
      return [near.id];
    });
  }
  return notes;
}

function rolesFrom(report: PortReport | null): Map<ByteString, Role> {
  const roles = new Map<ByteString, Role>();
  for (const f of report?.files ?? []) for (const p of f.targetPaths) roles.set(fromDisplay(p), f.role);
  return roles;
}

async function findPrevious(job: Job, state: State | null): Promise<{ name: number | string; made: Previous } | null> {
  const { request, repo, scratch, store, base } = job;
  if (request.previous !== null) {
    const mails = await mailsOf(request.previous);
    const made = mails
      ? await commitsOfMails(scratch, repo, mails, base, request.previous)
      : await previousOfRange(repo, request.previous);
    return { name: request.version > 1 ? request.version - 1 : request.previous, made };
  }
  const last = (state?.versions ?? []).map((v) => v.version).filter((v) => v < request.version);
  if (last.length === 0) return null;
  const version = Math.max(...last);
  const mails = store.readMails(version);
  return mails ? { name: version, made: await commitsOfMails(scratch, repo, mails, base, `v${version}`) } : null;
}

/** Stable for a series over its versions, and another for another series. */
function newChangeId(branch: string, base: string, set: string | null): string {
  const day = new Date(now() * 1000).toISOString().slice(0, 10).replace(/-/g, '');
  const slug = (set ?? branch)
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 30);
  const hash = createHash('sha256').update(`${branch}\0${base}\0${now()}`).digest('hex').slice(0, 12);
  return `${day}-${slug}-${hash}`;
}

/** What the series was before kport touched it, for checkpatch to tell old errors from new ones. */
async function originals(
  job: Job,
  change: Change,
  commits: readonly SourceCommit[],
  report: PortReport | null,
): Promise<Mail[]> {
  const name = job.request.set ?? report?.set ?? null;
  const dir = job.request.set !== null ? job.request.patchesDir : (report?.patchesDir ?? job.request.patchesDir);
  if (name !== null && listSets(dir).includes(name)) {
    const set = await loadSet(dir, name);
    if ([...hunksOf(set)].length) {
      return set.patches.map((p, i) => ({
        name: `set-${i + 1}.patch`,
        text: `From: x <x@localhost>\nSubject: [PATCH] ${p.subject}\n\n${p.body}\n---\n${p.diff}`,
      }));
    }
  }
  const without = change.unreadable.map((u) => `:(exclude,top,literal)${u.path}`);
  const diff = await job.repo.output([
    'diff',
    '--full-index',
    '--binary',
    '-M',
    '--no-color',
    '--no-ext-diff',
    change.base,
    change.tip,
    '--',
    '.',
    ...without,
  ]);
  const body = commits.map((c) => [c.body, c.trailers.join('\n')].filter(Boolean).join('\n\n')).join('\n\n');
  return [
    {
      name: 'branch.patch',
      text: `From: x <x@localhost>\nSubject: [PATCH] ${commits[0]?.subject ?? 'x'}\n\n${body}\n---\n${diff}`,
    },
  ];
}

async function keep(
  series: Series,
  store: SeriesStore,
  state: State | null,
  plan: SeriesPlan,
  change: Change,
): Promise<void> {
  if (plan.file === null || plan.file === store.planFile)
    store.writePlan(writePlan(plan, series.base, series.branch, change));
  store.writeCover(writeCover(series.cover));
  await store.writeMails(series.version, series.mails);
  const others = (state?.versions ?? []).filter((v) => v.version !== series.version);
  const same = (state?.versions ?? []).find((v) => v.version === series.version);
  store.writeState({
    schemaVersion: 1,
    changeId: series.changeId,
    versions: [
      ...others,
      {
        version: series.version,
        base: series.base,
        tip: series.tip,
        treeId: series.treeId,
        commits: series.patches.map((p) => p.commit),
        messageIds: series.mails.map((m) => headersOf(m.text).get('message-id')!),
        sent: same?.sent ?? null,
      },
    ].sort((a, b) => a.version - b.version),
    draft: forDisplay(changeLogSection(series.version, series.changeLog)) || (state?.draft ?? ''),
    hunks: Object.fromEntries(
      change.units.filter((u) => u.hunk).map((u) => [u.id, { path: forDisplay(u.path), line: u.hunk!.oldStart }]),
    ),
  });
}

/** Hands the mails to `git send-email`. What it says is given back; a failure is an input error with its last line. */
export async function sendSeries(series: Series, repo: GitRepo, store: SeriesStore, really: boolean): Promise<string> {
  const state = store.readState();
  const sent = state?.versions.find((v) => v.version === series.version)?.sent;
  if (really && sent) {
    throw inputError(
      `v${series.version} of this series was sent on ${sent}`,
      `make the next version: '-v ${series.version + 1}'`,
    );
  }
  const to = addressesOf(series.recipients, 'to');
  const cc = addressesOf(series.recipients, 'cc');
  if (to.length + cc.length === 0)
    throw inputError('there is nobody to send the series to', "name somebody: '--to you@example.org'");
  const failed = series.checks.filter((c) => c.result === 'fail' && c.name !== 'checkpatch' && c.name !== 'count');
  if (failed.length)
    throw inputError(
      `the series is not sendable: ${failed[0]!.name}: ${failed[0]!.reason}`,
      ...failed[0]!.findings.slice(0, 5),
    );
  const done = await sendEmail(repo, [
    ...(really ? [] : ['--dry-run']),
    ...['--no-thread', '--suppress-cc=all', '--confirm=never', '--8bit-encoding=UTF-8', '--no-format-patch'],
    // Whoever has only lists and no --to is still somebody's To:.
    ...(to.length ? to.map((a) => `--to=${a}`) : cc.slice(0, 1).map((a) => `--to=${a}`)),
    ...cc.map((a) => `--cc=${a}`),
    ...addressesOf(series.recipients, 'bcc').map((a) => `--bcc=${a}`),
    ...series.mails.map((m) => path.join(store.versionDir(series.version), m.name)),
  ]);
  if (done.code !== 0) {
    const lines = `${done.stderr}`
      .trim()
      .split('\n')
      .filter((l) => !/^\s*$/.test(l));
    throw inputError(
      `git send-email failed: ${lines[lines.length - 1] ?? `exit code ${done.code}`}`,
      "its settings are git's: run 'git config --get-regexp sendemail'",
    );
  }
  if (really && state) {
    const when = new Date(now() * 1000).toISOString();
    store.writeState({
      ...state,
      versions: state.versions.map((v) => (v.version === series.version ? { ...v, sent: when } : v)),
    });
  }
  return done.stdout.toString('utf8');
}

export { MAX_PATCHES };
