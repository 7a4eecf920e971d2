import type { PortReport } from '../core/report';
import { forDisplay, fromDisplay, type ByteString } from '../core/text';
import type { Change } from './change';
import type { SourceCommit } from './history';
import { outcomeCounts, unplaced } from './port-note';
import { count, wrap } from './words';

/** Subject and blurb, as the person keeps them over the versions. */
export interface Cover {
  subject: ByteString;
  blurb: ByteString;
}

const HINT = `# Subject and blurb of the cover letter: edit them, they are kept over the versions.
# The first line is the subject. Lines that begin with # are left out. Outcomes, checks, diffstat and range-diff are
# added by kport.
`;

/** Reads `cover.txt`. */
export function readCover(text: ByteString): Cover {
  const lines = text.split('\n').filter((l) => !l.startsWith('#'));
  const first = lines.findIndex((l) => l.trim() !== '');
  const subject = first < 0 ? '' : lines[first]!.trim();
  return {
    subject,
    blurb: lines
      .slice(first + 1)
      .join('\n')
      .trim(),
  };
}

export function writeCover(cover: Cover): ByteString {
  return `${HINT}${cover.subject}\n\n${cover.blurb}\n`;
}

/** The first draft of subject and blurb. */
export function draftCover(
  name: string,
  change: Change,
  commits: readonly SourceCommit[],
  report: PortReport | null,
  patches: number,
): Cover {
  const lines = change.units.reduce((s, u) => s + u.added + u.removed, 0);
  const size = `${count(change.files.length, 'file')}, ${count(lines, 'changed line')}`;
  const prefix = change.files.some((f) => /(^|\/)kvm\//.test(f.path))
    ? change.files.every((f) => !/^arch\/(?!arm64)/.test(f.path)) &&
      change.files.some((f) => f.path.startsWith('arch/arm64/'))
      ? 'KVM: arm64: '
      : 'KVM: '
    : '';
  const blurb: string[] = [];
  let subject: string;
  if (report) {
    subject = `${prefix}Port ${report.set} to Linux ${report.target.version.replace(/^v/, '')}`;
    blurb.push(
      `This series ports the patch set ${report.set}, which was written for ${report.base.version}, to ${report.target.version}. ` +
        `It has ${count(patches, 'patch', 'patches')} (${size}).`,
      'The notes of each patch say what had to change for this kernel and which upstream change forced it.',
    );
  } else {
    subject = commits.length === 1 ? forDisplay(commits[0]!.subject) : `${name}`;
    if (!subject.startsWith(prefix)) subject = `${prefix}${subject}`;
    blurb.push(
      `This series has ${count(patches, 'patch', 'patches')} (${size})` +
        (commits.length ? `, from ${count(commits.length, 'commit')}.` : '.'),
    );
  }
  const body = commits.reduce<SourceCommit | null>(
    (a, b) => (a === null || b.paths.length > a.paths.length ? b : a),
    null,
  )?.body;
  if (body) blurb.push(forDisplay(body));
  return {
    subject: fromDisplay(subject.slice(0, 75)),
    blurb: fromDisplay(blurb.map((p) => wrap(p)).join('\n\n')),
  };
}

/** A drafted change log as a section of the blurb; empty for a first version. */
export function changeLogSection(version: number, entries: readonly string[]): ByteString {
  if (version < 2 || entries.length === 0) return '';
  return fromDisplay(`Changes in v${version}:\n${entries.map((e) => wrap(`- ${e}`)).join('\n')}`);
}

/**
 * Puts a drafted change log on top of the older ones. One that a person has written, or has changed, stays; `lastDraft` is
 * what kport itself put there in an earlier run.
 */
export function withChangeLog(cover: Cover, version: number, section: ByteString, lastDraft: ByteString): Cover {
  if (section === '') return cover;
  let blurb = cover.blurb;
  if (lastDraft !== '' && blurb.includes(lastDraft)) blurb = blurb.replace(lastDraft, '');
  if (new RegExp(`^Changes in v${version}:`, 'm').test(blurb)) return cover;
  const older = blurb.search(/^Changes in v\d+:/m);
  const [before, after] = older < 0 ? [blurb, ''] : [blurb.slice(0, older), blurb.slice(older)];
  return { ...cover, blurb: [before.trim(), section, after.trim()].filter(Boolean).join('\n\n') };
}

/** What the letter says of a check of the ported tree. */
export interface VerifiedCheck {
  name: string;
  result: 'pass' | 'fail' | 'skipped';
  reason: string;
}

export interface Facts {
  report: PortReport | null;
  verified: readonly VerifiedCheck[] | null;
  incomplete: readonly string[];
  leftOut: readonly string[];
  notes: readonly string[];
}

/** What kport knows of the series: outcomes, checks that ran and that did not, what is left out. */
export function facts(f: Facts): ByteString {
  const parts: string[] = [];
  if (f.incomplete.length) {
    parts.push(wrap('THIS PORT IS NOT COMPLETE:'), f.incomplete.map((l) => wrap(`- ${l}`)).join('\n'));
  }
  if (f.report) {
    const { summary } = f.report;
    parts.push(
      wrap(
        `Outcomes of the ${count(summary.hunks, 'hunk')} in existing files: ${outcomeCounts(f.report.hunks) || 'none'}.`,
      ),
    );
    const reference = referenceLine(f.report);
    if (reference) parts.push(wrap(reference));
    const rows = unplaced(f.report).map(({ outcome, hunks }) => {
      const paths = [...new Set(hunks.map((h) => h.path))];
      return wrap(
        `- ${outcome}: ${paths.slice(0, 6).join(', ')}${paths.length > 6 ? ` and ${paths.length - 6} more` : ''}`,
      );
    });
    if (rows.length) parts.push(['No patch shows these:', ...rows].join('\n'));
  } else {
    parts.push(wrap('There is no record of a port for this branch, so there are no outcomes of hunks to count.'));
  }
  const checks = f.verified ?? [];
  const ran = checks.filter((c) => c.result !== 'skipped');
  const not = checks.filter((c) => c.result === 'skipped');
  if (ran.length) {
    parts.push(
      ['Checks that ran:', ...ran.map((c) => wrap(`- ${c.name}: ${c.result}${c.reason ? `, ${c.reason}` : ''}`))].join(
        '\n',
      ),
    );
  }
  parts.push(
    not.length
      ? ['Checks that did not run:', ...not.map((c) => wrap(`- ${c.name}${c.reason ? `: ${c.reason}` : ''}`))].join(
          '\n',
        )
      : checks.length
        ? 'No check was left out.'
        : wrap('The tree was not checked: no result of kport check is kept for it.'),
  );
  if (f.leftOut.length) parts.push(['Left out:', ...f.leftOut.map((l) => wrap(`- ${l}`))].join('\n'));
  for (const note of f.notes) parts.push(wrap(note));
  return fromDisplay(parts.join('\n\n'));
}

/** Who else was asked, and what came of it: readers of a port should know what it leans on. */
function referenceLine(report: PortReport): string | null {
  if (!report.reference) return null;
  const { name, version } = report.reference;
  const count = (test: (h: PortReport['hunks'][number]) => boolean) => report.hunks.filter(test).length;
  const told = (kind: string) => count((h) => h.evidence.some((e) => e.kind === kind));
  const taken = count((h) => [h.strategy, ...h.edits.map((e) => e.strategy)].some((s) => /^reference\b/.test(s)));
  const parts = [`${taken} ${taken === 1 ? 'hunk was' : 'hunks were'} placed with its help`];
  const [agrees, differs] = [told('reference-agrees'), told('reference-differs')];
  if (agrees) parts.push(`it agrees with ${agrees} more`);
  if (differs) parts.push(`it has ${differs} in other words or places`);
  return `The set ${name}, made for ${version}, was the reference: ${parts.join(', ')}.`;
}
