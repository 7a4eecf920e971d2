/** The end of a hunk: exactly one of these. */
export const OUTCOMES = [
  'applied',
  'merged',
  'relocated',
  'rewritten',
  'generated',
  'already-upstream',
  'obsolete',
  'conflict',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Outcomes that put the hunk's change into the target, or find it there. */
export const PLACED: ReadonlySet<Outcome> = new Set([
  'applied',
  'merged',
  'relocated',
  'rewritten',
  'generated',
  'already-upstream',
]);

/** Who runs the code of a file: the corevisor at EL2, the hostvisor at EL1, or nobody (build files, docs). */
export type Role = 'corevisor' | 'hostvisor' | 'build' | 'docs';

/** One reason for (or against) a placement, in words and, where there is one, with a number. */
export interface Evidence {
  /** Short and stable, for machines: `same-name`, `file-renamed`, `context-match`, `chronicle` … */
  kind: string;
  /** One sentence for people. */
  text: string;
}

/**
 * A place in a tree. Lines are 1-based; in a file of the target they are those of the target as it was before the port, whatever
 * earlier patches have brought into it since.
 */
export interface Location {
  path: string;
  /** Enclosing definition, or null at file level. */
  definition: string | null;
  line: number;
}

/** The upstream change that broke a hunk. */
export interface Cause {
  /** The release in which it happened, for example `v5.8`. */
  release: string | null;
  /** The commit, when the repository has the history. */
  commit: string | null;
  /** What changed, in one sentence. */
  text: string;
}

/** A place where an edit that is not placed would go if somebody said so. */
export interface Candidate extends Location {
  /** The lines of the target (1-based, before the patch) at which its parts would stand; null when only the point is known. */
  parts: { line: number; remove: number }[] | null;
}

/** What became of one edit of a hunk. */
export interface EditReport {
  /** Stable across runs: hash of what the edit changes. A resolution belongs to it. */
  id: string;
  kind: string;
  outcome: Outcome;
  strategy: string;
  confidence: number;
  target: Location[];
  /** Of an edit that is not placed, best first. */
  candidates: Candidate[];
}

/** Everything known about the end of one hunk. */
export interface HunkReport {
  id: string;
  /** The patch of the set that the hunk comes from. */
  patch: string;
  path: string;
  header: string;
  role: Role;
  /** What the hunk does; `kind` is the edit kind. */
  edits: EditReport[];
  outcome: Outcome;
  /** Which technique decided. */
  strategy: string;
  /** 0 to 1. */
  confidence: number;
  source: Location;
  target: Location[];
  evidence: Evidence[];
  causedBy: Cause | null;
  /** One sentence, when there is something to say. */
  message: string | null;
  /** True when the set itself gives the hunk no effect (undefined option, unused macro, white space). */
  inert: boolean;
  /** Why a person leaves it out on purpose; null when nobody does. It is not placed, but nothing that is left to do. */
  skipped: string | null;
}

/**
 * True for a hunk that a person has to look at: not placed, not left out on purpose, and not one that changes nothing in the
 * set itself. What is dead code at home and has no place in the target is reported, but nobody has to decide about it.
 */
export function isLeft(hunk: Pick<HunkReport, 'outcome' | 'skipped' | 'inert'>): boolean {
  return !PLACED.has(hunk.outcome) && !hunk.skipped && !hunk.inert;
}

/** True for a hunk that found no place and that nobody misses: without it the set does what it does at home. */
export function isDeadWeight(hunk: Pick<HunkReport, 'outcome' | 'skipped' | 'inert'>): boolean {
  return !PLACED.has(hunk.outcome) && !hunk.skipped && hunk.inert;
}

/**
 * Hunks that are left for one reason upstream, to be solved together: what the release took, who has the work now, and
 * where the set's lines might go.
 */
export interface WorkItem {
  /** Stable as long as it is about the same thing. */
  id: string;
  title: string;
  /** The release that took the mechanism; null when it is not known. */
  release: string | null;
  cause: Cause | null;
  /** Ids of the hunks, in order. */
  hunks: string[];
  /** The base definitions that the hunks are about. */
  definitions: { path: string; definition: string }[];
  /** What has the responsibility now, as far as it is known or can be inferred; best first. */
  heirs: { path: string; definition: string | null; why: string }[];
  /** A draft, never written to the tree: the best place there is, and the set's lines (a byte string). */
  draft: { path: string; line: number; text: string } | null;
}

/** What became of one file of the set: new files, deletions, binaries and mode changes included. */
export interface FileReport {
  patch: string;
  path: string;
  targetPaths: string[];
  role: Role;
  status: string;
  outcome: Outcome | 'unreadable' | 'mixed';
  message: string | null;
  /** Hunks of the file in this patch; 0 for a file that is carried as a whole. */
  hunks: number;
  evidence: Evidence[];
}

/** True for a file that a person has to look at beside its hunks: a new one, a rename, a mode that could not be carried. */
export function isFileLeft(file: FileReport, hunks: readonly HunkReport[]): boolean {
  if (file.outcome !== 'conflict') return false;
  const own = hunks.filter((h) => h.patch === file.patch && h.path === file.path);
  return own.length === 0 || (file.message !== null && own.every((h) => h.message !== file.message));
}
