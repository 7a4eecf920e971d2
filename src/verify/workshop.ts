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

  /** The ported tree as a folder, written once. */
  sources(): Promise<SourceFolder> {
    if (!this.source) {
      const dir = path.join(this.options.dir, 'source');
      removeFolder(dir);
      this.source = SourceFolder.of(this.ctx.ported, dir, (p) => this.ctx.portFiles.has(p));
    }
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
    return buildOne(this.ctx, build, option, this.options.config);
  }
}

/** Configures, prepares and builds one configuration. */
export async function buildOne(
  ctx: Pick<CheckContext, 'options' | 'portFiles' | 'ported'>,
  build: KernelBuild,
  option: 'on' | 'off',
  config: string,
): Promise<Built> {
  const result: Built = {
    ...{ option, build, stopped: null, diagnostics: [], objects: [], notCompiled: [], targets: [], milliseconds: {} },
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
  const targets = () => buildTargets(ctx, option, (o) => build.option(o) !== null);
  if (!prepared.ok) {
    if (!prepared.timedOut) {
      result.targets = await targets();
      const rest = await build.buildRegardless(async () => result.targets);
      result.milliseconds.build = rest.milliseconds;
      const known = new Set(result.diagnostics.map(keyOf));
      result.diagnostics.push(...rest.diagnostics.filter((d) => !known.has(keyOf(d))));
    }
    return stop(result, 'prepare', why(prepared, 'make prepare failed'));
  }
  result.targets = await targets();
  const made = await build.build(result.targets);
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

function keyOf(d: Diagnostic): string {
  return `${d.severity}|${d.path}|${d.line}|${d.text}`;
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
 * What to build: the KVM folder, every folder that the port makes, and of other folders the touched objects alone, if the
 * configuration asks for them. A linker script is made with its folder. With the option off, folders and objects that the
 * option switches stay out.
 */
export async function buildTargets(
  ctx: Pick<CheckContext, 'options' | 'portFiles' | 'ported'>,
  option: 'on' | 'off',
  isOn: (option: string) => boolean,
): Promise<string[]> {
  const tree = ctx.ported;
  const targets = new Set<string>(['arch/arm64/kvm/']);
  const files = [...ctx.portFiles.values()].filter((f) => f.ported !== null);
  const own = new Set(files.filter((f) => isKbuild(f.path) && f.target === null).map((f) => folderOf(f.path)));
  for (const f of files) {
    const p = f.path;
    if (!/\.[cS]$/.test(p) || /^(scripts|tools|Documentation|samples|usr)\//.test(p)) continue;
    const dir = folderOf(p);
    if (/\.lds\.S$/.test(p)) targets.add(dir);
    else if (!['Makefile', 'Kbuild'].some((n) => tree.has(dir + n))) continue;
    else if (own.has(dir)) {
      if (option === 'on' || !(await isSwitched(ctx, dir))) targets.add(dir);
    } else if ((await ruleOptions(tree, p)).every(isOn)) targets.add(p.replace(/\.[cS]$/, '.o'));
  }
  const folders = [...targets].filter((t) => t.endsWith('/'));
  return [...targets].filter((t) => !folders.some((f) => f !== t && t.startsWith(f))).sort();
}

function folderOf(p: ByteString): ByteString {
  return p.slice(0, p.lastIndexOf('/') + 1);
}

/** The options of `obj-$(CONFIG_X) += name.o` rules for a source, composites followed one step. */
async function ruleOptions(tree: KernelTree, source: ByteString): Promise<string[]> {
  const dir = folderOf(source);
  const text = (await tree.read(`${dir}Kbuild`)) ?? (await tree.read(`${dir}Makefile`)) ?? '';
  const lines = text.replace(/\\\n/g, ' ').split('\n');
  const options: string[] = [];
  let name = source.slice(dir.length).replace(/\.[cS]$/, '.o');
  for (let step = 0; step < 2; step++) {
    const rule = lines.find((l) => new RegExp(`^[^#]*=.*(^|[\\s=])${name.replace(/[.+]/g, '\\$&')}(\\s|$)`).test(l));
    const m = rule === undefined ? null : /^\s*([\w-]+?)-(?:\$\((\w+)\)|y|m|objs)\s*[:+?]?=/.exec(rule);
    if (!m) break;
    if (m[2]?.startsWith('CONFIG_')) options.push(m[2]);
    if (m[1] === 'obj' || m[1] === 'lib') break;
    name = `${m[1]!}.o`;
  }
  return options;
}

/** True when the build files above a folder enter it by one of the set's options, or by a folder that is so entered. */
async function isSwitched(ctx: Pick<CheckContext, 'options' | 'ported'>, dir: ByteString): Promise<boolean> {
  const names = dir.replace(/\/$/, '').split('/');
  for (let depth = names.length - 1; depth >= 0; depth--) {
    const at = names.slice(0, depth).join('/');
    const entered = names.slice(0, depth + 1).join('/');
    for (const up of [at, ...names.slice(0, depth).map((_, i) => names.slice(0, i).join('/'))]) {
      for (const file of ['Makefile', 'Kbuild']) {
        const text = (await ctx.ported.read(up === '' ? file : `${up}/${file}`)) ?? '';
        const inner = up === '' ? entered : entered.slice(up.length + 1);
        const line = text
          .split('\n')
          .find(
            (l) =>
              !/^\s*#/.test(l) && (l.includes(`${entered}/`) || new RegExp(`=.*(^|[\\s/=])${inner}/?(\\s|$)`).test(l)),
          );
        if (line && ctx.options.some((o) => line.includes(o))) return true;
      }
    }
  }
  return false;
}
