import type { Evidence } from '../core/outcome';
import type { ByteString } from '../core/text';
import type { Definition } from '../kernel-index/types';
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
  const twins = file.outer.filter((d) => d.name === definition.name && sameNature(d, definition));
  const exact = twins.filter((d) => d.kind === definition.kind);
  const pool = exact.length ? exact : twins;
  if (pool.length <= 1) return pool[0] ?? null;
  const byGuards = pool.filter((d) => d.guards.join('\n') === definition.guards.join('\n'));
  if (byGuards.length === 1) return byGuards[0]!;
  const nth = baseTwins.indexOf(definition);
  return pool[Math.min(Math.max(nth, 0), pool.length - 1)]!;
}

/** Answers by names alone, over the files that the index covers. */
export class HeirsByName implements Heirs {
  constructor(
    private readonly base: View,
    private readonly target: View,
    /** Paths of the target that define a name. */
    private readonly definedIn: (name: string) => readonly ByteString[],
    private readonly movedFiles: (path: ByteString) => FileHeir[],
  ) {}

  files(path: ByteString): FileHeir[] {
    if (this.target.has(path)) return [{ path, confidence: 1, evidence: [] }];
    return this.movedFiles(path);
  }

  async definitions(path: ByteString, definition: Definition): Promise<DefinitionHeir[]> {
    const baseFile = await this.base.file(path);
    const twins = baseFile?.outer.filter((d) => d.name === definition.name && sameNature(d, definition)) ?? [];
    const found: DefinitionHeir[] = [];
    for (const heir of this.files(path)) {
      const file = await this.target.file(heir.path);
      const d = file && sameNamed(file, definition, twins);
      if (d) found.push({ path: heir.path, definition: d, confidence: heir.confidence, evidence: heir.evidence });
    }
    if (found.length) return found;
    for (const other of this.definedIn(definition.name)) {
      const file = await this.target.file(other);
      const d = file && sameNamed(file, definition, twins);
      if (!d) continue;
      found.push({
        path: other,
        definition: d,
        confidence: 0.9,
        evidence: [{ kind: 'same-name', text: `'${definition.name}' is defined in '${other}' now` }],
      });
    }
    return found;
  }

  rename(word: string): string {
    return word;
  }
}
