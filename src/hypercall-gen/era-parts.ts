import type { ByteString } from '../core/text';
import type { PatchSet } from '../patch-set/patch-set';
import { attributeWords, plainMacros } from '../kernel-index/attribute-words';
import { indexFile } from '../kernel-index/index-file';
import { objectsIn } from './entries';
import { eraOf, type Era, type TreeReader } from './era';
import { extractFrom, type BaseTree } from './extract';
import { patchedFiles, type PatchedFile } from './source';
import type { HypercallTable } from './types';

/** A tree that can be listed, and asked for its files. */
export type ListedTree = BaseTree & TreeReader;

/**
 * What of a set cannot be carried to the target because the kernels call EL2 in different ways, and what is known about
 * it. Null where nothing has to be generated: the set's own code does.
 */
export interface EraChange {
  from: Era;
  to: Era;
  table: HypercallTable;
  /** C files of the set with code for EL2, by their paths in the set; the target's nVHE object needs them. */
  el2Sources: ReadonlySet<ByteString>;
  /** Those of them that a new list of the set makes an object, where the nVHE object puts all its code into EL2's text. */
  el2Objects: ReadonlySet<ByteString>;
  /** Data that these files define and code of the set for EL1 uses: its copy is one that EL2 knows nothing of. */
  el2Data: ReadonlySet<string>;
  /** Data of the image that EL2 code of the set uses, by the file that does; each needs an alias. */
  borrowed: ReadonlyMap<ByteString, readonly string[]>;
  /** The base's function that makes a hypercall, when the target has it no more. */
  goneCall: string | null;
  /** The target tells symbols of the nVHE object by this macro; null when it does not. */
  symbolMacro: string | null;
  /** Names of the functions that the set defines. */
  own: ReadonlySet<string>;
}

/** EL2 code of kernels that link it into the image. */
const EL2_MARK = '__hyp_text';
const KERNEL_CALL = '__kvm_call_hyp';
const SYMBOL_MACRO = 'kvm_nvhe_sym';
const ASM_HEADERS = 'arch/arm64/include/asm/';

/** Holds the eras of base and target against each other. Decided by what the trees have, never by their versions. */
export async function eraChange(set: PatchSet, base: ListedTree, target: ListedTree): Promise<EraChange | null> {
  const [from, to] = [await eraOf(base), await eraOf(target)];
  if (from.kind === to.kind) return null;
  const files = await patchedFiles(set, (path) => base.read(path));
  const { table } = await extractFrom(set.name, set.manifest.base.version, files, base);
  if (table.interface.dispatcher === null && table.hypercalls.length === 0) return null;
  const el2 = await el2Of(files);
  const objects = to.nvheMakefile !== null && from.nvheMakefile === null;
  const [known, symbolMacro] = objects ? await dataOf(target) : [new Set<string>(), null];
  for (const name of laidOut(files)) known.add(name);
  const borrowed = new Map<ByteString, string[]>();
  for (const [path, used] of objects ? el2.uses : []) {
    const names = [...used].filter((n) => known.has(n) && !el2.data.has(n));
    if (names.length) borrowed.set(path, names);
  }
  return {
    ...{ from, to, table, borrowed, symbolMacro, own: el2.own },
    el2Sources: objects ? new Set(el2.uses.keys()) : new Set(),
    el2Objects: new Set(objects && (await placesText(target, to)) ? listedIn(files, el2.uses) : []),
    el2Data: objects && symbolMacro !== null ? el2.shared : new Set(),
    goneCall: to.kind === 'smccc' && (await calls(base)) && !(await calls(target)) ? KERNEL_CALL : null,
  };
}

/** True when the nVHE object's own rules put all that it is made of into EL2's text: by renaming, or by a linker script. */
async function placesText(tree: TreeReader, era: Era): Promise<boolean> {
  const makefile = (await tree.read(era.nvheMakefile!)) ?? '';
  return /--rename-section=\.text=\.hyp\.text\b|\bhyp\.lds\b/.test(makefile);
}

