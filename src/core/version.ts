/** A kernel version as its top Makefile states it. */
export interface KernelVersion {
  version: number;
  patchlevel: number;
  sublevel: number;
  /** EXTRAVERSION, for example `-rc3`; empty when there is none. */
  extra: string;
}

/** Reads VERSION, PATCHLEVEL, SUBLEVEL and EXTRAVERSION of a kernel's top Makefile; null when it is none. */
export function versionFromMakefile(makefile: string): KernelVersion | null {
  const value = (name: string) => new RegExp(`^${name}[ \\t]*=[ \\t]*(.*?)[ \\t\\r]*$`, 'm').exec(makefile)?.[1];
  const [version, patchlevel] = [value('VERSION'), value('PATCHLEVEL')];
  if (!version || !patchlevel || !/^\d+$/.test(version) || !/^\d+$/.test(patchlevel)) return null;
  return {
    version: Number(version),
    patchlevel: Number(patchlevel),
    sublevel: Number(value('SUBLEVEL') ?? '0') || 0,
    extra: value('EXTRAVERSION') ?? '',
  };
}

/** Reads `v5.10`, `5.10.3`, `v5.10-rc1`; null when the text is no kernel version. */
export function parseVersion(text: string): KernelVersion | null {
  const m = /^v?(\d+)\.(\d+)(?:\.(\d+))?(-\S*)?$/.exec(text);
  return m && { version: Number(m[1]), patchlevel: Number(m[2]), sublevel: Number(m[3] ?? 0), extra: m[4] ?? '' };
}

/** `v5.10` or `v5.10.3`, as the tags are named. */
export function formatVersion(v: KernelVersion): string {
  return `v${v.version}.${v.patchlevel}${v.sublevel ? `.${v.sublevel}` : ''}${v.extra}`;
}

/** `v5.10`: the release that a point release belongs to. */
export function releaseOf(v: KernelVersion): string {
  return `v${v.version}.${v.patchlevel}`;
}

/** Negative when `a` is older than `b`. A release candidate is older than its release. */
export function compareVersions(a: KernelVersion, b: KernelVersion): number {
  const candidate = (v: KernelVersion) =>
    /^-rc(\d+)/.test(v.extra) ? Number(/^-rc(\d+)/.exec(v.extra)![1]) : Infinity;
  const [ca, cb] = [candidate(a), candidate(b)];
  return (
    a.version - b.version ||
    a.patchlevel - b.patchlevel ||
    a.sublevel - b.sublevel ||
    (ca === cb ? 0 : ca < cb ? -1 : 1)
  );
}

/** The last minor releases before a new major one. */
const LAST_MINOR: Readonly<Record<number, number>> = { 3: 19, 4: 20, 5: 19, 6: 19 };

/** How many releases lie between two, in either direction: 0 for point releases of one. */
export function releasesApart(a: KernelVersion, b: KernelVersion): number {
  const [low, high] = compareVersions(a, b) <= 0 ? [a, b] : [b, a];
  let apart = high.patchlevel - low.patchlevel;
  for (let major = low.version; major < high.version; major++) apart += (LAST_MINOR[major] ?? LONG_SERIES) + 1;
  return apart;
}

/** A major version whose last release is not known is taken to have this many. */
const LONG_SERIES = 19;

/** True when no release lies between two: v5.9 and v5.10, v4.20 and v5.0. Point releases count as their release. */
export function isNextRelease(a: KernelVersion, b: KernelVersion): boolean {
  if (a.version === b.version) return b.patchlevel - a.patchlevel <= 1;
  return b.version === a.version + 1 && b.patchlevel === 0 && LAST_MINOR[a.version] === a.patchlevel;
}
