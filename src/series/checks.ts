import { chomp, forDisplay, splitLines, tokens, type ByteString } from '../core/text';
import type { GitRepo } from '../io/git';
import { runKernelScript } from '../io/kernel-scripts';
import { amMails } from '../io/mailer';
import type { Scratch } from '../io/scratch';
import { count } from './words';

/** One check and what it found; the same shape as the checks of a ported tree. */
export interface CheckResult {
  name: string;
  result: 'pass' | 'fail' | 'skipped';
  /** One sentence; why it was skipped, or what it says. */
  reason: string;
  findings: string[];
}

/** A mail, as bytes. */
export interface Mail {
  name: string;
  text: ByteString;
}

const pass = (name: string, reason: string): CheckResult => ({ name, result: 'pass', reason, findings: [] });
const judge = (name: string, findings: string[], good: string, bad: string): CheckResult =>
  findings.length ? { name, result: 'fail', reason: bad, findings } : pass(name, good);

/** Header fields of a mail, unfolded; names in lower case. */
export function headersOf(mail: ByteString): Map<string, ByteString> {
  const end = mail.indexOf('\n\n');
  const head = mail.slice(0, end < 0 ? mail.length : end).replace(/\n[ \t]+/g, ' ');
  const fields = new Map<string, ByteString>();
  for (const line of head.split('\n')) {
    const m = /^([\w-]+):\s*(.*)$/.exec(line);
    if (m) fields.set(m[1]!.toLowerCase(), m[2]!);
  }
  return fields;
}

/** Lines over 998 bytes, the limit of SMTP. git send-email then sends quoted-printable, which git am reads. */
export function checkLineLength(mails: readonly Mail[]): CheckResult {
  const found: string[] = [];
  for (const mail of mails) {
    splitLines(mail.text).forEach((line, i) => {
      const length = chomp(line).length;
      if (length > 998) found.push(`${mail.name}:${i + 1}: ${length} bytes`);
    });
  }
  return found.length
    ? {
        name: 'line-length',
        result: 'pass',
        reason: 'some lines are over 998 bytes: git send-email will send those mails as quoted-printable',
        findings: found,
      }
    : pass('line-length', 'no line is over 998 bytes');
}

/** Headers are ASCII, bodies with other bytes say so, nothing is attached. */
export function checkEncoding(mails: readonly Mail[]): CheckResult {
  const found: string[] = [];
  for (const { name, text } of mails) {
    const end = text.indexOf('\n\n');
    const head = text.slice(0, end);
    const fields = headersOf(text);
    if (/[\x80-\xff]/.test(head)) found.push(`${name}: a header is not ASCII`);
    if (/[\x80-\xff]/.test(text.slice(end)) && !/8bit/i.test(fields.get('content-transfer-encoding') ?? '')) {
      found.push(`${name}: the body is not ASCII and no transfer encoding says so`);
    }
    if (/multipart|application/i.test(fields.get('content-type') ?? '')) found.push(`${name}: has an attachment`);
    if (text.includes('\0')) found.push(`${name}: has a NUL byte`);
  }
  return judge(
    'encoding',
    found,
    'headers are ASCII, bodies are declared, nothing is attached',
    'a mail is not sendable as it is',
  );
}

/** Subjects of at most 75 characters behind the bracket, numbered without a gap. */
export function checkSubjects(mails: readonly Mail[], subjects: readonly ByteString[]): CheckResult {
  const found: string[] = [];
  mails.slice(1).forEach((mail, i) => {
    const length = forDisplay(subjects[i]!).length;
    if (length > 75) found.push(`${mail.name}: the subject has ${length} characters`);
    const number = new RegExp(`\\b0*${i + 1}/0*${mails.length - 1}\\]`);
    if (!number.test(headersOf(mail.text).get('subject') ?? ''))
      found.push(`${mail.name}: is not numbered ${i + 1}/${mails.length - 1}`);
  });
  return judge('subjects', found, 'no subject is over 75 characters', 'a subject is too long or not numbered');
}

