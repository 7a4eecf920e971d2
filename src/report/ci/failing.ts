import path from 'node:path';
import { z } from 'zod';
import { fromDisplay, type ByteString } from '../../core/text';
import { exists, listFolder, readFileIfAny, removeFile, writeFile } from '../../io/files';
import { CiCase, type CiRow } from '../schema/ci';
import { parseJson } from './golden';

/** `failing/TARGET/SET.json`: what a port gives and what it should give, where these are not the same. */
export const FailingFile = z.object({
  schemaVersion: z.literal(1),
  set: z.string(),
  target: z.string(),
  checks: z.array(z.object({ name: z.string(), reason: z.string() })).describe('Checks that fail.'),
  cases: z.array(CiCase.extend({ reason: z.string().describe('Key in reasons.json.') })),
});
export type FailingFile = z.infer<typeof FailingFile>;

/** The reason of a case that nobody has explained yet. */
export const UNEXPLAINED = 'unexplained';

/** The list for one row; an empty one when there is no file. */
export function failingList(dir: string | null, target: string, set: string): FailingFile {
  const empty: FailingFile = { schemaVersion: 1, set, target, checks: [], cases: [] };
  if (dir === null) return empty;
  const file = path.join(dir, target, `${set}.json`);
  const text = readFileIfAny(file);
  return text === null ? empty : parseJson(file, text, FailingFile);
}

/** All lists of a folder. */
export function allFailing(dir: string): FailingFile[] {
  if (!exists(dir)) return [];
  return listFolder(dir).flatMap((target) => {
    if (target.includes('.json') || target.includes('.md')) return [];
    return listFolder(path.join(dir, target))
      .filter((name) => name.endsWith('.json'))
      .map((name) => failingList(dir, target, name.slice(0, -'.json'.length)));
  });
}

const keyOf = (c: CiCase) => `${c.hunk} ${c.file} ${c.path}`;
const nameOf = (c: CiCase) =>
  `${c.hunk ? `hunk ${c.hunk}` : 'no hunk'} of '${c.file}'${c.path && c.path !== c.file ? ` in '${c.path}'` : ''}`;

/** What of a row is not as expected: by its golden where there is one, and by the list of what is known to fail. Pure. */
export function problemsOf(row: Pick<CiRow, 'summary' | 'checks' | 'golden' | 'error'>, list: FailingFile): string[] {
  if (row.error) return [row.error.message];
  const problems: string[] = [];
  const failed = row.checks.filter((c) => c.result === 'fail').map((c) => c.name);
  const knownChecks = list.checks.map((c) => c.name);
  for (const name of failed.filter((n) => !knownChecks.includes(n))) problems.push(`check '${name}' fails`);
  for (const name of knownChecks.filter((n) => !failed.includes(n))) {
    problems.push(`check '${name}' is listed as failing and passes`);
  }
  if (!row.golden) {
    const left = row.summary!.hunks - row.summary!.placed - row.summary!.byOutcome.obsolete;
    if (left > 0) problems.push(`${left} hunks are not placed, and there is no golden that says so`);
    return problems;
  }
  const known = new Map(list.cases.map((c) => [keyOf(c), c]));
  for (const c of row.golden.cases) {
    const listed = known.get(keyOf(c));
    known.delete(keyOf(c));
    if (!listed) {
      problems.push(`${nameOf(c)}: is '${c.now}', should be '${c.shouldBe}'${c.path ? ' as in the golden' : ''}`);
    } else if (listed.now !== c.now || listed.difference !== c.difference || listed.shouldBe !== c.shouldBe) {
      problems.push(`${nameOf(c)}: gives something else than listed ('${listed.now}' then, '${c.now}' now)`);
    }
  }
  for (const c of known.values()) problems.push(`${nameOf(c)}: is listed as failing and passes`);
  return problems;
}

/**
 * Writes the lists anew from what the rows give; a row without anything to list has no file. Reasons stay with their
 * hunks; a new case gets the reason that its hunk has in another list, else it is `unexplained`.
 */
export function updateFailing(dir: string, rows: readonly CiRow[]): { written: number; unexplained: number } {
  const before = allFailing(dir);
  const reasons = new Map<string, string>();
  for (const list of before) {
    for (const c of list.checks) reasons.set(`check ${c.name}`, c.reason);
    for (const c of list.cases) {
      reasons.set(placeOf(c), c.reason);
      if (c.hunk) {
        reasons.set(`${list.set} ${c.hunk}`, c.reason);
        reasons.set(`${list.set} ${c.hunk} ${c.path}`, c.reason);
      }
    }
  }
  let [written, unexplained] = [0, 0];
  for (const row of rows) {
    if (row.error || !row.golden) continue;
    const old = new Map(failingList(dir, row.to, row.set).cases.map((c) => [keyOf(c), c.reason]));
    const reasonFor = (c: CiCase) =>
      old.get(keyOf(c)) ??
      reasons.get(placeOf(c)) ??
      reasons.get(`${row.set} ${c.hunk} ${c.path}`) ??
      reasons.get(`${row.set} ${c.hunk}`) ??
      UNEXPLAINED;
    const failed = row.checks.filter((c) => c.result === 'fail');
    const list: FailingFile = {
      schemaVersion: 1,
      set: row.set,
      target: row.to,
      checks: failed.map(({ name }) => ({ name, reason: reasons.get(`check ${name}`) ?? UNEXPLAINED })),
      cases: row.golden.cases.map((c) => ({ ...c, reason: reasonFor(c) })),
    };
    const file = path.join(dir, row.to, `${row.set}.json`);
    if (list.checks.length + list.cases.length === 0) {
      removeFile(file);
      continue;
    }
    writeFile(file, failingText(list));
    written++;
    unexplained += [...list.checks, ...list.cases].filter((c) => c.reason === UNEXPLAINED).length;
  }
  dropUnused(path.join(dir, 'reasons.json'), allFailing(dir));
  return { written, unexplained };
}

/** Takes the reasons that no case has any more out of the file that words them. */
function dropUnused(file: string, lists: readonly FailingFile[]): void {
  const text = readFileIfAny(file);
  if (text === null) return;
  const used = new Set(lists.flatMap((l) => [...l.checks, ...l.cases].map((c) => c.reason)));
  const words = Object.entries(parseJson(file, text, z.record(z.string(), z.string())));
  const kept = Object.fromEntries(words.filter(([key]) => used.has(key)));
  if (Object.keys(kept).length < words.length) writeFile(file, fromDisplay(`${JSON.stringify(kept, null, 2)}\n`));
}

/** A list as a file: a case to a line, so that a change of one shows as one. */
export function failingText(list: FailingFile): ByteString {
  const rows = (items: readonly object[]) =>
    items.length ? `[\n${items.map((i) => `    ${JSON.stringify(i)}`).join(',\n')}\n  ]` : '[]';
  return fromDisplay(
    `{\n  "schemaVersion": 1,\n  "set": ${JSON.stringify(list.set)},\n  "target": ${JSON.stringify(list.target)},\n` +
      `  "checks": ${rows(list.checks)},\n  "cases": ${rows(list.cases)}\n}\n`,
  );
}

/** The same place of another set or target. */
const placeOf = (c: CiCase) => `place ${c.file} ${c.path} ${c.hunk ? c.now : ''} ${c.difference}`;
