import { createTwoFilesPatch } from 'diff';
import type { ByteString } from '../../src/core/text';
import { blobId } from '../../src/io/blob-id';
import type { KernelTree } from '../../src/io/tree';
import { readBareDiff } from '../../src/patch-set/mail';
import type { PatchSet } from '../../src/patch-set/patch-set';

export type Files = Record<string, string>;

/** A kernel in memory. */
export function tree(files: Files, version = 'v5.4'): KernelTree {
  const [major, minor] = version.slice(1).split('.').map(Number);
  return {
    name: version,
    version: { version: major!, patchlevel: minor!, sublevel: 0, extra: '' },
    commit: null,
    repo: null,
    paths: () => Object.keys(files).sort(),
    has: (p) => files[p] !== undefined,
    entry: (p) => (files[p] === undefined ? null : { mode: '100644', oid: blobId(files[p]) }),
    read: (p) => Promise.resolve(files[p] ?? null),
  };
}

/** The set that leads from one to the other. */
export function setBetween(base: Files, patched: Files): PatchSet {
  let diff: ByteString = '';
  for (const p of [...new Set([...Object.keys(base), ...Object.keys(patched)])].sort()) {
    if (base[p] === patched[p]) continue;
    const [from, to] = [
      base[p] === undefined ? '/dev/null' : `a/${p}`,
      patched[p] === undefined ? '/dev/null' : `b/${p}`,
    ];
    const body = createTwoFilesPatch(from, to, base[p] ?? '', patched[p] ?? '', '', '', { context: 3 });
    const mode =
      base[p] === undefined ? 'new file mode 100644\n' : patched[p] === undefined ? 'deleted file mode 100644\n' : '';
    diff += `diff --git a/${p} b/${p}\n${mode}${body.replace(/^=+\n/, '').replace(/^(---|\+\+\+) (\S+)\t.*$/gm, '$1 $2')}`;
  }
  const patch = readBareDiff(diff, '0001.diff', 'the set');
  const manifest = {
    schemaVersion: 1 as const,
    name: 'test',
    base: { version: 'v4.18', commit: null },
    patches: [],
    unreadable: [],
  };
  return { name: 'test', dir: '', manifest, patches: [patch] };
}

/** A copy with one text replaced; throws when it is not there exactly once. */
export function edit(files: Files, path: string, from: string, to: string): Files {
  const parts = files[path]?.split(from) ?? [];
  if (parts.length !== 2) throw new Error(`'${from}' is in '${path}' ${parts.length - 1} times`);
  return { ...files, [path]: parts.join(to) };
}
