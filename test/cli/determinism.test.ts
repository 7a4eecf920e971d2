import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Sandbox } from '../support/sandbox';

const box = new Sandbox();
afterAll(() => box.remove());

type Json = Record<string, unknown>;

/** Runs kport with a cache (and so with fixture kernels) of its own; paths of that cache are taken out of what it says. */
function kport(cache: string, ...args: string[]): { text: string; status: number | null } {
  const dir = box.path(cache);
  const done = box.kport(args, { env: { KPORT_CACHE_DIR: dir } });
  if (done.status !== 0 && done.status !== 1) throw new Error(done.stderr);
  return { text: done.stdout.split(dir).join('CACHE'), status: done.status };
}

/** A document without what says how long it took, and on how much of the machine. */
function withoutTime(text: string): unknown {
  const drop = new Set(['timing', 'seconds', 'jobs', 'peakMegabytes']);
  return JSON.parse(text, (key, value: unknown) => (drop.has(key) ? undefined : value));
}

/** Mails without what makes each sending another one: its day, and the ids that are drawn for it. */
function mailsIn(dir: string): Record<string, string> {
  const read = (name: string) =>
    readFileSync(path.join(dir, name), 'latin1')
      .replace(/\b\d{8}-corevisor-4\.18-[0-9a-f]{12}(-v\d+-\d+-[0-9a-f]{12}@)?/g, (_, rest) => (rest ? 'MAIL@' : 'ID'))
      .replace(/^Date: .*$/m, (line) => (name.startsWith('0000') ? 'Date: NOW' : line));
  return Object.fromEntries(
    readdirSync(dir)
      .sort()
      .map((name) => [name, read(name)]),
  );
}

describe('two runs', () => {
  const ports = ['one', 'two', 'one'].map((cache, i) => {
    const made = () => {
      const port = kport(cache, 'apply', '--to', 'v5.8', '--force', '--json');
      const folder = box.path(`series-${i}`);
      const report = withoutTime(port.text) as Json;
      const tree = ((report.result as Json).tree as string).replace('CACHE', box.path(cache));
      const mail = kport(cache, 'mail', '--tree', tree, '--rfc', '--allow-incomplete', '-o', folder);
      return { report, status: port.status, mails: mailsIn(folder), mail: mail.status };
    };
    return made;
  });

  it('of a port give the same report, the same tree and the same mails, with a cold cache and a warm one', () => {
    const [first, ...others] = ports.map((made) => made());
    expect((first!.report.result as Json).treeId).toMatch(/^[0-9a-f]{40}$/);
    expect(Object.keys(first!.mails).length).toBeGreaterThan(5);
    for (const other of others) expect(other).toEqual(first);
  }, 300_000);

  it('of a matrix give the same document, one target at a time and two', () => {
    const args = ['matrix', '--to', 'v4.19,v5.4', '--fresh', '--json'];
    const [one, two] = ['1', '2'].map((jobs) => withoutTime(kport('one', ...args, '--jobs', jobs).text));
    expect((one as { targets: unknown[] }).targets).toHaveLength(2);
    expect(two).toEqual(one);
  }, 300_000);

  it('of kport ci give the same document, one port at a time and two', () => {
    const args = ['ci', '--set', 'corevisor-4.18', '--to', 'v4.19,v5.4', '--json'];
    const [one, two] = ['1', '2'].map((jobs) => withoutTime(kport('one', ...args, '--jobs', jobs).text));
    expect((one as { rows: unknown[] }).rows).toHaveLength(2);
    expect(two).toEqual(one);
  }, 300_000);
});
