import type { KernelIndex } from '../kernel-index/index';
import type { Chronicle, ChronicleRow } from './chronicle/rows';
import { SymbolMap } from './map';
import type { MapEntry, SymbolKind } from './types';

export interface MapOptions {
  /** Known upstream changes; without them the map is inferred from the kernels alone. */
  chronicle?: Chronicle;
  /** Rules of the user's own: they win over everything else. */
  rules?: readonly ChronicleRow[];
}

/** Maps the symbols of one kernel to another one. Entries are worked out when they are asked for. */
export function mapSymbols(base: KernelIndex, target: KernelIndex, options: MapOptions = {}): SymbolMap {
  return new SymbolMap(base, target, [...(options.chronicle?.rows ?? []), ...(options.rules ?? [])]);
}

/** Entries for many symbols, in the order given; symbols that the base does not have are left out. */
export function entriesOf(
  map: SymbolMap,
  names: Iterable<{ kind: SymbolKind | null; name: string; path?: string }>,
): MapEntry[] {
  const found: MapEntry[] = [];
  for (const { kind, name, path } of names) {
    const entry = map.lookup(kind, name, path);
    if (entry) found.push(entry);
  }
  return found;
}

export { loadChronicle, loadRules } from './chronicle/rows';
export type { Chronicle, ChronicleRow } from './chronicle/rows';
export { verifyChronicle } from './chronicle/verify';
export type { IgnoredRow } from './claims';
export { SymbolMap } from './map';
export type * from './types';
