import type { ByteString } from '../core/text';
import type { KernelTree } from '../io/tree';
import { overlayFile } from '../io/export';
import type { Diagnostic } from '../verify/diagnostics';
import type { Built, Workshop } from '../verify/workshop';

/** The set's option. */
export type Option = 'on' | 'off';

/** Whoever says what is wrong with the sources as they are now. */
export interface Compiler {
  /** What is wrong with these units (sources that are compiled), or with all; null when the option cannot be built at all. */
  diagnostics(option: Option, units: readonly string[] | null): Promise<Diagnostic[] | null>;
  /** Puts a text in the place of a source. */
  write(path: ByteString, text: ByteString): Promise<void>;
}

/** The source that was compiled when a diagnostic came: what includes all of the rest. */
export function unitOf(d: Diagnostic): string | null {
  return d.from[d.from.length - 1]?.path ?? d.path;
}

/** The cross compiler, in the folder in which a check builds. */
export class KernelCompiler implements Compiler {
  private readonly built = new Map<Option, Built>();

  constructor(
    private readonly workshop: Workshop,
    private readonly tree: KernelTree,
  ) {}

  async diagnostics(option: Option, units: readonly string[] | null): Promise<Diagnostic[] | null> {
    let known = this.built.get(option);
    if (!known) {
      known = await this.workshop.build(option);
      this.built.set(option, known);
      if (cannotBuild(known)) return null;
      // The first build was of the sources as they are only when nothing was written before it.
      if (units === null) return known.diagnostics;
    }
    if (cannotBuild(known)) return null;
    const { build, stopped } = known;
    const targets = units === null ? known.targets : await this.objectsOf(units);
    if (stopped) {
      const prepared = await build.prepare();
      if (!prepared.ok) return (await build.buildRegardless(async () => targets)).diagnostics;
      known.stopped = null;
    }
    return (await build.build(targets)).diagnostics;
  }

  async write(path: ByteString, text: ByteString): Promise<void> {
    overlayFile((await this.workshop.sources()).dir, path, text);
  }

  /** What make is asked for to get units compiled; a folder whose objects have names of their own is made as a whole. */
  private async objectsOf(units: readonly string[]): Promise<string[]> {
    const targets = new Set<string>();
    for (const unit of units) {
      const dir = unit.slice(0, unit.lastIndexOf('/') + 1);
      const rules = (await this.tree.read(`${dir}Makefile`)) ?? (await this.tree.read(`${dir}Kbuild`)) ?? '';
      targets.add(/\.nvhe\.o|%\.nvhe/.test(rules) ? dir : unit.replace(/\.[cS]$/, '.o'));
    }
    return [...targets];
  }
}

function cannotBuild(built: Built): boolean {
  return built.stopped !== null && built.stopped.step !== 'prepare';
}
