import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openTree } from '../../src/io/tree';
import { indexKernel, WHOLE_TREE, type KernelIndex } from '../../src/kernel-index/index';

/** A kernel made of the given files, indexed. */
export async function kernel(version: string, files: Record<string, string>): Promise<KernelIndex> {
  const dir = mkdtempSync(path.join(tmpdir(), 'kport-test-'));
  const [major, minor] = version.split('.');
  for (const [name, text] of Object.entries({ Makefile: `VERSION = ${major}\nPATCHLEVEL = ${minor}\n`, ...files })) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
    writeFileSync(path.join(dir, name), text, 'latin1');
  }
  return indexKernel(await openTree(dir, null), { scope: { ...WHOLE_TREE, whole: false }, cache: null });
}
