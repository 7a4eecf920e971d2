import path from 'node:path';
import type { ByteString } from '../../core/text';
import { withScratch, writeFile } from '../../io/files';
import { run, which } from '../../io/process';
import { judge, skipped, type Check, type Finding } from '../check';

const LIMIT = 300_000;

/** One complaint of checkpatch. */
interface Complaint {
  path: ByteString;
  line: number;
  type: string;
  text: string;
}

/**
 * The target's own checkpatch.pl, on what the set and the port do to existing files: only what the port has and the set has
 * not at home is told, and only for reading. The style of the set itself is its authors' business.
 */
export const checkpatch: Check = {
  name: 'checkpatch',
  async run(ctx) {
    const script = await ctx.target.read('scripts/checkpatch.pl');
    if (script === null) return skipped('checkpatch', `${ctx.target.name} has no scripts/checkpatch.pl`);
    if (!(await which('perl'))) return skipped('checkpatch', 'perl is not on PATH');
    if (ctx.setFiles.size === 0) return skipped('checkpatch', ctx.noSet ?? 'the set changes no text file');
    return withScratch(async (dir) => {
      for (const name of ['checkpatch.pl', 'spelling.txt', 'const_structs.checkpatch']) {
        const text = await ctx.target.read(`scripts/${name}`);
        if (text !== null) writeFile(path.join(dir, name), text);
      }
      const pairs = (kind: 'set' | 'port') =>
        kind === 'set'
          ? [...ctx.setFiles.values()].map((f) => ({ path: f.path, before: f.base, after: f.patched }))
          : [...ctx.portFiles.values()].map((f) => ({ path: f.path, before: f.target, after: f.ported }));
      const home = await complaints(dir, 'home', pairs('set'));
      const here = await complaints(dir, 'here', pairs('port'));
      if (home === null || here === null) return skipped('checkpatch', 'checkpatch.pl ran into its time limit');
      const known = new Map<string, number>();
      for (const c of home) known.set(c.type, (known.get(c.type) ?? 0) + 1);
      const findings: Finding[] = [];
      for (const c of here) {
        const left = known.get(c.type) ?? 0;
        known.set(c.type, left - 1);
        if (left > 0) continue;
        findings.push({
          ...{ path: c.path, line: c.line, hunk: ctx.hunkAt(c.path, c.line - 1), definition: null },
          ...{ text: `${c.type}: ${c.text}`, kind: 'checkpatch-review' },
        });
      }
      return judge(
        'checkpatch',
        findings,
        `${here.length} complaints about existing files, ${home.length} about the set at home`,
      );
    });
  },
};

async function complaints(
  dir: string,
  name: string,
  pairs: { path: ByteString; before: ByteString | null; after: ByteString | null }[],
): Promise<Complaint[] | null> {
  for (const side of ['a', 'b'] as const) {
    for (const p of pairs) {
      const text = side === 'a' ? p.before : p.after;
      if (p.before !== null && p.after !== null) writeFile(path.join(dir, name, side, p.path), text!);
    }
  }
  const cwd = path.join(dir, name);
  writeFile(path.join(cwd, '.keep'), '');
  const diff = await run('git', ['diff', '--no-index', '--no-prefix', '--no-renames', '--no-color', 'a', 'b'], { cwd });
  const args = ['checkpatch.pl', '--no-tree', '--no-signoff', '--terse', '--show-types', '--showfile', '-q', '-'];
  const done = await run('perl', args, { cwd: dir, input: diff.stdout, timeoutMs: LIMIT });
  if (done.timedOut) return null;
  const found: Complaint[] = [];
  for (const line of done.stdout.toString('latin1').split('\n')) {
    const m = /^(?:[ab]\/)?(\S+?):(\d+): (?:ERROR|WARNING|CHECK):(\w+): (.*)$/.exec(line);
    if (m) found.push({ path: m[1]!, line: Number(m[2]), type: m[3]!, text: m[4]! });
  }
  return found;
}
