import type { Evidence, FileReport, HunkReport, Outcome, WorkItem } from './outcome';

/** A kernel in a report. */
export interface KernelRef {
  /** What the user called it: a revision or a folder. */
  name: string;
  /** Read from the tree's Makefile, for example `v5.10.18`. */
  version: string;
  /** Null for a plain folder. */
  commit: string | null;
}

/** Where the result of a port is. */
export interface PortResultRef {
  /** Git repository or folder of the target kernel. */
  tree: string;
  /** Branch that was made; null with `--out`. */
  branch: string | null;
  /** Folder of patches that was made; null with `--branch`. */
  out: string | null;
  /** Commits, one for each source patch that left something; ids of the scratch repository with `--out`. */
  commits: string[];
  /** The patch of the set that each commit is. */
  patches: string[];
  /** Tree id of the ported kernel. With a plain folder as target: of the touched files alone. */
  treeId: string;
}

/** Errors of the compiler with the set's option on and off; null for a configuration that cannot be built. */
export interface ErrorCounts {
  on: number | null;
  off: number | null;
}

/** What `--repair` did: the hunks that it changed have the outcome `rewritten`, and the same evidence. */
export interface RepairReport {
  before: ErrorCounts;
  after: ErrorCounts;
  /** Alternatives that were compiled. */
  tried: number;
  changes: {
    /** Null for a line of upstream's, which an include was added to. */
    hunk: string | null;
    path: string;
    /** 1-based line of the port before it was repaired. */
    line: number;
    from: string;
    /** Empty for a line that goes; several lines where something was added behind it. */
    to: string;
    /** The configuration in which the compiler complained. */
    option: 'on' | 'off';
    diagnostic: string;
    evidence: Evidence;
  }[];
}

/** A place of a ported file that a person corrected, on this kernel. */
export interface CorrectionReport {
  path: string;
  /** 1-based line of the corrected file, when it was made; null when it does not fit. */
  line: number | null;
  /** Hunks whose lines it changed. */
  hunks: string[];
  by: string;
  /** ISO 8601. */
  at: string;
  /** Why it does not fit any more; null when it does. */
  message: string | null;
}

/** The report of `kport apply`: the JSON that `--json` prints and that is stored with the port. Extend, do not break. */
export interface PortReport {
  schemaVersion: 1;
  set: string;
  /** Folder in which the set was found. */
  patchesDir: string;
  /** The preprocessor option that the set's guards ask for, for example `CONFIG_VERIFIED_KVM`; null when it has none. */
  option: string | null;
  base: KernelRef;
  target: KernelRef;
  /** The second set that was asked; null for none. Reports of earlier versions do not say. */
  reference?: { name: string; version: string } | null;
  result: PortResultRef | null;
  summary: {
    /** Hunks in files that the base has. */
    hunks: number;
    placed: number;
    byOutcome: Record<Outcome, number>;
    files: { modified: number; added: number; deleted: number; binary: number; unreadable: number };
  };
  files: FileReport[];
  hunks: HunkReport[];
  /** The conflicts by mechanism. Reports of earlier versions have none. */
  workItems?: WorkItem[];
  /** Text of what was not placed, as patch files: name to content (byte string). */
  rejects: { file: string; path: string; text: string }[];
  /** Only of a port that was asked to be repaired. */
  repair?: RepairReport;
  /** Only of a port that a person corrected. */
  corrections?: CorrectionReport[];
  notes: string[];
  /** Milliseconds by stage. */
  timing: Record<string, number>;
}
