import type { Configuration } from '../schema/bench';

/** Units, and whether more of it is better. */
export const UNITS: Readonly<Record<string, 'lower' | 'higher'>> = {
  cycles: 'lower',
  ns: 'lower',
  us: 'lower',
  ms: 'lower',
  s: 'lower',
  'ops/s': 'higher',
  'requests/s': 'higher',
  'transactions/s': 'higher',
  'Mbit/s': 'higher',
};

const UNIT_NAMES: Readonly<Record<string, string>> = {
  cycle: 'cycles',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  usec: 'us',
  msec: 'ms',
  'op/s': 'ops/s',
  'ops/sec': 'ops/s',
  'req/s': 'requests/s',
  'requests/sec': 'requests/s',
  'trans/s': 'transactions/s',
  tps: 'transactions/s',
  mbps: 'Mbit/s',
  'mbit/s': 'Mbit/s',
  'mbits/s': 'Mbit/s',
};

/** The unit as kport writes it; null for one that it does not know. */
export function unitOf(text: string): string | null {
  const t = text.trim();
  return t in UNITS ? t : (UNIT_NAMES[t.toLowerCase()] ?? null);
}

/** Micro-benchmarks by the names that kvm-unit-tests and the papers give them. Everything else is an application. */
const MICRO: Readonly<Record<string, string>> = {
  hypercall: 'hypercall',
  hvc: 'hypercall',
  'i/o kernel': 'io-kernel',
  'io-kernel': 'io-kernel',
  mmio_read_vgic: 'io-kernel',
  'i/o user': 'io-user',
  'io-user': 'io-user',
  mmio_read_user: 'io-user',
  'virtual ipi': 'virtual-ipi',
  'virtual-ipi': 'virtual-ipi',
  ipi: 'virtual-ipi',
};

export function benchmarkOf(text: string): { name: string; kind: 'micro' | 'application' } {
  const t = text.trim().toLowerCase();
  const micro = MICRO[t];
  return micro ? { name: micro, kind: 'micro' } : { name: t.replace(/\s+/g, '-'), kind: 'application' };
}

const CONFIGURATION: Readonly<Record<string, Configuration>> = {
  native: 'native',
  'bare-metal': 'native',
  host: 'native',
  kvm: 'kvm',
  retrofitted: 'retrofitted',
  'retrofitted-kvm': 'retrofitted',
  'retrofitted kvm': 'retrofitted',
  sekvm: 'retrofitted',
  hypsec: 'retrofitted',
};

/** Null for a word that names none of the three. */
export function configurationOf(text: string): Configuration | null {
  return CONFIGURATION[text.trim().toLowerCase()] ?? null;
}