/** Sources that a Makefile of the set's own names as objects: it comes along as it is, a hunk may find no place. */
function listedIn(files: readonly PatchedFile[], sources: ReadonlyMap<ByteString, unknown>): ByteString[] {
  return files
    .filter((f) => f.isNew && /(^|\/)(Makefile|Kbuild)$/.test(f.path))
    .flatMap((f) => {
      const folder = f.path.slice(0, f.path.lastIndexOf('/') + 1);
      return objectsIn(f.text).map((o) => `${folder}${o.stem}.c`);
    })
    .filter((path) => sources.has(path));
}

async function calls(tree: TreeReader): Promise<boolean> {
  const text = await tree.read('arch/arm64/include/asm/kvm_host.h');
  return text !== null && new RegExp(`\\b${KERNEL_CALL}\\s*\\(`).test(text);
}

/** The set's files with EL2 code and what that code mentions; the data that these files define. */
async function el2Of(files: readonly PatchedFile[]) {
  const uses = new Map<ByteString, Set<string>>();
  const data = new Set<string>();
  const host = new Set<string>();
  const own = new Set<string>();
  const added = files.filter((f) => f.isNew && /\.[ch]$/.test(f.path));
  const attributes = new Set([EL2_MARK, ...attributeWords(added.flatMap((f) => plainMacros(f.text)))]);
  for (const file of added) {
    if (!file.path.endsWith('.c')) continue;
    const { definitions } = await indexFile(file.path, file.text, { attributes });
    for (const d of definitions) if (d.kind === 'function') own.add(d.name);
    const marked = definitions.filter((d) => d.kind === 'function' && d.signature?.annotations.includes(EL2_MARK));
    if (marked.length === 0) {
      for (const d of definitions) if (d.kind === 'function') for (const word of d.uses) host.add(word);
      continue;
    }
    const used = new Set(marked.flatMap((d) => d.uses));
    // In the order of the text, as a person would list them.
    uses.set(file.path, new Set(file.text.match(/[A-Za-z_]\w*/g)?.filter((word) => used.has(word))));
    for (const d of definitions) {
      const words = d.signature?.annotations ?? [];
      if (d.kind === 'variable' && !words.includes('extern') && !words.includes('static')) data.add(d.name);
    }
  }
  for (const file of files.filter((f) => !f.isNew && /\.[ch]$/.test(f.path))) {
    const added = file.text.split('\n').filter((_, i) => file.added[i]);
    for (const word of added.join('\n').match(/[A-Za-z_]\w*/g) ?? []) host.add(word);
  }
  return { uses, data, shared: new Set([...data].filter((n) => host.has(n))), own };
}

/** Symbols that the set gives to places of the image: in its linker script, and so in no object. */
function laidOut(files: readonly PatchedFile[]): string[] {
  return files
    .filter((f) => /\.lds(\.[Sh])?$/.test(f.path))
    .flatMap((f) => f.text.split('\n').filter((_, i) => f.added[i]))
    .flatMap((line) => /^\s*([A-Za-z_]\w*)\s*=\s*[^=]/.exec(line)?.[1] ?? []);
}

/** Names of data that the kernel's headers declare, and the macro for names in the nVHE object. */
async function dataOf(tree: ListedTree): Promise<[Set<string>, string | null]> {
  const names = new Set<string>();
  let macro: string | null = null;
  for (const path of tree.paths()) {
    if (!path.startsWith(ASM_HEADERS) || !path.endsWith('.h')) continue;
    const text = (await tree.read(path)) ?? '';
    if (new RegExp(`^#[ \\t]*define[ \\t]+${SYMBOL_MACRO}\\(`, 'm').test(text)) macro = SYMBOL_MACRO;
    for (const m of text.matchAll(/^extern[ \t]+([^;(){}]*);/gm)) {
      for (const declarator of m[1]!.split(',')) {
        const name = /([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$/.exec(declarator)?.[1];
        if (name) names.add(name);
      }
    }
  }
  return [names, macro];
}