/** Every patch answers the cover letter, and no Message-ID comes twice. */
export function checkThreads(mails: readonly Mail[]): CheckResult {
  const found: string[] = [];
  const ids = mails.map((m) => headersOf(m.text).get('message-id') ?? '');
  ids.forEach((id, i) => {
    if (!/^<[^<>\s]+@[^<>\s]+>$/.test(id)) found.push(`${mails[i]!.name}: no Message-ID`);
    if (ids.indexOf(id) !== i) found.push(`${mails[i]!.name}: has the Message-ID of another mail`);
    if (i > 0 && headersOf(mails[i]!.text).get('in-reply-to') !== ids[0])
      found.push(`${mails[i]!.name}: does not answer the cover letter`);
  });
  return judge('threads', found, 'one thread below the cover letter', 'the thread is broken');
}

/** Each patch goes through `git am` in order, on the base commit, and the last tree is the branch's. */
export async function checkApplies(
  scratch: Scratch,
  base: string,
  mails: readonly Mail[],
  trees: readonly string[],
  expected: string,
): Promise<CheckResult[]> {
  const { trees: made, failed } = await amMails(
    scratch,
    base,
    mails.map((m) => m.text),
  );
  const found: string[] = [];
  if (failed !== null) found.push(`${mails[made.length]?.name ?? 'the series'}: ${failed}`);
  made.forEach((tree, i) => {
    if (tree !== trees[i]) found.push(`${mails[i]!.name}: git am gives another tree than the plan`);
  });
  const last = made[made.length - 1];
  return [
    judge(
      'applies',
      found,
      `git am takes all ${mails.length} on ${base.slice(0, 12)}`,
      'a patch does not apply as it should',
    ),
    judge(
      'tree',
      last === expected ? [] : [`git am gives ${last ?? 'nothing'}, the branch is ${expected}`],
      `the final tree is that of the branch, ${expected.slice(0, 12)}`,
      'the final tree is not that of the branch',
    ),
  ];
}

interface Finding {
  type: string;
  /** Text of the added line that is complained about; null when it is the mail as a whole. */
  text: ByteString | null;
  /** The blanks in front of it. */
  indent: ByteString;
  place: string;
}

/**
 * checkpatch on each mail. Fails for an error that the set itself did not have: `original` are the patches of the set (or
 * the commits that the series was cut out of). A complaint about a line that stands in the set word for word is the set's;
 * checkpatch is not asked twice for that, because its judgement of a line also depends on what else is in the mail.
 */
export async function checkCheckpatch(
  repo: GitRepo,
  revision: string,
  mails: readonly Mail[],
  original: readonly Mail[],
): Promise<CheckResult> {
  const name = 'checkpatch';
  const ask = async (list: readonly Mail[]): Promise<Finding[] | string> => {
    const args = ['--no-tree', '--show-types', '--terse', '--no-summary'];
    const result = await runKernelScript(repo, revision, 'scripts/checkpatch.pl', args, list);
    if (!result.ran) return result.why;
    const texts = new Map(list.map((m) => [m.name, splitLines(m.text)]));
    return result.stdout.split('\n').flatMap((line) => {
      const m = /^([^:]+):(\d+): ERROR:(\w+): (.*)$/.exec(line);
      if (!m) return [];
      const text = texts.get(m[1]!)?.[Number(m[2]) - 1] ?? '';
      const place = `${m[1]}:${m[2]}: ${m[3]}: ${m[4]}`;
      return [
        { type: m[3]!, text: text[0] === '+' ? chomp(text).slice(1).trim() : null, indent: indentOf(text), place },
      ];
    });
  };
  const ours = await ask(mails);
  if (typeof ours === 'string') return { name, result: 'skipped', reason: ours, findings: [] };
  const lines = new Set(
    original.flatMap((m) => splitLines(m.text).map((l) => (l[0] === '+' ? chomp(l).slice(1).trim() : ''))),
  );
  // What is said of a mail as a whole (no sign-off, no message) does not hang on its diff.
  const whole = await ask(
    original.map((m) => ({ name: m.name, text: `${m.text.split(/^---$/m)[0]!}---\n${newFile(['int x;'])}` })),
  );
  const isWhole = (f: Finding) => f.text === null || WHOLE_MAIL.test(f.type);
  const types = new Set(typeof whole === 'string' ? [] : whole.filter(isWhole).map((f) => f.type));
  const word = (f: Finding) => (isWhole(f) ? types.has(f.type) : lines.has(f.text!));
  // A line that was adapted to the target keeps the set's style: its own line is asked about in its stead.
  const adapted = ours.filter((f) => !word(f) && !isWhole(f));
  const inherited = await inheritedFrom(adapted, original, ask);
  const isOld = (f: Finding) => word(f) || inherited.has(f);
  const fresh = ours.filter((f) => !isOld(f));
  const counts = new Map<string, number>();
  for (const f of ours.filter(isOld)) counts.set(f.type, (counts.get(f.type) ?? 0) + 1);
  const list = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([t, n]) => `${n} ${t}`);
  const reason =
    `${count(fresh.length, 'error')} that the set did not have; ${ours.length - fresh.length} that it had` +
    (list.length ? ` (${list.join(', ')})` : '') +
    (inherited.size ? `, ${inherited.size} of them in lines that were adapted` : '');
  return { name, result: fresh.length ? 'fail' : 'pass', reason, findings: fresh.map((f) => f.place) };
}

