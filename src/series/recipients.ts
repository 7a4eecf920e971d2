import { inputError } from '../core/errors';
import { forDisplay, type ByteString } from '../core/text';
import type { GitRepo } from '../io/git';
import { runKernelScript } from '../io/kernel-scripts';
import type { Change } from './change';
import { readTrailer } from './history';
import { listedFor, readMaintainers } from './maintainers';

/** An address of the series and why it is there. */
export interface Recipient {
  /** `Name <user@host>`. */
  address: string;
  email: string;
  field: 'to' | 'cc' | 'bcc';
  reasons: string[];
  /** Why it was left out; null when mail goes there. */
  suppressed: string | null;
}

/** git's words for what `--suppress-cc` leaves out, as far as they mean something here. */
export const SUPPRESS = ['author', 'self', 'cc', 'bodycc', 'sob', 'misc-by', 'body', 'cccmd', 'all'] as const;
export type Suppress = (typeof SUPPRESS)[number];

export interface RecipientRequest {
  to: readonly string[];
  cc: readonly string[];
  suppress: readonly string[];
  /** Ask MAINTAINERS even when somebody is named with `--to`. */
  maintainers: boolean | undefined;
}

/** What the series says of people. */
export interface SeriesPeople {
  user: { name: ByteString; email: ByteString };
  patches: readonly {
    author: { name: ByteString; email: ByteString };
    trailers: readonly ByteString[];
    mail: ByteString;
  }[];
}

