import path from 'node:path';
import type { ByteString } from '../core/text';
import { withScratch, writeFile, makeFolders } from './files';
import type { GitRepo } from './git';
import { run, which } from './process';

/** Files that the kernel's own scripts read beside themselves. */
const WANTED = [
  'MAINTAINERS',
  '.mailmap',
  '.get_maintainer.ignore',
  '.get_maintainer.conf',
  'COPYING',
  'CREDITS',
  'Kbuild',
  'Makefile',
  'README',
  'scripts/get_maintainer.pl',
  'scripts/checkpatch.pl',
  'scripts/spelling.txt',
  'scripts/const_structs.checkpatch',
  'scripts/spdxcheck.py',
  'Documentation/dev-tools/checkpatch.rst',
];

/** What a script of the kernel said, or why it could not be asked. */
export type ScriptResult = { ran: true; stdout: ByteString } | { ran: false; why: string };

/**
 * Runs a perl script of a kernel over patch files, in a folder that has what the script looks for and the tree's empty
 * folders (the scripts ask whether a pattern is a folder) but not the other 70,000 files.
 */
export async function runKernelScript(
  repo: GitRepo,
  revision: string,
  script: string,
  args: readonly string[],
  files: readonly { name: string; text: ByteString }[],
): Promise<ScriptResult> {
  const rows = await repo.output(['ls-tree', '-z', '--full-tree', revision, '--', ...WANTED]);
  const blobs = [...rows.matchAll(/\d+ blob ([0-9a-f]+)\t([^\0]+)\0/g)].map((m) => ({ oid: m[1]!, path: m[2]! }));
  if (!blobs.some((b) => b.path === script)) return { ran: false, why: `the kernel has no ${script}` };
  const perl = await which('perl');
  if (perl === null) return { ran: false, why: 'perl is not installed' };
  return withScratch(async (dir) => {
    const tree = path.join(dir, 'linux');
    const folders = await repo.output(['ls-tree', '-r', '-d', '-z', '--full-tree', '--name-only', revision]);
    for (const folder of folders.split('\0').filter(Boolean)) {
      makeFolders(path.join(tree, Buffer.from(folder, 'latin1').toString('utf8')));
    }
    for (const { oid, path: p } of blobs) {
      const text = await repo.readBlob(oid);
      if (text === null && p === script) return { ran: false, why: `the repository lacks the content of ${script}` };
      writeFile(path.join(tree, p), text ?? '');
    }
    const names = files.map(({ name, text }) => {
      writeFile(path.join(dir, name), text);
      return path.join(dir, name);
    });
    const done = await run(perl, [path.join(tree, script), ...args, ...names], {
      cwd: tree,
      env: { LC_ALL: 'C', GIT_CEILING_DIRECTORIES: dir },
      timeoutMs: 600000,
    });
    if (done.timedOut) return { ran: false, why: `${script} took too long` };
    const stdout = done.stdout.toString('latin1').replaceAll(`${dir}/`, '');
    // checkpatch exits 1 when it has findings; a broken script says nothing on stdout.
    if (done.code !== 0 && stdout === '') {
      return { ran: false, why: `${script} failed: ${done.stderr.split('\n')[0]!.slice(0, 200)}` };
    }
    return { ran: true, stdout };
  });
}
