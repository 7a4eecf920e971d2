import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { diffArrays } from 'diff';
import { splitLines } from '../../../src/core/text';
import type { Scratch } from '../../../src/io/scratch';
import { indexFile } from '../../../src/kernel-index/index-file';
import type { DefinitionKind } from '../../../src/kernel-index/types';
import { loadSet } from '../../../src/patch-set/patch-set';
import { baseAfterEachPatch } from '../../../src/porter/source';
import { memoryTree, type Texts } from '../harness';

/** A line that knows which line of the base it is; null for one that the base has not. Its text may change, it may move. */
export interface Line {
  text: string;
  id: string | null;
}

/** A definition with its lines, or what lies between two definitions (no kind). */
export interface Block {
  kind: DefinitionKind | null;
  name: string;
  lines: Line[];
  /** True when it lies under an `#if` of the file. */
  guarded: boolean;
}

export type Kernel = Map<string, Block[]>;

/** What a set does to one file, by the identity of lines. */
export interface SetChange {
  path: string;
  /** Before the line of this id. The end of the file is ''. */
  added: Map<string, string[]>;
  removed: Set<string>;
}

export interface Material {
  files: Map<string, Block[]>;
  changes: SetChange[];
}

const ROOT = path.join(__dirname, '../../..');

/** The bundled set on its own kernel, file by file. */
export async function readMaterial(scratch: Scratch): Promise<Material> {
  const base = readFolder(path.join(ROOT, 'fixtures/kernels/v4.18'));
  const set = await loadSet(path.join(ROOT, 'patches'), 'corevisor-4.18');
  const after: Texts = {};
  for await (const { files } of baseAfterEachPatch(set, memoryTree('v4.18', base), scratch, null))
    for (const [file, left] of files) if (left) after[file] = left.text;
  const material: Material = { files: new Map(), changes: [] };
  for (const [file, text] of Object.entries(base)) material.files.set(file, await blocksOf(file, text));
  for (const [file, text] of Object.entries(after).sort()) {
    const blocks = material.files.get(file);
    if (blocks && /\.[chS]$/.test(file)) material.changes.push(changeOf(file, linesOf(blocks), splitLines(text)));
  }
  return material;
}

function readFolder(top: string, below = ''): Texts {
  const texts: Texts = {};
  for (const name of readdirSync(path.join(top, below)).sort()) {
    const file = path.join(below, name);
    if (statSync(path.join(top, file)).isDirectory()) Object.assign(texts, readFolder(top, file));
    else texts[file] = readFileSync(path.join(top, file), 'latin1');
  }
  return texts;
}

const BLOCKS = new Set(['function', 'struct', 'union', 'enum', 'asm-symbol', 'asm-macro', 'variable']);

async function blocksOf(file: string, text: string): Promise<Block[]> {
  const lines = splitLines(text).map((l, i) => ({ text: l, id: `${file}:${i + 1}` }));
  const blocks: Block[] = [];
  let at = 0;
  const between = (to: number) => {
    if (to > at) blocks.push({ kind: null, name: '', lines: lines.slice(at, to), guarded: false });
    at = to;
  };
  for (const d of (await indexFile(file, text)).definitions) {
    if (d.startLine < at || d.endLine === d.startLine || !BLOCKS.has(d.kind)) continue;
    between(d.startLine);
    const guarded = d.guards.length > 0;
    blocks.push({ kind: d.kind, name: d.name, lines: lines.slice(at, d.endLine + 1), guarded });
    at = d.endLine + 1;
  }
  between(lines.length);
  return blocks;
}

export const linesOf = (blocks: readonly Block[]): Line[] => blocks.flatMap((b) => b.lines);

function changeOf(file: string, lines: readonly Line[], after: readonly string[]): SetChange {
  const change: SetChange = { path: file, added: new Map(), removed: new Set() };
  let at = 0;
  for (const part of diffArrays(
    lines.map((l) => l.text),
    [...after],
  )) {
    if (part.added) {
      const before = lines[at]?.id ?? '';
      change.added.set(before, [...(change.added.get(before) ?? []), ...part.value]);
    } else {
      if (part.removed) for (const l of lines.slice(at, at + part.value.length)) change.removed.add(l.id!);
      at += part.value.length;
    }
  }
  return change;
}

/** The file with the set's change. */
export function withChange(blocks: readonly Block[], change: SetChange): string {
  const text = linesOf(blocks).map(
    (l) => (change.added.get(l.id ?? '-')?.join('') ?? '') + (change.removed.has(l.id ?? '-') ? '' : l.text),
  );
  return text.join('') + (change.added.get('')?.join('') ?? '');
}

export const textOf = (blocks: readonly Block[]): string =>
  linesOf(blocks)
    .map((l) => l.text)
    .join('');

export const textsOf = (kernel: Kernel): Texts =>
  Object.fromEntries([...kernel].map(([file, blocks]) => [file, textOf(blocks)]));

/** A copy that can be changed; the lines keep their identity. */
export function copyOf(kernel: Kernel): Kernel {
  return new Map(
    [...kernel].map(([file, blocks]) => [file, blocks.map((b) => ({ ...b, lines: b.lines.map((l) => ({ ...l })) }))]),
  );
}

/** True for a line with code in it: neither blank nor (by its looks) a comment. */
export const isCode = (text: string): boolean => !/^\s*($|\/\*|\*\s|\*\/|\*$|\/\/)/.test(text);

/** The blocks of a file that the set changes from inside. */
export function edited(blocks: readonly Block[], change: SetChange): Block[] {
  return blocks.filter(
    (b) =>
      b.kind !== null &&
      b.lines.some((l, i) => l.id !== null && (change.removed.has(l.id) || (i > 0 && change.added.has(l.id)))),
  );
}
