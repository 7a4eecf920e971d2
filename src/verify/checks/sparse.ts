import path from 'node:path';
import type { ByteString } from '../../core/text';
import { blobId } from '../../io/blob-id';
import { removeFolder } from '../../io/export';
import { which } from '../../io/process';
import type { KernelTree } from '../../io/tree';
import { KernelBuild, SourceFolder } from '../build';
import { judge, skipped, type Check, type Finding } from '../check';
import type { CheckContext, PortFile } from '../context';
import { definitionAt } from '../scan';
import type { Diagnostic } from '../diagnostics';
import { buildOne, type Built, type Workshop } from '../workshop';

/**
 * sparse over what was built, on the lines that the port wrote. What it says of the set at home as well is left out, so
 * the set is built there, too, its option on. All of it is for a look: whether it breaks anything, the compiler has said.
 */
export function sparse(workshop: Workshop): Check {
  return {
    name: 'sparse',
    async run(ctx) {
      if (!(await which('sparse'))) return skipped('sparse', "sparse is not on PATH (package 'sparse')");
      const built = await workshop.build(ctx.options.length ? 'on' : 'off');
      if (built.stopped) return skipped('sparse', `no objects: ${built.stopped.reason}`);
      const here = await complaints(built);
      if (here === null) return skipped('sparse', 'sparse ran into its time limit');
      const own = here.filter((d) => d.path !== null && d.line !== null && ctx.hunkAt(d.path, d.line - 1) !== null);
      const home = await atHome(ctx, workshop);
      const fresh = typeof home === 'string' ? own : newOnes(own, home);
      const findings: Finding[] = [];
      for (const d of fresh) {
        findings.push({
          ...{ path: d.path!, line: d.line, hunk: ctx.hunkAt(d.path!, d.line! - 1) },
          definition: definitionAt(await ctx.spans(d.path!), d.line! - 1),
          ...{ text: d.text, kind: 'sparse-review' },
        });
      }
      const beside =
        typeof home === 'string' ? `not compared with the set at home: ${home}` : `${fresh.length} of them not at home`;
      return judge(
        'sparse',
        findings,
        `${here.length} complaints about ${built.objects.length} objects, ${own.length} about lines of the port; ${beside}`,
        {
          ...{ all: here.length, own: own.length, fresh: fresh.length },
          home: typeof home === 'string' ? null : home.length,
        },
      );
    },
  };
}

/** What is not among the known complaints, each of which excuses one of the same words. */
export function newOnes(all: readonly Diagnostic[], known: readonly Diagnostic[]): Diagnostic[] {
  const left = new Map<string, number>();
  for (const d of known) left.set(d.text, (left.get(d.text) ?? 0) + 1);
  return all.filter((d) => {
    const count = left.get(d.text) ?? 0;
    left.set(d.text, count - 1);
    return count <= 0;
  });
}

async function complaints(built: Built): Promise<Diagnostic[] | null> {
  const done = await built.build.sparse(built.targets);
  return done.timedOut ? null : done.diagnostics.filter((d) => d.path !== null && d.line !== null);
}

/** What sparse says of the set on its own base; a reason when nobody can say. */
async function atHome(ctx: CheckContext, workshop: Workshop): Promise<Diagnostic[] | string> {
  if (!ctx.base || ctx.setFiles.size === 0) return ctx.noSet ?? 'its base is not at hand';
  const { dir, toolchain, jobs, config } = workshop.options;
  const [sources, out] = [path.join(dir, 'source-home'), path.join(dir, 'build-home')];
  for (const d of [sources, out]) removeFolder(d);
  const files = new Map<ByteString, PortFile>();
  for (const f of ctx.setFiles.values())
    files.set(f.path, { path: f.path, target: f.base, ported: f.patched, changes: [] });
  const tree = withFiles(ctx.base, files);
  const source = await SourceFolder.of(ctx.base, sources, (p) => files.has(p));
  await source.become(ctx.base, tree);
  const home = { ported: tree, portFiles: files, options: ctx.options };
  const built = await buildOne(
    home,
    new KernelBuild(source, out, toolchain, jobs),
    ctx.options.length ? 'on' : 'off',
    config,
  );
  if (built.stopped) return `it does not build there: ${built.stopped.reason}`;
  return (await complaints(built)) ?? 'sparse ran into its time limit there';
}

/** A tree with some files changed, in memory. */
function withFiles(base: KernelTree, files: ReadonlyMap<ByteString, PortFile>): KernelTree {
  const text = (p: ByteString) => files.get(p)?.ported ?? null;
  return {
    ...{ name: `${base.name} with the set`, version: base.version, commit: null, repo: null },
    paths: () => [...new Set([...base.paths(), ...files.keys()])].filter((p) => !files.has(p) || text(p) !== null),
    has: (p) => (files.has(p) ? text(p) !== null : base.has(p)),
    entry: (p) => {
      if (!files.has(p)) return base.entry(p);
      const t = text(p);
      return t === null ? null : { mode: base.entry(p)?.mode ?? '100644', oid: blobId(t) };
    },
    read: (p) => (files.has(p) ? Promise.resolve(text(p)) : base.read(p)),
  };
}
