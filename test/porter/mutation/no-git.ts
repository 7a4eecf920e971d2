import { blobId } from '../../../src/io/blob-id';
import type { Scratch } from '../../../src/io/scratch';
import type { Texts } from '../harness';

/**
 * A scratch repository for a set of one patch whose outcome is known. Git would make the same of it (that is what the
 * other tests look at) in six processes; here there are a thousand cases.
 */
export function withoutGit(after: Texts): Scratch {
  const blobs = new Map(Object.values(after).map((text) => [blobId(text), text]));
  const fake: {
    [K in 'writeBlob' | 'writeTree' | 'applyPatch' | 'changedFiles']: Scratch[K];
  } & { repo: Pick<Scratch['repo'], 'readBlob'> } = {
    writeBlob: (content) => Promise.resolve(blobId(content)),
    writeTree: () => Promise.resolve('before'),
    applyPatch: () => Promise.resolve('after'),
    changedFiles: () =>
      Promise.resolve(Object.entries(after).map(([path, text]) => ({ path, mode: '100644', oid: blobId(text) }))),
    repo: { readBlob: (oid) => Promise.resolve(blobs.get(oid) ?? null) },
  };
  return fake as unknown as Scratch;
}
