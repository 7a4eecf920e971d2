import path from 'node:path';
import type { ByteString } from '../core/text';
import { removeFolder } from '../io/export';
import type { KernelTree } from '../io/tree';
import {
  DRIVER_CONFIG,
  fragmentOf,
  KernelBuild,
  KVM_CONFIG,
  SourceFolder,
  type StepResult,
  type Toolchain,
} from './build';
import type { CheckContext } from './context';
import type { Diagnostic } from './diagnostics';
import { isKbuild } from './scan';

/** One configuration of the ported tree, built. */
export interface Built {
  option: 'on' | 'off';
  build: KernelBuild;
  /** The step that stopped it all; null when the objects could be tried. */
  stopped: { step: 'configure' | 'prepare' | 'option'; reason: string } | null;
  diagnostics: Diagnostic[];
  objects: string[];
  /** Touched sources that no object was made of. */
  notCompiled: ByteString[];
  targets: string[];
  milliseconds: Record<string, number>;
}

export interface WorkshopOptions {
  toolchain: Toolchain;
  jobs: number;
  /** A fragment of the user's. */
  config: string;
  /** Folder to work in; it is emptied first. */
  dir: string;
}

/** The scratch folder in which the ported tree is built; each configuration once. */
export class Workshop {
  private source: Promise<SourceFolder> | null = null;
  private readonly built = new Map<string, Promise<Built>>();

  constructor(
    private readonly ctx: CheckContext,
    readonly options: WorkshopOptions,
  ) {}

  /** The ported tree as a folder. */
  sources(): Promise<SourceFolder> {
    const dir = path.join(this.options.dir, 'source');
    removeFolder(dir);
    this.source ??= SourceFolder.of(this.ctx.ported, dir, (p) => this.ctx.portFiles.has(p));
    return this.source;
  }

  /** The set's option on or off. */
  build(option: 'on' | 'off'): Promise<Built> {
    let known = this.built.get(option);
    if (!known) {
      known = this.make(option);
      this.built.set(option, known);
    }
    return known;
  }

  private async make(option: 'on' | 'off'): Promise<Built> {
    const out = path.join(this.options.dir, `build-${option}`);
    removeFolder(out);
    const source = await (this.source ?? this.sources());
    const build = new KernelBuild(source, out, this.options.toolchain, this.options.jobs);
    const targets = await buildTargets(
      this.ctx.ported,
      [...this.ctx.portFiles.values()].filter((f) => f.ported !== null).map((f) => f.path),
    );
    return buildOne(this.ctx, build, option, targets, this.options.config);
  }
}

/** Configures, prepares and builds one configuration. */
export async function buildOne(
  ctx: Pick<CheckContext, 'options' | 'portFiles' | 'ported'>,
  build: KernelBuild,
  option: 'on' | 'off',
  targets: string[],
  config: string,
): Promise<Built> {
  const result: Built = {
    ...{ option, build, stopped: null, diagnostics: [], objects: [], notCompiled: [], targets, milliseconds: {} },
  };
  const main = ctx.options.slice(0, 1);
  const on = [...KVM_CONFIG, ...DRIVER_CONFIG, ...(option === 'on' ? main : [])];
  const note = (step: string, done: StepResult) => {
    result.milliseconds[step] = done.milliseconds;
    result.diagnostics.push(...done.diagnostics);
  };
  const configured = await build.configure(fragmentOf(on, option === 'off' ? ctx.options : [], config));
  note('configure', configured);
  if (!configured.ok) return stop(result, 'configure', why(configured, 'make allnoconfig failed'));
  const lost = ['CONFIG_KVM', ...(option === 'on' ? main : [])].filter((o) => build.option(o) !== 'y');
  if (lost.length) {
    return stop(
      result,
      'option',
      `${lost.join(' and ')} dropped out of the configuration: nothing of the set would be built`,
    );
  }
  const kept = option === 'off' ? ctx.options.filter((o) => build.option(o) !== null) : [];
  if (kept.length) return stop(result, 'option', `${kept.join(' and ')} cannot be switched off`);
  const prepared = await build.prepare();
  note('prepare', prepared);
  if (!prepared.ok) return stop(result, 'prepare', why(prepared, 'make prepare failed'));
  const made = await build.build(targets);
  note('build', made);
  if (made.timedOut) return stop(result, 'prepare', 'the build ran into its time limit');
  result.objects = build.objects();
  const have = new Set(result.objects);
  for (const f of ctx.portFiles.values()) {
    if (f.ported === null || !/\.[cS]$/.test(f.path) || /\.lds\.S$|^(scripts|tools)\//.test(f.path)) continue;
    const stem = f.path.replace(/\.[cS]$/, '');
    if (!have.has(`${stem}.o`) && !have.has(`${stem}.nvhe.o`)) result.notCompiled.push(f.path);
  }
  return result;
}

function stop(result: Built, step: 'configure' | 'prepare' | 'option', reason: string): Built {
  result.stopped = { step, reason };
  return result;
}

function why(step: StepResult, words: string): string {
  if (step.timedOut) return `${words}: time limit after ${Math.round(step.milliseconds / 1000)} s`;
  const first = step.diagnostics.find((d) => d.severity === 'error');
  const last = step.log.split('\n').find((l) => /\*\*\*|error/i.test(l)) ?? '';
  return `${words}: ${first ? first.text : last.trim()}`;
}

/**
 * What to build: the KVM folder, every folder that the port makes, and of other folders the touched objects alone. A linker
 * script is made with its folder.
 */
export async function buildTargets(tree: KernelTree, touched: readonly ByteString[]): Promise<string[]> {
  const targets = new Set<string>(['arch/arm64/kvm/']);
  const folderOf = (p: string) => p.slice(0, p.lastIndexOf('/') + 1);
  const withMakefile = (dir: string) => ['Makefile', 'Kbuild'].some((n) => tree.has(dir + n));
  const own = touched.filter((p) => isKbuild(p)).map(folderOf);
  for (const p of touched) {
    if (!/\.[cS]$/.test(p) || /^(scripts|tools|Documentation|samples|usr)\//.test(p)) continue;
    const dir = folderOf(p);
    if (/\.lds\.S$/.test(p)) targets.add(dir);
    else if (!withMakefile(dir)) continue;
    else if (own.includes(dir)) targets.add(dir);
    else targets.add(p.replace(/\.[cS]$/, '.o'));
  }
  const folders = [...targets].filter((t) => t.endsWith('/'));
  return [...targets].filter((t) => !folders.some((f) => f !== t && t.startsWith(f))).sort();
}