/** Splits `Name <user@host>`; throws an input error, with the place, for what is no address. */
export function parseAddress(text: string, where: string): { address: string; email: string } {
  const clean = text.trim();
  const m = /^(?:(.*?)\s*<([^<>\s]+)>|([^<>\s,]+))$/.exec(clean);
  const email = m?.[2] ?? m?.[3] ?? '';
  if (!m || !/^[^@\s]+@[^@\s]+$/.test(email)) {
    const why = m && !email.includes('@') ? 'it has no domain' : 'it is not of the form user@host';
    throw inputError(
      `${where}: '${clean}' is no mail address: ${why}`,
      `write it as 'Name <user@example.org>' or user@example.org`,
    );
  }
  const name = (m[1] ?? '')
    .replace(/^"(.*)"$/, '$1')
    .replace(/\\(.)/g, '$1')
    .trim();
  const quoted = /[^\w\s'`!#$%&*+/=?^{|}~\u0080-\uffff-]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name;
  return { address: quoted ? `${quoted} <${email}>` : email, email: email.toLowerCase() };
}

/** Addresses in one option value or configuration value, which may hold several. */
function several(text: string): string[] {
  return text
    .split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((a) => a.trim())
    .filter(Boolean);
}

/**
 * Who gets the series. Whom the user names is used as it is. MAINTAINERS, authors and the people of the trailers are asked
 * when nobody is named with `--to`, or on request: a series that goes to one reader must not reach a list by surprise.
 * `Cc:` trailers are the author's own wish and always count.
 */
export async function findRecipients(
  repo: GitRepo,
  change: Change,
  people: SeriesPeople,
  request: RecipientRequest,
): Promise<{ recipients: Recipient[]; source: string; notes: string[] }> {
  const found = new Map<string, Recipient>();
  const notes: string[] = [];
  const configured = async (key: string) =>
    (await repo.run(['config', '--get-all', key], { ok: [0, 1] })).stdout.toString('utf8').split('\n').filter(Boolean);
  const suppress = new Set<string>(request.suppress);
  if (suppress.size === 0) for (const s of await configured('sendemail.suppresscc')) suppress.add(s);
  for (const s of suppress) {
    if (!(SUPPRESS as readonly string[]).includes(s)) {
      throw inputError(`--suppress-cc: '${s}' is no category`, `git's categories are: ${SUPPRESS.join(', ')}`);
    }
  }
  const off = (category: Suppress): string | null => {
    if (suppress.has(category)) return `--suppress-cc=${category}`;
    if (suppress.has('body') && ['sob', 'misc-by', 'bodycc'].includes(category)) return '--suppress-cc=body';
    return suppress.has('all') && category !== 'self' ? '--suppress-cc=all' : null;
  };
  const add = (
    text: string,
    field: Recipient['field'],
    reason: string,
    where: string,
    without: string | null = null,
  ) => {
    const { address, email } = parseAddress(text, where);
    const self =
      email === forDisplay(people.user.email).toLowerCase() && suppress.has('self') ? '--suppress-cc=self' : null;
    const before = found.get(email);
    if (!before) {
      found.set(email, { address, email, field, reasons: [reason], suppressed: without ?? self });
      return;
    }
    if (!before.reasons.includes(reason)) before.reasons.push(reason);
    if (without === null && self === null) before.suppressed = null;
    if (field === 'to' && before.field === 'cc' && without === null) before.field = 'to';
    if (!before.address.includes('<') && address.includes('<')) before.address = address;
  };
  for (const a of request.to.flatMap(several)) add(a, 'to', '--to', '--to');
  for (const a of request.cc.flatMap(several)) add(a, 'cc', '--cc', '--cc');
  for (const field of ['to', 'cc', 'bcc'] as const) {
    for (const a of (await configured(`sendemail.${field}`)).flatMap(several)) {
      add(a, field, `sendemail.${field} in git's configuration`, `sendemail.${field}`);
    }
  }
  const auto = request.maintainers ?? request.to.length === 0;
  const why = auto ? null : '--to names the readers; --maintainers adds these';
  const said = new Map<string, { text: string; what: string; patches: number[]; without: string | null }>();
  const note = (text: string, what: string, patch: number, without: string | null) => {
    const key = `${what}\0${text}`;
    if (!said.has(key)) said.set(key, { text, what, patches: [], without });
    said.get(key)!.patches.push(patch);
  };
  people.patches.forEach((patch, i) => {
    for (const line of patch.trailers) {
      const trailer = readTrailer(line);
      if (!trailer) continue;
      const text = forDisplay(trailer.value).replace(/\s*#.*$/, '');
      if (/^cc$/i.test(trailer.key)) note(text, 'Cc: in', i + 1, off('bodycc') ?? off('cc'));
      else if (/^signed-off-by$/i.test(trailer.key)) note(text, 'Signed-off-by: in', i + 1, off('sob') ?? why);
      else if (/-by$/i.test(trailer.key)) note(text, `${trailer.key}: in`, i + 1, off('misc-by') ?? why);
    }
    if (patch.author.email !== people.user.email) {
      const text = `${forDisplay(patch.author.name)} <${forDisplay(patch.author.email)}>`;
      note(text, 'author of', i + 1, off('author') ?? why);
    }
  });
  for (const { text, what, patches, without } of said.values()) {
    const where = patches.length > 3 ? `${patches.length} patches` : `patch ${patches.join(', ')}`;
    try {
      add(text, 'cc', `${what} ${where}`, where, without);
    } catch {
      notes.push(`${where}: '${text}' is no mail address: left out`);
    }
  }
  let source = 'nobody was asked for: --to names the readers';
  if (auto) source = await askKernel(repo, change, people, add, off('cccmd'), notes);
  const self = found.get(forDisplay(people.user.email).toLowerCase());
  // The sender of a series need not be told that it went out, unless they asked for it.
  if (self && self.suppressed === null && self.reasons.every((r) => /^(Signed-off|author)/.test(r))) {
    self.suppressed = 'it is you';
  }
  const rank = { to: 0, cc: 1, bcc: 2 };
  const recipients = [...found.values()].sort((a, b) => rank[a.field] - rank[b.field]);
  return { recipients, source, notes };
}

type Add = (text: string, field: Recipient['field'], reason: string, where: string, without?: string | null) => void;

/** Maintainers, reviewers and lists: by the kernel's own script when it runs, else by kport's reader of MAINTAINERS. */
async function askKernel(
  repo: GitRepo,
  change: Change,
  people: SeriesPeople,
  add: Add,
  without: string | null,
  notes: string[],
): Promise<string> {
  const result = await runKernelScript(
    repo,
    change.base,
    'scripts/get_maintainer.pl',
    ['--nogit', '--nogit-fallback', '--norolestats', '--roles', '--nointeractive'],
    people.patches.map((p, i) => ({ name: `${i + 1}.patch`, text: p.mail })),
  );
  const take = (text: string, field: 'to' | 'cc', reason: string) => {
    try {
      add(text, field, reason, 'MAINTAINERS', without);
    } catch {
      notes.push(`MAINTAINERS: '${text}' is no mail address: left out`);
    }
  };
  if (result.ran) {
    for (const line of result.stdout.split('\n').filter(Boolean)) {
      const m = /^(.*?<[^<>]+>|\S+)\s+\((.*)\)\s*$/.exec(forDisplay(line));
      if (!m) continue;
      const [, who, role] = m as unknown as [string, string, string];
      take(who, /^(maintainer|supporter|odd fixer)/.test(role) ? 'to' : 'cc', `${role} (get_maintainer.pl)`);
    }
    return 'scripts/get_maintainer.pl of the target';
  }
  const entry = /\d+ blob ([0-9a-f]+)\t/.exec(
    await repo.output(['ls-tree', '--full-tree', change.base, '--', 'MAINTAINERS']),
  );
  const text = entry ? await repo.readBlob(entry[1]!) : null;
  if (text === null) return `nobody: ${result.why}, and the target has no MAINTAINERS`;
  const folders = new Set(
    (await repo.output(['ls-tree', '-r', '-d', '-z', '--name-only', '--full-tree', change.base])).split('\0'),
  );
  const sections = readMaintainers(text, (p) => folders.has(p));
  const lines = change.units.flatMap((u) => (u.hunk?.lines ?? []).filter((l) => l[0] !== ' '));
  const paths = change.files.flatMap((f) => [...new Set([f.path, f.change.oldPath ?? f.path])]);
  for (const l of listedFor(sections, paths, lines)) {
    const role = l.kind === 'list' ? 'list' : l.kind;
    take(
      forDisplay(l.address),
      l.kind === 'maintainer' ? 'to' : 'cc',
      `${role} of ${forDisplay(l.section)} (${forDisplay(l.by)})`,
    );
  }
  return `MAINTAINERS of the target, read by kport (${result.why})`;
}

/** A list of addresses as git's options take it. */
export function addressesOf(recipients: readonly Recipient[], field: Recipient['field']): string[] {
  return recipients.filter((r) => r.field === field && r.suppressed === null).map((r) => r.address);
}
