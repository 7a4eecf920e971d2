import type { ByteString } from '../core/text';
import type { CheckContext } from './context';

/** Something that a check found, at a place of the ported tree. */
export interface Finding {
  path: ByteString;
  /** 1-based line of the ported file; null when it is about the file as a whole, or about what is missing. */
  line: number | null;
  /** The hunk of the set that it comes from; null when nothing says which. */
  hunk: string | null;
  /** Enclosing definition; null at file level. */
  definition: string | null;
  /** One sentence for people. */
  text: string;
  /** Short and stable, for machines. `review` and everything that ends in `-review` is for a person to read: no failure. */
  kind: string;
  /** What the set itself does at home, or another place that explains it. */
  evidence?: string;
  /** The piece of work that an error belongs to; null when none is known. Only where work was looked for. */
  workItem?: { id: string; title: string } | null;
}

/** What a check found, as a whole. Skipped is never passed: the reason says what was not looked at. */
export interface CheckResult {
  name: string;
  result: 'pass' | 'fail' | 'skipped';
  reason: string;
  findings: Finding[];
  /** Figures of the check, for tables. */
  figures?: Record<string, unknown>;
}

/** One thing that can be proved about a ported tree. */
export interface Check {
  name: string;
  run(ctx: CheckContext): Promise<CheckResult>;
}

/** True for findings that ask for a look and fail nothing. */
export function isReview(finding: Finding): boolean {
  return finding.kind === 'review' || finding.kind.endsWith('-review');
}

/** Pass or fail by the findings; `reason` says what was looked at. */
export function judge(
  name: string,
  findings: Finding[],
  reason: string,
  figures?: Record<string, unknown>,
): CheckResult {
  const failed = findings.filter((f) => !isReview(f)).length;
  return { name, result: failed > 0 ? 'fail' : 'pass', reason, findings, ...(figures && { figures }) };
}

/** A check that did not look, and why. */
export function skipped(name: string, reason: string): CheckResult {
  return { name, result: 'skipped', reason, findings: [] };
}
