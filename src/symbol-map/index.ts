import type { KernelIndex } from '../kernel-index/index';
import { SymbolMap } from './map';

/** Maps the symbols of one kernel to another one. */
export function mapSymbols(base: KernelIndex, target: KernelIndex): SymbolMap {
  return new SymbolMap(base, target);
}

export { SymbolMap } from './map';
export type * from './types';
