import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
import type { SymbolMap } from '../symbol-map';
import type { SignatureChange } from '../symbol-map/types';
import { respelt } from '../symbol-map/operands';
import { bodyBehind, nameTakenBy } from './namesakes';
import { PastedOperands } from './pasted-operands';
import type { PorterFile, View } from './view';

/** A target file that a base file went to. */
export interface FileHeir {
  path: ByteString;
  confidence: number;
  evidence: Evidence[];
}

/** A target definition that a base definition went to. */
export interface DefinitionHeir {
  path: ByteString;
  definition: Definition;
  confidence: number;
  evidence: Evidence[];
}

/** Where things of the base are in the target. The porter asks; who answers (names, symbol map, user rules) is not its business. */
export interface Heirs {
  /** Target files of a base file, best first; empty when it is gone. */
  files(path: ByteString): FileHeir[];
  /** Target definitions of a base definition, best first; empty when it is gone. */
  definitions(path: ByteString, definition: Definition): Promise<DefinitionHeir[]>;
  /** How a base word reads in the target; several words when it became an expression, '' when it is dropped. */
  rename(word: string): string;
  /** How an operand of a macro is spelt in the target: `elr` of `read_sysreg_el2` → `SYS_ELR`; null when it stays. */
  operand(macro: string, index: number, operand: string): string | null;
}

/** Two definitions that can be one another's heir: a function may become a macro wrapper, a struct no function. */
export function sameNature(a: Definition, b: Definition): boolean {
  const nature = (d: Definition) =>
    ({ function: 'code', prototype: 'prototype', macro: 'code', 'asm-symbol': 'asm', 'asm-macro': 'asm' })[
      d.kind as string
    ] ?? d.kind;
  return nature(a) === nature(b);
}

/** The definition of a file that a base definition of the same name and nature is; ties are told apart by order. */
export function sameNamed(
  file: PorterFile,
  definition: Definition,
  baseTwins: readonly Definition[],
): Definition | null {
  // In assembly a symbol may lie inside another one (SYM_INNER_LABEL); in C only what stands alone counts.
  const candidates = file.index.language === 'asm' ? file.index.definitions : file.outer;
  const twins = candidates.filter((d) => d.name === definition.name && sameNature(d, definition));
  const exact = twins.filter((d) => d.kind === definition.kind);
  const pool = exact.length ? exact : twins;
  if (pool.length <= 1) return pool[0] ?? null;
  const byGuards = pool.filter((d) => d.guards.join('\n') === definition.guards.join('\n'));
  if (byGuards.length === 1) return byGuards[0]!;
  const nth = baseTwins.indexOf(definition);
  return pool[Math.min(Math.max(nth, 0), pool.length - 1)]!;
}

/** The name alone, when another one's body goes under it: a candidate, no more. */
const NAME_TAKEN = 0.4;

/** A body that went behind a wrapper of its old name. */
const BEHIND = 0.85;

/** A symbol-map entry that is less sure than this is no answer. */
const SURE = 0.5;

/** Answers by name where the name is still there, and by the symbol map where it is not. */
export class MappedHeirs implements Heirs {
  private readonly words = new Map<string, string>();
  private readonly spellings = new Map<string, SignatureChange | null>();
  private readonly pasted: PastedOperands;

  constructor(
    private readonly base: View,
    private readonly target: View,
    private readonly map: SymbolMap,
  ) {
    this.pasted = new PastedOperands(base.kernel, target.kernel);
  }

  files(path: ByteString): FileHeir[] {
    if (this.target.has(path)) return [{ path, confidence: 1, evidence: [] }];
    return this.map.files(path).filter((heir) => heir.confidence >= SURE || heir.share >= 0.3);
  }