/** Complaints about a mail, whatever line checkpatch puts them at. */
const WHOLE_MAIL = /SIGN_OFF$|^COMMIT_MESSAGE$|^NOT_UNIFIED_DIFF$/;

/** An adapted line shares at least this much with the line of the set that it was. */
const ADAPTED = 0.5;

/** Complaints about lines whose like in the set, alone in a mail, is complained about in the same way. */
async function inheritedFrom(
  findings: readonly Finding[],
  original: readonly Mail[],
  ask: (list: readonly Mail[]) => Promise<Finding[] | string>,
): Promise<Set<Finding>> {
  const found = new Set<Finding>();
  if (findings.length === 0) return found;
  const added = original.flatMap((m) => splitLines(m.text).filter((l) => l[0] === '+' && !l.startsWith('+++ ')));
  const pool = [...new Set(added)].map((line) => ({ line, words: tokens(line.slice(1)) }));
  const asked: { finding: Finding; line: ByteString }[] = [];
  for (const finding of findings) {
    const words = tokens(finding.text!);
    let best = { line: '' as ByteString, score: 0 };
    for (const p of pool) {
      if (p.words.length > words.length * 3 || words.length > p.words.length * 3) continue;
      const score = shared(p.words, words);
      // Of lines that are as like as one another, the one that is indented in the same way.
      const same =
        score === best.score && indentOf(best.line) !== finding.indent && indentOf(p.line) === finding.indent;
      if (score >= ADAPTED && (score > best.score || same)) best = { line: p.line, score };
    }
    if (best.score > 0) asked.push({ finding, line: chomp(best.line) });
  }
  if (asked.length === 0) return found;
  const text = `From: x <x@localhost>\nSubject: [PATCH] x\n\nx\n---\n${newFile(asked.map((a) => a.line.slice(1)))}`;
  const said = await ask([{ name: 'lines.patch', text }]);
  if (typeof said === 'string') return found;
  for (const { finding, line } of asked) {
    if (said.some((f) => f.type === finding.type && f.text === line.slice(1).trim())) found.add(finding);
  }
  return found;
}

/** The blanks behind the sign of a diff's line. */
function indentOf(line: ByteString): ByteString {
  return /^[ \t]*/.exec(line.slice(1))![0];
}

/** A diff that adds a file with these lines: without one checkpatch takes a mail for no patch. */
function newFile(lines: readonly ByteString[]): ByteString {
  const head = 'diff --git a/x.c b/x.c\nnew file mode 100644\n--- /dev/null\n+++ b/x.c\n';
  return `${head}@@ -0,0 +1,${lines.length} @@\n${lines.map((l) => `+${l}\n`).join('')}`;
}

/** The share of tokens that two lines have in common. */
function shared(a: readonly string[], b: readonly string[]): number {
  const left = new Map<string, number>();
  for (const t of a) left.set(t, (left.get(t) ?? 0) + 1);
  let common = 0;
  for (const t of b) {
    const n = left.get(t) ?? 0;
    if (n > 0) common++;
    left.set(t, n - 1);
  }
  return (2 * common) / Math.max(1, a.length + b.length);
}
