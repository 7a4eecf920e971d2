import {
  compareVersions,
  formatVersion,
  isNextRelease,
  parseVersion,
  releaseOf,
  type KernelVersion,
} from '../core/version';
import type { ByteString } from '../core/text';
import type { DiskCache } from '../io/cache';
import { openRevision, type KernelTree } from '../io/tree';
import { lazyIndex, type KernelIndex } from '../kernel-index';
import { View } from '../porter/view';

/** A kernel on the way from the base to the target, files read when they are asked for. */
export interface Release {
  /** As people call it: its tag, or what its Makefile says. */
  name: string;
  tree: KernelTree;
  view: View;
}

/**
 * The tags between two kernels that a set passes on its way, oldest first: one for each release, `vX.Y` where there is
 * one, else its earliest point release (a late one carries changes of later releases).
 */
export function releaseTags(tags: readonly string[], base: KernelVersion, target: KernelVersion): string[] {
  const best = new Map<string, { tag: string; version: KernelVersion }>();
  for (const tag of tags) {
    const version = /^v\d+\.\d+(\.\d+)?$/.test(tag) ? parseVersion(tag) : null;
    if (!version || compareVersions(version, base) <= 0 || compareVersions(version, target) >= 0) continue;
    const release = releaseOf(version);
    if (release === releaseOf(base)) continue;
    if (release === releaseOf(target) && version.sublevel > 0) continue;
    const known = best.get(release);
    if (!known || compareVersions(version, known.version) < 0) best.set(release, { tag, version });
  }
  return [...best.values()].sort((a, b) => compareVersions(a.version, b.version)).map((b) => b.tag);
}

/** The kernels of these tags, as far as they can be read; the two ends themselves are left out. */
export async function openReleases(base: KernelTree, target: KernelTree): Promise<KernelTree[]> {
  const { repo } = target;
  if (!repo) return [];
  const found: KernelTree[] = [];
  for (const tag of releaseTags(await repo.tags(), base.version, target.version)) {
    const tree = await openRevision(repo, tag);
    if (tree && tree.commit !== base.commit && tree.commit !== target.commit) found.push(tree);
  }
  return found;
}

/** The way from the base to the target: both ends, and the releases between them. */
export class Way {
  readonly stops: readonly Release[];

  constructor(base: KernelIndex, between: readonly KernelTree[], target: KernelIndex, cache: DiskCache | null) {
    this.stops = [
      { name: nameOf(base.tree), tree: base.tree, view: new View(base) },
      ...between.map((tree) => ({
        name: tree.name,
        tree,
        view: new View(lazyIndex(tree, target.attributes, cache)),
      })),
      { name: nameOf(target.tree), tree: target.tree, view: new View(target) },
    ];
  }

  /** Index of the target. */
  get last(): number {
    return this.stops.length - 1;
  }

  at(stop: number): Release {
    return this.stops[stop]!;
  }

  /** The texts of some paths at a stop; paths that are not there are left out. */
  async texts(stop: number, paths: Iterable<ByteString>): Promise<ByteString[]> {
    const texts: ByteString[] = [];
    for (const path of new Set(paths)) {
      const text = await this.at(stop).view.text(path);
      if (text !== null) texts.push(text);
    }
    return texts;
  }

  /**
   * The first stop from which on, up to the target, something does not hold any more; null when it holds in the target.
   * The base always holds: it is what the set was written for.
   */
  async lost(holds: (stop: number) => Promise<boolean>): Promise<number | null> {
    if (this.last === 0 || (await holds(this.last))) return null;
    let stop = this.last;
    while (stop > 1 && !(await holds(stop - 1))) stop--;
    return stop;
  }

  /** `in v5.6`, or `between v5.4 and v5.6` when the repository has no tag of the releases in between. */
  when(stop: number): string {
    const [before, now] = [this.at(stop - 1), this.at(stop)];
    if (isNextRelease(numberOf(before), numberOf(now))) return `in ${now.name}`;
    return `between ${before.name} and ${now.name}`;
  }
}

/** The version that a stop stands for: its tag's where it has one, for a tag may be on a later point release. */
export function numberOf(release: Release): KernelVersion {
  return parseVersion(release.name) ?? release.tree.version;
}

function nameOf(tree: KernelTree): string {
  return parseVersion(tree.name) !== null && tree.name.startsWith('v') ? tree.name : formatVersion(tree.version);
}