  async definitions(path: ByteString, definition: Definition): Promise<DefinitionHeir[]> {
    const baseFile = await this.base.file(path);
    const twins = baseFile?.outer.filter((d) => d.name === definition.name && sameNature(d, definition)) ?? [];
    const here = await this.target.file(path);
    const there = here && sameNamed(here, definition, twins);
    const entry = this.map.lookup(definition.kind, definition.name, path);
    const other = baseFile && here && there && nameTakenBy(definition, baseFile, there, here);
    if (other) {
      const text = `'${there.name}' has the body now that '${other.name}' had`;
      return [{ path, definition: there, confidence: NAME_TAKEN, evidence: [{ kind: 'name-taken', text }] }];
    }
    const behind = baseFile && here && there && bodyBehind(definition, baseFile, there, here);
    if (behind) {
      const text = `'${there.name}' only calls '${behind.name}' now, which has its body`;
      return [{ path, definition: behind, confidence: BEHIND, evidence: [{ kind: 'body-behind', text }] }];
    }
    // The same name in the same file is the same thing, unless its body went elsewhere.
    if (there && entry?.status !== 'split') return [{ path, definition: there, confidence: 1, evidence: [] }];
    const found: DefinitionHeir[] = [];
    if (entry && entry.confidence >= SURE) {
      for (const ref of entry.to) {
        if (await this.isAnothers(ref, path)) continue;
        const file = await this.target.file(ref.path);
        const d = file?.outer.find((x) => x.name === ref.name && x.kind === ref.kind) ?? null;
        const hides = d && baseFile && ref.name === definition.name && bodyBehind(definition, baseFile, d, file!);
        if (hides) {
          const text = `'${d.name}' (${ref.path}) only calls '${hides.name}' now, which has its body`;
          const confidence = Math.min(BEHIND, entry.confidence);
          found.push({ path: ref.path, definition: hides, confidence, evidence: [{ kind: 'body-behind', text }] });
        } else if (d && sameNature(d, definition)) {
          const evidence = [
            ...entry.evidence,
            { kind: `symbol-${entry.status}`, text: `'${definition.name}' is '${ref.name}' in '${ref.path}'` },
          ];
          found.push({ path: ref.path, definition: d, confidence: entry.confidence, evidence });
        }
      }
    }
    if (there && !found.some((f) => f.path === path))
      found.push({ path, definition: there, confidence: 0.9, evidence: [] });
    const variant = await this.variantInFolder(path, definition);
    if (variant && !found.some((f) => f.path === variant.path)) return [variant];
    if (found.length) return found;
    // A definition that an earlier patch of the set brought: it is where that patch was ported to.
    for (const heir of this.files(path)) {
      const file = await this.target.file(heir.path);
      const d = file && sameNamed(file, definition, twins);
      if (d) found.push({ path: heir.path, definition: d, confidence: heir.confidence, evidence: heir.evidence });
    }
    return found;
  }

  /**
   * `NAME_nvhe` of `hyp/tlb.c` is `NAME` of `hyp/nvhe/tlb.c`: a variant that upstream gave a folder of its own needs no
   * suffix there. Null when there is no such file, or none of the name in it.
   */
  private async variantInFolder(path: ByteString, definition: Definition): Promise<DefinitionHeir | null> {
    const m = /^(\w+)_([a-z]+)$/.exec(definition.name);
    if (!m || definition.kind !== 'function') return null;
    const [, stem, suffix] = m as unknown as [string, string, string];
    const cut = path.lastIndexOf('/') + 1;
    const into = `${path.slice(0, cut)}${suffix}/${path.slice(cut)}`;
    if (this.base.tree.has(into)) return null;
    const d = (await this.target.file(into))?.outer.find((x) => x.name === stem && x.kind === 'function');
    if (!d) return null;
    const text = `'${definition.name}' is '${stem}' in '${into}', the file of that variant`;
    return { path: into, definition: d, confidence: 0.85, evidence: [{ kind: 'variant-folder', text }] };
  }

  /**
   * True when a definition found for `path` belongs to another file of the base: the target file is what that one became,
   * and it had a definition of the same name already. Drivers of a family share the names of their static functions.
   */
  private async isAnothers(ref: { path: ByteString; name: string }, of: ByteString): Promise<boolean> {
    if (ref.path === of || this.map.files(of).some((h) => h.path === ref.path)) return false;
    const name = ref.path.slice(ref.path.lastIndexOf('/') + 1);
    const twin = this.base.tree.has(ref.path) ? ref.path : `${of.slice(0, of.lastIndexOf('/') + 1)}${name}`;
    if (twin === of || !this.base.tree.has(twin)) return false;
    if (ref.path !== twin && this.map.files(twin)[0]?.path !== ref.path) return false;
    return ((await this.base.file(twin))?.outer ?? []).some((d) => d.name === ref.name);
  }

  rename(word: string): string {
    const known = this.words.get(word);
    if (known !== undefined) return known;
    const read = this.read(word);
    this.words.set(word, read);
    return read;
  }

  operand(macro: string, index: number, operand: string): string | null {
    let spelling = this.spellings.get(macro);
    if (spelling === undefined) {
      const entry = this.base.kernel.definitions(macro).length ? this.map.lookup('macro', macro) : null;
      const changes = entry && entry.confidence >= SURE ? entry.changes : [];
      spelling = changes.find((c) => c.kind === 'operand-spelling') ?? null;
      this.spellings.set(macro, spelling);
    }
    if (!/^[A-Za-z_]\w*$/.test(operand)) return null;
    if (spelling?.kind !== 'operand-spelling' || spelling.index !== index)
      return spelling === null ? this.pasted.find(macro, index, operand) : null;
    const seen = spelling.pairs.find((p) => p.from === operand);
    if (seen) return seen.into;
    return spelling.rule && respelt(operand, spelling.rule);
  }

  /** A word that the target still knows reads as it is; so does one of which nothing is known. */
  private read(word: string): string {
    const { target, base } = { target: this.target.kernel, base: this.base.kernel };
    if (target.definitions(word).length || target.mentions(word).length || target.members(word).length) return word;
    if (base.attributes.words.has(word) && !target.attributes.words.has(word)) return '';
    const entry = this.map.lookup(null, word);
    const to = entry && entry.confidence >= RENAME ? entry.to[0] : undefined;
    return to && entry!.status === 'renamed' ? to.name.slice(to.name.lastIndexOf('.') + 1) : word;
  }
}

/** A rename must be this sure to count as the same word. */
const RENAME = 0.7;
